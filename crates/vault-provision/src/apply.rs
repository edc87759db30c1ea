//! Carries a plan out, wave by wave. Makes no choice: what to send is in the plan.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{StreamExt, stream};
use vault_client::{Vault, VaultError};
use vault_model::{
    Path,
    live::{Live, fill},
    object::{Object, each_reference},
    plan::{Action, Change, Plan, Step},
    request::Request,
};

use crate::{LedgerError, LedgerStore, REQUESTS_AT_ONCE, observe};

/// What became of each change, in the order of the plan.
#[derive(Debug, Default)]
pub struct Applied {
    pub results: Vec<Applying>,
    /// Why the ledger could not be told at the end. A claim on it lapses by itself.
    pub unrecorded: Option<LedgerError>,
    /// Whether the ledger knows of it. False where this token may not write one.
    pub is_kept: bool,
}

#[derive(Debug)]
pub struct Applying {
    pub path: Path,
    pub action: Action,
    pub outcome: Outcome,
}

#[derive(Debug)]
pub enum Outcome {
    /// Done, with what Vault remarked.
    Done {
        warnings: Vec<String>,
    },
    /// Vault took the write and ignored part of it.
    Ignored {
        warnings: Vec<String>,
    },
    /// What it needs was not made.
    Skipped {
        needs: Path,
    },
    Blocked,
    Failed(VaultError),
    /// The root password was replaced, and the ledger could not be told.
    Unrecorded(LedgerError),
    /// The run was stopped before its turn, or Vault was gone.
    NotStarted,
}

/// One change that is over.
pub struct Event<'a> {
    pub path: &'a str,
    pub action: Action,
    pub outcome: &'a Outcome,
}

/// Asks a run to stop: what is under way is finished, and nothing more is begun.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A failure stops only what needs the object that failed, unless it is Vault itself that is gone.
pub async fn apply(
    vault: &Vault,
    plan: &Plan,
    mut live: Live,
    ledger: Option<&LedgerStore>,
    stop: &Stop,
    progress: &mut dyn FnMut(Event<'_>),
) -> Applied {
    let mut applied = Applied::default();
    let mut unmade: BTreeSet<Path> = BTreeSet::new();
    let mut made: Vec<Arc<Object>> = Vec::new();
    let is_gone = &AtomicBool::new(false);
    for wave in &plan.waves {
        look_again(vault, &mut made, wave, &mut live).await;
        let run = &Run { vault, live: &live, unmade: &unmade, ledger, stop, is_gone };
        let mut outcomes = stream::iter(wave)
            .map(|change| async move { (change, run.change_and_keep(change).await) })
            .buffered(REQUESTS_AT_ONCE);
        let mut failed = Vec::new();
        while let Some((change, outcome)) = outcomes.next().await {
            let path = &change.object.path;
            progress(Event { path, action: change.action, outcome: &outcome });
            match outcome.is_done() {
                true if change.action != Action::Delete => made.push(change.object.clone()),
                true => {}
                false => failed.push(path.clone()),
            }
            applied.results.push(Applying { path: path.clone(), action: change.action, outcome });
        }
        drop(outcomes);
        unmade.extend(failed);
    }
    applied
}

/// Reads again what was made and `wave` refers to. What cannot be read stays unanswered, and says so at its change.
async fn look_again(vault: &Vault, made: &mut Vec<Arc<Object>>, wave: &[Change], live: &mut Live) {
    let mut wanted: BTreeSet<Path> = BTreeSet::new();
    let values = wave.iter().flat_map(|it| &it.steps).flat_map(|it| it.request().body.values());
    values.for_each(|it| each_reference(it, &mut |path, _| _ = wanted.insert(path.to_owned())));
    if wanted.is_empty() {
        return;
    }
    let new: Vec<Arc<Object>> = made.extract_if(.., |it| wanted.contains(&it.path)).collect();
    if let Ok(found) = observe(vault, &new).await {
        live.extend(found);
    }
    for path in wanted {
        if live.get(&path).is_none()
            && !path.ends_with("/generate")
            && let Ok(Some(body)) = vault.read(&path).await
        {
            live.insert(path, body);
        }
    }
}

struct Run<'a> {
    vault: &'a Vault,
    live: &'a Live,
    unmade: &'a BTreeSet<Path>,
    ledger: Option<&'a LedgerStore>,
    stop: &'a Stop,
    is_gone: &'a AtomicBool,
}

impl Run<'_> {
    /// Part of each change and not of the loop over their outcomes: while that one waits for the ledger, nobody would
    /// drive the change that is just writing it.
    async fn change_and_keep(&self, change: &Change) -> Outcome {
        let outcome = self.change(change).await;
        if matches!(&outcome, Outcome::Failed(err) if err.is_outage()) {
            self.is_gone.store(true, Ordering::Relaxed);
        }
        if let Some(ledger) = self.ledger.filter(|_| !self.is_gone()) {
            // A claim that cannot be held longer shows when the ledger is closed.
            let _ = ledger.keep().await;
        }
        outcome
    }

    async fn change(&self, change: &Change) -> Outcome {
        if change.action == Action::Blocked {
            return Outcome::Blocked;
        }
        if let Some(needs) = change.needs.iter().find(|it| self.unmade.contains(*it)) {
            return Outcome::Skipped { needs: needs.clone() };
        }
        if self.stop.is_stopped() || self.is_gone() {
            return Outcome::NotStarted;
        }
        let mut warnings = Vec::new();
        for step in &change.steps {
            match self.step(step, &change.object).await {
                Ok(found) => warnings.extend(found),
                Err(outcome) => return outcome,
            }
        }
        match warnings.iter().any(|it| it.contains("unrecognized parameters")) {
            true => Outcome::Ignored { warnings },
            false => Outcome::Done { warnings },
        }
    }

    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    async fn step(&self, step: &Step, object: &Object) -> Result<Vec<String>, Outcome> {
        let request = self.filled(step.request()).await?;
        let answer = match step {
            Step::RotateRoot(_) => self.vault.send_once(&request).await,
            Step::Write(_) | Step::Delete(_) => self.vault.send_after_mount(&request).await,
        };
        let warnings = match answer {
            Ok(answer) => answer.warnings,
            Err(err) if matches!(step, Step::Delete(_)) && err.is_absence() => Vec::new(),
            Err(err) => return Err(Outcome::Failed(err)),
        };
        if let (Step::RotateRoot(_), Some(ledger)) = (step, self.ledger) {
            ledger.rotated(&object.path).await.map_err(Outcome::Unrecorded)?;
        }
        Ok(warnings)
    }

    /// With every reference answered, and a new value wherever Vault makes one up.
    async fn filled(&self, request: &Request) -> Result<Request, Outcome> {
        let mut filled = request.clone();
        filled.body.values_mut().for_each(|it| *it = self.live.fill(it));
        let missing: Vec<Path> =
            filled.body.values().flat_map(|it| self.live.unanswered(it)).collect();
        if missing.is_empty() {
            return Ok(filled);
        }
        let mut made_up = Live::default();
        for path in missing {
            match self.vault.read(&path).await {
                Ok(Some(body)) if path.ends_with("/generate") => made_up.insert(path, body),
                Ok(_) => return Err(Outcome::Skipped { needs: path }),
                Err(err) => return Err(Outcome::Failed(err)),
            }
        }
        let answer = |path: &str, field: &str| {
            self.live.field(path, field).or(made_up.field(path, field)).cloned()
        };
        for value in filled.body.values_mut() {
            *value = fill(value, &answer);
        }
        match filled.body.values().flat_map(|it| self.live.unanswered(it)).next() {
            Some(needs) => Err(Outcome::Skipped { needs }),
            None => Ok(filled),
        }
    }
}

impl Outcome {
    pub fn is_done(&self) -> bool {
        matches!(self, Outcome::Done { .. })
    }
}

impl Applied {
    pub fn succeeded(&self) -> bool {
        self.unrecorded.is_none() && self.results.iter().all(|it| it.outcome.is_done())
    }
}
