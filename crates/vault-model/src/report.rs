//! How what is in Vault compares with what should be: the plan, told object by object.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Path,
    difference::Difference,
    object::Object,
    plan::{Action, Change, Plan},
    told::ToldDifference,
};

/// The shape of `ToldReport`; it changes only together with this name.
pub const REPORT_FORMAT: &str = "vaultwright/report/1";

/// What `vaultwright verify --format json` prints.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "vaultwright verification", extend("additionalProperties" = false))]
struct ToldReport<'a> {
    /// The name of this shape.
    #[schemars(extend("const" = REPORT_FORMAT))]
    format: &'static str,
    /// The spec's name.
    spec: &'a str,
    findings: Vec<ToldFinding<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding", extend("additionalProperties" = false))]
struct ToldFinding<'a> {
    /// Where Vault keeps the object, without `/v1/`.
    path: &'a Path,
    #[schemars(extend("enum" = ["ok", "missing", "differs"]))]
    verdict: &'static str,
    differences: Vec<ToldDifference<'a>>,
}

/// Of what `Report::to_json` gives.
pub fn schema() -> Schema {
    schema_for!(ToldReport<'static>)
}

#[derive(Debug)]
pub struct Report<'a> {
    findings: Vec<Finding<'a>>,
}

#[derive(Debug)]
struct Finding<'a> {
    path: &'a Path,
    /// `None` where nothing has to change.
    change: Option<&'a Change>,
}

impl<'a> Report<'a> {
    pub fn new(objects: &'a [Arc<Object>], plan: &'a Plan) -> Report<'a> {
        let changes: BTreeMap<&Path, &Change> =
            plan.changes().map(|it| (&it.object.path, it)).collect();
        let finding = |it: &'a Arc<Object>| Finding {
            path: &it.path,
            change: changes.get(&it.path).copied(),
        };
        Report { findings: objects.iter().map(finding).collect() }
    }

    /// A line for each object, and one that counts.
    pub fn show(&self, colour: bool) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let (on, off) = match (colour, finding.change) {
                (false, _) => ("", ""),
                (true, None) => ("\x1b[32m", "\x1b[0m"),
                (true, Some(_)) => ("\x1b[31m", "\x1b[0m"),
            };
            let _ = writeln!(text, "{on}{:<8}{off} {}", finding.verdict(), finding.path);
            for difference in finding.change.iter().flat_map(|it| &it.differences) {
                let _ = difference.show(&mut text);
            }
        }
        let holding = self.findings.iter().filter(|it| it.change.is_none()).count();
        let _ = writeln!(text, "\n{holding} of {} as they should be", self.findings.len());
        text
    }

    pub fn to_json(&self, spec: &str) -> Value {
        let findings = self.findings.iter().map(Finding::told).collect();
        json!(ToldReport { format: REPORT_FORMAT, spec, findings })
    }
}

impl Finding<'_> {
    fn told(&self) -> ToldFinding<'_> {
        let differences = self.change.iter().flat_map(|it| &it.differences);
        let differences = differences.map(Difference::told).collect();
        ToldFinding { path: self.path, verdict: self.verdict(), differences }
    }

    fn verdict(&self) -> &'static str {
        match self.change.map(|it| it.action) {
            None => "ok",
            Some(Action::Create) => "missing",
            Some(_) => "differs",
        }
    }
}
