//! Names that nothing has, and names that should be others.

use crate::{
    claim::Subject,
    kind::Kind,
    kinds,
    nearest::nearest,
    object::{Object, each_reference},
    source::{Mistake, Place},
};

use super::Seen;

const POLICIES: &str = "sys/policies/acl/";
/// Vault has them from the beginning.
const BUILT_IN: &[&str] = &["default", "root"];

/// Types that Vault has by itself, beside those that `kinds` knows.
const OTHER_ENGINES: &[&str] = &[
    "alicloud",
    "azure",
    "consul",
    "gcp",
    "gcpkms",
    "generic",
    "keymgmt",
    "kmip",
    "kubernetes",
    "kv-v1",
    "mongodbatlas",
    "nomad",
    "openldap",
    "terraform",
    "transform",
];
const OTHER_METHODS: &[&str] = &[
    "alicloud", "aws", "azure", "cf", "gcp", "github", "kerberos", "oci", "okta", "radius", "saml",
];

/// Mounts of a type that Vault doesn't have, and almost has.
pub fn misspelt_types(seen: &Seen<'_>) -> Vec<Mistake> {
    let of_mount = seen.mounts().filter_map(|(path, mount)| {
        let (known, others) = match path.starts_with("auth/") {
            true => (kinds::METHODS, OTHER_METHODS),
            false => (kinds::ENGINES, OTHER_ENGINES),
        };
        let names = || known.iter().map(|it| it.name).chain(others.iter().copied());
        let engine = mount.engine;
        if names().any(|it| it == engine) {
            return None;
        }
        let near = nearest(engine, names())?;
        let place = seen.place_of(mount.object.field_place("type"), engine);
        let message = format!("`{engine}` is no type that Vault has by itself");
        Some(Mistake::error(place, message).help(format!("did you mean `{near}`?")))
    });
    of_mount.collect()
}

/// Fields, claims and deliveries that name what the spec's own mounts don't have.
pub fn dangling_names(seen: &Seen<'_>) -> Vec<Mistake> {
    if !seen.is_complete {
        return Vec::new();
    }
    let mut mistakes = Vec::new();
    for object in seen.objects {
        for (field, name, path) in object.named() {
            let is_there = seen.object(&path).is_some() || kinds::is_built_in(&path);
            if path.starts_with("sys/") || is_there {
                continue;
            }
            let place = seen.place_of(object.field_place(field.name), &name);
            let message = format!("`{}` names {path}, which is not described", field.name);
            mistakes.push(with_near(seen, Mistake::error(place, message), &path));
        }
    }
    for (place, path) in said_paths(seen) {
        let missing = match seen.issuer(path) {
            Some(Err(role)) => role,
            None if seen.object(path).is_none() && is_login_of_ours(seen, path) => path.to_owned(),
            _ => continue,
        };
        let message = format!("{missing} is not described");
        let mistake = Mistake::error(seen.place_of(place, path), message);
        mistakes.push(with_near(seen, mistake, &missing));
    }
    mistakes
}

/// The roles and credentials that claims and deliveries speak of.
fn said_paths<'a>(seen: &'a Seen<'_>) -> Vec<(Place, &'a str)> {
    let claimed = seen.claims.iter().map(|it| match &it.subject {
        Subject::Login { path, .. } | Subject::Credential { path, .. } => (it.place, path.as_str()),
    });
    let delivered = seen
        .deliveries
        .iter()
        .flat_map(|it| [(it.from_place, it.from.as_str()), (it.place, it.login.as_str())]);
    claimed.chain(delivered).collect()
}

fn is_login_of_ours(seen: &Seen<'_>, path: &str) -> bool {
    path.starts_with("auth/") && seen.mount_of(path).is_some()
}

fn with_near(seen: &Seen<'_>, mistake: Mistake, path: &str) -> Mistake {
    let Some((folder, name)) = path.rsplit_once('/') else { return mistake };
    let beside = seen.objects.iter().filter_map(|it| it.path.strip_prefix(folder));
    let names: Vec<&str> =
        beside.filter_map(|it| it.strip_prefix('/')).filter(|it| !it.contains('/')).collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => mistake,
        None => mistake.help(format!("there are {}", names.join(", "))),
    }
}

/// `${path#field}` into a mount of the spec, at something that it doesn't describe.
pub fn dangling_references(seen: &Seen<'_>) -> Vec<Mistake> {
    if !seen.is_complete {
        return Vec::new();
    }
    let mut mistakes = Vec::new();
    for object in seen.objects {
        for (name, value) in &object.said {
            each_reference(value, &mut |path, field| {
                if let Some(missing) = missing(seen, path) {
                    let text = format!("${{{path}#{field}}}");
                    let place = seen.place_of(object.field_place(name), &text);
                    let message = format!("{missing} is not described");
                    mistakes.push(with_near(seen, Mistake::error(place, message), &missing));
                }
            });
        }
    }
    mistakes
}

/// The object of the spec's own mount that should be there for `path` to be read.
fn missing(seen: &Seen<'_>, path: &str) -> Option<String> {
    if let Some(issuer) = seen.issuer(path) {
        return issuer.err();
    }
    let (mount, it, _) = seen.mount_of(path)?;
    // What lies in a mount that bears data may have been written by anybody.
    let engine = match mount.starts_with("auth/") {
        true => crate::kinds::method(it.engine),
        false => crate::kinds::engine(it.engine, None),
    };
    let engine = engine.filter(|it| !it.bears_data)?;
    let in_row = |kind: &Kind| {
        let (before, _) = kind.path.split_once("{name}")?;
        let before = before.replace("{mount}", mount);
        let name = path.strip_prefix(&before)?.split('/').next()?;
        Some(format!("{before}{name}"))
    };
    let wanted = engine.kinds.iter().find_map(in_row)?;
    let is_there = seen.object(&wanted).is_some() || seen.object(path).is_some();
    (!is_there).then_some(wanted)
}

pub fn unknown_policies(seen: &Seen<'_>) -> Vec<Mistake> {
    if !seen.is_complete {
        return Vec::new();
    }
    let mut mistakes = Vec::new();
    for object in seen.objects {
        for (field, name, path) in object.named().filter(|(_, _, it)| it.starts_with("sys/")) {
            let path = if path.starts_with(POLICIES) { path.to_lowercase() } else { path };
            let is_built_in = path.strip_prefix(POLICIES).is_some_and(|it| BUILT_IN.contains(&it));
            if !is_built_in && seen.object(&path).is_none() {
                let place = seen.place_of(object.field_place(field.name), &name);
                let mistake = Mistake::error(place, format!("there is no policy `{name}` here"));
                mistakes.push(with_near(seen, mistake, &path));
            }
        }
    }
    mistakes.into_iter().map(near_only).collect()
}

/// A list of all policies is no help.
fn near_only(mut mistake: Mistake) -> Mistake {
    mistake.help = mistake.help.filter(|it| it.starts_with("did you mean"));
    mistake
}

/// Names in `allowed_roles` that no role has.
pub fn unknown_roles(seen: &Seen<'_>) -> Vec<Mistake> {
    if !seen.is_complete {
        return Vec::new();
    }
    let mut mistakes = Vec::new();
    for connection in seen.of("database", "connections") {
        for name in connection.texts("allowed_roles").iter().filter(|it| !it.contains(['*', '$'])) {
            let at = |section: &str| format!("{}/{section}/{name}", connection.mount());
            if seen.object(&at("roles")).is_none() && seen.object(&at("static-roles")).is_none() {
                let place = seen.place_of(connection.field_place("allowed_roles"), name);
                let mistake = Mistake::error(place, format!("there is no role `{name}` here"));
                mistakes.push(with_near(seen, mistake, &at("roles")));
            }
        }
    }
    mistakes
}

/// Roles that their connection doesn't allow.
pub fn unlisted_roles(seen: &Seen<'_>) -> Vec<Mistake> {
    let roles = seen.of("database", "roles").chain(seen.of("database", "static_roles"));
    let check = |role: &Object| {
        let connection = seen.connection(role)?;
        let allowed = connection.texts("allowed_roles");
        if allowed.iter().any(|it| it.contains('$') || matches(it, role.name())) {
            return None;
        }
        let message = format!("{} does not allow the role `{}`", connection.path, role.name());
        let listed = match connection.said.contains_key("allowed_roles") {
            true => "the roles that it allows",
            false => "it allows no role at all",
        };
        Some(
            Mistake::error(role.place, message)
                .also(connection.field_place("allowed_roles"), listed)
                .help(format!("add `{}` to `allowed_roles` of the connection", role.name())),
        )
    };
    roles.filter_map(check).collect()
}

/// As Vault reads `allowed_roles`: a `*` at either end stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        _ if pattern == "*" => true,
        (Some(rest), Some(_)) => name.contains(rest.trim_end_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => pattern == name,
    }
}

/// Fields that have a newer name.
pub fn old_names(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for object in seen.objects {
        for name in object.said.keys() {
            let Some(new) = object.row(name).and_then(|it| it.renamed) else { continue };
            let message = format!("`{name}` is the old name of `{new}`");
            let mistake = Mistake::error(object.field_place(name), message);
            mistakes.push(mistake.help(format!("write `{new}`")));
        }
    }
    mistakes
}
