//! What became of an apply or a destruction, for people and for programs.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};
use vault_model::{plan::Action, source::Place, spec::Spec};
use vault_provision::{Applied, Applying, Event, Outcome};

/// The shape of `ToldApplied`; it changes only together with this name.
const FORMAT: &str = "vaultwright/applied/1";

/// What `--format json` of `vaultwright apply` and `destroy` prints.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "vaultwright outcomes", extend("additionalProperties" = false))]
struct ToldApplied<'a> {
    /// The name of this shape.
    #[schemars(extend("const" = FORMAT))]
    format: &'static str,
    /// The spec's name.
    spec: &'a str,
    /// In the order of the plan. What is as it should be has none.
    results: Vec<ToldResult<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Result", extend("additionalProperties" = false))]
struct ToldResult<'a> {
    /// Where Vault keeps the object, without `/v1/`.
    path: &'a str,
    action: Action,
    outcome: ToldOutcome,
    /// What went wrong, or what Vault remarked; no secret value.
    problem: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Outcome")]
enum ToldOutcome {
    Done,
    /// Vault took the write and ignored part of it.
    Ignored,
    /// What it needs is not there.
    Skipped,
    /// Vault cannot do it; a person must.
    Blocked,
    Failed,
    /// The root password was replaced, and the ledger could not be told.
    Unrecorded,
    /// The run was stopped before its turn.
    #[serde(rename = "not started")]
    NotStarted,
}

/// Of what `told` gives.
pub fn schema() -> Schema {
    schema_for!(ToldApplied<'static>)
}

/// For programs. `format` names the shape.
pub fn told(spec: &Spec, applied: &Applied) -> Value {
    let results = applied.results.iter().map(|it| told_result(spec, it)).collect();
    json!(ToldApplied { format: FORMAT, spec: &spec.name, results })
}

fn told_result<'a>(spec: &Spec, it: &'a Applying) -> ToldResult<'a> {
    let problem = problem(&it.outcome).map(|it| spec.redactor.mask(&it).into_owned());
    ToldResult { path: &it.path, action: it.action, outcome: (&it.outcome).into(), problem }
}

/// `12 done, 1 failed, 2 not done`
pub fn counts(applied: &Applied) -> String {
    let count = |it: fn(&Outcome) -> bool| {
        applied.results.iter().filter(|result| it(&result.outcome)).count()
    };
    if applied.results.is_empty() {
        return String::new();
    }
    let done = count(Outcome::is_done);
    let blocked = count(|it| matches!(it, Outcome::Blocked));
    let not_begun = count(|it| matches!(it, Outcome::Skipped { .. } | Outcome::NotStarted));
    let failed = applied.results.len() - done - blocked - not_begun;
    let parts =
        [(done, "done"), (failed, "failed"), (not_begun, "not begun"), (blocked, "blocked")];
    let shown =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    shown.collect::<Vec<String>>().join(", ") + "\n"
}

/// What went wrong with one change, and where the spec says it. What was never begun is counted, and not told one by one.
pub fn failure(spec: &Spec, event: &Event<'_>) -> Option<String> {
    if matches!(event.outcome, Outcome::NotStarted) {
        return None;
    }
    let problem = problem(event.outcome)?;
    let place = place(spec, event).map(|it| format!("\n      {}", spec.sources.describe(it)));
    let text = format!("  ✗ {}: {problem}{}", event.path, place.unwrap_or_default());
    Some(spec.redactor.mask(&text).into_owned())
}

/// Where the spec says what went wrong: the first field that Vault ignored, else the object.
fn place(spec: &Spec, event: &Event<'_>) -> Option<Place> {
    let object = spec.objects.iter().find(|it| it.path == event.path)?;
    let ignored = match event.outcome {
        Outcome::Ignored { warnings } => warnings.join(" "),
        _ => String::new(),
    };
    let words = ignored.split(|it: char| !it.is_alphanumeric() && it != '_');
    let field = words.into_iter().find(|it| object.said.contains_key(*it));
    Some(field.map_or(object.place, |it| object.field_place(it)))
}

fn problem(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Done { warnings } if warnings.is_empty() => None,
        Outcome::Done { warnings } => Some(format!("done; Vault remarks: {}", warnings.join("; "))),
        Outcome::Ignored { warnings } => {
            Some(format!("Vault ignored part of it: {}", warnings.join("; ")))
        }
        Outcome::Skipped { needs } => Some(format!("not done, as {needs} is not there")),
        Outcome::Blocked => Some("left as it is: see the plan".to_owned()),
        Outcome::Failed(err) => match err.remedy() {
            Some(remedy) => Some(format!("{err}\n      help: {remedy}")),
            None => Some(err.to_string()),
        },
        Outcome::Unrecorded(err) => Some(format!("done, but the ledger could not be told: {err}")),
        Outcome::NotStarted => Some("not begun: the run was stopped".to_owned()),
    }
}

impl From<&Outcome> for ToldOutcome {
    fn from(outcome: &Outcome) -> ToldOutcome {
        match outcome {
            Outcome::Done { .. } => ToldOutcome::Done,
            Outcome::Ignored { .. } => ToldOutcome::Ignored,
            Outcome::Skipped { .. } => ToldOutcome::Skipped,
            Outcome::Blocked => ToldOutcome::Blocked,
            Outcome::Failed(_) => ToldOutcome::Failed,
            Outcome::Unrecorded(_) => ToldOutcome::Unrecorded,
            Outcome::NotStarted => ToldOutcome::NotStarted,
        }
    }
}
