//! A run of `prove`, and what it leaves.

use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;
use tempfile::TempDir;
use vault_testbed::ground::servers;

use crate::program;

/// What a run of `prove` leaves.
pub struct Proof {
    pub code: Option<i32>,
    pub said: String,
    pub report: Value,
    pub junit: String,
    /// What it has added to the summary of a GitHub job.
    pub summary: String,
}

/// What the program says of its reports.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = program().args(["schema", "report"]).output().unwrap();
    jsonschema::validator_for(&serde_json::from_slice(&schema.stdout).unwrap()).unwrap()
});

/// What the steps of a job before it have said.
const BEFORE: &str = "Of a step before.\n";

/// `None`, told on the standard output, where no server can be had.
fn prove(spec: &str, arguments: &[&str]) -> Option<Proof> {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED {spec}: there is no Vault server; `cargo xtask servers` builds one");
        return None;
    }
    let folder = TempDir::new().unwrap();
    let (json, junit) = (folder.path().join("proof.json"), folder.path().join("proof.xml"));
    let summary = folder.path().join("summary.md");
    std::fs::write(&summary, BEFORE).unwrap();
    let mut command = program();
    command.args(["prove", spec, "--concurrency", "2"]).args(arguments);
    if !arguments.contains(&"--on") {
        command.args(["--on", "process"]);
    }
    command.arg("--json").arg(&json).arg("--junit").arg(&junit);
    command.env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output().unwrap();
    let code = output.status.code();
    // Warnings first, as a terminal would show them: the counts are the last line.
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let said = text(output.stderr) + &text(output.stdout);
    let report = report(&json, &said);
    let junit = std::fs::read_to_string(&junit).unwrap();
    assert!(junit.contains("<testsuite "));
    let summary = std::fs::read_to_string(&summary).unwrap();
    let summary = summary.strip_prefix(BEFORE).unwrap_or_else(|| panic!("{summary}")).to_owned();
    Some(Proof { code, said, report, junit, summary })
}

/// As its schema says it.
#[track_caller]
pub fn report(json: &Path, said: &str) -> Value {
    let report = std::fs::read_to_string(json).unwrap_or_else(|err| panic!("{err}\n{said}"));
    let report = serde_json::from_str(&report).unwrap();
    let problems: Vec<String> = SCHEMA.iter_errors(&report).map(|it| it.to_string()).collect();
    assert_eq!(problems, [""; 0], "the report is not as its schema says");
    report
}

#[track_caller]
pub fn is_proven(spec: &str, arguments: &[&str]) -> Option<Proof> {
    let proof = prove(spec, arguments)?;
    assert_eq!(proof.code, Some(0), "{}", proof.said);
    assert_eq!(proof.report["failed"], 0);
    let passed = proof.report["passed"].as_u64().unwrap();
    assert!(passed > 0);
    let counts = proof.said.trim_end().lines().next_back().unwrap();
    assert!(counts.ends_with("0 failed, 0 skipped"), "{}", proof.said);
    let heading = format!("## ✅ Proof of {}: {counts}\n", proof.report["spec"].as_str().unwrap());
    assert!(proof.summary.starts_with(&heading), "{}", proof.summary);
    // The run withholds what would show one. A few scenarios may have but the root tokens.
    let secrets = proof.summary.split_once(" looked for in logs and reports").unwrap().0;
    let secrets = secrets.rsplit_once("secrets: ").unwrap().1;
    let secrets: u64 = secrets.parse().unwrap();
    assert!(secrets >= passed && (secrets > passed || passed < 5), "{}", proof.summary);
    Some(proof)
}
