//! What is no YAML, or none that a spec may be written in.

use expect_test::expect;

use super::check;

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
