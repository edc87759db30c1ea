//! Reading YAML: what comes out, with its places, and what is refused.

use std::fmt::Write;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use vault_model::{
    mistakes::Mistakes,
    node::{Node, NodeValue},
    source::{FileId, Sources},
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
    describe(sources, root, "$", &mut shown);
    shown
}

fn describe(sources: &Sources, node: &Node, path: &str, shown: &mut String) {
    let said = sources.text(node.place).expect("every value stands somewhere");
    writeln!(shown, "{path} {}:{} {} {said:?}", node.place.line, node.place.column, value(node))
        .expect("a string takes all");
    for (key, it) in node.as_map().unwrap_or_default() {
        assert!(sources.text(key.place).is_some());
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
            $ 1:1 a map "name: airflow\nsecrets:\n  - type: \"kv\"\n    ttl: 'it''s'\n  - {h: [1, 2], i: }\nlast: plain\n  over lines"
            $.name 1:7 "airflow" "airflow"
            $.secrets 3:3 a list "- type: \"kv\"\n    ttl: 'it''s'\n  - {h: [1, 2], i: }"
            $.secrets[0] 3:5 a map "type: \"kv\"\n    ttl: 'it''s'"
            $.secrets[0].type 3:11 "kv" "\"kv\""
            $.secrets[0].ttl 4:10 "it's" "'it''s'"
            $.secrets[1] 5:5 a map "{h: [1, 2], i: }"
            $.secrets[1].h 5:9 a list "[1, 2]"
            $.secrets[1].h[0] 5:10 1 "1"
            $.secrets[1].h[1] 5:13 2 "2"
            $.secrets[1].i 5:18 null ""
            $.last 6:7 "plain over lines" "plain\n  over lines"
        "#]],
    );
}

#[test]
fn a_file_of_nothing_is_null() {
    check(
        "",
        expect![[r#"
            $ 1:1 null ""
        "#]],
    );
    check(
        "# nothing\n",
        expect![[r#"
            $ 1:1 null ""
        "#]],
    );
    check(
        "---\n...\n",
        expect![[r#"
            $ 1:4 null ""
        "#]],
    );
}

#[test]
fn plain_words_are_what_they_are_written_as() {
    check(
        "[1, -1, 0, 1.5, -0.5, true, False, null, ~, 18446744073709551615]",
        expect![[r#"
            $ 1:1 a list "[1, -1, 0, 1.5, -0.5, true, False, null, ~, 18446744073709551615]"
            $[0] 1:2 1 "1"
            $[1] 1:5 -1 "-1"
            $[2] 1:9 0 "0"
            $[3] 1:12 1.5 "1.5"
            $[4] 1:17 -0.5 "-0.5"
            $[5] 1:23 true "true"
            $[6] 1:29 false "False"
            $[7] 1:36 null "null"
            $[8] 1:42 null "~"
            $[9] 1:45 18446744073709551615 "18446744073709551615"
        "#]],
    );
}

#[test]
fn what_a_number_would_change_stays_text() {
    check(
        "[0777, 1_000, 1.10, 1e3, 0x1F, 0o17, +1, -0, .5, 1., 1.0e0, 18446744073709551616, 123456789012345678901234567890, .inf, .NaN, 1:30, 2024-01-01]",
        expect![[r#"
            $ 1:1 a list "[0777, 1_000, 1.10, 1e3, 0x1F, 0o17, +1, -0, .5, 1., 1.0e0, 18446744073709551616, 123456789012345678901234567890, .inf, .NaN, 1:30, 2024-01-01]"
            $[0] 1:2 "0777" "0777"
            $[1] 1:8 "1_000" "1_000"
            $[2] 1:15 "1.10" "1.10"
            $[3] 1:21 "1e3" "1e3"
            $[4] 1:26 "0x1F" "0x1F"
            $[5] 1:32 "0o17" "0o17"
            $[6] 1:38 "+1" "+1"
            $[7] 1:42 "-0" "-0"
            $[8] 1:46 ".5" ".5"
            $[9] 1:50 "1." "1."
            $[10] 1:54 "1.0e0" "1.0e0"
            $[11] 1:61 "18446744073709551616" "18446744073709551616"
            $[12] 1:83 "123456789012345678901234567890" "123456789012345678901234567890"
            $[13] 1:115 ".inf" ".inf"
            $[14] 1:121 ".NaN" ".NaN"
            $[15] 1:127 "1:30" "1:30"
            $[16] 1:133 "2024-01-01" "2024-01-01"
        "#]],
    );
}

#[test]
fn words_of_old_yaml_are_text() {
    check(
        "[yes, no, on, off, y, n]",
        expect![[r#"
            $ 1:1 a list "[yes, no, on, off, y, n]"
            $[0] 1:2 "yes" "yes"
            $[1] 1:7 "no" "no"
            $[2] 1:11 "on" "on"
            $[3] 1:15 "off" "off"
            $[4] 1:20 "y" "y"
            $[5] 1:23 "n" "n"
        "#]],
    );
}

#[test]
fn quotes_make_text() {
    check(
        "[\"1\", 'true', \"\", 'null']",
        expect![[r#"
            $ 1:1 a list "[\"1\", 'true', \"\", 'null']"
            $[0] 1:2 "1" "\"1\""
            $[1] 1:7 "true" "'true'"
            $[2] 1:15 "" "\"\""
            $[3] 1:19 "null" "'null'"
        "#]],
    );
}

#[test]
fn blocks_of_text_know_their_lines() {
    check(
        "a: |\n  one\n  two\n\nb: >-\n  three\n  four\nc: |+\n  five\n\n",
        expect![[r#"
            $ 1:1 a map "a: |\n  one\n  two\n\nb: >-\n  three\n  four\nc: |+\n  five"
            $.a 2:3 "one\ntwo\n" "one\n  two"
            $.b 6:3 "three four" "three\n  four"
            $.c 9:3 "five\n\n" "five"
        "#]],
    );
}

#[test]
fn columns_count_characters() {
    check(
        "é: ü\n\"日本\": [語, x]",
        expect![[r#"
            $ 1:1 a map "é: ü\n\"日本\": [語, x]"
            $.é 1:4 "ü" "ü"
            $.日本 2:7 a list "[語, x]"
            $.日本[0] 2:8 "語" "語"
            $.日本[1] 2:11 "x" "x"
        "#]],
    );
}

#[test]
fn a_byte_order_mark_is_no_column() {
    check(
        "\u{feff}a: 1",
        expect![[r#"
            $ 1:1 a map "a: 1"
            $.a 1:4 1 "1"
        "#]],
    );
}

#[test]
fn windows_lines_are_lines() {
    check(
        "a: 1\r\nb:\r\n  - |\r\n    x\r\n",
        expect![[r#"
            $ 1:1 a map "a: 1\r\nb:\r\n  - |\r\n    x"
            $.a 1:4 1 "1"
            $.b 3:3 a list "- |\r\n    x"
            $.b[0] 4:5 "x\n" "x"
        "#]],
    );
}

#[test]
fn vaults_templates_are_text() {
    check(
        "a: \"{{username}}\"\nb: x{{name}}y\nc: (( x ))",
        expect![[r#"
            $ 1:1 a map "a: \"{{username}}\"\nb: x{{name}}y\nc: (( x ))"
            $.a 1:4 "{{username}}" "\"{{username}}\""
            $.b 2:4 "x{{name}}y" "x{{name}}y"
            $.c 3:4 "(( x ))" "(( x ))"
        "#]],
    );
}

#[test]
fn keys_are_words_as_they_are_written() {
    check(
        "404: a\n0123: b\ntrue: c\n\"q k\": d\n\"\": e",
        expect![[r#"
            $ 1:1 a map "404: a\n0123: b\ntrue: c\n\"q k\": d\n\"\": e"
            $.404 1:6 "a" "a"
            $.0123 2:7 "b" "b"
            $.true 3:7 "c" "c"
            $.q k 4:8 "d" "d"
            $. 5:5 "e" "e"
        "#]],
    );
}

#[test]
fn an_alias_stands_for_what_it_names() {
    check(
        "a: &x {k: [1]}\nb: *x\nc: &y word\nd: *y\n*y : e",
        expect![[r#"
            $ 1:1 a map "a: &x {k: [1]}\nb: *x\nc: &y word\nd: *y\n*y : e"
            $.a 1:7 a map "{k: [1]}"
            $.a.k 1:11 a list "[1]"
            $.a.k[0] 1:12 1 "1"
            $.b 1:7 a map "{k: [1]}"
            $.b.k 1:11 a list "[1]"
            $.b.k[0] 1:12 1 "1"
            $.c 3:7 "word" "word"
            $.d 3:7 "word" "word"
            $.word 5:6 "e" "e"
        "#]],
    );
}

#[test]
fn a_merge_adds_what_is_not_said() {
    check(
        "a: &a {k: 1, l: 2}\nb: &b {l: 3, m: 4}\nc: {<<: *a, k: 9}\nd: {<<: [*a, *b], x: 1}\ne: {\"<<\": 1}",
        expect![[r#"
            $ 1:1 a map "a: &a {k: 1, l: 2}\nb: &b {l: 3, m: 4}\nc: {<<: *a, k: 9}\nd: {<<: [*a, *b], x: 1}\ne: {\"<<\": 1}"
            $.a 1:7 a map "{k: 1, l: 2}"
            $.a.k 1:11 1 "1"
            $.a.l 1:17 2 "2"
            $.b 2:7 a map "{l: 3, m: 4}"
            $.b.l 2:11 3 "3"
            $.b.m 2:17 4 "4"
            $.c 3:4 a map "{<<: *a, k: 9}"
            $.c.k 3:16 9 "9"
            $.c.l 1:17 2 "2"
            $.d 4:4 a map "{<<: [*a, *b], x: 1}"
            $.d.x 4:22 1 "1"
            $.d.k 1:11 1 "1"
            $.d.l 1:17 2 "2"
            $.d.m 2:17 4 "4"
            $.e 5:4 a map "{\"<<\": 1}"
            $.e.<< 5:11 1 "1"
        "#]],
    );
}

#[test]
fn an_anchor_may_be_said_again() {
    check(
        "a: &x 1\nb: &x 2\nc: *x",
        expect![[r#"
            $ 1:1 a map "a: &x 1\nb: &x 2\nc: *x"
            $.a 1:7 1 "1"
            $.b 2:7 2 "2"
            $.c 2:7 2 "2"
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
    check(
        "x: {k: 1, k: 2}\ny:\n  z: 1\n  z: 2\n  z: 3",
        expect![[r#"
        error: `k` is said twice
         --> spec.yaml:1:11
          |
        1 | x: {k: 1, k: 2}
          |           ^
         ::: spec.yaml:1:5
          |
        1 | x: {k: 1, k: 2}
          |     - first said here
          |
          = help: keep one of them

        error: `z` is said twice
         --> spec.yaml:4:3
          |
        4 |   z: 2
          |   ^
         ::: spec.yaml:3:3
          |
        3 |   z: 1
          |   - first said here
          |
          = help: keep one of them

        error: `z` is said twice
         --> spec.yaml:5:3
          |
        5 |   z: 3
          |   ^
         ::: spec.yaml:3:3
          |
        3 |   z: 1
          |   - first said here
          |
          = help: keep one of them

    "#]],
    );
}

#[test]
fn only_maps_merge() {
    check(
        "a: &a [1]\nb: {<<: *a}\nc: {<<: 1}",
        expect![[r#"
        error: `<<` merges maps, and this isn't one
         --> spec.yaml:1:8
          |
        1 | a: &a [1]
          |        ^
          |
          = help: give it an alias of a map, such as `<<: *defaults`

        error: `<<` merges maps, and this isn't one
         --> spec.yaml:3:9
          |
        3 | c: {<<: 1}
          |         ^
          |
          = help: give it an alias of a map, such as `<<: *defaults`

    "#]],
    );
}

#[test]
fn a_key_is_a_word() {
    check(
        "[a]: 1\n? {b: 1}\n: 2\n~: 3\n",
        expect![[r#"
            error: a key should be text, not a list
             --> spec.yaml:1:1
              |
            1 | [a]: 1
              | ^^^
              |
              = help: put the key in quotes

            error: a key should be text, not a map
             --> spec.yaml:2:3
              |
            2 | ? {b: 1}
              |   ^^^^^^
              |
              = help: put the key in quotes

            error: a key should be text, not nothing
             --> spec.yaml:4:1
              |
            4 | ~: 3
              | ^
              |
              = help: put the key in quotes

        "#]],
    );
    check(
        "a: {{ username }}",
        expect![[r#"
        error: a key should be text, not a map
         --> spec.yaml:1:5
          |
        1 | a: {{ username }}
          |     ^^^^^^^^^^^^
          |
          = help: put text that begins with `{{` in quotes

    "#]],
    );
}

#[test]
fn a_name_that_no_anchor_has_is_a_mistake() {
    check(
        "a: &defaults 1\nb: *defalts\nc: *.example.com",
        expect![[r#"
        error: no anchor is called `defalts`
         --> spec.yaml:2:4
          |
        2 | b: *defalts
          |    ^^^^^^^^
          |
          = help: did you mean `*defaults`?

        error: no anchor is called `.example.com`
         --> spec.yaml:3:4
          |
        3 | c: *.example.com
          |    ^^^^^^^^^^^^^
          |
          = help: put text that begins with `*` in quotes

    "#]],
    );
}

#[test]
fn an_alias_in_what_it_stands_for_is_a_mistake() {
    check(
        "a: &a [*a]",
        expect![[r#"
        error: an alias stands inside what it stands for
         --> spec.yaml:1:8
          |
        1 | a: &a [*a]
          |        ^^
          |
          = help: write out what is meant

    "#]],
    );
}

#[test]
fn a_second_document_is_a_mistake() {
    check(
        "a: 1\n---\nb: 2\n",
        expect![[r#"
        error: a second document begins here
         --> spec.yaml:2:1
          |
        2 | ---
          | ^^^
          |
          = help: keep one document in a file: a spec can be a folder of files

    "#]],
    );
}

#[test]
fn tags_mean_nothing() {
    check(
        "a: !secret x\nb: !!binary aGk=\nc: !!str 1\nd: !!map {}\ne: !!seq {}",
        expect![[r#"
            error: the tag `!secret` means nothing here
             --> spec.yaml:1:4
              |
            1 | a: !secret x
              |    ^^^^^^^
              |
              = help: leave it out; put text in quotes

            error: the tag `!!binary` means nothing here
             --> spec.yaml:2:4
              |
            2 | b: !!binary aGk=
              |    ^^^^^^^^
              |
              = help: leave it out; put text in quotes

            error: the tag `!!seq` means nothing here
             --> spec.yaml:5:4
              |
            5 | e: !!seq {}
              |    ^^^^^
              |
              = help: leave it out; put text in quotes

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
fn an_unclosed_bracket_is_shown() {
    check(
        "a: [1\n",
        expect![[r#"
        error: `[` is never closed
         --> spec.yaml:1:4
          |
        1 | a: [1
          |    ^
          |
          = help: close it, or put the text in quotes

    "#]],
    );
    check(
        "a: [1}",
        expect![[r#"
        error: `[` is closed by `}`
         --> spec.yaml:1:4
          |
        1 | a: [1}
          |    ^
          |
          = help: close each bracket by its own kind

    "#]],
    );
    check(
        "a: 1]\nb: ]",
        expect![[r#"
        error: this bracket closes nothing
         --> spec.yaml:2:4
          |
        2 | b: ]
          |    ^
          |
          = help: put the whole text in quotes

    "#]],
    );
    check(
        "a: {b: 1",
        expect![[r#"
        error: `{` is never closed
         --> spec.yaml:1:4
          |
        1 | a: {b: 1
          |    ^
          |
          = help: close it, or put the text in quotes

    "#]],
    );
}

#[test]
fn a_key_without_a_colon_is_a_mistake() {
    check(
        "a: 1\nb\nc: 2",
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

#[test]
fn a_colon_too_many_is_a_mistake() {
    check(
        "a: b: c",
        expect![[r#"
        error: a `:` isn't expected here
         --> spec.yaml:1:5
          |
        1 | a: b: c
          |     ^
          |
          = help: text that holds `: ` goes in quotes; a key stands in the column of the keys beside it

    "#]],
    );
}

#[test]
fn text_that_begins_with_a_sign_goes_in_quotes() {
    check(
        "a: @x",
        expect![[r#"
        error: text can't begin with `@`
         --> spec.yaml:1:4
          |
        1 | a: @x
          |    ^
          |
          = help: put the whole text in quotes

    "#]],
    );
    check(
        "a: `x`",
        expect![[r#"
        error: text can't begin with ```
         --> spec.yaml:1:4
          |
        1 | a: `x`
          |    ^
          |
          = help: put the whole text in quotes

    "#]],
    );
    check(
        "a: %x",
        expect![[r#"
        error: text can't begin with `%`
         --> spec.yaml:1:4
          |
        1 | a: %x
          |    ^
          |
          = help: put the whole text in quotes

    "#]],
    );
    check(
        "a: 'x' y",
        expect![[r#"
        error: text goes on after its closing quote
         --> spec.yaml:1:8
          |
        1 | a: 'x' y
          |        ^
          |
          = help: put the whole text in quotes

    "#]],
    );
    check(
        "a: &",
        expect![[r#"
        error: a name is missing after this
         --> spec.yaml:1:4
          |
        1 | a: &
          |    ^
          |
          = help: put the whole text in quotes

    "#]],
    );
}

#[test]
fn an_indent_that_fits_nothing_is_a_mistake() {
    check(
        "a:\n    b: 1\n  c: 2",
        expect![[r#"
        error: this doesn't continue what stands above it
         --> spec.yaml:3:3
          |
        3 |   c: 2
          |   ^
          |
          = help: let it begin in the column of the keys or list items beside it

    "#]],
    );
    check(
        "a: 1\n- b",
        expect![[r#"
        error: this doesn't continue what stands above it
         --> spec.yaml:2:3
          |
        2 | - b
          |   ^
          |
          = help: let it begin in the column of the keys or list items beside it

    "#]],
    );
    check(
        "- a\nb: 1",
        expect![[r#"
        error: this doesn't continue what stands above it
         --> spec.yaml:2:1
          |
        2 | b: 1
          | ^
          |
          = help: let it begin in the column of the keys or list items beside it

    "#]],
    );
}

#[test]
fn an_unknown_escape_is_a_mistake() {
    check(
        "a: \"C:\\dir\"",
        expect![[r#"
        error: no such `\` escape
         --> spec.yaml:1:4
          |
        1 | a: "C:\dir"
          |    ^
          |
          = help: write `\\` for a backslash, or use single quotes

    "#]],
    );
}

#[test]
fn a_template_with_commas_goes_in_quotes() {
    check(
        "a: {b: (( env(\"X\", \"y\") ))}",
        expect![[r#"
        error: text goes on after its closing quote
         --> spec.yaml:1:23
          |
        1 | a: {b: (( env("X", "y") ))}
          |                       ^
          |
          = help: put text that has a template, `((` or `{{`, in quotes

    "#]],
    );
}

#[test]
fn a_control_character_is_a_mistake() {
    check(
        "a: 1\nb: \0x",
        expect![[r#"
        error: a control character (U+0000) stands in the file
         --> spec.yaml:2:4
          |
        2 | b: \u{0}x
          |    ^^^^^
          |
          = help: remove it, or write "\x00" in double quotes

    "#]],
    );
    check(
        "a: \u{1b}[31mred",
        expect![[r#"
        error: a control character (U+001B) stands in the file
         --> spec.yaml:1:4
          |
        1 | a: \u{1b}[31mred
          |    ^^^^^^
          |
          = help: remove it, or write "\x1b" in double quotes

    "#]],
    );
    check(
        "a: é\u{9e}",
        expect![[r#"
        error: a control character (U+009E) stands in the file
         --> spec.yaml:1:5
          |
        1 | a: é\u{9e}
          |     ^^^^^^
          |
          = help: remove it, or write "\x9e" in double quotes

    "#]],
    );
    check(
        "a: \u{ffff}",
        expect![[r#"
            error: a control character (U+FFFF) stands in the file
             --> spec.yaml:1:4
              |
            1 | a: \u{ffff}
              |    ^^^^^^^^
              |
              = help: remove it, or write "\uffff" in double quotes

        "#]],
    );
}

/// What a file of bytes comes to, in a line.
#[track_caller]
fn check_bytes(bytes: &[u8], wanted: Expect) {
    let mut sources = Sources::default();
    let shown = match yaml::read(&mut sources, "spec.yaml", bytes) {
        Ok(_) => "read\n".to_string(),
        Err(it) => Mistakes::from(it).render(&sources, false),
    };
    wanted.assert_eq(&shown);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    check_bytes(
        b"a: 1\nb: \xff\xfe\n",
        expect![[r#"
        error: the file isn't UTF-8: it can't be read from here on
         --> spec.yaml:2:4
          |
        2 | b: ��
          |    ^
          |
          = help: save it as UTF-8

    "#]],
    );
    check_bytes(
        b"\xff\xfea\0:\0",
        expect![[r#"
        error: the file is UTF-16
         --> spec.yaml:1:1
          |
        1 | ��a\u{0}:\u{0}
          | ^
          |
          = help: save it as UTF-8

    "#]],
    );
}

#[test]
fn a_file_that_is_too_long_is_refused_unread() {
    check_bytes(
        &vec![b'a'; 100 << 20],
        expect![[r#"
        error: the file has 100 MiB, and a spec's file may have 16
         --> spec.yaml:1:1
          |
        1 | 
          | ^
          |
          = help: split it into several files: a spec can be a folder

    "#]],
    );
}

#[test]
fn brackets_in_brackets_have_an_end() {
    check_bytes(
        "[".repeat(100_000).as_bytes(),
        expect![[r#"
        error: more than 100 lists and maps in each other
         --> spec.yaml:1:256
          |
        1 | …***…
          |  ^^^
          |
          = help: say it flatter

    "#]],
    );
    check_bytes(
        "- ".repeat(100_000).as_bytes(),
        expect![[r#"
        error: more than 100 lists and maps in each other
         --> spec.yaml:1:203
          |
        1 | …***…
          |  ^^^
          |
          = help: say it flatter

    "#]],
    );
    check_bytes(
        ("[".repeat(90) + &"]".repeat(90)).as_bytes(),
        expect![[r#"
        read
    "#]],
    );
}

#[test]
fn depth_counts_through_aliases() {
    let nest = |inner: &str| "[".repeat(60) + inner + &"]".repeat(60);
    let text = format!("a: &a {}\nb: &b {}\n", nest("1"), nest("*a"));
    check_bytes(
        text.as_bytes(),
        expect![[r#"
        error: more than 100 lists and maps in each other
         --> spec.yaml:2:67
          |
        2 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
          |                                                  ^^
          |
          = help: say it flatter

    "#]],
    );
}

#[test]
fn a_bomb_of_aliases_does_not_go_off() {
    let mut text = "a0: &a0 [x]\n".to_string();
    for i in 1..30 {
        let inner = vec![format!("*a{}", i - 1); 10].join(", ");
        writeln!(text, "a{i}: &a{i} [{inner}]").expect("a string takes all");
    }
    check_bytes(
        text.as_bytes(),
        expect![[r#"
        error: the file says more than 1000000 values, aliases counted
         --> spec.yaml:7:20
          |
        7 | a6: &a6 [*a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5, *a5]
          |                    ^^^
          |
          = help: split it into several files, or repeat less by aliases

    "#]],
    );
}

#[test]
fn a_long_text_is_not_repeated_for_ever() {
    let text = format!("a: &a \"{}\"\nb: [{}]", "x".repeat(1 << 20), "*a, ".repeat(1000));
    check_bytes(
        text.as_bytes(),
        expect![[r#"
        error: the file says more than 1000000 values, aliases counted
         --> spec.yaml:2:65
          |
        2 | …*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a…
          |                                          ^^
          |
          = help: split it into several files, or repeat less by aliases

    "#]],
    );
}

#[test]
fn mistakes_have_an_end() {
    let mut sources = Sources::default();
    let found = yaml::read(&mut sources, "spec.yaml", "a: 1\n".repeat(1000).as_bytes());
    assert_eq!(found.map_err(|it| it.len()), Err(100));
}

#[test]
fn debug_shows_the_shape_of_what_is_secret() {
    let mut root = yaml::parse(FileId(0), "{a: hunter2, b: [1, x]}").expect("it is YAML");
    expect![[r#"{a: "hunter2", b: [1, "x"]}"#]].assert_eq(&format!("{root:?}"));
    root.make_secret();
    expect!["<a map, secret>"].assert_eq(&format!("{root:?}"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        render(&text);
    }

    #[test]
    fn no_text_that_looks_like_yaml_makes_it_panic(text in "([a-c&*!|>'\"{}\\[\\],:#%@~<é0-9. \n\t-]|: |- |\n  |<<: |: &a |: \\*a|!!str |---\n){0,40}") {
        render(&text);
    }

    #[test]
    fn any_json_reads_as_itself(value in json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).expect("it is JSON")] {
            let root = yaml::parse(FileId(0), &text).map(|it| it.into_json());
            prop_assert_eq!(root, Ok(value.clone()));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        let mut sources = Sources::default();
        if let Err(it) = yaml::read(&mut sources, "spec.yaml", &bytes) {
            prop_assert!(!Mistakes::from(it).render(&sources, true).is_empty());
        }
    }
}

/// Reads a text, and looks at every place of what comes out.
fn render(text: &str) {
    let mut sources = Sources::default();
    match yaml::read(&mut sources, "spec.yaml", text.as_bytes()) {
        Ok(root) => describe(&sources, &root, "$", &mut String::new()),
        Err(it) => {
            let mistakes = Mistakes::from(it);
            mistakes.render(&sources, false);
            mistakes.to_json(&sources);
        }
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let text = "[^\\x00-\\x1f\\x7f-\u{9f}\u{fffe}\u{ffff}]{0,12}";
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        text.prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(text, inner, 0..6)
                .prop_map(|it| serde_json::Value::Object(it.into_iter().collect())),
        ]
    })
}
