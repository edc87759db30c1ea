//! Builds a server from a pinned Go module into the user's cache, once.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::go::Toolchain;
use super::process::end_with_parent;
use super::servers::none_to_be_had;

/// A consumer of the server's module: two files pin every byte of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    pub package: &'static str,
    pub go_mod: &'static str,
    pub go_sum: &'static str,
    /// The oldest Go that builds it.
    pub go: &'static str,
}

/// Where the binary of a module is, or will be.
pub fn binary_path((name, version, module): (&str, &str, Module)) -> PathBuf {
    folder(name, version, &module).join(name)
}

/// Waits where another call builds the same. A second call finds the first one's binary.
pub(super) fn build(
    name: &str,
    version: &str,
    module: &Module,
    caller: &Caller,
) -> Result<PathBuf> {
    let folder = folder(name, version, module);
    let binary = folder.join(name);
    if binary.exists() {
        return Ok(binary);
    }
    let source = folder.join("module");
    fs::create_dir_all(&source).map_err(Error::file("create", &source))?;
    let lock_file = folder.join("lock");
    let lock = fs::File::create(&lock_file).map_err(Error::file("create", &lock_file))?;
    if lock.try_lock().is_err() {
        eprintln!("{name} {version} is being built by another call: waiting for it");
        while lock.try_lock().is_err() {
            std::thread::sleep(Duration::from_millis(200));
            if caller.is_gone.load(Ordering::SeqCst) {
                return Err(none_to_be_had("nobody waits for it any more"));
            }
        }
    }
    if binary.exists() {
        return Ok(binary);
    }
    for (file, text) in [("go.mod", module.go_mod), ("go.sum", module.go_sum)] {
        let path = source.join(file);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
    }
    let toolchain = Toolchain::find(module.go)?;
    let unborn = folder.join(format!(".{name}-unborn"));
    run_go(&toolchain, &source, module, &unborn, &format!("{name} {version}"))?;
    fs::rename(&unborn, &binary).map_err(Error::file("rename", &unborn))?;
    Ok(binary)
}

/// `servers/vault-1.21.1-<hash of go.sum>/` in the user's cache.
fn folder(name: &str, version: &str, module: &Module) -> PathBuf {
    let hash = Sha256::digest(module.go_sum.as_bytes());
    let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    super::cache_folder().join("servers").join(format!("{name}-{version}-{hash}"))
}

fn run_go(
    toolchain: &Toolchain,
    source: &Path,
    module: &Module,
    output: &Path,
    title: &str,
) -> Result<()> {
    let mut progress =
        Progress::begin(title, "from its pinned Go module, about 8 minutes on 2 cores");
    progress.say("fetching its modules");
    let mut list = toolchain.command(source);
    list.args(["list", "-mod=mod", "-deps", "-f", ".", module.package]);
    let packages = watch(list, &mut progress, |_| None)?.lines().count();
    progress.total = packages;
    let mut build = toolchain.command(source);
    build.args([
        "build",
        "-mod=mod",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        "-s -w",
        "-v",
        "-o",
    ]);
    build.arg(output).arg(module.package);
    watch(build, &mut progress, |line| (!line.contains(' ')).then_some(()))?;
    progress.end(Some(output));
    Ok(())
}

/// Runs to the end, showing progress, and answers standard output. `is_step`: a line that is one package more.
pub(super) fn watch(
    mut command: Command,
    progress: &mut Progress,
    is_step: impl Fn(&str) -> Option<()>,
) -> Result<String> {
    let name = format!("{} {}", command.get_program().display(), shown_arguments(&command));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    end_with_parent(&mut command, Signal::KILL);
    let started = command.spawn();
    let mut child = started.map_err(|source| Error::Program { program: name.clone(), source })?;
    *under_way() = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::Ground { place: name, why: "it has no output".into() });
    };
    let reader = std::thread::spawn(move || std::io::read_to_string(stdout).unwrap_or_default());
    let mut last_lines = Vec::new();
    for line in BufReader::new(stderr).lines().map_while(std::result::Result::ok) {
        match is_step(&line) {
            Some(()) => progress.step(),
            None => {
                if let Some(fetched) = line.strip_prefix("go: downloading ") {
                    progress.say(fetched);
                }
                last_lines.push(line);
            }
        }
    }
    // Until it is waited for, its number is nobody else's.
    *under_way() = None;
    let status = child.wait().map_err(|source| Error::Program { program: name.clone(), source })?;
    let output = reader.join().unwrap_or_default();
    match status.success() {
        true => Ok(output),
        false => {
            progress.clear();
            let from = last_lines.len().saturating_sub(15);
            let output = last_lines[from..].join("\n");
            Err(Error::Failed { program: name, status: status.to_string(), output })
        }
    }
}

/// Ends a build that nobody waits for any more: its thread can't be, and would hold up the end of the program.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    is_gone: Arc<AtomicBool>,
}

impl Caller {
    /// To be held by whoever waits.
    pub fn guard(&self) -> CallerGuard {
        CallerGuard(self.clone())
    }
}

pub(super) struct CallerGuard(Caller);

impl Drop for CallerGuard {
    fn drop(&mut self) {
        self.0.is_gone.store(true, Ordering::SeqCst);
        if let Some(pid) = *under_way() {
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

/// The child of `watch`: one at a time, since builds exclude each other.
fn under_way() -> MutexGuard<'static, Option<Pid>> {
    static UNDER_WAY: Mutex<Option<Pid>> = Mutex::new(None);
    UNDER_WAY.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn shown_arguments(command: &Command) -> String {
    command.get_args().take(1).map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// One line that is written over on a terminal; elsewhere a line now and then.
pub(super) struct Progress {
    title: String,
    started_at: Instant,
    shown_at: Option<Instant>,
    done: usize,
    total: usize,
    is_terminal: bool,
}

impl Progress {
    /// `how_long`: what to expect.
    pub fn begin(title: &str, how_long: &str) -> Self {
        eprintln!("building {title}, once: {how_long}");
        Self {
            title: title.to_owned(),
            started_at: Instant::now(),
            shown_at: None,
            done: 0,
            total: 0,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    fn step(&mut self) {
        self.done += 1;
        let counted = format!("{} of at most {} packages", self.done, self.total.max(self.done));
        self.say(&counted);
    }

    pub fn say(&mut self, what: &str) {
        let pause =
            if self.is_terminal { Duration::from_millis(100) } else { Duration::from_secs(20) };
        if self.shown_at.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        self.shown_at = Some(Instant::now());
        let seconds = self.started_at.elapsed().as_secs();
        let line = format!("{} {:>2}:{:02} {what}", self.title, seconds / 60, seconds % 60);
        match self.is_terminal {
            true => eprint!("\r\x1b[2K{}", line.chars().take(100).collect::<String>()),
            false => eprintln!("{line}"),
        }
        let _ = std::io::stderr().flush();
    }

    fn clear(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[2K");
        }
    }

    pub fn end(&self, output: Option<&Path>) {
        self.clear();
        let size = output.and_then(|output| fs::metadata(output).ok());
        let size = size.map(|file| format!(", {} MB", file.len() / 1_000_000)).unwrap_or_default();
        let seconds = self.started_at.elapsed().as_secs();
        eprintln!("{} is built: {}:{:02}{size}", self.title, seconds / 60, seconds % 60);
    }
}
