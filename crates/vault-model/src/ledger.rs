//! What a spec owns, and which roots it has rotated. Kept in Vault, one record a spec; it never holds a secret.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Body, Path, kind::Read, live::Live, object::Object};

/// The mount of the ledgers where a spec names none.
pub const MOUNT: &str = "vaultwright";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Of this record's shape: 1.
    pub format: u32,
    /// Of the tool that wrote it last.
    pub tool: String,
    /// Paths that this spec has made or taken over. A text of lines in the record: Vault takes no list of more than
    /// 10,000 items.
    #[serde(with = "lines")]
    pub owned: BTreeSet<Path>,
    /// Objects whose root password Vault has replaced, with the time (RFC 3339).
    #[serde(default)]
    pub rotated: BTreeMap<Path, String>,
    /// What was said last of objects that Vault never shows, apart from secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub written: BTreeMap<Path, Body>,
    /// The apply under way, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applying: Option<Claim>,
}

/// An apply's claim to be the only one. It lapses by itself, so that a killed run blocks nobody for long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// A number that no other run has.
    pub run: String,
    pub host: String,
    pub pid: u32,
    /// Unix seconds.
    pub until: i64,
}

impl Ledger {
    /// Where the record of the spec `name` is kept.
    pub fn path(mount: &str, name: &str) -> Path {
        format!("{mount}/data/{name}")
    }

    /// Adds to `live` what Vault never shows, as it was written last. What goes by its mount went with that.
    pub fn remember(&self, object: &Object, live: &mut Live) {
        let is_mounted = live.get(&object.mount_path()).is_some();
        let written = self.written.get(&object.path);
        let Some(written) = written.filter(|_| object.is_never_shown() && is_mounted) else {
            return;
        };
        let one = |(key, said): (&String, &serde_json::Value)| match written.get(key) {
            Some(other) if other != said => Some((key.clone(), other.clone())),
            None if !object.is_secret(key) => None,
            _ => Some((key.clone(), live.fill(said))),
        };
        let body: Body = object.said.iter().filter_map(one).collect();
        live.insert(&object.path, body);
    }
}

impl Object {
    /// Whether only the ledger knows how it is.
    pub fn is_never_shown(&self) -> bool {
        matches!(self.kind.read, Read::Never)
    }

    /// What the ledger keeps of it: no secret.
    pub fn kept(&self) -> Body {
        let said = self.said.iter().filter(|(key, _)| !self.is_secret(key));
        said.map(|(key, it)| (key.clone(), it.clone())).collect()
    }
}

mod lines {
    use std::collections::BTreeSet;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::Path;

    pub fn serialize<S: Serializer>(paths: &BTreeSet<Path>, to: S) -> Result<S::Ok, S::Error> {
        paths.iter().map(String::as_str).collect::<Vec<&str>>().join("\n").serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<Path>, D::Error> {
        Ok(String::deserialize(from)?.lines().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let owned = ["sys/policies/acl/app", "secret/data/a b"].map(str::to_owned).into();
        let ledger = Ledger { format: 1, owned, ..Ledger::default() };
        let record = serde_json::to_value(&ledger).unwrap();
        assert!(record["owned"].is_string());
        assert_eq!(serde_json::from_value::<Ledger>(record).unwrap(), ledger);
    }
}
