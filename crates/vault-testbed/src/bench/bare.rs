//! The yardstick: a keep-alive client that does nothing but send requests.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret, SecretString};
use vault_model::request::Request;

/// A Vault as the bare client sees it.
pub struct Bare {
    client: Client,
    address: String,
    token: SecretString,
}

impl Bare {
    pub fn new(address: &str, token: &SecretString) -> anyhow::Result<Bare> {
        let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Bare { client, address: address.to_owned(), token: token.clone() })
    }

    /// Sends each wave of `requests` with so many at once; a wave begins when the one before it is over.
    pub async fn send(&self, waves: &[Vec<Request>], at_once: usize) -> anyhow::Result<Duration> {
        let started = Instant::now();
        for wave in waves {
            stream::iter(wave)
                .map(|request| self.one(request))
                .buffer_unordered(at_once)
                .try_collect::<Vec<()>>()
                .await?;
        }
        Ok(started.elapsed())
    }

    async fn one(&self, request: &Request) -> anyhow::Result<()> {
        let method = Method::from_bytes(request.method.name().as_bytes())?;
        let url = format!("{}/v1/{}", self.address, request.path);
        let mut call =
            self.client.request(method, url).header("X-Vault-Token", self.token.expose_secret());
        if !request.body.is_empty() {
            call = call
                .header("Content-Type", "application/json")
                .body(serde_json::to_vec(&request.body)?);
        }
        let answer = call.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(status.is_success(), "{request}: {status}: {}", String::from_utf8_lossy(&body));
        Ok(())
    }
}
