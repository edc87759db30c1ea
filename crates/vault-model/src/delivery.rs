//! Where credentials are brought to: `deliver:` of a spec.

use crate::{
    Path,
    node::Node,
    source::{Mistake, Place},
};

/// One entry of `deliver:`: a credential, the login that fetches it, and where it goes.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub place: Place,
    /// What issues it, such as `database/creds/app`.
    pub from: Path,
    pub from_place: Place,
    /// The role that logs in to fetch it, such as `auth/approle/role/app`.
    pub login: Path,
    pub to: Vec<Target>,
}

/// A KV secret and the texts of its fields; `{{ }}` in them is filled from the credential.
#[derive(Clone, Debug)]
pub struct Target {
    pub place: Place,
    /// As `mount/name`, without `data/`.
    pub kv: Path,
    pub fields: Vec<(String, String)>,
}

/// The list `deliver:`.
pub fn read(node: &Node) -> (Vec<Delivery>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let Some(items) = node.as_list() else {
        return (Vec::new(), vec![node.should_be("`deliver`", "a list")]);
    };
    let deliveries = items.iter().filter_map(|it| delivery(it, &mut mistakes)).collect();
    (deliveries, mistakes)
}

fn delivery(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Delivery> {
    known(node, "a delivery", &["from", "login", "to"], mistakes);
    let from = text(node, "from", mistakes);
    let login = text(node, "login", mistakes);
    let targets = match node.get("to") {
        Some(it) => it.as_list().unwrap_or_else(|| {
            mistakes.push(it.should_be("`to`", "a list"));
            &[]
        }),
        None => {
            mistakes.push(Mistake::error(node.place, "a delivery does not say where `to`"));
            &[]
        }
    };
    let to = targets.iter().filter_map(|it| target(it, mistakes)).collect();
    let (from_place, from) = from?;
    Some(Delivery { place: node.place, from, from_place, login: login?.1, to })
}

fn target(node: &Node, mistakes: &mut Vec<Mistake>) -> Option<Target> {
    known(node, "a target", &["kv", "fields"], mistakes);
    let (_, kv) = text(node, "kv", mistakes)?;
    let mut fields = Vec::new();
    match node.get("fields").map(|it| (it, it.as_map())) {
        Some((_, Some(entries))) => {
            for (key, value) in entries {
                match value.as_text() {
                    Some(text) => fields.push((key.text.to_string(), text.to_owned())),
                    None => mistakes.push(value.should_be(&format!("`{}`", key.text), "text")),
                }
            }
        }
        Some((it, None)) => mistakes.push(it.should_be("`fields`", "a map")),
        None => {}
    }
    Some(Target { place: node.place, kv, fields })
}

fn text(node: &Node, key: &str, mistakes: &mut Vec<Mistake>) -> Option<(Place, String)> {
    let Some(said) = node.get(key) else {
        mistakes.push(Mistake::error(node.place, format!("`{key}` is missing")));
        return None;
    };
    if said.as_text().is_none() {
        mistakes.push(said.should_be(&format!("`{key}`"), "text"));
    }
    said.as_text().map(|it| (said.place, it.to_owned()))
}

fn known(node: &Node, what: &str, keys: &[&str], mistakes: &mut Vec<Mistake>) {
    let Some(entries) = node.as_map() else {
        mistakes.push(node.should_be(what, "a map"));
        return;
    };
    for (key, _) in entries.iter().filter(|(key, _)| !keys.contains(&&*key.text)) {
        let mistake = Mistake::error(key.place, format!("{what} has no `{}`", key.text));
        mistakes.push(mistake.help(format!("it has `{}`", keys.join("`, `"))));
    }
}
