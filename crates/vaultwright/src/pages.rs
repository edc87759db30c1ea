//! `completions`, `man`, `schema`: what shells, `man` and programs are told, out of the tables that the commands are.

use std::{fs, path::PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};
use serde_json::{Value, json};

use crate::{
    Cli, Exit, applied,
    exits::EXITS,
    output,
    variables::{GROUPS, Group},
};

/// Print the completions of a shell
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, of the whole or of one command
#[derive(Args, Debug)]
pub struct ManArgs {
    /// A command, such as `plan`
    command: Option<String>,
    /// Write all pages into a folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

/// Print a JSON Schema: of a spec, or of what a command tells programs
#[derive(Args, Debug)]
pub struct SchemaArgs {
    #[arg(value_enum, default_value_t)]
    of: Schema,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schema {
    /// A spec, for editors
    #[default]
    Spec,
    /// What `check` and `check-manifests --format json` print
    Check,
    /// What `plan --format json` prints
    Plan,
    /// What `apply` and `destroy --format json` print
    Apply,
    /// What `verify --format json` prints
    Verify,
    /// What `prove --json FILE` and `test --json FILE` write
    Report,
}

pub fn completions(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "vaultwright", &mut script);
    print!("{}", String::from_utf8(script)?);
    Ok(Exit::Done)
}

pub fn man(args: &ManArgs) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut names = vec![None];
        let commands = shown();
        names.extend(commands.get_subcommands().map(|it| Some(it.get_name())));
        for name in names {
            let file = name.map_or("vaultwright.1".into(), |it| format!("vaultwright-{it}.1"));
            let path = folder.join(file);
            fs::write(&path, page(name)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        return Ok(Exit::Done);
    }
    print!("{}", String::from_utf8(page(args.command.as_deref())?)?);
    Ok(Exit::Done)
}

pub fn schema(args: &SchemaArgs) -> Exit {
    output::json(&args.of.schema());
    Exit::Done
}

impl Schema {
    pub fn schema(self) -> Value {
        match self {
            Schema::Spec => vault_model::schema::schema(),
            Schema::Check => json!(vault_model::mistakes::schema()),
            Schema::Apply => json!(applied::schema()),
            Schema::Plan => json!(vault_model::told::plan_schema()),
            Schema::Verify => json!(vault_model::report::schema()),
            Schema::Report => json!(vault_testbed::report::schema()),
        }
    }
}

/// The table of commands without what is only there for ourselves.
pub fn shown() -> clap::Command {
    let mut all = Cli::command();
    all.build();
    let kept: Vec<clap::Command> = all
        .get_subcommands()
        .filter(|it| !it.is_hide_set() && it.get_name() != "help")
        .cloned()
        .collect();
    let mut shown = clap::Command::new("vaultwright").subcommands(kept);
    if let Some(about) = all.get_about() {
        shown = shown.about(about.clone());
    }
    shown.version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true)
}

fn page(command: Option<&str>) -> anyhow::Result<Vec<u8>> {
    let all = shown();
    let command = match command {
        None => all,
        Some(name) => {
            let found = all.find_subcommand(name);
            let found = found.ok_or_else(|| anyhow!("there is no command `{name}`"))?;
            found.clone().display_name(format!("vaultwright-{name}"))
        }
    };
    let is_whole = command.get_name() == "vaultwright";
    let mut page = Vec::new();
    Man::new(command)
        .source(concat!("vaultwright ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    if is_whole {
        more().to_writer(&mut page)?;
    }
    Ok(page)
}

/// What every command shares.
fn more() -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["EXIT STATUS"]);
    for exit in EXITS {
        roff.control("TP", []);
        roff.text([bold(exit.code.to_string())]).text([roman(plain(exit.meaning))]);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for Group { title, variables } in GROUPS {
        roff.control("SS", [*title]);
        for variable in *variables {
            roff.control("TP", []);
            roff.text([bold(variable.name)]).text([roman(plain(variable.meaning))]);
        }
    }
    roff
}

fn plain(text: &str) -> String {
    text.replace('`', "")
}
