//! The runner itself: what it counts, what it skips, what it says of a feature that is wrong. No server is needed.

use std::sync::{Arc, Mutex};

use expect_test::{Expect, expect};
use vault_testbed::{
    ground::{Ground, Kind},
    report::{self, About, Results, Verdict},
    suite::{self, Filter, Happening, LoadError, Suite},
    world::{Failure, Result, World, failure},
};

/// Steps of another crate stand beside those of the test bed.
#[cucumber::given(expr = "a step of this crate that says {string}")]
async fn says(world: &mut World, text: String) -> Result {
    world.evidence(text);
    Ok(())
}

#[cucumber::when(expr = "a step fails because {string}")]
async fn fails(_: &mut World, why: String) -> Result {
    failure(why)
}

#[cucumber::when(expr = "a step cannot run here")]
async fn cannot(world: &mut World) -> Result {
    Err(world.skip("it needs a moon"))
}

#[cucumber::given(expr = "the secret {string}")]
async fn a_secret(world: &mut World, secret: String) -> Result {
    world.add_secret("the secret of the test", &secret);
    Ok(())
}

static ATTEMPTS: Mutex<usize> = Mutex::new(0);

#[cucumber::when(expr = "a step works at the third attempt")]
async fn third_time_lucky(_: &mut World) -> Result {
    let mut attempts = ATTEMPTS.lock().unwrap();
    *attempts += 1;
    if *attempts < 3 { Err(Failure("not yet".into())) } else { Ok(()) }
}

/// A run takes the panic hook for itself, and its steps count their attempts.
static ONE_RUN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn run(text: &str, filter: Filter) -> Results {
    let _alone = ONE_RUN.lock().await;
    *ATTEMPTS.lock().unwrap() = 0;
    let ground = Ground::open(Some(Kind::Process)).await.unwrap();
    let suite = Suite { filter, ..Suite::new(ground.clone()) };
    let results = suite.run(vec![suite::parse("a.feature", text).unwrap()], |_| {}).await;
    ground.end().await.unwrap();
    results
}

#[track_caller]
fn check(results: &Results, expected: Expect) {
    let verdict = |it: &Verdict| match it {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Failed { reason } => format!("failed: {reason}"),
        Verdict::Skipped { reason } => format!("skipped: {reason}"),
    };
    let mut lines: Vec<String> = results
        .scenarios
        .iter()
        .map(|it| format!("{}: {}\n", it.name, verdict(&it.verdict)))
        .collect();
    lines.sort();
    lines.push(results.counts());
    expected.assert_eq(&lines.concat());
}

const FEATURE: &str = r#"
Feature: What the runner counts

  Scenario: a passes
    Given a step of this crate that says "hello"

  Scenario: b fails
    Given a step of this crate that says "hello"
    When a step fails because "it must"

  Scenario: c has a step that nobody wrote
    Given a step that nobody wrote

  @skip.process(it-needs-a-moon)
  Scenario: d is skipped by its tag
    When a step fails because "it must"

  @retry(1)
  Scenario: e finds out that it cannot run
    When a step cannot run here

  @skip.docker(it-needs-a-moon)
  Scenario Outline: f is for <name>
    Given a step of this crate that says "<name>"

    Examples:
      | name |
      | ann  |
      | bob  |

  @retry(2)
  Scenario: g is tried again
    When a step works at the third attempt

  @retry(1)
  Scenario: h has a step that nobody has written by the next attempt either
    Given a step of this crate that says "hello"
    And a step that nobody wrote
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_is_counted_once_whatever_becomes_of_it() {
    let results = run(FEATURE, Filter::default()).await;
    check(
        &results,
        expect![[r#"
            a passes: passed
            b fails: failed: it must
            c has a step that nobody wrote: failed: no step is written like this
            d is skipped by its tag: skipped: it needs a moon
            e finds out that it cannot run: skipped: it needs a moon
            f is for ann: passed
            f is for bob: passed
            g is tried again: passed
            h has a step that nobody has written by the next attempt either: failed: no step is written like this
            4 passed, 3 failed, 2 skipped"#]],
    );
    assert_eq!(results.scenarios.iter().map(|it| it.attempts).max(), Some(3));
    let xml = report::junit(&results, &About::default()).unwrap();
    assert!(xml.contains(r#"tests="9" skipped="2" failures="3" errors="0""#), "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), 9);
    let json = report::json(&results, &About::default());
    assert_eq!(json["format"], report::FORMAT);
    assert_eq!((&json["passed"], &json["failed"]), (&4.into(), &3.into()));
    assert!(
        report::summary(&results, &About::default()).ends_with("\n4 passed, 3 failed, 2 skipped\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_and_names_choose() {
    let tags = Some("@retry or @skip.process".parse());
    let tags = tags.map(|it: std::result::Result<_, LoadError>| it.unwrap());
    let results = run(FEATURE, Filter { tags, name: None }).await;
    assert_eq!(results.counts(), "1 passed, 1 failed, 2 skipped");
    let name = Some(regex::Regex::new("^[af] ").unwrap());
    let results = run(FEATURE, Filter { tags: None, name }).await;
    assert_eq!(results.counts(), "3 passed, 0 failed, 0 skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_report_shows_a_secret() {
    let text = r#"
Feature: A leak

  Scenario: of hunter2-hunter2
    Given the secret "hunter2-hunter2"
    And a step of this crate that says "seen hunter2-hunter2"
    When a step fails because "it was <hunter2-hunter2> & more"
"#;
    let _alone = ONE_RUN.lock().await;
    let ground = Ground::open(Some(Kind::Process)).await.unwrap();
    let suite = Suite::new(ground.clone());
    let lines = Arc::new(Mutex::new(String::new()));
    let told = lines.clone();
    let tell = move |it: Happening<'_>| {
        if let Happening::Ended { scenario } = it {
            *told.lock().unwrap() += &report::line(scenario, false);
        }
    };
    let results = suite.run(vec![suite::parse("a.feature", text).unwrap()], tell).await;
    ground.end().await.unwrap();
    let shown = [
        lines.lock().unwrap().clone(),
        report::summary(&results, &About::default()),
        report::junit(&results, &About::default()).unwrap(),
        report::json(&results, &About::default()).to_string(),
    ];
    assert!(shown[0].contains("it was <***> & more"), "{}", shown[0]);
    for text in &shown {
        // The scenario's name is known before the secret is.
        let after = text.replace("of hunter2-hunter2", "");
        assert!(!after.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_feature_that_is_wrong_is_told_with_its_line() {
    let wrong = |text: &str| suite::parse("a.feature", text).unwrap_err().to_string();
    let told = wrong("Feature: a\n\n  Scenario: b\n    Given c\n    nonsense\n    Then d\n");
    // Where the reader gives up: at the next word that it knows.
    assert!(told.starts_with("a.feature:6:"), "{told}");
}

#[test]
fn an_expression_that_is_none_is_refused() {
    assert!("@a and".parse::<suite::Tags>().is_err());
    assert!(suite::load(&["no-such-folder".into()]).is_err());
}

/// Nobody ever writes into the pipe: who opens it waits for ever.
#[test]
fn a_pipe_among_features_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("a.feature");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (answer, told) = std::sync::mpsc::channel();
    let folder = folder.path().to_owned();
    std::thread::spawn(move || answer.send(suite::load(&[folder]).unwrap_err().to_string()));
    let told = told.recv_timeout(std::time::Duration::from_secs(20));
    let told = told.expect("an answer, and not for ever none");
    assert_eq!(told, format!("{} is a pipe and no file", pipe.display()));
}
