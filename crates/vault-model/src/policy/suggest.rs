//! What to write instead of a word that means nothing.

use crate::nearest::nearest;

/// `did you mean x?`, or all the choices.
pub(super) fn suggest(word: &str, choices: &[&str]) -> String {
    match (nearest(word, choices.iter().copied()), choices) {
        (Some(choice), _) => format!("did you mean `{choice}`?"),
        (None, [only]) => format!("it is `{only}`"),
        (None, choices) => format!("it is one of {}", choices.join(", ")),
    }
}
