//! A far side of its own for whoever asks: from local programs, or in a container.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::super::backing::Backing;
use super::super::container::Container;
use super::super::{LOOPBACK, loopback};
use super::{
    Answer, Error, FarSide, Installation, Login, New, Passwords, Result, Run, Said, ServerOptions,
};
use crate::statements::Statements;

/// Ended and removed when it is dropped.
#[derive(Debug)]
pub struct Server {
    pub side: &'static FarSide,
    /// `host:port` for Vault.
    pub address_for_vault: String,
    /// `host:port` for this process. It stays the same through `stop` and `start_again`.
    pub address_from_here: String,
    /// The same, where applications come to another port than Vault.
    pub second_address: Option<String>,
    pub database: String,
    pub admin_user: String,
    pub admin_password: SecretString,
    /// What the server itself says, such as `15.14`.
    pub version: String,
    pub started_in: Duration,
    /// By the names that its row `gives`.
    pub given: BTreeMap<&'static str, SecretString>,
    statements: Arc<Statements>,
    options: ServerOptions,
    /// So much of its log is about others, who had it before.
    logged_before: usize,
    /// Its row's, unless the machine decides it.
    pub(super) superuser_name: String,
    superuser_password: SecretString,
    backing: Backing,
}

const READY_DEADLINE: Duration = Duration::from_secs(90);
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);
/// By then a new one would be there.
const RESET_DEADLINE: Duration = Duration::from_secs(10);

impl Server {
    pub(in crate::ground) async fn start_process(
        run: &Arc<Run>,
        options: &ServerOptions,
    ) -> Result<Self> {
        let side = options.side;
        let installation = Installation::obtain(side, &options.version).await?;
        let folder = run.create_folder(side.word)?;
        installation.give(&folder)?;
        let place = folder.to_path_buf();
        let port = loopback::free_port()?;
        let second_port = side.second_port.map(|_| loopback::free_port()).transpose()?;
        let passwords = Passwords::of(options)?;
        let new = New {
            options,
            installation: &installation,
            folder: &place,
            port,
            second_port,
            passwords: &passwords,
        };
        let launch = (side.launch)(run, new).await?;
        let started_at = Instant::now();
        let backing = Backing::start(run, launch, folder)?;
        let address = format!("{LOOPBACK}:{port}");
        let mut server = Self::new(options, (address.clone(), address), passwords, backing);
        server.second_address = second_port.map(|port| format!("{LOOPBACK}:{port}"));
        if let Some(first) = side.first {
            first(&mut server, &place).await?;
        }
        server.prepare(options, started_at).await?;
        Ok(server)
    }

    pub(in crate::ground) async fn start_container(
        container: Container,
        is_vault_within: bool,
        options: &ServerOptions,
        passwords: Passwords,
        started_at: Instant,
    ) -> Result<Self> {
        let from_here = container.address_from_here();
        let for_vault = match is_vault_within {
            true => container.address_within(options.side.port),
            false => from_here.clone(),
        };
        let second_address = container.second_address_from_here();
        let backing = Backing::Container(Box::new(container));
        let mut server = Self::new(options, (for_vault, from_here), passwords, backing);
        server.second_address = second_address;
        server.prepare(options, started_at).await?;
        Ok(server)
    }

    /// Addresses: for Vault, and from here.
    fn new(
        options: &ServerOptions,
        addresses: (String, String),
        passwords: Passwords,
        backing: Backing,
    ) -> Self {
        Self {
            side: options.side,
            address_for_vault: addresses.0,
            address_from_here: addresses.1,
            second_address: None,
            database: options.database.clone(),
            admin_user: options.admin_user.clone(),
            admin_password: passwords.admin,
            version: String::new(),
            started_in: Duration::ZERO,
            given: BTreeMap::new(),
            statements: Arc::default(),
            options: options.clone(),
            logged_before: 0,
            superuser_name: options.side.superuser.to_owned(),
            superuser_password: passwords.superuser,
            backing,
        }
    }

    async fn prepare(&mut self, options: &ServerOptions, started_at: Instant) -> Result<()> {
        let said = self.until_ready(&self.superuser("")).await?;
        let is_of_version = |letter: char| letter.is_ascii_digit() || letter == '.';
        self.version = said.split(|it| !is_of_version(it)).next().unwrap_or_default().to_owned();
        (self.side.prepare)(self, options).await?;
        self.started_in = started_at.elapsed();
        Ok(())
    }

    /// Whether it could be what somebody wants. What `init` says comes after the start.
    pub(in crate::ground) fn is_like(&self, options: &ServerOptions) -> bool {
        let of_start = |it: &ServerOptions| ServerOptions { init: None, ..it.clone() };
        of_start(&self.options) == of_start(options)
    }

    /// What it would be if it had just started. None where that cannot be known: no such server is used.
    pub(in crate::ground) async fn made_new(mut self, options: &ServerOptions) -> Option<Self> {
        let reset = self.side.reset?;
        let begun_at = Instant::now();
        self.statements = Arc::default();
        self.given.clear();
        self.logged_before = self.backing.log().await.len();
        let superuser = self.superuser("");
        tokio::time::timeout(RESET_DEADLINE, reset(&superuser)).await.ok()?.ok()?;
        self.options = options.clone();
        self.prepare(options, begun_at).await.ok()?;
        Some(self)
    }

    /// How any login reaches this server from here.
    pub fn login(&self, user: &str, password: &SecretString) -> Login {
        Login {
            side: self.side,
            address: self.address_from_here.clone(),
            second_address: self.second_address.clone(),
            database: self.database.clone(),
            user: user.to_owned(),
            password: password.clone(),
            session_token: None,
            ahead: Duration::ZERO,
            statements: self.statements.clone(),
        }
    }

    /// As Vault logs in at first.
    pub fn admin(&self) -> Login {
        self.login(&self.admin_user, &self.admin_password)
    }

    /// The test bed's own way in, untouched by any rotation. Without a database: the server's first one.
    pub fn superuser(&self, database: &str) -> Login {
        let login = self.login(&self.superuser_name, &self.superuser_password);
        Login { database: database.to_owned(), ..login }
    }

    /// From now on what is said to it from here is kept there.
    pub fn recorded_in(self, statements: &Arc<Statements>) -> Self {
        Self { statements: statements.clone(), ..self }
    }

    pub fn superuser_password(&self) -> &SecretString {
        &self.superuser_password
    }

    /// Several statements at once, as the superuser in the server's database.
    pub async fn execute(&self, statements: &str) -> Result<()> {
        self.run(&self.superuser(&self.database), "running statements", statements).await
    }

    pub(super) async fn run(
        &self,
        login: &Login,
        action: &'static str,
        statements: &str,
    ) -> Result<()> {
        login.say(statements).await.and_then(Said::done).map_err(|why| Error::FarSide {
            server: self.place(),
            action,
            why: why.to_string(),
        })
    }

    /// In order: connections end, what was committed stays.
    pub async fn stop(&mut self) -> Result<()> {
        self.backing.stop().await
    }

    /// As a crash would.
    pub async fn kill(&mut self) -> Result<()> {
        self.backing.kill().await
    }

    /// All that it has logged for whom it is now.
    pub async fn log(&self) -> Vec<u8> {
        let mut log = self.backing.log().await;
        log.split_off(self.logged_before.min(log.len()))
    }

    /// After `stop` or `kill`: at the same address, with what it held.
    pub async fn start_again(&mut self) -> Result<()> {
        self.backing.start_again().await?;
        self.until_ready(&self.superuser("")).await.map(drop)
    }

    /// The server's own process, where it is one.
    pub fn process_id(&self) -> Option<u32> {
        self.backing.process_id()
    }

    fn place(&self) -> String {
        format!("{} at {}", self.side.title, self.address_from_here)
    }

    /// Until a query is answered: a port that accepts is not yet a server that serves.
    pub(super) async fn until_ready(&mut self, login: &Login) -> Result<String> {
        let side = self.side;
        self.until_answered(|| (side.ask_version)(login)).await
    }

    pub(super) async fn until_answered<'a, T>(
        &mut self,
        ask: impl Fn() -> Answer<'a, T>,
    ) -> Result<T> {
        let place = self.place();
        let asked = || async {
            // Whatever else may have taken the port need not answer at all.
            tokio::time::timeout(ANSWER_DEADLINE, ask()).await.ok()?.ok()
        };
        self.backing.until(|| place, READY_DEADLINE, asked).await
    }
}
