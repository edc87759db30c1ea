//! Where specs are proven: servers, databases, steps, proofs.

#[macro_use]
pub mod terminal;

pub mod bench;
pub mod bindings;
pub mod ground;
pub mod live;
pub mod origin;
pub mod proofs;
pub mod report;
pub mod scan;
pub mod secrets;
pub mod statements;
pub mod steps;
pub mod suite;
pub mod world;
