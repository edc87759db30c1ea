//! Keys of a transit engine: what they make, and for how long they take it back.

use cucumber::then;
use serde_json::{Value, json};
use vault_client::VaultError;
use vault_model::{Body, request::Request};

use crate::{
    steps::vault::{is_refused, there},
    world::{Failure, Result, World, ensure, failure},
};

/// `proof`, in base64.
const PLAINTEXT: &str = "cHJvb2Y=";
/// Of a derived key.
const CONTEXT: &str = "Y29udGV4dA==";

/// A key of transit: `transit/keys/orders`.
struct Key {
    mount: String,
    name: String,
    derived: bool,
}

impl Key {
    async fn at(world: &World, path: &str) -> Result<Key> {
        let there = there(world, path).await?;
        let (mount, name) = path
            .rsplit_once("/keys/")
            .ok_or_else(|| Failure(format!("{path} is no key of transit")))?;
        let derived = there.get("derived").and_then(Value::as_bool).unwrap_or_default();
        Ok(Key { mount: mount.to_owned(), name: name.to_owned(), derived })
    }

    async fn ask(
        &self,
        world: &World,
        verb: &str,
        body: Value,
    ) -> Result<Result<Body, VaultError>> {
        let mut body = body.as_object().cloned().unwrap_or_default();
        if self.derived {
            body.insert("context".to_owned(), json!(CONTEXT));
        }
        let path = format!("{}/{verb}/{}", self.mount, self.name);
        let answer = world.vault()?.send_once(&Request::post(path, body)).await;
        Ok(answer.map(|it| it.data.unwrap_or_default()))
    }

    /// The text `field` of what `verb` answers.
    async fn get(&self, world: &World, verb: &str, body: Value, field: &str) -> Result<String> {
        let data = self.ask(world, verb, body).await??;
        let text = data.get(field).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| Failure(format!("{verb} answers no {field}")))
    }

    async fn rotate(&self, world: &World) -> Result {
        let path = format!("{}/keys/{}/rotate", self.mount, self.name);
        world.vault()?.send_once(&Request::post(path, Body::new())).await?;
        Ok(())
    }

    async fn latest(&self, world: &World) -> Result<u64> {
        let there = there(world, &format!("{}/keys/{}", self.mount, self.name)).await?;
        Ok(there.get("latest_version").and_then(Value::as_u64).unwrap_or_default())
    }
}

#[then(expr = "the key {string} decrypts what it encrypted, before and after a rotation")]
async fn decrypts(world: &mut World, path: String) -> Result {
    let key = Key::at(world, &path).await?;
    let old = key.get(world, "encrypt", json!({ "plaintext": PLAINTEXT }), "ciphertext").await?;
    key.rotate(world).await?;
    let new = key.get(world, "encrypt", json!({ "plaintext": PLAINTEXT }), "ciphertext").await?;
    for text in [&old, &new] {
        let plain = key.get(world, "decrypt", json!({ "ciphertext": text }), "plaintext").await?;
        ensure(plain == PLAINTEXT, || "it decrypts to something else".into())?;
    }
    world.evidence(format!("{} and {} are decrypted", version(&old), version(&new)));
    ensure(version(&old) != version(&new), || "the rotation made no new version".into())
}

#[then(
    expr = "the key {string} refuses what is older than its least version, unless it was rewrapped"
)]
async fn refuses_older(world: &mut World, path: String) -> Result {
    let key = Key::at(world, &path).await?;
    let old = key.get(world, "encrypt", json!({ "plaintext": PLAINTEXT }), "ciphertext").await?;
    key.rotate(world).await?;
    let latest = key.latest(world).await?;
    let rewrapped = key.get(world, "rewrap", json!({ "ciphertext": old }), "ciphertext").await?;
    ensure(version(&rewrapped) == format!("v{latest}"), || {
        format!("it is rewrapped to {}, and not to v{latest}", version(&rewrapped))
    })?;
    let config = Body::from_iter([("min_decryption_version".to_owned(), json!(latest))]);
    world.vault()?.write(&format!("{path}/config"), config).await?;
    let answer = key.ask(world, "decrypt", json!({ "ciphertext": old })).await?;
    let refusal = match answer {
        Err(err) if err.status == Some(400) => err.reasons.join("; "),
        Err(err) => return Err(err.into()),
        Ok(_) => return failure("it is still decrypted"),
    };
    let plain = key.get(world, "decrypt", json!({ "ciphertext": rewrapped }), "plaintext").await?;
    ensure(plain == PLAINTEXT, || "rewrapped, it decrypts to something else".into())?;
    world.evidence(format!("with least version {latest}, {}: {refusal}", version(&old)));
    world.evidence(format!("rewrapped from {} to v{latest}, it is decrypted", version(&old)));
    Ok(())
}

/// Of `vault:v2:…`: `v2`.
fn version(text: &str) -> &str {
    text.split(':').nth(1).unwrap_or_default()
}

#[then(expr = "the key {string} verifies what it signed, before and after a rotation")]
async fn verifies(world: &mut World, path: String) -> Result {
    proves_origin(world, &path, "sign", "signature").await
}

#[then(expr = "the key {string} verifies its HMACs, before and after a rotation")]
async fn verifies_hmac(world: &mut World, path: String) -> Result {
    proves_origin(world, &path, "hmac", "hmac").await
}

async fn proves_origin(world: &mut World, path: &str, verb: &str, field: &str) -> Result {
    let key = Key::at(world, path).await?;
    let old = key.get(world, verb, json!({ "input": PLAINTEXT }), field).await?;
    key.rotate(world).await?;
    let new = key.get(world, verb, json!({ "input": PLAINTEXT }), field).await?;
    for (made, input, wanted) in
        [(&old, PLAINTEXT, true), (&new, PLAINTEXT, true), (&new, CONTEXT, false)]
    {
        let body = json!({ "input": input, field: made });
        let valid = key.ask(world, "verify", body).await??.get("valid").and_then(Value::as_bool);
        ensure(valid == Some(wanted), || format!("verify says valid: {valid:?}, not {wanted}"))?;
    }
    world.evidence("of another text it is refused");
    Ok(())
}

#[then(expr = "the key {string} cannot be exported")]
async fn not_exported(world: &mut World, path: String) -> Result {
    let key = Key::at(world, &path).await?;
    let request = Request::get(format!("{}/export/hmac-key/{}", key.mount, key.name));
    let answer = world.vault()?.send_once(&request).await;
    is_refused(world, &answer, &[400])
}

#[then(expr = "the key {string} cannot be deleted")]
async fn not_deleted(world: &mut World, path: String) -> Result {
    let answer = world.vault()?.send_once(&Request::delete(&path)).await;
    is_refused(world, &answer, &[400])
}
