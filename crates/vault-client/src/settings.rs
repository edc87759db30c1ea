//! Where Vault is and how to talk to it. Not who we are: that is a `Login`.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use url::{Host, Url};

#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port. No path, no credentials.
    pub address: Url,
    pub namespace: Option<String>,
    /// Trust these authorities only. The first of the three that is set counts; without any, those of the system.
    pub ca_cert: Option<PathBuf>,
    pub ca_cert_pem: Option<String>,
    pub ca_path: Option<PathBuf>,
    pub client_cert: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    /// The name to ask for and to verify, if it isn't the address's. No proxy is used then.
    pub tls_server_name: Option<String>,
    pub skip_verify: bool,
    /// For all requests. Without it, the environment's `HTTP_PROXY` and so on count, but never for this machine itself.
    pub proxy: Option<SecretString>,
    /// For one request from the first byte to the last, without repetitions.
    pub timeout: Duration,
    pub connect_timeout: Duration,
    /// How often a request is repeated at most.
    pub max_retries: u32,
    /// How long all repetitions of one request may take. A quarter of it as long as nothing was ever reached.
    pub retry_budget: Duration,
    /// `host` or `host:port` of other nodes: a redirect there is followed, with the token.
    pub redirect_hosts: Vec<String>,
    pub max_answer_bytes: usize,
}

/// One thing that is wrong with how Vault is to be reached.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct SettingsError {
    /// The variable or the setting.
    pub name: String,
    pub problem: String,
    pub remedy: String,
}

impl Settings {
    /// An address, and everything else as it is by default.
    pub fn new(address: &str) -> Result<Settings, SettingsError> {
        Ok(Settings {
            address: parse_address("address", address)?,
            namespace: None,
            ca_cert: None,
            ca_cert_pem: None,
            ca_path: None,
            client_cert: None,
            client_key: None,
            tls_server_name: None,
            skip_verify: false,
            proxy: None,
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            max_retries: 12,
            retry_budget: Duration::from_secs(8),
            redirect_hosts: Vec::new(),
            max_answer_bytes: 64 << 20,
        })
    }
}

impl SettingsError {
    pub(crate) fn new(
        name: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> SettingsError {
        SettingsError { name: name.into(), problem: problem.into(), remedy: remedy.into() }
    }

    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

/// Never quotes what it can't parse: there could be a password in it.
pub(crate) fn parse_address(name: &str, text: &str) -> Result<Url, SettingsError> {
    const LIKE: &str = "write it like https://vault.example.com:8200";
    let text = text.trim();
    let scheme = text.split_once(':').map_or("", |(it, _)| it);
    if ["unix", "http+unix", "https+unix"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(SettingsError::new(
            name,
            "unix sockets aren't supported",
            "give Vault or its agent a TCP listener on 127.0.0.1, and its address here",
        ));
    }
    if !text.contains("://") {
        return Err(SettingsError::new(name, "has no scheme", LIKE));
    }
    let url = Url::parse(text)
        .map_err(|e| SettingsError::new(name, format!("isn't an address: {e}"), LIKE))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(SettingsError::new(
            name,
            format!("the scheme `{}` isn't http or https", url.scheme()),
            LIKE,
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let remedy = "remove what stands before the @: Vault doesn't read it";
        return Err(SettingsError::new(name, "holds credentials", remedy));
    }
    if url.path() != "/" {
        let problem =
            format!("has the path `{}`: Vault is always at the root of its address", url.path());
        let remedy = "remove the path; a namespace goes into VAULT_NAMESPACE, and a proxy must give Vault its own host";
        return Err(SettingsError::new(name, problem, remedy));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(SettingsError::new(name, "has a query or a fragment", LIKE));
    }
    Ok(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
