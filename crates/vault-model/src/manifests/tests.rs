//! Templates are read as the agent reads them.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::template::read;

#[track_caller]
fn check(text: &str, expected: Expect) {
    let read = read(text);
    let calls = read.calls.iter().map(|it| {
        let verb = if it.lists {
            "list"
        } else if it.writes {
            "write"
        } else {
            "read"
        };
        assert_eq!(&text[it.range.clone()], it.path);
        format!("{verb} {}\n", it.path)
    });
    let uses = read.uses.iter().map(|it| format!("{} {}\n", it.call, it.keys.join(".")));
    let mistake =
        read.mistake.iter().map(|(range, why)| format!("{:?}: {why}\n", &text[range.clone()]));
    expected.assert_eq(&calls.chain(uses).chain(mistake).collect::<String>());
}

#[test]
fn fields_belong_to_the_block_that_they_stand_in() {
    check(
        r#"{{- with secret "database/creds/a" -}}{{ .Data.username }}{{ end }}{{ with secret `b` }}{{ .Data.x }}{{ end }}"#,
        expect![[r#"
            read database/creds/a
            read b
            0 Data.username
            1 Data.x
        "#]],
    );
}

#[test]
fn an_if_keeps_the_dot_and_a_range_does_not() {
    check(
        r#"{{ with secret "a" }}{{ if .Data.on }}{{ .Data.x }}{{ end }}{{ range .Data.list }}{{ .Data.no }}{{ end }}{{ end }}"#,
        expect![[r#"
            read a
            0 Data.on
            0 Data.x
            0 Data.list
        "#]],
    );
}

#[test]
fn variables_parentheses_and_index_lead_to_fields_too() {
    check(
        r#"{{ $s := secret "a" }}{{ $s.Data.x }}{{ (secret "b").Data.y | toJSON }}{{ with secret "c" }}{{ index .Data.data "k-1" }}{{ end }}"#,
        expect![[r#"
            read a
            read b
            read c
            0 Data.x
            1 Data.y
            2 Data.data.k-1
        "#]],
    );
}

#[test]
fn a_part_of_an_answer_can_be_the_dot() {
    check(
        r#"{{ with secret "secret/data/app" }}{{ with .Data.data }}{{ .password }}{{ end }}{{ end }}{{ with (secret "b").Data }}{{ .x }}{{ end }}"#,
        expect![[r#"
            read secret/data/app
            read b
            0 Data.data
            0 Data.data.password
            1 Data
            1 Data.x
        "#]],
    );
}

#[test]
fn parameters_make_it_a_write() {
    check(
        r#"{{ with secret "pki/issue/app" "common_name=a.test" }}{{ .Data.certificate }}{{ end }}{{ range secrets "secret/metadata/" }}{{ . }}{{ end }}"#,
        expect![[r#"
            write pki/issue/app
            list secret/metadata/
            0 Data.certificate
        "#]],
    );
}

#[test]
fn blocks_and_actions_end() {
    check(
        r#"{{ with secret "a" }}{{ .Data.x }}"#,
        expect![[r#"
        read a
        0 Data.x
        "{{ with secret \"a\" }}": this block is never closed by `{{ end }}`
    "#]],
    );
    check(
        "{{ end }}",
        expect![[r#"
        "{{ end }}": nothing is open that this could end
    "#]],
    );
    check(
        "{{ .Data.x",
        expect![[r#"
        "{{": this action is never closed by `}}`
    "#]],
    );
    check(r#"{{/* with secret "a" */}}{{ print "}}" }}"#, expect![""]);
}

proptest! {
    #[test]
    fn no_template_makes_it_panic(text in "(\\{\\{|\\}\\}|-|\"|`|\\\\|/\\*|\\*/|[().|$é ]|secrets? |with |range |if |end|index |:=|[a-b.]){0,30}") {
        let read = read(&text);
        let ranges = read.calls.iter().map(|it| &it.range);
        let ranges = ranges.chain(read.uses.iter().map(|it| &it.range));
        for range in ranges.chain(read.mistake.iter().map(|(range, _)| range)) {
            prop_assert!(text.get(range.clone()).is_some(), "{range:?}");
        }
    }
}
