//! What to change, in which order, by which requests. All decisions are made here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Body, Path,
    difference::{Difference, desired, differences},
    kind::{Delete, Update},
    kinds,
    ledger::Ledger,
    live::Live,
    object::Object,
    request::Request,
    waves::{Cycle, Waves},
};

/// Changes in waves: each wave needs only what earlier waves made.
#[derive(Debug, Default)]
pub struct Plan {
    pub waves: Vec<Vec<Change>>,
    /// Objects that are as they should be.
    pub unchanged: usize,
}

#[derive(Debug)]
pub struct Change {
    pub object: Arc<Object>,
    pub action: Action,
    pub differences: Vec<Difference>,
    pub steps: Vec<Step>,
    /// What else is changed that must be done before.
    pub needs: Vec<Path>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Create,
    Update,
    /// Vault cannot change it in place, and nothing is lost by deleting it first.
    Replace,
    Delete,
    /// Vault cannot do it; a person must.
    Blocked,
}

/// One request. Its body may hold references that only earlier waves make answerable.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Write(Request),
    Delete(Request),
    /// Vault replaces the root password: the ledger must know as soon as it is done.
    RotateRoot(Request),
}

/// What makes `objects` so. `ledger` is `None` where none can be kept: then a root is rotated only where
/// its object is made.
pub fn plan(objects: &[Arc<Object>], live: &Live, ledger: Option<&Ledger>) -> Result<Plan, Cycle> {
    let waves = Waves::new(objects.iter().map(Arc::as_ref))?;
    let changes: Vec<Option<Change>> = objects.iter().map(|it| change(it, live, ledger)).collect();
    Ok(in_waves(changes, &waves.0, objects.len()))
}

/// What deletes those of `objects` that are there, last made first. Mounts that bear data, and what lies in them,
/// go only where `data` may.
pub fn destroy(objects: &[Arc<Object>], live: &Live, data: bool) -> Result<Plan, Cycle> {
    let waves = Waves::new(objects.iter().map(Arc::as_ref))?;
    let last = waves.0.iter().copied().max().unwrap_or_default();
    let backwards: Vec<usize> = waves.0.iter().map(|it| last - it).collect();
    let keep = |it: &Object| it.protect || (!data && kinds::bears_data(it, live.get(&it.path)));
    let is_mount = |it: &&Arc<Object>| {
        matches!(it.kind.section, "secrets" | "auth") && !kinds::is_built_in(&it.path)
    };
    let gone: BTreeSet<&str> =
        objects.iter().filter(is_mount).filter(|it| !keep(it)).map(|it| it.path.as_str()).collect();
    let changes = objects.iter().map(|it| deletion(it, live, keep(it), &gone)).collect();
    Ok(in_waves(changes, &backwards, objects.len()))
}

fn in_waves(changes: Vec<Option<Change>>, waves: &[usize], count: usize) -> Plan {
    let of_change = |it: &Change| {
        it.object.gives().map(|path| (path, it.object.path.clone())).collect::<Vec<_>>()
    };
    let changed: BTreeMap<Path, Path> = changes.iter().flatten().flat_map(of_change).collect();
    let mut plan = Plan { waves: Vec::new(), unchanged: count - changes.iter().flatten().count() };
    let last = waves.iter().copied().max().map_or(0, |it| it + 1);
    plan.waves.resize_with(last, Vec::new);
    for (change, wave) in changes.into_iter().zip(waves) {
        if let Some(mut change) = change {
            if change.action != Action::Delete {
                let needs = change.object.needs();
                change.needs = needs.iter().filter_map(|it| changed.get(it).cloned()).collect();
                change.needs.sort();
                change.needs.dedup();
            }
            plan.waves[*wave].push(change);
        }
    }
    plan.waves = plan.waves.into_iter().flat_map(parted).collect();
    plan
}

/// What has to be changed by itself comes first, each in a wave of its own. In each wave in the order of the paths.
fn parted(mut wave: Vec<Change>) -> Vec<Vec<Change>> {
    wave.sort_by(|a, b| a.object.path.cmp(&b.object.path));
    let (alone, together): (Vec<Change>, Vec<Change>) =
        wave.into_iter().partition(|it| it.object.kind.alone);
    let waves = alone.into_iter().map(|it| vec![it]).chain([together]);
    waves.filter(|it| !it.is_empty()).collect()
}

fn change(object: &Arc<Object>, live: &Live, ledger: Option<&Ledger>) -> Option<Change> {
    let there = live.get(&object.path);
    let desired = desired(object, live, there);
    let found = there.map(|it| differences(object, &desired, it)).unwrap_or_default();
    let rotate = rotation(object, there.is_some(), ledger);
    let action = match (there, object.kind.update) {
        (None, _) => Action::Create,
        (Some(_), _) if found.is_empty() && rotate.is_none() => return None,
        (Some(_), Update::Never) if rotate.is_none() => return None,
        (Some(_), _) if found.iter().any(|it| it.fixed) => Action::Blocked,
        (Some(_), Update::Replace) if object.protect => Action::Blocked,
        (Some(_), Update::Replace) => Action::Replace,
        (Some(_), _) => Action::Update,
    };
    let mut steps = match action {
        Action::Blocked | Action::Delete => Vec::new(),
        Action::Update if found.is_empty() => Vec::new(),
        Action::Create | Action::Update => writes(object, desired, there, &found, live),
        Action::Replace => {
            let mut steps = vec![Step::Delete(Request::delete(&object.path))];
            steps.extend(writes(object, desired, None, &[], live));
            steps
        }
    };
    if action != Action::Blocked {
        steps.extend(rotate);
    }
    Some(Change { object: object.clone(), action, differences: found, steps, needs: Vec::new() })
}

fn rotation(object: &Object, is_there: bool, ledger: Option<&Ledger>) -> Option<Step> {
    let done = match ledger {
        Some(ledger) => is_there && ledger.rotated.contains_key(&object.path),
        None => is_there,
    };
    let path = object.root_rotation().filter(|_| !done)?;
    Some(Step::RotateRoot(Request::post(path, Body::new())))
}

fn writes(
    object: &Object,
    mut desired: Body,
    there: Option<&Body>,
    found: &[Difference],
    live: &Live,
) -> Vec<Step> {
    if there.is_some() && object.kind.update == Update::Merge {
        // A password that may have been rotated since is not put back, but for a new login.
        let changes = |name: &str| found.iter().any(|it| it.field == name);
        desired.retain(|key, _| {
            object.row(key).is_none_or(|it| !it.write_only || it.belongs_to.is_some_and(changes))
        });
    }
    let deleted = live.deleted_version(&object.path).filter(|_| there.is_none()).map(|version| {
        let metadata = serde_json::json!({ "version": version });
        Body::from_iter([("metadata".to_owned(), metadata)])
    });
    let writes = (object.kind.writes)(object.kind, desired, there.or(deleted.as_ref()));
    writes.into_iter().map(|it| Step::Write(Request::post(object.at(it.path), it.body))).collect()
}

fn deletion(
    object: &Arc<Object>,
    live: &Live,
    keep: bool,
    gone: &BTreeSet<&str>,
) -> Option<Change> {
    let there = live.get(&object.path)?;
    let mount = object.mount_path();
    let path = match object.kind.delete {
        _ if kinds::is_built_in(&object.path) => return None,
        _ if gone.contains(mount.as_str()) => return None,
        Delete::WithParent => return None,
        Delete::Here => object.path.clone(),
        Delete::At(template) => {
            let id = there.get("id").and_then(Value::as_str).unwrap_or_default();
            object.at(template).replace("{id}", id)
        }
    };
    Some(Change {
        object: object.clone(),
        action: if keep { Action::Blocked } else { Action::Delete },
        differences: Vec::new(),
        steps: if keep { Vec::new() } else { vec![Step::Delete(Request::delete(path))] },
        needs: Vec::new(),
    })
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty()
    }

    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.waves.iter().flatten()
    }

    pub fn count(&self, action: Action) -> usize {
        self.changes().filter(|it| it.action == action).count()
    }
}

impl Step {
    pub fn request(&self) -> &Request {
        match self {
            Step::Write(it) | Step::Delete(it) | Step::RotateRoot(it) => it,
        }
    }
}

impl Change {
    pub fn rotates_root(&self) -> bool {
        self.steps.iter().any(|it| matches!(it, Step::RotateRoot(_)))
    }
}
