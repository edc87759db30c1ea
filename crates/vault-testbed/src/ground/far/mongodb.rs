//! MongoDB's language, and SecantusDB, which is compatible with MongoDB: no package registry has the real one.
//!
//! A statement is a command as JSON, its name first. `$db` says its database.

use bson::{Bson, Document, doc};
use serde_json::{Deserializer, json};

use super::super::LOOPBACK;
use super::mongodb_wire::{Connection, Failure};
use super::session::{Fate, Line, Opened, Opening};
use super::*;

/// Stands in for `mongod`, where there is none.
pub static SECANTUSDB: FarSide = speaks_mongodb(
    "SecantusDB (compatible with MongoDB)",
    Programs {
        source: Source::Python { environment: "mongodb", package: "SecantusDB" },
        names: &[],
        places: &[],
        users: &[],
        version_option: "--version",
        version_env: &[],
        before_version: "",
        found: OnceLock::new(),
    },
    "",
    Recipe::OF_PYTHON,
    Start {
        launch: |run, new| launch(run, new).boxed(),
        first: None,
        container: |options, passwords| {
            let bind = ("0.0.0.0", SECANTUSDB.port);
            script::contained(SCRIPT, &settings(bind, script::DATA, options, passwords))
        },
        prepare: |server, options| prepare(server, options).boxed(),
    },
);

/// What servers that speak MongoDB's language differ in.
pub(super) struct Start {
    pub launch: for<'a> fn(&'a Arc<Run>, New<'a>) -> BoxFuture<'a, Result<Launch>>,
    pub first: Option<First>,
    pub container: fn(&ServerOptions, &Passwords) -> Contained,
    pub prepare: for<'a> fn(&'a mut Server, &'a ServerOptions) -> BoxFuture<'a, Result<()>>,
}

pub(super) const fn speaks_mongodb(
    title: &'static str,
    programs: Programs,
    image: &'static str,
    recipe: Recipe,
    start: Start,
) -> FarSide {
    FarSide {
        word: "mongodb",
        title,
        // Of MongoDB: what a compatible server says that it is like.
        version: "8.2",
        database: "demo",
        keys: &["database", "init", "admin_user"],
        port: 27017,
        second_port: None,
        superuser: SUPERUSER,
        new_password: None,
        programs,
        image,
        recipe,
        plugin: Some(Plugin { name: "mongodb-", place }),
        engine: None,
        gives: &[],
        hello: r#"{"ping": 1}"#,
        catalogue: "usersInfo",
        launch: start.launch,
        first: start.first,
        container: start.container,
        prepare: start.prepare,
        reset: None,
        ask_version: |login| ask_version(login).boxed(),
        say: |login, commands| say(login, commands).boxed(),
        look_up: |_, user| users(user).to_string(),
        knows: |login, user| knows(login, user).boxed(),
        sessions: Some(Sessions {
            catalogue: "currentOp",
            open: |opening| open(opening).boxed(),
            look_up: |_| sessions().to_string(),
            lists: |login, session| lists(login, session).boxed(),
        }),
        lasts: None,
    }
}

const SUPERUSER: &str = "testbed";

const SCRIPT: &str = include_str!("../../../../../fixtures/servers/mongodb/server.py");

/// Of `mongodb://user:password@host:port/database?options`.
fn place(details: &Map<String, Value>) -> Option<(String, String)> {
    let url = details.get("connection_url").and_then(Value::as_str)?;
    let (_, rest) = url.split_once("://")?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, it)| it);
    let (address, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let database = rest.split('?').next().unwrap_or_default();
    Some((address.to_owned(), database.to_owned()))
}

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let (bind, folder) = ((LOOPBACK, new.port), new.folder.display().to_string());
    script::launch(&new, SCRIPT, &settings(bind, &folder, new.options, new.passwords))
}

fn settings(
    (host, port): (&str, u16),
    folder: &str,
    options: &ServerOptions,
    passwords: &Passwords,
) -> Value {
    json!({
        "host": host,
        "port": port,
        "folder": folder,
        "users": {
            SUPERUSER: passwords.superuser.expose_secret(),
            &options.admin_user: passwords.admin.expose_secret(),
        },
    })
}

pub(super) async fn prepare(server: &mut Server, options: &ServerOptions) -> Result<()> {
    match &options.init {
        Some(init) => server.run(&server.admin(), "running the init commands", init).await,
        None => Ok(()),
    }
}

async fn ask_version(login: &Login) -> std::result::Result<String, NoAnswer> {
    let info = connect(login).await?.say(doc! { "buildInfo": 1, "$db": ADMIN }).await?;
    Ok(info.get_str("version").unwrap_or_default().to_owned())
}

async fn say(login: &Login, commands: &str) -> std::result::Result<Said, NoAnswer> {
    let commands = Deserializer::from_str(commands).into_iter::<Document>();
    let commands: std::result::Result<Vec<Document>, _> = commands.collect();
    let commands = commands.map_err(|error| NoAnswer(format!("a command is no JSON: {error}")))?;
    let mut connection = match connect(login).await {
        Ok(connection) => connection,
        Err(failure) => return refused(failure, true),
    };
    for mut command in commands {
        if !command.contains_key("$db") {
            command.insert("$db", database(login));
        }
        if let Err(failure) = connection.say(command).await {
            return refused(failure, false);
        }
    }
    Ok(Said::Done)
}

async fn knows(login: &Login, user: &str) -> std::result::Result<bool, NoAnswer> {
    let answer = connect(login).await?.say(users(user)).await?;
    Ok(answer.get_array("users").is_ok_and(|users| !users.is_empty()))
}

fn users(user: &str) -> Document {
    doc! { "usersInfo": { "user": user, "db": ADMIN }, "$db": ADMIN }
}

fn sessions() -> Document {
    doc! { "currentOp": 1, "$all": true, "$db": ADMIN }
}

async fn open(Opening { login, .. }: Opening<'_>) -> std::result::Result<Option<Opened>, NoAnswer> {
    let mut connection = connect(login).await?;
    let hello = connection.say(doc! { "hello": 1, "$db": ADMIN }).await?;
    let id = hello.get("connectionId").and_then(number).unwrap_or_default().to_string();
    let line = Box::new(Open { connection, user: login.user.clone() });
    Ok(Some(Opened { id, line }))
}

struct Open {
    connection: Connection,
    user: String,
}

impl Line for Open {
    /// A connection stays where its user is gone: it is somebody's as long as it knows who.
    fn ask(&mut self) -> Answer<'_, Fate> {
        let asked = async {
            let status = doc! { "connectionStatus": 1, "$db": ADMIN };
            let status = match self.connection.say(status).await {
                Ok(status) => status,
                Err(failure) => return Ok(Fate::Over(failure.to_string())),
            };
            let users =
                status.get_document("authInfo").and_then(|it| it.get_array("authenticatedUsers"));
            let is_it = |it: &Bson| {
                it.as_document().and_then(|it| it.get_str("user").ok()) == Some(self.user.as_str())
            };
            Ok(match users.is_ok_and(|it| it.iter().any(is_it)) {
                true => Fate::GoesOn,
                false => Fate::Over("it is nobody's any more".to_owned()),
            })
        };
        asked.boxed()
    }
}

async fn lists(login: &Login, session: &str) -> std::result::Result<bool, NoAnswer> {
    let answer = connect(login).await?.say(sessions()).await?;
    let is_it = |it: &Bson| {
        let id = it.as_document().and_then(|it| number(it.get("connectionId")?));
        id.is_some_and(|it| it.to_string() == session)
    };
    Ok(answer.get_array("inprog").is_ok_and(|it| it.iter().any(is_it)))
}

fn number(value: &Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

/// Where all of them are made.
pub(super) const ADMIN: &str = "admin";

fn database(login: &Login) -> &str {
    if login.database.is_empty() { ADMIN } else { &login.database }
}

async fn connect(login: &Login) -> std::result::Result<Connection, Failure> {
    let mut connection = Connection::open(&login.address).await?;
    connection.log_in(ADMIN, &login.user, login.password.expose_secret()).await?;
    Ok(connection)
}

fn refused(failure: Failure, at_login: bool) -> std::result::Result<Said, NoAnswer> {
    let Failure::Refused { code, name, message } = failure else { return Err(failure.into()) };
    let lack = match code {
        18 => Lack::OfLogin,
        13 => Lack::OfRight,
        _ => Lack::OfSomething,
    };
    Ok(Said::Refused(Refusal { code: format!("{code} {name}"), message, at_login, lack }))
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string())
    }
}
