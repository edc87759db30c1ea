//! Password policies.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::PolicyMistake;
use super::password::{canonical, parse, same_meaning};

#[track_caller]
fn check(text: &str, expected: Expect) {
    let show = |it: &PolicyMistake| {
        let help = it.help.as_ref().map(|it| format!("; {it}")).unwrap_or_default();
        format!("`{}`: {}{help}\n", &text[it.range.clone()], it.message)
    };
    let shown = match parse(text) {
        Ok(policy) => policy.canonical().to_string(),
        Err(mistakes) => mistakes.iter().map(show).collect(),
    };
    expected.assert_eq(&shown);
}

#[track_caller]
fn check_same(a: &str, b: &str, same: bool) {
    assert_eq!(same_meaning(a, b), same, "\n{:?}\n{:?}", canonical(a), canonical(b));
    assert_eq!(same_meaning(b, a), same);
}

const LETTERS: &str = "length = 20 rule \"charset\" { charset = \"abc\" min-chars = 1 }";

#[test]
fn a_password_policy_is_read() {
    check(
        LETTERS,
        expect![[r#"{"length":20,"rule":[{"charset":{"charset":"abc","min-chars":1}}]}"#]],
    );
    check(
        "# strong\nlength = 16\nrule \"charset\" {\n  charset = \"cba\"\n  min-chars = 2\n}\nrule \"charset\" { charset = \"é 0\" }\n",
        expect![[
            r#"{"length":16,"rule":[{"charset":{"charset":" 0é","min-chars":0}},{"charset":{"charset":"abc","min-chars":2}}]}"#
        ]],
    );
}

#[test]
fn json_says_the_same() {
    check_same(
        LETTERS,
        r#"{"length": 20, "rule": [{"charset": {"charset": "abc", "min-chars": 1}}]}"#,
        true,
    );
    check_same(
        LETTERS,
        r#"{"length": 20, "rule": {"charset": {"charset": "abc", "min-chars": 1}}}"#,
        true,
    );
    check_same(LETTERS, "length = 20 rule { charset { charset = \"abc\" min-chars = 1 } }", true);
}

#[test]
fn order_and_repetition_do_not_count() {
    check_same(
        LETTERS,
        "rule \"charset\" { min-chars = 1 charset = \"ccba\" } # sorted otherwise\nlength = 20",
        true,
    );
    check_same(&format!("{LETTERS} rule \"charset\" {{ charset = \"ab\" }}"), LETTERS, true);
    check_same(&format!("{LETTERS} rule \"charset\" {{ charset = \"d\" }}"), LETTERS, false);
    check_same(
        &format!("{LETTERS} rule \"charset\" {{ charset = \"cab\" min-chars = 1 }}"),
        LETTERS,
        true,
    );
}

#[test]
fn what_makes_other_passwords_is_something_else() {
    check_same(LETTERS, &LETTERS.replace("20", "21"), false);
    check_same(LETTERS, &LETTERS.replace("min-chars = 1", "min-chars = 2"), false);
    check_same(LETTERS, &LETTERS.replace("abc", "abcd"), false);
}

#[test]
fn a_text_that_is_no_password_policy_is_the_same_as_itself() {
    check_same("length", " length\n", true);
    check_same("length", "length =", false);
}

#[test]
fn all_mistakes_are_told_at_once() {
    check(
        r#"
        lenght = 20
        length = "20"
        rule "charset" { charset = "" min_chars = 1 }
        rule "charset" { charset = ["a"] min-chars = -1 }
        rule "charset" { charset = "a\tb" }
        rule "charset" { min-chars = 1 }
        rule "chars" { charset = "a" }
        rule "charset" "x" { charset = "a" }
        rule { charset = "a" }
        "#,
        expect![[r#"
            `lenght`: a password policy has no `lenght`; did you mean `length`?
            `"20"`: `length` is a whole number
            `""`: this charset has no letters
            `min_chars`: a charset rule has no `min_chars`; did you mean `min-chars`?
            `["a"]`: `charset` is a text, not a list
            `-1`: `min-chars` is a whole number
            `"a\tb"`: U+0009 can't be printed, so it can't be in a password
            `rule "charset"`: this rule has no `charset`; write `rule "charset" { charset = "abc…" min-chars = 1 }`
            `"chars"`: Vault has no rule of the type `chars`; it is `charset`
            `rule "charset" "x"`: a rule has one type and a block; write `rule "charset" { charset = "abc…" min-chars = 1 }`
            `rule`: this rule doesn't say of which type it is; write `rule "charset" { charset = "abc…" min-chars = 1 }`
        "#]],
    );
}

#[test]
fn impossible_passwords_are_told() {
    check(
        "rule \"charset\" { charset = \"a\" }",
        expect![[r#"
        `rule "charset" { charset = "a" }`: this password policy has no `length`; add `length = 20`
    "#]],
    );
    check(
        "length = 20",
        expect![[r#"
        `length = 20`: this password policy has no letters to draw from; add `rule "charset" { charset = "abcdefghijklmnopqrstuvwxyz" min-chars = 1 }`
    "#]],
    );
    check(
        "length = 3 rule \"charset\" { charset = \"a\" }",
        expect![[r#"
        `3`: Vault makes passwords of 4 to 100 letters, not of 3
    "#]],
    );
    check(
        "length = 101 rule \"charset\" { charset = \"a\" }",
        expect![[r#"
        `101`: Vault makes passwords of 4 to 100 letters, not of 101
    "#]],
    );
    check(
        "length = 20 rule \"charset\" { charset = \"a\" min-chars = 15 } rule \"charset\" { charset = \"b\" min-chars = 6 }",
        expect![[r#"
            `20`: the rules require 21 letters, more than the 20 of the password
        "#]],
    );
    let letters: String = ('一'..).take(257).collect();
    let many =
        parse(&format!("length = 20 rule \"charset\" {{ charset = \"{letters}\" }}")).unwrap_err();
    assert_eq!(many[0].message, "257 different letters: Vault draws from at most 256");
}

#[test]
fn broken_text_is_told() {
    check(
        "length = 20\nrule \"charset\" { charset = \"abc }",
        expect![[r#"
            `{`: this brace is never closed; each `{` needs its `}`
            `"abc }`: this text has no closing quote
        "#]],
    );
}

proptest! {
    #[test]
    fn the_canonical_form_is_a_password_policy_of_the_same_meaning(
        length in 12..100_u64,
        rules in proptest::collection::vec(("[a-f]{1,5}", 0..3_u64), 1..4),
    ) {
        let rules = rules.iter().map(|(charset, min)| format!("rule \"charset\" {{ charset = \"{charset}\" min-chars = {min} }}\n"));
        let text = format!("length = {length}\n{}", rules.collect::<String>());
        let canonical = canonical(&text).unwrap().to_string();
        prop_assert!(same_meaning(&text, &canonical));
        prop_assert_eq!(super::password::canonical(&canonical).unwrap().to_string(), canonical);
    }
}
