//! Keys for Amazon's cloud.

use super::keep;
use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "aws",
    bears_data: false,
    kinds: &[
        Kind {
            section: "config_root",
            path: "{mount}/config/root",
            fields: ROOT,
            delete: Delete::WithParent,
            rotate_root: Some("{mount}/config/rotate-root"),
            desire: |said, live| {
                let mut body = said.clone();
                // A rotation replaces the access key along with its secret.
                body.retain(|key, _| {
                    key != "access_key" || live.is_none() || !said.contains_key("rotate_root")
                });
                body
            },
            writes: |kind, body, live| {
                // A write that leaves the template out puts the default back.
                let body = keep(["username_template"], kind.written(&body), live);
                vec![Write { path: kind.path, body }]
            },
            docs: "secret/aws",
            ..Kind::PLAIN
        },
        Kind {
            section: "config_lease",
            path: "{mount}/config/lease",
            fields: &[life("lease").required(), life("lease_max").required()],
            update: Update::Whole,
            delete: Delete::WithParent,
            docs: "secret/aws",
            ..Kind::PLAIN
        },
        Kind {
            section: "roles",
            path: "{mount}/roles/{name}",
            fields: ROLE,
            list: Some("{mount}/roles"),
            mistaken: &[
                ("default_ttl", "`default_sts_ttl`, or `lease` in `config_lease` for IAM users,"),
                ("max_ttl", "`max_sts_ttl`, or `lease_max` in `config_lease` for IAM users,"),
                ("ttl", "`default_sts_ttl`"),
                ("policy", "`policy_document`"),
                ("arn", "`role_arns` or `policy_arns`"),
                ("role_arn", "`role_arns`"),
                ("policy_arn", "`policy_arns`"),
            ],
            docs: "secret/aws",
            ..Kind::PLAIN
        },
    ],
};

const ROOT: &[Field] = &[
    text("access_key"),
    text("secret_key").secret().write_only().belongs_to("access_key"),
    text("region"),
    text("iam_endpoint"),
    text("sts_endpoint"),
    text("sts_region"),
    list("sts_fallback_endpoints"),
    list("sts_fallback_regions"),
    number("max_retries"),
    text("username_template"),
    text("role_arn"),
    text("identity_token_audience").enterprise(),
    seconds("identity_token_ttl"),
    text("rotation_schedule").enterprise(),
    seconds("rotation_window").enterprise(),
    seconds("rotation_period").enterprise(),
    flag("disable_automated_rotation"),
    text("rotate_root").values(&["once"]).part(Part::RotateRoot),
];

const ROLE: &[Field] = &[
    text("credential_type").required().values(&[
        "iam_user",
        "assumed_role",
        "federation_token",
        "session_token",
    ]),
    set("role_arns"),
    set("policy_arns"),
    json("policy_document"),
    set("iam_groups"),
    map("iam_tags"),
    map("session_tags"),
    text("external_id"),
    life("default_sts_ttl"),
    life("max_sts_ttl"),
    text("user_path"),
    text("permissions_boundary_arn"),
    text("mfa_serial_number"),
];
