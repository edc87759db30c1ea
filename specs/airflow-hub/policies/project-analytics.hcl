path "secret/data/projects/analytics/*" {
  capabilities = ["read"]
}

path "secret/metadata/projects/analytics/*" {
  capabilities = ["list"]
}
