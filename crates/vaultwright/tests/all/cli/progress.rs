//! What a run of features shows while it goes on: on a terminal what is under way, elsewhere a line for each scenario.

use std::process::Command;

use tempfile::TempDir;

use super::pty::OnTerminal;

/// No server is needed. The second takes seconds, and fails then.
const FEATURE: &str = r#"
Feature: Progress

  Scenario: It is soon over
    Given the spec
      """
      name: shop
      """

  Scenario: It takes its time
    When I run "--no-such-option" until it succeeds, for at most 1 seconds

  @skip.process(it-needs-a-moon)
  Scenario: It waits for a moon
    Given the spec
"#;

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("slow.feature"), FEATURE).unwrap();
    folder
}

const WORDS: &str = "test slow.feature --on process";

#[test]
fn on_a_terminal_a_run_shows_what_is_under_way_and_for_how_long() {
    let folder = folder();
    let path = std::env::var("PATH").unwrap();
    let run = OnTerminal::of(folder.path(), WORDS, &[("PATH", &path)]);
    run.until("It takes its time: I run \"--no-such-option\" until it succeeds");
    run.until(" 3s It takes its time");
    run.until("s 1 passed, 0 failed, 1 skipped");
    let (code, shown) = run.end();
    assert_eq!(code, Some(1), "{shown}");
    // What was under way is wiped away once it is over.
    let end = shown.split("\x1b[31m✗\x1b[0m Progress › It takes its time (").nth(1).unwrap();
    assert!(!end.contains("It takes its time: "), "{shown}");
    assert!(shown.trim_end().ends_with("1 passed, 1 failed, 1 skipped"), "{shown}");
}

#[test]
fn an_interrupted_run_leaves_nothing_of_it_on_the_terminal() {
    let folder = folder();
    let path = std::env::var("PATH").unwrap();
    let run = OnTerminal::of(folder.path(), WORDS, &[("PATH", &path)]);
    run.until("It takes its time: I run");
    run.say("\x03");
    let (code, shown) = run.end();
    assert_eq!(code, Some(130), "{shown}");
    // The last that was drawn was erased: to the end of the line, each line.
    let rest = shown.rsplit("It takes its time").next().unwrap();
    assert!(rest.contains("\x1b[2K"), "{shown:?}");
}

#[test]
fn where_no_terminal_is_each_scenario_is_one_plain_line() {
    let folder = folder();
    let mut run = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
    run.args(WORDS.split(' ')).current_dir(folder.path()).env_remove("CI");
    let output = run.output().unwrap();
    let (stdout, stderr) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    let said = String::from_utf8(stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains(['\x1b', '\r']), "{said:?}");
    assert_eq!(stderr, "");
    let lines: Vec<&str> = said.lines().take_while(|it| !it.is_empty()).collect();
    let without_time = |it: &str| it.rsplit_once(" (").map_or(it, |(it, _)| it).to_owned();
    let first: Vec<String> = lines.iter().take(5).map(|it| without_time(it)).collect();
    let wanted = [
        "on process",
        "- Progress › It waits for a moon",
        "    skipped: it needs a moon",
        "✓ Progress › It is soon over",
        "✗ Progress › It takes its time",
    ];
    assert_eq!(first, wanted);
    let of_scenarios = lines.iter().filter(|it| it.contains("Progress › "));
    assert_eq!(of_scenarios.count(), 3, "{said}");
}
