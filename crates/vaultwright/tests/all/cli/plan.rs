//! `plan`, `verify` and what they tell CI.

use expect_test::expect;
use serde_json::{Value, json};
use vault_testbed::ground::VaultOptions;

use super::Bed;

#[test]
fn a_plan_shows_what_is_missing_and_sends_nothing() {
    let Some(bed) =
        Bed::new("a_plan_shows_what_is_missing_and_sends_nothing", &VaultOptions::default())
    else {
        return;
    };
    expect![[r#"
        exit 0
          + sys/auth/approle
          + sys/policies/acl/app
          + sys/policies/acl/ops
          + auth/approle/role/app

        4 to create, 0 unchanged
    "#]]
    .assert_eq(&bed.run("plan SPEC").shown());
    assert_eq!(bed.run("plan SPEC --exit-code").code(), 2);
    assert_eq!(bed.run("verify SPEC").code(), 2);
}

#[test]
fn after_an_apply_nothing_differs() {
    let Some(bed) = Bed::new("after_an_apply_nothing_differs", &VaultOptions::default()) else {
        return;
    };
    assert_eq!(bed.run("apply SPEC --yes").code(), 0);
    expect![[r#"
        exit 0
        nothing to change
    "#]]
    .assert_eq(&bed.run("plan SPEC --exit-code").shown());
    expect![[r#"
        exit 0
        ok       auth/approle/role/app
        ok       sys/auth/approle
        ok       sys/policies/acl/app
        ok       sys/policies/acl/ops

        4 of 4 as they should be
    "#]]
    .assert_eq(&bed.run("verify SPEC").shown());
}

#[test]
fn drift_is_shown_field_by_field() {
    let Some(bed) = Bed::new("drift_is_shown_field_by_field", &VaultOptions::default()) else {
        return;
    };
    bed.run("apply SPEC --yes");
    bed.outside("auth/approle/role/app", json!({ "token_ttl": 86400 }));
    let wider = "path \"secret/data/app/*\" { capabilities = [\"read\", \"update\"] }";
    bed.outside("sys/policies/acl/app", json!({ "policy": wider }));
    expect![[r#"
        exit 2
          ~ sys/policies/acl/app
              policy:
                - path "secret/data/app/*" { capabilities = ["read", "update"] }
                + path "secret/data/app/*" { capabilities = ["read"] }
          ~ auth/approle/role/app
              token_ttl: 1d -> 20m

        2 to update, 2 unchanged
    "#]]
    .assert_eq(&bed.run("plan SPEC --exit-code").shown());
}

#[test]
fn a_plan_for_programs_has_a_format() {
    let Some(bed) = Bed::new("a_plan_for_programs_has_a_format", &VaultOptions::default()) else {
        return;
    };
    let plan: Value = serde_json::from_str(&bed.run("plan SPEC --format json").out()).unwrap();
    assert_eq!(plan["format"], "vaultwright/plan/1");
    assert_eq!(plan["changes"].as_array().unwrap().len(), 4);
    let report: Value = serde_json::from_str(&bed.run("verify SPEC --format json").out()).unwrap();
    assert_eq!(report["findings"][0]["verdict"], "missing");
}

#[test]
fn what_programs_are_told_is_as_the_schema_says() {
    let Some(bed) =
        Bed::new("what_programs_are_told_is_as_the_schema_says", &VaultOptions::default())
    else {
        return;
    };
    let kv = "secrets: { app: { type: kv-v2, data: { login: { data: { password: new } } } } }\n";
    bed.write("spec.yaml", &format!("{}{kv}", super::SPEC));
    assert_eq!(bed.run("apply SPEC --yes").code(), 0);
    bed.outside("auth/approle/role/app", json!({ "token_ttl": 86400 }));
    bed.outside("app/data/login", json!({ "data": { "password": "other" } }));
    for of in ["plan", "verify"] {
        let told = bed.told(of, &format!("{of} SPEC --format json")).to_string();
        assert!(
            told.contains("\"known_after_apply\"") && told.contains("\"secret\":true"),
            "{told}"
        );
    }
}

#[test]
fn a_target_keeps_to_what_matches() {
    let Some(bed) = Bed::new("a_target_keeps_to_what_matches", &VaultOptions::default()) else {
        return;
    };
    expect![[r#"
        exit 0
          + sys/policies/acl/ops

        1 to create, 0 unchanged
    "#]]
    .assert_eq(&bed.run("plan SPEC --target sys/policies/* --exclude *app").shown());
    expect![[r#"
        exit 1
        error: no object's path matches `sys/polices/*`; `*` stands for any text, such as in `auth/approle/*`
    "#]]
    .assert_eq(&bed.run("plan SPEC --target sys/polices/*").shown());
}

#[test]
fn a_pinned_plan_is_carried_out_as_it_was_shown_or_not_at_all() {
    let Some(bed) = Bed::new(
        "a_pinned_plan_is_carried_out_as_it_was_shown_or_not_at_all",
        &VaultOptions::default(),
    ) else {
        return;
    };
    assert_eq!(bed.run("plan SPEC --out first.json").code(), 0);
    assert_eq!(bed.run("plan SPEC --out second.json").code(), 0);
    assert_eq!(bed.run("apply first.json").code(), 0);
    let late = bed.run("apply second.json");
    assert_eq!(late.code(), 1);
    assert!(late.shown().contains("is not as it was when this plan was made"), "{}", late.shown());
}
