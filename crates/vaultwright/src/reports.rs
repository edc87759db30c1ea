//! What a run leaves for others to read: a page, JUnit's XML, JSON, a summary in Markdown.

use std::{fs, io::Write, path::PathBuf};

use anyhow::Context;
use clap::Args;
use vault_testbed::{
    report::{self, About, Results},
    suite::Suite,
};

#[derive(Args, Clone, Debug, Default)]
pub struct ReportArgs {
    /// Write the results as one page of HTML that needs nothing else
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    html: Option<PathBuf>,
    /// Write the results as JUnit's XML
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
    /// Add a summary in Markdown to the end of a file; by default to the one of GITHUB_STEP_SUMMARY
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    markdown: Option<PathBuf>,
}

/// What every report says of a run.
pub fn facts(suite: &Suite, results: &Results) -> Vec<(String, String)> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string();
    let far_sides: Vec<&str> = results.far_sides().into_iter().collect();
    let secrets = format!("{} looked for in logs and reports", suite.secrets.count());
    let facts = [
        ("when", now),
        ("on", suite.ground.kind().to_string()),
        ("by", concat!("vaultwright ", env!("CARGO_PKG_VERSION")).into()),
        ("beside Vault", far_sides.join(" · ")),
        ("secrets", secrets),
    ];
    let known = facts.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Writes what was asked for, once it is sure that none of it holds a secret.
pub fn write(
    suite: &Suite,
    results: &Results,
    about: &About,
    args: &ReportArgs,
) -> anyhow::Result<()> {
    let page = report::html(results, about)?;
    let xml = report::junit(results, about)?;
    let json = format!("{:#}\n", report::json(results, about));
    let markdown = report::markdown(results, about);
    let texts = [
        ("the page", &args.html, &page),
        ("JUnit's XML", &args.junit, &xml),
        ("the JSON", &args.json, &json),
        ("the summary in Markdown", &args.markdown, &markdown),
    ];
    for (what, path, text) in texts {
        let artefact = path.as_ref().map_or(what.to_owned(), |it| it.display().to_string());
        suite.secrets.pass(&artefact, text.as_bytes())?;
    }
    for (path, text) in [(&args.html, page), (&args.junit, xml), (&args.json, json)] {
        let Some(path) = path else { continue };
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let of_job = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|it| !it.is_empty());
    match args.markdown.clone().or(of_job.map(PathBuf::from)) {
        Some(path) => {
            let file = fs::File::options().create(true).append(true).open(&path);
            file.and_then(|mut it| it.write_all(markdown.as_bytes()))
                .with_context(|| format!("cannot write {}", path.display()))
        }
        None => Ok(()),
    }
}
