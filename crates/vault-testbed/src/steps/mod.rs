//! Steps, by the noun that they speak of. They look at Vault by requests of their own, not through the provisioner.
//!
//! Another crate gets all of them with `World`, and may add its own with cucumber's `given`, `when` and `then`.

pub mod agent;
pub mod approle;
pub mod audit;
pub mod consumer;
pub mod database;
pub mod identity;
pub mod kv;
pub mod lease;
pub mod pod;
pub mod policy;
pub mod process;
mod program;
pub mod proven;
pub mod sample;
pub mod seal;
pub mod spec;
pub mod token;
pub mod transit;
pub mod vault;
pub mod wrapping;

use std::time::{Duration, Instant};

use crate::world::{Failure, Result};

/// Asks again and again until the answer is yes. `why` tells what was seen last, once `deadline` is over.
pub async fn until<F>(deadline: Duration, mut ask: impl FnMut() -> F) -> Result
where
    F: Future<Output = Result>,
{
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(()) => return Ok(()),
            Err(Failure(why)) if began.elapsed() >= deadline => {
                return Err(Failure(format!(
                    "still not after {} s: {why}",
                    deadline.as_secs_f64()
                )));
            }
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

const POLL: Duration = Duration::from_millis(50);

/// How long to poll for what should happen by itself and soon.
pub const SOON: Duration = Duration::from_secs(15);
