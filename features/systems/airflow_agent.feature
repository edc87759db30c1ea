Feature: Airflow's agent leases logins and may publish them, and nothing else

  Background:
    Given the spec "specs/airflow-agent" stands

  Scenario: The agent reads the login and writes both places that it delivers to
    Then whoever logs in by "auth/approle/role/airflow-agent" may
      | read   | database/creds/airflow-dynamic-read                    |
      | create | secret/data/airflow/connections/vault_agent_postgres   |
      | update | secret/data/airflow/connections/vault_agent_postgres   |
      | create | secret/data/airflow/variables/dynamic_db_credentials   |
      | update | secret/data/airflow/variables/dynamic_db_credentials   |
    And whoever logs in by "auth/approle/role/airflow-agent" may not
      | read   | secret/data/projects/trading/credentials     |
      | update | secret/data/airflow/connections/kv_postgres  |

  Scenario: Airflow reads what the agent publishes, and cannot lease a login itself
    Then whoever logs in by "auth/approle/role/airflow" may
      | read | secret/data/airflow/connections/kv_postgres       |
      | read | secret/data/airflow/config/sql_dynamic_base       |
    And whoever logs in by "auth/approle/role/airflow" may not
      | read | database/creds/airflow-dynamic-read |

  Scenario: The query of the dashboard answers by a leased login, and the login ends when it is revoked
    When a login is issued from "database/creds/airflow-dynamic-read"
    Then the login can
      """
      SELECT SUM(in_stock) FROM inventory
      """
    And the login cannot
      """
      UPDATE inventory SET in_stock = 0
      """
    When the login's lease is revoked
    Then the login is refused by its database
    And its database knows the login no more
