//! A server as a child process: in its own process group, ended with the process that started it, and on record.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::{Error, Result};
use super::owner::{self, Identity};
use super::run::Run;

/// What to start, kept so that it can be started again as it was.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub name: String,
    pub program: PathBuf,
    /// Readable by everybody on the machine: no secret belongs here.
    pub arguments: Vec<String>,
    /// The whole environment: nothing else is inherited but PATH.
    pub environment: Vec<(String, SecretString)>,
    /// Standard error goes here; standard output too, unless `is_stdout_secret`: then it lies beside it, and nobody is
    /// shown its last words.
    pub log: PathBuf,
    pub is_stdout_secret: bool,
    pub folder: PathBuf,
    pub user: Option<User>,
    /// What ends this server in order.
    pub stop_signal: Stop,
    /// What ends it at once, as a crash would.
    pub kill_signal: Stop,
}

/// How a server is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stop {
    Terminate,
    /// PostgreSQL's fast shutdown: open connections are ended, nothing committed is lost.
    Interrupt,
    /// PostgreSQL's immediate shutdown: children and shared memory, which a kill would leave, go with it.
    Quit,
    Kill,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Launch {
    fn stdout(&self) -> PathBuf {
        match self.is_stdout_secret {
            true => self.log.with_extension("stdout"),
            false => self.log.clone(),
        }
    }

    /// All that it has said so far.
    pub fn said(&self) -> Vec<u8> {
        let mut said = std::fs::read(&self.log).unwrap_or_default();
        if self.is_stdout_secret {
            said.extend(std::fs::read(self.stdout()).unwrap_or_default());
        }
        said
    }
}

/// A running child. Dropping it kills its whole group.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    record: PathBuf,
    log: PathBuf,
    stop_signal: Stop,
    kill_signal: Stop,
    /// Keeps the run's folders for as long as something runs in them.
    _run: Arc<Run>,
}

/// What a later run needs to end this process if nobody else did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub name: String,
    pub group: u32,
    pub kill_signal: Stop,
    pub folder: PathBuf,
    pub process: Identity,
}

/// Holds the run's id in the environment of all that it starts, and of what that starts.
pub(crate) const MARK: &str = "TESTBED_RUN";

const STOP_DEADLINE: Duration = Duration::from_secs(10);
const LOG_TAIL_LINES: usize = 15;

impl Process {
    pub fn start(run: &Arc<Run>, launch: &Launch) -> Result<Self> {
        let mut command = command(launch)?;
        command.env(MARK, run.id().to_string());
        let child = spawn(command).map_err(|source| Error::Program {
            program: launch.program.display().to_string(),
            source,
        })?;
        let mut process = Self {
            record: run.process_record(child.id()),
            child,
            log: launch.log.clone(),
            stop_signal: launch.stop_signal,
            kill_signal: launch.kill_signal,
            _run: run.clone(),
        };
        process.put_on_record(launch)?;
        Ok(process)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `Some` once the server has ended by itself. What it had started ends with it.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        if has_ended(self.child.id()) {
            signal_group(self.child.id(), Stop::Kill);
        }
        self.child.try_wait().ok().flatten()
    }

    pub fn log_tail(&self) -> String {
        log_tail(&self.log)
    }

    /// Asks, waits, and insists after the deadline.
    pub async fn stop(&mut self) {
        self.end(self.stop_signal).await;
    }

    pub async fn kill(&mut self) {
        self.end(self.kill_signal).await;
    }

    async fn end(&mut self, how: Stop) {
        signal_group(self.child.id(), how);
        let asked_at = Instant::now();
        while self.exited().is_none() {
            if asked_at.elapsed() > STOP_DEADLINE {
                return self.end_now();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let _ = std::fs::remove_file(&self.record);
    }

    /// Without waiting politely, for destructors.
    fn end_now(&mut self) {
        if self.exited().is_none() {
            signal_group(self.child.id(), self.kill_signal);
            let asked_at = Instant::now();
            while self.exited().is_none() && asked_at.elapsed() < Duration::from_secs(3) {
                std::thread::sleep(Duration::from_millis(2));
            }
            while self.exited().is_none() {
                signal_group(self.child.id(), Stop::Kill);
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let _ = std::fs::remove_file(&self.record);
    }

    fn put_on_record(&mut self, launch: &Launch) -> Result<()> {
        // Already gone: whoever waits for readiness tells the log's last words.
        let Some(process) = Identity::of(self.child.id()) else { return Ok(()) };
        let record = Record {
            name: launch.name.clone(),
            group: self.child.id(),
            kill_signal: launch.kill_signal,
            folder: launch.folder.clone(),
            process,
        };
        let text = serde_json::to_vec_pretty(&record).expect("a record has string keys only");
        std::fs::write(&self.record, text).map_err(Error::file("write", &self.record))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end_now();
    }
}

impl Record {
    /// Ends the process if it is still the one on record, and what the run has left in its group. True when there was
    /// something to end.
    pub fn end(&self, run: &str) -> bool {
        if !self.is_there(run) {
            return false;
        }
        for how in [self.kill_signal, Stop::Kill] {
            signal_group(self.group, how);
            let asked_at = Instant::now();
            while asked_at.elapsed() < Duration::from_secs(5) {
                if !self.is_there(run) {
                    return true;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        true
    }

    /// The kernel ends the first process of a group only. A group keeps its number as long as anything is in it, and
    /// one that was given the number later has no mark of this run.
    fn is_there(&self, run: &str) -> bool {
        match self.process.is_alive() {
            Some(true) => true,
            Some(false) => {
                owner::of_group(self.group).any(|pid| owner::has_variable(pid, MARK, run))
            }
            None => false,
        }
    }
}

impl Stop {
    fn signal(self) -> Signal {
        match self {
            Self::Terminate => Signal::TERM,
            Self::Interrupt => Signal::INT,
            Self::Quit => Signal::QUIT,
            Self::Kill => Signal::KILL,
        }
    }
}

impl User {
    /// Of `names`, the first that the machine knows.
    pub fn first_of(names: &[&str]) -> Option<Self> {
        let table = std::fs::read_to_string("/etc/passwd").ok()?;
        names.iter().find_map(|name| Self::parse(&table, name))
    }

    fn parse(table: &str, name: &str) -> Option<Self> {
        table.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            Some(Self {
                name: name.to_owned(),
                uid: fields.nth(1)?.parse().ok()?,
                gid: fields.next()?.parse().ok()?,
            })
        })
    }

    pub fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }
}

pub(crate) fn log_tail(log: &Path) -> String {
    let text = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}

fn command(launch: &Launch) -> Result<Command> {
    let open = |path: &Path| {
        let mut options = File::options();
        let file = options.create(true).append(true).mode(0o600).open(path);
        file.map_err(Error::file("open", path))
    };
    let mut command = Command::new(&launch.program);
    command.args(&launch.arguments).env_clear().current_dir(&launch.folder);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.envs(launch.environment.iter().map(|(name, value)| (name, value.expose_secret())));
    command.stdin(Stdio::null()).process_group(0);
    command.stdout(open(&launch.stdout())?).stderr(open(&launch.log)?);
    if let Some(user) = &launch.user {
        command.uid(user.uid).gid(user.gid);
    }
    end_with_parent(&mut command, launch.kill_signal.signal());
    Ok(command)
}

/// The kernel ends the child when the thread that starts it ends, before any later run sweeps.
#[expect(
    unsafe_code,
    reason = "the standard library has no other way to run prctl between fork and exec"
)]
pub(super) fn end_with_parent(command: &mut Command, signal: Signal) {
    let parent = rustix::process::getpid();
    // SAFETY: prctl and getppid are plain system calls; nothing allocates or takes a lock after fork.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(signal))?;
            match rustix::process::getppid() == Some(parent) {
                true => Ok(()),
                false => Err(rustix::io::Errno::SRCH.into()),
            }
        });
    }
}

/// The kernel sends a parent's death signal when the *thread* that forked ends, so one thread that never ends forks all.
fn spawn(command: Command) -> std::io::Result<Child> {
    type Job = (Command, Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, inbox) = channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                let _ = answer.send(command.spawn());
            }
        });
        jobs
    });
    let (answer, child) = channel();
    spawner.send((command, answer)).map_err(std::io::Error::other)?;
    child.recv().map_err(std::io::Error::other)?
}

/// Without taking note of it: until then its number, and that of its group, are nobody else's.
fn has_ended(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid), options).is_ok_and(|status| status.is_some())
}

fn signal_group(group: u32, how: Stop) {
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, how.signal());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let table = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:7::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        let user = User::parse(table, "postgres").expect("postgres is in the table");
        assert_eq!((user.uid, user.gid), (101, 104));
        assert_eq!(User::parse(table, "nobody"), None);
    }
}
