//! Results as JUnit's XML: a suite for each feature, one case for each scenario, however often it was attempted.
//!
//! XML cannot hold every character, not even escaped: what nobody would see is written out before.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use vault_model::excerpt::visible;

use super::{Results, ScenarioResult, Verdict};

#[derive(Debug, thiserror::Error)]
#[error("the results don't fit into XML: {0}")]
pub struct JunitError(#[from] quick_junit::SerializeError);

pub fn junit(results: &Results) -> Result<String, JunitError> {
    let mut report = Report::new("vaultwright");
    report.set_time(results.took);
    let mut features: Vec<&str> = Vec::new();
    for result in &results.scenarios {
        if !features.contains(&result.feature.as_str()) {
            features.push(&result.feature);
        }
    }
    for feature in features {
        let mut suite = TestSuite::new(&*visible(feature));
        let of_feature = results.scenarios.iter().filter(|it| it.feature == feature);
        suite.add_test_cases(of_feature.map(case));
        report.add_test_suite(suite);
    }
    Ok(report.to_string()?)
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
