//! Leases: how long they are, how they are renewed, and how they end.

use std::time::Duration;

use cucumber::{then, when};
use serde_json::{Value, json};
use vault_model::request::{Method, Request};

use super::{SOON, database::lookup, until, vault::ask};
use crate::world::{Change, Failure, Result, World, ensure, failure};

#[then(expr = "the lease of {word} is {int} seconds long")]
async fn is_long(world: &mut World, name: String, seconds: u64) -> Result {
    let credential = world.credential(&name)?;
    ensure(credential.lease_seconds == seconds && credential.renewable, || {
        format!(
            "it is {} seconds long, and renewable is {}",
            credential.lease_seconds, credential.renewable
        )
    })
}

#[when(expr = "the lease of {word} is renewed by {int} seconds")]
async fn renew(world: &mut World, name: String, seconds: u64) -> Result {
    let body = json!({ "lease_id": world.credential(&name)?.lease_id, "increment": seconds });
    let body = body.as_object().cloned().unwrap_or_default();
    let answer = world.vault()?.send_once(&Request::post("sys/leases/renew", body)).await;
    if let Some(lease) = answer.as_ref().ok().and_then(|it| it.lease.as_ref()) {
        let (username, seconds) = (&world.credential(&name)?.username, lease.duration_seconds);
        world.turn(username, Change::Renewed, Some(seconds), format!("{seconds} s more"));
    }
    world.answer = Some(answer);
    Ok(())
}

#[then(expr = "the lease of {word} has between {int} and {int} seconds left")]
async fn has_left(world: &mut World, name: String, least: u64, most: u64) -> Result {
    let id = world.credential(&name)?.lease_id.clone();
    let lease = lookup(world, &id).await?.ok_or_else(|| Failure("the lease is gone".into()))?;
    let left = lease["ttl"].as_u64().unwrap_or_default();
    world.evidence(format!("the lease has {left} seconds left"));
    ensure((least..=most).contains(&left), || format!("it has {left} seconds left"))
}

/// As often as needed, until Vault gives it no more time. What it lived is noted.
#[when(expr = "the lease of {word} is renewed until it ends")]
async fn renew_until_it_ends(world: &mut World, name: String) -> Result {
    let credential = world.credential(&name)?.clone();
    let body = json!({ "lease_id": credential.lease_id, "increment": credential.lease_seconds });
    let vault = world.vault()?.clone();
    let mut renewed = 0;
    loop {
        match ask(&vault, Method::Post, "sys/leases/renew", body.clone()).await {
            Ok(_) => renewed += 1,
            Err(_) => break,
        }
        if credential.issued_at.elapsed() > Duration::from_secs(60) {
            return failure("it can be renewed for ever");
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let lived = credential.issued_at.elapsed().as_secs_f64();
    world.evidence(format!("it was renewed {renewed} times and lived {lived:.1} s"));
    world.noted.insert(format!("{name}-lived"), json!(lived));
    ensure(renewed > 1, || format!("it was renewed {renewed} times"))
}

#[then(expr = "{word} has lived between {int} and {int} seconds")]
async fn has_lived(world: &mut World, name: String, least: u64, most: u64) -> Result {
    let lived = world.noted.get(&format!("{name}-lived")).and_then(Value::as_f64);
    let lived = lived.ok_or_else(|| Failure("its life was not watched".into()))?;
    ensure(lived >= least as f64 && lived <= most as f64, || format!("it has lived {lived:.1} s"))
}

#[when(expr = "the lease of {word} is revoked")]
async fn revoke(world: &mut World, name: String) -> Result {
    let body = json!({ "lease_id": world.credential(&name)?.lease_id, "sync": true });
    let vault = world.vault()?.clone();
    ask(&vault, Method::Post, "sys/leases/revoke", body).await?;
    world.turn(&world.credential(&name)?.username, Change::Revoked, None, "sys/leases/revoke");
    Ok(())
}

#[when(expr = "all leases below {string} are revoked")]
async fn revoke_prefix(world: &mut World, prefix: String) -> Result {
    let vault = world.vault()?.clone();
    let path = format!("sys/leases/revoke-prefix/{prefix}");
    ask(&vault, Method::Post, &path, json!({ "sync": true })).await.map(drop)
}

#[then(expr = "the lease of {word} is gone")]
async fn is_gone(world: &mut World, name: String) -> Result {
    let id = world.credential(&name)?.lease_id.clone();
    let world = &*world;
    until(SOON, || async {
        let found = lookup(world, &id).await?;
        ensure(found.is_none(), || "Vault still knows it".into())
    })
    .await
}

#[then(expr = "below {string} there is/are {int} lease(s)")]
async fn count(world: &mut World, prefix: String, wanted: usize) -> Result {
    let keys = world.vault()?.list(&format!("sys/leases/lookup/{prefix}")).await?;
    ensure(keys.len() == wanted, || format!("there are {}", keys.len()))
}
