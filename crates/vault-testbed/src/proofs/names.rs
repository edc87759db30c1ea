//! What proofs of certificates, keys and quotas are told beyond the fields: names that a role should take, and such as
//! it should not.

use serde_json::{Value, json};
use vault_model::{object::Object, select::matches, spec::Spec};

use super::{
    Objects, acme, audit,
    facts::{Fit, login},
    identity, ldap, provider,
};

/// A stand-in for whatever a role leaves open.
const PROOF: &str = "vaultwright-proof";
/// Nobody has them: they are reserved for documentation.
const OTHER_NAME: &str = "other.example.net";
const OTHER_ADDRESS: &str = "192.0.2.1";
/// A quota beyond it takes longer than a proof should.
const MOST_REQUESTS: f64 = 200.0;

pub fn certificate(spec: &Spec, role: &Object) -> Fit {
    let root = role.at("{mount}/root/generate/internal");
    let reason = if spec.object(&root).is_none() {
        "the spec makes no root that would sign its certificates"
    } else if text(role, "key_type") == "any" {
        "it only signs keys that others bring, which has no proof yet"
    } else if role.said.get("server_flag") == Some(&json!(false)) {
        "only certificates of servers are proven yet"
    } else if host(role).is_none() {
        "no name of a host can be made out that it allows"
    } else {
        return Fit::Proven;
    };
    Fit::Unproven(reason.to_owned())
}

/// Whether a server of some name could show what it issues.
pub fn is_for_servers(role: &Object) -> bool {
    let is_signed_only = text(role, "key_type") == "any";
    !is_signed_only && role.said.get("server_flag") != Some(&json!(false)) && host(role).is_some()
}

/// Whether people log in somewhere with the keys that it signs.
pub fn signs_for_people(role: &Object) -> bool {
    let is_allowed = role.said.get("allow_user_certificates") == Some(&json!(true));
    is_allowed && text(role, "key_type") != "otp"
}

pub fn ssh(spec: &Spec, role: &Object) -> Fit {
    let is_templated = role.said.get("allowed_users_template") == Some(&json!(true));
    let reason = if text(role, "key_type") == "otp" {
        match address(role) {
            Some(_) => return Fit::Proven,
            None => "it names no network whose addresses it gives passwords for",
        }
    } else if spec.object(&role.at("{mount}/config/ca")).is_none() {
        "the spec makes no authority that would sign its keys"
    } else if !signs_for_people(role) {
        "only keys of people are proven yet, not those of hosts"
    } else if is_templated || principal(role).is_none() {
        "whom it signs keys for depends on who asks"
    } else {
        return Fit::Proven;
    };
    Fit::Unproven(reason.to_owned())
}

pub fn account(spec: &Spec, role: &Object) -> Fit {
    let selector = role.said.get("bound_service_account_namespace_selector");
    let is_plain =
        |it: &Value| it.as_object().is_none_or(|it| it.keys().all(|key| key == "matchLabels"));
    match selector.is_none_or(is_plain) {
        true => login(spec, role),
        false => Fit::Unproven("only namespaces by name or by `matchLabels` are proven yet".into()),
    }
}

/// What can't be shown, since it lets in everybody.
pub fn open(object: &Object) -> Option<String> {
    let is_open = |field: &str| object.texts(field).contains(&"*");
    let reason = match object.kind.docs {
        "auth/kubernetes" if is_open("bound_service_account_names") => {
            "`*` binds it to every account of its namespaces: no other is there to be refused"
        }
        "auth/kubernetes" if is_open("bound_service_account_namespaces") => {
            "`*` binds it to every namespace: no other is there to be refused"
        }
        _ => return None,
    };
    Some(reason.to_owned())
}

/// A name that none of the globs matches.
fn outside_of(globs: &[&str]) -> Option<&'static str> {
    const NAMES: [&str; 2] = ["vaultwright-other", "other-than-bound"];
    NAMES.into_iter().find(|name| !globs.iter().any(|glob| matches(glob, name)))
}

pub fn quota(_: &Spec, quota: &Object) -> Fit {
    let reason = if !text(quota, "role").is_empty() {
        "a quota of one role's logins has no proof yet"
    } else if rate(quota).is_none_or(|it| it > MOST_REQUESTS) {
        "it allows more than 200 requests, which a proof does not send"
    } else {
        return Fit::Proven;
    };
    Fit::Unproven(reason.to_owned())
}

/// For the templates.
pub fn more(spec: &Spec, object: &Object) -> Value {
    match object.kind.docs {
        "secret/pki" if object.kind.section == "config_acme" => acme::more(spec, object),
        "secret/pki" => of_certificate(spec, object),
        "secret/ssh" => json!({
            "principal": principal(object),
            "allows_all": object.texts("allowed_users").contains(&"*"),
            "address": address(object),
            "other_address": outside(spec, object),
        }),
        "secret/totp" => json!({ "says_secret": says_any(object, &["key", "url"]) }),
        "auth/jwt" => json!({
            "has_claims": says_any(object, &["bound_claims"]),
            "is_assigned": provider::is_assigned(spec, object),
        }),
        "secret/identity/tokens" => provider::more(spec, object),
        "auth/ldap" => ldap::more(spec, object),
        "auth/kubernetes" => json!({
            "other_account": outside_of(&object.texts("bound_service_account_names")),
            "other_namespace": outside_of(&object.texts("bound_service_account_namespaces")),
        }),
        "auth/cert" => json!({
            "has_names": says_any(object, &["allowed_names", "allowed_common_names", "allowed_dns_sans"]),
        }),
        "system/rate-limit-quotas" => json!({
            "most": rate(object).map(|it| it.round() as u64),
            "probe": probe(spec, object),
        }),
        "system/audit" => audit::more(spec, object),
        docs if docs.starts_with("secret/identity/") => identity::more(spec, object),
        _ => Value::Null,
    }
}

/// Whether one of the fields says something.
fn says_any(object: &Object, fields: &[&str]) -> bool {
    fields.iter().any(|it| match object.said.get(*it) {
        None | Some(Value::Null) => false,
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    })
}

fn of_certificate(spec: &Spec, role: &Object) -> Value {
    let crl = spec.object(&role.at("{mount}/config/crl"));
    let is_off = |field: &str| crl.is_some_and(|it| it.said.get(field) == Some(&json!(true)));
    json!({
        "host": host(role),
        "other": other(role),
        "is_stored": role.said.get("no_store") != Some(&json!(true)),
        "has_list": !is_off("disable"),
        "has_ocsp": !is_off("ocsp_disable"),
    })
}

/// A name that the role should issue nothing for: domains that it names rule out all others, whatever else it says.
pub fn other(role: &Object) -> Option<&'static str> {
    let allows_any = role.said.get("allow_any_name") == Some(&json!(true));
    let names_domains = !role.texts("allowed_domains").is_empty();
    (!allows_any || names_domains).then_some(OTHER_NAME)
}

/// A host's name that the role should issue a certificate for.
pub fn host(role: &Object) -> Option<String> {
    let says = |field: &str| role.said.get(field) == Some(&json!(true));
    let is_plain = |it: &&&str| !it.contains('*') && !it.contains("{{");
    let domains = role.texts("allowed_domains");
    let domain = domains.iter().find(is_plain);
    match domain {
        Some(domain) if says("allow_subdomains") => Some(format!("{PROOF}.{domain}")),
        Some(domain) if says("allow_bare_domains") => Some((*domain).to_owned()),
        _ if says("allow_glob_domains") => {
            domains.iter().find(|it| it.contains('*')).map(|it| it.replace('*', PROOF))
        }
        None if says("allow_any_name") => Some(format!("{PROOF}.example.com")),
        // Vault allows it unless it is told not to.
        _ if role.said.get("allow_localhost") != Some(&json!(false)) => {
            Some("localhost".to_owned())
        }
        _ => None,
    }
}

/// Whom a role of SSH signs keys for.
fn principal(role: &Object) -> Option<String> {
    let users = role.texts("allowed_users");
    match users.iter().find(|it| **it != "*") {
        Some(user) => Some((*user).to_owned()),
        None => users.first().map(|_| PROOF.to_owned()),
    }
}

/// The first that lies in a network of the role.
fn address(role: &Object) -> Option<String> {
    let networks = role.texts("cidr_list");
    let network = networks.iter().find(|it| !it.contains(':'))?;
    Some(network.split('/').next().unwrap_or_default().to_owned())
}

/// One that the role gives no password for, where it names networks that leave any out.
fn outside(spec: &Spec, role: &Object) -> Option<&'static str> {
    let zero = spec.object(&role.at("{mount}/config/zeroaddress"));
    let is_everywhere = zero.is_some_and(|it| it.texts("roles").contains(&role.name()));
    let networks = role.texts("cidr_list");
    let has_it = |it: &&str| it.ends_with("/0") || it.starts_with("192.");
    (!is_everywhere && !networks.iter().any(has_it)).then_some(OTHER_ADDRESS)
}

fn rate(quota: &Object) -> Option<f64> {
    match quota.said.get("rate")? {
        Value::String(text) => text.parse().ok(),
        rate => rate.as_f64(),
    }
}

/// What to ask for, so that it counts: something below a mount, or else just what the quota names.
fn probe(spec: &Spec, quota: &Object) -> String {
    let path = text(quota, "path").trim_matches('/');
    let mount = match path.strip_prefix("auth/") {
        Some(method) => format!("sys/auth/{method}"),
        None => format!("sys/mounts/{path}"),
    };
    match path {
        "" => format!("auth/token/{PROOF}"),
        "auth/token" => format!("{path}/{PROOF}"),
        _ if spec.object(&mount).is_some() => format!("{path}/{PROOF}"),
        _ => path.to_owned(),
    }
}

fn text<'a>(object: &'a Object, field: &str) -> &'a str {
    object.said.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::outside_of;

    #[test]
    fn a_name_outside_of_globs_is_found_unless_they_match_all() {
        assert_eq!(outside_of(&["app", "team-*"]), Some("vaultwright-other"));
        assert_eq!(outside_of(&["vaultwright-*"]), Some("other-than-bound"));
        assert_eq!(outside_of(&[]), Some("vaultwright-other"));
        assert_eq!(outside_of(&["*"]), None);
    }
}
