//! Which servers there are, and where this machine has one: a given binary, one on PATH, or one built here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use tokio::sync::Mutex;

use super::build;
use super::error::{Error, Result};

/// One row for each version that the test bed knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub name: &'static str,
    pub version: &'static str,
    /// The pinned module that a binary is built from; `None` where only a binary or an image can be had.
    pub module: Option<build::Module>,
    pub image: &'static str,
    /// What `cargo xtask images` makes instead.
    pub local_image: Option<&'static str>,
}

/// The first row is the default.
pub const VERSIONS: &[Version] = &[
    Version {
        name: "vault",
        version: "1.21.1",
        module: Some(build::Module {
            package: "github.com/hashicorp/vault",
            go_mod: include_str!("../../../../fixtures/servers/vault/go.mod"),
            go_sum: include_str!("../../../../fixtures/servers/vault/go.sum"),
            main: None,
            go: "1.25.3",
            takes: "8 minutes",
        }),
        image: "hashicorp/vault:1.21.1",
        local_image: Some("vaultwright/vault:1.21.1"),
    },
    Version {
        name: "openbao",
        version: "2.6.2",
        module: None,
        image: "openbao/openbao:2.6.2",
        local_image: None,
    },
];

/// A server's program on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    pub path: PathBuf,
    pub found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// `VAULTWRIGHT_SERVER`
    Given,
    OnPath,
    Built,
}

pub const GIVEN: &str = "VAULTWRIGHT_SERVER";

/// What is there already. An error only where `VAULTWRIGHT_SERVER` names something that can't be run.
pub fn find() -> Result<Option<Binary>> {
    super::user_folder::ensure_ours()?;
    let built = built_here().map(|pinned| pinned.binary());
    choose(std::env::var_os(GIVEN), &std::env::var_os("PATH").unwrap_or_default(), built)
}

/// The one that is given, else one on PATH, else the one that was built here.
fn choose(
    given: Option<OsString>,
    folders: &OsStr,
    built: Option<PathBuf>,
) -> Result<Option<Binary>> {
    if let Some(path) = given.filter(|path| !path.is_empty()).map(PathBuf::from) {
        return match is_program(&path) {
            true => Ok(Some(Binary { path, found: Found::Given })),
            false => Err(Error::Missing {
                what: format!("the server of {GIVEN}"),
                remedy: format!(
                    "{} is not an executable file; name a vault or bao binary, or unset it",
                    path.display()
                ),
            }),
        };
    }
    let on_path = ["vault", "bao"].iter().find_map(|name| {
        std::env::split_paths(folders).map(|folder| folder.join(name)).find(|path| is_program(path))
    });
    if let Some(path) = on_path {
        return Ok(Some(Binary { path, found: Found::OnPath }));
    }
    let built = built.filter(|path| is_program(path));
    Ok(built.map(|path| Binary { path, found: Found::Built }))
}

/// Builds where nothing is there: minutes the first time, nothing afterwards.
pub async fn find_or_build() -> Result<Binary> {
    if let Some(binary) = find()? {
        return Ok(binary);
    }
    let pinned =
        built_here().ok_or_else(|| none_to_be_had("no version in the table can be built"))?;
    match pinned.find_or_build().await {
        Ok(path) => Ok(Binary { path, found: Found::Built }),
        Err(missing) if missing.is_missing() => {
            Err(none_to_be_had("none is on PATH, and no Go to build one"))
        }
        Err(error) => Err(error),
    }
}

/// One message for whoever has none, with the three ways to get one.
pub(super) fn none_to_be_had(why: &str) -> Error {
    let go = VERSIONS.iter().find_map(|version| version.module).map_or("1.25", |module| module.go);
    Error::Missing {
        what: format!("a Vault server ({why})"),
        remedy: format!(
            "1. set {GIVEN} to a vault or bao binary, or put one on PATH; \
             2. install Go (the server is built once, about 8 minutes on 2 cores, with Go {go}); \
             3. start a container engine and use `--on docker`"
        ),
    }
}

impl Binary {
    /// OpenBao takes audit devices from its configuration only. Each binary is asked once.
    pub(super) async fn declares_audit(&self) -> Result<bool> {
        static ASKED: Mutex<BTreeMap<PathBuf, bool>> = Mutex::const_new(BTreeMap::new());
        let mut asked = ASKED.lock().await;
        if let Some(known) = asked.get(&self.path) {
            return Ok(*known);
        }
        let declares = self.version().await?.starts_with("OpenBao");
        asked.insert(self.path.clone(), declares);
        Ok(declares)
    }

    /// What it says of itself, such as `Vault v1.21.1`.
    pub async fn version(&self) -> Result<String> {
        let name = self.path.display().to_string();
        let mut command = tokio::process::Command::new(&self.path);
        let output = command.arg("version").kill_on_drop(true).output().await;
        let output = output.map_err(|source| Error::Program { program: name.clone(), source })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let words: Vec<&str> = text.split([' ', ',', '\n']).take(2).collect();
        match output.status.success() && words.len() == 2 {
            true => Ok(words.join(" ")),
            false => Err(Error::Failed {
                program: format!("{name} version"),
                status: output.status.to_string(),
                output: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
        }
    }
}

fn built_here() -> Option<build::Pinned> {
    VERSIONS.iter().find_map(|it| {
        Some(build::Pinned { name: it.name, version: it.version, module: it.module? })
    })
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs that could be servers: which one is chosen is all that matters here.
    fn programs(names: &[&str]) -> tempfile::TempDir {
        use std::os::unix::fs::OpenOptionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        for name in names {
            let mut file = std::fs::OpenOptions::new();
            file.write(true).create_new(true).mode(0o755);
            file.open(folder.path().join(name)).expect("a file");
        }
        folder
    }

    #[test]
    fn a_server_is_the_given_one_then_one_on_path_then_the_one_built_here() {
        let folder = programs(&["mine", "vault", "bao", "built"]);
        let other = programs(&["bao", "vault"]);
        let of = |name: &str| folder.path().join(name);
        let chosen = |given: Option<&str>, folders: &OsStr, built: &str| {
            let binary = choose(given.map(|it| of(it).into()), folders, Some(of(built)));
            binary.expect("no error").map(|it| (it.path, it.found))
        };
        let path = folder.path().as_os_str();
        let both = std::env::join_paths([other.path(), folder.path()]).expect("a PATH");
        let elsewhere = OsStr::new("/nowhere");
        assert_eq!(chosen(Some("mine"), path, "built"), Some((of("mine"), Found::Given)));
        assert_eq!(chosen(None, path, "built"), Some((of("vault"), Found::OnPath)));
        let first = other.path().join("vault");
        assert_eq!(chosen(None, &both, "built"), Some((first, Found::OnPath)));
        assert_eq!(chosen(None, elsewhere, "built"), Some((of("built"), Found::Built)));
        assert_eq!(chosen(None, elsewhere, "not-built"), None);
        let empty = choose(Some(OsString::new()), path, None).expect("no error");
        assert_eq!(empty.map(|it| it.found), Some(Found::OnPath), "empty counts as unset");
    }

    #[test]
    fn where_no_vault_is_on_path_bao_is_taken_and_what_cannot_be_run_is_passed_over() {
        let folder = programs(&["bao"]);
        std::fs::write(folder.path().join("vault"), "no program").expect("written");
        let binary = choose(None, folder.path().as_os_str(), None).expect("no error");
        assert_eq!(binary.map(|it| it.path), Some(folder.path().join("bao")));
    }

    #[test]
    fn a_given_server_that_is_none_is_an_error_and_nothing_else_is_taken() {
        let folder = programs(&["vault"]);
        let given = Some(folder.path().join("nowhere").into_os_string());
        let error = choose(given, folder.path().as_os_str(), None).expect_err("it is not there");
        assert!(error.to_string().contains("is not an executable file"), "{error}");
    }

    #[test]
    fn who_has_no_server_is_told_the_three_ways_to_one() {
        let told = none_to_be_had("none is here").to_string();
        for way in [GIVEN, "on PATH", "install Go", "--on docker"] {
            assert!(told.contains(way), "{way} is not in: {told}");
        }
        assert_eq!(told.lines().count(), 1);
    }
}
