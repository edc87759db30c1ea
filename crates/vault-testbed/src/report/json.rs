//! Results for programs.

use serde_json::{Value, json};

use super::{Results, ScenarioResult, StepResult, Verdict};

/// The shape of the JSON below; it changes only together with this name.
pub const FORMAT: &str = "vaultwright/scenarios/1";

/// `{format, passed, failed, skipped, seconds, scenarios: [{feature, scenario, verdict, reason?, steps, …}]}`
pub fn json(results: &Results) -> Value {
    json!({
        "format": FORMAT,
        "passed": results.passed(),
        "failed": results.failed(),
        "skipped": results.skipped(),
        "seconds": results.took.as_secs_f64(),
        "aborted": results.aborted,
        "scenarios": results.scenarios.iter().map(scenario).collect::<Vec<Value>>(),
    })
}

fn scenario(result: &ScenarioResult) -> Value {
    let (verdict, reason) = match &result.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Failed { reason } => ("failed", Some(reason)),
        Verdict::Skipped { reason } => ("skipped", Some(reason)),
    };
    json!({
        "feature": result.feature,
        "rule": result.rule,
        "scenario": result.name,
        "file": result.path,
        "line": result.line,
        "tags": result.tags,
        "verdict": verdict,
        "reason": reason,
        "attempts": result.attempts,
        "seconds": result.took.as_secs_f64(),
        "evidence": result.evidence,
        "steps": result.steps.iter().map(step).collect::<Vec<Value>>(),
    })
}

fn step(step: &StepResult) -> Value {
    json!({
        "keyword": step.keyword,
        "text": step.text,
        "line": step.line,
        "seconds": step.took.as_secs_f64(),
        "failed": step.failed,
    })
}
