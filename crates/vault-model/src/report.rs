//! How what is in Vault compares with what should be: the plan, told object by object.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use serde_json::{Value, json};

use crate::{
    Path,
    object::Object,
    plan::{Action, Change, Plan},
};

/// The shape of the JSON below; it changes only together with this name.
pub const REPORT_FORMAT: &str = "vaultwright/report/1";

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
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|it| {
                let differences = it.change.iter().flat_map(|it| &it.differences);
                let differences: Vec<Value> = differences.map(|it| it.to_json()).collect();
                json!({ "path": it.path, "verdict": it.verdict(), "differences": differences })
            })
            .collect();
        json!({ "format": REPORT_FORMAT, "spec": spec, "findings": findings })
    }
}

impl Finding<'_> {
    fn verdict(&self) -> &'static str {
        match self.change.map(|it| it.action) {
            None => "ok",
            Some(Action::Create) => "missing",
            Some(_) => "differs",
        }
    }
}
