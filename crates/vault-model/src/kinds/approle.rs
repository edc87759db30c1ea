//! Logins for machines.

use super::token;
use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "approle",
    bears_data: false,
    kinds: &[
        Kind {
            section: "roles",
            path: "{mount}/role/{name}",
            lower_names: true,
            fields: ROLE,
            list: Some("{mount}/role"),
            mistaken: &[
                ("role_id", "an entry of the same name under `role_ids`"),
                ("ttl", "`token_ttl`"),
                ("max_ttl", "`token_max_ttl`"),
                ("num_uses", "`secret_id_num_uses` or `token_num_uses`"),
                ("bound_cidrs", "`secret_id_bound_cidrs` or `token_bound_cidrs`"),
            ],
            decode: |body| token::with_old_names(ROLE, body),
            writes: |kind, mut body, live| {
                // Refused once the role is there, even when it says what is.
                body.retain(|key, _| live.is_none() || key != "local_secret_ids");
                vec![Write { path: kind.path, body: kind.written(&body) }]
            },
            docs: "auth/approle",
            ..Kind::PLAIN
        },
        Kind {
            section: "role_ids",
            path: "{mount}/role/{name}/role-id",
            lower_names: true,
            fields: &[text("role_id").required()],
            list: Some("{mount}/role"),
            delete: Delete::WithParent,
            docs: "auth/approle",
            ..Kind::PLAIN
        },
    ],
};

const ROLE: &[Field] = fields![
    &[
        flag("bind_secret_id"),
        networks("secret_id_bound_cidrs"),
        number("secret_id_num_uses"),
        life("secret_id_ttl"),
        flag("local_secret_ids").fixed(),
    ],
    token::FIELDS,
    &[
        token::OLD_POLICIES,
        token::OLD_PERIOD,
        networks("bound_cidr_list").renamed("secret_id_bound_cidrs"),
    ],
];
