//! Whoever logs in by a directory (`auth/ldap`): which policies they have, as far as a spec tells.
//!
//! The method's configuration says some of all its logins, a user and a group their own; and the directory puts people
//! into groups that the spec describes, but not who is in them.

use crate::object::Object;

/// The page that documents the kinds names them.
pub const DOCS: &str = "auth/ldap";

/// What says how the tokens of a login are: itself, or its method's configuration, where the spec has that.
pub fn or_method<'s>(
    login: &'s Object,
    mut objects: impl Iterator<Item = &'s Object>,
) -> &'s Object {
    let config = login.at(CONFIG);
    let is_config = |it: &&Object| login.kind.docs == DOCS && it.path == config;
    objects.find(is_config).unwrap_or(login)
}

/// The configuration of its method, whether the spec has it or not.
pub fn config(login: &Object) -> Option<String> {
    (login.kind.docs == DOCS).then(|| login.at(CONFIG))
}

const CONFIG: &str = "{mount}/config";

/// Beside those that its method gives to everybody: its own, and those of the groups that a user is put in.
pub fn policies<'s>(login: &'s Object, objects: impl Iterator<Item = &'s Object>) -> Vec<String> {
    if login.kind.docs != DOCS {
        return Vec::new();
    }
    let named = login.texts("groups");
    let is_named = |it: &&Object| named.contains(&it.name());
    let of_groups = groups(login, objects).filter(is_named).flat_map(|it| it.texts("policies"));
    lower(login.texts("policies").into_iter().chain(of_groups))
}

/// What a user has besides, if the directory says that they are in every group.
pub fn possible_policies<'s>(
    login: &'s Object,
    objects: impl Iterator<Item = &'s Object>,
) -> Vec<String> {
    match is(login, "users") {
        true => lower(groups(login, objects).flat_map(|it| it.texts("policies"))),
        false => Vec::new(),
    }
}

fn groups<'s>(
    login: &'s Object,
    objects: impl Iterator<Item = &'s Object>,
) -> impl Iterator<Item = &'s Object> {
    objects.filter(|it| is(it, "groups") && it.mount() == login.mount())
}

fn is(object: &Object, section: &str) -> bool {
    object.kind.docs == DOCS && object.kind.section == section
}

fn lower<'s>(names: impl Iterator<Item = &'s str>) -> Vec<String> {
    let mut names: Vec<String> = names.map(str::to_lowercase).collect();
    names.sort();
    names.dedup();
    names
}
