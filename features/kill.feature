Feature: An apply that was killed anywhere is finished by the next one

  Scenario Outline: SIGKILL after some writes, chosen by seed <seed>
    Given a Vault
    And the spec
      """
      sys:
        policies:
          p01: { policy: 'path "kv/data/1" { capabilities = ["read"] }' }
          p02: { policy: 'path "kv/data/2" { capabilities = ["read"] }' }
          p03: { policy: 'path "kv/data/3" { capabilities = ["read"] }' }
          p04: { policy: 'path "kv/data/${sys/auth/approle#accessor}" { capabilities = ["read"] }' }
        password_policies:
          long: { policy: 'length = 24 rule "charset" { charset = "abcdefghijklmnop0123456789" }' }
      secrets:
        kv:
          type: kv-v2
          config: { max_versions: 5 }
          data:
            "1": { data: { user: ann } }
            "2": { seed: { user: bob } }
            "3": { generate: { password: long } }
          metadata:
            "1": { custom_metadata: { owner: team-a } }
        transit: { type: transit, keys: { one: { type: aes256-gcm96 }, two: { type: ed25519 } } }
      auth:
        approle:
          type: approle
          tune: { max_lease_ttl: 1d }
          roles:
            r1: { token_policies: [p01] }
            r2: { token_policies: [p02, p03] }
            r3: { token_policies: [p04], token_ttl: 5m }
          role_ids: { r1: { role_id: the-role-id-of-r1 } }
      identity:
        entities: { ann: { policies: [p01] }, bob: {} }
        groups: { team: { member_entity_ids: ["${identity/entity/name/ann#id}", "${identity/entity/name/bob#id}"] } }
      """
    When an apply is killed after a random number of writes up to 20, seed <seed>
    And I run "apply SPEC --yes"
    Then it exits with 0
    And nothing is left to do
    And the field password of the secret "3" of "kv" has 24 characters
    When I apply again
    Then no write was sent

    Examples:
      | seed |
      | 1    |
      | 2    |
      | 3    |
      | 4    |
      | 5    |
      | 6    |
      | 7    |
      | 8    |

  Rule: A root password is never lost

    Background:
      Given a Vault
      And the PostgreSQL server orders
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
                allowed_roles: [reader]
                rotate_root: once
            roles:
              reader:
                db_name: orders
                creation_statements: ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'; GRANT SELECT ON inventory TO \"{{name}}\""]
                default_ttl: 1m
                max_ttl: 1h
        """

    Scenario: SIGKILL after the connection was written and before its root was rotated
      Given in orders no login can be changed
      When an apply is killed when "database/rotate-root/orders" is asked for
      And in orders logins can be changed again
      And I run "apply SPEC --yes"
      Then it exits with 0
      And nothing is left to do
      And the first password of the login vault in orders is refused
      When the credential app is issued from "database/creds/reader"
      Then the credential app may "SELECT * FROM inventory"

    Scenario: SIGKILL right after the connection was written
      # The kill may come in the middle of the rotation. Vault then knows another password than the database, until its
      # own journal puts that right: it looks there once a minute, at what is older than a minute.
      When an apply is killed when "database/config/orders" is asked for
      And I run "apply SPEC --yes" until it succeeds, for at most 240 seconds
      Then nothing is left to do
      And the first password of the login vault in orders is refused
      When the credential app is issued from "database/creds/reader"
      Then the credential app works
