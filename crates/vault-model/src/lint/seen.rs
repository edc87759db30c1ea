//! A spec as lints look at it.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use crate::{
    claim::Claim,
    delivery::Delivery,
    duration, kinds,
    node::Node,
    object::Object,
    policy::{self, Policy, PolicyMistake},
    source::{Place, Sources},
    vars::Declared,
};

pub struct Seen<'a> {
    /// The tree, rendered; `vars` taken out.
    pub root: &'a Node,
    pub declared: &'a [Declared],
    pub objects: &'a [Object],
    pub claims: &'a [Claim],
    pub deliveries: &'a [Delivery],
    pub sources: &'a Sources,
    /// The SQL that the databases of its ground begin with.
    pub init: &'a [String],
    /// Nothing of it was too wrong to be read: what isn't there isn't meant to be.
    pub is_complete: bool,
    pub policies: Vec<PolicyText<'a>>,
    by_path: HashMap<&'a str, &'a Object>,
    /// By mount: `database`, `auth/approle`.
    mounts: BTreeMap<&'a str, Mount<'a>>,
}

pub struct Mount<'a> {
    pub object: &'a Object,
    /// As `kinds` calls it; of an engine that it doesn't know, its `type`.
    pub engine: &'a str,
}

/// An ACL policy of the spec.
pub struct PolicyText<'a> {
    pub object: &'a Object,
    pub text: &'a str,
    pub read: Result<Policy, Vec<PolicyMistake>>,
}

/// What a spec was read into.
pub struct Parts<'a> {
    pub root: &'a Node,
    pub declared: &'a [Declared],
    pub objects: &'a [Object],
    pub claims: &'a [Claim],
    pub deliveries: &'a [Delivery],
    pub sources: &'a Sources,
    pub init: &'a [String],
    pub is_complete: bool,
}

impl<'a> Seen<'a> {
    pub fn new(parts: Parts<'a>) -> Seen<'a> {
        let Parts { root, declared, objects, claims, deliveries, sources, init, is_complete } =
            parts;
        let by_path = objects.iter().map(|it| (it.path.as_str(), it)).collect();
        let policies = objects.par_iter().filter_map(policy_text).collect();
        let mounts = objects.iter().filter_map(mount).collect();
        Seen {
            root,
            declared,
            objects,
            claims,
            deliveries,
            sources,
            init,
            is_complete,
            policies,
            by_path,
            mounts,
        }
    }

    pub fn object(&self, path: &str) -> Option<&'a Object> {
        self.by_path.get(path).copied()
    }

    pub fn mounts(&self) -> impl Iterator<Item = (&'a str, &Mount<'a>)> {
        self.mounts.iter().map(|(path, it)| (*path, it))
    }

    /// The mount of the spec that `path` lies in, and the rest of the path.
    pub fn mount_of<'p>(&self, path: &'p str) -> Option<(&'a str, &Mount<'a>, &'p str)> {
        path.rmatch_indices('/').find_map(|(at, _)| {
            let (mount, it) = self.mounts.get_key_value(&path[..at])?;
            Some((*mount, it, &path[at + 1..]))
        })
    }

    pub fn engine_of(&self, object: &Object) -> &str {
        self.mounts.get(object.mount()).map_or_else(
            || if object.path.starts_with("sys/policies/") { "sys" } else { "" },
            |it| it.engine,
        )
    }

    /// All objects of one kind.
    pub fn of(&self, engine: &str, section: &str) -> impl Iterator<Item = &'a Object> {
        let here = move |it: &&Object| it.kind.section == section && self.engine_of(it) == engine;
        self.objects.iter().filter(here)
    }

    /// The role that issues what `path` answers: `roles/app` of `creds/app`.
    pub fn issuer(&self, path: &str) -> Option<Result<&'a Object, String>> {
        let (mount, it, rest) = self.mount_of(path)?;
        let roles = match (it.engine, rest.split_once('/')?) {
            ("database", ("creds", name)) => format!("{mount}/roles/{name}"),
            ("database", ("static-creds", name)) => format!("{mount}/static-roles/{name}"),
            ("aws", ("creds" | "sts", name)) => format!("{mount}/roles/{name}"),
            _ => return None,
        };
        Some(self.object(&roles).ok_or(roles))
    }

    /// The connection of a database role.
    pub fn connection(&self, role: &Object) -> Option<&'a Object> {
        let name = role.said.get("db_name")?.as_str()?;
        self.object(&format!("{}/config/{name}", role.mount()))
    }

    /// Where `needle` stands in what was said at `place`; else all of it.
    pub fn place_of(&self, place: Place, needle: &str) -> Place {
        let Some(said) = self.sources.text(place) else { return place };
        match said.find(needle) {
            Some(at) if !needle.is_empty() => {
                self.sources.within(place, said, at, at..at + needle.len())
            }
            _ => place,
        }
    }
}

impl PolicyText<'_> {
    /// The place of some bytes of the text.
    pub fn place(&self, sources: &Sources, range: &std::ops::Range<usize>) -> Place {
        sources.within(self.object.field_place("policy"), self.text, range.start, range.clone())
    }
}

/// How long the field `name` says that something lives, and where; also under an older name. 0 says nothing.
pub fn life(object: &Object, name: &str) -> Option<(i64, Place)> {
    let old = object.kind.fields_of(object.variant()).filter(|it| it.renamed == Some(name));
    std::iter::once(name).chain(old.map(|it| it.name)).find_map(|name| {
        let mut value = object.said.get(name.split('.').next()?)?;
        for key in name.split('.').skip(1) {
            value = value.get(key)?;
        }
        let seconds = duration::seconds(value).filter(|it| *it > 0)?;
        Some((seconds, object.field_place(name)))
    })
}

fn policy_text(object: &Object) -> Option<PolicyText<'_>> {
    let text = object.said.get("policy")?.as_str()?;
    let is_policy = object.path.starts_with("sys/policies/acl/") && !text.contains("${sys");
    is_policy.then(|| PolicyText { object, text, read: policy::parse(text) })
}

/// What an object mounts, and where.
pub fn mount(object: &Object) -> Option<(&str, Mount<'_>)> {
    let (path, is_auth) = match object.path.strip_prefix("sys/mounts/") {
        Some(_) => (object.name(), false),
        None => (object.path.strip_prefix("sys/")?, true),
    };
    if is_auth && !path.starts_with("auth/") {
        return None;
    }
    let kind = object.said.get("type")?.as_str()?;
    let version = object.said.get("options").and_then(|it| it.get("version"));
    let version = version.map(|it| it.as_str().map_or(it.to_string(), str::to_owned));
    let known = if is_auth { kinds::method(kind) } else { kinds::engine(kind, version.as_deref()) };
    Some((path, Mount { object, engine: known.map_or(kind, |it| it.name) }))
}
