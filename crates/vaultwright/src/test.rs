//! `test`: features, on real servers.

use std::path::PathBuf;

use clap::Args;
use vault_testbed::{
    ground::{Ground, Kind, interrupted},
    report::{self, About},
    suite::{self, CONCURRENCY, Filter, Suite, Tags},
};

use crate::{
    Exit,
    output::Terminal,
    prove,
    reports::{self, ReportArgs},
};

/// Run features on real servers
#[derive(Args)]
pub struct TestArgs {
    /// .feature files, or folders of them
    #[arg(default_value = "features")]
    paths: Vec<PathBuf>,
    /// Where scenarios run: process, docker or address; by default what this machine has
    #[arg(long, value_name = "GROUND")]
    on: Option<Kind>,
    /// Only scenarios with such tags, such as `@approle and not @slow`
    #[arg(long, value_name = "EXPR")]
    tags: Option<Tags>,
    /// Only scenarios whose name matches
    #[arg(long, value_name = "REGEX")]
    name: Option<regex::Regex>,
    /// How many scenarios are under way at once
    #[arg(long, value_name = "N", default_value_t = CONCURRENCY)]
    concurrency: usize,
    #[command(flatten)]
    reports: ReportArgs,
}

pub async fn test(args: TestArgs) -> anyhow::Result<Exit> {
    let terminal = Terminal::default();
    terminal.end(run(args, &terminal).await)
}

async fn run(args: TestArgs, terminal: &Terminal) -> anyhow::Result<Exit> {
    let features = suite::load(&args.paths)?;
    let signal = interrupted();
    let ground = Ground::open(args.on).await?;
    println!("on {}", ground.kind());
    let suite = Suite {
        secrets: terminal.secrets.clone(),
        program: Some(std::env::current_exe()?),
        root: std::env::current_dir()?,
        concurrency: args.concurrency.max(1),
        retries: suite::retries(),
        filter: Filter { tags: args.tags, name: args.name },
        ..Suite::new(ground.clone())
    };
    let run = async { Ok::<_, anyhow::Error>(prove::run(&suite, features, terminal).await) };
    let results = ground.until_done(signal, run).await?;
    let facts = reports::facts(&suite, &results);
    let about = About { title: "vaultwright test".into(), facts, of_proof: None };
    let written = reports::write(&suite, &results, &about, &args.reports);
    terminal.print(&report::summary(&results, &about));
    written?;
    Ok(if results.succeeded() { Exit::Done } else { Exit::Failed })
}
