//! vaultwright as a process of its own: exit codes, output, and what a kill leaves.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use cucumber::{given, then, when};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::audit;
use crate::world::{Failure, Result, World, ensure, failure};

/// A command that has ended.
#[derive(Clone, Default)]
pub struct Ran {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

const LONGEST: Duration = Duration::from_secs(90);

/// `SPEC` stands for the scenario's spec, `FOLDER` for a folder that ends with it.
#[when(expr = "I run {string}")]
async fn i_run(world: &mut World, line: String) -> Result {
    let child = spawn(world, &line)?;
    let ran = ended(child).await?;
    world.ran.push(ran);
    Ok(())
}

/// Where only time helps: Vault itself puts right what was interrupted in it.
#[when(expr = "I run {string} until it succeeds, for at most {int} seconds")]
async fn i_run_until(world: &mut World, line: String, seconds: u64) -> Result {
    let began = Instant::now();
    loop {
        let child = spawn(world, &line)?;
        let ran = ended(child).await?;
        let succeeded = ran.code == Some(0);
        world.ran.push(ran);
        if succeeded {
            world.evidence(format!("it succeeded after {:.1} s", began.elapsed().as_secs_f64()));
            return Ok(());
        }
        if began.elapsed() > Duration::from_secs(seconds) {
            let ran = last(world)?;
            return failure(format!("it still exits with {:?}\n{}", ran.code, ran.stderr));
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

#[then(expr = "it exits with {int}")]
async fn it_exits_with(world: &mut World, code: i32) -> Result {
    let ran = last(world)?;
    ensure(ran.code == Some(code), || {
        format!("it exits with {:?}\n{}\n{}", ran.code, ran.stdout, ran.stderr)
    })
}

#[then(expr = "its output holds {string}")]
async fn its_output_holds(world: &mut World, text: String) -> Result {
    let (ran, text) = (last(world)?, world.filled(&text));
    let holds = ran.stdout.contains(&text) || ran.stderr.contains(&text);
    ensure(holds, || format!("it says\n{}\n{}", ran.stdout, ran.stderr))
}

#[then(expr = "its output does not hold {string}")]
async fn its_output_does_not_hold(world: &mut World, text: String) -> Result {
    let (ran, text) = (last(world)?, world.filled(&text));
    ensure(!ran.stdout.contains(&text) && !ran.stderr.contains(&text), || "it does".into())
}

/// Each command, as whoever ran it saw it.
#[then(expr = "no output holds a secret")]
async fn no_output_holds_a_secret(world: &mut World) -> Result {
    ensure(!world.ran.is_empty(), || "nothing was run".into())?;
    let secrets = &world.bench().secrets;
    let outputs = world.ran.iter().flat_map(|it| [&it.stdout, &it.stderr]);
    let found: Vec<String> = outputs.flat_map(|it| secrets.found_in(it)).collect();
    world.evidence(format!("{} secrets were searched for", secrets.count()));
    ensure(found.is_empty(), || format!("it shows {}", found.join(", ")))
}

/// Both begin at the same moment.
#[when(expr = "two applies run at once")]
async fn two_at_once(world: &mut World) -> Result {
    let (one, two) = (spawn(world, APPLY)?, spawn(world, APPLY)?);
    let (one, two) = tokio::join!(ended(one), ended(two));
    world.ran.extend([one?, two?]);
    Ok(())
}

#[then(expr = "each has succeeded, or was refused because another was under way")]
async fn each_succeeded_or_was_refused(world: &mut World) -> Result {
    let is_refused =
        |it: &Ran| it.code == Some(1) && it.stderr.contains("another apply of this spec");
    let odd = world.ran.iter().find(|it| it.code != Some(0) && !is_refused(it));
    if let Some(odd) = odd {
        return failure(format!("one exits with {:?}\n{}\n{}", odd.code, odd.stdout, odd.stderr));
    }
    ensure(world.ran.iter().any(|it| it.code == Some(0)), || "none has succeeded".into())
}

/// The number is made from the seed, so that a failure can be repeated.
#[when(expr = "an apply is killed after a random number of writes up to {int}, seed {int}")]
async fn killed_at_random(world: &mut World, most: u64, seed: u64) -> Result {
    // A linear congruential generator; the high bits are the random ones.
    let random = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407) >> 33;
    killed_in_time(world, 1 + (random % most) as usize).await
}

#[when(expr = "an apply is killed after {int} write(s)")]
async fn killed_after_writes(world: &mut World, writes: usize) -> Result {
    killed_in_time(world, writes).await
}

#[when(expr = "an apply is killed when {string} is asked for")]
async fn killed_at_path(world: &mut World, path: String) -> Result {
    match killed(world, Moment::Path(path)).await? {
        true => Ok(()),
        false => failure("it had ended before it could be killed"),
    }
}

/// On a busy machine an apply may be over before anybody has looked: all of it is undone then, and another is killed.
async fn killed_in_time(world: &mut World, writes: usize) -> Result {
    for _ in 0..5 {
        if killed(world, Moment::Writes(writes)).await? {
            return Ok(());
        }
        let undone = ended(spawn(world, "destroy SPEC --yes --delete-data")?).await?;
        ensure(undone.code == Some(0), || format!("it is not undone:\n{}", undone.stderr))?;
    }
    failure("five applies had ended before they could be killed")
}

enum Moment {
    Writes(usize),
    Path(String),
}

/// Whether it was killed on its way.
async fn killed(world: &mut World, moment: Moment) -> Result<bool> {
    let mark = audit::mark(world).await;
    let mut child = spawn(world, APPLY)?;
    let began = Instant::now();
    loop {
        // It stands still while the log is read, which may take as long as the rest of the apply.
        signal(&child, Signal::CONT)?;
        tokio::time::sleep(SLICE).await;
        signal(&child, Signal::STOP)?;
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        let mut sent = audit::since(world, &mark).await?.into_iter().filter(audit::is_write);
        let has_come = match &moment {
            Moment::Writes(count) => sent.count() >= *count,
            Moment::Path(path) => sent.any(|it| it.path == *path),
        };
        if has_come {
            break;
        }
        if began.elapsed() > LONGEST {
            return failure("the moment to kill it has not come");
        }
    }
    signal(&child, Signal::KILL)?;
    let ran = ended(child).await?;
    let is_killed = ran.code.is_none();
    world.ran.push(ran);
    Ok(is_killed)
}

/// How long an apply goes on between two looks at what it has sent.
const SLICE: Duration = Duration::from_millis(3);

/// One that has ended needs none.
fn signal(child: &Child, signal: Signal) -> Result {
    match child.id().and_then(|it| Pid::from_raw(it.cast_signed())) {
        Some(pid) => Ok(kill_process(pid, signal)?),
        None => Ok(()),
    }
}

const APPLY: &str = "apply SPEC --yes";

#[given(expr = "an apply is under way")]
#[when(expr = "an apply is under way")]
async fn under_way(world: &mut World) -> Result {
    let child = spawn(world, APPLY)?;
    world.running.push(child);
    Ok(())
}

/// With nothing of this process's own environment that Vault's command line would heed.
pub fn spawn(world: &mut World, line: &str) -> Result<Child> {
    let Some(program) = world.bench().program.clone() else {
        return Err(world.skip("there is no vaultwright binary to run"));
    };
    let folder = world.folder()?;
    let spec = world.spec_path.clone().unwrap_or_default();
    let arguments = world.filled(line);
    let arguments = arguments.split_whitespace().map(|it| match it {
        "SPEC" => spec.clone().into_os_string(),
        "FOLDER" => folder.clone().into_os_string(),
        other => other.replace("FOLDER", &folder.display().to_string()).into(),
    });
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.current_dir(&world.bench().root).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("VAULT_") || name.starts_with("VAULTWRIGHT_") {
            command.env_remove(&*name);
        }
    }
    command.env("HOME", &folder).env("NO_COLOR", "1");
    if let Ok(server) = world.server() {
        command.envs(server.env());
    }
    for (name, value) in &world.vars {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        command.env(format!("VAULTWRIGHT_VAR_{}", name.to_uppercase()), value);
    }
    Ok(command.spawn()?)
}

pub async fn ended(child: Child) -> Result<Ran> {
    let output = tokio::time::timeout(LONGEST, child.wait_with_output()).await;
    let output = output.map_err(|_| {
        Failure(format!("the command has not ended after {} s", LONGEST.as_secs()))
    })??;
    Ok(Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

pub fn last(world: &World) -> Result<&Ran> {
    world.ran.last().ok_or_else(|| Failure("nothing was run".into()))
}
