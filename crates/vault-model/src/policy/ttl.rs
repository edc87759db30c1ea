//! How long answers are to be wrapped.

use std::time::Duration;

use serde_json::Value;

use crate::duration;

/// `None` where Vault would refuse it, or where it is less than nothing.
pub(super) fn parse(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => parse_text(text),
        // Vault counts nanoseconds in 63 bits, and cuts fractions of a second off.
        Value::Number(number) => {
            let seconds = number
                .as_u64()
                .or_else(|| number.as_f64().filter(|it| *it >= 0.0).map(|it| it as u64))?;
            (seconds <= i64::MAX as u64 / 1_000_000_000).then(|| Duration::from_secs(seconds))
        }
        _ => None,
    }
}

pub(super) fn parse_text(text: &str) -> Option<Duration> {
    let duration = duration::parse(text)?;
    let (seconds, nanoseconds) =
        (duration.seconds.try_into().ok()?, duration.nanoseconds.try_into().ok()?);
    Some(Duration::new(seconds, nanoseconds))
}

/// What `parse` reads back to the same.
pub(super) fn print(duration: Duration) -> Value {
    match duration.subsec_nanos() {
        0 => Value::from(duration.as_secs()),
        _ => Value::from(format!("{}ns", duration.as_nanos())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: Value, seconds: Option<f64>) {
        assert_eq!(parse(&value).map(|it| it.as_secs_f64()), seconds);
    }

    #[test]
    fn numbers_are_seconds_and_texts_are_durations() {
        check(json!(90), Some(90.0));
        check(json!(1.9), Some(1.0));
        check(json!("1h30m"), Some(5400.0));
        check(json!("1.5s"), Some(1.5));
        check(json!(""), Some(0.0));
    }

    #[test]
    fn what_vault_refuses_and_what_lies_below_nothing_is_refused() {
        for value in [json!("1w"), json!("-5s"), json!(-5), json!(true), json!([]), json!(u64::MAX)]
        {
            check(value, None);
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_are_inverse(nanoseconds in 0..i64::MAX as u64) {
            let duration = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse(&print(duration)), Some(duration));
        }
    }
}
