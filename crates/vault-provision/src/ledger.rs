//! The ledger in Vault: read once, claimed by one apply at a time, written with check-and-set.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use vault_client::{Failure, Vault, VaultError};
use vault_model::{
    Body, Path,
    ledger::{Claim, Ledger},
    request::Request,
};

/// How long a claim holds after its last word.
const CLAIM_SECONDS: i64 = 60;

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(
        "another apply of this spec is under way: run {run} on {host}, process {pid}; its claim lapses in {seconds} s"
    )]
    Claimed { run: String, host: String, pid: u32, seconds: i64 },
    #[error("another apply of this spec has written the ledger meanwhile: run again")]
    Overtaken,
    #[error("the ledger at {path} is not one that this version can read: {problem}")]
    Unreadable { path: Path, problem: String },
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// One spec's record.
#[derive(Debug)]
pub struct LedgerStore {
    vault: Vault,
    mount: String,
    path: Path,
    tool: String,
    is_mounted: bool,
    /// What was read when it was opened.
    pub found: Ledger,
    record: Mutex<Record>,
}

#[derive(Debug)]
struct Record {
    ledger: Ledger,
    version: u64,
}

impl LedgerStore {
    /// The ledger of the spec `name`, or `None` where this token may not read one.
    pub async fn open(
        vault: &Vault,
        mount: &str,
        name: &str,
        tool: &str,
    ) -> Result<Option<LedgerStore>, LedgerError> {
        let path = Ledger::path(mount, name);
        let (ledger, version, is_mounted) = match vault.send(&Request::get(&path)).await {
            Ok(answer) => {
                let data = answer.data.unwrap_or_default();
                let (ledger, version) = parse(&path, &data)?;
                (ledger, version, true)
            }
            Err(err) => match err.failure {
                Failure::NotFound => (Ledger::default(), 0, true),
                Failure::Deleted { version, .. } => (Ledger::default(), version, true),
                Failure::NoSuchMount => (Ledger::default(), 0, false),
                Failure::Forbidden => return Ok(None),
                _ => return Err(err.into()),
            },
        };
        Ok(Some(LedgerStore {
            vault: vault.clone(),
            mount: mount.to_owned(),
            path,
            tool: tool.to_owned(),
            is_mounted,
            found: ledger.clone(),
            record: Mutex::new(Record { ledger, version }),
        }))
    }

    /// Whether this token may rotate one of `roots` and could not note it here.
    pub async fn would_lose(&self, roots: &[Path]) -> Result<bool, LedgerError> {
        let mut asked = vec![self.path.clone()];
        asked.extend((!self.is_mounted).then(|| self.mount_path()));
        let needed = asked.len();
        asked.extend_from_slice(roots);
        let body = Body::from_iter([("paths".to_owned(), json!(asked))]);
        let answer = match self.vault.send(&Request::post("sys/capabilities-self", body)).await {
            Ok(answer) => answer.data.unwrap_or_default(),
            // Whoever may not ask may be told by the claim.
            Err(err) if err.failure == Failure::Forbidden => return Ok(false),
            Err(err) => return Err(err.into()),
        };
        let may = |path: &Path| {
            let capabilities = answer.get(path).and_then(Value::as_array);
            capabilities.is_some_and(|it| it.iter().any(|it| it == "update" || it == "root"))
        };
        let (keeping, rotating) = asked.split_at(needed);
        Ok(rotating.iter().any(may) && !keeping.iter().all(may))
    }

    /// Makes this run the only one, and notes what it is about to own: whatever becomes of the run, nothing that it
    /// made is without an owner. False where this token may not write a ledger.
    pub async fn claim(&self, run: &str, owned: &BTreeSet<Path>) -> Result<bool, LedgerError> {
        let mut record = self.record.lock().await;
        if let Some(claim) = &record.ledger.applying
            && let Some(seconds) = holds(claim)
        {
            let Claim { run, host, pid, .. } = claim.clone();
            return Err(LedgerError::Claimed { run, host, pid, seconds });
        }
        if !self.is_mounted && !self.mount().await? {
            return Ok(false);
        }
        record.ledger.applying = Some(Claim {
            run: run.to_owned(),
            host: host(),
            pid: std::process::id(),
            until: Timestamp::now().as_second() + CLAIM_SECONDS,
        });
        record.ledger.owned.extend(owned.iter().cloned());
        match self.write(&mut record).await {
            Ok(()) => Ok(true),
            Err(LedgerError::Vault(err)) if err.failure == Failure::Forbidden => Ok(false),
            Err(err) => Err(err),
        }
    }

    /// Holds the claim for longer, where half of it is over.
    pub async fn keep(&self) -> Result<(), LedgerError> {
        let mut record = self.record.lock().await;
        let now = Timestamp::now().as_second();
        match &mut record.ledger.applying {
            Some(claim) if claim.until - now < CLAIM_SECONDS / 2 => {
                claim.until = now + CLAIM_SECONDS
            }
            _ => return Ok(()),
        }
        self.write(&mut record).await
    }

    /// Notes at once that Vault has replaced the root password of `path`.
    pub async fn rotated(&self, path: &str) -> Result<(), LedgerError> {
        let mut record = self.record.lock().await;
        record.ledger.rotated.insert(path.to_owned(), Timestamp::now().to_string());
        self.write(&mut record).await
    }

    /// The last word of a run: what the spec owns from now on, and what was written of what Vault never shows.
    pub async fn close(
        &self,
        owned: BTreeSet<Path>,
        written: BTreeMap<Path, Body>,
    ) -> Result<(), LedgerError> {
        let mut record = self.record.lock().await;
        record.ledger.applying = None;
        record.ledger.rotated.retain(|path, _| owned.contains(path));
        record.ledger.written = written;
        record.ledger.written.retain(|path, _| owned.contains(path));
        record.ledger.owned = owned;
        self.write(&mut record).await
    }

    async fn mount(&self) -> Result<bool, LedgerError> {
        let body = json!({
            "type": "kv",
            "options": { "version": "2" },
            "description": "what each spec of vaultwright owns",
        });
        let request = Request::post(self.mount_path(), object(body));
        match self.vault.send(&request).await {
            Ok(_) => Ok(true),
            Err(err) if err.failure == Failure::Forbidden => Ok(false),
            // Another run was quicker.
            Err(err) if err.reasons.iter().any(|it| it.contains("already in use")) => Ok(true),
            Err(err) => Err(err.into()),
        }
    }

    fn mount_path(&self) -> Path {
        format!("sys/mounts/{}", self.mount)
    }

    async fn write(&self, record: &mut Record) -> Result<(), LedgerError> {
        record.ledger.format = 1;
        record.ledger.tool.clone_from(&self.tool);
        let body =
            json!({ "data": { "ledger": record.ledger }, "options": { "cas": record.version } });
        let request = Request::post(&self.path, object(body));
        match self.vault.send_after_mount(&request).await {
            Ok(answer) => {
                let version = answer.data.and_then(|it| it.get("version")?.as_u64());
                record.version = version.unwrap_or(record.version + 1);
                Ok(())
            }
            Err(err) if err.failure == Failure::CasMismatch => Err(LedgerError::Overtaken),
            Err(err) => Err(err.into()),
        }
    }
}

fn parse(path: &str, data: &Body) -> Result<(Ledger, u64), LedgerError> {
    let unreadable = |problem: String| LedgerError::Unreadable { path: path.to_owned(), problem };
    let version = data.get("metadata").and_then(|it| it.get("version")?.as_u64());
    let record = data.get("data").and_then(|it| it.get("ledger")).cloned().unwrap_or_default();
    let ledger: Ledger = serde_json::from_value(record).map_err(|it| unreadable(it.to_string()))?;
    match (ledger.format, version) {
        (1, Some(version)) => Ok((ledger, version)),
        (1, None) => Err(unreadable("it has no version: is the mount KV v2?".to_owned())),
        (other, _) => {
            Err(unreadable(format!("it has the format {other}, and this version knows 1")))
        }
    }
}

/// For how many seconds a claim still holds. One whose process is known to be gone does not.
fn holds(claim: &Claim) -> Option<i64> {
    let left = claim.until - Timestamp::now().as_second();
    let is_gone =
        claim.host == host() && !std::path::Path::new(&format!("/proc/{}", claim.pid)).exists();
    (left > 0 && !is_gone).then_some(left)
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // A machine that was started anew, or a container, is another host: process ids begin again there.
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{}/{}", name.trim(), boot.trim().get(..8).unwrap_or_default())
}

fn object(value: Value) -> Body {
    match value {
        Value::Object(body) => body,
        _ => Body::new(),
    }
}
