//! Texts that are no policy, or hardly the one that was meant.

use expect_test::{Expect, expect};

use super::super::tree::MAX_NESTING;
use super::*;

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&findings(text));
}

#[test]
fn unknown_words_come_with_the_word_that_was_meant() {
    check(
        r#"
        paths "a" { capabilities = ["read"] }
        path "b" { capabilites = ["read"] }
        path "c" { capabilities = ["raed", "write", "root", "everything"] }
        path "d" { policy = "wrte" }
        "#,
        expect![[r#"
            `paths "a"`: a policy has no `paths`; did you mean `path`?
            `capabilites`: a rule has no `capabilites`; did you mean `capabilities`?
            `"raed"`: `raed` is no capability; did you mean `read`?
            `"write"`: `write` is no capability; `write` is `create` and `update`
            `"root"`: `root` is no capability; only the policy of that name grants it
            `"everything"`: `everything` is no capability; it is one of create, delete, deny, list, patch, read, recover, scan, subscribe, sudo, update
            `"wrte"`: `policy` has no `wrte`; did you mean `write`?
        "#]],
    );
}

#[test]
fn wrong_shapes_are_all_told_at_once() {
    check(
        r#"
        path "a" { capabilities = "read" }
        path "b" { capabilities = [["read"]] }
        path "c" { allowed_parameters = ["x"] }
        path "d" { denied_parameters = { "x" = "y" } }
        path "e" { min_wrapping_ttl = "1w" max_wrapping_ttl = [] }
        path "f" { min_wrapping_ttl = "1h" max_wrapping_ttl = "5m" }
        path "g" { control_group = { ttl = "1h" } }
        path "h" { policy = true }
        path "i" { pagination_limit = "many" }
        path { capabilities = ["read"] }
        path "j" "k" { capabilities = ["read"] }
        path = 5
        "#,
        expect![[r#"
            `"read"`: `capabilities` is a list, not a text; write `capabilities = ["…"]`
            `["read"]`: `capabilities` lists texts, not a list
            `["x"]`: `allowed_parameters` is a block, not a list; write `allowed_parameters { … }`
            `"y"`: the values of `x` are a list, not a text; write `"x" = []` for any value, or `"x" = ["value"]`
            `"1w"`: `min_wrapping_ttl` is no duration; write seconds, as in 90, or a text such as "90s", "1h30m" or "2d"
            `[]`: `max_wrapping_ttl` is no duration; write seconds, as in 90, or a text such as "90s", "1h30m" or "2d"
            `max_wrapping_ttl = "5m"`: `max_wrapping_ttl` is less than `min_wrapping_ttl`
            `control_group`: a control group needs factors, each with groups and approvals; write `factor "name" { identity { group_names = ["…"] approvals = 1 } }`
            `true`: `policy` is a text, not a truth value
            `"many"`: `pagination_limit` is a whole number
            `path`: this rule names no path; write `path "secret/data/app" { capabilities = ["read"] }`
            `"k"`: a rule has one path, `j`; write one rule for each path, and `capabilities` in each
            `5`: `path` holds rules, not a number; write `path "secret/data/app" { capabilities = ["read"] }`
        "#]],
    );
}

#[test]
fn broken_text_does_not_hide_the_next_mistake() {
    check(
        r#"
        path "a" { capabilities = [read, list] }
        path "b" { capabilities = ["read" "list"] }
        path "c" { capabilities: ["read"] }
        path 'd' { capabilities = ["read"] }
        path "e { capabilities = ["read"] }
        path "f" "g" = { capabilities = ["read"] }
        path "h" { capabilities = ["read"] capabilities = ["list"] }
        path "i" { min_wrapping_ttl = 10s }
        path "j" { capabilities = }
        path "k" { capabilities }
        path "l\q" { capabilities = ["read"] }
        } = ,
        path "m" { capabilities = ["bogus"] }
        "#,
        expect![[r#"
            `read`: `read` needs quotes; write "read"
            `list`: `list` needs quotes; write "list"
            `"list"`: a comma is missing before a text; put a comma between the entries of a list
            `:`: `:` belongs to JSON: here it is `=`
            `'`: texts stand in double quotes
            `"] }`: this text has no closing quote on its line
            `=`: `path f g` is more than one word before `=`; write `path f g { … }` without `=`
            `capabilities`: `capabilities` is said twice in this block; say it once, with all that belongs to it
            `10s`: a value with a unit is a text; write "10s"
            `}`: a value should stand here, not `}`
            `capabilities`: `capabilities` has neither value nor block; a name is followed by `= value` or by `{ … }`
            `"l\q"`: this text holds a backslash that means nothing
            `"bogus"`: `bogus` is no capability; it is one of create, delete, deny, list, patch, read, recover, scan, subscribe, sudo, update
        "#]],
    );
}

#[test]
fn a_missing_brace_is_found_where_it_was_opened() {
    check(
        "path \"a\" {\n  capabilities = [\"read\"]\n\npath \"b\" {\n  capabilities = [\"read\"]\n}\n",
        expect![[r#"
            `{`: this brace is never closed; each `{` needs its `}`
            `path "b"`: a rule inside a rule; is the `}` of the rule before it missing?
        "#]],
    );
}

#[test]
fn what_never_ends_is_found_where_it_began() {
    check(
        "path \"a\" { capabilities = [\"read\"",
        expect![[r#"
        `{`: this brace is never closed; each `{` needs its `}`
        `[`: this list is never closed; each `[` needs its `]`
    "#]],
    );
    check(
        "path \"a\" { /* capabilities = [] }",
        expect![[r#"
        `{`: this brace is never closed; each `{` needs its `}`
        `/*`: this comment has no end
    "#]],
    );
    check(
        "name = <<END\nfor ever",
        expect![[r#"
        `<<END
        for ever`: this text of several lines never ends: it needs a line with nothing but its word
    "#]],
    );
    check(
        "name =",
        expect![[r#"
        ``: a value should stand here, not the end of the text
    "#]],
    );
    check(
        "path \"a\"",
        expect![[r#"
        `"a"`: `path a` has neither value nor block; a name is followed by `= value` or by `{ … }`
    "#]],
    );
}

#[test]
fn broken_json_is_told() {
    check(
        r#"{"path": {"a": {"capabilities": ["read"]} "b": {}}}"#,
        expect![[r#"
        `"`: a comma should stand here
    "#]],
    );
    check(
        r#"{"path": {"a": {"capabilities": ["read"]}}} and more"#,
        expect![[r#"
        `a`: the JSON ended before this
    "#]],
    );
    check(
        r#"{"path": {"a": {"capabilities": ["read"]}"#,
        expect![[r#"
        `{`: this bracket is never closed
    "#]],
    );
    check(
        r#"{"path": {a: {}}}"#,
        expect![[r#"
        `a`: a name in double quotes, or `}` should stand here
    "#]],
    );
    check(
        r#"{"path": {"a": 'x'}}"#,
        expect![[r#"
        `'`: no JSON value begins so; texts stand in double quotes
    "#]],
    );
    check(
        r#"{"path": {"a\/b": {}}}"#,
        expect![[r#"
        `"`: Vault refuses `\/` in a text; write `/` without the backslash
    "#]],
    );
    check(
        r#"{"path": {"a": {"min_wrapping_ttl": 01}}}"#,
        expect![[r#"
        `0`: no JSON number is written so
    "#]],
    );
    check(
        r#"{"path": {"a": {"comment": "x"#,
        expect![[r#"
        `"`: this text has no closing quote
    "#]],
    );
}

#[test]
fn json_that_vault_would_read_otherwise_is_told() {
    check(
        r#"{"path": {"a": {"capabilities": ["read", true]}}}"#,
        expect![[r#"
        `true`: Vault drops a truth value in a JSON list; write it as a text, or write the policy in HCL
        `true`: `capabilities` lists texts, not a truth value
    "#]],
    );
    check(
        r#"{"path": {"a": {"policy": "read"}, "a": {"policy": "write"}}}"#,
        expect![[r#"
        `"a"`: `a` is said twice in this object; JSON readers keep only one of them
    "#]],
    );
    check(
        r#"{"path": {"a": {"policy": "read"}, "b": "read"}}"#,
        expect![[r#"
        `"read"`: the rule for `b` is a block, not a text; write `path "secret/data/app" { capabilities = ["read"] }`
    "#]],
    );
    check(
        r#"{"path": {"a": {"allowed_parameters": {"x": []}}}}"#,
        expect![[r#"
        `"allowed_parameters"`: a rule has one path, `a`; write one rule for each path, and `capabilities` in each
    "#]],
    );
    check(
        r#"{"path": "a"}"#,
        expect![[r#"
        `"a"`: `path` holds rules, not a text; write `path "secret/data/app" { capabilities = ["read"] }`
    "#]],
    );
}

#[test]
fn paths_that_vault_refuses_are_told() {
    check(
        r#"path "a/+*" {} path "b/{{identity.entity.name" {} path "c}}" {}"#,
        expect![[r#"
        `"a/+*"`: `+*` is forbidden; `+` stands for a whole segment: write `+/*`, or `*` alone
        `"b/{{identity.entity.name"`: a template without its other braces; a template is `{{name}}`, with both pairs of braces
        `"c}}"`: a template without its other braces; a template is `{{name}}`, with both pairs of braces
    "#]],
    );
}

#[test]
fn what_can_hardly_be_meant_is_remarked() {
    check(
        r#"
        path "a/*/b" { capabilities = ["read"] }
        path "a+/b" { capabilities = ["read"] }
        path "c" { capabilities = ["deny", "read"] required_parameters = ["x"] }
        path "d" {}
        path "d" { capabilities = [] }
        path "" { capabilities = ["read"] }
        path "/v1/secret/data/x" { capabilities = ["read"] }
        path "e" { policy = "write" }
        path "f/{{identity.entity.nme}}/{{identity.entity.metadata.team}}" { capabilities = ["read"] }
        path "g/{{ identity.entity.aliases.auth_userpass_1.name }}" { capabilities = ["read"] }
        "#,
        expect![[r#"
            `"a/*/b"`: `a/*/b` holds a wildcard that Vault takes for a letter; `*` counts at the end of a path only, `+` only for a whole segment
            `"a+/b"`: `a+/b` holds a wildcard that Vault takes for a letter; `*` counts at the end of a path only, `+` only for a whole segment
            `capabilities = ["deny", "read"]`: `deny` makes the other capabilities void; keep `deny` alone, or take it out
            `required_parameters`: `deny` makes this void; take it out: the rule denies every request
            `"d"`: this rule grants nothing; give it `capabilities = ["read"]`
            `"d"`: this rule grants nothing; list what it should grant
            `"d"`: `d` has a rule already: Vault joins them; make one rule of them
            `""`: no request has such a path; paths of policies begin with the mount, as in `secret/data/app`
            `"/v1/secret/data/x"`: no request has such a path; paths of policies begin with the mount, as in `secret/data/app`
            `policy = "write"`: `policy` is Vault's old word; write `capabilities = ["create", "read", "update", "delete", "list"]`
            `"f/{{identity.entity.nme}}/{{identity.entity.metadata.team}}"`: Vault can't fill in `{{identity.entity.nme}}`, so it leaves this rule out; did you mean `{{identity.entity.name}}`?
        "#]],
    );
}

#[track_caller]
fn check_message(text: &str, expected: &str) {
    assert_eq!(parse(text).unwrap_err()[0].message, expected);
}

#[test]
fn a_byte_order_mark_is_told() {
    check_message("\u{feff}path \"a\" {}", "a byte order mark is no part of a policy");
}

#[test]
fn hostile_texts_are_refused() {
    check_message("path \"a\0\" {}", "a NUL is no part of a policy");
    let long = "#".repeat(1 << 20) + "#";
    check_message(&long, "longer than 1024 KiB: Vault can't store it");
    let long_path = format!("path \"{}\" {{}}", "a/".repeat(3000));
    check_message(&long_path, "a path longer than 4096 bytes");
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    for (open, close) in [("x {", "}"), ("x = [", "]"), ("x = {", "}")] {
        let deep = open.repeat(200_000) + &close.repeat(200_000);
        assert!(parse(&deep[..deep.len().min(1 << 20)]).is_err());
    }
    let lists = format!("path \"a\" {{ capabilities = {}{} }}", "[".repeat(100), "]".repeat(100));
    check(
        &lists,
        expect![[r#"
        `[`: nested deeper than 32 levels
    "#]],
    );
    for deep in ["{\"a\":".repeat(150_000), "{\"a\":".to_string() + &"[".repeat(500_000)] {
        check_message(&deep, &format!("nested deeper than {MAX_NESTING} levels"));
    }
}

#[test]
fn there_are_never_too_many_mistakes() {
    assert_eq!(parse(&"x = \n".repeat(10_000)).unwrap_err().len(), 50);
}

#[test]
fn long_hostile_texts_are_read_at_once() {
    let fill = |head: &str, piece: &dyn Fn(usize) -> String, tail: &str| {
        let mut text = head.to_string();
        for piece in (0..).map(piece) {
            if text.len() + piece.len() + tail.len() > 1 << 18 {
                break;
            }
            text += &piece;
        }
        text + tail
    };
    let texts = [
        fill("path \"a\" {", &|n| format!("a{n}=1 "), "}"),
        fill("{", &|n| format!("\"a{n}\":1,"), "}"),
        fill("", &|_| "name = <<A\nA\n".to_string(), ""),
        fill("", &|_| "x <<A\n".to_string(), ""),
        fill("", &|n| format!("path \"a\" {{ allowed_parameters {{ x = [\"{n}\"] }} }} "), ""),
        fill(
            "",
            &|n| format!("path \"{{{{identity.entity.id}}}}{n}\" {{ policy = \"read\" }} "),
            "",
        ),
        fill("path \"a\" { capabilities = [", &|_| "\"reed\",".to_string(), "]}"),
        fill("", &|_| "/*".to_string(), ""),
        fill("path \"", &|_| "{{".to_string(), "\" {}"),
        fill("{\"path\":[", &|n| format!("{{\"a{n}\":{{}}}},"), "]}"),
    ];
    for text in texts {
        if let Ok(policy) = parse(&text) {
            policy.canonical();
            capabilities(&[("p", &policy)], "a/b");
        }
    }
}
