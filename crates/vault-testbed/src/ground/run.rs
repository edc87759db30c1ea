//! One run of the tool: what it started is on record, so that it, or the next run, can end all of it.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::docker::Engine;
use super::error::{Error, Result};
use super::owner::Identity;
use super::process::Record;

/// A run owns `<state>/runs/<ulid>/`, locked for as long as it lives, and a work folder beside the machine's other
/// temporary files, where servers that run as another user can reach theirs.
#[derive(Debug)]
pub struct Run {
    id: Ulid,
    owner: Identity,
    state: PathBuf,
    work: PathBuf,
    uses_engine: AtomicBool,
    next_number: AtomicU32,
    is_ended: AtomicBool,
    /// Released by the kernel, whatever way the process ends: that is how a dead run is told from a living one.
    _lock: File,
}

/// A server's folder, removed with the server: hundreds of scenarios would fill a disk.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// What a sweep found and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub runs: usize,
    pub processes: usize,
    pub containers: usize,
    pub networks: usize,
    pub folders: usize,
}

/// `<state>/runs/<ulid>/run.json`, the locked file.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    owner: Identity,
    work: PathBuf,
}

const NOTE: &str = "run.json";
const ENGINE_MARK: &str = "engine";
const PROCESSES: &str = "processes";
/// A run's folder has this name until its lock is held, so that no sweep takes it for a dead one.
const UNBORN: &str = ".new-";

impl Run {
    /// Sweeps what dead runs left, then begins.
    pub async fn begin() -> Result<(Arc<Self>, Swept)> {
        let swept = Self::sweep().await?;
        Ok((Arc::new(Self::create(&runs_folder())?), swept))
    }

    /// Removes what runs that are no longer alive have left: processes, containers, networks, folders.
    pub async fn sweep() -> Result<Swept> {
        super::user_folder::ensure_ours()?;
        let mut swept = sweep_records(&runs_folder()).await?;
        // Records can be lost, labels stay. Asking costs a millisecond where an engine listens, and nothing elsewhere.
        if let Some(engine) = Engine::connect_if_local().await {
            let (containers, networks) = engine.remove_of_dead_owners().await?;
            swept.containers += containers;
            swept.networks += networks;
        }
        Ok(swept)
    }

    fn create(runs: &Path) -> Result<Self> {
        let id = Ulid::generate();
        let unborn = runs.join(format!("{UNBORN}{id}"));
        let state = runs.join(id.to_string());
        let work =
            std::env::temp_dir().join(format!("vaultwright-{}", id.to_string().to_lowercase()));
        let owner = Identity::of_this_process();
        fs::create_dir_all(unborn.join(PROCESSES)).map_err(Error::file("create", &unborn))?;
        let note = unborn.join(NOTE);
        let lock = File::create(&note).map_err(Error::file("create", &note))?;
        lock.lock().map_err(Error::file("lock", &note))?;
        let text = serde_json::to_vec_pretty(&Note { owner: owner.clone(), work: work.clone() })
            .expect("a note has string keys only");
        fs::write(&note, text).map_err(Error::file("write", &note))?;
        fs::rename(&unborn, &state).map_err(Error::file("rename", &unborn))?;
        create_folder(&work, 0o711)?;
        Ok(Self {
            id,
            owner,
            state,
            work,
            uses_engine: AtomicBool::new(false),
            next_number: AtomicU32::new(1),
            is_ended: AtomicBool::new(false),
            _lock: lock,
        })
    }

    pub fn id(&self) -> Ulid {
        self.id
    }

    /// The labels of everything that this run has an engine make.
    pub fn labels(&self) -> [(&'static str, String); 2] {
        [
            (super::docker::RUN_LABEL, self.id.to_string()),
            (super::docker::OWNER_LABEL, self.owner.to_string()),
        ]
    }

    /// Different for each call, for folders and containers of one run.
    pub(crate) fn next_name(&self, what: &str) -> String {
        format!("{what}-{}", self.next_number.fetch_add(1, Ordering::Relaxed))
    }

    /// Where this run keeps what goes with it.
    pub fn folder(&self) -> &Path {
        &self.work
    }

    /// An empty folder which only this user (and root) can enter.
    pub(crate) fn create_folder(&self, what: &str) -> Result<Folder> {
        let path = self.work.join(self.next_name(what));
        create_folder(&path, 0o700)?;
        Ok(Folder { path })
    }

    pub(crate) fn process_record(&self, pid: u32) -> PathBuf {
        self.state.join(PROCESSES).join(format!("{pid}.json"))
    }

    /// To be called before the first container or network is made.
    pub(crate) fn mark_engine_used(&self) -> Result<()> {
        if !self.uses_engine.swap(true, Ordering::SeqCst) {
            let mark = self.state.join(ENGINE_MARK);
            fs::write(&mark, "").map_err(Error::file("write", &mark))?;
        }
        Ok(())
    }

    /// Ends and removes everything that this run started. A second call does nothing.
    pub async fn end(&self) -> Result<Swept> {
        if self.is_ended.swap(true, Ordering::SeqCst) {
            return Ok(Swept::default());
        }
        let mut swept = Swept { runs: 1, ..Swept::default() };
        swept.processes = end_processes(&self.state);
        if self.uses_engine.load(Ordering::SeqCst) {
            let engine = Engine::connect().await?;
            (swept.containers, swept.networks) = engine.remove_of_run(&self.id.to_string()).await?;
        }
        swept.folders = remove_folders(&self.work, &self.state)?;
        Ok(swept)
    }
}

impl Drop for Run {
    /// For ends that nobody planned: an error on the way, a panic.
    fn drop(&mut self) {
        if *self.is_ended.get_mut() {
            return;
        }
        std::thread::scope(|scope| {
            let end = scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
                runtime
                    .block_on(self.end())
                    .inspect_err(|error| tracing::warn!("run {}: {error}", self.id))
                    .ok()
            });
            let _ = end.join();
        });
    }
}

impl std::ops::Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Where it can't be, the run's end says why.
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, processes, containers, networks, folders } = self;
        write!(
            f,
            "{runs} runs: {processes} processes, {containers} containers, {networks} networks, {folders} folders removed"
        )
    }
}

impl Swept {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `XDG_STATE_HOME`, else `~/.local/state`, else the temporary folder.
fn runs_folder() -> PathBuf {
    super::user_folder("XDG_STATE_HOME", ".local/state").join("runs")
}

async fn sweep_records(runs: &Path) -> Result<Swept> {
    let mut swept = Swept::default();
    let Ok(entries) = fs::read_dir(runs) else { return Ok(swept) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_run = Ulid::from_string(name.trim_start_matches(UNBORN)).is_ok();
        if is_run && (!name.starts_with(UNBORN) || is_older_than_a_minute(&entry)) {
            sweep_run(&entry.path(), &name, &mut swept).await?;
        }
    }
    Ok(swept)
}

async fn sweep_run(state: &Path, id: &str, swept: &mut Swept) -> Result<()> {
    let note = state.join(NOTE);
    let Ok(lock) = File::open(&note) else {
        // Made and never begun, or removed by somebody else in this moment.
        let _ = fs::remove_dir_all(state);
        return Ok(());
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(source)) => return Err(Error::file("lock", note)(source)),
    }
    swept.processes += end_processes(state);
    if state.join(ENGINE_MARK).exists() {
        let Ok(engine) = Engine::connect().await else {
            tracing::warn!(
                "run {id} left containers, and no engine answers: the next run tries again"
            );
            return Ok(());
        };
        let (containers, networks) = engine.remove_of_run(id).await?;
        swept.containers += containers;
        swept.networks += networks;
    }
    let work = fs::read(&note)
        .ok()
        .and_then(|text| serde_json::from_slice::<Note>(&text).ok())
        .map(|note| note.work);
    swept.folders +=
        remove_folders(&work.filter(|work| is_work_folder(work)).unwrap_or_default(), state)?;
    swept.runs += 1;
    Ok(())
}

/// A note that somebody has changed must not make us remove anything else.
fn is_work_folder(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy().to_uppercase());
    folder.is_absolute()
        && name.is_some_and(|name| {
            name.strip_prefix("VAULTWRIGHT-").is_some_and(|id| Ulid::from_string(id).is_ok())
        })
}

fn is_older_than_a_minute(entry: &fs::DirEntry) -> bool {
    let changed = entry.metadata().and_then(|metadata| metadata.modified());
    changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() > 60))
}

fn end_processes(state: &Path) -> usize {
    let run = state.file_name().unwrap_or_default().to_string_lossy();
    let Ok(entries) = fs::read_dir(state.join(PROCESSES)) else { return 0 };
    let records = entries.flatten().filter_map(|entry| {
        let record = fs::read(entry.path())
            .ok()
            .and_then(|text| serde_json::from_slice::<Record>(&text).ok());
        let _ = fs::remove_file(entry.path());
        record
    });
    records.filter(|record| record.end(&run)).count()
}

/// The state folder goes last: as long as it is there, somebody will try again.
fn remove_folders(work: &Path, state: &Path) -> Result<usize> {
    let mut count = 0;
    for folder in [work, state] {
        if folder.as_os_str().is_empty() {
            continue;
        }
        match remove_folder(folder) {
            Ok(()) => count += 1,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::file("remove", folder)(error)),
        }
    }
    Ok(count)
}

/// Where the run was interrupted, a file that was just being copied may still come into it.
fn remove_folder(folder: &Path) -> std::io::Result<()> {
    let asked_at = Instant::now();
    loop {
        match fs::remove_dir_all(folder) {
            Err(error)
                if error.kind() == ErrorKind::DirectoryNotEmpty
                    && asked_at.elapsed() < REMOVAL_DEADLINE =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

const REMOVAL_DEADLINE: Duration = Duration::from_secs(5);

fn create_folder(folder: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().mode(0o700).create(folder).map_err(Error::file("create", folder))?;
    // Whatever the umask is: another user may have to pass.
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
        .map_err(Error::file("open", folder))
}

#[cfg(test)]
mod tests;
