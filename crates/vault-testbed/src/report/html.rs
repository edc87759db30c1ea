//! Results as one page that needs nothing else: no network, no other file.

use std::{borrow::Cow, time::Duration};

use minijinja::{Environment, Value, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use super::{
    About, Asked, AskedResult, Results, ScenarioResult, StepResult, SystemResult, Unproven,
    timeline,
};
use crate::origin::Origin;

#[derive(Debug, thiserror::Error)]
#[error("the page cannot be made: {0}")]
pub struct HtmlError(#[from] minijinja::Error);

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    facts: &'a [(String, String)],
    unproven: Vec<NotShown<'a>>,
    passed: usize,
    failed: usize,
    skipped: usize,
    took: String,
    aborted: Option<&'a str>,
    systems: Vec<System<'a>>,
    has_timelines: bool,
    style: &'static str,
    script: &'static str,
}

/// What no scenario shows.
#[derive(Serialize)]
struct NotShown<'a> {
    system: &'a str,
    what: &'a str,
    why: &'a str,
}

/// All scenarios that are about one spec.
#[derive(Serialize)]
struct System<'a> {
    name: &'a str,
    passed: usize,
    failed: usize,
    skipped: usize,
    took: String,
    parts: Vec<Part<'a>>,
}

/// All of a feature's scenarios.
#[derive(Serialize)]
struct Part<'a> {
    feature: &'a str,
    passed: usize,
    failed: usize,
    skipped: usize,
    took: String,
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
    /// But what a statement says as well.
    evidence: Vec<&'a str>,
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
    let systems = results.systems(about);
    let page = environment.get_template("page.html")?;
    Ok(page.render(Value::from(Serde(Page {
        title: &about.title,
        facts: &about.facts,
        unproven: systems.iter().flat_map(unproven).collect(),
        passed: results.passed(),
        failed: results.failed(),
        skipped: results.skipped(),
        took: seconds(results.took),
        aborted: results.aborted.as_deref(),
        systems: systems.iter().map(system).collect(),
        has_timelines: results.scenarios.iter().any(|it| !it.turns.is_empty()),
        style: include_str!("page.css"),
        script: include_str!("page.js"),
    })))?)
}

fn unproven<'a>(system: &'a SystemResult<'a>) -> impl Iterator<Item = NotShown<'a>> {
    let row =
        |it: &'a Unproven<'a>| NotShown { system: system.title(), what: &it.what, why: it.reason };
    system.unproven.iter().map(row)
}

/// Features with failures come first, and what failed within each.
fn system<'a>(of: &'a SystemResult<'a>) -> System<'a> {
    let mut parts: Vec<Part<'a>> = of.features().into_iter().map(|it| part(of, it)).collect();
    parts.sort_by_key(|it| it.failed == 0);
    let SystemResult { passed, failed, skipped, .. } = *of;
    System { name: of.title(), passed, failed, skipped, took: seconds(of.took), parts }
}

fn part<'a>(system: &'a SystemResult<'a>, feature: &'a str) -> Part<'a> {
    let own: Vec<&ScenarioResult> =
        system.scenarios.iter().copied().filter(|it| it.feature == feature).collect();
    let count = |verdict: &str| own.iter().filter(|it| it.verdict.word() == verdict).count();
    let mut scenarios: Vec<Row<'a>> = own.iter().map(|it| row(it)).collect();
    scenarios.sort_by_key(|it| it.verdict != "failed");
    Part {
        feature,
        passed: count("passed"),
        failed: count("failed"),
        skipped: count("skipped"),
        took: seconds(own.iter().map(|it| it.took).sum()),
        scenarios,
    }
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
        evidence: step
            .evidence
            .iter()
            .map(String::as_str)
            .filter(|it| !repeats(step, it))
            .collect(),
        origin,
        asked: step.asked.iter().map(exchange).collect(),
        asked_left_out: step.asked_left_out,
        counted: counted(step),
        is_folded: step.asked.len() + step.asked_left_out > most,
    }
}

/// Who said what, or how it was refused, stands beside it.
fn repeats(step: &StepResult, evidence: &str) -> bool {
    step.asked.iter().any(|it| match &it.what {
        Asked::Request { .. } => false,
        Asked::Statement { login, text, code, answer, .. } => {
            let told = if code.is_some() { answer } else { text };
            evidence.contains(login.as_str()) && evidence.contains(told.as_str())
        }
    })
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
