//! Results as one page that needs nothing else: no network, no other file.

use std::{borrow::Cow, time::Duration};

use minijinja::{Environment, Value, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use super::{About, Asked, AskedResult, Results, ScenarioResult, StepResult, timeline};
use crate::origin::Origin;

#[derive(Debug, thiserror::Error)]
#[error("the page cannot be made: {0}")]
pub struct HtmlError(#[from] minijinja::Error);

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    facts: &'a [(String, String)],
    not_proven: &'a [(String, String)],
    passed: usize,
    failed: usize,
    skipped: usize,
    took: String,
    aborted: Option<&'a str>,
    parts: Vec<Part<'a>>,
    has_timelines: bool,
    style: &'static str,
    script: &'static str,
}

/// All of a feature's scenarios.
#[derive(Default, Serialize)]
struct Part<'a> {
    feature: &'a str,
    passed: usize,
    failed: usize,
    skipped: usize,
    scenarios: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    verdict: &'static str,
    reason: Option<&'a str>,
    description: Option<&'a str>,
    origin: Option<Line<'a>>,
    seconds: String,
    attempts: usize,
    steps: Vec<Step<'a>>,
    timeline: Option<timeline::Timeline>,
}

#[derive(Serialize)]
struct Step<'a> {
    keyword: &'a str,
    text: &'a str,
    seconds: String,
    failed: bool,
    evidence: &'a [String],
    /// Where it is not that of the scenario, or of a step before.
    origin: Option<Line<'a>>,
    asked: Vec<Exchange<'a>>,
    asked_left_out: usize,
    /// `2 requests, 1 statement`
    counted: String,
    is_folded: bool,
}

/// Of the spec.
#[derive(Clone, PartialEq, Serialize)]
struct Line<'a> {
    place: &'a str,
    line: &'a str,
}

#[derive(Serialize)]
struct Exchange<'a> {
    /// `GET`, or who says it to whom.
    how: String,
    what: &'a str,
    answer: Cow<'a, str>,
    is_refused: bool,
    took: String,
    times: usize,
}

/// More is folded, unless the step has failed.
const FEW: usize = 3;

/// More is folded even there.
const MANY: usize = 12;

/// HTML 5, in UTF-8.
pub fn html(results: &Results, about: &About) -> Result<String, HtmlError> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    // By its name everything that is filled in is escaped.
    environment.add_template("page.html", include_str!("page.html"))?;
    let page = environment.get_template("page.html")?;
    Ok(page.render(Value::from(Serde(Page {
        title: &about.title,
        facts: &about.facts,
        not_proven: &about.not_proven,
        passed: results.passed(),
        failed: results.failed(),
        skipped: results.skipped(),
        took: seconds(results.took),
        aborted: results.aborted.as_deref(),
        parts: parts(results),
        has_timelines: results.scenarios.iter().any(|it| !it.turns.is_empty()),
        style: include_str!("page.css"),
        script: include_str!("page.js"),
    })))?)
}

/// In the order in which features began to end; what failed comes first within each.
fn parts(results: &Results) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for result in &results.scenarios {
        let found = parts.iter().position(|it| it.feature == result.feature);
        let index = found.unwrap_or_else(|| {
            parts.push(Part { feature: &result.feature, ..Part::default() });
            parts.len() - 1
        });
        parts[index].scenarios.push(row(result));
    }
    for part in &mut parts {
        let count = |verdict| part.scenarios.iter().filter(|it| it.verdict == verdict).count();
        (part.passed, part.failed, part.skipped) =
            (count("passed"), count("failed"), count("skipped"));
        part.scenarios.sort_by_key(|it| it.verdict != "failed");
    }
    parts.sort_by_key(|it| it.failed == 0);
    parts
}

fn row(result: &ScenarioResult) -> Row<'_> {
    let origin = result.origin.as_ref().map(line);
    let mut told = origin.clone();
    let steps = result.steps.iter().map(|it| {
        let origin = it.origin.as_ref().map(line).filter(|it| told.as_ref() != Some(it));
        told = origin.clone().or(told.take());
        step(it, origin)
    });
    Row {
        name: &result.name,
        verdict: result.verdict.word(),
        reason: result.verdict.reason(),
        description: result.description.as_deref(),
        origin,
        seconds: seconds(result.took),
        attempts: result.attempts,
        steps: steps.collect(),
        timeline: timeline::timeline(&result.turns, result.took),
    }
}

fn step<'a>(step: &'a StepResult, origin: Option<Line<'a>>) -> Step<'a> {
    let most = if step.failed { MANY } else { FEW };
    Step {
        keyword: &step.keyword,
        text: &step.text,
        seconds: seconds(step.took),
        failed: step.failed,
        evidence: &step.evidence,
        origin,
        asked: step.asked.iter().map(exchange).collect(),
        asked_left_out: step.asked_left_out,
        counted: counted(step),
        is_folded: step.asked.len() + step.asked_left_out > most,
    }
}

fn line(origin: &Origin) -> Line<'_> {
    Line { place: &origin.place, line: &origin.line }
}

fn exchange(asked: &AskedResult) -> Exchange<'_> {
    let (how, what, answer, is_refused) = match &asked.what {
        Asked::Request { method, path, status } => {
            ((*method).to_owned(), path, status.to_string().into(), *status >= 400)
        }
        Asked::Statement { server, login, text, code, answer } => {
            (format!("{server} as {login}"), text, answer.into(), code.is_some())
        }
    };
    Exchange { how, what, answer, is_refused, took: seconds(asked.took), times: asked.times }
}

/// What is left out is counted as well.
fn counted(step: &StepResult) -> String {
    let is_request = |it: &&AskedResult| matches!(it.what, Asked::Request { .. });
    let requests = step.asked.iter().filter(is_request).count();
    let all = step.asked.len() + step.asked_left_out;
    let named = |count: usize, name: &str| match count {
        0 => None,
        1 => Some(format!("1 {name}")),
        more => Some(format!("{more} {name}s")),
    };
    match step.asked.len() - requests {
        0 => named(all, "request").unwrap_or_default(),
        _ if step.asked_left_out > 0 => format!("{all} requests and statements"),
        statements => {
            let parts = [named(requests, "request"), named(statements, "statement")];
            parts.into_iter().flatten().collect::<Vec<String>>().join(", ")
        }
    }
}

fn seconds(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}
