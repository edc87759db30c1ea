//! Vault as a provider of OIDC: tokens that say who somebody is, and who may ask for them.

use serde_json::Value;

use crate::kind::*;

pub const CONFIG: Kind = Kind {
    section: "oidc_config",
    path: "{mount}/oidc/config",
    fields: &[text("issuer").required()],
    delete: Delete::WithParent,
    ..TOKENS
};

pub const KEYS: Kind = Kind {
    section: "oidc_keys",
    path: "{mount}/oidc/key/{name}",
    fields: &[
        seconds("rotation_period"),
        life("verification_ttl"),
        set("allowed_client_ids"),
        text("algorithm").values(&["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"]),
    ],
    list: Some("{mount}/oidc/key"),
    ..TOKENS
};

pub const ROLES: Kind = Kind {
    section: "oidc_roles",
    path: "{mount}/oidc/role/{name}",
    fields: &[
        text("key").required().names("{mount}/oidc/key/{}"),
        text("template"),
        text("client_id"),
        life("ttl"),
    ],
    list: Some("{mount}/oidc/role"),
    mistaken: &[("audience", "`client_id`")],
    ..TOKENS
};

pub const ASSIGNMENTS: Kind = Kind {
    section: "oidc_assignments",
    path: "{mount}/oidc/assignment/{name}",
    fields: &[set("entity_ids"), set("group_ids")],
    list: Some("{mount}/oidc/assignment"),
    ..PROVIDER
};

pub const SCOPES: Kind = Kind {
    section: "oidc_scopes",
    path: "{mount}/oidc/scope/{name}",
    fields: &[text("template"), text("description")],
    list: Some("{mount}/oidc/scope"),
    ..PROVIDER
};

pub const CLIENTS: Kind = Kind {
    section: "oidc_clients",
    path: "{mount}/oidc/client/{name}",
    fields: &[
        text("key").fixed().names("{mount}/oidc/key/{}"),
        set("redirect_uris"),
        set("assignments").names("{mount}/oidc/assignment/{}"),
        text("client_type").fixed().values(&["confidential", "public"]),
        life("id_token_ttl"),
        life("access_token_ttl"),
    ],
    list: Some("{mount}/oidc/client"),
    mistaken: &[
        ("client_id", "nothing: Vault makes it up"),
        ("client_secret", "nothing: Vault makes it up"),
    ],
    ..PROVIDER
};

pub const PROVIDERS: Kind = Kind {
    section: "oidc_providers",
    path: "{mount}/oidc/provider/{name}",
    fields: &[
        text("issuer"),
        set("allowed_client_ids"),
        set("scopes_supported").names("{mount}/oidc/scope/{}"),
    ],
    list: Some("{mount}/oidc/provider"),
    desire: |said, live| {
        let mut body = said.clone();
        let there = live.and_then(|it| it.get("issuer")).filter(|it| is_on(it, said.get("issuer")));
        body.extend(there.map(|it| ("issuer".to_owned(), it.clone())));
        body
    },
    writes: |kind, mut body, _| {
        if let Some(Value::String(issuer)) = body.get_mut("issuer") {
            issuer.truncate(issuer.find(BELOW).unwrap_or(issuer.len()));
        }
        vec![Write { path: kind.path, body: kind.written(&body) }]
    },
    ..PROVIDER
};

const TOKENS: Kind = Kind { docs: "secret/identity/tokens", ..Kind::PLAIN };
const PROVIDER: Kind = Kind { docs: "secret/identity/oidc-provider", ..Kind::PLAIN };

/// A provider's issuer is written as a server, and read as the provider's address on it.
fn is_on(there: &Value, said: Option<&Value>) -> bool {
    let (Some(there), Some(said)) = (there.as_str(), said.and_then(Value::as_str)) else {
        return false;
    };
    there.strip_prefix(said.trim_end_matches('/')).is_some_and(|it| it.starts_with(BELOW))
}

const BELOW: &str = "/v1/";
