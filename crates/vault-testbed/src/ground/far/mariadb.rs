//! MariaDB.

use std::path::Path;
use std::process::Command;

use sqlx::error::DatabaseError;
use sqlx::mysql::{
    MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow, MySqlSslMode,
};
use sqlx::{ConnectOptions, Row};

use super::initial::Initial;
use super::sql::{self, Dialect};
use super::*;

pub static MARIADB: FarSide = FarSide {
    word: "mariadb",
    title: "MariaDB",
    version: "10.11",
    database: "demo",
    keys: &["database", "init", "admin_user"],
    port: 3306,
    second_port: None,
    superuser: "root",
    new_password: None,
    programs: Programs {
        source: Source::Debian("mariadb-server"),
        names: &["mariadbd"],
        places: &[("/usr", "bin"), ("/usr", "libexec")],
        // MariaDB refuses to run as root.
        users: &["mysql", "nobody"],
        version_option: "--version",
        version_env: &[],
        before_version: " Ver ",
        found: OnceLock::new(),
    },
    image: "mariadb:{}",
    recipe: Recipe {
        packages: &["mariadb-server"],
        hook: "true",
        dockerfile: include_str!("../../../../../fixtures/servers/images/mariadb/Dockerfile"),
        entrypoint: Some(include_str!(
            "../../../../../fixtures/servers/images/mariadb/entrypoint.sh"
        )),
        version_command: "mariadbd --version | sed 's/.*Ver \\([0-9]*\\.[0-9]*\\).*/\\1/'",
    },
    plugin: Some(Plugin { name: "mysql", place }),
    engine: None,
    gives: &[],
    hello: "SELECT 1",
    catalogue: "mysql.user",
    launch: |run, new| launch(run, new).boxed(),
    first: None,
    container,
    prepare: |server, options| prepare(server, options).boxed(),
    reset: None,
    ask_version: |login| ask_version(login).boxed(),
    say: |login, sql| sql::say::<MySqlConnection>(login, sql).boxed(),
    look_up: |_, user| look_up(user),
    knows: |login, user| knows(login, user).boxed(),
    sessions: Some(Sessions {
        catalogue: "information_schema.processlist",
        open: |opening| sql::open::<MySqlConnection>(opening).boxed(),
        look_up: sql::look_up_session::<MySqlConnection>,
        lists: |login, session| sql::lists::<MySqlConnection>(login, session).boxed(),
    }),
    lasts: None,
};

impl Dialect for MySqlConnection {
    fn options(login: &Login) -> MySqlConnectOptions {
        let options = MySqlConnectOptions::new()
            .host(login.host())
            .port(login.port())
            .username(&login.user)
            .password(login.password.expose_secret())
            .ssl_mode(MySqlSslMode::Disabled)
            // SQL means what it means to everybody who logs in.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            // Statements hold passwords, and slow ones would be logged in full.
            .disable_statement_logging();
        match login.database.is_empty() {
            true => options,
            false => options.database(&login.database),
        }
    }

    const NUMBER: &'static str = "SELECT CAST(CONNECTION_ID() AS CHAR)";
    const LISTED: &'static str = "SELECT 1 FROM information_schema.processlist WHERE ID = ";

    fn number(row: &MySqlRow) -> std::result::Result<String, sqlx::Error> {
        row.try_get(0)
    }

    fn lack(error: &dyn DatabaseError) -> (String, Lack) {
        let number = error.downcast_ref::<MySqlDatabaseError>().number();
        let lack = match number {
            1045 => Lack::OfLogin,
            // On a database, a table, a column, a routine; of a privilege at all; where only reading is allowed.
            1044 | 1142 | 1143 | 1370 | 1227 | 1290 => Lack::OfRight,
            _ => Lack::OfSomething,
        };
        (number.to_string(), lack)
    }
}

/// Of `user:password@tcp(host:port)/database?options`.
fn place(details: &Map<String, Value>) -> Option<(String, String)> {
    let url = details.get("connection_url").and_then(Value::as_str)?;
    let (_, rest) = url.rsplit_once('@')?;
    let (address, rest) = rest.strip_prefix("tcp(")?.split_once(')')?;
    let database = rest.trim_start_matches('/').split('?').next().unwrap_or_default();
    Some((address.to_owned(), database.to_owned()))
}

async fn launch(run: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let New { installation, folder, port, passwords, .. } = &new;
    let initial = Initial { side: &MARIADB, edition: 1, command: install_db };
    initial.put(run, installation, &folder.join("data")).await?;
    // Read before anybody can connect, at every start: nobody is ever let in without a password.
    let first = folder.join("first.sql");
    installation.write(&first, &first_sql(&passwords.superuser))?;
    let in_folder = |name: &str| folder.join(name).display().to_string();
    let mut arguments = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={}", in_folder("data")),
        format!("--socket={}", in_folder("socket")),
        format!("--pid-file={}", in_folder("pid")),
        format!("--tmpdir={}", folder.display()),
        format!("--init-file={}", in_folder("first.sql")),
        format!("--port={port}"),
    ];
    arguments.extend(SETTINGS.map(String::from));
    Ok(new.launch("mariadbd", arguments))
}

/// For tests: nothing has to survive the machine.
const SETTINGS: [&str; 7] = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=4M",
    "--innodb-use-native-aio=0",
    "--performance-schema=off",
];

/// Without roots that need no password, at 127.0.0.1 and the like, which would come before root@'%'.
fn first_sql(password: &SecretString) -> String {
    let password = literal(password.expose_secret());
    format!(
        "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');\n\
         FLUSH PRIVILEGES;\n\
         ALTER USER 'root'@'localhost' IDENTIFIED BY {password};\n\
         CREATE USER 'root'@'%' IDENTIFIED BY {password};\n\
         GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;\n"
    )
}

fn install_db(installation: &Installation, folder: &Path) -> Command {
    const NAME: &str = "mariadb-install-db";
    let beside = installation.folder.join("../bin").join(NAME);
    let mut command = Command::new(if beside.exists() { beside } else { NAME.into() });
    command.arg("--no-defaults").arg(format!("--datadir={}", folder.display()));
    command.args([
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
        "--innodb-log-file-size=4M",
    ]);
    command
}

fn container(_: &ServerOptions, passwords: &Passwords) -> Contained {
    let environment = vec![("MARIADB_ROOT_PASSWORD".into(), passwords.superuser.clone())];
    Contained { environment, ..Contained::default() }
}

async fn prepare(server: &mut Server, options: &ServerOptions) -> Result<()> {
    let superuser = server.superuser("");
    let database = identifier(&server.database);
    let sql = format!("CREATE DATABASE {database}");
    server.run(&superuser, "creating the database", &sql).await?;
    if server.admin_user != MARIADB.superuser {
        let admin = format!("{}@'%'", literal(&server.admin_user));
        let password = literal(server.admin_password.expose_secret());
        let sql = format!(
            "CREATE USER {admin} IDENTIFIED BY {password}; \
             GRANT ALL PRIVILEGES ON *.* TO {admin} WITH GRANT OPTION"
        );
        server.run(&superuser, "creating the admin", &sql).await?;
    }
    match &options.init {
        Some(init) => server.run(&server.admin(), "running the init SQL", init).await,
        None => Ok(()),
    }
}

async fn ask_version(login: &Login) -> std::result::Result<String, NoAnswer> {
    let row = sql::ask::<MySqlConnection>(login, "SELECT VERSION()".into()).await?;
    Ok(row.map(|it| it.try_get(0)).transpose()?.unwrap_or_default())
}

fn look_up(user: &str) -> String {
    format!("SELECT 1 FROM mysql.user WHERE User = {}", literal(user))
}

async fn knows(login: &Login, user: &str) -> std::result::Result<bool, NoAnswer> {
    Ok(sql::first::<MySqlConnection>(login, &look_up(user)).await?.is_some())
}

/// As SQL writes a text, in which a backslash escapes.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// As SQL writes a name.
fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
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
        let url = "{{username}}:{{password}}@tcp(127.0.0.1:3307)";
        check(&format!("{url}/demo?tls=false"), Some(("127.0.0.1:3307", "demo")));
        check(&format!("{url}/"), Some(("127.0.0.1:3307", "")));
        check("nonsense", None);
    }
}
