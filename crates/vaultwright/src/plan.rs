//! `plan` and `verify`: what would change. Both are the same look at the same Vault.

use std::path::PathBuf;

use clap::Args;
use vault_provision::{Prepared, load, prepare};

use crate::{
    Exit,
    args::{Format, LoginArgs, SpecArgs, TargetArgs},
    output, pinned, session,
};

/// Show what applying a spec would change; sends no write
#[derive(Args, Debug)]
pub struct PlanArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten)]
    pub targets: TargetArgs,
    /// Exit with 2 where something would change
    #[arg(long)]
    exit_code: bool,
    /// Keep the plan in a file, for `apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    login: LoginArgs,
}

/// Compare Vault with a spec, object by object; exit with 2 where something differs
#[derive(Args, Debug)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten)]
    pub targets: TargetArgs,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    login: LoginArgs,
}

/// To give ten thousand objects back one by one takes longer than to end with them.
fn keep_to_the_end<T>(what: T) {
    std::mem::forget(what);
}

pub async fn plan(args: PlanArgs) -> anyhow::Result<Exit> {
    let (name, prepared) = look(&args.spec, &args.targets, &args.login).await?;
    match args.format {
        Format::Text => print!("{}", prepared.plan.show(output::colour())),
        Format::Json => output::json(&prepared.plan.to_json(&name)),
    }
    if let Some(path) = &args.out {
        pinned::write(path, &args.spec, &args.targets, &name, &prepared.plan)?;
        eprintln!("kept in {0}: `apply {0}` carries out this plan and no other", path.display());
    }
    let differs = args.exit_code && !prepared.plan.is_empty();
    keep_to_the_end(prepared);
    Ok(if differs { Exit::Differs } else { Exit::Done })
}

pub async fn verify(args: VerifyArgs) -> anyhow::Result<Exit> {
    let (name, prepared) = look(&args.spec, &args.targets, &args.login).await?;
    match args.format {
        Format::Text => print!("{}", prepared.report().show(output::colour())),
        Format::Json => output::json(&prepared.report().to_json(&name)),
    }
    Ok(if prepared.plan.is_empty() { Exit::Done } else { Exit::Differs })
}

async fn look(
    spec: &SpecArgs,
    targets: &TargetArgs,
    login: &LoginArgs,
) -> anyhow::Result<(String, Prepared)> {
    let mut spec = load(&spec.spec, &spec.inputs.inputs())?;
    spec.select(&targets.target, &targets.exclude)?;
    output::warnings(&spec);
    let prepared = session::during(login, async |vault| {
        output::unless_interrupted(async { Ok(prepare(vault, &spec).await?) }).await
    })
    .await?;
    let name = spec.name.clone();
    keep_to_the_end(spec);
    Ok((name, prepared))
}
