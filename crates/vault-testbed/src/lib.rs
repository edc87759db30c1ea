//! Where specs are proven: servers, databases, steps, proofs.

pub mod ground;
