//! Tokens: made, looked at, renewed, revoked.

use std::time::Duration;

use cucumber::{given, then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vault_client::{Answer, Vault};
use vault_model::{
    Body,
    request::{Method, Request},
};

use super::{SOON, until, vault::ask};
use crate::world::{Failure, Result, World, ensure};

/// Several policies with commas between them.
#[given(expr = "the token {word} with the policies {string}")]
#[when(expr = "the token {word} is made with the policies {string}")]
async fn a_token(world: &mut World, name: String, policies: String) -> Result {
    make(world, &name, json!({ "policies": split(&policies), "ttl": "1h" })).await
}

#[given(expr = "the token {word} with the policies {string} and {int} seconds to live")]
async fn a_short_token(world: &mut World, name: String, policies: String, seconds: u64) -> Result {
    let body = json!({ "policies": split(&policies), "explicit_max_ttl": seconds, "ttl": seconds });
    make(world, &name, body).await
}

#[when(expr = "the token {word} is made by the role {word}")]
async fn by_role(world: &mut World, name: String, role: String) -> Result {
    let vault = world.vault()?.clone();
    let path = format!("auth/token/create/{role}");
    let answer = ask(&vault, Method::Post, &path, json!({})).await?;
    take(world, &name, &answer)
}

#[when(expr = "the token {word} is revoked")]
async fn revoke(world: &mut World, name: String) -> Result {
    let token = world.token(&name)?.token().expose_secret().to_owned();
    let revoke = async |it: &_| vaultrs::token::revoke(it, &token).await;
    Ok(world.by_vaultrs("POST auth/token/revoke", revoke).await??)
}

#[when(expr = "the token {word} is renewed")]
async fn renew(world: &mut World, name: String) -> Result {
    let vault = world.token(&name)?.clone();
    world.answer =
        Some(vault.send_once(&Request::post("auth/token/renew-self", Body::new())).await);
    Ok(())
}

#[then(expr = "the token {word} is valid")]
async fn is_valid(world: &mut World, name: String) -> Result {
    looked_up(world.token(&name)?).await.map(drop)
}

#[then(expr = "the token {word} is refused")]
#[then(expr = "the token {word} is refused before long")]
async fn is_refused(world: &mut World, name: String) -> Result {
    let vault = world.token(&name)?.clone();
    until(SOON, || async {
        let answer = vault.send_once(&Request::get("auth/token/lookup-self")).await;
        ensure(answer.is_err_and(|it| it.status == Some(403)), || "it is still valid".into())
    })
    .await
}

#[then(expr = "the token {word} has the policies {string}")]
async fn has_policies(world: &mut World, name: String, wanted: String) -> Result {
    let token = looked_up(world.token(&name)?).await?;
    let texts = |key: &str| {
        let list = token.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect::<Vec<String>>()
    };
    let mut has = texts("policies");
    has.extend(texts("identity_policies"));
    has.retain(|it| it != "default");
    has.sort();
    let mut wanted = split(&wanted);
    wanted.sort();
    ensure(has == wanted, || format!("it has {}", has.join(", ")))
}

#[then(expr = "the token {word} has between {int} and {int} seconds to live")]
async fn lives(world: &mut World, name: String, least: u64, most: u64) -> Result {
    let token = looked_up(world.token(&name)?).await?;
    let left = token.get("ttl").and_then(Value::as_u64).unwrap_or_default();
    ensure((least..=most).contains(&left), || format!("it has {left} seconds to live"))
}

#[then(expr = "the token {word} lives on for {int} seconds")]
async fn lives_on(world: &mut World, name: String, seconds: u64) -> Result {
    let vault = world.token(&name)?.clone();
    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_secs(seconds) {
        looked_up(&vault).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// As itself.
pub async fn looked_up(vault: &Vault) -> Result<Body> {
    let answer = vault.send_once(&Request::get("auth/token/lookup-self")).await?;
    answer.data.ok_or_else(|| Failure("the lookup answers nothing".into()))
}

/// The token that a login or a creation gave becomes one of the scenario's.
pub fn take(world: &mut World, name: &str, answer: &Answer) -> Result {
    let token = answer.auth.as_ref().map(|it| it.client_token.clone());
    let token: SecretString = token.ok_or_else(|| Failure("the answer has no token".into()))?;
    world.add_token(name, token)
}

async fn make(world: &mut World, name: &str, body: Value) -> Result {
    let vault = world.vault()?.clone();
    let answer = ask(&vault, Method::Post, "auth/token/create", body).await?;
    take(world, name, &answer)
}

fn split(policies: &str) -> Vec<String> {
    policies.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}
