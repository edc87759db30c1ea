//! vault-provision
