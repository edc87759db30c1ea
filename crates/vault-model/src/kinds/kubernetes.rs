//! Logins by the service account of a pod.

use super::{keep, token};
use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "kubernetes",
    bears_data: false,
    kinds: &[
        Kind {
            section: "config",
            path: "{mount}/config",
            fields: CONFIG,
            update: Update::Whole,
            delete: Delete::WithParent,
            writes: |kind, body, live| {
                let readable = CONFIG.iter().filter(|it| !it.write_only).map(|it| it.name);
                vec![Write { path: kind.path, body: keep(readable, kind.written(&body), live) }]
            },
            docs: "auth/kubernetes",
            ..Kind::PLAIN
        },
        Kind {
            section: "roles",
            path: "{mount}/role/{name}",
            lower_names: true,
            fields: ROLE,
            list: Some("{mount}/role"),
            mistaken: &[
                ("service_account_names", "`bound_service_account_names`"),
                ("service_account_namespaces", "`bound_service_account_namespaces`"),
            ],
            decode: |body| token::with_old_names(ROLE, body),
            writes: |kind, body, live| {
                // A write that leaves the selector out clears it.
                let body =
                    keep(["bound_service_account_namespace_selector"], kind.written(&body), live);
                vec![Write { path: kind.path, body }]
            },
            docs: "auth/kubernetes",
            ..Kind::PLAIN
        },
    ],
};

const CONFIG: &[Field] = &[
    text("kubernetes_host").required(),
    trimmed("kubernetes_ca_cert"),
    text("token_reviewer_jwt").secret().write_only(),
    list("pem_keys"),
    text("issuer"),
    flag("disable_iss_validation"),
    flag("disable_local_ca_jwt"),
    flag("use_annotations_as_alias_metadata"),
];

const ROLE: &[Field] = fields![
    &[
        set("bound_service_account_names").required(),
        set("bound_service_account_namespaces"),
        json("bound_service_account_namespace_selector"),
        text("audience"),
        text("alias_name_source").values(&["serviceaccount_uid", "serviceaccount_name"]),
    ],
    token::FIELDS,
    &[
        token::OLD_POLICIES,
        token::OLD_TTL,
        token::OLD_MAX_TTL,
        token::OLD_PERIOD,
        number("num_uses").renamed("token_num_uses"),
        token::OLD_NETWORKS,
    ],
];
