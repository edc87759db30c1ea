//! How a Vault server comes to be: as a process, in a container, or given.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::api::{Api, Health};
use super::backing::Backing;
use super::certificate::Certificates;
use super::container::{Container, Plan};
use super::docker::Engine;
use super::error::{Error, Result};
use super::process::{Launch, Stop};
use super::run::Run;
use super::seal::Sealer;
use super::vault::{PORT, VaultServer};
use super::vault_config::{Layout, Mode, Seal, VaultOptions, declared_audit};
use super::{images, loopback, new_secret, servers};

/// Between finding a free port and listening on it, somebody else may take it.
const PORT_ATTEMPTS: usize = 4;

/// As a process.
impl VaultServer {
    pub(super) async fn start_process(
        run: &Arc<Run>,
        options: &VaultOptions,
        sealer: Option<&Sealer>,
    ) -> Result<Self> {
        let binary = servers::find_or_build().await?;
        let mut attempt = 1;
        loop {
            match Self::try_process(run, options, sealer, &binary).await {
                Err(Error::Start { log, .. })
                    if log.contains("address already in use") && attempt < PORT_ATTEMPTS =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn try_process(
        run: &Arc<Run>,
        options: &VaultOptions,
        sealer: Option<&Sealer>,
        binary: &servers::Binary,
    ) -> Result<Self> {
        let folder = run.create_folder("vault")?;
        let certificates = options.tls.then(|| Certificates::make(&folder, &[])).transpose()?;
        let (port, cluster_port) = (loopback::free_port()?, loopback::free_port()?);
        let scheme = if options.tls { "https" } else { "http" };
        let address = format!("{scheme}://127.0.0.1:{port}");
        let audit = folder.join("audit.json").display().to_string();
        let declared = options.audit && binary.declares_audit().await?;
        let layout = Layout {
            listen: format!("127.0.0.1:{port}"),
            cluster_listen: format!("127.0.0.1:{cluster_port}"),
            api_address: address.clone(),
            cluster_address: format!("https://127.0.0.1:{cluster_port}"),
            data: create(folder.join("data"))?.display().to_string(),
            tls: certificates
                .as_ref()
                .map(|of| (of.certificate.display().to_string(), of.key.display().to_string())),
            declared_audit: declared.then(|| audit.clone()),
            unsealed_by: sealer.map(|it| it.address.clone()),
        };
        let root_token = new_secret("root")?;
        let mut launch = launch(binary, &folder, &root_token);
        launch.environment.extend(sealer.map(|it| (SEALER_TOKEN.into(), it.token.clone())));
        launch.arguments = if options.is_plain_dev() {
            let mut arguments = dev_arguments(&layout.listen);
            if let Some(file) = &layout.declared_audit {
                arguments.push(write_config(&folder, &declared_audit(file))?);
            }
            arguments
        } else {
            vec!["server".into(), write_config(&folder, &options.config_text(&layout))?]
        };
        let ca = certificates.map(|certificates| certificates.ca);
        let own_folder = create(folder.join("own"))?.display().to_string();
        let started_at = Instant::now();
        let backing = Backing::start(run, launch, folder)?;
        let mut server = Self {
            api: Api::new(&address, ca.as_deref())?,
            address,
            root_token,
            ca_certificate: ca,
            started_in: Duration::ZERO,
            unseal_key: None,
            seal: options.seal,
            sealer: None,
            initializes_itself: options.is_plain_dev(),
            own_address: layout.api_address,
            own_folder,
            audit_by_api: (options.audit && !declared).then(|| audit.clone()),
            audit: options.audit.then_some(audit),
            backing,
            _folder: None,
        };
        server.bring_up(started_at).await?;
        Ok(server)
    }
}

/// What a server is told by its environment wherever it runs. Go's collector comes later than by default: a quarter of a start
/// less to compute, for a tenth more memory.
fn environment(root_token: &SecretString) -> Vec<(String, SecretString)> {
    vec![
        ("GOGC".into(), "400".into()),
        ("VAULT_DEV_ROOT_TOKEN_ID".into(), root_token.clone()),
        ("BAO_DEV_ROOT_TOKEN_ID".into(), root_token.clone()),
    ]
}

/// The flags of a server without configuration. Its root token comes by environment.
fn dev_arguments(listen: &str) -> Vec<String> {
    let listen = format!("-dev-listen-address={listen}");
    ["server", "-dev", "-dev-no-store-token", &listen].map(String::from).to_vec()
}

fn launch(binary: &servers::Binary, folder: &Path, root_token: &SecretString) -> Launch {
    let mut environment = environment(root_token);
    environment.push(("HOME".into(), folder.display().to_string().into()));
    Launch {
        name: "vault".into(),
        program: binary.path.clone(),
        arguments: Vec::new(),
        environment,
        log: folder.join("server.log"),
        // A dev server greets with its root token and its unseal key.
        is_stdout_secret: true,
        folder: folder.to_owned(),
        user: None,
        stop_signal: Stop::Terminate,
        kill_signal: Stop::Kill,
    }
}

fn write_config(folder: &Path, text: &str) -> Result<String> {
    let path = folder.join(CONFIG);
    std::fs::write(&path, text).map_err(Error::file("write", &path))?;
    Ok(format!("-config={}", path.display()))
}

const CONFIG: &str = "server.hcl";
/// Where the seal looks for its token.
const SEALER_TOKEN: &str = "VAULT_TOKEN";

fn create(folder: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir(&folder).map_err(Error::file("create", &folder))?;
    Ok(folder)
}

/// For a given Vault: `VAULT_ADDR`, `VAULT_TOKEN`, `VAULT_CACERT`.
impl VaultServer {
    pub(super) async fn given(options: &VaultOptions) -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (Some(address), Some(token)) = (variable("VAULT_ADDR"), variable("VAULT_TOKEN")) else {
            return Err(Error::Missing {
                what: "the Vault of an `address` ground".into(),
                remedy:
                    "set VAULT_ADDR and VAULT_TOKEN (and VAULT_CACERT for an authority of your own)"
                        .into(),
            });
        };
        let is_plain = options.mode == Mode::Dev && options.seal == Seal::Shamir;
        if options.audit || !is_plain || !options.config.is_empty() {
            return Err(Error::Missing {
                what:
                    "a Vault with an audit log, a storage, a seal or a configuration of our choice"
                        .into(),
                remedy: format!("{address} is given as it is; use `--on process` or `--on docker`"),
            });
        }
        let ca_certificate = variable("VAULT_CACERT").map(PathBuf::from);
        let server = Self::at(&address, token.into(), ca_certificate)?;
        match server.health().await {
            Health::Active => Ok(server),
            health => Err(Error::Start {
                what: format!("Vault at {}", server.address),
                why: format!("it is not active but {health:?}"),
                log: String::new(),
            }),
        }
    }

    /// What is at an address, whatever its state. It is never stopped or started from here.
    pub fn at(address: &str, token: SecretString, ca_certificate: Option<PathBuf>) -> Result<Self> {
        let trimmed = address.trim_end_matches('/').to_owned();
        Ok(Self {
            api: Api::new(address, ca_certificate.as_deref())?,
            address: trimmed.clone(),
            root_token: token,
            ca_certificate,
            started_in: Duration::ZERO,
            unseal_key: None,
            seal: Seal::Shamir,
            sealer: None,
            initializes_itself: true,
            own_address: trimmed,
            own_folder: CONTAINER_LOGS.into(),
            audit: None,
            audit_by_api: None,
            backing: Backing::Given(address.to_owned()),
            _folder: None,
        })
    }
}

/// In a container. Paths are those of the official image, which a locally built one has too.
impl VaultServer {
    pub(super) async fn start_container(
        run: &Arc<Run>,
        engine: &Engine,
        network: &str,
        options: &VaultOptions,
        sealer: Option<&Sealer>,
    ) -> Result<Self> {
        let image = images::vault(engine).await?;
        let declared = options.audit && image.starts_with("openbao/");
        let folder = run.create_folder("vault")?;
        let names = [engine.host().await?];
        let certificates = options.tls.then(|| Certificates::make(&folder, &names)).transpose()?;
        let scheme = if options.tls { "https" } else { "http" };
        let root_token = new_secret("root")?;
        let layout = Layout {
            unsealed_by: sealer.map(|it| it.address.clone()),
            ..container_layout(scheme, declared, options.tls)
        };
        let mut plan = Plan {
            image,
            what: "vault",
            command: Vec::new(),
            environment: environment(&root_token),
            files: Vec::new(),
            tls: None,
            port: PORT,
            second_port: None,
        };
        plan.environment.push(("SKIP_SETCAP".into(), "1".into()));
        plan.environment.extend(sealer.map(|it| (SEALER_TOKEN.into(), it.token.clone())));
        let config = match (options.is_plain_dev(), &layout.declared_audit) {
            (true, None) => None,
            (true, Some(file)) => Some(declared_audit(file)),
            (false, _) => Some(options.config_text(&layout)),
        };
        plan.command = if options.is_plain_dev() {
            dev_arguments(&layout.listen)
        } else {
            vec!["server".into()]
        };
        if let Some(text) = config {
            plan.command.push(format!("-config={CONTAINER_FOLDER}/{CONFIG}"));
            plan.files.push((format!("{CONTAINER_FOLDER}/{CONFIG}"), text.into_bytes()));
        }
        if let (Some(made), Some((certificate, key))) = (&certificates, &layout.tls) {
            for (from, to) in [(&made.certificate, certificate), (&made.key, key)] {
                plan.files
                    .push((to.clone(), std::fs::read(from).map_err(Error::file("read", from))?));
            }
        }
        let ca = certificates.map(|certificates| certificates.ca);
        let started_at = Instant::now();
        let container = Container::start(run, engine, network, &plan).await?;
        let address = format!("{scheme}://{}", container.address_from_here());
        let mut server = Self {
            api: Api::new(&address, ca.as_deref())?,
            address,
            root_token,
            ca_certificate: ca,
            started_in: Duration::ZERO,
            unseal_key: None,
            seal: options.seal,
            sealer: None,
            initializes_itself: options.is_plain_dev(),
            own_address: layout.api_address,
            own_folder: CONTAINER_LOGS.into(),
            audit: options.audit.then(|| CONTAINER_AUDIT.into()),
            audit_by_api: (options.audit && !declared).then(|| CONTAINER_AUDIT.into()),
            backing: Backing::Container(Box::new(container)),
            _folder: Some(folder),
        };
        server.bring_up(started_at).await?;
        Ok(server)
    }
}

const CONTAINER_FOLDER: &str = "/vaultwright";
const CONTAINER_LOGS: &str = "/vault/logs";
const CONTAINER_AUDIT: &str = "/vault/logs/audit.json";

fn container_layout(scheme: &str, declared_audit: bool, tls: bool) -> Layout {
    Layout {
        listen: format!("0.0.0.0:{PORT}"),
        cluster_listen: "0.0.0.0:8201".into(),
        api_address: format!("{scheme}://127.0.0.1:{PORT}"),
        cluster_address: "https://127.0.0.1:8201".into(),
        data: "/vault/file".into(),
        tls: tls.then(|| {
            (format!("{CONTAINER_FOLDER}/server.pem"), format!("{CONTAINER_FOLDER}/server-key.pem"))
        }),
        declared_audit: declared_audit.then(|| CONTAINER_AUDIT.to_owned()),
        unsealed_by: None,
    }
}
