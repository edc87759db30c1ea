//! What proofs of ACME are told: at which directories names can be ordered here.

use serde_json::{Value, json};
use vault_model::{object::Object, spec::Spec};

use super::{
    Objects,
    facts::Fit,
    identity::objects,
    names::{certificate, host, other},
};

pub fn config(spec: &Spec, config: &Object) -> Fit {
    let cluster = spec.object(&config.at("{mount}/config/cluster"));
    let has_address = cluster.is_some_and(|it| !text(it, "path").is_empty());
    let reason = if !is_enabled(config) {
        return Fit::Beside;
    } else if !has_address {
        "`config_cluster` says no `path`, under which ACME names its own addresses"
    } else if directories(spec, config).is_empty() {
        "no role that it allows, that keeps what it issues and that takes keys on the curve P-256, \
         names a host of which a name server could speak"
    } else {
        return Fit::Proven;
    };
    Fit::Unproven(reason.to_owned())
}

pub fn is_enabled(config: &Object) -> bool {
    config.said.get("enabled") == Some(&json!(true))
}

/// For the template.
pub fn more(spec: &Spec, config: &Object) -> Value {
    json!({
        "directories": directories(spec, config),
        "is_bound": matches!(text(config, "eab_policy"), "always-required" | "new-account-required"),
    })
}

/// Each with a name that its role allows, and one that it does not.
fn directories(spec: &Spec, config: &Object) -> Vec<Value> {
    let allowed = config.texts("allowed_roles");
    let is_allowed = |it: &&Object| {
        let is_of = it.kind.section == "roles" && it.mount() == config.mount();
        is_of && (allowed.is_empty() || allowed.contains(&"*") || allowed.contains(&it.name()))
    };
    let of_role = |role: &Object| {
        let is_kept = role.said.get("no_store") != Some(&json!(true));
        let is_curve = match text(role, "key_type") {
            "any" => true,
            "ec" => {
                matches!(role.said.get("key_bits").and_then(Value::as_u64), None | Some(0 | 256))
            }
            _ => false,
        };
        let is_proven = is_kept && is_curve && is_orderable(certificate(spec, role));
        let host = host(role).filter(|it| is_proven && it.contains('.'))?;
        let directory = role.at("{mount}/roles/{name}/acme/directory");
        Some(json!({ "path": directory, "host": host, "other": other(role) }))
    };
    objects(spec).filter(is_allowed).filter_map(of_role).collect()
}

fn is_orderable(fit: Fit) -> bool {
    matches!(fit, Fit::Proven)
}

fn text<'a>(object: &'a Object, field: &str) -> &'a str {
    object.said.get(field).and_then(Value::as_str).unwrap_or_default()
}
