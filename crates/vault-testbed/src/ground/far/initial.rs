//! A data folder that is initialized once, kept in the user's cache, and copied ever after.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::super::run::Folder;
use super::{Error, FarSide, Installation, Result, Run};

/// How a side's data folder begins.
#[derive(Clone, Copy)]
pub struct Initial {
    pub side: &'static FarSide,
    /// To be raised with any change of the command.
    pub edition: u32,
    /// Given an empty folder, fills it.
    pub command: fn(&Installation, &Path) -> Command,
}

impl Initial {
    /// A fresh data folder at `target`, which the server's user owns. Initialized on the first call for a version;
    /// afterwards this takes no time.
    pub async fn put(
        self,
        run: &Arc<Run>,
        installation: &Installation,
        target: &Path,
    ) -> Result<()> {
        let (run, installation, target) = (run.clone(), installation.clone(), target.to_owned());
        let put = move || {
            let folder = self.make(&run, &installation)?;
            copy_tree(&folder, &target, &|path| installation.give(path))
        };
        let put = tokio::task::spawn_blocking(put).await;
        put.map_err(|error| Error::Ground {
            place: format!("a data folder of {}", self.side.title),
            why: error.to_string(),
        })?
    }

    fn make(self, run: &Run, installation: &Installation) -> Result<PathBuf> {
        let cache = super::super::cache_folder().join(self.side.word);
        fs::create_dir_all(&cache).map_err(Error::file("create", &cache))?;
        // How it is initialized is part of the name: another way is another folder.
        let folder = cache.join(format!("{}-{}", installation.version, self.edition));
        let lock_file = cache.join("lock");
        let lock = fs::File::create(&lock_file).map_err(Error::file("create", &lock_file))?;
        lock.lock().map_err(Error::file("lock", &lock_file))?;
        if !folder.exists() {
            let made = self.initialize(run, installation)?;
            let unborn = cache.join(format!(".new-{}", run.id()));
            copy_tree(&made, &unborn, &|_| Ok(()))?;
            fs::rename(&unborn, &folder).map_err(Error::file("rename", &unborn))?;
        }
        Ok(folder)
    }

    /// In the run's own folder, which the server's user can reach: a cache in root's home it can't.
    fn initialize(self, run: &Run, installation: &Installation) -> Result<Folder> {
        use std::os::unix::process::CommandExt;
        let folder = run.create_folder("initial")?;
        installation.give(&folder)?;
        let mut command = (self.command)(installation, &folder);
        command.env_clear().current_dir(&folder).stdin(Stdio::null());
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        if let Some(user) = &installation.user {
            command.uid(user.uid).gid(user.gid);
        }
        let name = command.get_program().to_string_lossy().into_owned();
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
