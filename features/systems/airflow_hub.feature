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
