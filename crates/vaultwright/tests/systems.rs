//! Each of the five systems on real servers: applied, found to be as its spec says, and left alone by a second apply.

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use vault_testbed::ground::{Error, Ground, GroundSpec, Kind, Stack};

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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs").join(system);
    let ground = open().await.expect("a ground");
    let work = async {
        let spec = GroundSpec::read(&folder, environment)?;
        let stack = ground.stack(&spec).await?;
        let run = |arguments: &[&str]| run(&stack, &folder, environment, arguments);
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
    ground.until_done::<(), Error>(work).await.expect("servers that start and end");
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

/// Exit code and output of the program, which gets every secret by its environment.
fn run(
    stack: &Stack,
    folder: &Path,
    environment: Option<&str>,
    arguments: &[&str],
) -> (i32, String) {
    let (command, rest) = arguments.split_first().expect("a command");
    let mut program = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
    program.arg(command).arg(folder).args(rest).env_clear().envs(stack.vault.env());
    program.args(environment.iter().flat_map(|it| ["--env", it]));
    for (name, value) in &stack.vars {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        program.env(format!("VAULTWRIGHT_VAR_{}", name.to_uppercase()), value);
    }
    let output = program.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let secrets = stack.vars.iter().filter(|(name, _)| name.contains("password"));
    for secret in secrets.filter_map(|(_, it)| it.as_str()) {
        assert!(!said.contains(secret), "a secret is shown");
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    let said = if output.status.success() { said } else { format!("{said}\n{complaints}") };
    (output.status.code().unwrap_or(-1), said)
}
