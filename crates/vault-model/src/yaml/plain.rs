//! What a plain word is: nothing, true, false, a number, or text.

use serde_json::Number;

use crate::node::NodeValue;

/// A number only if it prints as it was written: `1.10`, `0777`, `1_000`, `1e3`, `0x1F` and account ids that are
/// too long for a number stay text, and nothing is lost. `yes`, `no`, `on` and `off` are text too.
pub(super) fn plain(text: &str) -> NodeValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeValue::Null,
        "true" | "True" | "TRUE" => NodeValue::Bool(true),
        "false" | "False" | "FALSE" => NodeValue::Bool(false),
        _ => match number(text) {
            Some(it) => NodeValue::Number(it),
            None => NodeValue::Text(text.to_owned()),
        },
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|it: char| it.is_ascii_digit()) || text.len() > 40 {
        return None;
    }
    let number = match text.contains('.') {
        true => Number::from_f64(text.parse().ok()?)?,
        false => match text.parse::<i64>() {
            Ok(it) => it.into(),
            Err(_) => text.parse::<u64>().ok()?.into(),
        },
    };
    (number.to_string() == text).then_some(number)
}
