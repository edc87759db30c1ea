//! What proofs of Vault as a provider of OIDC are told: who trusts it, and whom its clients are for.

use serde_json::{Value, json};
use vault_model::{
    object::{Object, each_reference},
    spec::Spec,
};

use super::{Objects, facts::Fit, identity::objects};

pub fn role(_: &Spec, _: &Object) -> Fit {
    Fit::Proven
}

/// Of a client or a provider.
pub fn asked(spec: &Spec, asked: &Object) -> Fit {
    let mut methods = objects(spec).filter(|it| it.kind.section == "roles" && is_oidc(it));
    let asks = |role: &Object| {
        let config = spec.object(&role.at("{mount}/config"));
        unproven(spec, role).is_none() && config.is_some_and(|it| names(it, &asked.path))
    };
    match methods.any(asks) {
        true => Fit::Beside,
        false => Fit::Unproven("no login of the spec goes by it".to_owned()),
    }
}

/// Why nobody can log in by a role of OIDC here.
pub fn unproven(spec: &Spec, role: &Object) -> Option<String> {
    let config = spec.object(&role.at("{mount}/config"));
    let provider = config.and_then(|config| {
        objects(spec).find(|it| it.kind.section == "oidc_providers" && names(config, &it.path))
    });
    let reason = if provider.is_none() {
        "a login by OIDC needs a browser and a provider: only one whose provider is this Vault, \
         `oidc_discovery_url: ${identity/oidc/provider/NAME#issuer}`, is proven"
    } else if role.texts("allowed_redirect_uris").is_empty() {
        "it allows no address to come back to"
    } else {
        return None;
    };
    Some(reason.to_owned())
}

/// Whether the client of a role's method is for some and not for all.
pub fn is_assigned(spec: &Spec, role: &Object) -> bool {
    let Some(config) = spec.object(&role.at("{mount}/config")) else { return false };
    let mut clients = objects(spec).filter(|it| it.kind.section == "oidc_clients");
    let client = clients.find(|it| names(config, &it.path));
    client.is_some_and(|it| !it.texts("assignments").contains(&"allow_all"))
}

/// For the template.
pub fn more(spec: &Spec, role: &Object) -> Value {
    let client = text(role, "client_id");
    let trusts = |it: &&Object| {
        let config = spec.object(&it.at("{mount}/config"));
        let url = config.map(|it| text(it, "oidc_discovery_url")).unwrap_or_default();
        let is_bound = it.texts("bound_audiences").contains(&client);
        let is_open = text(it, "bound_subject").is_empty() && it.said.get("bound_claims").is_none();
        it.kind.docs == "auth/jwt"
            && text(it, "role_type") == "jwt"
            && url.trim_end_matches('/').ends_with("/v1/identity/oidc")
            && is_bound
            && is_open
    };
    let trusting = objects(spec).filter(trusts).map(|it| &it.path);
    json!({ "trusting": trusting.collect::<Vec<_>>() })
}

fn is_oidc(role: &Object) -> bool {
    role.kind.docs == "auth/jwt" && text(role, "role_type") != "jwt"
}

/// Whether a method's configuration refers to what is at `path`.
fn names(config: &Object, path: &str) -> bool {
    let mut is_there = false;
    for value in config.said.values() {
        each_reference(value, &mut |to, _| is_there |= to == path);
    }
    is_there
}

fn text<'a>(object: &'a Object, field: &str) -> &'a str {
    object.said.get(field).and_then(Value::as_str).unwrap_or_default()
}
