//! KV version 2, as vaultrs reads it.

use cucumber::{gherkin::Step, then, when};
use serde_json::Value;
use vaultrs::{
    api::kv2::{
        requests::SetSecretRequestOptions,
        responses::{ReadSecretMetadataResponse, SecretVersionMetadata},
    },
    error::ClientError,
    kv2,
};

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
    let metadata = metadata(world, &mount, &path).await?;
    ensure(metadata.current_version == version, || {
        format!("it is at version {}", metadata.current_version)
    })?;
    holds(&path, &read(world, &mount, &path).await?, &wanted)
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
    let request = format!("GET {mount}/data/{path}?version={version}");
    let data: Value = world
        .by_vaultrs(&request, async |it| kv2::read_version(it, &mount, &path, version).await)
        .await??;
    holds(&path, &data, &wanted)
}

/// Check-and-set through vaultrs; refused if another version is there.
#[when(expr = "someone sets the secret {string} of {string} over version {int}")]
async fn set(world: &mut World, path: String, mount: String, cas: u32, step: &Step) -> Result {
    let data = Value::Object(body(world, step)?);
    write(world, &mount, &path, &data, cas).await??;
    Ok(())
}

#[then(expr = "nobody can set the secret {string} of {string} over version {int}")]
async fn cannot_set(world: &mut World, path: String, mount: String, cas: u32) -> Result {
    let data = serde_json::json!({ "lost": "update" });
    match write(world, &mount, &path, &data, cas).await? {
        Err(ClientError::APIError { code: 400, errors })
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
    let data = read(world, &mount, &path).await?;
    let value = data[&field].as_str().unwrap_or_default().to_owned();
    world.add_secret(&format!("{field} of {path}"), &value);
    world.noted.insert(field.clone(), value.clone().into());
    let is = value.chars().count();
    ensure(is == count, || format!("{field} has {is} characters"))
}

/// The newest version.
pub async fn read(world: &World, mount: &str, path: &str) -> Result<Value> {
    let request = format!("GET {mount}/data/{path}");
    Ok(world.by_vaultrs(&request, async |it| kv2::read(it, mount, path).await).await??)
}

pub async fn metadata(
    world: &World,
    mount: &str,
    path: &str,
) -> Result<ReadSecretMetadataResponse> {
    let request = format!("GET {mount}/metadata/{path}");
    Ok(world.by_vaultrs(&request, async |it| kv2::read_metadata(it, mount, path).await).await??)
}

async fn write(
    world: &World,
    mount: &str,
    path: &str,
    data: &Value,
    cas: u32,
) -> Result<Result<SecretVersionMetadata, ClientError>> {
    let request = format!("POST {mount}/data/{path} over version {cas}");
    let options = SetSecretRequestOptions { cas };
    let set = async |it: &_| kv2::set_with_options(it, mount, path, data, options).await;
    world.by_vaultrs(&request, set).await
}
