//! All tests that run the program, in one binary: what waits for servers and what computes take turns.
#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

mod action;
mod cli;
mod docs;
mod interrupted;
mod live;
mod manifests;
mod mistakes;
mod mutants;
mod pages;
mod prove;
mod render;
mod report;
mod scan;
mod systems;
mod up;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The folder that specs, fixtures and pages are named from.
fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
    });
    &ROOT
}

/// The program, run from there.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
    command.current_dir(root());
    command
}
