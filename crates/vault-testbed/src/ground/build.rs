//! Builds a server from a pinned Go module into the user's cache, once.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::go::Toolchain;
use super::process::end_with_parent;

/// A program of a pinned version, and what it is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinned {
    pub name: &'static str,
    pub version: &'static str,
    pub module: Module,
}

/// A consumer of the server's module: two files pin every byte of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    pub package: &'static str,
    pub go_mod: &'static str,
    pub go_sum: &'static str,
    /// A `main.go` of our own, where the package is this module's.
    pub main: Option<&'static str>,
    /// The oldest Go that builds it.
    pub go: &'static str,
    /// On 2 cores, such as `8 minutes`.
    pub takes: &'static str,
}

impl Pinned {
    /// Where the binary is, or will be.
    pub fn binary(&self) -> PathBuf {
        self.folder().join(self.name)
    }

    /// Minutes the first time, nothing afterwards. Whoever no longer waits ends it.
    pub(super) async fn find_or_build(self) -> Result<PathBuf> {
        let caller = Caller::default();
        let _guard = caller.guard();
        let built = tokio::task::spawn_blocking(move || self.build(&caller)).await;
        built.map_err(|error| self.not_built(error.to_string()))?
    }

    /// One build at a time. A second call for the same finds the first one's binary.
    fn build(&self, caller: &Caller) -> Result<PathBuf> {
        let (folder, binary) = (self.folder(), self.binary());
        if binary.exists() {
            return Ok(binary);
        }
        let source = folder.join("module");
        fs::create_dir_all(&source).map_err(Error::file("create", &source))?;
        let _lock = self.wait_for_others(caller)?;
        if binary.exists() {
            return Ok(binary);
        }
        let Module { go_mod, go_sum, main, .. } = self.module;
        let files = [("go.mod", go_mod), ("go.sum", go_sum)];
        for (file, text) in files.into_iter().chain(main.map(|text| ("main.go", text))) {
            let path = source.join(file);
            fs::write(&path, text).map_err(Error::file("write", &path))?;
        }
        let toolchain = Toolchain::find(self.module.go)?;
        let unborn = folder.join(format!(".{}-unborn", self.name));
        self.run_go(&toolchain, &source, &unborn, caller)?;
        fs::rename(&unborn, &binary).map_err(Error::file("rename", &unborn))?;
        Ok(binary)
    }

    fn wait_for_others(&self, caller: &Caller) -> Result<fs::File> {
        let lock_file = self.folder().with_file_name("lock");
        let lock = fs::File::create(&lock_file).map_err(Error::file("create", &lock_file))?;
        if lock.try_lock().is_err() {
            eprintln!("{} {}: another build is under way: waiting for it", self.name, self.version);
            while lock.try_lock().is_err() {
                std::thread::sleep(Duration::from_millis(200));
                if caller.is_gone.load(Ordering::SeqCst) {
                    return Err(self.not_built("nobody waits for it any more".into()));
                }
            }
        }
        Ok(lock)
    }

    /// `servers/vault-1.21.1-<hash of what pins it>/` in the user's cache.
    fn folder(&self) -> PathBuf {
        let mut hash = Sha256::new_with_prefix(self.module.go_sum);
        hash.update(self.module.main.unwrap_or_default());
        let hash: String =
            hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{}-{}-{hash}", self.name, self.version);
        super::cache_folder().join("servers").join(name)
    }

    fn not_built(&self, why: String) -> Error {
        Error::Ground { place: format!("the build of {} {}", self.name, self.version), why }
    }

    fn run_go(
        &self,
        toolchain: &Toolchain,
        source: &Path,
        output: &Path,
        caller: &Caller,
    ) -> Result<()> {
        let Module { package, takes, .. } = self.module;
        let title = format!("{} {}", self.name, self.version);
        let how_long = format!("from its pinned Go module, about {takes} on 2 cores");
        let mut progress = Progress::begin(&title, &how_long);
        progress.say("fetching its modules");
        let mut list = toolchain.command(source);
        list.args(["list", "-mod=mod", "-deps", "-f", ".", package]);
        let packages = watch(list, &mut progress, caller, |_| None)?.lines().count();
        progress.total = packages;
        let mut build = toolchain.command(source);
        build.args(["build", "-mod=mod", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]);
        build.args(["-v", "-o"]).arg(output).arg(package);
        watch(build, &mut progress, caller, |line| (!line.contains(' ')).then_some(()))?;
        progress.end(Some(output));
        Ok(())
    }
}

/// Runs to the end, showing progress, and answers standard output. `is_step`: a line that is one package more.
pub(super) fn watch(
    mut command: Command,
    progress: &mut Progress,
    caller: &Caller,
    is_step: impl Fn(&str) -> Option<()>,
) -> Result<String> {
    let name = format!("{} {}", command.get_program().display(), shown_arguments(&command));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    end_with_parent(&mut command, Signal::KILL);
    let started = command.spawn();
    let mut child = started.map_err(|source| Error::Program { program: name.clone(), source })?;
    *caller.child() = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
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
    *caller.child() = None;
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
    /// What `watch` is watching.
    child: Arc<Mutex<Option<Pid>>>,
}

impl Caller {
    /// To be held by whoever waits.
    fn guard(&self) -> CallerGuard {
        CallerGuard(self.clone())
    }

    fn child(&self) -> MutexGuard<'_, Option<Pid>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct CallerGuard(Caller);

impl Drop for CallerGuard {
    fn drop(&mut self) {
        self.0.is_gone.store(true, Ordering::SeqCst);
        if let Some(pid) = *self.0.child() {
            let _ = kill_process(pid, Signal::TERM);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: Pinned = Pinned {
        name: "tool",
        version: "1.2.3",
        module: Module {
            package: "example.org/tool",
            go_mod: "",
            go_sum: "one",
            main: None,
            go: "1.21",
            takes: "no time",
        },
    };

    #[test]
    fn another_version_and_another_source_are_built_anew() {
        let newer = Pinned { version: "1.2.4", ..TOOL };
        let repinned = Pinned { module: Module { go_sum: "two", ..TOOL.module }, ..TOOL };
        let changed =
            Pinned { module: Module { main: Some("package main"), ..TOOL.module }, ..TOOL };
        let folders = [TOOL, newer, repinned, changed].map(|it| it.folder());
        for (at, folder) in folders.iter().enumerate() {
            assert!(!folders[..at].contains(folder), "{}", folder.display());
        }
        assert_eq!(TOOL.folder(), TOOL.folder());
    }
}
