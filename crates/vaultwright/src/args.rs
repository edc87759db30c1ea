//! What a person says on the command line: the parts that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vault_provision::SpecInputs;

#[derive(Args, Clone, Debug)]
pub struct SpecArgs {
    /// A spec: a .yaml file, or a folder of them
    pub spec: PathBuf,
    #[command(flatten)]
    pub inputs: InputArgs,
}

#[derive(Args, Clone, Debug, Default)]
pub struct InputArgs {
    /// Take values from the spec's environments/NAME.yaml
    #[arg(long, short, value_name = "NAME")]
    pub env: Option<String>,
    /// Set a variable; also VAULTWRIGHT_VAR_NAME in the environment, which suits secrets better
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub var: Vec<(String, String)>,
    /// Set variables from a YAML file
    #[arg(long, value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
}

#[derive(Args, Clone, Debug, Default)]
pub struct TargetArgs {
    /// Only objects whose path matches, such as `auth/approle/*`; may be said several times
    #[arg(long, value_name = "GLOB")]
    pub target: Vec<String>,
    /// No object whose path matches; may be said several times
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
}

/// How the tool itself logs in. Where Vault is comes from VAULT_ADDR and the other variables of Vault's own CLI.
#[derive(Args, Clone, Debug, Default)]
pub struct LoginArgs {
    /// How to log in; by default VAULT_TOKEN, else the file that `vault login` leaves
    #[arg(
        long,
        value_enum,
        env = "VAULTWRIGHT_LOGIN",
        hide_env_values = true,
        help_heading = "Login"
    )]
    pub login: Option<LoginMethod>,
    /// Where the auth method is mounted, without auth/; by default its own name
    #[arg(
        long,
        value_name = "PATH",
        env = "VAULTWRIGHT_LOGIN_MOUNT",
        hide_env_values = true,
        help_heading = "Login"
    )]
    pub login_mount: Option<String>,
    /// For approle
    #[arg(long, env = "VAULTWRIGHT_ROLE_ID", hide_env_values = true, help_heading = "Login")]
    pub role_id: Option<String>,
    /// For approle: a file that holds the secret-id; or VAULTWRIGHT_SECRET_ID
    #[arg(long, value_name = "FILE", help_heading = "Login")]
    pub secret_id_file: Option<PathBuf>,
    /// For userpass
    #[arg(long, env = "VAULTWRIGHT_USERNAME", hide_env_values = true, help_heading = "Login")]
    pub username: Option<String>,
    /// For userpass: a file that holds the password; or VAULTWRIGHT_PASSWORD
    #[arg(long, value_name = "FILE", help_heading = "Login")]
    pub password_file: Option<PathBuf>,
    /// For kubernetes: the role to log in to
    #[arg(
        long,
        env = "VAULTWRIGHT_KUBERNETES_ROLE",
        hide_env_values = true,
        help_heading = "Login"
    )]
    pub kubernetes_role: Option<String>,
    /// For kubernetes: the service account's token
    #[arg(long, value_name = "FILE", default_value = KUBERNETES_JWT, help_heading = "Login")]
    pub jwt_file: PathBuf,
}

const KUBERNETES_JWT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMethod {
    Token,
    Approle,
    Userpass,
    Kubernetes,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Json,
}

impl InputArgs {
    pub fn inputs(&self) -> SpecInputs {
        SpecInputs {
            vars: self.var.clone(),
            var_files: self.var_file.clone(),
            environment: self.env.clone(),
            has_stand_ins: false,
        }
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    // The text itself may be a secret.
    let (name, value) = parts.ok_or("it should be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
