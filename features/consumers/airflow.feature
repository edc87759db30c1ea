@consumer @python
Feature: Airflow finds its connections, variables and configs in Vault

  # Two minutes become 12 seconds, ten minutes a minute.
  Scenario Outline: A Vault Agent publishes logins, and Airflow <version> queries by each
    Given the spec "specs/airflow-agent" stands, its lives divided by 10
    When the consumer airflow runs in the environment <environment> as "auth/approle/role/airflow" with
      | VARIABLES | sample_message         |
      | CONFIGS   | sql_dynamic_base       |
      | QUERY     | vault_agent_postgres   |
      | LOGIN     | dynamic_db_credentials |
    Then before long its event ready holds
      """
      { "airflow": "<version>" }
      """
    And before long its event resolved holds
      """
      { "variables": { "sample_message": "Hello from Vault" },
        "configs": { "sql_dynamic_base": "SELECT SUM(in_stock) FROM inventory" } }
      """
    When an agent logs in by "auth/approle/role/airflow-agent" and renders
      | variable.json   | fixtures/consumers/airflow-agent/variable.ctmpl   | fixtures/consumers/airflow-agent/publish.sh variable.json secret/data/airflow/variables/dynamic_db_credentials   |
      | connection.json | fixtures/consumers/airflow-agent/connection.ctmpl | fixtures/consumers/airflow-agent/publish.sh connection.json secret/data/airflow/connections/vault_agent_postgres |
    Then the secret "airflow/variables/dynamic_db_credentials" of "secret" comes to version 1 and gives the credential first
    And the secret "airflow/connections/vault_agent_postgres" of "secret" comes to version 1 and connects as first
    And it comes to be answered 500 as first
    When the lease of first is revoked
    Then the secret "airflow/variables/dynamic_db_credentials" of "secret" comes to version 2 and gives the credential second
    And the secret "airflow/connections/vault_agent_postgres" of "secret" comes to version 2 and connects as second
    And it comes to be answered 500 as second
    And the credential first is gone
    When the lease of second is revoked
    Then the secret "airflow/variables/dynamic_db_credentials" of "secret" comes to version 3 and gives the credential third
    And the secret "airflow/connections/vault_agent_postgres" of "secret" comes to version 3 and connects as third
    And it comes to be answered 500 as third
    And the credential second is gone

    Examples:
      | environment | version |
      | airflow     | 3.3.2   |
      | airflow-2   | 2.11.2  |

  Scenario Outline: Airflow <version> finds every connection and variable of every project, one in a folder of its project too
    Given the spec "specs/airflow-hub" stands
    When someone writes "secret/data/airflow/variables/project_trading/api_key"
      """
      { "data": { "value": "key-of-trading" } }
      """
    And the consumer airflow runs in the environment <environment> as "auth/approle/role/airflow" with
      | CONNECTIONS | project_trading_ibkr project_analytics_snowflake project_market_analysis_api               |
      | VARIABLES   | project_trading/api_key project_analytics/report_day project_market_analysis/region |
    Then before long its event ready holds
      """
      { "airflow": "<version>" }
      """
    And before long its event resolved holds
      """
      {
        "connections": {
          "project_trading_ibkr": { "conn_type": "http", "host": "api.ibkr.example", "login": "trading", "port": 5000, "extra": { "timeout": 30 } },
          "project_analytics_snowflake": { "conn_type": "snowflake", "login": "analytics", "schema": "PUBLIC", "port": 443, "extra": { "warehouse": "WH" } },
          "project_market_analysis_api": { "conn_type": "http", "host": "market.example", "login": "market", "port": 443 }
        },
        "variables": {
          "project_trading/api_key": "key-of-trading",
          "project_analytics/report_day": "monday",
          "project_market_analysis/region": "eu"
        }
      }
      """

    Examples:
      | environment | version |
      | airflow     | 3.3.2   |
      | airflow-2   | 2.11.2  |
