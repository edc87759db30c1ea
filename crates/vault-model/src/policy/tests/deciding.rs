//! Which rule decides, and how. What the server answers stands in `tests/all/capabilities.json`.

use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

/// `name: text` for each policy, and what each question is answered.
#[track_caller]
fn check(policies: &[(&str, &str)], questions: &[&str], expected: Expect) {
    let parsed: Vec<Policy> = policies.iter().map(|it| policy(it.1)).collect();
    let named: Vec<(&str, &Policy)> = policies.iter().map(|it| it.0).zip(&parsed).collect();
    let mut answers = String::new();
    for question in questions {
        let (operation, path) = question.split_once(' ').unwrap();
        let verdict = may(&named, operation.parse().unwrap(), path);
        answers += &format!("{question}: {:?} {:?}\n", verdict.outcome, verdict.rules);
    }
    expected.assert_eq(&answers);
}

#[test]
fn a_verdict_names_the_rule_that_grants() {
    check(
        &[
            (
                "app",
                r#"path "database/creds/*" { capabilities = ["list"] } path "database/creds/x" { capabilities = ["read"] }"#,
            ),
            ("more", r#"path "database/creds/x" { capabilities = ["update"] }"#),
        ],
        &[
            "read database/creds/x",
            "update database/creds/x",
            "list database/creds/x",
            "read database/creds/y",
            "read other",
        ],
        expect![[r#"
            read database/creds/x: Allowed [policy "app", rule 2, "database/creds/x"]
            update database/creds/x: Allowed [policy "more", rule 1, "database/creds/x"]
            list database/creds/x: Refused [policy "app", rule 2, "database/creds/x", policy "more", rule 1, "database/creds/x"]
            read database/creds/y: Refused [policy "app", rule 1, "database/creds/*"]
            read other: Refused []
        "#]],
    );
}

#[test]
fn a_verdict_names_the_rule_that_denies() {
    check(
        &[
            ("wide", r#"path "a/*" { capabilities = ["read"] }"#),
            ("narrow", r#"path "a/*" { capabilities = ["deny"] }"#),
        ],
        &["read a/b", "sudo a/b"],
        expect![[r#"
            read a/b: Refused [policy "narrow", rule 1, "a/*"]
            sudo a/b: Refused [policy "narrow", rule 1, "a/*"]
        "#]],
    );
}

#[test]
fn lists_look_with_and_without_the_slash_and_reads_do_not() {
    check(
        &[(
            "app",
            r#"path "a/b" { capabilities = ["read", "list"] } path "c/" { capabilities = ["read", "list"] }"#,
        )],
        &[
            "list a/b",
            "list a/b/",
            "read a/b",
            "read a/b/",
            "list c",
            "list c/",
            "read c",
            "read c/",
        ],
        expect![[r#"
            list a/b: Allowed [policy "app", rule 1, "a/b"]
            list a/b/: Allowed [policy "app", rule 1, "a/b"]
            read a/b: Allowed [policy "app", rule 1, "a/b"]
            read a/b/: Refused []
            list c: Allowed [policy "app", rule 2, "c/"]
            list c/: Allowed [policy "app", rule 2, "c/"]
            read c: Refused []
            read c/: Allowed [policy "app", rule 2, "c/"]
        "#]],
    );
}

#[test]
fn root_may_everything() {
    check(
        &[("root", "")],
        &["sudo sys/seal", "recover x"],
        expect![[r#"
        sudo sys/seal: Allowed []
        recover x: Allowed []
    "#]],
    );
    let (nothing, root) = (Policy::default(), policy("path \"a\" { capabilities = [\"deny\"] }"));
    let answer = capabilities(&[("other", &nothing), ("root", &root)], "a");
    assert_eq!(answer.capabilities.names(), ["root"]);
}

#[test]
fn a_template_leaves_open_what_it_may_grant() {
    check(
        &[(
            "app",
            r#"path "a/{{identity.entity.name}}/*" { capabilities = ["read"] } path "a/*" { capabilities = ["list"] }"#,
        )],
        &[
            "read a/x/y",
            "update a/x/y",
            "list a/x/y",
            "read a/{{identity.entity.name}}/y",
            "read b",
        ],
        expect![[r#"
            read a/x/y: Depends [policy "app", rule 1, "a/{{identity.entity.name}}/*"]
            update a/x/y: Refused [policy "app", rule 2, "a/*"]
            list a/x/y: Depends [policy "app", rule 1, "a/{{identity.entity.name}}/*"]
            read a/{{identity.entity.name}}/y: Allowed [policy "app", rule 1, "a/{{identity.entity.name}}/*"]
            read b: Refused []
        "#]],
    );
}

#[test]
fn a_template_leaves_open_what_it_may_deny() {
    check(
        &[(
            "app",
            r#"path "a/{{identity.entity.name}}/*" { capabilities = ["deny"] } path "a/*" { capabilities = ["list"] } path "a/b" { capabilities = ["list"] }"#,
        )],
        &["read a/x/y", "list a/x/y", "list a/b"],
        expect![[r#"
            read a/x/y: Refused [policy "app", rule 2, "a/*"]
            list a/x/y: Depends [policy "app", rule 1, "a/{{identity.entity.name}}/*"]
            list a/b: Allowed [policy "app", rule 3, "a/b"]
        "#]],
    );
}

#[test]
fn a_template_can_join_an_exact_path() {
    check(
        &[(
            "app",
            r#"path "a/{{identity.entity.name}}" { capabilities = ["read"] } path "a/b" { capabilities = ["list"] } path "a/c" { capabilities = ["deny"] }"#,
        )],
        &["read a/b", "list a/b", "update a/b", "read a/c", "read a/d"],
        expect![[r#"
            read a/b: Depends [policy "app", rule 1, "a/{{identity.entity.name}}"]
            list a/b: Allowed [policy "app", rule 2, "a/b"]
            update a/b: Refused [policy "app", rule 2, "a/b"]
            read a/c: Refused [policy "app", rule 3, "a/c"]
            read a/d: Depends [policy "app", rule 1, "a/{{identity.entity.name}}"]
        "#]],
    );
}

#[test]
fn an_answer_says_on_which_templates_it_depends() {
    let policy = policy(r#"path "a/{{identity.entity.name}}" { capabilities = ["read"] }"#);
    let answer = capabilities(&[("app", &policy)], "a/x");
    assert_eq!(answer.capabilities.names(), ["deny"]);
    assert_eq!(
        format!("{:?}", answer.depends_on),
        r#"[policy "app", rule 1, "a/{{identity.entity.name}}"]"#
    );
}

#[test]
fn conditions_of_joined_rules_come_with_the_verdict() {
    let policy = policy(
        r#"
        path "a" { capabilities = ["update"] required_parameters = ["X"] max_wrapping_ttl = "1h" }
        path "a" { capabilities = ["create"] allowed_parameters = { "x" = [], "y" = ["1"] } max_wrapping_ttl = 60 }
        "#,
    );
    let permissions = may(&[("app", &policy)], Operation::Update, "a").permissions;
    assert!(!permissions.is_unconditional());
    assert_eq!(permissions.max_wrapping_ttl, Some(Duration::from_secs(60)));
    let ask = |body: serde_json::Value, seconds: Option<u64>| {
        let body = body.as_object().unwrap().clone();
        let answer = permissions.admits(Operation::Update, &body, seconds.map(Duration::from_secs));
        answer.map_or_else(|refusal| refusal.to_string(), |()| "yes".to_string())
    };
    assert_eq!(ask(json!({"x": 1, "y": "1"}), Some(30)), "yes");
    assert_eq!(
        ask(json!({"x": 1}), None),
        "the answer must be wrapped: `min_wrapping_ttl` and `max_wrapping_ttl` say for how long"
    );
    assert_eq!(ask(json!({"y": "1"}), Some(30)), "the parameter `x` is required");
    assert_eq!(
        ask(json!({"x": 1, "y": "2"}), Some(30)),
        "the parameter `y` isn't allowed, or this value of it isn't"
    );
    assert_eq!(
        ask(json!({"x": 1, "z": "2"}), Some(30)),
        "the parameter `z` isn't allowed, or this value of it isn't"
    );
}

#[test]
fn every_token_may_look_after_itself() {
    let default = default_policy();
    let named = [("default", &default)];
    assert!(may(&named, Operation::Update, "auth/token/renew-self").is_allowed());
    assert!(may(&named, Operation::Update, "sys/wrapping/unwrap").is_allowed());
    assert!(!may(&named, Operation::Read, "secret/data/app").is_allowed());
    assert_eq!(default.rules.len(), policy(&default.to_string()).rules.len());
}
