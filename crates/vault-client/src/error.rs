//! Every way in which Vault, or the way to it, can refuse a request.

use std::{fmt, time::Duration};

use vault_model::request::Method;

/// One request that didn't come through: which, why, and what to do.
/// Never holds a body, and of the answer only Vault's own reasons, masked.
#[derive(Debug, Clone, PartialEq)]
pub struct VaultError {
    pub method: Method,
    /// Without `/v1/`.
    pub path: String,
    /// None if there was no answer.
    pub status: Option<u16>,
    /// Vault's `errors`, one line each, without values that could be secret.
    pub reasons: Vec<String>,
    pub failure: Failure,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// Nothing is kept at this path.
    NotFound,
    /// KV v2: this version was deleted or destroyed; the key and its versions are still there.
    Deleted {
        version: u64,
        destroyed: bool,
    },
    /// No engine is mounted there, or this node doesn't know of it yet.
    NoSuchMount,
    /// The engine has no such path, or not for this method.
    Unsupported,
    Forbidden,
    RateLimited {
        retry_after: Option<Duration>,
    },
    Sealed,
    /// This node leaves requests to the active one.
    Standby,
    Uninitialized,
    /// KV v2: another version than the expected one is there.
    CasMismatch,
    /// This node hasn't yet seen a write that the request depends on.
    Consistency,
    /// Vault refused what was asked.
    BadRequest,
    /// Vault, or something before it, failed.
    Server,
    /// Another node should be asked, and the settings don't name it.
    Redirect {
        to: String,
    },
    Transport(Transport),
    /// What answered didn't answer as Vault does.
    Decode {
        problem: String,
    },
    /// The request can't be sent at all.
    Unsendable {
        problem: String,
    },
}

/// No answer came.
#[derive(Debug, Clone, PartialEq)]
pub enum Transport {
    Refused,
    /// The address isn't known.
    Dns,
    /// Nobody took the connection, or refused it.
    Unreachable,
    /// There was a connection, and no answer.
    Timeout,
    Tls(Tls),
    /// The connection ended before the answer did: Vault may have acted on the request.
    Broken,
    Other(String),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Tls {
    UnknownIssuer,
    WrongName,
    Expired,
    /// The server speaks plain HTTP.
    NotTls,
    /// The server refused our certificate, or wants one.
    ClientCertificate,
    Other(String),
}

impl VaultError {
    /// What the reader of this error can do about it.
    pub fn remedy(&self) -> Option<String> {
        let says = |part: &str| self.reasons.iter().any(|it| it.contains(part));
        if says("28P01") || says("password authentication failed") {
            return Some(
                "the database refuses the password that Vault has for it: correct it, or, where a rotation of it was \
                 interrupted, run again in some minutes, when Vault has rolled that back"
                    .into(),
            );
        }
        let text = match &self.failure {
            Failure::NotFound | Failure::Deleted { .. } | Failure::Server => return None,
            Failure::NoSuchMount => "enable the engine or auth method first, or correct the path: \
                                     its first part must be a mount (`vault secrets list`)"
                .into(),
            Failure::Unsupported => "look the path up in the API page of this engine and of this Vault version; \
                                     for KV, version 2 needs `data/` or `metadata/` behind the mount"
                .into(),
            Failure::Forbidden if says("invalid token") || says("bad token") => {
                "the token is unknown or has expired: log in again, or set VAULT_TOKEN to a valid one".into()
            }
            Failure::Forbidden => format!(
                "grant `{}` on `{}` to a policy of this token, or use another token (and check VAULT_NAMESPACE)",
                capability(self.method),
                self.path
            ),
            Failure::RateLimited { retry_after: Some(after) } => {
                format!("wait {} s, send less at once, or raise the rate limit quota", after.as_secs())
            }
            Failure::RateLimited { retry_after: None } => "send less at once, or raise the rate limit quota".into(),
            Failure::Sealed => "unseal it: `vault operator unseal`".into(),
            Failure::Standby => {
                "wait until a node is active (`vault status`), or point VAULT_ADDR at the active one".into()
            }
            Failure::Uninitialized => "initialise it: `vault operator init`".into(),
            Failure::CasMismatch => {
                "somebody else wrote it meanwhile: read it again and decide on what is there now".into()
            }
            Failure::Consistency => "this node lags behind: ask again, or point VAULT_ADDR at the active node".into(),
            Failure::BadRequest => return self.bad_request_remedy(),
            Failure::Redirect { to } => {
                format!("point VAULT_ADDR at {to}, or name that host as one that may be followed")
            }
            Failure::Transport(it) => return it.remedy(),
            Failure::Decode { .. } => {
                "check that VAULT_ADDR is Vault's own address, and not that of a page or proxy before it".into()
            }
            Failure::Unsendable { .. } => return None,
        };
        Some(text)
    }

    /// KV v2's soft deletion counts, as nothing can be read there.
    pub fn is_absence(&self) -> bool {
        matches!(self.failure, Failure::NotFound | Failure::Deleted { .. })
    }

    /// No other request would fare better: it is about Vault, and not about what was asked.
    pub fn is_outage(&self) -> bool {
        matches!(
            self.failure,
            Failure::Sealed
                | Failure::Standby
                | Failure::Uninitialized
                | Failure::Transport(Transport::Refused | Transport::Dns)
        )
    }

    fn bad_request_remedy(&self) -> Option<String> {
        let says = |part: &str| self.reasons.iter().any(|it| it.contains(part));
        if says("HTTP request to an HTTPS server") {
            return Some("this server speaks TLS: write https:// in VAULT_ADDR".into());
        }
        if says("wrapping token is not valid") {
            return Some("it has expired or somebody has unwrapped it before: if not you, what it held is known".into());
        }
        if says("check-and-set parameter required") {
            return Some(
                "this KV demands `cas` with every write: say which version is to be replaced"
                    .into(),
            );
        }
        None
    }
}

impl Transport {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Transport::Refused => "nothing listens there: start Vault, or correct VAULT_ADDR",
            Transport::Dns => "this host name isn't known here: correct VAULT_ADDR",
            Transport::Unreachable => {
                "check VAULT_ADDR and the way to it (firewall, proxy): nothing there takes or refuses connections"
            }
            Transport::Timeout => {
                "check the way to VAULT_ADDR (firewall, proxy), or raise VAULT_CLIENT_TIMEOUT"
            }
            Transport::Tls(it) => return Some(it.remedy().into()),
            Transport::Broken => {
                "Vault may or may not have acted on it: look before sending it again"
            }
            Transport::Other(_) => return None,
        };
        Some(text.into())
    }
}

impl Tls {
    fn remedy(&self) -> &'static str {
        match self {
            Tls::UnknownIssuer => {
                "set VAULT_CACERT to the certificate of the authority that signed Vault's"
            }
            Tls::WrongName => {
                "use a name that is in Vault's certificate, in VAULT_ADDR or as VAULT_TLS_SERVER_NAME"
            }
            Tls::Expired => "renew Vault's certificate, and check the clock of this machine",
            Tls::NotTls => "this server speaks plain HTTP: write http:// in VAULT_ADDR",
            Tls::ClientCertificate => {
                "set VAULT_CLIENT_CERT and VAULT_CLIENT_KEY to a certificate that this server accepts"
            }
            Tls::Other(_) => "check the certificate and the TLS settings of Vault's listener",
        }
    }
}

/// The request, what is wrong, the status, Vault's reasons.
impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.method.name(), self.path, self.failure)?;
        if let Some(status) = self.status {
            write!(f, " (status {status})")?;
        }
        let failure = self.failure.to_string();
        let more = self.reasons.iter().filter(|it| **it != failure);
        for (at, reason) in more.enumerate() {
            write!(f, "{}{reason}", if at == 0 { ": " } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for VaultError {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotFound => write!(f, "nothing is there"),
            Failure::Deleted { version, destroyed: false } => {
                write!(f, "version {version} has been deleted")
            }
            Failure::Deleted { version, destroyed: true } => {
                write!(f, "version {version} has been destroyed")
            }
            Failure::NoSuchMount => write!(f, "nothing is mounted there"),
            Failure::Unsupported => write!(f, "the engine has no such path or operation"),
            Failure::Forbidden => write!(f, "permission denied"),
            Failure::RateLimited { retry_after: Some(it) } => {
                write!(f, "too many requests, wait {} s", it.as_secs())
            }
            Failure::RateLimited { retry_after: None } => write!(f, "too many requests"),
            Failure::Sealed => write!(f, "Vault is sealed"),
            Failure::Standby => write!(f, "this node is on standby"),
            Failure::Uninitialized => write!(f, "Vault isn't initialised"),
            Failure::CasMismatch => write!(f, "another version is there than the expected one"),
            Failure::Consistency => write!(f, "this node hasn't caught up yet"),
            Failure::BadRequest => write!(f, "refused"),
            Failure::Server => write!(f, "the server failed"),
            Failure::Redirect { to } => write!(f, "redirected to {to}"),
            Failure::Transport(it) => write!(f, "{it}"),
            Failure::Decode { problem } | Failure::Unsendable { problem } => write!(f, "{problem}"),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Refused => write!(f, "connection refused"),
            Transport::Dns => write!(f, "the host name can't be resolved"),
            Transport::Unreachable => write!(f, "no connection in time"),
            Transport::Timeout => write!(f, "no answer in time"),
            Transport::Tls(it) => write!(f, "{it}"),
            Transport::Broken => write!(f, "the connection broke before the answer was complete"),
            Transport::Other(text) => write!(f, "no connection: {text}"),
        }
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tls::UnknownIssuer => write!(f, "the server's certificate isn't trusted"),
            Tls::WrongName => write!(f, "the server's certificate is for another name"),
            Tls::Expired => write!(f, "the server's certificate has expired or isn't valid yet"),
            Tls::NotTls => write!(f, "the server doesn't speak TLS"),
            Tls::ClientCertificate => {
                write!(f, "the server doesn't accept the client certificate, or wants one")
            }
            Tls::Other(text) => write!(f, "no TLS connection: {text}"),
        }
    }
}

fn capability(method: Method) -> &'static str {
    match method {
        Method::Get => "read",
        Method::List => "list",
        Method::Post => "create, update",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}
