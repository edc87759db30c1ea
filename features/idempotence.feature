Feature: What is as it should be is left alone

  Background:
    Given a Vault

  Scenario: A second apply sends no write
    Given the spec
      """
      sys:
        policies:
          reader: { policy: 'path "secret/data/app" { capabilities = ["read"] }' }
          writer: { policy: 'path "secret/data/app" { capabilities = ["create", "update"] }' }
        password_policies:
          long: { policy: 'length = 30 rule "charset" { charset = "abcdefghij" }' }
      secrets:
        kv: { type: kv-v2, data: { app: { data: { user: ann, port: 5432 } } } }
        transit: { type: transit, keys: { orders: { type: aes256-gcm96 } } }
      auth:
        approle:
          type: approle
          tune: { default_lease_ttl: 1h, max_lease_ttl: 1d }
          roles: { app: { token_policies: [reader], token_ttl: 20m, token_max_ttl: 30m } }
      identity:
        entities: { ann: { metadata: { team: blue }, policies: [writer] } }
      """
    When I apply
    And I apply again
    Then no write was sent
    And nothing was asked twice
    And nothing is left to do

  Scenario: Each object costs one read, and each collection one list
    Given the spec
      """
      sys:
        policies:
          a: { policy: 'path "a" { capabilities = ["read"] }' }
          b: { policy: 'path "b" { capabilities = ["read"] }' }
          c: { policy: 'path "c" { capabilities = ["read"] }' }
      auth:
        approle:
          type: approle
          roles: { one: {}, two: {}, three: {}, four: {} }
      """
    When I apply
    And I apply again
    # 3 policies and 4 roles, the tables of mounts and of auth methods, and the ledger.
    Then exactly 10 reads and 2 lists were sent
    And no write was sent

  Scenario: Lives, SQL and settings may be written in any way that means the same
    Given the spec
      """
      secrets:
        kv:
          type: kv-v2
          description: keeps things
          tune: { max_lease_ttl: 24h }
        database:
          type: database
          tune: { default_lease_ttl: 3600 }
          connections:
            orders:
              plugin_name: postgresql-database-plugin
              verify_connection: false
              connection_url: "postgresql://{{username}}:{{password}}@127.0.0.1:1/orders"
              username: vault
              password: never-used-one
              allowed_roles: [reader, writer]
          roles:
            reader:
              db_name: orders
              creation_statements:
                - |
                  CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}';
                  GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";

              max_ttl: 24h
              default_ttl: "3600"
      auth:
        approle:
          type: approle
          roles: { app: { token_max_ttl: 1d, token_ttl: 1h30m, token_policies: [b, a] } }
      """
    When I apply
    Then nothing is left to do
    When the spec becomes
      """
      secrets:
        kv:
          type: kv
          options: { version: "2" }
          description: keeps things
          tune: { max_lease_ttl: 86400 }
        database:
          type: database
          tune: { default_lease_ttl: 1h }
          connections:
            orders:
              plugin_name: postgresql-database-plugin
              verify_connection: false
              connection_url: "postgresql://{{username}}:{{password}}@127.0.0.1:1/orders"
              username: vault
              password: never-used-one
              allowed_roles: "writer,reader"
          roles:
            reader:
              db_name: orders
              creation_statements: "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}';\nGRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{{name}}\";"
              max_ttl: 1d
              default_ttl: 60m
      auth:
        approle:
          type: approle
          roles: { app: { token_max_ttl: 86400, token_ttl: 90m, token_policies: [a, b] } }
      """
    Then nothing is left to do
