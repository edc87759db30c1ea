//! What a person sees: colour, questions, progress, what became of an apply.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use vault_model::{source::Place, spec::Spec};
use vault_provision::{Applied, Event, Outcome, Stop};
use vault_testbed::secrets::Secrets;

/// The shape of what `apply --format json` prints.
const APPLIED_FORMAT: &str = "vaultwright/applied/1";

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

/// The first Ctrl-C or SIGTERM finishes what is under way; a second one ends the process at once.
pub fn stop_on_signal(stop: Stop) -> JoinHandle<()> {
    tokio::spawn(async move {
        signal().await;
        eprintln!("stopping: what is under way is finished first; again to end at once");
        stop.stop();
        signal().await;
        std::process::exit(i32::from(crate::exits::INTERRUPT));
    })
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
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
        if let Some(problem) = problem(event.outcome) {
            let place =
                place(spec, &event).map(|it| format!("\n      {}", spec.sources.describe(it)));
            let text = format!("  ✗ {}: {problem}{}", event.path, place.unwrap_or_default());
            let text = spec.redactor.mask(&text);
            self.0.suspend(|| eprintln!("{text}"));
        }
    }

    pub fn finish(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Where the spec says what went wrong: the first field that Vault ignored, else the object.
fn place(spec: &Spec, event: &Event<'_>) -> Option<Place> {
    let object = spec.objects.iter().find(|it| it.path == event.path)?;
    let ignored = match event.outcome {
        Outcome::Ignored { warnings } => warnings.join(" "),
        _ => String::new(),
    };
    let words = ignored.split(|it: char| !it.is_alphanumeric() && it != '_');
    let field = words.into_iter().find(|it| object.said.contains_key(*it));
    Some(field.map_or(object.place, |it| object.field_place(it)))
}

fn problem(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Done { warnings } if warnings.is_empty() => None,
        Outcome::Done { warnings } => Some(format!("done; Vault remarks: {}", warnings.join("; "))),
        Outcome::Ignored { warnings } => {
            Some(format!("Vault ignored part of it: {}", warnings.join("; ")))
        }
        Outcome::Skipped { needs } => Some(format!("not done, as {needs} is not there")),
        Outcome::Blocked => Some("left as it is: see the plan".to_owned()),
        Outcome::Failed(err) => match err.remedy() {
            Some(remedy) => Some(format!("{err}\n      help: {remedy}")),
            None => Some(err.to_string()),
        },
        Outcome::Unrecorded(err) => Some(format!("done, but the ledger could not be told: {err}")),
        Outcome::NotStarted => Some("not begun: the run was stopped".to_owned()),
    }
}

/// `12 done, 1 failed, 2 not done`
pub fn applied(applied: &Applied) -> String {
    let count = |it: fn(&Outcome) -> bool| {
        applied.results.iter().filter(|result| it(&result.outcome)).count()
    };
    if applied.results.is_empty() {
        return String::new();
    }
    let done = count(Outcome::is_done);
    let blocked = count(|it| matches!(it, Outcome::Blocked));
    let not_begun = count(|it| matches!(it, Outcome::Skipped { .. } | Outcome::NotStarted));
    let failed = applied.results.len() - done - blocked - not_begun;
    let parts =
        [(done, "done"), (failed, "failed"), (not_begun, "not begun"), (blocked, "blocked")];
    let shown =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    shown.collect::<Vec<String>>().join(", ") + "\n"
}

/// `{format, spec, results: [{path, action, outcome, problem?}]}`
pub fn applied_json(spec: &Spec, applied: &Applied) -> Value {
    let results: Vec<Value> = applied
        .results
        .iter()
        .map(|it| {
            let problem = problem(&it.outcome).map(|it| spec.redactor.mask(&it).into_owned());
            json!({ "path": it.path, "action": it.action.name(), "outcome": outcome(&it.outcome), "problem": problem })
        })
        .collect();
    json!({ "format": APPLIED_FORMAT, "spec": spec.name, "results": results })
}

fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } => "done",
        Outcome::Ignored { .. } => "ignored",
        Outcome::Skipped { .. } => "skipped",
        Outcome::Blocked => "blocked",
        Outcome::Failed(_) => "failed",
        Outcome::Unrecorded(_) => "unrecorded",
        Outcome::NotStarted => "not started",
    }
}
