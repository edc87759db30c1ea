//! What a role's logins may do and may not: asked of the server, and tried.

use cucumber::{gherkin::Step, then};
use serde_json::{Value, json};
use vault_client::{Answer, ExposeSecret, Vault, VaultError};
use vault_model::{
    Body,
    request::{Method, Request},
};

use super::token::log_in;
use crate::{
    ground::Kind,
    steps::vault::said,
    world::{Failure, Result, World, failure},
};

/// `| read | database/creds/app |`
struct Row {
    verb: String,
    path: String,
}

/// Every row is looked at, with a new token each: a token may be limited in its uses.
#[then(expr = "whoever logs in by {string} may")]
async fn may(world: &mut World, role: String, step: &Step) -> Result {
    let mut unmet = Vec::new();
    for row in rows(step)? {
        let token = token(world, &role).await?;
        let granted = capabilities(world, &token, &row).await?;
        let has = granted.iter().any(|it| *it == row.verb || it == "root");
        let tried = match has {
            true => try_harmlessly(world, &role, &token, &row).await?,
            false => None,
        };
        let shown = tried.as_ref().map_or("not tried".to_owned(), said);
        let line = format!("{} {}: {}; {shown}", row.verb, row.path, granted.join(", "));
        world.evidence(&line);
        if !has || tried.as_ref().is_some_and(is_forbidden) {
            unmet.push(format!("{role} may not {line}"));
        }
    }
    all_met(unmet)
}

#[then(expr = "whoever logs in by {string} may not")]
async fn may_not(world: &mut World, role: String, step: &Step) -> Result {
    let mut unmet = Vec::new();
    for row in rows(step)? {
        let token = token(world, &role).await?;
        let granted = capabilities(world, &token, &row).await?;
        let has = granted.iter().any(|it| *it == row.verb || it == "root");
        let tried = match attempt(world, &row, &granted).await? {
            Some(request) => Some(world.issue(&token, request, &role).await),
            None => None,
        };
        let shown = tried.as_ref().map_or("not tried".to_owned(), said);
        let line = format!("{} {}: {}; {shown}", row.verb, row.path, granted.join(", "));
        world.evidence(&line);
        if has || tried.as_ref().is_some_and(|it| !is_forbidden(it)) {
            unmet.push(format!("{role} may {line}"));
        }
    }
    all_met(unmet)
}

fn all_met(unmet: Vec<String>) -> Result {
    match unmet.is_empty() {
        true => Ok(()),
        false => failure(unmet.join("\n")),
    }
}

fn rows(step: &Step) -> Result<Vec<Row>> {
    let table = step.table.as_ref().ok_or_else(|| Failure("the step has no table".into()))?;
    let row = |cells: &Vec<String>| match cells.as_slice() {
        [verb, path] => Ok(Row { verb: verb.clone(), path: path.clone() }),
        _ => failure("a row has an operation and a path"),
    };
    table.rows.iter().map(row).collect()
}

async fn token(world: &World, role: &str) -> Result<Vault> {
    let auth = log_in(world, role).await?;
    Ok(world.vault()?.with_token(auth.client_token))
}

/// Asked by root of the token: the question costs it none of its uses, and needs no right of its own.
async fn capabilities(world: &World, token: &Vault, row: &Row) -> Result<Vec<String>> {
    let is_folder = row.verb != "list" || row.path.ends_with('/');
    // Vault lists folders.
    let path = if is_folder { row.path.clone() } else { format!("{}/", row.path) };
    let token = token.token().expose_secret();
    let body = [("token".to_owned(), json!(token)), ("paths".to_owned(), json!([path]))];
    let request = Request::post("sys/capabilities", Body::from_iter(body));
    let answer = world.vault()?.send_once(&request).await?.data.unwrap_or_default();
    let granted = answer.get("capabilities").and_then(Value::as_array);
    Ok(granted.into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect())
}

/// A Vault that people use is asked what it would allow; nothing else than reading is tried there.
fn only_reads(world: &World) -> bool {
    world.ground_kind() == Kind::Address
}

/// Reads and lists; writes only of a KV secret, on a Vault that ends with the scenario.
async fn try_harmlessly(
    world: &World,
    role: &str,
    token: &Vault,
    row: &Row,
) -> Result<Option<Result<Answer, VaultError>>> {
    let request = match &*row.verb {
        "read" | "list" => request(row),
        "create" | "update" if !only_reads(world) => kv_write(world, row).await?,
        _ => None,
    };
    let Some(request) = request else { return Ok(None) };
    Ok(Some(world.issue(token, request, role).await))
}

/// What must be refused. Whether a write creates or updates is the engine's to say: where one of the two is granted,
/// only a secret that root has made or deleted tells.
async fn attempt(world: &World, row: &Row, granted: &[String]) -> Result<Option<Request>> {
    let writes = ["create", "update"];
    if only_reads(world) {
        return Ok(request(row).filter(|_| matches!(&*row.verb, "read" | "list")));
    }
    if !writes.contains(&&*row.verb) {
        return Ok(request(row));
    }
    let one_is_granted = granted.iter().any(|it| writes.contains(&&**it));
    Ok(kv_write(world, row).await?.or_else(|| request(row).filter(|_| !one_is_granted)))
}

fn request(row: &Row) -> Option<Request> {
    let method = match &*row.verb {
        "read" => Method::Get,
        "list" => Method::List,
        "create" | "update" => Method::Post,
        "patch" => Method::Patch,
        "delete" => Method::Delete,
        _ => return None,
    };
    Some(Request::new(method, &row.path, Body::new()))
}

/// A write is a creation or an update by what is there: root makes it so first.
async fn kv_write(world: &World, row: &Row) -> Result<Option<Request>> {
    let vault = world.vault()?;
    let info = vault.read(&format!("sys/internal/ui/mounts/{}", row.path)).await;
    let info = info.ok().flatten().unwrap_or_default();
    let text = |it: Option<&Value>| it.and_then(Value::as_str).unwrap_or_default().to_owned();
    let mount = text(info.get("path"));
    let version = text(info.get("options").and_then(|it| it.get("version")));
    let name = row.path.strip_prefix(&mount).and_then(|it| it.strip_prefix("data/"));
    let (true, "2", Some(name)) = (text(info.get("type")) == "kv", &*version, name) else {
        return Ok(None);
    };
    let data = Body::from_iter([("data".to_owned(), json!({ "proof": "1" }))]);
    match &*row.verb {
        "create" => drop(vault.delete(&format!("{mount}metadata/{name}")).await?),
        _ if vault.read(&row.path).await?.is_none() => {
            let mut first = data.clone();
            first.insert("options".to_owned(), json!({ "cas": 0 }));
            vault.write(&row.path, first).await?;
        }
        _ => {}
    }
    Ok(Some(Request::post(&row.path, data)))
}

fn is_forbidden(answer: &Result<Answer, VaultError>) -> bool {
    answer.as_ref().is_err_and(|err| err.status == Some(403))
}
