//! Grounds: where scenarios run. Real servers as processes, in containers, or one that is given.

mod agent;
mod api;
mod backing;
mod build;
mod certificate;
mod consumer;
mod container;
mod docker;
mod docker_cli;
mod error;
pub mod far;
mod go;
pub mod images;
mod images_build;
mod images_python;
mod interrupt;
mod inventory;
mod kept;
mod loopback;
mod owner;
mod process;
pub mod python;
mod run;
mod seal;
pub mod servers;
mod spec;
mod stack;
mod user_folder;
mod vault;
mod vault_config;
mod vault_start;

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use ipnet::IpNet;
use secrecy::SecretString;
use tokio::sync::OnceCell;

pub use agent::{AgentLogin, AgentOptions, SECRET_ID_FILE, TOKEN_FILE, Template};
pub use api::Health;
pub use consumer::{Consumer, Program, write_private};
pub use docker::{OWNER_LABEL, RUN_LABEL};
pub use error::{Error, Result};
pub use far::{FAR_SIDES, FarSide, Login, OPENLDAP, POSTGRES, Server, ServerOptions, on_path};
pub use interrupt::interrupted;
pub use inventory::{Inventory, Line};
pub use run::{Run, Swept};
use seal::Sealer;
pub use spec::GroundSpec;
pub use stack::Stack;
pub use vault::VaultServer;
pub use vault_config::{Mode, Seal, VaultOptions};

use container::{Container, Plan};
use docker::Engine;
use far::{Contained, Installation, Passwords};
use kept::Kept;
use user_folder::{cache_folder, user_folder};

/// The kinds of ground, as `--on` and `VAULTWRIGHT_ON` name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Local binaries.
    Process,
    /// Containers on any engine that speaks Docker's API.
    Docker,
    /// A Vault that is given by VAULT_ADDR and VAULT_TOKEN; only what is safe there runs.
    Address,
}

/// One run's ground. Cheap to clone; what it started is ended by `end`, or when the last of it is dropped.
#[derive(Clone, Debug)]
pub struct Ground {
    kind: Kind,
    run: Arc<Run>,
    engine: Arc<OnceCell<(Engine, String)>>,
    kept: Kept,
    swept: Swept,
}

pub const CHOICE: &str = "VAULTWRIGHT_ON";
const LOOPBACK: &str = "127.0.0.1";

/// Where the servers of a process ground are asked from.
pub fn loopback_network() -> IpNet {
    IpAddr::V4(Ipv4Addr::LOCALHOST).into()
}

impl Ground {
    /// Sweeps what dead runs left, and begins a run. Without a choice: `VAULTWRIGHT_ON`, else what the machine has.
    pub async fn open(choice: Option<Kind>) -> Result<Self> {
        // Whichever server is asked first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let kind = match choice.map_or_else(Kind::from_env, |kind| Ok(Some(kind)))? {
            Some(kind) => kind,
            None => Kind::of_this_machine().await?,
        };
        let (run, swept) = Run::begin().await?;
        if !swept.is_empty() {
            tracing::info!("swept after dead runs: {swept}");
        }
        Ok(Self { kind, run, engine: Arc::default(), kept: Kept::default(), swept })
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn run(&self) -> &Run {
        &self.run
    }

    /// What dead runs had left, and is removed.
    pub fn swept(&self) -> Swept {
        self.swept
    }

    /// Where a Vault of its own is asked from; none where nobody knows.
    pub async fn networks(&self) -> Result<Vec<IpNet>> {
        match self.kind {
            Kind::Process => Ok(vec![loopback_network()]),
            // Of a port that is published, the container sees the gateway of its network.
            Kind::Docker => {
                let (engine, network) = self.engine().await?;
                Ok(engine.subnet(network).await?.into_iter().collect())
            }
            Kind::Address => Ok(Vec::new()),
        }
    }

    /// Where its servers find what listens on this machine, and nobody beyond the two does.
    pub async fn host(&self) -> Result<String> {
        match self.kind {
            Kind::Process => Ok(LOOPBACK.to_owned()),
            Kind::Docker => {
                let (engine, network) = self.engine().await?;
                engine.gateway(network).await
            }
            Kind::Address => Err(Error::Missing {
                what: "a process that a given Vault reaches".into(),
                remedy: "use `--on process` or `--on docker` for what needs servers".into(),
            }),
        }
    }

    /// A Vault of one's own: unsealed and active.
    pub async fn vault(&self, options: &VaultOptions) -> Result<VaultServer> {
        if options.seal == Seal::Shamir || self.kind == Kind::Address {
            return self.vault_alone(options, None).await;
        }
        // On disk, so that it can end and come back with its key.
        let of_sealer = VaultOptions { mode: Mode::Raft, ..VaultOptions::default() };
        let vault = self.vault_alone(&of_sealer, None).await?;
        let sealer = Sealer::prepare(&vault).await?;
        let mut sealed = self.vault_alone(options, Some(&sealer)).await?;
        sealed.sealer = Some(Box::new(vault));
        Ok(sealed)
    }

    async fn vault_alone(
        &self,
        options: &VaultOptions,
        sealer: Option<&Sealer>,
    ) -> Result<VaultServer> {
        match self.kind {
            Kind::Process => VaultServer::start_process(&self.run, options, sealer).await,
            Kind::Docker => {
                let (engine, network) = self.engine().await?;
                VaultServer::start_container(&self.run, engine, network, options, sealer).await
            }
            Kind::Address => VaultServer::given(options).await,
        }
    }

    /// A far side of one's own, answering queries, which nobody has changed. Without local programs it is a container on
    /// any ground.
    pub async fn server(&self, options: &ServerOptions) -> Result<Server> {
        let is_had = match options.side.original() {
            Some(original) => self.has(original, &options.version).await,
            None => false,
        };
        let options = &ServerOptions { side: options.side.or_original(is_had), ..options.clone() };
        if let Some(server) = self.kept.take(options).await {
            return Ok(server);
        }
        match self.kind {
            Kind::Docker => self.server_container(options).await,
            Kind::Process => match Server::start_process(&self.run, options).await {
                Err(missing) if missing.is_missing() => {
                    self.server_container(options).await.map_err(|_| missing)
                }
                other => other,
            },
            Kind::Address => Err(Error::Missing {
                what: format!("a {} that a given Vault reaches", options.side.title),
                remedy: "use `--on process` or `--on docker` for what needs servers".into(),
            }),
        }
    }

    /// Takes back what nobody needs any more: `server` gives it to the next who wants the like, as new.
    pub fn take_back(&self, server: Server) {
        self.kept.put(server);
    }

    /// Whether this machine has it, or its engine has or gets the official image.
    async fn has(&self, side: &'static FarSide, version: &str) -> bool {
        match self.kind {
            Kind::Process => !Installation::all(side).is_empty(),
            Kind::Docker => match self.engine().await {
                Ok((engine, _)) => images::far_side(engine, side, version).await.is_ok(),
                Err(_) => false,
            },
            Kind::Address => false,
        }
    }

    async fn server_container(&self, options: &ServerOptions) -> Result<Server> {
        let side = options.side;
        let (engine, network) = self.engine().await?;
        let image = images::far_side(engine, side, &options.version).await?;
        let passwords = Passwords::of(options)?;
        let Contained { command, environment, files, tls } = (side.container)(options, &passwords);
        let (what, port, second_port) = (side.word, side.port, side.second_port);
        let plan = Plan { image, what, command, environment, files, tls, port, second_port };
        let started_at = Instant::now();
        let container = Container::start(&self.run, engine, network, &plan).await?;
        // Where Vault is a process of this machine, it is no neighbour on the network.
        let is_vault_within = self.kind == Kind::Docker;
        Server::start_container(container, is_vault_within, options, passwords, started_at).await
    }

    /// The engine, and this run's network on it: made when first asked for.
    async fn engine(&self) -> Result<&(Engine, String)> {
        self.engine
            .get_or_try_init(|| async {
                let engine = Engine::connect().await?;
                self.run.mark_engine_used()?;
                let network = container::create_network(&self.run, &engine).await?;
                Ok((engine, network))
            })
            .await
    }

    /// Ends and removes everything that was started here, in use or not. Safe to call twice.
    pub async fn end(&self) -> Result<Swept> {
        // One after the other: an engine that removes many at once may forget to take one off its network.
        let ended = self.run.end().await;
        self.kept.end();
        ended
    }

    /// Runs `work` until it is done, fails, or is interrupted by Ctrl-C or SIGTERM; ends everything in any case.
    /// `signal`: `interrupted`, called before the ground was opened, so that none ends the program between the two.
    pub async fn until_done<T, E: From<Error>>(
        &self,
        signal: impl Future<Output = &'static str>,
        work: impl Future<Output = std::result::Result<T, E>>,
    ) -> std::result::Result<T, E> {
        let result = tokio::select! {
            result = work => result,
            signal = signal => Err(Error::Interrupted(signal).into()),
        };
        self.end().await?;
        result
    }
}

impl Kind {
    /// What `VAULTWRIGHT_ON` says.
    pub fn from_env() -> Result<Option<Self>> {
        match std::env::var(CHOICE) {
            Ok(text) if !text.is_empty() => text.parse().map(Some),
            _ => Ok(None),
        }
    }

    /// Processes where a server binary is there or can be built; containers where only an engine has what is needed.
    pub async fn of_this_machine() -> Result<Self> {
        if servers::find()?.is_some() {
            return Ok(Self::Process);
        }
        match Engine::connect().await {
            Ok(engine) if images::vault(&engine).await.is_ok() => Ok(Self::Docker),
            _ => Ok(Self::Process),
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "process" => Ok(Self::Process),
            "docker" => Ok(Self::Docker),
            "address" => Ok(Self::Address),
            _ => Err(Error::Ground {
                place: format!("ground `{text}`"),
                why: "there is no such ground; there are process, docker and address".into(),
            }),
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Docker => "docker",
            Self::Address => "address",
        })
    }
}

/// 128 random bits as text that needs quoting nowhere.
pub(crate) fn new_secret(prefix: &str) -> Result<SecretString> {
    let text: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{prefix}-{text}").into())
}

/// By chance, as the system has it.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())
        .map_err(|error| Error::Program { program: "getrandom".into(), source: error.into() })?;
    Ok(bytes)
}
