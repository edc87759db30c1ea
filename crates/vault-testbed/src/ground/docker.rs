//! A container engine: whether it answers, what it has, and how everything of a run is removed from it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use testcontainers::bollard::models::IpamConfig;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::bollard::{Docker, errors::Error as EngineError};

use super::error::{Error, Result};
use super::owner::Identity;

/// On every container and network: the run that made it.
pub const RUN_LABEL: &str = "dev.vaultwright.run";
/// On every container and network: the process that made it, as `Identity` writes itself.
pub const OWNER_LABEL: &str = "dev.vaultwright.owner";

/// A connection of one's own, for one runtime: a pooled one may belong to a runtime that no longer turns.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    docker: Docker,
}

const PING_TIMEOUT: Duration = Duration::from_secs(5);
const REMOVAL_DEADLINE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Engine {
    pub async fn connect() -> Result<Self> {
        let docker =
            Docker::connect_with_defaults().map_err(|error| missing(&error.to_string()))?;
        match tokio::time::timeout(PING_TIMEOUT, docker.ping()).await {
            Ok(Ok(_)) => Ok(Self { docker }),
            Ok(Err(error)) => Err(missing(&error.to_string())),
            Err(_) => Err(missing("no answer within 5 s")),
        }
    }

    /// For sweeps: `None` without asking the network when no local socket is there.
    pub async fn connect_if_local() -> Option<Self> {
        match std::env::var_os("DOCKER_HOST").is_some()
            || std::path::Path::new("/var/run/docker.sock").exists()
        {
            true => Self::connect().await.ok(),
            false => None,
        }
    }

    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Where ports that it publishes are found: this machine's loopback, the host of `DOCKER_HOST`, or, within a
    /// container that was handed the engine's socket, the gateway of the engine's default network.
    pub async fn host(&self) -> Result<String> {
        if let Some(host) = remote_host(std::env::var("DOCKER_HOST").ok().as_deref()) {
            return Ok(host);
        }
        if !std::path::Path::new("/.dockerenv").exists() {
            return Ok("127.0.0.1".into());
        }
        let gateway = self.gateway_of("bridge").await?;
        Ok(gateway.unwrap_or_else(|| "127.0.0.1".into()))
    }

    /// What containers of a network find this machine by, and nobody else does.
    pub async fn gateway(&self, network: &str) -> Result<String> {
        let gateway = self.gateway_of(network).await?.unwrap_or_default();
        // Only an engine on this machine has made it an address of this machine.
        match std::net::TcpListener::bind((&*gateway, 0)) {
            Ok(_) => Ok(gateway),
            Err(_) => Err(Error::Missing {
                what: "a process that containers reach".into(),
                remedy: "the engine runs on another machine: use `--on process`".into(),
            }),
        }
    }

    async fn gateway_of(&self, network: &str) -> Result<Option<String>> {
        let mut addresses = self.addresses_of(network).await?;
        Ok(addresses.find_map(|config| config.gateway.filter(|text| !text.is_empty())))
    }

    /// All addresses of a network.
    pub async fn subnet(&self, network: &str) -> Result<Option<IpNet>> {
        let mut addresses = self.addresses_of(network).await?;
        Ok(addresses.find_map(|config| config.subnet?.parse().ok()))
    }

    async fn addresses_of(&self, network: &str) -> Result<impl Iterator<Item = IpamConfig>> {
        let options = None::<testcontainers::bollard::query_parameters::InspectNetworkOptions>;
        let seen = self.docker.inspect_network(network, options).await;
        let ipam = seen.map_err(engine("look at a network"))?.ipam;
        Ok(ipam.and_then(|ipam| ipam.config).into_iter().flatten())
    }

    /// Such as `20.10.24`.
    pub async fn version(&self) -> Result<String> {
        let version = self.docker.version().await.map_err(engine("ask for its version"))?;
        Ok(version.version.unwrap_or_default())
    }

    /// How many containers and networks were removed.
    pub async fn remove_of_run(&self, run: &str) -> Result<(usize, usize)> {
        self.remove(&format!("{RUN_LABEL}={run}"), |_| true).await
    }

    pub async fn remove_of_dead_owners(&self) -> Result<(usize, usize)> {
        self.remove(OWNER_LABEL, |labels| {
            let owner = labels.get(OWNER_LABEL).and_then(|owner| Identity::parse(owner));
            owner.is_some_and(|owner| owner.is_alive() == Some(false))
        })
        .await
    }

    async fn remove(
        &self,
        label: &str,
        is_chosen: impl Fn(&HashMap<String, String>) -> bool,
    ) -> Result<(usize, usize)> {
        let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
        let list = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let containers =
            self.docker.list_containers(Some(list)).await.map_err(engine("list containers"))?;
        let mut counts = (0, 0);
        for container in
            containers.iter().filter(|one| is_chosen(&one.labels.clone().unwrap_or_default()))
        {
            counts.0 += usize::from(
                self.remove_container(container.id.as_deref().unwrap_or_default()).await?,
            );
        }
        let list = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let networks =
            self.docker.list_networks(Some(list)).await.map_err(engine("list networks"))?;
        for network in
            networks.iter().filter(|one| is_chosen(&one.labels.clone().unwrap_or_default()))
        {
            let id = network.id.as_deref().unwrap_or_default();
            counts.1 += usize::from(self.remove_network(id).await?);
        }
        Ok(counts)
    }

    /// Once the containers are gone whose removal is under way. False when it was already gone.
    async fn remove_network(&self, id: &str) -> Result<bool> {
        let asked_at = Instant::now();
        loop {
            match self.docker.remove_network(id).await {
                // It is in use; nobody tells when it no longer is.
                Err(EngineError::DockerResponseServerError { status_code: 403, .. })
                    if asked_at.elapsed() < REMOVAL_DEADLINE =>
                {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                answer => return gone_is_fine(answer, "remove a network"),
            }
        }
    }

    /// With its anonymous volumes, and until both are gone. False when somebody else was quicker.
    pub async fn remove_container(&self, id: &str) -> Result<bool> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let asked_at = Instant::now();
        loop {
            match self.docker.remove_container(id, Some(options.clone())).await {
                // Its removal is under way, which may take longer than this process would live.
                Err(EngineError::DockerResponseServerError { status_code: 409, .. })
                    if asked_at.elapsed() < REMOVAL_DEADLINE =>
                {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                answer => return gone_is_fine(answer, "remove a container"),
            }
        }
    }
}

pub(crate) fn engine(action: &'static str) -> impl Fn(EngineError) -> Error {
    move |error| Error::engine(action, error)
}

/// 404: somebody else was quicker.
fn gone_is_fine(
    answer: std::result::Result<(), EngineError>,
    action: &'static str,
) -> Result<bool> {
    match answer {
        Ok(()) => Ok(true),
        Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(Error::engine(action, error)),
    }
}

/// The host of `DOCKER_HOST` where it is an address of the network, such as `tcp://10.0.0.1:2375`.
pub(crate) fn remote_host(docker_host: Option<&str>) -> Option<String> {
    let (scheme, rest) = docker_host?.split_once("://")?;
    if !["tcp", "http", "https"].contains(&scheme) {
        return None;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let without_port = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = without_port.trim_matches(['[', ']']);
    (!host.is_empty()).then(|| host.to_owned())
}

fn missing(why: &str) -> Error {
    Error::Missing {
        what: "a container engine".into(),
        remedy: format!(
            "none answers ({why}); start one, or set DOCKER_HOST, or use `--on process`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use testcontainers::bollard::models::ContainerCreateBody;
    use testcontainers::bollard::query_parameters::{
        CreateContainerOptions, InspectContainerOptions,
    };

    use super::{Engine, remote_host};

    /// Whoever is told that it is gone finds nothing of it, though another had begun to remove it.
    #[tokio::test]
    async fn nobody_goes_on_before_a_container_is_gone() {
        let name = "nobody_goes_on_before_a_container_is_gone";
        let Ok(engine) = Engine::connect().await else {
            return println!("SKIPPED {name}: no container engine answers");
        };
        let image = "vaultwright/postgres:latest";
        if engine.docker().inspect_image(image).await.is_err() {
            return println!("SKIPPED {name}: {image} is not built");
        }
        for _ in 0..5 {
            let body = ContainerCreateBody { image: Some(image.into()), ..Default::default() };
            let made = engine.docker().create_container(None::<CreateContainerOptions>, body);
            let id = made.await.unwrap().id;
            let removed = join_all((0..8).map(async |_| {
                engine.remove_container(&id).await.unwrap();
                let seen = engine.docker().inspect_container(&id, None::<InspectContainerOptions>);
                seen.await.is_err()
            }));
            assert_eq!(removed.await, [true; 8]);
        }
    }

    #[test]
    fn an_engine_elsewhere_is_known_by_its_host() {
        let of = |text| remote_host(Some(text));
        assert_eq!(of("tcp://10.0.0.1:2375").as_deref(), Some("10.0.0.1"));
        assert_eq!(of("https://docker.example:2376/").as_deref(), Some("docker.example"));
        assert_eq!(of("tcp://[fd00::1]:2375").as_deref(), Some("fd00::1"));
    }

    #[test]
    fn an_engine_behind_a_socket_is_here() {
        assert_eq!(remote_host(None), None);
        assert_eq!(remote_host(Some("unix:///var/run/docker.sock")), None);
        assert_eq!(remote_host(Some("tcp://")), None);
    }
}
