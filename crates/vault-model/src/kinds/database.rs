//! Logins that Vault makes or keeps in other databases.

use serde_json::Value;

use super::{database_plugins::PLUGINS, keep};
use crate::{Body, kind::*};

pub const ENGINE: Engine = Engine {
    name: "database",
    bears_data: false,
    kinds: &[
        Kind {
            section: "connections",
            path: "{mount}/config/{name}",
            fields: CONNECTION,
            variants: Some(PLUGINS),
            list: Some("{mount}/config"),
            rotate_root: Some("{mount}/rotate-root/{name}"),
            decode: reword_connection,
            desire: desire_connection,
            docs: "secret/databases",
            ..Kind::PLAIN
        },
        Kind {
            section: "roles",
            path: "{mount}/roles/{name}",
            fields: fields![
                ROLE,
                &[
                    statements("creation_statements"),
                    statements("revocation_statements"),
                    statements("rollback_statements"),
                    statements("renew_statements"),
                    life("default_ttl"),
                    life("max_ttl"),
                ],
            ],
            list: Some("{mount}/roles"),
            mistaken: &[
                ("ttl", "`default_ttl`"),
                ("default_lease_ttl", "`default_ttl`"),
                ("max_lease_ttl", "`max_ttl`"),
                ("renewal_statements", "`renew_statements`"),
                ("username", "a static role (under `static_roles`)"),
                ("rotation_period", "a static role (under `static_roles`)"),
            ],
            writes: write_role,
            docs: "secret/databases",
            ..Kind::PLAIN
        },
        Kind {
            section: "static_roles",
            path: "{mount}/static-roles/{name}",
            fields: fields![
                STATIC_ROLE,
                &[
                    text("username").required().fixed(),
                    seconds("rotation_period"),
                    text("rotation_schedule"),
                    seconds("rotation_window"),
                    statements("rotation_statements"),
                    flag("skip_import_rotation").fixed().enterprise(),
                    text("password").secret().write_only().enterprise(),
                    text("self_managed_password").secret().write_only().enterprise(),
                ],
            ],
            list: Some("{mount}/static-roles"),
            mistaken: &[
                ("creation_statements", "a role that makes logins (under `roles`)"),
                ("default_ttl", "`rotation_period`"),
                ("ttl", "`rotation_period`"),
            ],
            writes: write_role,
            docs: "secret/databases",
            ..Kind::PLAIN
        },
    ],
};

const CONNECTION: &[Field] = &[
    text("plugin_name").required(),
    text("plugin_version"),
    flag("verify_connection").unanswered(),
    set("allowed_roles"),
    statements("root_rotation_statements"),
    text("password_policy").names("sys/policies/password/{}"),
    text("rotation_schedule").enterprise(),
    seconds("rotation_window").enterprise(),
    seconds("rotation_period").enterprise(),
    flag("disable_automated_rotation"),
    flag("skip_static_role_import_rotation").enterprise(),
    text("rotate_root").values(&["once"]).part(Part::RotateRoot),
];

const DB_NAME: Field = text("db_name").required().names("{mount}/config/{}");

const ROLE: &[Field] = &[
    DB_NAME,
    text("credential_type").values(&["password", "rsa_private_key", "client_certificate"]),
    body(
        "credential_config",
        fields![
            CREDENTIAL,
            &[
                text("common_name_template"),
                trimmed("ca_cert"),
                trimmed("ca_private_key").secret(),
                text("key_type").values(&["rsa", "ec", "ed25519"]),
                number("signature_bits"),
            ],
        ],
    ),
];

const STATIC_ROLE: &[Field] = &[
    DB_NAME,
    text("credential_type").values(&["password", "rsa_private_key"]),
    body("credential_config", CREDENTIAL),
];

const CREDENTIAL: &[Field] = &[
    text("password_policy").names("sys/policies/password/{}"),
    number("key_bits"),
    text("format").values(&["pkcs8"]),
];

/// A connection is read with some fields nested and one under another name.
fn reword_connection(mut body: Body) -> Body {
    if let Some(Value::Object(details)) = body.remove("connection_details") {
        body.extend(details);
    }
    if let Some(statements) = body.remove("root_credentials_rotate_statements") {
        body.insert("root_rotation_statements".to_owned(), statements);
    }
    body
}

fn desire_connection(said: &Body, live: Option<&Body>) -> Body {
    let mut body = said.clone();
    // The version that is built in reads back as none.
    let is_builtin = |it: &Value| it.as_str().is_some_and(|it| it.contains("+builtin"));
    let reads_none = live.and_then(|it| it.get("plugin_version")).is_some_and(|it| it == "");
    if reads_none && said.get("plugin_version").is_some_and(is_builtin) {
        body.remove("plugin_version");
    }
    body
}

/// A write that leaves `credential_config` out puts its defaults back.
fn write_role(kind: &Kind, body: Body, live: Option<&Body>) -> Vec<Write> {
    vec![Write { path: kind.path, body: keep(["credential_config"], kind.written(&body), live) }]
}
