//! Any path with any body, for what no kind knows.

use crate::kind::*;

pub const RAW: Kind = Kind { section: "paths", path: "{name}", open: true, ..Kind::PLAIN };
