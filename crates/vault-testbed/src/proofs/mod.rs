//! From a spec to the features that prove it: text that runs through the same steps as features written by hand.
//!
//! What is proven of which kind is a table; each row's scenarios are a template beside this file.

mod acme;
mod audit;
mod aws;
mod facts;
mod grants;
mod identity;
mod ldap;
mod names;
mod networks;
mod provider;
mod servers;
mod template;

#[cfg(test)]
mod tests;

use minijinja::{Value, context};
use vault_model::{
    claim::{Account, Claim, Subject},
    duration,
    identity::Person,
    object::Object,
    scale::{self, LONGEST_WAIT_SECONDS},
    select::matches,
    source::Place,
    spec::Spec,
};

use crate::{bindings::Bindings, ground::FarSide};
use facts::{Fit, ROWS, facts, is_login, lacking, shut_out, unproven_login};
pub use facts::{issued_paths, policies};
pub use networks::opened;

/// What is proven, and of what.
pub struct Proofs {
    pub features: Vec<ProofFeature>,
    pub unproven: Vec<Unproven>,
    /// What lives are divided by wherever their end is waited for.
    pub divisor: i64,
}

pub struct ProofFeature {
    /// `database_roles.feature`
    pub file: String,
    pub text: String,
}

/// A part of the spec of which nothing, or not all, is shown; and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unproven {
    pub path: String,
    pub reason: String,
}

/// The spec, as the features name it.
pub struct Named<'a> {
    pub path: &'a str,
    pub environment: Option<&'a str>,
    /// Path globs; none for all.
    pub only: &'a [String],
    /// What stands on its ground beside a Vault, by the names of its ground.yaml.
    pub servers: &'a [(String, &'static FarSide)],
    /// Which of these each object works with.
    pub bindings: &'a Bindings,
    /// Whether it stands on a Vault that people use: what is not safe there is left out.
    pub live: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the template {name} cannot be filled in: {source}")]
pub struct TemplateError {
    name: &'static str,
    source: minijinja::Error,
}

pub fn proofs(spec: &Spec, named: &Named<'_>) -> Result<Proofs, TemplateError> {
    let divisor = scale::divisor(&scale::lives(&spec.objects));
    let mut making = Making { spec, named, divisor, features: Vec::new(), unproven: Vec::new() };
    if named.only.is_empty() {
        making.feature("made", context! {})?;
    }
    for row in ROWS {
        making.row(row)?;
    }
    making.claims()?;
    making.policies()?;
    making.not_proven();
    let Making { features, mut unproven, .. } = making;
    unproven.sort();
    unproven.dedup();
    let divisor = if named.live { 1 } else { divisor };
    Ok(Proofs { features, unproven, divisor })
}

/// What shows something of all that the spec describes: every server is needed.
const OF_THE_WHOLE: &[&str] = &["made", "audit_devices"];

struct Making<'a> {
    spec: &'a Spec,
    named: &'a Named<'a>,
    divisor: i64,
    features: Vec<ProofFeature>,
    unproven: Vec<Unproven>,
}

impl<'a> Making<'a> {
    fn feature(&mut self, name: &'static str, more: Value) -> Result<(), TemplateError> {
        let environment = self
            .named
            .environment
            .map_or(String::new(), |it| format!(" in the environment \"{it}\""));
        let stands = format!("the spec \"{}\"{environment} stands", self.named.path);
        let shorter = match self.divisor {
            1 => stands.clone(),
            divisor => format!("{stands}, its lives divided by {divisor}"),
        };
        let live = self.named.live;
        let all = context! { stands => &stands, shorter, live, ..more };
        let text = template::fill(name, all).map_err(|source| TemplateError { name, source })?;
        let text = if live { text } else { untagged(&text) };
        let text = match OF_THE_WHOLE.contains(&name) {
            true => text,
            false => servers::only_named(&text, &stands, self.spec, self.named.bindings),
        };
        if text.contains("Scenario:") {
            self.features.push(ProofFeature { file: format!("{name}.feature"), text });
        }
        Ok(())
    }

    /// Those that the person asked for.
    fn objects(&self) -> impl Iterator<Item = &'a Object> + use<'a> {
        let (spec, only) = (self.spec, self.named.only);
        spec.objects.iter().map(|it| &**it).filter(move |it| is_chosen(only, &it.path))
    }

    fn row(&mut self, row: &facts::Row) -> Result<(), TemplateError> {
        let mut chosen = Vec::new();
        let of = (self.spec, self.named.servers);
        for object in self.objects().filter(|it| row.is_of(it)) {
            if let Some(reason) = self.lacking(object) {
                self.tell(&object.path, reason);
                continue;
            }
            match (row.fits)(self.spec, object) {
                Fit::Proven => {
                    match (self.named.live, row.issues) {
                        // Their end is shown by later dates.
                        (false, _) if aws::lends(object) => {}
                        (false, _) => self.too_long(object),
                        (true, Some(_)) => self.tell(&object.path, NO_CATALOGUE),
                        (true, None) => {}
                    }
                    chosen.push(facts(of, object, row, self.divisor));
                }
                Fit::Beside => {}
                Fit::Unproven(reason) => self.tell(&object.path, reason),
            }
        }
        match chosen.is_empty() {
            true => Ok(()),
            false => self.feature(row.template, context! { objects => chosen }),
        }
    }

    /// Why its ground shows nothing of it.
    fn lacking(&self, object: &Object) -> Option<String> {
        let reason = lacking(object, self.named.servers)?;
        Some(if self.named.live { NO_GROUND.to_owned() } else { reason })
    }

    /// Ends that nobody can wait for, even divided.
    fn too_long(&mut self, object: &Object) {
        let lives = scale::lives(&[std::sync::Arc::new(object.saying(object.said.clone()))]);
        for life in lives {
            let short = scale::shortened(life.seconds, self.divisor);
            if short > LONGEST_WAIT_SECONDS {
                let reason = format!(
                    "{} of {} is {short} s when divided by {}: its end is not waited for",
                    life.field,
                    duration::show(life.seconds),
                    self.divisor
                );
                self.tell(&life.path, reason);
            }
        }
    }

    fn claims(&mut self) -> Result<(), TemplateError> {
        let (spec, only) = (self.spec, self.named.only);
        let mut claims = Vec::new();
        for claim in &spec.claims {
            let (Subject::Login { path, .. } | Subject::Credential { path, .. }) = &claim.subject;
            if !is_chosen(only, path) {
                continue;
            }
            if self.named.live && matches!(claim.subject, Subject::Credential { .. }) {
                self.tell(path, NOT_SAID);
            }
            if let Subject::Credential { path, sessions_end: true, .. } = &claim.subject
                && let Some(reason) = self.sessions_unproven(path)
            {
                self.tell(path, reason);
            }
            match self.claim(claim) {
                Ok(claim) => claims.push(claim),
                Err(reason) => self.tell(path, reason),
            }
        }
        match claims.is_empty() {
            true => Ok(()),
            false => self.feature("claims", context! { claims }),
        }
    }

    fn claim(&self, claim: &Claim) -> Result<Value, String> {
        let place = self.spec.sources.describe(claim.place);
        match &claim.subject {
            Subject::Login { path, may, may_not, lets_in, keeps_out } => {
                let role = self.spec.object(path);
                let why_not =
                    |it| unproven_login(self.spec, it).or_else(|| shut_out(self.spec, it));
                if let Some(reason) = role.and_then(why_not) {
                    return Err(reason);
                }
                let lacking = role.and_then(|it| self.lacking(it));
                let names_accounts = !lets_in.is_empty() || !keeps_out.is_empty();
                if let Some(reason) = lacking.filter(|_| names_accounts) {
                    return Err(reason);
                }
                let texts = |it: &[(Place, Account)]| -> Vec<String> {
                    it.iter().map(|(_, it)| it.to_string()).collect()
                };
                let (lets_in, keeps_out) = (texts(lets_in), texts(keeps_out));
                let name =
                    format!("Whoever logs in by {path} may what {place} claims, and no more");
                let rows = |it: &[vault_model::claim::Operation]| -> Vec<Value> {
                    let row = |it: &vault_model::claim::Operation| {
                        context! { verb => it.verb.name(), path => it.path.clone() }
                    };
                    it.iter().map(row).collect()
                };
                let (may, may_not) = (rows(may), rows(may_not));
                let live = role.map(facts::live);
                Ok(context! { name, place, login => path, live, may, may_not, lets_in, keeps_out })
            }
            Subject::Credential { path, can, cannot, sessions_end } => {
                let texts = |it: &[vault_model::claim::Statement]| -> Vec<String> {
                    it.iter().map(|it| it.text.clone()).collect()
                };
                let (mut can, mut cannot) = (texts(can), texts(cannot));
                if self.named.live {
                    can.retain(|it| only_reads(it));
                    cannot.clear();
                }
                if can.iter().chain(&cannot).any(|it| self.spec.redactor.mask(it) != *it) {
                    return Err(format!(
                        "its claim at {place} holds a secret, which no proof shows"
                    ));
                }
                let issuer = facts::issuer(self.spec, path);
                if let Some((row, object)) = issuer
                    && let Fit::Unproven(reason) = (row.fits)(self.spec, object)
                {
                    return Err(reason);
                }
                let made_by = issuer.map(|(_, object)| object);
                if let Some(reason) = made_by.and_then(|it| self.lacking(it)) {
                    return Err(reason);
                }
                let made = issuer.map(|(_, object)| object.path.clone());
                let name = format!("A login of {path} can what {place} claims, and no more");
                let sessions_end = *sessions_end && self.sessions_unproven(path).is_none();
                Ok(context! { name, place, credential => path, can, cannot, sessions_end, made })
            }
        }
    }

    /// Why nothing can be shown of the end of sessions.
    fn sessions_unproven(&self, issuing: &str) -> Option<&'static str> {
        match facts::issuer(self.spec, issuing) {
            Some((row, _)) if row.template != "database_roles" => {
                Some("only sessions of logins that Vault drops are proven to end")
            }
            Some((_, role)) if !facts::has_sessions(self.spec, role) => {
                Some("its logins have no sessions that could outlive them")
            }
            _ => None,
        }
    }

    fn policies(&mut self) -> Result<(), TemplateError> {
        let mut logins = Vec::new();
        for object in self.objects().filter(|it| is_login(it)) {
            if unproven_login(self.spec, object).or_else(|| shut_out(self.spec, object)).is_some() {
                continue;
            }
            let person = identity::of_login(self.spec, object);
            logins.extend(self.granted(object, None, person.as_ref()));
            for (called, guest) in identity::guests(self.spec, object) {
                logins.extend(self.granted(object, Some(called), Some(&guest)));
            }
        }
        match logins.is_empty() {
            true => Ok(()),
            false => self.feature("policies", context! { logins }),
        }
    }

    /// What whoever logs in by a role may, and may not.
    fn granted(
        &mut self,
        role: &Object,
        called: Option<String>,
        person: Option<&Person<'_>>,
    ) -> Option<Value> {
        let grants::Grants { may, may_not, unproven } = grants::grants(self.spec, role, person);
        unproven.into_iter().for_each(|it| self.tell(&role.path, it));
        if may.is_empty() && may_not.is_empty() {
            return None;
        }
        let rows = |it: Vec<(&'static str, String)>| -> Vec<Value> {
            it.into_iter().map(|(verb, path)| context! { verb, path }).collect()
        };
        let place = self.spec.sources.describe(role.place);
        let (may, may_not) = (rows(may), rows(may_not));
        let live = facts::live_as(role, called.as_deref());
        Some(context! { path => role.path.clone(), live, called, place, may, may_not })
    }

    fn not_proven(&mut self) {
        let servers = self.named.servers;
        for object in self.objects().filter(|it| lacking(it, servers).is_none()) {
            if let Some(reason) = names::open(object) {
                self.tell(&object.path, reason);
            }
        }
        for delivery in &self.spec.deliveries {
            let reason = "its delivery is not proven: nothing here runs long enough to deliver";
            self.tell(&delivery.from, reason);
        }
    }

    fn tell(&mut self, path: &str, reason: impl Into<String>) {
        if is_chosen(self.named.only, path) {
            self.unproven.push(Unproven { path: path.to_owned(), reason: reason.into() });
        }
    }
}

const NO_CATALOGUE: &str =
    "the catalogue of a database that people use is not looked into: nobody here is its superuser";

const NO_GROUND: &str =
    "it is shown at a server of a ground, and none is started beside a Vault that people use";

const NOT_SAID: &str = "statements that are no plain query, or that should be refused, are not said to a database that \
                        people use";

/// A query that a person would say changes nothing.
fn only_reads(statement: &str) -> bool {
    let statement = statement.to_lowercase();
    let mut words = statement.split_whitespace();
    let is_query = words.next().is_some_and(|it| ["select", "show", "get"].contains(&it));
    is_query && words.all(|it| it != "into" && it != "update")
}

/// Without what says which of it is safe on a Vault that people use.
fn untagged(text: &str) -> String {
    let is_tag = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("@live") || line.starts_with("@skip.address(")
    };
    text.split_inclusive('\n').filter(|it| !is_tag(it)).collect()
}

fn is_chosen(only: &[String], path: &str) -> bool {
    only.is_empty() || only.iter().any(|glob| matches(glob, path))
}

/// Finds objects by path.
trait Objects {
    fn object(&self, path: &str) -> Option<&Object>;
}

impl Objects for Spec {
    fn object(&self, path: &str) -> Option<&Object> {
        self.objects.iter().find(|it| it.path == path).map(|it| &**it)
    }
}
