//! What can go wrong with a ground, each with what to do about it.

use std::path::PathBuf;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This machine can't have it: a scenario that needs it is skipped with this reason.
    #[error("{what} can't be had here: {remedy}")]
    Missing { what: String, remedy: String },
    #[error("{what} didn't start: {why}{}", shown_log(log))]
    Start { what: String, why: String, log: String },
    #[error("{what} was not ready within {seconds} s{}", shown_log(log))]
    Late { what: String, seconds: u64, log: String },
    #[error("{action} {}: {source}", path.display())]
    File { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("can't run {program}: {source}")]
    Program { program: String, source: std::io::Error },
    #[error("{program} failed ({status}){}", shown_log(output))]
    Failed { program: String, status: String, output: String },
    #[error("Vault at {address}, {request}: {why}")]
    Vault { address: String, request: String, why: String },
    #[error("{server}, {action}: {why}")]
    FarSide { server: String, action: &'static str, why: String },
    #[error("container engine, {action}: {why}; `docker info` shows whether it answers")]
    Engine { action: String, why: String },
    #[error("{place}: {why}")]
    Ground { place: String, why: String },
    #[error(
        "{0} belongs to somebody else on an `address` ground: it is never stopped or started from here"
    )]
    NotOurs(String),
    /// What is wrong with a `ground.yaml`, each with its place and line.
    #[error("{0}")]
    Spec(String),
    #[error("interrupted by {0}")]
    Interrupted(&'static str),
}

impl Error {
    /// True where the machine lacks something, as opposed to something that failed.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    pub(crate) fn engine(action: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Engine { action: action.into(), why: why.to_string() }
    }
}

/// With all its sources, for errors that don't show them by themselves.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let part = error.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        source = error.source();
    }
    text
}

fn shown_log(log: &str) -> String {
    match log.trim() {
        "" => String::new(),
        log => format!(
            "; its last words:\n{}",
            log.lines().map(|line| format!("  {line}\n")).collect::<String>()
        ),
    }
}
