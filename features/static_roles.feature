Feature: A static role's password is replaced when it should be

  Background:
    Given a Vault
    And the PostgreSQL server orders
    And the login batch in orders
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
              allowed_roles: [batch, often]
          static_roles:
            batch: { db_name: orders, username: batch, rotation_period: 1d }
      """

  Scenario: Vault takes the login over
    Given the credential first-batch works
    When I apply
    And the credential batch is issued from "database/static-creds/batch"
    Then the credential batch may "SELECT * FROM inventory"
    And the credential first-batch is refused with SQLSTATE 28P01
    And nothing is left to do

  Scenario: It is rotated on demand: the old password is refused and the new one works
    When I apply
    And the credential before is issued from "database/static-creds/batch"
    And someone writes "database/rotate-role/batch"
    Then "database/static-creds/batch" gives another password than before, called after
    And the credential after works
    And the credential before is refused with SQLSTATE 28P01
    And nothing is left to do

  Scenario: It is rotated by its period
    When the spec becomes
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
              allowed_roles: [batch]
          static_roles:
            batch: { db_name: orders, username: batch, rotation_period: 5s }
      """
    And I apply
    And the credential before is issued from "database/static-creds/batch"
    Then the credential before works
    And "database/static-creds/batch" gives another password than before, called after
    And the credential after works
    And the credential before is refused with SQLSTATE 28P01
