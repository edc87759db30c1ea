//! Reading YAML: what comes out, with its places, and what is refused.

use std::fmt::Write;

use expect_test::{Expect, expect};
use vault_model::{
    mistakes::Mistakes,
    node::{Node, NodeValue},
    source::Sources,
    yaml,
};

/// Every value with its line, column and the text that its place spans.
#[track_caller]
fn check(text: &str, wanted: Expect) {
    let mut sources = Sources::default();
    let shown = match yaml::read(&mut sources, "spec.yaml", text.as_bytes()) {
        Ok(root) => tree(&sources, &root),
        Err(it) => Mistakes::from(it).render(&sources, false),
    };
    wanted.assert_eq(&shown);
}

fn tree(sources: &Sources, root: &Node) -> String {
    let mut shown = String::new();
    describe(sources, root, "", &mut shown);
    shown
}

fn describe(sources: &Sources, node: &Node, path: &str, shown: &mut String) {
    let said = sources.text(node.place).expect("every value stands somewhere");
    writeln!(shown, "{path} {}:{} {} {said:?}", node.place.line, node.place.column, value(node))
        .expect("a string takes all");
    for (key, it) in node.as_map().unwrap_or_default() {
        assert!(sources.text(key.place).is_some_and(|it| it.contains(&*key.text)));
        describe(sources, it, &format!("{path}.{}", key.text), shown);
    }
    for (at, it) in node.as_list().unwrap_or_default().iter().enumerate() {
        describe(sources, it, &format!("{path}[{at}]"), shown);
    }
}

fn value(node: &Node) -> String {
    match &node.value {
        NodeValue::List(_) | NodeValue::Map(_) => node.kind_name().to_string(),
        _ => node.to_json().to_string(),
    }
}

#[test]
fn every_value_knows_its_place() {
    check(
        "name: airflow\nsecrets:\n  - type: \"kv\"\n    ttl: 'it''s'\n  - {h: [1, 2], i: }\nlast: plain\n  over lines\n",
        expect![[r#"
             1:1 a map "name: airflow\nsecrets:\n  - type: \"kv\"\n    ttl: 'it''s'\n  - {h: [1, 2], i: }\nlast: plain\n  over lines"
            .name 1:7 "airflow" "airflow"
            .secrets 3:3 a list "- type: \"kv\"\n    ttl: 'it''s'\n  - {h: [1, 2], i: }"
            .secrets[0] 3:5 a map "type: \"kv\"\n    ttl: 'it''s'"
            .secrets[0].type 3:11 "kv" "\"kv\""
            .secrets[0].ttl 4:10 "it's" "'it''s'"
            .secrets[1] 5:5 a map "{h: [1, 2], i: }"
            .secrets[1].h 5:9 a list "[1, 2]"
            .secrets[1].h[0] 5:10 1 "1"
            .secrets[1].h[1] 5:13 2 "2"
            .secrets[1].i 5:18 null ""
            .last 6:7 "plain over lines" "plain\n  over lines"
        "#]],
    );
}

#[test]
fn a_key_said_twice_is_shown_with_both_places() {
    check(
        "a: 1\nb: 2\na: 3\n",
        expect![[r#"
        error: `a` is said twice
         --> spec.yaml:3:1
          |
        3 | a: 3
          | ^
         ::: spec.yaml:1:1
          |
        1 | a: 1
          | - first said here
          |
          = help: keep one of them

    "#]],
    );
}

#[test]
fn a_tab_is_no_indent() {
    check(
        "a:\n\tb: 1\n",
        expect![[r#"
        error: a tab indents this line
         --> spec.yaml:2:2
          |
        2 |     b: 1
          |     ^
          |
          = help: indent with spaces

    "#]],
    );
}
#[test]
fn an_unclosed_quote_is_shown_where_it_opens() {
    check(
        "a: \"x\nb: 1\n",
        expect![[r#"
        error: this quote is never closed
         --> spec.yaml:1:4
          |
        1 | a: "x
          |    ^
          |
          = help: close it on the same line

    "#]],
    );
}
#[test]
fn a_missing_colon_at_the_end() {
    check(
        "a: 1\nb",
        expect![[r#"
        error: a `:` is missing after this key
         --> spec.yaml:2:1
          |
        2 | b
          | ^
          |
          = help: write `key: value`, with a space after the colon

    "#]],
    );
}
