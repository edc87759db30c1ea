//! What Vault answers, read by ourselves from the bytes.

use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use vault_model::Body;

/// Its `Debug` names the fields of `data` and never shows their values.
#[derive(Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// What the API page calls `data`; for the few paths that answer without it (`sys/health`), the whole answer.
    pub data: Option<Body>,
    pub auth: Option<Auth>,
    pub lease: Option<Lease>,
    pub wrap_info: Option<WrapInfo>,
    pub warnings: Vec<String>,
    /// Vault's own number of the request; empty where there is none.
    pub request_id: String,
}

/// A login's result.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Auth {
    pub client_token: SecretString,
    #[serde(deserialize_with = "null_is_default")]
    pub accessor: String,
    #[serde(deserialize_with = "null_is_default")]
    pub policies: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    pub token_policies: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    pub entity_id: String,
    /// `service` or `batch`.
    #[serde(deserialize_with = "null_is_default")]
    pub token_type: String,
    /// In seconds; 0 means that it never ends.
    pub lease_duration: u64,
    pub renewable: bool,
    pub orphan: bool,
    pub num_uses: u64,
    /// Set instead of a token if Vault wants a second factor.
    pub mfa_requirement: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    pub id: String,
    pub duration_seconds: u64,
    pub renewable: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct WrapInfo {
    pub token: SecretString,
    #[serde(default)]
    pub accessor: String,
    #[serde(rename = "ttl", default)]
    pub ttl_seconds: u64,
    #[serde(default)]
    pub creation_time: String,
    #[serde(default)]
    pub creation_path: String,
    #[serde(default)]
    pub wrapped_accessor: String,
}

impl Answer {
    /// The problem, if the bytes aren't an answer of Vault. Never quotes them.
    pub(crate) fn parse(status: u16, bytes: &[u8]) -> Result<Answer, String> {
        let mut answer = Answer { status, ..Answer::default() };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(answer);
        }
        let mut top: Body = serde_json::from_slice(bytes).map_err(|e| not_json(&e))?;
        answer.warnings = take(&mut top, "warnings")?.unwrap_or_default();
        answer.auth = take(&mut top, "auth")?;
        answer.wrap_info = take(&mut top, "wrap_info")?;
        answer.lease = lease(&mut top)?;
        let enveloped = top.contains_key("data") || top.contains_key("request_id");
        answer.request_id = take(&mut top, "request_id")?.unwrap_or_default();
        answer.data =
            if enveloped { take(&mut top, "data")? } else { Some(top).filter(|it| !it.is_empty()) };
        Ok(answer)
    }

    /// The `keys` of a LIST.
    pub fn keys(&self) -> Vec<String> {
        let keys = self.data.as_ref().and_then(|it| it.get("keys")).and_then(Value::as_array);
        keys.into_iter().flatten().filter_map(|it| it.as_str().map(String::from)).collect()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("data", &self.data.as_ref().map(|it| it.keys().collect::<Vec<_>>()))
            .field("auth", &self.auth)
            .field("lease", &self.lease)
            .field("wrap_info", &self.wrap_info)
            .field("warnings", &self.warnings)
            .finish()
    }
}

fn lease(top: &mut Body) -> Result<Option<Lease>, String> {
    let id: String = take(top, "lease_id")?.unwrap_or_default();
    let duration_seconds = take(top, "lease_duration")?.unwrap_or_default();
    let renewable = take(top, "renewable")?.unwrap_or_default();
    Ok(Some(Lease { id, duration_seconds, renewable }).filter(|it| !it.id.is_empty()))
}

/// Removes a field; absent and `null` are the same.
fn take<T: for<'de> Deserialize<'de>>(top: &mut Body, name: &str) -> Result<Option<T>, String> {
    match top.remove(name) {
        None | Some(Value::Null) => Ok(None),
        // Serde's message would quote the value.
        Some(value) => serde_json::from_value(value).map(Some).map_err(|_| {
            format!("the answer's `{name}` doesn't have the shape that Vault documents")
        }),
    }
}

fn not_json(e: &serde_json::Error) -> String {
    match e.classify() {
        serde_json::error::Category::Eof => "the answer ends in the middle".into(),
        _ => format!("the answer isn't a JSON object (line {}, column {})", e.line(), e.column()),
    }
}

fn null_is_default<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
