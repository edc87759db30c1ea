//! KV version 2, as vaultrs reads it.

use cucumber::{gherkin::Step, then, when};
use serde_json::Value;
use vaultrs::{api::kv2::requests::SetSecretRequestOptions, kv2};

use super::vault::{body, holds};
use crate::world::{Result, World, ensure, failure};

#[then(expr = "the secret {string} of {string} is at version {int} and holds")]
async fn is_at(
    world: &mut World,
    path: String,
    mount: String,
    version: u64,
    step: &Step,
) -> Result {
    let wanted = Value::Object(body(world, step)?);
    let client = world.vaultrs("root")?;
    let metadata = kv2::read_metadata(&client, &mount, &path).await?;
    ensure(metadata.current_version == version, || {
        format!("it is at version {}", metadata.current_version)
    })?;
    let data: Value = kv2::read(&client, &mount, &path).await?;
    holds(&path, &data, &wanted)
}

#[then(expr = "version {int} of the secret {string} of {string} holds")]
async fn version_holds(
    world: &mut World,
    version: u64,
    path: String,
    mount: String,
    step: &Step,
) -> Result {
    let wanted = Value::Object(body(world, step)?);
    let client = world.vaultrs("root")?;
    let data: Value = kv2::read_version(&client, &mount, &path, version).await?;
    holds(&path, &data, &wanted)
}

/// Check-and-set through vaultrs; refused if another version is there.
#[when(expr = "someone sets the secret {string} of {string} over version {int}")]
async fn set(world: &mut World, path: String, mount: String, cas: u32, step: &Step) -> Result {
    let data = Value::Object(body(world, step)?);
    let client = world.vaultrs("root")?;
    let options = SetSecretRequestOptions { cas };
    kv2::set_with_options(&client, &mount, &path, &data, options).await?;
    Ok(())
}

#[then(expr = "nobody can set the secret {string} of {string} over version {int}")]
async fn cannot_set(world: &mut World, path: String, mount: String, cas: u32) -> Result {
    let client = world.vaultrs("root")?;
    let options = SetSecretRequestOptions { cas };
    let data = serde_json::json!({ "lost": "update" });
    match kv2::set_with_options(&client, &mount, &path, &data, options).await {
        Err(vaultrs::error::ClientError::APIError { code: 400, errors })
            if errors.iter().any(|it| it.contains("check-and-set")) =>
        {
            Ok(())
        }
        Err(other) => Err(other.into()),
        Ok(_) => failure("it was set"),
    }
}

/// Made by a password policy: nobody knows what it is, only that it is there and how long it is.
#[then(expr = "the field {word} of the secret {string} of {string} has {int} characters")]
async fn has_characters(
    world: &mut World,
    field: String,
    path: String,
    mount: String,
    count: usize,
) -> Result {
    let client = world.vaultrs("root")?;
    let data: Value = kv2::read(&client, &mount, &path).await?;
    let value = data[&field].as_str().unwrap_or_default().to_owned();
    world.add_secret(&format!("{field} of {path}"), &value);
    world.noted.insert(field.clone(), value.clone().into());
    let is = value.chars().count();
    ensure(is == count, || format!("{field} has {is} characters"))
}
