//! `VAULT_*` and `BAO_*` variables, meaning what they mean to the command lines of Vault and OpenBao.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use url::Url;

use crate::{
    login::Login,
    settings::{Settings, SettingsError},
};

impl Settings {
    /// `get` looks a variable up. Empty counts as unset, as it does to Vault.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Settings, SettingsError> {
        let env = Environment { get };
        env.refuse_what_would_be_ignored()?;
        let mut settings = env.address()?;
        settings.namespace = env.namespace()?;
        settings.ca_cert = env.read("CACERT")?.map(|it| PathBuf::from(it.value));
        settings.ca_cert_pem = env.read("CACERT_BYTES")?.map(|it| it.value);
        settings.ca_path = env.read("CAPATH")?.map(|it| PathBuf::from(it.value));
        (settings.client_cert, settings.client_key) = env.client_certificate()?;
        settings.tls_server_name = env.read("TLS_SERVER_NAME")?.map(|it| it.value);
        settings.skip_verify = env.read("SKIP_VERIFY")?.map_or(Ok(false), Variable::switch)?;
        settings.proxy = env.proxy()?;
        if let Some(timeout) = env.read("CLIENT_TIMEOUT")? {
            settings.timeout = timeout.duration()?;
        }
        if let Some(retries) = env.read("MAX_RETRIES")? {
            settings.max_retries = retries.count()?;
        }
        Ok(settings)
    }
}

impl Login {
    /// As Vault's own command line does: the token in `VAULT_TOKEN`, else the one that `vault login` left in the home folder.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Login, SettingsError> {
        let env = Environment { get };
        if let Some(token) = env.read("TOKEN")? {
            return Ok(Login::Token(SecretString::from(token.value)));
        }
        let home = (env.get)("HOME").filter(|it| !it.is_empty()).ok_or_else(|| {
            let problem =
                "isn't set, and there is no HOME to look for the token of `vault login` in";
            SettingsError::new("VAULT_TOKEN", problem, "set VAULT_TOKEN")
        })?;
        Ok(Login::TokenHelperFile(PathBuf::from(home).join(".vault-token")))
    }
}

struct Environment<G> {
    get: G,
}

struct Variable {
    name: String,
    value: String,
}

impl<G: Fn(&str) -> Option<String>> Environment<G> {
    /// `VAULT_X` or `BAO_X`. Both are fine as long as they agree.
    fn read(&self, suffix: &str) -> Result<Option<Variable>, SettingsError> {
        let of = |prefix: &str| {
            let name = format!("{prefix}_{suffix}");
            let value = (self.get)(&name).filter(|it| !it.is_empty())?;
            Some(Variable { name, value })
        };
        match (of("VAULT"), of("BAO")) {
            (Some(vault), Some(bao)) if vault.value != bao.value => Err(SettingsError::new(
                &vault.name,
                format!("says something else than {}", bao.name),
                "unset the one that isn't meant",
            )),
            (vault, bao) => Ok(vault.or(bao)),
        }
    }

    /// An agent comes before the server, as it does to Vault.
    fn address(&self) -> Result<Settings, SettingsError> {
        let variable = match self.read("AGENT_ADDR")? {
            Some(agent) => Some(agent),
            None => self.read("ADDR")?,
        };
        let Some(variable) = variable else { return Settings::new("https://127.0.0.1:8200") };
        Settings::new(&variable.value).map_err(|e| SettingsError { name: variable.name, ..e })
    }

    fn namespace(&self) -> Result<Option<String>, SettingsError> {
        let Some(it) = self.read("NAMESPACE")? else { return Ok(None) };
        let namespace = it.value.trim_matches('/');
        if namespace.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(
                it.error("holds a space or a control character", "write it like team/project")
            );
        }
        Ok(Some(namespace.to_string()).filter(|it| !it.is_empty() && it != "root"))
    }

    fn client_certificate(&self) -> Result<(Option<PathBuf>, Option<PathBuf>), SettingsError> {
        match (self.read("CLIENT_CERT")?, self.read("CLIENT_KEY")?) {
            (Some(cert), None) => {
                Err(cert.error("is set without its key", "set VAULT_CLIENT_KEY as well"))
            }
            (None, Some(key)) => {
                Err(key.error("is set without its certificate", "set VAULT_CLIENT_CERT as well"))
            }
            (cert, key) => Ok((cert.map(|it| it.value.into()), key.map(|it| it.value.into()))),
        }
    }

    fn proxy(&self) -> Result<Option<SecretString>, SettingsError> {
        let variable = match self.read("PROXY_ADDR")? {
            Some(it) => Some(it),
            None => self.read("HTTP_PROXY")?,
        };
        let Some(it) = variable else { return Ok(None) };
        match Url::parse(&it.value) {
            Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => {
                Ok(Some(it.value.into()))
            }
            _ => Err(it.error(
                "isn't the address of an HTTP proxy",
                "write it like http://proxy.example.com:3128",
            )),
        }
    }

    /// Better to stop than to go where the writer of these didn't mean.
    fn refuse_what_would_be_ignored(&self) -> Result<(), SettingsError> {
        if let Some(it) = self.read("SRV_LOOKUP")?
            && it.value.parse() != Ok(false)
            && it.value != "0"
        {
            let remedy = "name host and port in VAULT_ADDR, and unset this one";
            return Err(it.error("SRV records aren't looked up", remedy));
        }
        Ok(())
    }
}

impl Variable {
    fn error(&self, problem: impl Into<String>, remedy: impl Into<String>) -> SettingsError {
        SettingsError::new(&self.name, problem, remedy)
    }

    /// Go's grammar.
    fn switch(self) -> Result<bool, SettingsError> {
        match self.value.as_str() {
            "1" | "t" | "T" | "true" | "True" | "TRUE" => Ok(true),
            "0" | "f" | "F" | "false" | "False" | "FALSE" => Ok(false),
            other => {
                Err(self
                    .error(format!("`{other}` is neither true nor false"), "write true or false"))
            }
        }
    }

    fn count(self) -> Result<u32, SettingsError> {
        let it = self.value.trim();
        // "0 or less" means none to Vault.
        if it
            .strip_prefix('-')
            .is_some_and(|it| !it.is_empty() && it.bytes().all(|c| c.is_ascii_digit()))
        {
            return Ok(0);
        }
        it.parse()
            .map_err(|_| self.error(format!("`{it}` isn't a number"), "write a number such as 2"))
    }

    fn duration(self) -> Result<Duration, SettingsError> {
        let remedy = "write seconds such as 60, or a duration such as 90s or 1m30s";
        let Some(it) = vault_model::duration::parse(self.value.trim()) else {
            return Err(self.error(format!("`{}` isn't a duration", self.value), remedy));
        };
        match (u64::try_from(it.seconds), u32::try_from(it.nanoseconds)) {
            (Ok(seconds), Ok(nanoseconds)) if seconds > 0 || nanoseconds > 0 => {
                Ok(Duration::new(seconds, nanoseconds))
            }
            _ => Err(self.error("there is no waiting without an end", remedy)),
        }
    }
}
