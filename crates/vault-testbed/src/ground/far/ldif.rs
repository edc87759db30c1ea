//! LDIF as far as a directory is filled by it: entries, none of which changes another.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One entry, and what it says of each attribute.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub dn: String,
    pub attributes: Vec<(String, HashSet<String>)>,
}

#[derive(Debug, thiserror::Error)]
#[error("line {line} of the LDIF {why}")]
pub(super) struct Mistake {
    line: usize,
    why: &'static str,
}

pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Mistake> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut is_new = true;
    for (line, text) in unfolded(text) {
        if text.is_empty() {
            is_new = true;
            continue;
        }
        let mistake = |why| Mistake { line, why };
        let (name, value) = pair(&text).ok_or_else(|| mistake("is no `attribute: value`"))?;
        match (is_new, &*name.to_lowercase(), entries.last_mut()) {
            (_, "version", None) => continue,
            (_, "changetype", _) => return Err(mistake("changes something: say whole entries")),
            (true, "dn", _) => entries.push(Entry { dn: value, attributes: Vec::new() }),
            (false, _, Some(entry)) => entry.add(name, value),
            _ => return Err(mistake("begins an entry, but names no `dn`")),
        }
        is_new = false;
    }
    Ok(entries)
}

impl Entry {
    fn add(&mut self, name: &str, value: String) {
        match self.attributes.iter_mut().find(|(it, _)| it.eq_ignore_ascii_case(name)) {
            Some((_, values)) => _ = values.insert(value),
            None => self.attributes.push((name.to_owned(), HashSet::from([value]))),
        }
    }
}

/// Lines with their numbers, without comments; what begins with a space belongs to the line before.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        match (line.strip_prefix(' '), lines.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ => lines.push((at + 1, line.trim_end().to_owned())),
        }
    }
    lines.retain(|(_, line)| !line.starts_with('#'));
    lines
}

/// A second colon says that the value is base64.
fn pair(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.split_once(':')?;
    let value = match value.strip_prefix(':') {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?,
        None => value.trim_start().to_owned(),
    };
    (!name.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: Expect) {
        let shown = |it: &Entry| {
            let values = |(name, values): &(String, HashSet<String>)| {
                let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
                values.sort_unstable();
                format!("  {name}: {}", values.join(" | "))
            };
            let lines: Vec<String> = it.attributes.iter().map(values).collect();
            format!("{}\n{}\n", it.dn, lines.join("\n"))
        };
        wanted.assert_eq(&match entries(text) {
            Ok(entries) => entries.iter().map(shown).collect(),
            Err(mistake) => mistake.to_string(),
        });
    }

    #[test]
    fn entries_are_parted_by_empty_lines() {
        let text = "version: 1\n# people\ndn: uid=ann,dc=example\nobjectClass: top\n\
                    objectclass: person\ncn: An\n n\n\n\ndn: uid=bob,dc=example\ncn:: QsO2Yg==\n";
        check(
            text,
            expect![[r#"
                uid=ann,dc=example
                  objectClass: person | top
                  cn: Ann
                uid=bob,dc=example
                  cn: Böb
            "#]],
        );
    }

    #[test]
    fn mistakes_have_their_line() {
        check("dn: uid=ann\ncn", expect!["line 2 of the LDIF is no `attribute: value`"]);
        check("\ncn: ann", expect!["line 2 of the LDIF begins an entry, but names no `dn`"]);
        let text = "dn: uid=ann\nchangetype: delete";
        check(text, expect!["line 2 of the LDIF changes something: say whole entries"]);
    }
}
