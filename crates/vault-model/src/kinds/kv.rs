//! Secrets that the spec itself holds.

use serde_json::{Value, json};

use crate::{Body, kind::*};

pub const VERSION_1: Engine = Engine {
    name: "kv",
    bears_data: true,
    kinds: &[Kind {
        section: "data",
        path: "{mount}/{name}",
        list: Some("{mount}"),
        decode: |data| [("data".to_owned(), Value::Object(data))].into_iter().collect(),
        writes: |kind, mut body, _| match body.remove("data") {
            Some(Value::Object(data)) => vec![Write { path: kind.path, body: data }],
            _ => Vec::new(),
        },
        docs: "secret/kv/kv-v1",
        ..DATA
    }],
};

pub const VERSION_2: Engine = Engine {
    name: "kv-v2",
    bears_data: true,
    kinds: &[
        Kind {
            section: "config",
            path: "{mount}/config",
            fields: CONFIG,
            delete: Delete::WithParent,
            docs: "secret/kv/kv-v2",
            ..Kind::PLAIN
        },
        Kind {
            section: "data",
            path: "{mount}/data/{name}",
            list: Some("{mount}/metadata"),
            delete: Delete::At("{mount}/metadata/{name}"),
            writes: |kind, mut body, live| {
                // Check-and-set: what somebody wrote since it was read is not overwritten.
                let version = live.and_then(|it| it.get("metadata")?.get("version")).cloned();
                body.insert("options".to_owned(), json!({ "cas": version.unwrap_or(json!(0)) }));
                vec![Write { path: kind.path, body }]
            },
            docs: "secret/kv/kv-v2",
            ..DATA
        },
        Kind {
            section: "metadata",
            path: "{mount}/metadata/{name}",
            fields: &[
                number("max_versions"),
                flag("cas_required"),
                seconds("delete_version_after"),
                map("custom_metadata"),
            ],
            list: Some("{mount}/metadata"),
            // Deleting it deletes every version of the secret: it goes with its data.
            delete: Delete::WithParent,
            docs: "secret/kv/kv-v2",
            ..Kind::PLAIN
        },
    ],
};

const CONFIG: &[Field] =
    &[number("max_versions"), flag("cas_required"), seconds("delete_version_after")];

const DATA: Kind = Kind {
    fields: &[
        any("data").secret(),
        any("seed").secret().part(Part::Seed),
        map("generate").part(Part::Generate).names("sys/policies/password/{}"),
    ],
    desire,
    ..Kind::PLAIN
};

/// `data` is exact. `seed` counts only where nothing is. A key of `generate` keeps the value that it has.
fn desire(said: &Body, live: Option<&Body>) -> Body {
    let there = live.and_then(|it| it.get("data")?.as_object());
    let exact = said.get("data").and_then(Value::as_object);
    let seed = said.get("seed").and_then(Value::as_object);
    let mut data = exact.or(there).or(seed).cloned().unwrap_or_default();
    let generate = said.get("generate").and_then(Value::as_object);
    for (key, password_policy) in generate.into_iter().flatten() {
        let kept = there.and_then(|it| it.get(key)).cloned();
        let made =
            || format!("${{sys/policies/password/{}/generate#password}}", name_of(password_policy));
        data.insert(key.clone(), kept.unwrap_or_else(|| json!(made())));
    }
    [("data".to_owned(), Value::Object(data))].into_iter().collect()
}

fn name_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
