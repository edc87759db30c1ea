//! One field of a body: what it is called, what it holds, and what becomes of it.

use serde_json::Value;

use crate::Body;

pub use crate::shape::Shape;

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

pub const fn commas(name: &'static str) -> Field {
    Field::new(name, Shape::Commas)
}

pub const fn path(name: &'static str) -> Field {
    Field::new(name, Shape::Path)
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
