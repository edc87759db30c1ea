//! What Vault has now.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use vault_client::{Failure, Vault, VaultError};
use vault_model::{
    Body, Path,
    kind::Read,
    live::Live,
    object::{Object, each_reference},
    request::Request,
};

use crate::{REQUESTS_AT_ONCE, collections::Collections};

#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Paths whose answer is a table of others: an entry, `name/`, for each.
const TABLES: [(&str, &str); 2] = [("sys/mounts", ""), ("sys/auth", "auth/")];

/// Asks each path at most once, and nothing below a mount that is not there. A refusal is an error and never absence.
pub async fn observe(vault: &Vault, objects: &[Arc<Object>]) -> Result<Live, ObserveError> {
    let mut answers = Answers::default();
    answers.tables(vault, objects).await?;
    let mounts = answers.mounts();
    let reachable: Vec<&Object> =
        objects.iter().map(Arc::as_ref).filter(|it| is_mounted(&it.path, &mounts)).collect();
    answers.lists(vault, &reachable).await?;
    let collections = Collections::list(vault, &reachable).await?;
    let candidates: Vec<&Object> =
        reachable.into_iter().filter(|it| collections.may_hold(it)).collect();

    let mut paths: BTreeSet<Path> = candidates.iter().filter_map(|it| own_path(it)).collect();
    paths.extend(foreign_paths(objects, &mounts));
    answers.read(vault, paths, &absences(&candidates)).await?;
    let mut live = answers.live(&candidates, objects);
    read_given(vault, objects, &mut live).await?;
    Ok(live)
}

/// What references ask for and another object gives: only where that one is there, as Vault may refuse it before.
async fn read_given(
    vault: &Vault,
    objects: &[Arc<Object>],
    live: &mut Live,
) -> Result<(), VaultError> {
    let given = given(objects);
    let mut paths = BTreeSet::new();
    let mut add = |path: &str, _: &str| {
        if given.get(path).is_some_and(|giver| live.get(giver).is_some()) {
            paths.insert(path.to_owned());
        }
    };
    objects.iter().flat_map(|it| it.said.values()).for_each(|it| each_reference(it, &mut add));
    let mut answers = Answers::default();
    answers.read(vault, paths, &BTreeMap::new()).await?;
    for (path, body) in answers.bodies {
        if let Some(body) = body {
            live.insert(path, body);
        }
    }
    Ok(())
}

/// Paths that are no object's own, and the path of the object that gives each.
fn given(objects: &[Arc<Object>]) -> BTreeMap<Path, &str> {
    let of = |it: &'_ Arc<Object>| it.gives().skip(1).collect::<Vec<Path>>();
    let each = objects.iter().flat_map(|it| of(it).into_iter().map(move |path| (path, &*it.path)));
    each.collect()
}

/// Whether `path` lies below something that is mounted.
fn is_mounted(path: &str, mounts: &BTreeSet<String>) -> bool {
    let is_builtin = |it: &str| matches!(it, "sys" | "identity" | "cubbyhole");
    path.split('/').next().is_some_and(is_builtin)
        || path.match_indices('/').any(|(end, _)| mounts.contains(&path[..end]))
}

/// The path that has to be read for this object alone.
fn own_path(object: &Object) -> Option<Path> {
    match object.kind.read {
        Read::Here => Some(object.path.clone()),
        Read::At(template) => Some(object.at(template)),
        Read::In(_) | Read::Listed { .. } | Read::Never => None,
    }
}

/// What Vault says, and no 404, where nothing is at a path.
fn absences(objects: &[&Object]) -> BTreeMap<Path, &'static str> {
    let of = |it: &&Object| Some((own_path(it)?, it.kind.absent?));
    objects.iter().filter_map(of).collect()
}

/// What references ask for and no object is. Passwords that Vault makes up are asked for when they are needed.
fn foreign_paths(objects: &[Arc<Object>], mounts: &BTreeSet<String>) -> Vec<Path> {
    let own: BTreeSet<Path> = objects.iter().flat_map(|it| it.gives()).collect();
    let mut paths = Vec::new();
    let mut add = |path: &str, _: &str| {
        let is_table = TABLES
            .iter()
            .any(|(it, _)| path.strip_prefix(it).is_some_and(|it| it.starts_with('/')));
        let is_made_up = path.ends_with("/generate");
        if !own.contains(path) && !is_table && !is_made_up && is_mounted(path, mounts) {
            paths.push(path.to_owned());
        }
    };
    objects.iter().flat_map(|it| it.said.values()).for_each(|it| each_reference(it, &mut add));
    paths
}

fn says_absence(err: &VaultError, words: Option<&&str>) -> bool {
    let says = |words: &&str| err.reasons.iter().any(|it| it.contains(*words));
    err.status == Some(400) && words.is_some_and(says)
}

/// What Vault said to each path; `None` where nothing is.
#[derive(Default)]
struct Answers {
    tables: BTreeMap<Path, Body>,
    /// By the path that was listed, what it tells of each key.
    lists: BTreeMap<Path, Body>,
    bodies: BTreeMap<Path, Option<Body>>,
    deleted: BTreeMap<Path, u64>,
}

impl Answers {
    async fn tables(&mut self, vault: &Vault, objects: &[Arc<Object>]) -> Result<(), VaultError> {
        let of_kinds = objects.iter().filter_map(|it| match it.kind.read {
            Read::In(template) => Some(it.at(template)),
            _ => None,
        });
        let paths: BTreeSet<Path> =
            TABLES.iter().map(|(it, _)| (*it).to_owned()).chain(of_kinds).collect();
        self.tables = stream::iter(paths)
            .map(|path| async move {
                let table = vault.read(&path).await?.unwrap_or_default();
                Ok::<_, VaultError>((path, table))
            })
            .buffered(REQUESTS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(())
    }

    async fn lists(&mut self, vault: &Vault, objects: &[&Object]) -> Result<(), VaultError> {
        let of_kinds = objects.iter().filter_map(|it| match it.kind.read {
            Read::Listed { list, .. } => Some(it.at(list)),
            _ => None,
        });
        for path in of_kinds.collect::<BTreeSet<Path>>() {
            let answer = match vault.send(&Request::list(&path)).await {
                Ok(answer) => answer.data.unwrap_or_default(),
                Err(err) if err.failure == Failure::NotFound => Body::new(),
                Err(err) => return Err(err),
            };
            let of_each = answer.get("key_info").and_then(Value::as_object).cloned();
            self.lists.insert(path, of_each.unwrap_or_default());
        }
        Ok(())
    }

    /// `database`, `auth/approle`
    fn mounts(&self) -> BTreeSet<String> {
        let of = |(table, prefix): &(&str, &str)| {
            let keys = self.tables.get(*table).into_iter().flat_map(|it| it.keys());
            let prefix = (*prefix).to_owned();
            keys.map(move |it| format!("{prefix}{}", it.trim_end_matches('/')))
                .collect::<Vec<String>>()
        };
        TABLES.iter().flat_map(of).collect()
    }

    async fn read(
        &mut self,
        vault: &Vault,
        paths: BTreeSet<Path>,
        absences: &BTreeMap<Path, &str>,
    ) -> Result<(), VaultError> {
        let mut answers = stream::iter(paths)
            .map(|path| async move {
                let answer = vault.send(&Request::get(&path)).await;
                (path, answer)
            })
            .buffer_unordered(REQUESTS_AT_ONCE);
        while let Some((path, answer)) = answers.next().await {
            match answer {
                Ok(answer) => _ = self.bodies.insert(path, answer.data),
                Err(err) => match err.failure {
                    Failure::NotFound => _ = self.bodies.insert(path, None),
                    Failure::Deleted { version, .. } => _ = self.deleted.insert(path, version),
                    _ if says_absence(&err, absences.get(&path)) => {
                        self.bodies.insert(path, None);
                    }
                    _ => return Err(err),
                },
            }
        }
        Ok(())
    }

    fn live(mut self, candidates: &[&Object], objects: &[Arc<Object>]) -> Live {
        let mut live = Live::default();
        for (table, _) in TABLES {
            for (name, entry) in self.tables.get(table).into_iter().flatten() {
                if let Value::Object(entry) = entry {
                    live.insert(format!("{table}/{}", name.trim_end_matches('/')), entry.clone());
                }
            }
        }
        let elsewhere = candidates.iter().filter(|it| matches!(it.kind.read, Read::At(_)));
        let shared: BTreeSet<Path> = elsewhere.filter_map(|it| own_path(it)).collect();
        // First what is no object's own: what an object is called in a list may refer to it.
        let own: BTreeSet<&str> = objects.iter().map(|it| it.path.as_str()).collect();
        for (path, body) in &mut self.bodies {
            let is_foreign = !own.contains(path.as_str());
            let body =
                if shared.contains(path) { body.clone() } else { body.take_if(|_| is_foreign) };
            if let (true, Some(body)) = (is_foreign, body) {
                live.insert(path.clone(), body);
            }
        }
        for object in candidates {
            let answer = match object.kind.read {
                Read::In(template) => self.entry(&object.at(template), object.name()),
                // Taken, not cloned, where nobody else reads it: of ten thousand answers only one copy is held.
                Read::Here if !shared.contains(&object.path) => {
                    self.bodies.get_mut(&object.path).and_then(Option::take)
                }
                Read::Here | Read::At(_) => {
                    own_path(object).and_then(|it| self.bodies.get(&it).cloned().flatten())
                }
                Read::Listed { list, by } => self.listed(object, &object.at(list), by, &live),
                Read::Never => None,
            };
            if let Some(body) = answer {
                live.insert(&object.path, (object.kind.decode)(body));
            } else if let Some(version) = self.deleted.get(&object.path) {
                live.insert_deleted(&object.path, *version);
            }
        }
        live
    }

    /// The entry of a list that has what the spec says in the fields `by`, whatever the case.
    fn listed(&self, object: &Object, list: &str, by: &[&str], live: &Live) -> Option<Body> {
        let said: Vec<Value> =
            by.iter().map(|it| live.fill(object.said.get(*it).unwrap_or(&Value::Null))).collect();
        let same = |a: &Value, b: Option<&Value>| match (a, b) {
            (Value::String(a), Some(Value::String(b))) => a.eq_ignore_ascii_case(b),
            (a, b) => Some(a) == b,
        };
        let fits =
            |entry: &&Value| by.iter().zip(&said).all(|(key, said)| same(said, entry.get(key)));
        let (id, entry) = self.lists.get(list)?.iter().find(|(_, it)| fits(it))?;
        let mut body = entry.as_object()?.clone();
        body.insert("id".to_owned(), Value::String(id.clone()));
        Some(body)
    }

    fn entry(&self, table: &str, name: &str) -> Option<Body> {
        self.tables.get(table)?.get(&format!("{name}/"))?.as_object().cloned()
    }
}
