//! A login to a database that Vault issued or keeps: used, renewed, rotated, revoked, expired.

use std::time::{Duration, Instant};

use cucumber::{gherkin::Step, then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vault_client::Lease;
use vault_model::{Body, request::Request};

use super::{
    library,
    place::{Place, parts},
};
use crate::{
    ground::far::{Login, Refusal, Said},
    steps::{SOON, until, vault::there},
    world::{Change, Failure, Result, World, ensure, failure},
};

/// What the scenario calls "the login".
#[derive(Clone)]
pub struct DatabaseLogin {
    /// Where it was read.
    pub path: String,
    pub username: String,
    /// Its name for its server: in a directory, where it stands there.
    user: String,
    password: SecretString,
    session_token: Option<SecretString>,
    /// None for a static role.
    lease: Option<Lease>,
    issued_at: Instant,
    /// When its lease was last set anew, and for how many seconds.
    renewed: (Instant, u64),
    pub(super) place: Place,
}

/// How engines call a login, and what it needs, where they don't say `username`.
const NAMES: &[(&str, &str)] =
    &[("access_key", "secret_key"), ("service_account_name", "password")];

/// A lease may end this much earlier or later than its whole seconds say.
const SLACK: Duration = Duration::from_secs(1);

impl DatabaseLogin {
    pub(super) fn login(&self) -> Login {
        let login = self.place.login.with(&self.user, &self.password);
        Login { session_token: self.session_token.clone(), ..login }
    }

    fn superuser(&self) -> Result<&Login> {
        let nobody = "the database is none of the ground's, so nobody can look into it";
        self.place.superuser.as_ref().ok_or_else(|| Failure(nobody.into()))
    }

    fn lease(&self) -> Result<&Lease> {
        self.lease.as_ref().ok_or_else(|| Failure(format!("{} gives no lease", self.path)))
    }

    fn ends_at(&self) -> Instant {
        self.renewed.0 + Duration::from_secs(self.renewed.1)
    }
}

#[when(expr = "a login is issued from {string}")]
pub(super) async fn issued(world: &mut World, path: String) -> Result {
    let place = Place::of_issuer(world, &path).await?;
    let asked_at = Instant::now();
    let request = match library::set_of(&path) {
        Some(_) => Request::post(&path, Body::new()),
        None => Request::get(&path),
    };
    let answer = world.vault()?.send_once(&request).await?;
    let data = answer.data.unwrap_or_default();
    let text = |key: &str| match data.get(key).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Failure(format!("{path} gives no {key}"))),
    };
    let is_said = |it: &&(&str, &str)| data.contains_key(it.0);
    let (name, secret) = NAMES.iter().find(is_said).unwrap_or(&("username", "password"));
    let (username, password) = (text(name)?, text(secret)?);
    let session_token = text("session_token").ok().map(SecretString::from);
    world.add_secret(&format!("the {secret} of {username}"), &password);
    if let Some(token) = &session_token {
        world.add_secret(&format!("the session token of {username}"), token.expose_secret());
    }
    let names = data.get("dn").or_else(|| data.get("distinguished_names")?.get(0));
    let user = names.and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned);
    let user = match (user, library::set_of(&path)) {
        (Some(user), _) => user,
        (None, Some(_)) => library::account(world, &place, &path, &username).await?,
        (None, None) => username.clone(),
    };
    let seconds = answer.lease.as_ref().map_or(0, |it| it.duration_seconds);
    let seen = match &answer.lease {
        Some(lease) => format!("{username}, lease {} of {seconds} s", lease.id),
        None => format!("{username}, without a lease"),
    };
    world.turn(&username, Change::Issued, answer.lease.as_ref().map(|_| seconds), seen);
    world.proven.login = Some(DatabaseLogin {
        path,
        username,
        user,
        password: password.into(),
        session_token,
        lease: answer.lease,
        issued_at: asked_at,
        renewed: (asked_at, seconds),
        place,
    });
    Ok(())
}

#[then(expr = "the login's lease lasts {int} s")]
async fn lasts(world: &mut World, seconds: u64) -> Result {
    let lease = world.proven.login()?.lease()?;
    let lasts = lease.duration_seconds;
    ensure(lasts == seconds, || format!("the lease lasts {lasts} s, not {seconds} s"))
}

#[then(expr = "the login's lease can be renewed")]
async fn renewable(world: &mut World) -> Result {
    let lease = world.proven.login()?.lease()?;
    ensure(lease.renewable, || "Vault says that the lease cannot be renewed".into())
}

#[then(expr = "the login's lease cannot be renewed")]
async fn not_renewable(world: &mut World) -> Result {
    let lease = world.proven.login()?.lease()?;
    ensure(!lease.renewable, || "Vault says that the lease can be renewed".into())
}

/// Else it would be no proof that they work.
#[then(expr = "the keys work with no other secret")]
async fn only_with_their_secret(world: &mut World) -> Result {
    let login = world.proven.login()?;
    let other = Login { password: "another".into(), ..login.login() };
    let seen = until_refused(&other, Duration::ZERO).await?;
    world.evidence(seen.to_string());
    Ok(())
}

#[then(expr = "the login is of the user {string}")]
async fn is_of_the_user(world: &mut World, wanted: String) -> Result {
    let username = &world.proven.login()?.username;
    ensure(*username == wanted, || format!("it is of the user {username}"))
}

#[then(expr = "the login works in its database")]
#[then(expr = "the keys work")]
pub(super) async fn works(world: &mut World) -> Result {
    let login = world.proven.login()?;
    let hello = login.place.login.side.hello;
    match login.login().say(hello).await? {
        Said::Done => {
            let seen = format!("{} logged in and asked `{hello}`", login.username);
            world.turn(&login.username, Change::Used, None, seen);
            Ok(())
        }
        Said::Refused(refusal) => failure(format!("{}: {refusal}", login.username)),
    }
}

#[then(expr = "the login can")]
async fn can(world: &mut World, step: &Step) -> Result {
    let (login, sql) = (world.proven.login()?, statement(step)?);
    match login.login().say(&sql).await? {
        Said::Done => {
            world.evidence(format!("`{sql}` works as {}", login.username));
            Ok(())
        }
        Said::Refused(refusal) => failure(format!("`{sql}` as {}: {refusal}", login.username)),
    }
}

/// Refused for lack of a right: a statement that fails for another reason proves nothing.
#[then(expr = "the login cannot")]
async fn cannot(world: &mut World, step: &Step) -> Result {
    let (login, sql) = (world.proven.login()?, statement(step)?);
    match login.login().say(&sql).await? {
        Said::Done => failure(format!("`{sql}` works as {}", login.username)),
        Said::Refused(refusal) if refusal.is_for_lack_of_a_right() => {
            world.evidence(format!("`{sql}` as {}: {refusal}", login.username));
            Ok(())
        }
        Said::Refused(refusal) => failure(format!(
            "`{sql}` as {} fails, but not for lack of a right: {refusal}",
            login.username
        )),
    }
}

fn statement(step: &Step) -> Result<String> {
    let text = step.docstring().ok_or_else(|| Failure("the step has no statement".into()))?;
    Ok(text.trim().to_owned())
}

#[when(expr = "the login's lease is renewed")]
async fn renewed(world: &mut World) -> Result {
    renew(world, None).await
}

#[when(expr = "the login's lease is renewed by {int} s")]
async fn renewed_by(world: &mut World, seconds: u64) -> Result {
    renew(world, Some(seconds)).await
}

async fn renew(world: &mut World, increment: Option<u64>) -> Result {
    let login = world.proven.login()?;
    let mut body = Body::new();
    body.insert("lease_id".into(), login.lease()?.id.clone().into());
    if let Some(seconds) = increment {
        body.insert("increment".into(), seconds.into());
    }
    let asked_at = Instant::now();
    let answer = world.vault()?.send_once(&Request::post("sys/leases/renew", body)).await?;
    let lease = answer.lease.ok_or_else(|| Failure("the renewal answers no lease".into()))?;
    let age = login.issued_at.elapsed().as_secs_f64();
    let seen = format!("renewed {age:.1} s after its issue: {} s more", lease.duration_seconds);
    world.turn(&login.username, Change::Renewed, Some(lease.duration_seconds), seen);
    if let Some(login) = &mut world.proven.login {
        login.renewed = (asked_at, lease.duration_seconds);
        login.lease = Some(lease);
    }
    Ok(())
}

#[then(expr = "the login's lease ends at most {int} s after its issue")]
async fn ends_at_most(world: &mut World, seconds: u64) -> Result {
    let login = world.proven.login()?;
    let lives = login.ends_at() - login.issued_at;
    ensure(lives <= Duration::from_secs(seconds) + SLACK, || {
        format!("it ends {:.1} s after its issue", lives.as_secs_f64())
    })
}

/// What the database's catalogue says of its end, where it says one.
#[then(expr = "the database keeps the login as long as its lease")]
async fn kept_as_long(world: &mut World) -> Result {
    let login = world.proven.login()?;
    let left = login.ends_at().saturating_duration_since(Instant::now()).as_secs_f64();
    let Some(valid) = login.superuser()?.lasts(&login.username).await? else {
        world.evidence("the database sets it no end of its own");
        return Ok(());
    };
    world.evidence(format!("lease {left:.0} s, VALID UNTIL in {valid:.0} s"));
    ensure(valid + SLACK.as_secs_f64() >= left, || {
        format!(
            "the lease of {} ends in {left:.0} s, but {} refuses it after {valid:.0} s \
             (VALID UNTIL was not renewed: see renew_statements)",
            login.username, login.place.login.side.title
        )
    })
}

/// Renews at half of each life, and the login works after each renewal.
#[when(expr = "the login's lease is renewed until its maximum of {int} s")]
async fn renewed_until(world: &mut World, most: u64) -> Result {
    let most = Duration::from_secs(most);
    loop {
        let login = world.proven.login()?;
        if login.ends_at() + SLACK >= login.issued_at + most {
            return Ok(());
        }
        let left = login.ends_at().saturating_duration_since(Instant::now());
        tokio::time::sleep(left / 4).await;
        renew(world, None).await?;
        works(world).await?;
    }
}

#[when(expr = "the login's lease is revoked")]
async fn revoked(world: &mut World) -> Result {
    let id = world.proven.login()?.lease()?.id.clone();
    let body =
        Body::from_iter([("lease_id".to_owned(), json!(id)), ("sync".to_owned(), json!(true))]);
    world.vault()?.send(&Request::post("sys/leases/revoke", body)).await?;
    let login = world.proven.login()?;
    world.turn(&login.username, Change::Revoked, None, "sys/leases/revoke, and waited for");
    Ok(())
}

#[then(expr = "the login is refused by its database")]
#[then(expr = "the keys are refused")]
async fn is_refused(world: &mut World) -> Result {
    let login = world.proven.login()?;
    let seen = until_refused(&login.login(), SOON).await?;
    let text = format!("{}: {seen}", login.username);
    world.turn(&login.username, Change::Refused, None, text);
    Ok(())
}

/// Neither later nor earlier.
#[then(expr = "the login is refused once its lease is over")]
async fn is_refused_in_time(world: &mut World) -> Result {
    let login = world.proven.login()?;
    let (who, ends_at) = (login.login(), login.ends_at());
    let left = ends_at.saturating_duration_since(Instant::now());
    let seen = until_refused(&who, left + SOON).await?;
    let age = login.issued_at.elapsed().as_secs_f64();
    let text = format!("{age:.1} s after its issue: {seen}");
    world.turn(&login.username, Change::Refused, None, text);
    ensure(Instant::now() + SLACK >= ends_at, || {
        let early = ends_at.saturating_duration_since(Instant::now()).as_secs_f64();
        format!("{} is refused {early:.1} s before its lease is over: {seen}", login.username)
    })
}

/// AWS lends keys for a quarter of an hour at least: instead of waiting, requests are signed with later dates.
#[then(expr = "the keys work until their lease is over, and then no more")]
async fn end_with_their_lease(world: &mut World) -> Result {
    let login = world.proven.login()?;
    let left = login.ends_at().saturating_duration_since(Instant::now());
    let at = |ahead: Duration| Login { ahead, ..login.login() };
    let (before, after) = (left.saturating_sub(2 * SLACK), left + 2 * SLACK);
    if let Said::Refused(refusal) = at(before).say(login.place.login.side.hello).await? {
        return failure(format!("signed for {} s from now: {refusal}", before.as_secs()));
    }
    let seen = until_refused(&at(after), Duration::ZERO).await?;
    world.evidence(format!(
        "signed for {} s from now they work, for {} s: {seen}",
        before.as_secs(),
        after.as_secs()
    ));
    Ok(())
}

/// Until the login itself is refused.
async fn until_refused(login: &Login, deadline: Duration) -> Result<Refusal> {
    let began = Instant::now();
    loop {
        match login.say(login.side.hello).await? {
            Said::Refused(refusal) if refusal.is_of_the_login() => return Ok(refusal),
            // While it is revoked, its sessions are ended and its rights are taken: that is not the end yet.
            _ if began.elapsed() <= deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await
            }
            Said::Refused(refusal) => return failure(refusal.to_string()),
            Said::Done => {
                let seconds = began.elapsed().as_secs_f64();
                return failure(format!("the login still works after {seconds:.1} s"));
            }
        }
    }
}

#[then(expr = "its database knows the login no more")]
#[then(expr = "AWS knows the keys no more")]
async fn is_unknown(world: &mut World) -> Result {
    let login = world.proven.login()?;
    let (superuser, catalogue) = (login.superuser()?, login.place.login.side.catalogue);
    until(SOON, || async {
        let is_known = superuser.knows(&login.user).await?;
        ensure(!is_known, || format!("{catalogue} still has {}", login.username))
    })
    .await?;
    world.evidence(format!("{catalogue} has no {}", login.username));
    Ok(())
}

#[then(expr = "the login's lease is gone")]
async fn lease_is_gone(world: &mut World) -> Result {
    let id = world.proven.login()?.lease()?.id.clone();
    let vault = world.vault()?;
    until(SOON, || async {
        let body = Body::from_iter([("lease_id".to_owned(), json!(id))]);
        match vault.send(&Request::post("sys/leases/lookup", body)).await {
            Ok(_) => failure(format!("Vault still knows the lease {id}")),
            Err(err) if matches!(err.status, Some(400 | 404)) => Ok(()),
            Err(err) => Err(err.into()),
        }
    })
    .await
}

/// On demand.
#[when(expr = "its password is rotated by {string}")]
async fn rotated(world: &mut World, path: String) -> Result {
    world.vault()?.send_once(&Request::post(&path, Body::new())).await?;
    world.turn(&world.proven.login()?.username, Change::Rotated, None, path);
    Ok(())
}

#[then(expr = "a new password works, and the old one is refused")]
async fn new_password(world: &mut World) -> Result {
    take_new_password(world, SOON).await
}

#[then(expr = "within {int} s a new password works, and the old one is refused")]
async fn new_password_within(world: &mut World, seconds: u64) -> Result {
    take_new_password(world, Duration::from_secs(seconds)).await
}

async fn take_new_password(world: &mut World, deadline: Duration) -> Result {
    let old = world.proven.login()?.clone();
    let began = Instant::now();
    loop {
        issued(world, old.path.clone()).await?;
        let is_new = old.password.expose_secret() != world.proven.login()?.password.expose_secret();
        if is_new {
            break;
        }
        ensure(began.elapsed() < deadline, || {
            format!("{} gives the same password after {} s", old.path, deadline.as_secs())
        })?;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    works(world).await?;
    let seen = until_refused(&old.login(), SOON).await?;
    world.evidence(format!("the old password: {seen}"));
    Ok(())
}

/// The one that the spec says, of which Vault alone should know the next.
#[then(expr = "the password that the spec gives {string} is refused")]
async fn first_password_refused(world: &mut World, path: String) -> Result {
    let object = world.proven.object(&path)?;
    let said = |key: &str| object.said.get(key).and_then(Value::as_str).map(str::to_owned);
    let username = said("username").or_else(|| said("access_key")).or_else(|| said("binddn"));
    let password = said("password").or_else(|| said("secret_key")).or_else(|| said("bindpass"));
    let (Some(username), Some(password)) = (username, password) else {
        return Err(world.skip(format!("the spec gives {path} no username and password")));
    };
    let place = Place::of_connection(world, &path).await?;
    let login = place.login.with(&username, &password.into());
    let seen = until_refused(&login, Duration::ZERO).await?;
    world.evidence(format!("{username} with the spec's password: {seen}"));
    Ok(())
}

#[when(expr = "the root password of {string} is rotated again")]
async fn root_rotated(world: &mut World, path: String) -> Result {
    let rotation = world.proven.object(&path)?;
    let rotation = rotation.kind.rotate_root.map(|it| rotation.at(it));
    let path = rotation.ok_or_else(|| Failure(format!("Vault rotates no root of {path}")))?;
    world.vault()?.send_once(&Request::post(path, Body::new())).await?;
    Ok(())
}

/// For the scenario alone: the spec's own period may be days.
#[when(expr = "its rotation period is {int} s instead")]
async fn rotation_period(world: &mut World, seconds: u64) -> Result {
    let login = world.proven.login()?;
    let (mount, name, section) = parts(&login.path)?;
    let path = format!("{mount}/{section}/{name}");
    let there = there(world, &path).await?;
    let mut body = Body::from_iter([("rotation_period".to_owned(), json!(seconds))]);
    for key in ["db_name", "username", "dn"] {
        body.extend(there.get(key).map(|it| (key.to_owned(), it.clone())));
    }
    world.vault()?.write(&path, body).await?;
    Ok(())
}
