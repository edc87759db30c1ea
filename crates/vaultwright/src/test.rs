//! `test`: features, on real servers.

use std::{fs, io::IsTerminal, path::PathBuf};

use anyhow::Context;
use clap::Args;
use vault_testbed::{
    ground::{Ground, Kind},
    report::{self, Results},
    suite::{self, CONCURRENCY, Filter, Suite, Tags},
};

use crate::Exit;

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
    /// Write the results as JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub async fn test(args: TestArgs) -> anyhow::Result<Exit> {
    let features = suite::load(&args.paths)?;
    let ground = Ground::open(args.on).await?;
    println!("on {}", ground.kind());
    let suite = Suite {
        program: Some(std::env::current_exe()?),
        root: std::env::current_dir()?,
        concurrency: args.concurrency.max(1),
        retries: suite::retries(),
        filter: Filter { tags: args.tags, name: args.name },
        ..Suite::new(ground.clone())
    };
    let colour = std::io::stdout().is_terminal();
    let run = async {
        let on_end = move |it: &report::ScenarioResult| print!("{}", report::line(it, colour));
        Ok::<_, anyhow::Error>(suite.run(features, on_end).await)
    };
    let results = ground.until_done(run).await?;
    tell(&suite, &results, args.junit, args.json)?;
    Ok(if results.succeeded() { Exit::Done } else { Exit::Failed })
}

/// Writes the reports, once it is sure that none of them holds a secret.
fn tell(
    suite: &Suite,
    results: &Results,
    junit: Option<PathBuf>,
    json: Option<PathBuf>,
) -> anyhow::Result<()> {
    let summary = report::summary(results);
    let xml = report::junit(results)?;
    let document = format!("{:#}\n", report::json(results));
    for text in [&summary, &xml, &document] {
        let found = suite.secrets.found_in(text);
        anyhow::ensure!(found.is_empty(), "a report would show {}", found.join(", "));
    }
    for (path, text) in [(junit, xml), (json, document)] {
        let Some(path) = path else { continue };
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print!("{summary}");
    Ok(())
}
