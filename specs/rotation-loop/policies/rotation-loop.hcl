# What the application reads. Who rotates is somebody else.
path "database/creds/postgresql-role" {
  capabilities = ["read"]
}

path "database/static-creds/postgresql-static" {
  capabilities = ["read"]
}
