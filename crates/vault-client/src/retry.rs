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

/// How long to wait before asking again; None is the end. `spent` is the time since the first attempt, `attempt` counts
/// from 0, `random` is from 0 to 1.
pub(crate) fn wait(
    error: &VaultError,
    patience: Patience,
    attempt: u32,
    spent: Duration,
    budget: Duration,
    random: f64,
) -> Option<Duration> {
    if error.path == "sys/health" || !is_passing(error, patience) {
        return None;
    }
    let budget = if error.failure == Failure::Sealed { budget.min(SEALED) } else { budget };
    let wait = match error.failure {
        Failure::RateLimited { retry_after: Some(after) } => {
            after.saturating_add(FIRST.mul_f64(random))
        }
        // Anything from nothing to all of it, so that clients that failed together don't come back together.
        _ => FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST).mul_f64(random),
    };
    (spent.saturating_add(wait) <= budget).then_some(wait)
}

/// From 0 to 1.
pub(crate) fn random() -> f64 {
    f64::from(RandomState::new().hash_one(0u8) as u32) / f64::from(u32::MAX)
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

#[cfg(test)]
mod tests {
    use vault_model::request::Method;

    use super::*;

    const BUDGET: Duration = Duration::from_secs(3600);

    fn failed(failure: Failure) -> VaultError {
        let path = "sys/mounts".to_owned();
        VaultError { method: Method::Get, path, status: None, reasons: Vec::new(), failure }
    }

    fn waited(failure: Failure, attempt: u32, random: f64) -> Option<Duration> {
        wait(&failed(failure), Patience::Usual, attempt, Duration::ZERO, BUDGET, random)
    }

    #[test]
    fn a_delay_grows_to_a_limit_and_is_drawn_from_all_below_it() {
        for (attempt, most) in [(0, 50), (1, 100), (2, 200), (5, 1600), (6, 2000), (4000, 2000)] {
            let of = |random| waited(Failure::Standby, attempt, random).unwrap_or(BUDGET);
            assert_eq!(of(0.0), Duration::ZERO);
            assert_eq!(of(0.5), Duration::from_millis(most / 2));
            assert_eq!(of(1.0), Duration::from_millis(most));
        }
    }

    #[test]
    fn two_clients_that_failed_together_come_back_apart() {
        let drawn: Vec<f64> = std::iter::repeat_with(random).take(100).collect();
        assert!(drawn.iter().all(|it| (0.0..=1.0).contains(it)), "{drawn:?}");
        let below = drawn.iter().filter(|it| **it < 0.5).count();
        assert!((20..=80).contains(&below), "{below} of 100 are in the lower half");
        assert!(drawn.windows(2).all(|it| it[0] != it[1]), "{drawn:?}");
    }

    #[test]
    fn what_vault_asks_for_is_waited_for_and_never_less() {
        let asks =
            |seconds| Failure::RateLimited { retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(waited(asks(7), 0, 0.0), Some(Duration::from_secs(7)));
        assert_eq!(waited(asks(7), 9, 1.0), Some(Duration::from_millis(7050)));
        assert_eq!(waited(asks(0), 0, 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn nobody_waits_longer_than_the_budget() {
        for seconds in [3601, u64::MAX] {
            let after = Some(Duration::from_secs(seconds));
            assert_eq!(waited(Failure::RateLimited { retry_after: after }, 0, 1.0), None);
        }
        let spent = |spent| wait(&failed(Failure::Standby), Patience::Usual, 6, spent, BUDGET, 1.0);
        assert_eq!(spent(BUDGET - LONGEST), Some(LONGEST));
        assert_eq!(spent(BUDGET), None);
    }
}
