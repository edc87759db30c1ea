//! What comes out, with its places.

use expect_test::expect;
use vault_model::{source::FileId, yaml};

use super::check;

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
fn debug_shows_the_shape_of_what_is_secret() {
    let mut root = yaml::parse(FileId(0), "{a: hunter2, b: [1, x]}").expect("it is YAML");
    expect![[r#"{a: "hunter2", b: [1, "x"]}"#]].assert_eq(&format!("{root:?}"));
    root.make_secret();
    expect!["<a map, secret>"].assert_eq(&format!("{root:?}"));
}
