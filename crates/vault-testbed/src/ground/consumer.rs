//! A program that uses what Vault issues, as people's own programs do: a process of this machine on every ground.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;

use secrecy::SecretString;

use super::Ground;
use super::error::{Error, Result};
use super::process::{Launch, Process, Stop};
use super::run::{Folder, Run};

/// Ended with its run, and when it is dropped.
#[derive(Debug)]
pub struct Consumer {
    run: Arc<Run>,
    launch: Launch,
    /// None while it is stopped.
    process: Option<Process>,
    // Dropped last: the process lives in it.
    folder: Folder,
}

/// What to start, and with what.
#[derive(Debug)]
pub struct Program {
    pub path: PathBuf,
    /// Readable by everybody on the machine: no secret belongs here.
    pub arguments: Vec<String>,
    /// All that it inherits beside PATH and HOME, which is its folder.
    pub environment: Vec<(String, SecretString)>,
}

const LOG: &str = "consumer.log";

impl Ground {
    /// `prepare` is given the folder that the program will live in, which only this user can enter.
    pub fn consumer(
        &self,
        name: &str,
        prepare: impl FnOnce(&Path) -> Result<Program>,
    ) -> Result<Consumer> {
        let folder = self.run.create_folder(name)?;
        let program = prepare(&folder)?;
        let mut environment = vec![("HOME".to_owned(), folder.display().to_string().into())];
        environment.extend(program.environment);
        let launch = Launch {
            name: name.to_owned(),
            program: program.path,
            arguments: program.arguments,
            environment,
            log: folder.join(LOG),
            is_stdout_secret: false,
            folder: folder.to_path_buf(),
            user: None,
            stop_signal: Stop::Terminate,
            kill_signal: Stop::Kill,
        };
        let process = Some(Process::start(&self.run, &launch)?);
        Ok(Consumer { run: self.run.clone(), launch, process, folder })
    }
}

impl Consumer {
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.stop().await;
        }
    }

    /// After `stop`: as it was started before.
    pub fn start_again(&mut self) -> Result<()> {
        if self.process.is_none() {
            self.process = Some(Process::start(&self.run, &self.launch)?);
        }
        Ok(())
    }

    /// `Some` once it has ended by itself.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.process.as_mut().and_then(Process::exited)
    }

    /// An error, with its last words, once it has ended by itself: waiting for it makes no sense.
    pub fn still_runs(&mut self) -> Result<()> {
        match self.exited() {
            None => Ok(()),
            Some(status) => Err(Error::Start {
                what: self.launch.name.clone(),
                why: status.to_string(),
                log: super::process::log_tail(&self.launch.log),
            }),
        }
    }

    /// All that it has said on standard output and standard error.
    pub fn said(&self) -> Vec<u8> {
        self.launch.said()
    }
}

/// Writes a file that only this user can read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::File::options();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.map_err(Error::file("create", path))?;
    file.write_all(text.as_bytes()).map_err(Error::file("write", path))
}
