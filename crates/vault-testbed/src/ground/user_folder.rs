//! Where this user keeps what outlives a run: what was built once, and the records of runs.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::error::{Error, Result};

/// `XDG_CACHE_HOME/vaultwright`, else `~/.cache/vaultwright`.
pub(crate) fn cache_folder() -> PathBuf {
    user_folder("XDG_CACHE_HOME", ".cache")
}

/// `vaultwright` in one of the user's own folders, or, without a home, one of the temporary folder for this user.
pub(crate) fn user_folder(variable: &str, in_home: &str) -> PathBuf {
    match given(variable).or_else(|| home().map(|home| home.join(in_home))) {
        Some(folder) => folder.join("vaultwright"),
        None => homeless().join(in_home),
    }
}

/// To be called before anything of these folders is run, ended or removed. In the temporary folder, anybody could have
/// made one of that name first.
pub(super) fn ensure_ours() -> Result<()> {
    let is_in_home = home().is_some();
    let is_given = ["XDG_CACHE_HOME", "XDG_STATE_HOME"].iter().all(|it| given(it).is_some());
    if is_in_home || is_given { Ok(()) } else { make_ours(&homeless()) }
}

fn given(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|it| it.is_absolute())
}

fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|it| it.is_absolute())
}

fn homeless() -> PathBuf {
    std::env::temp_dir().join(format!("vaultwright-of-{}", user()))
}

fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Makes it for this user alone; one that is there already must be like that.
fn make_ours(folder: &Path) -> Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(Error::file("create", folder)(error));
        }
        _ => {}
    }
    // Of a link itself, and not of what it leads to.
    let found = fs::symlink_metadata(folder).map_err(Error::file("look at", folder))?;
    let why = match () {
        () if !found.is_dir() => "it is no folder",
        () if found.uid() != user() => "it belongs to somebody else",
        () if found.mode() & 0o022 != 0 => "others may write into it",
        () => return Ok(()),
    };
    Err(Error::Ground {
        place: folder.display().to_string(),
        why: format!(
            "{why}, and it would stand in for this user's home: remove it, or set HOME, or XDG_CACHE_HOME and XDG_STATE_HOME"
        ),
    })
}
