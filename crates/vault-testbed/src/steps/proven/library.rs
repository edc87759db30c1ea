//! Accounts of a directory that Vault lends to one borrower at a time.

use std::collections::BTreeSet;

use cucumber::{then, when};
use serde_json::{Value, json};
use vault_client::Vault;
use vault_model::{Body, request::Request};

use super::{
    login::{issued, works},
    people::People,
    place::{Place, parts},
};
use crate::{
    steps::{
        SOON, until,
        vault::{refused_by, said, there},
    },
    world::{Change, Failure, Result, World, ensure, failure},
};

/// Of the path that lends an account: the set that it is of.
pub fn set_of(path: &str) -> Option<&str> {
    path.strip_suffix("/check-out").filter(|it| it.contains("/library/"))
}

/// Where an account stands in the directory, which Vault doesn't say: found as Vault finds it.
pub async fn account(world: &World, place: &Place, path: &str, name: &str) -> Result<String> {
    let (mount, ..) = parts(path)?;
    let config = there(world, &format!("{mount}/config")).await?;
    let nobody = "the directory is none of the ground's, so nobody can look into it";
    let superuser = place.superuser.clone().ok_or_else(|| Failure(nobody.into()))?;
    People { superuser, config }.find(name).await
}

/// The set that the scenario's login is of.
fn set(world: &World) -> Result<String> {
    let path = &world.proven.login()?.path;
    let set = set_of(path).ok_or_else(|| Failure(format!("{path} lends nothing")))?;
    Ok(set.to_owned())
}

#[then(expr = "{string} lends each of its other accounts, and then no more")]
async fn lends_all(world: &mut World, set: String) -> Result {
    let path = format!("{set}/check-out");
    let accounts = there(world, &set).await?.remove("service_account_names");
    let accounts = accounts.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
    let mut lent = BTreeSet::from([world.proven.login()?.username.clone()]);
    while lent.len() < accounts {
        issued(world, path.clone()).await?;
        works(world).await?;
        let username = &world.proven.login()?.username;
        ensure(lent.insert(username.clone()), || format!("{username} is lent a second time"))?;
    }
    let answer = world.vault()?.send_once(&Request::post(&path, Body::new())).await;
    world.evidence(format!("one more than {accounts}: {}", said(&answer)));
    match answer {
        Ok(_) => failure(format!("it lends more than its {accounts} accounts")),
        refused => refused_by(&refused, &[400]),
    }
}

#[when(expr = "the login is checked in")]
async fn checked_in(world: &mut World) -> Result {
    check_in(world, world.vault()?).await?;
    let login = world.proven.login()?;
    world.turn(&login.username, Change::Revoked, None, "checked in");
    Ok(())
}

/// Where the set lets anybody who may ask.
#[when(expr = "the login is checked in by somebody else")]
async fn checked_in_by_another(world: &mut World) -> Result {
    let another = another(world).await?;
    check_in(world, &another).await?;
    let login = world.proven.login()?;
    world.turn(&login.username, Change::Revoked, None, "checked in by somebody else");
    Ok(())
}

#[then(expr = "the login is checked in by nobody but its borrower")]
async fn by_nobody_else(world: &mut World) -> Result {
    match check_in(world, &another(world).await?).await {
        Err(Failure(why)) if why.contains("checked out by the caller") => {
            world.evidence(why);
            Ok(())
        }
        Err(Failure(why)) => failure(format!("it is refused otherwise: {why}")),
        Ok(()) => failure("somebody else may check it in"),
    }
}

async fn check_in(world: &World, vault: &Vault) -> Result {
    let names = json!([world.proven.login()?.username]);
    let body = Body::from_iter([("service_account_names".to_owned(), names)]);
    vault.send_once(&Request::post(format!("{}/check-in", set(world)?), body)).await?;
    Ok(())
}

/// Who may check in, and has borrowed nothing.
async fn another(world: &World) -> Result<Vault> {
    let rule = format!("path \"{}/check-in\" {{ capabilities = [\"update\"] }}", set(world)?);
    let body = Body::from_iter([("policy".to_owned(), json!(rule))]);
    let vault = world.vault()?;
    vault.write(&format!("sys/policies/acl/{ANOTHER}"), body).await?;
    let body = Body::from_iter([("policies".to_owned(), json!([ANOTHER]))]);
    let answer = world.issue(vault, Request::post("auth/token/create", body), ANOTHER).await?;
    let auth = answer.auth.ok_or_else(|| Failure("there is no token in the answer".into()))?;
    Ok(vault.with_token(auth.client_token))
}

const ANOTHER: &str = "vaultwright-another";

#[then(expr = "{string} says that the login is lent")]
async fn is_lent(world: &mut World, set: String) -> Result {
    says_available(world, &set, false).await
}

#[then(expr = "{string} says that the login can be lent again")]
async fn is_free(world: &mut World, set: String) -> Result {
    says_available(world, &set, true).await
}

async fn says_available(world: &World, set: &str, wanted: bool) -> Result {
    let username = &world.proven.login()?.username;
    until(SOON, || async {
        let mut status = there(world, &format!("{set}/status")).await?;
        let status = status.remove(username).unwrap_or_default();
        let is_available = status.get("available").and_then(Value::as_bool);
        ensure(is_available == Some(wanted), || format!("the status of {username} is {status}"))
    })
    .await
}
