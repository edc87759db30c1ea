//! Who a token is.

use cucumber::{given, then, when};
use serde_json::{Value, json};
use vault_model::request::Method;

use super::{
    token::{looked_up, take},
    vault::{ask, there},
};
use crate::world::{Result, World, ensure};

#[then(expr = "the token {word} is the entity {word}")]
async fn is_entity(world: &mut World, name: String, wanted: String) -> Result {
    let token = looked_up(world.token(&name)?).await?;
    let id = token.get("entity_id").and_then(Value::as_str).unwrap_or_default();
    let entity = there(world, &format!("identity/entity/id/{id}")).await?;
    let entity = entity.get("name").and_then(Value::as_str).unwrap_or_default();
    ensure(entity == wanted, || format!("it is the entity `{entity}`"))
}

/// By userpass.
#[given(expr = "the token {word} is got from {string} with the password {string}")]
#[when(expr = "the token {word} is got from {string} with the password {string}")]
async fn userpass(world: &mut World, name: String, path: String, password: String) -> Result {
    let path = path.replace("/users/", "/login/");
    world.add_secret(&format!("the password of {name}"), &password);
    let vault = world.vault()?.with_token(Default::default());
    let answer = ask(&vault, Method::Post, &path, json!({ "password": password })).await?;
    take(world, &name, &answer)
}
