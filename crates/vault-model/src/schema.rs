//! The JSON Schema (draft 2020-12) of a spec, out of the table of kinds: completion and checks in editors.

use serde_json::{Map, Value, json};

use crate::{
    claim::Verb,
    kind::{Engine, Field, Kind, Shape},
    kinds::{self, AUTH, SECRETS},
};

const DOCS: &str = "https://developer.hashicorp.com/vault/api-docs/";

pub fn schema() -> Value {
    let sections =
        |name: &str| kinds::engine(name, None).map_or(json!({}), |it| of_engine(it, Map::new()));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vaultwright spec",
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": { "type": "string", "pattern": "^[A-Za-z0-9._-]+$" },
            "vars": { "type": "object", "additionalProperties": variable() },
            "ledger": { "type": "string", "description": "the KV v2 mount that keeps the ledger" },
            "sys": sections("sys"),
            "identity": sections("identity"),
            "secrets": { "type": "object", "additionalProperties": mounts(&SECRETS, kinds::ENGINES) },
            "auth": { "type": "object", "additionalProperties": mounts(&AUTH, kinds::METHODS) },
            "paths": { "type": "object", "additionalProperties": { "type": "object" } },
            "claims": { "type": "array", "items": claim() },
            "deliver": { "type": "array", "items": delivery() },
        },
        "patternProperties": { "^x-": {} },
        "additionalProperties": false,
    })
}

/// One `if type is … then …` for each engine, so that editors offer only what fits.
fn mounts(kind: &'static Kind, engines: &[&'static Engine]) -> Value {
    let own: Map<String, Value> =
        kind.fields.iter().map(|it| (it.name.to_owned(), of_field(it))).collect();
    let mut by_type: Vec<Value> = Vec::new();
    for engine in engines.iter().filter(|it| !matches!(it.name, "sys" | "identity" | "kv-v2")) {
        let (mut own, mut names) = (own.clone(), vec![engine.name]);
        // `kv` becomes version 2 by its options, and has both sections then.
        if let ("kv", Some(newer)) = (engine.name, kinds::engine("kv", Some("2"))) {
            own.extend(sections(newer));
            names.push(newer.name);
        }
        let is_type = json!({ "properties": { "type": { "enum": names } } });
        by_type.push(json!({ "if": is_type, "then": of_engine(engine, own) }));
    }
    json!({ "type": "object", "required": ["type"], "properties": { "type": { "type": "string" } }, "allOf": by_type })
}

fn of_engine(engine: &'static Engine, mut properties: Map<String, Value>) -> Value {
    for (name, section) in sections(engine) {
        properties.entry(name).or_insert(section);
    }
    properties.insert("protect".to_owned(), json!({ "type": "boolean" }));
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn sections(engine: &'static Engine) -> Map<String, Value> {
    let section = |kind: &'static Kind| {
        let one = of_kind(kind);
        let schema = match kind.one_per_mount() {
            true => one,
            false => json!({ "type": "object", "additionalProperties": one }),
        };
        (kind.section.to_owned(), schema)
    };
    engine.kinds.iter().map(section).collect()
}

fn of_kind(kind: &'static Kind) -> Value {
    let variants = kind
        .variants
        .iter()
        .flat_map(|it| it.of)
        .flat_map(|(_, groups)| *groups)
        .copied()
        .flatten();
    let fields = kind.fields.iter().chain(variants);
    let mut properties: Map<String, Value> =
        fields.map(|it| (it.name.to_owned(), of_field(it))).collect();
    properties.insert(
        "protect".to_owned(),
        json!({ "type": "boolean", "description": "never deleted or replaced" }),
    );
    let is_policy = |it: &Field| matches!(it.shape, Shape::Policy | Shape::PasswordPolicy);
    let mut required: Vec<&str> =
        kind.fields.iter().filter(|it| it.required).map(|it| it.name).collect();
    if kind.fields.iter().any(is_policy) {
        required.clear();
        properties.insert(
            "file".to_owned(),
            json!({ "type": "string", "description": "a file that holds the policy" }),
        );
    }
    json!({
        "type": "object",
        "description": format!("{DOCS}{}", kind.docs),
        "properties": properties,
        "required": required,
        "additionalProperties": kind.open || kind.variants.is_some(),
    })
}

fn of_field(field: &Field) -> Value {
    let mut schema = of_shape(field.shape);
    if let Value::Object(schema) = &mut schema {
        if !field.values.is_empty() {
            schema.insert("enum".to_owned(), json!(field.values));
        }
        if let Some(newer) = field.renamed {
            schema.insert("deprecated".to_owned(), json!(true));
            schema.insert("description".to_owned(), json!(format!("the old name of {newer}")));
        }
        if field.write_only {
            schema.insert("writeOnly".to_owned(), json!(true));
        }
    }
    schema
}

fn of_shape(shape: Shape) -> Value {
    // A template or a reference may stand for a value of any type.
    let text = json!({ "type": "string" });
    match shape {
        Shape::Text
        | Shape::Trimmed
        | Shape::Path
        | Shape::Policy
        | Shape::PasswordPolicy
        | Shape::Url => {
            json!({ "type": ["string", "number", "boolean"] })
        }
        Shape::Flag => json!({ "type": ["boolean", "string"] }),
        Shape::Number => json!({ "type": ["number", "string"] }),
        Shape::Seconds => {
            json!({ "type": ["integer", "string"], "description": "seconds, or 90s, 1h30m, 30d" })
        }
        Shape::List
        | Shape::Set
        | Shape::LowerSet
        | Shape::Commas
        | Shape::Networks
        | Shape::Statements => {
            json!({ "type": ["array", "string"], "items": text })
        }
        Shape::Map => json!({ "type": "object" }),
        Shape::Json => json!({ "type": ["object", "array", "string"] }),
        Shape::Body(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|it| (it.name.to_owned(), of_field(it))).collect();
            json!({ "type": "object", "properties": properties, "additionalProperties": false })
        }
        Shape::Any => json!({}),
    }
}

fn variable() -> Value {
    json!({
        "anyOf": [
            { "type": ["string", "number", "boolean", "array"] },
            {
                "type": "object",
                "properties": { "default": {}, "secret": { "type": "boolean" }, "description": { "type": "string" } },
                "additionalProperties": false,
            },
        ],
    })
}

fn claim() -> Value {
    let verbs: Vec<&str> = Verb::ALL.iter().map(|it| it.name()).collect();
    let operation = json!({ "type": "string", "pattern": format!("^({}) .+", verbs.join("|")) });
    let operations = json!({ "type": "array", "items": operation });
    let statements = json!({ "type": "array", "items": { "type": "string" } });
    let account = json!({ "type": "string", "pattern": "^[^/ ]+/[^/ ]+( for .+)?$" });
    let accounts = json!({ "type": "array", "items": account });
    json!({
        "oneOf": [
            {
                "type": "object",
                "required": ["login"],
                "properties": {
                    "login": { "type": "string" },
                    "may": operations,
                    "may_not": operations,
                    "lets_in": accounts,
                    "keeps_out": accounts,
                },
                "additionalProperties": false,
            },
            {
                "type": "object",
                "required": ["credential"],
                "properties": {
                    "credential": { "type": "string" },
                    "database": { "type": "string" },
                    "can": statements,
                    "cannot": statements,
                    "sessions_end": { "type": "boolean" },
                },
                "additionalProperties": false,
            },
        ],
    })
}

fn delivery() -> Value {
    let target = json!({
        "type": "object",
        "required": ["kv"],
        "properties": {
            "kv": { "type": "string" },
            "fields": { "type": "object", "additionalProperties": { "type": "string" } },
        },
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "required": ["from", "login", "to"],
        "properties": {
            "from": { "type": "string" },
            "login": { "type": "string" },
            "to": { "type": "array", "items": target },
        },
        "additionalProperties": false,
    })
}
