//! Python environments in which every package is pinned: made once, and kept in the user's cache.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::process::end_with_parent;

/// One row for each environment.
pub const REQUIREMENTS: &[Requirements] = &[
    Requirements {
        name: "rotation-loop",
        text: include_str!("../../../../fixtures/consumers/rotation-loop/requirements.txt"),
        before: None,
    },
    Requirements {
        name: "django-handler",
        text: include_str!("../../../../fixtures/consumers/django-handler/requirements.txt"),
        before: None,
    },
    Requirements {
        name: "airflow",
        text: include_str!("../../../../fixtures/consumers/airflow/requirements.txt"),
        before: None,
    },
    Requirements {
        name: "airflow-2",
        text: include_str!("../../../../fixtures/consumers/airflow/requirements-2.txt"),
        before: Some((3, 13)),
    },
    Requirements {
        name: "mongodb",
        text: include_str!("../../../../fixtures/servers/mongodb/requirements.txt"),
        before: None,
    },
    Requirements {
        name: "aws",
        text: include_str!("../../../../fixtures/servers/aws/requirements.txt"),
        before: None,
    },
];

/// What pip installs: each package with its exact version, and nothing that isn't listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    pub name: &'static str,
    pub text: &'static str,
    /// The first Python that they don't run on.
    pub before: Option<(u32, u32)>,
}

/// Made, and complete.
#[derive(Clone, Debug)]
pub struct Environment {
    pub folder: PathBuf,
    /// It was there before.
    pub was_there: bool,
}

/// The oldest Python that the pinned packages run on.
const OLDEST: (u32, u32) = (3, 11);
/// The machine's own, and those that may stand beside it.
const PROGRAMS: [&str; 4] = ["python3", "/usr/bin/python3", "python3.12", "python3.11"];
/// Nothing is built: what a package does while it's built is pinned by nobody.
pub(super) const PIP_INSTALL: [&str; 9] = [
    "-m",
    "pip",
    "install",
    "--no-input",
    "--disable-pip-version-check",
    "--quiet",
    "--no-deps",
    "--only-binary",
    ":all:",
];
/// Written last: a folder without it is one that was given up on the way.
const COMPLETE: &str = "complete";

impl Environment {
    pub fn program(&self) -> PathBuf {
        self.folder.join("bin/python")
    }
}

/// Of the row `name`. Waits where another call makes the same.
pub async fn environment(name: &str) -> Result<Environment> {
    let row = row(name).ok_or_else(|| Error::Ground {
        place: format!("the Python environment `{name}`"),
        why: "there is no such row".into(),
    })?;
    row.make().await
}

pub(super) fn row(name: &str) -> Option<&'static Requirements> {
    REQUIREMENTS.iter().find(|it| it.name == name)
}

/// The programs of the environment `name`, whichever Python it was made with: where it has been made, and no Python is
/// asked.
pub(super) fn programs(name: &str) -> Option<PathBuf> {
    let end = format!("-{}", row(name)?.hash());
    let is_of = |folder: &PathBuf| {
        let name_of = folder.file_name().map(|it| it.to_string_lossy().into_owned());
        let is_named = name_of.is_some_and(|it| it.starts_with(name) && it.ends_with(&end));
        is_named && folder.join(COMPLETE).exists()
    };
    let made = fs::read_dir(super::cache_folder().join("python")).ok()?;
    let mut folders: Vec<PathBuf> = made.flatten().map(|it| it.path()).filter(is_of).collect();
    folders.sort();
    folders.pop().map(|it| it.join("bin"))
}

/// The version of a package that the environment `name` has.
pub(super) fn version(name: &str, package: &str) -> Option<&'static str> {
    let of = |line: &'static str| line.split_once("==").filter(|(it, _)| *it == package);
    row(name)?.text.lines().find_map(of).map(|(_, version)| version)
}

impl Requirements {
    pub async fn make(&self) -> Result<Environment> {
        super::user_folder::ensure_ours()?;
        let python = &find(self.before).await?;
        let folder = self.folder(python);
        let complete = folder.join(COMPLETE);
        if complete.exists() {
            return Ok(Environment { folder, was_there: true });
        }
        let parent = folder.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        let _lock = lock(&folder.with_extension("lock")).await?;
        if complete.exists() {
            return Ok(Environment { folder, was_there: true });
        }
        eprintln!("making the Python environment {}, once", self.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(Error::file("remove", &folder))?;
        }
        self.install(python, &folder).await?;
        fs::write(&complete, "").map_err(Error::file("write", &complete))?;
        Ok(Environment { folder, was_there: false })
    }

    async fn install(&self, python: &Python, folder: &Path) -> Result<()> {
        let mut venv = Command::new(&python.program);
        venv.args(["-m", "venv"]).arg(folder);
        run(venv).await?;
        let list = folder.join("requirements.txt");
        fs::write(&list, self.text).map_err(Error::file("write", &list))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(PIP_INSTALL).arg("--requirement").arg(&list);
        run(pip).await
    }

    /// `python/django-handler-3.11.2-<hash>/` in the user's cache.
    fn folder(&self, python: &Python) -> PathBuf {
        let name = format!("{}-{}-{}", self.name, python.version, self.hash());
        super::cache_folder().join("python").join(name)
    }

    fn hash(&self) -> String {
        let hash = Sha256::digest(self.text.as_bytes());
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A Python that can make environments.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Python {
    program: PathBuf,
    /// Such as `3.11.2`.
    version: String,
}

/// What each `before` has found: the machine is asked once, which takes longer than some servers to start.
static FOUND: Mutex<BTreeMap<Option<(u32, u32)>, Python>> = Mutex::new(BTreeMap::new());

/// The first on this machine that is new enough, older than `before`, and has `venv`.
async fn find(before: Option<(u32, u32)>) -> Result<Python> {
    let known = || FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(python) = known().get(&before) {
        return Ok(python.clone());
    }
    let python = look(before).await?;
    known().insert(before, python.clone());
    Ok(python)
}

async fn look(before: Option<(u32, u32)>) -> Result<Python> {
    let mut seen = Vec::new();
    for program in PROGRAMS {
        let mut ask = Command::new(program);
        ask.args(["-c", "import platform, venv, ensurepip; print(platform.python_version())"]);
        let Ok(output) = output(ask).await else { continue };
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match (output.status.success(), suits(&version, before)) {
            (true, true) => return Ok(Python { program: program.into(), version }),
            (true, false) => seen.push(format!("{program} is {version}")),
            (false, _) => seen.push(format!("{program} has no venv")),
        }
    }
    let seen = if seen.is_empty() { "none is on PATH".to_owned() } else { seen.join(", ") };
    let (major, minor) = OLDEST;
    let end = before.map_or("or newer".to_owned(), |(major, minor)| {
        format!("or newer, but older than {major}.{minor},")
    });
    Err(Error::Missing {
        what: format!("a Python that makes environments ({seen})"),
        remedy: format!(
            "install Python {major}.{minor} {end} with its venv module, such as Debian's python3-venv"
        ),
    })
}

fn suits(version: &str, before: Option<(u32, u32)>) -> bool {
    number(version).is_some_and(|it| it >= OLDEST && before.is_none_or(|end| it < end))
}

fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|it| it.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// Held until it is dropped, by whatever way.
async fn lock(path: &Path) -> Result<fs::File> {
    let file = fs::File::create(path).map_err(Error::file("create", path))?;
    while file.try_lock().is_err() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(file)
}

async fn run(command: Command) -> Result<()> {
    let words = command.get_args().take(3).map(|it| it.to_string_lossy().into_owned());
    let words: Vec<String> = words.collect();
    let name = format!("{} {}", command.get_program().display(), words.join(" "));
    let output =
        output(command).await.map_err(|source| Error::Program { program: name.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    let output_tail = lines[lines.len().saturating_sub(15)..].join("\n");
    Err(Error::Failed { program: name, status: output.status.to_string(), output: output_tail })
}

/// From what else the user has set up for Python.
pub(super) fn isolate(command: &mut Command) {
    for variable in ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_REQUIRE_VIRTUALENV"] {
        command.env_remove(variable);
    }
}

/// Ended when nobody waits for it any more.
async fn output(mut command: Command) -> std::io::Result<std::process::Output> {
    isolate(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    end_with_parent(&mut command, Signal::KILL);
    tokio::process::Command::from(command).kill_on_drop(true).output().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_to_one_version() {
        for row in REQUIREMENTS {
            let lines = row.text.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
            for line in lines {
                let (name, version) = line.split_once("==").unwrap_or_default();
                let is_exact = !name.is_empty()
                    && version.starts_with(|it: char| it.is_ascii_digit())
                    && !line.contains([' ', '*', ',', ';', '<', '>', '/']);
                assert!(is_exact, "{}: {line}", row.name);
            }
        }
    }

    #[test]
    fn a_python_is_compared_by_numbers() {
        assert!(!suits("3.9.18", None));
        assert!(suits("3.11.0", None));
        assert!(suits("3.13.0rc1", None));
        assert!(!suits("nonsense", None));
    }

    #[test]
    fn a_python_may_be_too_new() {
        assert!(suits("3.12.9", Some((3, 13))));
        assert!(!suits("3.13.0", Some((3, 13))));
        assert!(!suits("3.9.18", Some((3, 13))));
    }
}
