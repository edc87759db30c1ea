//! A Vault Agent: what it renders and publishes works, and what becomes of it when the agent ends.

use std::time::{Duration, Instant};

use cucumber::{gherkin::Step, given, then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::process::Command;
use vault_model::request::Method;

use super::{
    SOON,
    approle::{mount, noted},
    consumer::{of, take_consumer},
    database::lookup,
    kv, program, until,
    vault::ask,
};
use crate::{
    ground::{
        AgentLogin, AgentOptions, SECRET_ID_FILE, TOKEN_FILE, Template, servers, write_private,
    },
    statements::Heard,
    world::{Credential, Failure, Result, World, ensure, failure},
};

pub const AGENT: &str = "agent";

/// Its rows: a file, where its template is, and what is run whenever the file has changed.
#[when(
    regex = r#"^an agent logs in by "([^"]+)"(?: with the wrapped secret-id (\w+))? and renders$"#
)]
async fn renders(world: &mut World, path: String, wrapped: String, step: &Step) -> Result {
    let role = world.vault()?.read(&format!("{path}/role-id")).await?.unwrap_or_default();
    let role_id = role.get("role_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_wrapped = !wrapped.is_empty();
    let secret_id = match is_wrapped {
        true => noted(world, &wrapped)?.into(),
        false => new_secret_id(world, &path).await?,
    };
    let server = world.server()?;
    let database = world.databases.values().next().map(|it| it.address_from_here.clone());
    let options = AgentOptions {
        vault_address: server.address.clone(),
        ca_certificate: server.ca_certificate.clone(),
        mount: mount(&path)?.to_owned(),
        login: AgentLogin::AppRole {
            role_id,
            secret_id,
            wrapped_at: is_wrapped.then(|| format!("{path}/secret-id")),
        },
        templates: templates(world, step)?,
        environment: vec![("DB_ADDRESS".into(), database.unwrap_or_default().into())],
    };
    world.noted.insert("agent-role".into(), path.into());
    let agent = world.bench().ground.agent(&options).await;
    take_consumer(world, AGENT, agent).await
}

fn templates(world: &World, step: &Step) -> Result<Vec<Template>> {
    let table = step.table.as_ref().ok_or_else(|| Failure("the step has no table".into()))?;
    let template = |row: &Vec<String>| {
        let [file, source, command] = row.as_slice() else {
            return failure("a row has a file, its template and a command");
        };
        let mut command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        if let Some(program) = command.first_mut() {
            *program = world.path(program).canonicalize()?.display().to_string();
        }
        let contents = std::fs::read_to_string(world.path(source))?;
        Ok(Template { file: file.clone(), contents, command })
    };
    table.rows.iter().map(template).collect()
}

async fn new_secret_id(world: &World, path: &str) -> Result<SecretString> {
    let made = ask(world.vault()?, Method::Post, &format!("{path}/secret-id"), json!({})).await?;
    let secret_id = made.data.as_ref().and_then(|it| it.get("secret_id")?.as_str());
    let secret_id = secret_id.ok_or_else(|| Failure("the answer has no secret-id".into()))?;
    world.add_secret("the agent's secret-id", secret_id);
    Ok(secret_id.into())
}

#[then(expr = "the agent has deleted its secret-id file")]
async fn has_deleted(world: &mut World) -> Result {
    let file = of(world, AGENT)?.folder().join(SECRET_ID_FILE);
    until(SOON, || async { ensure(!file.exists(), || "the file is still there".into()) }).await
}

#[then(expr = "its file {word} gives the credential {word}")]
async fn gives(world: &mut World, file: String, name: String) -> Result {
    rendered(world, &file, &name, None).await
}

#[then(expr = "its file {word} gives another credential than {word}, called {word}")]
async fn gives_another(world: &mut World, file: String, old: String, name: String) -> Result {
    let old = world.credential(&old)?.username.clone();
    rendered(world, &file, &name, Some(&old)).await
}

#[then(expr = "its file {word} still gives the credential {word}")]
async fn still_gives(world: &mut World, file: String, name: String) -> Result {
    let text = std::fs::read_to_string(of(world, AGENT)?.folder().join(&file))?;
    let now = credential(&text, &file)?.username;
    let wanted = &world.credential(&name)?.username;
    ensure(now == *wanted, || format!("it gives {now}, not {wanted}"))
}

async fn rendered(world: &mut World, file: &str, name: &str, not: Option<&str>) -> Result {
    let path = of(world, AGENT)?.folder().join(file);
    let began = Instant::now();
    let found = loop {
        of(world, AGENT)?.still_runs()?;
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        match credential(&text, file) {
            Ok(found) if not != Some(found.username.as_str()) => break found,
            other if began.elapsed() > SOON => {
                let why = other.map_or_else(|err| err.0, |_| "it is the same credential".into());
                return failure(format!("{file}, after {} s: {why}", SOON.as_secs()));
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    world.evidence(format!("{file} gives {}, lease {}", found.username, found.lease_id));
    keep(world, name, found);
    Ok(())
}

pub fn keep(world: &mut World, name: &str, credential: Credential) {
    world.add_secret(&format!("the password of {name}"), credential.password.expose_secret());
    world.credentials.insert(name.to_owned(), credential);
}

/// From a JSON object with `username`, `password`, `lease_id` and `lease_duration`.
fn credential(text: &str, place: &str) -> Result<Credential> {
    let data: Value =
        serde_json::from_str(text).map_err(|_| Failure(format!("{place} holds no JSON object")))?;
    let text = |key: &str| {
        let value = data.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        value.map(str::to_owned).ok_or_else(|| Failure(format!("{place} gives no {key}")))
    };
    Ok(Credential {
        username: text("username")?,
        password: text("password")?.into(),
        lease_id: text("lease_id")?,
        lease_seconds: data.get("lease_duration").and_then(Value::as_u64).unwrap_or_default(),
        renewable: true,
        issued_at: Instant::now(),
        path: place.to_owned(),
    })
}

/// A note of the command in `commands`: one line each time that it is run.
#[then(expr = "its command has run {int} time(s)")]
async fn has_run(world: &mut World, times: usize) -> Result {
    let file = of(world, AGENT)?.folder().join("commands");
    let lines = || std::fs::read_to_string(&file).unwrap_or_default().lines().count();
    until(SOON, || async { ensure(lines() >= times, || format!("it has run {} times", lines())) })
        .await?;
    ensure(lines() == times, || format!("it has run {} times", lines()))
}

#[then(expr = "its file {word} is not rendered within {int} seconds")]
async fn is_not_rendered(world: &mut World, file: String, seconds: u64) -> Result {
    let path = of(world, AGENT)?.folder().join(&file);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    of(world, AGENT)?.still_runs()?;
    ensure(!path.exists(), || format!("{file} is there"))
}

/// Whoever holds a lease renews it, and nobody else does.
#[then(expr = "the lease of {word} is renewed before it ends")]
async fn is_renewed(world: &mut World, name: String) -> Result {
    let credential = world.credential(&name)?;
    let deadline = Duration::from_secs(credential.lease_seconds);
    until(deadline, || async {
        let lease = lookup(world, &credential.lease_id).await?;
        let lease = lease.ok_or_else(|| Failure("the lease is gone".into()))?;
        ensure(lease["last_renewal"].is_string(), || "nobody has renewed it".into())?;
        world
            .evidence(format!("issued {}, renewed {}", lease["issue_time"], lease["last_renewal"]));
        Ok(())
    })
    .await
}

/// From one renewal to the next: an agent renews a lease first as soon as it has it.
#[then(expr = "the lease of {word} is renewed each time between {float} s and {float} s")]
async fn is_renewed_in_time(world: &mut World, name: String, least: f64, most: f64) -> Result {
    let credential = world.credential(&name)?;
    // What Vault says of the last renewal, and when it was first seen to say so.
    let mut renewals: Vec<(Value, Instant)> = Vec::new();
    while renewals.len() <= RENEWALS {
        let lease = lookup(world, &credential.lease_id).await?;
        let lease = lease.ok_or_else(|| Failure("the lease is gone".into()))?;
        let last = &lease["last_renewal"];
        if last.is_string() && renewals.last().is_none_or(|(it, _)| it != last) {
            renewals.push((last.clone(), Instant::now()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for pair in renewals.windows(2) {
        let waited = (pair[1].1 - pair[0].1).as_secs_f64();
        let seen = format!("renewed again after {waited:.1} s");
        ensure((least..=most).contains(&waited), || seen.clone())?;
        world.evidence(seen);
    }
    Ok(())
}

/// That are measured.
const RENEWALS: usize = 2;

#[when(expr = "the first life of {word} is over")]
async fn first_life_is_over(world: &mut World, name: String) -> Result {
    let credential = world.credential(&name)?;
    let over = credential.issued_at + Duration::from_secs(credential.lease_seconds + 1);
    tokio::time::sleep(over.saturating_duration_since(Instant::now())).await;
    Ok(())
}

#[when(expr = "the agent ends")]
async fn ends(world: &mut World) -> Result {
    of(world, AGENT)?.stop().await;
    Ok(())
}

/// As the injector of Kubernetes has it done where `agent-revoke-on-shutdown` is set.
#[when(expr = "the agent's token is revoked by itself")]
async fn revokes_itself(world: &mut World) -> Result {
    revoke_token(world).await
}

/// By the command that the injector puts before the agent's end, of the agent's own binary. It finds the token by itself.
pub async fn revoke_token(world: &mut World) -> Result {
    let home = of(world, AGENT)?.folder().to_owned();
    let token = std::fs::read_to_string(home.join(TOKEN_FILE))?;
    world.add_secret("the agent's token", token.trim());
    let binary = servers::find_or_build().await?;
    let server = world.server()?;
    let mut command = Command::new(&binary.path);
    command.args(["token", "revoke", &format!("-address={}", server.address), "-self"]);
    command.env_clear().env("HOME", &home);
    command.envs(server.ca_certificate.iter().map(|it| ("VAULT_CACERT", it)));
    let output = program::run(world, ("Vault", "the agent's token"), &home, command).await?;
    let said = output.answer();
    ensure(output.status.success(), || said.clone())?;
    world.evidence(said);
    Ok(())
}

#[when(expr = "the agent is started again")]
async fn is_started_again(world: &mut World) -> Result {
    Ok(of(world, AGENT)?.start_again()?)
}

#[given(expr = "the agent is given a new secret-id")]
#[when(expr = "the agent is given a new secret-id")]
async fn is_given(world: &mut World) -> Result {
    let path = noted(world, "agent-role")?;
    let secret_id = new_secret_id(world, &path).await?;
    let file = of(world, AGENT)?.folder().join(SECRET_ID_FILE);
    Ok(write_private(&file, secret_id.expose_secret())?)
}

/// `value` holds it as JSON.
#[then(
    expr = "the secret {string} of {string} comes to version {int} and gives the credential {word}"
)]
async fn published(
    world: &mut World,
    path: String,
    mount: String,
    version: u64,
    name: String,
) -> Result {
    let data = at_version(world, &path, &mount, version).await?;
    let found = credential(data["value"].as_str().unwrap_or_default(), &path)?;
    world.evidence(format!("version {version} of {path} gives {}", found.username));
    keep(world, &name, found);
    Ok(())
}

/// `conn_uri` holds it as a URL.
#[then(expr = "the secret {string} of {string} comes to version {int} and connects as {word}")]
async fn connects_as(
    world: &mut World,
    path: String,
    mount: String,
    version: u64,
    name: String,
) -> Result {
    let data = at_version(world, &path, &mount, version).await?;
    let url: url::Url = data["conn_uri"].as_str().unwrap_or_default().parse()?;
    let wanted = world.credential(&name)?;
    let is_same = url.username() == wanted.username
        && url.password() == Some(wanted.password.expose_secret());
    ensure(is_same, || format!("it connects as {}, not as {}", url.username(), wanted.username))
}

#[then(expr = "the secret {string} of {string} is still at version {int}")]
async fn is_still_at(world: &mut World, path: String, mount: String, version: u64) -> Result {
    let metadata = kv::metadata(world, &mount, &path).await?;
    ensure(metadata.current_version == version, || {
        format!("it is at version {}", metadata.current_version)
    })
}

async fn at_version(world: &mut World, path: &str, mount: &str, version: u64) -> Result<Value> {
    of(world, AGENT)?.still_runs()?;
    let world = &*world;
    until(SOON, || async {
        let metadata = kv::metadata(world, mount, path).await?;
        let at = metadata.current_version;
        ensure(at == version, || format!("{path} is at version {at}"))
    })
    .await?;
    kv::read(world, mount, path).await
}
