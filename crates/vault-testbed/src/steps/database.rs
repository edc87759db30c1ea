//! PostgreSQL: what a credential can do there, and that it is gone when it should be.

use std::time::{Duration, Instant};

use cucumber::{gherkin::Step, given, then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, Row as _};
use vault_client::Answer;
use vault_model::request::Request;

use super::{SOON, until, vault::said};
use crate::{
    ground::{
        POSTGRES, Server, ServerOptions,
        far::{Login, NoAnswer, Said, postgres_login},
    },
    statements::Heard,
    world::{Change, Credential, Failure, Result, World, ensure, failure},
};

const INVENTORY: &str = "CREATE TABLE inventory (item text, in_stock int);
INSERT INTO inventory VALUES ('nut', 7), ('bolt', 8);
GRANT USAGE ON SCHEMA public TO PUBLIC;";

/// What PostgreSQL says to a login that it doesn't know, or whose password is another.
const WRONG_PASSWORD: &str = "28P01";
const NOT_ALLOWED: &str = "42501";

/// With a table `inventory`. The spec reaches it by the variables `NAME_url` and `NAME_password`, as the login `vault`.
#[given(expr = "the PostgreSQL server {word}")]
async fn a_postgres(world: &mut World, name: String) -> Result {
    let options = ServerOptions { init: Some(INVENTORY.into()), ..ServerOptions::of(&POSTGRES) };
    world.start_server(&name, &options).await
}

#[given(expr = "the login {word} in {word}")]
async fn a_login(world: &mut World, login: String, database: String) -> Result {
    let password = format!("first-{}", ulid::Ulid::generate());
    world.add_secret(&format!("the first password of {login}"), &password);
    let sql = format!(
        "CREATE ROLE \"{login}\" LOGIN PASSWORD '{password}'; GRANT SELECT ON inventory TO \"{login}\""
    );
    world.database(&database)?.execute(&sql).await?;
    let credential = Credential {
        username: login.clone(),
        password: password.into(),
        lease_id: String::new(),
        lease_seconds: 0,
        renewable: false,
        issued_at: Instant::now(),
        path: String::new(),
    };
    world.credentials.insert(format!("first-{login}"), credential);
    Ok(())
}

#[when(expr = "in {word} the superuser runs")]
async fn superuser_runs(world: &mut World, database: String, step: &Step) -> Result {
    let sql = step.docstring().map_or("", |it| it.as_str());
    Ok(world.database(&database)?.execute(sql).await?)
}

#[given(expr = "{word} is unreachable")]
#[when(expr = "{word} becomes unreachable")]
async fn unreachable(world: &mut World, database: String) -> Result {
    match world.databases.get_mut(&database) {
        Some(database) => Ok(database.stop().await?),
        None => failure(format!("there is no database `{database}`")),
    }
}

#[when(expr = "{word} is reachable again")]
async fn reachable(world: &mut World, database: String) -> Result {
    match world.databases.get_mut(&database) {
        Some(database) => Ok(database.start_again().await?),
        None => failure(format!("there is no database `{database}`")),
    }
}

const LOCK: &str = "BEGIN; LOCK TABLE pg_catalog.pg_authid IN SHARE MODE";

/// A rotation waits as long as this lasts.
#[given(expr = "in {word} no login can be changed")]
async fn lock(world: &mut World, database: String) -> Result {
    let login = world.database(&database)?.superuser("demo");
    let mut connection = PgConnection::connect_with(&postgres_login(&login)).await?;
    let locks = async { connection.execute(LOCK).await.map(drop) };
    login.noting(LOCK, locks).await?;
    world.locks.push(connection);
    Ok(())
}

const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted";

/// Once nobody waits for it any more: a change whose client is gone is called off, and would else be made at the very moment
/// at which Vault no longer notes it.
#[when(expr = "in {word} logins can be changed again")]
async fn unlock(world: &mut World, _database: String) -> Result {
    for mut connection in std::mem::take(&mut world.locks) {
        let began = Instant::now();
        loop {
            let waiting: i64 = connection.fetch_one(WAITING).await?.try_get(0)?;
            if waiting == 0 {
                break;
            }
            ensure(began.elapsed() < SOON, || format!("{waiting} changes still wait"))?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        connection.close().await?;
    }
    Ok(())
}

#[given(expr = "the credential {word} is issued from {string}")]
#[when(expr = "the credential {word} is issued from {string}")]
async fn issued(world: &mut World, name: String, path: String) -> Result {
    issue(world, "root", &name, &path).await
}

#[given(expr = "the token {word} issues the credential {word} from {string}")]
#[when(expr = "the token {word} issues the credential {word} from {string}")]
async fn issued_by(world: &mut World, who: String, name: String, path: String) -> Result {
    issue(world, &who, &name, &path).await
}

#[given(expr = "the credential {word} works")]
#[then(expr = "the credential {word} works")]
async fn works(world: &mut World, name: String) -> Result {
    done(say_hello(&login(world, &name)?).await)?;
    let username = &world.credential(&name)?.username;
    world.turn(username, Change::Used, None, format!("{username} logs in"));
    Ok(())
}

#[then(expr = "the credential {word} may {string}")]
async fn may(world: &mut World, name: String, sql: String) -> Result {
    let said = login(world, &name)?.say(&sql).await;
    let username = &world.credential(&name)?.username;
    world.evidence(format!("`{sql}` as {username}: {}", said.answer()));
    done(said)
}

#[then(expr = "the credential {word} may not {string}")]
async fn may_not(world: &mut World, name: String, sql: String) -> Result {
    let said = login(world, &name)?.say(&sql).await;
    let username = &world.credential(&name)?.username;
    world.evidence(format!("`{sql}` as {username}: {}", said.answer()));
    refused(said, NOT_ALLOWED)
}

#[then(expr = "the credential {word} is refused with SQLSTATE {word}")]
async fn is_refused(world: &mut World, name: String, state: String) -> Result {
    let login = login(world, &name)?;
    until(SOON, || async { refused(say_hello(&login).await, &state) }).await?;
    let username = &world.credential(&name)?.username;
    world.turn(username, Change::Refused, None, format!("a login as {username} is refused"));
    Ok(())
}

/// The login is refused, and the catalogue knows it no longer.
#[then(expr = "the credential {word} is gone")]
async fn is_gone(world: &mut World, name: String) -> Result {
    gone(world, &name, SOON).await
}

#[then(expr = "the credential {word} is gone within {int} seconds")]
async fn is_gone_within(world: &mut World, name: String, seconds: u64) -> Result {
    gone(world, &name, Duration::from_secs(seconds)).await
}

#[then(expr = "{string} gives another password than {word}, called {word}")]
async fn another_password(world: &mut World, path: String, old: String, new: String) -> Result {
    let before = world.credential(&old)?.password.clone();
    let vault = world.vault()?.clone();
    until(SOON, || async {
        let data = vault.read(&path).await?.unwrap_or_default();
        let password = data.get("password").and_then(Value::as_str).unwrap_or_default();
        let is_other = !password.is_empty() && password != before.expose_secret();
        ensure(is_other, || "the password is the same".into())
    })
    .await?;
    issue(world, "root", &new, &path).await
}

/// The one that the spec was given.
#[then(expr = "the first password of the login vault in {word} is refused")]
async fn first_password_is_refused(world: &mut World, database: String) -> Result {
    let server = world.database(&database)?;
    refused(say_hello(&server.admin()).await, WRONG_PASSWORD)
}

#[given(expr = "the first password of the login vault in {word} works")]
#[then(expr = "the first password of the login vault in {word} works")]
async fn first_password_works(world: &mut World, database: String) -> Result {
    let server = world.database(&database)?;
    done(say_hello(&server.admin()).await)
}

/// As the token `who`; the answer is kept as any other.
pub async fn issue(world: &mut World, who: &str, name: &str, path: &str) -> Result {
    let issued_at = Instant::now();
    let answer = world.token(who)?.clone().send_once(&Request::get(world.filled(path))).await;
    let seen = format!("{who}: GET {path}: {}", said(&answer));
    match &answer {
        Err(_) => world.evidence(seen),
        Ok(answer) => {
            let credential = credential(answer, path, issued_at)?;
            let lasts = (credential.lease_seconds > 0).then_some(credential.lease_seconds);
            world.turn(&credential.username, Change::Issued, lasts, seen);
            let password = credential.password.expose_secret();
            world.add_secret(&format!("the password of {name}"), password);
            world.credentials.insert(name.to_owned(), credential);
        }
    }
    let outcome = answer.as_ref().map(drop).map_err(|err| Failure(err.to_string()));
    world.answer = Some(answer);
    outcome
}

fn credential(answer: &Answer, path: &str, issued_at: Instant) -> Result<Credential> {
    let data = answer.data.clone().unwrap_or_default();
    let text = |key: &str| {
        let value = data.get(key).and_then(Value::as_str).map(str::to_owned);
        value.ok_or_else(|| Failure(format!("{path} gives no {key}")))
    };
    let lease = answer.lease.clone();
    Ok(Credential {
        username: text("username")?,
        password: SecretString::from(text("password")?),
        lease_id: lease.as_ref().map(|it| it.id.clone()).unwrap_or_default(),
        lease_seconds: lease.as_ref().map_or(0, |it| it.duration_seconds),
        renewable: lease.is_some_and(|it| it.renewable),
        issued_at,
        path: path.to_owned(),
    })
}

/// The scenario's one PostgreSQL.
fn postgres(world: &World) -> Result<&Server> {
    let mut servers = world.databases.values().filter(|it| it.side.word == POSTGRES.word);
    let why = "this scenario has no PostgreSQL: say `Given the PostgreSQL server …`";
    servers.next().ok_or_else(|| Failure(why.into()))
}

fn login(world: &World, name: &str) -> Result<Login> {
    let credential = world.credential(name)?;
    Ok(postgres(world)?.login(&credential.username, &credential.password))
}

async fn gone(world: &World, name: &str, deadline: Duration) -> Result {
    let login = login(world, name)?;
    let username = world.credential(name)?.username.clone();
    let database = postgres(world)?;
    let superuser = database.superuser(&database.database);
    until(deadline, || async {
        refused(say_hello(&login).await, WRONG_PASSWORD)?;
        let is_known = superuser.knows(&username).await?;
        ensure(!is_known, || format!("pg_roles still has {username}"))
    })
    .await?;
    world.turn(
        &username,
        Change::Refused,
        None,
        format!("{username} is refused and in no catalogue"),
    );
    Ok(())
}

async fn say_hello(login: &Login) -> Result<Said, NoAnswer> {
    login.say(login.side.hello).await
}

fn done(said: Result<Said, NoAnswer>) -> Result {
    match said? {
        Said::Done => Ok(()),
        Said::Refused(refusal) => failure(refusal.to_string()),
    }
}

fn refused(said: Result<Said, NoAnswer>, state: &str) -> Result {
    match said? {
        Said::Done => failure("it is not refused"),
        Said::Refused(refusal) if refusal.code == state => Ok(()),
        Said::Refused(refusal) => failure(format!("it is {refusal}")),
    }
}

/// What a lease says of itself: `json!` of the answer of `sys/leases/lookup`.
pub async fn lookup(world: &World, lease_id: &str) -> Result<Option<Value>> {
    let body = json!({ "lease_id": lease_id });
    let body = body.as_object().cloned().unwrap_or_default();
    match world.vault()?.send_once(&Request::post("sys/leases/lookup", body)).await {
        Ok(answer) => Ok(answer.data.map(Value::Object)),
        Err(err) if err.status == Some(400) => Ok(None),
        Err(err) => Err(err.into()),
    }
}
