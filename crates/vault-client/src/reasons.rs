//! Vault's own reasons, fit to be shown: one line each, bounded, and without values that could be secret.

use serde_json::Value;
use vault_model::Body;

const LONGEST: usize = 400;
const MOST: usize = 8;

/// The lines of an error answer's `errors`, and of `error_description`, as a provider of OIDC answers. Nothing else of
/// the answer is ever shown.
pub(crate) fn read(answer: Option<&Body>, sent: &Body, token: &str) -> Vec<String> {
    let errors = answer.and_then(|it| it.get("errors")).and_then(Value::as_array);
    let errors = errors.into_iter().flatten().filter_map(Value::as_str);
    let described = answer.and_then(|it| it.get("error_description")).and_then(Value::as_str);
    let errors = errors.chain(described);
    let mut secrets = Vec::new();
    gather(sent, false, &mut secrets);
    if !token.is_empty() {
        secrets.push(token);
    }
    // The longest first, so that no part of one is left when another one is a part of it.
    secrets.sort_by_key(|it| std::cmp::Reverse(it.len()));
    let lines = errors.flat_map(|it| it.lines());
    let lines = lines
        .map(|it| it.trim().trim_start_matches("* "))
        .filter(|it| !it.is_empty() && !is_count(it));
    lines.map(|it| clean(it, &secrets)).take(MOST).collect()
}

/// Masked, printable and short.
fn clean(line: &str, secrets: &[&str]) -> String {
    let mut line = line.to_string();
    for secret in secrets {
        line = line.replace(secret, "(masked)");
    }
    line = mask_tokens(&mask_passwords_in_urls(&line));
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The values of a body that Vault might repeat and nobody should see.
fn gather<'a>(body: &'a Body, all: bool, secrets: &mut Vec<&'a str>) {
    for (name, value) in body {
        gather_value(value, all || is_secret(name), secrets);
    }
}

fn gather_value<'a>(value: &'a Value, secret: bool, secrets: &mut Vec<&'a str>) {
    match value {
        Value::String(it) if secret && it.len() >= 4 => secrets.push(it),
        Value::Array(items) => items.iter().for_each(|it| gather_value(it, secret, secrets)),
        Value::Object(body) => gather(body, secret, secrets),
        _ => {}
    }
}

/// `data` is what KV v2 keeps.
fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 11] = [
        "password",
        "secret",
        "token",
        "key",
        "jwt",
        "pem",
        "bindpass",
        "credential",
        "plaintext",
        "otp",
        "private",
    ];
    // What describes a token or a key is no secret, and needed to understand a refusal.
    const PUBLIC: [&str; 9] =
        ["policies", "cidrs", "type", "ttl", "period", "name", "bits", "uses", "usage"];
    let name = name.to_ascii_lowercase();
    name == "data"
        || (PARTS.iter().any(|it| name.contains(it)) && !PUBLIC.iter().any(|it| name.ends_with(it)))
}

/// "1 error occurred:" of Go's error lists.
fn is_count(line: &str) -> bool {
    line.ends_with("occurred:") && line.starts_with(|c: char| c.is_ascii_digit())
}

/// `scheme://user:password@host` loses its password.
fn mask_passwords_in_urls(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find("://") {
        let (before, authority) = rest.split_at(at + 3);
        out.push_str(before);
        let end = authority.find(['/', ' ', '"', '\'', '`', '?']).unwrap_or(authority.len());
        // A password may hold a slash; then the last @ of the word tells.
        let word = authority.find([' ', '"', '\'', '`']).unwrap_or(authority.len());
        let user = authority[..end].rfind('@').or_else(|| authority[..word].rfind('@'));
        match user.and_then(|user| Some((authority[..user].find(':')?, user))) {
            Some((colon, user)) => {
                out.push_str(&authority[..=colon]);
                out.push_str("(masked)");
                rest = &authority[user..];
            }
            None => rest = authority,
        }
    }
    out + rest
}

/// Words that look like a token of Vault.
fn mask_tokens(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_token = |word: &str| {
        let old = ["s.", "b.", "r."]
            .iter()
            .any(|it| word.strip_prefix(it).is_some_and(|it| it.len() >= 24));
        let new = ["hvs.", "hvb.", "hvr."]
            .iter()
            .any(|it| word.strip_prefix(it).is_some_and(|it| it.len() >= 16));
        old || new
    };
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |it| start + it);
        out.push_str(&rest[..start]);
        out.push_str(if is_token(&rest[start..end]) { "(masked)" } else { &rest[start..end] });
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(sent: Value, errors: &[&str], expected: Expect) {
        let answer = json!({ "errors": errors });
        let lines = read(answer.as_object(), sent.as_object().unwrap(), "root");
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn an_error_list_of_go_becomes_lines() {
        let list = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";
        check(
            json!({}),
            &[list, "and more"],
            expect![[r#"
                permission denied
                invalid token
                and more"#]],
        );
    }

    #[test]
    fn what_was_sent_in_secret_isnt_repeated() {
        check(
            json!({ "password": "hidden", "secret_id": "hidden-too", "allowed_roles": "app", "token_ttl": "5q" }),
            &["bad password hidden, hidden-too for app", "token_ttl: unknown unit in 5q"],
            expect![[r#"
                bad password (masked), (masked) for app
                token_ttl: unknown unit in 5q"#]],
        );
        check(
            json!({ "data": { "deep": [{ "any": "stored value" }] }, "options": { "cas": 1 } }),
            &["cannot store stored value"],
            expect!["cannot store (masked)"],
        );
    }

    #[test]
    fn the_token_isnt_repeated() {
        check(
            json!({}),
            &["the token root isn't root's"],
            expect!["the token (masked) isn't (masked)'s"],
        );
        check(
            json!({}),
            &[
                "lookup of hvs.CAESIJ-abc_0123456789, s.abcdefghijklmnopqrstuvwx and s.short in path a.b.c failed",
            ],
            expect!["lookup of (masked), (masked) and s.short in path a.b.c failed"],
        );
    }

    #[test]
    fn a_url_loses_its_password_and_keeps_the_rest() {
        for (text, expected) in [
            (
                "parse \"postgresql://me:pass@db:5432/app?a=b\": no",
                "parse \"postgresql://me:(masked)@db:5432/app?a=b\": no",
            ),
            ("mysql://me:p/a?s@s@db/app", "mysql://me:(masked)@db/app"),
            (
                "see https://example.com:8200/a and mail a@b",
                "see https://example.com:8200/a and mail a@b",
            ),
            ("http://a:1/x http://me:p@b", "http://a:1/x http://me:(masked)@b"),
            ("ldap://üser:päss@höst", "ldap://üser:(masked)@höst"),
            ("://", "://"),
        ] {
            assert_eq!(mask_passwords_in_urls(text), expected);
        }
    }

    #[test]
    fn a_reason_is_printable_and_short() {
        let line = clean(&format!("\u{1b}[31mred\u{7}{}", "ü".repeat(1000)), &[]);
        assert!(line.starts_with(" [31mred ü") && line.ends_with('…'));
        assert_eq!(line.chars().count(), LONGEST + 1);
        let many = vec!["no"; 100];
        let answer = json!({ "errors": many });
        assert_eq!(read(answer.as_object(), &Body::new(), "").len(), MOST);
    }

    #[test]
    fn an_answer_that_isnt_vaults_has_no_reasons() {
        for answer in [
            json!({}),
            json!({ "errors": null }),
            json!({ "errors": "text" }),
            json!({ "errors": [1] }),
        ] {
            assert!(read(answer.as_object(), &Body::new(), "").is_empty());
        }
    }
}
