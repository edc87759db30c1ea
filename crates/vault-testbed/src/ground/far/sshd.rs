//! An OpenSSH server with one account. At first only the admin and the test bed log in, by a key of each; whom else it takes
//! is told to it over SSH, as on a machine that people use.
//!
//! A statement is a script for the account's shell, a password a private key. Without being root, sshd lets in nobody but
//! whoever runs it: as a process that is the account. In a container it is root.

use std::fs;
use std::process::{Command, Output};
use std::sync::LazyLock;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;

use super::super::process::User;
use super::ssh::{complaint, new_key, public, run, silent};
use super::*;

pub static SSHD: FarSide = FarSide {
    word: "sshd",
    title: "OpenSSH",
    version: "9",
    database: "",
    keys: &[],
    port: 22,
    second_port: None,
    superuser: "root",
    new_password: Some(new_key),
    programs: Programs {
        source: Source::Debian("openssh-server"),
        names: &["sshd"],
        places: &[],
        users: &[],
        version_option: "-V",
        version_env: &[],
        before_version: "OpenSSH_",
        found: OnceLock::new(),
    },
    image: "",
    recipe: Recipe {
        packages: &["openssh-server"],
        hook: "true",
        dockerfile: include_str!("../../../../../fixtures/servers/images/sshd/Dockerfile"),
        entrypoint: None,
        version_command: "/usr/sbin/sshd -V 2>&1 | sed -n 's/.*OpenSSH_\\([0-9]*\\)\\..*/\\1/p'",
    },
    plugin: None,
    engine: None,
    gives: &[HOST_KEY],
    hello: "true",
    catalogue: "the accounts of its machine",
    launch: |run, new| launch(run, new).boxed(),
    first: Some(|server, _| name_account(server).boxed()),
    container,
    prepare: |server, _| prepare(server).boxed(),
    reset: None,
    ask_version: |login| ask_version(login).boxed(),
    say: |login, script| say(login, script).boxed(),
    look_up: |_, account| look_up(account),
    knows: |login, account| knows(login, account).boxed(),
    sessions: None,
    lasts: None,
};

/// Public, as a file of known hosts has it.
pub const HOST_KEY: &str = "host_key";
/// What sessions have in their environment: the folder of what says whom it takes.
const FOLDER: &str = "SSHD_TRUST";
const AUTHORITY: &str = "authority";
const PRINCIPALS: &str = "principals";
const START: &str = "start.sh";
const IN_CONTAINER: &str = "/etc/vaultwright-sshd";
/// Where a root's sshd gives up its rights.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

const SCRIPT: &str = include_str!("../../../../../fixtures/servers/sshd/start.sh");

/// What every sshd of this process shows of itself: whoever asks one from here needs to know no other. Should no key come
/// about, the server says so when it starts.
static HOST: LazyLock<SecretString> = LazyLock::new(|| new_key().unwrap_or_default());

type Asked<T> = std::result::Result<T, NoAnswer>;

async fn launch(_: &Arc<Run>, new: New<'_>) -> Result<Launch> {
    let New { installation, folder, port, passwords, .. } = &new;
    let place = folder.display().to_string();
    for (name, text) in files(&place, ("127.0.0.1", *port), passwords) {
        installation.write(&folder.join(name), &text)?;
    }
    if User::is_root() {
        fs::create_dir_all(PRIVILEGE_SEPARATION)
            .map_err(Error::file("create", PRIVILEGE_SEPARATION))?;
    }
    // It has to be named by its whole path, for it starts itself anew for each connection.
    let program = installation.program("sshd").display().to_string();
    let mut launch = new.launch("sshd", vec![format!("{place}/{START}"), program, place]);
    launch.program = "/bin/sh".into();
    Ok(launch)
}

fn container(_: &ServerOptions, passwords: &Passwords) -> Contained {
    let files = files(IN_CONTAINER, ("0.0.0.0", SSHD.port), passwords);
    let file = |(name, text): (&str, String)| (format!("{IN_CONTAINER}/{name}"), text.into_bytes());
    let start = format!("{IN_CONTAINER}/{START}");
    Contained {
        command: ["/bin/sh", &start, "/usr/sbin/sshd", IN_CONTAINER].map(String::from).into(),
        files: files.map(file).into(),
        ..Contained::default()
    }
}

fn files(
    folder: &str,
    (bind, port): (&str, u16),
    passwords: &Passwords,
) -> [(&'static str, String); 4] {
    let keys = [&passwords.superuser, &passwords.admin].map(|it| public(it) + "\n");
    [
        (START, SCRIPT.to_owned()),
        ("sshd_config", settings(folder, bind, port)),
        ("host_key", HOST.expose_secret().to_owned()),
        ("authorized_keys", keys.concat()),
    ]
}

/// What says whom it takes is read anew at each login. The folder lies below one that everybody may write to, which strict
/// modes forbid.
fn settings(folder: &str, bind: &str, port: u16) -> String {
    format!(
        "Port {port}
ListenAddress {bind}
HostKey {folder}/host_key
TrustedUserCAKeys {folder}/{AUTHORITY}
AuthorizedPrincipalsFile {folder}/{PRINCIPALS}
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
PrintMotd no
SetEnv {FOLDER}={folder}
LogLevel VERBOSE
"
    )
}

/// As a process: whoever runs it.
async fn name_account(server: &mut Server) -> Result<()> {
    let output = Command::new("id").arg("-un").output();
    let output = output.map_err(|source| Error::Program { program: "id".into(), source })?;
    server.superuser_name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(())
}

/// There is one account.
async fn prepare(server: &mut Server) -> Result<()> {
    server.admin_user.clone_from(&server.superuser_name);
    server.given.insert(HOST_KEY, public(&HOST).into());
    Ok(())
}

async fn ask_version(login: &Login) -> Asked<String> {
    let version = greeting(&login.address).await?;
    say(login, SSHD.hello).await?.done()?;
    Ok(version)
}

/// It says `SSH-2.0-OpenSSH_9.2p1` to whoever connects.
async fn greeting(address: &str) -> Asked<String> {
    let stream = TcpStream::connect(address).await.map_err(silent)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.map_err(silent)?;
    let version = line.strip_prefix("SSH-2.0-OpenSSH_").and_then(|it| it.split_whitespace().next());
    let version = version.map(str::to_owned);
    version.ok_or_else(|| NoAnswer(format!("`{}` is no greeting of OpenSSH's", line.trim())))
}

/// From now on it takes certificates of this authority that are for this principal, and no others.
pub async fn trust(login: &Login, authority: &str, principal: &str) -> Asked<Said> {
    let written =
        |name, text: &str| format!("printf '%s\\n' {} >\"${FOLDER}/{name}\"", quoted(text.trim()));
    let (authority, principal) = (written(AUTHORITY, authority), written(PRINCIPALS, principal));
    login.say(&format!("{authority} &&\n{principal}")).await
}

/// As a shell takes for one word, whatever it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

async fn say(login: &Login, script: &str) -> Asked<Said> {
    said(&run(login, &public(&HOST), script).await?)
}

/// What `ssh` itself ends with where it gets nothing done.
const NOT_THERE: i32 = 255;
const NOT_EXECUTABLE: i32 = 126;

fn said(output: &Output) -> Asked<Said> {
    let message = complaint(output);
    let lack = match output.status.code() {
        Some(0) => return Ok(Said::Done),
        Some(NOT_THERE) if message.contains("Permission denied (") => Lack::OfLogin,
        Some(NOT_THERE) | None => return Err(NoAnswer(message)),
        Some(NOT_EXECUTABLE) => Lack::OfRight,
        Some(_) if message.contains("Permission denied") => Lack::OfRight,
        Some(_) => Lack::OfSomething,
    };
    let code = output.status.code().unwrap_or_default().to_string();
    Ok(Said::Refused(Refusal { code, message, at_login: lack == Lack::OfLogin, lack }))
}

fn look_up(account: &str) -> String {
    format!("id -u -- {}", quoted(account))
}

async fn knows(login: &Login, account: &str) -> Asked<bool> {
    match say(login, &look_up(account)).await? {
        Said::Refused(refusal) if refusal.code == "1" => Ok(false),
        said => said.done().map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn heard(code: i32, complaint: &str) -> Asked<Said> {
        let status = ExitStatus::from_raw(code << 8);
        said(&Output { status, stdout: Vec::new(), stderr: complaint.into() })
    }

    #[test]
    fn who_is_not_let_in_is_told_from_a_command_that_fails_and_from_no_server() {
        let lack = |code, complaint: &str| match heard(code, complaint) {
            Ok(Said::Refused(it)) => Some((it.at_login, it.lack)),
            _ => None,
        };
        let refused = "app@127.0.0.1: Permission denied (publickey).\r\n";
        assert_eq!(lack(255, refused), Some((true, Lack::OfLogin)));
        let forbidden = "sh: 1: cannot create /etc/motd: Permission denied\n";
        assert_eq!(lack(2, forbidden), Some((false, Lack::OfRight)));
        assert_eq!(lack(1, ""), Some((false, Lack::OfSomething)));
        assert!(matches!(heard(0, ""), Ok(Said::Done)));
        let silent = heard(255, "ssh: connect to host 127.0.0.1 port 22: Connection refused\r\n");
        assert!(silent.is_err());
    }

    #[test]
    fn whatever_is_trusted_is_one_word_of_the_script() {
        assert_eq!(quoted("o'neil; rm x"), r"'o'\''neil; rm x'");
    }
}
