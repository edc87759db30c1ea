path "database/creds/readonly" {
  capabilities = ["read"]
}
