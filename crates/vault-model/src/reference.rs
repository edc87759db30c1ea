//! `${path#field}`: what another object reads back. An edge to it, and a value.

use std::{borrow::Cow, ops::Range};

use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The bytes from `$` to `}`.
    pub range: Range<usize>,
    /// Without `/v1/`, as objects are called.
    pub path: String,
    /// Of what reading the path answers; `a.b` is in `a`.
    pub field: String,
}

/// What looks like a reference and isn't one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoReference {
    pub range: Range<usize>,
    pub message: String,
    pub help: &'static str,
}

/// All references in a text. `${` without `#` is left alone, since shells and others write it too, and so is `$$` of
/// SQL. `$${path#field}` stands for the text `${path#field}`.
pub fn find(text: &str) -> Result<Vec<Reference>, NoReference> {
    let mut references = Vec::new();
    for piece in pieces(text) {
        if let Piece::Inner { range, inner } = piece? {
            references.push(read(range, inner)?);
        }
    }
    Ok(references)
}

/// The text with its references replaced by what `value` says they are; `None` if one isn't known yet. A text that is
/// nothing but one reference takes the value's own type.
///
/// A text whose references can't be read is left as it is: `find` has told so.
pub fn fill(text: &str, mut value: impl FnMut(&str, &str) -> Option<Value>) -> Option<Value> {
    let Ok(references) = find(text) else { return Some(text.into()) };
    if let [it] = references.as_slice()
        && it.range == (0..text.len())
    {
        return value(&it.path, &it.field);
    }
    let mut filled = String::new();
    let mut at = 0;
    for it in &references {
        filled.push_str(&unescape(&text[at..it.range.start]));
        match value(&it.path, &it.field)? {
            Value::String(it) => filled.push_str(&it),
            other => filled.push_str(&other.to_string()),
        }
        at = it.range.end;
    }
    filled.push_str(&unescape(&text[at..]));
    Some(Value::String(filled))
}

enum Piece<'a> {
    Inner { range: Range<usize>, inner: &'a str },
    Escaped { dollar: usize },
}

/// What is between `${` and `}` with a `#` in it.
fn pieces(text: &str) -> impl Iterator<Item = Result<Piece<'_>, NoReference>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text.get(at..)?.find("${")?;
            let rest = &text[start + 2..];
            let end = rest.find(['}', '\n', '\r']);
            let inner = &rest[..end.unwrap_or(rest.len())];
            let closed = end.is_some_and(|it| rest[it..].starts_with('}'));
            // A second `${` begins anew: the first belongs to something else.
            if let Some(next) = inner.find("${") {
                at = start + 2 + next;
                continue;
            }
            at = start + 2 + inner.len();
            if !inner.contains('#') {
                continue;
            }
            let escaped = start > 0 && text.as_bytes()[start - 1] == b'$';
            let range = start..at + usize::from(closed);
            return Some(match (closed, escaped) {
                (_, true) => Ok(Piece::Escaped { dollar: start - 1 }),
                (true, false) => Ok(Piece::Inner { range, inner }),
                (false, false) if looks_meant(inner) => Err(NoReference {
                    range,
                    message: "a reference is never closed".to_string(),
                    help: "write `${path#field}`, or `$${` if the text itself has `${`",
                }),
                (false, false) => continue,
            });
        }
    })
}

/// `secret/a#b` and not a line of shell with a comment.
fn looks_meant(inner: &str) -> bool {
    inner
        .split_once('#')
        .is_some_and(|(path, _)| path.contains('/') && !path.contains(char::is_whitespace))
}

fn read(range: Range<usize>, inner: &str) -> Result<Reference, NoReference> {
    let (path, field) = inner.split_once('#').unwrap_or((inner, ""));
    let wrong = |message: String, help| NoReference { range: range.clone(), message, help };
    if path.is_empty() || path.contains(char::is_whitespace) {
        return Err(wrong(
            format!("`{path}` is no path"),
            "write `${path#field}`, such as `${auth/approle/role/app/role-id#role_id}`",
        ));
    }
    if path.starts_with('/') || path.starts_with("v1/") || path.ends_with('/') {
        return Err(wrong(
            format!("`{path}` is no path"),
            "a path begins with its mount, without `/v1/`, and doesn't end with `/`",
        ));
    }
    let is_field = |it: char| it.is_alphanumeric() || "_-.".contains(it);
    if field.is_empty() || !field.chars().all(is_field) {
        return Err(wrong(
            format!("`{field}` is no field"),
            "a field has letters, digits, `_` and `-`; `a.b` is the field `b` in `a`",
        ));
    }
    Ok(Reference { range: range.clone(), path: path.to_string(), field: field.to_string() })
}

/// Without the first `$` of each `$${path#field}`.
fn unescape(text: &str) -> Cow<'_, str> {
    let escaped = pieces(text).filter_map(|it| match it {
        Ok(Piece::Escaped { dollar }) => Some(dollar),
        _ => None,
    });
    let mut unescaped = String::new();
    let mut at = 0;
    for dollar in escaped {
        unescaped.push_str(&text[at..dollar]);
        at = dollar + 1;
    }
    match at {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(unescaped + &text[at..]),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: Expect) {
        let shown = match find(text) {
            Ok(it) => {
                it.iter().map(|it| format!("{:?} {}#{}\n", it.range, it.path, it.field)).collect()
            }
            Err(it) => format!("{:?} {it}\n", it.range),
        };
        wanted.assert_eq(&shown);
    }

    #[track_caller]
    fn check_fill(text: &str, wanted: Value) {
        assert_eq!(
            fill(text, |path, field| Some(json!(format!("<{path} {field}>")))),
            Some(wanted)
        );
    }

    #[test]
    fn a_reference_has_a_path_and_a_field() {
        check(
            "${auth/approle/role/app/role-id#role_id}",
            expect![[r#"
            0..40 auth/approle/role/app/role-id#role_id
        "#]],
        );
    }

    #[test]
    fn a_text_has_several() {
        check(
            "a ${x/y#z} b ${secret/data/é#data.k} c",
            expect![[r#"
            2..10 x/y#z
            13..37 secret/data/é#data.k
        "#]],
        );
    }

    #[test]
    fn a_shells_variable_is_left_alone() {
        check("echo ${HOME} ${X:-y} $HOME $(x) ${", expect![[""]]);
    }

    #[test]
    fn dollar_quotes_of_sql_are_left_alone() {
        check("DO $$ BEGIN EXECUTE 'x'; END $$; -- # $${}", expect![[""]]);
        check_fill("DO $$ BEGIN # ${ } $$", json!("DO $$ BEGIN # ${ } $$"));
    }

    #[test]
    fn two_dollars_stand_for_the_text_itself() {
        check("$${x/y#z}", expect![[""]]);
        check_fill("$${x/y#z} ${x/y#z}", json!("${x/y#z} <x/y z>"));
        check_fill("$${HOME}", json!("$${HOME}"));
    }

    #[test]
    fn one_that_is_never_closed_is_a_mistake_if_it_is_meant() {
        check(
            "a ${secret/x#y",
            expect![[r#"
            2..14 a reference is never closed
        "#]],
        );
        check(
            "a ${secret/x#y\n}",
            expect![[r#"
            2..14 a reference is never closed
        "#]],
        );
        check("${HOME # not a reference", expect![[""]]);
    }

    #[test]
    fn a_path_is_what_objects_are_called() {
        check(
            "${/secret/x#y}",
            expect![[r#"
            0..14 `/secret/x` is no path
        "#]],
        );
        check(
            "${v1/secret/x#y}",
            expect![[r#"
            0..16 `v1/secret/x` is no path
        "#]],
        );
        check(
            "${#y}",
            expect![[r#"
            0..5 `` is no path
        "#]],
        );
        check(
            "${a b#y}",
            expect![[r#"
            0..8 `a b` is no path
        "#]],
        );
        check(
            "${a#}",
            expect![[r#"
            0..5 `` is no field
        "#]],
        );
        check(
            "${a#b c}",
            expect![[r#"
            0..8 `b c` is no field
        "#]],
        );
    }

    #[test]
    fn an_open_one_before_another_belongs_to_something_else() {
        check(
            "${ ${x/y#z}",
            expect![[r#"
            3..11 x/y#z
        "#]],
        );
    }

    #[test]
    fn alone_it_keeps_its_type() {
        assert_eq!(fill("${a/b#c}", |_, _| Some(json!([1]))), Some(json!([1])));
        assert_eq!(fill("x${a/b#c}", |_, _| Some(json!([1]))), Some(json!("x[1]")));
    }

    #[test]
    fn what_is_not_known_yet_leaves_the_text_unknown() {
        assert_eq!(fill("x ${a/b#c}", |_, _| None), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[${}#a/ \n$é]{0,40}") {
            let _ = find(&text);
            fill(&text, |_, _| Some(json!("${a/b#c}")));
        }

        #[test]
        fn a_text_without_a_number_sign_is_never_changed(text in "[^#]{0,40}") {
            prop_assert_eq!(fill(&text, |_, _| None), Some(json!(text)));
        }
    }
}
