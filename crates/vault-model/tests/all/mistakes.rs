//! How mistakes look, and what they never show.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use vault_model::{
    mistakes::Mistakes,
    source::{FileId, Mistake, Place, Severity, Sources},
};

/// The place of the first `wanted` in a text.
#[track_caller]
fn find(text: &str, wanted: &str) -> Place {
    let start = text.find(wanted).expect("the text has it");
    let before = &text[..start];
    let line_start = before.rfind('\n').map_or(0, |it| it + 1);
    Place {
        file: FileId(0),
        line: before.matches('\n').count() as u32 + 1,
        column: before[line_start..].chars().count() as u32 + 1,
        start: start as u32,
        end: (start + wanted.len()) as u32,
    }
}

/// A mistake about the first `wanted` in a text.
#[track_caller]
fn check(text: &str, wanted: &str, shown: Expect) {
    let mut sources = Sources::default();
    sources.add("spec.yaml", text);
    let mistake = Mistake::error(find(text, wanted), "this is wrong");
    shown.assert_eq(&(mistake.render(&sources, false) + "\n"));
}

/// As `check`, with a part of the text hidden.
#[track_caller]
fn check_hidden(text: &str, hidden: &str, wanted: &str, shown: Expect) {
    let mut sources = Sources::default();
    sources.add("spec.yaml", text);
    sources.hide(find(text, hidden));
    let mistake = Mistake::error(find(text, wanted), "this is wrong");
    shown.assert_eq(&(mistake.render(&sources, false) + "\n"));
}

#[test]
fn a_mistake_shows_its_line() {
    check(
        "name: a\nsecrets:\n  kv: {type: kvv}\n",
        "kvv",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:3:14
          |
        3 |   kv: {type: kvv}
          |              ^^^
    "#]],
    );
}

#[test]
fn of_several_lines_the_first_is_shown() {
    check(
        "a:\n  - b\n  - c\n",
        "b\n  - c",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:2:5
          |
        2 |   - b
          |     ^
    "#]],
    );
}

#[test]
fn the_end_of_a_line_can_be_marked() {
    let text = "a:\nb: 1";
    let mut sources = Sources::default();
    sources.add("spec.yaml", text);
    let place = Place { file: FileId(0), line: 1, column: 3, start: 2, end: 2 };
    expect![[r#"
        error: this is wrong
         --> spec.yaml:1:3
          |
        1 | a:
          |   ^"#]]
    .assert_eq(&Mistake::error(place, "this is wrong").render(&sources, false));
}

#[test]
fn wide_characters_take_two_columns() {
    check(
        "日本: {語: x}",
        "x",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:9
          |
        1 | 日本: {語: x}
          |            ^
    "#]],
    );
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("{}here{}", "a ".repeat(300), " b".repeat(300));
    check(
        &text,
        "here",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:601
          |
        1 | …a a a a a a a a a a a a a a a a a a a a here b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b…
          |                                          ^^^^
    "#]],
    );
    check(
        &text,
        "a a",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:1
          |
        1 | a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a …
          | ^^^
    "#]],
    );
    check(
        &(text.clone() + "!"),
        "!",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:1205
          |
        1 | …b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b b!
          |                                                                                                               ^
    "#]],
    );
}

#[test]
fn characters_that_cannot_be_seen_are_written_out() {
    check(
        "a: \u{1b}[31mred\t\u{202e}x\u{feff}y",
        "y",
        expect![[r#"
            error: this is wrong
             --> spec.yaml:1:16
              |
            1 | a: \u{1b}[31mred    \u{202e}x\u{feff}y
              |                                      ^
        "#]],
    );
    let mistake = Mistake::error(None, "`\u{1b}[2J` is wrong").help("not `\u{7}`");
    expect![[r#"
        error: `\u{1b}[2J` is wrong
          = help: not `\u{7}`"#]]
    .assert_eq(&mistake.render(&Sources::default(), false));
}

#[test]
fn a_help_of_several_lines_stands_below_itself() {
    let mistake = Mistake::error(None, "this is wrong").help("say\n  this\nor that");
    expect![[r#"
        error: this is wrong
          = help: say
                    this
                  or that"#]]
    .assert_eq(&mistake.render(&Sources::default(), false));
}

#[test]
fn what_is_hidden_is_not_shown() {
    let text = "key: {a: hunter2, b: [open]}\nother: x";
    check_hidden(
        text,
        "hunter2",
        "open",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:23
          |
        1 | key: {a: ***, b: [open]}
          |                   ^^^^
    "#]],
    );
    check_hidden(
        text,
        "hunter2",
        "hunter2",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:10
          |
        1 | key: {a: ***, b: [open]}
          |          ^^^
    "#]],
    );
    check_hidden(
        text,
        "hunter2",
        "unter",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:11
          |
        1 | key: {a: ***, b: [open]}
          |          ^^^
    "#]],
    );
    check_hidden(
        text,
        "{a: hunter2, b: [open]}",
        "open",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:23
          |
        1 | key: ***
          |      ^^^
    "#]],
    );
    check_hidden(
        text,
        "[open]}\nother: x",
        "other",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:2:1
          |
        2 | ***
          | ^^^
    "#]],
    );
}

#[test]
fn a_line_within_what_is_hidden_is_not_shown() {
    check_hidden(
        "key: |\n  one\n  two\n  three",
        "one\n  two\n  three",
        "two",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:3:3
          |
        3 | ***
          | ^^^
    "#]],
    );
}

#[test]
fn values_of_telling_names_are_not_shown() {
    check(
        "password: hunter2 # not this",
        "password",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:1
          |
        1 | password: ***
          | ^^^^^^^^
    "#]],
    );
    check(
        "- {db_admin_password: 'hunter 2', x: y}",
        "x",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:35
          |
        1 | - {db_admin_password: ***, x: y}
          |                            ^
    "#]],
    );
    check(
        "- {secret_id: hunter2, x: y}",
        "x",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:24
          |
        1 | - {secret_id: ***, x: y}
          |                    ^
    "#]],
    );
    check(
        "\"bindpass\": \"hunter2\"",
        "bind",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:2
          |
        1 | "bindpass": ***
          |  ^^^^
    "#]],
    );
    check(
        "VAULT-TOKEN:   hunter2",
        "VAULT",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:1
          |
        1 | VAULT-TOKEN:   ***
          | ^^^^^
    "#]],
    );
}

#[test]
fn what_says_no_secret_is_shown() {
    for text in [
        "password: (( db_admin_password ))",
        "password: \"(( pw ))\"",
        "pw: { secret: true, x: y }",
        "token_ttl: 20m",
        "password_policy: strong",
        "private_key: |",
        "token: ${auth/token/create#token}",
        "connection_url: postgresql://{{username}}:{{password}}@db/x",
        "secret/data/projects/trading/credentials",
        "passwordless: yes",
        "password:",
    ] {
        let mut sources = Sources::default();
        sources.add("spec.yaml", text);
        let mistake = Mistake::error(find(text, text), "this is wrong");
        assert!(mistake.render(&sources, false).contains(text), "{text}");
    }
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    check(
        "url: postgresql://vault:hunter2@db:5432/x",
        "url",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:1
          |
        1 | url: postgresql://vault:***@db:5432/x
          | ^^^
    "#]],
    );
    check(
        "url: \"amqp://vault:hun@ter2@db\" # x",
        "url",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:1
          |
        1 | url: "amqp://vault:***@db" # x
          | ^^^
    "#]],
    );
}

#[test]
fn what_looks_like_a_token_or_a_key_is_not_shown() {
    check(
        "x: hvs.CAESIJ2vExample9Kd8sTqWb3",
        "x",
        expect![[r#"
        error: this is wrong
         --> spec.yaml:1:1
          |
        1 | x: ***
          | ^
    "#]],
    );
    check(
        "  MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF0Qd9E2b",
        "  ",
        expect![[r#"
            error: this is wrong
             --> spec.yaml:1:1
              |
            1 | ***
              | ^^^
        "#]],
    );
}

#[test]
fn warnings_and_lints_have_their_names() {
    let mut sources = Sources::default();
    let text = "a: 1\nb: 2\n";
    sources.add("spec.yaml", text);
    let mistakes: Mistakes = [
        Mistake { lint: Some("too-wide"), ..Mistake::warning(find(text, "b"), "this is wide") },
        Mistake::error(find(text, "1"), "this is wrong")
            .help("mend it")
            .also(find(text, "2"), "as here"),
        Mistake::error(None, "there is nothing"),
        Mistake::error(None, "there is nothing"),
    ]
    .into_iter()
    .collect();
    expect![[r#"
        error: there is nothing

        error: this is wrong
         --> spec.yaml:1:4
          |
        1 | a: 1
          |    ^
         ::: spec.yaml:2:4
          |
        2 | b: 2
          |    - as here
          |
          = help: mend it

        warning[too-wide]: this is wide
         --> spec.yaml:2:1
          |
        2 | b: 2
          | ^

    "#]]
    .assert_eq(&mistakes.render(&sources, false));
    expect![[r#"
        {
          "format": "vaultwright/mistakes/1",
          "mistakes": [
            {
              "message": "there is nothing",
              "severity": "error"
            },
            {
              "also": [
                {
                  "column": 4,
                  "file": "spec.yaml",
                  "line": 2,
                  "message": "as here"
                }
              ],
              "column": 4,
              "file": "spec.yaml",
              "help": "mend it",
              "line": 1,
              "message": "this is wrong",
              "severity": "error"
            },
            {
              "column": 1,
              "file": "spec.yaml",
              "line": 2,
              "lint": "too-wide",
              "message": "this is wide",
              "severity": "warning"
            }
          ]
        }"#]]
    .assert_eq(&format!("{:#}", mistakes.to_json(&sources)));
    expect![[r#""\u{1b}[1;91merror\u{1b}[0m\u{1b}[1m: there is nothing\u{1b}[0m\n\n\u{1b}[1;91merror\u{1b}[0m\u{1b}[1m: this is wrong\u{1b}[0m\n\u{1b}[1;94m -->\u{1b}[0m spec.yaml:1:4\n\u{1b}[1;94m  |\u{1b}[0m\n\u{1b}[1;94m1 |\u{1b}[0m a: 1\n\u{1b}[1;94m  |\u{1b}[0m    \u{1b}[1;91m^\u{1b}[0m\n\u{1b}[1;94m :::\u{1b}[0m spec.yaml:2:4\n\u{1b}[1;94m  |\u{1b}[0m\n\u{1b}[1;94m2 |\u{1b}[0m b: 2\n\u{1b}[1;94m  |\u{1b}[0m    \u{1b}[1;94m- as here\u{1b}[0m\n\u{1b}[1;94m  |\u{1b}[0m\n\u{1b}[1;94m  = \u{1b}[0m\u{1b}[1mhelp\u{1b}[0m: mend it\n\n\u{1b}[1;93mwarning[too-wide]\u{1b}[0m\u{1b}[1m: this is wide\u{1b}[0m\n\u{1b}[1;94m -->\u{1b}[0m spec.yaml:2:1\n\u{1b}[1;94m  |\u{1b}[0m\n\u{1b}[1;94m2 |\u{1b}[0m b: 2\n\u{1b}[1;94m  |\u{1b}[0m \u{1b}[1;93m^\u{1b}[0m\n\n""#]].assert_eq(&format!("{:?}", mistakes.render(&sources, true)));
    assert_eq!((mistakes.count(Severity::Error), mistakes.count(Severity::Warning)), (2, 1));
}

#[test]
fn debug_of_sources_shows_names_alone() {
    let mut sources = Sources::default();
    sources.add("spec.yaml", "password: hunter2");
    expect![[r#"["spec.yaml"]"#]].assert_eq(&format!("{sources:?}"));
}

#[test]
fn a_file_that_is_not_there_has_no_line() {
    let place = Place { file: FileId(7), line: 1, column: 1, start: 0, end: 1 };
    expect![[r#"
        error: this is wrong
         --> ?:1:1"#]]
    .assert_eq(&Mistake::error(place, "this is wrong").render(&Sources::default(), false));
}

proptest! {
    #[test]
    fn no_place_makes_it_panic(text in any::<String>(), places in any::<[(u32, u32); 3]>()) {
        let mut sources = Sources::default();
        let file = sources.add("spec.yaml", text.clone());
        let [shown, hidden, other] = places.map(|(start, length)| {
            let start = start % (text.len() as u32 + 2);
            Place { file, line: 1, column: 1, start, end: start + length % 20 }
        });
        sources.hide(hidden);
        Mistake::error(shown, "wrong").also(other, "x").render(&sources, true);
    }

    #[test]
    fn what_is_hidden_never_shows(before in "[a-z: \n]{0,150}", after in "[a-z: \n]{0,150}", at in 0..300_usize) {
        let text = format!("{before}HUNTER{after}");
        let mut sources = Sources::default();
        sources.add("spec.yaml", text.clone());
        sources.hide(find(&text, "HUNTER"));
        let at = (at % text.len()) as u32;
        let place = Place { file: FileId(0), line: 1, column: 1, start: at, end: at + 1 };
        let shown = Mistake::error(place, "wrong").render(&sources, false);
        prop_assert!(!shown.contains(['H', 'U', 'N', 'T', 'E', 'R']), "{}", shown);
    }
}
