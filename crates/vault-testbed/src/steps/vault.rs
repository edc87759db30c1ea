//! A Vault, and raw requests to it.

use cucumber::{gherkin::Step, given, then, when};
use serde_json::{Map, Value};
use vault_client::{Answer, Failure as Refused, Vault, VaultError};
use vault_model::{
    Body,
    request::{Method, Request},
};

use super::{SOON, until};
use crate::{
    ground::{Mode, VaultOptions},
    world::{Failure, Result, World, ensure, failure},
};

#[given(expr = "a Vault")]
async fn a_vault(world: &mut World) -> Result {
    world.start_vault(&VaultOptions { audit: true, ..VaultOptions::default() }).await
}

#[given(expr = "a Vault with raft storage")]
async fn a_vault_with_raft(world: &mut World) -> Result {
    world.start_vault(&VaultOptions { mode: Mode::Raft, audit: true, ..Default::default() }).await
}

#[given(expr = "a Vault with raft storage, TLS and an audit log")]
async fn a_vault_with_everything(world: &mut World) -> Result {
    let options = VaultOptions { mode: Mode::Raft, tls: true, audit: true, ..Default::default() };
    world.start_vault(&options).await
}

#[when(expr = "Vault is restarted")]
async fn restart(world: &mut World) -> Result {
    Ok(world.server_mut()?.restart().await?)
}

#[when(expr = "Vault is killed and started again")]
async fn kill_and_start(world: &mut World) -> Result {
    world.server_mut()?.kill().await?;
    Ok(world.server_mut()?.start_again().await?)
}

/// As root, behind the spec's back.
#[given(expr = "someone writes {string}")]
#[when(expr = "someone writes {string}")]
async fn someone_writes(world: &mut World, path: String, step: &Step) -> Result {
    let body = body(world, step)?;
    world.vault()?.write(&world.filled(&path), body).await?;
    Ok(())
}

#[when(expr = "someone deletes {string}")]
async fn someone_deletes(world: &mut World, path: String) -> Result {
    world.vault()?.delete(&world.filled(&path)).await?;
    Ok(())
}

#[when(expr = "the token {word} reads {string}")]
async fn reads(world: &mut World, who: String, path: String) -> Result {
    let request = Request::get(world.filled(&path));
    send(world, &who, request).await
}

#[when(expr = "the token {word} lists {string}")]
async fn lists(world: &mut World, who: String, path: String) -> Result {
    let request = Request::list(world.filled(&path));
    send(world, &who, request).await
}

#[when(expr = "the token {word} writes {string}")]
async fn writes(world: &mut World, who: String, path: String, step: &Step) -> Result {
    let request = Request::post(world.filled(&path), body(world, step)?);
    send(world, &who, request).await
}

#[when(expr = "the token {word} deletes {string}")]
async fn deletes(world: &mut World, who: String, path: String) -> Result {
    let request = Request::delete(world.filled(&path));
    send(world, &who, request).await
}

/// By a token of this scenario; what comes of it is for the next step.
pub async fn send(world: &mut World, who: &str, request: Request) -> Result {
    let answer = world.token(who)?.clone().send_once(&request).await;
    world.evidence(format!("{who}: {request}: {}", said(&answer)));
    world.answer = Some(answer);
    Ok(())
}

#[then(expr = "it is allowed")]
async fn it_is_allowed(world: &mut World) -> Result {
    answer(world).map(drop)
}

#[then(expr = "it is refused with {int}")]
async fn it_is_refused(world: &mut World, status: u16) -> Result {
    refused(world, status).map(drop)
}

#[then(expr = "it is refused with {int} because {string}")]
async fn it_is_refused_because(world: &mut World, status: u16, reason: String) -> Result {
    let reasons = refused(world, status)?.reasons.join("; ");
    ensure(reasons.contains(&reason), || format!("it is refused because `{reasons}`"))
}

#[then(expr = "the answer holds")]
async fn the_answer_holds(world: &mut World, step: &Step) -> Result {
    let wanted = Value::Object(body(world, step)?);
    let data = answer(world)?.data.clone().unwrap_or_default();
    holds("the answer", &Value::Object(data), &wanted)
}

/// Only what the feature says is compared.
#[then(expr = "{string} holds")]
async fn path_holds(world: &mut World, path: String, step: &Step) -> Result {
    let wanted = Value::Object(body(world, step)?);
    let there = there(world, &path).await?;
    holds(&path, &Value::Object(there), &wanted)
}

#[then(expr = "{string} is there")]
async fn is_there(world: &mut World, path: String) -> Result {
    there(world, &path).await.map(drop)
}

#[when(expr = "{string} comes to be there")]
async fn comes_to_be_there(world: &mut World, path: String) -> Result {
    let world = &*world;
    until(SOON, || async { there(world, &path).await.map(drop) }).await
}

#[then(expr = "{string} is not there")]
async fn is_not_there(world: &mut World, path: String) -> Result {
    match world.vault()?.read(&world.filled(&path)).await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => failure(format!("{path} is there")),
        Err(err) if err.is_absence() || is_no_mount(&err) => Ok(()),
        Err(err) => Err(err.into()),
    }
}

#[given(expr = "the field {string} of {string} is noted as {word}")]
#[when(expr = "the field {string} of {string} is noted as {word}")]
async fn note_field(world: &mut World, field: String, path: String, name: String) -> Result {
    let value = field_of(world, &field, &path).await?;
    world.noted.insert(name, value);
    Ok(())
}

#[then(expr = "the field {string} of {string} is still {word}")]
async fn field_is_still(world: &mut World, field: String, path: String, name: String) -> Result {
    let value = field_of(world, &field, &path).await?;
    let noted = world.noted.get(&name).cloned();
    ensure(noted.as_ref() == Some(&value), || format!("{field} was {noted:?} and is {value}"))
}

/// What is at `path`, as root reads it.
pub async fn there(world: &World, path: &str) -> Result<Body> {
    let path = world.filled(path);
    let there = world.vault()?.read(&path).await?;
    there.ok_or_else(|| Failure(format!("{path} is not there")))
}

/// `config.max_lease_ttl` is a field within a field. A key with a dot in it is taken whole if it is there.
async fn field_of(world: &World, field: &str, path: &str) -> Result<Value> {
    let there = Value::Object(there(world, path).await?);
    let within = |it: &Value, key: &str| it.get(key).cloned();
    let found = within(&there, field)
        .or_else(|| field.split('.').try_fold(there, |value, key| within(&value, key)));
    found.ok_or_else(|| Failure(format!("{path} has no field {field}")))
}

/// The answer of the last request, which must have been allowed.
pub fn answer(world: &World) -> Result<&Answer> {
    match &world.answer {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(err)) => failure(format!("it was refused: {err}")),
        None => failure("nothing was asked yet"),
    }
}

pub fn refused(world: &World, status: u16) -> Result<&VaultError> {
    match &world.answer {
        Some(Err(err)) if err.status == Some(status) => Ok(err),
        Some(Err(err)) => failure(format!("it was refused otherwise: {err}")),
        Some(Ok(answer)) => failure(format!("it was allowed, with {}", answer.status)),
        None => failure("nothing was asked yet"),
    }
}

/// The step's doc string as a JSON object, noted values filled in.
pub fn body(world: &World, step: &Step) -> Result<Body> {
    let text = world.filled(step.docstring().map_or("{}", |it| it.as_str()));
    match serde_json::from_str(text.trim()) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => failure("the text under the step should be a JSON object"),
        Err(err) => failure(format!("the text under the step is no JSON: {err}")),
    }
}

/// Whether `there` has all that `wanted` has; lists are compared whole.
pub fn holds(name: &str, there: &Value, wanted: &Value) -> Result {
    let Value::Object(wanted) = wanted else {
        return ensure(there == wanted, || format!("{name} is {there}, not {wanted}"));
    };
    let nothing = Map::new();
    let there = there.as_object().unwrap_or(&nothing);
    wanted.iter().try_for_each(|(key, value)| {
        holds(&format!("{name}: {key}"), there.get(key).unwrap_or(&Value::Null), value)
    })
}

pub fn said(answer: &Result<Answer, VaultError>) -> String {
    match answer {
        Ok(answer) => answer.status.to_string(),
        Err(err) => match err.status {
            Some(status) => format!("{status} {}", err.reasons.join("; ")),
            None => err.to_string(),
        },
    }
}

/// By one of these statuses; another failure proves nothing. What Vault says is noted.
pub fn is_refused(world: &World, answer: &Result<Answer, VaultError>, by: &[u16]) -> Result {
    world.evidence(said(answer));
    refused_by(answer, by)
}

/// The same, where the step says itself what it has seen.
pub fn refused_by(answer: &Result<Answer, VaultError>, statuses: &[u16]) -> Result {
    match answer {
        Err(err) if err.status.is_some_and(|it| statuses.contains(&it)) => Ok(()),
        Err(err) => failure(format!("it is refused otherwise: {err}")),
        Ok(_) => failure("it is allowed"),
    }
}

fn is_no_mount(err: &VaultError) -> bool {
    // What `sys/auth/NAME` and `sys/mounts/NAME` say.
    let says = |text: &str| err.reasons.iter().any(|it| it.contains(text));
    matches!(err.failure, Refused::NoSuchMount)
        || says("No auth engine at")
        || says("No secret engine mount at")
}

/// A request that must not be repeated, and fails the step when it is refused.
pub async fn ask(vault: &Vault, method: Method, path: &str, body: Value) -> Result<Answer> {
    let body = body.as_object().cloned().unwrap_or_default();
    Ok(vault.send_once(&Request::new(method, path, body)).await?)
}
