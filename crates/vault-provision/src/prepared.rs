//! A spec held against a Vault: what was found, what is planned, and the ledger that goes with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ulid::Ulid;
use vault_client::Vault;
use vault_model::{
    Body, Path,
    live::Live,
    object::Object,
    plan::{self, Action, Plan},
    report::Report,
    spec::Spec,
    waves::Cycle,
};

use crate::{
    Applied, Event, LedgerError, LedgerStore, ObserveError, Outcome, Stop, apply, observe,
};

/// Written into ledgers.
const TOOL: &str = concat!("vaultwright ", env!("CARGO_PKG_VERSION"));

pub struct Prepared {
    pub plan: Plan,
    live: Live,
    objects: Vec<Arc<Object>>,
    /// `None` where this token may not keep one.
    ledger: Option<LedgerStore>,
}

#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Cycle(#[from] Cycle),
}

/// Looks at `vault` and plans what makes it what `spec` says.
pub async fn prepare(vault: &Vault, spec: &Spec) -> Result<Prepared, PrepareError> {
    let (live, ledger) = look(vault, spec).await?;
    let plan = plan::plan(&spec.objects, &live, ledger.as_ref().map(|it| &it.found))?;
    Ok(Prepared { plan, live, objects: spec.objects.clone(), ledger })
}

/// Looks at `vault` and plans what deletes all that `spec` describes. Mounts that bear data only if `data` may go too.
pub async fn prepare_destruction(
    vault: &Vault,
    spec: &Spec,
    data: bool,
) -> Result<Prepared, PrepareError> {
    let (live, ledger) = look(vault, spec).await?;
    let plan = plan::destroy(&spec.objects, &live, data)?;
    Ok(Prepared { plan, live, objects: spec.objects.clone(), ledger })
}

async fn look(vault: &Vault, spec: &Spec) -> Result<(Live, Option<LedgerStore>), PrepareError> {
    let ledger = LedgerStore::open(vault, &spec.ledger_mount, &spec.name, TOOL);
    let (live, ledger) = tokio::join!(observe(vault, &spec.objects), ledger);
    let (mut live, mut ledger) = (live?, ledger?);
    // What nobody notes would be rotated again each time.
    let roots: Vec<Path> = spec.objects.iter().filter_map(|it| it.root_rotation()).collect();
    if let Some(found) = &ledger
        && !roots.is_empty()
        && found.would_lose(&roots).await?
    {
        ledger = None;
    }
    if let Some(ledger) = &ledger {
        spec.objects.iter().for_each(|it| ledger.found.remember(it, &mut live));
    }
    Ok((live, ledger))
}

impl Prepared {
    /// Whether a record of what is owned is kept. Without one, nothing tells later that a root was rotated.
    pub fn keeps_ledger(&self) -> bool {
        self.ledger.is_some()
    }

    /// The same, told object by object.
    pub fn report(&self) -> Report<'_> {
        Report::new(&self.objects, &self.plan)
    }

    /// Carries the plan out as the only run of this spec. An error comes before the first change.
    pub async fn apply(
        self,
        vault: &Vault,
        stop: &Stop,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<Applied, LedgerError> {
        let paths: BTreeSet<Path> = self.objects.iter().map(|it| it.path.clone()).collect();
        let is_known = self.ledger.as_ref().is_none_or(|it| it.found.owned.is_superset(&paths));
        if self.plan.is_empty() && is_known {
            return Ok(Applied { is_kept: self.keeps_ledger(), ..Applied::default() });
        }
        let ledger = match &self.ledger {
            Some(ledger) if ledger.claim(&Ulid::generate().to_string(), &paths).await? => {
                Some(ledger)
            }
            _ => None,
        };
        let mut applied = apply(vault, &self.plan, self.live, ledger, stop, progress).await;
        applied.is_kept = ledger.is_some();
        if let Some(ledger) = ledger {
            let written = written(ledger, &self.objects, &applied);
            let closed = ledger.close(owned(ledger, &paths, &applied), written).await;
            applied.unrecorded = closed.err();
        }
        Ok(applied)
    }
}

/// What the spec owns after a run: what it owned, and all of it that is there now.
fn owned(ledger: &LedgerStore, paths: &BTreeSet<Path>, applied: &Applied) -> BTreeSet<Path> {
    let mut owned: BTreeSet<Path> = ledger.found.owned.union(paths).cloned().collect();
    for change in &applied.results {
        let was_owned = ledger.found.owned.contains(&change.path);
        let is_gone = match change.action {
            Action::Delete => change.outcome.is_done(),
            _ => {
                !was_owned
                    && matches!(change.outcome, Outcome::Skipped { .. } | Outcome::NotStarted)
            }
        };
        if is_gone {
            owned.remove(&change.path);
        }
    }
    owned
}

/// What Vault never shows, as it is now: an object whose write failed may be either way.
fn written(
    ledger: &LedgerStore,
    objects: &[Arc<Object>],
    applied: &Applied,
) -> BTreeMap<Path, Body> {
    let mut written = ledger.found.written.clone();
    for object in objects.iter().filter(|it| it.is_never_shown()) {
        let change = applied.results.iter().find(|it| it.path == object.path);
        match change {
            None => {}
            Some(it) if it.outcome.is_done() && it.action != Action::Delete => {
                written.insert(object.path.clone(), object.kept());
            }
            Some(_) => _ = written.remove(&object.path),
        }
    }
    written
}
