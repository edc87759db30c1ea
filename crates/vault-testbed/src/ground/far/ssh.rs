//! The program `ssh`, and the keys that it logs in with.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::KeyPair;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::programs::on_path;
use super::*;

const TYPE: &str = "ecdsa-sha2-nistp256";
const CURVE: &str = "nistp256";
/// What a server is called where its key is noted: all of this process show the same.
const ALIAS: &str = "vaultwright-sshd";
/// It asks nobody, writes nothing down, and takes no other key than it is told.
const OPTIONS: [&str; 5] = [
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "ConnectTimeout=10",
];

/// A private key, as PEM. Without `ssh` it would be of no use.
pub(super) fn new_key() -> Result<SecretString> {
    if on_path("ssh").is_none() {
        return Err(Error::Missing {
            what: "ssh".into(),
            remedy: "install OpenSSH's client (on Debian: apt-get install openssh-client)".into(),
        });
    }
    let key = KeyPair::generate()
        .map_err(|error| Error::Ground { place: "a key for ssh".into(), why: error.to_string() })?;
    Ok(key.serialize_pem().into())
}

/// The public half, as files of OpenSSH have it; empty if there is none.
pub(super) fn public(key: &SecretString) -> String {
    let Ok(key) = KeyPair::from_pem(key.expose_secret()) else { return String::new() };
    let parts = [TYPE.as_bytes(), CURVE.as_bytes(), key.public_key_raw()];
    let blob: Vec<u8> = parts.into_iter().flat_map(with_length).collect();
    format!("{TYPE} {}", STANDARD.encode(blob))
}

/// As RFC 4251 writes what is of any length.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or_default();
    [&length.to_be_bytes(), bytes].concat()
}

/// What a file of known hosts says of a server with this key.
pub fn known_host(public: &str) -> String {
    format!("{ALIAS} {public}\n")
}

/// To the server of `login`, as its user. The command for the far end is still to be said.
pub fn ssh(login: &Login, key: &str, known_hosts: &str) -> Command {
    let mut command = Command::new("ssh");
    command.env_remove("SSH_AUTH_SOCK").args(["-F", "none", "-i", key]);
    let named = [format!("UserKnownHostsFile={known_hosts}"), format!("HostKeyAlias={ALIAS}")];
    for option in OPTIONS.into_iter().chain(named.iter().map(String::as_str)) {
        command.args(["-o", option]);
    }
    let host = login.host().trim_matches(['[', ']']);
    command.args(["-p", &login.port().to_string(), "-l", &login.user, host]);
    command.kill_on_drop(true);
    command
}

/// Has the far end's shell do what `script` says. `host`: the public key that the server shows.
pub(super) async fn run(
    login: &Login,
    host: &str,
    script: &str,
) -> std::result::Result<Output, NoAnswer> {
    let key = nameless(login.password.expose_secret())?;
    let known = nameless(&known_host(host))?;
    let mut command = ssh(login, &place(&key), &place(&known));
    command.arg("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(silent)?;
    if let Some(mut stdin) = child.stdin.take() {
        // Who is not let in hears nothing of it.
        let _ = stdin.write_all(script.as_bytes()).await;
    }
    child.wait_with_output().await.map_err(silent)
}

/// A file that nobody else can read, and of which nothing is left.
fn nameless(text: &str) -> std::result::Result<File, NoAnswer> {
    let mut file = tempfile::tempfile().map_err(silent)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(silent)?;
    file.write_all(text.as_bytes()).map_err(silent)?;
    Ok(file)
}

/// Where programs that this one starts find it.
fn place(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

pub(super) fn silent(error: std::io::Error) -> NoAnswer {
    NoAnswer(error.to_string())
}

/// What a program has complained of, in one line.
pub fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_has_the_public_half_that_openssh_reads_in_it() {
        if on_path("ssh-keygen").is_none() {
            return println!("SKIPPED: there is no ssh-keygen");
        }
        let key = new_key().expect("a key");
        let file = nameless(key.expose_secret()).expect("a file");
        let output = Command::new("ssh-keygen").args(["-y", "-f", &place(&file)]).output().await;
        let output = output.expect("ssh-keygen");
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(told.trim(), public(&key), "{}", complaint(&output));
    }
}
