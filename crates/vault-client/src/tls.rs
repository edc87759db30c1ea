//! Whom to trust, and who we are to TLS.

use std::{fs, path::Path, path::PathBuf, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use crate::settings::{Settings, SettingsError};

type Certificates = Vec<CertificateDer<'static>>;

/// Verified by default; system authorities unless others are given.
pub(crate) fn config(settings: &Settings) -> Result<ClientConfig, SettingsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = Arc::new(Trust::new(settings, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| {
            SettingsError::new("TLS", e.to_string(), "this is a fault of this program: report it")
        })?;
    let builder = builder.dangerous().with_custom_certificate_verifier(trust);
    let mut config = match identity(settings)? {
        Some((certificates, key)) => {
            builder.with_client_auth_cert(certificates, key).map_err(|e| {
                let remedy =
                    "give a certificate and the private key that belongs to it, both as PEM";
                SettingsError::new(
                    "VAULT_CLIENT_CERT",
                    format!("can't be used with VAULT_CLIENT_KEY: {e}"),
                    remedy,
                )
            })?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts what its authorities signed, and a certificate that was itself given as an authority.
/// The second is what `openssl req -x509` makes; Go, and with it Vault's own command line, accepts it.
#[derive(Debug)]
struct Trust {
    /// None verifies nothing.
    verifier: Option<Arc<dyn ServerCertVerifier>>,
    given: Certificates,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    fn new(settings: &Settings, provider: &Arc<CryptoProvider>) -> Result<Trust, SettingsError> {
        let algorithms = provider.signature_verification_algorithms;
        if settings.skip_verify || settings.address.scheme() == "http" {
            return Ok(Trust { verifier: None, given: Vec::new(), algorithms });
        }
        let Some((name, given)) = authorities(settings)? else {
            let verifier =
                rustls_platform_verifier::Verifier::new(provider.clone()).map_err(|e| {
                    let remedy = "install the package ca-certificates, or set VAULT_CACERT";
                    SettingsError::new(
                        "TLS",
                        format!("the system's certificates can't be read: {e}"),
                        remedy,
                    )
                })?;
            return Ok(Trust { verifier: Some(Arc::new(verifier)), given: Vec::new(), algorithms });
        };
        let unusable = |e: String| {
            SettingsError::new(
                name,
                format!("holds a certificate that can't be used: {e}"),
                "give X.509 v3 as PEM",
            )
        };
        let mut roots = RootCertStore::empty();
        for certificate in &given {
            roots.add(certificate.clone()).map_err(|e| unusable(e.to_string()))?;
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = verifier.build().map_err(|e| unusable(e.to_string()))?;
        Ok(Trust { verifier: Some(verifier), given, algorithms })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(verifier) = &self.verifier else { return Ok(ServerCertVerified::assertion()) };
        match verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        ) {
            // Said only after its dates were found good.
            Err(e)
                if is_authority_as_server(&e) && self.given.iter().any(|it| it == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// rustls hands this one of webpki's errors through without a name of its own.
fn is_authority_as_server(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(it)) => {
            it.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

/// With the variable that gave them. None: those of the system.
fn authorities(settings: &Settings) -> Result<Option<(&'static str, Certificates)>, SettingsError> {
    if let Some(file) = &settings.ca_cert {
        let pem = read("VAULT_CACERT", file)?;
        return Ok(Some((
            "VAULT_CACERT",
            certificates("VAULT_CACERT", &file.display().to_string(), &pem)?,
        )));
    }
    if let Some(pem) = &settings.ca_cert_pem {
        let found = certificates("VAULT_CACERT_BYTES", "its value", pem.as_bytes())?;
        return Ok(Some(("VAULT_CACERT_BYTES", found)));
    }
    let Some(folder) = &settings.ca_path else { return Ok(None) };
    let mut found = Vec::new();
    for file in files_below(folder)? {
        let pem = read("VAULT_CAPATH", &file)?;
        found.extend(certificates("VAULT_CAPATH", &file.display().to_string(), &pem)?);
    }
    if found.is_empty() {
        let problem = format!("there is no file in {}", folder.display());
        return Err(SettingsError::new("VAULT_CAPATH", problem, "give a folder of PEM files"));
    }
    Ok(Some(("VAULT_CAPATH", found)))
}

/// Folders inside it included, links to folders not (a mounted Kubernetes secret has them).
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, SettingsError> {
    let unreadable = |e: std::io::Error| {
        let problem = format!("{} can't be read: {e}", folder.display());
        SettingsError::new("VAULT_CAPATH", problem, "give a folder of PEM files")
    };
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if entry.file_type().map_err(unreadable)?.is_dir() {
                folders.push(entry.path());
            } else if fs::metadata(entry.path()).map_err(unreadable)?.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn identity(
    settings: &Settings,
) -> Result<Option<(Certificates, PrivateKeyDer<'static>)>, SettingsError> {
    let (certificate, key) = match (&settings.client_cert, &settings.client_key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            let remedy = "set VAULT_CLIENT_KEY as well";
            return Err(SettingsError::new("VAULT_CLIENT_CERT", "is set without its key", remedy));
        }
        (None, Some(_)) => {
            let remedy = "set VAULT_CLIENT_CERT as well";
            return Err(SettingsError::new(
                "VAULT_CLIENT_KEY",
                "is set without its certificate",
                remedy,
            ));
        }
    };
    let pem = read("VAULT_CLIENT_CERT", certificate)?;
    let certificates = certificates("VAULT_CLIENT_CERT", &certificate.display().to_string(), &pem)?;
    let pem = zeroize::Zeroizing::new(read("VAULT_CLIENT_KEY", key)?);
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let problem = format!("{} holds no private key", key.display());
        SettingsError::new("VAULT_CLIENT_KEY", problem, "give an unencrypted private key as PEM")
    })?;
    Ok(Some((certificates, key)))
}

fn certificates(name: &str, place: &str, pem: &[u8]) -> Result<Certificates, SettingsError> {
    let remedy = "give certificates as PEM (-----BEGIN CERTIFICATE-----)";
    let found: Result<Certificates, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(SettingsError::new(name, format!("{place} holds no certificate"), remedy)),
        Err(_) => Err(SettingsError::new(name, format!("{place} isn't valid PEM"), remedy)),
    }
}

fn read(name: &str, file: &Path) -> Result<Vec<u8>, SettingsError> {
    fs::read(file).map_err(|e| {
        let problem = format!("{} can't be read: {e}", file.display());
        SettingsError::new(name, problem, "correct the path, or let this user read the file")
    })
}
