//! Texts and what is read from them.

use expect_test::{Expect, expect};

use super::*;

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&findings(text));
}

/// The policy as it is printed.
#[track_caller]
fn check_print(text: &str, expected: Expect) {
    expected.assert_eq(&policy(text).to_string());
}

#[test]
fn every_setting_is_read() {
    check_print(
        r#"
        name = "app" # not what Vault goes by
        path "secret/data/+/app*" {
            capabilities = ["update", "create", "patch", "subscribe", "recover", "sudo"]
            allowed_parameters = { "Ttl" = ["1h", 2, true], "*" = [] }
            denied_parameters { policies = [] }
            required_parameters = ["Name"]
            min_wrapping_ttl = 90
            max_wrapping_ttl = "1h30m"
            mfa_methods = ["duo"]
            subscribe_event_types = ["kv*"]
            control_group = {
                ttl = "4h"
                factor "ops" { identity { group_names = ["ops"] approvals = 2 } }
            }
            comment = "for the nightly job"
        }
        "#,
        expect![[r#"
            name = "app"

            path "secret/data/+/app*" {
              capabilities = ["create", "patch", "recover", "subscribe", "sudo", "update"]
              required_parameters = ["name"]
              mfa_methods = ["duo"]
              subscribe_event_types = ["kv*"]
              allowed_parameters = {
                "*" = []
                "ttl" = ["1h", 2, true]
              }
              denied_parameters = {
                "policies" = []
              }
              min_wrapping_ttl = 90
              max_wrapping_ttl = 5400
              control_group = { "factor" = { "ops" = { "identity" = { "approvals" = 2, "group_names" = ["ops"] } } }, "ttl" = "4h" }
            }
        "#]],
    );
}

#[test]
fn what_only_openbao_takes_is_read_and_remarked() {
    let text = r#"
        path "secret/metadata/*" {
            capabilities = ["list", "scan"]
            pagination_limit = 100
            list_scan_response_keys_filter_path = "{{ .path }}{{ .key }}"
            expiration = "2030-01-01T00:00:00Z"
        }"#;
    check_print(
        text,
        expect![[r#"
        path "secret/metadata/*" {
          capabilities = ["list", "scan"]
          pagination_limit = 100
          list_scan_response_keys_filter_path = "{{ .path }}{{ .key }}"
          expiration = "2030-01-01T00:00:00Z"
        }
    "#]],
    );
    check(
        text,
        expect![[r#"
        `"scan"`: `scan` is OpenBao's: Vault refuses the policy; leave it out where Vault is the server
        `pagination_limit`: `pagination_limit` is OpenBao's: Vault refuses the policy; leave it out where Vault is the server
        `list_scan_response_keys_filter_path`: `list_scan_response_keys_filter_path` is OpenBao's: Vault refuses the policy; leave it out where Vault is the server
        `expiration`: `expiration` is OpenBao's: Vault refuses the policy; leave it out where Vault is the server
    "#]],
    );
}

#[test]
fn several_settings_may_stand_on_one_line() {
    check_print(
        r#"path "a" { capabilities = ["read"] min_wrapping_ttl = "5s" } path "b" { policy = "read", comment = "" }"#,
        expect![[r#"
            path "a" {
              capabilities = ["read"]
              min_wrapping_ttl = 5
            }

            path "b" {
              capabilities = ["list", "read"]
            }
        "#]],
    );
}

#[test]
fn json_is_read() {
    check_print(
        r#"{"name": "app", "path": {"a/b": {"capabilities": ["read"], "required_parameters": ["x"]}, "c": {"policy": "read"}}}"#,
        expect![[r#"
            name = "app"

            path "a/b" {
              capabilities = ["read"]
              required_parameters = ["x"]
            }

            path "c" {
              capabilities = ["list", "read"]
            }
        "#]],
    );
}

#[test]
fn a_list_of_paths_in_json_is_read() {
    check_print(
        r#"{"path": [{"a": {"capabilities": ["read"]}}, {"b": {"capabilities": ["list",]}, "c": {"capabilities": []}}]}"#,
        expect![[r#"
            path "a" {
              capabilities = ["read"]
            }

            path "b" {
              capabilities = ["list"]
            }

            path "c" {
              capabilities = []
            }
        "#]],
    );
}

#[test]
fn json_without_rules_is_a_policy() {
    check_print("{}", expect![[""]]);
    check_print(r#"{"path": {}}"#, expect![[""]]);
}

#[test]
fn deny_leaves_nothing_of_its_rule() {
    check_print(
        r#"path "a" { capabilities = ["read", "deny"] required_parameters = ["x"] min_wrapping_ttl = 5 }"#,
        expect![[r#"
            path "a" {
              capabilities = ["deny"]
            }
        "#]],
    );
}

#[test]
fn comments_are_no_part_of_a_policy() {
    check_print(
        "# one\n// two\n/* three\nthree */ path \"a\" /* four */ { // five\n capabilities = [ # six\n\"read\", /* seven */ ] }",
        expect![[r#"
            path "a" {
              capabilities = ["read"]
            }
        "#]],
    );
}

#[test]
fn texts_of_several_lines_are_read() {
    check_print(
        "name = <<END\none\n  two\nEND\n",
        expect![[r#"
        name = "one\n  two\n"
    "#]],
    );
    check_print(
        "name = <<-END\n    one\n      two\n    END\n",
        expect![[r#"
        name = "one\n  two\n"
    "#]],
    );
    check_print(
        "name = <<-END\n  one\n      two\n    END\n",
        expect![[r#"
        name = "  one\n      two\n"
    "#]],
    );
}

#[test]
fn escapes_are_read() {
    check_print(
        r#"name = "\"\\\n\t\x41\u00e9\U0001F600\101 ${"as it is"}" "#,
        expect![[r#"
        name = "\"\\\n\u0009Aé😀A \u0024{\"as it is\"}"
    "#]],
    );
}

#[test]
fn line_ends_of_windows_are_read() {
    check_print(
        "path \"a\" {\r\n  capabilities = [\r\n\"read\"]\r\n}\r\n",
        expect![[r#"
        path "a" {
          capabilities = ["read"]
        }
    "#]],
    );
}

#[test]
fn a_leading_slash_is_taken_off_once() {
    check_print(
        r#"path "/a" { policy = "read" } path "//b" { policy = "read" }"#,
        expect![[r#"
        path "a" {
          capabilities = ["list", "read"]
        }

        path "//b" {
          capabilities = ["list", "read"]
        }
    "#]],
    );
}

#[test]
fn rules_know_where_they_stand() {
    let text = "# app\npath \"a/b\" {\n  capabilities = [\"read\"]\n}\n";
    let policy = policy(text);
    assert_eq!(&text[policy.rules[0].range.clone()], text[6..].trim_end());
    assert_eq!(&text[policy.rules[0].path_range.clone()], "\"a/b\"");
}

#[test]
fn rules_in_json_know_where_they_stand() {
    let text = r#"{"path": {"a/b": {"capabilities": []}, "c": {"capabilities": []}}}"#;
    let policy = policy(text);
    assert_eq!(&text[policy.rules[1].path_range.clone()], "\"c\"");
    assert_eq!(&text[policy.rules[1].range.clone()], r#""c": {"capabilities": []}"#);
}
