//! A plan that was kept in a file: it is carried out as it was shown, or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vault_model::plan::Plan;

use crate::args::{InputArgs, SpecArgs, TargetArgs};

const FORMAT: &str = "vaultwright/pinned-plan/1";

/// Holds no value of a variable: those are given again when it is applied.
#[derive(Serialize, Deserialize)]
pub struct Pinned {
    format: String,
    pub spec: PathBuf,
    environment: Option<String>,
    var_files: Vec<PathBuf>,
    targets: Vec<String>,
    excludes: Vec<String>,
    /// As `plan --format json` shows it.
    plan: Value,
    /// Of the plan with the versions of the KV secrets that it replaces.
    fingerprint: String,
}

pub fn write(
    path: &Path,
    spec: &SpecArgs,
    targets: &TargetArgs,
    name: &str,
    plan: &Plan,
) -> anyhow::Result<()> {
    let pinned = Pinned {
        format: FORMAT.to_owned(),
        spec: fs::canonicalize(&spec.spec)?,
        environment: spec.inputs.env.clone(),
        var_files: spec.inputs.var_file.iter().map(fs::canonicalize).collect::<Result<_, _>>()?,
        targets: targets.target.clone(),
        excludes: targets.exclude.clone(),
        plan: plan.to_json(name),
        fingerprint: plan.fingerprint(),
    };
    let text = serde_json::to_string_pretty(&pinned)?;
    fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
}

/// The pinned plan in `path`, or `None` where it is a spec.
pub fn read(path: &Path) -> anyhow::Result<Option<Pinned>> {
    if path.extension().is_some_and(|it| it == "yaml" || it == "yml") || !path.is_file() {
        return Ok(None);
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    let pinned: Pinned = serde_json::from_str(&text)
        .with_context(|| format!("{} is no plan of `plan --out`", path.display()))?;
    if pinned.format != FORMAT {
        bail!(
            "{} has the format {}, and this version knows {FORMAT}",
            path.display(),
            pinned.format
        );
    }
    Ok(Some(pinned))
}

impl Pinned {
    /// What the plan was made with; variables that were given one by one must be given again.
    pub fn inputs(&self, given: &InputArgs) -> InputArgs {
        InputArgs {
            env: self.environment.clone(),
            var: given.var.clone(),
            var_file: self.var_files.clone(),
        }
    }

    pub fn targets(&self) -> TargetArgs {
        TargetArgs { target: self.targets.clone(), exclude: self.excludes.clone() }
    }

    /// Refuses where what would be done now is not what was shown.
    pub fn check(&self, name: &str, now: &Plan) -> anyhow::Result<()> {
        if now.fingerprint() == self.fingerprint {
            return Ok(());
        }
        let paths = |plan: &Value| -> Vec<Value> {
            plan["changes"].as_array().cloned().unwrap_or_default()
        };
        let (then, now) = (paths(&self.plan), paths(&now.to_json(name)));
        let moved = then
            .iter()
            .filter(|it| !now.contains(it))
            .chain(now.iter().filter(|it| !then.contains(it)));
        let mut moved: Vec<&str> = moved.filter_map(|it| it["path"].as_str()).collect();
        moved.dedup();
        let which =
            if moved.is_empty() { "a secret's version".to_owned() } else { moved.join(", ") };
        bail!(
            "Vault or the spec is not as it was when this plan was made: {which}; make a new plan"
        );
    }
}
