//! Results as a person reads them: a line for each scenario, what failed in full, and a count.

use std::{fmt::Write as _, time::Duration};

use super::{About, Results, ScenarioResult, SystemResult, Verdict};

/// A line for a scenario that has ended; more where it failed.
pub fn line(result: &ScenarioResult, colour: bool) -> String {
    let (sign, on) = match &result.verdict {
        Verdict::Passed => ("✓", "\x1b[32m"),
        Verdict::Failed { .. } => ("✗", "\x1b[31m"),
        Verdict::Skipped { .. } => ("-", "\x1b[33m"),
    };
    let (on, off) = if colour { (on, "\x1b[0m") } else { ("", "") };
    let attempts = match result.attempts {
        0 | 1 => String::new(),
        more => format!(", at attempt {more}"),
    };
    let mut text = format!(
        "{on}{sign}{off} {} › {} ({}{attempts})\n",
        result.feature,
        result.name,
        seconds(result.took)
    );
    match &result.verdict {
        Verdict::Passed => {}
        Verdict::Skipped { reason } => _ = writeln!(text, "    skipped: {reason}"),
        Verdict::Failed { reason } => failed(result, reason, &mut text),
    }
    text
}

fn failed(result: &ScenarioResult, reason: &str, text: &mut String) {
    if let Some(path) = &result.path {
        let line = result.steps.iter().find(|it| it.failed).map_or(result.line, |it| it.line);
        let _ = writeln!(text, "    {}:{line}", path.display());
    }
    for step in &result.steps {
        let sign = if step.failed { '✗' } else { '✓' };
        let _ =
            writeln!(text, "    {sign} {} {} ({})", step.keyword, step.text, seconds(step.took));
        for line in step.told_asked().filter(|_| step.failed) {
            let _ = writeln!(text, "        asked: {line}");
        }
        for line in &step.evidence {
            let _ = writeln!(text, "        seen: {line}");
        }
    }
    for line in reason.lines() {
        let _ = writeln!(text, "        {line}");
    }
}

/// What failed and what was skipped once more, how long servers took to start, and the count as the last line.
pub fn summary(results: &Results, about: &About) -> String {
    let mut text = String::from("\n");
    for result in &results.scenarios {
        match &result.verdict {
            Verdict::Failed { .. } => {
                let _ = writeln!(text, "failed: {} › {}", result.feature, result.name);
            }
            Verdict::Skipped { reason } => {
                let _ = writeln!(text, "SKIPPED {} › {}: {reason}", result.feature, result.name);
            }
            Verdict::Passed => {}
        }
    }
    let systems = results.systems(about);
    for it in systems.iter().filter(|_| systems.len() > 1) {
        let (title, took) = (it.title(), seconds(it.took));
        let SystemResult { passed, failed, skipped, .. } = it;
        let _ = writeln!(
            text,
            "{title}: {passed} passed, {failed} failed, {skipped} skipped in {took}"
        );
    }
    let far_sides: Vec<&str> = results.far_sides().into_iter().collect();
    if !far_sides.is_empty() {
        let _ = writeln!(text, "beside Vault: {}", far_sides.join(" · "));
    }
    if let Some((least, middle, most)) = results.vault_starts() {
        let _ = writeln!(
            text,
            "a Vault was active after {} / {} / {} (least, median, most)",
            seconds(least),
            seconds(middle),
            seconds(most)
        );
    }
    if let Some(why) = &results.aborted {
        let _ = writeln!(text, "ended early: {why}");
    }
    let _ = writeln!(text, "{} scenarios in {}", results.scenarios.len(), seconds(results.took));
    let _ = writeln!(text, "{}", results.counts());
    text
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started_in(millis: &[u64]) -> ScenarioResult {
        ScenarioResult {
            feature: "Logins".into(),
            system: None,
            path: None,
            line: 1,
            rule: None,
            name: "One works".into(),
            description: None,
            origin: None,
            tags: Vec::new(),
            verdict: Verdict::Passed,
            steps: Vec::new(),
            turns: Vec::new(),
            took: Duration::from_secs(1),
            attempts: 1,
            vaults_started_in: millis.iter().map(|it| Duration::from_millis(*it)).collect(),
            far_sides: vec!["Redis 7.0".into(), "PostgreSQL 15.14".into()],
        }
    }

    #[test]
    fn the_summary_says_how_soon_a_vault_was_active_and_what_stood_beside_it() {
        let scenarios = vec![started_in(&[310]), started_in(&[120, 250])];
        let took = Duration::from_secs(2);
        let text = summary(&Results { scenarios, took, aborted: None }, &About::default());
        expect_test::expect![[r#"

            beside Vault: PostgreSQL 15.14 · Redis 7.0
            a Vault was active after 0.12 s / 0.25 s / 0.31 s (least, median, most)
            2 scenarios in 2.00 s
            2 passed, 0 failed, 0 skipped
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn where_no_vault_was_started_none_is_spoken_of() {
        let results = Results { scenarios: vec![started_in(&[])], ..Results::default() };
        let text = summary(&results, &About::default());
        assert!(!text.contains("active"), "{text}");
    }
}
