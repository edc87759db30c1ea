//! Policies: what Vault answers about them, and whether the model answers the same.

use std::collections::BTreeSet;

use cucumber::{gherkin::Step, then};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use vault_model::{policy, request::Method};

use super::{
    token::looked_up,
    vault::{ask, there},
};
use crate::world::{Failure, Result, World, ensure, failure};

/// Rows of a capability and a path.
#[then(expr = "the token {word} may")]
async fn may(world: &mut World, name: String, step: &Step) -> Result {
    for (capability, path) in rows(step)? {
        let has = capabilities(world, &name, &path).await?;
        let may = has.contains(&capability) || has.contains("root");
        ensure(may, || format!("it may not {capability} {path}: {has:?}"))?;
    }
    Ok(())
}

#[then(expr = "the token {word} may not")]
async fn may_not(world: &mut World, name: String, step: &Step) -> Result {
    for (capability, path) in rows(step)? {
        let has = capabilities(world, &name, &path).await?;
        let may = has.contains(&capability) || has.contains("root");
        ensure(!may, || format!("it may {capability} {path}: {has:?}"))?;
    }
    Ok(())
}

/// For each path in the table: the texts are read from Vault, and the model is asked with the token's policies.
#[then(expr = "the model knows as well as Vault what the token {word} may at")]
async fn the_model_knows(world: &mut World, name: String, step: &Step) -> Result {
    let token = looked_up(world.token(&name)?).await?;
    let names = token.get("policies").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<String> = names.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
    let mut policies = Vec::new();
    for name in &names {
        let body = there(world, &format!("sys/policies/acl/{name}")).await?;
        let text = body.get("policy").and_then(Value::as_str).unwrap_or_default();
        let read = policy::parse(text).map_err(|it| {
            let said: Vec<String> = it.iter().map(ToString::to_string).collect();
            Failure(format!("{name}: {}", said.join("; ")))
        })?;
        policies.push((name.as_str(), read));
    }
    let policies: Vec<(&str, &policy::Policy)> =
        policies.iter().map(|(name, policy)| (*name, policy)).collect();
    let paths = step.table().map(|it| it.rows.clone()).unwrap_or_default();
    ensure(!paths.is_empty(), || "the step has no table of paths".into())?;
    let mut differ = Vec::new();
    for path in paths.iter().filter_map(|it| it.first()) {
        let of_vault = capabilities(world, &name, path).await?;
        let answer = policy::capabilities(&policies, path);
        let of_model: BTreeSet<String> =
            answer.capabilities.names().into_iter().map(str::to_owned).collect();
        if of_vault != of_model {
            differ.push(format!("{path}: Vault says {of_vault:?}, the model {of_model:?}"));
        }
    }
    world.evidence(format!("{} paths were compared", paths.len()));
    ensure(differ.is_empty(), || differ.join("\n"))
}

/// What `sys/capabilities` says of a token.
pub async fn capabilities(world: &World, name: &str, path: &str) -> Result<BTreeSet<String>> {
    let token = world.token(name)?.token().expose_secret();
    let body = json!({ "token": token, "paths": [path] });
    let answer = ask(world.vault()?, Method::Post, "sys/capabilities", body).await?;
    let found = answer.data.and_then(|it| it.get(path)?.as_array().cloned());
    match found {
        Some(found) => Ok(found.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()),
        None => failure(format!("Vault says nothing about {path}")),
    }
}

fn rows(step: &Step) -> Result<Vec<(String, String)>> {
    let rows = step.table().map(|it| it.rows.clone()).unwrap_or_default();
    let pairs = rows.into_iter().map(|row| match row.as_slice() {
        [capability, path] => Ok((capability.clone(), path.clone())),
        _ => failure("each row of the table should be a capability and a path"),
    });
    pairs.collect()
}
