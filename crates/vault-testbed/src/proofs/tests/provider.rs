//! Vault as a provider of OIDC.

use expect_test::expect;

use super::*;

const PROVIDER: &str = r#"
auth:
  services:
    type: jwt
    config: { oidc_discovery_url: "http://127.0.0.1:8200/v1/identity/oidc" }
    roles:
      orders: { role_type: jwt, user_claim: sub, bound_audiences: [orders] }
      others: { role_type: jwt, user_claim: sub, bound_audiences: [others] }
  sso:
    type: oidc
    config:
      oidc_discovery_url: ${identity/oidc/provider/main#issuer}
      oidc_client_id: ${identity/oidc/client/web#client_id}
    roles:
      staff: { user_claim: sub, allowed_redirect_uris: ["http://127.0.0.1/callback"] }
      lost: { user_claim: sub }
  elsewhere:
    type: oidc
    config: { oidc_discovery_url: "https://accounts.example.com" }
    roles: { guest: { user_claim: sub, allowed_redirect_uris: ["http://127.0.0.1/callback"] } }
identity:
  oidc_keys: { main: { allowed_client_ids: ["*"] } }
  oidc_roles: { orders: { key: main, client_id: orders, ttl: 10m } }
  oidc_assignments: { staff: {} }
  oidc_clients: { web: { key: main, assignments: [staff] }, idle: { key: main } }
  oidc_providers: { main: {} }
"#;

#[test]
fn an_identity_token_is_shown_to_whoever_trusts_it() {
    check(
        PROVIDER,
        "oidc_roles.feature",
        "identity/oidc/role/*",
        expect![[r#"
            Feature: Identity tokens are taken by who trusts this Vault, for their client and as long as they live

              # spec.yaml:24:17
              Scenario: An identity token of identity/oidc/role/orders says who asked, and is let in by who trusts it
                Given the spec "specs/shop" stands
                And "identity/oidc/role/orders" could be made
                And another method trusts identity tokens of "identity/oidc/role/orders"
                When somebody gets an identity token by "identity/oidc/role/orders"
                Then the identity token is of whoever asked, for the client of its role
                And the identity token lasts 600 s
                And "the other method" lets the identity token in
                And "auth/services/role/orders" lets the identity token in
                And "the other method" lets in no identity token for another client
                And "auth/services/role/orders" lets in no identity token for another client

              Scenario: An identity token of identity/oidc/role/orders outlives the rotation of its key
                Given the spec "specs/shop" stands
                And "identity/oidc/role/orders" could be made
                And another method trusts identity tokens of "identity/oidc/role/orders"
                When somebody gets an identity token by "identity/oidc/role/orders"
                And the key of "identity/oidc/role/orders" is rotated
                Then "the other method" lets the identity token of before in
                And a new identity token is of another key, and "the other method" lets it in too

              Scenario: An identity token of identity/oidc/role/orders ends
                Given the spec "specs/shop" stands, its lives divided by 30
                And "identity/oidc/role/orders" could be made
                And another method trusts identity tokens of "identity/oidc/role/orders"
                When somebody gets an identity token by "identity/oidc/role/orders"
                Then the identity token lasts 20 s
                And "the other method" refuses the identity token once its life is over
        "#]],
    );
}

#[test]
fn a_login_by_oidc_is_proven_where_vault_is_its_provider() {
    check(
        PROVIDER,
        "jwt_roles.feature",
        "auth/sso/*",
        expect![[r#"
        Feature: A JWT lets in whom its role is bound to, and nobody else

          # spec.yaml:16:7
          Scenario: Whoever logs in by auth/sso/role/staff gets the token that it says
            spec.yaml:16:7

            Given the spec "specs/shop" stands
            And "auth/sso/role/staff" could be made
            When someone logs in by "auth/sso/role/staff"
            Then its token has the policies "default"

          Scenario: auth/sso/role/staff takes a code of its provider once, and sends nobody elsewhere
            Given the spec "specs/shop" stands
            And "auth/sso/role/staff" could be made
            Then "auth/sso/role/staff" takes no code twice
            And "auth/sso/role/staff" begins nothing for an address that it does not allow
            And the provider of "auth/sso/role/staff" gives no code to whoever logged in to it too long ago
            And the provider of "auth/sso/role/staff" gives no code to whom its client is not for
    "#]],
    );
    check_unproven(
        PROVIDER,
        expect![[r#"
        auth/elsewhere/role/guest: a login by OIDC needs a browser and a provider: only one whose provider is this Vault, `oidc_discovery_url: ${identity/oidc/provider/NAME#issuer}`, is proven
        auth/sso/role/lost: it allows no address to come back to
        identity/oidc/client/idle: no login of the spec goes by it
    "#]],
    );
}
