//! `up` stands until it is told to end, and leaves nothing behind.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use vault_testbed::ground::servers;

use crate::program;

#[test]
fn what_is_up_can_be_used_and_ends_with_a_signal() {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED: there is no Vault server; `cargo xtask servers` builds one");
        return;
    }
    let mut command = program();
    command.args(["up", "--no-prove", "--on", "process"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = lines.by_ref().take_while(|it| !it.starts_with("Ctrl-C")).collect();
    let value = |name: &str| {
        let line = said.iter().find_map(|it| it.trim().strip_prefix(&format!("export {name}=")));
        line.unwrap_or_else(|| panic!("no {name} in {said:#?}")).to_owned()
    };
    let file = value("VAULT_TOKEN");
    let file = Path::new(file.trim_start_matches("$(cat ").trim_end_matches(')'));
    let token = std::fs::read_to_string(file).unwrap();
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!said.iter().any(|it| it.contains(&token)), "the token is shown");
    let password = value("VAULTWRIGHT_VAR_DB_ADMIN_PASSWORD");
    let password = Path::new(password.trim_start_matches("$(cat ").trim_end_matches(')'));
    assert_eq!(password.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read_to_string(password).unwrap();
    assert!(!said.iter().any(|it| it.contains(&secret)), "a password is shown");
    assert!(value("VAULTWRIGHT_VAR_DB_URL").starts_with("'127.0.0.1:"), "{said:#?}");
    let address = value("VAULT_ADDR").trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    assert!(said.iter().any(|it| it.contains("demo: PostgreSQL")), "{said:#?}");

    let ended = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(ended.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(lines.any(|it| it == "SIGTERM: ending everything"));
    assert!(!file.exists() && !file.parent().unwrap().exists());
    assert!(std::net::TcpStream::connect(&address).is_err());
}

/// Processes that carry the run's id in their environment.
fn of_run(run: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let environments = processes.filter_map(|it| std::fs::read(it.path().join("environ")).ok());
    environments.filter(|it| String::from_utf8_lossy(it).to_lowercase().contains(run)).count()
}

#[test]
fn what_is_up_is_applied_and_proven_and_all_of_it_ends_with_ctrl_c() {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED: there is no Vault server; `cargo xtask servers` builds one");
        return;
    }
    let mut command = program();
    command.args(["up", "specs/rotation-loop", "--env", "short", "--on", "process"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = lines.by_ref().take_while(|it| !it.starts_with("Ctrl-C")).collect();
    let at = |what: &str| {
        let at = said.iter().position(|it| it.contains(what));
        at.unwrap_or_else(|| panic!("no {what} in {said:#?}"))
    };
    let in_order = [
        "starting specs/rotation-loop on process",
        "applied rotation-loop: ",
        "proving rotation-loop on servers of its own",
        "✓ Logins that Vault makes in a database work, and end › ",
        "beside Vault: PostgreSQL ",
        " passed, 0 failed, 0 skipped",
        "rotation-loop is up, and proven",
        "export VAULT_ADDR=http://",
        "export VAULT_TOKEN=$(cat ",
        "shop: PostgreSQL ",
    ];
    let places = in_order.map(at);
    assert!(places.is_sorted(), "{places:?} of {said:#?}");
    let value = |name: &str| said[at(&format!("export {name}="))].split_once('=').unwrap().1;
    let address = value("VAULT_ADDR").trim_start_matches("http://");
    let token = Path::new(value("VAULT_TOKEN").trim_start_matches("$(cat ").trim_end_matches(')'));
    let folder = token.parent().unwrap();
    let run = folder.file_name().unwrap().to_str().unwrap().trim_start_matches("vaultwright-");
    let database = value("VAULTWRIGHT_VAR_DB_URL").trim_matches('\'');
    for address in [address, database] {
        assert!(std::net::TcpStream::connect(address).is_ok(), "nobody answers at {address}");
    }
    // Vault and PostgreSQL; those of the proof are gone.
    assert!(of_run(run) >= 2, "no process is of {run}");

    let ended = Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(ended.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(lines.any(|it| it == "Ctrl-C: ending everything"));
    for address in [address, database] {
        assert!(std::net::TcpStream::connect(address).is_err(), "{address} still answers");
    }
    assert!(!folder.exists(), "{} is left", folder.display());
    assert_eq!(of_run(run), 0, "processes are left");
}

#[test]
fn two_that_are_up_at_once_know_nothing_of_each_other() {
    if !matches!(servers::find(), Ok(Some(_))) {
        println!("SKIPPED: there is no Vault server; `cargo xtask servers` builds one");
        return;
    }
    let start = || {
        let mut command = program();
        command.args(["up", "--no-prove", "--on", "process"]).stdout(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut both = [start(), start()];
    let addresses = both.each_mut().map(|child| {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = lines.take_while(|it| !it.starts_with("Ctrl-C")).collect();
        let line = said.iter().find_map(|it| it.trim().strip_prefix("export VAULT_ADDR=http://"));
        line.unwrap_or_else(|| panic!("no address in {said:#?}")).to_owned()
    });
    assert_ne!(addresses[0], addresses[1]);
    let [mut first, mut second] = both;
    let end = |child: &std::process::Child| {
        Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap()
    };
    assert!(end(&first).success());
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert!(std::net::TcpStream::connect(&addresses[0]).is_err());
    assert!(std::net::TcpStream::connect(&addresses[1]).is_ok(), "the other one goes on");
    assert!(end(&second).success());
    assert_eq!(second.wait().unwrap().code(), Some(0));
    assert!(std::net::TcpStream::connect(&addresses[1]).is_err());
}
