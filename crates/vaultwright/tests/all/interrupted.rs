//! A run that is told to end in the middle of a scenario ends, and leaves nothing behind.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use vault_testbed::ground::servers;

use crate::program;

/// The servers that the process `parent` has started.
fn children(parent: u32) -> Vec<u32> {
    let own = |it: &fs::DirEntry| it.file_name().to_str()?.parse::<u32>().ok();
    let is_child = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|it| it == format!("PPid:\t{parent}"))
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|it| own(&it)).filter(is_child).collect()
}

/// The name and state of a process that has not ended. One that nobody has waited for yet has.
fn living(pid: u32) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let lines: Vec<&str> = status.lines().take(3).collect();
    (!status.contains("State:\tZ")).then(|| lines.join(", "))
}

#[track_caller]
fn ends_in_the_middle(arguments: &[&str]) {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!(
            "SKIPPED {arguments:?}: there is no Vault server; `cargo xtask servers` builds one"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(arguments).env("TMPDIR", folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while children(child.id()).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "no server was started");
        assert!(child.try_wait().unwrap().is_none(), "it ended before its first server");
        std::thread::sleep(Duration::from_millis(20));
    }
    let servers = children(child.id());
    let told = Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
    let output = child.wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(130), "{output:?}");
    // One that was killed may need a moment to be gone.
    let asked = Instant::now();
    let mut alive: Vec<String> = servers.iter().filter_map(|it| living(*it)).collect();
    while !alive.is_empty() && asked.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(20));
        alive = servers.iter().filter_map(|it| living(*it)).collect();
    }
    assert!(alive.is_empty(), "still there: {alive:?}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|it| it.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Nobody reads what it prints, so that it stands still in the first line, which comes after its folder and before its first
/// server.
#[track_caller]
fn ends_before_its_first_server(arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (temporary, records) = (folder.path().join("tmp"), folder.path().join("state"));
    fs::create_dir(&temporary).unwrap();
    let (mut unread, mut pipe) = std::io::pipe().unwrap();
    pipe.write_all(&[b'\n'; 1 << 16]).unwrap();
    let mut command = program();
    command.args(arguments).env("TMPDIR", &temporary).env("XDG_STATE_HOME", &records);
    let mut child = command.stdout(pipe).stderr(Stdio::piped()).spawn().unwrap();
    drop(command);
    let entries = |it: &Path| fs::read_dir(it).map_or(0, |it| it.count());
    let began = Instant::now();
    while entries(&temporary) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "it has not begun");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
        std::thread::sleep(Duration::from_millis(5));
    }
    let told = Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
    std::thread::spawn(move || std::io::copy(&mut unread, &mut std::io::sink()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let left = (entries(&temporary), entries(&records.join("vaultwright/runs")));
    assert_eq!(left, (0, 0), "its folder and its record");
}

#[test]
fn what_is_told_to_end_before_its_first_server_leaves_nothing() {
    ends_before_its_first_server(&["test", "features/dynamic_roles.feature", "--on", "process"]);
    ends_before_its_first_server(&["prove", "specs/airflow-agent", "--on", "process"]);
    ends_before_its_first_server(&["up", "--on", "process"]);
}

/// A Vault that takes the connection and never answers, as one behind a tired balancer.
#[test]
fn a_proof_that_waits_for_its_login_ends_with_ctrl_c_and_leaves_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(["prove", "fixtures/live/spec.yaml", "--live", &address]);
    command.args(["--login", "approle", "--role-id", "somebody"]);
    command.env("VAULTWRIGHT_SECRET_ID", "nobody-s").env("TMPDIR", folder.path());
    command.env("XDG_STATE_HOME", folder.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let asking = silent.accept().unwrap();
    let told = Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
    let output = child.wait_with_output().unwrap();
    drop(asking);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let left: Vec<_> = ["vaultwright/runs", "."]
        .iter()
        .flat_map(|it| fs::read_dir(folder.path().join(it)).into_iter().flatten().flatten())
        .map(|it| it.path())
        .filter(|it| !it.ends_with("vaultwright"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_feature_ends_with_ctrl_c() {
    ends_in_the_middle(&["test", "features/dynamic_roles.feature", "--on", "process"]);
}

#[test]
fn a_proof_ends_with_ctrl_c() {
    ends_in_the_middle(&["prove", "specs/airflow-agent", "--on", "process"]);
}

#[test]
fn an_up_ends_with_ctrl_c_before_it_is_up() {
    ends_in_the_middle(&["up", "--on", "process"]);
}
