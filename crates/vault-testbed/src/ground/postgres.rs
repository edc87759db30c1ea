//! A PostgreSQL server of its own for whoever asks: from local binaries, or in a container.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use super::backing::Backing;
use super::container::Container;
use super::error::{Error, Result};
use super::postgres_local::{Installation, Template};
use super::process::{Launch, Stop};
use super::run::Run;
use super::{loopback, new_secret};

/// How a PostgreSQL is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The major version: of the image, and of the local binaries where that one is installed (else the newest is taken).
    pub version: String,
    pub database: String,
    /// The login that Vault is given. Its password may be rotated: the test bed keeps a superuser of its own.
    pub admin_user: String,
    /// As the official image's: with `false`, CREATEROLE and ownership of the database only.
    pub admin_is_superuser: bool,
    /// SQL, run once as the admin in the database. `RESET SESSION AUTHORIZATION` in it makes it the superuser's.
    pub init: Option<String>,
}

/// Ended and removed when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    /// `host:port` for Vault.
    pub address_for_vault: String,
    /// `host:port` for this process. It stays the same through `stop` and `start_again`.
    pub address_from_here: String,
    pub database: String,
    pub admin_user: String,
    pub admin_password: SecretString,
    /// What the server itself says, such as `15.14`.
    pub version: String,
    pub started_in: Duration,
    superuser_password: SecretString,
    backing: Backing,
}

/// The login that only the test bed uses.
pub const SUPERUSER: &str = "postgres";
pub(super) const PORT: u16 = 5432;
const READY_DEADLINE: Duration = Duration::from_secs(60);
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(4);

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            version: "15".into(),
            database: "demo".into(),
            admin_user: "vault".into(),
            admin_is_superuser: true,
            init: None,
        }
    }
}

impl Postgres {
    pub(super) async fn start_process(run: &Arc<Run>, options: &PostgresOptions) -> Result<Self> {
        let installation = Installation::find(&options.version)?;
        let template = Template::get(run, &installation).await?;
        let started_at = Instant::now();
        let folder = run.create_folder("postgres")?;
        installation.give(&folder)?;
        template.copy_to(&folder.join("data"), &installation)?;
        let port = loopback::free_port()?;
        let launch = launch(&installation, &folder, port);
        // The socket lies in a folder that only this user can enter; on TCP a password is asked for.
        let socket = options_for(SUPERUSER, "postgres").socket(&folder).port(port);
        let backing = Backing::start(run, launch, folder)?;
        let address = format!("127.0.0.1:{port}");
        let mut server = Self {
            address_for_vault: address.clone(),
            address_from_here: address,
            database: options.database.clone(),
            admin_user: options.admin_user.clone(),
            admin_password: new_secret("pg")?,
            version: String::new(),
            started_in: Duration::ZERO,
            superuser_password: new_secret("pg")?,
            backing,
        };
        let mut connection = server.wait_for(&socket).await?;
        let password = literal(server.superuser_password.expose_secret());
        server
            .run(
                &mut connection,
                "setting the superuser's password",
                format!("ALTER ROLE postgres PASSWORD {password}"),
            )
            .await?;
        server.prepare(connection, options).await?;
        server.started_in = started_at.elapsed();
        Ok(server)
    }

    pub(super) async fn start_container(
        container: Container,
        options: &PostgresOptions,
        superuser_password: SecretString,
        started_at: Instant,
    ) -> Result<Self> {
        let mut server = Self {
            address_for_vault: container.address_within(PORT),
            address_from_here: container.address_from_here(),
            database: options.database.clone(),
            admin_user: options.admin_user.clone(),
            admin_password: new_secret("pg")?,
            version: String::new(),
            started_in: Duration::ZERO,
            superuser_password,
            backing: Backing::Container(Box::new(container)),
        };
        let connection = server.wait_for(&server.superuser("postgres")).await?;
        server.prepare(connection, options).await?;
        server.started_in = started_at.elapsed();
        Ok(server)
    }

    /// The database, the admin, and what `init` says.
    async fn prepare(
        &mut self,
        mut connection: PgConnection,
        options: &PostgresOptions,
    ) -> Result<()> {
        let (admin, database) = (identifier(&self.admin_user), identifier(&self.database));
        if self.admin_user == SUPERUSER {
            self.admin_password = self.superuser_password.clone();
        } else {
            let right = if options.admin_is_superuser { "SUPERUSER" } else { "CREATEROLE" };
            let password = literal(self.admin_password.expose_secret());
            let sql = format!("CREATE ROLE {admin} LOGIN {right} PASSWORD {password}");
            self.run(&mut connection, "creating the admin", sql).await?;
        }
        if self.database != "postgres" {
            let sql = format!("CREATE DATABASE {database} OWNER {admin}");
            self.run(&mut connection, "creating the database", sql).await?;
        }
        let version: String = sqlx::query_scalar("SHOW server_version")
            .fetch_one(&mut connection)
            .await
            .map_err(self.failed("asking for the version"))?;
        self.version = version.split(' ').next().unwrap_or_default().to_owned();
        let _ = connection.close().await;
        if let Some(init) = &options.init {
            let mut connection = self.connect(&self.superuser(&self.database)).await?;
            self.run(
                &mut connection,
                "becoming the admin",
                format!("SET SESSION AUTHORIZATION {admin}"),
            )
            .await?;
            self.run(&mut connection, "running the init SQL", init.clone()).await?;
            let _ = connection.close().await;
        }
        Ok(())
    }

    /// How any login reaches this server from here. Don't print it: its `Debug` shows the password.
    pub fn login(&self, user: &str, password: &SecretString) -> PgConnectOptions {
        let (host, port) =
            self.address_from_here.rsplit_once(':').unwrap_or((&self.address_from_here, "5432"));
        options_for(user, &self.database)
            .host(host)
            .port(port.parse().unwrap_or(PORT))
            .password(password.expose_secret())
    }

    /// The test bed's own way in, untouched by any rotation.
    pub fn superuser(&self, database: &str) -> PgConnectOptions {
        self.login(SUPERUSER, &self.superuser_password).database(database)
    }

    /// Several statements at once, as the superuser in the server's database.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        let mut connection = self.connect(&self.superuser(&self.database)).await?;
        self.run(&mut connection, "running SQL", sql.to_owned()).await?;
        let _ = connection.close().await;
        Ok(())
    }

    /// In order: connections end, what was committed stays.
    pub async fn stop(&mut self) -> Result<()> {
        self.backing.stop().await
    }

    /// As a crash would.
    pub async fn kill(&mut self) -> Result<()> {
        self.backing.kill().await
    }

    /// After `stop` or `kill`: at the same address, with what it held.
    pub async fn start_again(&mut self) -> Result<()> {
        self.backing.start_again().await?;
        let connection = self.wait_for(&self.superuser("postgres")).await?;
        let _ = connection.close().await;
        Ok(())
    }

    /// The server's own process, where it is one.
    pub fn process_id(&self) -> Option<u32> {
        self.backing.process_id()
    }

    async fn connect(&self, options: &PgConnectOptions) -> Result<PgConnection> {
        let connection = PgConnection::connect_with(options);
        match tokio::time::timeout(READY_DEADLINE, connection).await {
            Ok(connection) => connection.map_err(self.failed("connecting")),
            Err(_) => Err(self.failed("connecting")(sqlx::Error::PoolTimedOut)),
        }
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        action: &'static str,
        sql: String,
    ) -> Result<()> {
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .map(drop)
            .map_err(self.failed(action))
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
        let server = format!("PostgreSQL at {}", self.address_from_here);
        move |source| Error::Database { server, action, source }
    }

    /// Until a query is answered: a port that accepts is not yet a server that serves.
    async fn wait_for(&mut self, options: &PgConnectOptions) -> Result<PgConnection> {
        let asked_at = Instant::now();
        loop {
            // Whatever else may have taken the port need not answer at all.
            let answered = tokio::time::timeout(ANSWER_DEADLINE, async {
                let mut connection = PgConnection::connect_with(options).await.ok()?;
                connection.execute("SELECT 1").await.ok()?;
                Some(connection)
            });
            if let Ok(Some(connection)) = answered.await {
                return Ok(connection);
            }
            let what = format!("PostgreSQL at {}", self.address_from_here);
            self.backing.still_runs(&what)?;
            if asked_at.elapsed() > READY_DEADLINE {
                return Err(Error::Late {
                    what,
                    seconds: READY_DEADLINE.as_secs(),
                    log: self.backing.log_tail().await,
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Everything that the environment (`PGHOST`, …) could say instead is said.
fn options_for(user: &str, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(PORT)
        .username(user)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
        // Statements hold passwords, and slow ones would be logged in full.
        .disable_statement_logging()
}

fn launch(installation: &Installation, folder: &Path, port: u16) -> Launch {
    let setting = |name: &str, value: &str| ["-c".to_owned(), format!("{name}={value}")];
    let mut arguments = vec![
        "-D".to_owned(),
        folder.join("data").display().to_string(),
        "-p".to_owned(),
        port.to_string(),
    ];
    arguments.extend(setting("unix_socket_directories", &folder.display().to_string()));
    arguments.extend(SETTINGS.iter().flat_map(|(name, value)| setting(name, value)));
    Launch {
        name: "postgres".into(),
        program: installation.program("postgres"),
        arguments,
        environment: vec![("HOME".into(), folder.display().to_string().into())],
        log: folder.join("server.log"),
        is_stdout_secret: false,
        folder: folder.to_owned(),
        user: installation.user.clone(),
        stop_signal: Stop::Interrupt,
        kill_signal: Stop::Quit,
    }
}

/// For tests: nothing has to survive the machine, and nothing may stay behind when it is killed.
const SETTINGS: [(&str, &str); 11] = [
    ("listen_addresses", "127.0.0.1"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("max_connections", "200"),
    ("shared_buffers", "16MB"),
    ("dynamic_shared_memory_type", "mmap"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    // A failed statement may hold a password.
    ("log_min_error_statement", "panic"),
    ("log_statement", "none"),
];

/// As SQL writes a name.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// As SQL writes a text, with standard_conforming_strings on.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
