//! Makes Vault what a spec says: reads the spec's files, looks at what is there, carries a plan out.

mod apply;
mod collections;
mod files;
mod ledger;
mod observe;
mod prepared;

pub use apply::{Applied, Applying, Event, Outcome, Stop, apply};
pub use files::{ReadError, SpecInputs, load, manifests, read, read_text};
pub use ledger::{LedgerError, LedgerStore};
pub use observe::{ObserveError, observe};
pub use prepared::{PrepareError, Prepared, prepare, prepare_destruction};

/// How many requests are under way at once.
pub const REQUESTS_AT_ONCE: usize = 64;
