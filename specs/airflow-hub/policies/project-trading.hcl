path "secret/data/projects/trading/*" {
  capabilities = ["read"]
}

path "secret/metadata/projects/trading/*" {
  capabilities = ["list"]
}
