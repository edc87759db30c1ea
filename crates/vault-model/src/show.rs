//! A plan as people read it. No secret value is in it.

use std::fmt::{self, Write as _};

use serde_json::Value;
use sha2::{Digest, Sha256};
use similar::{ChangeTag, TextDiff};

use crate::{
    difference::Difference,
    duration,
    kind::Shape,
    plan::{Action, Change, Plan},
};

const LONGEST_VALUE: usize = 120;

impl Action {
    pub fn sign(self) -> char {
        match self {
            Action::Create => '+',
            Action::Update => '~',
            Action::Replace => '±',
            Action::Delete => '-',
            Action::Blocked => '!',
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Blocked => "blocked",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Action::Create => "\x1b[32m",
            Action::Update => "\x1b[33m",
            Action::Replace => "\x1b[35m",
            Action::Delete => "\x1b[31m",
            Action::Blocked => "\x1b[1;31m",
        }
    }
}

impl Plan {
    /// For people: a line for each change, its differences below it, and a line that counts.
    pub fn show(&self, colour: bool) -> String {
        let mut text = String::new();
        for change in self.changes() {
            change.show(colour, &mut text).expect("a String takes all");
        }
        if self.is_empty() {
            text.push_str("nothing to change\n");
        } else {
            let _ = writeln!(text, "\n{}", self.summary());
        }
        text
    }

    /// `2 to create, 1 to update, 40 unchanged`
    pub fn summary(&self) -> String {
        let actions = [Action::Create, Action::Update, Action::Replace, Action::Delete];
        let mut parts: Vec<String> = actions
            .into_iter()
            .filter_map(|it| match self.count(it) {
                0 => None,
                count => Some(format!("{count} to {}", it.name())),
            })
            .collect();
        if self.count(Action::Blocked) > 0 {
            parts.push(format!("{} blocked", self.count(Action::Blocked)));
        }
        parts.push(format!("{} unchanged", self.unchanged));
        parts.join(", ")
    }

    /// Two plans with the same one do the same, secret values left aside; the KV versions that they replace count.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.to_json("").to_string());
        for request in self.changes().flat_map(|it| &it.steps).map(|it| it.request()) {
            let version = request.body.get("options").and_then(|it| it.get("cas"));
            hash.update(version.map(Value::to_string).unwrap_or_default());
            hash.update([0]);
        }
        hash.finalize().iter().map(|it| format!("{it:02x}")).collect()
    }
}

impl Change {
    fn show(&self, colour: bool, out: &mut String) -> fmt::Result {
        let (on, off) = if colour { (self.action.colour(), "\x1b[0m") } else { ("", "") };
        write!(out, "  {on}{} {}{off}", self.action.sign(), self.object.path)?;
        if self.rotates_root() {
            out.push_str("  (rotates the root password)");
        }
        match self.action {
            Action::Blocked if self.has_fixed() => {
                out.push_str("  (Vault cannot change this in place)")
            }
            Action::Blocked if self.object.protect => out.push_str("  (protected)"),
            Action::Blocked => out.push_str("  (bears data: deleted only with --delete-data)"),
            _ => {}
        }
        out.push('\n');
        self.differences.iter().try_for_each(|it| it.show(out))
    }

    fn has_fixed(&self) -> bool {
        self.differences.iter().any(|it| it.fixed)
    }
}

impl Difference {
    pub(crate) fn show(&self, out: &mut String) -> fmt::Result {
        if let (Shape::Policy | Shape::PasswordPolicy, Some(live), Some(desired), false) =
            (self.shape, &self.live, &self.desired, self.secret)
        {
            return show_lines(&self.field, text(live), text(desired), out);
        }
        write!(out, "      {}: ", self.field)?;
        match (&self.live, &self.desired) {
            (Some(live), Some(desired)) => {
                writeln!(out, "{} -> {}", self.value(live), self.value(desired))
            }
            (None, Some(desired)) => writeln!(out, "{}", self.value(desired)),
            (Some(live), None) => writeln!(out, "{} -> (removed)", self.value(live)),
            (None, None) => writeln!(out, "(nothing)"),
        }
    }

    fn value(&self, value: &Value) -> String {
        if self.secret {
            return "(secret)".to_owned();
        }
        if crate::object::has_reference(value) {
            return "(known after apply)".to_owned();
        }
        if let (Shape::Seconds, Some(Value::Number(seconds))) =
            (self.shape, self.shape.canonical(value))
        {
            return seconds.as_i64().map_or(seconds.to_string(), duration::show);
        }
        if let (Shape::Url, Value::String(_)) = (self.shape, value) {
            return shortened(self.shape.shown(value).to_string());
        }
        shortened(self.shape.canonical(value).unwrap_or_else(|| value.clone()).to_string())
    }
}

fn show_lines(field: &str, live: &str, desired: &str, out: &mut String) -> fmt::Result {
    writeln!(out, "      {field}:")?;
    let diff = TextDiff::from_lines(live.trim(), desired.trim());
    for group in diff.grouped_ops(1) {
        for change in group.iter().flat_map(|it| diff.iter_changes(it)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            writeln!(out, "        {sign} {}", change.value().trim_end())?;
        }
    }
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
