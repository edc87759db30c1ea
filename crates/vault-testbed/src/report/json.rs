//! Results for programs: the types behind the JSON, and its schema.

use std::path::Path;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    About, Asked, AskedResult, Results, ScenarioResult, StepResult, SystemResult, TurnResult,
    Unproven,
};
use crate::origin::Origin;

/// The shape of the JSON below; it changes only together with this name.
pub const FORMAT: &str = "vaultwright/scenarios/2";

/// What a proof says beyond its scenarios.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OfProof {
    /// The name of the spec.
    pub spec: String,
    /// Where the end of a life was waited for, all lives were shorter by this.
    pub lives_divided_by: i64,
    /// What no scenario shows, and why.
    pub not_proven: Vec<NotProven>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct NotProven {
    /// The path in Vault that it is about.
    pub path: String,
    pub reason: String,
}

/// What `--json FILE` of `vaultwright prove` and `vaultwright test` writes. All texts are masked.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "vaultwright scenarios", extend("unevaluatedProperties" = false))]
struct Told<'a> {
    /// The name of this shape.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    passed: usize,
    failed: usize,
    skipped: usize,
    seconds: f64,
    /// Why the run ended before its end.
    aborted: Option<&'a str>,
    /// Those with failures first.
    systems: Vec<ToldSystem<'a>>,
    /// In the order in which they ended; those that were never begun come last.
    scenarios: Vec<ToldScenario<'a>>,
    /// Only of `prove`.
    #[serde(flatten)]
    of_proof: Option<&'a OfProof>,
}

/// The scenarios that are about one spec.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "System", extend("additionalProperties" = false))]
struct ToldSystem<'a> {
    /// The spec's name; `null` for scenarios that bring all that they need themselves.
    system: Option<&'a str>,
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Of all its scenarios, one after the other.
    seconds: f64,
    /// What no scenario shows, and why.
    unproven: Vec<ToldUnproven<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Unproven", extend("additionalProperties" = false))]
struct ToldUnproven<'a> {
    /// A path in Vault, or a scenario that was skipped.
    what: String,
    reason: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Scenario", extend("additionalProperties" = false))]
struct ToldScenario<'a> {
    /// The name of the spec that it is about, if it is about one.
    system: Option<&'a str>,
    feature: &'a str,
    rule: Option<&'a str>,
    scenario: &'a str,
    /// The feature's file.
    file: Option<&'a Path>,
    line: usize,
    tags: &'a [String],
    /// What the feature says below the scenario's name: of a proof, the place in the spec.
    description: Option<&'a str>,
    /// The line of the spec behind it.
    spec: Option<ToldOrigin<'a>>,
    #[schemars(extend("enum" = ["passed", "failed", "skipped"]))]
    verdict: &'static str,
    /// Why it failed or was skipped.
    reason: Option<&'a str>,
    attempts: usize,
    seconds: f64,
    /// That of all steps.
    evidence: Vec<&'a str>,
    /// Of the last attempt.
    steps: Vec<ToldStep<'a>>,
    /// In the order of time.
    turns: Vec<ToldTurn<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Step", extend("additionalProperties" = false))]
struct ToldStep<'a> {
    /// `Given`, `When`, …
    keyword: &'a str,
    text: &'a str,
    line: usize,
    seconds: f64,
    failed: bool,
    /// What was seen that shows that it holds, or does not.
    evidence: &'a [String],
    /// What it asked of Vault and of other servers, in the order of time; the middle of a long list is left out.
    asked: Vec<ToldAsked<'a>>,
    /// How much is left out.
    asked_left_out: usize,
    /// The line of the spec behind what it names.
    spec: Option<ToldOrigin<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Origin", extend("additionalProperties" = false))]
struct ToldOrigin<'a> {
    /// `file:line:column`
    place: &'a str,
    /// As it is written, without what is secret.
    line: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Asked", extend("unevaluatedProperties" = false))]
struct ToldAsked<'a> {
    /// Since the scenario began.
    at_seconds: f64,
    /// Of all times together.
    seconds: f64,
    /// So often in a row, with the same answer.
    times: usize,
    #[serde(flatten)]
    what: ToldWhat<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "of", rename_all = "lowercase")]
#[schemars(rename = "What")]
enum ToldWhat<'a> {
    /// To Vault.
    Request { method: &'a str, path: &'a str, status: u16 },
    /// To another server in its own language, such as SQL, or by another client: a request, or what a program was told.
    Statement {
        server: &'a str,
        /// Who asked: a login, or a client.
        login: &'a str,
        statement: &'a str,
        /// Where it was refused, in the server's own words: an SQLSTATE, an HTTP status, an exit code.
        code: Option<&'a str>,
        answer: &'a str,
    },
}

/// A turn in the life of a lease, a token or a password.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Turn", extend("additionalProperties" = false))]
struct ToldTurn<'a> {
    of: &'a str,
    /// `issued`, `used`, `renewed`, `rotated`, `revoked`, `refused`
    what: &'static str,
    /// Since the scenario began.
    at_seconds: f64,
    lasts_seconds: Option<u64>,
}

/// Of what `json` gives.
pub fn schema() -> Schema {
    schema_for!(Told<'static>)
}

/// `{format, passed, failed, skipped, seconds, systems: […], scenarios: [{feature, scenario, verdict, reason?, steps, …}]}`
pub fn json(results: &Results, about: &About) -> Value {
    json!(Told {
        format: FORMAT,
        passed: results.passed(),
        failed: results.failed(),
        skipped: results.skipped(),
        seconds: results.took.as_secs_f64(),
        aborted: results.aborted.as_deref(),
        systems: results.systems(about).into_iter().map(system).collect(),
        scenarios: results.scenarios.iter().map(scenario).collect(),
        of_proof: about.of_proof.as_ref(),
    })
}

fn system(of: SystemResult<'_>) -> ToldSystem<'_> {
    let unproven = of.unproven.into_iter();
    let unproven = unproven.map(|Unproven { what, reason }| ToldUnproven { what, reason });
    ToldSystem {
        system: of.name,
        passed: of.passed,
        failed: of.failed,
        skipped: of.skipped,
        seconds: of.took.as_secs_f64(),
        unproven: unproven.collect(),
    }
}

fn scenario(result: &ScenarioResult) -> ToldScenario<'_> {
    ToldScenario {
        system: result.system.as_deref(),
        feature: &result.feature,
        rule: result.rule.as_deref(),
        scenario: &result.name,
        file: result.path.as_deref(),
        line: result.line,
        tags: &result.tags,
        description: result.description.as_deref(),
        spec: result.origin.as_ref().map(origin),
        verdict: result.verdict.word(),
        reason: result.verdict.reason(),
        attempts: result.attempts,
        seconds: result.took.as_secs_f64(),
        evidence: result.evidence().collect(),
        steps: result.steps.iter().map(step).collect(),
        turns: result.turns.iter().map(turn).collect(),
    }
}

fn step(step: &StepResult) -> ToldStep<'_> {
    ToldStep {
        keyword: &step.keyword,
        text: &step.text,
        line: step.line,
        seconds: step.took.as_secs_f64(),
        failed: step.failed,
        evidence: &step.evidence,
        asked: step.asked.iter().map(asked).collect(),
        asked_left_out: step.asked_left_out,
        spec: step.origin.as_ref().map(origin),
    }
}

fn origin(origin: &Origin) -> ToldOrigin<'_> {
    ToldOrigin { place: &origin.place, line: &origin.line }
}

fn asked(asked: &AskedResult) -> ToldAsked<'_> {
    let what = match &asked.what {
        Asked::Request { method, path, status } => {
            ToldWhat::Request { method, path, status: *status }
        }
        Asked::Statement { server, login, text, code, answer } => {
            let code = code.as_deref();
            ToldWhat::Statement { server, login, statement: text, code, answer }
        }
    };
    let (at_seconds, seconds) = (asked.at.as_secs_f64(), asked.took.as_secs_f64());
    ToldAsked { at_seconds, seconds, times: asked.times, what }
}

fn turn(turn: &TurnResult) -> ToldTurn<'_> {
    ToldTurn {
        of: &turn.of,
        what: turn.what.word(),
        at_seconds: turn.at.as_secs_f64(),
        lasts_seconds: turn.lasts.map(|it| it.as_secs()),
    }
}
