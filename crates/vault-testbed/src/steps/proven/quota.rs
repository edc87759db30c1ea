//! Quotas: as many requests as they allow, and one more.

use std::time::{Duration, Instant};

use cucumber::then;
use vault_client::{Settings, Vault};
use vault_model::{duration, request::Request};

use crate::{
    steps::vault::there,
    world::{Failure, Result, World, failure},
};

/// On a busy machine the requests may take longer than the time that they are counted in.
const ATTEMPTS: usize = 10;

#[then(expr = "{string} allows {int} requests of {string}, and refuses the next")]
async fn refuses_the_next(world: &mut World, quota: String, most: u64, path: String) -> Result {
    let there = there(world, &quota).await?;
    let seconds = |key: &str| {
        let said = there.get(key).and_then(duration::seconds).unwrap_or_default();
        Duration::from_secs(said.unsigned_abs())
    };
    let (interval, blocked) = (seconds("interval"), seconds("block_interval"));
    let vault = impatient(world)?;
    for _ in 0..ATTEMPTS {
        // What was asked before counts no more.
        tokio::time::sleep(interval.max(blocked) + Duration::from_millis(100)).await;
        let began = Instant::now();
        let refused_at = first_refused(&vault, &path, most + 1).await?;
        let (took, is_in_time) = (began.elapsed(), began.elapsed() < interval);
        let shown = took.as_secs_f64();
        match refused_at {
            Some(at) if at == most + 1 => {
                world.evidence(format!("request {at} within {shown:.2} s: 429"));
                return Ok(());
            }
            Some(at) => return failure(format!("request {at} is refused already, with 429")),
            None if is_in_time => {
                return failure(format!("{} requests within {shown:.2} s are allowed", most + 1));
            }
            None => {}
        }
    }
    failure(format!("{} requests take longer here than {} s", most + 1, interval.as_secs()))
}

/// Which of so many requests is the first that is refused for their number.
async fn first_refused(vault: &Vault, path: &str, requests: u64) -> Result<Option<u64>> {
    for at in 1..=requests {
        // What becomes of it is all the same: it is counted before.
        match vault.send_once(&Request::get(path)).await {
            Err(err) if err.status == Some(429) => return Ok(Some(at)),
            Err(err) if err.status.is_none() => return Err(err.into()),
            _ => {}
        }
    }
    Ok(None)
}

/// As nobody, and never asking again.
fn impatient(world: &World) -> Result<Vault> {
    let server = world.server()?;
    let mut settings = Settings::new(&server.address).map_err(|it| Failure(it.to_string()))?;
    settings.ca_cert.clone_from(&server.ca_certificate);
    settings.max_retries = 0;
    Ok(Vault::new(&settings)?.recorded_in(world.exchanges.clone()))
}
