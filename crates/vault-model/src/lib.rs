//! What should be in Vault, and what to do about it. Nothing here does IO.

pub mod excerpt;
pub mod mistakes;
pub mod nearest;
pub mod node;
pub mod request;
pub mod source;
pub mod yaml;

/// The JSON that Vault's API documents for one path.
pub type Body = serde_json::Map<String, serde_json::Value>;

/// Where Vault keeps an object, without `/v1/`: the object's name everywhere.
pub type Path = String;
