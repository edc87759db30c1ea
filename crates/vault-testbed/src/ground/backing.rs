//! What a server is made of: a process or a container that can be stopped and started, or neither.

use std::sync::Arc;

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

    /// An error once a process has ended by itself: waiting for it longer makes no sense.
    pub fn still_runs(&mut self, what: &str) -> Result<()> {
        if let Self::Process { process: Some(process), .. } = self
            && let Some(status) = process.exited()
        {
            return Err(Error::Start {
                what: what.to_owned(),
                why: status.to_string(),
                log: process.log_tail(),
            });
        }
        Ok(())
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
