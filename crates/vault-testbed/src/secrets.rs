//! Every secret that a run has issued, so that none of them is shown.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    /// Words of paths of specs: who reads a path reads them, whatever else has the same value.
    public: BTreeSet<String>,
    /// What came out of secret variables, also where it is too short to be searched for.
    of_variables: BTreeSet<String>,
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

    /// Paths in Vault: their words are not taken out of what people wrote, even where a value of the spec is the same.
    pub fn add_public<'a>(&self, paths: impl Iterator<Item = &'a str>) {
        let mut known = self.known();
        for segment in paths.flat_map(|it| it.split('/')) {
            let words = segment.split(|it: char| !it.is_alphanumeric());
            known.public.extend(words.chain([segment]).map(str::to_owned));
        }
    }

    /// What came out of the secret variables of a spec: masked, and searched for.
    pub fn add_of_variables(&self, spec: &Redactor) {
        self.add_of_spec(spec);
        let mut known = self.known();
        known.of_variables.extend(spec.forms().map(str::to_owned));
        for secret in spec.forms().filter(|it| it.chars().count() >= SHORTEST) {
            let what = || "a secret variable of the spec".to_owned();
            known.names.entry(secret.to_owned()).or_insert_with(what);
        }
        known.scanner = None;
    }

    pub fn mask(&self, text: &str) -> String {
        self.known().redactor.mask(text).into_owned()
    }

    /// For names and steps of features, which people wrote before there was any secret: a value that is also a word of
    /// a path is left, unless it was issued or came out of a secret variable.
    pub fn mask_written(&self, text: &str) -> String {
        let known = self.known();
        let Known { redactor, public, of_variables, names, .. } = &*known;
        let is_kept = |it: &str| names.contains_key(it) || of_variables.contains(it);
        redactor.mask_but(text, |it| public.contains(it) && !is_kept(it)).into_owned()
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
    fn a_word_of_a_path_is_no_secret_where_people_wrote_it() {
        let secrets = Secrets::default();
        let mut of_spec = Redactor::default();
        ["trading", "market_analysis", "hunter2"].into_iter().for_each(|it| of_spec.add(it));
        secrets.add_of_spec(&of_spec);
        let name = "project-trading reads projects/market_analysis and hunter2";
        assert_eq!(secrets.mask_written(name), "project-*** reads projects/*** and ***");
        let paths = ["auth/approle/role/project-trading", "secret/data/market_analysis/keys"];
        secrets.add_public(paths.into_iter());
        let name_left = "project-trading reads projects/market_analysis and ***";
        assert_eq!(secrets.mask_written(name), name_left);
        assert_eq!(secrets.mask("it holds trading"), "it holds ***");
    }

    #[test]
    fn what_was_issued_is_secret_even_where_a_path_has_it() {
        let secrets = Secrets::default();
        secrets.add_public(["secret/data/hunter2"].into_iter());
        secrets.add("a password", "hunter2");
        let mut of_variables = Redactor::default();
        of_variables.add("data");
        secrets.add_of_variables(&of_variables);
        assert_eq!(secrets.mask_written("hunter2 works, data as well"), "*** works, *** as well");
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
