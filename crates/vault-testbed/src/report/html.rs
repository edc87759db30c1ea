//! Results as one page that needs nothing else: no network, no other file.

use std::time::Duration;

use minijinja::{Environment, Value, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use super::{About, Results, ScenarioResult, timeline};

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
}

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
    let steps = result.steps.iter().map(|it| Step {
        keyword: &it.keyword,
        text: &it.text,
        seconds: seconds(it.took),
        failed: it.failed,
        evidence: &it.evidence,
    });
    Row {
        name: &result.name,
        verdict: result.verdict.word(),
        reason: result.verdict.reason(),
        description: result.description.as_deref(),
        seconds: seconds(result.took),
        attempts: result.attempts,
        steps: steps.collect(),
        timeline: timeline::timeline(&result.turns, result.took),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
