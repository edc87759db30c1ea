//! What the policies of a login grant, path by path, and what lies beside it.

use std::collections::BTreeSet;

use serde_json::Value;
use vault_model::{
    identity::Person,
    object::Object,
    policy::{Acl, Capability, Operation, Outcome, Pattern, PatternKind, Policy, parse},
    spec::Spec,
};

use super::{Objects, facts::policies};

/// Operation and path.
type Rows = Vec<(&'static str, String)>;

#[derive(Default)]
pub struct Grants {
    pub may: Rows,
    pub may_not: Rows,
    pub unproven: Vec<String>,
}

/// Stands for any text that a pattern leaves open.
const ANY: &str = "vaultwright-proof";

/// Of a role's own policies, and of those of whoever logs in.
pub fn grants(spec: &Spec, login: &Object, person: Option<&Person<'_>>) -> Grants {
    let mut grants = Grants::default();
    let mut read: Vec<(String, Policy)> = Vec::new();
    let names = policies(login).into_iter().filter(|it| it != "default");
    for name in names.chain(person.into_iter().flat_map(Person::policies)) {
        let text = spec.object(&format!("sys/policies/acl/{name}"));
        let text = text.and_then(|it| it.said.get("policy")).and_then(Value::as_str);
        let text = text.map(|it| person.map_or(it.to_owned(), |person| person.filled(it)));
        match text.and_then(|it| parse(&it).ok()) {
            Some(policy) => read.push((name, policy)),
            None => grants.unproven.push(format!("the policy {name} is not in the spec")),
        }
    }
    if !grants.unproven.is_empty() {
        // What lies beside a policy may be granted by one that nobody sees here.
        return grants;
    }
    let named: Vec<(&str, &Policy)> = read.iter().map(|(name, it)| (name.as_str(), it)).collect();
    let acl = Acl::new(&named);
    let rules = read.iter().flat_map(|(_, it)| &it.rules);
    let patterns: BTreeSet<&Pattern> = rules.map(|it| &it.path).collect();
    for pattern in patterns {
        if pattern.is_templated() {
            let reason = format!("what `{}` is depends on who logs in", pattern.as_str());
            grants.unproven.push(reason);
            continue;
        }
        let path = some_path(pattern);
        grants.of_path(&acl, &path);
        grants.beside(&acl, beside(pattern));
    }
    grants.may_not.sort();
    grants.may_not.dedup();
    grants
}

impl Grants {
    fn of_path(&mut self, acl: &Acl<'_>, path: &str) {
        let granted = acl.capabilities(path).capabilities;
        for capability in VERBS {
            if granted.contains(*capability) {
                self.may.push((capability.name(), path.to_owned()));
            }
        }
        if granted.contains(Capability::Deny) {
            self.may_not.push((Capability::Read.name(), path.to_owned()));
        }
    }

    fn beside(&mut self, acl: &Acl<'_>, path: String) {
        for (capability, operation) in
            [(Capability::Read, Operation::Read), (Capability::Update, Operation::Update)]
        {
            if acl.may(operation, &path).outcome == Outcome::Refused {
                self.may_not.push((capability.name(), path.clone()));
            }
        }
    }
}

const VERBS: &[Capability] = &[
    Capability::Create,
    Capability::Read,
    Capability::Update,
    Capability::Patch,
    Capability::Delete,
    Capability::List,
    Capability::Sudo,
];

/// One of the paths that it matches.
fn some_path(pattern: &Pattern) -> String {
    let stem = pattern.stem();
    let filled: Vec<&str> = stem.split('/').map(|it| if it == "+" { ANY } else { it }).collect();
    let filled = filled.join("/");
    match pattern.kind() {
        PatternKind::Exact => filled,
        _ if stem.len() < pattern.as_str().len() => filled + ANY,
        _ => filled,
    }
}

/// A path next to those that it matches: a brother of what it names.
fn beside(pattern: &Pattern) -> String {
    let path = some_path(pattern);
    let path = path.trim_end_matches('/');
    match (pattern.kind(), path.rsplit_once('/')) {
        (PatternKind::Exact, _) => format!("{path}-beside"),
        (_, Some((folder, last))) => format!("{folder}-beside/{last}"),
        (_, None) => format!("beside-{path}"),
    }
}
