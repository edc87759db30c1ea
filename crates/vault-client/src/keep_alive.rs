//! A long run's token lives as long as the run, or as its role allows.

use std::time::Duration;

use tokio::{sync::oneshot, task::JoinHandle, time::Instant};
use vault_model::Body;

use crate::{
    answer::Auth,
    error::{Failure, VaultError},
    vault::Vault,
};

/// Renews the token of a login in the background. Dropped, it stops at once; stopped, it says how it went.
#[must_use]
pub struct KeepAlive {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<u32, VaultError>>,
}

impl Vault {
    /// Renews at two thirds of the token's life, as long as it can be renewed.
    /// Does nothing for a token that was given to us, or that never ends.
    pub fn keep_alive(&self) -> KeepAlive {
        let (stop, stopped) = oneshot::channel();
        KeepAlive { stop, task: tokio::spawn(renew_until(self.clone(), stopped)) }
    }
}

impl KeepAlive {
    /// How often the token was renewed, or what made the last renewal impossible.
    pub async fn stop(self) -> Result<u32, VaultError> {
        // The task may have ended by itself.
        let _ = self.stop.send(());
        match self.task.await {
            Ok(outcome) => outcome,
            Err(e) if e.is_panic() => std::panic::resume_unwind(e.into_panic()),
            Err(_) => Ok(0),
        }
    }
}

/// Ends when told to, when its `KeepAlive` is dropped, or when there is nothing more to renew.
async fn renew_until(vault: Vault, stopped: oneshot::Receiver<()>) -> Result<u32, VaultError> {
    let mut renewals = 0;
    tokio::select! {
        _ = stopped => Ok(renewals),
        outcome = renew(&vault, &mut renewals) => outcome.map(|()| renewals),
    }
}

async fn renew(vault: &Vault, renewals: &mut u32) -> Result<(), VaultError> {
    let Some(auth) = vault.auth() else { return Ok(()) };
    let (mut life, mut renewable) = (seconds(auth.lease_duration), auth.renewable);
    let mut end = Instant::now() + life;
    while renewable && !life.is_zero() {
        tokio::time::sleep_until(end - life / 3).await;
        let Some((asked, auth)) = renew_once(vault, end).await? else { break };
        *renewals += 1;
        life = seconds(auth.lease_duration);
        tracing::debug!(life_seconds = life.as_secs(), "renewed the token");
        // At its maximum, a renewal adds nothing.
        renewable = auth.renewable && asked + life > end + seconds(1);
        end = asked + life;
    }
    Ok(())
}

/// Asks until it works, can't work, or is too late. None at the token's maximum.
async fn renew_once(vault: &Vault, end: Instant) -> Result<Option<(Instant, Auth)>, VaultError> {
    loop {
        let asked = Instant::now();
        match vault.write("auth/token/renew-self", Body::new()).await {
            Ok(answer) => return Ok(Some((asked, answer.auth.unwrap_or_default()))),
            Err(e) if e.reasons.iter().any(|it| it.contains("past the max TTL")) => {
                return Ok(None);
            }
            Err(e) if is_final(&e) => return Err(e),
            Err(e) => match end.checked_duration_since(Instant::now()) {
                Some(left) if left > seconds(1) => {
                    tokio::time::sleep((left / 4).min(seconds(5))).await
                }
                _ => return Err(e),
            },
        }
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn is_final(error: &VaultError) -> bool {
    matches!(
        error.failure,
        Failure::Forbidden | Failure::BadRequest | Failure::NotFound | Failure::Unsupported
    )
}
