//! Redis, and whatever else speaks as it does. A statement is a command, or several, one a line.

use ::redis::aio::MultiplexedConnection;
use ::redis::{Client, Cmd, RedisError, RedisResult, Value as Answered, cmd};

use super::session::{Fate, Line, Opened, Opening};
use super::*;

pub static REDIS: FarSide = FarSide {
    word: "redis",
    title: "Redis",
    version: "7.0",
    database: "0",
    keys: &["init", "admin_user"],
    port: 6379,
    second_port: None,
    superuser: "testbed",
    new_password: None,
    programs: Programs {
        source: Source::Debian("redis-server"),
        names: &["redis-server"],
        places: &[("/usr", "bin")],
        users: &["redis", "nobody"],
        version_option: "--version",
        version_env: &[],
        before_version: " v=",
        found: OnceLock::new(),
    },
    image: "redis:{}",
    recipe: Recipe {
        packages: &["redis-server"],
        hook: "true",
        dockerfile: include_str!("../../../../../fixtures/servers/images/redis/Dockerfile"),
        entrypoint: None,
        version_command: "redis-server --version | sed 's/.* v=\\([0-9]*\\.[0-9]*\\).*/\\1/'",
    },
    plugin: Some(Plugin { name: "redis-database-plugin", place }),
    engine: None,
    gives: &[],
    hello: "AUTH",
    catalogue: "ACL USERS",
    launch: |run, new| launch(run, new).boxed(),
    first: None,
    container,
    prepare: |server, options| prepare(server, options).boxed(),
    reset: None,
    ask_version: |login| ask_version(login).boxed(),
    say: |login, commands| say(login, commands).boxed(),
    look_up: |_, _| REDIS.catalogue.into(),
    knows: |login, user| knows(login, user).boxed(),
    sessions: Some(Sessions {
        catalogue: "CLIENT LIST",
        open: |opening| open(opening).boxed(),
        look_up: |_| CLIENTS.into(),
        lists: |login, user| lists(login, user).boxed(),
    }),
    lasts: None,
};

fn place(details: &Map<String, Value>) -> Option<(String, String)> {
    let host = details.get("host").and_then(Value::as_str)?;
    let port = match details.get("port")? {
        Value::String(text) => text.clone(),
        number => number.to_string(),
    };
    Some((format!("{host}:{port}"), String::new()))
}

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let New { options, installation, folder, port, passwords, .. } = &new;
    let file = folder.join("redis.conf");
    let place = format!("bind 127.0.0.1\nport {port}\ndir \"{}\"\n", folder.display());
    installation.write(&file, &(place + &settings(options, passwords)))?;
    Ok(new.launch("redis-server", vec![file.display().to_string()]))
}

/// Nobody is let in without a password, and both logins are there after every start.
fn settings(options: &ServerOptions, passwords: &Passwords) -> String {
    let all = |user: &str, password: &SecretString| {
        format!("user {user} on >{} ~* &* +@all\n", password.expose_secret())
    };
    let mut text = "protected-mode no\nsave 3600 1\nuser default off\n".to_owned();
    text += &all(REDIS.superuser, &passwords.superuser);
    if options.admin_user != REDIS.superuser {
        text += &all(&options.admin_user, &passwords.admin);
    }
    text
}

fn container(options: &ServerOptions, passwords: &Passwords) -> Contained {
    const FILE: &str = "/etc/vaultwright-redis.conf";
    Contained {
        command: ["redis-server", FILE].map(String::from).to_vec(),
        files: vec![(FILE.to_owned(), settings(options, passwords).into_bytes())],
        ..Contained::default()
    }
}

async fn prepare(server: &mut Server, options: &ServerOptions) -> Result<()> {
    match &options.init {
        Some(init) => server.run(&server.admin(), "running the init commands", init).await,
        None => Ok(()),
    }
}

async fn connect(login: &Login) -> std::result::Result<MultiplexedConnection, NoAnswer> {
    let client = Client::open(format!("redis://{}/", login.address)).map_err(silent)?;
    client.get_multiplexed_async_connection().await.map_err(silent)
}

async fn logged_in(
    login: &Login,
) -> std::result::Result<RedisResult<MultiplexedConnection>, NoAnswer> {
    let mut connection = connect(login).await?;
    let mut auth = cmd("AUTH");
    auth.arg(&login.user).arg(login.password.expose_secret());
    let answer = auth.query_async::<Answered>(&mut connection).await;
    Ok(answer.map(|_| connection))
}

async fn ask_version(login: &Login) -> std::result::Result<String, NoAnswer> {
    let mut connection = logged_in(login).await?.map_err(silent)?;
    let info: String =
        cmd("INFO").arg("server").query_async(&mut connection).await.map_err(silent)?;
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.unwrap_or_default().trim().to_owned())
}

async fn say(login: &Login, commands: &str) -> std::result::Result<Said, NoAnswer> {
    let mut connection = match logged_in(login).await? {
        Ok(connection) => connection,
        Err(error) => return refused(&error, true),
    };
    for command in commands.lines().filter_map(command) {
        if let Err(error) = command.query_async::<Answered>(&mut connection).await {
            return refused(&error, false);
        }
    }
    Ok(Said::Done)
}

/// Words, of which none holds a space. `AUTH` alone was said already.
fn command(line: &str) -> Option<Cmd> {
    let mut words = line.split_whitespace();
    let mut command = cmd(words.next()?);
    words.for_each(|word| _ = command.arg(word));
    (line.trim() != REDIS.hello).then_some(command)
}

fn refused(error: &RedisError, at_login: bool) -> std::result::Result<Said, NoAnswer> {
    let Some(code) = error.code() else { return Err(NoAnswer(error.to_string())) };
    let lack = match code {
        "WRONGPASS" | "NOAUTH" => Lack::OfLogin,
        "NOPERM" => Lack::OfRight,
        _ => Lack::OfSomething,
    };
    let message = error.detail().unwrap_or_default().to_owned();
    Ok(Said::Refused(Refusal { code: code.to_owned(), message, at_login, lack }))
}

async fn knows(login: &Login, user: &str) -> std::result::Result<bool, NoAnswer> {
    let mut connection = logged_in(login).await?.map_err(silent)?;
    let users: Vec<String> =
        cmd("ACL").arg("USERS").query_async(&mut connection).await.map_err(silent)?;
    Ok(users.iter().any(|it| it == user))
}

const CLIENTS: &str = "CLIENT LIST";

/// Known by its user: not every user may ask for its number.
async fn open(Opening { login, .. }: Opening<'_>) -> std::result::Result<Option<Opened>, NoAnswer> {
    let connection = logged_in(login).await?.map_err(silent)?;
    Ok(Some(Opened { id: login.user.clone(), line: Box::new(Open(connection)) }))
}

struct Open(MultiplexedConnection);

impl Line for Open {
    /// A refusal is an answer: not every user may say this either.
    fn ask(&mut self) -> Answer<'_, Fate> {
        let asked = async {
            Ok(match cmd("PING").query_async::<Answered>(&mut self.0).await {
                Err(error) if error.code() != Some("NOPERM") => Fate::Over(error.to_string()),
                _ => Fate::GoesOn,
            })
        };
        asked.boxed()
    }
}

async fn lists(login: &Login, user: &str) -> std::result::Result<bool, NoAnswer> {
    let mut connection = logged_in(login).await?.map_err(silent)?;
    let clients: String =
        cmd("CLIENT").arg("LIST").query_async(&mut connection).await.map_err(silent)?;
    let is_its = |line: &str| line.split(' ').any(|it| it.strip_prefix("user=") == Some(user));
    Ok(clients.lines().any(is_its))
}

fn silent(error: RedisError) -> NoAnswer {
    NoAnswer(error.to_string())
}
