//! The page of a run in headless Chromium: light and dark, wide and at a phone's width, by keyboard, for everybody.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use vault_testbed::{
    ground::servers,
    report::{
        self, About, NotProven, OfProof, Results, ScenarioResult, StepResult, TurnResult, Verdict,
    },
    world::Change,
};

use crate::program;

const BROWSER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/browser");

/// A line for each thing that is wrong. `None`, told on the standard output, where a browser is missing.
fn problems(name: &str, page: &str) -> Option<String> {
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(has)
    else {
        println!("SKIPPED {name}: there is no Chromium; Debian's package is chromium");
        return None;
    };
    if let Some(missing) = ["node", "npm"].into_iter().find(|it| !has(it)) {
        println!("SKIPPED {name}: there is no {missing}; Debian has a package of that name");
        return None;
    }
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What an earlier run has left is no picture of this one.
    let _ = fs::remove_dir_all(&shots);
    fs::create_dir_all(&shots).unwrap();
    let file = shots.join("page.html");
    fs::write(&file, page).unwrap();
    let modules = modules();
    let mut check = Command::new("node");
    check.arg(Path::new(BROWSER).join("check.mjs")).arg(&file).arg(modules.path()).arg(&shots);
    check.arg(chromium);
    if rustix::process::geteuid().is_root() {
        // Chromium's own sandbox is for users; the page is ours.
        check.arg("--no-sandbox");
    }
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for picture in ["light-1200", "dark-1200", "light-360", "dark-360"] {
        let bytes = fs::read(shots.join(picture).with_extension("png")).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{picture}");
    }
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

fn has(program: &&str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success())
}

/// What the lock file names, in a folder of its own.
fn modules() -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in ["package.json", "package-lock.json"] {
        fs::copy(Path::new(BROWSER).join(file), folder.path().join(file)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder.path());
    let output = npm.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn step(text: &str, failed: bool, evidence: &[&str]) -> StepResult {
    StepResult {
        keyword: "Then".into(),
        text: text.into(),
        line: 7,
        took: seconds(0.3),
        failed,
        evidence: evidence.iter().map(|it| (*it).to_owned()).collect(),
        asked: Vec::new(),
        asked_left_out: 0,
        origin: None,
    }
}

fn turn(of: &str, what: Change, at: f64, lasts: Option<u64>) -> TurnResult {
    TurnResult { of: of.into(), what, at: seconds(at), lasts: lasts.map(Duration::from_secs) }
}

fn scenario(feature: &str, name: &str, verdict: Verdict) -> ScenarioResult {
    ScenarioResult {
        feature: feature.into(),
        system: Some("shop".into()),
        path: Some(PathBuf::from("features/shop.feature")),
        line: 5,
        rule: None,
        name: name.into(),
        description: Some("specs/shop/spec.yaml:19:7".into()),
        origin: None,
        tags: Vec::new(),
        verdict,
        steps: Vec::new(),
        turns: Vec::new(),
        took: seconds(12.0),
        attempts: 1,
        vaults_started_in: Vec::new(),
        far_sides: Vec::new(),
    }
}

/// Every verdict, every turn, long words without a space, and signs that HTML has for itself.
fn page() -> String {
    let long = "v-approle-reader-TjpXUeoh4IRWPPROnzp8-1795698874-and-more-that-has-no-space-at-all";
    let failed =
        Verdict::Failed { reason: format!("28P01 password of {long} is <refused> & gone") };
    let skipped = Verdict::Skipped { reason: "there is no `sshd` on this machine".into() };
    let mut lives = scenario("Logins", "A login lives", Verdict::Passed);
    lives.turns = vec![
        turn(long, Change::Issued, 3.2, Some(4)),
        turn(long, Change::Used, 3.4, None),
        turn(long, Change::Renewed, 6.0, Some(4)),
        turn("static", Change::Rotated, 7.0, Some(60)),
        turn(long, Change::Revoked, 8.0, None),
        turn(long, Change::Refused, 8.4, None),
    ];
    lives.steps = vec![step("the login works", false, &["logged in and asked `SELECT 1`"])];
    let mut refused = scenario("Logins", &format!("{long} is refused"), failed);
    refused.attempts = 3;
    refused.steps = vec![step(&format!("{long} works"), true, &[long, "SQLSTATE 28P01"])];
    let results = Results {
        scenarios: vec![lives, refused, scenario("Keys", "A key is signed", skipped)],
        took: seconds(24.0),
        aborted: Some("interrupted".into()),
    };
    let about = About {
        title: "Proof of shop".into(),
        facts: vec![
            ("when".into(), "2026-01-01 00:00 UTC".into()),
            ("on".into(), long.into()),
            ("what has a name as long as a phone is wide".into(), "4".into()),
        ],
        of_proof: Some(OfProof {
            spec: "shop".into(),
            lives_divided_by: 30,
            not_proven: vec![NotProven {
                path: format!("aws/roles/{long}"),
                reason: "there is no server of AWS".into(),
            }],
        }),
    };
    report::html(&results, &about).unwrap()
}

#[test]
fn a_page_of_every_verdict_is_for_everybody() {
    let Some(problems) = problems("every-verdict", &page()) else { return };
    assert_eq!(problems, "");
}

#[test]
fn a_page_of_a_real_proof_is_for_everybody() {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!(
            "SKIPPED a real proof: there is no Vault server; `cargo xtask servers` builds one"
        );
        return;
    }
    let folder = TempDir::new().unwrap();
    let (html, json) = (folder.path().join("proof.html"), folder.path().join("proof.json"));
    let mut prove = program();
    prove.args(["prove", "fixtures/refuted/no-password", "--on", "process", "--concurrency", "2"]);
    prove.args(["--only", "database/roles/*", "--html"]).arg(&html).arg("--json").arg(&json);
    // Each scenario is tried again, and what it shows is of its last attempt.
    prove.env("CI", "true");
    let output = prove.output().unwrap();
    assert!(!output.stdout.contains(&0x1b), "there is no terminal that would show colours");
    let page = fs::read_to_string(&html).unwrap();
    assert!(page.contains("28P01"), "the evidence is not in the page");
    assert!(page.contains("<title>issued at "), "the life of a login is not in the page");
    let json: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    json["scenarios"].as_array().unwrap().iter().for_each(has_its_evidence);
    let Some(problems) = problems("real-proof", &page) else { return };
    assert_eq!(problems, "");
}

/// Of a login whose password the database was never told: what Vault and the database were asked, and the spec's line.
#[track_caller]
fn has_its_evidence(scenario: &Value) {
    let steps = scenario["steps"].as_array().unwrap();
    let issues = |it: &&Value| it["text"] == "a login is issued from \"database/creds/reader\"";
    let issued = steps.iter().find(issues).unwrap();
    let of_issue = issued["asked"].as_array().unwrap();
    let has = |it: &&Value| it["path"] == "database/creds/reader" && it["status"] == 200;
    let request = of_issue.iter().find(has).unwrap();
    assert!(request["seconds"].as_f64().unwrap() > 0.0, "{request}");
    let origin =
        json!({ "place": "fixtures/refuted/no-password/spec.yaml:18:7", "line": "reader:" });
    assert_eq!(issued["spec"], origin);
    assert_eq!(scenario["spec"], origin);
    let failed = steps.iter().find(|it| it["failed"] == true).unwrap();
    let statement = failed["asked"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&statement["statement"], &statement["code"]),
        (&json!("SELECT 1"), &json!("28P01"))
    );
    assert!(statement["login"].as_str().unwrap().starts_with("v-"), "{statement}");
}

/// The first test again, where nothing is found but what `programs` has.
#[track_caller]
fn is_skipped(programs: &TempDir, reason: &str) {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "report::a_page_of_every_verdict_is_for_everybody", "--show-output"]);
    let output = again.env("PATH", programs.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    // As `cargo xtask test` counts it.
    assert!(said.lines().any(|it| it == format!("SKIPPED every-verdict: {reason}")), "{said}");
    assert!(said.contains("test result: ok. 1 passed; 0 failed;"), "{said}");
}

#[test]
fn without_a_browser_a_page_is_skipped_with_the_reason() {
    let programs = TempDir::new().unwrap();
    is_skipped(&programs, "there is no Chromium; Debian's package is chromium");
    std::os::unix::fs::symlink("/bin/true", programs.path().join("chromium")).unwrap();
    is_skipped(&programs, "there is no node; Debian has a package of that name");
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    let broken = page()
        .replace(
            "</main>",
            "<img src='http://127.0.0.1:9/a.png'><p style='width: 900px'>wide</p></main>",
        )
        .replace("<dl>", "<dl style='grid-template-columns: 80% 1fr'>")
        .replace("row.hidden = ", "row.title = ")
        .replace("form.hidden = false;", "form.hidden = false; console.error('trouble');")
        .replace(
            "</style>",
            "@media (max-width: 400px) and (prefers-color-scheme: light) { body { opacity: 0 } }\n\
             @media (min-width: 400px) and (prefers-color-scheme: dark) {\n\
             body, body * { background: white } }</style>",
        );
    let Some(problems) = problems("broken", &broken) else { return };
    for wanted in [
        "light, 1200 wide: it asks for http://127.0.0.1:9/a.png",
        "dark, 1200 wide: image-alt: ",
        "the console says trouble",
        "what is searched for filters nothing",
        "dark, 360 wide: it is 9",
        "light, 360 wide: there is no room for what on is",
        "light, 360 wide: its picture is of one colour",
        "dark, 1200 wide: its picture is not dark",
    ] {
        assert!(problems.contains(wanted), "{wanted} is not in:\n{problems}");
    }
}
