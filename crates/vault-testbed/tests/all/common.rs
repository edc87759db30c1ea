//! Whether a ground can be had for a test.

use vault_testbed::ground::Kind;

/// The reason for which a test can't run on this ground here; a server is never built for it.
pub async fn why_not(kind: Kind) -> Option<String> {
    let chosen = Kind::from_env().unwrap();
    if chosen.is_some_and(|chosen| chosen != kind) {
        return chosen.map(|chosen| format!("this run is for the {chosen} ground"));
    }
    match kind {
        Kind::Process => vault_testbed::ground::servers::find()
            .unwrap()
            .is_none()
            .then(|| "no Vault server is here: run `cargo xtask servers`".to_owned()),
        _ => vault_testbed::ground::images::check().await.err().map(|missing| missing.to_string()),
    }
}
