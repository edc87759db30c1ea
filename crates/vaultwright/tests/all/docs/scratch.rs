//! The folder in which a page's commands run, as a person would type them into one terminal.

use std::{
    fs::{self, File},
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::shown::difference;

/// Longer than anything in a page takes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(420);

/// What a page finds in the checkout that it speaks of.
const CHECKOUT: [&str; 4] = ["specs", "features", "fixtures/samples", "docs/examples"];

/// `cargo xtask` forwards to the program. Only a half of `test` is its own, and the features are the program's.
const CARGO: &str = r#"#!/bin/bash
[[ $1 == xtask ]] || { echo "a page runs cargo $1" >&2; exit 99; }
shift
[[ "$1 $2 $3" != "test --only features" ]] || set -- test "${@:4}"
exec vaultwright "$@"
"#;

pub struct Scratch {
    folder: TempDir,
    environment: Vec<(String, PathBuf)>,
    code: i32,
    stay: Vec<Child>,
}

impl Scratch {
    /// `server` is the binary that proofs start, `binary` that of vaultwright.
    pub fn new(root: &Path, binary: &Path, server: Option<&Path>) -> Scratch {
        let folder = tempfile::Builder::new().prefix("docs").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["bin", "home", "checkout/docs", "checkout/fixtures"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for name in CHECKOUT {
            let copied = Command::new("cp")
                .arg("-r")
                .arg(root.join(name))
                .arg(at("checkout").join(name))
                .status();
            assert!(copied.unwrap().success());
        }
        symlink(binary, at("bin/vaultwright")).unwrap();
        fs::write(at("bin/cargo"), CARGO).unwrap();
        fs::set_permissions(at("bin/cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(at("folder"), at("checkout").to_str().unwrap()).unwrap();
        fs::write(at("environment"), "").unwrap();
        let mut environment = vec![("HOME".to_owned(), at("home"))];
        if let Some(server) = server {
            symlink(server, at("bin/vault")).unwrap();
            environment.push(("VAULTWRIGHT_SERVER".to_owned(), server.to_owned()));
        }
        // What was built, and what must be ended, is where it is for every other test.
        let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        for (name, usual) in [("XDG_CACHE_HOME", ".cache"), ("XDG_STATE_HOME", ".local/state")] {
            let value = std::env::var_os(name).map_or_else(|| home.join(usual), PathBuf::from);
            environment.push((name.to_owned(), value));
        }
        Scratch { folder, environment, code: 0, stay: Vec::new() }
    }

    pub fn export(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.into()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        let now = fs::read_to_string(self.at("folder")).unwrap();
        Path::new(now.trim_end()).join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The exit code, and both streams as a terminal shows them.
    pub fn run(&mut self, command: &str) -> (i32, String) {
        let script = format!(
            "(exit {})\n{command}\ncode=$?\nexport -p >{}\npwd >{}\nexit $code\n",
            self.code,
            self.at("environment").display(),
            self.at("folder").display(),
        );
        let mut child = self.start(&script);
        let status = wait(&mut child, DEADLINE).unwrap_or_else(|| {
            // With all that it has started.
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
            let _ = wait(&mut child, DEADLINE);
            panic!("`{command}` is not done after {DEADLINE:?}:\n{}", self.shown())
        });
        self.code = status.code().unwrap_or(-1);
        (self.code, self.shown())
    }

    /// Until it has shown what the page says; its exports then hold for what follows.
    pub fn stay(&mut self, command: &str, said: &[String]) -> Result<(), String> {
        let mut child = self.start(&format!("exec {command}\n"));
        let began = Instant::now();
        let found = loop {
            let found = difference(said, &self.shown());
            let has_ended = child.try_wait().unwrap().is_some();
            if found.is_none() || has_ended || began.elapsed() > DEADLINE {
                break found;
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        self.stay.push(child);
        let shown = self.shown();
        let exports = shown.lines().map(str::trim).filter(|it| it.starts_with("export "));
        let environment = fs::read_to_string(self.at("environment")).unwrap();
        let all: Vec<&str> = environment.lines().chain(exports).collect();
        fs::write(self.at("environment"), all.join("\n") + "\n").unwrap();
        // What follows writes to a file of its own.
        fs::rename(self.at("shown"), self.at(&format!("shown-{}", self.stay.len()))).unwrap();
        found.map_or(Ok(()), Err)
    }

    /// Ctrl-C for what stays, as the page's reader does; whether all of it ended well.
    pub fn end(mut self) -> bool {
        let mut stay = std::mem::take(&mut self.stay);
        stay.iter_mut().all(|child| {
            signal(child, "-INT");
            wait(child, DEADLINE).is_some_and(|it| it.success())
        })
    }

    fn start(&self, script: &str) -> Child {
        let (environment, folder) = (self.at("environment"), self.path("."));
        let script = format!("source {}\ncd {}\n{script}", environment.display(), folder.display());
        let shown = File::create(self.at("shown")).unwrap();
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).env("NO_COLOR", "1").env("VAULTWRIGHT_ON", "process");
        // A scenario of a proof that fails on a machine that is busy with other tests is tried once more.
        command.env("CI", "1");
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["VAULT_", "BAO_", "VAULTWRIGHT_VAR_", "GITHUB_"]
                .iter()
                .any(|it| name.starts_with(it))
            {
                command.env_remove(name);
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.at("bin").display()));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(shown.try_clone().unwrap()).stderr(shown);
        command.process_group(0).spawn().unwrap()
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.at("shown")).unwrap_or_default()).into_owned()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for child in &mut self.stay {
            signal(child, "-TERM");
            let _ = wait(child, DEADLINE);
        }
    }
}

/// To the process that the shell has become.
fn signal(child: &Child, which: &str) {
    let mut kill = Command::new("kill");
    let _ = kill.arg(which).arg(child.id().to_string()).stderr(Stdio::null()).status();
}

fn wait(child: &mut Child, longest: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return Some(status),
            None if began.elapsed() > longest => return None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
