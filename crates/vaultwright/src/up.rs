//! `up`: a Vault with a spec in it, and what the spec needs around it, until Ctrl-C.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;
use vault_client::{ExposeSecret, Settings, Vault};
use vault_model::{spec::Spec, vars};
use vault_provision::{ReadError, SpecInputs, Stop, load, prepare};
use vault_testbed::{
    ground::{Error, Ground, GroundSpec, Kind, Stack, interrupted, servers},
    report::{self, About},
    suite::{CONCURRENCY, Filter},
};

use crate::{
    Exit, applied,
    args::InputArgs,
    output::{self, Progress, Terminal},
    prove,
};

/// Start a Vault and what a spec needs, apply the spec, prove it, and stay until Ctrl-C
#[derive(Args)]
pub struct UpArgs {
    /// A spec: a .yaml file, or a folder of them, with a ground.yaml beside it
    #[arg(default_value = "specs/airflow-agent")]
    spec: PathBuf,
    #[command(flatten)]
    inputs: InputArgs,
    /// Where it runs: process or docker; by default what this machine has
    #[arg(long, value_name = "GROUND")]
    on: Option<Kind>,
    /// Don't prove it
    #[arg(long)]
    no_prove: bool,
}

pub async fn up(args: UpArgs) -> anyhow::Result<Exit> {
    let inputs = args.inputs.inputs();
    // Variables come later, from the servers; a path that leads nowhere is told before one is started.
    match load(&args.spec, &SpecInputs { has_stand_ins: true, ..inputs.clone() }) {
        Ok(_) | Err(ReadError::Refused(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if args.on != Some(Kind::Docker) && !has_engine_only(args.on).await? {
        servers::find_or_build().await?;
    }
    // One wait for a signal: none is lost before the start, or between it and the stay.
    let signal = interrupted();
    tokio::pin!(signal);
    let ground = Ground::open(args.on).await?;
    anyhow::ensure!(ground.kind() != Kind::Address, "a given Vault is up already: use `apply`");
    let begun = tokio::select! {
        begun = begin(&args, &ground, inputs) => begun,
        signal = &mut signal => Err(Error::Interrupted(signal).into()),
    };
    let ended = match begun {
        Ok((stack, proven)) => {
            println!("\n{}: ending everything", signal.await);
            stack.end().await.map(|()| proven).map_err(Into::into)
        }
        Err(error) => Err(error),
    };
    ground.end().await?;
    Ok(if ended? == Some(false) { Exit::Failed } else { Exit::Done })
}

/// Whether the machine's own choice is containers, so that no binary is needed.
async fn has_engine_only(choice: Option<Kind>) -> anyhow::Result<bool> {
    let choice = match choice {
        Some(kind) => Some(kind),
        None => Kind::from_env()?,
    };
    Ok(match choice {
        Some(kind) => kind == Kind::Docker,
        None => Kind::of_this_machine().await? == Kind::Docker,
    })
}

/// Everything stands, and a person knows where; whether it is proven.
async fn begin(
    args: &UpArgs,
    ground: &Ground,
    inputs: SpecInputs,
) -> anyhow::Result<(Stack, Option<bool>)> {
    println!("starting {} on {}", args.spec.display(), ground.kind());
    let (stack, spec, vault) = start(&args.spec, ground, &inputs).await?;
    anyhow::ensure!(apply(&vault, &spec).await?, "{} could not be applied", spec.name);
    let proven = match args.no_prove {
        true => None,
        false => Some(prove(&args.spec, ground, inputs).await?),
    };
    println!("\n{}", welcome(&stack, &spec, &exports(ground, &stack, &spec)?, proven));
    Ok((stack, proven))
}

/// What another terminal must know to work with it. A secret is in a file in the folder of the run, which goes with it.
fn exports(ground: &Ground, stack: &Stack, spec: &Spec) -> anyhow::Result<Vec<String>> {
    let kept = |name: &str, secret: &str| -> anyhow::Result<String> {
        let path = ground.run().folder().join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(secret.as_bytes())?;
        Ok(format!("$(cat {})", path.display()))
    };
    let token = kept("root-token", stack.vault.root_token.expose_secret())?;
    let mut exports =
        vec![format!("VAULT_ADDR={}", stack.vault.address), format!("VAULT_TOKEN={token}")];
    if let Some(ca) = &stack.vault.ca_certificate {
        exports.push(format!("VAULT_CACERT={}", ca.display()));
    }
    for (name, value) in &stack.vars {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let passwords = stack.servers.values().map(|it| it.admin_password.expose_secret());
        let holds_secret = spec.redactor.mask(&value) != value
            || passwords.into_iter().any(|it| value.contains(it));
        let shown = match !holds_secret {
            true => format!("'{}'", value.replace('\'', r"'\''")),
            false => kept(name, &value)?,
        };
        exports.push(format!("{}={shown}", vars::env_name(name)));
    }
    Ok(exports)
}

async fn start(
    path: &Path,
    ground: &Ground,
    inputs: &SpecInputs,
) -> anyhow::Result<(Stack, Spec, Vault)> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let stack = ground.stack(&GroundSpec::read(folder, inputs.environment.as_deref())?).await?;
    let is_given = |name: &str| inputs.vars.iter().any(|(it, _)| it == name);
    let bound = stack.vars.iter().filter(|(name, _)| !is_given(name));
    let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    let vars = bound.map(|(name, value)| (name.clone(), text(value)));
    let vars = vars.chain(inputs.vars.iter().cloned()).collect();
    let spec = load(path, &SpecInputs { vars, ..inputs.clone() }).map_err(|error| match error {
        ReadError::Refused(refused) => {
            eprint!("{}", refused.mistakes.render(&refused.sources, output::colour_of_errors()));
            anyhow::anyhow!("{} has mistakes", path.display())
        }
        other => other.into(),
    })?;
    let mut settings = Settings::new(&stack.vault.address)?;
    settings.ca_cert.clone_from(&stack.vault.ca_certificate);
    let vault = Vault::new(&settings)?.with_token(stack.vault.root_token.clone());
    Ok((stack, spec, vault))
}

async fn apply(vault: &Vault, spec: &Spec) -> anyhow::Result<bool> {
    let prepared = prepare(vault, spec).await?;
    let mut progress = Progress::new(spec.objects.len());
    let ended =
        prepared.apply(vault, &Stop::default(), &mut |event| progress.show(spec, event)).await?;
    progress.finish();
    print!("applied {}: {}", spec.name, applied::counts(&ended));
    let succeeded = ended.succeeded();
    ended.unrecorded.map_or(Ok(succeeded), |err| Err(err.into()))
}

/// On servers of its own: what stays up is neither used nor shortened by it.
async fn prove(path: &Path, ground: &Ground, inputs: SpecInputs) -> anyhow::Result<bool> {
    let (spec, proofs) = prove::generate(path, &inputs, &[], Some(ground)).await?;
    println!("\nproving {} on servers of its own", spec.name);
    let terminal = Terminal::default();
    let suite = prove::suite(ground, inputs, Filter::default(), CONCURRENCY, &terminal)?;
    let results = prove::run(&suite, prove::features(&proofs)?, &terminal).await;
    terminal.print(&format!(
        "{}{}",
        prove::told_unproven(&proofs),
        report::summary(&results, &About::default())
    ));
    terminal.end(Ok(prove::is_proven(&results)))
}

/// Where everything is, and what to try.
fn welcome(stack: &Stack, spec: &Spec, exports: &[String], proven: Option<bool>) -> String {
    let mut lines = vec![match proven {
        Some(true) => format!("{} is up, and proven", spec.name),
        Some(false) => format!("{} is up, but REFUTED: see above", spec.name),
        None => format!("{} is up", spec.name),
    }];
    lines.push(String::new());
    lines.extend(exports.iter().map(|it| format!("  export {it}")));
    for (name, server) in &stack.servers {
        let database = match &*server.database {
            "" => String::new(),
            name => format!(", database {name}"),
        };
        let (title, version) = (server.side.title, &server.version);
        lines
            .push(format!("  {name}: {title} {version} at {}{database}", server.address_from_here));
    }
    lines.push(String::new());
    lines.push("try next, in another terminal:".to_owned());
    for path in tries(spec) {
        let header = "-H \"X-Vault-Token: $VAULT_TOKEN\"";
        let ca = if stack.vault.ca_certificate.is_some() { "--cacert $VAULT_CACERT " } else { "" };
        lines.push(format!("  curl -s {ca}{header} $VAULT_ADDR/v1/{path}"));
    }
    lines.push("Ctrl-C ends all of it and leaves nothing behind".to_owned());
    lines.join("\n")
}

/// Paths worth reading: what issues, and what is kept.
fn tries(spec: &Spec) -> Vec<String> {
    let issues = spec.objects.iter().filter_map(|it| {
        let word = match (it.kind.docs, it.kind.section) {
            ("secret/databases", "roles") => "creds",
            ("secret/databases", "static_roles") => "static-creds",
            _ => return None,
        };
        Some(it.at(&format!("{{mount}}/{word}/{{name}}")))
    });
    let kept = spec.objects.iter().filter(|it| it.path.contains("/data/"));
    issues.take(2).chain(kept.map(|it| it.path.clone()).take(1)).collect()
}
