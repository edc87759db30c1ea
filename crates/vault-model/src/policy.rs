//! What Vault's policies mean: read as Vault reads them, answered as Vault answers.
//!
//! Vault reads the first version of HCL, in which several settings may stand on one line and `${…}` is text. Readers
//! of the HCL that Terraform speaks refuse policies that Vault takes, and take some that it refuses: hence our own.

mod builtin;
mod capability;
mod decide;
mod hcl;
mod json;
mod lexer;
mod meaning;
pub mod password;
mod pattern;
mod permissions;
mod print;
mod read;
mod remarks;
mod settings;
mod suggest;
mod template;
mod tree;
mod ttl;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use builtin::default_policy;
pub use capability::{Capabilities, Capability, Operation, UnknownOperation};
pub use decide::{Acl, Answer, Outcome, RuleRef, Verdict, capabilities, may};
pub use meaning::{canonical, same_meaning};
pub use pattern::{Pattern, PatternKind, covers, matches, overlaps};
pub use permissions::{Parameters, Permissions, Refusal};
pub use template::filled;

/// An ACL policy.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What the text says of itself. Vault goes by the name under which the policy is stored.
    pub name: Option<String>,
    /// In the order of the text.
    pub rules: Vec<Rule>,
    /// What Vault takes without a word although it can hardly be meant.
    pub remarks: Vec<Remark>,
}

/// One `path "…" { … }`.
#[derive(Clone, Debug)]
pub struct Rule {
    pub path: Pattern,
    pub permissions: Permissions,
    /// OpenBao leaves the rule out after this moment. Kept as it is written.
    pub expiration: Option<String>,
    /// The whole rule, in bytes of the text.
    pub range: Range<usize>,
    pub path_range: Range<usize>,
}

/// Why Vault refuses a policy, or would lose a part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PolicyMistake {
    /// In bytes of the text.
    pub range: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub kind: RemarkKind,
    /// In bytes of the text.
    pub range: Range<usize>,
    pub message: String,
    pub help: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemarkKind {
    /// Two rules for one path: Vault joins them.
    DuplicatePath,
    /// `deny` beside something that it makes void.
    DenyAmongOthers,
    /// A rule without capabilities refuses what a wider rule would have granted.
    GrantsNothing,
    /// `policy = "write"`.
    LegacyPolicy,
    /// A `*` or `+` that Vault takes for a letter.
    LiteralWildcard,
    /// No request ever has such a path.
    NeverMatches,
    /// Vault refuses it, OpenBao takes it.
    OpenBaoOnly,
    /// A template that Vault can't fill in, so that it leaves the rule out.
    UnknownTemplate,
}

/// Reads a policy in HCL or JSON. All that is wrong with it comes at once.
pub fn parse(text: &str) -> Result<Policy, Vec<PolicyMistake>> {
    read::policy(text)
}
