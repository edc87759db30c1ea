//! Keys that never leave Vault.

use crate::kind::*;

pub const ENGINE: Engine = Engine {
    name: "transit",
    bears_data: true,
    kinds: &[
        Kind {
            section: "keys",
            path: "{mount}/keys/{name}",
            fields: KEY,
            list: Some("{mount}/keys"),
            mistaken: &[
                ("deletion_allowed", "an entry of the same name under `key_config`"),
                ("min_decryption_version", "an entry of the same name under `key_config`"),
                ("min_encryption_version", "an entry of the same name under `key_config`"),
            ],
            writes: |kind, mut body, live| {
                // Once a key is there, writing it anew changes nothing.
                if live.is_some() {
                    body.retain(|key, _| field(CHANGEABLE, key).is_some());
                    return vec![Write { path: KEY_CONFIG, body: kind.written(&body) }];
                }
                vec![Write { path: kind.path, body: kind.written(&body) }]
            },
            docs: "secret/transit",
            ..Kind::PLAIN
        },
        Kind {
            section: "key_config",
            path: KEY_CONFIG,
            fields: fields![
                &[
                    number("min_decryption_version"),
                    number("min_encryption_version"),
                    flag("deletion_allowed"),
                ],
                CHANGEABLE,
            ],
            read: Read::At("{mount}/keys/{name}"),
            list: Some("{mount}/keys"),
            delete: Delete::WithParent,
            docs: "secret/transit",
            ..Kind::PLAIN
        },
        Kind {
            section: "config_keys",
            path: "{mount}/config/keys",
            fields: &[flag("disable_upsert")],
            delete: Delete::WithParent,
            docs: "secret/transit",
            ..Kind::PLAIN
        },
        Kind {
            section: "cache_config",
            path: "{mount}/cache-config",
            fields: &[number("size")],
            delete: Delete::WithParent,
            docs: "secret/transit",
            ..Kind::PLAIN
        },
    ],
};

const KEY_CONFIG: &str = "{mount}/keys/{name}/config";

const KEY: &[Field] = fields![
    &[
        text("type").fixed().values(TYPES),
        flag("derived").fixed(),
        flag("convergent_encryption").fixed(),
        number("key_size").fixed(),
        text("parameter_set").fixed().enterprise(),
        text("hybrid_key_type_pqc").fixed().enterprise(),
        text("hybrid_key_type_ec").fixed().enterprise(),
        text("managed_key_name").write_only().enterprise(),
        text("managed_key_id").write_only().enterprise(),
    ],
    CHANGEABLE,
];

const CHANGEABLE: &[Field] = &[
    flag("exportable").lasting(),
    flag("allow_plaintext_backup").lasting(),
    seconds("auto_rotate_period"),
];

const TYPES: &[&str] = &[
    "aes128-gcm96",
    "aes256-gcm96",
    "chacha20-poly1305",
    "ed25519",
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "hmac",
    "managed_key",
    "aes128-cmac",
    "aes192-cmac",
    "aes256-cmac",
    "aes128-cbc",
    "aes256-cbc",
    "ml-dsa",
    "slh-dsa",
    "hybrid",
];
