//! Kubernetes' manifests held against a spec: what annotations of the Vault Agent injector ask of Vault, it must give.

mod access;
mod annotations;
mod answers;
mod identity;
mod pods;
mod template;

use std::collections::BTreeMap;

use crate::{
    lint::{self, Mount},
    mistakes::Mistakes,
    node::Node,
    object::Object,
    source::{Mistake, Place, Sources},
    spec::{Spec, SpecFile},
    yaml,
};

use pods::{Account, Pod};

pub use annotations::PREFIX;

/// What came of it.
pub struct Judged {
    /// The spec's files, then the manifests.
    pub sources: Sources,
    pub mistakes: Mistakes,
    /// How many pods, or templates of pods, ask for an agent.
    pub injected: usize,
    pub pods: usize,
}

/// `namespace`: of what names none, as `kubectl --namespace` would say it.
pub fn judge(spec: &Spec, manifests: Vec<SpecFile>, namespace: &str) -> Judged {
    let mut sources = spec.sources.clone();
    let mut mistakes = Vec::new();
    let mut documents = Vec::new();
    let mut is_complete = true;
    for file in manifests {
        match yaml::read_all(&mut sources, file.name, &file.bytes) {
            Ok(read) => documents.extend(read),
            Err(found) => {
                is_complete = false;
                mistakes.extend(found);
            }
        }
    }
    let known = Known::new(spec, &sources, &documents, namespace, is_complete);
    let injected = known.pods.iter().filter(|it| it.asks_for_an_agent()).count();
    mistakes.extend(known.pods.iter().flat_map(|it| annotations::judge(&known, it)));
    mistakes.extend(known.misplaced.iter().cloned());
    let pods = known.pods.len();
    Judged { mistakes: Mistakes::from(mistakes), sources, injected, pods }
}

/// All that a pod is held against.
struct Known<'a> {
    spec: &'a Spec,
    sources: &'a Sources,
    mounts: BTreeMap<&'a str, Mount<'a>>,
    accounts: Vec<Account<'a>>,
    pods: Vec<Pod<'a>>,
    misplaced: Vec<Mistake>,
    /// Every manifest could be read: what isn't there isn't meant to be.
    is_complete: bool,
}

impl<'a> Known<'a> {
    fn new(
        spec: &'a Spec,
        sources: &'a Sources,
        documents: &'a [Node],
        namespace: &'a str,
        is_complete: bool,
    ) -> Known<'a> {
        let mounts = spec.objects.iter().filter_map(|it| lint::mount(it)).collect();
        let found = pods::read(documents, namespace);
        let (accounts, pods, misplaced) = (found.accounts, found.pods, found.misplaced);
        Known { spec, sources, mounts, accounts, pods, misplaced, is_complete }
    }

    fn object(&self, path: &str) -> Option<&'a Object> {
        self.spec.objects.iter().map(|it| &**it).find(|it| it.path == path)
    }

    /// Names of what a mount has in a section.
    fn names(&self, mount: &str, section: &str) -> Vec<&'a str> {
        let here = |it: &&Object| it.mount() == mount && it.kind.section == section;
        self.spec.objects.iter().map(|it| &**it).filter(here).map(Object::name).collect()
    }

    /// The mount that a path lies in, and the rest of the path.
    fn mount_of<'p>(&self, path: &'p str) -> Option<(&'a str, &Mount<'a>, &'p str)> {
        path.rmatch_indices('/').find_map(|(at, _)| {
            let (mount, it) = self.mounts.get_key_value(&path[..at])?;
            Some((*mount, it, &path[at + 1..]))
        })
    }

    /// The place of some bytes of a text.
    fn within(&self, node: &Node, range: std::ops::Range<usize>) -> Place {
        let value = node.as_text().unwrap_or_default();
        self.sources.within(node.place, value, range.start, range)
    }
}

#[cfg(test)]
mod tests;
