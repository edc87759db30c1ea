//! From a request to HTTP, and from what came back to an answer or a failure.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, header};
use rustify::{
    Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
    errors::ClientError,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::{Url, form_urlencoded};
use vault_model::{
    Body,
    request::{Method, Request},
};
use vaultrs::api::EndpointMiddleware;
use zeroize::Zeroize;

use crate::{
    answer::Answer,
    door::{self, Heard},
    error::{Failure, VaultError},
    reasons,
};

/// Who asks, and where.
#[derive(Clone)]
pub(crate) struct Sender {
    pub token: SecretString,
    pub namespace: Option<String>,
}

/// The request as rustify wants it.
struct Raw<'a> {
    request: &'a Request,
    path: &'a str,
}

impl Endpoint for Raw<'_> {
    type Response = Value;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        self.path.to_string()
    }

    fn method(&self) -> RequestMethod {
        match self.request.method {
            Method::Get => RequestMethod::GET,
            Method::List => RequestMethod::LIST,
            Method::Post => RequestMethod::POST,
            Method::Patch => RequestMethod::PATCH,
            Method::Delete => RequestMethod::DELETE,
        }
    }

    /// Vault reads the parameters of all but POST and PATCH from here.
    fn query(&self) -> Result<Option<String>, ClientError> {
        Ok((!has_body(self.request.method) && !self.request.body.is_empty())
            .then(|| query(&self.request.body)))
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        if !has_body(self.request.method) {
            return Ok(None);
        }
        serde_json::to_vec(&self.request.body)
            .map(Some)
            .map_err(|e| ClientError::DataParseError { source: e.into() })
    }
}

/// An HTTP request that can be cloned for a repetition. The problem, if Vault couldn't understand it.
pub(crate) fn prepare(
    request: &Request,
    sender: &Sender,
    base: &Url,
    host: Option<&HeaderValue>,
) -> Result<reqwest::Request, String> {
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    check_path(path)?;
    let is_plain = |it: &str| it.bytes().all(|it| it.is_ascii_graphic());
    if !is_plain(sender.token.expose_secret()) {
        return Err("the token holds characters that no token has".into());
    }
    if !sender.namespace.as_deref().is_none_or(is_plain) {
        return Err("the namespace holds a space or a character that no header can hold".into());
    }
    let mut middleware = EndpointMiddleware {
        token: sender.token.expose_secret().to_string(),
        version: "v1".into(),
        wrap: request.wrap_ttl_seconds.map(|it| format!("{it}s")),
        namespace: sender.namespace.clone(),
    };
    let built = Raw { request, path }.with_middleware(&middleware).request(base.as_str());
    middleware.token.zeroize();
    let mut built = built.map_err(|_| "the path can't be made into an address".to_string())?;
    let headers = built.headers_mut();
    if let Some(token) = headers.get_mut("x-vault-token") {
        token.set_sensitive(true);
    }
    if let Some(kind) = content_type(request.method) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if let Some(host) = host {
        headers.insert(header::HOST, host.clone());
    }
    reqwest::Request::try_from(built)
        .map_err(|_| "the path can't be made into an address".to_string())
}

/// What Vault meant, by status and body.
pub(crate) fn interpret(
    request: &Request,
    sender: &Sender,
    asked: &Url,
    heard: &Heard,
) -> Result<Answer, Box<VaultError>> {
    let fail = |failure, reasons| {
        Err(Box::new(VaultError {
            method: request.method,
            path: request.path.clone(),
            status: Some(heard.status),
            reasons,
            failure,
        }))
    };
    if (200..300).contains(&heard.status) {
        return match Answer::parse(heard.status, &heard.bytes) {
            Ok(answer) => Ok(answer),
            Err(problem) => fail(Failure::Decode { problem }, Vec::new()),
        };
    }
    let body: Option<Body> = serde_json::from_slice(&heard.bytes).ok();
    let mut reasons = reasons::read(body.as_ref(), &request.body, sender.token.expose_secret());
    if body.is_none() && heard.bytes.starts_with(b"Client sent an HTTP request to an HTTPS server")
    {
        reasons.push("Client sent an HTTP request to an HTTPS server".into());
    }
    let failure = failure(request, asked, heard, body.as_ref(), &reasons);
    fail(failure, reasons)
}

fn failure(
    request: &Request,
    asked: &Url,
    heard: &Heard,
    body: Option<&Body>,
    reasons: &[String],
) -> Failure {
    let says = |part: &str| reasons.iter().any(|it| it.contains(part));
    let is_health = request.path.trim_matches('/') == "sys/health";
    match heard.status {
        429 | 472 | 473 if is_health => Failure::Standby,
        501 if is_health => Failure::Uninitialized,
        503 if is_health => Failure::Sealed,
        300..400 => Failure::Redirect {
            to: door::location(asked, &heard.headers).map_or("nowhere".into(), |to| {
                format!("{}://{}", to.scheme(), door::authority(&to).unwrap_or_default())
            }),
        },
        400 if says("check-and-set parameter did not match") => Failure::CasMismatch,
        401 | 403 => Failure::Forbidden,
        404 if says("no handler for route") || says("route entry not found") => {
            Failure::NoSuchMount
        }
        404 if says("unsupported path") => Failure::Unsupported,
        404 => absence(heard, body),
        405 => Failure::Unsupported,
        412 => Failure::Consistency,
        429 => Failure::RateLimited { retry_after: retry_after(&heard.headers, SystemTime::now()) },
        472 | 473 => Failure::Standby,
        503 if says("is sealed") => Failure::Sealed,
        500.. if says("Vault is sealed") => Failure::Sealed,
        500.. if says("active cluster node not found") => Failure::Standby,
        500.. => Failure::Server,
        _ => Failure::BadRequest,
    }
}

/// Only Vault can say that nothing is there: a 404 of something else is no absence.
fn absence(heard: &Heard, body: Option<&Body>) -> Failure {
    let Some(body) = body.filter(|it| it.contains_key("errors") || it.contains_key("data")) else {
        return Failure::Decode {
            problem: format!("what answered isn't Vault{}", content_kind(&heard.headers)),
        };
    };
    let metadata = body.get("data").and_then(|it| it.get("metadata"));
    match metadata.and_then(|it| it.get("version")).and_then(Value::as_u64) {
        Some(version) => {
            let destroyed = metadata
                .and_then(|it| it.get("destroyed"))
                .and_then(Value::as_bool)
                .unwrap_or_default();
            Failure::Deleted { version, destroyed }
        }
        None => Failure::NotFound,
    }
}

fn content_kind(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let kind = kind.and_then(|it| it.split(';').next()).filter(|it| it.len() < 40);
    kind.map_or(String::new(), |it| format!(" (it sent {it})"))
}

/// In seconds, as Vault says it, or as a date, as proxies before it do.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        // What is past is now.
        Err(_) => {
            Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default())
        }
    }
}

/// What would be changed on the way is refused, since another path would be asked.
fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("the path is empty".into());
    }
    if path.chars().any(char::is_control) {
        return Err("the path holds a control character".into());
    }
    let mut parts = path.strip_suffix('/').unwrap_or(path).split('/');
    if parts.any(|it| it.is_empty() || it == "." || it == "..") {
        return Err(
            "the path holds an empty part, `.` or `..`, which Vault would resolve to another path"
                .into(),
        );
    }
    Ok(())
}

fn has_body(method: Method) -> bool {
    matches!(method, Method::Post | Method::Patch)
}

fn content_type(method: Method) -> Option<&'static str> {
    match method {
        Method::Post => Some("application/json"),
        Method::Patch => Some("application/merge-patch+json"),
        Method::Get | Method::List | Method::Delete => None,
    }
}

/// A list repeats its name, as Vault reads it.
fn query(body: &Body) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in body {
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for item in items {
            match item {
                Value::Null => {}
                Value::String(it) => drop(out.append_pair(name, it)),
                other => drop(out.append_pair(name, &other.to_string())),
            }
        }
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (said, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let header = HeaderValue::from_str(said).expect("a header");
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, header)]);
            let seconds = retry_after(&headers, now).map(|it| it.as_secs());
            assert_eq!(seconds, expected, "{said}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
