//! Secrets taken out of texts that others wrote: Vault's reasons, errors of a database.

use std::{borrow::Cow, collections::BTreeSet, fmt, ops::Range, sync::OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde_json::Value;

use crate::{
    excerpt::MASK,
    node::{Node, NodeValue},
    url,
};

/// Knows the secrets of a spec and shows none.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: BTreeSet<String>,
    finder: OnceLock<Option<AhoCorasick>>,
}

/// Finds any of `texts`; `None` only for more of them than memory holds. Of the kind that is made quickly, for it is made
/// anew whenever there is a new secret.
pub fn finder<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Option<AhoCorasick> {
    AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(texts).ok()
}

/// A shorter secret would mask half of every text.
const SHORTEST: usize = 4;
/// A line of a longer secret, such as a key, that gives it away alone.
const SHORTEST_LINE: usize = 16;

impl Redactor {
    /// A secret in every form in which others repeat it: itself, quoted, in a URL, and its lines.
    pub fn add(&mut self, secret: &str) {
        self.finder = OnceLock::new();
        let quoted = Value::from(secret).to_string();
        let in_url = url::escaped(secret, |it| format!("%{it:02X}"));
        let lines = secret.lines().map(str::trim).filter(|it| it.len() >= SHORTEST_LINE);
        let lines = lines.filter(|it| !it.starts_with("-----"));
        for form in lines.chain([secret, secret.trim(), &quoted[1..quoted.len() - 1], &in_url]) {
            if form.chars().count() >= SHORTEST {
                self.secrets.insert(form.to_string());
            }
        }
    }

    /// All that another one knows.
    pub fn add_all(&mut self, other: &Redactor) {
        self.finder = OnceLock::new();
        self.secrets.extend(other.secrets.iter().cloned());
    }

    /// What it takes out of texts.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str)
    }

    /// All that is secret in a spec or a part of it.
    pub fn add_node(&mut self, node: &Node) {
        match &node.value {
            NodeValue::Text(it) if node.secret => self.add(it),
            NodeValue::Number(it) if node.secret => self.add(&it.to_string()),
            NodeValue::List(it) => it.iter().for_each(|it| self.add_node(it)),
            NodeValue::Map(it) => it.iter().for_each(|(_, it)| self.add_node(it)),
            _ => {}
        }
    }

    /// Every text in a value that is secret as a whole.
    pub fn add_value(&mut self, secret: &Value) {
        match secret {
            Value::String(it) => self.add(it),
            Value::Number(it) => self.add(&it.to_string()),
            Value::Array(it) => it.iter().for_each(|it| self.add_value(it)),
            Value::Object(it) => it.values().for_each(|it| self.add_value(it)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The text with `***` for every secret in it; those that overlap are one.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask_but(text, |_| false)
    }

    /// As `mask`; what `is_left` is true for stays.
    pub fn mask_but<'a>(&self, text: &'a str, is_left: impl Fn(&str) -> bool) -> Cow<'a, str> {
        let Some(finder) = self.finder.get_or_init(|| self.finder()) else {
            return Cow::Borrowed(text);
        };
        let found = finder.find_overlapping_iter(text).map(|it| it.range());
        let mut found: Vec<Range<usize>> = found.filter(|it| !is_left(&text[it.clone()])).collect();
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|it| it.start);
        let mut masked = String::new();
        let mut at = 0;
        for it in found {
            if it.start >= at {
                masked.push_str(&text[at..it.start]);
                masked.push_str(MASK);
            }
            at = at.max(it.end);
        }
        Cow::Owned(masked + &text[at..])
    }

    fn finder(&self) -> Option<AhoCorasick> {
        let build = || finder(&self.secrets);
        (!self.secrets.is_empty()).then(build)?
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} forms)", self.secrets.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::source::Place;

    #[track_caller]
    fn check(secrets: &[&str], text: &str, wanted: &str) {
        let mut redactor = Redactor::default();
        secrets.iter().for_each(|it| redactor.add(it));
        assert_eq!(redactor.mask(text), wanted);
    }

    #[test]
    fn every_occurrence_is_masked() {
        check(&["hunter2"], "login hunter2 failed: hunter2", "login *** failed: ***");
    }

    #[test]
    fn the_longer_of_two_wins() {
        check(&["pass", "password1"], "password1 pass", "*** ***");
    }

    #[test]
    fn those_that_overlap_are_masked_as_one() {
        check(&["abcdef", "defghi"], "xabcdefghix", "x***x");
    }

    #[test]
    fn a_short_secret_masks_nothing() {
        check(&["abc", ""], "abc", "abc");
    }

    #[test]
    fn it_is_known_in_a_url_and_in_quotes() {
        check(
            &["p@ss/w\"rd"],
            r#"://vault:p%40ss%2Fw%22rd@db said "p@ss/w\"rd""#,
            r#"://vault:***@db said "***""#,
        );
    }

    #[test]
    fn a_line_of_a_key_gives_nothing_away() {
        let key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3\n-----END KEY-----\n";
        check(
            &[key],
            "bad line MIIEpAIBAAKCAQEA0Z3VS5JJcds3 after -----BEGIN KEY-----",
            "bad line *** after -----BEGIN KEY-----",
        );
    }

    #[test]
    fn secrets_come_from_the_nodes_that_are_marked() {
        let mut node =
            Node::from_json(Place::default(), json!({ "a": ["open"], "b": ["hunter2", 123456] }));
        if let NodeValue::Map(it) = &mut node.value {
            it[1].1.make_secret();
        }
        let mut redactor = Redactor::default();
        redactor.add_node(&node);
        assert_eq!(redactor.mask("open hunter2 123456"), "open *** ***");
    }

    #[test]
    fn debug_shows_none() {
        let mut redactor = Redactor::default();
        redactor.add("hunter2");
        assert_eq!(format!("{redactor:?}"), "Redactor(1 forms)");
    }

    proptest! {
        #[test]
        fn nothing_secret_is_left(secret in "[a-zA-Z0-9%é\"\\\\ ]{4,20}", before in ".{0,20}", after in ".{0,20}") {
            prop_assume!(secret.trim().len() >= 4);
            let mut redactor = Redactor::default();
            redactor.add(&secret);
            let text = format!("{before}{secret}{after}");
            prop_assert!(!redactor.mask(&text).contains(&secret));
        }
    }
}
