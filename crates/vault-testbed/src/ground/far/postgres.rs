//! PostgreSQL.

use std::process::Command;

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use super::initial::Initial;
use super::sql::{self, Dialect};
use super::*;

pub static POSTGRES: FarSide = FarSide {
    word: "postgres",
    title: "PostgreSQL",
    version: "15",
    database: "demo",
    keys: &["database", "init", "admin_user", "admin_superuser"],
    port: 5432,
    second_port: None,
    superuser: "postgres",
    new_password: None,
    programs: Programs {
        source: Source::Debian("postgresql"),
        names: &["postgres", "initdb"],
        // Debian's place, Red Hat's, and where builds from source go.
        places: &[("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/usr/local/pgsql", "bin")],
        // PostgreSQL refuses to run as root.
        users: &["postgres", "nobody"],
        version_option: "--version",
        version_env: &[],
        before_version: "(PostgreSQL) ",
        found: OnceLock::new(),
    },
    image: "postgres:{}",
    recipe: Recipe {
        packages: &["postgresql"],
        hook: "mkdir -p \"$1/etc/postgresql-common\" && \
               echo 'create_main_cluster = false' >\"$1/etc/postgresql-common/createcluster.conf\"",
        dockerfile: include_str!("../../../../../fixtures/servers/images/postgres/Dockerfile"),
        entrypoint: Some(include_str!(
            "../../../../../fixtures/servers/images/postgres/entrypoint.sh"
        )),
        version_command: "ls /usr/lib/postgresql",
    },
    plugin: Some(Plugin { name: "postgresql", place }),
    engine: None,
    gives: &[],
    hello: "SELECT 1",
    catalogue: "pg_roles",
    launch: |run, new| launch(run, new).boxed(),
    first: Some(|server, folder| first(server, folder).boxed()),
    container,
    prepare: |server, options| prepare(server, options).boxed(),
    reset: Some(|superuser| reset(superuser).boxed()),
    ask_version: |login| ask_version(login).boxed(),
    say: |login, sql| sql::say::<PgConnection>(login, sql).boxed(),
    look_up: |_, user| look_up(user),
    knows: |login, user| knows(login, user).boxed(),
    sessions: Some(Sessions {
        catalogue: "pg_stat_activity",
        open: |opening| sql::open::<PgConnection>(opening).boxed(),
        look_up: sql::look_up_session::<PgConnection>,
        lists: |login, session| sql::lists::<PgConnection>(login, session).boxed(),
    }),
    lasts: Some(|login, user| lasts(login, user).boxed()),
};

/// Everything that the environment (`PGHOST`, …) could say instead is said. Don't print it: its `Debug` shows the
/// password.
pub fn options(login: &Login) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host(login.host())
        .port(login.port())
        .username(&login.user)
        .password(login.password.expose_secret())
        .database(if login.database.is_empty() { "postgres" } else { &login.database })
        .ssl_mode(PgSslMode::Disable)
        // Statements hold passwords, and slow ones would be logged in full.
        .disable_statement_logging()
}

/// `host:port` and database of a URL, or of PostgreSQL's `key=value` form.
fn place(details: &Map<String, Value>) -> Option<(String, String)> {
    let url = details.get("connection_url").and_then(Value::as_str)?;
    if let Some((_, rest)) = url.split_once("://") {
        let rest = rest.rsplit_once('@').map_or(rest, |(_, it)| it);
        let (address, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let database = rest.split('?').next().unwrap_or_default();
        return Some((address.to_owned(), database.to_owned()));
    }
    let value = |key: &str| {
        let found = url.split_whitespace().find_map(|it| it.strip_prefix(key)?.strip_prefix('='));
        found.map(|it| it.trim_matches('\''))
    };
    let port = value("port").unwrap_or("5432");
    Some((format!("{}:{port}", value("host")?), value("dbname").unwrap_or_default().to_owned()))
}

async fn launch(run: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let New { installation, folder, port, .. } = &new;
    let initial = Initial { side: &POSTGRES, edition: 1, command: initdb };
    initial.put(run, installation, &folder.join("data")).await?;
    let setting = |name: &str, value: &str| ["-c".to_owned(), format!("{name}={value}")];
    let mut arguments = vec![
        "-D".to_owned(),
        folder.join("data").display().to_string(),
        "-p".to_owned(),
        port.to_string(),
    ];
    arguments.extend(setting("unix_socket_directories", &folder.display().to_string()));
    arguments.extend(SETTINGS.iter().flat_map(|(name, value)| setting(name, value)));
    let launch = new.launch("postgres", arguments);
    Ok(Launch { stop_signal: Stop::Interrupt, kill_signal: Stop::Quit, ..launch })
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

fn initdb(installation: &super::Installation, folder: &Path) -> Command {
    let mut command = Command::new(installation.program("initdb"));
    command.arg("-D").arg(folder).args(INITDB_FLAGS);
    command
}

const INITDB_FLAGS: [&str; 8] = [
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--auth-local=trust",
    "--auth-host=scram-sha-256",
    "--no-sync",
    "--no-instructions",
    // The smallest there is: a sixteenth of what would have to be copied.
    "--wal-segsize=1",
];

/// The socket lies in a folder that only this user can enter; on TCP a password is asked for.
async fn first(server: &mut Server, folder: &Path) -> Result<()> {
    let port = server.superuser("").port();
    let address = format!("{}:{port}", folder.display());
    let socket = Login { address, ..server.superuser("") };
    server.until_ready(&socket).await?;
    let password = literal(server.superuser_password().expose_secret());
    let sql = format!("ALTER ROLE postgres PASSWORD {password}");
    server.run(&socket, "setting the superuser's password", &sql).await
}

fn container(_: &ServerOptions, passwords: &Passwords) -> Contained {
    let command = ["postgres", "-c", "fsync=off", "-c", "log_min_error_statement=panic"];
    Contained {
        command: command.map(String::from).to_vec(),
        environment: vec![("POSTGRES_PASSWORD".into(), passwords.superuser.clone())],
        ..Contained::default()
    }
}

async fn prepare(server: &mut Server, options: &ServerOptions) -> Result<()> {
    let superuser = server.superuser("");
    let (admin, database) = (identifier(&server.admin_user), identifier(&server.database));
    if server.admin_user != POSTGRES.superuser {
        let right = if options.admin_is_superuser { "SUPERUSER" } else { "CREATEROLE" };
        let password = literal(server.admin_password.expose_secret());
        let sql = format!("CREATE ROLE {admin} LOGIN {right} PASSWORD {password}");
        server.run(&superuser, "creating the admin", &sql).await?;
    }
    if server.database != "postgres" {
        let sql = format!("CREATE DATABASE {database} OWNER {admin}");
        server.run(&superuser, "creating the database", &sql).await?;
    }
    match &options.init {
        // As the admin; `RESET SESSION AUTHORIZATION` in it makes it the superuser's.
        Some(init) => {
            let sql = format!("SET SESSION AUTHORIZATION {admin};\n{init}");
            let login = server.superuser(&server.database);
            server.run(&login, "running the init SQL", &sql).await
        }
        None => Ok(()),
    }
}

/// Its first database and the one that others are made from, too, are made anew: from one that nobody can change.
async fn reset(superuser: &Login) -> std::result::Result<(), NoAnswer> {
    let mut to_first = PgConnection::connect_with(&options(superuser)).await?;
    let others = "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database \
                  WHERE datname NOT IN ('postgres', 'template0', 'template1')";
    run_each(&mut to_first, others).await?;
    for statement in TEMPLATE_ANEW {
        to_first.execute(statement).await?;
    }
    to_first.close().await?;
    let of_template = Login { database: "template1".into(), ..superuser.clone() };
    let mut to_template = PgConnection::connect_with(&options(&of_template)).await?;
    for statement in FIRST_ANEW {
        to_template.execute(statement).await?;
    }
    let roles = "SELECT format('DROP ROLE %I', rolname) FROM pg_roles \
                 WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> session_user";
    run_each(&mut to_template, roles).await?;
    Ok(to_template.close().await?)
}

const TEMPLATE_ANEW: [&str; 4] = [
    "ALTER DATABASE template1 IS_TEMPLATE false",
    "DROP DATABASE template1 WITH (FORCE)",
    "CREATE DATABASE template1 TEMPLATE template0 IS_TEMPLATE true",
    "ALTER SYSTEM RESET ALL",
];
const FIRST_ANEW: [&str; 5] = [
    "DROP DATABASE postgres WITH (FORCE)",
    "CREATE DATABASE postgres TEMPLATE template0",
    "ALTER ROLE ALL RESET ALL",
    "ALTER ROLE postgres RESET ALL",
    "SELECT pg_reload_conf()",
];

/// Statements that a query writes.
async fn run_each(
    connection: &mut PgConnection,
    query: &'static str,
) -> std::result::Result<(), sqlx::Error> {
    for row in connection.fetch_all(sqlx::raw_sql(query)).await? {
        let statement: String = row.try_get(0)?;
        connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    }
    Ok(())
}

impl Dialect for PgConnection {
    fn options(login: &Login) -> PgConnectOptions {
        options(login)
    }

    const NUMBER: &'static str = "SELECT pg_backend_pid()::text";
    const LISTED: &'static str = "SELECT 1 FROM pg_stat_activity WHERE pid = ";

    fn number(row: &PgRow) -> std::result::Result<String, sqlx::Error> {
        row.try_get(0)
    }

    fn lack(error: &dyn DatabaseError) -> (String, Lack) {
        let code = error.code().unwrap_or_default().into_owned();
        let lack = match &*code {
            // A right that is missing, and a write where only reading is allowed.
            "42501" | "25006" => Lack::OfRight,
            // Class 28, invalid authorization.
            code if code.starts_with("28") => Lack::OfLogin,
            _ => Lack::OfSomething,
        };
        (code, lack)
    }
}

async fn ask_version(login: &Login) -> std::result::Result<String, NoAnswer> {
    let row = sql::ask::<PgConnection>(login, "SHOW server_version".into()).await?;
    Ok(row.map(|it| it.try_get(0)).transpose()?.unwrap_or_default())
}

fn look_up(user: &str) -> String {
    format!("SELECT 1 FROM pg_roles WHERE rolname = {}", literal(user))
}

async fn knows(login: &Login, user: &str) -> std::result::Result<bool, NoAnswer> {
    Ok(sql::first::<PgConnection>(login, &look_up(user)).await?.is_some())
}

/// What `VALID UNTIL` says.
async fn lasts(login: &Login, user: &str) -> std::result::Result<Option<f64>, NoAnswer> {
    let sql = format!(
        "SELECT extract(epoch FROM rolvaliduntil - clock_timestamp())::float8 \
         FROM pg_roles WHERE rolname = {} AND isfinite(rolvaliduntil)",
        literal(user)
    );
    let row = sql::ask::<PgConnection>(login, sql).await?;
    Ok(row.map(|it| it.try_get(0)).transpose()?)
}

/// As SQL writes a text, with standard_conforming_strings on.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// As SQL writes a name.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[track_caller]
    fn check(url: &str, wanted: Option<(&str, &str)>) {
        let details = json!({ "connection_url": url });
        let found = super::place(details.as_object().unwrap());
        assert_eq!(found.as_ref().map(|(a, b)| (a.as_str(), b.as_str())), wanted);
    }

    #[test]
    fn a_connection_url_names_host_and_database() {
        let url = "postgresql://{{username}}:{{password}}@127.0.0.1:5433/demo?sslmode=disable";
        check(url, Some(("127.0.0.1:5433", "demo")));
        check("host=db port=5433 user='{{username}}' dbname='demo'", Some(("db:5433", "demo")));
        check("nonsense", None);
    }
}
