//! One field of a body: what it holds, and when two values of it are the same.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{Body, duration, policy, url};

/// A row's column: most fields are `text("name")` with a word or two behind it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    /// A spec must say it.
    pub required: bool,
    /// Vault cannot change it once written.
    pub fixed: bool,
    /// Vault takes it and never gives it back.
    pub write_only: bool,
    /// Some servers never give it back: where it is not in the answer, it counts as the same.
    pub unanswered: bool,
    /// Its value is never printed.
    pub secret: bool,
    /// The path that its value names, with `{}` for the value and `{mount}` for the object's own.
    pub names: Option<&'static str>,
    /// How long a lease, token or login lives: what `prove` scales down.
    pub life: bool,
    /// Once it is true, Vault never makes it false again.
    pub lasting: bool,
    /// The field that it belongs to: where that one changes, it is written again although it cannot be compared.
    pub belongs_to: Option<&'static str>,
    /// Only Vault Enterprise takes it.
    pub enterprise: bool,
    /// Still taken by Vault, under a newer name.
    pub renamed: Option<&'static str>,
    /// The only values that Vault takes; empty for no limit.
    pub values: &'static [&'static str],
    pub part: Part,
}

/// What becomes of a field: most go to Vault as they are, some are words of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Body,
    /// Written only where the object does not exist yet.
    Seed,
    /// Keys whose values Vault makes up, by a password policy, where they do not exist yet.
    Generate,
    /// `once`: let Vault replace the password after the first write.
    RotateRoot,
}

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
    /// An ACL policy, compared by what it means.
    Policy,
    /// A password policy, compared by what it means.
    PasswordPolicy,
    /// A body within the body.
    Body(&'static [Field]),
    /// Anything, compared as it is.
    Any,
}

pub const fn text(name: &'static str) -> Field {
    Field::new(name, Shape::Text)
}

pub const fn trimmed(name: &'static str) -> Field {
    Field::new(name, Shape::Trimmed)
}

pub const fn flag(name: &'static str) -> Field {
    Field::new(name, Shape::Flag)
}

pub const fn number(name: &'static str) -> Field {
    Field::new(name, Shape::Number)
}

pub const fn seconds(name: &'static str) -> Field {
    Field::new(name, Shape::Seconds)
}

/// Seconds that a lease, a token or a login lives.
pub const fn life(name: &'static str) -> Field {
    let mut field = Field::new(name, Shape::Seconds);
    field.life = true;
    field
}

pub const fn list(name: &'static str) -> Field {
    Field::new(name, Shape::List)
}

pub const fn set(name: &'static str) -> Field {
    Field::new(name, Shape::Set)
}

pub const fn lower_set(name: &'static str) -> Field {
    Field::new(name, Shape::LowerSet)
}

pub const fn networks(name: &'static str) -> Field {
    Field::new(name, Shape::Networks)
}

pub const fn url(name: &'static str) -> Field {
    Field::new(name, Shape::Url)
}

pub const fn statements(name: &'static str) -> Field {
    Field::new(name, Shape::Statements)
}

pub const fn map(name: &'static str) -> Field {
    Field::new(name, Shape::Map)
}

pub const fn json(name: &'static str) -> Field {
    Field::new(name, Shape::Json)
}

pub const fn any(name: &'static str) -> Field {
    Field::new(name, Shape::Any)
}

pub const fn body(name: &'static str, fields: &'static [Field]) -> Field {
    Field::new(name, Shape::Body(fields))
}

impl Field {
    pub const fn new(name: &'static str, shape: Shape) -> Field {
        Field {
            name,
            shape,
            required: false,
            fixed: false,
            write_only: false,
            unanswered: false,
            secret: false,
            names: None,
            life: false,
            lasting: false,
            belongs_to: None,
            enterprise: false,
            renamed: None,
            values: &[],
            part: Part::Body,
        }
    }

    pub const fn required(mut self) -> Field {
        self.required = true;
        self
    }

    pub const fn fixed(mut self) -> Field {
        self.fixed = true;
        self
    }

    pub const fn write_only(mut self) -> Field {
        self.write_only = true;
        self
    }

    pub const fn unanswered(mut self) -> Field {
        self.unanswered = true;
        self
    }

    pub const fn secret(mut self) -> Field {
        self.secret = true;
        self
    }

    pub const fn lasting(mut self) -> Field {
        self.lasting = true;
        self
    }

    pub const fn belongs_to(mut self, field: &'static str) -> Field {
        self.belongs_to = Some(field);
        self
    }

    pub const fn enterprise(mut self) -> Field {
        self.enterprise = true;
        self
    }

    pub const fn names(mut self, path: &'static str) -> Field {
        self.names = Some(path);
        self
    }

    /// This name is the old one of `to`.
    pub const fn renamed(mut self, to: &'static str) -> Field {
        self.renamed = Some(to);
        self
    }

    pub const fn values(mut self, values: &'static [&'static str]) -> Field {
        self.values = values;
        self
    }

    pub const fn part(mut self, part: Part) -> Field {
        self.part = part;
        self
    }

    /// Whether `live` is what `said` asks for. Parts of a body that `said` leaves out do not count.
    pub fn same(&self, said: &Value, live: &Value) -> bool {
        self.shape.same(said, live)
    }
}

impl Shape {
    fn same(self, said: &Value, live: &Value) -> bool {
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

    /// The one way to write `value`, or `None` where it is not of this shape.
    pub fn canonical(self, value: &Value) -> Option<Value> {
        match self {
            Shape::Text => text_of(value).map(|it| Value::String(it.into_owned())),
            Shape::Trimmed => text_of(value).map(|it| json!(it.trim())),
            Shape::Flag => flag_of(value).map(Value::Bool),
            Shape::Number => number_of(value),
            Shape::Seconds => seconds_of(value).map(Value::from),
            Shape::List => items_of(value).map(Value::Array),
            Shape::Set => items_of(value).map(sorted),
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
            Shape::Text | Shape::Trimmed | Shape::Url | Shape::Policy | Shape::PasswordPolicy => {
                "a text"
            }
            Shape::Flag => "`true` or `false`",
            Shape::Number => "a number",
            Shape::Seconds => "a duration: seconds, or a text such as `90s`, `1h30m`, `30d`",
            Shape::List | Shape::Set | Shape::LowerSet => "a list of texts",
            Shape::Networks => "a list of addresses or networks",
            Shape::Statements => "a list of statements",
            Shape::Map => "a map of names and texts",
            Shape::Json => "a map, a list, or a text that holds JSON",
            Shape::Body(_) => "a map",
            Shape::Any => "a value",
        }
    }
}

pub fn field(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|it| it.name == name)
}

/// `body` as Vault's API takes it, where `field` finds the rows of its fields.
pub fn written(body: &Body, field: impl Fn(&str) -> Option<&'static Field>) -> Body {
    let one = |(key, value): (&String, &Value)| {
        let written = field(key).map_or_else(|| value.clone(), |it| it.shape.written(value));
        (key.clone(), written)
    };
    body.iter().map(one).collect()
}

/// Several lists of fields as one: a row has only one.
pub const fn joined<const N: usize>(lists: &[&[Field]]) -> [Field; N] {
    let mut all = [text(""); N];
    let (mut list, mut filled) = (0, 0);
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            all[filled] = lists[list][at];
            (at, filled) = (at + 1, filled + 1);
        }
        list += 1;
    }
    assert!(filled == N, "N is the number of all fields");
    all
}

/// How many fields the lists have together.
pub const fn count(lists: &[&[Field]]) -> usize {
    let (mut list, mut count) = (0, 0);
    while list < lists.len() {
        (list, count) = (list + 1, count + lists[list].len());
    }
    count
}

/// The fields of all the lists given.
macro_rules! fields {
    ($($list:expr),+ $(,)?) => {{
        const LISTS: &[&[Field]] = &[$($list),+];
        const ALL: [Field; count(LISTS)] = joined(LISTS);
        &ALL
    }};
}
pub(crate) use fields;

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
