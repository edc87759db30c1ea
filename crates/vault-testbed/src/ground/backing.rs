//! What a server is made of: a process or a container that can be stopped and started, or neither.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::container::Container;
use super::error::{Error, Result};
use super::process::{Launch, Process};
use super::run::{Folder, Run};

#[derive(Debug)]
pub(super) enum Backing {
    /// In the order in which they are dropped: the folder goes when nothing runs in it any more.
    Process {
        run: Arc<Run>,
        launch: Box<Launch>,
        process: Option<Process>,
        _folder: Folder,
    },
    Container(Box<Container>),
    /// Somebody else's, at this address.
    Given(String),
}

/// The shortest pause between two questions.
const POLL: Duration = Duration::from_millis(4);
/// Slow servers are asked less often: what a question costs here is time that they start later.
const PAUSES: u32 = 20;

impl Backing {
    pub fn start(run: &Arc<Run>, launch: Launch, folder: Folder) -> Result<Self> {
        let process = Some(Process::start(run, &launch)?);
        Ok(Self::Process { run: run.clone(), launch: Box::new(launch), process, _folder: folder })
    }

    pub async fn stop(&mut self) -> Result<()> {
        match self {
            Self::Process { process, .. } => {
                if let Some(mut process) = process.take() {
                    process.stop().await;
                }
                Ok(())
            }
            Self::Container(container) => container.stop().await,
            Self::Given(address) => Err(Error::NotOurs(address.clone())),
        }
    }

    pub async fn kill(&mut self) -> Result<()> {
        match self {
            Self::Process { process, .. } => {
                if let Some(mut process) = process.take() {
                    process.kill().await;
                }
                Ok(())
            }
            Self::Container(container) => container.kill().await,
            Self::Given(address) => Err(Error::NotOurs(address.clone())),
        }
    }

    pub async fn start_again(&mut self) -> Result<()> {
        match self {
            Self::Process { run, launch, process, .. } => {
                *process = Some(Process::start(run, launch)?);
                Ok(())
            }
            Self::Container(container) => container.start_again().await,
            Self::Given(address) => Err(Error::NotOurs(address.clone())),
        }
    }

    /// Asks until there is an answer, at most a twentieth later than it could be. An error after `deadline`, and once a
    /// process has ended by itself: waiting for it longer makes no sense.
    pub async fn until<T, Asked: Future<Output = Option<T>>>(
        &mut self,
        what: impl FnOnce() -> String,
        deadline: Duration,
        ask: impl Fn() -> Asked,
    ) -> Result<T> {
        let asked_at = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return Ok(answer);
            }
            if let Self::Process { process: Some(process), .. } = self
                && let Some(status) = process.exited()
            {
                return Err(Error::Start {
                    what: what(),
                    why: status.to_string(),
                    log: process.log_tail(),
                });
            }
            let waited = asked_at.elapsed();
            if waited > deadline {
                return Err(Error::Late {
                    what: what(),
                    seconds: deadline.as_secs(),
                    log: self.log_tail().await,
                });
            }
            tokio::time::sleep(POLL.max(waited / PAUSES)).await;
        }
    }

    /// All that it has said on standard error and standard output, also when it has ended.
    pub async fn log(&self) -> Vec<u8> {
        match self {
            Self::Process { launch, .. } => launch.said(),
            Self::Container(container) => container.log().await,
            Self::Given(_) => Vec::new(),
        }
    }

    pub async fn log_tail(&self) -> String {
        match self {
            Self::Process { process, .. } => {
                process.as_ref().map(Process::log_tail).unwrap_or_default()
            }
            Self::Container(container) => container.log_tail().await,
            Self::Given(_) => String::new(),
        }
    }

    pub fn process_id(&self) -> Option<u32> {
        match self {
            Self::Process { process, .. } => process.as_ref().map(Process::id),
            _ => None,
        }
    }
}
