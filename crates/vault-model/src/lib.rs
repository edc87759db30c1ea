//! What should be in Vault, and what to do about it. Nothing here does IO.
//!
//! In the order of the flow: text (`source`, `yaml`, `node`, `vars`, `template`), what it describes (`kind`, `object`,
//! `claim`, `spec`), what to do (`live`, `difference`, `plan`, `request`), what is shown (`mistakes`, `rendered`,
//! `show`, `told`).

pub mod claim;
pub mod delivery;
pub mod difference;
pub mod directory;
pub mod duration;
pub mod excerpt;
pub mod identity;
pub mod kind;
pub mod kinds;
pub mod ledger;
pub mod lint;
pub mod live;
pub mod manifests;
pub mod merge;
pub mod mistakes;
pub mod nearest;
pub mod node;
pub mod object;
pub mod plan;
pub mod policy;
pub mod redact;
pub mod reference;
pub mod rendered;
pub mod report;
pub mod request;
pub mod scale;
pub mod schema;
pub mod select;
pub mod show;
pub mod source;
pub mod spec;
pub mod template;
pub mod told;
pub mod url;
pub mod vars;
pub mod waves;
pub mod yaml;

mod field;
mod shape;
mod tree;

/// The JSON that Vault's API documents for one path.
pub type Body = serde_json::Map<String, serde_json::Value>;

/// Where Vault keeps an object, without `/v1/`: the object's name everywhere.
pub type Path = String;
