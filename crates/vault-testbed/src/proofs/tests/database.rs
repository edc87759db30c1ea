//! Logins of databases, and what may be said with them.

use expect_test::expect;

use super::*;

pub(super) const DATABASE: &str = r#"
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
                When the login keeps a session open
                And the login's lease is revoked
                Then the login is refused by its database
                And its database knows the login no more
                And it is told whether its session goes on
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
fn sessions_are_shown_to_end_where_the_spec_claims_it() {
    let claims = r#"
claims:
  - { credential: database/creds/reader, sessions_end: true }
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
            When the login keeps a session open
            And the login's lease is revoked
            Then its session is ended
    "#]],
    );
}

#[test]
fn sessions_of_a_login_that_stays_are_not_shown_to_end() {
    let claims = r#"
claims:
  - { credential: database/static-creds/reporting, sessions_end: true }
"#;
    check_unproven(
        &format!("{DATABASE}{claims}"),
        expect![[r#"
        database/static-creds/reporting: only sessions of logins that Vault drops are proven to end
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

#[test]
fn only_what_is_asked_for_is_proven() {
    let only = ["*/static-roles/*".to_owned()];
    let proofs = proofs(&spec(DATABASE), &named(&only)).expect("templates that can be filled in");
    let files: Vec<&str> = proofs.features.iter().map(|it| it.file.as_str()).collect();
    assert_eq!(files, ["database_static_roles.feature"]);
}
