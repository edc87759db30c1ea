//! Values that are never shown.

use expect_test::expect;
use vault_model::{mistakes::Mistakes, source::Sources, yaml};

use super::{Outside, check, check_given, render};

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
