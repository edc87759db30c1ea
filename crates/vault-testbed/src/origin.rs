//! Where in a spec stands what a scenario speaks of.

use std::collections::BTreeMap;

use vault_model::{excerpt, source::Place, spec::Spec};

use crate::proofs::issued_paths;

/// A line of a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `specs/shop/spec.yaml:19:7`
    pub place: String,
    /// As it is written, without what is secret.
    pub line: String,
}

/// Of all objects and claims.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    by_place: BTreeMap<String, Origin>,
    /// By paths in Vault: of objects, and of what they issue.
    by_path: BTreeMap<String, String>,
}

impl Origins {
    pub fn of(spec: &Spec) -> Origins {
        let mut origins = Origins::default();
        for object in &spec.objects {
            let place = origins.add(spec, object.place);
            let paths = std::iter::once(object.path.to_string()).chain(issued_paths(object));
            origins.by_path.extend(paths.map(|it| (it, place.clone())));
        }
        for claim in &spec.claims {
            origins.add(spec, claim.place);
        }
        origins
    }

    fn add(&mut self, spec: &Spec, place: Place) -> String {
        let described = spec.sources.describe(place);
        if let Some(line) = excerpt::shown(&spec.sources, place) {
            let origin = Origin { place: described.clone(), line };
            self.by_place.insert(described.clone(), origin);
        }
        described
    }

    /// By its own words for it.
    pub fn at(&self, place: &str) -> Option<&Origin> {
        self.by_place.get(place)
    }

    /// Of the first path in quotes that the spec describes.
    pub fn named_in(&self, text: &str) -> Option<&Origin> {
        let quoted = text.split('"').skip(1).step_by(2);
        self.at(quoted.into_iter().find_map(|it| self.by_path.get(it))?)
    }
}
