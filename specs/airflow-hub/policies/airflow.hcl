path "secret/data/airflow/*" {
  capabilities = ["read"]
}
