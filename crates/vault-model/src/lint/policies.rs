//! Policies that Vault refuses, or takes and understands otherwise than they are meant.

use crate::{
    claim::Subject,
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

/// Rules below mounts that the spec doesn't have, if it has mounts at all.
pub fn unknown_mounts(seen: &Seen<'_>) -> Vec<Mistake> {
    let mounts: Vec<&str> = seen.mounts().map(|(path, _)| path).collect();
    let has = |is_auth: bool| mounts.iter().any(|it| it.starts_with("auth/") == is_auth);
    let (has_auth, has_secrets) = (has(true), has(false));
    if !seen.is_complete || !(has_auth || has_secrets) {
        return Vec::new();
    }
    let mut mistakes = Vec::new();
    for (policy, rule) in rules(seen) {
        let path = rule.path.as_str();
        let known = path.find(['*', '+', '{']).map_or(path, |at| &path[..at]);
        let has_some = if known.starts_with("auth/") { has_auth } else { has_secrets };
        let raw = seen.objects.iter().filter(|it| it.kind.section == "paths");
        let raw = raw.filter_map(|it| it.path.split('/').next());
        let mut all = mounts.iter().chain(BUILT_IN).copied().chain(raw);
        if has_some && !known.is_empty() && !all.any(|it| may_lie_in(known, it)) {
            let place = policy.place(seen.sources, &rule.path_range);
            let first = path.split('/').next().unwrap_or_default();
            let mistake = Mistake::error(place, format!("`{path}` lies in no mount of the spec"));
            let near = nearest(first, mounts.iter().copied());
            mistakes.push(match near {
                Some(near) => mistake.help(format!("did you mean `{near}`?")),
                None => mistake,
            });
        }
    }
    mistakes
}

/// `known` is the path as far as it holds no wildcard.
fn may_lie_in(known: &str, mount: &str) -> bool {
    match known.strip_prefix(mount) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => format!("{mount}/").starts_with(known),
    }
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
