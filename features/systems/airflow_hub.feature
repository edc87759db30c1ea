Feature: Many projects share one Vault, and each sees its own secrets only

  Scenario Outline: <role> reads the secrets of <own> and of nobody else
    Given the spec "specs/airflow-hub" stands
    Then all that it describes was made
    And whoever logs in by "auth/approle/role/<role>" may
      | read | secret/data/projects/<own>/credentials |
      | read | secret/data/projects/<own>/api_keys    |
    And whoever logs in by "auth/approle/role/<role>" may not
      | read   | secret/data/projects/<other>/credentials            |
      | read   | secret/data/projects/<third>/credentials            |
      | read   | secret/data/airflow/connections/project_trading_ibkr |
      | update | secret/data/projects/<own>/credentials              |

    Examples:
      | role                    | own             | other     | third           |
      | project-trading         | trading         | analytics | market_analysis |
      | project-analytics       | analytics       | trading   | market_analysis |
      | project-market-analysis | market_analysis | trading   | analytics       |

  Scenario: CI writes what it cannot read
    Given the spec "specs/airflow-hub" stands
    Then all that it describes was made
    And whoever logs in by "auth/approle/role/ci" may
      | create | secret/data/projects/trading/credentials |
      | update | secret/data/projects/trading/credentials |
    And whoever logs in by "auth/approle/role/ci" may not
      | read   | secret/data/projects/trading/credentials |
      | delete | secret/data/projects/trading/credentials |

  Scenario: Production has raft storage, TLS and an audit log, and the same rules
    Given the spec "specs/airflow-hub" in the environment "production" stands
    Then all that it describes was made
    And applying it again would change nothing
    And whoever logs in by "auth/approle/role/airflow" may not
      | read | secret/data/projects/trading/credentials |

  Scenario: In production the root token is revoked at the end, and projects log in without it
    Given the spec "specs/airflow-hub" in the environment "production" stands
    And the secret-id trading of "auth/approle/role/project-trading"
    When the token root writes "auth/token/revoke-self"
    Then it is allowed
    And the token root is refused
    When the token root reads "secret/data/projects/trading/credentials"
    Then it is refused with 403
    When the token project is got from "auth/approle/role/project-trading" with the secret-id trading
    Then it is allowed
    When the token project reads "secret/data/projects/trading/credentials"
    Then the answer holds
      """
      { "data": { "username": "trading" } }
      """
