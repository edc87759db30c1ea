//! Certificates that a PKI engine issues: a web server shows them, and other implementations than Vault's judge them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use cucumber::{given, then, when};
use rustls::pki_types::{CertificateRevocationListDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::process::Command;
use vault_client::{Answer, VaultError};
use vault_model::{Body, request::Request};

use super::tls::Visit;
use crate::{
    ground::{
        far::{Said, nginx},
        on_path,
    },
    steps::{
        SOON, program, until,
        vault::{refused_by, said, there},
    },
    world::{Failure, Result, World, ensure, failure},
};

/// What the scenario calls "the certificate".
pub struct Issued {
    mount: String,
    name: String,
    serial: String,
    certificate: String,
    chain: Vec<String>,
    key: SecretString,
    issued_at: Instant,
    ends_at: i64,
    /// The web server that shows it.
    shown_at: Option<String>,
}

impl Issued {
    /// What somebody else than Vault asked for: the chain in one text, the certificate first.
    pub fn ordered(mount: &str, name: &str, chain: &str, key: &str) -> Result<Issued> {
        let mut pems = chain.split_inclusive("-----END CERTIFICATE-----").map(str::trim);
        let certificate = pems.next().filter(|it| !it.is_empty());
        let certificate = certificate.ok_or_else(|| Failure("no certificate was given".into()))?;
        Ok(Issued {
            mount: mount.to_owned(),
            name: name.to_owned(),
            serial: String::new(),
            certificate: certificate.to_owned(),
            chain: pems.filter(|it| !it.is_empty()).map(str::to_owned).collect(),
            key: key.into(),
            issued_at: Instant::now(),
            ends_at: 0,
            shown_at: None,
        })
    }

    fn shown_at(&self) -> Result<&str> {
        let shown_at = self.shown_at.as_deref();
        shown_at.ok_or_else(|| Failure("no server shows the certificate".into()))
    }

    /// The certificate, what leads to the root if that is to be shown as well, and the key.
    fn pem(&self, with_chain: bool) -> SecretString {
        let chain = self.chain.iter().filter(|_| with_chain).map(String::as_str);
        let parts = [&*self.certificate].into_iter().chain(chain);
        let parts: Vec<&str> = parts.chain([self.key.expose_secret()]).map(str::trim).collect();
        (parts.join("\n") + "\n").into()
    }
}

/// Vault counts from when it issues, we from when we ask.
const SLACK_SECONDS: i64 = 3;

/// Vault answers the request and the signed certificate to whoever posts, and shows neither later: no reference of a
/// spec can name them.
#[given(expr = "the root of {string} signs the authority of {string} as {string}")]
async fn signs_authority(world: &mut World, root: String, mount: String, name: String) -> Result {
    let path = format!("{mount}/intermediate/generate/internal");
    let asked = post(world, &path, &[("common_name", &name)]).await?;
    let said = [("common_name", &*name), ("csr", text(&asked, "csr")?)];
    let signed = post(world, &format!("{root}/root/sign-intermediate"), &said).await?;
    let chain = [text(&signed, "certificate")?, text(&signed, "issuing_ca")?].join("\n");
    let path = format!("{mount}/intermediate/set-signed");
    post(world, &path, &[("certificate", &chain)]).await.map(drop)
}

async fn post(world: &World, path: &str, said: &[(&str, &str)]) -> Result<Body> {
    let body = Body::from_iter(said.iter().map(|(key, value)| ((*key).to_owned(), json!(value))));
    let answer = world.vault()?.send_once(&Request::post(path, body)).await?;
    Ok(answer.data.unwrap_or_default())
}

fn text<'a>(answer: &'a Body, field: &str) -> Result<&'a str> {
    let text = answer.get(field).and_then(Value::as_str);
    text.ok_or_else(|| Failure(format!("the answer has no {field}")))
}

#[when(expr = "{string} issues a certificate for {string}")]
async fn issues(world: &mut World, role: String, name: String) -> Result {
    let (mount, _) = parts(&role)?;
    let data = ask(world, &role, &name).await??.data.unwrap_or_default();
    let text = |key: &str| match data.get(key).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Failure(format!("{role} issues no {key}"))),
    };
    let chain = data.get("ca_chain").and_then(Value::as_array).into_iter().flatten();
    let chain = chain.filter_map(Value::as_str).map(str::to_owned).collect();
    let key = text("private_key")?;
    world.add_secret(&format!("the key of a certificate for {name}"), &key);
    let issued = Issued {
        mount: mount.to_owned(),
        serial: text("serial_number")?,
        certificate: text("certificate")?,
        chain,
        key: key.into(),
        issued_at: Instant::now(),
        ends_at: data.get("expiration").and_then(Value::as_i64).unwrap_or_default(),
        shown_at: None,
        name,
    };
    world.evidence(format!("for {}, number {}", issued.name, issued.serial));
    world.proven.issued = Some(issued);
    Ok(())
}

#[then(expr = "the certificate lasts {int} s")]
async fn lasts(world: &mut World, seconds: i64) -> Result {
    let issued = world.proven.issued()?;
    let age = issued.issued_at.elapsed().as_secs() as i64;
    let lasts = issued.ends_at - now() + age;
    ensure((lasts - seconds).abs() <= SLACK_SECONDS, || {
        format!("the certificate lasts {lasts} s, not {seconds} s")
    })
}

#[when(expr = "the nginx {string} shows the certificate")]
async fn is_shown(world: &mut World, server: String) -> Result {
    show(world, &server, true).await?;
    let issued = world.proven.issued.as_mut();
    issued.into_iter().for_each(|it| it.shown_at = Some(server.clone()));
    Ok(())
}

/// From the next handshake on, to whoever asks for its name.
async fn show(world: &World, server: &str, with_chain: bool) -> Result {
    let issued = world.proven.issued()?;
    let admin = world.database(server)?.admin();
    match nginx::put(&admin, &issued.name, &issued.pem(with_chain)).await? {
        Said::Done => Ok(()),
        Said::Refused(refusal) => failure(format!("{server} takes no certificate: {refusal}")),
    }
}

#[then(expr = "a TLS client that trusts its authority takes the certificate")]
async fn is_taken(world: &mut World) -> Result {
    match shake_hands(world, &authority(world).await?, None).await? {
        Ok(()) => {
            let name = &world.proven.issued()?.name;
            world.evidence(format!("a server that shows it is taken for {name}"));
            Ok(())
        }
        Err(why) => failure(format!("the client refuses it: {why}")),
    }
}

#[then(expr = "OpenSSL takes the certificate, too")]
async fn is_taken_by_openssl(world: &mut World) -> Result {
    if on_path("openssl").is_none() {
        return Err(world.skip("there is no openssl here, which looks at certificates as well"));
    }
    let folder = world.folder()?;
    let authority = authority(world).await?;
    let said = visit(world, &authority, None)?.by_openssl(world, &folder).await?;
    let verdict = said.lines().find(|it| it.starts_with("Verification"));
    world.evidence(format!("OpenSSL says: {}", verdict.unwrap_or(&said)));
    Ok(())
}

#[then(expr = "the certificate comes with the authorities of {string} and {string}")]
async fn comes_with(world: &mut World, mount: String, root: String) -> Result {
    let mut authorities = Vec::new();
    for mount in [mount, root] {
        let there = there(world, &format!("{mount}/cert/ca")).await?;
        let pem = there.get("certificate").and_then(Value::as_str).unwrap_or_default();
        authorities.push(pem.trim().to_owned());
    }
    let issued = world.proven.issued()?;
    let chain: Vec<&str> = issued.chain.iter().map(|it| it.trim()).collect();
    ensure(authorities == chain, || format!("it comes with {} others than these", chain.len()))
}

#[then(expr = "a TLS client refuses the certificate of a server that shows it alone")]
async fn is_not_taken_alone(world: &mut World) -> Result {
    show(world, world.proven.issued()?.shown_at()?, false).await?;
    let verdict = shake_hands(world, &authority(world).await?, None).await?;
    refused_because(world, verdict, "UnknownIssuer")
}

#[then(expr = "a TLS client that trusts another authority refuses the certificate")]
async fn is_not_taken(world: &mut World) -> Result {
    let mut params = rcgen::CertificateParams::new(Vec::new())?;
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let other = params.self_signed(&rcgen::KeyPair::generate()?)?;
    let verdict = shake_hands(world, &other.pem(), None).await?;
    refused_because(world, verdict, "UnknownIssuer")
}

#[then(expr = "a TLS client refuses the certificate once its life is over")]
async fn is_refused_in_time(world: &mut World) -> Result {
    let issued = world.proven.issued()?;
    let authority = authority(world).await?;
    let left = Duration::from_secs((issued.ends_at - now()).max(0).unsigned_abs());
    until(left + SOON, || async {
        match shake_hands(world, &authority, None).await? {
            Ok(()) => failure("the client still takes it"),
            Err(_) => Ok(()),
        }
    })
    .await?;
    let age = issued.issued_at.elapsed().as_secs_f64();
    let verdict = shake_hands(world, &authority, None).await?;
    refused_because(world, verdict, "expired")?;
    world.evidence(format!("refused {age:.1} s after its issue"));
    ensure(now() + SLACK_SECONDS >= issued.ends_at, || "that is before its life is over".into())
}

#[then(expr = "{string} issues nothing for {string}")]
async fn issues_nothing(world: &mut World, role: String, name: String) -> Result {
    let answer = ask(world, &role, &name).await?;
    world.evidence(said(&answer));
    match answer {
        Ok(_) => failure(format!("it issues a certificate for {name}")),
        refused => refused_by(&refused, &[400]),
    }
}

#[when(expr = "the certificate is revoked")]
async fn is_revoked(world: &mut World) -> Result {
    let issued = world.proven.issued()?;
    let body = Body::from_iter([("serial_number".to_owned(), json!(issued.serial))]);
    let request = Request::post(format!("{}/revoke", issued.mount), body);
    world.vault()?.send_once(&request).await?;
    // Where lists are made anew by the clock, we do not wait for it.
    world.vault()?.send(&Request::get(format!("{}/crl/rotate", issued.mount))).await?;
    Ok(())
}

#[then(expr = "the revocation list does not name the certificate")]
async fn is_not_listed(world: &mut World) -> Result {
    let issued = world.proven.issued()?;
    let list = list(world, &issued.mount).await?;
    match shake_hands(world, &authority(world).await?, Some(list)).await? {
        Ok(()) => {
            world.evidence("a client that asks the list takes it");
            Ok(())
        }
        Err(why) => failure(format!("a client that asks the list refuses it: {why}")),
    }
}

#[then(expr = "the revocation list names the certificate")]
async fn is_listed(world: &mut World) -> Result {
    let issued = world.proven.issued()?;
    let list = list(world, &issued.mount).await?;
    let verdict = shake_hands(world, &authority(world).await?, Some(list)).await?;
    refused_because(world, verdict, "Revoked")
}

/// `good` or `revoked`, as OpenSSL understands the answer.
#[then(expr = "OCSP says that the certificate is {word}")]
async fn ocsp_says(world: &mut World, wanted: String) -> Result {
    if on_path("openssl").is_none() {
        return Err(world.skip("there is no openssl here, which asks by OCSP"));
    }
    let folder = world.folder()?;
    let issued = world.proven.issued()?;
    for (file, path) in [(AUTHORITY, "cert/ca"), (CHAIN, "cert/ca_chain")] {
        let there = there(world, &format!("{}/{path}", issued.mount)).await?;
        let pem = there.get("certificate").and_then(Value::as_str).unwrap_or_default();
        std::fs::write(folder.join(file), pem)?;
    }
    std::fs::write(folder.join(CERTIFICATE), &issued.certificate)?;
    let address = format!("{}/v1/{}/ocsp", world.server()?.address, issued.mount);
    let said = ask_ocsp(world, &folder, &address).await?;
    world.evidence(said.lines().next().unwrap_or_default().to_owned());
    let verdict = format!("{CERTIFICATE}: {wanted}");
    ensure(said.lines().any(|it| it == verdict), || format!("OCSP says:\n{said}"))
}

const AUTHORITY: &str = "ca.pem";
/// The same, with what leads to the root.
const CHAIN: &str = "chain.pem";
const CERTIFICATE: &str = "certificate.pem";

async fn ask_ocsp(world: &World, folder: &Path, address: &str) -> Result<String> {
    let mut command = Command::new("openssl");
    command.args(["ocsp", "-no_nonce", "-issuer", AUTHORITY, "-cert", CERTIFICATE]);
    command.args(["-CAfile", CHAIN, "-url", address]);
    let output = program::run(world, ("Vault", "OpenSSL"), folder, command).await?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure(complaint.contains("Response verify OK"), || format!("openssl: {}", complaint.trim()))?;
    // The first line is the file's name and the verdict.
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Of `pki/roles/web`: the mount and the name.
fn parts(role: &str) -> Result<(&str, &str)> {
    role.rsplit_once("/roles/").ok_or_else(|| Failure(format!("{role} is no role of PKI")))
}

async fn ask(world: &World, role: &str, name: &str) -> Result<Result<Answer, VaultError>> {
    let (mount, role) = parts(role)?;
    let body = Body::from_iter([("common_name".to_owned(), json!(name))]);
    let request = Request::post(format!("{mount}/issue/{role}"), body);
    Ok(world.vault()?.send_once(&request).await)
}

/// The root that Vault shows to everybody, as PEM.
async fn authority(world: &World) -> Result<String> {
    let issued = world.proven.issued()?;
    let there = there(world, &format!("{}/cert/ca_chain", issued.mount)).await?;
    let pem = there.get("certificate").and_then(Value::as_str).unwrap_or_default();
    let last = pem.rfind("-----BEGIN CERTIFICATE-----").map(|it| pem[it..].to_owned());
    last.ok_or_else(|| Failure(format!("{} has no authority", issued.mount)))
}

async fn list(world: &World, mount: &str) -> Result<CertificateRevocationListDer<'static>> {
    let there = there(world, &format!("{mount}/cert/crl")).await?;
    let pem = there.get("certificate").and_then(Value::as_str).unwrap_or_default();
    CertificateRevocationListDer::from_pem_slice(pem.as_bytes())
        .map_err(|it| Failure(format!("the revocation list cannot be read: {it}")))
}

fn refused_because(world: &World, verdict: Result<(), String>, reason: &str) -> Result {
    match verdict {
        Ok(()) => failure("the client takes it"),
        Err(why) if why.contains(reason) => {
            world.evidence(format!("the client says: {why}"));
            Ok(())
        }
        Err(why) => failure(format!("the client refuses it, but otherwise: {why}")),
    }
}

/// What a client that trusts `authority` alone makes of the server that shows the certificate.
async fn shake_hands(
    world: &World,
    authority: &str,
    list: Option<CertificateRevocationListDer<'static>>,
) -> Result<Result<(), String>> {
    visit(world, authority, list)?.by_rustls(world).await
}

fn visit<'a>(
    world: &'a World,
    authority: &'a str,
    list: Option<CertificateRevocationListDer<'static>>,
) -> Result<Visit<'a>> {
    let issued = world.proven.issued()?;
    let server = world.database(issued.shown_at()?)?;
    Ok(Visit { server, name: &issued.name, authority, list })
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
