//! Transit: what is encrypted with a key comes back with it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cucumber::{then, when};
use serde_json::{Value, json};
use vault_model::request::Method;

use super::{approle::noted, vault::ask};
use crate::world::{Failure, Result, World, ensure};

/// `key` is `mount/name`.
#[when(expr = "{string} is encrypted with {string} as {word}")]
async fn encrypt(world: &mut World, text: String, key: String, name: String) -> Result {
    let body = json!({ "plaintext": STANDARD.encode(text) });
    let answer = act(world, &key, "encrypt", body, "ciphertext").await?;
    ensure(answer.starts_with("vault:v"), || "it isn't a ciphertext of Vault".into())?;
    world.noted.insert(name, answer.into());
    Ok(())
}

#[then(expr = "{word} is decrypted with {string} to {string}")]
async fn decrypt(world: &mut World, name: String, key: String, wanted: String) -> Result {
    let body = json!({ "ciphertext": noted(world, &name)? });
    let text = act(world, &key, "decrypt", body, "plaintext").await?;
    ensure(text == STANDARD.encode(wanted), || "it is another text".into())
}

#[then(expr = "{word} can no longer be decrypted with {string}")]
async fn cannot_decrypt(world: &mut World, name: String, key: String) -> Result {
    let body = json!({ "ciphertext": noted(world, &name)? });
    match act(world, &key, "decrypt", body, "plaintext").await {
        Err(Failure(why)) if why.contains("400") => Ok(()),
        Err(other) => Err(other),
        Ok(_) => Err(Failure("it can".into())),
    }
}

#[when(expr = "the key {string} is rotated")]
async fn rotate(world: &mut World, key: String) -> Result {
    let vault = world.vault()?.clone();
    let (mount, name) = split(&key)?;
    ask(&vault, Method::Post, &format!("{mount}/keys/{name}/rotate"), json!({})).await.map(drop)
}

#[then(expr = "a signature by {string} of {string} is verified, and of {string} is not")]
async fn verified(world: &mut World, key: String, text: String, other: String) -> Result {
    let body = json!({ "input": STANDARD.encode(&text) });
    let signature = act(world, &key, "sign", body, "signature").await?;
    for (text, wanted) in [(text, true), (other, false)] {
        let body = json!({ "input": STANDARD.encode(&text), "signature": signature });
        let (mount, name) = split(&key)?;
        let path = format!("{mount}/verify/{name}");
        let answer = ask(world.vault()?, Method::Post, &path, body).await?;
        let valid = answer.data.and_then(|it| it.get("valid")?.as_bool());
        ensure(valid == Some(wanted), || format!("of `{text}`: {valid:?}"))?;
    }
    Ok(())
}

async fn act(world: &World, key: &str, verb: &str, body: Value, field: &str) -> Result<String> {
    let (mount, name) = split(key)?;
    let answer = ask(world.vault()?, Method::Post, &format!("{mount}/{verb}/{name}"), body).await?;
    let text = answer.data.and_then(|it| Some(it.get(field)?.as_str()?.to_owned()));
    text.ok_or_else(|| Failure(format!("the answer has no {field}")))
}

fn split(key: &str) -> Result<(&str, &str)> {
    key.rsplit_once('/').ok_or_else(|| Failure(format!("`{key}` should be a mount and a key")))
}
