//! What is worth asking again, and after how long.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::error::{Failure, Transport, VaultError};

/// How much may be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// What Vault documents as passing. Its writes say what shall be, so that a second one does no harm.
    Usual,
    /// Only where Vault surely hasn't acted.
    Once,
    /// Also what a node answers that doesn't know a new mount yet.
    AfterMount,
}

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);
/// A sealed Vault doesn't open by itself, except while it starts.
const SEALED: Duration = Duration::from_secs(2);

/// How long to wait before asking again; None is the end. `spent` is the time since the first attempt, `attempt` counts from 0.
pub(crate) fn wait(
    error: &VaultError,
    patience: Patience,
    attempt: u32,
    spent: Duration,
    budget: Duration,
) -> Option<Duration> {
    if error.path == "sys/health" || !is_passing(error, patience) {
        return None;
    }
    let budget = if error.failure == Failure::Sealed { budget.min(SEALED) } else { budget };
    let wait = match error.failure {
        Failure::RateLimited { retry_after: Some(after) } => after + jittered(FIRST),
        _ => jittered(FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST)),
    };
    (spent + wait <= budget).then_some(wait)
}

fn is_passing(error: &VaultError, patience: Patience) -> bool {
    let says = |part: &str| error.reasons.iter().any(|it| it.contains(part));
    match &error.failure {
        Failure::RateLimited { .. } | Failure::Consistency | Failure::Standby | Failure::Sealed => {
            true
        }
        Failure::Transport(Transport::Refused) => true,
        Failure::Transport(Transport::Broken) => patience != Patience::Once,
        Failure::Server => matches!(error.status, Some(502 | 503)) && patience != Patience::Once,
        Failure::NoSuchMount => patience == Patience::AfterMount,
        Failure::BadRequest => {
            patience == Patience::AfterMount && says("Upgrading from non-versioned to versioned")
        }
        _ => false,
    }
}

/// Anything from nothing to all of it, so that clients that failed together don't come back together.
fn jittered(most: Duration) -> Duration {
    let random = RandomState::new().hash_one(0u8) as u32;
    most.mul_f64(f64::from(random) / f64::from(u32::MAX))
}
