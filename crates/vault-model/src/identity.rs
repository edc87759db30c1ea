//! Who somebody is once logged in, as far as a spec tells: an alias leads to an entity, and an entity is in groups.

use serde_json::Value;

use crate::{
    object::{Object, each_reference},
    policy,
};

/// Whoever logs in through one of the aliases of an entity.
pub struct Person<'s> {
    pub aliases: Vec<&'s Object>,
    pub entity: &'s Object,
    /// Those that the entity is in, by itself or through a group in them.
    pub groups: Vec<&'s Object>,
}

/// The pages that document them name the kinds.
const ALIAS: &str = "secret/identity/entity-alias";
const ENTITY: &str = "secret/identity/entity";
const GROUP: &str = "secret/identity/group";

impl<'s> Person<'s> {
    /// `None` if the spec does not describe the entity.
    pub fn of_alias(
        alias: &'s Object,
        objects: impl Iterator<Item = &'s Object> + Clone,
    ) -> Option<Person<'s>> {
        let is_its = |it: &&Object| it.kind.docs == ENTITY && refers(alias, IDS, &it.path);
        let entity = objects.clone().find(is_its)?;
        let aliases = aliases(objects.clone()).filter(|it| refers(it, IDS, &entity.path)).collect();
        let all = objects.filter(|it| it.kind.docs == GROUP);
        let mut groups: Vec<&Object> = Vec::new();
        let mut found: Vec<&Object> =
            all.clone().filter(|it| refers(it, &["member_entity_ids"], &entity.path)).collect();
        while let Some(group) = found.pop() {
            if !groups.iter().any(|it| it.path == group.path) {
                found.extend(
                    all.clone().filter(|it| refers(it, &["member_group_ids"], &group.path)),
                );
                groups.push(group);
            }
        }
        groups.sort_by(|one, other| one.path.cmp(&other.path));
        Some(Person { aliases, entity, groups })
    }

    /// Of a role that always gives its logins the same name.
    pub fn of_login(
        role: &Object,
        objects: impl Iterator<Item = &'s Object> + Clone,
    ) -> Option<Person<'s>> {
        let names = names(role, objects.clone());
        let is_its = |it: &&Object| {
            let name = it.said.get("name").and_then(Value::as_str);
            method(it).as_deref() == Some(role.mount())
                && names.iter().any(|it| Some(&**it) == name)
        };
        Person::of_alias(aliases(objects.clone()).find(is_its)?, objects)
    }

    /// What a token has beside the policies of its role.
    pub fn policies(&self) -> Vec<String> {
        let all = [self.entity].into_iter().chain(self.groups.iter().copied());
        let mut names: Vec<String> =
            all.flat_map(|it| it.texts("policies")).map(str::to_lowercase).collect();
        names.sort();
        names.dedup();
        names
    }

    pub fn is_disabled(&self) -> bool {
        self.entity.said.get("disabled").is_some_and(|it| it == true || it == "true")
    }

    /// A policy's text, its templates replaced by what they are for this person, as far as the spec tells.
    pub fn filled(&self, policy: &str) -> String {
        policy::filled(policy, |template| self.meaning(template))
    }

    fn meaning(&self, template: &str) -> Option<String> {
        let of_entity = template.strip_prefix("identity.entity.")?;
        if of_entity == "name" {
            return Some(self.entity.name().to_owned());
        }
        if let Some(key) = of_entity.strip_prefix("metadata.") {
            return text(self.entity.said.get("metadata")?.get(key)?);
        }
        let (accessor, field) = of_entity.strip_prefix("aliases.")?.rsplit_once('.')?;
        let is_of = |it: &&&Object| it.said.get("mount_accessor").is_some_and(|it| it == accessor);
        let alias = self.aliases.iter().find(is_of).filter(|_| field == "name")?;
        text(alias.said.get("name")?)
    }
}

pub fn aliases<'s>(objects: impl Iterator<Item = &'s Object>) -> impl Iterator<Item = &'s Object> {
    objects.filter(|it| it.kind.docs == ALIAS)
}

/// Where whoever has the alias logs in: `auth/people`.
pub fn method(alias: &Object) -> Option<String> {
    let mut method = None;
    each_reference(alias.said.get("mount_accessor")?, &mut |path, field| {
        if field == "accessor" {
            method = path.strip_prefix("sys/").map(str::to_owned);
        }
    });
    method
}

/// What the method calls whoever logs in by a role, where that is always the same; a reference is one of the names.
pub fn names<'s>(role: &Object, objects: impl Iterator<Item = &'s Object>) -> Vec<String> {
    let said = |name: &str| role.said.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_plain = |it: &String| !it.contains('*');
    match role.kind.docs {
        "auth/userpass" => vec![role.name().to_owned()],
        "auth/ldap" if role.kind.section == "users" => vec![role.name().to_owned()],
        "auth/approle" => {
            let path = format!("{}/role-id", role.path);
            let own = objects.filter(|it| it.path == path);
            let own = own.filter_map(|it| it.said.get("role_id")?.as_str()).map(str::to_owned);
            own.chain([format!("${{{path}#role_id}}")]).collect()
        }
        "auth/jwt" => {
            let claim = said("user_claim").unwrap_or_default();
            let subject = said("bound_subject").filter(|it| claim == "sub" && !it.is_empty());
            let bound = role.said.get("bound_claims").and_then(|it| it.get(&claim)?.as_str());
            subject.or(bound.map(str::to_owned)).filter(is_plain).into_iter().collect()
        }
        "auth/cert" => match role.texts("allowed_common_names")[..] {
            [one] => vec![one.to_owned()].into_iter().filter(is_plain).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The fields of an alias that say whom it leads to.
pub const IDS: &[&str] = &["canonical_id", "entity_id"];

/// Whether one of the fields holds the id of what is at `path`.
pub fn refers(object: &Object, fields: &[&str], path: &str) -> bool {
    let mut is_there = false;
    for value in fields.iter().filter_map(|it| object.said.get(*it)) {
        each_reference(value, &mut |to, field| is_there |= to == path && field == "id");
    }
    is_there
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.contains("${") => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
