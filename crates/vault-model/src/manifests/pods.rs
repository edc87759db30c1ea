//! From documents to pods: those that stand by themselves, and those that something else makes.

use crate::{
    node::{Key, Node},
    source::{Mistake, Place},
};

use super::PREFIX;

/// A pod, or what pods are made after.
pub(super) struct Pod<'a> {
    /// `Deployment notebooks`
    pub title: String,
    /// Of its name.
    pub place: Place,
    pub namespace: &'a str,
    pub annotations: &'a [(Key, Node)],
    pub spec: Option<&'a Node>,
}

pub(super) struct Account<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    pub place: Place,
    pub mounts_token: Option<bool>,
}

#[derive(Default)]
pub(super) struct Found<'a> {
    pub pods: Vec<Pod<'a>>,
    pub accounts: Vec<Account<'a>>,
    /// Annotations where no injector looks.
    pub misplaced: Vec<Mistake>,
}

/// What makes pods, and where it says how they are.
const MAKERS: &[(&str, &[&str])] = &[
    ("Deployment", &["spec", "template"]),
    ("StatefulSet", &["spec", "template"]),
    ("DaemonSet", &["spec", "template"]),
    ("ReplicaSet", &["spec", "template"]),
    ("ReplicationController", &["spec", "template"]),
    ("Job", &["spec", "template"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("PodTemplate", &["template"]),
    ("Pod", &[]),
];

pub(super) fn read<'a>(documents: &'a [Node], namespace: &'a str) -> Found<'a> {
    let mut found = Found::default();
    documents.iter().for_each(|it| found.document(it, namespace));
    found
}

impl<'a> Found<'a> {
    fn document(&mut self, document: &'a Node, namespace: &'a str) {
        let kind = text(document, &["kind"]).unwrap_or_default();
        let namespace = text(document, &["metadata", "namespace"]).unwrap_or(namespace);
        if kind.ends_with("List") {
            let items = document.get("items").and_then(Node::as_list).unwrap_or_default();
            items.iter().for_each(|it| self.document(it, namespace));
        }
        let named = at(document, &["metadata", "name"]);
        let named = named.or_else(|| at(document, &["metadata", "generateName"]));
        let place = named.map_or(document.place, |it| it.place);
        let name = named.and_then(Node::as_text).unwrap_or("without a name");
        if kind == "ServiceAccount" {
            let mounts_token = document.get("automountServiceAccountToken").and_then(Node::as_bool);
            self.accounts.push(Account { name, namespace, place, mounts_token });
        }
        let Some((_, path)) = MAKERS.iter().find(|(it, _)| *it == kind) else { return };
        let title = format!("{kind} {name}");
        if !path.is_empty() {
            self.misplaced(document, &title, path);
        }
        let Some(pod) = at(document, path) else { return };
        let annotations = at(pod, &["metadata", "annotations"]).and_then(Node::as_map);
        let annotations = annotations.unwrap_or_default();
        self.pods.push(Pod { title, place, namespace, annotations, spec: pod.get("spec") });
    }

    fn misplaced(&mut self, document: &Node, title: &str, path: &[&str]) {
        let here = at(document, &["metadata", "annotations"]).and_then(Node::as_map);
        let mut ours =
            here.unwrap_or_default().iter().filter(|(key, _)| key.text.starts_with(PREFIX));
        if let Some((key, _)) = ours.next() {
            let message =
                format!("the injector looks at pods only, and this annotates {title} itself");
            let help = format!("move it below `{}.metadata.annotations`", path.join("."));
            self.misplaced.push(Mistake::error(key.place, message).help(help));
        }
    }
}

impl<'a> Pod<'a> {
    /// The annotation and its value, as the injector finds it.
    pub fn annotation(&self, name: &str) -> Option<(&'a Key, &'a Node)> {
        let mut all = self.annotations.iter();
        all.find(|(key, _)| key.text.strip_prefix(PREFIX) == Some(name)).map(|(key, it)| (key, it))
    }

    pub fn says(&self, name: &str) -> Option<&'a str> {
        self.annotation(name)?.1.as_text()
    }

    pub fn asks_for_an_agent(&self) -> bool {
        self.annotation("agent-inject").is_some_and(|(_, it)| is_true(it))
    }

    /// Its service account, and where it is said.
    pub fn account(&self) -> (&'a str, Place) {
        let said = ["serviceAccountName", "serviceAccount"];
        let said = said.iter().find_map(|it| self.spec?.get(it));
        match said.and_then(|it| Some((it.as_text()?, it.place))) {
            Some(account) => account,
            None => ("default", self.place),
        }
    }

    /// The volume with the token that the agent is told to use.
    pub fn volume(&self, name: &str) -> Option<&'a Node> {
        let volumes = self.spec?.get("volumes")?.as_list()?;
        volumes.iter().find(|it| text(it, &["name"]) == Some(name))
    }
}

/// As Go reads it.
pub(super) fn is_true(said: &Node) -> bool {
    let text = said.as_text().map(str::to_owned).unwrap_or_else(|| said.to_json().to_string());
    ["1", "t", "T", "true", "TRUE", "True"].contains(&&*text)
}

pub(super) fn at<'a>(node: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

pub(super) fn text<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    at(node, path)?.as_text()
}
