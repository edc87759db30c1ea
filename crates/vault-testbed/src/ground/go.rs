//! A Go toolchain that is new enough: this machine's, or one that this machine's Go can fetch.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Error, Result};

/// How `go` is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toolchain {
    program: PathBuf,
    /// `GOTOOLCHAIN`: `local`, or the version that go 1.21 and newer fetch by themselves.
    choice: String,
}

impl Toolchain {
    /// `needed` such as `1.25.3`.
    pub fn find(needed: &str) -> Result<Self> {
        let program = ["go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go"]
            .iter()
            .find_map(|program| Some((PathBuf::from(program), version_of(Path::new(program))?)));
        let Some((program, version)) = program else {
            return Err(Error::Missing {
                what: format!("a Go {needed} to build it with"),
                remedy: "install Go, of any version (on Debian: apt-get install golang-go)".into(),
            });
        };
        match choose(&version, needed) {
            Choice::Local => Ok(Self { program, choice: "local".into() }),
            Choice::Switch => Ok(Self { program, choice: format!("go{needed}") }),
            Choice::Fetch => Self::fetch(&program, needed),
        }
    }

    /// In `folder`, with nothing of the caller's environment that would change the result.
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(folder).env("GOTOOLCHAIN", &self.choice).env("CGO_ENABLED", "0");
        command
            .env("GOWORK", "off")
            .env_remove("GOFLAGS")
            .env_remove("GOROOT")
            .env_remove("GOOS")
            .env_remove("GOARCH");
        command
    }

    /// A Go too old to switch by itself can still fetch the toolchain, which is a module like any other.
    fn fetch(program: &Path, needed: &str) -> Result<Self> {
        eprintln!("fetching Go {needed}: the one on this machine is too old");
        let module = format!("golang.org/toolchain@v0.0.1-go{needed}.{}", platform());
        let mut command = Command::new(program);
        command.args(["mod", "download", "-json", &module]).current_dir(std::env::temp_dir());
        command
            .env("GOWORK", "off")
            .env("GO111MODULE", "on")
            .env_remove("GOFLAGS")
            .stdin(Stdio::null());
        let output =
            command.output().map_err(|source| Error::Program { program: "go".into(), source })?;
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let Some(folder) =
            answer["Dir"].as_str().map(PathBuf::from).filter(|_| output.status.success())
        else {
            let why = answer["Error"]
                .as_str()
                .map_or_else(|| String::from_utf8_lossy(&output.stderr).into(), String::from);
            return Err(Error::Failed {
                program: format!("go mod download {module}"),
                status: output.status.to_string(),
                output: why,
            });
        };
        // Modules carry no permission to execute.
        let programs =
            [folder.join("bin"), folder.join("pkg/tool").join(platform().replace('-', "_"))];
        programs.iter().try_for_each(|programs| make_executable(programs))?;
        Ok(Self { program: folder.join("bin/go"), choice: "local".into() })
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Choice {
    Local,
    Switch,
    Fetch,
}

fn choose(version: &str, needed: &str) -> Choice {
    match numbers(version) {
        version if version >= numbers(needed) => Choice::Local,
        version if version >= vec![1, 21] => Choice::Switch,
        _ => Choice::Fetch,
    }
}

/// `go1.26.8`, `1.25rc1` and the like: what follows a letter doesn't count.
fn numbers(version: &str) -> Vec<u32> {
    let version = version.trim().trim_start_matches("go");
    let digits: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.split('.').map_while(|part| part.parse().ok()).collect()
}

fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program)
        .args(["env", "GOVERSION"])
        .env("GOTOOLCHAIN", "local")
        .stdin(Stdio::null())
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .filter(|version| !version.is_empty())
}

fn platform() -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("linux-{arch}")
}

fn make_executable(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(Error::file("read", folder))?;
    for entry in entries.flatten() {
        let path = entry.path();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(Error::file("make executable", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_enough_go_builds_an_older_one_fetches() {
        assert_eq!(choose("go1.26.8", "1.25.3"), Choice::Local);
        assert_eq!(choose("go1.25.3", "1.25.3"), Choice::Local);
        assert_eq!(choose("go1.25.2", "1.25.3"), Choice::Switch);
        assert_eq!(choose("go1.24rc2", "1.25.3"), Choice::Switch);
        assert_eq!(choose("go1.19.8", "1.25.3"), Choice::Fetch);
    }
}
