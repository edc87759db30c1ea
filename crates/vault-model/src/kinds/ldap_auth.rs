//! Logins by a directory.

use super::{
    keep,
    ldap::{TLS, in_lower_case},
    token,
};
use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "ldap",
    bears_data: false,
    kinds: &[
        Kind {
            section: "config",
            path: "{mount}/config",
            fields: CONFIG,
            delete: Delete::WithParent,
            rotate_root: Some("{mount}/config/rotate-root"),
            desire: |said, _| in_lower_case(said.clone(), &["url", "userattr"]),
            docs: "auth/ldap",
            ..Kind::PLAIN
        },
        Kind {
            section: "users",
            path: "{mount}/users/{name}",
            fields: &[set("groups"), POLICIES],
            list: Some("{mount}/users"),
            after: &["{mount}/config"],
            writes: |kind, body, live| {
                // A write that leaves one out empties it.
                let body = keep(["groups", "policies"], kind.written(&body), live);
                vec![Write { path: kind.path, body }]
            },
            docs: "auth/ldap",
            ..Kind::PLAIN
        },
        Kind {
            section: "groups",
            path: "{mount}/groups/{name}",
            fields: &[POLICIES],
            list: Some("{mount}/groups"),
            after: &["{mount}/config"],
            docs: "auth/ldap",
            ..Kind::PLAIN
        },
    ],
};

const POLICIES: Field = lower_set("policies").names("sys/policies/acl/{}");

/// Vault has a configuration from the beginning: what it never shows is sent along with what leads to the directory.
const CONFIG: &[Field] = fields![
    &[
        text("url").required(),
        text("binddn"),
        text("bindpass").secret().write_only().belongs_to("binddn"),
        text("userdn"),
        text("userattr"),
        text("userfilter"),
        text("upndomain"),
        text("groupdn"),
        text("groupattr"),
        text("groupfilter"),
        flag("anonymous_group_search"),
        flag("username_as_alias"),
        flag("case_sensitive_names"),
        flag("use_token_groups"),
        flag("use_pre111_group_cn_behavior"),
        flag("deny_null_bind"),
        flag("discoverdn"),
        flag("enable_samaccountname_login"),
        flag("insecure_tls"),
        flag("starttls"),
        text("tls_min_version").values(TLS),
        text("tls_max_version").values(TLS),
        trimmed("certificate"),
        trimmed("client_tls_cert").secret().write_only().belongs_to("url"),
        trimmed("client_tls_key").secret().write_only().belongs_to("url"),
        seconds("request_timeout"),
        seconds("connection_timeout"),
        text("dereference_aliases").values(&["never", "finding", "searching", "always"]),
        number("max_page_size"),
        text("password_policy").names("sys/policies/password/{}"),
        text("rotation_url"),
        text("rotation_schedule").enterprise(),
        seconds("rotation_window").enterprise(),
        seconds("rotation_period").enterprise(),
        flag("disable_automated_rotation"),
        text("rotate_root").values(&["once"]).part(Part::RotateRoot),
    ],
    token::FIELDS,
];
