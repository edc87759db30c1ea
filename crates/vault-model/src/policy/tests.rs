//! What must hold of policies.

mod deciding;
mod laws;
mod meaning;
mod passwords;
mod paths;
mod reading;
mod refusing;

use super::*;

/// Mistakes and remarks with the text that they point at.
fn findings(text: &str) -> String {
    let show = |range: &Range<usize>, message: &str, help: &str| {
        let end = if help.is_empty() { String::new() } else { format!("; {help}") };
        format!("`{}`: {message}{end}\n", &text[range.clone()])
    };
    match parse(text) {
        Ok(policy) => {
            policy.remarks.iter().map(|it| show(&it.range, &it.message, &it.help)).collect()
        }
        Err(mistakes) => {
            let show = |it: &PolicyMistake| {
                show(&it.range, &it.message, it.help.as_deref().unwrap_or_default())
            };
            mistakes.iter().map(show).collect()
        }
    }
}

#[track_caller]
fn policy(text: &str) -> Policy {
    parse(text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}
