//! One server in a container, on the network of its run, with its ports at this machine's loopback.

use std::collections::HashMap;

use futures::TryStreamExt;
use secrecy::{ExposeSecret, SecretString};
use testcontainers::bollard::models::{NetworkCreateRequest, PortBinding};
use testcontainers::bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, KillContainerOptionsBuilder, LogsOptions,
    LogsOptionsBuilder,
};
use testcontainers::core::{ContainerPort, IntoContainerPort};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};

use super::certificate::Authority;
use super::docker::{Engine, engine, remote_host};
use super::error::{Error, Result, chain};
use super::loopback;
use super::run::Run;

/// What to start.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// `name:tag`, which the engine already has.
    pub image: String,
    /// The name within the network begins with it.
    pub what: &'static str,
    pub command: Vec<String>,
    pub environment: Vec<(String, SecretString)>,
    /// Path within the container, and content.
    pub files: Vec<(String, Vec<u8>)>,
    /// Where it expects a certificate for its name in the network, and the key.
    pub tls: Option<(&'static str, &'static str)>,
    pub port: u16,
    pub second_port: Option<u16>,
}

/// Removed with its anonymous volumes soon after it is dropped.
pub(crate) struct Container {
    /// `None` only while it is dropped.
    inner: Option<ContainerAsync<GenericImage>>,
    engine: Engine,
    name: String,
    host: String,
    host_port: u16,
    second_host_port: Option<u16>,
}

const PORT_ATTEMPTS: usize = 4;
const LOG_TAIL_LINES: &str = "15";

impl Container {
    pub async fn start(run: &Run, engine: &Engine, network: &str, plan: &Plan) -> Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::try_start(run, engine, network, plan).await {
                Err(Error::Engine { why, .. })
                    if is_port_taken(&why) && attempt < PORT_ATTEMPTS =>
                {
                    attempt += 1
                }
                other => return other,
            }
        }
    }

    async fn try_start(run: &Run, engine: &Engine, network: &str, plan: &Plan) -> Result<Self> {
        let name = container_name(run, plan.what);
        let host = engine.host().await?;
        let host_port = loopback::free_port()?;
        let second_host_port = plan.second_port.map(|_| loopback::free_port()).transpose()?;
        let (image, tag) = plan.image.rsplit_once(':').unwrap_or((&plan.image, "latest"));
        let second = plan.second_port.zip(second_host_port);
        let ports = [Some((plan.port, host_port)), second].into_iter().flatten();
        let ports: Vec<(ContainerPort, u16)> = ports.map(|(it, host)| (it.tcp(), host)).collect();
        let binding = |(port, host_port): &(ContainerPort, u16)| {
            let (host_ip, host_port) = (Some(bind_address(&host)), Some(host_port.to_string()));
            (port.to_string(), Some(vec![PortBinding { host_ip, host_port }]))
        };
        let bindings: HashMap<_, _> = ports.iter().map(binding).collect();
        let image = GenericImage::new(image, tag);
        let mut request = ports
            .iter()
            .fold(image, |it, (port, _)| it.with_exposed_port(*port))
            .with_container_name(&name)
            .with_network(network)
            .with_labels(run.labels())
            .with_host_config_modifier(move |host| {
                host.publish_all_ports = Some(false);
                host.port_bindings = Some(bindings.clone());
            });
        if !plan.command.is_empty() {
            request = request.with_cmd(plan.command.iter().cloned());
        }
        for (variable, value) in &plan.environment {
            request = request.with_env_var(variable, value.expose_secret());
        }
        for (path, content) in &plan.files {
            request = request.with_copy_to(path, content.clone());
        }
        if let Some((certificate, key)) = plan.tls {
            let made = Authority::of_far_sides()?.certify(&[name.clone(), host.clone()])?;
            request = request
                .with_copy_to(certificate, made.certificate.into_bytes())
                .with_copy_to(key, made.key.into_bytes());
        }
        let inner = request
            .start()
            .await
            .map_err(|error| Error::engine(format!("start {}", plan.image), chain(&error)))?;
        let engine = engine.clone();
        Ok(Self { inner: Some(inner), engine, name, host, host_port, second_host_port })
    }

    /// Where other containers of the run find it.
    pub fn address_within(&self, port: u16) -> String {
        format!("{}:{port}", self.name)
    }

    pub fn address_from_here(&self) -> String {
        self.published_at(self.host_port)
    }

    pub fn second_address_from_here(&self) -> Option<String> {
        self.second_host_port.map(|port| self.published_at(port))
    }

    fn published_at(&self, host_port: u16) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{host_port}", self.host),
            false => format!("{}:{host_port}", self.host),
        }
    }

    pub async fn stop(&self) -> Result<()> {
        self.inner()?
            .stop_with_timeout(Some(5))
            .await
            .map_err(|error| Error::engine("stop", chain(&error)))
    }

    pub async fn kill(&self) -> Result<()> {
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        self.engine
            .docker()
            .kill_container(&self.name, Some(options))
            .await
            .map_err(engine("kill a container"))
    }

    pub async fn start_again(&self) -> Result<()> {
        self.inner()?.start().await.map_err(|error| Error::engine("start again", chain(&error)))
    }

    /// Copied out: a folder shared with the engine would hold files that only the container's user may remove.
    pub async fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        let archive = self.engine.docker().download_from_container(&self.name, Some(options));
        let chunks: Vec<_> = archive.try_collect().await.map_err(engine("copy a file out"))?;
        first_file(&chunks.concat())
            .ok_or_else(|| Error::engine(format!("copy {path} out"), "it is not a regular file"))
    }

    /// Standard error only: a dev server greets on standard output with its root token.
    pub async fn log_tail(&self) -> String {
        self.said(LogsOptionsBuilder::new().stderr(true).tail(LOG_TAIL_LINES).build()).await
    }

    pub async fn log(&self) -> Vec<u8> {
        let options = LogsOptionsBuilder::new().stderr(true).stdout(true).build();
        self.said(options).await.into_bytes()
    }

    async fn said(&self, options: LogsOptions) -> String {
        let lines =
            self.engine.docker().logs(&self.name, Some(options)).try_collect::<Vec<_>>().await;
        lines.unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    fn inner(&self) -> Result<&ContainerAsync<GenericImage>> {
        self.inner.as_ref().ok_or_else(|| Error::engine("use a container", "it is being removed"))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        // Its destructor waits: on the thread that drives the caller's task, it would swallow the wake-ups that meanwhile
        // come for that task, which then never goes on; and where no runtime turns any more, it would panic.
        std::mem::forget(inner);
        // What is left where nobody drives this, the run removes by its label.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (engine, name) = (self.engine.clone(), std::mem::take(&mut self.name));
            runtime.spawn(async move { engine.remove_container(&name).await });
        }
    }
}

impl std::fmt::Debug for Container {
    /// Not its environment, which holds passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Container")
            .field("name", &self.name)
            .field("address", &self.address_from_here())
            .finish()
    }
}

/// One for each run: its containers reach each other by name, and nothing else does.
pub(crate) async fn create_network(run: &Run, engine: &Engine) -> Result<String> {
    let name = format!("vaultwright-{}", run.id().to_string().to_lowercase());
    let request = NetworkCreateRequest {
        name: name.clone(),
        labels: Some(
            run.labels().into_iter().map(|(label, value)| (label.to_owned(), value)).collect(),
        ),
        ..NetworkCreateRequest::default()
    };
    engine
        .docker()
        .create_network(request)
        .await
        .map_err(super::docker::engine("create a network"))?;
    Ok(name)
}

/// Unique on the engine, for runs of several users.
pub(crate) fn container_name(run: &Run, what: &str) -> String {
    let id = run.id().to_string().to_lowercase();
    run.next_name(&format!("vaultwright-{}-{what}", &id[id.len() - 10..]))
}

/// Nobody but this machine reaches a test server, unless the engine is elsewhere.
fn bind_address(host: &str) -> String {
    let is_elsewhere = remote_host(std::env::var("DOCKER_HOST").ok().as_deref()).is_some();
    if is_elsewhere { "0.0.0.0".into() } else { host.to_owned() }
}

fn is_port_taken(why: &str) -> bool {
    why.contains("port is already allocated") || why.contains("address already in use")
}

const BLOCK: usize = 512;

/// The first regular file of a tar archive. Entries of other kinds (extended headers) are passed over.
fn first_file(archive: &[u8]) -> Option<Vec<u8>> {
    let mut rest = archive;
    while rest.len() >= BLOCK && rest[0] != 0 {
        let (header, after) = rest.split_at(BLOCK);
        let size = tar_number(&header[124..136])?;
        match header[156] {
            b'0' | 0 => return after.get(..size).map(<[u8]>::to_vec),
            b'5' => return None,
            _ => rest = after.get(size.div_ceil(BLOCK) * BLOCK..)?,
        }
    }
    None
}

/// Octal text, or, for what doesn't fit, big-endian bytes after a set first bit.
fn tar_number(field: &[u8]) -> Option<usize> {
    if field[0] & 0x80 != 0 {
        return Some(
            field[field.len() - 8..]
                .iter()
                .fold(0, |number, byte| number << 8 | usize::from(*byte)),
        );
    }
    let text = std::str::from_utf8(field).ok()?;
    usize::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut entry = vec![0; BLOCK];
        entry[0] = b'f';
        entry[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        entry[156] = kind;
        entry.extend_from_slice(content);
        entry.resize(entry.len().next_multiple_of(BLOCK), 0);
        entry
    }

    #[test]
    fn a_file_is_found_behind_an_extended_header() {
        let archive = [entry(b'x', b"30 mtime=1.5\n"), entry(b'0', b"{}\n{}\n")].concat();
        assert_eq!(first_file(&archive), Some(b"{}\n{}\n".to_vec()));
    }

    #[test]
    fn a_folder_or_half_an_archive_is_no_file() {
        assert_eq!(first_file(&entry(b'5', b"")), None);
        assert_eq!(first_file(&entry(b'0', &[7; 600])[..700]), None);
        assert_eq!(first_file(&[]), None);
    }
}
