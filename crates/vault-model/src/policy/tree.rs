//! Configuration text as Vault takes it apart: words, values and where each was said.

use std::ops::Range;

use serde_json::{Map, Value};

use super::PolicyMistake;

/// More than Vault's storage takes in one entry.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 20;
/// No policy needs more than six.
pub(super) const MAX_NESTING: usize = 32;
/// Nobody reads more at once.
const MAX_MISTAKES: usize = 50;

/// `keys = value`, or `keys { … }`.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub keys: Vec<Key>,
    pub value: Node,
    pub range: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub text: String,
    pub range: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub content: Content,
    pub range: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Node>),
    Object(Vec<Item>),
}

#[derive(Default)]
pub(super) struct Mistakes {
    found: Vec<PolicyMistake>,
}

impl Item {
    /// The first word of the name.
    pub fn word(&self) -> &str {
        self.keys.first().map_or("", |it| it.text.as_str())
    }

    /// The whole name: `path "a/b"`.
    pub fn name_range(&self) -> Range<usize> {
        match (self.keys.first(), self.keys.last()) {
            (Some(first), Some(last)) => first.range.start..last.range.end.max(first.range.end),
            _ => self.range.clone(),
        }
    }
}

impl Item {
    /// What it holds, with every name but the first as an object around it.
    pub fn to_json(&self) -> Value {
        self.keys.iter().skip(1).rev().fold(self.value.to_json(), |value, key| {
            Value::Object(Map::from_iter([(key.text.clone(), value)]))
        })
    }

    /// The entries of its block. Names after the first are entries too.
    pub fn entries(&self) -> Option<Vec<Item>> {
        let items = self.value.items()?;
        match self.keys.len() {
            0 | 1 => Some(items.to_vec()),
            _ => Some(vec![Item { keys: self.keys[1..].to_vec(), ..self.clone() }]),
        }
    }
}

impl Node {
    pub fn items(&self) -> Option<&[Item]> {
        match &self.content {
            Content::Object(items) => Some(items),
            _ => None,
        }
    }

    /// What a sentence calls it.
    pub fn shape(&self) -> &'static str {
        match self.content {
            Content::Text(_) => "a text",
            Content::Integer(_) | Content::Float(_) => "a number",
            Content::Bool(_) => "a truth value",
            Content::List(_) => "a list",
            Content::Object(_) => "a block",
        }
    }

    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Text(text) => Value::from(text.as_str()),
            Content::Integer(number) => Value::from(*number),
            Content::Float(number) => Value::from(*number),
            Content::Bool(truth) => Value::from(*truth),
            Content::List(nodes) => Value::Array(nodes.iter().map(Node::to_json).collect()),
            Content::Object(items) => Value::Object(items_to_json(items)),
        }
    }
}

impl Mistakes {
    pub fn add(
        &mut self,
        range: Range<usize>,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        if !self.is_full() {
            self.found.push(PolicyMistake { range, message: message.into(), help: help.into() });
        }
    }

    /// Further ones would be left out.
    pub fn is_full(&self) -> bool {
        self.found.len() >= MAX_MISTAKES
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// In the order of the text.
    pub fn into_result<T>(mut self, value: T) -> Result<T, Vec<PolicyMistake>> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by_key(|it| (it.range.start, it.range.end));
        self.found.dedup();
        Err(self.found)
    }
}

/// `a "b" { … }` and `a { b { … } }` are the same object; what is said in two blocks is one.
pub(super) fn items_to_json(items: &[Item]) -> Map<String, Value> {
    let mut map = Map::new();
    items.iter().for_each(|it| merge(&mut map, it.word(), it.to_json()));
    map
}

/// Objects grow into one; of anything else the first stays.
pub(super) fn merge(map: &mut Map<String, Value>, key: &str, value: Value) {
    match (map.get_mut(key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            new.into_iter().for_each(|(key, value)| merge(old, &key, value));
        }
        (Some(_), _) => {}
        (None, value) => {
            map.insert(key.to_string(), value);
        }
    }
}
