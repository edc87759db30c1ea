//! Logins by a certificate, over TLS that both sides have to prove themselves in.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use cucumber::then;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use vault_client::{Answer, Settings, Vault, VaultError};
use vault_model::{Body, request::Request};

use crate::{
    steps::{
        SOON, until,
        vault::{is_refused, said, there},
    },
    world::{Failure, Result, World, failure},
};

/// With a certificate of the authority that the role trusts, made by the engine here that has its key. Whoever shows
/// the same certificate again, as root, comes along.
pub async fn log_in(world: &World, role: &str) -> Result<(Answer, Vault)> {
    let trusted = there(world, role).await?;
    let key = KeyPair::generate()?;
    let mount = authority(world, &trusted).await?;
    let (certificate, _) = signed(world, &mount, &trusted, &key, LIFE).await?;
    world.evidence(format!("with a certificate that {mount} signed"));
    let vault = showing(world, &certificate, &key)?;
    let answer = vault.send_once(&login(role)?).await?;
    Ok((answer, vault.with_token(world.server()?.root_token.clone())))
}

#[then(expr = "{string} lets in no certificate of another authority")]
async fn another_authority(world: &mut World, role: String) -> Result {
    let trusted = there(world, &role).await?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let other = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = wanted(&trusted)?.signed_by(&key, &other)?.pem();
    let answer = send(world, &role, &certificate, &key).await?;
    is_refused(world, &answer, REFUSED)
}

#[then(expr = "{string} lets in nobody without a certificate")]
async fn no_certificate(world: &mut World, role: String) -> Result {
    let answer = world.anonymous()?.send_once(&login(&role)?).await;
    is_refused(world, &answer, REFUSED)
}

#[then(expr = "{string} lets in no certificate of another name")]
async fn another_name(world: &mut World, role: String) -> Result {
    let mut trusted = there(world, &role).await?;
    let mount = authority(world, &trusted).await?;
    for field in NAMES {
        let names = trusted.get(*field).and_then(Value::as_array).is_some_and(|it| !it.is_empty());
        if names {
            trusted.insert((*field).to_owned(), json!([ANOTHER]));
        }
    }
    let key = KeyPair::generate()?;
    let (certificate, _) = signed(world, &mount, &trusted, &key, LIFE).await?;
    let answer = send(world, &role, &certificate, &key).await?;
    is_refused(world, &answer, REFUSED)
}

/// The same certificate, of the right authority and name: what refuses it is its end alone, and Vault says so.
#[then(
    expr = "{string} lets in a certificate of {int} s until its end, and refuses it then as expired"
)]
async fn until_its_end(world: &mut World, role: String, seconds: u64) -> Result {
    let trusted = there(world, &role).await?;
    let key = KeyPair::generate()?;
    let mount = authority(world, &trusted).await?;
    let life = Duration::from_secs(seconds);
    let (certificate, ends_at) = signed(world, &mount, &trusted, &key, life).await?;
    let answer = send(world, &role, &certificate, &key).await??;
    let left = ends_at.duration_since(SystemTime::now()).unwrap_or_default();
    let auth = answer.auth.ok_or_else(|| Failure(format!("{role}: the login gives no token")))?;
    world.add_secret(&format!("a token of {role}"), auth.client_token.expose_secret());
    world.evidence(format!("{:.1} s before its end it is let in", left.as_secs_f64()));
    tokio::time::sleep(left).await;
    until(SOON, || async {
        let answer = send(world, &role, &certificate, &key).await?;
        match &answer {
            Ok(_) => failure("it is still let in"),
            Err(err) if err.reasons.iter().any(|it| it.contains(EXPIRED)) => {
                world.evidence(format!("after its end: {}", said(&answer)));
                Ok(())
            }
            Err(err) => failure(format!("it is refused, but not as expired: {err}")),
        }
    })
    .await
}

const NAMES: &[&str] = &["allowed_names", "allowed_common_names", "allowed_dns_sans"];
const ANOTHER: &str = "another.vaultwright.test";

/// What Vault answers to whom it does not let in.
const REFUSED: &[u16] = &[400, 403];

/// What Vault says of a certificate whose end has come, whatever its status.
const EXPIRED: &str = "certificate has expired";

/// Of a certificate whose end nobody waits for.
const LIFE: Duration = Duration::from_secs(600);

/// Of `auth/cert/certs/web`: the mount and the name.
fn parts(role: &str) -> Result<(&str, &str)> {
    role.rsplit_once("/certs/").ok_or_else(|| Failure(format!("{role} is no role of certificates")))
}

/// What the role asks for in a certificate.
fn wanted(trusted: &Body) -> Result<CertificateParams> {
    let texts = |field: &str| -> Vec<String> {
        let items = trusted.get(field).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(|it| it.replace('*', "proof")).collect()
    };
    let first = |field: &str| texts(field).into_iter().next();
    let mut params =
        CertificateParams::new(first("allowed_dns_sans").into_iter().collect::<Vec<_>>())?;
    let name = first("allowed_common_names").or(first("allowed_names"));
    let name = name.unwrap_or_else(|| "vaultwright-proof".to_owned());
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(unit) = first("allowed_organizational_units") {
        params.distinguished_name.push(DnType::OrganizationalUnitName, unit);
    }
    if let Some(organization) = first("allowed_organizations") {
        params.distinguished_name.push(DnType::OrganizationName, organization);
    }
    if let Some(email) = first("allowed_email_sans") {
        params.subject_alt_names.push(SanType::Rfc822Name(email.try_into()?));
    }
    if let Some(uri) = first("allowed_uri_sans") {
        params.subject_alt_names.push(SanType::URI(uri.try_into()?));
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

/// A certificate for `key` as `trusted` asks for it, and when Vault says that it ends.
async fn signed(
    world: &World,
    mount: &str,
    trusted: &Body,
    key: &KeyPair,
    life: Duration,
) -> Result<(String, SystemTime)> {
    let request = wanted(trusted)?.serialize_request(key)?.pem()?;
    let body = Body::from_iter([
        ("csr".to_owned(), json!(request)),
        ("ttl".to_owned(), json!(life.as_secs())),
        ("ext_key_usage".to_owned(), json!(["ClientAuth"])),
    ]);
    let path = format!("{mount}/sign-verbatim");
    let data = world.vault()?.send_once(&Request::post(path, body)).await?.data.unwrap_or_default();
    let certificate = data.get("certificate").and_then(Value::as_str);
    let ends = data.get("expiration").and_then(Value::as_u64);
    match (certificate, ends) {
        (Some(certificate), Some(ends)) => {
            Ok((certificate.to_owned(), SystemTime::UNIX_EPOCH + Duration::from_secs(ends)))
        }
        _ => failure(format!("{mount} signs nothing")),
    }
}

/// The PKI engine of this Vault that has the key of the authority that the role trusts.
async fn authority(world: &World, trusted: &Body) -> Result<String> {
    let pem = trusted.get("certificate").and_then(Value::as_str).unwrap_or_default().trim();
    let mounts = there(world, "sys/mounts").await?;
    for (mount, entry) in &mounts {
        if entry.get("type").and_then(Value::as_str) != Some("pki") {
            continue;
        }
        let mount = mount.trim_end_matches('/');
        let Ok(Some(there)) = world.vault()?.read(&format!("{mount}/cert/ca")).await else {
            continue;
        };
        if there.get("certificate").and_then(Value::as_str).map(str::trim) == Some(pem) {
            return Ok(mount.to_owned());
        }
    }
    Err(world.skip("no engine here has the key of the authority that it trusts"))
}

async fn send(
    world: &World,
    role: &str,
    certificate: &str,
    key: &KeyPair,
) -> Result<Result<Answer, VaultError>> {
    Ok(showing(world, certificate, key)?.send_once(&login(role)?).await)
}

fn login(role: &str) -> Result<Request> {
    let (mount, name) = parts(role)?;
    let body = Body::from_iter([("name".to_owned(), json!(name))]);
    Ok(Request::post(format!("{mount}/login"), body))
}

/// As whoever has that certificate, and no token yet.
fn showing(world: &World, certificate: &str, key: &KeyPair) -> Result<Vault> {
    let server = world.server()?;
    if !server.address.starts_with("https://") {
        return Err(world.skip("its Vault has no TLS: say `vault: { tls: true }` in ground.yaml"));
    }
    let folder = tempfile::Builder::new().prefix("vaultwright-scenario-").tempdir()?;
    let pem = key.serialize_pem();
    world.add_secret("the key of a client's certificate", &pem);
    let file = |name: &str, text: &str| -> Result<PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    };
    let mut settings = Settings::new(&server.address)?;
    settings.ca_cert.clone_from(&server.ca_certificate);
    settings.client_cert = Some(file("client.pem", certificate)?);
    settings.client_key = Some(file("client-key.pem", &pem)?);
    Ok(Vault::new(&settings)?.recorded_in(world.exchanges.clone()))
}
