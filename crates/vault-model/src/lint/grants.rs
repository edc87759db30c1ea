//! What the policies of a login grant, held against what the spec claims and what its deliveries do.

use std::sync::LazyLock;

use crate::{
    claim::{self, Subject, Verb},
    directory,
    identity::Person,
    object::Object,
    policy::{self, Operation, Outcome, Policy, RuleRef, Verdict},
    source::Mistake,
};

use super::{Seen, seen::PolicyText};

/// What everybody has who is not without it.
pub static DEFAULT_POLICY: LazyLock<Policy> = LazyLock::new(policy::default_policy);

/// The policies of whoever logs in by a role.
struct Login<'s> {
    policies: Vec<(&'s str, &'s Policy)>,
    texts: Vec<&'s PolicyText<'s>>,
    /// Some aren't in the spec, so that more may be granted or denied than is known.
    has_unknown: bool,
}

impl<'s> Login<'s> {
    /// `None` if the spec doesn't describe the role.
    fn new(seen: &'s Seen<'s>, path: &str) -> Option<Login<'s>> {
        let role = seen.object(path)?;
        let mut login = Login { policies: Vec::new(), texts: Vec::new(), has_unknown: false };
        let objects = seen.objects.iter();
        let person = Person::of_login(role, objects.clone());
        // Who is in which group, only the directory tells.
        login.has_unknown = !directory::possible_policies(role, objects.clone()).is_empty();
        let mut names = names(directory::or_method(role, objects.clone()));
        names.extend(directory::policies(role, objects));
        for name in names.into_iter().chain(person.iter().flat_map(Person::policies)) {
            let here = seen.policies.iter().find(|it| it.object.name() == name);
            match (here, &*name) {
                (Some(PolicyText { object, read: Ok(policy), .. }), _) => {
                    login.policies.push((object.name(), policy));
                    login.texts.extend(here);
                }
                (None, "default") => login.policies.push(("default", &DEFAULT_POLICY)),
                (None, "root") => login.policies.push(("root", &DEFAULT_POLICY)),
                _ => login.has_unknown = true,
            }
        }
        Some(login)
    }

    /// A mistake that also shows the rules that decided, as far as they are the spec's own.
    fn with_rules(&self, seen: &Seen<'_>, mistake: Mistake, verdict: &Verdict<'_>) -> Mistake {
        let note = |it: &RuleRef<'_>| {
            let text = self.texts.iter().find(|text| text.object.name() == it.policy)?;
            let capabilities = it.rule.permissions.capabilities;
            let said = match capabilities.is_empty() {
                true => "nothing".to_owned(),
                false => capabilities.names().join(", "),
            };
            let note = format!("policy `{}` says: {said}", it.policy);
            Some((text.place(seen.sources, &it.rule.range), note))
        };
        let mut places: Vec<_> = verdict.rules.iter().filter_map(note).collect();
        places.iter_mut().for_each(|(place, _)| *place = first_line(seen, *place));
        Mistake { also: [mistake.also, places].concat(), ..mistake }
    }

    fn names(&self) -> String {
        self.policies.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("`, `")
    }
}

/// Underlining many lines says less than one.
fn first_line(seen: &Seen<'_>, place: crate::source::Place) -> crate::source::Place {
    let said = seen.sources.text(place).unwrap_or_default();
    let end = said.find('\n').map_or(place.end, |at| place.start + at as u32);
    crate::source::Place { end, ..place }
}

/// The policies of whoever logs in by a role.
pub fn names(role: &Object) -> Vec<String> {
    let said = ["token_policies", "policies", "allowed_policies"];
    let mut names: Vec<String> =
        said.iter().flat_map(|it| role.texts(it)).map(str::to_lowercase).collect();
    let is_without = role.said.get("token_no_default_policy");
    if !is_without.is_some_and(|it| it == true || it == "true") {
        names.push("default".to_owned());
    }
    names.dedup();
    names
}

/// `may` and `may_not` of every login, as far as policy text can tell.
pub fn claims(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for claim in seen.claims {
        let Subject::Login { path, may, may_not, .. } = &claim.subject else { continue };
        let Some(login) = Login::new(seen, path) else { continue };
        for it in may {
            let verdict = policy::may(&login.policies, operation(it.verb), &it.path);
            if verdict.outcome == Outcome::Refused && !login.has_unknown {
                mistakes.push(missing(seen, &login, it, path, &verdict));
            }
        }
        for it in may_not {
            let verdict = policy::may(&login.policies, operation(it.verb), &it.path);
            if verdict.outcome == Outcome::Allowed {
                let name = it.verb.name();
                let message =
                    format!("{path} may {name} `{}`, and the claim says that it may not", it.path);
                let mistake = Mistake::error(it.place, message);
                let help = "make the rule narrower, or deny this path in a rule of its own";
                mistakes.push(login.with_rules(seen, mistake.help(help), &verdict));
            }
        }
    }
    mistakes
}

fn missing(
    seen: &Seen<'_>,
    login: &Login<'_>,
    claim: &claim::Operation,
    path: &str,
    verdict: &Verdict<'_>,
) -> Mistake {
    let name = claim.verb.name();
    let message = format!("{path} may not {name} `{}`, and the claim says that it may", claim.path);
    let mistake =
        Mistake::error(claim.place, message).help(grant(login, name, &claim.path, verdict));
    login.with_rules(seen, mistake, verdict)
}

fn grant(login: &Login<'_>, capability: &str, path: &str, verdict: &Verdict<'_>) -> String {
    match verdict.rules.is_empty() {
        true => format!(
            "no rule of `{}` speaks of this path: add `path \"{path}\" {{ capabilities = [\"{capability}\"] }}`",
            login.names()
        ),
        false => format!("add \"{capability}\" to the rule"),
    }
}

/// What deliveries do with the policies of their logins.
pub fn deliveries(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for delivery in seen.deliveries {
        let Some(login) = Login::new(seen, &delivery.login) else { continue };
        if login.has_unknown {
            continue;
        }
        let from = (delivery.from_place, delivery.from.clone(), &[Operation::Read][..]);
        let mut needs = vec![from];
        for target in &delivery.to {
            let Some((mount, it, name)) = seen.mount_of(&target.kv) else { continue };
            let path = match it.engine {
                "kv-v2" => format!("{mount}/data/{name}"),
                _ => target.kv.clone(),
            };
            let place = seen.place_of(target.place, &target.kv);
            needs.push((place, path, &[Operation::Create, Operation::Update]));
        }
        for (place, path, operations) in needs {
            let verdicts =
                operations.iter().map(|it| (it, policy::may(&login.policies, *it, &path)));
            let refused: Vec<_> =
                verdicts.filter(|(_, it)| it.outcome == Outcome::Refused).collect();
            let Some((_, verdict)) = refused.first() else { continue };
            let names: Vec<&str> = refused.iter().map(|(it, _)| it.name()).collect();
            let message = format!(
                "the delivery needs to {} `{path}`, and {} may not",
                names.join(" and "),
                delivery.login
            );
            let help = grant(&login, &names.join("\", \""), &path, verdict);
            let mistake = Mistake::error(place, message).help(help);
            mistakes.push(login.with_rules(seen, mistake, verdict));
        }
    }
    mistakes
}

fn operation(verb: Verb) -> Operation {
    match verb {
        Verb::Create => Operation::Create,
        Verb::Read => Operation::Read,
        Verb::Update => Operation::Update,
        Verb::Patch => Operation::Patch,
        Verb::Delete => Operation::Delete,
        Verb::List => Operation::List,
        Verb::Sudo => Operation::Sudo,
    }
}
