//! Secrets found in bytes: as they are, in every form in which programs write them, and by their looks.

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::LazyLock};

use aho_corasick::AhoCorasick;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use regex::bytes::Regex;
use vault_model::{excerpt::MASK, redact::finder, url};

/// One secret in a text. Its value is not here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// How a person would name it.
    pub what: String,
    /// `in base64`; empty for the secret as it is.
    pub form: &'static str,
    /// Counted from 1.
    pub line: usize,
    /// In bytes, counted from 1.
    pub column: usize,
}

/// What is searched for, ready to be searched for.
pub struct Scanner {
    /// Name and form of each pattern of the finder.
    patterns: Vec<(String, &'static str)>,
    finder: Option<AhoCorasick>,
}

/// A shorter text would be found in half of all texts.
pub const SHORTEST: usize = 6;

/// What is secret whoever made it, so that one that nobody told of is found, too.
static LOOKS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let looks = [
        ("a token of Vault", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
        ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
        ("a JWT", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    ];
    let compiled = |(what, text): (&'static str, &str)| Some((what, Regex::new(text).ok()?));
    looks.into_iter().filter_map(compiled).collect()
});

/// Without what is secret whoever made it.
pub fn mask_looks(text: &str) -> Cow<'_, str> {
    LOOKS.iter().fold(Cow::Borrowed(text), |text, (_, looks)| {
        match looks.replace_all(text.as_bytes(), MASK.as_bytes()) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => String::from_utf8_lossy(&masked).into_owned().into(),
        }
    })
}

impl Scanner {
    /// Of secrets and what each is.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Scanner {
        // A text that is two secrets has one name.
        let mut all: BTreeMap<String, (String, &'static str)> = BTreeMap::new();
        for (secret, what) in secrets {
            for (form, text) in forms(secret) {
                all.entry(text).or_insert((what.to_owned(), form));
            }
        }
        let finder = finder(all.keys());
        let finder = finder.filter(|_| !all.is_empty());
        Scanner { patterns: all.into_values().collect(), finder }
    }

    /// Each secret once, where it stands first.
    pub fn scan(&self, bytes: &[u8]) -> Vec<Found> {
        let known = self.finder.iter().flat_map(|it| it.find_overlapping_iter(bytes));
        let known = known.map(|it| {
            let (what, form) = &self.patterns[it.pattern().as_usize()];
            (it.start(), what.as_str(), *form)
        });
        let by_looks = LOOKS.iter().flat_map(|(what, looks)| {
            looks.find_iter(bytes).map(|it| (it.start(), *what, "by its looks"))
        });
        let mut first: BTreeMap<&str, (usize, &'static str)> = BTreeMap::new();
        for (at, what, form) in known.chain(by_looks) {
            let place = first.entry(what).or_insert((at, form));
            *place = (*place).min((at, form));
        }
        let mut found: Vec<_> = first.into_iter().map(|(what, it)| (it, what)).collect();
        found.sort();
        let of = |((at, form), what): ((usize, &'static str), &str)| {
            let before = &bytes[..at];
            let line = before.iter().filter(|it| **it == b'\n').count() + 1;
            let column = at - before.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1) + 1;
            Found { what: what.to_owned(), form, line, column }
        };
        found.into_iter().map(of).collect()
    }
}

/// Several lines are secret line by line, too: a private key is often printed with an indentation.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let lines = secret.lines().map(str::trim).filter(|it| !it.starts_with("-----"));
    let lines = lines.filter(|it| it.len() >= LONG_LINE && *it != secret);
    let mut forms: Vec<(&'static str, String)> = vec![("", secret.to_owned())];
    forms.extend(lines.map(|it| ("a line of it", it.to_owned())));
    let quoted = serde_json::Value::from(secret).to_string();
    let in_json = &quoted[1..quoted.len() - 1];
    forms.push(("in JSON", in_json.to_owned()));
    // Go escapes three signs more, so that JSON can stand in HTML.
    let in_html = [('&', "\\u0026"), ('<', "\\u003c"), ('>', "\\u003e")];
    let go = in_html.iter().fold(in_json.to_owned(), |text, (sign, it)| text.replace(*sign, it));
    forms.push(("in JSON", go));
    forms.push(("in HTML", html(secret, "&#39;")));
    forms.push(("in HTML", html(secret, "&#x27;")));
    for (upper, space) in [(true, "%20"), (true, "+"), (false, "%20"), (false, "+")] {
        forms.push(("in a URL", in_url(secret, upper, space)));
    }
    for shift in 0..3 {
        forms.push(("in base64", base64(secret, shift, &STANDARD)));
        forms.push(("in base64", base64(secret, shift, &URL_SAFE)));
    }
    forms.push(("in hexadecimal", secret.bytes().map(|it| format!("{it:02x}")).collect()));
    forms.retain(|(_, it)| it.len() >= SHORTEST);
    forms.dedup_by(|one, other| one.1 == other.1);
    forms
}

/// A line that gives a longer secret away alone.
const LONG_LINE: usize = 16;

fn html(text: &str, apostrophe: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', apostrophe)
}

fn in_url(text: &str, upper: bool, space: &str) -> String {
    url::escaped(text, |byte| match byte {
        b' ' => space.to_owned(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    })
}

/// Of the secret after `shift` other bytes, such as a user's name: what does not depend on what stands around it.
fn base64(secret: &str, shift: usize, engine: &base64::engine::GeneralPurpose) -> String {
    let bytes = [&vec![0; shift], secret.as_bytes()].concat();
    let encoded = engine.encode(&bytes);
    let (begin, end) = ((shift * 8).div_ceil(6), bytes.len() * 8 / 6);
    encoded.get(begin..end).unwrap_or_default().to_owned()
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { what, form, line, column } = self;
        match form.is_empty() {
            true => write!(f, "{what} at {line}:{column}"),
            false => write!(f, "{what} ({form}) at {line}:{column}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const SECRET: &str = "p&ss \"wörd\"/1";

    #[track_caller]
    fn check(text: impl AsRef<[u8]>, wanted: Expect) {
        let scanner = Scanner::new([(SECRET, "the password"), ("hvs.short", "the root token")]);
        let found = scanner.scan(text.as_ref());
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        wanted.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn a_secret_is_found_as_it_is() {
        check("all is well", expect![""]);
        check(format!("\n\n it is {SECRET}!"), expect!["the password at 3:8"]);
        check(b"\xff\xfe hvs.short \xff", expect!["the root token at 1:4"]);
    }

    #[test]
    fn a_secret_is_found_in_json() {
        let json = serde_json::json!({ "password": SECRET }).to_string();
        check(json, expect!["the password (in JSON) at 1:14"]);
        check(r#"p\u0026ss \"wörd\"/1"#, expect!["the password (in JSON) at 1:1"]);
    }

    #[test]
    fn a_secret_is_found_in_html() {
        check("<p>p&amp;ss &quot;wörd&quot;/1", expect!["the password (in HTML) at 1:4"]);
    }

    #[test]
    fn a_secret_is_found_in_a_url() {
        check("?it=p%26ss+%22w%C3%B6rd%22%2F1", expect!["the password (in a URL) at 1:5"]);
        check("?it=p%26ss%20%22w%c3%b6rd%22%2f1", expect!["the password (in a URL) at 1:5"]);
    }

    #[test]
    fn a_secret_is_found_in_base64_wherever_it_begins() {
        for before in ["", "a:", "ab:", "abc:", "abcd:"] {
            for after in ["", "\n", "and more"] {
                let text = format!("{before}{SECRET}{after}");
                for engine in [STANDARD, URL_SAFE] {
                    let encoded = format!("Authorization: Basic {}", engine.encode(&text));
                    let scanner = Scanner::new([(SECRET, "the password")]);
                    let found = scanner.scan(encoded.as_bytes());
                    assert_eq!(found.len(), 1, "{text}");
                    assert_eq!(found[0].form, "in base64");
                }
            }
        }
    }

    #[test]
    fn a_secret_is_found_in_hexadecimal() {
        check("6876732e73686f7274", expect!["the root token (in hexadecimal) at 1:1"]);
    }

    #[test]
    fn a_line_of_a_key_is_found() {
        let key = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDDEEEE\n-----END KEY-----";
        let found = Scanner::new([(key, "the key")]).scan(b"  | AAAABBBBCCCCDDDDEEEE");
        assert_eq!(found[0].to_string(), "the key (a line of it) at 1:5");
    }

    #[test]
    fn what_nobody_told_of_is_found_by_its_looks() {
        check(
            "token hvs.CAESIJ0123456789abcdefghij\n-----BEGIN RSA PRIVATE KEY-----",
            expect![[r#"
                a token of Vault (by its looks) at 1:7
                a private key (by its looks) at 2:1"#]],
        );
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJib3VuZCJ9.c2lnbmF0dXJlLW9mLWl0LWFsbA";
        check(jwt, expect!["a JWT (by its looks) at 1:1"]);
        check("hvs.*** and -----BEGIN CERTIFICATE-----", expect![""]);
    }
}
