//! Every secret that a run has issued, so that none of them is shown.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vault_model::redact::Redactor;

use crate::scan::{Found, SHORTEST, Scanner, mask_looks};

/// Clones know the same secrets.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    redactor: Redactor,
    /// What each is, by its value.
    names: BTreeMap<String, String>,
    /// None where a secret was added since.
    scanner: Option<Arc<Scanner>>,
}

/// Something that would be read by others holds secrets, and is not written.
#[derive(Debug, thiserror::Error)]
#[error("{artefact} would show {found}: it is withheld", found = listed(found))]
pub struct Shown {
    /// Such as `report.html`.
    pub artefact: String,
    pub found: Vec<Found>,
}

impl Secrets {
    /// `what`: how a person would name it, such as `the root token`.
    pub fn add(&self, what: &str, secret: &str) {
        if secret.chars().count() < SHORTEST {
            return;
        }
        let mut known = self.known();
        if known.names.insert(secret.to_owned(), what.to_owned()).is_none() {
            known.redactor.add(secret);
            known.scanner = None;
        }
    }

    /// All that a spec keeps secret. They are masked; nothing but the spec knows what each is.
    pub fn add_of_spec(&self, spec: &Redactor) {
        self.known().redactor.add_all(spec);
    }

    /// What came out of the secret variables of a spec: masked, and searched for.
    pub fn add_of_variables(&self, spec: &Redactor) {
        self.add_of_spec(spec);
        let mut known = self.known();
        for secret in spec.forms().filter(|it| it.chars().count() >= SHORTEST) {
            let what = || "a secret variable of the spec".to_owned();
            known.names.entry(secret.to_owned()).or_insert_with(what);
        }
        known.scanner = None;
    }

    pub fn mask(&self, text: &str) -> String {
        self.known().redactor.mask(text).into_owned()
    }

    /// For what others wrote, of which nobody told what is secret: also what is secret by its looks.
    pub fn mask_all(&self, text: &str) -> String {
        mask_looks(&self.mask(text)).into_owned()
    }

    /// Where secrets stand in what may be no text at all.
    pub fn scan(&self, bytes: &[u8]) -> Vec<Found> {
        let mut known = self.known();
        let Known { names, scanner, .. } = &mut *known;
        let names = || names.iter().map(|(secret, what)| (&**secret, &**what));
        let scanner = scanner.get_or_insert_with(|| Arc::new(Scanner::new(names()))).clone();
        drop(known);
        scanner.scan(bytes)
    }

    /// For whatever others read: nothing that holds a secret passes.
    pub fn pass(&self, artefact: &str, bytes: &[u8]) -> Result<(), Shown> {
        let found = self.scan(bytes);
        match found.is_empty() {
            true => Ok(()),
            false => Err(Shown { artefact: artefact.to_owned(), found }),
        }
    }

    /// What those secrets are that stand in `text`.
    pub fn found_in(&self, text: &str) -> Vec<String> {
        self.scan(text.as_bytes()).iter().map(ToString::to_string).collect()
    }

    pub fn count(&self) -> usize {
        self.known().names.len()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listed(found: &[Found]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
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
        assert_eq!(secrets.found_in("x hvs.abcdef"), ["the root token at 1:3"]);
        assert_eq!(secrets.found_in("nothing here"), [""; 0]);
        assert_eq!(format!("{secrets:?}"), "Secrets(1 of them)");
    }

    #[test]
    fn a_secret_that_was_added_later_is_found_as_well() {
        let secrets = Secrets::default();
        assert_eq!(secrets.found_in("the second"), [""; 0]);
        secrets.add("another", "second");
        assert_eq!(secrets.found_in("the second"), ["another at 1:5"]);
    }

    #[test]
    fn what_would_show_a_secret_does_not_pass() {
        let secrets = Secrets::default();
        secrets.add("the root token", "hvs.abcdef");
        assert!(secrets.pass("report.html", b"token ***").is_ok());
        let refused = secrets.pass("report.html", b"<p>\nhvs.abcdef").unwrap_err().to_string();
        assert_eq!(refused, "report.html would show the root token at 2:1: it is withheld");
    }
}
