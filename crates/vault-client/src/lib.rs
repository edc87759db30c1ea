//! The one door to Vault: where it is, how to log in, one `send`, and every way in which it can refuse.

mod answer;
mod door;
mod environment;
mod error;
mod exchanges;
mod keep_alive;
mod login;
mod reasons;
mod retry;
mod settings;
mod tls;
mod vault;
mod wire;

pub use answer::{Answer, Auth, Lease, WrapInfo};
pub use error::{Failure, Tls, Transport, VaultError};
pub use exchanges::{Exchange, Exchanges};
pub use keep_alive::KeepAlive;
pub use login::{Login, LoginError};
pub use secrecy::{ExposeSecret, SecretString};
pub use settings::{Settings, SettingsError};
pub use vault::{Guard, Health, Vault};

/// What a tracing filter must contain: these crates report every expected 403 and 404 as an error.
pub const QUIET: &str = "vaultrs=off,rustify=off,rustls_platform_verifier=off";
