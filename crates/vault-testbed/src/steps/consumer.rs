//! Programs of `fixtures/consumers`: they use what Vault issues, and write down what they live through.
//!
//! Each writes one JSON object a line to `events.jsonl` in its folder: `event`, and what belongs to it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use cucumber::{gherkin::Step, then, when};
use secrecy::SecretString;
use serde_json::{Value, json};
use vault_model::request::Method;

use super::{SOON, approle::mount, audit, until, vault::ask};
use crate::{
    ground::{Consumer, Error, Program, far, python, write_private},
    world::{Failure, Result, World, ensure, failure},
};

const EVENTS: &str = "events.jsonl";
/// What a step calls "the consumer".
const CONSUMER: &str = "consumer";

/// `fixtures/consumers/NAME/main.py`, in its own pinned environment. The rows become variables of its environment.
#[when(expr = "the consumer {word} runs as {string}")]
#[when(expr = "the consumer {word} runs as {string} with")]
async fn runs(world: &mut World, name: String, role: String, step: &Step) -> Result {
    runs_in(world, name.clone(), name, role, step).await
}

/// In one of several, such as that of another release of what it uses.
#[when(expr = "the consumer {word} runs in the environment {word} as {string} with")]
async fn runs_in(
    world: &mut World,
    name: String,
    environment: String,
    role: String,
    step: &Step,
) -> Result {
    let python = match python::environment(&environment).await {
        Ok(python) => python,
        Err(missing) if missing.is_missing() => return Err(world.skip(missing.to_string())),
        Err(error) => return Err(error.into()),
    };
    let program = world.path(&format!("fixtures/consumers/{name}/main.py")).canonicalize()?;
    let mut environment = who(world, &role).await?;
    environment.extend(where_it_is(world)?);
    environment.push(("PYTHONDONTWRITEBYTECODE".into(), "1".into()));
    for row in step.table.iter().flat_map(|it| &it.rows) {
        let [variable, value] = row.as_slice() else {
            return failure("a row has a variable and its value");
        };
        environment.push((variable.clone(), world.filled(value).into()));
    }
    let consumer = world.bench().ground.consumer(&name, |folder| {
        let events = folder.join(EVENTS);
        write_private(&events, "")?;
        environment.push(("EVENTS".into(), events.display().to_string().into()));
        let arguments = vec!["-u".into(), program.display().to_string()];
        Ok(Program { path: python.program(), arguments, environment })
    });
    take_consumer(world, CONSUMER, consumer).await
}

/// It logs in by itself, with a secret-id of its own.
async fn who(world: &World, role: &str) -> Result<Vec<(String, SecretString)>> {
    let id = world.vault()?.read(&format!("{role}/role-id")).await?.unwrap_or_default();
    let made = ask(world.vault()?, Method::Post, &format!("{role}/secret-id"), json!({})).await?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let secret_id = text(made.data.as_ref().and_then(|it| it.get("secret_id")));
    world.add_secret("the consumer's secret-id", &secret_id);
    let mount = mount(role)?.trim_start_matches("auth/").to_owned();
    Ok(vec![
        ("ROLE_ID".into(), text(id.get("role_id")).into()),
        ("SECRET_ID".into(), secret_id.into()),
        ("APPROLE_MOUNT".into(), mount.into()),
    ])
}

/// Vault, and the scenario's one database.
fn where_it_is(world: &World) -> Result<Vec<(String, SecretString)>> {
    let server = world.server()?;
    let mut environment = vec![("VAULT_ADDR".to_owned(), server.address.clone().into())];
    let ca = server.ca_certificate.iter();
    environment.extend(ca.map(|it| ("VAULT_CACERT".to_owned(), it.display().to_string().into())));
    if let Some(database) = world.databases.values().next() {
        let address = &database.address_from_here;
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "5432"));
        environment.push(("DB_HOST".into(), host.trim_matches(['[', ']']).into()));
        environment.push(("DB_PORT".into(), port.into()));
        environment.push(("DB_NAME".into(), database.database.clone().into()));
    }
    Ok(environment)
}

/// A machine that cannot have it skips the scenario.
pub async fn take_consumer(
    world: &mut World,
    name: &str,
    started: Result<Consumer, Error>,
) -> Result {
    match started {
        Ok(consumer) => {
            world.take_consumer(name, consumer).await;
            Ok(())
        }
        Err(missing) if missing.is_missing() => Err(world.skip(missing.to_string())),
        Err(error) => Err(error.into()),
    }
}

pub fn of<'a>(world: &'a mut World, name: &str) -> Result<&'a mut Consumer> {
    let consumer = world.consumers.get_mut(name);
    consumer.ok_or_else(|| Failure(format!("this scenario has started no {name}")))
}

/// From now on: what it has done before does not count.
#[then(expr = "it does {int} more job(s)")]
async fn does_more(world: &mut World, count: usize) -> Result {
    let before = named(&events(world)?, "done").len();
    wait_for(world, |events| {
        let done = named(events, "done").len() - before;
        ensure(done >= count, || format!("it has done {done} more"))
    })
    .await
}

#[then(expr = "it notices {int} time(s) that the database is unreachable")]
async fn notices(world: &mut World, count: usize) -> Result {
    wait_for(world, |events| {
        let noticed = named(events, "unreachable").len();
        ensure(noticed >= count, || format!("it has noticed it {noticed} times"))
    })
    .await
}

#[then(expr = "it has been refused by the database")]
async fn has_been_refused(world: &mut World) -> Result {
    wait_for(world, |events| {
        ensure(!named(events, "refused").is_empty(), || "it was not refused".into())
    })
    .await
}

#[then(expr = "it has taken {int} login(s) from Vault")]
#[then(expr = "it comes to have taken {int} logins from Vault")]
async fn has_taken(world: &mut World, count: usize) -> Result {
    wait_for(world, |events| {
        let taken = named(events, "login").len();
        ensure(taken >= count, || format!("it has taken {taken}"))
    })
    .await?;
    let taken = named(&events(world)?, "login").len();
    ensure(taken == count, || format!("it has taken {taken}"))
}

/// What the consumer says, Vault's own log confirms.
#[then(expr = "Vault was asked {int} time(s) for {string}")]
async fn was_asked(world: &mut World, count: usize, path: String) -> Result {
    let log = world.server()?.audit_log().await?;
    let asked = log.iter().filter_map(audit::entry);
    let asked = asked.filter(|it| it.operation == "read" && it.path == path).count();
    world.evidence(format!("the audit log has {asked} reads of {path}"));
    ensure(asked == count, || format!("it was asked {asked} times"))
}

#[then(expr = "no job has failed")]
async fn none_has_failed(world: &mut World) -> Result {
    let failed = named(&events(world)?, "failed");
    ensure(failed.is_empty(), || format!("{} have failed: {}", failed.len(), failed[0]))?;
    let done = named(&events(world)?, "done").len();
    world.evidence(format!("{done} jobs were done, and none has failed"));
    ensure(done > 0, || "it has done nothing".into())
}

#[then(expr = "it has no event {word}")]
async fn has_no_event(world: &mut World, name: String) -> Result {
    let found = named(&events(world)?, &name);
    ensure(found.is_empty(), || format!("it has {}, the first is {}", found.len(), found[0]))
}

/// Only what was under way when the login ended.
#[then(expr = "at most {int} job(s) was/were interrupted, and none was lost")]
async fn at_most_interrupted(world: &mut World, most: usize) -> Result {
    let events = events(world)?;
    let interrupted = named(&events, "interrupted").len();
    let mut jobs: Vec<u64> =
        named(&events, "done").iter().filter_map(|it| it["job"].as_u64()).collect();
    jobs.sort_unstable();
    let missing = (1..=jobs.len() as u64).zip(&jobs).find(|(wanted, job)| wanted != *job);
    world.evidence(format!("{} jobs were done, {interrupted} at the second attempt", jobs.len()));
    ensure(missing.is_none(), || format!("jobs are missing, or were done twice: {missing:?}"))?;
    ensure(interrupted <= most, || format!("{interrupted} were interrupted"))
}

#[then(expr = "all its logins but the last are no roles of {word} any more")]
#[then(expr = "all its logins but the last are no users of {word} any more")]
async fn replaced_are_gone(world: &mut World, database: String) -> Result {
    let logins = usernames(&events(world)?);
    gone(world, &database, &logins[..logins.len().saturating_sub(1)]).await
}

#[then(expr = "its first {int} logins are no roles of {word} any more")]
async fn first_are_gone(world: &mut World, count: usize, database: String) -> Result {
    let logins = usernames(&events(world)?);
    ensure(logins.len() > count, || format!("it has had only {} logins", logins.len()))?;
    gone(world, &database, &logins[..count]).await
}

async fn gone(world: &World, database: &str, logins: &[String]) -> Result {
    ensure(!logins.is_empty(), || "it has had no login before the one that it has".into())?;
    let server = world.database(database)?;
    let (superuser, catalogue) = (server.superuser(&server.database), server.side.catalogue);
    until(SOON, || async {
        for login in logins {
            let is_there = superuser.knows(login).await?;
            ensure(!is_there, || format!("{catalogue} still has {login}"))?;
        }
        Ok(())
    })
    .await?;
    world.evidence(format!("{catalogue} has none of {}", logins.join(", ")));
    Ok(())
}

#[then(expr = "its jobs were done as at least {int} logins, and always as the role {word}")]
async fn done_as(world: &mut World, count: usize, role: String) -> Result {
    wait_for(world, |events| {
        let done = named(events, "done");
        let logins: BTreeSet<&str> = done.iter().filter_map(|it| it["login"].as_str()).collect();
        let other = done.iter().find(|it| it["role"] != role.as_str());
        ensure(other.is_none(), || format!("one was done otherwise: {other:?}"))?;
        ensure(logins.len() >= count, || format!("they were done as {} logins", logins.len()))
    })
    .await
}

/// One SQL query, as the superuser, that answers yes or no.
#[then(expr = "in {word} this is true")]
async fn is_true(world: &mut World, database: String, step: &Step) -> Result {
    let sql = step.docstring().map_or("", |it| it.as_str()).trim().to_owned();
    let server = world.database(&database)?;
    let holds = far::is_true(&server.superuser(&server.database), &sql).await?;
    ensure(holds, || "it is false".into())
}

/// What its latest event of this name says; only what the feature says is compared.
#[then(expr = "before long its event {word} holds")]
async fn event_holds(world: &mut World, name: String, step: &Step) -> Result {
    let wanted = Value::Object(super::vault::body(world, step)?);
    wait_for(world, |events| {
        let found = named(events, &name);
        let last = found.last().ok_or_else(|| Failure(format!("there is no event {name}")))?;
        super::vault::holds(&name, last, &wanted)
    })
    .await
}

/// By the login that Vault has issued last, as Airflow tells it itself.
#[then(expr = "it comes to be answered {int} as {word}")]
async fn is_answered(world: &mut World, answer: i64, name: String) -> Result {
    let wanted = world.credential(&name)?.username.clone();
    wait_for(world, |events| {
        let answered = named(events, "answered");
        let last = answered.last().ok_or_else(|| Failure("it was not answered yet".into()))?;
        ensure(last["login"] == *wanted && last["told"] == *wanted, || format!("it is {last}"))?;
        ensure(last["answer"] == answer, || format!("it is answered {}", last["answer"]))
    })
    .await?;
    world.evidence(format!("answered {answer} as {wanted}"));
    Ok(())
}

fn usernames(events: &[Value]) -> Vec<String> {
    let logins = named(events, "login");
    logins.iter().filter_map(|it| it["username"].as_str().map(str::to_owned)).collect()
}

pub fn named(events: &[Value], name: &str) -> Vec<Value> {
    events.iter().filter(|it| it["event"] == name).cloned().collect()
}

/// So far; a line that is still being written has no end yet.
pub fn events(world: &mut World) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(of(world, CONSUMER)?.folder().join(EVENTS))?;
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().filter(|it| !it.is_empty());
    Ok(lines.map(serde_json::from_str).collect::<Result<Vec<Value>, serde_json::Error>>()?)
}

/// Until its events are as they should be, or it ends.
async fn wait_for(world: &mut World, check: impl Fn(&[Value]) -> Result) -> Result {
    let began = Instant::now();
    loop {
        let events = events(world)?;
        let Err(why) = check(&events) else { return Ok(()) };
        of(world, CONSUMER)?.still_runs()?;
        if began.elapsed() > LONGEST {
            let last = events.last().map_or_else(|| "nothing".to_owned(), Value::to_string);
            let seconds = LONGEST.as_secs();
            return failure(format!("still not after {seconds} s: {why}; its last event: {last}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Importing Airflow takes seconds of a busy machine.
const LONGEST: Duration = Duration::from_secs(60);
