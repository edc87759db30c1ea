Feature: Two applies of one spec do not get in each other's way

  Scenario: Both begin at the same moment
    Given a Vault
    And the spec
      """
      sys:
        policies:
          a: { policy: 'path "kv/data/1" { capabilities = ["read"] }' }
          b: { policy: 'path "kv/data/2" { capabilities = ["read"] }' }
      secrets:
        kv: { type: kv-v2, data: { one: { data: { user: ann } }, two: { data: { user: bob } } } }
      auth:
        approle: { type: approle, roles: { r1: { token_policies: [a] }, r2: { token_policies: [b] } } }
      """
    When two applies run at once
    Then each has succeeded, or was refused because another was under way
    When I run "apply SPEC --yes"
    Then it exits with 0
    And nothing is left to do
    And the secret "one" of "kv" is at version 1 and holds
      """
      { "user": "ann" }
      """

  Scenario: One is under way while another begins
    Given a Vault
    And the PostgreSQL server orders
    And in orders no login can be changed
    And the spec
      """
      secrets:
        database:
          type: database
          connections:
            orders:
              plugin_name: postgresql-database-plugin
              connection_url: "postgresql://{{username}}:{{password}}@(( orders_url ))/demo?sslmode=disable"
              username: vault
              password: (( orders_password ))
              rotate_root: once
      """
    And an apply is under way
    When "database/config/orders" comes to be there
    And I run "apply SPEC --yes"
    Then it exits with 1
    And its output holds "another apply of this spec is under way"
    And its output holds "wait for it"
