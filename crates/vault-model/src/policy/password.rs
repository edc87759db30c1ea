//! Password policies: how long a password is, and which letters it has.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Value, json};

use super::suggest::suggest;
use super::tree::{Content, Item, Mistakes};
use super::{PolicyMistake, read};

/// Vault refuses shorter ones.
pub const MIN_LENGTH: u64 = 4;
/// Vault refuses longer ones.
pub const MAX_LENGTH: u64 = 100;
/// Vault can't draw from more different letters.
pub const MAX_LETTERS: usize = 256;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordPolicy {
    pub length: u64,
    pub rules: Vec<CharsetRule>,
}

/// `rule "charset" { … }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CharsetRule {
    pub charset: BTreeSet<char>,
    /// At least so many letters of the password are in `charset`.
    pub min_chars: u64,
    /// The whole rule, in bytes of the text.
    pub range: Range<usize>,
}

struct Reader {
    mistakes: Mistakes,
    /// Where the text is broken, what seems to be missing may be in the broken part.
    is_whole: bool,
}

/// Reads a password policy in HCL or JSON. All that is wrong with it comes at once.
pub fn parse(text: &str) -> Result<PasswordPolicy, Vec<PolicyMistake>> {
    let mut mistakes = Mistakes::default();
    let items = read::tree(text, &mut mistakes);
    let mut reader = Reader { is_whole: mistakes.is_empty(), mistakes };
    let mut length = None;
    let mut rules = Vec::new();
    let says_rules = items.iter().any(|it| it.word() == "rule");
    for item in &items {
        match item.word() {
            "length" => length = Some((reader.number(item), item.value.range.clone())),
            "rule" => rules.extend(reader.rule(item)),
            word => {
                let help = suggest(word, &["length", "rule"]);
                reader.mistakes.add(
                    item.name_range(),
                    format!("a password policy has no `{word}`"),
                    help,
                );
            }
        }
    }
    if reader.is_whole {
        reader.check_length(&length, &rules, text);
        reader.check_letters(says_rules, &rules, text);
    }
    let policy = PasswordPolicy { length: length.and_then(|it| it.0).unwrap_or_default(), rules };
    reader.mistakes.into_result(policy)
}

/// Whether two texts make the same passwords. A text that is no password policy is only the same as itself.
pub fn same_meaning(a: &str, b: &str) -> bool {
    if a.trim() == b.trim() {
        return true;
    }
    match (canonical(a), canonical(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// A password policy in JSON that says the same: one rule for each set of letters, everything in order.
pub fn canonical(text: &str) -> Option<Value> {
    parse(text).ok().map(|it| it.canonical())
}

impl PasswordPolicy {
    pub fn letters(&self) -> BTreeSet<char> {
        self.rules.iter().flat_map(|it| it.charset.iter().copied()).collect()
    }

    /// A password policy in JSON that says the same.
    pub fn canonical(&self) -> Value {
        let mut rules: BTreeMap<String, u64> = BTreeMap::new();
        for rule in &self.rules {
            let least = rules.entry(rule.charset.iter().collect()).or_default();
            *least = rule.min_chars.max(*least);
        }
        let required: BTreeSet<char> = rules
            .iter()
            .filter(|it| *it.1 > 0)
            .flat_map(|it| it.0.chars().collect::<Vec<_>>())
            .collect();
        // Rules that require nothing only add their letters.
        let free: String = self.letters().difference(&required).collect();
        rules.retain(|_, min_chars| *min_chars > 0);
        if !free.is_empty() {
            rules.insert(free, 0);
        }
        let rules: Vec<Value> = rules
            .into_iter()
            .map(|(charset, min_chars)| json!({ "charset": { "charset": charset, "min-chars": min_chars } }))
            .collect();
        json!({ "length": self.length, "rule": rules })
    }
}

impl Reader {
    fn rule(&mut self, item: &Item) -> Option<CharsetRule> {
        let help = || "write `rule \"charset\" { charset = \"abc…\" min-chars = 1 }`".to_string();
        let [_, kind, more @ ..] = &item.keys[..] else {
            // `rule { charset { … } }` is as good.
            if let Some([inner]) =
                item.value.items().filter(|it| it.iter().all(|it| it.value.items().is_some()))
            {
                let keys = [&item.keys[..], &inner.keys].concat();
                return self.rule(&Item {
                    keys,
                    value: inner.value.clone(),
                    range: item.range.clone(),
                });
            }
            self.mistakes.add(
                item.name_range(),
                "this rule doesn't say of which type it is",
                help(),
            );
            return None;
        };
        if kind.text != "charset" {
            let message = format!("Vault has no rule of the type `{}`", kind.text);
            self.mistakes.add(kind.range.clone(), message, suggest(&kind.text, &["charset"]));
            return None;
        }
        let (Some(items), []) = (item.value.items(), more) else {
            self.mistakes.add(item.name_range(), "a rule has one type and a block", help());
            return None;
        };
        let mut rule = CharsetRule { range: item.range.clone(), ..CharsetRule::default() };
        let mut says_charset = false;
        for item in items {
            match item.word() {
                "charset" => {
                    says_charset = true;
                    rule.charset = self.charset(item);
                }
                "min-chars" => rule.min_chars = self.number(item).unwrap_or_default(),
                word => {
                    let help = suggest(word, &["charset", "min-chars"]);
                    self.mistakes.add(
                        item.name_range(),
                        format!("a charset rule has no `{word}`"),
                        help,
                    );
                }
            }
        }
        if !says_charset && self.is_whole {
            self.mistakes.add(item.name_range(), "this rule has no `charset`", help());
        }
        Some(rule)
    }

    fn charset(&mut self, item: &Item) -> BTreeSet<char> {
        let Content::Text(text) = &item.value.content else {
            let message = format!("`charset` is a text, not {}", item.value.shape());
            self.mistakes.add(item.value.range.clone(), message, None);
            return BTreeSet::new();
        };
        if text.is_empty() {
            self.mistakes.add(item.value.range.clone(), "this charset has no letters", None);
        }
        if let Some(c) = text.chars().find(|c| !is_printable(*c)) {
            let message =
                format!("U+{:04X} can't be printed, so it can't be in a password", u32::from(c));
            self.mistakes.add(item.value.range.clone(), message, None);
        }
        text.chars().collect()
    }

    fn number(&mut self, item: &Item) -> Option<u64> {
        let number = item.value.to_json().as_u64();
        if number.is_none() {
            let message = format!("`{}` is a whole number", item.word());
            self.mistakes.add(item.value.range.clone(), message, None);
        }
        number
    }

    fn check_length(
        &mut self,
        length: &Option<(Option<u64>, Range<usize>)>,
        rules: &[CharsetRule],
        text: &str,
    ) {
        let Some((length, range)) = length else {
            let help = "add `length = 20`".to_string();
            self.mistakes.add(
                0..first_line_end(text),
                "this password policy has no `length`",
                help,
            );
            return;
        };
        let Some(length) = *length else { return };
        if !(MIN_LENGTH..=MAX_LENGTH).contains(&length) {
            let message = format!(
                "Vault makes passwords of {MIN_LENGTH} to {MAX_LENGTH} letters, not of {length}"
            );
            self.mistakes.add(range.clone(), message, None);
        }
        let required = rules.iter().fold(0_u64, |sum, it| sum.saturating_add(it.min_chars));
        if length < required {
            let message = format!(
                "the rules require {required} letters, more than the {length} of the password"
            );
            self.mistakes.add(range.clone(), message, None);
        }
    }

    fn check_letters(&mut self, says_rules: bool, rules: &[CharsetRule], text: &str) {
        let letters: BTreeSet<char> =
            rules.iter().flat_map(|it| it.charset.iter().copied()).collect();
        if !says_rules {
            let help =
                "add `rule \"charset\" { charset = \"abcdefghijklmnopqrstuvwxyz\" min-chars = 1 }`"
                    .to_string();
            self.mistakes.add(
                0..first_line_end(text),
                "this password policy has no letters to draw from",
                help,
            );
        } else if letters.len() > MAX_LETTERS {
            let message = format!(
                "{} different letters: Vault draws from at most {MAX_LETTERS}",
                letters.len()
            );
            self.mistakes.add(rules[0].range.clone(), message, None);
        }
    }
}

fn first_line_end(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// Blanks other than the plain one count as not printable.
fn is_printable(c: char) -> bool {
    c == ' '
        || !c.is_control()
            && !c.is_whitespace()
            && !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}')
}
