//! PostgreSQL's own programs on this machine, and a data folder that is initialized once and copied ever after.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use super::error::{Error, Result};
use super::process::User;
use super::run::{Folder, Run};

/// A folder of programs of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub folder: PathBuf,
    /// Such as `15.14`.
    pub version: String,
    /// PostgreSQL refuses to run as root: then this one runs it.
    pub(super) user: Option<User>,
}

/// An initialized data folder in the user's cache.
#[derive(Debug)]
pub(super) struct Template {
    folder: PathBuf,
}

/// Debian's place, Red Hat's, and where builds from source go.
const PLACES: [(&str, &str); 3] =
    [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/usr/local/pgsql", "bin")];

impl Installation {
    /// The wanted major version, else the newest.
    pub fn find(wanted: &str) -> Result<Self> {
        let mut found = Self::all();
        found.sort_by_key(|one| {
            (one.major() == wanted, one.major().parse::<u32>().unwrap_or_default())
        });
        found.pop().ok_or_else(|| Error::Missing {
            what: format!("PostgreSQL {wanted}"),
            remedy: "install it (on Debian: apt-get install postgresql), or have a container engine answer".into(),
        })
    }

    /// Looked for once: each is asked for its version.
    pub fn all() -> Vec<Self> {
        static FOUND: OnceLock<Vec<Installation>> = OnceLock::new();
        FOUND.get_or_init(Self::look).clone()
    }

    fn look() -> Vec<Self> {
        let user = match User::is_root() {
            true => User::first_of(&["postgres", "nobody"]),
            false => None,
        };
        let on_path =
            std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
        let mut folders = on_path.unwrap_or_default();
        for (root, bin) in PLACES {
            folders.push(Path::new(root).join(bin));
            let versions = fs::read_dir(root).into_iter().flatten().flatten();
            folders.extend(versions.map(|version| version.path().join(bin)));
        }
        let mut found: Vec<Self> = Vec::new();
        for folder in folders
            .iter()
            .filter(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        {
            let version = version_of(&folder.join("postgres"));
            let Some(version) =
                version.filter(|version| found.iter().all(|one| one.version != *version))
            else {
                continue;
            };
            found.push(Self { folder: folder.clone(), version, user: user.clone() });
        }
        found
    }

    pub fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or_default()
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
}

impl Template {
    /// Made on the first call for a version and user; afterwards this takes no time.
    pub async fn get(run: &Arc<Run>, installation: &Installation) -> Result<Self> {
        let (run, installation) = (run.clone(), installation.clone());
        let made = tokio::task::spawn_blocking(move || Self::make(&run, &installation)).await;
        made.map_err(|error| Error::Ground {
            place: "a PostgreSQL template".into(),
            why: error.to_string(),
        })?
    }

    fn make(run: &Run, installation: &Installation) -> Result<Self> {
        let cache = super::cache_folder().join("postgres");
        fs::create_dir_all(&cache).map_err(Error::file("create", &cache))?;
        // The settings of `initialize` are part of the name: another way of initializing is another template.
        let folder = cache.join(format!("{}-{TEMPLATE_EDITION}", installation.version));
        let lock_file = cache.join("lock");
        let lock = fs::File::create(&lock_file).map_err(Error::file("create", &lock_file))?;
        lock.lock().map_err(Error::file("lock", &lock_file))?;
        if !folder.exists() {
            let made = Self::initialize(run, installation)?;
            let unborn = cache.join(format!(".new-{}", run.id()));
            copy_tree(&made, &unborn, &|_| Ok(()))?;
            fs::rename(&unborn, &folder).map_err(Error::file("rename", &unborn))?;
        }
        Ok(Self { folder })
    }

    /// In the run's own folder, which the server's user can reach: a cache in root's home it can't.
    fn initialize(run: &Run, installation: &Installation) -> Result<Folder> {
        use std::os::unix::process::CommandExt;
        let folder = run.create_folder("initdb")?;
        installation.give(&folder)?;
        let program = installation.program("initdb");
        let mut command = Command::new(&program);
        command
            .arg("-D")
            .arg(folder.as_ref())
            .args(INITDB_FLAGS)
            .env_clear()
            .current_dir(&folder)
            .stdin(Stdio::null());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        if let Some(user) = &installation.user {
            command.uid(user.uid).gid(user.gid);
        }
        let name = program.display().to_string();
        let output =
            command.output().map_err(|source| Error::Program { program: name.clone(), source })?;
        match output.status.success() {
            true => Ok(folder),
            false => Err(Error::Failed {
                program: name,
                status: output.status.to_string(),
                output: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
        }
    }

    pub fn copy_to(&self, target: &Path, installation: &Installation) -> Result<()> {
        copy_tree(&self.folder, target, &|path| installation.give(path))
    }
}

/// To be raised with any change of the flags.
const TEMPLATE_EDITION: u32 = 1;
const INITDB_FLAGS: [&str; 8] = [
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--auth-local=trust",
    "--auth-host=scram-sha-256",
    "--no-sync",
    "--no-instructions",
    // The smallest there is: a sixteenth of what would have to be copied.
    "--wal-segsize=1",
];

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`
fn version_of(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split(' ')
        .nth(2)
        .map(|version| version.trim().to_owned())
        .filter(|version| !version.is_empty())
}

/// Folders and files only: a fresh data folder has nothing else. What is made, nobody but its owner can read.
fn copy_tree(from: &Path, to: &Path, give: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
    fs::create_dir(to).map_err(Error::file("create", to))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))
        .map_err(Error::file("restrict", to))?;
    give(to)?;
    for entry in fs::read_dir(from).map_err(Error::file("read", from))? {
        let entry = entry.map_err(Error::file("read", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(Error::file("read", &source))?.is_dir() {
            copy_tree(&source, &target, give)?;
        } else {
            fs::copy(&source, &target).map_err(Error::file("copy to", &target))?;
            give(&target)?;
        }
    }
    Ok(())
}
