//! Certificate authorities, and server certificates of their making, for servers of this machine.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::error::{Error, Result};

/// Files, all PEM.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificates {
    /// For `localhost`, the loopback addresses and `names`, written into `folder`. The authority is this server's own.
    pub fn make(folder: &Path, names: &[String]) -> Result<Self> {
        let authority = Authority::new()?;
        let made = authority.certify(names)?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(Error::file("write", &path)).map(|()| path)
        };
        Ok(Self {
            ca: write("ca.pem", &authority.certificate)?,
            certificate: write("server.pem", &made.certificate)?,
            key: write("server-key.pem", &made.key)?,
        })
    }
}

/// Who signs certificates of servers.
pub(crate) struct Authority {
    /// PEM
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A server's, as PEM.
pub(crate) struct Certified {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    fn new() -> Result<Self> {
        Self::try_new().map_err(failed)
    }

    fn try_new() -> std::result::Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "vaultwright test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// One for all far sides of this process: whoever asks them from here needs no other.
    pub fn of_far_sides() -> Result<&'static Self> {
        static AUTHORITY: OnceLock<Authority> = OnceLock::new();
        match AUTHORITY.get() {
            Some(authority) => Ok(authority),
            None => {
                let made = Self::new()?;
                Ok(AUTHORITY.get_or_init(|| made))
            }
        }
    }

    /// For `localhost`, the loopback addresses and `names`.
    pub fn certify(&self, names: &[String]) -> Result<Certified> {
        self.try_certify(names).map_err(failed)
    }

    fn try_certify(&self, names: &[String]) -> std::result::Result<Certified, rcgen::Error> {
        let local = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let names: Vec<String> = local.into_iter().chain(names.iter().cloned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "vaultwright test server");
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Certified { certificate, key: key.serialize_pem() })
    }
}

fn failed(error: rcgen::Error) -> Error {
    Error::Ground { place: "a server certificate".into(), why: error.to_string() }
}
