//! One Vault, as one token in one namespace sees it.

use std::{
    fmt,
    sync::Arc,
    time::{Instant, SystemTime},
};

use secrecy::{ExposeSecret, SecretString};
use vault_model::{
    Body,
    request::{Method, Request},
};

use crate::{
    answer::{Answer, Auth},
    door::Door,
    error::{Failure, VaultError},
    exchanges::{Exchange, Exchanges},
    login::{Login, LoginError, Way},
    retry::{self, Patience},
    settings::{Settings, SettingsError},
    wire::{self, Sender},
};

/// Clones share connections and cost nothing worth counting.
#[derive(Clone)]
pub struct Vault {
    door: Arc<Door>,
    sender: Arc<Sender>,
    /// What a login of ours gave. None for a token that somebody gave us.
    login: Option<Arc<Auth>>,
    exchanges: Option<Arc<Exchanges>>,
    guard: Option<Arc<Guard>>,
}

/// Says what is wrong with a request that must not be sent.
pub type Guard = dyn Fn(&Request) -> Result<(), String> + Send + Sync;

/// What `sys/health` says of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    pub initialized: bool,
    pub sealed: bool,
    pub standby: bool,
    pub version: String,
}

impl Vault {
    /// Without a token: for what needs none, and for `with_token`.
    pub fn new(settings: &Settings) -> Result<Vault, SettingsError> {
        let sender =
            Sender { token: SecretString::default(), namespace: settings.namespace.clone() };
        let door = Arc::new(Door::new(settings)?);
        Ok(Vault { door, sender: Arc::new(sender), login: None, exchanges: None, guard: None })
    }

    /// Reads the files that settings and login name, and asks for a token unless one is given.
    pub async fn login(settings: &Settings, login: &Login) -> Result<Vault, LoginError> {
        let vault = Vault::new(settings)?;
        vault.knows_namespaces().await?;
        let request = match login.way().await? {
            Way::Token(token) => return Ok(vault.with_token(token)),
            Way::Ask(request) => request,
        };
        let answer =
            vault.send_once(&request).await.map_err(|e| LoginError::Refused(Box::new(e)))?;
        let no_token = || VaultError {
            method: request.method,
            path: request.path.clone(),
            status: Some(answer.status),
            reasons: Vec::new(),
            failure: Failure::Decode { problem: "the answer holds no token".into() },
        };
        let auth = answer.auth.clone().ok_or_else(|| LoginError::Refused(Box::new(no_token())))?;
        if auth.mfa_requirement.is_some() {
            return Err(LoginError::SecondFactor { path: request.path });
        }
        if auth.client_token.expose_secret().is_empty() {
            return Err(LoginError::Refused(Box::new(no_token())));
        }
        let vault = vault.with_token(auth.client_token.clone());
        Ok(Vault { login: Some(Arc::new(auth)), ..vault })
    }

    /// A Vault without namespaces passes over the header that names one, and takes a request as one to its root.
    async fn knows_namespaces(&self) -> Result<(), SettingsError> {
        if self.namespace().is_none() {
            return Ok(());
        }
        // A Vault that doesn't answer says so to the first request that matters.
        let Ok(health) = self.node().await else { return Ok(()) };
        match health.get("enterprise") == Some(&false.into()) {
            true => Err(SettingsError::new(
                "VAULT_NAMESPACE",
                "this Vault has no namespaces, and would take all that is meant for one as meant for its root",
                "unset it, or point VAULT_ADDR at the Vault that has this namespace",
            )),
            false => Ok(()),
        }
    }

    /// What the login gave; None for a token that was given to us.
    pub fn auth(&self) -> Option<&Auth> {
        self.login.as_deref()
    }

    pub fn settings(&self) -> &Settings {
        &self.door.settings
    }

    pub fn token(&self) -> &SecretString {
        &self.sender.token
    }

    pub fn namespace(&self) -> Option<&str> {
        self.sender.namespace.as_deref()
    }

    pub fn with_token(&self, token: SecretString) -> Vault {
        let sender = Sender { token, namespace: self.sender.namespace.clone() };
        Vault { sender: Arc::new(sender), login: None, ..self.clone() }
    }

    /// From now on it and its clones say there what was asked.
    pub fn recorded_in(self, exchanges: Arc<Exchanges>) -> Vault {
        Vault { exchanges: Some(exchanges), ..self }
    }

    /// From now on it and its clones send nothing that `guard` refuses.
    pub fn guarded_by(self, guard: Arc<Guard>) -> Vault {
        Vault { guard: Some(guard), ..self }
    }

    /// An absolute namespace; empty is the root.
    pub fn with_namespace(&self, namespace: &str) -> Vault {
        let namespace = Some(namespace.trim_matches('/').to_string()).filter(|it| !it.is_empty());
        let sender = Sender { token: self.sender.token.clone(), namespace };
        Vault { sender: Arc::new(sender), ..self.clone() }
    }

    /// Repeats what Vault documents as passing, even a write whose answer got lost.
    /// A body of GET, LIST and DELETE goes into the query, where Vault reads it.
    pub async fn send(&self, request: &Request) -> Result<Answer, VaultError> {
        self.converse(request, Patience::Usual).await
    }

    /// For what must not happen twice (issue, rotate, unwrap): repeats only where Vault surely hasn't acted.
    pub async fn send_once(&self, request: &Request) -> Result<Answer, VaultError> {
        self.converse(request, Patience::Once).await
    }

    /// For the first requests below a new mount: a node that doesn't know it yet is asked again.
    pub async fn send_after_mount(&self, request: &Request) -> Result<Answer, VaultError> {
        self.converse(request, Patience::AfterMount).await
    }

    /// None only if nothing is kept there: not for a missing mount, a deleted KV version or a refusal.
    pub async fn read(&self, path: &str) -> Result<Option<Body>, VaultError> {
        match self.send(&Request::get(path)).await {
            Ok(answer) => Ok(answer.data),
            Err(e) if e.failure == Failure::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Empty if nothing is kept there.
    pub async fn list(&self, path: &str) -> Result<Vec<String>, VaultError> {
        match self.send(&Request::list(path)).await {
            Ok(answer) => Ok(answer.keys()),
            Err(e) if e.failure == Failure::NotFound => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    pub async fn write(&self, path: &str, body: Body) -> Result<Answer, VaultError> {
        self.send(&Request::post(path, body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Answer, VaultError> {
        self.send(&Request::delete(path)).await
    }

    /// What a wrapping token holds. It can be had once.
    pub async fn unwrap(&self, wrapping_token: SecretString) -> Result<Answer, VaultError> {
        self.with_token(wrapping_token)
            .send_once(&Request::post("sys/wrapping/unwrap", Body::new()))
            .await
    }

    /// Of the node that answers, whatever it can do: sealed and standby are no errors here.
    pub async fn health(&self) -> Result<Health, VaultError> {
        let data = self.node().await?;
        let says = |name: &str| data.get(name).and_then(|it| it.as_bool()).unwrap_or_default();
        let version =
            data.get("version").and_then(|it| it.as_str()).unwrap_or_default().to_string();
        Ok(Health {
            initialized: says("initialized"),
            sealed: says("sealed"),
            standby: says("standby"),
            version,
        })
    }

    /// `sys/health` as it is, which belongs to no namespace.
    async fn node(&self) -> Result<Body, VaultError> {
        let codes = [
            "standbycode",
            "performancestandbycode",
            "drsecondarycode",
            "sealedcode",
            "uninitcode",
        ];
        let codes = codes.iter().map(|it| (it.to_string(), 200.into())).collect();
        let request = Request::new(Method::Get, "sys/health", codes);
        let anonymous = self.with_token(SecretString::default()).with_namespace("");
        Ok(anonymous.send(&request).await?.data.unwrap_or_default())
    }

    /// Ends the token of our own login. A token that was given to us stays, and a batch token can only run out.
    pub async fn revoke_own_token(&self) -> Result<(), VaultError> {
        if self.login.as_ref().is_some_and(|it| it.token_type != "batch") {
            self.write("auth/token/revoke-self", Body::new()).await?;
        }
        Ok(())
    }

    async fn converse(&self, request: &Request, patience: Patience) -> Result<Answer, VaultError> {
        if let Some(guard) = &self.guard {
            guard(request)
                .map_err(|problem| unanswered(request, Failure::Unsendable { problem }))?;
        }
        let started = Instant::now();
        let mut prepared = self.prepare(request, &self.door.base)?;
        let (mut attempt, mut redirects) = (0, 0);
        loop {
            let error = match self.ask(request, &prepared, attempt).await {
                Ok(answer) => return Ok(answer),
                Err((_, Some(base))) if redirects < 3 => {
                    redirects += 1;
                    prepared = self.prepare(request, &base)?;
                    continue;
                }
                Err((error, _)) => *error,
            };
            let is_last = attempt >= self.door.settings.max_retries;
            let budget = self.door.retry_budget();
            let spent = started.elapsed();
            match retry::wait(&error, patience, attempt, spent, budget, retry::random())
                .filter(|_| !is_last)
            {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(self.tell_uninitialized(error).await),
            }
            attempt += 1;
        }
    }

    fn prepare(&self, request: &Request, base: &url::Url) -> Result<reqwest::Request, VaultError> {
        wire::prepare(request, &self.sender, base, self.door.host.as_ref())
            .map_err(|problem| unanswered(request, Failure::Unsendable { problem }))
    }

    /// One attempt; beside a failure, the node to ask instead if it named one that may be asked.
    async fn ask(
        &self,
        request: &Request,
        prepared: &reqwest::Request,
        attempt: u32,
    ) -> Result<Answer, (Box<VaultError>, Option<url::Url>)> {
        let (at, started) = (SystemTime::now(), Instant::now());
        let copy = prepared.try_clone().expect("a body in memory can be cloned");
        let heard = self.door.ask(copy).await;
        tracing::debug!(
            method = request.method.name(),
            path = request.path,
            status = heard.as_ref().map_or(0, |it| it.status),
            attempt,
            elapsed_ms = started.elapsed().as_millis() as u64,
            "asked Vault"
        );
        let heard = heard.map_err(|failure| (Box::new(unanswered(request, failure)), None))?;
        let answer = wire::interpret(request, &self.sender, prepared.url(), &heard);
        if let Some(exchanges) = &self.exchanges {
            let answered = answer.as_ref().ok();
            exchanges.add(Exchange {
                method: request.method,
                path: request.path.clone(),
                status: heard.status,
                request_id: answered.map(|it| it.request_id.clone()).unwrap_or_default(),
                at,
                took: started.elapsed(),
            });
        }
        answer.map_err(|error| {
            let base = matches!(error.failure, Failure::Redirect { .. })
                .then(|| self.door.follow(prepared.url(), &heard.headers))
                .flatten();
            (error, base)
        })
    }

    /// A Vault that was never initialised calls itself sealed.
    async fn tell_uninitialized(&self, error: VaultError) -> VaultError {
        if error.failure != Failure::Sealed {
            return error;
        }
        let anonymous = self.with_token(SecretString::default()).with_namespace("");
        let request = Request::get("sys/seal-status");
        let Ok(prepared) = anonymous.prepare(&request, &self.door.base) else { return error };
        let answer = anonymous.ask(&request, &prepared, 0).await;
        let data = answer.ok().and_then(|it| it.data).unwrap_or_default();
        if data.get("initialized") == Some(&false.into()) {
            // Its reason is that it is sealed, which is no reason to unseal it.
            let reasons = Vec::new();
            return VaultError { failure: Failure::Uninitialized, reasons, ..error };
        }
        error
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("address", &self.door.settings.address.as_str())
            .field("namespace", &self.sender.namespace)
            .finish_non_exhaustive()
    }
}

fn unanswered(request: &Request, failure: Failure) -> VaultError {
    VaultError {
        method: request.method,
        path: request.path.clone(),
        status: None,
        reasons: Vec::new(),
        failure,
    }
}
