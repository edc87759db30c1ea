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
use tokio::{sync::oneshot, task::JoinHandle};
use vault_model::spec::Spec;
use vault_provision::{Event, Stop};
use vault_testbed::{
    ground::{self, interrupted},
    secrets::Secrets,
};

use crate::{applied, exits};

pub fn colour() -> bool {
    io::stdout().is_terminal() && wants_colour()
}

pub fn colour_of_errors() -> bool {
    io::stderr().is_terminal() && wants_colour()
}

/// By https://no-color.org.
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

pub fn json(value: &Value) {
    println!("{value:#}");
}

/// What a spec is warned of, on standard error.
pub fn warnings(spec: &Spec) {
    eprint!("{}", spec.warnings.render(&spec.sources, colour_of_errors()));
}

/// Asks on a terminal. Elsewhere nobody sees the question or can answer, and that is an error.
pub async fn agrees(question: &str) -> anyhow::Result<bool> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        anyhow::bail!("this changes Vault, and nobody is there to be asked: say --yes");
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush()?;
    let (answer, heard) = oneshot::channel();
    // A thread that nobody waits for: there may never be an answer.
    std::thread::spawn(move || {
        let mut line = String::new();
        answer.send(io::stdin().lock().read_line(&mut line).map(|_| line))
    });
    let answered = unless_interrupted(async { Ok(heard.await??) }).await;
    if !answered.as_ref().is_ok_and(|it| it.ends_with('\n')) {
        eprintln!();
    }
    Ok(matches!(answered?.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// For what may be left off at any time.
pub async fn unless_interrupted<T>(
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let signal = interrupted();
    tokio::select! {
        result = work => result,
        signal = signal => Err(ground::Error::Interrupted(signal).into()),
    }
}

/// Waits for signals as long as it lives.
pub struct Watcher {
    task: JoinHandle<()>,
    code: Arc<AtomicU8>,
}

/// The first signal finishes what is under way; a second one ends the process at once.
pub fn stop_on_signal(stop: Stop) -> Watcher {
    let code = Arc::new(AtomicU8::new(exits::DONE));
    let told = code.clone();
    let first = interrupted();
    let task = tokio::spawn(async move {
        told.store(exits::of_signal(first.await), Ordering::Relaxed);
        eprintln!("stopping: what is under way is finished first; again to end at once");
        stop.stop();
        std::process::exit(i32::from(exits::of_signal(interrupted().await)));
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
