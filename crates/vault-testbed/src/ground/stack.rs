//! Everything that a spec needs around it, started together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use futures::future::try_join_all;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::Ground;
use super::error::{Error, Result};
use super::far::{Server, ServerOptions};
use super::spec::{GroundSpec, VAULT_NAME, meaning, meaning_of_vault};
use super::vault::VaultServer;

/// A Vault, the servers of `ground.yaml`, and the values of the spec's variables that it binds.
pub struct Stack {
    pub vault: VaultServer,
    pub servers: BTreeMap<String, Server>,
    /// Some are secret: the spec says which.
    pub vars: BTreeMap<String, Value>,
    /// When each was asked for and when it answered; Vault, too.
    pub starts: BTreeMap<String, Range<Instant>>,
}

impl Ground {
    pub async fn stack(&self, spec: &GroundSpec) -> Result<Stack> {
        let servers = spec.servers.iter().map(|(_, options)| timed(self.server(options)));
        let ((vault, of_vault_s_start), servers) =
            tokio::try_join!(timed(self.vault(&spec.vault)), try_join_all(servers))?;
        let (servers, starts): (Vec<Server>, Vec<_>) = servers.into_iter().unzip();
        let known = spec.servers.iter().zip(&servers).map(|((name, options), server)| {
            // A machine may have decided it.
            let admin_user = server.admin_user.clone();
            let options = &ServerOptions { admin_user, ..options.clone() };
            let value = meaning(
                &server.address_for_vault,
                &server.address_from_here,
                options,
                server.admin_password.expose_secret(),
                |name| server.given.get(name).map_or("", |it| it.expose_secret()).to_owned(),
            );
            (name.clone(), value)
        });
        let known =
            known.chain(spec.of_absent()).chain([(VAULT_NAME.to_owned(), of_vault(&vault)?)]);
        let vars = spec.clone().vars(known.collect())?.into_iter().collect();
        let names = || spec.servers.iter().map(|(name, _)| name.clone());
        let starts = names().zip(starts).chain([(VAULT_NAME.to_owned(), of_vault_s_start)]);
        let starts = starts.collect();
        Ok(Stack { vault, servers: names().zip(servers).collect(), vars, starts })
    }
}

async fn timed<T>(start: impl Future<Output = Result<T>>) -> Result<(T, Range<Instant>)> {
    let begun = Instant::now();
    let started = start.await?;
    Ok((started, begun..Instant::now()))
}

fn of_vault(vault: &VaultServer) -> Result<Value> {
    let ca = match &vault.ca_certificate {
        Some(path) => std::fs::read_to_string(path).map_err(Error::file("read", path))?,
        None => String::new(),
    };
    Ok(meaning_of_vault(&vault.own_address, &vault.own_folder, &ca))
}

impl Stack {
    /// Ends its servers now, in order. Dropping it ends them too.
    pub async fn end(mut self) -> Result<()> {
        for server in self.servers.values_mut() {
            server.stop().await?;
        }
        match self.vault.stop().await {
            Err(Error::NotOurs(_)) => Ok(()),
            other => other,
        }
    }
}

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let vars: Vec<&String> = self.vars.keys().collect();
        f.debug_struct("Stack")
            .field("vault", &self.vault)
            .field("servers", &self.servers)
            .field("vars", &vars)
            .finish()
    }
}
