//! A spec once its files are joined, its variables known and its templates filled in. No secret value is in it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Body, Path, object::Object, source::Sources, spec::Spec};

/// What `vaultwright render` prints.
#[derive(Debug, Serialize)]
pub struct Rendered {
    pub name: String,
    /// In the order of their paths.
    pub objects: Vec<RenderedObject>,
}

#[derive(Debug, Serialize)]
pub struct RenderedObject {
    pub path: Path,
    /// `file:line:column`
    pub said_at: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub protect: bool,
    /// As the spec says them; references stay, as only Vault knows what they give.
    pub fields: Body,
}

/// Stands for a value that is not shown, as in a plan.
const HIDDEN: &str = "(secret)";

impl Spec {
    pub fn rendered(&self) -> Rendered {
        let objects = self.objects.iter().map(|it| it.rendered(&self.sources)).collect();
        Rendered { name: self.name.clone(), objects }
    }
}

impl Object {
    fn rendered(&self, sources: &Sources) -> RenderedObject {
        let field = |(name, value): (&String, &Value)| (name.clone(), self.shown(name, value));
        RenderedObject {
            path: self.path.clone(),
            said_at: sources.describe(self.place),
            protect: self.protect,
            fields: self.said.iter().map(field).collect(),
        }
    }

    fn shown(&self, name: &str, value: &Value) -> Value {
        match self.row(name) {
            _ if self.is_secret(name) => hidden(value),
            Some(row) => row.shape.shown(value),
            None => value.clone(),
        }
    }
}

/// Names of fields are no secrets: of a KV secret one sees which it has.
fn hidden(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, it)| (name.clone(), hidden(it))).collect()
        }
        _ => json!(HIDDEN),
    }
}
