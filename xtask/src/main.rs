//! `cargo xtask`: the repository's own chores; everything else is a command of vaultwright and goes to it.

mod test;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Parser;

/// The repository's own chores. Every other command, such as `up`, `servers`, `images` or `clean`, is one of
/// vaultwright, which is built first: `cargo xtask help` lists them.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true, disable_help_subcommand = true)]
enum Task {
    /// Check everything that CI checks, as CI does it: installs what is missing, needs root or sudo for that
    Ci,
    /// Measure, in a release build
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    Test(test::TestArgs),
    #[command(external_subcommand)]
    Forwarded(Vec<OsString>),
}

fn main() -> Result<()> {
    match Task::parse() {
        Task::Ci => replace_by(Command::new("bash").arg(root().join(".ci/run"))),
        Task::Bench { arguments } => {
            let bench = std::iter::once("bench".into()).chain(arguments);
            replace_by(vaultwright("release").arg("--release").arg("--").args(bench))
        }
        Task::Test(args) => match test::test(&args)? {
            true => Ok(()),
            false => std::process::exit(1),
        },
        Task::Forwarded(arguments) => replace_by(vaultwright("debug").arg("--").args(arguments)),
    }
}

/// `cargo run` of the binary. The first build takes minutes and is shown, later ones are quiet.
fn vaultwright(profile: &str) -> Command {
    let mut command = cargo();
    command.args(["run", "--package", "vaultwright", "--bin", "vaultwright", "--manifest-path"]);
    command.arg(root().join("Cargo.toml"));
    if target().join(profile).join("vaultwright").exists() {
        command.arg("--quiet");
    }
    command
}

/// Without what Cargo says of xtask's own package: build scripts that look at it would run anew, and all that needs their
/// packages would be compiled once more.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Signals then reach the command itself.
fn replace_by(command: &mut Command) -> Result<()> {
    let error = command.exec();
    Err(error).with_context(|| format!("can't run {}", command.get_program().display()))
}

fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    #[test]
    fn cargo_is_not_told_of_xtask() {
        let command = super::cargo();
        let told: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).collect();
        // Cargo has said both to this very test.
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
            assert!(told.iter().any(|(it, _)| *it == name), "{name} is handed on");
        }
    }
}
