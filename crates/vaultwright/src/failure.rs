//! How a failed run tells what went wrong and what to do.

use std::{io::ErrorKind, process::ExitCode};

use vault_client::{LoginError, SettingsError, VaultError};
use vault_provision::{LedgerError, ObserveError, PrepareError, ReadError};
use vault_testbed::{ground, suite::LoadError};

use crate::{exits, output};

/// Every cause with its remedy, where one is known. Mistakes of a spec are shown with their lines.
pub fn show(err: &anyhow::Error) -> String {
    if let Some(ReadError::Refused(refused)) = err.downcast_ref() {
        let shown = refused.mistakes.render(&refused.sources, output::colour_of_errors());
        let count = refused.mistakes.list().len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        return format!("{shown}{count} {noun}: nothing was sent to Vault");
    }
    let mut text = format!("error: {err}");
    let mut last = err.to_string();
    for cause in err.chain().skip(1) {
        let cause = cause.to_string();
        // A transparent error says what its cause says.
        if !last.contains(&cause) {
            text.push_str(&format!("\n  because {cause}"));
        }
        last = cause;
    }
    if let Some(remedy) = err.chain().find_map(remedy) {
        text.push_str(&format!("\n  help: {remedy}"));
    }
    text
}

/// 1, or, as a shell has it, 128 and the number of the signal that ended the run.
pub fn code(err: &anyhow::Error) -> ExitCode {
    match err.downcast_ref() {
        Some(ground::Error::Interrupted(signal)) => exits::of_signal(signal).into(),
        _ => exits::FAILED.into(),
    }
}

fn remedy(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(it) = cause.downcast_ref::<VaultError>() {
        return it.remedy();
    }
    if let Some(it) = cause.downcast_ref::<SettingsError>() {
        return Some(it.remedy.clone());
    }
    if let Some(it) = cause.downcast_ref::<LoginError>() {
        return it.remedy();
    }
    if let Some(ground::Error::File { source, .. }) = cause.downcast_ref()
        && matches!(
            source.kind(),
            ErrorKind::StorageFull | ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
        )
    {
        return Some(
            "make that possible, or name other folders: TMPDIR for what servers keep, XDG_STATE_HOME for the records of \
             runs, XDG_CACHE_HOME for what is built once"
                .to_owned(),
        );
    }
    match cause.downcast_ref::<ReadError>() {
        Some(ReadError::Empty { .. }) => {
            return Some("name a .yaml file, or the folder that holds a spec's".to_owned());
        }
        Some(ReadError::NoFile { .. }) => {
            return Some("write what it gives into a file, and name that".to_owned());
        }
        Some(ReadError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Some("correct the path, seen from this folder".to_owned());
        }
        _ => {}
    }
    if let Some(LoadError::Read(ReadError::Io { source, .. })) = cause.downcast_ref()
        && source.kind() == ErrorKind::NotFound
    {
        return Some("name .feature files, or folders of them, seen from this folder".to_owned());
    }
    match cause.downcast_ref::<PrepareError>() {
        Some(PrepareError::Observe(ObserveError::Vault(it))) => return it.remedy(),
        Some(PrepareError::Ledger(LedgerError::Vault(it))) => return it.remedy(),
        _ => {}
    }
    match cause.downcast_ref::<LedgerError>() {
        Some(LedgerError::Vault(it)) => it.remedy(),
        Some(LedgerError::Claimed { .. }) => {
            Some("wait for it, or end it; a claim lapses by itself".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_can_be_written_other_folders_are_named() {
        for (kind, why) in [
            (ErrorKind::StorageFull, "no storage space"),
            (ErrorKind::ReadOnlyFilesystem, "read-only filesystem"),
            (ErrorKind::PermissionDenied, "permission denied"),
        ] {
            let (path, source) = ("/tmp/data".into(), kind.into());
            let told = show(&ground::Error::File { action: "copy to", path, source }.into());
            assert!(told.starts_with(&format!("error: copy to /tmp/data: {why}")), "{told}");
            for name in ["TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
                assert!(told.contains(name), "{name} is not in {told}");
            }
        }
    }
}
