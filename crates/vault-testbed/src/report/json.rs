//! Results for programs.

use serde_json::{Value, json};

use super::{Results, ScenarioResult, StepResult, TurnResult};

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
    json!({
        "feature": result.feature,
        "rule": result.rule,
        "scenario": result.name,
        "file": result.path,
        "line": result.line,
        "tags": result.tags,
        "description": result.description,
        "verdict": result.verdict.word(),
        "reason": result.verdict.reason(),
        "attempts": result.attempts,
        "seconds": result.took.as_secs_f64(),
        "evidence": result.evidence().collect::<Vec<&str>>(),
        "steps": result.steps.iter().map(step).collect::<Vec<Value>>(),
        "turns": result.turns.iter().map(turn).collect::<Vec<Value>>(),
    })
}

fn turn(turn: &TurnResult) -> Value {
    json!({
        "of": turn.of,
        "what": turn.what.word(),
        "at_seconds": turn.at.as_secs_f64(),
        "lasts_seconds": turn.lasts.map(|it| it.as_secs()),
    })
}

fn step(step: &StepResult) -> Value {
    json!({
        "keyword": step.keyword,
        "text": step.text,
        "line": step.line,
        "seconds": step.took.as_secs_f64(),
        "failed": step.failed,
        "evidence": step.evidence,
    })
}
