//! A real Vault for a test: the binary of which the test bed knows.

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use vault_client::{Health, Login, Settings, Vault};
use vault_testbed::ground::servers;

/// Ended and its folder removed when dropped.
pub struct Server {
    child: Child,
    pub folder: TempDir,
    pub settings: Settings,
}

pub const ROOT: &str = "root-token-of-a-test";

impl Server {
    /// A dev server, unsealed, with KV v2 at `secret/`. None, and a line that says so, without a binary.
    pub async fn dev(test: &str) -> Option<Server> {
        let arguments = |_: &TempDir, port: u16| {
            vec![
                "-dev".into(),
                format!("-dev-root-token-id={ROOT}"),
                format!("-dev-listen-address=127.0.0.1:{port}"),
            ]
        };
        Server::start(test, "http", arguments, |it| it.is_some_and(|it| !it.sealed)).await
    }

    /// The same with TLS; its authority is in `vault-ca.pem` of the folder.
    pub async fn dev_tls(test: &str) -> Option<Server> {
        let arguments = |folder: &TempDir, port: u16| {
            vec![
                "-dev-tls".into(),
                format!("-dev-tls-cert-dir={}", folder.path().display()),
                format!("-dev-root-token-id={ROOT}"),
                format!("-dev-listen-address=127.0.0.1:{port}"),
            ]
        };
        Server::start(test, "https", arguments, |it| it.is_some_and(|it| !it.sealed)).await
    }

    /// A server that nobody has initialised.
    pub async fn fresh(test: &str) -> Option<Server> {
        let arguments = |folder: &TempDir, port: u16| {
            let config = folder.path().join("config.hcl");
            let text = format!(
                "storage \"inmem\" {{}}\ndisable_mlock = true\n\
                 listener \"tcp\" {{\n address = \"127.0.0.1:{port}\"\n tls_disable = true\n}}\n"
            );
            fs::write(&config, text).unwrap();
            vec![format!("-config={}", config.display())]
        };
        Server::start(test, "http", arguments, |it| it.is_some()).await
    }

    pub async fn root(&self) -> Vault {
        Vault::login(&self.settings, &Login::Token(ROOT.to_string().into())).await.unwrap()
    }

    async fn start(
        test: &str,
        scheme: &str,
        arguments: impl Fn(&TempDir, u16) -> Vec<String>,
        is_ready: impl Fn(Option<Health>) -> bool,
    ) -> Option<Server> {
        let Some(binary) = servers::find().unwrap() else {
            println!("SKIPPED {test}: there is no Vault server; `cargo xtask servers` builds one");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(binary.path)
            .arg("server")
            .args(arguments(&folder, port))
            .arg("-dev-no-store-token")
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.path().join("log")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut settings = Settings::new(&format!("{scheme}://127.0.0.1:{port}")).unwrap();
        settings.skip_verify = true;
        let mut server = Server { child, folder, settings: settings.clone() };
        let (vault, started) = (Vault::new(&settings).unwrap(), Instant::now());
        while !is_ready(vault.health().await.ok()) {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the server doesn't start: {}",
                server.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.settings.skip_verify = false;
        Some(server)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
