//! A spec as a tree: what was said, and where.

use std::{fmt, sync::Arc};

use serde_json::{Number, Value};

use crate::source::{Mistake, Place};

/// One value of a spec. `Debug` shows its shape and never what is secret in it.
#[derive(Clone, PartialEq)]
pub struct Node {
    pub place: Place,
    pub value: NodeValue,
    /// Must not be shown: it came from a secret variable, or its field is one that Vault never reads back.
    pub secret: bool,
}

#[derive(Clone, PartialEq)]
pub enum NodeValue {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the text; no key twice.
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, PartialEq)]
pub struct Key {
    /// Shared, since a spec says the same few hundred keys thousands of times.
    pub text: Arc<str>,
    pub place: Place,
}

impl Node {
    pub fn new(place: Place, value: NodeValue) -> Node {
        Node { place, value, secret: false }
    }

    /// A node for each value inside, all at one place: for values that were computed and not written.
    pub fn from_json(place: Place, value: Value) -> Node {
        let inner = |it| Node::from_json(place, it);
        let value = match value {
            Value::Null => NodeValue::Null,
            Value::Bool(it) => NodeValue::Bool(it),
            Value::Number(it) => NodeValue::Number(it),
            Value::String(it) => NodeValue::Text(it),
            Value::Array(it) => NodeValue::List(it.into_iter().map(inner).collect()),
            Value::Object(it) => NodeValue::Map(
                it.into_iter()
                    .map(|(key, it)| (Key { text: key.into(), place }, inner(it)))
                    .collect(),
            ),
        };
        Node::new(place, value)
    }

    pub fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(it) => Value::Bool(*it),
            NodeValue::Number(it) => Value::Number(it.clone()),
            NodeValue::Text(it) => Value::String(it.clone()),
            NodeValue::List(it) => Value::Array(it.iter().map(Node::to_json).collect()),
            NodeValue::Map(it) => Value::Object(
                it.iter().map(|(key, it)| (key.text.to_string(), it.to_json())).collect(),
            ),
        }
    }

    /// As `to_json`, without a second copy of the texts.
    pub fn into_json(self) -> Value {
        match self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(it) => Value::Bool(it),
            NodeValue::Number(it) => Value::Number(it),
            NodeValue::Text(it) => Value::String(it),
            NodeValue::List(it) => Value::Array(it.into_iter().map(Node::into_json).collect()),
            NodeValue::Map(it) => Value::Object(
                it.into_iter().map(|(key, it)| (key.text.to_string(), it.into_json())).collect(),
            ),
        }
    }

    /// What a map says under this key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, it)| it)
    }

    /// A map's key with its place, and what it says under it.
    pub fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        self.as_map()?.iter().find(|(it, _)| &*it.text == key).map(|(key, it)| (key, it))
    }

    /// Takes what a map says under this key out of it.
    pub fn take(&mut self, key: &str) -> Option<(Key, Node)> {
        let NodeValue::Map(entries) = &mut self.value else { return None };
        let at = entries.iter().position(|(it, _)| &*it.text == key)?;
        Some(entries.remove(at))
    }

    pub fn as_map(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            NodeValue::Map(it) => Some(it),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            NodeValue::List(it) => Some(it),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(it) => Some(it),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match &self.value {
            NodeValue::Bool(it) => Some(*it),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<&Number> {
        match &self.value {
            NodeValue::Number(it) => Some(it),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, NodeValue::Null)
    }

    /// For messages: "should be a list, not **a map**".
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "nothing",
            NodeValue::Bool(_) => "true or false",
            NodeValue::Number(_) => "a number",
            NodeValue::Text(_) => "text",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a map",
        }
    }

    /// The mistake of being something else than `wanted`, such as "a list".
    pub fn should_be(&self, what: &str, wanted: &str) -> Mistake {
        Mistake::error(self.place, format!("{what} should be {wanted}, not {}", self.kind_name()))
    }

    /// Whether anything in it must not be shown.
    pub fn holds_secret(&self) -> bool {
        self.secret
            || match &self.value {
                NodeValue::List(it) => it.iter().any(Node::holds_secret),
                NodeValue::Map(it) => it.iter().any(|(_, it)| it.holds_secret()),
                _ => false,
            }
    }

    /// Marks it and all in it.
    pub fn make_secret(&mut self) {
        self.secret = true;
        match &mut self.value {
            NodeValue::List(it) => it.iter_mut().for_each(Node::make_secret),
            NodeValue::Map(it) => it.iter_mut().for_each(|(_, it)| it.make_secret()),
            _ => {}
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            _ if self.secret => write!(f, "<{}, secret>", self.kind_name()),
            NodeValue::Null => f.write_str("null"),
            NodeValue::Bool(it) => it.fmt(f),
            NodeValue::Number(it) => fmt::Display::fmt(it, f),
            NodeValue::Text(it) => fmt::Debug::fmt(it, f),
            NodeValue::List(it) => f.debug_list().entries(it).finish(),
            NodeValue::Map(it) => f.debug_map().entries(it.iter().map(|(k, v)| (k, v))).finish(),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The mistake of a key that stands in two places of what should be one map.
pub(crate) fn said_twice(key: &Key, first: Place) -> Mistake {
    Mistake::error(key.place, format!("`{}` is said twice", key.text))
        .help("keep one of them")
        .also(first, "first said here")
}
