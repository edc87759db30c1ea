//! Results as a summary in Markdown, as a pull request or the page of a CI job shows it.

use std::fmt::Write as _;

use super::{About, Results, StepResult, Verdict};
use crate::origin::Origin;

/// What failed in full, what was skipped and what is not proven; of what passed the count.
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
    let skipped = results.scenarios.iter().filter_map(|it| match &it.verdict {
        Verdict::Skipped { reason } => Some((format!("{} › {}", it.feature, it.name), reason)),
        _ => None,
    });
    table(&mut text, "skipped", skipped);
    let not_proven = about.not_proven.iter().map(|(what, why)| (what.clone(), why));
    table(&mut text, "not proven", not_proven);
    text
}

fn table<'a>(text: &mut String, name: &str, rows: impl Iterator<Item = (String, &'a String)>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "| {name} | why |\n| --- | --- |");
    for (what, why) in rows {
        let _ = writeln!(text, "| {} | {} |", plain(&what), plain(why));
    }
    text.push('\n');
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
