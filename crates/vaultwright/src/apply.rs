//! `apply` and `destroy`: what changes Vault.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use vault_client::Vault;
use vault_model::{plan::Action, spec::Spec};
use vault_provision::{Prepared, Stop, load, prepare, prepare_destruction};

use crate::{
    Exit, applied,
    args::{Format, InputArgs, LoginArgs, SpecArgs, TargetArgs},
    output, pinned, session,
};

/// Make Vault what a spec says
#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// A spec, or a plan that `plan --out` kept
    spec: PathBuf,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    how: HowArgs,
}

/// Delete from Vault what a spec describes, and nothing else
#[derive(Args, Debug)]
pub struct DestroyArgs {
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    targets: TargetArgs,
    /// Also mounts that bear data: KV, transit and whatever type is not known
    #[arg(long)]
    delete_data: bool,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(Args, Debug)]
struct HowArgs {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    login: LoginArgs,
}

pub async fn apply(args: ApplyArgs) -> anyhow::Result<Exit> {
    let pinned = pinned::read(&args.spec)?;
    let (path, inputs, targets) = match &pinned {
        Some(pinned) => (pinned.spec.clone(), pinned.inputs(&args.inputs), pinned.targets()),
        None => (args.spec.clone(), args.inputs.clone(), args.targets.clone()),
    };
    let mut spec = load(&path, &inputs.inputs())?;
    spec.select(&targets.target, &targets.exclude)?;
    output::warnings(&spec);
    session::during(&args.how.login, async |vault| {
        let prepared =
            output::unless_interrupted(async { Ok(prepare(vault, &spec).await?) }).await?;
        if let Some(pinned) = &pinned {
            pinned.check(&spec.name, &prepared.plan)?;
        }
        carry_out(vault, &spec, prepared, &args.how, pinned.is_some()).await
    })
    .await
}

pub async fn destroy(args: DestroyArgs) -> anyhow::Result<Exit> {
    let mut spec = load(&args.spec.spec, &args.spec.inputs.inputs())?;
    spec.select(&args.targets.target, &args.targets.exclude)?;
    session::during(&args.how.login, async |vault| {
        let looking = async { Ok(prepare_destruction(vault, &spec, args.delete_data).await?) };
        let prepared = output::unless_interrupted(looking).await?;
        carry_out(vault, &spec, prepared, &args.how, false).await
    })
    .await
}

fn without_ledger(spec: &Spec) {
    eprintln!(
        "note: this token may not keep a ledger at {}/: what is owned and which roots were rotated is not recorded",
        spec.ledger_mount
    );
}

async fn carry_out(
    vault: &Vault,
    spec: &Spec,
    prepared: Prepared,
    how: &HowArgs,
    agreed: bool,
) -> anyhow::Result<Exit> {
    match how.format {
        Format::Text => print!("{}", prepared.plan.show(output::colour())),
        // Nobody agrees to what they have not seen.
        Format::Json if !how.yes && !agreed => eprint!("{}", prepared.plan.show(false)),
        Format::Json => {}
    }
    let keeps_ledger = prepared.keeps_ledger();
    if !keeps_ledger {
        without_ledger(spec);
    }
    let question = match prepared.plan.count(Action::Delete) {
        0 => "Apply this?",
        _ => "Delete this?",
    };
    if !prepared.plan.is_empty() && !how.yes && !agreed && !output::agrees(question).await? {
        eprintln!("nothing was changed");
        return Ok(Exit::Failed);
    }
    let stop = Stop::default();
    let watcher = output::stop_on_signal(stop.clone());
    let mut progress = output::Progress::new(prepared.plan.changes().count());
    let ended = prepared.apply(vault, &stop, &mut |it| progress.show(spec, it)).await;
    progress.finish();
    let interrupted = watcher.end();
    let ended = ended?;
    if keeps_ledger && !ended.is_kept {
        without_ledger(spec);
    }
    match how.format {
        Format::Text => print!("{}", applied::counts(&ended)),
        Format::Json => output::json(&applied::told(spec, &ended)),
    }
    let succeeded = ended.succeeded();
    if let (Some(err), None) = (ended.unrecorded, interrupted) {
        return Err(err).context("what the spec owns could not be recorded at the end");
    }
    Ok(match interrupted {
        _ if succeeded => Exit::Done,
        Some(code) => Exit::Interrupted(code),
        None => Exit::Failed,
    })
}
