//! Where what is there is not what should be, field by field.

use std::fmt;

use serde_json::Value;

use crate::{
    Body,
    kind::{Field, Part, Shape},
    live::Live,
    object::{Object, has_reference},
};

/// `field` has a dot for each body within the body. A value that is not there is `None`.
#[derive(Clone)]
pub struct Difference {
    pub field: String,
    pub live: Option<Value>,
    pub desired: Option<Value>,
    /// Neither value may be shown.
    pub secret: bool,
    /// Vault cannot change it.
    pub fixed: bool,
    pub shape: Shape,
}

/// What should be there, words of ours left out and references filled in where `live` knows them.
pub fn desired(object: &Object, live: &Live, there: Option<&Body>) -> Body {
    let body = (object.kind.desire)(&object.said, there);
    let is_ours = |key: &str| object.row(key).is_some_and(|it| it.part != Part::Body);
    let kept = body.iter().filter(|(key, _)| !is_ours(key));
    kept.map(|(key, it)| (key.clone(), live.fill(it))).collect()
}

/// Only what the spec says counts: Vault may answer with more.
pub fn differences(object: &Object, desired: &Body, there: &Body) -> Vec<Difference> {
    let mut found = Vec::new();
    for (key, value) in desired {
        let row = object.row(key);
        let live = there.get(key);
        if row.is_some_and(|it| it.write_only || (it.unanswered && live.is_none())) {
            continue;
        }
        let any = Field::new("", Shape::Any);
        let within =
            Within { secret: object.is_secret(key), fixed: row.is_some_and(|it| it.fixed) };
        within.compare(row.unwrap_or(&any), key.clone(), Some(value), live, &mut found);
    }
    found
}

#[derive(Clone, Copy)]
struct Within {
    secret: bool,
    fixed: bool,
}

impl Within {
    fn compare(
        self,
        field: &Field,
        name: String,
        desired: Option<&Value>,
        live: Option<&Value>,
        found: &mut Vec<Difference>,
    ) {
        let null = Value::Null;
        if field.same(desired.unwrap_or(&null), live.unwrap_or(&null)) && desired.is_some() {
            return;
        }
        let within =
            Within { secret: self.secret || field.secret, fixed: self.fixed || field.fixed };
        match (field.shape, desired, live) {
            (Shape::Body(fields), Some(Value::Object(said)), _) => {
                for (key, value) in said {
                    let any = Field::new("", Shape::Any);
                    let row = crate::kind::field(fields, key).unwrap_or(&any);
                    let live = live.and_then(|it| it.get(key));
                    within.compare(row, format!("{name}.{key}"), Some(value), live, found);
                }
            }
            (Shape::Any | Shape::Map, Some(Value::Object(said)), Some(Value::Object(there))) => {
                let any = Field::new(
                    "",
                    if matches!(field.shape, Shape::Map) { Shape::Text } else { Shape::Any },
                );
                for (key, value) in said {
                    within.compare(
                        &any,
                        format!("{name}.{key}"),
                        Some(value),
                        there.get(key),
                        found,
                    );
                }
                for (key, value) in there.iter().filter(|(key, _)| !said.contains_key(*key)) {
                    within.compare(&any, format!("{name}.{key}"), None, Some(value), found);
                }
            }
            _ => found.push(within.difference(field, name, desired, live)),
        }
    }

    fn difference(
        self,
        field: &Field,
        name: String,
        desired: Option<&Value>,
        live: Option<&Value>,
    ) -> Difference {
        let lasts = field.lasting && live.is_some_and(|it| *it == Value::Bool(true));
        Difference {
            field: name,
            live: live.filter(|it| !it.is_null()).cloned(),
            desired: desired.cloned(),
            secret: self.secret,
            fixed: self.fixed || lasts,
            shape: field.shape,
        }
    }
}

impl Difference {
    /// Whether its value is known only once something else has been made.
    pub fn is_open(&self) -> bool {
        self.desired.as_ref().is_some_and(has_reference)
    }
}

/// Values can be secret, so only the field is shown.
impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)
    }
}
