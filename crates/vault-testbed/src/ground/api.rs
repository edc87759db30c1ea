//! The few requests that bring a server up: health, init, unseal, seal, audit. A second way round, not the product's own.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, Method};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::error::{Error, Result};
use super::vault_config::Seal;

/// What `sys/health` says, by its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Active,
    Standby,
    Uninitialized,
    Sealed,
    /// Nobody answers, or something that isn't Vault.
    Unreachable,
}

#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: Client,
    address: String,
}

/// One key share, where it takes one to unseal, and the first root token.
pub(crate) struct Initialized {
    pub unseal_key: Option<SecretString>,
    pub root_token: SecretString,
}

/// How long a question waits that is good for nothing later.
const ASKED: Duration = Duration::from_secs(2);

impl Api {
    /// `ca`: the one authority to trust, for a server with TLS.
    pub fn new(address: &str, ca: Option<&Path>) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = ca.map(|path| {
            let pem = std::fs::read(path).map_err(Error::file("read", path))?;
            Certificate::from_pem(&pem)
                .map_err(|error| failed(address, "the CA's certificate", &error))
        });
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(30))
            // The system's are a hundred files, which each client would read.
            .tls_certs_only(authority.transpose()?)
            .build()
            .map_err(|error| failed(address, "a client", &error))?;
        Ok(Self { http, address: address.to_owned() })
    }

    pub async fn health(&self) -> Health {
        let request = self.http.get(format!("{}/v1/sys/health", self.address)).timeout(ASKED);
        match request.send().await.map(|answer| answer.status().as_u16()) {
            Ok(200) => Health::Active,
            Ok(429 | 472 | 473) => Health::Standby,
            Ok(501) => Health::Uninitialized,
            Ok(503) => Health::Sealed,
            _ => Health::Unreachable,
        }
    }

    pub async fn initialize(&self, seal: Seal) -> Result<Initialized> {
        let body = match seal {
            Seal::Shamir => json!({ "secret_shares": 1, "secret_threshold": 1 }),
            Seal::Transit => json!({ "recovery_shares": 1, "recovery_threshold": 1 }),
        };
        let answer = self.send(Method::PUT, "sys/init", None, Some(body)).await?;
        let text =
            |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(SecretString::from);
        match (text("/keys_base64/0"), text("/root_token")) {
            (unseal_key, Some(root_token)) if unseal_key.is_some() == (seal == Seal::Shamir) => {
                Ok(Initialized { unseal_key, root_token })
            }
            _ => Err(failed(&self.address, "PUT sys/init", &"no key or no token in the answer")),
        }
    }

    pub async fn unseal(&self, key: &SecretString) -> Result<()> {
        self.send(Method::PUT, "sys/unseal", None, Some(json!({ "key": key.expose_secret() })))
            .await
            .map(drop)
    }

    pub async fn seal(&self, token: &SecretString) -> Result<()> {
        self.send(Method::PUT, "sys/seal", Some(token), None).await.map(drop)
    }

    pub async fn enable_audit_file(&self, token: &SecretString, file: &str) -> Result<()> {
        let body = json!({ "type": "file", "options": { "file_path": file, "mode": "0644" } });
        self.send(Method::PUT, "sys/audit/file", Some(token), Some(body)).await.map(drop)
    }

    /// As whoever has the token: a request that brings up what a test needs.
    pub async fn put(&self, path: &str, token: &SecretString, body: Value) -> Result<Value> {
        self.send(Method::PUT, path, Some(token), Some(body)).await
    }

    /// Whatever the answer is.
    pub async fn ask(&self, path: &str, token: &SecretString) {
        let request = self.http.get(format!("{}/v1/{path}", self.address)).timeout(ASKED);
        let _ = request.header("X-Vault-Token", token.expose_secret()).send().await;
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
        body: Option<Value>,
    ) -> Result<Value> {
        let request_name = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}/v1/{path}", self.address));
        if let Some(token) = token {
            request = request.header("X-Vault-Token", token.expose_secret());
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let transport =
            |error: reqwest::Error| failed(&self.address, &request_name, &error.without_url());
        let answer = request.send().await.map_err(transport)?;
        let status = answer.status();
        let body: Value =
            serde_json::from_slice(&answer.bytes().await.map_err(transport)?).unwrap_or_default();
        match status.is_success() {
            true => Ok(body),
            // Only what Vault itself says in `errors`: anything else of a body may hold a secret.
            false => {
                Err(failed(&self.address, &request_name, &format!("{status} {}", body["errors"])))
            }
        }
    }
}

fn failed(address: &str, request: &str, why: &dyn std::fmt::Display) -> Error {
    Error::Vault { address: address.to_owned(), request: request.to_owned(), why: why.to_string() }
}
