//! vault-testbed
