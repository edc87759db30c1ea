//! Templates in scalars, and the variables that they see.

use std::{collections::BTreeMap, sync::Arc};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use vault_model::{
    mistakes::Mistakes,
    node::Node,
    source::Sources,
    template::{Inputs, Templates},
    vars::{self, Given, Vars},
    yaml,
};

/// A world with one file and one variable.
struct World;

impl Inputs for World {
    fn env(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/home/vault".to_string())
    }

    fn file(&self, path: &str) -> Result<String, String> {
        match path {
            "greeting.txt" => Ok("hello\n".to_string()),
            _ => Err("there is no such file".to_string()),
        }
    }
}

/// What a spec is given from outside.
#[derive(Default)]
struct Outside<'a> {
    flags: &'a [(&'a str, &'a str)],
    files: &'a [&'a str],
    env: &'a [(&'a str, &'a str)],
    environment: Option<&'a str>,
}

/// A spec with its variables rendered in, or what is wrong with it.
fn render(text: &str, outside: &Outside<'_>) -> (String, Option<(Node, Vars)>) {
    let mut sources = Sources::default();
    let result = spec(&mut sources, text, outside);
    match result {
        Ok((root, vars)) => (format!("{root:?}"), Some((root, vars))),
        Err(it) => (Mistakes::from(it).render(&sources, false), None),
    }
}

fn spec(
    sources: &mut Sources,
    text: &str,
    outside: &Outside<'_>,
) -> Result<(Node, Vars), Vec<vault_model::source::Mistake>> {
    let templates = Templates::new(Arc::new(World));
    let mut root = yaml::read(sources, "spec.yaml", text.as_bytes())?;
    let (declared, mistakes) = match root.take("vars") {
        Some((_, it)) => vars::declared(&it, sources),
        None => Default::default(),
    };
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let env: BTreeMap<_, _> = outside.env.iter().copied().collect();
    let mut file =
        |text: &&str| yaml::read(sources, "values.yaml", text.as_bytes()).expect("it is YAML");
    let given = Given {
        flags: outside.flags.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect(),
        files: outside.files.iter().map(&mut file).collect(),
        env: &|name| env.get(name).map(|it| it.to_string()),
        environment: outside.environment.as_ref().map(&mut file),
    };
    let vars = vars::resolve(&declared, given, &templates, sources)?;
    let mistakes = templates.render(&mut root, &vars, sources);
    if mistakes.is_empty() { Ok((root, vars)) } else { Err(mistakes) }
}

#[track_caller]
fn check(text: &str, wanted: Expect) {
    wanted.assert_eq(&render(text, &Outside::default()).0);
}

#[track_caller]
fn check_given(text: &str, outside: Outside<'_>, wanted: Expect) {
    wanted.assert_eq(&render(text, &outside).0);
}

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

#[test]
fn the_first_that_has_a_value_wins() {
    let text = "vars: {a: default}\nx: (( a ))";
    let all = || Outside {
        flags: &[("a", "first flag"), ("a", "flag")],
        files: &["a: first file", "a: file"],
        env: &[("VAULTWRIGHT_VAR_A", "env")],
        environment: Some("a: environment"),
    };
    check_given(text, all(), expect![[r#"{x: "flag"}"#]]);
    check_given(text, Outside { flags: &[], ..all() }, expect![[r#"{x: "file"}"#]]);
    check_given(text, Outside { flags: &[], files: &[], ..all() }, expect![[r#"{x: "env"}"#]]);
    check_given(
        text,
        Outside { flags: &[], files: &[], env: &[], ..all() },
        expect![[r#"{x: "environment"}"#]],
    );
    check_given(text, Outside::default(), expect![[r#"{x: "default"}"#]]);
}

#[test]
fn a_command_line_gives_what_the_default_is() {
    let text = "vars: {n: 1, yes: false, l: [], t: \"1\", u: }\nx: [(( n )), (( yes )), (( l )), (( t )), (( u ))]";
    let flags = &[("n", "8"), ("yes", "true"), ("l", "[a, 2]"), ("t", "0x1"), ("u", "8")];
    check_given(
        text,
        Outside { flags, ..Default::default() },
        expect![[r#"{x: [8, true, ["a", 2], "0x1", "8"]}"#]],
    );
    let env = &[("VAULTWRIGHT_VAR_U", "")];
    check_given(
        text,
        Outside { flags: &[("n", "many"), ("yes", "1"), ("l", "a")], env, ..Default::default() },
        expect![[r#"
            error: --var l should be a list, not text
             ::: spec.yaml:1:29
              |
            1 | vars: {n: 1, yes: false, l: [], t: "1", u: }
              |                             -- the default
              |
              = help: give what the default is

            error: --var n should be a number, not text
             ::: spec.yaml:1:11
              |
            1 | vars: {n: 1, yes: false, l: [], t: "1", u: }
              |           - the default
              |
              = help: give what the default is

            error: --var yes should be true or false, not a number
             ::: spec.yaml:1:19
              |
            1 | vars: {n: 1, yes: false, l: [], t: "1", u: }
              |                   ----- the default
              |
              = help: give what the default is

        "#]],
    );
}

#[test]
fn a_file_gives_what_the_default_is() {
    let text = "vars: {n: 1, t: \"1\"}\nx: [(( n )), (( t ))]";
    check_given(
        text,
        Outside { files: &["n: 2\nt: 5432"], ..Default::default() },
        expect![[r#"{x: [2, "5432"]}"#]],
    );
    check_given(
        text,
        Outside { files: &["n: \"2\"\nt: [x]"], ..Default::default() },
        expect![[r#"
            error: `n` should be a number, not text
             --> values.yaml:1:4
              |
            1 | n: "2"
              |    ^^^
             ::: spec.yaml:1:11
              |
            1 | vars: {n: 1, t: "1"}
              |           - the default
              |
              = help: give what the default is

            error: `t` should be text, not a list
             --> values.yaml:2:4
              |
            2 | t: [x]
              |    ^^^
             ::: spec.yaml:1:17
              |
            1 | vars: {n: 1, t: "1"}
              |                 --- the default
              |
              = help: give what the default is

        "#]],
    );
    check_given(
        text,
        Outside { files: &["[1]"], ..Default::default() },
        expect![[r#"
            error: a file of variables should be a map, not a list
             --> values.yaml:1:1
              |
            1 | ***
              | ^^^
              |
              = help: write each as `name: value`

        "#]],
    );
}

#[test]
fn a_variable_without_a_value_says_the_ways_to_give_it() {
    check(
        "vars:\n  a:\n  b: {secret: true, description: the root password}\nx: 1",
        expect![[r#"
        error: the variable `a` has no value
         --> spec.yaml:2:3
          |
        2 |   a:
          |   ^
          |
          = help: give it by --var a=…, VAULTWRIGHT_VAR_A, --var-file, environments/<name>.yaml or a default

        error: the variable `b` (the root password) has no value
         --> spec.yaml:3:3
          |
        3 |   b: {secret: true, description: the root password}
          |   ^
          |
          = help: give it by VAULTWRIGHT_VAR_B, --var-file or environments/<name>.yaml

    "#]],
    );
}

#[test]
fn a_name_that_no_variable_has_is_a_mistake() {
    check_given(
        "vars: {db_url: x}\n",
        Outside {
            flags: &[("db_ur", "x")],
            files: &["db-url: x"],
            environment: Some("other: x"),
            ..Default::default()
        },
        expect![[r#"
            error: --var: the spec has no variable `db_ur`
              = help: did you mean `db_url`?

            error: the spec has no variable `db-url`
             --> values.yaml:1:1
              |
            1 | db-url: ***
              | ^^^^^^
              |
              = help: did you mean `db_url`?

            error: the spec has no variable `other`
             --> values.yaml:1:1
              |
            1 | other: ***
              | ^^^^^
              |
              = help: declare it under `vars`, or leave it out

        "#]],
    );
}

#[test]
fn declarations_have_a_form() {
    check(
        "vars: [a]",
        expect![[r#"
        error: `vars` should be a map, not a list
         --> spec.yaml:1:7
          |
        1 | vars: [a]
          |       ^^^
          |
          = help: write each as `name: default`, or `name: { default: …, secret: true }`

    "#]],
    );
    check(
        "vars: {a: {defalt: 1, secret: 1, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}",
        expect![[r#"
            error: a variable has no `defalt`
             --> spec.yaml:1:12
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |            ^^^^^^
              |
              = help: did you mean `default`?

            error: `secret` should be true or false, not a number
             --> spec.yaml:1:31
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |                               ^^^

            error: `description` should be text, not a list
             --> spec.yaml:1:47
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |                                                 ^^^

            error: a variable has no `other`
             --> spec.yaml:1:52
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |                                                      ^^^^^
              |
              = help: a map as a default goes under `default`

            error: `db-url` is no name for a variable
             --> spec.yaml:1:63
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |                                                                 ^^^^^^
              |
              = help: call it `db_url`: in a template `-` subtracts

            error: `1x` is no name for a variable
             --> spec.yaml:1:74
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |                                                                            ^^
              |
              = help: use letters, digits and `_`, and begin with a letter

            error: `env` means something else in a template
             --> spec.yaml:1:81
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |                                                                                   ^^^
              |
              = help: call the variable something else

            error: `ab` differs from another variable by case alone
             --> spec.yaml:1:96
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |                                                                                                  ^^
             ::: spec.yaml:1:89
              |
            1 | vars: {a: {defalt: 1, secret: ***, description: [x], other: 1}, db-url: x, 1x: y, env: z, Ab: 1, ab: 2}
              |                                                                                           -- the other
              |
              = help: call them differently: `VAULTWRIGHT_VAR_AB` would be both

        "#]],
    );
}

#[test]
fn a_secret_in_the_spec_is_a_mistake_and_is_not_shown() {
    check(
        "vars:\n  pw: { secret: true, default: hunter2 }\n",
        expect![[r#"
        error: `pw` is secret, and its value stands in the spec
         --> spec.yaml:2:32
          |
        2 |   pw: { secret: true, default: *** }
          |                                ^^^
          |
          = help: leave the default out and give it by VAULTWRIGHT_VAR_PW or --var-file, or take it from `(( env("…") ))`

    "#]],
    );
}

#[test]
fn a_secret_may_come_from_the_environment() {
    check(
        "vars: {pw: {secret: true, default: (( env(\"HOME\") ))}}\nx: (( pw ))\ny: [a(( pw ))b, (( pw | length )), open]",
        expect![[r#"{x: <text, secret>, y: [<text, secret>, <a number, secret>, "open"]}"#]],
    );
}

#[test]
fn what_is_made_of_a_secret_is_secret() {
    let text = "vars: {pw: {secret: true}, url: \"x:(( pw ))@h\", n: 1}\na: (( url ))\nb: (( n ))\nc: '(% set x = url %)((x))'";
    let (shown, rendered) =
        render(text, &Outside { flags: &[("pw", "hunter2")], ..Default::default() });
    expect!["{a: <text, secret>, b: 1, c: <text, secret>}"].assert_eq(&shown);
    let (root, vars) = rendered.expect("it renders");
    assert_eq!(root.to_json()["a"], "x:hunter2@h");
    assert!(!format!("{vars:?}").contains("hunter2"));
    assert_eq!(vars.redactor().mask("login hunter2"), "login ***");
}

#[test]
fn a_mistake_does_not_say_a_secret() {
    check_given(
        "vars: {pw: {secret: true}}\na: (( file(pw) ))\nb: (( pw | int ))\nc: (( env(pw ~ \"x\") ))",
        Outside { flags: &[("pw", "hunter2")], ..Default::default() },
        expect![[r#"
            error: `***` can't be read: there is no such file
             --> spec.yaml:2:7
              |
            2 | a: (( file(pw) ))
              |       ^^^^^^^^
              |
              = help: name a file in the spec's folder

            error: invalid float literal
             --> spec.yaml:3:12
              |
            3 | b: (( pw | int ))
              |            ^^^
              |
              = help: mend the expression

            error: the environment variable `***x` isn't set
             --> spec.yaml:4:7
              |
            4 | c: (( env(pw ~ "x") ))
              |       ^^^^^^^^^^^^^
              |
              = help: set it, or give a default: `env("***x", "…")`

        "#]],
    );
    check_given(
        "vars: {pw: {secret: true, default: \"((env('X', '1')))\"}, n: 1}\n",
        Outside { environment: Some("pw: hunter2\nn: [x]"), ..Default::default() },
        expect![[r#"
            error: `n` should be a number, not a list
             --> values.yaml:2:4
              |
            2 | n: [x]
              |    ^^^
             ::: spec.yaml:1:61
              |
            1 | vars: {pw: {secret: true, default: "((env('X', '1')))"}, n: 1}
              |                                                             - the default
              |
              = help: give what the default is

        "#]],
    );
}

#[test]
fn nothing_prints_all_variables() {
    check_given(
        "vars: {pw: {secret: true}}\na: (( debug() ))",
        Outside { flags: &[("pw", "hunter2")], ..Default::default() },
        expect![[r#"
            error: no variable is called `debug`
             --> spec.yaml:2:7
              |
            2 | a: (( debug() ))
              |       ^^^^^
              |
              = help: declare it under `vars`; a literal `((` is `(( "((" ))`, or `( (`

        "#]],
    );
}

#[test]
fn a_key_is_no_template() {
    check(
        "vars: {a: x}\n\"role-(( a ))\": 1",
        expect![[r#"
        error: a key can't be a template
         --> spec.yaml:2:1
          |
        2 | "role-(( a ))": 1
          | ^^^^^^^^^^^^^^
          |
          = help: write the key out, or make the map around it a template of its own

    "#]],
    );
}

#[test]
fn a_misspelt_secret_is_not_shown() {
    check_given(
        "vars: {pw: {secret: true}}",
        Outside {
            files: &["{pw: hunter3, pww: hunter2}", "hunter4"],
            flags: &[("pw", "x")],
            ..Default::default()
        },
        expect![[r#"
            error: the spec has no variable `pww`
             --> values.yaml:1:15
              |
            1 | {pw: ***, pww: ***}
              |           ^^^
              |
              = help: did you mean `pw`?

            error: a file of variables should be a map, not text
             --> values.yaml:1:1
              |
            1 | ***
              | ^^^
              |
              = help: write each as `name: value`

        "#]],
    );
}

#[test]
fn a_file_of_values_that_cannot_be_read_is_not_shown() {
    let mut sources = Sources::default();
    let found = yaml::read_values(&mut sources, "values.yaml", b"pw: hunter2: x");
    let mistakes = Mistakes::from(found.expect_err("it is no YAML"));
    expect![[r#"
        error: a `:` isn't expected here
         --> values.yaml:1:12
          |
        1 | ***
          | ^^^
          |
          = help: text that holds `: ` goes in quotes; a key stands in the column of the keys beside it

    "#]].assert_eq(&mistakes.render(&sources, false));
}

#[test]
fn values_of_others_can_be_added() {
    let vars = Vars::default().with("demo", serde_json::json!({ "address": "db:1" }), false);
    let mut sources = Sources::default();
    let mut root =
        yaml::read(&mut sources, "ground.yaml", b"a: (( demo.address ))").expect("it is YAML");
    assert_eq!(Templates::new(Arc::new(World)).render(&mut root, &vars, &sources), []);
    assert_eq!(root.to_json()["a"], "db:1");
}

#[test]
fn variables_may_need_each_other_but_not_in_a_circle() {
    check("vars: {a: (( b ))1, b: (( c ))2, c: 3}\nx: (( a ))", expect![[r#"{x: "321"}"#]]);
    check(
        "vars: {a: (( b )), b: (( c )), c: (( b )), d: 1}\nx: (( a ))",
        expect![[r#"
        error: variables need each other: `b` → `c` → `b`
         --> spec.yaml:1:23
          |
        1 | vars: {a: (( b )), b: (( c )), c: (( b )), d: 1}
          |                       ^^^^^^^
          |
          = help: give one of them a value of its own

    "#]],
    );
    check(
        "vars: {a: (( a ))}",
        expect![[r#"
        error: variables need each other: `a` → `a`
         --> spec.yaml:1:11
          |
        1 | vars: {a: (( a ))}
          |           ^^^^^^^
          |
          = help: give one of them a value of its own

    "#]],
    );
    check(
        "vars: {a: (( b )), b: {secret: true}}",
        expect![[r#"
        error: the variable `b` has no value
         --> spec.yaml:1:20
          |
        1 | vars: {a: (( b )), b: {secret: true}}
          |                    ^
          |
          = help: give it by VAULTWRIGHT_VAR_B, --var-file or environments/<name>.yaml

    "#]],
    );
}

#[test]
fn what_comes_from_outside_is_no_template() {
    check_given(
        "vars: {a: x, b: y, c: z, d: w}\nx: [(( a )), (( b )), (( c )), (( d ))]",
        Outside {
            flags: &[("a", "(( b ))")],
            files: &["b: (( a ))"],
            env: &[("VAULTWRIGHT_VAR_C", "(( a ))")],
            environment: Some("d: (( b ))!"),
        },
        expect![[r#"{x: ["(( b ))", "(( a ))", "(( a ))", "(( a ))!"]}"#]],
    );
}

proptest! {
    #[test]
    fn no_template_makes_it_panic(text in "[(){}%# \"'a-c.|+é\n$1-]{0,40}") {
        let spec = serde_json::json!({ "vars": { "a": 1, "b": "x", "c": [1] }, "x": text });
        render(&spec.to_string(), &Outside::default());
    }

    #[test]
    fn text_without_brackets_stays_as_it_is(text in "[^(\\x7f-\u{9f}]{0,40}") {
        let spec = serde_json::json!({ "x": text });
        let (shown, rendered) = render(&spec.to_string(), &Outside::default());
        prop_assert_eq!(rendered.map(|(root, _)| root.to_json()), Some(spec), "{}", shown);
    }

    #[test]
    fn any_value_comes_out_as_it_went_in(value in any::<String>()) {
        let flags: &[(&str, &str)] = &[("v", value.as_str())];
        let (_, rendered) = render("vars: {v: x}\na: (( v ))\nb: <(( v ))>", &Outside { flags, ..Default::default() });
        let (root, _) = rendered.expect("it renders");
        prop_assert_eq!(root.to_json(), serde_json::json!({ "a": value, "b": format!("<{value}>") }));
    }
}
