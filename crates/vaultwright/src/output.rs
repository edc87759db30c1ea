//! What a person sees: colour, questions, progress.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use tokio::task::JoinHandle;
use vault_model::spec::Spec;
use vault_provision::{Event, Stop};
use vault_testbed::secrets::Secrets;

use crate::{applied, exits};

pub fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

pub fn json(value: &Value) {
    println!("{value:#}");
}

/// What a spec is warned of, on standard error.
pub fn warnings(spec: &Spec) {
    eprint!("{}", spec.warnings.render(&spec.sources, io::stderr().is_terminal()));
}

/// Asks on a terminal. Elsewhere nobody can answer, and that is an error.
pub fn agrees(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        anyhow::bail!("this changes Vault, and nobody is there to be asked: say --yes");
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Waits for signals as long as it lives.
pub struct Watcher {
    task: JoinHandle<()>,
    code: Arc<AtomicU8>,
}

/// The first Ctrl-C or SIGTERM finishes what is under way; a second one ends the process at once.
pub fn stop_on_signal(stop: Stop) -> Watcher {
    let code = Arc::new(AtomicU8::new(exits::DONE));
    let told = code.clone();
    let task = tokio::spawn(async move {
        told.store(signal().await, Ordering::Relaxed);
        eprintln!("stopping: what is under way is finished first; again to end at once");
        stop.stop();
        std::process::exit(i32::from(signal().await));
    });
    Watcher { task, code }
}

impl Watcher {
    /// The exit code of the signal that came, if one did.
    pub fn end(self) -> Option<u8> {
        self.task.abort();
        Some(self.code.load(Ordering::Relaxed)).filter(|it| *it != exits::DONE)
    }
}

/// The exit code of the signal that came.
async fn signal() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => exits::INTERRUPT,
        _ = terminate.recv() => exits::TERMINATE,
    }
}

/// The way to the terminal of a command that knows secrets: what would show one is withheld, and the command fails.
#[derive(Clone, Default)]
pub struct Terminal {
    pub secrets: Secrets,
    withheld: Arc<AtomicBool>,
}

impl Terminal {
    pub fn print(&self, text: &str) {
        match self.secrets.pass("the terminal", text.as_bytes()) {
            Ok(()) => print!("{text}"),
            Err(shown) => {
                eprintln!("error: {shown}");
                self.withheld.store(true, Ordering::Relaxed);
            }
        }
    }

    /// What a command came to, which is nothing good where something was withheld.
    pub fn end<T>(&self, result: anyhow::Result<T>) -> anyhow::Result<T> {
        let result = result.map_err(|err| {
            let text = format!("{err:?}");
            match self.secrets.pass("the error that ended it", text.as_bytes()) {
                Ok(()) => err,
                Err(shown) => shown.into(),
            }
        });
        anyhow::ensure!(
            result.is_err() || !self.withheld.load(Ordering::Relaxed),
            "what it would show holds secrets: see above"
        );
        result
    }
}

/// A bar on a terminal, nothing elsewhere; failures as they happen on both.
pub struct Progress(ProgressBar);

impl Progress {
    pub fn new(count: usize) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress(bar)
    }

    pub fn show(&mut self, spec: &Spec, event: Event<'_>) {
        self.0.inc(1);
        if let Some(text) = applied::failure(spec, &event) {
            self.0.suspend(|| eprintln!("{text}"));
        }
    }

    pub fn finish(&mut self) {
        self.0.finish_and_clear();
    }
}
