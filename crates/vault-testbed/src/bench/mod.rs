//! How fast and how large: vaultwright beside a bare client, on one fresh Vault each, in one run.

mod bare;
mod measure;
mod spec;

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::process::Command;
use vault_model::{live::Live, plan::plan, request::Request};
use vault_provision::{SpecInputs, load};

use crate::ground::{Ground, Mode, VaultOptions, VaultServer};

pub use measure::{Usage, measure};

/// How often what changes nothing is measured; the median counts.
const ROUNDS: usize = 3;
/// How many requests the bare client has under way; the best of these counts.
const AT_ONCE: [usize; 3] = [16, 32, 64];

/// The figures for one number of objects.
pub struct Figures {
    pub objects: usize,
    pub rows: Vec<Row>,
}

/// One operation of vaultwright, with what a bare client needs for the same requests.
pub struct Row {
    pub name: &'static str,
    pub usage: Usage,
    /// By operation of the audit log.
    pub requests: BTreeMap<String, usize>,
    /// `None` where a bare client would have nothing to send.
    pub bare: Option<Duration>,
}

/// Measures with `binary`, a release build of vaultwright.
pub async fn run(ground: &Ground, binary: &Path, objects: usize) -> anyhow::Result<Figures> {
    let folder = tempfile::Builder::new().prefix("vaultwright-bench").tempdir()?;
    let file = folder.path().join("bench.yaml");
    std::fs::write(&file, spec::mixed(objects))?;
    let (writes, reads) = requests(&file)?;
    let mut bare_writes = Duration::MAX;
    for at_once in AT_ONCE {
        let mut vault = fresh(ground).await?;
        let bare = bare::Bare::new(&vault.address, &vault.root_token)?;
        bare_writes =
            bare_writes.min(bare.send(&writes, at_once).await.context("the bare client's writes")?);
        vault.stop().await?;
    }
    let mut vault = fresh(ground).await?;
    let bench = Bench { binary: binary.to_owned(), file };
    let mut rows =
        vec![bench.row("first apply", &vault, &["apply", "--yes"], 1, Some(bare_writes)).await?];
    let bare = bare::Bare::new(&vault.address, &vault.root_token)?;
    let mut bare_reads = Vec::new();
    for at_once in AT_ONCE {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(
                bare.send(std::slice::from_ref(&reads), at_once)
                    .await
                    .context("the bare client's reads")?,
            );
        }
        rounds.sort();
        bare_reads.push(rounds[ROUNDS / 2]);
    }
    let best = bare_reads.into_iter().min();
    rows.push(bench.row("no-op plan", &vault, &["plan", "--exit-code"], ROUNDS, best).await?);
    rows.push(bench.row("no-op apply", &vault, &["apply", "--yes"], ROUNDS, best).await?);
    rows.push(bench.row("check", &vault, &["check"], ROUNDS, None).await?);
    vault.stop().await?;
    Ok(Figures { objects, rows })
}

async fn fresh(ground: &Ground) -> anyhow::Result<VaultServer> {
    let options = VaultOptions { mode: Mode::Raft, audit: true, ..VaultOptions::default() };
    Ok(ground.vault(&options).await?)
}

/// The writes of a first apply, wave by wave, and as many reads of single objects as a plan has to make.
fn requests(file: &Path) -> anyhow::Result<(Vec<Vec<Request>>, Vec<Request>)> {
    let spec = load(file, &SpecInputs::default())?;
    let plan = plan(&spec.objects, &Live::default(), None)?;
    let wave = |it: &Vec<vault_model::plan::Change>| {
        it.iter().flat_map(|it| &it.steps).map(|it| it.request().clone()).collect()
    };
    let reads =
        spec.objects.iter().filter(|it| it.kind.list.is_some()).map(|it| Request::get(&it.path));
    Ok((plan.waves.iter().map(wave).collect(), reads.collect()))
}

struct Bench {
    binary: PathBuf,
    file: PathBuf,
}

impl Bench {
    async fn row(
        &self,
        name: &'static str,
        vault: &VaultServer,
        words: &[&str],
        rounds: usize,
        bare: Option<Duration>,
    ) -> anyhow::Result<Row> {
        let mut usages = Vec::new();
        let mut requests = BTreeMap::new();
        for _ in 0..rounds {
            let before = vault.audit_log().await?.len();
            usages.push(self.command(vault, words).await?);
            requests = counted(&vault.audit_log().await?[before..]);
        }
        usages.sort_by(|a, b| a.wall_seconds.total_cmp(&b.wall_seconds));
        Ok(Row { name, usage: usages[rounds / 2], requests, bare })
    }

    async fn command(&self, vault: &VaultServer, words: &[&str]) -> anyhow::Result<Usage> {
        let output = Command::new(&self.binary)
            .args(["bench-measure", "--"])
            .arg(&self.binary)
            .args(words)
            .arg(&self.file)
            .env("VAULT_ADDR", &vault.address)
            .env("VAULT_TOKEN", vault.root_token.expose_secret())
            .stdin(Stdio::null())
            .output()
            .await?;
        let problem = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} failed: {problem}", words.join(" "));
        serde_json::from_slice(&output.stdout).context("the usage of a measured command")
    }
}

/// How many requests of each operation were answered.
fn counted(entries: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in entries.iter().filter(|it| it["type"] == "response") {
        let operation = entry["request"]["operation"].as_str().unwrap_or("other");
        *counts.entry(operation.to_owned()).or_default() += 1;
    }
    counts
}

/// A table in Markdown.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| {} objects | wall | bare client | ratio | client CPU | peak RSS | requests |",
            self.objects
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- |")?;
        for row in &self.rows {
            let (bare, ratio) = match row.bare.map(|it| it.as_secs_f64()) {
                Some(bare) => {
                    (format!("{bare:.2} s"), format!("{:.2}", row.usage.wall_seconds / bare))
                }
                None => ("-".to_owned(), "-".to_owned()),
            };
            let mut requests = String::new();
            for (operation, count) in &row.requests {
                write!(
                    requests,
                    "{}{count} {operation}",
                    if requests.is_empty() { "" } else { ", " }
                )?;
            }
            writeln!(
                f,
                "| {} | {:.2} s | {bare} | {ratio} | {:.2} s | {} MB | {requests} |",
                row.name,
                row.usage.wall_seconds,
                row.usage.cpu_seconds,
                row.usage.peak_rss_bytes / 1_000_000,
            )?;
        }
        Ok(())
    }
}
