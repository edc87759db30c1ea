//! An OpenSSH server of its own: one account of this machine, which takes certificates of one authority.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backing::Backing;
use super::error::{Error, Result};
use super::process::{Launch, Stop};
use super::run::Run;
use super::{Ground, loopback};

/// Whom it lets in.
#[derive(Clone, Debug)]
pub struct SshdOptions {
    /// The public key of the authority that signs keys.
    pub authority: String,
    /// The one principal that its account takes.
    pub principal: String,
}

/// Ended and removed when it is dropped.
#[derive(Debug)]
pub struct Sshd {
    pub port: u16,
    /// The login of whoever runs this.
    pub account: String,
    /// What a client must know of the server's own key.
    pub known_hosts: PathBuf,
    /// `OpenSSH_9.2p1`
    pub version: String,
    backing: Backing,
}

const READY_DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);
/// What sshd gives up its rights in.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

impl Ground {
    /// Always a process of this machine: the account is one of its own.
    pub async fn sshd(&self, options: &SshdOptions) -> Result<Sshd> {
        Sshd::start(&self.run, options).await
    }
}

impl Sshd {
    async fn start(run: &Arc<Run>, options: &SshdOptions) -> Result<Self> {
        let program = program()?;
        let account = account()?;
        let folder = run.create_folder("sshd")?;
        let port = loopback::free_port()?;
        let host_key = make_host_key(&folder)?;
        let known_hosts =
            write(&folder, "known_hosts", &format!("[127.0.0.1]:{port} {host_key}\n"))?;
        let authority =
            write(&folder, "authority.pub", &format!("{}\n", options.authority.trim()))?;
        let principals = write(&folder, "principals", &format!("{}\n", options.principal))?;
        let config = [
            format!("Port {port}"),
            "ListenAddress 127.0.0.1".into(),
            format!("HostKey {}", folder.join(HOST_KEY).display()),
            format!("TrustedUserCAKeys {}", authority.display()),
            format!("AuthorizedPrincipalsFile {}", principals.display()),
            "AuthorizedKeysFile none".into(),
            "AuthenticationMethods publickey".into(),
            "PermitRootLogin prohibit-password".into(),
            // The folder lies below one that everybody may write to.
            "StrictModes no".into(),
            "UsePAM no".into(),
            "PidFile none".into(),
            "PrintMotd no".into(),
            "LogLevel VERBOSE".into(),
        ];
        let config = write(&folder, "sshd_config", &(config.join("\n") + "\n"))?;
        if rustix::process::getuid().is_root() {
            std::fs::create_dir_all(PRIVILEGE_SEPARATION)
                .map_err(Error::file("create", PRIVILEGE_SEPARATION))?;
        }
        let launch = Launch {
            name: "sshd".into(),
            program,
            arguments: ["-D", "-e", "-f"]
                .map(String::from)
                .into_iter()
                .chain([config.display().to_string()])
                .collect(),
            environment: Vec::new(),
            log: folder.join("server.log"),
            is_stdout_secret: false,
            folder: folder.to_owned(),
            user: None,
            stop_signal: Stop::Terminate,
            kill_signal: Stop::Kill,
        };
        let backing = Backing::start(run, launch, folder)?;
        let mut server = Self { port, account, known_hosts, version: String::new(), backing };
        server.version = server.greeting().await?;
        Ok(server)
    }

    /// The first line that it says to whoever connects.
    async fn greeting(&mut self) -> Result<String> {
        use tokio::io::{AsyncBufReadExt, BufReader};
        let began = Instant::now();
        loop {
            self.backing.still_runs("sshd")?;
            if let Ok(stream) = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await {
                let mut line = String::new();
                let mut stream = BufReader::new(stream);
                let read = stream.read_line(&mut line);
                let read = tokio::time::timeout(READY_DEADLINE, read).await;
                if let (Ok(Ok(_)), Some(version)) = (read, line.strip_prefix("SSH-2.0-")) {
                    return Ok(version.split_whitespace().next().unwrap_or_default().to_owned());
                }
            }
            if began.elapsed() > READY_DEADLINE {
                return Err(Error::Ground {
                    place: "sshd".into(),
                    why: format!("it does not answer on port {}", self.port),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    pub async fn stop(&mut self) -> Result<()> {
        self.backing.stop().await
    }
}

const HOST_KEY: &str = "host_key";

/// On PATH, or where a user's PATH does not lead. It has to be named by its whole path.
fn program() -> Result<PathBuf> {
    on_path("sshd").ok_or_else(|| Error::Missing {
        what: "sshd".into(),
        remedy: "install OpenSSH's server (Debian: openssh-server)".into(),
    })
}

/// Where the program `name` is.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|it| it.join(name)).find(|it| it.is_file())
}

/// The account that this process runs as: without being root, sshd lets nobody else in.
fn account() -> Result<String> {
    let output = Command::new("id").arg("-un").output();
    let output = output.map_err(|source| Error::Program { program: "id".into(), source })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A key of the server's own; the public half comes back.
fn make_host_key(folder: &Path) -> Result<String> {
    let path = folder.join(HOST_KEY);
    let failed = |why: String| Error::Ground { place: "the host key of sshd".into(), why };
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "vaultwright", "-f"])
        .arg(&path)
        .output()
        .map_err(|source| Error::Program { program: "ssh-keygen".into(), source })?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let public = path.with_extension("pub");
    let public = std::fs::read_to_string(&public).map_err(Error::file("read", &public))?;
    Ok(public.trim().to_owned())
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(Error::file("write", &path))?;
    Ok(path)
}
