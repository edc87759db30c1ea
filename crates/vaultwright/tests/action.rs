//! The commands of the composite action, as a job would run them.
#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;
use vault_testbed::ground::{Ground, Kind, VaultOptions};

/// Its exit code, and what it wrote for the steps after it.
struct Ran {
    code: Option<i32>,
    outputs: String,
    comment: String,
    summary: String,
}

fn run(folder: &TempDir, vault: &[(&'static str, String)], command: &str, arguments: &str) -> Ran {
    let at = |name: &str| folder.path().join(name);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.github/actions/vaultwright/run.sh");
    for file in ["outputs", "summary"] {
        fs::write(at(file), "").unwrap();
    }
    let mut action = Command::new("bash");
    action.arg(script).current_dir(folder.path()).envs(vault.iter().cloned());
    action.env("VAULTWRIGHT", env!("CARGO_BIN_EXE_vaultwright"));
    action.env("COMMAND", command).env("ARGUMENTS", arguments);
    action.env("SPEC", "spec.yaml").env("RESULTS", at("results"));
    action.env("GITHUB_OUTPUT", at("outputs")).env("GITHUB_STEP_SUMMARY", at("summary"));
    let code = action.output().unwrap().status.code();
    let read = |name: &str| fs::read_to_string(at(name)).unwrap_or_default();
    Ran {
        code,
        outputs: read("outputs"),
        comment: read("results/comment.md"),
        summary: read("summary"),
    }
}

fn spec() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let spec =
        "name: shop\nsecrets: { shop: { type: kv-v2, data: { app: { seed: { user: ann } } } } }\n";
    fs::write(folder.path().join("spec.yaml"), spec).unwrap();
    folder
}

#[test]
fn a_plan_is_a_comment_and_an_apply_leaves_nothing_to_plan() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ground = runtime.block_on(Ground::open(Some(Kind::Process))).unwrap();
    let vault = match runtime.block_on(ground.vault(&VaultOptions::default())) {
        Ok(vault) => vault,
        Err(err) if err.is_missing() => return println!("SKIPPED: {err}"),
        Err(err) => panic!("{err}"),
    };
    let (folder, env) = (spec(), vault.env());

    let plan = run(&folder, &env, "plan", "");
    assert_eq!(plan.code, Some(0));
    assert!(plan.outputs.contains("changes=true\n"), "{}", plan.outputs);
    assert!(plan.comment.starts_with("### `vaultwright plan spec.yaml`\n\n```text\n"));
    assert!(plan.comment.contains("+ shop/data/app"), "{}", plan.comment);
    assert_eq!(plan.summary, plan.comment);

    assert_eq!(run(&folder, &env, "verify", "").code, Some(2));
    assert_eq!(run(&folder, &env, "apply", "--target\nsys/mounts/*").code, Some(0));
    assert!(run(&folder, &env, "plan", "").outputs.contains("changes=true\n"));
    assert_eq!(run(&folder, &env, "apply", "").code, Some(0));
    assert!(run(&folder, &env, "plan", "").outputs.contains("changes=false\n"));
    assert_eq!(run(&folder, &env, "verify", "").code, Some(0));

    drop(vault);
    runtime.block_on(ground.end()).unwrap();
}

#[test]
fn a_mistake_fails_the_step_and_stands_in_the_comment() {
    let folder = spec();
    fs::write(folder.path().join("spec.yaml"), "nmae: shop\n").unwrap();
    let ran = run(&folder, &[], "check", "");
    assert_eq!(ran.code, Some(1));
    assert!(ran.comment.contains("did you mean `name`"), "{}", ran.comment);
    assert!(ran.outputs.contains("changes=false\n"));
    assert!(Path::new(folder.path()).join("results/output").exists());
}

#[test]
fn a_command_that_no_pipeline_should_run_is_refused() {
    assert_eq!(run(&spec(), &[], "destroy", "").code, Some(1));
}
