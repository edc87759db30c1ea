//! `check` and `lints`: what needs no Vault.

use clap::Args;
use vault_model::{lint::LINTS, source::Severity};
use vault_provision::{ReadError, SpecInputs, load};

use crate::{
    Exit,
    args::{Format, SpecArgs},
    output,
};

/// Find the mistakes in a spec; needs no Vault
#[derive(Args, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// Fail for warnings too
    #[arg(long)]
    strict: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn check(args: &CheckArgs) -> anyhow::Result<Exit> {
    let inputs = SpecInputs { has_stand_ins: true, ..args.spec.inputs.inputs() };
    let (mistakes, sources, objects) = match load(&args.spec.spec, &inputs) {
        Ok(spec) => (spec.warnings, spec.sources, Some((spec.objects.len(), spec.claims.len()))),
        Err(ReadError::Refused(refused)) => (refused.mistakes, refused.sources, None),
        Err(err) => return Err(err.into()),
    };
    match args.format {
        Format::Json => output::json(&mistakes.to_json(&sources)),
        Format::Text => {
            print!("{}", mistakes.render(&sources, output::colour()));
            match objects {
                Some((objects, claims)) => {
                    println!(
                        "{}: {}, {}",
                        args.spec.spec.display(),
                        noun(objects, "object"),
                        noun(claims, "claim")
                    );
                }
                None => println!(
                    "{}: {}",
                    args.spec.spec.display(),
                    noun(mistakes.list().len(), "mistake")
                ),
            }
        }
    }
    let is_wrong = mistakes.has_errors() || args.strict && !mistakes.is_empty();
    Ok(if is_wrong { Exit::Failed } else { Exit::Done })
}

/// `1 mistake`, `2 mistakes`
pub fn noun(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// The table of lints, for people.
pub fn lints() -> Exit {
    for lint in LINTS {
        let severity = match lint.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        println!("{} ({severity})\n    {}\n    instead: {}\n", lint.name, lint.reason, lint.remedy);
    }
    println!("to silence one, before its line or at the line's end: # allow LINT: reason");
    Exit::Done
}
