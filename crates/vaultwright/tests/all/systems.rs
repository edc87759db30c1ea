//! Each of the five systems on real servers: applied, found to be as its spec says, and left alone by a second apply.

use std::path::Path;

use serde_json::{Value, json};
use vault_client::ExposeSecret;
use vault_testbed::{
    ground::{Error, Ground, GroundSpec, Kind, Stack, interrupted},
    secrets::Secrets,
};

use crate::{program, root};

#[tokio::test(flavor = "multi_thread")]
async fn airflow_agent_stands_up() {
    stands_up("airflow-agent", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_loop_stands_up() {
    stands_up("rotation-loop", Some("short")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn airflow_hub_stands_up_in_development() {
    stands_up("airflow-hub", Some("development")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn airflow_hub_stands_up_in_production() {
    stands_up("airflow-hub", Some("production")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_handler_stands_up() {
    stands_up("django-handler", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workload_injection_stands_up() {
    stands_up("workload-injection", None).await;
}

async fn stands_up(system: &str, environment: Option<&str>) {
    let folder = root().join("specs").join(system);
    let ground = open().await.expect("a ground");
    let work = async {
        let spec = GroundSpec::read(&folder, environment)?;
        let stack = ground.stack(&spec).await?;
        let secrets = secrets(&stack);
        let run = |arguments: &[&str]| run(&stack, &secrets, &folder, environment, arguments);
        let kept = tempfile::NamedTempFile::new().expect("a file");
        let (code, said) = run(&["plan", "--out", &kept.path().display().to_string()]);
        assert_eq!(code, 0, "plan of {system}:\n{said}");
        let plan = std::fs::read(kept.path()).expect("a kept plan");
        assert!(plan.len() > 100, "the plan of {system} is kept in {} bytes", plan.len());
        secrets.pass("the kept plan", &plan).expect("no secret in it");
        let (code, said) = run(&["apply", "--yes"]);
        assert_eq!(code, 0, "apply of {system}:\n{said}");
        let (code, said) = run(&["verify", "--format", "json"]);
        assert_eq!(code, 0, "verify of {system}:\n{said}");
        let (code, said) = run(&["apply", "--yes", "--format", "json"]);
        assert_eq!(code, 0, "the second apply of {system}:\n{said}");
        let report: Value = serde_json::from_str(&said).expect("a report in JSON");
        assert_eq!(
            report["results"],
            json!([]),
            "the second apply of {system} found work:\n{said}"
        );
        stack.end().await
    };
    ground.until_done::<(), Error>(interrupted(), work).await.expect("servers that start and end");
}

/// What this machine has; never a Vault that is given, which other things may be on.
async fn open() -> Result<Ground, Error> {
    let choice = Kind::from_env()?.filter(|it| *it != Kind::Address);
    let kind = match choice {
        Some(kind) => kind,
        None => Kind::of_this_machine().await?,
    };
    Ground::open(Some(kind)).await
}

/// What the test bed has made up for it.
fn secrets(stack: &Stack) -> Secrets {
    let secrets = Secrets::default();
    secrets.add("the root token", stack.vault.root_token.expose_secret());
    if let Some(key) = stack.vault.unseal_key() {
        secrets.add("the unseal key", key.expose_secret());
    }
    for (name, server) in &stack.servers {
        secrets.add(&format!("the password of {name}"), server.admin_password.expose_secret());
        let superuser = server.superuser_password().expose_secret();
        secrets.add(&format!("the superuser's password of {name}"), superuser);
    }
    let passwords = stack.vars.iter().filter(|(name, _)| name.contains("password"));
    for (name, value) in passwords {
        secrets.add(&format!("the variable {name}"), value.as_str().unwrap_or_default());
    }
    secrets
}

/// Exit code and output of the program, which gets every secret by its environment.
fn run(
    stack: &Stack,
    secrets: &Secrets,
    folder: &Path,
    environment: Option<&str>,
    arguments: &[&str],
) -> (i32, String) {
    let (command, rest) = arguments.split_first().expect("a command");
    let mut program = program();
    program.arg(command).arg(folder).args(rest).env_clear().envs(stack.vault.env());
    program.args(environment.iter().flat_map(|it| ["--env", it]));
    for (name, value) in &stack.vars {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        program.env(format!("VAULTWRIGHT_VAR_{}", name.to_uppercase()), value);
    }
    let output = program.output().expect("the program runs");
    secrets.pass("the output", &output.stdout).expect("no secret in it");
    secrets.pass("the error output", &output.stderr).expect("no secret in it");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    let said = if output.status.success() { said } else { format!("{said}\n{complaints}") };
    (output.status.code().unwrap_or(-1), said)
}
