//! What the policies of a login grant, path by path, and what lies beside it.

use std::collections::BTreeSet;

use serde_json::Value;
use vault_model::{
    directory,
    identity::Person,
    object::Object,
    policy::{Acl, Capability, Operation, Outcome, Pattern, PatternKind, Policy, parse},
    spec::Spec,
};

use super::{Objects, facts::policies, identity};

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
    let own = policies(spec, login).into_iter().filter(|it| it != "default");
    let own = own.chain(person.into_iter().flat_map(Person::policies));
    let own = grants.parsed(spec, person, own);
    let possible =
        grants.parsed(spec, person, directory::possible_policies(login, identity::objects(spec)));
    if !grants.unproven.is_empty() {
        // What lies beside a policy may be granted by one that nobody sees here.
        return grants;
    }
    let own: Vec<(&str, &Policy)> = own.iter().map(|(name, it)| (&**name, it)).collect();
    let mut all = own.clone();
    all.extend(possible.iter().map(|(name, it)| (&**name, it)));
    let (least, most) = (Acl::new(&own), Acl::new(&all));
    let rules = own.iter().flat_map(|(_, it)| &it.rules);
    let patterns: BTreeSet<&Pattern> = rules.map(|it| &it.path).collect();
    for pattern in patterns {
        if pattern.is_templated() {
            let reason = format!("what `{}` is depends on who logs in", pattern.as_str());
            grants.unproven.push(reason);
            continue;
        }
        grants.of_path(&least, &most, &some_path(pattern));
        grants.beside(&most, beside(pattern));
    }
    grants.may_not.sort();
    grants.may_not.dedup();
    grants
}

impl Grants {
    fn parsed(
        &mut self,
        spec: &Spec,
        person: Option<&Person<'_>>,
        names: impl IntoIterator<Item = String>,
    ) -> Vec<(String, Policy)> {
        let mut read = Vec::new();
        for name in names {
            let text = spec.object(&format!("sys/policies/acl/{name}"));
            let text = text.and_then(|it| it.said.get("policy")).and_then(Value::as_str);
            let text = text.map(|it| person.map_or(it.to_owned(), |person| person.filled(it)));
            match text.and_then(|it| parse(&it).ok()) {
                Some(policy) => read.push((name, policy)),
                None => self.unproven.push(format!("the policy {name} is not in the spec")),
            }
        }
        read
    }

    /// Granted by the least that somebody has, and still by the most that they may have.
    fn of_path(&mut self, least: &Acl<'_>, most: &Acl<'_>, path: &str) {
        let granted = least.capabilities(path).capabilities;
        let at_most = most.capabilities(path).capabilities;
        for capability in VERBS {
            if granted.contains(*capability) && at_most.contains(*capability) {
                self.may.push((capability.name(), path.to_owned()));
            }
        }
        if at_most.contains(Capability::Deny) {
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
