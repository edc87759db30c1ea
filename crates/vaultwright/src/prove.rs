//! `prove`: shows on real servers that what a spec describes works.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use serde_json::Value;
use vault_model::spec::Spec;
use vault_provision::{ReadError, SpecInputs, load};
use vault_testbed::{
    bindings::Bindings,
    ground::{FarSide, Ground, GroundSpec, Kind, interrupted, loopback_network},
    proofs::{Named, Proofs, Unproven, opened, proofs},
    report::{self, About, NotProven, OfProof, Results, ScenarioResult},
    suite::{self, CONCURRENCY, Feature, Filter, LoadError, Suite},
};

use crate::{
    Exit,
    args::{LoginArgs, SpecArgs},
    live,
    output::{self, Terminal},
    reports::{self, ReportArgs},
    under_way::UnderWay,
};

/// Prove on real servers that what a spec describes works: issue, use, renew, rotate, revoke, expire
#[derive(Args)]
pub struct ProveArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Where it is proven: process or docker; by default what this machine has
    #[arg(long, value_name = "GROUND")]
    on: Option<Kind>,
    /// Only what is at such paths, such as `database/*`; may be said several times
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// Only scenarios whose name matches
    #[arg(long, value_name = "REGEX", conflicts_with = "emit")]
    name: Option<regex::Regex>,
    /// Write the features into a folder, to be kept, changed and run by `vaultwright test`; runs nothing
    #[arg(long, value_name = "DIR")]
    emit: Option<PathBuf>,
    /// Prove the Vault that people use at this address: with tokens and leases of the proof's own, which are all revoked;
    /// nothing is written, and what is not safe is left out
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["on", "emit"])]
    pub live: Option<String>,
    /// With --live: replace passwords that Vault keeps, as static roles and rotated roots do anyway
    #[arg(long, requires = "live")]
    pub rotate: bool,
    #[command(flatten)]
    pub login: LoginArgs,
    /// How many scenarios are under way at once
    #[arg(long, value_name = "N", default_value_t = CONCURRENCY)]
    pub concurrency: usize,
    #[command(flatten)]
    pub reports: ReportArgs,
}

impl ProveArgs {
    pub fn filter(&self) -> Filter {
        Filter { name: self.name.clone(), ..Filter::default() }
    }
}

pub async fn prove(args: ProveArgs) -> anyhow::Result<Exit> {
    if let Some(address) = &args.live {
        return live::prove(&args, address).await;
    }
    let inputs = args.spec.inputs.inputs();
    let terminal = Terminal::default();
    if let Some(folder) = &args.emit {
        let (spec, proofs) = generate(&args.spec.spec, &inputs, &args.only, None).await?;
        terminal.secrets.add_of_variables(&spec.redactor);
        let emitted = emit(folder, &spec, &proofs, &terminal);
        return terminal.end(emitted.map(|()| Exit::Done));
    }
    let signal = interrupted();
    let ground = Ground::open(args.on).await?;
    anyhow::ensure!(
        ground.kind() != Kind::Address,
        "a proof starts and ends its own servers: use `--on process` or `--on docker`"
    );
    let run = async {
        let (spec, proofs) = generate(&args.spec.spec, &inputs, &args.only, Some(&ground)).await?;
        println!("proving {} on {}", spec.name, ground.kind());
        let suite = suite(&ground, inputs.clone(), args.filter(), args.concurrency, &terminal)?;
        let results = run(&suite, features(&proofs)?, &terminal).await;
        Ok::<_, anyhow::Error>((spec, proofs, suite, results))
    };
    let proven = ground.until_done(signal, run).await.and_then(|(spec, proofs, suite, results)| {
        tell(&args, (&spec, &proofs), &suite, results, &terminal)
    });
    terminal.end(proven)
}

/// What came out, on the terminal and in reports.
pub fn tell(
    args: &ProveArgs,
    (spec, proofs): (&Spec, &Proofs),
    suite: &Suite,
    results: Results,
    terminal: &Terminal,
) -> anyhow::Result<Exit> {
    let of_spec = |it| ScenarioResult { system: Some(spec.name.clone()), ..it };
    let scenarios = results.scenarios.into_iter().map(of_spec).collect();
    let results = Results { scenarios, ..results };
    let about = about(suite, args, &results, (spec, proofs));
    let written = reports::write(suite, &results, &about, &args.reports);
    let summary = report::summary(&results, &about);
    terminal.print(&format!("{}{summary}", told_unproven(proofs)));
    written?;
    Ok(if is_proven(&results) { Exit::Done } else { Exit::Failed })
}

/// The spec, and what proves it on `on`, or else on processes of this machine. Nothing is started: what its ground.yaml
/// binds has stand-ins.
pub async fn generate(
    path: &Path,
    inputs: &SpecInputs,
    only: &[String],
    on: Option<&Ground>,
) -> anyhow::Result<(Spec, Proofs)> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let ground = GroundSpec::read(folder, inputs.environment.as_deref())?;
    let with = |bound: Vec<(String, Value)>| {
        let is_given = |name: &str| inputs.vars.iter().any(|(it, _)| it == name);
        let bound = bound.into_iter().filter(|(name, _)| !is_given(name));
        let text = |it: Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
        let bound = bound.map(|(name, value)| (name, text(value)));
        SpecInputs { vars: bound.chain(inputs.vars.iter().cloned()).collect(), ..inputs.clone() }
    };
    let stood_in = with(ground.stand_ins()?);
    let spec = shown_if_wrong(path, &stood_in)?;
    let beside = Beside {
        servers: ground.servers.iter().map(|(name, it)| (name.clone(), it.side)).collect(),
        bindings: Bindings::of(&ground, |bound| {
            load(path, &with(bound)).map_err(anyhow::Error::from)
        })?,
    };
    // An engine that does not answer is told by the scenarios that need it.
    let networks = match on {
        Some(ground) => ground.networks().await.unwrap_or_default(),
        None => vec![loopback_network()],
    };
    let spec = Spec { objects: opened(&spec.objects, &networks), ..spec };
    of_spec(spec, path, &stood_in, only, Some(beside))
}

/// Of a Vault that people use.
pub fn generate_live(
    path: &Path,
    inputs: &SpecInputs,
    only: &[String],
) -> anyhow::Result<(Spec, Proofs)> {
    of_spec(shown_if_wrong(path, inputs)?, path, inputs, only, None)
}

/// What stands on the ground of a spec beside a Vault, and what of the spec works with it.
#[derive(Default)]
struct Beside {
    servers: Vec<(String, &'static FarSide)>,
    bindings: Bindings,
}

fn of_spec(
    spec: Spec,
    path: &Path,
    inputs: &SpecInputs,
    only: &[String],
    beside: Option<Beside>,
) -> anyhow::Result<(Spec, Proofs)> {
    output::warnings(&spec);
    let path = path.display().to_string();
    let environment = inputs.environment.as_deref();
    let live = beside.is_none();
    let Beside { servers, bindings } = beside.unwrap_or_default();
    let named =
        Named { path: &path, environment, only, servers: &servers, bindings: &bindings, live };
    let proofs = proofs(&spec, &named)?;
    if proofs.features.is_empty() {
        proofs.unproven.iter().for_each(|it| eprint!("{}", told(it)));
        let of_these: Vec<String> = only.iter().map(|it| format!(" --only '{it}'")).collect();
        anyhow::bail!("nothing in {} can be proven{}", spec.name, of_these.concat());
    }
    Ok((spec, proofs))
}

fn shown_if_wrong(path: &Path, inputs: &SpecInputs) -> anyhow::Result<Spec> {
    load(path, inputs).map_err(|error| match error {
        ReadError::Refused(refused) => {
            eprint!("{}", refused.mistakes.render(&refused.sources, output::colour_of_errors()));
            anyhow::anyhow!("{} has mistakes", path.display())
        }
        other => other.into(),
    })
}

pub fn features(proofs: &Proofs) -> Result<Vec<Feature>, LoadError> {
    proofs.features.iter().map(|it| suite::parse(&it.file, &it.text)).collect()
}

pub fn suite(
    ground: &Ground,
    inputs: SpecInputs,
    filter: Filter,
    concurrency: usize,
    terminal: &Terminal,
) -> anyhow::Result<Suite> {
    Ok(Suite {
        root: std::env::current_dir()?,
        concurrency: concurrency.max(1),
        retries: suite::retries(),
        filter,
        inputs,
        secrets: terminal.secrets.clone(),
        ..Suite::new(ground.clone())
    })
}

/// Runs the features, a line for each scenario as it ends.
pub async fn run(suite: &Suite, features: Vec<Feature>, terminal: &Terminal) -> Results {
    let mut under_way = UnderWay::new(terminal);
    suite.run(features, move |what| under_way.tell(what)).await
}

/// Something was shown, and nothing refuted.
pub fn is_proven(results: &Results) -> bool {
    results.succeeded() && results.passed() > 0
}

fn emit(folder: &Path, spec: &Spec, proofs: &Proofs, terminal: &Terminal) -> anyhow::Result<()> {
    for feature in &proofs.features {
        terminal.secrets.pass(&feature.file, feature.text.as_bytes())?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for feature in &proofs.features {
        let path = folder.join(&feature.file);
        fs::write(&path, &feature.text)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    terminal.print(&format!(
        "{} features of {} are in {dir}; `vaultwright test {dir}` runs them from this folder\n\n{}",
        proofs.features.len(),
        spec.name,
        told_unproven(proofs),
        dir = folder.display()
    ));
    Ok(())
}

fn unproven(it: &Unproven) -> NotProven {
    NotProven { path: it.path.clone(), reason: it.reason.clone() }
}

fn about(
    suite: &Suite,
    args: &ProveArgs,
    results: &Results,
    (spec, proofs): (&Spec, &Proofs),
) -> About {
    let mut facts = reports::facts(suite, results);
    facts.extend(args.live.iter().map(|it| ("address".to_owned(), it.clone())));
    if proofs.divisor > 1 {
        let text =
            format!("all lives divided by {} where their ends are waited for", proofs.divisor);
        facts.push(("lives".into(), text));
    }
    let of_proof = OfProof {
        spec: spec.name.clone(),
        lives_divided_by: proofs.divisor,
        not_proven: proofs.unproven.iter().map(unproven).collect(),
    };
    About { title: format!("Proof of {}", spec.name), facts, of_proof: Some(of_proof) }
}

/// The divisor, and what is not proven and why.
pub fn told_unproven(proofs: &Proofs) -> String {
    let mut text = match proofs.divisor {
        1 => String::new(),
        divisor => format!("\nends of lives were waited for with all lives divided by {divisor}\n"),
    };
    proofs.unproven.iter().for_each(|it| text.push_str(&told(it)));
    text
}

fn told(Unproven { path, reason }: &Unproven) -> String {
    format!("not proven: {path}: {reason}\n")
}
