# What the agent does: it leases a login and publishes it.
path "database/creds/airflow-dynamic-read" {
  capabilities = ["read"]
}

path "secret/data/airflow/connections/vault_agent_postgres" {
  capabilities = ["create", "read", "update"]
}

path "secret/data/airflow/variables/dynamic_db_credentials" {
  capabilities = ["create", "read", "update"]
}
