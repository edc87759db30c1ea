Feature: What someone changed by hand is put back

  Background:
    Given a Vault
    And the spec
      """
      sys:
        policies:
          app: { policy: 'path "secret/data/app" { capabilities = ["read"] }' }
      secrets:
        kv: { type: kv-v2, description: for the app, tune: { default_lease_ttl: 1h } }
      auth:
        approle:
          type: approle
          roles: { app: { token_policies: [app], token_ttl: 20m, secret_id_num_uses: 5 } }
      """
    And I apply

  Scenario: Two fields of a role were changed
    When someone writes "auth/approle/role/app"
      """
      { "token_ttl": 86400, "token_policies": "app,root-like" }
      """
    And I plan
    Then the plan is
      """
        ~ auth/approle/role/app
            token_policies: ["app","root-like"] -> ["app"]
            token_ttl: 1d -> 20m

      1 to update, 3 unchanged
      """
    When I apply
    Then "auth/approle/role/app" holds
      """
      { "token_ttl": 1200, "token_policies": ["app"], "secret_id_num_uses": 5 }
      """
    And nothing is left to do

  Scenario: A policy was widened
    When someone writes "sys/policies/acl/app"
      """
      { "policy": "path \"secret/data/app\" { capabilities = [\"read\", \"delete\"] }" }
      """
    And I plan
    Then the plan shows "~ sys/policies/acl/app"
    When I apply
    Then nothing is left to do

  Scenario: A policy that means the same is left as it is written
    When someone writes "sys/policies/acl/app"
      """
      { "policy": "# reviewed\npath \"secret/data/app\" {\n  capabilities = [\"read\", \"read\"]\n}\n" }
      """
    Then nothing is left to do

  Scenario: A mount was described and tuned otherwise
    When someone writes "sys/mounts/kv/tune"
      """
      { "description": "old", "default_lease_ttl": "2h" }
      """
    And I plan
    Then the plan shows 'description: "old" -> "for the app"'
    And the plan shows "tune.default_lease_ttl: 2h -> 1h"
    When I apply
    Then "sys/mounts/kv" holds
      """
      { "description": "for the app", "config": { "default_lease_ttl": 3600 } }
      """
    And nothing is left to do

  Scenario: A role was deleted
    When someone deletes "auth/approle/role/app"
    And I plan
    Then the plan shows "+ auth/approle/role/app"
    When I apply
    Then "auth/approle/role/app" holds
      """
      { "token_ttl": 1200 }
      """

  Scenario: What the spec does not speak of is left alone
    When someone writes "auth/approle/role/app"
      """
      { "token_num_uses": 7 }
      """
    And someone writes "auth/approle/role/other"
      """
      { "token_ttl": 60 }
      """
    Then nothing is left to do
    And "auth/approle/role/app" holds
      """
      { "token_num_uses": 7 }
      """
