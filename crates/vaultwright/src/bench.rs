//! `bench`: figures beside a bare client's. The hidden `bench-measure` runs one command and prints what it used.

use std::process::Command;

use anyhow::bail;
use clap::Args;
use vault_testbed::{
    bench,
    ground::{Ground, Kind, interrupted},
};

use crate::Exit;

/// Measure plan and apply beside a bare client, on a fresh Vault with raft storage and an audit file
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// How many objects; may be said several times
    #[arg(long, default_values_t = [1_000, 10_000])]
    objects: Vec<usize>,
}

#[derive(Args, Debug)]
pub struct MeasureArgs {
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

pub async fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    if cfg!(debug_assertions) {
        bail!("a debug build is not worth measuring: use `cargo xtask bench`");
    }
    let signal = interrupted();
    let ground = Ground::open(Some(Kind::Process)).await?;
    let binary = std::env::current_exe()?;
    let work = async {
        for objects in args.objects {
            println!("{}", bench::run(&ground, &binary, objects).await?);
        }
        Ok::<(), anyhow::Error>(())
    };
    ground.until_done(signal, work).await?;
    Ok(Exit::Done)
}

pub fn measure(args: &MeasureArgs) -> anyhow::Result<Exit> {
    let mut command = Command::new(&args.command[0]);
    command.args(&args.command[1..]);
    let status = bench::measure(command)?;
    Ok(if status.success() { Exit::Done } else { Exit::Failed })
}
