Feature: No secret is shown

  Scenario: Plans, applies, errors and JSON show no secret of the spec
    Given a Vault
    And the PostgreSQL server orders
    And the secret variable api_key is "sk-live-51f0a2c37d"
    And the secret variable ann_password is "pa/ss w0rd\u00e9"
    And the spec
      """
      secrets:
        kv: { type: kv-v2, description: "for (( api_key ))", data: { app: { data: { api_key: (( api_key )), url: "https://ann:(( api_key ))@example.com" } } } }
        database:
          type: database
          connections:
            orders:
              plugin_name: postgresql-database-plugin
              connection_url: "postgresql://vault:(( orders_password ))@(( orders_url ))/nowhere?sslmode=disable"
      auth:
        people: { type: userpass, users: { ann: { password: (( ann_password )) } } }
      """
    When I run "check SPEC"
    And I run "plan SPEC"
    And I run "plan SPEC --format json"
    And I run "plan SPEC --out FOLDER/plan.json"
    And I run "apply SPEC --yes"
    Then it exits with 1
    When I run "apply SPEC --yes --format json"
    And I run "verify SPEC"
    And I run "destroy SPEC --yes --delete-data"
    Then no output holds a secret
