//! Vault's durations: `90`, `"90"`, `1h30m`, `1.5h`, `500ms`, `30d`.

use std::fmt::Write;

use serde_json::Value;

/// As Vault holds it. Two that Vault would store alike have the same `seconds`: it drops fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration {
    pub seconds: i64,
    /// Of the same sign as the seconds.
    pub nanoseconds: i32,
}

/// Everything that Vault's API accepts as a duration in text: whole seconds, whole days with a `d` (which nothing may
/// follow), or Go's grammar, a sign and numbers with units from `ns` to `h`. Empty text is no time at all.
pub fn parse(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return Some(Duration::default());
    }
    if let Some(it) = whole(text) {
        return of(i128::from(it) * NANOSECONDS);
    }
    if let Some(days) = text.strip_suffix('d') {
        return of(i128::from(whole(days)?) * DAY_SECONDS * NANOSECONDS);
    }
    let (negative, unsigned) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let sum = with_units(unsigned)?;
    of(if negative { -sum } else { sum })
}

/// A duration as a field of a body says it, in whole seconds: a number of seconds or text.
pub fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(it) => {
            let seconds = it.as_i64()?;
            of(i128::from(seconds) * NANOSECONDS).map(|it| it.seconds)
        }
        Value::String(it) => parse(it).map(|it| it.seconds),
        _ => None,
    }
}

/// As a person would write it, so that Vault reads it back: `90` is `1m30s`, `172800` is `2d`.
pub fn show(seconds: i64) -> String {
    let mut text = String::new();
    if seconds < 0 {
        text.push('-');
    }
    let mut left = seconds.unsigned_abs();
    if left >= 86_400 && left.is_multiple_of(86_400) {
        let _ = write!(text, "{}d", left / 86_400);
        return text;
    }
    for (unit, length) in [("h", 3600), ("m", 60), ("s", 1)] {
        if left >= length || (unit == "s" && seconds == 0) {
            let _ = write!(text, "{}{unit}", left / length);
            left %= length;
        }
    }
    text
}

const NANOSECONDS: i128 = 1_000_000_000;
const DAY_SECONDS: i128 = 86_400;

/// Vault counts nanoseconds in 64 bits: about 292 years.
fn of(nanoseconds: i128) -> Option<Duration> {
    i64::try_from(nanoseconds).ok()?;
    Some(Duration {
        seconds: (nanoseconds / NANOSECONDS) as i64,
        nanoseconds: (nanoseconds % NANOSECONDS) as i32,
    })
}

/// A sign and digits, nothing else.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// `1h30m`, in nanoseconds. A lone `0` needs no unit.
fn with_units(text: &str) -> Option<i128> {
    if text.is_empty() {
        return None;
    }
    let mut left = text;
    let mut sum = 0_i128;
    while !left.is_empty() {
        let number_end = left.find(|it: char| !it.is_ascii_digit() && it != '.')?;
        let (number, rest) = left.split_at(number_end);
        let unit_end = rest.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit_end);
        sum = sum.checked_add(scaled(number, unit_nanoseconds(unit)?)?)?;
        left = rest;
    }
    Some(sum)
}

fn unit_nanoseconds(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => NANOSECONDS,
        "m" => 60 * NANOSECONDS,
        "h" => 3600 * NANOSECONDS,
        _ => return None,
    })
}

/// `1.5` of a unit; digits may miss on one side of the point.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.into() };
    Some(whole * unit + part_of(fraction, unit))
}

/// What the digits after the point say. In floating point as Go has it, so that `0.3333333333333333333h` is 20 minutes
/// here as there; digits that 63 bits don't hold say nothing.
fn part_of(fraction: &str, unit: i128) -> i128 {
    let (mut digits, mut scale) = (0_i64, 1_f64);
    for digit in fraction.bytes() {
        let more = digits.checked_mul(10).and_then(|it| it.checked_add((digit - b'0').into()));
        let Some(more) = more else { break };
        digits = more;
        scale *= 10.0;
    }
    (digits as f64 * (unit as f64 / scale)) as i128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: i64) {
        assert_eq!(
            parse(text).map(|it| (it.seconds, it.nanoseconds)),
            Some((seconds, 0)),
            "{text}"
        );
    }

    #[track_caller]
    fn refused(text: &str) {
        assert_eq!(parse(text), None, "{text}");
    }

    #[test]
    fn a_bare_number_is_seconds() {
        check("90", 90);
        check("+90", 90);
        check("0", 0);
    }

    #[test]
    fn units_add_up() {
        check("1h30m", 5400);
        check("1h1m1s", 3661);
        check("1m1h", 3660);
        check("1h1h", 7200);
    }

    #[test]
    fn numbers_have_fractions() {
        check("1.5h", 5400);
        check(".5h", 1800);
        check("1.h", 3600);
        check("0.3333333333333333333h", 1200);
    }

    #[test]
    fn days_stand_alone() {
        check("30d", 2_592_000);
        check("-1d", -86_400);
        refused("1d12h");
        refused("1.5d");
        refused("d");
        refused("1h1d");
    }

    #[test]
    fn less_than_a_second_is_kept_apart() {
        let half = Some(Duration { seconds: 0, nanoseconds: 500_000_000 });
        assert_eq!(parse("500ms"), half);
        assert_eq!(parse("500000us"), half);
        assert_eq!(parse("500000\u{b5}s"), half);
        assert_eq!(parse("500000\u{3bc}s"), half);
        assert_eq!(parse("500000000ns"), half);
        assert_eq!(parse("-1.5s"), Some(Duration { seconds: -1, nanoseconds: -500_000_000 }));
    }

    #[test]
    fn empty_text_is_no_time() {
        check("", 0);
    }

    #[test]
    fn less_than_nothing_is_a_duration() {
        check("-1", -1);
        check("-1h", -3600);
    }

    #[test]
    fn what_vault_refuses_is_refused() {
        for text in [
            " 1h", "1h ", "1 h", "1w", "1y", "h", ".", ".s", "-", "+", "--1h", "1.2.3s", "1e3s",
            "1_000", "0x10", "1H", "1hm", "½h", "µ", "µs", "1µ", "infinity", "1h-1m",
        ] {
            refused(text);
        }
    }

    #[test]
    fn what_64_bits_of_nanoseconds_cannot_hold_is_refused() {
        check("9223372036", 9_223_372_036);
        refused("9223372037");
        refused("99999999999999999999");
        refused("106752d");
        check("106751d", 106_751 * 86_400);
        refused("99999999999999999h");
        assert_eq!(seconds(&json!(9_223_372_037_i64)), None);
    }

    #[test]
    fn a_field_is_whole_seconds() {
        assert_eq!(seconds(&json!(90)), Some(90));
        assert_eq!(seconds(&json!("90")), Some(90));
        assert_eq!(seconds(&json!("1500ms")), Some(1));
        assert_eq!(seconds(&json!(-1)), Some(-1));
        assert_eq!(seconds(&json!(1.5)), None);
        assert_eq!(seconds(&json!(true)), None);
        assert_eq!(seconds(&json!(null)), None);
        assert_eq!(seconds(&json!(["1h"])), None);
    }

    #[test]
    fn it_is_shown_as_a_person_would_write_it() {
        for (seconds, text) in [
            (0, "0s"),
            (90, "1m30s"),
            (5400, "1h30m"),
            (86_400, "1d"),
            (90_000, "25h"),
            (-90, "-1m30s"),
        ] {
            assert_eq!(show(seconds), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(seconds in -9_223_372_036_i64..=9_223_372_036) {
            prop_assert_eq!(parse(&show(seconds)).map(|it| it.seconds), Some(seconds));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), ends in "[-+0-9.µμdhmsnu]{0,12}") {
            parse(&text);
            parse(&ends);
            parse(&(text + &ends));
        }

        #[test]
        fn units_are_the_sum_of_their_parts(hours in 0..1000_i64, minutes in 0..1000_i64, seconds in 0..1000_i64) {
            let text = format!("{hours}h{minutes}m{seconds}s");
            prop_assert_eq!(parse(&text).map(|it| it.seconds), Some(hours * 3600 + minutes * 60 + seconds));
        }
    }
}
