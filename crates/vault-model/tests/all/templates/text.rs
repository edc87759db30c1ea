//! `(( ))` in scalars.

use expect_test::expect;

use super::{Outside, check, check_given};

#[test]
fn a_variable_stands_in_a_text() {
    check(
        "vars: {db: \"127.0.0.1:5432\"}\nurl: postgresql://{{username}}:{{password}}@(( db ))/demo",
        expect![[r#"{url: "postgresql://{{username}}:{{password}}@127.0.0.1:5432/demo"}"#]],
    );
}

#[test]
fn alone_it_keeps_its_type() {
    check(
        "vars: {n: 3, yes: true, l: [a, 1], m: {default: {k: v}}, t: \"3\", f: 1.5}\na: (( n ))\nb: ((yes))\nc: (( l ))\nd: (( m ))\ne: (( t ))\nf: (( f ))\ng: (( n + 1 ))\nh: (( m.k ))\ni: \"((n)) \"\nj: ((n))((n))",
        expect![[
            r#"{a: 3, b: true, c: ["a", 1], d: {k: "v"}, e: "3", f: 1.5, g: 4, h: "v", i: "3 ", j: "33"}"#
        ]],
    );
}

#[test]
fn within_text_it_prints_as_json_has_it() {
    check(
        "vars: {n: 3, yes: true, f: 1.5}\na: x (( n )) (( yes )) (( f )) (( not yes ))",
        expect![[r#"{a: "x 3 true 1.5 false"}"#]],
    );
}

#[test]
fn null_and_lists_and_maps_do_not_print() {
    check(
        "vars: {l: [1], m: {default: {}}}\na: x (( none ))\nb: x (( l ))\nc: x (( m ))\nd: x (( l | join(\",\") )) (( m | tojson )) (( none | default(\"-\", true) ))",
        expect![[r#"
            error: null can't be part of a text
             --> spec.yaml:2:9
              |
            2 | a: x (( none ))
              |         ^^^^
              |
              = help: say what stands for it: `| default("…", true)`

            error: a list can't be part of a text
             --> spec.yaml:3:9
              |
            3 | b: x (( l ))
              |         ^
              |
              = help: join it, `| join(",")`, or print it as JSON, `| tojson`

            error: a map can't be part of a text
             --> spec.yaml:4:9
              |
            4 | c: x (( m ))
              |         ^
              |
              = help: name one of its values, or print it as JSON, `| tojson`

        "#]],
    );
}

#[test]
fn a_value_cannot_break_the_document() {
    check_given(
        "vars: {v: x}\na: (( v ))\nb: 1",
        Outside { flags: &[("v", "x\nb: 2 # ${ (( v )) \"'")], ..Default::default() },
        expect![[r#"{a: "x\nb: 2 # ${ (( v )) \"'", b: 1}"#]],
    );
}

#[test]
fn every_unknown_name_is_shown_where_it_stands() {
    check(
        "vars: {db_url: x, port: 1}\na: \"url (( db_url )) (( db_ur )):(( prot ))\"\nb: |\n  one\n  two (( nothing_like_it ))\nc: >-\n  folded (( db_url ))\n  and (( db_ur ))\nd: 'it''s (( db_ur ))'\ne: [(( db_ur ))]\nf: \"\\t(( db_ur ))\"",
        expect![[r#"
            error: no variable is called `db_ur`
             --> spec.yaml:2:25
              |
            2 | a: "url (( db_url )) (( db_ur )):(( prot ))"
              |                         ^^^^^
              |
              = help: did you mean `db_url`?

            error: no variable is called `prot`
             --> spec.yaml:2:37
              |
            2 | a: "url (( db_url )) (( db_ur )):(( prot ))"
              |                                     ^^^^
              |
              = help: did you mean `port`?

            error: no variable is called `nothing_like_it`
             --> spec.yaml:5:10
              |
            5 |   two (( nothing_like_it ))
              |          ^^^^^^^^^^^^^^^
              |
              = help: declare it under `vars`; a literal `((` is `(( "((" ))`, or `( (`

            error: no variable is called `db_ur`
             --> spec.yaml:8:10
              |
            8 |   and (( db_ur ))
              |          ^^^^^
              |
              = help: did you mean `db_url`?

            error: no variable is called `db_ur`
             --> spec.yaml:9:14
              |
            9 | d: 'it''s (( db_ur ))'
              |              ^^^^^
              |
              = help: did you mean `db_url`?

            error: no variable is called `db_ur`
              --> spec.yaml:10:8
               |
            10 | e: [(( db_ur ))]
               |        ^^^^^
               |
               = help: did you mean `db_url`?

            error: no variable is called `db_ur`
              --> spec.yaml:11:10
               |
            11 | f: "\t(( db_ur ))"
               |          ^^^^^
               |
               = help: did you mean `db_url`?

        "#]],
    );
}

#[test]
fn a_name_in_quotes_or_behind_a_dot_is_no_variable() {
    check(
        "vars: {m: {default: {x: 1}}}\na: '(( m.x )) (( \"x\" )) (( x ))'",
        expect![[r#"
        error: no variable is called `x`
         --> spec.yaml:2:28
          |
        2 | a: '(( m.x )) (( "x" )) (( x ))'
          |                            ^
          |
          = help: declare it under `vars`; a literal `((` is `(( "((" ))`, or `( (`

    "#]],
    );
}

#[test]
fn blocks_and_loops_work() {
    check(
        "vars: {l: [a, b], yes: false}\na: \"(% for x in l %)<((x))>(% endfor %)\"\nb: \"(% if yes %)x(% else %)y(% endif %)\"\nc: \"100(% of SQL ('%x%')\"\nd: \"(# not a comment #)\"\ne: \"(( 1 ))(# a comment #)\"",
        expect![[
            r#"{a: "<a><b>", b: "y", c: "100(% of SQL ('%x%')", d: "(# not a comment #)", e: "1"}"#
        ]],
    );
}

#[test]
fn a_literal_bracket_can_be_said() {
    check(
        "a: '(( \"((\" ))x))'\nb: CHECK ( (a > 0))",
        expect![[r#"{a: "((x))", b: "CHECK ( (a > 0))"}"#]],
    );
}

#[test]
fn sql_with_two_brackets_is_told_how_to_write_them() {
    check(
        "a: CHECK ((amount > 0))",
        expect![[r#"
        error: no variable is called `amount`
         --> spec.yaml:1:12
          |
        1 | a: CHECK ((amount > 0))
          |            ^^^^^^
          |
          = help: declare it under `vars`; a literal `((` is `(( "((" ))`, or `( (`

    "#]],
    );
    check(
        "a: VALUES ((1, 2), (3",
        expect![[r#"
        error: this isn't a template: unexpected `,`, expected end of variable block
         --> spec.yaml:1:14
          |
        1 | a: VALUES ((1, 2), (3
          |              ^
          |
          = help: a template is `(( name ))`; a literal `((` is `(( "((" ))`, or `( (`

    "#]],
    );
}

#[test]
fn trailing_newlines_stay() {
    check("vars: {x: 1}\na: |\n  (( x ))\n", expect![[r#"{a: "1\n"}"#]]);
}

#[test]
fn files_and_the_environment_are_what_the_caller_lets_them_be() {
    check(
        "a: (( env(\"HOME\") ))\nb: (( file(\"greeting.txt\") | trim ))\nc: (( env(\"NO\", \"x\") ))",
        expect![[r#"{a: "/home/vault", b: "hello", c: "x"}"#]],
    );
    check(
        "a: (( env(\"NO\") ))\nb: x (( file(\"../etc/passwd\") ))",
        expect![[r#"
        error: the environment variable `NO` isn't set
         --> spec.yaml:1:7
          |
        1 | a: (( env("NO") ))
          |       ^^^^^^^^^
          |
          = help: set it, or give a default: `env("NO", "…")`

        error: `../etc/passwd` can't be read: there is no such file
         --> spec.yaml:2:9
          |
        2 | b: x (( file("../etc/passwd") ))
          |         ^^^^^^^^^^^^^^^^^^^^^
          |
          = help: name a file in the spec's folder

    "#]],
    );
    check(
        "a: (( env(\"NO_TEXT\", \"x\") ))",
        expect![[r#"
            error: the environment variable `NO_TEXT` is not UTF-8
             --> spec.yaml:1:7
              |
            1 | a: (( env("NO_TEXT", "x") ))
              |       ^^^^^^^^^^^^^^^^^^^
              |
              = help: give it text

        "#]],
    );
}

#[test]
fn a_template_that_fails_is_shown_where_it_fails() {
    check(
        "vars: {m: {default: {x: 1}}, t: x}\na: (( m.y ))\nb: z (( m.y ))\nc: (( t + 1 ))\nd: (( t | nope ))\ne: (( t\nf: (( t | int ))",
        expect![[r#"
            error: there is no such value
             --> spec.yaml:2:4
              |
            2 | a: (( m.y ))
              |    ^^^^^^^^^
              |
              = help: name one that is there, or give a default: `| default("…")`

            error: `m.y` is undefined
             --> spec.yaml:3:9
              |
            3 | b: z (( m.y ))
              |         ^^^
              |
              = help: name one that is there, or give a default: `| default("…")`

            error: tried to use + operator on unsupported types string and number
             --> spec.yaml:4:7
              |
            4 | c: (( t + 1 ))
              |       ^^^^^
              |
              = help: mend the expression

            error: filter nope is unknown
             --> spec.yaml:5:11
              |
            5 | d: (( t | nope ))
              |           ^^^^
              |
              = help: mend the expression

            error: this isn't a template: unexpected end of input, expected end of variable block
             --> spec.yaml:6:7
              |
            6 | e: (( t
              |       ^
              |
              = help: a template is `(( name ))`; a literal `((` is `(( "((" ))`, or `( (`

            error: invalid float literal
             --> spec.yaml:7:11
              |
            7 | f: (( t | int ))
              |           ^^^
              |
              = help: mend the expression

        "#]],
    );
}

#[test]
fn a_template_that_never_ends_is_stopped() {
    check(
        "a: '(% for x in range(100000) %)(% for y in range(100000) %)(( x ))(% endfor %)(% endfor %)'",
        expect![[r#"
            error: this takes too long
             --> spec.yaml:1:45
              |
            1 | a: '(% for x in range(100000) %)(% for y in range(100000) %)(( x ))(% endfor %)(% endfor %)'
              |                                             ^^^^^^^^^^^^^
              |
              = help: make it simpler

        "#]],
    );
    check(
        "a: '(( range(100000) | join(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\") ))'",
        expect![[r#"
            error: the text grows to more than 1 MiB
             --> spec.yaml:1:4
              |
            1 | a: '(( range(100000) | join("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") ))'
              |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: make it shorter

        "#]],
    );
}
