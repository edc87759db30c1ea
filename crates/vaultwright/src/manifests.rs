//! `check-manifests`: what pods ask of Vault, held against a spec.

use std::path::PathBuf;

use clap::Args;
use vault_model::manifests::judge;
use vault_provision::{ReadError, SpecInputs, load};

use crate::{
    Exit,
    args::{Format, InputArgs},
    check::noun,
    output,
};

/// Hold Kubernetes manifests against a spec: what the Vault Agent injector's annotations ask for must be there
///
/// Roles, service accounts, namespaces, audiences, paths and the fields that templates use are looked at. Needs
/// neither a cluster nor a Vault. Charts and overlays are to be rendered first.
#[derive(Args, Debug)]
pub struct CheckManifestsArgs {
    /// A folder of manifests: every .yaml, .yml and .json file below it
    folder: PathBuf,
    /// The spec; by default the folder that the manifests' folder lies in
    #[arg(long)]
    spec: Option<PathBuf>,
    #[command(flatten)]
    inputs: InputArgs,
    /// The namespace of what names none
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Fail for warnings too
    #[arg(long)]
    strict: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn check(args: &CheckManifestsArgs) -> anyhow::Result<Exit> {
    let manifests = vault_provision::manifests(&args.folder)?;
    let spec = args.spec.clone().unwrap_or_else(|| above(&args.folder));
    let inputs = SpecInputs { has_stand_ins: true, ..args.inputs.inputs() };
    let (mistakes, sources, of_pods) = match load(&spec, &inputs) {
        Ok(spec) => {
            let judged = judge(&spec, manifests, &args.namespace);
            let asking = format!("{} of {}", judged.injected, noun(judged.pods, "pod"));
            (judged.mistakes, judged.sources, format!("{asking} asking for an agent"))
        }
        Err(ReadError::Refused(refused)) => {
            (refused.mistakes, refused.sources, "the spec itself has mistakes".to_owned())
        }
        Err(error) => return Err(error.into()),
    };
    match args.format {
        Format::Json => output::json(&mistakes.to_json(&sources)),
        Format::Text => {
            print!("{}", mistakes.render(&sources, output::colour()));
            let count = noun(mistakes.list().len(), "mistake");
            println!("{}: {of_pods}, {count}", args.folder.display());
        }
    }
    let is_wrong = mistakes.has_errors() || args.strict && !mistakes.is_empty();
    Ok(if is_wrong { Exit::Failed } else { Exit::Done })
}

fn above(folder: &std::path::Path) -> PathBuf {
    match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
        Some(_) if folder != std::path::Path::new(".") => ".".into(),
        _ => "..".into(),
    }
}
