//! A certificate authority and a server certificate of its making, for one server on one machine.

use std::path::{Path, PathBuf};

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
    /// For `localhost`, the loopback addresses and `names`, written into `folder`.
    pub fn make(folder: &Path, names: &[String]) -> Result<Self> {
        let pem = Pem::make(names).map_err(|error| Error::Ground {
            place: "a server certificate".into(),
            why: error.to_string(),
        })?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(Error::file("write", &path)).map(|()| path)
        };
        Ok(Self {
            ca: write("ca.pem", &pem.ca)?,
            certificate: write("server.pem", &pem.certificate)?,
            key: write("server-key.pem", &pem.key)?,
        })
    }
}

struct Pem {
    ca: String,
    certificate: String,
    key: String,
}

impl Pem {
    fn make(names: &[String]) -> std::result::Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "vaultwright test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_key = KeyPair::generate()?;
        let ca = params.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(params, ca_key);

        let local = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let mut params = CertificateParams::new(
            local.into_iter().chain(names.iter().cloned()).collect::<Vec<_>>(),
        )?;
        params.distinguished_name.push(DnType::CommonName, "vaultwright test server");
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?.pem();
        Ok(Self { ca, certificate, key: key.serialize_pem() })
    }
}
