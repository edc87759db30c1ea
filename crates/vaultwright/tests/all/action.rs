//! The commands that pipelines run: those of the composite action for GitHub, and of the example for GitLab.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use vault_client::{ExposeSecret, Settings, Vault};
use vault_testbed::ground::{Ground, Kind, VaultOptions, VaultServer, servers};

use crate::root;

/// Its exit code, and what it wrote for the steps after it.
struct Ran {
    code: Option<i32>,
    outputs: String,
    comment: String,
    summary: String,
}

fn run(folder: &TempDir, vault: &[(&'static str, String)], command: &str, arguments: &str) -> Ran {
    let at = |name: &str| folder.path().join(name);
    let script = root().join(".github/actions/vaultwright/run.sh");
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

const SPEC: &str =
    "name: shop\nsecrets: { shop: { type: kv-v2, data: { app: { seed: { user: ann } } } } }\n";

fn spec() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spec.yaml"), SPEC).unwrap();
    folder
}

/// Runs `work` on a Vault of its own. Where there can be none, that is told on the standard output.
fn on_a_vault(test: &str, work: impl FnOnce(&VaultServer, &tokio::runtime::Runtime)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ground = runtime.block_on(Ground::open(Some(Kind::Process))).unwrap();
    let vault = match runtime.block_on(ground.vault(&VaultOptions::default())) {
        Ok(vault) => vault,
        Err(err) if err.is_missing() => return println!("SKIPPED {test}: {err}"),
        Err(err) => panic!("{err}"),
    };
    work(&vault, &runtime);
    drop(vault);
    runtime.block_on(ground.end()).unwrap();
}

#[test]
fn a_plan_is_a_comment_and_an_apply_leaves_nothing_to_plan() {
    on_a_vault("a_plan_is_a_comment_and_an_apply_leaves_nothing_to_plan", |vault, _| {
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
    });
}

#[test]
fn a_proof_leaves_its_reports_and_its_own_summary() {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED a proof: there is no Vault server; `cargo xtask servers` builds one");
        return;
    }
    let folder = spec();
    let proof = run(&folder, &[], "prove", "--on\nprocess\n--only\nshop/*");
    assert_eq!(proof.code, Some(0), "{}", proof.comment);
    assert!(proof.outputs.contains("changes=false\n"), "{}", proof.outputs);
    let counts = proof.comment.lines().find(|it| it.ends_with(" passed, 0 failed, 0 skipped"));
    let counts = counts.unwrap_or_else(|| panic!("{}", proof.comment));
    assert!(proof.comment.contains("\n✓ "), "{}", proof.comment);
    let heading = format!("## ✅ Proof of shop: {counts}\n");
    assert!(proof.summary.starts_with(&heading), "{}", proof.summary);
    assert_eq!(proof.summary.matches("Proof of shop").count(), 1, "{}", proof.summary);
    let report = |name: &str| fs::read_to_string(folder.path().join("results").join(name)).unwrap();
    assert!(report("proof.html").contains("<h1>Proof of shop</h1>"));
    assert!(report("proof.xml").contains("<testsuite "));
    assert!(report("proof.json").contains("\"failed\": 0"));
}

/// A job of `docs/examples/gitlab-ci.yml`.
struct Job {
    name: String,
    script: Vec<String>,
    /// What it keeps, by the names that it gives.
    kept: Vec<String>,
}

/// In the order of their stages, and what all of them have in their environment.
fn pipeline() -> (Vec<Job>, Vec<(String, String)>) {
    let path = root().join("docs/examples/gitlab-ci.yml");
    let text = fs::read_to_string(path).unwrap();
    let pipeline: Value = serde_yaml::from_str(&text).unwrap();
    let texts = |it: &Value| -> Vec<String> {
        let all = it.as_array().into_iter().flatten();
        all.map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let entries = pipeline.as_object().unwrap();
    let of_stage = |stage: &String| {
        let (name, job) = entries.iter().find(|(_, it)| it["stage"] == **stage).unwrap();
        let mut kept = texts(&job["artifacts"]["paths"]);
        kept.extend(job["artifacts"]["reports"]["junit"].as_str().map(str::to_owned));
        Job { name: name.clone(), script: texts(&job["script"]), kept }
    };
    let jobs = texts(&pipeline["stages"]).iter().map(of_stage).collect();
    let variables = pipeline["variables"].as_object().unwrap().iter();
    let variables = variables.map(|(name, it)| (name.clone(), it.as_str().unwrap().to_owned()));
    (jobs, variables.filter(|(name, _)| name != "CARGO_HOME").collect())
}

/// An AppRole that may do all, as `VAULTWRIGHT_ROLE_ID` and `VAULTWRIGHT_SECRET_ID` name it.
async fn approle(server: &VaultServer) -> [(&'static str, String); 2] {
    let settings = Settings::new(&server.address).unwrap();
    let vault = Vault::new(&settings).unwrap().with_token(server.root_token.clone());
    let policy = "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"sudo\"] }";
    let write = async |path: &str, body: Value| {
        vault.write(path, body.as_object().unwrap().clone()).await.unwrap().data
    };
    write("sys/policies/acl/pipeline", json!({ "policy": policy })).await;
    write("sys/auth/approle", json!({ "type": "approle" })).await;
    let role = "auth/approle/role/pipeline";
    write(role, json!({ "token_policies": "pipeline", "token_ttl": "10m" })).await;
    write(&format!("{role}/role-id"), json!({ "role_id": "pipelines-role-id" })).await;
    let made = write(&format!("{role}/secret-id"), json!({})).await.unwrap();
    [
        ("VAULTWRIGHT_ROLE_ID", "pipelines-role-id".to_owned()),
        ("VAULTWRIGHT_SECRET_ID", made["secret_id"].as_str().unwrap().to_owned()),
    ]
}

#[test]
fn the_jobs_of_the_example_for_gitlab_check_plan_apply_and_prove() {
    on_a_vault("the example for GitLab", |vault, runtime| {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for made in ["vault", "bin"] {
            fs::create_dir(at(made)).unwrap();
        }
        fs::write(at("vault/spec.yaml"), SPEC).unwrap();
        symlink(env!("CARGO_BIN_EXE_vaultwright"), at("bin/vaultwright")).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [at("bin")].into_iter().chain(std::env::split_paths(&path));
        let path = std::env::join_paths(path.collect::<Vec<PathBuf>>()).unwrap();
        let masked = runtime.block_on(approle(vault));
        let (jobs, variables) = pipeline();
        let names: Vec<&str> = jobs.iter().map(|it| &*it.name).collect();
        assert_eq!(names, ["check", "plan", "apply", "prove"]);
        for job in jobs {
            // As GitLab's runner begins.
            let script = format!("set -eo pipefail\n{}\n", job.script.join("\n"));
            let mut runner = Command::new("bash");
            runner.args(["-c", &script]).current_dir(folder.path()).env("PATH", &path);
            runner.envs(variables.clone()).envs(masked.clone());
            runner.env("VAULT_ADDR", &vault.address).env_remove("VAULT_TOKEN");
            let output = runner.output().unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(output.status.success(), "{}: {said}", job.name);
            assert!(
                !said.contains(vault.root_token.expose_secret()) && !said.contains(&masked[1].1)
            );
            for kept in job.kept {
                assert!(fs::metadata(at(&kept)).unwrap().len() > 0, "{}: {kept}", job.name);
            }
        }
        assert!(fs::read_to_string(at("plan.txt")).unwrap().contains("+ shop/data/app"));
        assert!(fs::read_to_string(at("proof.xml")).unwrap().contains("failures=\"0\""));
    });
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
