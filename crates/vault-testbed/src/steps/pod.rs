//! A pod's agent: a real Vault Agent that is told what the injector would tell it, by the annotations of a manifest.

use std::{path::Path, time::Instant};

use cucumber::{then, when};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use vault_model::{manifests::PREFIX, source::Sources, yaml};

use super::{
    SOON,
    agent::{AGENT, keep, revoke_token},
    consumer::{of, take_consumer},
    database::lookup,
    until,
};
use crate::{
    ground::{
        AgentLogin, AgentOptions, Template,
        far::{
            Said,
            kubernetes::{Account, KUBERNETES},
        },
    },
    world::{Change, Credential, Failure, Result, World, ensure, failure},
};

/// What its manifest says.
struct Pod {
    account: Account,
    /// That its JWT is for.
    audience: String,
    role: String,
    templates: Vec<Template>,
    revokes_at_its_end: bool,
}

impl Pod {
    /// The first pod, or what makes some, that asks for an agent.
    fn read(path: &Path) -> Result<Self> {
        let mut sources = Sources::default();
        let documents =
            yaml::read_all(&mut sources, path.display().to_string(), &std::fs::read(path)?);
        let documents = documents.map_err(|_| Failure("the manifest is no YAML".into()))?;
        let pod = documents.iter().find_map(|it| Self::of(&it.to_json()));
        pod.ok_or_else(|| Failure(format!("no pod of {} asks for an agent", path.display())))
    }

    fn of(document: &Value) -> Option<Self> {
        let template = document.pointer("/spec/template")?;
        let annotations = template.pointer("/metadata/annotations")?.as_object()?;
        let says = |name: &str| annotations.get(&format!("{PREFIX}{name}"))?.as_str();
        if says("agent-inject") != Some("true") {
            return None;
        }
        let secrets = annotations
            .keys()
            .filter_map(|it| it.strip_prefix(PREFIX)?.strip_prefix("agent-inject-secret-"));
        let templates = secrets.map(|name| {
            let contents = says(&format!("agent-inject-template-{name}"))?.to_owned();
            Some(Template { file: name.to_owned(), contents, command: Vec::new() })
        });
        let text = |at: &str| document.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let volume = says("agent-service-account-token-volume-name")?;
        let volumes = template.pointer("/spec/volumes")?.as_array()?;
        let volume = volumes.iter().find(|it| it["name"] == volume)?;
        let audience = volume.pointer("/projected/sources/0/serviceAccountToken/audience")?;
        Some(Self {
            account: Account {
                namespace: text("/metadata/namespace")?,
                name: text("/spec/template/spec/serviceAccountName")?,
            },
            audience: audience.as_str()?.to_owned(),
            role: says("role")?.to_owned(),
            templates: templates.collect::<Option<_>>()?,
            revokes_at_its_end: says("agent-revoke-on-shutdown") == Some("true"),
        })
    }
}

/// No API server issues a JWT that lasts less.
const LIFE_SECONDS: u64 = 600;
const REVOKES: &str = "pod-revokes";

#[when(regex = r#"^the pod of "([^"]+)" starts(?: as the account "([^"]+)")?$"#)]
async fn starts(world: &mut World, manifest: String, other: String) -> Result {
    let mut pod = Pod::read(&world.path(&manifest))?;
    if !other.is_empty() {
        pod.account.name = other;
    }
    let mut clusters = world.databases.values().filter(|it| it.side.word == KUBERNETES.word);
    let cluster = clusters.next().ok_or_else(|| Failure("the ground has no cluster".into()))?;
    let superuser = cluster.superuser("");
    pod.account.create(&superuser).await?;
    let jwt = pod.account.jwt(&superuser, &[&pod.audience], LIFE_SECONDS).await?;
    world.add_secret("the pod's JWT", jwt.expose_secret());
    let server = world.server()?;
    let options = AgentOptions {
        vault_address: server.address.clone(),
        ca_certificate: server.ca_certificate.clone(),
        mount: "auth/kubernetes".into(),
        login: AgentLogin::Kubernetes { role: pod.role, jwt },
        templates: pod.templates,
        environment: Vec::new(),
    };
    world.evidence(format!("an agent logs in as {}", pod.account));
    world.noted.insert(REVOKES.into(), pod.revokes_at_its_end.into());
    let agent = world.bench().ground.agent(&options).await;
    take_consumer(world, AGENT, agent).await
}

/// As the injector has it done where `agent-revoke-on-shutdown` is set: before the agent is asked to end.
#[when(expr = "the pod ends")]
async fn ends(world: &mut World) -> Result {
    if world.noted.get(REVOKES) == Some(&Value::Bool(true)) {
        revoke_token(world).await?;
    }
    of(world, AGENT)?.stop().await;
    Ok(())
}

#[then(expr = "its file {word} exports the credential {word} of {string}")]
async fn exports(world: &mut World, file: String, name: String, path: String) -> Result {
    exported(world, &file, &name, &path, None).await
}

#[then(expr = "its file {word} exports another credential than {word} of {string}, called {word}")]
async fn exports_another(
    world: &mut World,
    file: String,
    old: String,
    path: String,
    name: String,
) -> Result {
    let old = world.credential(&old)?.username.clone();
    exported(world, &file, &name, &path, Some(old)).await
}

#[then(expr = "its file {word} still exports the credential {word}")]
async fn still_exports(world: &mut World, file: String, name: String) -> Result {
    let (username, _) = login_in(world, &file)?;
    let wanted = &world.credential(&name)?.username;
    ensure(username == *wanted, || format!("it exports {username}, not {wanted}"))
}

#[then(expr = "the login that its file {word} exports works in {word}")]
async fn works_in(world: &mut World, file: String, database: String) -> Result {
    until_exported(world, &file, None).await?;
    let (username, password) = login_in(world, &file)?;
    world.add_secret("a password that the agent has rendered", password.expose_secret());
    let server = world.database(&database)?;
    let hello = server.side.hello;
    match server.login(&username, &password).say(hello).await? {
        Said::Done => {
            world.turn(&username, Change::Used, None, format!("{username} says {hello}"));
            Ok(())
        }
        Said::Refused(refusal) => failure(format!("{username}: {refusal}")),
    }
}

/// Below `path` there is no lease but its own.
async fn exported(
    world: &mut World,
    file: &str,
    name: &str,
    path: &str,
    not: Option<String>,
) -> Result {
    until_exported(world, file, not.as_deref()).await?;
    let issued_at = Instant::now();
    let (username, password) = login_in(world, file)?;
    let leases = world.vault()?.list(&format!("sys/leases/lookup/{path}")).await?;
    let [lease] = leases.as_slice() else {
        return failure(format!("below {path} there are {} leases", leases.len()));
    };
    let lease_id = format!("{path}/{lease}");
    let data = lookup(world, &lease_id).await?.unwrap_or_default();
    let lease_seconds = data["ttl"].as_u64().unwrap_or_default();
    let seen = format!("{file} exports {username}, lease {lease_id}");
    world.turn(&username, Change::Issued, Some(lease_seconds), seen);
    let credential = Credential {
        username,
        password,
        lease_id,
        lease_seconds,
        renewable: true,
        issued_at,
        path: path.to_owned(),
    };
    keep(world, name, credential);
    Ok(())
}

async fn until_exported(world: &mut World, file: &str, not: Option<&str>) -> Result {
    of(world, AGENT)?.still_runs()?;
    let world = &*world;
    until(SOON, || async {
        let (username, _) = login_in(world, file)?;
        ensure(not != Some(&*username), || "it is the same credential".into())
    })
    .await
}

/// Of lines such as `export DB_USERNAME="…"`.
fn login_in(world: &World, file: &str) -> Result<(String, SecretString)> {
    let agent = world.consumers.get(AGENT).ok_or_else(|| Failure("there is no agent".into()))?;
    let text = std::fs::read_to_string(agent.folder().join(file))
        .map_err(|error| Failure(format!("{file}: {error}")))?;
    let value = |suffix: &str| {
        let said = text.lines().find_map(|line| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            name.ends_with(suffix).then(|| value.trim_matches('"').to_owned())
        });
        said.ok_or_else(|| Failure(format!("{file} exports nothing that ends in {suffix}")))
    };
    Ok((value("_USERNAME")?, value("_PASSWORD")?.into()))
}
