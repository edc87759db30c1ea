//! Which values variables get.

use std::sync::Arc;

use expect_test::expect;
use vault_model::{source::Sources, template::Templates, vars::Vars, yaml};

use super::{Outside, World, check, check_given};

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
