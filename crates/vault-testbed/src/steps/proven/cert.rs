//! Logins by a certificate, over TLS that both sides have to prove themselves in.

use std::path::PathBuf;

use cucumber::then;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use serde_json::{Value, json};
use vault_client::{Answer, Settings, Vault, VaultError};
use vault_model::{Body, request::Request};

use crate::{
    steps::vault::{is_refused, there},
    world::{Failure, Result, World},
};

/// With a certificate of the authority that the role trusts, made by the engine here that has its key. Whoever shows
/// the same certificate again, as root, comes along.
pub async fn log_in(world: &World, role: &str) -> Result<(Answer, Vault)> {
    let trusted = there(world, role).await?;
    let key = KeyPair::generate()?;
    let mount = authority(world, &trusted).await?;
    let certificate = signed(world, &mount, &trusted, &key).await?;
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
    let certificate = signed(world, &mount, &trusted, &key).await?;
    let answer = send(world, &role, &certificate, &key).await?;
    is_refused(world, &answer, REFUSED)
}

const NAMES: &[&str] = &["allowed_names", "allowed_common_names", "allowed_dns_sans"];
const ANOTHER: &str = "another.vaultwright.test";

/// What Vault answers to whom it does not let in.
const REFUSED: &[u16] = &[400, 403];

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

/// A certificate for `key` as `trusted` asks for it.
async fn signed(world: &World, mount: &str, trusted: &Body, key: &KeyPair) -> Result<String> {
    let request = wanted(trusted)?.serialize_request(key)?.pem()?;
    let body = Body::from_iter([
        ("csr".to_owned(), json!(request)),
        ("ttl".to_owned(), json!("10m")),
        ("ext_key_usage".to_owned(), json!(["ClientAuth"])),
    ]);
    let path = format!("{mount}/sign-verbatim");
    let answer = world.vault()?.send_once(&Request::post(path, body)).await?;
    let certificate = answer.data.as_ref().and_then(|it| it.get("certificate")?.as_str());
    certificate.map(str::to_owned).ok_or_else(|| Failure(format!("{mount} signs nothing")))
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
