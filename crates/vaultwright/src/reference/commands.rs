//! The page of the commands, out of the table that the command line is read by.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::{cell, head};
use crate::pages::shown;

pub fn page() -> String {
    let mut text = head("Commands");
    text.push_str(
        "`vaultwright COMMAND`, or from a checkout `cargo xtask COMMAND`. `--help` says the same, and `vaultwright man` \
         prints it as a manual page.\n\n| command | what it does |\n| --- | --- |\n",
    );
    let all = shown();
    for command in all.get_subcommands() {
        let name = command.get_name();
        let _ = writeln!(text, "| [`{name}`](#{name}) | {} |", about(command));
    }
    for command in all.get_subcommands() {
        one(command, &mut text);
    }
    text
}

fn one(command: &Command, text: &mut String) {
    let usage = command.clone().bin_name(format!("vaultwright {}", command.get_name()));
    let usage = usage.clone().render_usage().to_string();
    let _ = write!(
        text,
        "\n## {}\n\n{}.\n\n`{}`\n",
        command.get_name(),
        about(command),
        usage.trim_start_matches("Usage: ")
    );
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|it| !it.is_hide_set() && it.get_id() != "help" && it.get_id() != "version")
        .collect();
    if arguments.is_empty() {
        return;
    }
    text.push_str("\n| argument | meaning |\n| --- | --- |\n");
    for argument in arguments {
        let _ = writeln!(text, "| `{}` | {} |", name(argument), meaning(argument));
    }
}

fn about(command: &Command) -> String {
    cell(&command.get_about().map(ToString::to_string).unwrap_or_default())
}

/// `-e, --env NAME`, `SPEC`
fn name(argument: &Arg) -> String {
    let value = argument.get_value_names().unwrap_or_default().first().map(ToString::to_string);
    let takes = argument.get_action().takes_values();
    let Some(long) = argument.get_long() else { return value.unwrap_or_default() };
    let short = argument.get_short().map(|it| format!("-{it}, ")).unwrap_or_default();
    let value = value.filter(|_| takes).map(|it| format!(" {it}")).unwrap_or_default();
    format!("{short}--{long}{value}")
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_help().map(|it| cell(&it.to_string())).unwrap_or_default();
    let mut parts: Vec<String> = Some(help).filter(|it| !it.is_empty()).into_iter().collect();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|it| !it.is_hide_set())
        .map(|it| format!("`{}`", it.get_name()))
        .collect();
    if argument.get_action().takes_values() && !values.is_empty() {
        parts.push(format!("one of {}", values.join(", ")));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|it| format!("`{}`", it.display())).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        parts.push(format!("by default {}", defaults.join(", ")));
    }
    if let Some(variable) = argument.get_env() {
        parts.push(format!("also `{}`", variable.display()));
    }
    parts.join("; ")
}
