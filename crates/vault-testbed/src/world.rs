//! What one scenario knows: its servers, its spec, and all that was issued in it.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tempfile::TempDir;
use vault_client::{Answer, Exchanges, Settings, Vault, VaultError};
use vault_model::{request::Request, spec::Spec};
use vault_provision::{Applied, SpecInputs};
use vaultrs::{
    client::{VaultClient, VaultClientSettingsBuilder},
    error::ClientError,
};

use crate::{
    bindings::KnownBindings,
    ground::{Consumer, Ground, Kind, Server, ServerOptions, VaultOptions, VaultServer},
    live::Live,
    origin::Origins,
    secrets::Secrets,
    statements::{Heard, Statements},
    steps::{audit::Window, process::Ran, proven::Proven},
};

/// A World is made for every attempt at a scenario, and its servers end with it.
#[derive(Default, cucumber::World)]
pub struct World {
    bench: Option<Bench>,
    vault: Option<(VaultServer, Vault)>,
    /// What this scenario has asked its Vault.
    pub exchanges: Arc<Exchanges>,
    /// What it has said to other servers, and by other clients.
    pub statements: Arc<Statements>,
    pub databases: BTreeMap<String, Server>,
    /// Programs that use what Vault issues.
    pub consumers: BTreeMap<String, Consumer>,
    /// What those servers and programs have logged that are over.
    logs: Vec<(String, Vec<u8>)>,
    folder: Option<TempDir>,
    /// A spec's folder or file, once it is given.
    pub spec_path: Option<PathBuf>,
    /// Values for variables of the spec: those of the ground, and what was noted.
    pub vars: BTreeMap<String, Value>,
    /// What `plan` showed last.
    pub plan: String,
    pub applied: Option<(Spec, Applied)>,
    /// Why the last apply or plan could not even begin.
    pub refused: Option<String>,
    /// What of the audit log the last plan or apply made.
    pub window: Option<Window>,
    /// The last answer to a request of a step.
    pub answer: Option<Result<Answer, VaultError>>,
    pub tokens: BTreeMap<String, Vault>,
    pub credentials: BTreeMap<String, Credential>,
    /// Secret-ids, wrapping tokens, ciphertexts and whatever else a later step names.
    pub noted: BTreeMap<String, Value>,
    pub ran: Vec<Ran>,
    pub running: Vec<tokio::process::Child>,
    /// Connections that hold a lock in a database.
    pub locks: Vec<sqlx::PgConnection>,
    /// The spec that is being proven, and what it issued.
    pub proven: Proven,
}

/// What the suite gives to each World.
#[derive(Clone)]
pub struct Bench {
    pub ground: Ground,
    /// The vaultwright binary.
    pub program: Option<PathBuf>,
    /// Where relative paths of features begin.
    pub root: PathBuf,
    pub secrets: Secrets,
    /// What the command line says about variables of specs.
    pub inputs: SpecInputs,
    pub bindings: KnownBindings,
    /// The Vault that people use, where one is proven.
    pub live: Option<Arc<Live>>,
    pub notes: Arc<Notes>,
}

/// What a scenario leaves for the report. All of it is masked before it is shown.
#[derive(Default)]
pub struct Notes(Mutex<Noted>);

#[derive(Clone, Debug, Default)]
pub struct Noted {
    pub seen: Vec<Seen>,
    pub skipped: Option<String>,
    pub vaults_started_in: Vec<Duration>,
    /// Such as `PostgreSQL 15.14`.
    pub far_sides: Vec<String>,
    pub exchanges: Arc<Exchanges>,
    pub statements: Arc<Statements>,
    /// Of the spec that the scenario is about.
    pub origins: Arc<Origins>,
}

/// What a step saw, and when.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: SystemTime,
    pub text: String,
    /// Where it is a turn in the life of a lease, a token or a password.
    pub turn: Option<Turn>,
}

/// What happened to something that lives for a while.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The same for all turns of one life.
    pub of: String,
    pub what: Change,
    /// How long it lives from then on, as Vault said.
    pub lasts: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Issued,
    Used,
    Renewed,
    Rotated,
    Revoked,
    Refused,
}

impl Change {
    /// `issued`, `renewed`, …
    pub fn word(self) -> &'static str {
        match self {
            Change::Issued => "issued",
            Change::Used => "used",
            Change::Renewed => "renewed",
            Change::Rotated => "rotated",
            Change::Revoked => "revoked",
            Change::Refused => "refused",
        }
    }
}

/// A login that Vault issued.
#[derive(Clone)]
pub struct Credential {
    pub username: String,
    pub password: SecretString,
    /// Empty for a static role.
    pub lease_id: String,
    pub lease_seconds: u64,
    pub renewable: bool,
    pub issued_at: Instant,
    /// Where it was read.
    pub path: String,
}

/// Why a step failed, with every cause.
pub struct Failure(pub String);

pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

impl World {
    /// By the suite, before the first step.
    pub fn set_bench(&mut self, bench: Bench) {
        bench.notes.update(|it| {
            it.exchanges = self.exchanges.clone();
            it.statements = self.statements.clone();
        });
        self.bench = Some(bench);
    }

    pub fn bench(&self) -> &Bench {
        self.bench.as_ref().expect("the suite gives a bench to every World before its first step")
    }

    pub fn ground_kind(&self) -> Kind {
        self.bench().ground.kind()
    }

    /// From now on this text is never shown.
    pub fn add_secret(&self, what: &str, secret: &str) {
        self.bench().secrets.add(what, secret);
    }

    /// One line for the report: what was seen that shows that the step holds.
    pub fn evidence(&self, text: impl Into<String>) {
        self.see(text.into(), None);
    }

    /// The same, of a turn in the life of `of`; `seconds` is how long it lives from then on.
    pub fn turn(&self, of: &str, what: Change, seconds: Option<u64>, text: impl Into<String>) {
        let lasts = seconds.map(Duration::from_secs);
        self.see(text.into(), Some(Turn { of: of.to_owned(), what, lasts }));
    }

    fn see(&self, text: String, turn: Option<Turn>) {
        self.bench().notes.update(|it| it.seen.push(Seen { at: SystemTime::now(), text, turn }));
    }

    /// Ends the scenario without a verdict: `reason` is shown, and counted as skipped.
    pub fn skip(&self, reason: impl Into<String>) -> Failure {
        let reason = reason.into();
        self.bench().notes.update(|it| it.skipped = Some(reason.clone()));
        Failure(format!("skipped: {reason}"))
    }

    pub async fn start_vault(&mut self, options: &VaultOptions) -> Result {
        let server = self.bench().ground.vault(options).await?;
        self.take_vault(server).await
    }

    /// A Vault that somebody else started becomes this scenario's, in place of the one that it had.
    pub async fn take_vault(&mut self, server: VaultServer) -> Result {
        self.end_vault().await;
        let mut settings = Settings::new(&server.address)?;
        settings.ca_cert.clone_from(&server.ca_certificate);
        let vault = Vault::new(&settings)?.with_token(server.root_token.clone());
        let vault = vault.recorded_in(self.exchanges.clone());
        self.add_secret("the root token", server.root_token.expose_secret());
        if let Some(key) = server.unseal_key() {
            self.add_secret("the unseal key", key.expose_secret());
        }
        self.bench().notes.update(|it| it.vaults_started_in.push(server.started_in));
        self.vault = Some((server, vault));
        Ok(())
    }

    /// The Vault that people use, as the token that all leases of the proof belong to.
    pub fn take_live(&mut self, live: &Live) -> Result {
        let Some(vault) = live.vault() else { return failure("the proof has no token of its own") };
        let settings = vault.settings();
        let (address, token) = (settings.address.as_str(), vault.token().clone());
        self.add_secret("the token of the proof", token.expose_secret());
        let server = VaultServer::at(address, token, settings.ca_cert.clone())?;
        self.vault = Some((server, vault.clone().recorded_in(self.exchanges.clone())));
        Ok(())
    }

    /// For what may issue a token, a lease, or a secret-id of `role`: on a Vault that people use it is taken back in the end.
    pub async fn issue(
        &self,
        vault: &Vault,
        request: Request,
        role: &str,
    ) -> Result<Answer, VaultError> {
        match &self.bench().live {
            Some(live) => live.issue(vault, request, role).await,
            None => vault.send_once(&request).await,
        }
    }

    /// As root.
    pub fn vault(&self) -> Result<&Vault> {
        match &self.vault {
            Some((_, vault)) => Ok(vault),
            None => failure("this scenario has no Vault: begin with `Given a Vault`"),
        }
    }

    /// As whoever has no token yet.
    pub fn anonymous(&self) -> Result<Vault> {
        Ok(self.vault()?.with_token(SecretString::default()))
    }

    pub fn server(&self) -> Result<&VaultServer> {
        match &self.vault {
            Some((server, _)) => Ok(server),
            None => failure("this scenario has no Vault: begin with `Given a Vault`"),
        }
    }

    pub fn server_mut(&mut self) -> Result<&mut VaultServer> {
        match &mut self.vault {
            Some((server, _)) => Ok(server),
            None => failure("this scenario has no Vault: begin with `Given a Vault`"),
        }
    }

    /// Asks by vaultrs, as root: a second way to Vault, with nothing of ours in between. `request` tells what is asked.
    pub async fn by_vaultrs<T>(
        &self,
        request: &str,
        ask: impl AsyncFnOnce(&VaultClient) -> Result<T, ClientError>,
    ) -> Result<Result<T, ClientError>> {
        let client = self.vaultrs()?;
        let asked = async { OfVaultrs(ask(&client).await) };
        Ok(self.statements.noting("Vault", "vaultrs", request, asked).await.0)
    }

    fn vaultrs(&self) -> Result<VaultClient> {
        let token = self.vault()?.token().expose_secret().to_owned();
        let server = self.server()?;
        let settings = VaultClientSettingsBuilder::default()
            .address(&server.address)
            .token(token)
            .ca_certs(Vec::new())
            // Its own client, which goes unused, would read all of the system's authorities.
            .verify(false)
            .identity(None)
            .build()?;
        let mut client = VaultClient::new(settings)?;
        let authority = match &server.ca_certificate {
            Some(path) => Some(reqwest::Certificate::from_pem(&std::fs::read(path)?)?),
            None => None,
        };
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30));
        let http = http.tls_certs_only(authority).build()?;
        client.http = rustify::clients::reqwest::Client::new(&server.address, http);
        Ok(client)
    }

    /// Vault as the token `name` sees it; `root` is always there.
    pub fn token(&self, name: &str) -> Result<&Vault> {
        match self.tokens.get(name) {
            Some(vault) => Ok(vault),
            None if name == "root" => self.vault(),
            None => failure(format!("there is no token `{name}` in this scenario")),
        }
    }

    pub fn add_token(&mut self, name: &str, token: SecretString) -> Result {
        self.add_secret(&format!("the token {name}"), token.expose_secret());
        let vault = self.vault()?.with_token(token);
        self.tokens.insert(name.to_owned(), vault);
        Ok(())
    }

    pub fn credential(&self, name: &str) -> Result<&Credential> {
        self.credentials
            .get(name)
            .ok_or_else(|| Failure(format!("there is no credential `{name}` in this scenario")))
    }

    /// A server called `name`; the spec gets its address and password as `NAME_url` and `NAME_password`.
    pub async fn start_server(&mut self, name: &str, options: &ServerOptions) -> Result {
        let server = match self.bench().ground.server(options).await {
            Ok(server) => server.recorded_in(&self.statements),
            Err(missing) if missing.is_missing() => return Err(self.skip(missing.to_string())),
            Err(error) => return Err(error.into()),
        };
        let password = server.admin_password.expose_secret().to_owned();
        self.add_secret(&format!("the password of {name}"), &password);
        let superuser = server.superuser_password().expose_secret();
        self.add_secret(&format!("the superuser's password of {name}"), superuser);
        self.tell_of(name, &server);
        self.vars.insert(format!("{name}_url"), server.address_for_vault.clone().into());
        self.vars.insert(format!("{name}_password"), password.into());
        self.take_server(name, server).await;
        Ok(())
    }

    /// In place of the one that it had by that name.
    pub async fn take_server(&mut self, name: &str, server: Server) {
        if let Some(former) = self.databases.insert(name.to_owned(), server) {
            self.end_server(name, former).await;
        }
    }

    /// In place of the one that it had by that name.
    pub async fn take_consumer(&mut self, name: &str, consumer: Consumer) {
        if let Some(former) = self.consumers.insert(name.to_owned(), consumer) {
            self.end_consumer(name, former).await;
        }
    }

    /// For the report: which server it really is. Some stand in for others.
    pub fn tell_of(&self, name: &str, server: &Server) {
        let which = format!("{} {}", server.side.title, server.version);
        self.evidence(format!("{name}: {which}"));
        self.bench().notes.update(|it| it.far_sides.push(which));
    }

    pub fn database(&self, name: &str) -> Result<&Server> {
        match self.databases.get(name) {
            Some(database) => Ok(database),
            None => failure(format!("there is no database `{name}` in this scenario")),
        }
    }

    /// A folder that ends with the scenario.
    pub fn folder(&mut self) -> Result<PathBuf> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => tempfile::Builder::new().prefix("vaultwright-scenario-").tempdir()?,
        };
        let path = folder.path().to_owned();
        self.folder = Some(folder);
        Ok(path)
    }

    /// A path that a feature names, seen from the root of the repository.
    pub fn path(&self, name: &str) -> PathBuf {
        self.bench().root.join(Path::new(name))
    }

    /// `((name))` in a text of a feature is what was noted under that name, or a variable of the ground.
    pub fn filled(&self, text: &str) -> String {
        let all = self.vars.iter().chain(&self.noted);
        all.fold(text.to_owned(), |text, (name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.replace(&format!("(({name}))"), &value)
        })
    }

    /// Nobody asks for what servers hold any more: an orderly end takes RabbitMQ six seconds.
    async fn end_vault(&mut self) {
        if let Some((mut server, _)) = self.vault.take() {
            let _ = server.kill().await;
            self.logs.push(("Vault".to_owned(), server.log().await));
        }
    }

    async fn end_server(&mut self, name: &str, mut server: Server) {
        let _ = server.kill().await;
        self.logs.push((name.to_owned(), server.log().await));
    }

    /// To the ground, which may have use for it.
    async fn give_back(&mut self, name: &str, server: Server) {
        self.logs.push((name.to_owned(), server.log().await));
        self.bench().ground.take_back(server);
    }

    async fn end_consumer(&mut self, name: &str, mut consumer: Consumer) {
        consumer.stop().await;
        self.logs.push((name.to_owned(), consumer.said()));
    }

    /// Ends what the scenario started, and says which secrets its commands have shown, and its servers and programs have
    /// logged: also those that ended or were replaced before. What `passed` may leave servers to the next scenario; of
    /// others nobody knows what is wrong with theirs.
    pub async fn end(&mut self, passed: bool) -> Vec<String> {
        for mut child in std::mem::take(&mut self.running) {
            let _ = child.kill().await;
        }
        while let Some((name, consumer)) = self.consumers.pop_first() {
            self.end_consumer(&name, consumer).await;
        }
        self.end_vault().await;
        while let Some((name, server)) = self.databases.pop_first() {
            match passed && server.side.is_kept() {
                true => self.give_back(&name, server).await,
                false => self.end_server(&name, server).await,
            }
        }
        let secrets = &self.bench().secrets;
        let said = self.ran.iter().flat_map(|it| [&it.stdout, &it.stderr]).chain([&self.plan]);
        let said = said.map(|it| ("a command".to_owned(), it.as_bytes()));
        let logged = self.logs.iter().map(|(name, log)| (format!("the log of {name}"), &**log));
        let shown = said.chain(logged).flat_map(|(who, bytes)| {
            secrets.scan(bytes).into_iter().map(move |found| format!("{who} shows {found}"))
        });
        shown.collect()
    }
}

/// What vaultrs makes of an answer.
struct OfVaultrs<T>(Result<T, ClientError>);

impl<T> Heard for OfVaultrs<T> {
    fn code(&self) -> Option<String> {
        match &self.0 {
            Err(ClientError::APIError { code, .. }) => Some(code.to_string()),
            _ => None,
        }
    }

    fn answer(&self) -> String {
        match &self.0 {
            Ok(_) => "answered".to_owned(),
            Err(ClientError::APIError { code, errors }) => format!("{code} {}", errors.join("; ")),
            Err(error) => format!("no answer: {error}"),
        }
    }
}

impl Notes {
    pub fn update(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn read(&self) -> Noted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub fn failure<T>(why: impl Into<String>) -> Result<T> {
    Err(Failure(why.into()))
}

/// Fails with `why` unless `holds`.
pub fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result {
    if holds { Ok(()) } else { Err(Failure(why())) }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(it) = cause {
            let more = it.to_string();
            if !text.contains(&more) {
                text.push_str(&format!(": {more}"));
            }
            cause = it.source();
        }
        Failure(text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A World is full of secrets.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
