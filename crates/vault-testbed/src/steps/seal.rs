//! A Vault whose seal another Vault opens.

use std::time::Instant;

use cucumber::{given, then, when};
use serde_json::json;
use vault_client::{Settings, Vault};

use crate::{
    ground::{Error, Health, Mode, Seal, VaultOptions, VaultServer},
    world::{Failure, Result, World, ensure, failure},
};

#[given(expr = "a Vault that another Vault unseals")]
async fn a_sealed_vault(world: &mut World) -> Result {
    let options = VaultOptions { mode: Mode::Raft, seal: Seal::Transit, ..Default::default() };
    world.start_vault(&options).await
}

#[when(expr = "Vault is stopped")]
async fn is_stopped(world: &mut World) -> Result {
    Ok(world.server_mut()?.stop().await?)
}

#[when(expr = "Vault is started again")]
async fn is_started_again(world: &mut World) -> Result {
    Ok(world.server_mut()?.start_again().await?)
}

#[when(expr = "the Vault that unseals it is stopped")]
async fn sealer_is_stopped(world: &mut World) -> Result {
    Ok(sealer(world)?.stop().await?)
}

#[when(expr = "the Vault that unseals it is started again")]
async fn sealer_is_started_again(world: &mut World) -> Result {
    Ok(sealer(world)?.start_again().await?)
}

#[when(expr = "the key that unseals it is deleted")]
async fn key_is_deleted(world: &mut World) -> Result {
    let exchanges = world.exchanges.clone();
    let sealer = sealer(world)?;
    let vault = Vault::new(&Settings::new(&sealer.address)?)?.with_token(sealer.root_token.clone());
    let vault = vault.recorded_in(exchanges);
    let allowed = json!({ "deletion_allowed": true }).as_object().cloned().unwrap_or_default();
    vault.write("transit/keys/unseal/config", allowed).await?;
    vault.delete("transit/keys/unseal").await?;
    Ok(())
}

/// Nobody gave it a key.
#[then(expr = "Vault has unsealed itself")]
async fn unsealed_itself(world: &mut World) -> Result {
    let health = world.server()?.health().await;
    ensure(health == Health::Active, || format!("it is {health:?}"))?;
    let status = super::vault::there(world, "sys/seal-status").await?;
    world.evidence(format!("its seal is {}, sealed: {}", status["type"], status["sealed"]));
    ensure(status["type"] == "transit" && status["sealed"] == false, || {
        "its seal is another".into()
    })
}

/// It ends by itself, or stays sealed.
#[then(expr = "Vault does not come back")]
async fn does_not_come_back(world: &mut World) -> Result {
    let began = Instant::now();
    let again = world.server_mut()?.start_again().await;
    let seconds = began.elapsed().as_secs_f64();
    match again {
        Ok(()) => failure("it is active"),
        // Why, it says on its standard output, which is kept from everybody.
        Err(Error::Start { why, .. }) => {
            world.evidence(format!("it ended by itself after {seconds:.1} s: {why}"));
            Ok(())
        }
        Err(Error::Late { .. }) => {
            world.evidence(format!("it is not active after {seconds:.1} s"));
            Ok(())
        }
        Err(other) => Err(other.into()),
    }
}

fn sealer(world: &mut World) -> Result<&mut VaultServer> {
    let sealer = world.server_mut()?.sealer.as_deref_mut();
    sealer.ok_or_else(|| Failure("no other Vault unseals it".into()))
}
