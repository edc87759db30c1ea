//! Every kind there is. To add an engine: a file here, and its name twice below.

mod approle;
mod aws;
mod cert;
mod database;
mod database_plugins;
mod identity;
mod jwt;
mod kubernetes;
mod kv;
mod ldap;
mod ldap_auth;
mod mount;
mod oidc;
mod pki;
mod rabbitmq;
mod raw;
mod ssh;
mod sys;
mod token;
mod totp;
mod transit;
mod userpass;

use serde_json::Value;

use crate::{
    Body,
    kind::{Engine, Kind},
    object::Object,
};

pub use mount::{AUTH, SECRETS};
pub use raw::RAW;

pub const ENGINES: &[&Engine] = &[
    &aws::ENGINE,
    &database::ENGINE,
    &identity::ENGINE,
    &kv::VERSION_1,
    &kv::VERSION_2,
    &ldap::ENGINE,
    &pki::ENGINE,
    &rabbitmq::ENGINE,
    &ssh::ENGINE,
    &sys::ENGINE,
    &totp::ENGINE,
    &transit::ENGINE,
];

/// Auth methods. Some have the name of a secrets engine.
pub const METHODS: &[&Engine] = &[
    &approle::ENGINE,
    &cert::ENGINE,
    &jwt::ENGINE,
    &jwt::OIDC,
    &kubernetes::ENGINE,
    &ldap_auth::ENGINE,
    &token::ENGINE,
    &userpass::ENGINE,
];

/// The engine of a mount of this `type`, with the mount's `options.version`.
pub fn engine(name: &str, version: Option<&str>) -> Option<&'static Engine> {
    let name = match (name, version) {
        ("kv" | "generic", Some("2")) => "kv-v2",
        ("kv-v1" | "generic", _) => "kv",
        _ => name,
    };
    ENGINES.iter().copied().find(|it| it.name == name)
}

/// The auth method of this `type`.
pub fn method(name: &str) -> Option<&'static Engine> {
    METHODS.iter().copied().find(|it| it.name == name)
}

/// Whether `path` is in every Vault, which never deletes it.
pub fn is_built_in(path: &str) -> bool {
    matches!(
        path,
        "sys/auth/token"
            | "sys/mounts/sys"
            | "sys/mounts/identity"
            | "sys/mounts/cubbyhole"
            | "sys/policies/acl/default"
            | "identity/oidc/assignment/allow_all"
            | "identity/oidc/key/default"
            | "identity/oidc/provider/default"
    )
}

/// Whether deleting `object` deletes what nobody can make again: a mount that bears data, going by what is there, or
/// what lies in one.
pub fn bears_data(object: &Object, there: Option<&Body>) -> bool {
    if object.kind.section != SECRETS.section {
        let is_its =
            |kind: &Kind| (kind.section, kind.path) == (object.kind.section, object.kind.path);
        let of_kind = all().find(|(_, kind)| is_its(kind));
        return of_kind.is_some_and(|(engine, _)| engine.bears_data);
    }
    let text = |key: &str| {
        there.and_then(|it| it.get(key)).or_else(|| object.said.get(key)).and_then(Value::as_str)
    };
    // What is not known may be precious.
    text("type").and_then(|it| engine(it, None)).is_none_or(|it| it.bears_data)
}

pub fn all() -> impl Iterator<Item = (&'static Engine, &'static Kind)> {
    let engines = ENGINES.iter().chain(METHODS);
    engines.flat_map(|engine| engine.kinds.iter().map(move |kind| (*engine, kind)))
}

/// `body` with those of `fields` that it leaves out as they are: else the write would reset them.
fn keep<'a>(
    fields: impl IntoIterator<Item = &'a str>,
    mut body: Body,
    live: Option<&Body>,
) -> Body {
    for field in fields {
        if let (Some(value), false) = (live.and_then(|it| it.get(field)), body.contains_key(field))
        {
            body.insert(field.to_owned(), value.clone());
        }
    }
    body
}
