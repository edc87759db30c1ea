//! A Vault that keeps the key of another Vault's seal: its transit engine, and a token that may use the key.

use secrecy::SecretString;
use serde_json::{Value, json};

use super::error::{Error, Result};
use super::vault::VaultServer;

/// What a server is told of the Vault that unseals it.
#[derive(Clone, Debug)]
pub(crate) struct Sealer {
    pub address: String,
    pub token: SecretString,
}

pub(crate) const KEY: &str = "unseal";

impl Sealer {
    /// `vault` gets all that another one needs to be unsealed by it.
    pub async fn prepare(vault: &VaultServer) -> Result<Self> {
        let root = &vault.root_token;
        let put = |path: &'static str, body: Value| vault.api.put(path, root, body);
        put("sys/mounts/transit", json!({ "type": "transit" })).await?;
        put("transit/keys/unseal", json!({})).await?;
        put("sys/policies/acl/unseal", json!({ "policy": MAY })).await?;
        let token = json!({ "policies": ["unseal"], "period": "24h", "no_parent": true });
        let answer = put("auth/token/create", token).await?;
        let token = answer.pointer("/auth/client_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| Error::Vault {
            address: vault.address.clone(),
            request: "PUT auth/token/create".into(),
            why: "there is no token in the answer".into(),
        })?;
        Ok(Self { address: vault.address_for_neighbours(), token: token.into() })
    }
}

const MAY: &str = "path \"transit/encrypt/unseal\" { capabilities = [\"update\"] }\n\
    path \"transit/decrypt/unseal\" { capabilities = [\"update\"] }";
