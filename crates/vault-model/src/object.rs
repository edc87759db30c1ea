//! One thing that should be in Vault.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

use crate::{
    Body, Path,
    kind::{Field, Kind, Part, Shape},
    nearest::nearest,
    node::{Key, Node, NodeValue},
    reference,
    source::{Mistake, Place},
};

pub struct Object {
    pub kind: &'static Kind,
    pub path: Path,
    /// What the spec says, words of ours included; references are still to be filled in.
    pub said: Body,
    /// Where the spec names it.
    pub place: Place,
    /// Never deleted or replaced.
    pub protect: bool,
    mount: String,
    name: String,
    fields: Vec<FieldPlace>,
}

/// Where a field's value was said. `name` has a dot for each body within a body.
#[derive(Clone)]
struct FieldPlace {
    name: Box<str>,
    place: Place,
    /// It came out of a secret variable.
    secret: bool,
}

impl Object {
    /// The object, as far as it can be made out, and all that is wrong with what the spec says of it.
    pub fn new(
        kind: &'static Kind,
        mount: &str,
        key: &Key,
        said: &[(Key, Node)],
    ) -> (Object, Vec<Mistake>) {
        let mut object = Object {
            kind,
            path: Path::new(),
            said: Body::new(),
            place: key.place,
            protect: false,
            mount: mount.to_owned(),
            name: match kind {
                _ if kind.one_per_mount() => String::new(),
                _ if kind.lower_names => key.text.to_lowercase(),
                _ => key.text.to_string(),
            },
            fields: Vec::new(),
        };
        object.path = object.at(kind.path);
        let mistakes = object.read(said);
        (object, mistakes)
    }

    /// The same object, of which a spec says something else.
    pub fn saying(&self, said: Body) -> Object {
        Object {
            kind: self.kind,
            path: self.path.clone(),
            said,
            place: self.place,
            protect: self.protect,
            mount: self.mount.clone(),
            name: self.name.clone(),
            fields: self.fields.clone(),
        }
    }

    fn read(&mut self, said: &[(Key, Node)]) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let variant = self.kind.variants.as_ref().and_then(|variants| {
            let (_, node) = said.iter().find(|(key, _)| *key.text == *variants.by)?;
            node.as_text()
        });
        for (key, node) in said {
            if &*key.text == "protect" && self.kind.field("protect", variant).is_none() {
                match node.value {
                    NodeValue::Bool(it) => self.protect = it,
                    _ => mistakes
                        .push(Mistake::error(node.place, "`protect` should be `true` or `false`")),
                }
                continue;
            }
            match self.kind.field(&key.text, variant) {
                Some(field) => self.field(field, "", node, &mut mistakes),
                None if self.kind.is_open(variant) => self.note(&key.text, node),
                None => {
                    mistakes.push(self.unknown(key, variant));
                    continue;
                }
            }
            self.said.insert(key.text.to_string(), node.to_json());
        }
        for field in self.kind.fields_of(variant) {
            if field.required && !self.said.contains_key(field.name) {
                mistakes.push(Mistake::error(
                    self.place,
                    format!("`{}` is missing in {}", field.name, self.path),
                ));
            }
        }
        mistakes
    }

    fn field(
        &mut self,
        field: &'static Field,
        within: &str,
        node: &Node,
        mistakes: &mut Vec<Mistake>,
    ) {
        let name = format!("{within}{}", field.name);
        self.note(&name, node);
        if let (Shape::Body(fields), NodeValue::Map(entries)) = (field.shape, &node.value) {
            for (key, node) in entries {
                match crate::kind::field(fields, &key.text) {
                    Some(field) => self.field(field, &format!("{name}."), node, mistakes),
                    None => mistakes.push(unknown_in(fields.iter(), key, &format!("`{name}`"))),
                }
            }
            return;
        }
        if let (Shape::Any, NodeValue::Map(entries)) = (field.shape, &node.value) {
            entries.iter().for_each(|(key, it)| self.note(&format!("{name}.{}", key.text), it));
        }
        let value = node.to_json();
        if let Some(problem) = unreadable_reference(node) {
            return mistakes.push(problem);
        }
        if has_reference(&value) {
            return;
        }
        if matches!(node.value, NodeValue::Null) || field.shape.canonical(&value).is_none() {
            let found = if node.secret { "something else" } else { node.kind_name() };
            let message =
                format!("`{}` should be {}, not {found}", field.name, field.shape.described());
            mistakes.push(Mistake::error(node.place, message));
        } else if let (false, Value::String(text)) = (field.values.is_empty(), &value)
            && !field.values.contains(&text.as_str())
        {
            let mistake =
                Mistake::error(node.place, format!("`{}` cannot be `{text}`", field.name));
            mistakes.push(mistake.help(format!("Vault takes {}", alternatives(field.values))));
        }
    }

    fn note(&mut self, name: &str, node: &Node) {
        self.fields.push(FieldPlace {
            name: name.into(),
            place: node.place,
            secret: node.holds_secret(),
        });
    }

    fn unknown(&self, key: &Key, variant: Option<&str>) -> Mistake {
        if let Some((_, instead)) = self.kind.mistaken.iter().find(|(it, _)| **it == *key.text) {
            let message = format!("{} has no field `{}`", self.path, key.text);
            return Mistake::error(key.place, message).help(format!("{instead} is meant"));
        }
        let fields: Vec<&Field> = self.kind.fields_of(variant).collect();
        unknown_in(fields.into_iter(), key, &self.path)
    }

    /// A template of this object's kind, filled in.
    pub fn at(&self, template: &str) -> Path {
        template.replace("{mount}", &self.mount).replace("{name}", &self.name)
    }

    /// Where it lives: `database`, `auth/approle`, `sys`.
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// Where that mount itself is.
    pub fn mount_path(&self) -> Path {
        mount_at(&self.mount)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of the field that tells which variant of its kind it is.
    pub fn variant(&self) -> Option<&str> {
        self.said.get(self.kind.variants.as_ref()?.by)?.as_str()
    }

    /// The row of the field `name`, where it has one.
    pub fn row(&self, name: &str) -> Option<&'static Field> {
        self.kind.field(name, self.variant())
    }

    /// Where the field was said; the object's own place where it was not.
    pub fn field_place(&self, name: &str) -> Place {
        self.fields.iter().find(|it| *it.name == *name).map_or(self.place, |it| it.place)
    }

    /// Whether what the spec says in the top-level field `name` must never be shown.
    pub fn is_secret(&self, name: &str) -> bool {
        let row = self.row(name).is_some_and(|it| it.secret || it.write_only);
        let below = |it: &FieldPlace| it.name.split('.').next() == Some(name);
        row || self.fields.iter().any(|it| it.secret && below(it))
    }

    /// Whether any of it came out of a secret variable.
    pub fn is_from_secret_variable(&self, name: &str) -> bool {
        self.fields.iter().any(|it| it.secret && it.name.split('.').next() == Some(name))
    }

    /// Where values stand that must never be shown.
    pub fn secret_places(&self) -> impl Iterator<Item = Place> {
        let is_secret = |it: &&FieldPlace| {
            let top = it.name.split('.').next().unwrap_or_default();
            it.secret || self.row(top).is_some_and(|it| it.secret || it.write_only)
        };
        self.fields.iter().filter(is_secret).map(|it| it.place)
    }

    /// The texts that the field `name` says: itself, or its items.
    pub fn texts<'a>(&'a self, name: &str) -> Vec<&'a str> {
        match self.said.get(name) {
            Some(Value::String(text)) => {
                text.split(',').map(str::trim).filter(|it| !it.is_empty()).collect()
            }
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The fields whose values name other paths: field, value, path.
    pub fn named(&self) -> impl Iterator<Item = (&'static Field, String, Path)> {
        let naming = self.said.iter().filter_map(|(key, value)| {
            let field = self.row(key)?;
            Some((field, self.at(field.names?), value))
        });
        naming.flat_map(|(field, at, value)| {
            words(field.shape, value).into_iter().map(move |it| {
                let path = at.replace("{}", &it);
                (field, it, path)
            })
        })
    }

    /// Its own path, and those that can be read once it is made.
    pub fn gives(&self) -> impl Iterator<Item = Path> {
        [self.path.clone()].into_iter().chain(self.kind.gives.iter().map(|it| self.at(it)))
    }

    /// What the fields say that hold a path.
    fn paths_said(&self) -> impl Iterator<Item = &str> {
        let is_path = |key: &str| self.row(key).is_some_and(|it| matches!(it.shape, Shape::Path));
        let said = self.said.iter().filter(move |(key, _)| is_path(key));
        said.filter_map(|(_, it)| it.as_str()).map(|it| it.trim_matches('/'))
    }

    /// The paths that must be there before it, as far as they are in the spec too.
    pub fn needs(&self) -> BTreeSet<Path> {
        let mut needs: BTreeSet<Path> = ancestors(&self.path).collect();
        needs.extend(self.kind.after.iter().map(|it| self.at(it)));
        needs.extend(self.named().map(|(_, _, path)| path));
        needs.extend(
            self.paths_said().flat_map(|it| ancestors(&format!("{it}/")).collect::<Vec<Path>>()),
        );
        self.said
            .values()
            .for_each(|it| each_reference(it, &mut |path, _| _ = needs.insert(path.to_owned())));
        needs.remove(&self.path);
        needs
    }

    /// Where the root password is rotated, if the spec asks for that after the first write.
    pub fn root_rotation(&self) -> Option<Path> {
        let is_it = |key: &String| self.row(key).is_some_and(|it| it.part == Part::RotateRoot);
        let asked = self.kind.rotate_root.filter(|_| self.said.keys().any(is_it));
        asked.map(|it| self.at(it))
    }

    pub fn rotates_root(&self) -> bool {
        self.root_rotation().is_some()
    }
}

/// Bodies hold secrets, so only the path is shown.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Calls `found` with path and field of every `${path#field}` in `value`.
pub fn each_reference(value: &Value, found: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) if text.contains("${") => {
            let references = reference::find(text).unwrap_or_default();
            references.iter().for_each(|it| found(&it.path, &it.field));
        }
        Value::Array(items) => items.iter().for_each(|it| each_reference(it, found)),
        Value::Object(fields) => fields.values().for_each(|it| each_reference(it, found)),
        _ => {}
    }
}

fn unreadable_reference(node: &Node) -> Option<Mistake> {
    match &node.value {
        NodeValue::Text(text) if text.contains("${") => {
            let problem = reference::find(text).err()?;
            Some(Mistake::error(node.place, problem.message).help(problem.help))
        }
        NodeValue::List(items) => items.iter().find_map(unreadable_reference),
        NodeValue::Map(entries) => entries.iter().find_map(|(_, it)| unreadable_reference(it)),
        _ => None,
    }
}

pub fn has_reference(value: &Value) -> bool {
    let mut any = false;
    each_reference(value, &mut |_, _| any = true);
    any
}

/// The paths that `path` lies under, and the mounts that make them.
fn ancestors(path: &str) -> impl Iterator<Item = Path> {
    path.match_indices('/').flat_map(|(end, _)| {
        let above = &path[..end];
        [above.to_owned(), mount_at(above)]
    })
}

fn mount_at(path: &str) -> Path {
    match path.strip_prefix("auth/") {
        Some(method) => format!("sys/auth/{method}"),
        None => format!("sys/mounts/{path}"),
    }
}

/// The names in a field that names paths: an item each; of a map, its values.
fn words(shape: Shape, value: &Value) -> Vec<String> {
    let canonical = match shape {
        Shape::Map | Shape::Any | Shape::Json => Some(value.clone()),
        _ => shape.canonical(value),
    };
    // A glob is no name.
    let is_name = |it: &&str| !it.contains("${") && !it.contains('*');
    let text = |it: &Value| it.as_str().filter(is_name).map(str::to_owned);
    match canonical {
        Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
        Some(Value::Object(map)) => map.values().filter_map(text).collect(),
        Some(one) => text(&one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn unknown_in<'a>(fields: impl Iterator<Item = &'a Field>, key: &Key, of: &str) -> Mistake {
    let names: Vec<&str> = fields.filter(|it| it.renamed.is_none()).map(|it| it.name).collect();
    let mistake = Mistake::error(key.place, format!("{of} has no field `{}`", key.text));
    match nearest(&key.text, names.iter().copied()) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None => mistake.help(format!("there are {}", names.join(", "))),
    }
}

fn alternatives(values: &[&str]) -> String {
    let shown =
        |it: &&str| if it.is_empty() { "an empty text".to_owned() } else { format!("`{it}`") };
    values.iter().map(shown).collect::<Vec<String>>().join(", ")
}
