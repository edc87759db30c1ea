//! What a rule allows, on which conditions, and what several rules for one path allow together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use super::tree::merge;
use super::{Capabilities, Capability, Operation};

/// For each parameter, in lower case, the values that are meant: none means all. `*` is every other parameter.
pub type Parameters = BTreeMap<String, Vec<Value>>;

/// What one rule says, or all rules for one path together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Permissions {
    pub capabilities: Capabilities,
    /// The answer must be wrapped, for at least so long.
    pub min_wrapping_ttl: Option<Duration>,
    /// The answer must be wrapped, for at most so long.
    pub max_wrapping_ttl: Option<Duration>,
    /// In lower case, as Vault looks them up.
    pub required_parameters: BTreeSet<String>,
    pub allowed_parameters: Parameters,
    pub denied_parameters: Parameters,
    pub mfa_methods: BTreeSet<String>,
    /// Vault Enterprise's; not looked into.
    pub control_group: Option<Map<String, Value>>,
    pub subscribe_event_types: BTreeSet<String>,
    /// OpenBao's.
    pub pagination_limit: Option<u64>,
    /// OpenBao's.
    pub list_scan_response_keys_filter_path: Option<String>,
}

/// Why a request is refused although the path's rule may grant its operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the policy has no `{0}` for this path")]
    NotGranted(Operation),
    #[error(
        "the answer must be wrapped: `min_wrapping_ttl` and `max_wrapping_ttl` say for how long"
    )]
    Wrapping,
    #[error("the parameter `{0}` is required")]
    Required(String),
    #[error("the parameter `{0}` is denied, or this value of it")]
    Denied(String),
    #[error("the parameter `{0}` isn't allowed, or this value of it isn't")]
    NotAllowed(String),
}

impl Permissions {
    pub fn deny() -> Permissions {
        Permissions { capabilities: Capabilities::only(Capability::Deny), ..Permissions::default() }
    }

    pub fn is_deny(&self) -> bool {
        self.capabilities.contains(Capability::Deny)
    }

    pub fn grants(&self, operation: Operation) -> bool {
        !self.is_deny() && self.capabilities.contains(operation.needs())
    }

    /// Whether all that is granted is granted for every request.
    pub fn is_unconditional(&self) -> bool {
        *self == Permissions { capabilities: self.capabilities, ..Permissions::default() }
    }

    /// What this and a later rule for the same path allow together.
    pub fn join(&mut self, later: &Permissions) {
        if self.is_deny() {
            return;
        }
        if later.is_deny() {
            *self = Permissions::deny();
            return;
        }
        self.capabilities = self.capabilities.union(later.capabilities);
        self.min_wrapping_ttl = least(self.min_wrapping_ttl, later.min_wrapping_ttl);
        self.max_wrapping_ttl = least(self.max_wrapping_ttl, later.max_wrapping_ttl);
        join_parameters(&mut self.allowed_parameters, &later.allowed_parameters);
        join_parameters(&mut self.denied_parameters, &later.denied_parameters);
        self.required_parameters.extend(later.required_parameters.iter().cloned());
        self.mfa_methods.extend(later.mfa_methods.iter().cloned());
        // Vault forgets the event types of a later rule where the first names none.
        if !self.subscribe_event_types.is_empty() {
            self.subscribe_event_types.extend(later.subscribe_event_types.iter().cloned());
        }
        if let Some(later) = &later.control_group {
            let group = self.control_group.get_or_insert_default();
            later.iter().for_each(|(key, value)| merge(group, key, value.clone()));
        }
        self.pagination_limit = least(self.pagination_limit, later.pagination_limit);
        if self.list_scan_response_keys_filter_path.is_none() {
            self.list_scan_response_keys_filter_path
                .clone_from(&later.list_scan_response_keys_filter_path);
        }
    }

    /// Whether Vault lets a request pass with this body, wrapped for so long if at all. MFA and control groups aside.
    pub fn admits(
        &self,
        operation: Operation,
        body: &Map<String, Value>,
        wrapped_for: Option<Duration>,
    ) -> Result<(), Refusal> {
        if !self.grants(operation) {
            return Err(Refusal::NotGranted(operation));
        }
        if !self.admits_wrapping(wrapped_for) {
            return Err(Refusal::Wrapping);
        }
        let looks_at_body = matches!(
            operation,
            Operation::Create
                | Operation::Patch
                | Operation::Read
                | Operation::Recover
                | Operation::Update
        );
        if looks_at_body { self.admits_body(body) } else { Ok(()) }
    }

    fn admits_wrapping(&self, wrapped_for: Option<Duration>) -> bool {
        let (min, max) = (self.min_wrapping_ttl, self.max_wrapping_ttl);
        let long_enough = min.is_none_or(|min| wrapped_for.is_some_and(|it| it >= min));
        let short_enough = max.is_none_or(|max| wrapped_for.is_some_and(|it| it <= max));
        long_enough && short_enough
    }

    fn admits_body(&self, body: &Map<String, Value>) -> Result<(), Refusal> {
        if let Some(missing) = self.required_parameters.iter().find(|it| !body.contains_key(*it)) {
            return Err(Refusal::Required(missing.clone()));
        }
        if body.is_empty() {
            return Ok(());
        }
        for (name, value) in body {
            let denied = self.denied_parameters.get(&name.to_lowercase());
            if self.denied_parameters.contains_key("*")
                || denied.is_some_and(|it| is_denied(value, it))
            {
                return Err(Refusal::Denied(name.clone()));
            }
        }
        let others_allowed =
            self.allowed_parameters.is_empty() || self.allowed_parameters.contains_key("*");
        for (name, value) in body {
            let allowed = self.allowed_parameters.get(&name.to_lowercase());
            if !allowed.map_or(others_allowed, |it| is_allowed(value, it)) {
                return Err(Refusal::NotAllowed(name.clone()));
            }
        }
        Ok(())
    }
}

/// Values stay in a stable order, each once.
pub(super) fn insert(values: &mut Vec<Value>, value: Value) {
    let place = values.binary_search_by_key(&value.to_string(), Value::to_string);
    if let Err(place) = place {
        values.insert(place, value);
    }
}

/// All values of both; no values, which means all of them, is more than any.
fn join_parameters(parameters: &mut Parameters, later: &Parameters) {
    for (name, values) in later {
        match parameters.get_mut(name) {
            None => {
                parameters.insert(name.clone(), values.clone());
            }
            Some(known) if known.is_empty() || values.is_empty() => known.clear(),
            Some(known) => values.iter().for_each(|it| insert(known, it.clone())),
        }
    }
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// One forbidden part is enough.
fn is_denied(value: &Value, list: &[Value]) -> bool {
    list.is_empty()
        || is_listed(value, list)
        || parts(value).is_some_and(|it| it.iter().any(|it| is_listed(it, list)))
}

/// All parts must be allowed.
fn is_allowed(value: &Value, list: &[Value]) -> bool {
    list.is_empty()
        || is_listed(value, list)
        || parts(value).is_some_and(|it| it.iter().all(|it| is_listed(it, list)))
}

/// Vault takes a text with commas for a list, whether or not it is one.
fn parts(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(parts) => Some(parts.clone()),
        Value::String(text) if text.is_empty() => Some(Vec::new()),
        Value::String(text) => Some(text.split(',').map(|it| Value::from(it.trim())).collect()),
        _ => None,
    }
}

fn is_listed(value: &Value, list: &[Value]) -> bool {
    list.iter().any(|listed| match (listed, value) {
        (Value::String(listed), Value::String(value)) => glob(listed, value),
        (listed, value) => is_same(listed, value),
    })
}

/// Vault compares a number of the policy with the digits of the request, which are never equal to it.
fn is_same(listed: &Value, value: &Value) -> bool {
    match (listed, value) {
        (Value::Number(_), Value::Number(_)) => false,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (listed, value) => listed == value,
    }
}

/// A `*` at either end stands for anything, a single `*` for itself.
fn glob(pattern: &str, text: &str) -> bool {
    if pattern.len() < 2 {
        return pattern == text;
    }
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), Some(_)) => text.contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => pattern == text,
    }
}
