//! A spec: given, planned, applied, verified.

use std::{fs, path::PathBuf};

use cucumber::{gherkin::Step, given, then, when};
use vault_client::Vault;
use vault_model::{object::Object, plan::Plan, spec::Spec};
use vault_provision::{
    Outcome, PrepareError, ReadError, SpecInputs, Stop, load, prepare, prepare_destruction,
};

use super::audit;
use crate::world::{Failure, Result, World, ensure, failure};

/// The text of one. A name, and the variables that the ground knows, are declared where it leaves them out.
#[given(expr = "the spec")]
#[when(expr = "the spec becomes")]
async fn the_spec(world: &mut World, step: &Step) -> Result {
    let text = step.docstring().ok_or_else(|| Failure("the step has no text".into()))?;
    let text = declared(world, text.trim_start_matches('\n'));
    let path = world.folder()?.join("spec.yaml");
    fs::write(&path, text)?;
    world.spec_path = Some(path);
    Ok(())
}

#[given(expr = "the spec {string}")]
async fn the_spec_at(world: &mut World, path: String) -> Result {
    let path = world.path(&path);
    ensure(path.exists(), || format!("there is no {}", path.display()))?;
    world.spec_path = Some(path);
    Ok(())
}

#[given(expr = "beside the spec the file {string}")]
#[when(expr = "the file {string} beside the spec becomes")]
async fn file_beside(world: &mut World, name: String, step: &Step) -> Result {
    let text = step.docstring().map_or("", |it| it.trim_start_matches('\n'));
    let path = world.folder()?.join(name);
    Ok(fs::write(path, text)?)
}

#[given(expr = "the variable {word} is {string}")]
#[when(expr = "the variable {word} is {string}")]
async fn the_variable(world: &mut World, name: String, value: String) -> Result {
    let value = world.filled(&value);
    world.vars.insert(name, value.into());
    Ok(())
}

/// Nobody shows it from now on.
#[given(expr = "the secret variable {word} is {string}")]
#[when(expr = "the secret variable {word} is {string}")]
async fn the_secret_variable(world: &mut World, name: String, value: String) -> Result {
    world.add_secret(&format!("the variable {name}"), &value);
    world.vars.insert(name, value.into());
    Ok(())
}

#[when(expr = "I plan")]
async fn i_plan(world: &mut World) -> Result {
    let vault = world.vault()?.clone();
    plan(world, &vault).await.map(drop)
}

#[given(expr = "I apply")]
#[when(expr = "I apply")]
#[when(expr = "I apply again")]
async fn i_apply(world: &mut World) -> Result {
    let vault = world.vault()?.clone();
    apply(world, &vault).await?;
    all_done(world)
}

#[when(expr = "I apply, and not all of it works")]
async fn i_apply_in_vain(world: &mut World) -> Result {
    let vault = world.vault()?.clone();
    apply(world, &vault).await?;
    ensure(all_done(world).is_err(), || "all of it worked".into())
}

#[when(expr = "the token {word} applies")]
async fn someone_applies(world: &mut World, who: String) -> Result {
    let vault = world.token(&who)?.clone();
    apply(world, &vault).await
}

#[when(expr = "I destroy it")]
async fn i_destroy(world: &mut World) -> Result {
    destroy(world, false).await
}

#[when(expr = "I destroy it with its data")]
async fn i_destroy_with_data(world: &mut World) -> Result {
    destroy(world, true).await
}

#[then(expr = "the plan is")]
async fn the_plan_is(world: &mut World, step: &Step) -> Result {
    let wanted = step.docstring().map_or("", |it| it.as_str());
    let (wanted, shown) = (lines(wanted), lines(&world.plan));
    ensure(wanted == shown, || {
        let diff = similar::TextDiff::from_lines(wanted.as_str(), shown.as_str());
        format!("the plan is another (-wanted +shown):\n{}", diff.unified_diff())
    })
}

#[then(expr = "the plan is empty")]
#[then(expr = "nothing is left to do")]
async fn nothing_is_left(world: &mut World) -> Result {
    let vault = world.vault()?.clone();
    let plan = plan(world, &vault).await?;
    ensure(plan.is_empty(), || format!("there is still to do:\n{}", plan.show(false)))
}

#[then(expr = "the plan shows {string}")]
async fn the_plan_shows(world: &mut World, text: String) -> Result {
    ensure(world.plan.contains(&text), || format!("the plan is\n{}", world.plan))
}

#[then(expr = "the plan does not show {string}")]
async fn the_plan_does_not_show(world: &mut World, text: String) -> Result {
    ensure(!world.plan.contains(&text), || "the plan shows it".into())
}

/// `done`, `failed`, `skipped`: what the last apply made of it.
#[then(expr = "{string} was {word}")]
async fn outcome_was(world: &mut World, path: String, wanted: String) -> Result {
    let Some((_, applied)) = &world.applied else { return failure("nothing was applied") };
    let result = applied.results.iter().find(|it| it.path == path);
    let result = result.ok_or_else(|| Failure(format!("{path} was not in the plan")))?;
    let outcome = outcome(&result.outcome);
    ensure(outcome.0 == wanted, || format!("{path} was {}: {}", outcome.0, outcome.1))
}

#[then(expr = "it was refused because {string}")]
async fn it_was_refused(world: &mut World, reason: String) -> Result {
    match &world.refused {
        Some(why) if why.contains(&reason) => Ok(()),
        Some(why) => failure(format!("it was refused because {why}")),
        None => failure("it was not refused"),
    }
}

#[then(expr = "nothing was changed")]
async fn nothing_was_changed(world: &mut World) -> Result {
    audit::no_write(world).await
}

/// Reads the spec of the scenario with all that the scenario knows.
pub fn read(world: &World) -> Result<Spec> {
    let path: PathBuf =
        world.spec_path.clone().ok_or_else(|| Failure("the scenario has no spec".into()))?;
    let text = |it: &serde_json::Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    let vars = world.vars.iter().map(|(name, value)| (name.clone(), text(value)));
    let declares = fs::read_to_string(&path).unwrap_or_default();
    let vars = vars.filter(|(name, _)| path.is_dir() || declares.contains(name)).collect();
    let inputs = SpecInputs { vars, ..SpecInputs::default() };
    load(&path, &inputs).map_err(|err| match err {
        ReadError::Refused(refused) => Failure(refused.mistakes.render(&refused.sources, false)),
        other => other.into(),
    })
}

/// Plans as `vault`, and keeps what it shows.
pub async fn plan(world: &mut World, vault: &Vault) -> Result<Plan> {
    let spec = read(world)?;
    let from = audit::mark(world).await;
    let prepared = prepare(vault, &spec).await;
    world.window = Some(audit::Window { from, to: audit::mark(world).await });
    let prepared = prepared?;
    world.plan = prepared.plan.show(false);
    Ok(prepared.plan)
}

/// Applies as `vault`; what becomes of each object is kept for the steps that follow.
pub async fn apply(world: &mut World, vault: &Vault) -> Result {
    let spec = read(world)?;
    if world.applied.is_none() {
        spare_rsa_keys(world, &spec).await?;
    }
    let from = audit::mark(world).await;
    let result = async {
        let prepared = prepare(vault, &spec).await?;
        let plan = prepared.plan.show(false);
        let applied = prepared.apply(vault, &Stop::default(), &mut |_| {}).await;
        Ok::<_, PrepareError>((plan, applied?))
    };
    let result = result.await;
    world.window = Some(audit::Window { from, to: audit::mark(world).await });
    (world.applied, world.refused) = (None, None);
    match result {
        Ok((plan, applied)) => {
            world.plan = plan;
            world.applied = Some((spec, applied));
        }
        Err(err) => world.refused = Some(Failure::from(err).0),
    }
    Ok(())
}

/// Of the scenario's Vault, before the spec is applied to it, where that has nothing to do with OIDC.
pub async fn spare_rsa_keys(world: &World, spec: &Spec) -> Result {
    if !concerns_oidc(spec) {
        // What stands in the way of it the apply will tell.
        let _ = world.server()?.spare_rsa_keys().await;
    }
    Ok(())
}

/// As a provider, or as one whose plugins have tokens of it.
fn concerns_oidc(spec: &Spec) -> bool {
    let names_a_key = |it: &Object| {
        serde_json::to_string(&it.said).is_ok_and(|text| text.contains("\"identity_token_"))
    };
    spec.objects.iter().any(|it| it.path.starts_with("identity/oidc/") || names_a_key(it))
}

async fn destroy(world: &mut World, data: bool) -> Result {
    let (spec, vault) = (read(world)?, world.vault()?.clone());
    let prepared = prepare_destruction(&vault, &spec, data).await?;
    world.plan = prepared.plan.show(false);
    let applied = prepared.apply(&vault, &Stop::default(), &mut |_| {}).await?;
    world.applied = Some((spec, applied));
    Ok(())
}

fn all_done(world: &World) -> Result {
    if let Some(why) = &world.refused {
        return failure(format!("it could not begin: {why}"));
    }
    let results = world.applied.iter().flat_map(|(_, it)| &it.results);
    let failed: Vec<String> = results
        .filter(|it| !it.outcome.is_done())
        .map(|it| format!("{}: {} {}", it.path, outcome(&it.outcome).0, outcome(&it.outcome).1))
        .collect();
    ensure(failed.is_empty(), || failed.join("\n"))
}

fn outcome(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Done { warnings } => ("done", warnings.join("; ")),
        Outcome::Ignored { warnings } => ("ignored", warnings.join("; ")),
        Outcome::Skipped { needs } => ("skipped", format!("as it needs {needs}")),
        Outcome::Blocked => ("blocked", String::new()),
        Outcome::Failed(err) => ("failed", err.to_string()),
        Outcome::Unrecorded(err) => ("unrecorded", err.to_string()),
        Outcome::NotStarted => ("not-started", String::new()),
    }
}

/// `name:` and `vars:`, where the text has none.
fn declared(world: &World, text: &str) -> String {
    let has = |key: &str| text.lines().any(|it| it.starts_with(key));
    let mut head = String::new();
    if !has("name:") {
        head.push_str("name: scenario\n");
    }
    let is_used = |name: &&String| {
        text.match_indices("((")
            .any(|(at, _)| text[at + 2..].trim_start().starts_with(name.as_str()))
    };
    let used: Vec<&String> = world.vars.keys().filter(is_used).collect();
    if !has("vars:") && !used.is_empty() {
        head.push_str("vars:\n");
        for name in used {
            let value = world.vars[name].as_str().unwrap_or_default();
            let is_secret = !world.bench().secrets.found_in(value).is_empty();
            head.push_str(&format!("  {name}: {{ secret: {is_secret} }}\n"));
        }
    }
    head + text
}

/// Without the indentation that all lines share, trailing blanks and empty ends.
fn lines(text: &str) -> String {
    let text = text.trim_matches('\n');
    let indent = |it: &str| it.len() - it.trim_start().len();
    let least = text.lines().filter(|it| !it.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines = text.lines().map(|it| it.get(least..).unwrap_or_default().trim_end());
    lines.collect::<Vec<&str>>().join("\n").trim_end().to_owned() + "\n"
}
