//! Logins by a token that somebody else has signed.

use serde_json::Value;

use super::{keep, token};
use crate::kind::*;

pub const ENGINE: Engine = Engine { name: "jwt", bears_data: false, kinds: KINDS };
pub const OIDC: Engine = Engine { name: "oidc", bears_data: false, kinds: KINDS };

const KINDS: &[Kind] = &[
    Kind {
        section: "config",
        path: "{mount}/config",
        fields: CONFIG,
        update: Update::Whole,
        delete: Delete::WithParent,
        desire: |said, _| {
            let mut body = said.clone();
            // Vault writes it in lower case.
            if let Some(Value::String(role)) = body.get_mut("default_role") {
                *role = role.to_lowercase();
            }
            body
        },
        writes: |kind, body, live| {
            // What a write leaves out is emptied.
            let readable = CONFIG.iter().filter(|it| !it.write_only).map(|it| it.name);
            vec![Write { path: kind.path, body: keep(readable, kind.written(&body), live) }]
        },
        docs: "auth/jwt",
        ..Kind::PLAIN
    },
    Kind {
        section: "roles",
        path: "{mount}/role/{name}",
        lower_names: true,
        fields: ROLE,
        list: Some("{mount}/role"),
        mistaken: &[
            ("bound_audience", "`bound_audiences`"),
            ("audience", "`bound_audiences`"),
            ("claims", "`bound_claims`"),
            ("redirect_uris", "`allowed_redirect_uris`"),
            ("scopes", "`oidc_scopes`"),
        ],
        decode: |body| token::with_old_names(ROLE, body),
        writes: |kind, body, live| {
            // A write that leaves them out puts their defaults back.
            let body = keep(["role_type", "bound_claims_type"], kind.written(&body), live);
            vec![Write { path: kind.path, body }]
        },
        docs: "auth/jwt",
        ..Kind::PLAIN
    },
];

const CONFIG: &[Field] = &[
    set("jwt_validation_pubkeys"),
    set("jwt_supported_algs"),
    text("bound_issuer"),
    text("default_role").names("{mount}/role/{}"),
    text("jwks_url"),
    trimmed("jwks_ca_pem"),
    any("jwks_pairs"),
    text("oidc_discovery_url"),
    trimmed("oidc_discovery_ca_pem"),
    text("oidc_client_id"),
    text("oidc_client_secret").secret().write_only().belongs_to("oidc_client_id"),
    text("oidc_response_mode").values(&["", "query", "form_post"]),
    set("oidc_response_types"),
    any("provider_config").secret(),
    flag("namespace_in_state"),
    set("unsupported_critical_cert_extensions"),
];

const ROLE: &[Field] = fields![
    &[
        text("role_type").values(&["jwt", "oidc"]),
        text("user_claim").required(),
        flag("user_claim_json_pointer"),
        set("bound_audiences"),
        text("bound_subject"),
        any("bound_claims"),
        text("bound_claims_type").values(&["string", "glob"]),
        map("claim_mappings"),
        text("groups_claim"),
        seconds("expiration_leeway"),
        seconds("not_before_leeway"),
        seconds("clock_skew_leeway"),
        set("oidc_scopes"),
        set("allowed_redirect_uris"),
        flag("verbose_oidc_logging"),
        seconds("max_age"),
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
