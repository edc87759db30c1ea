//! Results as JUnit's XML: a suite for each feature of each system, with what stands unproven as its properties, one case for each scenario, however often it was attempted.
//!
//! XML cannot hold every character, not even escaped: what nobody would see is written out before.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use vault_model::excerpt::visible;

use super::{About, Results, ScenarioResult, SystemResult, Unproven, Verdict};

#[derive(Debug, thiserror::Error)]
#[error("the results don't fit into XML: {0}")]
pub struct JunitError(#[from] quick_junit::SerializeError);

pub fn junit(results: &Results, about: &About) -> Result<String, JunitError> {
    let mut report = Report::new("vaultwright");
    report.set_time(results.took);
    for system in results.systems(about) {
        report.add_test_suites(suites(&system));
    }
    Ok(report.to_string()?)
}

/// What stands unproven is told by the first.
fn suites(system: &SystemResult<'_>) -> Vec<TestSuite> {
    let suite = |feature: &str| {
        let mut suite = TestSuite::new(&*visible(feature));
        let cases = system.scenarios.iter().filter(|it| it.feature == feature);
        suite.set_time(cases.clone().map(|it| it.took).sum());
        suite.add_property(("system", &*visible(system.title())));
        suite.add_test_cases(cases.map(|it| case(it)));
        suite
    };
    let mut suites: Vec<TestSuite> = system.features().into_iter().map(suite).collect();
    if suites.is_empty() {
        suites.push(suite(system.title()));
    }
    let unproven = system.unproven.iter().map(|Unproven { what, reason }| {
        Property::new(&*visible(&format!("unproven: {what}")), &*visible(reason))
    });
    suites[0].add_properties(unproven);
    suites
}

fn case(result: &ScenarioResult) -> TestCase {
    let status = match &result.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped { reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(&*visible(reason));
            status
        }
        Verdict::Failed { reason } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(&*visible(reason.lines().next().unwrap_or_default()));
            status.set_description(&*visible(reason));
            status
        }
    };
    let mut case = TestCase::new(&*visible(&result.name), status);
    case.set_classname(&*visible(result.rule.as_ref().unwrap_or(&result.feature)));
    case.set_time(result.took);
    let steps = result.steps.iter().flat_map(|it| {
        let sign = if it.failed { "FAILED" } else { "ok" };
        let step = format!("{sign:<6} {} {} ({:.2} s)", it.keyword, it.text, it.took.as_secs_f64());
        let shown = it.told_asked().chain(it.evidence.iter().cloned());
        std::iter::once(step).chain(shown.map(|it| format!("       {it}")))
    });
    let turns = result.turns.iter().map(|it| {
        let lasts = it.lasts.map_or_else(String::new, |it| format!(" for {} s", it.as_secs()));
        format!("{:.2} s {} {}{lasts}", it.at.as_secs_f64(), it.of, it.what.word())
    });
    let place = result.origin.as_ref().map(|it| format!("{} {}", it.place, it.line));
    let place = place.or_else(|| result.description.clone());
    let out = place.into_iter().chain(steps).chain(turns).collect::<Vec<String>>().join("\n");
    case.set_system_out(&*visible(&out));
    case
}
