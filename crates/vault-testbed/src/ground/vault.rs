//! A Vault server of its own for whoever asks: as a process, in a container, or one that is given.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::api::{Api, Health};
use super::backing::Backing;
use super::error::{Error, Result};
use super::run::Folder;
use super::vault_config::Seal;

/// Ended and removed when it is dropped; `stop` first where the end matters.
#[derive(Debug)]
pub struct VaultServer {
    /// `http://127.0.0.1:PORT`, or `https` with `ca_certificate`. It stays the same through `restart`.
    pub address: String,
    pub root_token: SecretString,
    /// What the server itself, and what runs beside it, calls it.
    pub own_address: String,
    /// Where the server may write files of its own, such as audit logs.
    pub own_folder: String,
    /// The authority that signed a TLS server's certificate, PEM.
    pub ca_certificate: Option<PathBuf>,
    /// From the start of the process or container until it was active.
    pub started_in: Duration,
    pub(super) api: Api,
    pub(super) unseal_key: Option<SecretString>,
    pub(super) seal: Seal,
    /// The Vault whose transit engine unseals it, and which ends with it.
    pub sealer: Option<Box<VaultServer>>,
    /// A plain dev server does.
    pub(super) initializes_itself: bool,
    /// Where the audit device writes, in the server's own eyes.
    pub(super) audit: Option<String>,
    /// What `sys/audit` was told: a server in memory has to be told again.
    pub(super) audit_by_api: Option<String>,
    pub(super) backing: Backing,
    /// Of a container: where its authority's certificate is. A process has its own.
    pub(super) _folder: Option<Folder>,
}

/// What a dev server says on standard output to whoever has started it; nothing keeps it from that. The same words anywhere
/// else are a secret in a log.
const GREETING: [&[u8]; 2] = [b"Unseal Key: ", b"Root Token: "];

fn without_greeting(log: &[u8]) -> Vec<u8> {
    let is_of_it = |line: &&[u8]| GREETING.iter().any(|it| line.starts_with(it));
    let lines = log.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !is_of_it(line)).flatten().copied().collect()
}

/// In a container.
pub(super) const PORT: u16 = 8200;
const READY_DEADLINE: Duration = Duration::from_secs(60);

impl VaultServer {
    /// From "the process runs" to "active", with an audit device where one is asked for.
    pub(super) async fn bring_up(&mut self, started_at: Instant) -> Result<()> {
        self.wait_for(|health| !matches!(health, Health::Unreachable)).await?;
        if !self.initializes_itself && self.api.health().await == Health::Uninitialized {
            let initialized = self.api.initialize(self.seal).await?;
            self.root_token = initialized.root_token;
            if let Some(key) = &initialized.unseal_key {
                self.api.unseal(key).await?;
            }
            self.unseal_key = initialized.unseal_key;
        }
        self.wait_for(|health| health == Health::Active).await?;
        self.started_in = started_at.elapsed();
        if let Some(file) = &self.audit_by_api {
            self.api.enable_audit_file(&self.root_token, file).await?;
        }
        Ok(())
    }

    pub async fn health(&self) -> Health {
        self.api.health().await
    }

    /// Has the OIDC key `default` sign with ES256. Else Vault makes two RSA keys for it at the first mount that is no
    /// key-value store (`lazyGenerateDefaultKey`, Vault 1.21): as much work as to start. A given Vault is left as it is.
    pub(crate) async fn spare_rsa_keys(&self) -> Result<()> {
        if matches!(self.backing, Backing::Given(_)) {
            return Ok(());
        }
        let body = json!({ "algorithm": "ES256" });
        self.api.put("identity/oidc/key/default", &self.root_token, body).await.map(drop)
    }

    pub async fn seal(&self) -> Result<()> {
        self.api.seal(&self.root_token).await
    }

    /// With the one key share of `Mode::Raft`. A dev server can't be unsealed: its key isn't known.
    pub async fn unseal(&mut self) -> Result<()> {
        let Some(key) = &self.unseal_key else {
            return Err(Error::Vault {
                address: self.address.clone(),
                request: "PUT sys/unseal".into(),
                why: "the unseal key of this server isn't known here; use `mode: raft`".into(),
            });
        };
        self.api.unseal(key).await?;
        self.wait_for(|health| health == Health::Active).await
    }

    /// Of a server that was initialized from here.
    pub fn unseal_key(&self) -> Option<&SecretString> {
        self.unseal_key.as_ref()
    }

    /// As an operator would: the server ends in order.
    pub async fn stop(&mut self) -> Result<()> {
        self.backing.stop().await
    }

    /// As a crash would: no warning, nothing flushed.
    pub async fn kill(&mut self) -> Result<()> {
        self.backing.kill().await
    }

    /// All that it has said, and who unseals it; without the greeting of a dev server.
    pub async fn log(&self) -> Vec<u8> {
        let mut log = self.backing.log().await;
        if self.initializes_itself {
            log = without_greeting(&log);
        }
        if let Some(sealer) = &self.sealer {
            log.extend(sealer.backing.log().await);
        }
        log
    }

    /// At the same address, unsealed. What a dev server held is gone; what raft held is there.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.start_again().await
    }

    /// After `stop` or `kill`.
    pub async fn start_again(&mut self) -> Result<()> {
        let started_at = Instant::now();
        self.backing.start_again().await?;
        self.wait_for(|health| health != Health::Unreachable).await?;
        match (self.api.health().await, self.unseal_key.is_some()) {
            (Health::Sealed | Health::Standby, true) => self.unseal().await?,
            // Nobody has to give it a key.
            _ if self.seal == Seal::Transit => {
                self.wait_for(|health| health == Health::Active).await?
            }
            // In memory only: it begins anew.
            _ => self.bring_up(started_at).await?,
        }
        self.started_in = started_at.elapsed();
        Ok(())
    }

    /// Every line that the audit device has written so far, in order.
    pub async fn audit_log(&self) -> Result<Vec<Value>> {
        let Some(path) = &self.audit else {
            return Err(Error::Ground {
                place: format!("Vault at {}", self.address),
                why: "it has no audit device from here; ask for one with `audit: true`".into(),
            });
        };
        let text = self.read_file(path).await?;
        // A line that is still being written has no end yet.
        let whole = text.rsplitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default();
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(serde_json::from_slice).collect::<std::result::Result<_, _>>().map_err(|error| {
            Error::Ground { place: "the audit log".into(), why: error.to_string() }
        })
    }

    /// A question of this name, for whoever looks for it in the audit log later: a policy that nobody has.
    pub async fn mark(&self, name: &str) {
        if self.audit.is_some() {
            self.api.ask(&format!("sys/policies/acl/{name}"), &self.root_token).await;
        }
    }

    /// A file in the server's own eyes: on this machine, or in its container.
    pub async fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        match &self.backing {
            Backing::Process { .. } => {
                tokio::fs::read(path).await.map_err(Error::file("read", path))
            }
            Backing::Container(container) => container.read_file(path).await,
            Backing::Given(address) => Err(Error::Missing {
                what: format!("a way to read files of the Vault at {address}"),
                remedy: "use `--on process` or `--on docker`".into(),
            }),
        }
    }

    /// Where servers of the same ground find it.
    pub(super) fn address_for_neighbours(&self) -> String {
        match &self.backing {
            Backing::Container(container) => format!("http://{}", container.address_within(PORT)),
            Backing::Process { .. } | Backing::Given(_) => self.address.clone(),
        }
    }

    /// For a child process that speaks to this server as Vault's own command line does.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("VAULT_ADDR", self.address.clone()),
            ("VAULT_TOKEN", self.root_token.expose_secret().to_owned()),
        ];
        env.extend(
            self.ca_certificate.as_ref().map(|path| ("VAULT_CACERT", path.display().to_string())),
        );
        env
    }

    /// The server's own process, where it is one.
    pub fn process_id(&self) -> Option<u32> {
        self.backing.process_id()
    }

    async fn wait_for(&mut self, is_reached: impl Fn(Health) -> bool) -> Result<()> {
        let (address, api) = (&self.address, &self.api);
        let asked = || async { is_reached(api.health().await).then_some(()) };
        self.backing.until(|| format!("Vault at {address}"), READY_DEADLINE, asked).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_dev_servers_log_only_its_greeting_is_left_out() {
        let log =
            "WARNING!\nUnseal Key: c2VhbA==\nRoot Token: root-1\n{\"token\":\"root-1\"}\nended";
        let left = String::from_utf8(without_greeting(log.as_bytes())).unwrap();
        assert_eq!(left, "WARNING!\n{\"token\":\"root-1\"}\nended");
    }
}
