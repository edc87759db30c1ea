Feature: A failure stops only what needs what failed, and the next run finishes

  Background:
    Given a Vault

  Scenario: One database does not answer
    Given the PostgreSQL server orders
    And orders is unreachable
    And the spec
      """
      sys:
        policies: { app: { policy: 'path "database/creds/reader" { capabilities = ["read"] }' } }
      secrets:
        kv: { type: kv-v2, data: { app: { data: { user: ann } } } }
        database:
          type: database
          connections:
            orders:
              plugin_name: postgresql-database-plugin
              connection_url: "postgresql://{{username}}:{{password}}@(( orders_url ))/demo?sslmode=disable"
              username: vault
              password: (( orders_password ))
              allowed_roles: [reader]
          roles:
            reader:
              db_name: orders
              creation_statements: ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'; GRANT SELECT ON inventory TO \"{{name}}\""]
              default_ttl: 1m
              max_ttl: 1h
      auth:
        approle: { type: approle, roles: { app: { token_policies: [app] } } }
      """
    When I run "apply SPEC --yes"
    Then it exits with 1
    And its output holds "database/config/orders"
    And its output holds "database/roles/reader"
    And no output holds a secret
    And "kv/data/app" is there
    And "auth/approle/role/app" is there
    And "database/roles/reader" is not there
    When I plan
    Then the plan is
      """
        + database/config/orders
        + database/roles/reader

      2 to create, 6 unchanged
      """
    When orders is reachable again
    And I run "apply SPEC --yes"
    Then it exits with 0
    And nothing is left to do
    When the credential app is issued from "database/creds/reader"
    Then the credential app may "SELECT * FROM inventory"

  Scenario: Vault refuses one object
    Given the spec
      """
      sys:
        policies:
          good: { policy: 'path "a" { capabilities = ["read"] }' }
      paths:
        sys/quotas/rate-limit/bad: { rate: -1 }
      auth:
        approle: { type: approle, roles: { app: { token_policies: [good] } } }
      """
    When I apply, and not all of it works
    Then "sys/quotas/rate-limit/bad" was failed
    And "sys/policies/acl/good" was done
    And "auth/approle/role/app" was done
    When I plan
    Then the plan shows "1 to create, 3 unchanged"

  Scenario: What Vault ignores of an object is a failure of that object
    Given the spec
      """
      sys:
        policies:
          good: { policy: 'path "a" { capabilities = ["read"] }' }
      secrets: { transit: { type: transit } }
      paths:
        transit/keys/app:
          type: aes256-gcm96
          key_sise: 32
      """
    When I run "apply SPEC --yes"
    Then it exits with 1
    And its output holds "transit/keys/app"
    And its output holds "key_sise"
    And its output holds "spec.yaml:9"
    And "sys/policies/acl/good" is there

  Scenario: Who may not read an object changes nothing
    Given the spec
      """
      sys:
        policies: { one: { policy: 'path "a" { capabilities = ["read"] }' } }
      auth:
        approle: { type: approle, roles: { app: { token_ttl: 20m } } }
      """
    And I apply
    And someone writes "sys/policies/acl/limited"
      """
      { "policy": "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"sudo\"] }\npath \"auth/approle/role/app\" { capabilities = [\"deny\"] }" }
      """
    And the token limited with the policies "limited"
    And someone writes "auth/approle/role/app"
      """
      { "token_ttl": 60 }
      """
    When someone deletes "sys/policies/acl/one"
    And the token limited applies
    Then it was refused because "auth/approle/role/app"
    And nothing was changed
    And "sys/policies/acl/one" is not there
    And "auth/approle/role/app" holds
      """
      { "token_ttl": 60 }
      """

  Scenario: verify exits with 2 where something differs, and plan only if it is asked to
    Given the spec
      """
      sys: { policies: { one: { policy: 'path "a" { capabilities = ["read"] }' } } }
      """
    When I run "verify SPEC"
    Then it exits with 2
    When I run "plan SPEC"
    Then it exits with 0
    When I run "plan SPEC --exit-code"
    Then it exits with 2
    When I apply
    And I run "verify SPEC"
    Then it exits with 0
