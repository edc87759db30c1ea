//! `reference`: the pages that say all there is, written out of the tables that the program itself goes by.

mod commands;
mod kinds;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use vault_model::{lint::LINTS, source::Severity};

use crate::{Exit, exits::EXITS, pages::Schema, variables::GROUPS};

/// Write the reference into a folder: commands, kinds, lints, exit codes, variables, JSON Schemas
#[derive(Args, Debug)]
pub struct ReferenceArgs {
    #[arg(long, value_name = "DIR", default_value = "docs/reference")]
    out: PathBuf,
    /// Write nothing, and fail where a page in the folder is not as it would be written
    #[arg(long)]
    check: bool,
}

/// A page, by the name of its file.
struct Page {
    file: &'static str,
    text: String,
}

pub fn reference(args: &ReferenceArgs) -> anyhow::Result<Exit> {
    if args.check {
        return Ok(check(&args.out));
    }
    fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    for page in pages() {
        let path = args.out.join(page.file);
        fs::write(&path, page.text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Done)
}

fn check(folder: &Path) -> Exit {
    let is_stale = |page: &Page| {
        fs::read_to_string(folder.join(page.file)).map_or(true, |there| there != page.text)
    };
    let stale: Vec<Page> = pages().into_iter().filter(is_stale).collect();
    for page in &stale {
        println!("{} is stale: `vaultwright reference` writes it anew", page.file);
    }
    if stale.is_empty() { Exit::Done } else { Exit::Failed }
}

fn pages() -> Vec<Page> {
    vec![
        Page { file: "commands.md", text: commands::page() },
        Page { file: "kinds.md", text: kinds::page() },
        Page { file: "lints.md", text: lints() },
        Page { file: "exit-codes.md", text: exits() },
        Page { file: "variables.md", text: variables() },
        Page { file: "check.schema.json", text: schema(Schema::Check) },
        Page { file: "apply.schema.json", text: schema(Schema::Apply) },
        Page { file: "plan.schema.json", text: schema(Schema::Plan) },
        Page { file: "verify.schema.json", text: schema(Schema::Verify) },
        Page { file: "report.schema.json", text: schema(Schema::Report) },
    ]
}

/// The beginning of each page.
fn head(title: &str) -> String {
    format!(
        "<!-- Written by `cargo xtask reference`: what is changed here by hand is lost. -->\n\n# {title}\n\n"
    )
}

fn lints() -> String {
    let mut text = head("Lints");
    text.push_str(
        "What `vaultwright check` looks for beyond the shape of a spec. To silence one, before its line or at the \
         line's end: `# allow LINT: reason`.\n",
    );
    for lint in LINTS {
        let severity = match lint.severity {
            Severity::Error => "an error",
            Severity::Warning => "a warning",
        };
        let _ = write!(
            text,
            "\n## {}\n\nIt is {severity}. Why: {}.\nInstead: {}.\n",
            lint.name, lint.reason, lint.remedy
        );
    }
    text
}

fn exits() -> String {
    let mut text = head("Exit codes");
    text.push_str("| code | meaning |\n| --- | --- |\n");
    for exit in EXITS {
        let _ = writeln!(text, "| {} | {} |", exit.code, cell(exit.meaning));
    }
    text
}

fn variables() -> String {
    let mut text = head("Environment variables");
    text.push_str(
        "Variables that begin with `VAULT_` mean what they mean to Vault's own command line. Each may begin with \
         `BAO_` as well, as OpenBao has it; where both are set and differ, that is an error.\n",
    );
    for group in GROUPS {
        let _ = write!(text, "\n## {}\n\n| variable | meaning |\n| --- | --- |\n", group.title);
        for variable in group.variables {
            let _ = writeln!(text, "| `{}` | {} |", variable.name, cell(variable.meaning));
        }
    }
    text
}

fn schema(of: Schema) -> String {
    format!("{:#}\n", of.schema())
}

/// As a cell of a table: on one line, without the sign that ends a cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ").replace('|', "\\|")
}
