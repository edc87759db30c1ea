//! Certificates that a PKI engine issues: a TLS server shows them, and another implementation than Vault's judges them.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use cucumber::{given, then, when};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::WebPkiServerVerifier,
    pki_types::{
        CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, pem::PemObject,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use vault_client::{Answer, VaultError};
use vault_model::{Body, request::Request};

use crate::{
    ground::on_path,
    statements::Heard,
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
        })
    }

    /// Without what leads to the root.
    fn alone(&self) -> Issued {
        Issued {
            mount: self.mount.clone(),
            name: self.name.clone(),
            serial: self.serial.clone(),
            certificate: self.certificate.clone(),
            chain: Vec::new(),
            key: self.key.clone(),
            ..*self
        }
    }
}

/// Vault counts from when it issues, we from when we ask.
const SLACK_SECONDS: i64 = 3;
const HELLO: &[u8] = b"hello";

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

#[then(expr = "a TLS client that trusts its authority takes the certificate")]
async fn is_taken(world: &mut World) -> Result {
    let issued = world.proven.issued()?;
    match shake_hands(world, issued, authority(world).await?, None).await? {
        Ok(()) => {
            world.evidence(format!("a server that shows it is taken for {}", issued.name));
            Ok(())
        }
        Err(why) => failure(format!("the client refuses it: {why}")),
    }
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
    let issued = world.proven.issued()?;
    let alone = issued.alone();
    let verdict = shake_hands(world, &alone, authority(world).await?, None).await?;
    refused_because(world, verdict, "UnknownIssuer")
}

#[then(expr = "a TLS client that trusts another authority refuses the certificate")]
async fn is_not_taken(world: &mut World) -> Result {
    let mut params = rcgen::CertificateParams::new(Vec::new())?;
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let other = params.self_signed(&rcgen::KeyPair::generate()?)?;
    let issued = world.proven.issued()?;
    refused_because(
        world,
        shake_hands(world, issued, other.der().clone(), None).await?,
        "UnknownIssuer",
    )
}

#[then(expr = "a TLS client refuses the certificate once its life is over")]
async fn is_refused_in_time(world: &mut World) -> Result {
    let issued = world.proven.issued()?;
    let authority = authority(world).await?;
    let left = Duration::from_secs((issued.ends_at - now()).max(0).unsigned_abs());
    until(left + SOON, || async {
        match shake_hands(world, issued, authority.clone(), None).await? {
            Ok(()) => failure("the client still takes it"),
            Err(_) => Ok(()),
        }
    })
    .await?;
    let age = issued.issued_at.elapsed().as_secs_f64();
    let verdict = shake_hands(world, issued, authority, None).await?;
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
    match shake_hands(world, issued, authority(world).await?, Some(list)).await? {
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
    let verdict = shake_hands(world, issued, authority(world).await?, Some(list)).await?;
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

/// The root that Vault shows to everybody.
async fn authority(world: &World) -> Result<CertificateDer<'static>> {
    let issued = world.proven.issued()?;
    let there = there(world, &format!("{}/cert/ca_chain", issued.mount)).await?;
    let pem = there.get("certificate").and_then(Value::as_str).unwrap_or_default();
    let last = CertificateDer::pem_slice_iter(pem.as_bytes()).last();
    let root = last.ok_or_else(|| Failure(format!("{} has no authority", issued.mount)))?;
    root.map_err(|it| Failure(format!("the authority is no certificate: {it}")))
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

/// A server that shows the certificate, and a client that trusts `authority` alone: what the client makes of it.
async fn shake_hands(
    world: &World,
    issued: &Issued,
    authority: CertificateDer<'static>,
    list: Option<CertificateRevocationListDer<'static>>,
) -> Result<Result<(), String>> {
    let by_list = if list.is_some() { ", by the revocation list" } else { "" };
    let text = format!("TLS handshake with {}{by_list}", issued.name);
    let shaken = handshake(issued, authority, list);
    Ok(world.statements.noting("TLS server", "rustls", &text, shaken).await?.0)
}

/// What a client makes of a server.
struct Verdict(Result<(), String>);

impl Heard for Verdict {
    fn answer(&self) -> String {
        match &self.0 {
            Ok(()) => "taken".to_owned(),
            Err(why) => format!("refused: {why}"),
        }
    }
}

async fn handshake(
    issued: &Issued,
    authority: CertificateDer<'static>,
    list: Option<CertificateRevocationListDer<'static>>,
) -> Result<Verdict> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(shown(issued)?, private_key(issued)?)?;
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = acceptor.accept(stream).await?;
        stream.write_all(HELLO).await?;
        stream.shutdown().await
    });
    let mut roots = RootCertStore::empty();
    roots.add(authority)?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls(list)
        .only_check_end_entity_revocation()
        .build()?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_webpki_verifier(verifier)
        .with_no_client_auth();
    let name = ServerName::try_from(issued.name.clone())?;
    let stream = TcpStream::connect(address).await?;
    let shaken = async {
        let mut stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await?;
        Ok::<_, std::io::Error>(said)
    };
    let shaken = tokio::time::timeout(SOON, shaken).await;
    serving.abort();
    match shaken.map_err(|_| Failure("the handshake comes to no end".into()))? {
        Ok(said) if said == HELLO => Ok(Verdict(Ok(()))),
        Ok(_) => failure("the server says something else"),
        Err(err) => Ok(Verdict(Err(err.to_string()))),
    }
}

/// The certificate, and what leads to the root.
fn shown(issued: &Issued) -> Result<Vec<CertificateDer<'static>>> {
    let pems = [&issued.certificate].into_iter().chain(&issued.chain);
    let read = |pem: &String| CertificateDer::from_pem_slice(pem.as_bytes());
    let read: Result<Vec<_>, _> = pems.map(read).collect();
    read.map_err(|it| Failure(format!("what was issued is no certificate: {it}")))
}

fn private_key(issued: &Issued) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(issued.key.expose_secret().as_bytes())
        .map_err(|it| Failure(format!("the key that was issued cannot be read: {it}")))
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
