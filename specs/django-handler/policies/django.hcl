path "database/creds/django" {
  capabilities = ["read"]
}
