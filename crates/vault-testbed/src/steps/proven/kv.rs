//! Secrets of a KV engine: kept as said, versioned, and safe from whoever writes over a version that is old.

use std::time::Duration;

use cucumber::then;
use serde_json::{Value, json};
use vault_model::{Body, duration, request::Request};

use crate::{
    ground::Kind,
    steps::vault::{said, there},
    world::{Failure, Result, World, ensure, failure},
};

#[then(expr = "the secret {string} holds what the spec says")]
async fn holds(world: &mut World, path: String) -> Result {
    let object = world.proven.object(&path)?;
    // A seed is replaced by whoever has the real value.
    let is_replaced = world.ground_kind() == Kind::Address && object.said.contains_key("seed");
    let wanted = object.said.get("data").or_else(|| object.said.get("seed"));
    let wanted = wanted.and_then(Value::as_object).cloned().unwrap_or_default();
    let generated = object.said.get("generate").and_then(Value::as_object).cloned();
    let answer = there(world, &path).await?;
    if is_replaced {
        world.evidence("something is there, in place of the seed");
        return Ok(());
    }
    // Of a KV v1 the answer is the secret itself.
    let kept = answer.get("data").and_then(Value::as_object).unwrap_or(&answer);
    for (key, value) in &wanted {
        let is_reference = value.as_str().is_some_and(|it| it.contains("${"));
        let is_same = kept.get(key) == Some(value) || is_reference && kept.contains_key(key);
        ensure(is_same, || format!("{path}: `{key}` is not what the spec says"))?;
    }
    let made_up = generated.unwrap_or_default();
    for key in made_up.keys() {
        let is_there = kept.get(key).and_then(Value::as_str).is_some_and(|it| !it.is_empty());
        ensure(is_there, || format!("{path}: `{key}` was not generated"))?;
    }
    let keys: Vec<&str> = wanted.keys().chain(made_up.keys()).map(String::as_str).collect();
    world.evidence(format!("it holds {}", keys.join(", ")));
    Ok(())
}

#[then(
    expr = "the secret {string} refuses a write over an old version, and takes one over its last"
)]
async fn checks_and_sets(world: &mut World, path: String) -> Result {
    let data = Value::Object(data(world, &path).await?);
    let last = version(world, &path).await?;
    let over = |version: u64| {
        let body = json!({ "options": { "cas": version }, "data": data });
        Request::post(&path, body.as_object().cloned().unwrap_or_default())
    };
    let vault = world.vault()?;
    vault.send_once(&over(last)).await?;
    let old = vault.send_once(&over(last)).await;
    world.evidence(format!("over version {last} when it is {}: {}", last + 1, said(&old)));
    ensure(old.is_err_and(|it| it.status == Some(400)), || {
        "a write over an old version is not refused".into()
    })?;
    vault.send_once(&over(last + 1)).await?;
    Ok(())
}

#[then(expr = "the secret {string} refuses a write that names no version")]
async fn requires_a_version(world: &mut World, path: String) -> Result {
    let body = Body::from_iter([("data".to_owned(), Value::Object(data(world, &path).await?))]);
    let answer = world.vault()?.send_once(&Request::post(path, body)).await;
    world.evidence(said(&answer));
    ensure(answer.is_err_and(|it| it.status == Some(400)), || "it is taken".into())
}

#[then(expr = "the secret {string} keeps {int} version(s)")]
async fn keeps(world: &mut World, path: String, versions: u64) -> Result {
    for _ in 0..=versions {
        write_next(world, &path).await?;
    }
    let last = version(world, &path).await?;
    let of = |version: u64| {
        Request::new(
            vault_model::request::Method::Get,
            &path,
            Body::from_iter([("version".to_owned(), json!(version))]),
        )
    };
    let vault = world.vault()?;
    let oldest_kept = last + 1 - versions;
    vault.send(&of(oldest_kept)).await?;
    let gone = vault.send(&of(oldest_kept - 1)).await;
    world.evidence(format!(
        "of {last} versions, version {} answers {}",
        oldest_kept - 1,
        said(&gone)
    ));
    ensure(gone.is_err_and(|it| it.status == Some(404)), || {
        format!("version {} is still there", oldest_kept - 1)
    })
}

#[then(expr = "a new version of the secret {string} is to be deleted after {int} s")]
async fn deleted_after(world: &mut World, path: String, seconds: u64) -> Result {
    write_next(world, &path).await?;
    let metadata = metadata(world, &path).await?;
    let moment = |key: &str| {
        let text = metadata.get(key).and_then(Value::as_str).unwrap_or_default();
        text.parse::<jiff::Timestamp>().map_err(|_| Failure(format!("it has no {key}")))
    };
    let (made, ends) = (moment("created_time")?, moment("deletion_time")?);
    let lives = ends.duration_since(made);
    world.evidence(format!("it is to be deleted after {}", duration::show(lives.as_secs())));
    let wanted = Duration::from_secs(seconds);
    ensure((lives.as_secs_f64() - wanted.as_secs_f64()).abs() < 1.0, || {
        format!("it is to be deleted after {}", duration::show(lives.as_secs()))
    })
}

async fn data(world: &World, path: &str) -> Result<Body> {
    let answer = there(world, path).await?;
    Ok(answer.get("data").and_then(Value::as_object).cloned().unwrap_or_default())
}

async fn metadata(world: &World, path: &str) -> Result<Body> {
    let answer = there(world, path).await?;
    Ok(answer.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default())
}

async fn version(world: &World, path: &str) -> Result<u64> {
    let version = metadata(world, path).await?.get("version").and_then(Value::as_u64);
    match version {
        Some(version) => Ok(version),
        None => failure(format!("{path} has no version")),
    }
}

/// What is there once more, over the last version.
async fn write_next(world: &World, path: &str) -> Result {
    let (data, last) = (data(world, path).await?, version(world, path).await?);
    let body = json!({ "options": { "cas": last }, "data": data });
    let request = Request::post(path, body.as_object().cloned().unwrap_or_default());
    world.vault()?.send_once(&request).await?;
    Ok(())
}
