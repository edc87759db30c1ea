//! Every secret that a run has issued, so that none of them is shown.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vault_model::redact::Redactor;

/// Clones know the same secrets.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    redactor: Redactor,
    /// What each is, by its value.
    names: BTreeMap<String, String>,
}

/// A shorter one would be found in half of all texts.
const SHORTEST: usize = 6;

impl Secrets {
    /// `what`: how a person would name it, such as `the root token`.
    pub fn add(&self, what: &str, secret: &str) {
        if secret.chars().count() < SHORTEST {
            return;
        }
        let mut known = self.known();
        if known.names.insert(secret.to_owned(), what.to_owned()).is_none() {
            known.redactor.add(secret);
        }
    }

    /// All that a spec keeps secret. They are masked; nothing but the spec knows what each is.
    pub fn add_of_spec(&self, spec: &Redactor) {
        self.known().redactor.add_all(spec);
    }

    pub fn mask(&self, text: &str) -> String {
        self.known().redactor.mask(text).into_owned()
    }

    /// What those secrets are that stand in `text`.
    pub fn found_in(&self, text: &str) -> Vec<String> {
        let known = self.known();
        let found = known.names.iter().filter(|(secret, _)| text.contains(secret.as_str()));
        found.map(|(_, what)| what.clone()).collect()
    }

    pub fn count(&self) -> usize {
        self.known().names.len()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} of them)", self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_and_found_by_its_name() {
        let secrets = Secrets::default();
        secrets.add("the root token", "hvs.abcdef");
        assert_eq!(secrets.mask("token hvs.abcdef!"), "token ***!");
        assert_eq!(secrets.found_in("x hvs.abcdef"), ["the root token"]);
        assert_eq!(secrets.found_in("nothing here"), [""; 0]);
        assert_eq!(format!("{secrets:?}"), "Secrets(1 of them)");
    }
}
