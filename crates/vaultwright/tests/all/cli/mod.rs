//! The command line against a real Vault: what a person sees, and the exit code that CI sees.

mod apply;
mod cluster;
mod login;
mod plan;
mod progress;
mod pty;
mod terminal;
mod trouble;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;
use vault_client::ExposeSecret;
use vault_testbed::ground::{Ground, Kind, VaultOptions, VaultServer};

/// A Vault, a folder with a spec, and the binary.
pub struct Bed {
    pub vault: VaultServer,
    pub folder: TempDir,
    ground: Ground,
    runtime: tokio::runtime::Runtime,
}

/// Two policies and a role that needs one of them.
pub const SPEC: &str = r#"
name: shop
sys:
  policies:
    app: { policy: 'path "secret/data/app/*" { capabilities = ["read"] }' }
    ops: { policy: 'path "secret/data/*" { capabilities = ["list"] }' }
auth:
  approle:
    type: approle
    roles:
      app: { token_policies: [app], token_ttl: 20m }
"#;

impl Bed {
    /// `None`, told on the standard output, where no server can be had.
    pub fn new(test: &str, options: &VaultOptions) -> Option<Bed> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let ground = runtime.block_on(Ground::open(Some(Kind::Process))).unwrap();
        match runtime.block_on(ground.vault(options)) {
            Ok(vault) => {
                let folder = tempfile::Builder::new().prefix("cli").tempdir().unwrap();
                let bed = Bed { vault, folder, ground, runtime };
                bed.write("spec.yaml", SPEC);
                Some(bed)
            }
            Err(err) if err.is_missing() => {
                println!("SKIPPED {test}: {err}");
                None
            }
            Err(err) => panic!("{err}"),
        }
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// `SPEC` in words stands for the spec's path.
    pub fn run(&self, words: &str) -> Ran {
        self.run_as(self.vault.root_token.expose_secret(), words)
    }

    pub fn run_as(&self, token: &str, words: &str) -> Ran {
        run(&self.vault.address, token, self.folder.path(), words)
    }

    /// For what is more than started and waited for.
    pub fn command(&self, words: &str) -> Command {
        let token = self.vault.root_token.expose_secret();
        command(&self.vault.address, token, self.folder.path(), words)
    }

    /// What `words` prints for programs, which is as the published schema says.
    #[track_caller]
    pub fn told(&self, of: &str, words: &str) -> serde_json::Value {
        let schema = serde_json::from_str(&self.run(&format!("schema {of}")).out()).unwrap();
        let told = serde_json::from_str(&self.run(words).out()).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        let problems: Vec<String> = schema.iter_errors(&told).map(|it| it.to_string()).collect();
        assert_eq!(problems, [""; 0], "{told:#}");
        told
    }

    /// A write past the tool.
    pub fn outside(&self, path: &str, body: serde_json::Value) -> serde_json::Value {
        self.runtime.block_on(async {
            let settings = vault_client::Settings::new(&self.vault.address).unwrap();
            let login = vault_client::Login::Token(self.vault.root_token.clone());
            let vault = vault_client::Vault::login(&settings, &login).await.unwrap();
            let answer = vault.write(path, body.as_object().unwrap().clone()).await.unwrap();
            answer.auth.map_or_else(
                || serde_json::Value::Object(answer.data.unwrap_or_default()),
                |it| it.client_token.expose_secret().into(),
            )
        })
    }

    /// Until an apply of many policies, the first of which is p0, has written that.
    pub fn until_begun(&self) {
        let began = std::time::Instant::now();
        while self.run("verify SPEC --target sys/policies/acl/p0").code() != 0 {
            assert!(began.elapsed() < std::time::Duration::from_secs(60), "nothing was written");
        }
    }

    pub fn block_on<T>(
        &mut self,
        work: impl FnOnce(&mut VaultServer) -> futures::future::BoxFuture<'_, T>,
    ) -> T {
        self.runtime.block_on(work(&mut self.vault))
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.ground.end());
    }
}

pub fn run(address: &str, token: &str, folder: &Path, words: &str) -> Ran {
    Ran(command(address, token, folder, words).output().unwrap())
}

fn command(address: &str, token: &str, folder: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaultwright"));
    command.args(words.split(' ').map(|it| it.replace("SPEC", "spec.yaml")));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    command.env("VAULT_ADDR", address).env("VAULT_TOKEN", token);
    command
}

/// What became of one command.
pub struct Ran(pub Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// Both streams, the code first, with this machine's ports and folders left out.
    pub fn shown(&self) -> String {
        let text = format!("{}{}", self.out(), String::from_utf8_lossy(&self.0.stderr));
        let mut shown = format!("exit {}\n", self.code());
        for line in text.lines() {
            shown.push_str(&without_port(line));
            shown.push('\n');
        }
        shown
    }
}

fn without_port(line: &str) -> String {
    let Some((before, after)) = line.split_once("127.0.0.1:") else { return line.to_owned() };
    let rest = after.trim_start_matches(|it: char| it.is_ascii_digit());
    format!("{before}127.0.0.1:PORT{rest}")
}
