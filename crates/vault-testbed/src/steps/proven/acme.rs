//! Certificates by ACME: a client of another make orders them, and a name server of the proof's own answers for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use cucumber::{given, then, when};
use instant_acme::{
    Account, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, Error,
    ExternalAccountKey, HttpClient, Identifier, NewAccount, NewOrder, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CertificateSigningRequest, KeyPair};
use serde_json::{Value, json};
use tokio::{net::UdpSocket, task::JoinHandle};
use vault_model::Body;

use super::pki::Issued;
use crate::{
    statements::{Heard, Statements},
    steps::{SOON, until, vault::there},
    world::{Failure, Result, World, ensure, failure},
};

/// A name server that knows what the client puts there. It ends with the scenario.
pub struct Names {
    known: Arc<Mutex<Known>>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Known {
    texts: BTreeMap<String, String>,
    /// What it was asked for.
    asked: BTreeSet<String>,
}

impl Names {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// It stands for the one that the names of the spec have in the world. Whatever else ACME is told stays.
#[given(expr = "{string} asks a name server of the proof's own")]
async fn own_name_server(world: &mut World, config: String) -> Result {
    let host = match world.bench().ground.host().await {
        Ok(host) => host,
        Err(missing) if missing.is_missing() => return Err(world.skip(missing.to_string())),
        Err(error) => return Err(error.into()),
    };
    let socket = UdpSocket::bind((&*host, 0)).await?;
    let address = socket.local_addr()?;
    let known = Arc::new(Mutex::new(Known::default()));
    let serving = tokio::spawn(answer_all(socket, known.clone()));
    world.proven.names = Some(Names { known, serving });
    let mut said = there(world, &config).await?;
    said.insert("dns_resolver".to_owned(), json!(address.to_string()));
    world.vault()?.write(&config, said).await?;
    world.evidence(format!("Vault asks {address} for names"));
    Ok(())
}

#[when(expr = "a certificate for {string} is ordered at {string}")]
async fn is_ordered(world: &mut World, name: String, directory: String) -> Result {
    let account = account(world, &directory, true).await?;
    let mount = mount_of(&directory);
    let key = KeyPair::generate()?;
    let chain = order(world, &account, &name, &key).await?;
    let pem = key.serialize_pem();
    world.add_secret(&format!("the key of a certificate for {name}"), &pem);
    world.proven.issued = Some(Issued::ordered(mount, &name, &chain, &pem)?);
    Ok(())
}

#[then(expr = "nothing is ordered for {string} at {string}")]
async fn nothing_is_ordered(world: &mut World, name: String, directory: String) -> Result {
    let account = account(world, &directory, true).await?;
    match order(world, &account, &name, &KeyPair::generate()?).await {
        Ok(_) => failure(format!("it issues a certificate for {name}")),
        Err(Failure(why)) if why.contains("rejectedIdentifier") || why.contains("badCSR") => {
            world.evidence(why);
            Ok(())
        }
        Err(Failure(why)) => failure(format!("it is refused otherwise: {why}")),
    }
}

/// The name is right, and whoever orders does not answer for it.
#[then(expr = "nobody who does not answer for {string} gets a certificate at {string}")]
async fn unanswered(world: &mut World, name: String, directory: String) -> Result {
    let account = account(world, &directory, true).await?;
    let identifiers = [Identifier::Dns(name.clone())];
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    prove(world, &mut order, false).await?;
    let (names, challenged) = (world.proven.names()?, challenged(&name));
    until(SOON, || async {
        let is_asked = names.known().asked.contains(&challenged);
        ensure(is_asked, || format!("Vault does not ask for {challenged}"))
    })
    .await?;
    let status = order.refresh().await?.status;
    world.evidence(format!("Vault asked for {challenged}, and the order is {status:?}"));
    let refused = order.finalize_csr(request(&name, &KeyPair::generate()?)?.der()).await;
    match refused.map_err(|it| Failure::from(it).0) {
        Ok(()) => failure("the order is carried out"),
        Err(why) if why.contains("orderNotReady") => {
            world.evidence(why);
            Ok(())
        }
        Err(why) => failure(format!("it is refused otherwise: {why}")),
    }
}

#[then(expr = "nobody without a key of Vault's gets an account at {string}")]
async fn no_account(world: &mut World, directory: String) -> Result {
    match account(world, &directory, false).await {
        Ok(_) => failure("it opens an account for anybody"),
        Err(Failure(why)) if why.contains("externalAccountRequired") => {
            world.evidence(why);
            Ok(())
        }
        Err(Failure(why)) => failure(format!("it is refused otherwise: {why}")),
    }
}

/// Bound to a key of Vault's, where the spec wants that.
async fn account(world: &World, directory: &str, is_bound: bool) -> Result<Account> {
    let vault = world.vault()?;
    let config = there(world, &format!("{}/config/acme", mount_of(directory))).await?;
    let wants_key = config.get("eab_policy").and_then(Value::as_str) != Some("not-required");
    let key = match is_bound && wants_key {
        true => {
            let path = directory.replacen("/directory", "/new-eab", 1);
            let data = vault.write(&path, Body::new()).await?.data.unwrap_or_default();
            let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
            world.add_secret("the key of an account of ACME", text("key"));
            Some(ExternalAccountKey::new(
                text("id").to_owned(),
                &URL_SAFE_NO_PAD.decode(text("key"))?,
            ))
        }
        false => None,
    };
    let client = match &world.server()?.ca_certificate {
        Some(path) => reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&std::fs::read(path)?)?]),
        None => reqwest::Client::builder(),
    };
    let http = client.no_proxy().timeout(SOON).build()?;
    let server = world.server()?;
    let client = Client {
        http,
        called: server.own_address.clone(),
        address: server.address.clone(),
        statements: world.statements.clone(),
    };
    let wanted =
        NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
    let url = format!("{}/v1/{directory}", server.own_address);
    let builder = Account::builder_with_http(Box::new(client));
    Ok(builder.create(&wanted, url, key.as_ref()).await?.0)
}

/// From the order to the chain, in PEM.
async fn order(world: &World, account: &Account, name: &str, key: &KeyPair) -> Result<String> {
    let identifiers = [Identifier::Dns(name.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    prove(world, &mut order, true).await?;
    let status = order.poll_ready(&patience()).await?;
    ensure(status == OrderStatus::Ready, || format!("the order is {status:?}"))?;
    order.finalize_csr(request(name, key)?.der()).await?;
    let chain = order.poll_certificate(&patience()).await?;
    world.evidence(format!("ordered at {}", order.url()));
    Ok(chain)
}

fn request(name: &str, key: &KeyPair) -> Result<CertificateSigningRequest> {
    let mut wanted = CertificateParams::new(vec![name.to_owned()])?;
    wanted.distinguished_name = rcgen::DistinguishedName::new();
    wanted.distinguished_name.push(rcgen::DnType::CommonName, name);
    Ok(wanted.serialize_request(key)?)
}

/// What Vault asks a name server for.
fn challenged(name: &str) -> String {
    format!("_acme-challenge.{name}").to_lowercase()
}

/// By what the name server says of the name.
async fn prove(world: &World, order: &mut instant_acme::Order, is_answered: bool) -> Result {
    let names = world.proven.names()?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let challenge = authorization.challenge(ChallengeType::Dns01);
        let mut challenge =
            challenge.ok_or_else(|| Failure("it does not ask for a name".into()))?;
        if is_answered {
            let name = challenged(&challenge.identifier().to_string());
            names.known().texts.insert(name, challenge.key_authorization().dns_value());
        }
        challenge.set_ready().await?;
    }
    Ok(())
}

fn patience() -> RetryPolicy {
    RetryPolicy::default().timeout(SOON * 2)
}

/// Of `pki/roles/web/acme/directory` or `pki/acme/directory`.
fn mount_of(directory: &str) -> &str {
    let above = directory.trim_end_matches("/acme/directory");
    above.split_once("/roles/").map_or(above, |(mount, _)| mount)
}

/// It keeps what it asks.
struct Client {
    http: reqwest::Client,
    /// As Vault's addresses of ACME call it.
    called: String,
    /// Where it is found from here.
    address: String,
    statements: Arc<Statements>,
}

impl Client {
    /// A container has another address for itself than others have for it. What is signed keeps it.
    fn reach(&self, uri: &http::Uri) -> Result<http::Uri, Error> {
        let uri = uri.to_string();
        let within = uri.strip_prefix(&self.called).map(|rest| format!("{}{rest}", self.address));
        within.unwrap_or(uri).parse().map_err(|it: http::uri::InvalidUri| Error::Other(it.into()))
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

impl HttpClient for Client {
    fn request(&self, mut request: http::Request<BodyWrapper<Bytes>>) -> Answering {
        let (client, statements) = (self.http.clone(), self.statements.clone());
        match self.reach(request.uri()) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => return Box::pin(async { Err(error) }),
        }
        let path = request.uri().path();
        let path = path.strip_prefix("/v1/").unwrap_or(path);
        let text = format!("{} {path}", request.method());
        Box::pin(async move {
            let answered = send(&client, request.map(reqwest::Body::wrap));
            let Answered { status, headers, body } = statements
                .noting("Vault", "an ACME client", &text, answered)
                .await
                .map_err(other)?;
            let mut answer = http::Response::new(reqwest::Body::from(body));
            (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
            Ok(BytesResponse::from(answer))
        })
    }
}

struct Answered {
    status: http::StatusCode,
    headers: http::HeaderMap,
    body: Bytes,
}

async fn send(
    client: &reqwest::Client,
    request: http::Request<reqwest::Body>,
) -> reqwest::Result<Answered> {
    let answer = client.execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok(Answered { status, headers, body: answer.bytes().await? })
}

fn other(error: reqwest::Error) -> Error {
    Error::Other(error.into())
}

impl Heard for Answered {
    fn code(&self) -> Option<String> {
        (!self.status.is_success()).then(|| self.status.as_u16().to_string())
    }

    /// RFC 8555, section 6.7: a refusal is a problem document.
    fn answer(&self) -> String {
        let problem: Value = match self.status.is_success() {
            true => Value::Null,
            false => serde_json::from_slice(&self.body).unwrap_or_default(),
        };
        let text = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{} {} {}", self.status, text("type"), text("detail")).trim().to_owned()
    }
}

async fn answer_all(socket: UdpSocket, known: Arc<Mutex<Known>>) {
    let mut asked = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut asked).await {
        let answer = {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&asked[..length], |name| {
                known.asked.insert(name.to_owned());
                known.texts.get(name).cloned()
            })
        };
        if let Some(answer) = answer {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

const TEXT: u16 = 16;
const NO_SUCH_NAME: u16 = 3;

/// RFC 1035, section 4: the question back, and the text if there is one.
fn answer(asked: &[u8], text: impl FnOnce(&str) -> Option<String>) -> Option<Vec<u8>> {
    let (name, end) = name_in(asked.get(12..)?)?;
    let question = asked.get(12..12 + end + 4)?;
    let kind = u16::from_be_bytes([question[end], question[end + 1]]);
    let found = text(&name).filter(|it| kind == TEXT && it.len() < 256);
    // An answer, by who is in charge of the name; recursion is as it was asked for.
    let flags = 0x8400 | (u16::from(asked[2]) << 8 & 0x0100);
    let flags = if found.is_some() { flags } else { flags | NO_SUCH_NAME };
    let mut answer = asked.get(..2)?.to_vec();
    for number in [flags, 1, u16::from(found.is_some()), 0, 0] {
        answer.extend(number.to_be_bytes());
    }
    answer.extend(question);
    if let Some(text) = found {
        // The name is that of the question; class IN, and nobody keeps it.
        answer.extend([0xc0, 12, 0, TEXT as u8, 0, 1, 0, 0, 0, 0]);
        answer.extend((text.len() as u16 + 1).to_be_bytes());
        answer.push(text.len() as u8);
        answer.extend(text.bytes());
    }
    Some(answer)
}

/// The name that a question begins with, in lower case, and where it ends.
fn name_in(question: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), 0);
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        match length {
            0 => return Some((labels.join("."), at)),
            1..=63 => {
                labels.push(String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase())
            }
            _ => return None,
        }
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01A\x02eu\x00\x00\x10\x00\x01";

    #[test]
    fn a_name_that_is_known_has_its_text() {
        let answer = answer(ASKED, |name| (name == "a.eu").then(|| "yes".to_owned()));
        let answer = answer.expect("an answer");
        assert_eq!(answer[..12], *b"\x12\x34\x85\x00\x00\x01\x00\x01\x00\x00\x00\x00");
        assert!(answer.ends_with(b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x00\x00\x04\x03yes"));
    }

    #[test]
    fn another_name_is_not_there() {
        let answer = answer(ASKED, |_| None).expect("an answer");
        assert_eq!(answer[2..8], *b"\x85\x03\x00\x01\x00\x00");
    }

    #[test]
    fn what_is_no_question_gets_no_answer() {
        for asked in [&b""[..], b"\x12\x34", &ASKED[..14], b"\0\0\0\0\0\0\0\0\0\0\0\0\xc0\x0c"] {
            assert_eq!(answer(asked, |_| None), None);
        }
    }
}
