//! A Vault Agent: the server's own binary, told by a configuration as the injector of Kubernetes writes it.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Ground;
use super::consumer::{Consumer, Program, write_private};
use super::error::Result;
use super::servers;

/// What an agent is told.
#[derive(Clone, Debug)]
pub struct AgentOptions {
    pub vault_address: String,
    pub ca_certificate: Option<std::path::PathBuf>,
    /// Such as `auth/approle`.
    pub mount: String,
    pub login: AgentLogin,
    pub templates: Vec<Template>,
    /// For its commands, and for `env` in its templates.
    pub environment: Vec<(String, SecretString)>,
}

/// What it logs in with.
#[derive(Clone, Debug)]
pub enum AgentLogin {
    AppRole {
        role_id: String,
        /// Lies in a file that the agent deletes once it has read it.
        secret_id: SecretString,
        /// Where a wrapped secret-id must have been made, such as `auth/approle/role/app/secret-id`.
        wrapped_at: Option<String>,
    },
    /// The JWT of a service account, in a file as a pod has it.
    Kubernetes { role: String, jwt: SecretString },
}

/// A file that the agent renders, and what it runs whenever that file has changed.
#[derive(Clone, Debug)]
pub struct Template {
    /// The file's name, in the agent's folder.
    pub file: String,
    pub contents: String,
    /// Empty: nothing is run.
    pub command: Vec<String>,
}

const ROLE_ID_FILE: &str = "role-id";
pub const SECRET_ID_FILE: &str = "secret-id";
const JWT_FILE: &str = "jwt";
/// Where the agent writes its token, and where Vault's command line looks for one in its user's home.
pub const TOKEN_FILE: &str = ".vault-token";

impl Ground {
    pub async fn agent(&self, options: &AgentOptions) -> Result<Consumer> {
        let binary = servers::find_or_build().await?;
        self.consumer("agent", |folder| {
            options.login.write(folder)?;
            let config = folder.join("agent.json");
            write_private(&config, &format!("{:#}\n", options.config(folder)))?;
            let mut environment = vec![
                ("VAULT_ADDR".to_owned(), options.vault_address.clone().into()),
                ("SERVER".to_owned(), binary.path.display().to_string().into()),
                ("TOKEN_FILE".to_owned(), folder.join(TOKEN_FILE).display().to_string().into()),
            ];
            let ca = options.ca_certificate.iter();
            environment
                .extend(ca.map(|it| ("VAULT_CACERT".to_owned(), it.display().to_string().into())));
            environment.extend(options.environment.iter().cloned());
            Ok(Program {
                path: binary.path,
                arguments: vec!["agent".into(), format!("-config={}", config.display())],
                environment,
            })
        })
    }
}

impl AgentLogin {
    fn write(&self, folder: &Path) -> Result<()> {
        match self {
            Self::AppRole { role_id, secret_id, .. } => {
                write_private(&folder.join(ROLE_ID_FILE), role_id)?;
                write_private(&folder.join(SECRET_ID_FILE), secret_id.expose_secret())
            }
            Self::Kubernetes { jwt, .. } => {
                write_private(&folder.join(JWT_FILE), jwt.expose_secret())
            }
        }
    }

    fn method(&self, mount: &str, folder: &Path) -> Value {
        let file = |name: &str| folder.join(name).display().to_string();
        let (method, config) = match self {
            Self::AppRole { wrapped_at, .. } => {
                let mut config = json!({
                    "role_id_file_path": file(ROLE_ID_FILE),
                    "secret_id_file_path": file(SECRET_ID_FILE),
                    "remove_secret_id_file_after_reading": true,
                });
                if let Some(path) = wrapped_at {
                    config["secret_id_response_wrapping_path"] = path.clone().into();
                }
                ("approle", config)
            }
            Self::Kubernetes { role, .. } => {
                ("kubernetes", json!({ "role": role, "token_path": file(JWT_FILE) }))
            }
        };
        json!({ "type": method, "mount_path": mount, "config": config })
    }
}

impl AgentOptions {
    fn config(&self, folder: &Path) -> Value {
        let file = |name: &str| folder.join(name).display().to_string();
        let mut vault = json!({ "address": self.vault_address });
        if let Some(ca) = &self.ca_certificate {
            vault["ca_cert"] = ca.display().to_string().into();
        }
        let sink = json!({ "type": "file", "config": { "path": file(TOKEN_FILE), "mode": 0o600 } });
        json!({
            "vault": vault,
            "auto_auth": {
                "method": self.login.method(&self.mount, folder),
                "sink": [sink],
            },
            "template": self.templates.iter().map(|it| it.config(folder)).collect::<Vec<Value>>(),
        })
    }
}

impl Template {
    fn config(&self, folder: &Path) -> Value {
        let mut template = json!({
            "contents": self.contents,
            "destination": folder.join(&self.file).display().to_string(),
            "perms": "0600",
            "error_on_missing_key": true,
        });
        if !self.command.is_empty() {
            template["exec"] = json!({ "command": self.command, "timeout": "20s" });
        }
        template
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_told_where_a_wrapped_secret_id_was_made_and_no_secret() {
        let options = AgentOptions {
            vault_address: "http://127.0.0.1:8200".into(),
            ca_certificate: None,
            mount: "auth/approle".into(),
            login: AgentLogin::AppRole {
                role_id: "the-role-id".into(),
                secret_id: "the-secret-id".into(),
                wrapped_at: Some("auth/approle/role/app/secret-id".into()),
            },
            templates: vec![Template {
                file: "db".into(),
                contents: "{{ key }}".into(),
                command: vec!["true".into()],
            }],
            environment: Vec::new(),
        };
        let config = options.config(Path::new("/run/agent"));
        let method = &config["auto_auth"]["method"]["config"];
        assert_eq!(method["secret_id_response_wrapping_path"], "auth/approle/role/app/secret-id");
        assert_eq!(config["template"][0]["destination"], "/run/agent/db");
        assert_eq!(config["template"][0]["exec"]["command"], json!(["true"]));
        assert!(!config.to_string().contains("the-secret-id"));
    }
}
