//! `render`: what a spec says once its templates are filled in.

use clap::Args;
use serde_json::json;
use vault_provision::load;

use crate::{
    Exit,
    args::{Format, SpecArgs, TargetArgs},
    output,
};

/// Print a spec with its variables and templates filled in, as YAML; no secret is shown and no Vault needed
#[derive(Args, Debug)]
pub struct RenderArgs {
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    targets: TargetArgs,
    /// `text` is YAML
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The shape of what `render --format json` prints.
const FORMAT: &str = "vaultwright/rendered/1";

pub fn render(args: &RenderArgs) -> anyhow::Result<Exit> {
    let mut spec = load(&args.spec.spec, &args.spec.inputs.inputs())?;
    spec.select(&args.targets.target, &args.targets.exclude)?;
    output::warnings(&spec);
    let rendered = spec.rendered();
    let text = match args.format {
        Format::Text => serde_yaml::to_string(&rendered)?,
        Format::Json => format!(
            "{:#}\n",
            json!({ "format": FORMAT, "name": rendered.name, "objects": rendered.objects })
        ),
    };
    print!("{}", spec.redactor.mask(&text));
    Ok(Exit::Done)
}
