//! What was asked and what came back, for whoever holds it against Vault's own audit log.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use vault_model::request::Method;

/// Clones of a `Vault` write into the same.
#[derive(Debug, Default)]
pub struct Exchanges(Mutex<Vec<Exchange>>);

/// A request that Vault has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub method: Method,
    pub path: String,
    pub status: u16,
    /// Vault's own number of it; empty where the answer names none.
    pub request_id: String,
    /// When it was asked.
    pub at: SystemTime,
    /// From there to the whole answer.
    pub took: Duration,
}

impl Exchanges {
    /// In the order of the answers.
    pub fn all(&self) -> Vec<Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add(&self, exchange: Exchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }
}
