//! How far sides are asked from here that speak TLS: they have one authority, and no other is trusted.

use reqwest::{Certificate, Client, ClientBuilder};

use super::super::certificate::Authority;
use super::super::error::chain;
use super::NoAnswer;

/// Each call a client of its own: a server that is stopped and started again is not asked on an old connection.
pub(super) fn client() -> Result<ClientBuilder, NoAnswer> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = Authority::of_far_sides().map_err(|error| NoAnswer(error.to_string()))?;
    let authority = Certificate::from_pem(authority.certificate.as_bytes()).map_err(silent)?;
    Ok(Client::builder().no_proxy().tls_certs_only([authority]))
}

pub(super) fn silent(error: reqwest::Error) -> NoAnswer {
    NoAnswer(chain(&error.without_url()))
}
