//! A far side's own programs on this machine.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::super::build::Pinned;
use super::super::process::User;
use super::super::python;
use super::{Error, FarSide, Result};

/// What a far side needs to be a process.
pub struct Programs {
    pub source: Source,
    /// In one folder; the first is asked for its version.
    pub names: &'static [&'static str],
    /// Beside the folders of PATH: a root, and the folder in it or in each of its own folders.
    pub places: &'static [(&'static str, &'static str)],
    /// Who runs it where this user is root: the first that the machine knows. None: root may.
    pub users: &'static [&'static str],
    /// The option by which a program says its version.
    pub version_option: &'static str,
    /// What is in its environment then, beside this one's.
    pub version_env: &'static [(&'static str, &'static str)],
    /// What stands before the version in what it says then.
    pub before_version: &'static str,
    /// Looked for once: each is asked for its version.
    pub found: OnceLock<Vec<Installation>>,
}

/// Where programs come from that this machine lacks.
pub enum Source {
    /// A package.
    Debian(&'static str),
    /// Built here, once.
    Go(Pinned),
    /// A package of a Python environment, a row in `ground/python.rs`, made once.
    Python { environment: &'static str, package: &'static str },
}

/// A folder of programs of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub folder: PathBuf,
    /// Such as `15.14`.
    pub version: String,
    pub(in crate::ground) user: Option<User>,
}

/// Where servers are that only root was meant to start.
const SBIN: [(&str, &str); 2] = [("/usr", "sbin"), ("/usr/local", "sbin")];

impl Source {
    pub fn remedy(&self) -> String {
        match self {
            Self::Debian(package) => {
                format!("install it (on Debian: apt-get install {package})")
            }
            Self::Go(_) => "install Go and build it once by `cargo xtask servers`".to_owned(),
            Self::Python { .. } => {
                "install Python and make its environment by `cargo xtask servers`".to_owned()
            }
        }
    }
}

impl Installation {
    /// The wanted version, else the newest.
    pub fn find(side: &'static FarSide, wanted: &str) -> Result<Self> {
        let mut found = Self::all(side);
        found.sort_by_key(|one| (one.is_of(wanted), one.numbers()));
        found.pop().ok_or_else(|| Error::Missing {
            what: format!("{} {wanted}", side.title),
            remedy: format!("{}, or have a container engine answer", side.programs.source.remedy()),
        })
    }

    /// The same, after what can be built is built: minutes the first time, nothing afterwards.
    pub async fn obtain(side: &'static FarSide, wanted: &str) -> Result<Self> {
        match &side.programs.source {
            Source::Debian(_) => {}
            Source::Go(pinned) => drop(pinned.find_or_build().await?),
            Source::Python { environment, .. } => drop(python::environment(environment).await?),
        }
        Self::find(side, wanted)
    }

    pub fn all(side: &'static FarSide) -> Vec<Self> {
        match &side.programs.source {
            Source::Go(pinned) => built(pinned, &side.programs).into_iter().collect(),
            Source::Python { environment, package } => {
                made(environment, package, &side.programs).into_iter().collect()
            }
            _ => side.programs.found.get_or_init(|| look(&side.programs)).clone(),
        }
    }

    /// `15` is of `15.14`, and `1` isn't.
    fn is_of(&self, wanted: &str) -> bool {
        let rest = self.version.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    fn numbers(&self) -> Vec<u32> {
        self.version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the server's user the owner, where it isn't this one.
    pub(super) fn give(&self, path: &Path) -> Result<()> {
        match &self.user {
            Some(user) => {
                chown(path, Some(user.uid), Some(user.gid)).map_err(Error::file("give away", path))
            }
            None => Ok(()),
        }
    }

    /// A file that nobody but the server's user can read.
    pub(super) fn write(&self, path: &Path, text: &str) -> Result<()> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let file = fs::File::options().create_new(true).write(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(Error::file("write", path))?;
        self.give(path)
    }
}

/// Where the program `name` is, be it where only root's PATH leads.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let sbin = SBIN.iter().map(|(root, folder)| Path::new(root).join(folder));
    path().into_iter().chain(sbin).map(|it| it.join(name)).find(|it| it.is_file())
}

fn path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// Each time anew: it may have been built since.
fn built(pinned: &Pinned, programs: &Programs) -> Option<Installation> {
    let binary = pinned.binary();
    let folder = binary.parent().filter(|_| binary.exists())?.to_owned();
    Some(Installation { folder, version: pinned.version.into(), user: user(programs) })
}

fn made(environment: &str, package: &str, programs: &Programs) -> Option<Installation> {
    let folder = python::programs(environment)?;
    let version = python::version(environment, package)?.to_owned();
    Some(Installation { folder, version, user: user(programs) })
}

fn user(programs: &Programs) -> Option<User> {
    User::is_root().then(|| User::first_of(programs.users)).flatten()
}

fn look(programs: &Programs) -> Vec<Installation> {
    let user = user(programs);
    let mut found: Vec<Installation> = Vec::new();
    for folder in folders(programs) {
        if !programs.names.iter().all(|name| folder.join(name).exists()) {
            continue;
        }
        let version = version_of(programs, &folder);
        let Some(version) =
            version.filter(|version| found.iter().all(|one| one.version != *version))
        else {
            continue;
        };
        found.push(Installation { folder, version, user: user.clone() });
    }
    found
}

fn folders(programs: &Programs) -> Vec<PathBuf> {
    let mut folders = path();
    for (root, name) in programs.places.iter().chain(&SBIN) {
        folders.push(Path::new(root).join(name));
        let versions = fs::read_dir(root).into_iter().flatten().flatten();
        folders.extend(versions.map(|version| version.path().join(name)));
    }
    folders
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`
fn version_of(programs: &Programs, folder: &Path) -> Option<String> {
    let mut command = Command::new(folder.join(programs.names[0]));
    command.arg(programs.version_option).stdin(Stdio::null());
    let output = command.envs(programs.version_env.iter().copied()).output().ok()?;
    let text = String::from_utf8([output.stdout, output.stderr].concat()).ok()?;
    let (_, version) = text.split_once(programs.before_version)?;
    let is_of_version = |letter: &char| letter.is_ascii_digit() || *letter == '.';
    Some(version.chars().take_while(is_of_version).collect()).filter(|it: &String| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_version_is_of_its_line_and_of_no_other() {
        let one =
            Installation { folder: "/usr/sbin".into(), version: "10.11.14".into(), user: None };
        assert!(one.is_of("10") && one.is_of("10.11") && one.is_of("10.11.14"));
        assert!(!one.is_of("1") && !one.is_of("10.1") && !one.is_of("10.11.140"));
    }

    #[test]
    fn a_program_is_asked_for_its_version_with_the_environment_of_its_row() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("toold");
        fs::write(&script, "#!/bin/sh\necho \"toold (tool) $1.$CALM, or so\"\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let programs = Programs {
            source: Source::Debian("toold"),
            names: &["toold"],
            places: &[],
            users: &[],
            version_option: "4",
            version_env: &[("CALM", "2")],
            before_version: "(tool) ",
            found: OnceLock::new(),
        };
        assert_eq!(version_of(&programs, folder.path()).as_deref(), Some("4.2"));
    }
}
