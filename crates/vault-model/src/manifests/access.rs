//! What the policies of a role let its tokens do, as far as the spec tells.

use crate::{
    lint::{DEFAULT_POLICY, policy_names},
    object::Object,
    policy::{self, Operation, Outcome, Policy},
    source::Mistake,
};

use super::Known;

pub(super) struct Access<'a> {
    policies: Vec<(&'a str, Policy)>,
    texts: Vec<&'a Object>,
    /// One of them is not in the spec: more may be granted or denied than is known.
    has_unknown: bool,
}

impl<'a> Access<'a> {
    pub fn of(known: &Known<'a>, role: &'a Object) -> Access<'a> {
        let mut access = Access { policies: Vec::new(), texts: Vec::new(), has_unknown: false };
        for name in policy_names(role) {
            let object = known.object(&format!("sys/policies/acl/{name}"));
            let text = object.and_then(|it| it.said.get("policy")?.as_str());
            match (object, text.map(policy::parse), &*name) {
                (Some(object), Some(Ok(policy)), _) => {
                    access.policies.push((object.name(), policy));
                    access.texts.push(object);
                }
                (None, _, "default") => access.policies.push(("default", DEFAULT_POLICY.clone())),
                _ => access.has_unknown = true,
            }
        }
        access
    }

    /// The mistake of not being allowed to do it, as a message of the one who asks.
    pub fn refusal(
        &self,
        known: &Known<'_>,
        operation: Operation,
        path: &str,
    ) -> Option<impl FnOnce(Mistake) -> Mistake> {
        let policies: Vec<(&str, &Policy)> =
            self.policies.iter().map(|(name, it)| (*name, it)).collect();
        let verdict = policy::may(&policies, operation, path);
        if verdict.outcome != Outcome::Refused || self.has_unknown {
            return None;
        }
        let help = match verdict.rules.is_empty() {
            true => format!(
                "no rule of `{}` speaks of it: add `path \"{path}\" {{ capabilities = [\"{}\"] }}`",
                policies.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("`, `"),
                operation.name(),
            ),
            false if verdict.permissions.is_deny() => "take the `deny` out of the rule".to_owned(),
            false => format!("add \"{}\" to the rule", operation.name()),
        };
        let also: Vec<_> = verdict
            .rules
            .iter()
            .filter_map(|it| {
                let object = self.texts.iter().find(|object| object.name() == it.policy)?;
                let text = object.said.get("policy")?.as_str()?;
                let range = it.rule.range.clone();
                let range = range.start
                    ..text[..range.end]
                        .find('\n')
                        .filter(|at| *at > range.start)
                        .unwrap_or(range.end);
                let place =
                    known.sources.within(object.field_place("policy"), text, range.start, range);
                Some((place, format!("policy `{}` decides by this rule", it.policy)))
            })
            .collect();
        Some(move |mistake: Mistake| {
            also.into_iter().fold(mistake.help(help), |it, (place, note)| it.also(place, note))
        })
    }
}
