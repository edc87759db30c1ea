//! What was really sent to Vault: its own audit log tells.

use std::collections::BTreeMap;

use cucumber::then;
use serde_json::Value;
use ulid::Ulid;

use crate::world::{Result, World, ensure, failure};

/// A part of the audit log: between two marks.
#[derive(Clone, Debug)]
pub struct Window {
    pub from: String,
    pub to: String,
}

/// One request, as the log has it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `read`, `list`, `create`, `update`, `delete`, …
    pub operation: String,
    pub path: String,
}

#[then(expr = "no write was sent")]
async fn no_write_was_sent(world: &mut World) -> Result {
    no_write(world).await
}

#[then(expr = "exactly {int} read(s) and {int} list(s) were sent")]
async fn exactly(world: &mut World, reads: usize, lists: usize) -> Result {
    let entries = entries(world).await?;
    let count = |operation: &str| entries.iter().filter(|it| it.operation == operation).count();
    let (read, listed) = (count("read"), count("list"));
    let told = || {
        let all: Vec<String> =
            entries.iter().map(|it| format!("{} {}", it.operation, it.path)).collect();
        format!("{read} reads and {listed} lists were sent:\n{}", all.join("\n"))
    };
    ensure((read, listed) == (reads, lists), told)
}

#[then(expr = "nothing was asked twice")]
async fn nothing_twice(world: &mut World) -> Result {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for it in entries(world).await? {
        *counts.entry((it.operation, it.path)).or_default() += 1;
    }
    let twice = counts.iter().filter(|(_, count)| **count > 1);
    let twice: Vec<String> =
        twice.map(|((operation, path), count)| format!("{operation} {path}: {count}")).collect();
    ensure(twice.is_empty(), || twice.join("\n"))
}

#[then(expr = "{string} was written before {string}")]
async fn written_before(world: &mut World, first: String, second: String) -> Result {
    let entries = entries(world).await?;
    let at = |path: &str| entries.iter().position(|it| is_write(it) && it.path == path);
    match (at(&first), at(&second)) {
        (Some(one), Some(two)) if one < two => Ok(()),
        (Some(_), Some(_)) => failure(format!("{second} was written first")),
        (None, _) => failure(format!("{first} was not written")),
        (_, None) => failure(format!("{second} was not written")),
    }
}

pub async fn no_write(world: &World) -> Result {
    let writes = entries(world).await?.into_iter().filter(is_write);
    let writes: Vec<String> = writes.map(|it| format!("{} {}", it.operation, it.path)).collect();
    world.evidence("the audit log has no write");
    ensure(writes.is_empty(), || format!("these were sent:\n{}", writes.join("\n")))
}

/// The requests of the last plan or apply.
pub async fn entries(world: &World) -> Result<Vec<Entry>> {
    let Some(Window { from, to }) = &world.window else {
        return failure("nothing was planned or applied yet");
    };
    let mut within = since(world, from).await?;
    within.truncate(position(&within, to).unwrap_or(within.len()));
    ensure(!within.is_empty(), || "the audit log has no line of the last plan or apply".into())?;
    Ok(within)
}

/// The requests that came after a mark; none where the mark did not get there.
pub async fn since(world: &World, mark: &str) -> Result<Vec<Entry>> {
    let log = world.server()?.audit_log().await?;
    let mut all: Vec<Entry> = log.iter().filter_map(entry).collect();
    let first = position(&all, mark).map_or(all.len(), |it| it + 1);
    Ok(all.split_off(first))
}

fn position(entries: &[Entry], mark: &str) -> Option<usize> {
    entries.iter().position(|it| it.path.ends_with(mark))
}

/// Marks where the audit log stands. To read it there and then takes a container longer than most steps.
pub async fn mark(world: &World) -> String {
    let mark = format!("mark-{}", Ulid::generate());
    if let Ok(server) = world.server() {
        server.mark(&mark).await;
    }
    mark
}

/// A request's line; that of its answer repeats it.
pub fn entry(line: &Value) -> Option<Entry> {
    let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let is_request = line["type"] == "request";
    is_request.then(|| {
        Some(Entry {
            operation: text("/request/operation")?,
            path: text("/request/path")?.trim_end_matches('/').to_owned(),
        })
    })?
}

pub fn is_write(entry: &Entry) -> bool {
    // A question, though it is asked by POST.
    entry.path != "sys/capabilities-self"
        && matches!(entry.operation.as_str(), "create" | "update" | "patch" | "delete")
}
