//! What a field's value looks like, when two values are the same, and how Vault wants them.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    Body, duration,
    field::{Field, field, written},
    policy, url,
};

#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Text,
    /// White space at both ends means nothing.
    Trimmed,
    Flag,
    Number,
    /// `3600`, `"3600"` and `"1h"` are the same.
    Seconds,
    /// `"a,b"` and `["a", "b"]` are the same.
    List,
    /// A list whose order means nothing.
    Set,
    /// A set that Vault writes in lower case.
    LowerSet,
    /// A set that Vault takes and gives as one text, with commas.
    Commas,
    /// A set of networks; the mask of a single address may be left out.
    Networks,
    /// A password in it reads back as `xxxxx`, and odd characters with a percent sign.
    Url,
    /// Statements in the order of their execution; one alone may stand without a list.
    Statements,
    /// Names and texts; `null` is the empty one.
    Map,
    /// A text that holds JSON. A spec may say the JSON itself.
    Json,
    /// A path; a slash at its end means nothing.
    Path,
    /// An ACL policy, compared by what it means.
    Policy,
    /// A password policy, compared by what it means.
    PasswordPolicy,
    /// A body within the body.
    Body(&'static [Field]),
    /// Anything, compared as it is.
    Any,
}

impl Shape {
    pub fn same(self, said: &Value, live: &Value) -> bool {
        if said == live {
            return true;
        }
        if let (Shape::Body(fields), Value::Object(said), Value::Object(live)) = (self, said, live)
        {
            return said.iter().all(|(key, said)| {
                let shape = field(fields, key).map_or(Shape::Any, |it| it.shape);
                shape.same(said, live.get(key).unwrap_or(&Value::Null))
            });
        }
        match (self.canonical(said), self.canonical(live)) {
            (Some(said), Some(live)) => said == live,
            _ => false,
        }
    }

    /// As people may see it: without the password that a URL may hold.
    pub fn shown(self, value: &Value) -> Value {
        match (self, value) {
            (Shape::Url, Value::String(url)) => json!(url::shown(url)),
            _ => value.clone(),
        }
    }

    /// The one way to write `value`, or `None` where it is not of this shape.
    pub fn canonical(self, value: &Value) -> Option<Value> {
        match self {
            Shape::Text => text_of(value).map(|it| Value::String(it.into_owned())),
            Shape::Trimmed => text_of(value).map(|it| json!(it.trim())),
            Shape::Flag => flag_of(value).map(Value::Bool),
            Shape::Number => number_of(value),
            Shape::Seconds => seconds_of(value).map(Value::from),
            Shape::List => items_of(value).map(Value::Array),
            Shape::Set | Shape::Commas => items_of(value).map(sorted),
            Shape::LowerSet => items_of(value).map(|items| {
                let lower =
                    |it: &Value| it.as_str().map_or(it.clone(), |it| json!(it.to_lowercase()));
                sorted(items.iter().map(lower).collect())
            }),
            Shape::Networks => {
                items_of(value).map(|items| sorted(items.iter().map(network).collect()))
            }
            Shape::Url => text_of(value).map(|it| Value::String(url::compared(&it))),
            Shape::Statements => statements_of(value).map(Value::Array),
            Shape::Map => map_of(value),
            Shape::Json => match value {
                Value::String(text) if text.trim().is_empty() => Some(Value::Null),
                Value::String(text) => serde_json::from_str(text).ok(),
                _ => Some(value.clone()),
            },
            Shape::Path => text_of(value).map(|it| json!(it.trim_matches('/'))),
            Shape::Policy => value
                .as_str()
                .map(|text| policy::canonical(text).unwrap_or_else(|| json!(text.trim()))),
            Shape::PasswordPolicy => value.as_str().map(|text| {
                policy::password::canonical(text).unwrap_or_else(|| json!(text.trim()))
            }),
            Shape::Body(fields) => {
                let said = value.as_object()?;
                let one = |(key, value): (&String, &Value)| {
                    let shape = field(fields, key).map_or(Shape::Any, |it| it.shape);
                    Some((key.clone(), shape.canonical(value)?))
                };
                said.iter().map(one).collect::<Option<Body>>().map(Value::Object)
            }
            Shape::Any => Some(value.clone()),
        }
    }

    /// `value` as Vault's API takes it.
    pub fn written(self, value: &Value) -> Value {
        if matches!(value, Value::String(text) if text.contains("${")) {
            return value.clone();
        }
        let written = match self {
            Shape::Flag | Shape::Number | Shape::Seconds | Shape::Map => self.canonical(value),
            Shape::List | Shape::Set | Shape::LowerSet | Shape::Networks => {
                items_of(value).map(Value::Array)
            }
            Shape::Commas => items_of(value).map(|items| {
                let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                json!(texts.join(","))
            }),
            Shape::Statements => statements_of(value).map(Value::Array),
            Shape::Json if !matches!(value, Value::String(_) | Value::Null) => {
                Some(json!(value.to_string()))
            }
            Shape::Body(fields) => {
                value.as_object().map(|it| Value::Object(written(it, |key| field(fields, key))))
            }
            _ => None,
        };
        written.unwrap_or_else(|| value.clone())
    }

    /// As a sentence asks for it: "should be …".
    pub fn described(self) -> &'static str {
        match self {
            Shape::Text
            | Shape::Trimmed
            | Shape::Path
            | Shape::Url
            | Shape::Policy
            | Shape::PasswordPolicy => "a text",
            Shape::Flag => "`true` or `false`",
            Shape::Number => "a number",
            Shape::Seconds => "a duration: seconds, or a text such as `90s`, `1h30m`, `30d`",
            Shape::List | Shape::Set | Shape::LowerSet | Shape::Commas => "a list of texts",
            Shape::Networks => "a list of addresses or networks",
            Shape::Statements => "a list of statements",
            Shape::Map => "a map of names and texts",
            Shape::Json => "a map, a list, or a text that holds JSON",
            Shape::Body(_) => "a map",
            Shape::Any => "a value",
        }
    }
}

fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(it) => Some(Cow::Owned(it.to_string())),
        Value::Bool(it) => Some(Cow::Owned(it.to_string())),
        Value::Null => Some(Cow::Borrowed("")),
        _ => None,
    }
}

fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(it) => Some(*it),
        Value::String(text) => text.parse().ok(),
        Value::Null => Some(false),
        _ => None,
    }
}

fn number_of(value: &Value) -> Option<Value> {
    let number = match value {
        Value::Number(it) => it.clone(),
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null => 0.into(),
        _ => return None,
    };
    // 5 and 5.0 are the same number.
    match number.as_f64() {
        Some(it) if it.fract() == 0.0 && it.abs() < 9e15 => Some(json!(it as i64)),
        _ => Some(Value::Number(number)),
    }
}

fn seconds_of(value: &Value) -> Option<i64> {
    match value {
        Value::Null => Some(0),
        Value::String(text) if text.is_empty() || text == "system" => Some(0),
        _ => duration::seconds(value),
    }
}

fn items_of(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => {
            items.iter().map(|it| text_of(it).map(|it| json!(it.trim()))).collect()
        }
        Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
        Value::String(text) => Some(text.split(',').map(|it| json!(it.trim())).collect()),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

fn sorted(mut items: Vec<Value>) -> Value {
    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    items.dedup();
    Value::Array(items)
}

/// `10.0.0.1/32` is the same as `10.0.0.1`, and `FD00::1` as `fd00::1`.
fn network(value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default().to_lowercase();
    let single = if text.contains(':') { "/128" } else { "/32" };
    json!(text.strip_suffix(single).unwrap_or(&text))
}

fn statements_of(value: &Value) -> Option<Vec<Value>> {
    let trimmed = |it: &Value| it.as_str().map(|it| json!(it.trim()));
    match value {
        Value::Array(items) => items.iter().map(trimmed).collect(),
        Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
        Value::String(_) => trimmed(value).map(|it| vec![it]),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

fn map_of(value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let one = |(key, it): (&String, &Value)| Some((key.clone(), json!(text_of(it)?)));
            map.iter().map(one).collect::<Option<Body>>().map(Value::Object)
        }
        Value::Null => Some(json!({})),
        _ => None,
    }
}
