//! The client against a scripted server, against TLS, and against a real Vault.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod answers;
mod environment;
mod logins;
mod real;
mod real_vault;
mod redirects;
mod retries;
mod script;
mod secrets;
mod tls;
