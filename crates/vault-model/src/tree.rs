//! From the tree of a spec to the objects that it describes.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::{
    kind::{Engine, Kind, Shape},
    kinds::{self, AUTH, RAW, SECRETS},
    nearest::nearest,
    node::{Key, Node, NodeValue},
    object::Object,
    source::{FileId, Mistake, Place, Sources},
    template::Inputs,
};

/// What the objects of a spec were read into, with all that is wrong.
pub struct Collected<'a> {
    pub sources: &'a mut Sources,
    pub inputs: &'a dyn Inputs,
    pub objects: Vec<Object>,
    pub mistakes: Vec<Mistake>,
    found: Vec<Found<'a>>,
}

/// What an object will be read from.
struct Found<'a> {
    kind: &'static Kind,
    mount: Cow<'a, str>,
    key: &'a Key,
    said: Cow<'a, [(Key, Node)]>,
}

/// Keys of a spec that hold no objects.
const OTHERS: &[&str] = &["name", "vars", "claims", "deliver", "ledger"];
const AREAS: &[&str] = &["sys", "secrets", "auth", "identity", "paths"];

impl<'a> Collected<'a> {
    /// The whole tree.
    pub fn of(root: &'a Node, sources: &'a mut Sources, inputs: &'a dyn Inputs) -> Self {
        let (objects, mistakes, found) = Default::default();
        let mut collected = Self { sources, inputs, objects, mistakes, found };
        collected.spec(root);
        collected.read();
        collected
    }

    /// Of a large spec this is most of its reading: each object by itself, side by side.
    fn read(&mut self) {
        let found = std::mem::take(&mut self.found);
        let read = |it: Found<'_>| Object::new(it.kind, &it.mount, it.key, &it.said);
        let objects: Vec<_> = found.into_par_iter().map(read).collect();
        for (object, mistakes) in objects {
            object.secret_places().for_each(|it| self.sources.hide(it));
            self.mistakes.extend(mistakes);
            self.objects.push(object);
        }
    }

    /// Keys that start with `x-` are the writer's own.
    fn spec(&mut self, root: &'a Node) {
        // An empty file: what is missing in it is said elsewhere.
        if root.is_null() {
            return;
        }
        let Some(entries) = root.as_map() else {
            return self.mistakes.push(root.should_be("a spec", "a map"));
        };
        for (key, node) in entries {
            match &*key.text {
                "secrets" => self.each(node, &key.text, |this, key, it| {
                    this.mount(&SECRETS, key, Cow::Borrowed(&key.text), it);
                }),
                "auth" => self.each(node, &key.text, |this, key, it| {
                    this.mount(&AUTH, key, format!("auth/{}", key.text).into(), it);
                }),
                "paths" => self.each(node, &key.text, |this, key, it| {
                    this.object(&RAW, Cow::Borrowed(""), key, it);
                }),
                area @ ("sys" | "identity") => match kinds::engine(area, None) {
                    Some(engine) => {
                        let entries = node.as_map().unwrap_or_default();
                        self.sections(engine, Cow::Borrowed(area), entries.iter(), node);
                    }
                    None => self.unknown(key),
                },
                other if OTHERS.contains(&other) || other.starts_with("x-") => {}
                _ => self.unknown(key),
            }
        }
    }

    fn unknown(&mut self, key: &Key) {
        let known = AREAS.iter().chain(OTHERS).copied();
        let mistake = Mistake::error(key.place, format!("a spec has no `{}`", key.text));
        self.mistakes.push(match nearest(&key.text, known.clone()) {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None => mistake.help(format!("it has {}", known.collect::<Vec<&str>>().join(", "))),
        });
    }

    /// A mount says its own fields and the sections of its engine side by side.
    fn mount(&mut self, kind: &'static Kind, key: &'a Key, mount: Cow<'a, str>, node: &'a Node) {
        if !self.is_path(key) {
            return;
        }
        let Some(entries) = node.as_map() else {
            return self.mistakes.push(node.should_be(&format!("`{mount}`"), "a map"));
        };
        let text = |name: &str| node.get(name).and_then(Node::as_text);
        let version = node.get("options").and_then(|it| it.get("version")).map(Node::to_json);
        let version = version.map(|it| it.as_str().map_or(it.to_string(), str::to_owned));
        let engine = text("type").and_then(|it| match mount.starts_with("auth/") {
            true => kinds::method(it),
            false => kinds::engine(it, version.as_deref()),
        });
        let is_own = |key: &Key| {
            let is_section = engine.is_some_and(|it| it.kind(&key.text).is_some());
            let known = kind.field(&key.text, None).is_some() || &*key.text == "protect";
            (known || kind.mistaken.iter().any(|(it, _)| **it == *key.text)) && !is_section
        };
        let own: Vec<(Key, Node)> =
            entries.iter().filter(|(key, _)| is_own(key)).cloned().collect();
        self.found.push(Found { kind, mount: Cow::Borrowed("sys"), key, said: Cow::Owned(own) });
        let rest = entries.iter().filter(|(key, _)| !is_own(key));
        match engine {
            Some(engine) => self.sections(engine, mount, rest, node),
            None => rest.for_each(|(key, _)| self.no_section(key, &mount, text("type"))),
        }
    }

    fn no_section(&mut self, key: &Key, mount: &str, engine: Option<&str>) {
        let (message, help) = match engine {
            Some(engine) => (
                format!(
                    "`{mount}` has no field `{}`, and the sections of `{engine}` are not known",
                    key.text
                ),
                "write what lies below it under `paths`, each by its full path".to_owned(),
            ),
            None => (
                format!("`{mount}` says `{}` and not its `type`", key.text),
                "add `type: …`".to_owned(),
            ),
        };
        self.mistakes.push(Mistake::error(key.place, message).help(help));
    }

    fn sections(
        &mut self,
        engine: &'static Engine,
        mount: Cow<'a, str>,
        entries: impl Iterator<Item = &'a (Key, Node)>,
        node: &Node,
    ) {
        if node.as_map().is_none() {
            return self.mistakes.push(node.should_be(&format!("`{mount}`"), "a map"));
        }
        for (key, node) in entries {
            match engine.kind(&key.text) {
                Some(kind) if kind.one_per_mount() => self.object(kind, mount.clone(), key, node),
                Some(kind) => self.each(node, &key.text, |this, key, it| {
                    this.object(kind, mount.clone(), key, it);
                }),
                None => self.no_such_section(engine, &mount, key),
            }
        }
    }

    fn no_such_section(&mut self, engine: &Engine, mount: &str, key: &Key) {
        let mount_fields = if mount.starts_with("auth/") { AUTH.fields } else { SECRETS.fields };
        let fields =
            mount_fields.iter().map(|it| it.name).filter(|_| !matches!(mount, "sys" | "identity"));
        let known: Vec<&str> = engine.kinds.iter().map(|it| it.section).chain(fields).collect();
        let mistake = Mistake::error(key.place, format!("`{mount}` has no `{}`", key.text));
        self.mistakes.push(match nearest(&key.text, known.iter().copied()) {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None => {
                mistake.help(format!("a mount of type {} has {}", engine.name, known.join(", ")))
            }
        });
    }

    fn object(&mut self, kind: &'static Kind, mount: Cow<'a, str>, key: &'a Key, node: &'a Node) {
        if !kind.one_per_mount() && !self.is_path(key) {
            return;
        }
        let Some(entries) = node.as_map() else {
            return self.mistakes.push(node.should_be(&format!("`{}`", key.text), "a map"));
        };
        let said = match self.with_file(kind, entries) {
            Some(entries) => Cow::Owned(entries),
            None => Cow::Borrowed(entries),
        };
        self.found.push(Found { kind, mount, key, said });
    }

    /// A policy may be in a file of its own: `file: policies/app.hcl`.
    fn with_file(
        &mut self,
        kind: &'static Kind,
        entries: &[(Key, Node)],
    ) -> Option<Vec<(Key, Node)>> {
        let field = kind
            .fields
            .iter()
            .find(|it| matches!(it.shape, Shape::Policy | Shape::PasswordPolicy))?;
        let at = entries.iter().position(|(key, _)| &*key.text == "file")?;
        let (key, node) = &entries[at];
        let mut entries = entries.to_vec();
        let Some(name) = node.as_text() else {
            self.mistakes.push(node.should_be("`file`", "text"));
            return Some(entries);
        };
        let text = match self.inputs.file(name) {
            Ok(text) => text,
            Err(reason) => {
                self.mistakes.push(Mistake::error(node.place, reason));
                String::new()
            }
        };
        let file = self.sources.add(self.name_of(name), text.clone());
        let place = Place { file, line: 1, column: 1, start: 0, end: text.len() as u32 };
        let key = Key { text: field.name.into(), place: key.place };
        entries[at] = (key, Node::new(place, NodeValue::Text(text)));
        Some(entries)
    }

    /// A file of the spec's folder, as the user would name it.
    fn name_of(&self, name: &str) -> String {
        let main = self.sources.file(FileId(0)).map_or("", |it| it.name.as_str());
        main.rsplit_once('/')
            .map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/{name}"))
    }

    /// A name becomes part of a path: what would change the path's meaning is refused.
    fn is_path(&mut self, key: &Key) -> bool {
        let name = &*key.text;
        let odd = name.is_empty()
            || name.starts_with('/')
            || name.ends_with('/')
            || name.contains("//")
            || name.split('/').any(|it| it == "." || it == "..")
            || name.chars().any(|it| it.is_control() || matches!(it, '?' | '#' | '%'));
        if odd {
            let message = format!("{name:?} cannot be part of a path");
            self.mistakes.push(Mistake::error(key.place, message).help(
                "a name has no empty, `.` or `..` segment, no control character, and none of ? # %",
            ));
        }
        !odd
    }

    fn each(
        &mut self,
        node: &'a Node,
        what: &str,
        mut go: impl FnMut(&mut Self, &'a Key, &'a Node),
    ) {
        match node.as_map() {
            Some(entries) => entries.iter().for_each(|(key, it)| go(self, key, it)),
            None => self.mistakes.push(node.should_be(&format!("`{what}`"), "a map")),
        }
    }
}
