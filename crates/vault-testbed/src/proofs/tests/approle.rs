//! What an AppRole is held to, and which policies are tried.

use expect_test::expect;

use super::*;

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
