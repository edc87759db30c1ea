//! Tokens of a role's own logins: how long they last, what they hold, and what a login needs.

use std::time::{Duration, Instant};

use cucumber::{then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vault_client::{Answer, Auth, Vault};
use vault_model::{Body, request::Request};

use super::{cert, jwt, kubernetes, ldap};
use crate::{
    live::SECRET_ID_SECONDS,
    proofs::policies as policies_of,
    steps::{
        SOON, until,
        vault::{refused_by, said, there},
    },
    world::{Change, Failure, Result, World, ensure, failure},
};

/// What the scenario calls "the token".
pub struct Token {
    vault: Vault,
    auth: Auth,
    issued_at: Instant,
    /// When it was last renewed, and for how many seconds.
    renewed: (Instant, u64),
    /// Whom Vault lets renew it: some methods ask for more than the token.
    renewer: Vault,
}

/// What a timeline calls a token: its accessor is no secret.
fn of(auth: &Auth) -> String {
    match auth.accessor.get(..8) {
        Some(start) => format!("token {start}"),
        None => "batch token".to_owned(),
    }
}

/// A token may end this much earlier or later than its whole seconds say.
const SLACK: Duration = Duration::from_secs(1);

impl Token {
    fn new(vault: &Vault, auth: Auth, renewer: Option<Vault>, issued_at: Instant) -> Token {
        let seconds = auth.lease_duration;
        let renewer = renewer.unwrap_or_else(|| vault.clone());
        let vault = vault.with_token(auth.client_token.clone());
        Token { vault, auth, issued_at, renewed: (issued_at, seconds), renewer }
    }

    /// As Vault takes it where somebody asks about it.
    pub fn named(&self) -> Body {
        Body::from_iter([("token".to_owned(), json!(self.auth.client_token.expose_secret()))])
    }

    fn ends_at(&self) -> Instant {
        self.renewed.0 + Duration::from_secs(self.renewed.1)
    }
}

/// By the role's own method; where there is no proof of that method, a token with the same policies stands for it.
#[when(expr = "someone logs in by {string}")]
async fn logs_in(world: &mut World, role: String) -> Result {
    let issued_at = Instant::now();
    let (auth, renewer) = log_in_to_renew(world, &role).await?;
    let duration = auth.lease_duration;
    let seen = format!("{duration} s, policies {}", auth.token_policies.join(", "));
    let lasts = (duration > 0).then_some(duration);
    world.turn(&of(&auth), Change::Issued, lasts, seen);
    world.proven.token = Some(Token::new(world.vault()?, auth, renewer, issued_at));
    Ok(())
}

pub async fn log_in(world: &World, role: &str) -> Result<Auth> {
    Ok(log_in_to_renew(world, role).await?.0)
}

async fn log_in_to_renew(world: &World, role: &str) -> Result<(Auth, Option<Vault>)> {
    let mut renewer = None;
    let answer = match method(world, role).await?.as_str() {
        "approle" => {
            let secret_id = match binds_secret_id(world, role).await? {
                true => Some(secret_id(world, role).await?),
                false => None,
            };
            approle(world, role, secret_id.as_ref()).await?
        }
        "userpass" => {
            let said = world.proven.object(role)?.said.get("password").cloned();
            let password = said.as_ref().and_then(Value::as_str).map(str::to_owned);
            let Some(password) = password else {
                return Err(world.skip(format!("the spec gives {role} no password")));
            };
            world.anonymous()?.send_once(&userpass(role, &password)).await?
        }
        "cert" => {
            let (answer, same) = cert::log_in(world, role).await?;
            renewer = Some(same);
            answer
        }
        "jwt" | "oidc" => jwt::log_in(world, role).await?,
        "token" => {
            let path = role.replacen("/roles/", "/create/", 1);
            world.issue(world.vault()?, Request::post(path, Body::new()), role).await?
        }
        "kubernetes" => match kubernetes::log_in(world, role).await? {
            Some(answer) => answer,
            None => stand_in(world, role, "Kubernetes").await?,
        },
        "ldap" => match ldap::log_in(world, role).await? {
            Some(answer) => answer,
            None => stand_in(world, role, "LDAP").await?,
        },
        other => stand_in(world, role, other).await?,
    };
    let auth = answer.auth.ok_or_else(|| Failure(format!("{role}: the login gives no token")))?;
    world.add_secret(&format!("a token of {role}"), auth.client_token.expose_secret());
    Ok((auth, renewer))
}

async fn stand_in(world: &World, role: &str, method: &str) -> Result<Answer> {
    let policies = there(world, role).await?.get("token_policies").cloned();
    // A user or a group of a directory has them from elsewhere, too.
    let said =
        || Ok::<_, Failure>(json!(policies_of(world.proven.spec()?, world.proven.object(role)?)));
    let policies = policies.map_or_else(said, Ok)?;
    world.evidence(format!("a token with its policies stands for a login by {method}"));
    let body = [("policies".to_owned(), policies)];
    let request = Request::post("auth/token/create", Body::from_iter(body));
    Ok(world.vault()?.send_once(&request).await?)
}

/// The type of the auth method that `role` is under.
async fn method(world: &World, role: &str) -> Result<String> {
    let methods = there(world, "sys/auth").await?;
    let below = role.strip_prefix("auth/").unwrap_or(role);
    let found = methods.iter().filter(|(mount, _)| below.starts_with(mount.as_str()));
    let method = found.max_by_key(|(mount, _)| mount.len());
    let method = method.and_then(|(_, it)| it.get("type")?.as_str());
    method.map(str::to_owned).ok_or_else(|| Failure(format!("{role} is under no auth method")))
}

async fn binds_secret_id(world: &World, role: &str) -> Result<bool> {
    Ok(there(world, role).await?.get("bind_secret_id").and_then(Value::as_bool).unwrap_or(true))
}

async fn secret_id(world: &World, role: &str) -> Result<SecretString> {
    let request = Request::post(format!("{role}/secret-id"), of_secret_id(world, role).await?);
    secret_id_in(world, &world.issue(world.vault()?, request, role).await?)
}

/// Where others use the role, one that nobody takes back ends soon.
async fn of_secret_id(world: &World, role: &str) -> Result<Body> {
    if world.bench().live.is_none() {
        return Ok(Body::new());
    }
    let most = there(world, role).await?.get("secret_id_ttl").and_then(Value::as_u64);
    let most = most.filter(|it| *it > 0).unwrap_or(SECRET_ID_SECONDS);
    let seconds = most.min(SECRET_ID_SECONDS);
    Ok(Body::from_iter([("ttl".to_owned(), json!(format!("{seconds}s")))]))
}

fn secret_id_in(world: &World, answer: &Answer) -> Result<SecretString> {
    let data = answer.data.as_ref();
    let id = data.and_then(|it| it.get("secret_id")).and_then(Value::as_str);
    let id = id.ok_or_else(|| Failure("the answer holds no secret-id".into()))?;
    world.add_secret("a secret-id", id);
    Ok(id.into())
}

async fn approle(world: &World, role: &str, secret_id: Option<&SecretString>) -> Result<Answer> {
    let request = approle_request(world, role, secret_id.map(ExposeSecret::expose_secret)).await?;
    Ok(world.issue(&world.anonymous()?, request, role).await?)
}

async fn approle_request(world: &World, role: &str, secret_id: Option<&str>) -> Result<Request> {
    let role_id = there(world, &format!("{role}/role-id")).await?.remove("role_id");
    let mut body = Body::from_iter([("role_id".to_owned(), role_id.unwrap_or_default())]);
    body.extend(secret_id.map(|it| ("secret_id".to_owned(), json!(it))));
    let (mount, _) = role
        .rsplit_once("/role/")
        .ok_or_else(|| Failure(format!("{role} is no role of AppRole")))?;
    Ok(Request::post(format!("{mount}/login"), body))
}

fn userpass(user: &str, password: &str) -> Request {
    let body = Body::from_iter([("password".to_owned(), json!(password))]);
    Request::post(user.replacen("/users/", "/login/", 1), body)
}

#[then(expr = "its token lasts {int} s")]
async fn lasts(world: &mut World, seconds: u64) -> Result {
    let lasts = world.proven.token()?.auth.lease_duration;
    ensure(lasts == seconds, || format!("the token lasts {lasts} s, not {seconds} s"))
}

/// `default` comes with every token, unless its role says otherwise.
#[then(expr = "its token has the policies {string}")]
async fn has_policies(world: &mut World, wanted: String) -> Result {
    let mut wanted: Vec<String> =
        wanted.split(',').map(|it| it.trim().to_lowercase()).filter(|it| !it.is_empty()).collect();
    let mut has = world.proven.token()?.auth.token_policies.clone();
    for policies in [&mut wanted, &mut has] {
        policies.sort();
        policies.dedup();
    }
    ensure(has == wanted, || format!("it has the policies {}", has.join(", ")))
}

/// The directory may put somebody in groups that the spec does not know of.
#[then(expr = "among the policies of its token are {string}")]
async fn has_among_its_policies(world: &mut World, wanted: String) -> Result {
    let has = &world.proven.token()?.auth.token_policies;
    let mut wanted = wanted.split(',').map(|it| it.trim().to_lowercase());
    let lacking = wanted.find(|it| !has.contains(it));
    ensure(lacking.is_none(), || {
        format!("{} is not among {}", lacking.unwrap_or_default(), has.join(", "))
    })
}

#[then(expr = "its token is not renewed, since its policies are others now")]
async fn not_renewed(world: &mut World) -> Result {
    let token = world.proven.token()?;
    let request = Request::post("auth/token/renew", token.named());
    let answer = token.renewer.send_once(&request).await;
    world.evidence(said(&answer));
    match answer {
        Err(err) if err.to_string().contains("policies have changed") => Ok(()),
        Err(err) => failure(format!("it is refused otherwise: {err}")),
        Ok(_) => failure("it is renewed with the policies that it had"),
    }
}

#[then(expr = "its token can be used {int} time(s)")]
async fn can_be_used(world: &mut World, times: u64) -> Result {
    let token = world.proven.token()?;
    let request = Request::get("auth/token/lookup-self");
    for _ in 0..times {
        token.vault.send_once(&request).await?;
    }
    let answer = token.vault.send_once(&request).await;
    world.evidence(format!("the {}. use: {}", times + 1, said(&answer)));
    refused_by(&answer, &[403])
}

#[then(expr = "its token is renewable")]
async fn renewable(world: &mut World) -> Result {
    let is = world.proven.token()?.auth.renewable;
    ensure(is, || "Vault says that the token cannot be renewed".into())
}

#[then(expr = "its token is of the type {string}")]
async fn is_of_type(world: &mut World, wanted: String) -> Result {
    let token_type = &world.proven.token()?.auth.token_type;
    ensure(*token_type == wanted, || format!("it is of the type {token_type}"))
}

#[then(expr = "its token has no parent")]
async fn has_no_parent(world: &mut World) -> Result {
    ensure(world.proven.token()?.auth.orphan, || "it has a parent, and ends with it".into())
}

#[when(expr = "its token is renewed by {int} s")]
async fn renewed_by(world: &mut World, seconds: u64) -> Result {
    renew(world, Some(seconds)).await
}

#[then(expr = "its token ends at most {int} s after its issue")]
async fn ends_at_most(world: &mut World, seconds: u64) -> Result {
    let token = world.proven.token()?;
    let lives = token.ends_at() - token.issued_at;
    ensure(lives <= Duration::from_secs(seconds) + SLACK, || {
        format!("it ends {:.1} s after its issue", lives.as_secs_f64())
    })
}

/// At half of each life.
#[when(expr = "its token is renewed until its maximum of {int} s")]
async fn renewed_until(world: &mut World, most: u64) -> Result {
    let most = Duration::from_secs(most);
    loop {
        let token = world.proven.token()?;
        if token.ends_at() + SLACK >= token.issued_at + most {
            return Ok(());
        }
        let left = token.ends_at().saturating_duration_since(Instant::now());
        tokio::time::sleep(left / 4).await;
        renew(world, None).await?;
    }
}

/// By root: the token's own policies may not let it.
async fn renew(world: &mut World, increment: Option<u64>) -> Result {
    let token = world.proven.token()?;
    let mut body = token.named();
    body.extend(increment.map(|it| ("increment".to_owned(), json!(it))));
    let asked_at = Instant::now();
    let request = Request::post("auth/token/renew", body);
    let answer = token.renewer.send_once(&request).await?;
    let seconds = answer.auth.map_or(0, |it| it.lease_duration);
    let age = token.issued_at.elapsed().as_secs_f64();
    let seen = format!("renewed {age:.1} s after its issue: {seconds} s more");
    world.turn(&of(&token.auth), Change::Renewed, Some(seconds), seen);
    if let Some(token) = &mut world.proven.token {
        token.renewed = (asked_at, seconds);
    }
    Ok(())
}

/// Neither later nor earlier.
#[then(expr = "its token is refused once its life is over")]
async fn is_refused_in_time(world: &mut World) -> Result {
    let token = world.proven.token()?;
    let request = Request::post("auth/token/lookup", token.named());
    let latest = token.ends_at() + SOON;
    loop {
        let answer = world.vault()?.send_once(&request).await;
        if answer.is_err() {
            let age = token.issued_at.elapsed().as_secs_f64();
            let seen = format!("{age:.1} s after its issue: {}", said(&answer));
            world.turn(&of(&token.auth), Change::Refused, None, seen);
            refused_by(&answer, &[403])?;
            return ensure(Instant::now() + SLACK >= token.ends_at(), || {
                format!("the token is refused {age:.1} s after its issue, before its life is over")
            });
        }
        ensure(Instant::now() < latest, || "the token is still accepted".into())?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[then(expr = "a wrong secret-id is refused by {string}")]
async fn wrong_secret_id(world: &mut World, role: String) -> Result {
    let request = approle_request(world, &role, Some(WRONG)).await?;
    let answer = world.anonymous()?.send_once(&request).await;
    world.evidence(said(&answer));
    refused_by(&answer, &[400])
}

const WRONG: &str = "00000000-0000-0000-0000-000000000000";

#[then(expr = "a secret-id of {string} is good for {int} login(s)")]
async fn good_for(world: &mut World, role: String, logins: u64) -> Result {
    let id = secret_id(world, &role).await?;
    for _ in 0..logins {
        approle(world, &role, Some(&id)).await?;
    }
    let request = approle_request(world, &role, Some(id.expose_secret())).await?;
    let answer = world.anonymous()?.send_once(&request).await;
    world.evidence(format!("login {}: {}", logins + 1, said(&answer)));
    refused_by(&answer, &[400])
}

#[then(expr = "a secret-id of {string} with {int} s to live is refused once they are over")]
async fn refused_after(world: &mut World, role: String, seconds: u64) -> Result {
    let made_at = Instant::now();
    let (early, late) = (secret_id(world, &role).await?, secret_id(world, &role).await?);
    let life = Duration::from_secs(seconds);
    tokio::time::sleep(life / 2).await;
    approle(world, &role, Some(&early)).await?;
    tokio::time::sleep((life + SLACK).saturating_sub(made_at.elapsed())).await;
    // Vault forgets what is over when it tidies up: by itself once a minute, and when it is told to.
    let mount = role.rsplit_once("/role/").map_or(&*role, |(mount, _)| mount);
    let tidy = Request::post(format!("{mount}/tidy/secret-id"), Body::new());
    world.vault()?.send(&tidy).await?;
    let request = approle_request(world, &role, Some(late.expose_secret())).await?;
    until(SOON, || async { refused_by(&world.anonymous()?.send_once(&request).await, &[400]) })
        .await?;
    let age = made_at.elapsed().as_secs_f64();
    world.evidence(format!("refused {age:.1} s after its issue, when Vault had tidied up"));
    Ok(())
}

#[then(expr = "a wrapped secret-id of {string} can be had once")]
async fn wrapped_once(world: &mut World, role: String) -> Result {
    let body = of_secret_id(world, &role).await?;
    let request = Request::post(format!("{role}/secret-id"), body).wrapped(60);
    let answer = world.issue(world.vault()?, request, &role).await?;
    let wrapped = answer.wrap_info.ok_or_else(|| Failure("the answer is not wrapped".into()))?;
    world.add_secret("a wrapping token", wrapped.token.expose_secret());
    let anonymous = world.anonymous()?;
    let unwrap = Request::post("sys/wrapping/unwrap", Body::new());
    let unwrapped = anonymous.with_token(wrapped.token.clone());
    let id = secret_id_in(world, &world.issue(&unwrapped, unwrap, &role).await?)?;
    approle(world, &role, Some(&id)).await?;
    let again = anonymous.unwrap(wrapped.token).await;
    world.evidence(format!("unwrapped a second time: {}", said(&again)));
    refused_by(&again, &[400, 403])
}

#[then(expr = "a wrong password is refused by {string}")]
async fn wrong_password(world: &mut World, user: String) -> Result {
    let answer = world.anonymous()?.send_once(&userpass(&user, WRONG)).await;
    world.evidence(said(&answer));
    refused_by(&answer, &[400])
}

#[then(expr = "{string} makes no token with the policy {string}")]
async fn no_such_policy(world: &mut World, role: String, policy: String) -> Result {
    let path = role.replacen("/roles/", "/create/", 1);
    let body = Body::from_iter([("policies".to_owned(), json!([policy]))]);
    let answer = world.vault()?.send_once(&Request::post(path, body)).await;
    world.evidence(said(&answer));
    refused_by(&answer, &[400])
}
