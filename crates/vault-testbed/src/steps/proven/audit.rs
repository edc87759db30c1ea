//! An audit device of the spec: all that this scenario asked is in its log, and nothing secret is readable there.

use std::collections::{BTreeMap, BTreeSet};

use cucumber::{given, then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vault_client::Exchange;
use vault_model::{
    Body,
    request::{Method, Request},
};

use crate::{
    ground::new_secret,
    world::{Failure, Result, World, ensure, failure},
};

/// What a device has to keep, and to keep to itself.
#[derive(Default)]
pub struct Audited {
    /// How many requests the scenario had sent before.
    from: usize,
    token: SecretString,
    accessor: String,
    /// Written, read, and handed over wrapped.
    secret: SecretString,
}

#[given(expr = "its requests are counted from now on")]
async fn counted(world: &mut World) -> Result {
    world.proven.audited.from = world.exchanges.all().len();
    Ok(())
}

#[when(expr = "a secret is written, read and handed over by a token made for it")]
async fn handed_over(world: &mut World) -> Result {
    let root = world.vault()?.clone();
    let body = json!({ "policies": ["default"], "ttl": "5m" });
    let body = body.as_object().cloned().unwrap_or_default();
    let auth = root.send_once(&Request::post("auth/token/create", body)).await?.auth;
    let auth = auth.ok_or_else(|| Failure("Vault made no token".into()))?;
    let secret = new_secret("proof")?;
    world.add_secret("the audited token", auth.client_token.expose_secret());
    world.add_secret("the audited secret", secret.expose_secret());
    let own = root.with_token(auth.client_token.clone());
    let body = Body::from_iter([("proof".to_owned(), json!(secret.expose_secret()))]);
    own.write(PLACE, body).await?;
    own.read(PLACE).await?;
    let wrapped = own.send_once(&Request::get(PLACE).wrapped(60)).await?.wrap_info;
    let wrapped = wrapped.ok_or_else(|| Failure("Vault wrapped nothing".into()))?;
    world.add_secret("the audited wrapping token", wrapped.token.expose_secret());
    world.anonymous()?.unwrap(wrapped.token).await?;
    let audited = &mut world.proven.audited;
    (audited.token, audited.accessor, audited.secret) = (auth.client_token, auth.accessor, secret);
    Ok(())
}

const PLACE: &str = "cubbyhole/vaultwright-proof";

/// By operation and path, as often as each was sent; by Vault's own number where an answer had one.
#[then(expr = "{string} has every request and its answer")]
async fn has_every_request(world: &mut World, device: String) -> Result {
    let log = Log::of(world, &device).await?;
    let sent = world.exchanges.all();
    let sent = sent.get(world.proven.audited.from..).unwrap_or_default();
    ensure(!sent.is_empty(), || "nothing was sent".into())?;
    let mut left = log.requests.clone();
    let mut missing = Vec::new();
    for it in sent {
        let path = it.path.trim_end_matches('/');
        let of = |name: &&str| (name.to_string(), path.to_owned());
        let mut asked = operations(it.method).iter().map(of);
        match asked.find(|it| left.get(it).is_some_and(|times| *times > 0)) {
            Some(asked) => *left.entry(asked).or_default() -= 1,
            None => missing.push(format!("{} {path}", it.method.name())),
        }
        if !it.request_id.is_empty() && !log.answered.contains(&it.request_id) {
            missing.push(format!("the answer to {} {path}, {}", it.method.name(), it.request_id));
        }
    }
    ensure(missing.is_empty(), || format!("these are not in the log:\n{}", missing.join("\n")))?;
    let numbered = sent.iter().filter(|it: &&Exchange| !it.request_id.is_empty()).count();
    world.evidence(format!("{} requests, {numbered} found by their number", sent.len()));
    Ok(())
}

/// Of any kind: also those that applying the spec sent.
#[then(expr = "{string} has no secret in clear")]
async fn has_no_secret(world: &mut World, device: String) -> Result {
    let log = Log::of(world, &device).await?;
    let secrets = &world.bench().secrets;
    let found = secrets.found_in(&log.text);
    world.evidence(format!("{} secrets were searched for", secrets.count()));
    ensure(found.is_empty(), || format!("the log shows {}", found.join(", ")))?;
    let spec = &world.proven.spec()?.redactor;
    ensure(spec.mask(&log.text) == log.text, || "the log shows a secret of the spec".into())
}

#[then(expr = "{string} has the HMACs of what is secret instead")]
async fn has_hmacs(world: &mut World, device: String) -> Result {
    let log = Log::of(world, &device).await?;
    let (vault, audited) = (world.vault()?, &world.proven.audited);
    let path = device.replacen("sys/audit/", "sys/audit-hash/", 1);
    for (what, text) in [
        ("the token", audited.token.expose_secret()),
        ("the secret", audited.secret.expose_secret()),
    ] {
        let body = Body::from_iter([("input".to_owned(), json!(text))]);
        let hash = vault.send(&Request::post(&*path, body)).await?.data.unwrap_or_default();
        let hash = hash.get("hash").and_then(Value::as_str).unwrap_or_default();
        ensure(!hash.is_empty() && log.text.contains(hash), || {
            format!("the log does not have the HMAC of {what}")
        })?;
        world.evidence(format!("{what} is {hash} there"));
    }
    Ok(())
}

/// No secret, but it tells which requests were of one token.
#[then(expr = "{string} has accessors of tokens in clear")]
async fn has_accessors(world: &mut World, device: String) -> Result {
    let log = Log::of(world, &device).await?;
    let accessor = &world.proven.audited.accessor;
    ensure(log.text.contains(&**accessor), || "the log does not have the token's accessor".into())
}

#[then(expr = "{string} has no accessor of a token in clear")]
async fn has_no_accessor(world: &mut World, device: String) -> Result {
    let log = Log::of(world, &device).await?;
    let accessor = &world.proven.audited.accessor;
    ensure(!log.text.contains(&**accessor), || "the log has the token's accessor".into())
}

/// As it stands in the device's file.
struct Log {
    text: String,
    /// How often each operation on a path was asked for.
    requests: BTreeMap<(String, String), usize>,
    /// The numbers of requests that have an answer there.
    answered: BTreeSet<String>,
}

impl Log {
    async fn of(world: &World, device: &str) -> Result<Log> {
        let said = world.proven.object(device)?.said.get("options").cloned().unwrap_or_default();
        let option = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let path = [option("file_path"), option("path")].into_iter().find(|it| !it.is_empty());
        let path = path.ok_or_else(|| Failure(format!("{device} names no file")))?;
        let bytes = match world.server()?.read_file(path).await {
            Err(missing) if missing.is_missing() => return Err(world.skip(missing.to_string())),
            other => other?,
        };
        let text = String::from_utf8(bytes)?;
        let mut log = Log { requests: BTreeMap::new(), answered: BTreeSet::new(), text };
        for line in log.text.lines() {
            let line = line.strip_prefix(option("prefix")).unwrap_or(line);
            let line: Value = serde_json::from_str(line)?;
            let text = |at: &str| line.pointer(at).and_then(Value::as_str).map(str::to_owned);
            match line["type"].as_str() {
                Some("request") => {
                    let operation = text("/request/operation").unwrap_or_default();
                    let path = text("/request/path").unwrap_or_default();
                    let path = path.trim_end_matches('/').to_owned();
                    *log.requests.entry((operation, path)).or_default() += 1;
                }
                Some("response") => log.answered.extend(text("/request/id")),
                _ => return failure("a line of the log is neither request nor response"),
            }
        }
        Ok(log)
    }
}

/// What Vault may call a request: a write is of what is there, or not yet.
fn operations(method: Method) -> &'static [&'static str] {
    match method {
        Method::Get => &["read"],
        Method::List => &["list"],
        Method::Post => &["update", "create"],
        Method::Patch => &["patch"],
        Method::Delete => &["delete"],
    }
}
