//! What proofs of identity are told: by which login of the spec somebody is whom, and who is somebody else.

use serde_json::{Value, json};
use vault_model::{
    identity::{self, Person},
    object::Object,
    spec::Spec,
};

use super::facts::{Fit, is_login, unproven_login};

/// A login, and what its method calls whoever logs in by it where the role leaves that open.
pub struct Way<'s> {
    pub role: &'s Object,
    pub called: Option<String>,
}

/// A name that no alias has.
const OTHER: &str = "vaultwright-other";

impl Way<'_> {
    fn shown(&self) -> Value {
        json!({ "login": self.role.path, "called": self.called })
    }
}

pub fn objects(spec: &Spec) -> impl Iterator<Item = &Object> + Clone {
    spec.objects.iter().map(|it| &**it)
}

/// Whom the logins of a role are, where they are always the same.
pub fn of_login<'s>(spec: &'s Spec, role: &Object) -> Option<Person<'s>> {
    Person::of_login(role, objects(spec))
}

/// Those whom the spec knows and who may log in by a role that leaves open who does.
pub fn guests<'s>(spec: &'s Spec, role: &Object) -> Vec<(String, Person<'s>)> {
    let guest = |alias: &'s Object| {
        let way = way(spec, alias).filter(|it| it.role.path == role.path)?;
        let person = Person::of_alias(alias, objects(spec)).filter(|it| !it.is_disabled())?;
        Some((way.called?, person))
    };
    identity::aliases(objects(spec)).filter_map(guest).collect()
}

pub fn alias(spec: &Spec, alias: &Object) -> Fit {
    let reason = if Person::of_alias(alias, objects(spec)).is_none() {
        "the entity that it leads to is not in the spec"
    } else if way(spec, alias).is_none() {
        "nobody can log in here under its name: no login of the spec that is proven gives it"
    } else {
        return Fit::Proven;
    };
    Fit::Unproven(reason.to_owned())
}

pub fn entity(spec: &Spec, entity: &Object) -> Fit {
    let leads =
        |it: &Object| identity::refers(it, identity::IDS, &entity.path) && way(spec, it).is_some();
    match identity::aliases(objects(spec)).any(leads) {
        true => Fit::Beside,
        false => Fit::Unproven("nobody can log in here as it: no alias leads to it".to_owned()),
    }
}

pub fn group(spec: &Spec, group: &Object) -> Fit {
    let is_of = |it: &&Object| identity::refers(it, &["canonical_id"], &group.path);
    let mut aliases = objects(spec).filter(|it| it.kind.section == "group_aliases");
    let reason = if group.said.get("type") == Some(&json!("external")) {
        match aliases.any(|it| is_of(&it)) {
            true => return Fit::Beside,
            false => "it is of another directory's, and no alias says which",
        }
    } else if policies_of(group).is_empty() {
        "it gives those who are in it no policy"
    } else if member(spec, group).is_none() {
        "nobody who can log in here is in it"
    } else {
        return Fit::Proven;
    };
    Fit::Unproven(reason.to_owned())
}

pub fn group_alias(spec: &Spec, alias: &Object) -> Fit {
    let reason = match group_of(spec, alias) {
        None => "the group that it leads to is not in the spec",
        Some(group) if policies_of(group).is_empty() => "its group gives no policy",
        Some(_) if teller(spec, alias).is_none() => {
            "no login of the spec tells groups that can be made up here: only a JWT does"
        }
        Some(_) => return Fit::Proven,
    };
    Fit::Unproven(reason.to_owned())
}

/// For the templates.
pub fn more(spec: &Spec, object: &Object) -> Value {
    match object.kind.section {
        "entity_aliases" => of_alias(spec, object),
        "groups" => json!({
            "policies": policies_of(object).join(","),
            "member": member(spec, object).map(|it| it.shown()),
            "other": somebody(spec, |it| has_none(it, object)).map(|it| it.shown()),
        }),
        "group_aliases" => json!({
            "policies": group_of(spec, object).map(|it| policies_of(it).join(",")),
            "group": group_of(spec, object).map(|it| &it.path),
            "login": teller(spec, object).map(|it| &it.path),
            "method": identity::method(object),
            "other": OTHER,
        }),
        _ => Value::Null,
    }
}

fn of_alias(spec: &Spec, alias: &Object) -> Value {
    let (Some(way), Some(person)) = (way(spec, alias), Person::of_alias(alias, objects(spec)))
    else {
        return Value::Null;
    };
    let stranger = Way { role: way.role, called: Some(OTHER.to_owned()) };
    let other = match way.called {
        Some(_) => Some(stranger),
        None => somebody(spec, |it| it.is_none_or(|it| it.entity.path != person.entity.path)),
    };
    json!({
        "way": way.shown(),
        "method": identity::method(alias),
        "entity": person.entity.path,
        "is_disabled": person.is_disabled(),
        "policies": person.policies().join(","),
        "other": other.map(|it| it.shown()),
    })
}

/// How to log in so that the method gives the name of the alias.
fn way<'s>(spec: &'s Spec, alias: &Object) -> Option<Way<'s>> {
    let name = alias.said.get("name")?.as_str()?;
    let method = identity::method(alias)?;
    let roles = logins(spec).filter(|it| it.mount() == method);
    let named = |role: &&Object| identity::names(role, objects(spec)).iter().any(|it| it == name);
    if let Some(role) = roles.clone().find(named) {
        return Some(Way { role, called: None });
    }
    let role = roles.clone().find(|it| is_open(spec, it, name))?;
    Some(Way { role, called: Some(name.to_owned()) })
}

/// Whether a JWT may call whoever logs in so.
fn is_open(spec: &Spec, role: &Object, name: &str) -> bool {
    let claim = role.said.get("user_claim").and_then(Value::as_str).unwrap_or_default();
    let bound = role.said.get("bound_claims").and_then(|it| it.get(claim));
    let allows = match bound {
        Some(Value::Array(names)) => names.iter().any(|it| it == name),
        Some(_) => false,
        None => true,
    };
    let is_made_up = role.said.get("role_type").is_some_and(|it| it == "jwt");
    role.kind.docs == "auth/jwt"
        && is_made_up
        && identity::names(role, objects(spec)).is_empty()
        && allows
}

/// By which somebody gets in here.
fn logins(spec: &Spec) -> impl Iterator<Item = &Object> + Clone {
    // Tokens of a role of the token method are of whoever makes them.
    let is_proven = |it: &&Object| {
        is_login(it) && it.kind.docs != "auth/token" && unproven_login(spec, it).is_none()
    };
    objects(spec).filter(is_proven)
}

/// A login whose person, if the spec knows any, is as wanted.
fn somebody(spec: &Spec, is_wanted: impl Fn(Option<&Person<'_>>) -> bool) -> Option<Way<'_>> {
    let is_it = |role: &&Object| {
        let person = of_login(spec, role);
        let is_out = person.as_ref().is_some_and(Person::is_disabled);
        !is_out && is_wanted(person.as_ref())
    };
    logins(spec).find(is_it).map(|role| Way { role, called: None })
}

fn member<'s>(spec: &'s Spec, group: &Object) -> Option<Way<'s>> {
    let is_member = |alias: &&Object| {
        let person = Person::of_alias(alias, objects(spec)).filter(|it| !it.is_disabled());
        person.is_some_and(|it| it.groups.iter().any(|it| it.path == group.path))
    };
    identity::aliases(objects(spec)).filter(is_member).find_map(|it| way(spec, it))
}

/// Whether none of the group's policies comes to somebody by who it is.
fn has_none(person: Option<&Person<'_>>, group: &Object) -> bool {
    let policies = person.map(Person::policies).unwrap_or_default();
    !policies_of(group).iter().any(|it| policies.contains(it))
}

fn policies_of(group: &Object) -> Vec<String> {
    group.texts("policies").into_iter().map(str::to_lowercase).collect()
}

fn group_of<'s>(spec: &'s Spec, alias: &Object) -> Option<&'s Object> {
    let mut groups = objects(spec).filter(|it| it.kind.section == "groups");
    groups.find(|it| identity::refers(alias, &["canonical_id"], &it.path))
}

/// A login that says which groups of its method whoever logs in is in.
fn teller<'s>(spec: &'s Spec, alias: &Object) -> Option<&'s Object> {
    let method = identity::method(alias)?;
    let says = |it: &&Object| {
        let claim = it.said.get("groups_claim").and_then(Value::as_str).unwrap_or_default();
        let is_made_up = it.said.get("role_type").is_some_and(|it| it == "jwt");
        it.mount() == method && it.kind.docs == "auth/jwt" && is_made_up && !claim.is_empty()
    };
    logins(spec).find(says)
}
