//! Which objects may exist: one LIST for each collection of a spec that has several, instead of a read each.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use vault_client::{Failure, Vault, VaultError};
use vault_model::{Path, object::Object};

use crate::REQUESTS_AT_ONCE;

/// The names in each collection that was listed.
pub struct Collections(BTreeMap<Path, BTreeSet<String>>);

impl Collections {
    pub async fn list(vault: &Vault, objects: &[&Object]) -> Result<Collections, VaultError> {
        let mut sizes: BTreeMap<Path, usize> = BTreeMap::new();
        objects
            .iter()
            .filter_map(|it| collection(it))
            .for_each(|(it, _)| *sizes.entry(it).or_default() += 1);
        let several = sizes.into_iter().filter(|(_, size)| *size > 1).map(|(it, _)| it);
        let listed: Vec<Option<(Path, BTreeSet<String>)>> = stream::iter(several)
            .map(|path| async move {
                match vault.list(&path).await {
                    Ok(names) => {
                        let names = names.iter().map(|it| it.to_lowercase()).collect();
                        Ok(Some((path, names)))
                    }
                    // Whoever may not list may still read: each read then tells by itself.
                    Err(err)
                        if matches!(err.failure, Failure::Forbidden | Failure::Unsupported) =>
                    {
                        Ok(None)
                    }
                    Err(err) => Err(err),
                }
            })
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(Collections(listed.into_iter().flatten().collect()))
    }

    /// False only where a list shows that the object is not there. Vault lowers the case of many names.
    pub fn may_hold(&self, object: &Object) -> bool {
        let Some((path, name)) = collection(object) else { return true };
        self.0.get(&path).is_none_or(|names| names.contains(&name.to_lowercase()))
    }
}

/// What to list to see an object, and its name there.
fn collection(object: &Object) -> Option<(Path, &str)> {
    let list = object.at(object.kind.list?);
    match object.name().rsplit_once('/') {
        Some((folder, name)) => Some((format!("{list}/{folder}"), name)),
        None => Some((list, object.name())),
    }
}
