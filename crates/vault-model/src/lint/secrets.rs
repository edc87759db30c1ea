//! Secrets written where everybody reads them.

use serde_json::Value;

use crate::{
    kind::Shape,
    node::{Node, NodeValue},
    object::{Object, has_reference},
    source::{Mistake, Place},
    url,
};

use super::Seen;

/// Keys of KV secrets that hold what nobody should read, alone or after `_`.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "secret_key",
    "private_key",
];

/// What a token of Vault begins with.
const TOKENS: &[&str] = &["hvs.", "hvb.", "hvr."];
const TOKEN_LENGTH: usize = 24;

/// Secret fields with a text of the spec; secret variables with one are refused when they are declared.
pub fn plain_secrets(seen: &Seen<'_>) -> Vec<Mistake> {
    seen.objects.iter().flat_map(|it| in_object(seen, it)).collect()
}

pub fn plain_tokens(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    tokens(seen, seen.root, &mut mistakes);
    seen.declared
        .iter()
        .filter_map(|it| it.default.as_ref())
        .for_each(|it| tokens(seen, it, &mut mistakes));
    mistakes
}

fn in_object(seen: &Seen<'_>, object: &Object) -> Vec<Mistake> {
    let one = |(name, value): (&String, &Value)| {
        let row = object.row(name)?;
        let text = value.as_str().filter(|it| !it.is_empty())?;
        let is_url = matches!(row.shape, Shape::Url) && url::shown(text) != text;
        if !(row.secret || is_url) || matches!(row.shape, Shape::Any) || has_reference(value) {
            return None;
        }
        let place = object.field_place(name);
        let what = if is_url { "the password in " } else { "" };
        let message = match origin(seen, place) {
            Origin::Written => format!("{what}`{name}` is written here in clear"),
            Origin::Variable if !object.is_from_secret_variable(name) => {
                format!("{what}`{name}` comes from a variable that is not `secret: true`")
            }
            _ => return None,
        };
        Some(Mistake::error(place, message))
    };
    object.said.iter().filter_map(one).collect()
}

enum Origin {
    Written,
    Variable,
    /// `env()` or `file()`.
    Outside,
}

fn origin(seen: &Seen<'_>, place: Place) -> Origin {
    match seen.sources.text(place) {
        Some(said) if said.contains("env(") || said.contains("file(") => Origin::Outside,
        Some(said) if said.contains("((") => Origin::Variable,
        _ => Origin::Written,
    }
}

/// Texts that look like a token of Vault, wherever they stand.
fn tokens(seen: &Seen<'_>, node: &Node, mistakes: &mut Vec<Mistake>) {
    match &node.value {
        NodeValue::Text(text) if is_token(text) => {
            if let (false, Origin::Written) = (node.secret, origin(seen, node.place)) {
                mistakes
                    .push(Mistake::error(node.place, "a token of Vault is written here in clear"));
            }
        }
        NodeValue::List(items) => items.iter().for_each(|it| tokens(seen, it, mistakes)),
        NodeValue::Map(entries) => {
            entries.iter().for_each(|(_, it)| tokens(seen, it, mistakes));
        }
        _ => {}
    }
}

fn is_token(text: &str) -> bool {
    if text.len() < TOKEN_LENGTH {
        return false;
    }
    let is_letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
    TOKENS.iter().any(|start| {
        text.match_indices(start).any(|(at, _)| {
            text[at + start.len()..].chars().take_while(|it| is_letter(*it)).count() >= TOKEN_LENGTH
        })
    })
}

pub fn plain_kv_secrets(seen: &Seen<'_>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let objects = seen.of("kv-v2", "data").chain(seen.of("kv", "data"));
    for object in objects {
        let Some(data) = object.said.get("data").and_then(Value::as_object) else { continue };
        for (key, value) in data {
            let Some(text) = value.as_str().filter(|it| !it.is_empty()) else { continue };
            let is_plain = is_secret_word(key) || url::shown(text) != text && text.contains("://");
            let place = object.field_place(&format!("data.{key}"));
            let is_written = matches!(origin(seen, place), Origin::Written);
            if is_plain && is_written && !has_reference(value) {
                let message = format!("`{key}` of {} is written here in clear", object.path);
                mistakes.push(Mistake::error(place, message));
            }
        }
    }
    mistakes
}

fn is_secret_word(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| match key.strip_suffix(word) {
        Some(before) => before.is_empty() || before.ends_with('_'),
        None => false,
    })
}
