//! The HTTP client: one pool for all tokens, no redirects, bounded answers.

use std::{
    error::Error,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header};
use reqwest::{Proxy, dns, redirect};
use secrecy::ExposeSecret;
use url::Url;

use crate::{
    error::{Failure, Tls, Transport},
    settings::{Settings, SettingsError, is_loopback, parse_address},
    tls,
};

pub(crate) struct Door {
    http: reqwest::Client,
    /// Its host is the TLS server name, if there is one; then `host` is what belongs into the header.
    pub base: Url,
    pub host: Option<HeaderValue>,
    pub settings: Settings,
    /// Whether a server has ever answered here.
    reached: AtomicBool,
}

/// An HTTP answer of any status.
pub(crate) struct Heard {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Door {
    pub fn new(settings: &Settings) -> Result<Door, SettingsError> {
        parse_address("address", settings.address.as_str())?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(settings)?)
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout)
            .user_agent(concat!("vaultwright/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &settings.proxy {
            builder = builder.proxy(Proxy::all(proxy.expose_secret()).map_err(|_| {
                let remedy = "write it like http://proxy.example.com:3128";
                SettingsError::new("VAULT_PROXY_ADDR", "isn't the address of a proxy", remedy)
            })?);
        } else if is_loopback(&settings.address) || settings.tls_server_name.is_some() {
            builder = builder.no_proxy();
        }
        let (base, host) = named(settings)?;
        if host.is_some() {
            builder =
                builder.dns_resolver(Arc::new(Resolver { host: plain_host(&settings.address) }));
        }
        let http = builder.build().map_err(|e| {
            let remedy = "this is a fault of this program: report it";
            SettingsError::new("HTTP client", innermost(&e), remedy)
        })?;
        Ok(Door { http, base, host, settings: settings.clone(), reached: AtomicBool::new(false) })
    }

    pub async fn ask(&self, request: reqwest::Request) -> Result<Heard, Failure> {
        let mut response =
            self.http.execute(request).await.map_err(|e| Failure::Transport(classify(&e)))?;
        self.reached.store(true, Ordering::Relaxed);
        let limit = self.settings.max_answer_bytes;
        let expected = response.content_length().unwrap_or(0).min(limit as u64 + 1) as usize;
        let mut bytes = Vec::with_capacity(if expected > limit { 0 } else { expected });
        loop {
            if expected > limit || bytes.len() > limit {
                let problem = format!("the answer is larger than {} MiB", limit >> 20);
                return Err(Failure::Decode { problem });
            }
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(e) => return Err(Failure::Transport(classify(&e))),
            }
        }
        Ok(Heard {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            bytes,
        })
    }

    /// How long all repetitions of one request may take. A wrong address shouldn't keep a person waiting.
    pub fn retry_budget(&self) -> Duration {
        let budget = self.settings.retry_budget;
        if self.reached.load(Ordering::Relaxed) { budget } else { budget / 4 }
    }

    /// The base to ask instead, if a redirect from `asked` leads to a node that the settings name.
    /// Another path than the one that was asked for is never followed.
    pub fn follow(&self, asked: &Url, heard: &HeaderMap) -> Option<Url> {
        let to = location(asked, heard)?;
        let host = to.host_str()?;
        let is_home = to.host() == asked.host() || to.host() == self.base.host();
        let is_named = self.host.is_none()
            && self.settings.redirect_hosts.iter().any(|it| {
                it.eq_ignore_ascii_case(host) || Some(it.as_str()) == authority(&to).as_deref()
            });
        let is_same = (to.path(), to.query()) == (asked.path(), asked.query());
        let is_safe = to.scheme() == asked.scheme() || to.scheme() == "https";
        if !(is_same && is_safe && (is_home || is_named)) {
            return None;
        }
        Url::parse(&format!("{}://{}", to.scheme(), authority(&to)?)).ok()
    }
}

/// Where a redirect leads.
pub(crate) fn location(asked: &Url, heard: &HeaderMap) -> Option<Url> {
    asked.join(heard.get(header::LOCATION)?.to_str().ok()?).ok().filter(Url::has_host)
}

/// `host` or `host:port`.
pub(crate) fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or(host.to_string(), |port| format!("{host}:{port}")))
}

/// With a TLS server name, that is the host of every URL, so that it is asked for and verified;
/// it resolves to the host of the address, which stands in the `Host` header.
fn named(settings: &Settings) -> Result<(Url, Option<HeaderValue>), SettingsError> {
    let mut base = settings.address.clone();
    let Some(name) = settings.tls_server_name.as_deref().filter(|_| base.scheme() == "https")
    else {
        return Ok((base, None));
    };
    let error = |problem| {
        SettingsError::new("VAULT_TLS_SERVER_NAME", problem, "write a name like vault.example.com")
    };
    if settings.proxy.is_some() {
        return Err(SettingsError {
            remedy: "unset one of them".into(),
            ..error("can't be used with a proxy")
        });
    }
    if base.set_host(Some(name)).is_err() || !matches!(base.host(), Some(url::Host::Domain(_))) {
        return Err(error("isn't a host name"));
    }
    let host = authority(&settings.address).and_then(|it| HeaderValue::try_from(it).ok());
    Ok((base, Some(host.ok_or_else(|| error("can't be used with this address"))?)))
}

/// Without the brackets of IPv6.
fn plain_host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_string()
}

/// Whatever is asked for, it is this host.
struct Resolver {
    host: String,
}

impl dns::Resolve for Resolver {
    fn resolve(&self, _: dns::Name) -> dns::Resolving {
        let host = self.host.clone();
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as dns::Addrs)
        })
    }
}

fn classify(error: &reqwest::Error) -> Transport {
    let mut io_kind = None;
    for cause in causes(error) {
        if let Some(e) = cause.downcast_ref::<rustls::Error>() {
            return Transport::Tls(classify_tls(e));
        }
        io_kind = cause.downcast_ref::<io::Error>().map(io::Error::kind).or(io_kind);
    }
    match io_kind {
        Some(io::ErrorKind::ConnectionRefused) => Transport::Refused,
        _ if error.is_timeout() && error.is_connect() => Transport::Unreachable,
        _ if error.is_timeout() => Transport::Timeout,
        _ if error.is_dns() => Transport::Dns,
        _ if error.is_connect() || error.is_builder() => Transport::Other(innermost(error)),
        _ => Transport::Broken,
    }
}

/// From the outermost to the innermost. What an `io::Error` wraps isn't its source.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |it| {
        let it: &'a (dyn Error + 'static) = *it;
        match it.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => it.source(),
        }
    })
}

fn classify_tls(error: &rustls::Error) -> Tls {
    use rustls::{
        AlertDescription as Alert, CertificateError as Certificate, Error, InvalidMessage,
    };
    match error {
        Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => {
            Tls::UnknownIssuer
        }
        Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => Tls::WrongName,
        Error::InvalidCertificate(
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. },
        ) => Tls::Expired,
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => Tls::NotTls,
        Error::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate,
        ) => Tls::ClientCertificate,
        other => Tls::Other(other.to_string()),
    }
}

/// The cause at the bottom; reqwest's own words are about URLs.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
