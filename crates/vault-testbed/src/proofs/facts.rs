//! Which kinds have a proof, of which of their objects it holds, and what its template is told.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use vault_model::{
    directory,
    identity::Person,
    object::{Object, has_reference},
    scale::{self, LONGEST_WAIT_SECONDS},
    spec::Spec,
};

use super::{Objects, acme, audit, aws, identity, ldap, names, networks, provider};
use crate::ground::{
    FAR_SIDES, FarSide,
    far::{AWS, OPENLDAP, SSHD, kubernetes::KUBERNETES, nginx::NGINX},
};

/// Kinds, and the template of their proof.
pub struct Row {
    /// The page that documents a kind, and its section in a spec: together they name it.
    kinds: &'static [(&'static str, &'static str)],
    pub template: &'static str,
    /// The path that gives the credential.
    pub issues: Option<&'static str>,
    pub fits: fn(&Spec, &Object) -> Fit,
}

/// Whether an object's proof can be made.
pub enum Fit {
    Proven,
    /// There is nothing to prove beyond that it is made.
    Beside,
    Unproven(String),
}

pub const ROWS: &[Row] = &[
    Row {
        kinds: &[("secret/databases", "roles")],
        template: "database_roles",
        issues: Some("{mount}/creds/{name}"),
        fits: on_known,
    },
    Row {
        kinds: &[("secret/databases", "static_roles")],
        template: "database_static_roles",
        issues: Some("{mount}/static-creds/{name}"),
        fits: on_known,
    },
    Row {
        kinds: &[("secret/databases", "connections")],
        template: "root_rotation",
        issues: None,
        fits: |_, object| match (object.rotates_root(), far_side(object)) {
            (false, _) => Fit::Beside,
            (true, Some(_)) => Fit::Proven,
            (true, None) => Fit::Unproven(only_known()),
        },
    },
    Row {
        kinds: &[("secret/aws", "roles")],
        template: "aws_roles",
        issues: Some("{mount}/creds/{name}"),
        fits: aws::keys,
    },
    Row {
        kinds: &[("secret/aws", "config_root")],
        template: "root_rotation",
        issues: None,
        fits: aws::rotation,
    },
    Row {
        kinds: &[("secret/ldap", "roles")],
        template: "database_roles",
        issues: Some("{mount}/creds/{name}"),
        fits: configured,
    },
    Row {
        kinds: &[("secret/ldap", "static_roles")],
        template: "database_static_roles",
        issues: Some("{mount}/static-cred/{name}"),
        fits: |spec, role| match role.said.contains_key("dn") {
            true => configured(spec, role),
            false => Fit::Unproven(
                "it says no `dn`, so that nobody can tell whose password it is".to_owned(),
            ),
        },
    },
    Row {
        kinds: &[("secret/ldap", "library")],
        template: "library_sets",
        issues: Some("{mount}/library/{name}/check-out"),
        fits: configured,
    },
    Row {
        kinds: &[("secret/ldap", "config"), ("auth/ldap", "config")],
        template: "root_rotation",
        issues: None,
        fits: |_, object| if object.rotates_root() { Fit::Proven } else { Fit::Beside },
    },
    Row {
        kinds: &[("secret/rabbitmq", "roles")],
        template: "database_roles",
        issues: Some("{mount}/creds/{name}"),
        fits: configured,
    },
    Row {
        kinds: &[("auth/approle", "roles")],
        template: "approle_roles",
        issues: None,
        fits: login,
    },
    Row {
        kinds: &[("auth/userpass", "users")],
        template: "userpass_users",
        issues: None,
        fits: login,
    },
    Row { kinds: &[("auth/ldap", "config")], template: "ldap_methods", issues: None, fits: login },
    Row {
        kinds: &[("auth/ldap", "users"), ("auth/ldap", "groups")],
        template: "ldap_people",
        issues: None,
        fits: login,
    },
    Row { kinds: &[("auth/token", "roles")], template: "token_roles", issues: None, fits: login },
    Row {
        kinds: &[("secret/kv/kv-v1", "data"), ("secret/kv/kv-v2", "data")],
        template: "kv_data",
        issues: None,
        fits: |_, _| Fit::Proven,
    },
    Row {
        kinds: &[("secret/kv/kv-v2", "metadata")],
        template: "kv_metadata",
        issues: None,
        fits: |spec, object| match secret_of(spec, object) {
            true => Fit::Proven,
            false => Fit::Unproven("the spec has no secret there to show it with".to_owned()),
        },
    },
    Row { kinds: &[("secret/transit", "keys")], template: "transit_keys", issues: None, fits: key },
    Row { kinds: &[("auth/jwt", "roles")], template: "jwt_roles", issues: None, fits: login },
    Row { kinds: &[("auth/cert", "certs")], template: "cert_roles", issues: None, fits: login },
    Row {
        kinds: &[("auth/kubernetes", "roles")],
        template: "kubernetes_roles",
        issues: None,
        fits: names::account,
    },
    Row {
        kinds: &[("secret/pki", "roles")],
        template: "pki_roles",
        issues: None,
        fits: names::certificate,
    },
    Row {
        kinds: &[("secret/ssh", "roles")],
        template: "ssh_roles",
        issues: None,
        fits: names::ssh,
    },
    Row {
        kinds: &[("secret/totp", "keys")],
        template: "totp_keys",
        issues: None,
        fits: |_, _| Fit::Proven,
    },
    Row {
        kinds: &[("system/rate-limit-quotas", "rate_limit_quotas")],
        template: "rate_limit_quotas",
        issues: None,
        fits: names::quota,
    },
    Row {
        kinds: &[("secret/identity/entity-alias", "entity_aliases")],
        template: "entity_aliases",
        issues: None,
        fits: identity::alias,
    },
    Row {
        kinds: &[("secret/identity/entity", "entities")],
        template: "entity_aliases",
        issues: None,
        fits: identity::entity,
    },
    Row {
        kinds: &[("secret/identity/group", "groups")],
        template: "groups",
        issues: None,
        fits: identity::group,
    },
    Row {
        kinds: &[("secret/identity/group-alias", "group_aliases")],
        template: "group_aliases",
        issues: None,
        fits: identity::group_alias,
    },
    Row {
        kinds: &[("system/audit", "audit")],
        template: "audit_devices",
        issues: None,
        fits: audit::device,
    },
    Row {
        kinds: &[("secret/identity/tokens", "oidc_roles")],
        template: "oidc_roles",
        issues: None,
        fits: provider::role,
    },
    Row {
        kinds: &[
            ("secret/identity/oidc-provider", "oidc_clients"),
            ("secret/identity/oidc-provider", "oidc_providers"),
        ],
        template: "oidc_roles",
        issues: None,
        fits: provider::asked,
    },
    Row {
        kinds: &[("secret/pki", "config_acme")],
        template: "acme",
        issues: None,
        fits: acme::config,
    },
];

/// What is shown at a server of the ground alone.
struct ShownAt {
    kind: (&'static str, &'static str),
    /// Which of the kind; others are shown without.
    which: fn(&Object) -> bool,
    side: &'static FarSide,
    /// What is said where the ground has none.
    otherwise: &'static str,
}

const SHOWN_AT: &[ShownAt] = &[
    ShownAt {
        kind: ("auth/kubernetes", "roles"),
        which: all,
        side: &KUBERNETES,
        otherwise: "a login by Kubernetes needs a cluster, which its ground.yaml does not name; \
                    its policies are shown with a token that has them",
    },
    ShownAt { kind: ("auth/ldap", "config"), which: all, side: &OPENLDAP, otherwise: NO_DIRECTORY },
    ShownAt { kind: ("auth/ldap", "users"), which: all, side: &OPENLDAP, otherwise: NO_DIRECTORY },
    ShownAt { kind: ("auth/ldap", "groups"), which: all, side: &OPENLDAP, otherwise: NO_DIRECTORY },
    ShownAt {
        kind: ("secret/aws", "roles"),
        which: all,
        side: &AWS,
        otherwise: "keys of AWS need an `aws`, which its ground.yaml does not name",
    },
    ShownAt {
        kind: ("secret/aws", "config_root"),
        which: all,
        side: &AWS,
        otherwise: "root keys of AWS need an `aws`, which its ground.yaml does not name",
    },
    ShownAt {
        kind: ("secret/pki", "roles"),
        which: names::is_for_servers,
        side: &NGINX,
        otherwise: NO_WEB_SERVER,
    },
    ShownAt {
        kind: ("secret/pki", "config_acme"),
        which: acme::is_enabled,
        side: &NGINX,
        otherwise: NO_WEB_SERVER,
    },
    ShownAt {
        kind: ("secret/ssh", "roles"),
        which: names::signs_for_people,
        side: &SSHD,
        otherwise: "the keys that it signs need an `sshd` that would take them, which its ground.yaml does not name: \
                    `servers: { machines: { sshd: \"9\" } }` there starts one",
    },
];

const NO_DIRECTORY: &str = "a login by LDAP needs an `openldap`, which its ground.yaml does not name; \
                            its policies are shown with a token that has them";

const NO_WEB_SERVER: &str = "its certificates need an `nginx` that would show them, which its ground.yaml does not name: \
                             `servers: { web: { nginx: \"1.22\" } }` there starts one";

fn all(_: &Object) -> bool {
    true
}

/// Servers of a ground, by its names for them.
pub type Ground = [(String, &'static FarSide)];

impl Row {
    pub fn is_of(&self, object: &Object) -> bool {
        self.kinds.contains(&kind(object))
    }
}

fn kind(object: &Object) -> (&'static str, &'static str) {
    (object.kind.docs, object.kind.section)
}

/// Whether tokens come of it.
pub fn is_login(object: &Object) -> bool {
    let methods =
        ["auth/approle", "auth/cert", "auth/jwt", "auth/kubernetes", "auth/userpass", "auth/token"];
    let is_role = matches!(object.kind.section, "roles" | "users" | "certs");
    is_role && methods.contains(&object.kind.docs) || object.kind.docs == directory::DOCS
}

/// How a login is shown on a Vault that people use: only where nobody is made up for it, and nobody is locked out.
const LIVE: &[(&str, &str)] = &[
    ("auth/approle", "@live"),
    ("auth/token", "@live"),
    ("auth/userpass", "@skip.address(failed-logins-count-towards-locking-others-out)"),
];

const MADE_UP: &str = "@skip.address(its-proof-makes-up-who-logs-in)";

/// The tag of the scenarios that log in by it.
pub fn live(login: &Object) -> &'static str {
    LIVE.iter().find(|(docs, _)| *docs == kind(login).0).map_or(MADE_UP, |(_, tag)| tag)
}

/// The same, of somebody whose name is made up.
pub fn live_as(login: &Object, called: Option<&str>) -> &'static str {
    called.map_or_else(|| live(login), |_| MADE_UP)
}

/// The name of the server that it is shown at, where it is not shown without one; or why this ground shows nothing of it.
pub fn server<'a>(object: &Object, ground: &'a Ground) -> Result<Option<&'a str>, String> {
    let is_of = |it: &&ShownAt| it.kind == kind(object) && (it.which)(object);
    let Some(shown) = SHOWN_AT.iter().find(is_of) else { return Ok(None) };
    let named = ground.iter().find(|(_, side)| side.word == shown.side.word);
    named.map(|(name, _)| Some(&**name)).ok_or_else(|| shown.otherwise.to_owned())
}

/// Why this ground shows nothing of it.
pub fn lacking(object: &Object, ground: &Ground) -> Option<String> {
    server(object, ground).err()
}

/// Why nobody can log in by it here.
pub fn unproven_login(spec: &Spec, object: &Object) -> Option<String> {
    let binds = |it: &&&str| !ldap::or_method(spec, object).texts(it).is_empty();
    if let Some(field) = networks::BOUNDS.iter().find(binds) {
        return Some(format!(
            "{field} binds it to networks, and nobody here is known to be in one"
        ));
    }
    if let Some(config) = ldap::lacking(spec, object) {
        return Some(format!("{config} is not in the spec"));
    }
    let text = |name: &str| object.said.get(name).and_then(Value::as_str).unwrap_or_default();
    if kind(object) == ("auth/jwt", "roles") && text("role_type") != "jwt" {
        return provider::unproven(spec, object);
    }
    if kind(object) == ("auth/cert", "certs") && !text("certificate").contains("/cert/ca") {
        let reason = "nobody here has the key of the authority that it trusts: \
                      only one that a PKI engine of the spec has, `${pki/cert/ca#certificate}`, is proven";
        return Some(reason.to_owned());
    }
    let no_password = kind(object) == ("auth/userpass", "users")
        && object.said.get("password").is_none_or(has_reference);
    no_password.then(|| "the spec does not say its password, so that nobody can log in".to_owned())
}

/// The row and the object that answer at `path`.
pub fn issuer<'a>(spec: &'a Spec, path: &str) -> Option<(&'static Row, &'a Object)> {
    ROWS.iter().find_map(|row| {
        let template = row.issues?;
        let mut objects = spec.objects.iter().filter(|it| row.is_of(it));
        let object = objects.find(|it| it.at(template) == path)?;
        Some((row, &**object))
    })
}

/// Where an object answers with what it issues.
pub fn issued_paths(object: &Object) -> impl Iterator<Item = String> {
    let rows = ROWS.iter().filter(|it| it.is_of(object));
    rows.filter_map(|it| Some(object.at(it.issues?).to_string()))
}

pub fn login(spec: &Spec, object: &Object) -> Fit {
    let reason = unproven_login(spec, object).or_else(|| shut_out(spec, object));
    reason.map_or(Fit::Proven, Fit::Unproven)
}

/// Why whoever logs in by it gets no token.
pub fn shut_out(spec: &Spec, role: &Object) -> Option<String> {
    let person = identity::of_login(spec, role).filter(Person::is_disabled)?;
    Some(format!("whoever logs in by it is {}, which is disabled", person.entity.path))
}

fn on_known(spec: &Spec, role: &Object) -> Fit {
    let name = role.said.get("db_name").and_then(Value::as_str).unwrap_or_default();
    let path = format!("{}/config/{name}", role.mount());
    let other = role.said.get("credential_type").and_then(Value::as_str);
    match spec.object(&path) {
        _ if other.is_some_and(|it| it != "password") => {
            Fit::Unproven("only passwords are proven yet".to_owned())
        }
        Some(connection) if far_side(connection).is_some() => Fit::Proven,
        Some(_) => Fit::Unproven(only_known()),
        None => Fit::Unproven(format!("{path} is not in the spec")),
    }
}

/// Whether logins by the role have sessions, which may outlive them.
pub fn has_sessions(spec: &Spec, role: &Object) -> bool {
    let connection = role.said.get("db_name").and_then(Value::as_str);
    let connection = connection.map(|it| format!("{}/config/{it}", role.mount()));
    let database = connection.and_then(|it| far_side(spec.object(&it)?));
    database.or_else(|| FarSide::of_engine(role.kind.docs)).is_some_and(FarSide::has_sessions)
}

/// By what its mount says of its one server.
fn configured(spec: &Spec, role: &Object) -> Fit {
    let engine = FarSide::of_engine(role.kind.docs).and_then(|it| it.engine.as_ref());
    let config = engine.map(|it| role.at(it.config)).unwrap_or_default();
    match spec.object(&config) {
        Some(_) => Fit::Proven,
        None => Fit::Unproven(format!("{config} is not in the spec")),
    }
}

fn far_side(connection: &Object) -> Option<&'static FarSide> {
    connection.variant().and_then(FarSide::of_plugin)
}

fn only_known() -> String {
    let databases = FAR_SIDES.iter().filter(|it| it.plugin.is_some());
    let titles: Vec<&str> = databases.map(|it| it.title).collect();
    format!("of databases only {} are proven yet", titles.join(", "))
}

fn secret_of(spec: &Spec, metadata: &Object) -> bool {
    spec.object(&metadata.at("{mount}/data/{name}")).is_some()
}

fn key(_: &Spec, object: &Object) -> Fit {
    let kind = object.said.get("type").and_then(Value::as_str).unwrap_or("aes256-gcm96");
    let known = ["gcm96", "poly1305", "ed25519", "ecdsa-", "rsa-"];
    match kind == "hmac" || known.iter().any(|it| kind.contains(it)) {
        true => Fit::Proven,
        false => Fit::Unproven(format!("keys of the type {kind} have no proof yet")),
    }
}

/// What a template knows of an object. No secret is in it.
pub fn facts(
    (spec, ground): (&Spec, &Ground),
    object: &Object,
    row: &Row,
    divisor: i64,
) -> minijinja::Value {
    let said = said(object);
    let itself = Arc::new(object.saying(said.clone()));
    let lives = scale::lives(&[lived_by(spec, itself)]);
    let life: BTreeMap<&str, i64> = lives.iter().map(|it| (&*it.field, it.seconds)).collect();
    let short: BTreeMap<&str, i64> =
        life.iter().map(|(field, it)| (*field, scale::shortened(*it, divisor))).collect();
    let waits: BTreeMap<&str, bool> =
        short.iter().map(|(field, it)| (*field, *it <= LONGEST_WAIT_SECONDS)).collect();
    minijinja::Value::from(minijinja::value::Serde(json!({
        "path": object.path,
        "mount": object.mount(),
        "name": object.name(),
        "place": spec.sources.describe(object.place),
        "issues": row.issues.map(|it| object.at(it)),
        "policies": policies(spec, object).join(","),
        "used_by": used_by(spec, object),
        "server": server(object, ground).ok().flatten(),
        "has_sessions": has_sessions(spec, object),
        "is_aws": object.kind.docs == "secret/aws",
        "versioned": object.kind.docs == "secret/kv/kv-v2",
        "has_data": secret_of(spec, object),
        "deletable": is_deletable(spec, object),
        "more": names::more(spec, object),
        "live": live(object),
        "said": said,
        "life": life,
        "short": short,
        "waits": waits,
    })))
}

/// What is asked for how long its logins live: the role itself, or what its engine says of all of them.
fn lived_by(spec: &Spec, object: Arc<Object>) -> Arc<Object> {
    match aws::makes_users(&object) || kind(&object) == ("secret/rabbitmq", "roles") {
        true => {
            let path = object.at("{mount}/config/lease");
            spec.objects.iter().find(|it| it.path == path).cloned().unwrap_or(object)
        }
        false => object,
    }
}

/// In the one way to write it, under the newest names.
fn said(object: &Object) -> vault_model::Body {
    let one = |(name, value): (&String, &Value)| {
        let row = object.row(name).filter(|_| !object.is_secret(name))?;
        let value = row.shape.canonical(value)?;
        Some((row.renamed.unwrap_or(row.name).to_owned(), value))
    };
    object.said.iter().filter_map(one).collect()
}

/// Of the tokens that it gives; `default` is among them unless the spec says otherwise.
pub fn policies(spec: &Spec, object: &Object) -> Vec<String> {
    let fields = ["token_policies", "policies", "allowed_policies"];
    let method = ldap::or_method(spec, object);
    let named = fields.iter().flat_map(|it| method.texts(it)).map(str::to_lowercase);
    let mut policies: Vec<String> = named.collect();
    policies.extend(directory::policies(object, identity::objects(spec)));
    let object = method;
    let is_true = |name: &str| object.said.get(name) == Some(&json!(true));
    let is_refused = object.texts("disallowed_policies").contains(&"default");
    let has_default = !is_true("token_no_default_policy") && !is_refused;
    let is_role_without = kind(object).0 == "auth/token" && policies.is_empty();
    if has_default && !is_role_without && !policies.iter().any(|it| it == "root") {
        policies.push("default".to_owned());
    }
    policies
}

/// What issues logins through a connection, as many as are asked for: a library lends one account at a time.
fn used_by(spec: &Spec, connection: &Object) -> Vec<String> {
    let is_of = |it: &Object| {
        let name = it.said.get("db_name").and_then(Value::as_str);
        // Engines that are not for databases have one.
        it.mount() == connection.mount() && name.is_none_or(|it| it == connection.name())
    };
    let issues = |row: &Row| {
        let template = row.issues?;
        let object = spec.objects.iter().find(|it| row.is_of(it) && is_of(it))?;
        Some(object.at(template))
    };
    ROWS.iter().filter(|it| it.template != "library_sets").filter_map(issues).collect()
}

fn is_deletable(spec: &Spec, key: &Object) -> bool {
    let config = spec.object(&key.at("{mount}/keys/{name}/config"));
    config.is_some_and(|it| it.said.get("deletion_allowed") == Some(&json!(true)))
}
