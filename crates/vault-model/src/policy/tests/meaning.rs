//! Texts that grant the same, and texts that don't.

use expect_test::{Expect, expect};

use super::*;

#[track_caller]
fn check(a: &str, b: &str, same: bool) {
    assert_eq!(same_meaning(a, b), same, "\n{:?}\n{:?}", canonical(a), canonical(b));
    assert_eq!(same_meaning(b, a), same);
}

#[track_caller]
fn check_canonical(text: &str, expected: Expect) {
    expected.assert_eq(&canonical(text).unwrap().to_string());
}

const READ: &str = r#"path "a" { capabilities = ["read"] }"#;

#[test]
fn looks_do_not_count() {
    check(READ, "# why\npath \"a\"\n{\n  capabilities=[\"read\",]\n}\n", true);
    check(
        READ,
        "name = \"x\"\npath \"/a\" { \"capabilities\" = [\"read\", \"read\"] comment = \"y\" }",
        true,
    );
    check(READ, r#"{"path": {"a": {"capabilities": ["read"]}}}"#, true);
    check(READ, r#"{"path": [{"a": {"capabilities": ["read"]}}]}"#, true);
}

#[test]
fn order_does_not_count() {
    check(
        r#"path "a" { capabilities = ["read", "list"] } path "b" { policy = "write" }"#,
        r#"path "b" { capabilities = ["list", "delete", "update", "read", "create"] } path "a" { policy = "read" }"#,
        true,
    );
}

#[test]
fn blocks_for_one_path_are_one_rule() {
    check(
        r#"path "a" { capabilities = ["read"] min_wrapping_ttl = 60 } path "a" { capabilities = ["list"] min_wrapping_ttl = "30s" }"#,
        r#"path "a" { capabilities = ["list", "read"] min_wrapping_ttl = 30 }"#,
        true,
    );
    check(
        r#"path "a" { policy = "deny" } path "a" { policy = "write" }"#,
        r#"path "a" { policy = "deny" }"#,
        true,
    );
}

#[test]
fn what_deny_makes_void_does_not_count() {
    check(
        r#"path "a" { capabilities = ["deny", "read"] required_parameters = ["x"] }"#,
        r#"path "a" { policy = "deny" }"#,
        true,
    );
}

#[test]
fn parameters_are_sets_without_case() {
    check(
        r#"path "a" { policy = "write" allowed_parameters = { "X" = ["b", "a", "a"], "y" = [] } required_parameters = ["P", "q"] }"#,
        r#"path "a" { policy = "write" required_parameters = ["q", "p"] allowed_parameters { y = [] } allowed_parameters { x = ["a", "b"] } }"#,
        true,
    );
    check(
        r#"path "a" { policy = "write" allowed_parameters = { "x" = ["a"] } }"#,
        r#"path "a" { policy = "write" allowed_parameters = { "x" = [] } }"#,
        false,
    );
}

#[test]
fn any_value_is_more_than_some() {
    check(
        r#"path "a" { policy = "write" allowed_parameters = { "x" = ["a"] } } path "a" { allowed_parameters = { "x" = [] } }"#,
        r#"path "a" { policy = "write" allowed_parameters = { "x" = [] } }"#,
        true,
    );
}

#[test]
fn no_parameters_are_no_condition() {
    check(
        READ,
        r#"path "a" { capabilities = ["read"] allowed_parameters = {} required_parameters = [] min_wrapping_ttl = 0 }"#,
        true,
    );
}

#[test]
fn durations_are_compared_as_durations() {
    check(
        r#"path "a" { policy = "read" max_wrapping_ttl = "1h30m" }"#,
        r#"path "a" { policy = "read" max_wrapping_ttl = 5400 }"#,
        true,
    );
    check(
        r#"path "a" { policy = "read" max_wrapping_ttl = "500ms" }"#,
        r#"path "a" { policy = "read" max_wrapping_ttl = "1s" }"#,
        false,
    );
}

#[test]
fn control_groups_are_compared_whatever_they_look_like() {
    check(
        r#"path "a" { policy = "read" control_group = { factor "b" { identity { group_names = ["x"] approvals = 1 } } factor "c" { identity { group_ids = ["y"] approvals = 2 } } } }"#,
        r#"{"path": {"a": {"policy": "read", "control_group": {"factor": {"c": {"identity": {"group_ids": ["y"], "approvals": 2}}, "b": {"identity": [{"group_names": ["x"], "approvals": 1}]}}}}}}"#,
        true,
    );
}

#[test]
fn what_grants_something_else_is_something_else() {
    check(READ, r#"path "a" { capabilities = ["list"] }"#, false);
    check(READ, r#"path "a*" { capabilities = ["read"] }"#, false);
    check(READ, r#"path "a/" { capabilities = ["read"] }"#, false);
    check(READ, "", false);
    check(READ, &format!("{READ} path \"b\" {{}}"), false);
    check(r#"path "a" {}"#, r#"path "a" { policy = "deny" }"#, false);
    check(r#"path "//a" { policy = "read" }"#, r#"path "/a" { policy = "read" }"#, false);
}

#[test]
fn a_text_that_is_no_policy_is_the_same_as_itself() {
    check("path a {", "  path a {\n", true);
    check("path a {", "path a  {", false);
    check("path a {", READ, false);
}

#[test]
fn templates_are_compared_without_their_blanks() {
    check(r#"path "a/{{ identity.entity.id }}" {}"#, r#"path "a/{{identity.entity.id}}" {}"#, true);
    check(
        r#"path "a/{{identity.entity.name}}" {}"#,
        r#"path "a/{{identity.entity.id}}" {}"#,
        false,
    );
}

#[test]
fn rules_that_expire_stay_apart() {
    let text = r#"path "a" { policy = "read" expiration = "2030-01-01T00:00:00Z" } path "a" { policy = "deny" }"#;
    check_canonical(
        text,
        expect![[
            r#"{"path":[{"a":{"capabilities":["deny"]}},{"a":{"capabilities":["list","read"],"expiration":"2030-01-01T00:00:00Z"}}]}"#
        ]],
    );
    check(text, &canonical(text).unwrap().to_string(), true);
    check(text, r#"path "a" { policy = "deny" }"#, false);
}

#[test]
fn the_canonical_form_is_a_policy_of_the_same_meaning() {
    let text = r#"
        path "b/+" { policy = "read" max_wrapping_ttl = "1500ms" denied_parameters = { "x" = [{ "k" = 1 }, "t"], "y" = [{ "k" = 1 }] } }
        path "//a" { capabilities = ["sudo"] subscribe_event_types = ["b", "a"] mfa_methods = ["m"] pagination_limit = 5 }
        "#;
    check_canonical(
        text,
        expect![[
            r#"{"path":{"//a":{"capabilities":["sudo"],"mfa_methods":["m"],"pagination_limit":5,"subscribe_event_types":["a","b"]},"b/+":{"capabilities":["list","read"],"denied_parameters":{"x":["t",{"k":1}],"y":[{"k":1}]},"max_wrapping_ttl":"1500000000ns"}}}"#
        ]],
    );
    check(text, &canonical(text).unwrap().to_string(), true);
    check(text, &policy(text).to_string(), true);
    check_canonical("# nothing", expect!["{}"]);
}
