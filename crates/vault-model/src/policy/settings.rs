//! What stands in a rule's block.

use std::ops::Range;
use std::time::Duration;

use serde_json::Value;

use super::permissions::insert;
use super::read::{Reader, Saying};
use super::suggest::suggest;
use super::tree::{Content, Item, items_to_json, merge};
use super::{Capabilities, Capability, Parameters, Permissions, RemarkKind, ttl};

pub(super) const RULE_KEYS: [&str; 14] = [
    "capabilities",
    "policy",
    "allowed_parameters",
    "denied_parameters",
    "required_parameters",
    "min_wrapping_ttl",
    "max_wrapping_ttl",
    "mfa_methods",
    "control_group",
    "subscribe_event_types",
    "comment",
    "pagination_limit",
    "list_scan_response_keys_filter_path",
    "expiration",
];

impl Reader {
    pub fn condition(&mut self, item: &Item, saying: &mut Saying) {
        let permissions = &mut saying.permissions;
        match item.word() {
            "allowed_parameters" => self.parameters(item, &mut permissions.allowed_parameters),
            "denied_parameters" => self.parameters(item, &mut permissions.denied_parameters),
            "required_parameters" => {
                let names = self.texts(item).into_iter().map(|it| it.0.to_lowercase());
                permissions.required_parameters.extend(names);
            }
            "mfa_methods" => {
                permissions.mfa_methods.extend(self.texts(item).into_iter().map(|it| it.0))
            }
            "subscribe_event_types" => {
                permissions
                    .subscribe_event_types
                    .extend(self.texts(item).into_iter().map(|it| it.0));
            }
            "min_wrapping_ttl" => permissions.min_wrapping_ttl = self.ttl(item),
            "max_wrapping_ttl" => permissions.max_wrapping_ttl = self.ttl(item),
            "control_group" => self.control_group(item, permissions),
            "pagination_limit" => permissions.pagination_limit = self.count(item),
            "list_scan_response_keys_filter_path" => {
                permissions.list_scan_response_keys_filter_path = self.text(item);
            }
            "expiration" => saying.expiration = self.text(item),
            word => {
                let help = suggest(word, &RULE_KEYS);
                self.mistakes.add(item.name_range(), format!("a rule has no `{word}`"), help);
                return;
            }
        }
        if matches!(
            item.word(),
            "pagination_limit" | "list_scan_response_keys_filter_path" | "expiration"
        ) {
            let message = format!("`{}` is OpenBao's: Vault refuses the policy", item.word());
            self.remark(
                RemarkKind::OpenBaoOnly,
                &item.name_range(),
                message,
                "leave it out where Vault is the server",
            );
        }
        let (min, max) = (saying.permissions.min_wrapping_ttl, saying.permissions.max_wrapping_ttl);
        if let (true, Some(min), Some(max)) = (item.word().ends_with("_wrapping_ttl"), min, max)
            && max < min
        {
            let message = "`max_wrapping_ttl` is less than `min_wrapping_ttl`";
            self.mistakes.add(item.range.clone(), message, None);
        }
        saying.conditions.push(item.name_range());
    }

    pub fn capabilities(&mut self, item: &Item) -> Capabilities {
        let mut capabilities = Capabilities::NONE;
        let known: Vec<&str> = Capability::writable().map(Capability::name).collect();
        for (name, range) in self.texts(item) {
            if self.mistakes.is_full() {
                break;
            }
            match Capability::in_policy(&name) {
                Some(Capability::Scan) => {
                    let message = "`scan` is OpenBao's: Vault refuses the policy";
                    self.remark(
                        RemarkKind::OpenBaoOnly,
                        &range,
                        message,
                        "leave it out where Vault is the server",
                    );
                    capabilities.insert(Capability::Scan);
                }
                Some(capability) => capabilities.insert(capability),
                None => {
                    let help = match name.as_str() {
                        "write" => "`write` is `create` and `update`".to_string(),
                        "root" => "only the policy of that name grants it".to_string(),
                        name => suggest(name, &known),
                    };
                    self.mistakes.add(range, format!("`{name}` is no capability"), help);
                }
            }
        }
        if capabilities.contains(Capability::Deny)
            && capabilities != Capabilities::only(Capability::Deny)
        {
            let help = "keep `deny` alone, or take it out";
            self.remark(
                RemarkKind::DenyAmongOthers,
                &item.range,
                "`deny` makes the other capabilities void",
                help,
            );
        }
        capabilities
    }

    pub fn legacy(&mut self, item: &Item) -> Capabilities {
        use Capability::{Create, Delete, Deny, List, Read, Sudo, Update};
        let Some(word) = self.text(item) else { return Capabilities::NONE };
        let (capabilities, same): (&[Capability], &str) = match word.as_str() {
            "deny" => (&[Deny], r#"["deny"]"#),
            "read" => (&[Read, List], r#"["read", "list"]"#),
            "write" => (
                &[Create, Read, Update, Delete, List],
                r#"["create", "read", "update", "delete", "list"]"#,
            ),
            "sudo" => (
                &[Create, Read, Update, Delete, List, Sudo],
                r#"["create", "read", "update", "delete", "list", "sudo"]"#,
            ),
            "" => return Capabilities::NONE,
            word => {
                let help = suggest(word, &["deny", "read", "write", "sudo"]);
                self.mistakes.add(
                    item.value.range.clone(),
                    format!("`policy` has no `{word}`"),
                    help,
                );
                return Capabilities::NONE;
            }
        };
        let help = format!("write `capabilities = {same}`");
        self.remark(RemarkKind::LegacyPolicy, &item.range, "`policy` is Vault's old word", help);
        capabilities.iter().copied().collect()
    }

    /// Of one name all values count, wherever they are said.
    fn parameters(&mut self, item: &Item, parameters: &mut Parameters) {
        for item in self.entries(item) {
            let values = match &item.value.content {
                Content::List(values) => &values[..],
                // What Vault makes of a JSON list of objects.
                Content::Object(_) if item.keys.len() == 1 => std::slice::from_ref(&item.value),
                _ => {
                    self.refuse_values(&item);
                    continue;
                }
            };
            let known = parameters.entry(item.word().to_lowercase()).or_default();
            values.iter().for_each(|it| insert(known, it.to_json()));
        }
    }

    fn refuse_values(&mut self, item: &Item) {
        let name = item.word();
        let help = format!("write `\"{name}\" = []` for any value, or `\"{name}\" = [\"value\"]`");
        let message = format!("the values of `{name}` are a list, not {}", item.value.shape());
        self.mistakes.add(item.value.range.clone(), message, help);
    }

    fn control_group(&mut self, item: &Item, permissions: &mut Permissions) {
        let group = permissions.control_group.get_or_insert_default();
        items_to_json(&self.entries(item))
            .into_iter()
            .for_each(|(key, value)| merge(group, &key, value));
        let factors = group.get("factor").and_then(Value::as_object).filter(|it| !it.is_empty());
        if !factors.is_some_and(|it| it.values().all(is_factor)) {
            let help =
                "write `factor \"name\" { identity { group_names = [\"…\"] approvals = 1 } }`"
                    .to_string();
            self.mistakes.add(
                item.name_range(),
                "a control group needs factors, each with groups and approvals",
                help,
            );
        }
    }

    fn ttl(&mut self, item: &Item) -> Option<Duration> {
        let duration = ttl::parse(&item.value.to_json());
        if duration.is_none() {
            let help = "write seconds, as in 90, or a text such as \"90s\", \"1h30m\" or \"2d\""
                .to_string();
            self.mistakes.add(
                item.value.range.clone(),
                format!("`{}` is no duration", item.word()),
                help,
            );
        }
        duration.filter(|it| !it.is_zero())
    }

    fn count(&mut self, item: &Item) -> Option<u64> {
        let count = item.value.to_json().as_u64();
        if count.is_none() {
            self.mistakes.add(
                item.value.range.clone(),
                format!("`{}` is a whole number", item.word()),
                None,
            );
        }
        count.filter(|it| *it > 0)
    }

    pub fn text(&mut self, item: &Item) -> Option<String> {
        match &item.value.content {
            Content::Text(text) => Some(text.clone()),
            Content::Integer(number) => Some(number.to_string()),
            _ => {
                let message = format!("`{}` is a text, not {}", item.word(), item.value.shape());
                self.mistakes.add(item.value.range.clone(), message, None);
                None
            }
        }
    }

    fn texts(&mut self, item: &Item) -> Vec<(String, Range<usize>)> {
        let Content::List(nodes) = &item.value.content else {
            let help = format!("write `{} = [\"…\"]`", item.word());
            let message = format!("`{}` is a list, not {}", item.word(), item.value.shape());
            self.mistakes.add(item.value.range.clone(), message, help);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for node in nodes {
            match &node.content {
                Content::Text(text) => texts.push((text.clone(), node.range.clone())),
                Content::Integer(number) => texts.push((number.to_string(), node.range.clone())),
                _ => {
                    let message = format!("`{}` lists texts, not {}", item.word(), node.shape());
                    self.mistakes.add(node.range.clone(), message, None);
                }
            }
        }
        texts
    }

    fn entries(&mut self, item: &Item) -> Vec<Item> {
        item.entries().unwrap_or_else(|| {
            let help = format!("write `{} {{ … }}`", item.word());
            let message = format!("`{}` is a block, not {}", item.word(), item.value.shape());
            self.mistakes.add(item.value.range.clone(), message, help);
            Vec::new()
        })
    }
}

/// Who may approve, and how many of them it takes.
fn is_factor(factor: &Value) -> bool {
    let identity = &factor["identity"];
    let has_groups = ["group_ids", "group_names"]
        .iter()
        .any(|it| identity[it].as_array().is_some_and(|it| !it.is_empty()));
    has_groups && identity["approvals"].as_i64().is_some_and(|it| it > 0)
}
