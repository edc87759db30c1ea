//! What is generated from which spec.

use std::sync::Arc;

use expect_test::{Expect, expect};
use vault_model::{
    spec::{self, Reading, Spec, SpecFile},
    template::Inputs,
};

use super::*;

struct Nothing;

impl Inputs for Nothing {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, name: &str) -> Result<String, String> {
        Err(format!("no file {name}"))
    }
}

#[track_caller]
fn spec(text: &str) -> Spec {
    let file =
        SpecFile { name: "spec.yaml".into(), bytes: format!("name: shop\n{text}").into_bytes() };
    let reading = Reading {
        files: vec![file],
        vars: Vec::new(),
        var_files: Vec::new(),
        environment: None,
        env: &|_| None,
        inputs: Arc::new(Nothing),
        has_stand_ins: false,
        init: Vec::new(),
    };
    spec::read(reading).unwrap_or_else(|it| panic!("{}", it.mistakes.render(&it.sources, false)))
}

fn named(only: &[String]) -> Named<'_> {
    Named { path: "specs/shop", environment: None, only }
}

/// The text of one feature, of what matches `only`.
#[track_caller]
fn check(text: &str, file: &str, only: &str, wanted: Expect) {
    let only = [only.to_owned()];
    let proofs = proofs(&spec(text), &named(&only)).expect("templates that can be filled in");
    for feature in &proofs.features {
        crate::suite::parse(&feature.file, &feature.text).expect("Gherkin");
    }
    let feature = proofs.features.iter().find(|it| it.file == file);
    wanted.assert_eq(feature.map_or("", |it| &it.text));
}

#[track_caller]
fn check_unproven(text: &str, wanted: Expect) {
    let proofs = proofs(&spec(text), &named(&[])).expect("templates that can be filled in");
    let lines = proofs.unproven.iter().map(|it| format!("{}: {}\n", it.path, it.reason));
    wanted.assert_eq(&lines.collect::<String>());
}

const DATABASE: &str = r#"
secrets:
  database:
    type: database
    connections:
      demo:
        plugin_name: postgresql-database-plugin
        connection_url: "postgresql://{{username}}:{{password}}@127.0.0.1:5432/demo"
        allowed_roles: [reader, reporting]
    roles:
      reader:
        db_name: demo
        creation_statements: CREATE ROLE "{{name}}"
        default_ttl: 2m
        max_ttl: 10m
    static_roles:
      reporting: { db_name: demo, username: reporting, rotation_period: 1d }
"#;

#[test]
fn a_dynamic_role_is_issued_renewed_revoked_and_waited_out() {
    check(
        DATABASE,
        "database_roles.feature",
        "*/roles/*",
        expect![[r#"
            Feature: Logins that Vault makes in a database work, and end

              Scenario: database/creds/reader issues a login that works
                spec.yaml:12:7

                Given the spec "specs/shop" stands
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                Then the login's lease lasts 120 s
                And the login works in its database

              Scenario: A lease of database/creds/reader is renewed, and never beyond its maximum
                spec.yaml:12:7

                Given the spec "specs/shop" stands
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                And the login's lease is renewed
                Then the login's lease lasts 120 s
                When the login's lease is renewed by 1200 s
                Then the login's lease ends at most 600 s after its issue
                And the database keeps the login as long as its lease
                And the login works in its database

              Scenario: A revoked login of database/creds/reader is gone
                spec.yaml:12:7

                Given the spec "specs/shop" stands
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                Then the login works in its database
                When the login's lease is revoked
                Then the login is refused by its database
                And its database knows the login no more
                And the login's lease is gone

              Scenario: A login of database/creds/reader that nobody renews ends with its lease
                spec.yaml:12:7

                Given the spec "specs/shop" stands, its lives divided by 30
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                Then the login's lease lasts 4 s
                And the login works in its database
                And the login is refused once its lease is over
                And its database knows the login no more
                And the login's lease is gone

              Scenario: A login of database/creds/reader that is renewed lives on, up to its maximum
                spec.yaml:12:7

                Given the spec "specs/shop" stands, its lives divided by 30
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                And the login's lease is renewed until its maximum of 20 s
                Then the login is refused once its lease is over
                And its database knows the login no more
        "#]],
    );
}

#[test]
fn a_static_role_is_rotated_on_demand_and_by_its_period() {
    check(
        DATABASE,
        "database_static_roles.feature",
        "*/static-roles/*",
        expect![[r#"
            Feature: Logins whose passwords Vault keeps work, and the passwords are replaced

              Scenario: database/static-creds/reporting gives a login that works
                spec.yaml:18:7

                Given the spec "specs/shop" stands
                And "database/static-roles/reporting" could be made
                When a login is issued from "database/static-creds/reporting"
                Then the login is of the user "reporting"
                And the login works in its database

              Scenario: The password of database/static-creds/reporting is rotated on demand
                spec.yaml:18:7

                Given the spec "specs/shop" stands
                And "database/static-roles/reporting" could be made
                When a login is issued from "database/static-creds/reporting"
                And its password is rotated by "database/rotate-role/reporting"
                Then a new password works, and the old one is refused

              Scenario: The password of database/static-creds/reporting is rotated by its period
                spec.yaml:18:7

                Given the spec "specs/shop" stands
                And "database/static-roles/reporting" could be made
                When a login is issued from "database/static-creds/reporting"
                And its rotation period is 5 s instead
                Then within 20 s a new password works, and the old one is refused
        "#]],
    );
}

#[test]
fn statements_of_claims_keep_their_lines() {
    let claims = r#"
claims:
  - credential: database/creds/reader
    can: ["SELECT 1;\nSELECT '|'"]
    cannot: ["SELECT '\"\"\"'"]
"#;
    check(
        &format!("{DATABASE}{claims}"),
        "claims.feature",
        "database/creds/*",
        expect![[r#"
            Feature: What the spec claims holds

              Scenario: A login of database/creds/reader can what spec.yaml:21:5 claims, and no more
                spec.yaml:21:5

                Given the spec "specs/shop" stands
                And "database/roles/reader" could be made
                When a login is issued from "database/creds/reader"
                Then the login can
                  """
                  SELECT 1;
                  SELECT '|'
                  """
                Then the login cannot
                  ```
                  SELECT '"""'
                  ```
        "#]],
    );
}

const APPROLE: &str = r#"
sys:
  policies:
    app:
      policy: |
        path "secret/data/app/*" { capabilities = ["create", "read"] }
        path "secret/data/app/locked" { capabilities = ["deny"] }
        path "secret/data/+/shared" { capabilities = ["read"] }
auth:
  approle:
    type: approle
    roles:
      app: { policies: [app], token_ttl: 2m, token_max_ttl: 10m, secret_id_num_uses: 2 }
"#;

#[test]
fn an_approle_is_held_to_what_it_says_of_tokens_and_secret_ids() {
    check(
        APPROLE,
        "approle_roles.feature",
        "auth/*",
        expect![[r#"
            Feature: AppRole lets in who has a role-id and a secret-id, and nobody else

              # spec.yaml:14:7
              Scenario: Whoever logs in by auth/approle/role/app gets the token that it says
                spec.yaml:14:7

                Given the spec "specs/shop" stands
                And "auth/approle/role/app" could be made
                When someone logs in by "auth/approle/role/app"
                Then its token has the policies "app,default"
                Then its token lasts 120 s
                Then its token is renewable
                When its token is renewed by 1200 s
                Then its token ends at most 600 s after its issue

              Scenario: A token of auth/approle/role/app that nobody renews ends
                spec.yaml:14:7

                Given the spec "specs/shop" stands, its lives divided by 30
                And "auth/approle/role/app" could be made
                When someone logs in by "auth/approle/role/app"
                Then its token lasts 4 s
                And its token is refused once its life is over

              Scenario: A token of auth/approle/role/app that is renewed lives on, up to its maximum
                spec.yaml:14:7

                Given the spec "specs/shop" stands, its lives divided by 30
                And "auth/approle/role/app" could be made
                When someone logs in by "auth/approle/role/app"
                And its token is renewed until its maximum of 20 s
                Then its token is refused once its life is over

              Scenario: A secret-id of auth/approle/role/app is needed, and can be handed over wrapped
                spec.yaml:14:7

                Given the spec "specs/shop" stands
                And "auth/approle/role/app" could be made
                Then a wrong secret-id is refused by "auth/approle/role/app"
                And a wrapped secret-id of "auth/approle/role/app" can be had once

              Scenario: A secret-id of auth/approle/role/app is good for as many logins as it says
                spec.yaml:14:7

                Given the spec "specs/shop" stands
                And "auth/approle/role/app" could be made
                Then a secret-id of "auth/approle/role/app" is good for 2 logins
        "#]],
    );
}

#[test]
fn policies_are_tried_where_they_grant_and_beside_it() {
    check(
        APPROLE,
        "policies.feature",
        "auth/*",
        expect![[r#"
            Feature: Policies grant what they say, and nothing beside it

              Scenario: Whoever logs in by auth/approle/role/app may what its policies grant, and nothing beside it
                spec.yaml:14:7

                Given the spec "specs/shop" stands
                And "auth/approle/role/app" could be made
                Then whoever logs in by "auth/approle/role/app" may
                  | read | secret/data/vaultwright-proof/shared |
                  | create | secret/data/app/vaultwright-proof |
                  | read | secret/data/app/vaultwright-proof |
                Then whoever logs in by "auth/approle/role/app" may not
                  | read | secret/data/app-beside/vaultwright-proof |
                  | read | secret/data/app/locked |
                  | update | secret/data/app-beside/vaultwright-proof |
                  | update | secret/data/app/locked-beside |
                  | update | secret/data/vaultwright-proof-beside/shared |
        "#]],
    );
}

#[test]
fn what_cannot_be_shown_is_named_with_its_reason() {
    let text = r#"
secrets:
  database:
    type: database
    connections:
      far: { plugin_name: hana-database-plugin, connection_url: "hdb://{{username}}:{{password}}@127.0.0.1", allowed_roles: [reader] }
    roles:
      reader: { db_name: far, creation_statements: CREATE USER, default_ttl: 1h, max_ttl: 10d }
  aws:
    type: aws
    roles: { deploy: { credential_type: iam_user, policy_arns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"] } }
auth:
  approle:
    type: approle
    roles:
      bound: { token_bound_cidrs: [10.0.0.0/8] }
      long: { token_ttl: 1h, token_max_ttl: 10d, token_policies: [elsewhere] }
"#;
    check_unproven(
        text,
        expect![[r#"
        auth/approle/role/bound: token_bound_cidrs binds it to networks, which a ground is not in
        auth/approle/role/long: the policy elsewhere is not in the spec
        auth/approle/role/long: token_max_ttl of 10d is 960 s when divided by 900: its end is not waited for
        aws/roles/deploy: credentials of AWS need an AWS, which no ground has yet
        database/roles/reader: of databases only PostgreSQL, MariaDB, Redis are proven yet
    "#]],
    );
}

#[test]
fn nothing_that_is_secret_stands_in_a_feature() {
    let text = r#"
auth:
  userpass:
    type: userpass
    users:
      ann: { password: correct-horse, token_ttl: 1h }
"#;
    let proofs = proofs(&spec(text), &named(&[])).expect("templates that can be filled in");
    assert!(!proofs.features.is_empty());
    assert!(proofs.features.iter().all(|it| !it.text.contains("correct-horse")));
}

#[test]
fn only_what_is_asked_for_is_proven() {
    let only = ["*/static-roles/*".to_owned()];
    let proofs = proofs(&spec(DATABASE), &named(&only)).expect("templates that can be filled in");
    let files: Vec<&str> = proofs.features.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["database_static_roles.feature"]);
}
