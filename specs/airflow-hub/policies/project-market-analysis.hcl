path "secret/data/projects/market_analysis/*" {
  capabilities = ["read"]
}

path "secret/metadata/projects/market_analysis/*" {
  capabilities = ["list"]
}
