//! What became of each scenario, and how that is told: on a terminal, as a page, as JUnit, as JSON, as Markdown.

mod asked;
mod html;
mod json;
mod junit;
mod markdown;
mod recorder;
mod system;
mod terminal;
mod timeline;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

pub use asked::{Asked, AskedResult, MOST_ASKED};
pub use html::{HtmlError, html};
pub use json::{FORMAT, NotProven, OfProof, json, schema};
pub use junit::{JunitError, junit};
pub use markdown::markdown;
pub use recorder::{Longest, Recorder};
pub use system::{SystemResult, Unproven, named_in};
pub use terminal::{line, summary};

use crate::{origin::Origin, world::Change};

/// All texts are masked.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// In the order in which they ended; those that were never begun come last.
    pub scenarios: Vec<ScenarioResult>,
    pub took: Duration,
    /// Why the run ended before its end.
    pub aborted: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ScenarioResult {
    pub feature: String,
    /// The name of the spec that it is about, if it is about one.
    pub system: Option<String>,
    pub path: Option<PathBuf>,
    pub line: usize,
    pub rule: Option<String>,
    pub name: String,
    /// What the feature says below the name: of a proof, the place in the spec.
    pub description: Option<String>,
    /// The line of the spec behind it.
    pub origin: Option<Origin>,
    pub tags: Vec<String>,
    pub verdict: Verdict,
    /// Of the last attempt.
    pub steps: Vec<StepResult>,
    /// In the order of time.
    pub turns: Vec<TurnResult>,
    pub took: Duration,
    /// More than one for a scenario with `@retry`.
    pub attempts: usize,
    pub vaults_started_in: Vec<Duration>,
    /// The servers beside its Vault, such as `PostgreSQL 15.14`.
    pub far_sides: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed { reason: String },
    Skipped { reason: String },
}

#[derive(Clone, Debug)]
pub struct StepResult {
    /// `Given`, `When`, …
    pub keyword: String,
    pub text: String,
    pub line: usize,
    pub took: Duration,
    pub failed: bool,
    /// What was seen that shows that it holds, or does not.
    pub evidence: Vec<String>,
    /// In the order of time.
    pub asked: Vec<AskedResult>,
    /// How much more was asked.
    pub asked_left_out: usize,
    /// The line of the spec behind what it names.
    pub origin: Option<Origin>,
}

/// A turn in the life of a lease, a token or a password.
#[derive(Clone, Debug)]
pub struct TurnResult {
    pub of: String,
    pub what: Change,
    /// Since the scenario began.
    pub at: Duration,
    pub lasts: Option<Duration>,
}

/// What results are of, for those who read them later.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Such as the spec's name.
    pub title: String,
    /// Name and value, such as the ground.
    pub facts: Vec<(String, String)>,
    /// Of `prove` alone.
    pub of_proof: Option<OfProof>,
}

impl StepResult {
    /// A line each, and how many are left out.
    pub fn told_asked(&self) -> impl Iterator<Item = String> {
        let left_out = self.asked_left_out;
        let middle = self.asked.len() / 2;
        self.asked.iter().enumerate().flat_map(move |(at, it)| {
            let here = left_out > 0 && at == middle;
            let gap = here.then(|| format!("… {left_out} more are left out here"));
            gap.into_iter().chain([it.to_string()])
        })
    }
}

impl ScenarioResult {
    pub fn evidence(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|it| &it.evidence).map(String::as_str)
    }
}

impl Verdict {
    /// `passed`, `failed`, `skipped`
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed { .. } => "failed",
            Verdict::Skipped { .. } => "skipped",
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Verdict::Passed => None,
            Verdict::Failed { reason } | Verdict::Skipped { reason } => Some(reason),
        }
    }
}

impl Results {
    pub fn passed(&self) -> usize {
        self.count(|it| *it == Verdict::Passed)
    }

    pub fn failed(&self) -> usize {
        self.count(|it| matches!(it, Verdict::Failed { .. }))
    }

    pub fn skipped(&self) -> usize {
        self.count(|it| matches!(it, Verdict::Skipped { .. }))
    }

    /// `12 passed, 0 failed, 1 skipped`
    pub fn counts(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed(), self.failed(), self.skipped())
    }

    pub fn succeeded(&self) -> bool {
        self.failed() == 0 && self.aborted.is_none()
    }

    /// The least, the middle and the most of the time in which a Vault was active.
    pub fn vault_starts(&self) -> Option<(Duration, Duration, Duration)> {
        let mut all: Vec<Duration> =
            self.scenarios.iter().flat_map(|it| it.vaults_started_in.iter().copied()).collect();
        all.sort();
        Some((*all.first()?, all[all.len() / 2], *all.last()?))
    }

    /// The servers beside Vault, each once.
    pub fn far_sides(&self) -> BTreeSet<&str> {
        self.scenarios.iter().flat_map(|it| &it.far_sides).map(String::as_str).collect()
    }

    fn count(&self, is: impl Fn(&Verdict) -> bool) -> usize {
        self.scenarios.iter().filter(|it| is(&it.verdict)).count()
    }
}
