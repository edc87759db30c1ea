//! What should be in Vault, and what to do about it. Nothing here does IO.

pub mod duration;
pub mod excerpt;
pub mod merge;
pub mod mistakes;
pub mod nearest;
pub mod node;
pub mod redact;
pub mod reference;
pub mod request;
pub mod source;
pub mod template;
pub mod vars;
pub mod yaml;

/// The JSON that Vault's API documents for one path.
pub type Body = serde_json::Map<String, serde_json::Value>;

/// Where Vault keeps an object, without `/v1/`: the object's name everywhere.
pub type Path = String;
