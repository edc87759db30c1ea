//! Logins that Vault makes, keeps or lends out in a directory.

use serde_json::Value;

use crate::{Body, kind::*};

pub const ENGINE: Engine = Engine {
    name: "ldap",
    bears_data: false,
    kinds: &[
        Kind {
            section: "config",
            path: "{mount}/config",
            fields: CONFIG,
            rotate_root: Some("{mount}/rotate-root"),
            desire: |said, _| in_lower_case(said.clone(), &["url"]),
            docs: "secret/ldap",
            ..Kind::PLAIN
        },
        Kind {
            section: "static_roles",
            path: "{mount}/static-role/{name}",
            lower_names: true,
            fields: &[
                text("username").required().fixed(),
                text("dn").fixed(),
                seconds("rotation_period").required(),
                flag("skip_import_rotation").unanswered().fixed(),
            ],
            list: Some("{mount}/static-role"),
            after: &["{mount}/config"],
            mistaken: &[
                ("creation_ldif", "a role that makes logins (under `roles`)"),
                ("ttl", "`rotation_period`"),
            ],
            writes: |kind, body, live| {
                // Vault refuses it for what is there.
                let mut body = kind.written(&body);
                body.retain(|key, _| key != "skip_import_rotation" || live.is_none());
                vec![Write { path: kind.path, body }]
            },
            docs: "secret/ldap",
            ..Kind::PLAIN
        },
        Kind {
            section: "roles",
            path: "{mount}/role/{name}",
            lower_names: true,
            fields: &[
                trimmed("creation_ldif").required(),
                trimmed("deletion_ldif").required(),
                trimmed("rollback_ldif"),
                text("username_template"),
                life("default_ttl"),
                life("max_ttl"),
            ],
            list: Some("{mount}/role"),
            update: Update::Whole,
            after: &["{mount}/config"],
            mistaken: &[
                ("ttl", "`default_ttl`"),
                ("creation_statements", "`creation_ldif`"),
                ("revocation_statements", "`deletion_ldif`"),
                ("rotation_period", "a static role (under `static_roles`)"),
            ],
            docs: "secret/ldap",
            ..Kind::PLAIN
        },
        Kind {
            section: "library",
            path: "{mount}/library/{name}",
            lower_names: true,
            fields: &[
                set("service_account_names").required(),
                life("ttl"),
                life("max_ttl"),
                flag("disable_check_in_enforcement"),
            ],
            list: Some("{mount}/library"),
            after: &["{mount}/config"],
            docs: "secret/ldap",
            ..Kind::PLAIN
        },
    ],
};

const CONFIG: &[Field] = &[
    text("url").required(),
    text("binddn").required(),
    text("bindpass").required().secret().write_only().belongs_to("binddn"),
    text("schema").values(&["openldap", "ad", "racf"]),
    text("credential_type").values(&["password", "phrase"]),
    text("userdn"),
    text("userattr"),
    text("upndomain"),
    text("password_policy").names("sys/policies/password/{}"),
    flag("skip_static_role_import_rotation"),
    flag("starttls"),
    flag("insecure_tls"),
    text("tls_min_version").values(TLS),
    text("tls_max_version").values(TLS),
    trimmed("certificate"),
    trimmed("client_tls_cert").secret().write_only().belongs_to("url"),
    trimmed("client_tls_key").secret().write_only().belongs_to("url"),
    seconds("request_timeout"),
    seconds("connection_timeout"),
    text("rotation_schedule").enterprise(),
    seconds("rotation_window").enterprise(),
    seconds("rotation_period").enterprise(),
    flag("disable_automated_rotation"),
    text("rotate_root").values(&["once"]).part(Part::RotateRoot),
];

/// What the two engines that speak to directories know of TLS.
pub const TLS: &[&str] = &["tls10", "tls11", "tls12", "tls13"];

/// As Vault keeps these fields.
pub fn in_lower_case(mut body: Body, fields: &[&str]) -> Body {
    for field in fields {
        if let Some(Value::String(text)) = body.get_mut(*field) {
            // A reference is no text yet.
            if !text.contains("${") {
                *text = text.to_lowercase();
            }
        }
    }
    body
}
