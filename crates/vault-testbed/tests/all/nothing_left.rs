//! Whatever way a run ends, nothing that it started is left: processes, containers, networks, folders.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder,
};
use vault_testbed::ground::{Ground, Health, Kind, RUN_LABEL, VaultOptions};

/// A run in a process of its own, with a record of runs of its own.
struct Held {
    holder: Child,
    state: tempfile::TempDir,
    run: String,
    processes: Vec<u64>,
    /// Started by one of them.
    child: u64,
    /// Of the containers: they have no label of the run.
    volumes: Vec<String>,
}

const DEADLINE: Duration = Duration::from_secs(30);

fn hold_ground(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hold-ground"));
    command.env("XDG_STATE_HOME", state).env_remove("RUST_BACKTRACE");
    command
}

impl Held {
    async fn begin(kind: &str, end: &str) -> Option<Self> {
        if let Some(why) = crate::common::why_not(kind.parse().unwrap()).await {
            println!("SKIPPED a {kind} run that ends by {end}: {why}");
            return None;
        }
        let state = tempfile::tempdir().unwrap();
        let mut command = hold_ground(state.path());
        let mut child = command
            .args([kind, end])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(said) = serde_json::from_str::<serde_json::Value>(&line) else {
            panic!("{}", String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr));
        };
        let processes =
            said["processes"].as_array().unwrap().iter().map(|pid| pid.as_u64().unwrap()).collect();
        let run = said["run"].as_str().unwrap().to_owned();
        let volumes = volumes_of(&run).await;
        let of_child = said["child"].as_u64().unwrap();
        Some(Self { holder: child, state, run, processes, child: of_child, volumes })
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.holder.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    fn wait(self) -> (Output, Left) {
        let Self { holder, state, run, processes, child, volumes } = self;
        (holder.wait_with_output().unwrap(), Left { state, run, processes, child, volumes })
    }
}

/// What there could be of a run that has ended.
struct Left {
    state: tempfile::TempDir,
    run: String,
    processes: Vec<u64>,
    child: u64,
    volumes: Vec<String>,
}

impl Left {
    fn folders(&self) -> Vec<PathBuf> {
        let work = std::env::temp_dir().join(format!("vaultwright-{}", self.run.to_lowercase()));
        let state = self.state.path().join("vaultwright/runs").join(&self.run);
        [work, state].into_iter().filter(|folder| folder.exists()).collect()
    }

    fn living_processes(&self) -> Vec<u64> {
        self.processes.iter().copied().filter(|pid| is_alive(*pid)).collect()
    }

    /// Containers, networks and volumes.
    async fn on_the_engine(&self) -> (usize, usize, usize) {
        let Ok(docker) = Docker::connect_with_defaults() else { return (0, 0, 0) };
        let filters = of_run(&self.run);
        let list = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let containers = docker.list_containers(Some(list)).await.map_or(0, |list| list.len());
        let list = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let networks = docker.list_networks(Some(list)).await.map_or(0, |list| list.len());
        let mut volumes = 0;
        for name in &self.volumes {
            volumes += usize::from(docker.inspect_volume(name).await.is_ok());
        }
        (containers, networks, volumes)
    }

    async fn assert_nothing(&self) {
        assert_eq!(self.living_processes(), Vec::<u64>::new());
        assert!(!is_alive(self.child), "what a process had started goes on");
        assert_eq!(self.on_the_engine().await, (0, 0, 0));
        assert_eq!(self.folders(), Vec::<PathBuf>::new());
    }
}

fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn of_run(run: &str) -> HashMap<String, Vec<String>> {
    [("label".to_owned(), vec![format!("{RUN_LABEL}={run}")])].into()
}

async fn volumes_of(run: &str) -> Vec<String> {
    let Ok(docker) = Docker::connect_with_defaults() else { return Vec::new() };
    let list = ListContainersOptionsBuilder::new().filters(&of_run(run)).build();
    let containers = docker.list_containers(Some(list)).await.unwrap_or_default();
    let mounts = containers.into_iter().flat_map(|it| it.mounts.unwrap_or_default());
    mounts.filter_map(|it| it.name).collect()
}

async fn nothing_is_left_after_success(kind: &str) {
    let Some(held) = Held::begin(kind, "success").await else { return };
    let (output, left) = held.wait();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    left.assert_nothing().await;
}

async fn nothing_is_left_after_an_error(kind: &str) {
    let Some(held) = Held::begin(kind, "error").await else { return };
    let (output, left) = held.wait();
    assert!(String::from_utf8_lossy(&output.stderr).contains("told to fail"));
    left.assert_nothing().await;
}

async fn nothing_is_left_after_a_panic(kind: &str) {
    let Some(held) = Held::begin(kind, "panic").await else { return };
    let (output, left) = held.wait();
    assert!(String::from_utf8_lossy(&output.stderr).contains("told to panic"));
    left.assert_nothing().await;
}

async fn nothing_is_left_after_a_signal(kind: &str) {
    for (signal, name) in
        [(rustix::process::Signal::INT, "Ctrl-C"), (rustix::process::Signal::TERM, "SIGTERM")]
    {
        let Some(held) = Held::begin(kind, "wait").await else { return };
        held.signal(signal);
        let (output, left) = held.wait();
        assert!(String::from_utf8_lossy(&output.stderr).contains(name), "{output:?}");
        left.assert_nothing().await;
    }
}

async fn the_next_run_removes_what_a_killed_one_left(kind: &str) {
    let Some(held) = Held::begin(kind, "wait").await else { return };
    held.signal(rustix::process::Signal::KILL);
    let (output, left) = held.wait();
    assert!(!output.status.success());
    assert_eq!(left.folders().len(), 2, "a killed run removes nothing by itself");
    if kind == "docker" {
        assert_eq!(left.on_the_engine().await, (2, 1, 1), "two servers, one of them with a volume");
    }
    // The kernel has ended the processes together with the one that started them.
    let killed_at = Instant::now();
    while !left.living_processes().is_empty() && killed_at.elapsed() < DEADLINE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(left.living_processes(), Vec::<u64>::new());
    assert!(is_alive(left.child), "the kernel knows nothing of what a process has started");
    let swept = hold_ground(left.state.path()).arg("sweep").output().unwrap();
    assert!(String::from_utf8_lossy(&swept.stdout).starts_with("1 runs"), "{swept:?}");
    left.assert_nothing().await;
}

macro_rules! on_both_grounds {
    ($($test:ident),* $(,)?) => {
        mod process {
            $(#[tokio::test]
            async fn $test() {
                super::$test("process").await;
            })*
        }
        mod docker {
            $(#[tokio::test]
            async fn $test() {
                super::$test("docker").await;
            })*
        }
    };
}

on_both_grounds! {
    nothing_is_left_after_success,
    nothing_is_left_after_an_error,
    nothing_is_left_after_a_panic,
    nothing_is_left_after_a_signal,
    the_next_run_removes_what_a_killed_one_left,
}

#[tokio::test]
async fn a_given_vault_is_used_and_left_as_it_was() {
    if let Some(why) = crate::common::why_not(Kind::Process).await {
        println!("SKIPPED a_given_vault_is_used_and_left_as_it_was: {why}");
        return;
    }
    let ground = Ground::open(Some(Kind::Process)).await.unwrap();
    let vault = ground.vault(&VaultOptions::default()).await.unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut command = hold_ground(state.path());
    let output = command.args(["address", "success"]).envs(vault.env()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(vault.health().await, Health::Active);
    let output = hold_ground(state.path())
        .args(["address", "success"])
        .env_remove("VAULT_ADDR")
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("set VAULT_ADDR and VAULT_TOKEN"),
        "{output:?}"
    );
    ground.end().await.unwrap();
}

#[test]
fn a_server_that_is_given_and_isnt_there_is_named() {
    let state = tempfile::tempdir().unwrap();
    let mut command = hold_ground(state.path());
    let output = command
        .args(["process", "success"])
        .env("VAULTWRIGHT_SERVER", "nowhere/vault")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("VAULTWRIGHT_SERVER")
            && said.contains("nowhere/vault is not an executable file"),
        "{said}"
    );
}
