//! What an audit device of the spec can't write down.

use serde_json::Value;

use crate::{object::Object, source::Mistake};

use super::Seen;

const TOPICS: &str = "vhost_topics";

/// Vault 1.21.1 panics over their type when it audits the answer. Where the spec has no device, Vault may still have one:
/// that is not for the spec to know.
pub fn unreadable_roles(seen: &Seen<'_>) -> Vec<Mistake> {
    let Some(device) = seen.objects.iter().find(|it| it.path.starts_with("sys/audit/")) else {
        return Vec::new();
    };
    let check = |role: &Object| {
        has_some(role.said.get(TOPICS)?).then(|| {
            let message = format!("{} can't be read while {} is on", role.path, device.path);
            Mistake::error(role.field_place(TOPICS), message)
                .also(device.place, "the audit device of this spec")
        })
    };
    seen.of("rabbitmq", "roles").filter_map(check).collect()
}

fn has_some(topics: &Value) -> bool {
    match topics {
        Value::Null => false,
        Value::Object(topics) => !topics.is_empty(),
        Value::String(text) => !matches!(text.trim(), "" | "{}" | "null"),
        _ => true,
    }
}
