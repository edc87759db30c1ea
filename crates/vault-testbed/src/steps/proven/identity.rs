//! Who a token is: an entity, in groups, with the policies of both.

use cucumber::{given, then, when};
use serde_json::{Value, json};
use vault_model::{Body, request::Request};

use super::token::log_in;
use crate::{
    steps::vault::there,
    world::{Failure, Result, World, ensure, failure},
};

/// What is made up of whoever logs in, where the login's role leaves it open.
#[derive(Clone, Debug, Default)]
pub struct Whoever {
    pub name: Option<String>,
    pub group: Option<String>,
}

#[given(expr = "everybody who logs in is called {string}")]
#[when(expr = "everybody who logs in is called {string}")]
async fn is_called(world: &mut World, name: String) -> Result {
    world.proven.whoever.name = Some(name);
    Ok(())
}

#[given(expr = "everybody who logs in is in the group {string}")]
#[when(expr = "everybody who logs in is in the group {string}")]
async fn is_in_the_group(world: &mut World, group: String) -> Result {
    world.proven.whoever.group = Some(group);
    Ok(())
}

#[then(expr = "its token is of {string}")]
async fn is_of(world: &mut World, entity: String) -> Result {
    let (is, wanted) = (entity_id(world).await?, id(world, &entity).await?);
    world.evidence(format!("the token's entity is {is}"));
    ensure(is == wanted, || format!("the token's entity is {is}, and {entity} is {wanted}"))
}

#[then(expr = "its token is not of {string}")]
async fn is_not_of(world: &mut World, entity: String) -> Result {
    let (is, other) = (entity_id(world).await?, id(world, &entity).await?);
    world.evidence(format!("the token's entity is {is}"));
    ensure(is != other, || format!("the token is of {entity}"))
}

#[then(expr = "the policies of who it is are {string}")]
async fn policies_are(world: &mut World, wanted: String) -> Result {
    let (has, wanted) = (policies(world).await?, split(&wanted));
    ensure(has == wanted, || format!("they are {}", shown(&has)))
}

#[then(expr = "among the policies of who it is are {string}")]
async fn policies_have(world: &mut World, wanted: String) -> Result {
    let has = policies(world).await?;
    let lacks: Vec<String> = split(&wanted).into_iter().filter(|it| !has.contains(it)).collect();
    ensure(lacks.is_empty(), || format!("{} is not among {}", lacks.join(", "), shown(&has)))
}

#[then(expr = "among the policies of who it is is none of {string}")]
async fn policies_lack(world: &mut World, unwanted: String) -> Result {
    let has = policies(world).await?;
    let found: Vec<String> = split(&unwanted).into_iter().filter(|it| has.contains(it)).collect();
    ensure(found.is_empty(), || format!("{} is among them", found.join(", ")))
}

#[then(expr = "nobody gets in by {string}")]
async fn nobody(world: &mut World, role: String) -> Result {
    match log_in(world, &role).await {
        Ok(_) => failure("it gives a token"),
        Err(Failure(why)) if why.contains("403") || why.contains("permission denied") => {
            world.evidence(why);
            Ok(())
        }
        Err(Failure(why)) => failure(format!("it is refused otherwise: {why}")),
    }
}

/// Of the scenario's token, as Vault says now.
async fn looked_up(world: &World) -> Result<Body> {
    let body = world.proven.token()?.named();
    let answer = world.vault()?.send(&Request::post("auth/token/lookup", body)).await?;
    Ok(answer.data.unwrap_or_default())
}

async fn entity_id(world: &World) -> Result<String> {
    let id = looked_up(world).await?.remove("entity_id").unwrap_or_default();
    match id.as_str() {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => failure("the token is of no entity"),
    }
}

async fn id(world: &World, path: &str) -> Result<String> {
    let id = there(world, path).await?.remove("id");
    let id = id.as_ref().and_then(Value::as_str).map(str::to_owned);
    id.ok_or_else(|| Failure(format!("{path} has no id")))
}

/// Of entity and groups, whatever the token has by its role.
async fn policies(world: &World) -> Result<Vec<String>> {
    let said = looked_up(world).await?.remove("identity_policies").unwrap_or_else(|| json!([]));
    let said: Vec<&str> = said.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    world.evidence(format!("identity_policies: {}", said.join(", ")));
    Ok(split(&said.join(",")))
}

fn split(names: &str) -> Vec<String> {
    let mut names: Vec<String> =
        names.split(',').map(|it| it.trim().to_lowercase()).filter(|it| !it.is_empty()).collect();
    names.sort();
    names.dedup();
    names
}

fn shown(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
