//! Which rule decides about a path, and how.

use std::collections::HashMap;
use std::fmt;

use super::{Capabilities, Capability, Operation, Pattern, PatternKind, Permissions, Policy, Rule};

/// Policies made ready to answer for one token.
#[derive(Clone, Debug)]
pub struct Acl<'a> {
    is_root: bool,
    exact: HashMap<&'a str, Joined<'a>>,
    wildcards: Vec<Joined<'a>>,
    templated: Vec<RuleRef<'a>>,
}

/// What `sys/capabilities` answers, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<'a> {
    /// For a token whose templates are filled in with nothing: only a rule with the same template matches.
    pub capabilities: Capabilities,
    /// All rules for the path that decided, in the order of the policies; none where nothing matches.
    pub rules: Vec<RuleRef<'a>>,
    /// Rules with templates that may change the answer, by what the server fills in.
    pub depends_on: Vec<RuleRef<'a>>,
}

/// Whether an operation is allowed, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict<'a> {
    pub outcome: Outcome,
    /// Those that grant or deny it, or lack it; those with templates where it depends on them. None where none matches.
    pub rules: Vec<RuleRef<'a>>,
    /// What the deciding rules say together: an allowed operation may still need parameters or wrapping.
    pub permissions: Permissions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    Refused,
    /// On what the server fills in for the templates of rules.
    Depends,
}

/// A rule and where it stands.
#[derive(Clone, Copy)]
pub struct RuleRef<'a> {
    pub policy: &'a str,
    /// Which of the policy's rules.
    pub index: usize,
    pub rule: &'a Rule,
}

/// All rules for one path.
#[derive(Clone, Debug)]
struct Joined<'a> {
    path: &'a Pattern,
    permissions: Permissions,
    rules: Vec<RuleRef<'a>>,
}

/// What a token with these policies gets from `sys/capabilities`.
pub fn capabilities<'a>(policies: &[(&'a str, &'a Policy)], path: &str) -> Answer<'a> {
    Acl::new(policies).capabilities(path)
}

/// Whether a token with these policies may do this.
pub fn may<'a>(
    policies: &[(&'a str, &'a Policy)],
    operation: Operation,
    path: &str,
) -> Verdict<'a> {
    Acl::new(policies).may(operation, path)
}

impl<'a> Acl<'a> {
    /// Each policy with the name that it has in Vault: `root` needs no rules.
    pub fn new(policies: &[(&'a str, &'a Policy)]) -> Acl<'a> {
        let mut acl = Acl {
            is_root: policies.iter().any(|(name, _)| *name == "root"),
            exact: HashMap::new(),
            wildcards: Vec::new(),
            templated: Vec::new(),
        };
        let mut places: HashMap<&'a str, usize> = HashMap::new();
        for (policy, rules) in policies.iter().map(|(name, policy)| (*name, &policy.rules)) {
            for (index, rule) in rules.iter().enumerate() {
                acl.add(RuleRef { policy, index, rule }, &mut places);
            }
        }
        acl
    }

    pub fn capabilities(&self, path: &str) -> Answer<'a> {
        if self.is_root {
            return Answer {
                capabilities: Capabilities::only(Capability::Root),
                rules: vec![],
                depends_on: vec![],
            };
        }
        let path = path.trim_start_matches('/');
        let decider = self.decider(path, true);
        Answer {
            capabilities: answered(&decider.map(|it| it.permissions.clone()).unwrap_or_default()),
            rules: decider.map(|it| it.rules.clone()).unwrap_or_default(),
            depends_on: self.undecided(path, true, decider, answered),
        }
    }

    pub fn may(&self, operation: Operation, path: &str) -> Verdict<'a> {
        if self.is_root {
            let capabilities = Capabilities::only(Capability::Root);
            let permissions = Permissions { capabilities, ..Permissions::default() };
            return Verdict { outcome: Outcome::Allowed, rules: vec![], permissions };
        }
        let mut path = path.trim_start_matches('/').to_string();
        let lists = operation.ends_in_slash();
        if lists && !path.ends_with('/') {
            path.push('/');
        }
        let decider = self.decider(&path, lists);
        let permissions = decider.map(|it| it.permissions.clone()).unwrap_or_default();
        let undecided = self.undecided(&path, lists, decider, |it| it.grants(operation));
        if !undecided.is_empty() {
            return Verdict { outcome: Outcome::Depends, rules: undecided, permissions };
        }
        let outcome =
            if permissions.grants(operation) { Outcome::Allowed } else { Outcome::Refused };
        let rules = decider.map(|it| it.speaking(operation)).unwrap_or_default();
        Verdict { outcome, rules, permissions }
    }

    fn add(&mut self, rule: RuleRef<'a>, places: &mut HashMap<&'a str, usize>) {
        let path = &rule.rule.path;
        if path.is_templated() {
            self.templated.push(rule);
        }
        let fresh =
            || Joined { path, permissions: rule.rule.permissions.clone(), rules: vec![rule] };
        if path.kind() == PatternKind::Exact {
            let joined = self.exact.entry(path.as_str());
            joined.and_modify(|it| it.join(rule)).or_insert_with(fresh);
            return;
        }
        let place = *places.entry(path.as_str()).or_insert(self.wildcards.len());
        match self.wildcards.get_mut(place) {
            Some(joined) => joined.join(rule),
            None => self.wildcards.push(fresh()),
        }
    }

    /// Lists look at the path without its slash as well, and at that first where wildcards are concerned.
    fn decider(&self, path: &str, lists: bool) -> Option<&Joined<'a>> {
        let without_slash = path.strip_suffix('/').filter(|_| lists);
        self.exact
            .get(path)
            .or_else(|| self.exact.get(without_slash?))
            .or_else(|| self.wildcard(without_slash?))
            .or_else(|| self.wildcard(path))
    }

    fn wildcard(&self, path: &str) -> Option<&Joined<'a>> {
        self.wildcards
            .iter()
            .filter(|it| it.path.matches(path))
            .max_by(|a, b| a.path.rank().cmp(&b.path.rank()))
    }

    /// Rules with templates that may come to match `path` and then change what `ask` says of the permissions.
    fn undecided<T: PartialEq>(
        &self,
        path: &str,
        lists: bool,
        decider: Option<&Joined<'a>>,
        ask: impl Fn(&Permissions) -> T,
    ) -> Vec<RuleRef<'a>> {
        let now = decider.map(|it| it.permissions.clone()).unwrap_or_default();
        let is_exact = decider.is_some_and(|it| it.path.kind() == PatternKind::Exact);
        let changes = |rule: &Rule| {
            let mut joined = now.clone();
            joined.join(&rule.permissions);
            let replaces = !is_exact && ask(&rule.permissions) != ask(&now);
            let joins = decider.is_none_or(|it| it.path.kind() == rule.path.kind());
            replaces || joins && ask(&joined) != ask(&now)
        };
        let comes_to_match = |rule: &Rule| {
            let pattern = &rule.path;
            let without_slash = path.strip_suffix('/').filter(|_| lists);
            let literally =
                pattern.matches(path) || without_slash.is_some_and(|it| pattern.matches(it));
            !literally
                && (pattern.could_match(path)
                    || without_slash.is_some_and(|it| pattern.could_match(it)))
        };
        self.templated
            .iter()
            .filter(|it| comes_to_match(it.rule) && changes(it.rule))
            .copied()
            .collect()
    }
}

impl<'a> Joined<'a> {
    fn join(&mut self, rule: RuleRef<'a>) {
        self.permissions.join(&rule.rule.permissions);
        self.rules.push(rule);
    }

    /// Those that deny; else those that grant it; else all.
    fn speaking(&self, operation: Operation) -> Vec<RuleRef<'a>> {
        let only = |wanted: &dyn Fn(&Permissions) -> bool| -> Vec<RuleRef<'a>> {
            self.rules.iter().filter(|it| wanted(&it.rule.permissions)).copied().collect()
        };
        let denying = only(&|it| it.is_deny());
        let granting = only(&|it| it.grants(operation));
        match (denying.is_empty(), granting.is_empty()) {
            (false, _) => denying,
            (true, false) => granting,
            (true, true) => self.rules.clone(),
        }
    }
}

/// Vault says `deny` for nothing.
fn answered(permissions: &Permissions) -> Capabilities {
    match permissions.capabilities.is_empty() {
        true => Capabilities::only(Capability::Deny),
        false => permissions.capabilities,
    }
}

impl Verdict<'_> {
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }
}

impl PartialEq for RuleRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.policy, self.index) == (other.policy, other.index)
            && std::ptr::eq(self.rule, other.rule)
    }
}

impl fmt::Debug for RuleRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `policy "app", rule 2, "secret/*"`, counted from 1.
impl fmt::Display for RuleRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy \"{}\", rule {}, \"{}\"", self.policy, self.index + 1, self.rule.path)
    }
}
