//! The ways to a token.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use vault_model::{Body, request::Request};

use crate::{
    error::{Failure, VaultError},
    settings::SettingsError,
};

/// A mount is named as `vault auth list` does, without `auth/`.
#[derive(Clone, Debug)]
pub enum Login {
    Token(SecretString),
    AppRole {
        mount: String,
        role_id: String,
        /// None for roles with `bind_secret_id: false`.
        secret_id: Option<SecretString>,
    },
    Userpass {
        mount: String,
        username: String,
        password: SecretString,
    },
    Kubernetes {
        mount: String,
        role: String,
        jwt: SecretString,
    },
    /// What `vault login` leaves: usually `~/.vault-token`.
    TokenHelperFile(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("login failed: {0}")]
    Refused(#[source] Box<VaultError>),
    #[error("login at {path} needs a second factor")]
    SecondFactor { path: String },
}

impl LoginError {
    pub fn remedy(&self) -> Option<String> {
        match self {
            LoginError::Settings(e) => Some(e.remedy.clone()),
            // Vault answers the same where nothing is mounted.
            LoginError::Refused(e) if e.failure == Failure::Forbidden => Some(
                "check that the auth method is mounted there, and that its role is bound to who logs in".into(),
            ),
            LoginError::Refused(e) => e.remedy(),
            LoginError::SecondFactor { .. } => Some(
                "use a login without one, or `vault login` and then the token that it leaves"
                    .into(),
            ),
        }
    }
}

/// What a login comes down to.
pub(crate) enum Way {
    Token(SecretString),
    Ask(Request),
}

impl Login {
    pub(crate) async fn way(&self) -> Result<Way, SettingsError> {
        let ask = |mount: &str, rest: &str, body: serde_json::Value| {
            let mount = mount.trim_matches('/');
            let path = format!("auth/{}/{rest}", mount.strip_prefix("auth/").unwrap_or(mount));
            Way::Ask(Request::post(path, body.as_object().cloned().unwrap_or_else(Body::new)))
        };
        Ok(match self {
            Login::Token(token) => {
                Way::Token(trimmed("VAULT_TOKEN", "is empty", token.expose_secret())?)
            }
            Login::TokenHelperFile(file) => {
                let text = tokio::fs::read_to_string(file).await.map_err(|e| {
                    let problem = format!("isn't set, and {} can't be read: {e}", file.display());
                    SettingsError::new(
                        "VAULT_TOKEN",
                        problem,
                        "set VAULT_TOKEN, or run `vault login`",
                    )
                })?;
                let text = zeroize::Zeroizing::new(text);
                Way::Token(trimmed(
                    "VAULT_TOKEN",
                    &format!("isn't set, and {} is empty", file.display()),
                    &text,
                )?)
            }
            Login::AppRole { mount, role_id, secret_id } => {
                let mut body = json!({ "role_id": role_id });
                if let Some(it) = secret_id {
                    body["secret_id"] = it.expose_secret().into();
                }
                ask(mount, "login", body)
            }
            Login::Userpass { mount, username, password } => ask(
                mount,
                &format!("login/{username}"),
                json!({ "password": password.expose_secret() }),
            ),
            Login::Kubernetes { mount, role, jwt } => {
                ask(mount, "login", json!({ "role": role, "jwt": jwt.expose_secret().trim() }))
            }
        })
    }
}

/// Vault trims tokens as well.
fn trimmed(name: &str, empty: &str, token: &str) -> Result<SecretString, SettingsError> {
    let remedy = "set VAULT_TOKEN, or run `vault login`";
    let token = token.trim();
    if token.is_empty() {
        return Err(SettingsError::new(name, empty, remedy));
    }
    if !token.bytes().all(|it| it.is_ascii_graphic()) {
        return Err(SettingsError::new(name, "holds characters that no token has", remedy));
    }
    Ok(SecretString::from(token))
}
