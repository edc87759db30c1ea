//! Keys that an SSH engine signs, and the passwords that it gives: a real sshd says whom they let in.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use cucumber::{given, then, when};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::process::Command;
use vault_client::{Answer, VaultError};
use vault_model::{Body, request::Request};

use crate::{
    ground::{
        Server,
        far::{
            SSHD, Said,
            ssh::{complaint, known_host, ssh},
            sshd::{HOST_KEY, trust},
        },
        on_path,
    },
    steps::{
        SOON, program,
        vault::{refused_by, said, there},
    },
    world::{Failure, Result, World, ensure, failure},
};

/// What the scenario calls "the key": a new one of a person's, signed by a role.
pub struct SignedKey {
    folder: PathBuf,
    mount: String,
    signed_at: Instant,
    /// Seconds, as its certificate says.
    valid_from: i64,
    valid_until: i64,
}

/// Whom an sshd takes: who has a key that this engine has signed for this principal.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    mount: String,
    principal: String,
}

/// Of whom nobody has heard.
const NOBODY: &str = "vaultwright-nobody";
/// What a command at the far end says once it is let in.
const GREETING: &str = "let-in";
/// A clock counts in whole seconds, and logging in takes a while.
const SLACK_SECONDS: i64 = 2;

/// Before a key of a short life is signed: telling an sshd takes a login of its own.
#[given(expr = "the sshd {string} takes {string} with a key of {string}")]
async fn takes(world: &mut World, name: String, principal: String, role: String) -> Result {
    let mount = parts(&role)?.0.to_owned();
    tell_whom_to_take(world, &name, Taken { mount, principal }).await
}

#[when(expr = "{string} signs a key for {string}")]
async fn signs(world: &mut World, role: String, principal: String) -> Result {
    let (mount, name) = parts(&role)?;
    let folder = world.folder()?;
    new_key(world, &folder).await?;
    let answer = sign(world, mount, name, &folder, Some(&principal)).await?;
    let data = answer?.data.unwrap_or_default();
    let certificate = data.get("signed_key").and_then(Value::as_str).unwrap_or_default();
    std::fs::write(folder.join(CERTIFICATE), certificate)?;
    let told = tell(&folder).await?;
    let (valid_from, valid_until) = validity(&told)
        .ok_or_else(|| Failure(format!("ssh-keygen tells no validity of it:\n{told}")))?;
    let seconds = valid_until - valid_from;
    world.evidence(format!("for {principal}, valid for {seconds} s"));
    world.proven.signed_key = Some(SignedKey {
        folder,
        mount: mount.to_owned(),
        signed_at: Instant::now(),
        valid_from,
        valid_until,
    });
    Ok(())
}

/// Vault begins a little before it signs, since clocks differ: that part does not count.
#[then(expr = "the key is valid for {int} s, and {int} s before")]
async fn is_valid_for(world: &mut World, seconds: i64, before: i64) -> Result {
    let key = world.proven.signed_key()?;
    let lasts = key.valid_until - key.valid_from - before;
    ensure((lasts - seconds).abs() <= SLACK_SECONDS, || {
        format!("the key is valid for {lasts} s, not {seconds} s")
    })
}

#[then(expr = "the sshd {string}, which takes {string}, lets the key in")]
async fn lets_in(world: &mut World, name: String, principal: String) -> Result {
    let output = log_in(world, &name, &principal, KEY).await?;
    match is_let_in(&output) {
        true => Ok(()),
        false => {
            let age = world.proven.signed_key()?.signed_at.elapsed().as_secs_f64();
            failure(format!(
                "sshd refuses it {age:.1} s after it was signed: {}",
                complaint(&output)
            ))
        }
    }
}

#[then(expr = "the sshd {string}, which takes nobody but {string}, refuses the key")]
async fn refuses(world: &mut World, name: String, principal: String) -> Result {
    let output = log_in(world, &name, &principal, KEY).await?;
    is_refused(&output)
}

/// What Vault has signed opens, and no key by itself.
#[then(expr = "the sshd {string}, which takes {string}, refuses the key without its certificate")]
async fn refuses_alone(world: &mut World, name: String, principal: String) -> Result {
    let folder = &world.proven.signed_key()?.folder;
    std::fs::copy(folder.join(KEY), folder.join(ALONE))?;
    let output = log_in(world, &name, &principal, ALONE).await?;
    is_refused(&output)
}

/// Neither later nor earlier.
#[then(expr = "the sshd {string}, which takes {string}, refuses the key once its life is over")]
async fn refuses_in_time(world: &mut World, name: String, principal: String) -> Result {
    take_only(world, &name, &principal).await?;
    let server = machine(world, &name)?;
    let key = world.proven.signed_key()?;
    let ends_at = key.valid_until;
    let deadline = Duration::from_secs((ends_at - now()).max(0).unsigned_abs()) + SOON;
    let began = Instant::now();
    loop {
        let asked_at = now();
        let output = client(world, server, KEY).await?;
        if !is_let_in(&output) {
            is_refused(&output)?;
            let age = world.proven.signed_key()?.signed_at.elapsed().as_secs_f64();
            world.evidence(format!("refused {age:.1} s after it was signed"));
            return ensure(now() + SLACK_SECONDS >= ends_at, || {
                format!("it is refused {age:.1} s after it was signed, before its life is over")
            });
        }
        ensure(asked_at <= ends_at + SLACK_SECONDS && began.elapsed() < deadline, || {
            "sshd still lets it in".into()
        })?;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[then(expr = "{string} signs no key for another than it allows")]
async fn signs_for_no_other(world: &mut World, role: String) -> Result {
    refuses_to_sign(world, &role, Some(NOBODY)).await
}

#[then(expr = "{string} signs no key that is for nobody in particular")]
async fn signs_for_all(world: &mut World, role: String) -> Result {
    let default = there(world, &role).await?.remove("default_user");
    let default = default.as_ref().and_then(Value::as_str).unwrap_or_default();
    if !default.is_empty() {
        world.evidence(format!("what is for nobody in particular is for {default}"));
        return Ok(());
    }
    refuses_to_sign(world, &role, None).await
}

async fn refuses_to_sign(world: &mut World, role: &str, principal: Option<&str>) -> Result {
    let (mount, name) = parts(role)?;
    let folder = world.folder()?;
    new_key(world, &folder).await?;
    let answer = sign(world, mount, name, &folder, principal).await?;
    world.evidence(said(&answer));
    refused_by(&answer, &[400])
}

#[then(expr = "a password of {string} for {string} is good for one login")]
async fn good_once(world: &mut World, role: String, address: String) -> Result {
    let (mount, name) = parts(&role)?;
    let body = Body::from_iter([("ip".to_owned(), json!(address))]);
    let request = Request::post(format!("{mount}/creds/{name}"), body);
    let data = world.vault()?.send_once(&request).await?.data.unwrap_or_default();
    let password = data.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    world.add_secret("a password for one login", &password);
    let body = Body::from_iter([("otp".to_owned(), json!(password))]);
    // What a machine asks when somebody logs in: it has no token.
    let verify = Request::post(format!("{mount}/verify"), body);
    let data = world.anonymous()?.send_once(&verify).await?.data.unwrap_or_default();
    let is_for = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    world.evidence(format!("good for {} at {}", is_for("username"), is_for("ip")));
    ensure(is_for("ip") == address, || format!("it is good for {}", is_for("ip")))?;
    let again = world.anonymous()?.send_once(&verify).await;
    world.evidence(format!("a second time: {}", said(&again)));
    refused_by(&again, &[400])
}

#[then(expr = "{string} gives no password for {string}")]
async fn no_password(world: &mut World, role: String, address: String) -> Result {
    let (mount, name) = parts(&role)?;
    let body = Body::from_iter([("ip".to_owned(), json!(address))]);
    let request = Request::post(format!("{mount}/creds/{name}"), body);
    let answer = world.vault()?.send_once(&request).await;
    world.evidence(said(&answer));
    refused_by(&answer, &[400])
}

/// Of `ssh/roles/people`: the mount and the name.
fn parts(role: &str) -> Result<(&str, &str)> {
    role.rsplit_once("/roles/").ok_or_else(|| Failure(format!("{role} is no role of SSH")))
}

const KEY: &str = "key";
/// Where `ssh` looks for that of the key.
const CERTIFICATE: &str = "key-cert.pub";
/// The same key, beside which no certificate is.
const ALONE: &str = "key-alone";
const KNOWN_HOSTS: &str = "known_hosts";

async fn new_key(world: &World, folder: &Path) -> Result {
    for name in [KEY, "key.pub", CERTIFICATE] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    if on_path("ssh-keygen").is_none() || on_path("ssh").is_none() {
        return Err(world.skip("there is no ssh here: install OpenSSH's client"));
    }
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "vaultwright-proof", "-f"]);
    let output = command.arg(folder.join(KEY)).output().await?;
    ensure(output.status.success(), || format!("ssh-keygen: {}", complaint(&output)))
}

async fn sign(
    world: &World,
    mount: &str,
    name: &str,
    folder: &Path,
    principal: Option<&str>,
) -> Result<Result<Answer, VaultError>> {
    let public = std::fs::read_to_string(folder.join("key.pub"))?;
    let mut body = Body::from_iter([
        ("public_key".to_owned(), json!(public)),
        ("cert_type".to_owned(), json!("user")),
    ]);
    body.extend(principal.map(|it| ("valid_principals".to_owned(), json!(it))));
    let request = Request::post(format!("{mount}/sign/{name}"), body);
    Ok(world.vault()?.send_once(&request).await)
}

/// What ssh-keygen reads in the certificate.
async fn tell(folder: &Path) -> Result<String> {
    let mut command = Command::new("ssh-keygen");
    command.env("TZ", "UTC").arg("-L").arg("-f").arg(folder.join(CERTIFICATE));
    let output = command.output().await?;
    ensure(output.status.success(), || format!("ssh-keygen: {}", complaint(&output)))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `Valid: from 2026-11-23T20:00:00 to 2026-11-23T20:10:30`, in seconds.
fn validity(told: &str) -> Option<(i64, i64)> {
    let line = told.lines().find_map(|it| it.trim().strip_prefix("Valid: from "))?;
    let (from, to) = line.split_once(" to ")?;
    let second = |text: &str| {
        let at: jiff::civil::DateTime = text.trim().parse().ok()?;
        Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
    };
    Some((second(from)?, second(to)?))
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// From now on the ground's sshd of this name takes them, and nobody else.
async fn tell_whom_to_take(world: &mut World, name: &str, whom: Taken) -> Result {
    let server = machine(world, name)?;
    if world.proven.taken.get(name) == Some(&whom) {
        return Ok(());
    }
    let Taken { mount, principal } = &whom;
    let authority = there(world, &format!("{mount}/config/ca")).await?.remove("public_key");
    let authority = authority.as_ref().and_then(Value::as_str).unwrap_or_default();
    match trust(&server.admin(), authority, principal).await? {
        Said::Done => {
            world.proven.taken.insert(name.to_owned(), whom);
            Ok(())
        }
        Said::Refused(refusal) => failure(format!("{name} cannot be told whom to take: {refusal}")),
    }
}

fn machine<'w>(world: &'w World, name: &str) -> Result<&'w Server> {
    let server = world.databases.get(name).filter(|it| it.side.word == SSHD.word);
    server.ok_or_else(|| Failure(format!("no sshd of the ground is called {name}")))
}

/// By keys of the engine that has signed the scenario's key.
async fn take_only(world: &mut World, name: &str, principal: &str) -> Result {
    let mount = world.proven.signed_key()?.mount.clone();
    tell_whom_to_take(world, name, Taken { mount, principal: principal.to_owned() }).await
}

async fn log_in(world: &mut World, name: &str, principal: &str, key: &str) -> Result<Output> {
    take_only(world, name, principal).await?;
    let server = machine(world, name)?;
    let output = client(world, server, key).await?;
    let verdict = if is_let_in(&output) { "let in" } else { "refused" };
    world.evidence(format!("{verdict} as {}, where {principal} is taken", server.admin_user));
    Ok(output)
}

async fn client(world: &World, server: &Server, key: &str) -> Result<Output> {
    let folder = &world.proven.signed_key()?.folder;
    let host_key = server.given.get(HOST_KEY).map_or("", |it| it.expose_secret());
    std::fs::write(folder.join(KNOWN_HOSTS), known_host(host_key))?;
    let mut command = ssh(&server.admin(), key, KNOWN_HOSTS);
    command.args(["echo", GREETING]);
    program::run(world, (server.side.title, &server.admin_user), folder, command).await
}

fn is_let_in(output: &Output) -> bool {
    output.status.success() && String::from_utf8_lossy(&output.stdout).trim() == GREETING
}

/// Another failure proves nothing.
fn is_refused(output: &Output) -> Result {
    let complaint = complaint(output);
    match is_let_in(output) {
        true => failure("sshd lets it in"),
        false if complaint.contains("Permission denied") => Ok(()),
        false => failure(format!("ssh fails otherwise: {complaint}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_tells_from_when_until_when_it_is_valid() {
        let told =
            "key-cert.pub:\n        Valid: from 2026-11-23T20:00:00 to 2026-11-23T20:10:30\n";
        let (from, to) = validity(told).expect("a validity");
        assert_eq!(to - from, 630);
        assert_eq!(validity("        Valid: forever"), None);
    }
}
