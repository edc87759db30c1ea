//! What a Vault server is told at its start: flags, environment, configuration.

use serde::Deserialize;

/// How a Vault is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VaultOptions {
    pub mode: Mode,
    pub tls: bool,
    /// A file audit device from the first request on: `VaultServer::audit_log` reads it.
    pub audit: bool,
    pub seal: Seal,
    /// Any further server configuration, in Vault's own HCL.
    pub config: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In memory, unsealed, KV v2 at `secret/`. With TLS or further configuration: in memory, without that mount.
    #[default]
    Dev,
    /// One node with raft storage on disk, initialized and unsealed: what it holds survives a restart.
    Raft,
}

/// What a server needs to open what it keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seal {
    /// A share of a key, which somebody gives.
    #[default]
    Shamir,
    /// The transit engine of another Vault, which is started for it.
    Transit,
}

/// Where a server keeps and listens to what, in its own eyes: paths of the machine or of the container.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub listen: String,
    pub cluster_listen: String,
    /// What the server calls itself.
    pub api_address: String,
    pub cluster_address: String,
    pub data: String,
    /// Certificate and key.
    pub tls: Option<(String, String)>,
    /// A file device declared in the configuration, where the server refuses one by API.
    pub declared_audit: Option<String>,
    /// The address of the Vault that unseals it. The token for it comes by environment.
    pub unsealed_by: Option<String>,
}

impl VaultOptions {
    /// `-dev` takes no TLS files and no storage: anything beyond the plain server gets a configuration.
    pub(crate) fn is_plain_dev(&self) -> bool {
        let is_plain = !self.tls && self.seal == Seal::Shamir && self.config.is_empty();
        self.mode == Mode::Dev && is_plain
    }

    /// One file, in HCL.
    pub(crate) fn config_text(&self, layout: &Layout) -> String {
        let storage = match self.mode {
            Mode::Dev => "storage \"inmem\" {}\n".to_owned(),
            Mode::Raft => {
                let data = quoted(&layout.data);
                format!(
                    "storage \"raft\" {{\n  path = {data}\n  node_id = \"node-1\"\n  performance_multiplier = 1\n}}\n"
                )
            }
        };
        let tls = match &layout.tls {
            Some((certificate, key)) => {
                format!(
                    "  tls_cert_file = {}\n  tls_key_file = {}\n",
                    quoted(certificate),
                    quoted(key)
                )
            }
            None => "  tls_disable = true\n".to_owned(),
        };
        let audit = layout.declared_audit.as_deref().map(declared_audit).unwrap_or_default();
        let seal = layout.unsealed_by.as_deref().map(transit_seal).unwrap_or_default();
        format!(
            "{storage}listener \"tcp\" {{\n  address = {}\n  cluster_address = {}\n{tls}}}\n\
             api_addr = {}\ncluster_addr = {}\ndisable_mlock = true\n{audit}{seal}{}\n",
            quoted(&layout.listen),
            quoted(&layout.cluster_listen),
            quoted(&layout.api_address),
            quoted(&layout.cluster_address),
            self.config,
        )
    }
}

/// OpenBao's declarative audit device.
pub(crate) fn declared_audit(file: &str) -> String {
    format!(
        "audit \"file\" \"file\" {{\n  options {{\n    file_path = {}\n    mode = \"0644\"\n  }}\n}}\n",
        quoted(file)
    )
}

fn transit_seal(address: &str) -> String {
    format!(
        "seal \"transit\" {{\n  address = {}\n  key_name = {}\n  mount_path = \"transit/\"\n  disable_renewal = \"true\"\n}}\n",
        quoted(address),
        quoted(super::seal::KEY)
    )
}

/// HCL strings have JSON's escapes; `${` would begin an interpolation in HCL 2, and Vault reads HCL 1.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(options: VaultOptions, tls: bool, expected: Expect) {
        let layout = Layout {
            listen: "127.0.0.1:8200".into(),
            cluster_listen: "127.0.0.1:8201".into(),
            api_address: "http://127.0.0.1:8200".into(),
            cluster_address: "http://127.0.0.1:8201".into(),
            data: "/data".into(),
            tls: tls.then(|| ("/server.pem".into(), "/key.pem".into())),
            declared_audit: None,
            unsealed_by: (options.seal == Seal::Transit).then(|| "http://127.0.0.1:8300".into()),
        };
        expected.assert_eq(&options.config_text(&layout));
    }

    #[test]
    fn raft_says_mlock_and_fast_elections_explicitly() {
        check(
            VaultOptions { mode: Mode::Raft, ..VaultOptions::default() },
            true,
            expect![[r#"
                storage "raft" {
                  path = "/data"
                  node_id = "node-1"
                  performance_multiplier = 1
                }
                listener "tcp" {
                  address = "127.0.0.1:8200"
                  cluster_address = "127.0.0.1:8201"
                  tls_cert_file = "/server.pem"
                  tls_key_file = "/key.pem"
                }
                api_addr = "http://127.0.0.1:8200"
                cluster_addr = "http://127.0.0.1:8201"
                disable_mlock = true

            "#]],
        );
    }

    #[test]
    fn a_vault_that_another_unseals_holds_no_token_in_its_configuration() {
        check(
            VaultOptions { seal: Seal::Transit, ..VaultOptions::default() },
            false,
            expect![[r#"
                storage "inmem" {}
                listener "tcp" {
                  address = "127.0.0.1:8200"
                  cluster_address = "127.0.0.1:8201"
                  tls_disable = true
                }
                api_addr = "http://127.0.0.1:8200"
                cluster_addr = "http://127.0.0.1:8201"
                disable_mlock = true
                seal "transit" {
                  address = "http://127.0.0.1:8300"
                  key_name = "unseal"
                  mount_path = "transit/"
                  disable_renewal = "true"
                }

            "#]],
        );
    }

    #[test]
    fn a_dev_server_with_configuration_keeps_its_data_in_memory() {
        let options =
            VaultOptions { config: "default_lease_ttl = \"1h\"".into(), ..VaultOptions::default() };
        assert!(!options.is_plain_dev());
        check(
            options,
            false,
            expect![[r#"
                storage "inmem" {}
                listener "tcp" {
                  address = "127.0.0.1:8200"
                  cluster_address = "127.0.0.1:8201"
                  tls_disable = true
                }
                api_addr = "http://127.0.0.1:8200"
                cluster_addr = "http://127.0.0.1:8201"
                disable_mlock = true
                default_lease_ttl = "1h"
            "#]],
        );
    }
}
