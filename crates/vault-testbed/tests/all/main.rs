//! The test bed itself: grounds on real servers, and what is run and told without any.
#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

mod common;
mod ground;
mod images;
mod nothing_left;
mod reports;
mod suite;
