# Writes what people and other systems hand over, and can't read any of it back.
path "secret/data/airflow/*" {
  capabilities = ["create", "update"]
}

path "secret/data/projects/*" {
  capabilities = ["create", "update"]
}
