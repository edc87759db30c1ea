//! One login for a run, and its end.

use std::{env, fs, path::Path};

use anyhow::Context;
use vault_client::{Login, SecretString, Settings, Vault};

use crate::{
    args::{LoginArgs, LoginMethod},
    output,
};

/// Logs in as the arguments and the environment say, works, and logs out. The token lives as long as the work.
pub async fn during<T>(
    args: &LoginArgs,
    work: impl AsyncFnOnce(&Vault) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    at(None, args, work).await
}

/// The same, at another address than the environment says.
pub async fn at<T>(
    address: Option<&str>,
    args: &LoginArgs,
    work: impl AsyncFnOnce(&Vault) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let settings = Settings::from_env(|name| match address {
        Some(address) if name == "VAULT_ADDR" => Some(address.to_owned()),
        _ => variable(name),
    })?;
    let login = login(args)?;
    let logging_in = async { Ok(Vault::login(&settings, &login).await?) };
    let vault = output::unless_interrupted(logging_in).await?;
    let alive = vault.keep_alive();
    let result = work(&vault).await;
    // What a renewal ran into shows in the work as well.
    let _ = alive.stop().await;
    let logged_out = vault.revoke_own_token().await;
    let result = result?;
    logged_out.context("the work is done, but its token could not be revoked")?;
    Ok(result)
}

/// What is no text is told where it is read, and not passed over.
fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|it| it.to_string_lossy().into_owned())
}

fn login(args: &LoginArgs) -> anyhow::Result<Login> {
    let mount = |default: &str| args.login_mount.clone().unwrap_or_else(|| default.to_owned());
    let needed =
        |what: Option<String>, name: &str| what.with_context(|| format!("this login needs {name}"));
    Ok(match args.login {
        None | Some(LoginMethod::Token) => Login::from_env(variable)?,
        Some(LoginMethod::Approle) => Login::AppRole {
            mount: mount("approle"),
            role_id: needed(args.role_id.clone(), "--role-id or VAULTWRIGHT_ROLE_ID")?,
            secret_id: secret(args.secret_id_file.as_deref(), "VAULTWRIGHT_SECRET_ID")?,
        },
        Some(LoginMethod::Userpass) => Login::Userpass {
            mount: mount("userpass"),
            username: needed(args.username.clone(), "--username or VAULTWRIGHT_USERNAME")?,
            password: secret(args.password_file.as_deref(), "VAULTWRIGHT_PASSWORD")?
                .context("this login needs --password-file or VAULTWRIGHT_PASSWORD")?,
        },
        Some(LoginMethod::Kubernetes) => Login::Kubernetes {
            mount: mount("kubernetes"),
            role: needed(
                args.kubernetes_role.clone(),
                "--kubernetes-role or VAULTWRIGHT_KUBERNETES_ROLE",
            )?,
            jwt: read_secret(&args.jwt_file)?,
        },
    })
}

fn secret(file: Option<&Path>, name: &str) -> anyhow::Result<Option<SecretString>> {
    match file {
        Some(path) => read_secret(path).map(Some),
        None => Ok(variable(name).map(SecretString::from)),
    }
}

fn read_secret(path: &Path) -> anyhow::Result<SecretString> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
}
