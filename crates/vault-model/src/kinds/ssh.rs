//! Logins to machines: signed keys, and passwords for one login.

use serde_json::{Value, json};

use super::keep;
use crate::{Body, kind::*};

pub const ENGINE: Engine = Engine {
    name: "ssh",
    bears_data: true,
    kinds: &[
        Kind {
            section: "config_ca",
            path: "{mount}/config/ca",
            fields: CA,
            absent: Some("keys haven't been configured yet"),
            docs: "secret/ssh",
            ..Kind::PLAIN
        },
        Kind {
            section: "config_zeroaddress",
            path: "{mount}/config/zeroaddress",
            fields: &[set("roles").required().names("{mount}/roles/{}")],
            docs: "secret/ssh",
            ..Kind::PLAIN
        },
        Kind {
            section: "roles",
            path: "{mount}/roles/{name}",
            fields: BOTH,
            variants: Some(Variants {
                by: "key_type",
                of: &[("ca", &[SIGNED]), ("otp", &[PASSWORD])],
                others: &[SIGNED, PASSWORD],
            }),
            list: Some("{mount}/roles"),
            mistaken: &[
                ("default_ttl", "`ttl`"),
                ("token_ttl", "`ttl`"),
                ("principals", "`allowed_users`"),
                ("valid_principals", "`allowed_users`"),
                ("extensions", "`default_extensions` or `allowed_extensions`"),
            ],
            desire: desire_role,
            writes: |kind, body, live| {
                // What a write leaves out goes back to its default.
                let all = [BOTH, SIGNED, PASSWORD].into_iter().flatten().map(|it| it.name);
                let same_type = live.filter(|it| it.get("key_type") == body.get("key_type"));
                vec![Write { path: kind.path, body: keep(all, kind.written(&body), same_type) }]
            },
            docs: "secret/ssh",
            ..Kind::PLAIN
        },
    ],
};

/// Made once. Vault answers nothing but the public key.
const CA: &[Field] = &[
    flag("generate_signing_key").fixed().unanswered(),
    trimmed("private_key").secret().write_only().belongs_to("public_key"),
    trimmed("public_key").fixed(),
    text("key_type").fixed().unanswered().values(&[
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-ed25519",
        "rsa",
        "ec",
        "ed25519",
    ]),
    number("key_bits").fixed().unanswered(),
    text("managed_key_name").fixed().unanswered().enterprise(),
    text("managed_key_id").fixed().unanswered().enterprise(),
];

const BOTH: &[Field] = &[
    text("key_type").required().values(&["ca", "otp"]),
    text("default_user"),
    commas("allowed_users"),
];

const PASSWORD: &[Field] = &[commas("cidr_list"), commas("exclude_cidr_list"), number("port")];

const SIGNED: &[Field] = &[
    flag("default_user_template"),
    flag("allowed_users_template"),
    commas("allowed_domains"),
    flag("allowed_domains_template"),
    life("ttl"),
    life("max_ttl"),
    commas("allowed_critical_options"),
    commas("allowed_extensions"),
    map("default_critical_options"),
    map("default_extensions"),
    flag("default_extensions_template"),
    flag("allow_user_certificates"),
    flag("allow_host_certificates"),
    flag("allow_bare_domains"),
    flag("allow_subdomains"),
    flag("allow_user_key_ids"),
    text("key_id_format"),
    any("allowed_user_key_lengths"),
    text("algorithm_signer").values(&["", "default", "ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"]),
    seconds("not_before_duration"),
    flag("allow_empty_principals"),
];

/// A length alone reads back as a list of one, and an empty signer as `default`.
fn desire_role(said: &Body, _: Option<&Body>) -> Body {
    let mut body = said.clone();
    if let Some(Value::Object(lengths)) = body.get_mut("allowed_user_key_lengths") {
        for length in lengths.values_mut().filter(|it| !it.is_array()) {
            *length = json!([length]);
        }
    }
    if let Some(signer) = body.get_mut("algorithm_signer").filter(|it| **it == json!("")) {
        *signer = json!("default");
    }
    body
}
