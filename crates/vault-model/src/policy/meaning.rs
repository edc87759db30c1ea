//! Whether two texts grant the same, whatever they look like.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Parameters, Pattern, Permissions, Policy, Rule, parse, ttl};

/// Whether two policy texts grant the same. A text that is no policy is only the same as itself.
pub fn same_meaning(a: &str, b: &str) -> bool {
    if a.trim() == b.trim() {
        return true;
    }
    match (canonical(a), canonical(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// What a policy says, as JSON of the shape of a policy: one rule for each path, everything in order.
pub fn canonical(text: &str) -> Option<Value> {
    parse(text).ok().map(|it| it.canonical())
}

impl Policy {
    /// What it says, as JSON of the shape of a policy. Vault reads it so, too, but for truth values and lists among the
    /// values of parameters, which it drops from JSON.
    pub fn canonical(&self) -> Value {
        let rules: Vec<(String, Value)> = joined(&self.rules)
            .into_iter()
            .map(|((path, expiration), permissions)| {
                (path.written(), rule_to_json(permissions, expiration))
            })
            .collect();
        let paths: BTreeSet<&String> = rules.iter().map(|it| &it.0).collect();
        match rules.len() {
            0 => json!({}),
            count if count == paths.len() => json!({ "path": Map::from_iter(rules) }),
            // A path with several rules, each of which expires at its own time.
            _ => {
                let rules = rules.into_iter().map(|it| Value::Object(Map::from_iter([it])));
                json!({ "path": rules.collect::<Vec<_>>() })
            }
        }
    }
}

/// Rules that expire at different moments stay apart.
fn joined(rules: &[Rule]) -> BTreeMap<(&Pattern, Option<&str>), Permissions> {
    let mut joined: BTreeMap<_, Permissions> = BTreeMap::new();
    for rule in rules {
        joined
            .entry((&rule.path, rule.expiration.as_deref()))
            .and_modify(|it| it.join(&rule.permissions))
            .or_insert_with(|| rule.permissions.clone());
    }
    joined
}

fn rule_to_json(permissions: Permissions, expiration: Option<&str>) -> Value {
    let mut rule = Map::new();
    let mut say =
        |key: &str, value: Option<Value>| rule.extend(value.map(|it| (key.to_string(), it)));
    say("capabilities", Some(json!(permissions.capabilities.names())));
    say("allowed_parameters", parameters_to_json(&permissions.allowed_parameters));
    say("denied_parameters", parameters_to_json(&permissions.denied_parameters));
    let set = |it: &BTreeSet<String>| (!it.is_empty()).then(|| json!(it));
    say("required_parameters", set(&permissions.required_parameters));
    say("min_wrapping_ttl", permissions.min_wrapping_ttl.map(ttl::print));
    say("max_wrapping_ttl", permissions.max_wrapping_ttl.map(ttl::print));
    say("mfa_methods", set(&permissions.mfa_methods));
    say("control_group", permissions.control_group.map(Value::Object));
    say("subscribe_event_types", set(&permissions.subscribe_event_types));
    say("pagination_limit", permissions.pagination_limit.map(Value::from));
    say(
        "list_scan_response_keys_filter_path",
        permissions.list_scan_response_keys_filter_path.map(Value::from),
    );
    say("expiration", expiration.map(Value::from));
    Value::Object(rule)
}

fn parameters_to_json(parameters: &Parameters) -> Option<Value> {
    (!parameters.is_empty()).then(|| json!(parameters))
}
