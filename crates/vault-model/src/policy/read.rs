//! From the tree of a text to the policy that it states.

use std::ops::Range;

use super::pattern::MAX_PATH_BYTES;
use super::settings::RULE_KEYS;
use super::suggest::suggest;
use super::template::{self, Flaw};
use super::tree::{Item, Key, MAX_TEXT_BYTES, Mistakes};
use super::{
    Capabilities, Capability, Pattern, Permissions, Policy, PolicyMistake, Remark, RemarkKind,
    Rule, hcl, json,
};

pub(super) struct Reader {
    pub mistakes: Mistakes,
    pub remarks: Vec<Remark>,
}

/// What of a rule isn't permissions.
#[derive(Default)]
pub(super) struct Saying {
    pub permissions: Permissions,
    pub capabilities: Capabilities,
    pub legacy: Capabilities,
    pub expiration: Option<String>,
    /// All that `deny` makes void.
    pub conditions: Vec<Range<usize>>,
}

pub(super) fn policy(text: &str) -> Result<Policy, Vec<PolicyMistake>> {
    let mut mistakes = Mistakes::default();
    let items = tree(text, &mut mistakes);
    let mut reader = Reader { mistakes, remarks: Vec::new() };
    let mut policy = Policy::default();
    for item in &items {
        if reader.mistakes.is_full() {
            break;
        }
        match item.word() {
            "path" => policy.rules.extend(reader.rules(item)),
            "name" => policy.name = reader.text(item),
            word => {
                let help = suggest(word, &["path", "name"]);
                reader.mistakes.add(item.name_range(), format!("a policy has no `{word}`"), help);
            }
        }
    }
    reader.remark_duplicates(&policy.rules);
    reader.remarks.sort_by_key(|it| (it.range.start, it.range.end));
    policy.remarks = reader.remarks;
    reader.mistakes.into_result(policy)
}

/// The tree of a text in HCL, or in JSON where it begins with a brace.
pub(super) fn tree(text: &str, mistakes: &mut Mistakes) -> Vec<Item> {
    if text.len() > MAX_TEXT_BYTES {
        mistakes.add(
            0..0,
            format!("longer than {} KiB: Vault can't store it", MAX_TEXT_BYTES / 1024),
            None,
        );
        return Vec::new();
    }
    if let Some(at) = text.find('\0') {
        mistakes.add(at..at + 1, "a NUL is no part of a policy", None);
        return Vec::new();
    }
    match text.trim_start().starts_with('{') {
        true => json::parse(text, mistakes),
        false => hcl::parse(text, mistakes),
    }
}

impl Reader {
    /// One rule, or none where it can't be read.
    fn rules(&mut self, item: &Item) -> Option<Rule> {
        let [_, path, more @ ..] = &item.keys[..] else {
            self.refuse_nameless(item);
            return None;
        };
        let Some(items) = item.value.items() else {
            let message = format!("a rule is a block, not {}", item.value.shape());
            self.mistakes.add(item.value.range.clone(), message, capabilities_help());
            return None;
        };
        if let Some(extra) = more.first() {
            let help = "write one rule for each path, and `capabilities` in each".to_string();
            self.mistakes.add(
                extra.range.clone(),
                format!("a rule has one path, `{}`", path.text),
                help,
            );
            return None;
        }
        self.check_path(path);
        let saying = self.saying(items, &path.range);
        self.remark_conditions(&saying);
        Some(Rule {
            path: Pattern::new(&path.text),
            permissions: finished(saying.permissions, saying.capabilities.union(saying.legacy)),
            expiration: saying.expiration,
            range: item.range.clone(),
            path_range: path.range.clone(),
        })
    }

    /// `path { … }`, or a JSON object in which some path holds no object.
    fn refuse_nameless(&mut self, item: &Item) {
        let help = || "write `path \"secret/data/app\" { capabilities = [\"read\"] }`".to_string();
        let Some(items) = item.value.items() else {
            let message = format!("`path` holds rules, not {}", item.value.shape());
            return self.mistakes.add(item.value.range.clone(), message, help());
        };
        let flat: Vec<&Item> = items.iter().filter(|it| it.value.items().is_none()).collect();
        for it in flat.iter().filter(|it| !RULE_KEYS.contains(&it.word())) {
            let message =
                format!("the rule for `{}` is a block, not {}", it.word(), it.value.shape());
            self.mistakes.add(it.value.range.clone(), message, help());
        }
        if flat.iter().any(|it| RULE_KEYS.contains(&it.word())) {
            self.mistakes.add(item.name_range(), "this rule names no path", help());
        } else if flat.is_empty() && !items.is_empty() {
            self.mistakes.add(item.name_range(), "the path stands before the brace", help());
        }
    }

    fn check_path(&mut self, path: &Key) {
        if path.text.contains("+*") {
            let help = "`+` stands for a whole segment: write `+/*`, or `*` alone".to_string();
            self.mistakes.add(path.range.clone(), "`+*` is forbidden", help);
        }
        if path.text.len() > MAX_PATH_BYTES {
            self.mistakes.add(
                path.range.clone(),
                format!("a path longer than {MAX_PATH_BYTES} bytes"),
                None,
            );
            return;
        }
        for flaw in template::flaws(&path.text) {
            match flaw {
                Flaw::Unbalanced => {
                    let help = "a template is `{{name}}`, with both pairs of braces".to_string();
                    self.mistakes.add(
                        path.range.clone(),
                        "a template without its other braces",
                        help,
                    );
                }
                Flaw::Unknown { name, help } => {
                    let message =
                        format!("Vault can't fill in `{{{{{name}}}}}`, so it leaves this rule out");
                    self.remark(RemarkKind::UnknownTemplate, &path.range, message, help);
                }
            }
        }
        self.remark_path(path);
    }

    fn saying(&mut self, items: &[Item], path: &Range<usize>) -> Saying {
        let mut saying = Saying::default();
        let mut says_capabilities = false;
        for item in items {
            if self.mistakes.is_full() {
                break;
            }
            match item.word() {
                "capabilities" => {
                    says_capabilities = true;
                    saying.capabilities = saying.capabilities.union(self.capabilities(item));
                }
                "policy" => {
                    says_capabilities = true;
                    saying.legacy = self.legacy(item);
                }
                "comment" => {}
                "path" => {
                    let help = "is the `}` of the rule before it missing?".to_string();
                    self.mistakes.add(item.name_range(), "a rule inside a rule", help);
                }
                _ => self.condition(item, &mut saying),
            }
        }
        if saying.capabilities.union(saying.legacy).is_empty() {
            let help = if says_capabilities {
                "list what it should grant"
            } else {
                "give it `capabilities = [\"read\"]`"
            };
            self.remark(RemarkKind::GrantsNothing, path, "this rule grants nothing", help);
        }
        saying
    }
}

/// `deny` leaves nothing of the rest.
fn finished(permissions: Permissions, capabilities: Capabilities) -> Permissions {
    match capabilities.contains(Capability::Deny) {
        true => Permissions::deny(),
        false => Permissions { capabilities, ..permissions },
    }
}

fn capabilities_help() -> String {
    "write `path \"…\" { capabilities = [\"read\"] }`".to_string()
}
