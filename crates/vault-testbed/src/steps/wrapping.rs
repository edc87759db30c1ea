//! Response wrapping: what a wrapping token holds can be had once.

use cucumber::{then, when};
use secrecy::{ExposeSecret, SecretString};
use vault_model::request::Request;

use super::{approle::noted, vault::said};
use crate::world::{Failure, Result, World};

#[when(expr = "the answer of {string} is wrapped for {int} seconds as {word}")]
async fn wrap(world: &mut World, path: String, seconds: u64, name: String) -> Result {
    let answer = world.vault()?.send_once(&Request::get(&path).wrapped(seconds)).await?;
    let wrap = answer.wrap_info.ok_or_else(|| Failure("the answer isn't wrapped".into()))?;
    world.add_secret("a wrapping token", wrap.token.expose_secret());
    world.noted.insert(name, wrap.token.expose_secret().into());
    Ok(())
}

#[when(expr = "{word} is unwrapped")]
#[then(expr = "{word} is unwrapped")]
async fn unwrap(world: &mut World, name: String) -> Result {
    let token = SecretString::from(noted(world, &name)?);
    let answer = world.vault()?.unwrap(token).await;
    world.evidence(format!("unwrapping {name}: {}", said(&answer)));
    world.answer = Some(answer);
    Ok(())
}
