//! vault-client
