# What Airflow's secrets backend reads.
path "secret/data/airflow/*" {
  capabilities = ["read"]
}
