//! Policies that Vault refuses, or takes and understands otherwise than they are meant.

use std::collections::BTreeSet;

use crate::{
    claim::{self, Subject},
    nearest::nearest,
    policy::{Pattern, PatternKind, Remark, RemarkKind, Rule, covers},
    source::{Mistake, Place},
};

use super::{Seen, seen::PolicyText};

/// What a KV mount of version 2 answers below its path.
const KV_PARTS: &[&str] =
    &["config", "data", "delete", "destroy", "metadata", "subkeys", "undelete"];

/// Mounts that every Vault has.
const BUILT_IN: &[&str] = &["auth/token", "cubbyhole", "identity", "sys"];

/// Beyond this nobody reads a policy, and every rule is compared with every other.
const MAX_COMPARED: usize = 200;

pub fn syntax(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for policy in &seen.policies {
        for it in policy.read.as_ref().err().into_iter().flatten() {
            let mistake = Mistake::error(policy.place(seen.sources, &it.range), it.message.clone());
            mistakes.push(Mistake { help: it.help.clone(), ..mistake });
        }
    }
    mistakes
}

pub fn kv_without_data(seen: &Seen<'_>) -> Vec<Mistake> {
    let find = |path: &str| {
        let (mount, rest) = in_kv(seen, path)?;
        let (part, _) = rest.split_once('/').unwrap_or((rest, ""));
        let is_right = KV_PARTS.contains(&part) || part.is_empty();
        // A wildcard may stand for the part, and a mount said twice is another mistake.
        if is_right || part.starts_with(['*', '+']) || is_twice(mount, rest) {
            return None;
        }
        let message = format!("`{path}` leaves out `data/`: {mount} is a KV mount of version 2");
        Some((message, format!("write `{mount}/data/{rest}`")))
    };
    let mut mistakes = in_paths(seen, find);
    for (place, path) in kv_targets(seen) {
        if let Some((mount, rest)) = in_kv(seen, path)
            && let Some(bare) = rest.strip_prefix("data/")
        {
            let message = format!("`{path}` names `data/`, which is put in before it is written");
            let mistake = Mistake::error(seen.place_of(place, path), message);
            mistakes.push(mistake.help(format!("write `{mount}/{bare}`")));
        }
    }
    mistakes
}

pub fn mount_twice(seen: &Seen<'_>) -> Vec<Mistake> {
    let find = |path: &str| {
        let (mount, it, rest) = seen.mount_of(path)?;
        if !it.engine.starts_with("kv") || !is_twice(mount, rest) {
            return None;
        }
        let bare = rest.replacen(&format!("{mount}/"), "", 1);
        let is_data = it.engine == "kv" || KV_PARTS.iter().any(|it| bare.starts_with(it));
        let part = if is_data { "" } else { "data/" };
        Some((format!("`{path}` names its mount twice"), format!("write `{mount}/{part}{bare}`")))
    };
    let mut mistakes = in_paths(seen, find);
    for (place, path) in kv_targets(seen) {
        if let Some((message, help)) = find(path) {
            let help = help.replacen("/data/", "/", 1);
            mistakes.push(Mistake::error(seen.place_of(place, path), message).help(help));
        }
    }
    let data = seen.of("kv-v2", "data").chain(seen.of("kv", "data"));
    for object in data.filter(|it| it.name().starts_with(&format!("{}/", it.mount()))) {
        let message = format!("{} names its mount twice", object.path);
        let bare = &object.name()[object.mount().len() + 1..];
        mistakes.push(Mistake::error(object.place, message).help(format!("call it `{bare}`")));
    }
    mistakes
}

/// `secret/app`, and `data/secret/app`.
fn is_twice(mount: &str, rest: &str) -> bool {
    let part = rest.split_once('/').filter(|(it, _)| KV_PARTS.contains(it));
    let bare = part.map_or(rest, |(_, it)| it);
    bare.strip_prefix(mount).is_some_and(|it| it.starts_with('/'))
}

fn in_kv<'p, 'a>(seen: &Seen<'a>, path: &'p str) -> Option<(&'a str, &'p str)> {
    let (mount, it, rest) = seen.mount_of(path)?;
    (it.engine == "kv-v2").then_some((mount, rest))
}

fn kv_targets<'a>(seen: &Seen<'a>) -> Vec<(Place, &'a str)> {
    let targets = seen.deliveries.iter().flat_map(|it| &it.to);
    targets.map(|it| (it.place, it.kv.as_str())).collect()
}

/// What `find` has to say of the paths of rules and of claims: message and help.
fn in_paths(seen: &Seen<'_>, find: impl Fn(&str) -> Option<(String, String)>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (policy, rule) in rules(seen) {
        if let Some((message, help)) = find(rule.path.as_str()) {
            let place = policy.place(seen.sources, &rule.path_range);
            mistakes.push(Mistake::error(place, message).help(help));
        }
    }
    for claim in seen.claims {
        let Subject::Login { may, may_not, .. } = &claim.subject else { continue };
        for operation in may.iter().chain(may_not) {
            if let Some((message, help)) = find(&operation.path) {
                mistakes.push(Mistake::error(operation.place, message).help(help));
            }
        }
    }
    mistakes
}

/// Rules, claims and targets below mounts that the spec doesn't have, if it has mounts at all.
pub fn unknown_mounts(seen: &Seen<'_>) -> Vec<Mistake> {
    let mounts: BTreeSet<&str> = seen.mounts().map(|(path, _)| path).collect();
    if !seen.is_complete || mounts.is_empty() {
        return Vec::new();
    }
    let raw = seen.objects.iter().filter(|it| it.kind.section == "paths");
    let raw = raw.filter_map(|it| it.path.split('/').next());
    let known = mounts.iter().chain(BUILT_IN).copied().chain(raw).collect();
    let in_rules = rules(seen).map(|(policy, rule)| (rule.path.as_str(), Said::Rule(policy, rule)));
    let claimed = seen.claims.iter().flat_map(|it| match &it.subject {
        Subject::Login { may, may_not, .. } => [&may[..], &may_not[..]].concat(),
        Subject::Credential { .. } => Vec::new(),
    });
    let claimed: Vec<claim::Operation> = claimed.collect();
    let in_claims = claimed.iter().map(|it| (it.path.as_str(), Said::At(it.place)));
    let targets = kv_targets(seen);
    let in_targets = targets.iter().map(|(at, path)| (*path, Said::At(seen.place_of(*at, path))));
    let all = in_rules.chain(in_claims).chain(in_targets);
    let unknown = all.filter(|(path, _)| is_unknown(path, &mounts, &known));
    unknown
        .map(|(path, said)| {
            let place = match said {
                Said::Rule(policy, rule) => policy.place(seen.sources, &rule.path_range),
                Said::At(place) => place,
            };
            let mistake = Mistake::error(place, format!("`{path}` lies in no mount of the spec"));
            let first = path.split('/').next().unwrap_or_default();
            match nearest(first, mounts.iter().copied()) {
                Some(near) => mistake.help(format!("did you mean `{near}`?")),
                None => mistake,
            }
        })
        .collect()
}

/// Where a path was said. A rule's place is looked for only if it is needed.
enum Said<'s> {
    Rule(&'s PolicyText<'s>, &'s Rule),
    At(Place),
}

/// A spec that has no auth methods says nothing of those that there are, and so with secrets.
fn is_unknown(path: &str, mounts: &BTreeSet<&str>, known: &BTreeSet<&str>) -> bool {
    let certain = path.find(['*', '+', '{']).map_or(path, |at| &path[..at]);
    let is_auth = certain.starts_with("auth/");
    if certain.is_empty() || !mounts.iter().any(|it| it.starts_with("auth/") == is_auth) {
        return false;
    }
    let mut above = certain.match_indices('/').map(|(at, _)| &certain[..at]);
    let is_in_one = known.contains(certain) || above.any(|it| known.contains(it));
    // The wildcard comes before the mount's name ends.
    let next = known.range(certain..).next();
    !(is_in_one || certain != path && next.is_some_and(|it| it.starts_with(certain)))
}

pub fn duplicate_rules(seen: &Seen<'_>) -> Vec<Mistake> {
    remarks(seen, |it| it == RemarkKind::DuplicatePath)
}

pub fn literal_wildcards(seen: &Seen<'_>) -> Vec<Mistake> {
    remarks(seen, |it| it == RemarkKind::LiteralWildcard)
}

pub fn dead_rules(seen: &Seen<'_>) -> Vec<Mistake> {
    remarks(seen, |it| !matches!(it, RemarkKind::DuplicatePath | RemarkKind::LiteralWildcard))
}

fn remarks(seen: &Seen<'_>, is_meant: impl Fn(RemarkKind) -> bool) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for policy in &seen.policies {
        let all = policy.read.iter().flat_map(|it| &it.remarks);
        for Remark { range, message, help, .. } in all.filter(|it| is_meant(it.kind)) {
            let place = policy.place(seen.sources, range);
            mistakes.push(Mistake::error(place, message.clone()).help(help.clone()));
        }
    }
    mistakes
}

/// Rules that take away what a wider rule of the same policy grants.
pub fn shadowed_rules(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for policy in &seen.policies {
        let Ok(read) = &policy.read else { continue };
        for narrow in read.rules.iter().take(MAX_COMPARED) {
            let wider = read.rules.iter().take(MAX_COMPARED).find(|it| takes_away(narrow, it));
            let Some(wide) = wider else { continue };
            let lost = wide.permissions.capabilities.without(narrow.permissions.capabilities);
            let message = format!(
                "`{}` takes away {}, which `{}` grants",
                narrow.path,
                lost.names().join(", "),
                wide.path
            );
            let place = policy.place(seen.sources, &narrow.path_range);
            let also = policy.place(seen.sources, &wide.path_range);
            mistakes.push(Mistake::error(place, message).also(also, "the wider rule"));
        }
    }
    mistakes
}

fn takes_away(narrow: &Rule, wide: &Rule) -> bool {
    let (less, more) = (&narrow.permissions, &wide.permissions);
    let is_less = !less.is_deny()
        && !less.capabilities.is_empty()
        && !more.is_deny()
        && !more.capabilities.without(less.capabilities).is_empty();
    is_less
        && wide.path != narrow.path
        && wide.path.kind() != PatternKind::Exact
        && covers(wide.path.as_str(), narrow.path.as_str())
}

pub fn wide_rules(seen: &Seen<'_>) -> Vec<Mistake> {
    let is_wide = |it: &Pattern| matches!(it.as_str(), "*" | "+/*");
    let wide = rules(seen).filter(|(_, rule)| is_wide(&rule.path) && !rule.permissions.is_deny());
    wide.map(|(policy, rule)| {
        let message = format!("`{}` grants on every path of Vault", rule.path);
        Mistake::error(policy.place(seen.sources, &rule.path_range), message)
    })
    .collect()
}

fn rules<'s>(seen: &'s Seen<'_>) -> impl Iterator<Item = (&'s PolicyText<'s>, &'s Rule)> {
    seen.policies.iter().flat_map(|policy| {
        policy.read.iter().flat_map(move |it| it.rules.iter().map(move |rule| (policy, rule)))
    })
}
