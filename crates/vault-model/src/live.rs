//! What Vault answered.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Body, Path, object::each_reference, reference};

/// A path that is in neither map does not exist.
#[derive(Default)]
pub struct Live {
    /// What is there, reworded as it would have been written.
    bodies: HashMap<Path, Body>,
    /// KV v2 secrets whose newest version is deleted, with the number of that version.
    deleted: HashMap<Path, u64>,
}

impl Live {
    pub fn insert(&mut self, path: impl Into<Path>, body: Body) {
        self.bodies.insert(path.into(), body);
    }

    pub fn insert_deleted(&mut self, path: impl Into<Path>, version: u64) {
        self.deleted.insert(path.into(), version);
    }

    pub fn get(&self, path: &str) -> Option<&Body> {
        self.bodies.get(path)
    }

    pub fn deleted_version(&self, path: &str) -> Option<u64> {
        self.deleted.get(path).copied()
    }

    pub fn extend(&mut self, other: Live) {
        self.bodies.extend(other.bodies);
        self.deleted.extend(other.deleted);
    }

    /// What `${path#field}` stands for. `field` may go into a body: `metadata.version`.
    pub fn field(&self, path: &str, field: &str) -> Option<&Value> {
        let mut names = field.split('.');
        let first = self.bodies.get(path)?.get(names.next()?)?;
        names.try_fold(first, |value, name| match value {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            _ => value.get(name),
        })
    }

    /// `value` with its references filled in, where all of a text's can be answered.
    pub fn fill(&self, value: &Value) -> Value {
        fill(value, &|path, field| self.field(path, field).cloned())
    }

    /// The references in `value` that cannot be answered.
    pub fn unanswered(&self, value: &Value) -> Vec<Path> {
        let mut missing = Vec::new();
        each_reference(value, &mut |path, field| {
            if self.field(path, field).is_none() {
                missing.push(path.to_owned());
            }
        });
        missing
    }
}

/// `value` with its references filled in by `answer`; a text of which one stays open is left as it is.
pub fn fill(value: &Value, answer: &dyn Fn(&str, &str) -> Option<Value>) -> Value {
    match value {
        Value::String(text) if text.contains("${") => {
            reference::fill(text, answer).unwrap_or_else(|| value.clone())
        }
        Value::Array(items) => items.iter().map(|it| fill(it, answer)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, it)| (key.clone(), fill(it, answer))).collect()
        }
        other => other.clone(),
    }
}
