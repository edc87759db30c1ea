path "database/creds/readonly" {
  capabilities = ["read"]
}

path "database/creds/archive-readonly" {
  capabilities = ["read"]
}

path "database/creds/datasets-readonly" {
  capabilities = ["read"]
}
