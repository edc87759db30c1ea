//! One command, measured as a whole process from outside.

use std::{
    io,
    process::{Command, ExitStatus, Stdio},
    time::Instant,
};

use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What one run of a command took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Usage {
    pub wall_seconds: f64,
    /// User and system, of the command alone.
    pub cpu_seconds: f64,
    pub peak_rss_bytes: u64,
}

/// Runs `command` to its end and prints its usage as JSON. The caller must have had no child before: the kernel adds
/// up what all children of a process used.
pub fn measure(mut command: Command) -> io::Result<ExitStatus> {
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).status()?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |it: nix::sys::time::TimeVal| it.tv_sec() as f64 + it.tv_usec() as f64 / 1e6;
    let usage = Usage {
        wall_seconds,
        cpu_seconds: seconds(usage.user_time()) + seconds(usage.system_time()),
        peak_rss_bytes: usage.max_rss().unsigned_abs() * 1024,
    };
    println!("{}", serde_json::to_string(&usage).map_err(io::Error::other)?);
    Ok(status)
}
