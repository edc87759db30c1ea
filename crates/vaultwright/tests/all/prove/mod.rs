//! Specs that are right are proven, and each spec that is wrong in one thing is refuted at the step that shows it.

mod proven;
mod refuted;
mod run;

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use vault_testbed::ground::servers;

use crate::program;

/// Every scenario of the spec's proof is skipped on `ground` with `reason`, and all reports say so.
#[track_caller]
fn is_skipped(spec: &str, ground: &str, environment: &[(&str, &Path)], reason: &str) {
    let Ok(Some(server)) = servers::find() else {
        println!("SKIPPED {spec} without what it needs: there is no Vault server");
        return;
    };
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut command = program();
    command.args(["prove", spec, "--on", ground]).env("VAULTWRIGHT_SERVER", server.path);
    command.envs(environment.iter().copied());
    for option in ["html", "junit", "json", "markdown"] {
        command.arg(format!("--{option}")).arg(at(option));
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // Nothing is refuted, and nothing shown.
    assert_eq!(output.status.code(), Some(1), "{said}");
    let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
    let report: Value = serde_json::from_str(&read("json")).unwrap();
    let scenarios = report["scenarios"].as_array().unwrap();
    let count = scenarios.len();
    assert!(count > 1, "{report}");
    for scenario in scenarios {
        let why = scenario["reason"].as_str().unwrap();
        assert!(scenario["verdict"] == "skipped" && why.contains(reason), "{scenario}");
    }
    assert!(said.ends_with(&format!("\n0 passed, 0 failed, {count} skipped\n")), "{said}");
    let lines = said.lines().filter(|it| it.starts_with("SKIPPED ") && it.contains(reason));
    assert_eq!(lines.count(), count, "{said}");
    let told = |text: String, mark: &str| {
        let told = text.split(mark).skip(1).filter(|it| it.contains(reason)).count();
        assert_eq!(told, count, "{text}");
    };
    told(read("junit"), "<skipped message=");
    told(read("html"), "<pre class=\"reason skipped\">");
    told(read("markdown"), "\n| aws |");
}

#[test]
fn without_an_engine_what_needs_containers_is_skipped_with_that_reason() {
    let empty = TempDir::new().unwrap();
    let nobody = empty.path().join("docker.sock");
    let nobody = format!("unix://{}", nobody.display());
    let hidden = [("DOCKER_HOST", Path::new(&nobody))];
    is_skipped("fixtures/proven/aws", "docker", &hidden, "a container engine");
}

#[test]
fn a_summary_that_cannot_be_written_fails_a_run_of_which_all_else_is_told() {
    let folder = TempDir::new().unwrap();
    let feature = folder.path().join("nothing.feature");
    let text = "Feature: Nothing\n  Scenario: It starts nothing\n    \
                Given the secret variable token is \"0123456789abcdef\"\n";
    std::fs::write(&feature, text).unwrap();
    let run = |summary: &Path| {
        let mut command = program();
        command.arg("test").arg(&feature).args(["--on", "process"]);
        let output = command.env("GITHUB_STEP_SUMMARY", summary).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = run(folder.path());
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.ends_with("\n1 passed, 0 failed, 0 skipped\n"), "{out}");
    assert!(err.contains(&format!("cannot write {}", folder.path().display())), "{err}");

    let summary = folder.path().join("summary.md");
    for times in 1..=2 {
        assert_eq!(run(&summary).0, Some(0));
        let text = std::fs::read_to_string(&summary).unwrap();
        let heading = "## ✅ vaultwright test: 1 passed, 0 failed, 0 skipped\n";
        assert_eq!(text.matches(heading).count(), times, "{text}");
    }
}

#[test]
fn where_nothing_can_be_proven_it_is_said_why() {
    let refused = |arguments: &[&str]| {
        let output = program().arg("prove").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let everything = "fixtures/proven/everything";
    let said = refused(&[everything, "--on", "process", "--only", "nowhere/*"]);
    assert!(said.ends_with("nothing in everything can be proven --only 'nowhere/*'\n"), "{said}");

    let folder = TempDir::new().unwrap();
    let spec = "name: doors\nsecrets:\n  ssh:\n    type: ssh\n    config_ca: { generate_signing_key: true }\n    \
                roles: { people: { key_type: ca, allow_user_certificates: true, allowed_users: [deploy] } }\n";
    std::fs::write(folder.path().join("spec.yaml"), spec).unwrap();
    let only = ["--only", "ssh/roles/*"];
    let spec = folder.path().to_str().unwrap();
    let emitted = folder.path().join("features");
    let emit = ["--emit", emitted.to_str().unwrap()];
    for arguments in [&[&[spec], &only[..]].concat(), &[&[spec], &only[..], &emit].concat()] {
        let said = refused(arguments);
        let why = said.lines().find(|it| it.starts_with("not proven: ssh/roles/people: "));
        assert!(why.is_some_and(|it| it.contains("sshd")), "{said}");
    }
    assert!(!emitted.exists());
}

/// They run as they are, from the folder in which they were made.
#[test]
fn emitted_features_are_run_by_test() {
    let folder = TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        let output = program().args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let emitted = folder.path().to_str().unwrap();
    let everything = "fixtures/proven/everything";
    let (code, said) = run(&["prove", everything, "--only", "kv/*", "--emit", emitted]);
    assert_eq!(code, Some(0), "{said}");
    assert!(folder.path().join("kv_data.feature").is_file());
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED the run of the features: there is no Vault server");
        return;
    }
    let (code, said) = run(&["test", emitted, "--on", "process"]);
    assert_eq!(code, Some(0), "{said}");
}
