Feature: A dynamic role's credentials work as long as they should, and no longer

  Background:
    Given a Vault
    And the PostgreSQL server orders
    And the spec
      """
      sys:
        policies: { app: { policy: 'path "database/creds/*" { capabilities = ["read"] }' } }
      secrets:
        database:
          type: database
          connections:
            orders:
              plugin_name: postgresql-database-plugin
              connection_url: "postgresql://{{username}}:{{password}}@(( orders_url ))/demo?sslmode=disable"
              username: vault
              password: (( orders_password ))
              allowed_roles: [reader, short, buyer]
          roles:
            reader:
              db_name: orders
              creation_statements: &reader
                - "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
                - 'GRANT SELECT ON inventory TO "{{name}}"'
              default_ttl: 10m
              max_ttl: 1h
            buyer:
              db_name: orders
              creation_statements: ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'; GRANT SELECT, UPDATE ON inventory TO \"{{name}}\""]
              default_ttl: 10m
              max_ttl: 1h
            short: { db_name: orders, creation_statements: *reader, default_ttl: 2s, max_ttl: 5s }
      """
    And I apply

  Scenario: A credential is issued, and may do what its role grants and nothing else
    When the credential app is issued from "database/creds/reader"
    Then the lease of app is 600 seconds long
    And the lease of app has between 590 and 600 seconds left
    And the credential app works
    And the credential app may "SELECT sum(in_stock) FROM inventory"
    And the credential app may not "DELETE FROM inventory"
    And the credential app may not "CREATE TABLE mine (i int)"
    When the credential shop is issued from "database/creds/buyer"
    Then the credential shop may "UPDATE inventory SET in_stock = 1"
    And the credential shop may not "DELETE FROM inventory"

  Scenario: A lease is renewed
    When the credential app is issued from "database/creds/reader"
    And the lease of app is renewed by 1800 seconds
    Then it is allowed
    And the lease of app has between 1790 and 1800 seconds left
    And the credential app works

  Scenario: A lease is renewed up to its maximum, and then it is over
    When the credential app is issued from "database/creds/short"
    Then the lease of app is 2 seconds long
    When the lease of app is renewed until it ends
    Then app has lived between 4 and 12 seconds
    And the credential app is gone

  Scenario: A credential that nobody renews expires
    When the credential app is issued from "database/creds/short"
    Then the credential app works
    And the credential app is gone within 15 seconds
    And the lease of app is gone

  Scenario: A lease is revoked
    When the credential app is issued from "database/creds/reader"
    And the credential other is issued from "database/creds/reader"
    And the lease of app is revoked
    Then the credential app is gone
    And the lease of app is gone
    And the credential app is refused with SQLSTATE 28P01
    And the credential other works

  Scenario: All leases of a role are revoked at once
    When the credential one is issued from "database/creds/reader"
    And the credential two is issued from "database/creds/reader"
    And the credential shop is issued from "database/creds/buyer"
    Then below "database/creds/reader" there are 2 leases
    When all leases below "database/creds/reader" are revoked
    Then the credential one is gone
    And the credential two is gone
    And the credential shop works
    And below "database/creds/buyer" there is 1 lease

  Scenario: The credentials of a token end with it
    Given the token app with the policies "app"
    When the token app issues the credential mine from "database/creds/reader"
    And the credential other is issued from "database/creds/reader"
    Then the credential mine works
    When the token app is revoked
    Then the credential mine is gone
    And the lease of mine is gone
    And the credential other works

  Scenario: A lease does not outlive its token
    Given the token app with the policies "app" and 3 seconds to live
    When the token app issues the credential mine from "database/creds/reader"
    Then the credential mine works
    And the token app is refused before long
    And the credential mine is gone within 15 seconds

  Scenario: A role that the connection does not allow issues nothing
    When someone writes "database/roles/not-allowed"
      """
      { "db_name": "orders", "creation_statements": "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'" }
      """
    And the token root reads "database/creds/not-allowed"
    Then it is refused with 500 because "not an allowed role"
