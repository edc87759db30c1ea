//! Results as a summary in Markdown, as a pull request or the page of a CI job shows it.

use std::fmt::Write as _;

use super::{About, Results, StepResult, SystemResult, Unproven, Verdict};
use crate::origin::Origin;

/// What failed in full, a count for each system, and what stands unproven.
pub fn markdown(results: &Results, about: &About) -> String {
    let sign = if results.succeeded() { "✅" } else { "❌" };
    let mut text = format!("## {sign} {}: {}\n\n", plain(&about.title), results.counts());
    let facts: Vec<String> = about
        .facts
        .iter()
        .map(|(name, value)| format!("{}: {}", plain(name), plain(value)))
        .collect();
    if !facts.is_empty() {
        let _ = writeln!(text, "{}\n", facts.join(" · "));
    }
    if let Some(why) = &results.aborted {
        let _ = writeln!(text, "**Ended early:** {}\n", plain(why));
    }
    let systems = results.systems(about);
    for result in &results.scenarios {
        let Verdict::Failed { reason } = &result.verdict else { continue };
        let _ = writeln!(text, "### ✗ {} › {}\n", plain(&result.feature), plain(&result.name));
        if let Some(Origin { place, line }) = &result.origin {
            let _ = writeln!(text, "{}: {}\n", plain(place), plain(line));
        } else if let Some(place) = &result.description {
            let _ = writeln!(text, "{}\n", plain(place));
        }
        if let Some(step) = result.steps.iter().find(|it| it.failed) {
            let _ = writeln!(text, "at the step: {} {}\n", step.keyword, plain(&step.text));
        }
        let failed = result.steps.iter().filter(|it| it.failed);
        let asked: String = failed.flat_map(StepResult::told_asked).map(|it| it + "\n").collect();
        let shown = format!("{}\n{asked}", reason.trim_end());
        let fence = fence(&shown);
        let _ = writeln!(text, "{fence}text\n{shown}{fence}\n");
    }
    text.push_str(&summary(&systems));
    text.push_str(&unproven(&systems));
    text
}

fn summary(systems: &[SystemResult<'_>]) -> String {
    let mut text =
        "| system | passed | failed | skipped | time |\n| --- | ---: | ---: | ---: | ---: |\n"
            .to_owned();
    for it in systems {
        let SystemResult { passed, failed, skipped, .. } = it;
        let (name, took) = (plain(it.title()), it.took.as_secs_f64());
        let _ = writeln!(text, "| {name} | {passed} | {failed} | {skipped} | {took:.1} s |");
    }
    text + "\n"
}

fn unproven(systems: &[SystemResult<'_>]) -> String {
    let mut text = String::new();
    for system in systems {
        for Unproven { what, reason } in &system.unproven {
            let (name, what, why) = (plain(system.title()), plain(what), plain(reason));
            let _ = writeln!(text, "| {name} | {what} | {why} |");
        }
    }
    match text.is_empty() {
        true => text,
        false => format!("| system | unproven | why |\n| --- | --- | --- |\n{text}\n"),
    }
}

/// On one line, and without a sign that Markdown or HTML would take for its own.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for char in text.chars() {
        match char {
            '\n' => plain.push(' '),
            '<' => plain.push_str("&lt;"),
            '&' => plain.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => plain.extend(['\\', char]),
            other => plain.push(other),
        }
    }
    plain
}

/// Longer than any within.
fn fence(text: &str) -> String {
    let longest = text.split(|it| it != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}
