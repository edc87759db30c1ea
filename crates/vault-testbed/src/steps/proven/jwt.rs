//! Logins by a signed token: a key of the proof's own stands for that of whoever issues them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cucumber::then;
use rcgen::KeyPair;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};
use vault_client::{Answer, VaultError};
use vault_model::{Body, request::Request};

use super::provider;
use crate::{
    steps::vault::{said, there},
    world::{Failure, Result, World, ensure, failure},
};

/// Of whom nobody has heard.
const OTHER: &str = "vaultwright-other";
/// Beyond every leeway.
const LONG_AGO_SECONDS: i64 = 86_400;
const LIFE_SECONDS: i64 = 120;

/// By a token that has all that the role asks for, or by the provider that it names.
pub async fn log_in(world: &World, role: &str) -> Result<Answer> {
    if there(world, role).await?.get("role_type") == Some(&json!("oidc")) {
        return provider::log_in(world, role).await;
    }
    let key = issuer(world, role).await?;
    let claims = claims(world, role).await?;
    Ok(send(world, role, &signed(&key, &claims)?).await??)
}

#[then(expr = "{string} lets in no JWT that another key has signed")]
async fn another_key(world: &mut World, role: String) -> Result {
    issuer(world, &role).await?;
    let claims = claims(world, &role).await?;
    let jwt = signed(&KeyPair::generate()?, &claims)?;
    is_refused(world, &role, "by another key", &jwt, REFUSED).await
}

#[then(expr = "{string} lets in no JWT that is over")]
async fn is_over(world: &mut World, role: String) -> Result {
    let key = issuer(world, &role).await?;
    let mut claims = claims(world, &role).await?;
    be_long_over(&mut claims);
    is_refused(world, &role, "over since a day", &signed(&key, &claims)?, REFUSED).await
}

#[then(expr = "{string} lets in no JWT for another audience")]
async fn another_audience(world: &mut World, role: String) -> Result {
    with_another(world, &role, "/aud").await
}

#[then(expr = "{string} lets in no JWT of another subject")]
async fn another_subject(world: &mut World, role: String) -> Result {
    with_another(world, &role, "/sub").await
}

#[then(expr = "{string} lets in no JWT of which one claim that it is bound to is another")]
async fn another_claim(world: &mut World, role: String) -> Result {
    let there = there(world, &role).await?;
    let bound = there.get("bound_claims").and_then(Value::as_object).cloned().unwrap_or_default();
    ensure(!bound.is_empty(), || "the role is bound to no claim".into())?;
    for name in bound.keys() {
        with_another(world, &role, &pointer(name)).await?;
    }
    Ok(())
}

async fn with_another(world: &World, role: &str, pointer: &str) -> Result {
    let key = issuer(world, role).await?;
    let mut claims = claims(world, role).await?;
    set(&mut claims, pointer, json!(OTHER));
    is_refused(world, role, &format!("{pointer} another"), &signed(&key, &claims)?, REFUSED).await
}

/// As if it had been issued a day earlier.
pub fn be_long_over(claims: &mut Body) {
    for time in ["exp", "iat", "nbf"] {
        let earlier = claims.get(time).and_then(Value::as_i64).unwrap_or_default();
        claims.insert(time.to_owned(), json!(earlier - LONG_AGO_SECONDS));
    }
}

/// What Vault answers to a JWT that it does not take.
const REFUSED: u16 = 400;

pub async fn is_refused(world: &World, role: &str, what: &str, jwt: &str, refused: u16) -> Result {
    let answer = send(world, role, jwt).await?;
    world.evidence(format!("{what}: {}", said(&answer)));
    match answer {
        Err(err) if err.status == Some(refused) => Ok(()),
        Err(err) => failure(format!("{what}: it is refused otherwise: {err}")),
        Ok(_) => failure(format!("{what}: it is let in")),
    }
}

pub async fn send(world: &World, role: &str, jwt: &str) -> Result<Result<Answer, VaultError>> {
    let (mount, name) = parts(role)?;
    let body = Body::from_iter([("role".to_owned(), json!(name)), ("jwt".to_owned(), json!(jwt))]);
    let request = Request::post(format!("{mount}/login"), body);
    Ok(world.anonymous()?.send_once(&request).await)
}

pub fn parts(role: &str) -> Result<(&str, &str)> {
    role.rsplit_once("/role/").ok_or_else(|| Failure(format!("{role} is no role that takes JWTs")))
}

/// From now on Vault trusts a key of ours. Whatever else the method is told stays.
async fn issuer(world: &World, role: &str) -> Result<KeyPair> {
    let (mount, _) = parts(role)?;
    let path = format!("{mount}/config");
    let mut config = world.vault()?.read(&path).await?.unwrap_or_default();
    // Where it finds keys otherwise, and what only a browser's login needs.
    config.retain(|name, _| {
        matches!(name.as_str(), "bound_issuer" | "default_role" | "namespace_in_state")
    });
    let key = KeyPair::generate()?;
    config.insert("jwt_validation_pubkeys".to_owned(), json!([key.public_key_pem()]));
    config.insert("jwt_supported_algs".to_owned(), json!(["ES256"]));
    world.vault()?.write(&path, config).await?;
    world.evidence("a key of the proof's own stands for the issuer's");
    Ok(key)
}

/// All that the role is bound to.
async fn claims(world: &World, role: &str) -> Result<Body> {
    let (mount, _) = parts(role)?;
    let role = there(world, role).await?;
    let config = world.vault()?.read(&format!("{mount}/config")).await?.unwrap_or_default();
    let text = |body: &Body, key: &str| {
        let text = body.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        text.map(str::to_owned)
    };
    let now = jiff::Timestamp::now().as_second();
    let subject = text(&role, "bound_subject").unwrap_or_else(|| "vaultwright-proof".to_owned());
    let mut claims = Body::new();
    for (name, value) in [
        ("sub", json!(subject)),
        ("iat", json!(now)),
        ("nbf", json!(now)),
        ("exp", json!(now + LIFE_SECONDS)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    if let Some(issuer) = text(&config, "bound_issuer") {
        claims.insert("iss".to_owned(), json!(issuer));
    }
    let audiences = role.get("bound_audiences").and_then(Value::as_array);
    if let Some(audience) = audiences.and_then(|it| it.first()) {
        claims.insert("aud".to_owned(), audience.clone());
    }
    for (name, value) in role.get("bound_claims").and_then(Value::as_object).into_iter().flatten() {
        set(&mut claims, &pointer(name), one_of(value));
    }
    let whoever = &world.proven.whoever;
    for (field, made_up) in [
        ("user_claim", whoever.name.as_ref().map(|it| json!(it))),
        ("groups_claim", whoever.group.as_ref().map(|it| json!([it]))),
    ] {
        let Some(at) = text(&role, field).map(|it| pointer(&it)) else { continue };
        let is_there = Value::Object(claims.clone()).pointer(&at).is_some();
        match made_up {
            Some(made_up) => set(&mut claims, &at, made_up),
            None if is_there => {}
            None if field == "user_claim" => set(&mut claims, &at, json!("vaultwright-proof")),
            None => set(&mut claims, &at, json!(["vaultwright-proof"])),
        }
    }
    Ok(claims)
}

/// Any of several; what a glob leaves open is filled in.
fn one_of(bound: &Value) -> Value {
    let one = match bound {
        Value::Array(items) => items.first().cloned().unwrap_or_default(),
        one => one.clone(),
    };
    one.as_str().map_or(one.clone(), |it| json!(it.replace('*', "proof")))
}

/// A claim is named by itself, or by a JSON pointer.
fn pointer(claim: &str) -> String {
    if claim.starts_with('/') { claim.to_owned() } else { format!("/{claim}") }
}

fn set(claims: &mut Body, pointer: &str, value: Value) {
    let names: Vec<&str> = pointer.trim_start_matches('/').split('/').collect();
    let Some((last, folders)) = names.split_last() else { return };
    let mut at = claims;
    for folder in folders {
        let below = at.entry(*folder).or_insert_with(|| json!({}));
        match below {
            Value::Object(below) => at = below,
            _ => return,
        }
    }
    at.insert((*last).to_owned(), value);
}

pub fn signed(key: &KeyPair, claims: &Body) -> Result<String> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let signer = EcdsaKeyPair::from_pkcs8(algorithm, key.serialized_der(), &random)
        .map_err(|it| Failure(format!("the key cannot sign: {it}")))?;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "alg": "ES256", "typ": "JWT" }));
    let text = format!("{header}.{}", part(Value::Object(claims.clone())));
    let signature = signer
        .sign(&random, text.as_bytes())
        .map_err(|_| Failure("the key does not sign".into()))?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_may_lie_within_others() {
        let mut claims = Body::new();
        set(&mut claims, "/sub", json!("ann"));
        set(&mut claims, "/resource/role", json!("dev"));
        set(&mut claims, "/resource/team", json!("blue"));
        let wanted = json!({ "sub": "ann", "resource": { "role": "dev", "team": "blue" } });
        assert_eq!(Value::Object(claims), wanted);
    }

    #[test]
    fn of_what_a_role_is_bound_to_one_is_enough() {
        assert_eq!(one_of(&json!(["main", "next"])), json!("main"));
        assert_eq!(one_of(&json!("team-*")), json!("team-proof"));
        assert_eq!(one_of(&json!(true)), json!(true));
    }
}
