//! A plan and a report as programs read them: the types behind the JSON, and its schema. No secret value is in either.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Path,
    difference::Difference,
    plan::{Action, Change, Plan},
};

/// The shape of `ToldPlan`; it changes only together with this name.
pub const PLAN_FORMAT: &str = "vaultwright/plan/1";

/// What `vaultwright plan --format json` prints.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "vaultwright plan", extend("additionalProperties" = false))]
struct ToldPlan<'a> {
    /// The name of this shape.
    #[schemars(extend("const" = PLAN_FORMAT))]
    format: &'static str,
    /// The spec's name.
    spec: &'a str,
    /// In the order in which they are carried out.
    changes: Vec<ToldChange<'a>>,
    /// How many objects are as they should be.
    unchanged: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Change", extend("additionalProperties" = false))]
struct ToldChange<'a> {
    /// Where Vault keeps the object, without `/v1/`.
    path: &'a Path,
    action: Action,
    differences: Vec<ToldDifference<'a>>,
    /// Whether Vault replaces the root password of the object.
    rotates_root: bool,
    /// Method, path and names of fields of what is sent; never a value.
    requests: Vec<String>,
}

/// What is in Vault and what should be, in one field.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Difference")]
pub(crate) enum ToldDifference<'a> {
    /// A field whose values are shown nowhere.
    #[schemars(extend("additionalProperties" = false))]
    Secret {
        field: &'a str,
        #[schemars(extend("const" = true))]
        secret: bool,
        /// Vault cannot change it.
        fixed: bool,
    },
    #[schemars(extend("additionalProperties" = false))]
    Plain {
        /// With a dot for each body within the body.
        field: &'a str,
        /// `null` where it is not there.
        live: Option<Value>,
        /// `null` where it should not be there, or is known only once something else has been made.
        desired: Option<Value>,
        known_after_apply: bool,
        /// Vault cannot change it.
        fixed: bool,
    },
}

/// Of what `Plan::to_json` gives.
pub fn plan_schema() -> Schema {
    schema_for!(ToldPlan<'static>)
}

impl Plan {
    /// For programs. `format` names the shape; a secret's values are left out and `secret` is true.
    pub fn to_json(&self, spec: &str) -> Value {
        let changes = self.changes().map(Change::told).collect();
        json!(ToldPlan { format: PLAN_FORMAT, spec, changes, unchanged: self.unchanged })
    }
}

impl Change {
    fn told(&self) -> ToldChange<'_> {
        ToldChange {
            path: &self.object.path,
            action: self.action,
            differences: self.differences.iter().map(Difference::told).collect(),
            rotates_root: self.rotates_root(),
            requests: self.steps.iter().map(|it| it.request().to_string()).collect(),
        }
    }
}

impl Difference {
    pub(crate) fn told(&self) -> ToldDifference<'_> {
        let (field, fixed) = (self.field.as_str(), self.fixed);
        if self.secret {
            return ToldDifference::Secret { field, secret: true, fixed };
        }
        let desired = self.desired.as_ref().filter(|_| !self.is_open());
        ToldDifference::Plain {
            field,
            live: self.live.as_ref().map(|it| self.shape.shown(it)),
            desired: desired.map(|it| self.shape.shown(it)),
            known_after_apply: self.is_open(),
            fixed,
        }
    }
}
