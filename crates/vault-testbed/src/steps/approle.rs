//! AppRole: secret-ids made and delivered, and logins with them.

use cucumber::{gherkin::Step, given, then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vault_client::Answer;
use vault_model::request::{Method, Request};
use vaultrs::auth::approle;

use super::{
    SOON, token, until,
    vault::{ask, body, said},
};
use crate::world::{Failure, Result, World, ensure, failure};

/// `path` is that of a role, such as `auth/approle/role/app`. Whoever gets it is told the role-id, too.
#[given(expr = "the secret-id {word} of {string}")]
#[when(expr = "the secret-id {word} of {string} is made")]
async fn secret_id(world: &mut World, name: String, path: String, step: &Step) -> Result {
    let body = Value::Object(body(world, step)?);
    let vault = world.vault()?.clone();
    let answer = ask(&vault, Method::Post, &format!("{path}/secret-id"), body).await?;
    let role_id = role_id(world, &path).await?;
    world.noted.insert(format!("{path}/role-id"), role_id);
    take(world, &name, &answer)
}

#[when(expr = "the secret-id of {string} is wrapped for {int} seconds as {word}")]
async fn wrapped(world: &mut World, path: String, seconds: u64, name: String) -> Result {
    let request = Request::post(format!("{path}/secret-id"), Default::default()).wrapped(seconds);
    let answer = world.vault()?.send_once(&request).await?;
    let wrap = answer.wrap_info.ok_or_else(|| Failure("the answer isn't wrapped".into()))?;
    let wanted = format!("{path}/secret-id");
    ensure(wrap.creation_path == wanted, || format!("it was made at {}", wrap.creation_path))?;
    world.add_secret("a wrapping token", wrap.token.expose_secret());
    world.noted.insert(name, wrap.token.expose_secret().into());
    Ok(())
}

#[when(expr = "{word} is unwrapped to the secret-id {word}")]
async fn unwrapped(world: &mut World, wrapping: String, name: String) -> Result {
    let token = noted(world, &wrapping)?;
    let answer = world.vault()?.unwrap(token.into()).await?;
    take(world, &name, &answer)
}

/// What comes of it is for the next step; where it succeeds the token is one of the scenario's.
#[when(expr = "the token {word} is got from {string} with the secret-id {word}")]
#[given(expr = "the token {word} is got from {string} with the secret-id {word}")]
async fn login(world: &mut World, name: String, path: String, secret_id: String) -> Result {
    let body = credentials(world, &path, Some(&secret_id)).await?;
    log_in(world, &name, &path, body).await
}

#[when(expr = "the token {word} is got from {string} without a secret-id")]
async fn login_without(world: &mut World, name: String, path: String) -> Result {
    let body = credentials(world, &path, None).await?;
    log_in(world, &name, &path, body).await
}

#[when(expr = "the token {word} is got from {string} with a wrong secret-id")]
async fn login_with_wrong(world: &mut World, name: String, path: String) -> Result {
    world.noted.insert("wrong".into(), "00000000-0000-0000-0000-000000000000".into());
    let body = credentials(world, &path, Some("wrong")).await?;
    log_in(world, &name, &path, body).await
}

/// Through vaultrs: its own idea of a login.
#[then(expr = "vaultrs logs in to {string} with the secret-id {word}")]
async fn vaultrs_logs_in(world: &mut World, path: String, secret_id: String) -> Result {
    let body = credentials(world, &path, Some(&secret_id)).await?;
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let mount = mount(&path)?.trim_start_matches("auth/").to_owned();
    let (role_id, secret_id) = (text("role_id"), text("secret_id"));
    let log_in = async |it: &_| approle::login(it, &mount, &role_id, &secret_id).await;
    let auth = world.by_vaultrs(&format!("POST auth/{mount}/login"), log_in).await??;
    world.add_secret("a token of AppRole", &auth.client_token);
    ensure(!auth.client_token.is_empty(), || "it gives no token".into())
}

/// Vault lets a secret-id in that is over until it has tidied, which it does once an hour or when it is told to.
#[then(expr = "the secret-id {word} of {string} is refused once Vault has tidied")]
async fn refused_once_tidied(world: &mut World, secret_id: String, path: String) -> Result {
    let body = credentials(world, &path, Some(&secret_id)).await?;
    let vault = world.vault()?.with_token(SecretString::default());
    let at = format!("{}/login", mount(&path)?);
    let secrets = world.bench().secrets.clone();
    let tidy = format!("{}/tidy/secret-id", mount(&path)?);
    let root = world.vault()?.clone();
    until(SOON, || async {
        ask(&root, Method::Post, &tidy, json!({})).await?;
        match ask(&vault, Method::Post, &at, body.clone()).await {
            Err(Failure(why)) if why.contains("400") => Ok(()),
            Err(other) => Err(other),
            Ok(answer) => {
                if let Some(auth) = answer.auth {
                    secrets.add("a token of AppRole", auth.client_token.expose_secret());
                }
                failure("it still logs in")
            }
        }
    })
    .await
}

async fn log_in(world: &mut World, name: &str, path: &str, body: Value) -> Result {
    let vault = world.vault()?.with_token(SecretString::default());
    let body = body.as_object().cloned().unwrap_or_default();
    let request = Request::post(format!("{}/login", mount(path)?), body);
    let answer = vault.send_once(&request).await;
    world.evidence(format!("a login to {path}: {}", said(&answer)));
    if let Ok(answer) = &answer {
        token::take(world, name, answer)?;
    }
    world.answer = Some(answer);
    Ok(())
}

async fn credentials(world: &World, path: &str, secret_id: Option<&str>) -> Result<Value> {
    let role_id = match world.noted.get(&format!("{path}/role-id")) {
        Some(told) => told.clone(),
        None => role_id(world, path).await?,
    };
    let mut body = json!({ "role_id": role_id });
    if let Some(secret_id) = secret_id {
        body["secret_id"] = noted(world, secret_id)?.into();
    }
    Ok(body)
}

/// As root reads it.
async fn role_id(world: &World, path: &str) -> Result<Value> {
    let role = world.vault()?.read(&format!("{path}/role-id")).await?.unwrap_or_default();
    Ok(role.get("role_id").cloned().unwrap_or_default())
}

fn take(world: &mut World, name: &str, answer: &Answer) -> Result {
    let data = answer.data.as_ref();
    let text = |key: &str| data.and_then(|it| it.get(key)?.as_str()).unwrap_or_default().to_owned();
    let secret_id = text("secret_id");
    ensure(!secret_id.is_empty(), || "the answer has no secret-id".into())?;
    world.add_secret(&format!("the secret-id {name}"), &secret_id);
    world.noted.insert(name.to_owned(), secret_id.into());
    Ok(())
}

pub fn noted(world: &World, name: &str) -> Result<String> {
    let value = world.noted.get(name).and_then(Value::as_str).map(str::to_owned);
    value.ok_or_else(|| Failure(format!("nothing is noted as `{name}` in this scenario")))
}

/// `auth/approle` of `auth/approle/role/app`
pub fn mount(path: &str) -> Result<&str> {
    let mount = path.rsplit_once("/role/").map(|(it, _)| it);
    mount.ok_or_else(|| Failure(format!("`{path}` is no path of an AppRole role")))
}
