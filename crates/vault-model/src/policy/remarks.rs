//! What Vault takes without a word although it can hardly be meant.

use std::collections::BTreeSet;
use std::ops::Range;

use super::read::{Reader, Saying};
use super::tree::Key;
use super::{Capability, Pattern, PatternKind, Remark, RemarkKind, Rule};

impl Reader {
    pub fn remark_path(&mut self, path: &Key) {
        let pattern = Pattern::new(&path.text);
        let text = pattern.as_str();
        if text.is_empty() || text.starts_with('/') || text.starts_with("v1/") {
            let help = "paths of policies begin with the mount, as in `secret/data/app`";
            self.remark(RemarkKind::NeverMatches, &path.range, "no request has such a path", help);
        }
        let whole = |segment: &str| segment == "+" && pattern.kind() == PatternKind::Segments;
        let literal = |segment: &str| !whole(segment) && segment.contains(['+', '*']);
        if pattern.stem().split('/').any(literal) {
            let help = "`*` counts at the end of a path only, `+` only for a whole segment";
            let message = format!("`{text}` holds a wildcard that Vault takes for a letter");
            self.remark(RemarkKind::LiteralWildcard, &path.range, message, help);
        }
    }

    pub fn remark_conditions(&mut self, saying: &Saying) {
        if !saying.capabilities.union(saying.legacy).contains(Capability::Deny) {
            return;
        }
        for range in &saying.conditions {
            let help = "take it out: the rule denies every request";
            self.remark(RemarkKind::DenyAmongOthers, range, "`deny` makes this void", help);
        }
    }

    pub fn remark_duplicates(&mut self, rules: &[Rule]) {
        let mut seen = BTreeSet::new();
        for rule in rules {
            if !seen.insert(&rule.path) {
                let message = format!("`{}` has a rule already: Vault joins them", rule.path);
                self.remark(
                    RemarkKind::DuplicatePath,
                    &rule.path_range,
                    message,
                    "make one rule of them",
                );
            }
        }
    }

    pub fn remark(
        &mut self,
        kind: RemarkKind,
        range: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.remarks.push(Remark {
            kind,
            range: range.clone(),
            message: message.into(),
            help: help.into(),
        });
    }
}
