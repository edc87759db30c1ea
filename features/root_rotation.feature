Feature: The root password is rotated once, and never sent again

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
            reader: &reader
              db_name: orders
              creation_statements: ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'; GRANT SELECT ON inventory TO \"{{name}}\""]
              default_ttl: 1m
              max_ttl: 1h
      """

  Scenario: The password that the spec was given is no good after the first apply
    Given the first password of the login vault in orders works
    When I apply
    Then the first password of the login vault in orders is refused
    When the credential app is issued from "database/creds/reader"
    Then the credential app may "SELECT * FROM inventory"
    When I apply again
    Then no write was sent

  Scenario: After the rotation the allowed roles change, and credentials are still issued
    When I apply
    And the spec becomes
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
              allowed_roles: [reader, other]
              rotate_root: once
          roles:
            reader: &reader
              db_name: orders
              creation_statements: ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'; GRANT SELECT ON inventory TO \"{{name}}\""]
              default_ttl: 1m
              max_ttl: 1h
            other: *reader
      """
    And I plan
    Then the plan shows "allowed_roles"
    And the plan does not show "rotates the root password"
    When I apply
    Then nothing is left to do
    When the credential one is issued from "database/creds/reader"
    And the credential two is issued from "database/creds/other"
    Then the credential one works
    And the credential two may "SELECT * FROM inventory"
    And the first password of the login vault in orders is refused

  Scenario: Without rotate_root the password stays as it was given
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
      """
    And I apply
    Then the first password of the login vault in orders works
    And nothing is left to do
    When someone writes "database/rotate-root/orders"
    Then the first password of the login vault in orders is refused
    And nothing is left to do

  Scenario: The roots of several databases are rotated in one apply
    Given the PostgreSQL server stock
    When the spec becomes
      """
      secrets:
        database:
          type: database
          connections:
            orders: &connection
              plugin_name: postgresql-database-plugin
              connection_url: "postgresql://{{username}}:{{password}}@(( orders_url ))/demo?sslmode=disable"
              username: vault
              password: (( orders_password ))
              rotate_root: once
            stock:
              <<: *connection
              connection_url: "postgresql://{{username}}:{{password}}@(( stock_url ))/demo?sslmode=disable"
              password: (( stock_password ))
      """
    And I apply
    Then the first password of the login vault in orders is refused
    And the first password of the login vault in stock is refused
    And nothing is left to do

  Scenario Outline: Who <may> rotates a root when it is made, and not again each time
    Given someone writes "sys/policies/acl/deployer"
      """
      {"policy": "path \"sys/mounts/database\" { capabilities = [\"create\", \"read\", \"update\"] }\npath \"sys/mounts\" { capabilities = [\"read\"] }\npath \"sys/auth\" { capabilities = [\"read\"] }\npath \"database/*\" { capabilities = [\"create\", \"read\", \"update\", \"list\"] }\npath \"vaultwright/*\" { capabilities = [\"<ledger>\"] }"}
      """
    And the token deployer with the policies "deployer"
    When the token deployer applies
    Then the first password of the login vault in orders is refused
    When the token deployer applies
    Then no write was sent

    Examples:
      | may                                | ledger |
      | may not keep a ledger              | deny   |
      | may read the ledger, but not write | read   |
