//! What came out for each system: for each spec that scenarios are about.

use std::{path::Path, time::Duration};

use super::{About, NotProven, Results, ScenarioResult, Verdict};

pub struct SystemResult<'a> {
    /// None for scenarios that bring all that they need themselves.
    pub name: Option<&'a str>,
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// Of all its scenarios, one after the other.
    pub took: Duration,
    /// What no scenario shows.
    pub unproven: Vec<Unproven<'a>>,
    pub scenarios: Vec<&'a ScenarioResult>,
}

/// A path in Vault or a scenario that was skipped, and why.
pub struct Unproven<'a> {
    pub what: String,
    pub reason: &'a str,
}

impl Results {
    /// Those with failures first, else in the order in which they began to end; what is of none comes last.
    pub fn systems<'a>(&'a self, about: &'a About) -> Vec<SystemResult<'a>> {
        let of_proof = about.of_proof.as_ref();
        let mut systems: Vec<SystemResult<'a>> = Vec::new();
        systems.extend(of_proof.map(|it| SystemResult::of(&it.spec, &it.not_proven)));
        for result in &self.scenarios {
            let name = result.system.as_deref();
            let index = systems.iter().position(|it| it.name == name).unwrap_or_else(|| {
                systems.push(SystemResult { name, ..SystemResult::of("", &[]) });
                systems.len() - 1
            });
            systems[index].add(result);
        }
        systems.sort_by_key(|it| (it.failed == 0, it.name.is_none()));
        systems
    }
}

impl<'a> SystemResult<'a> {
    fn of(name: &'a str, not_proven: &'a [NotProven]) -> Self {
        let unproven =
            not_proven.iter().map(|it| Unproven { what: it.path.clone(), reason: &it.reason });
        SystemResult {
            name: Some(name),
            passed: 0,
            failed: 0,
            skipped: 0,
            took: Duration::ZERO,
            unproven: unproven.collect(),
            scenarios: Vec::new(),
        }
    }

    fn add(&mut self, result: &'a ScenarioResult) {
        self.took += result.took;
        match &result.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed { .. } => self.failed += 1,
            Verdict::Skipped { reason } => {
                self.skipped += 1;
                let what = format!("{} › {}", result.feature, result.name);
                self.unproven.push(Unproven { what, reason });
            }
        }
        self.scenarios.push(result);
    }

    /// As people read it.
    pub fn title(&self) -> &'a str {
        self.name.unwrap_or("no system of its own")
    }

    /// In the order in which they began to end.
    pub fn features(&self) -> Vec<&'a str> {
        let mut features: Vec<&str> = Vec::new();
        for result in &self.scenarios {
            if !features.contains(&&*result.feature) {
                features.push(&result.feature);
            }
        }
        features
    }
}

/// The spec that a scenario is about, by what its first steps say: of `the spec "specs/shop" stands` it is `shop`.
pub fn named_in<'a>(steps: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut paths = steps.filter_map(|it| it.strip_prefix("the spec \"")?.split('"').next());
    let path = Path::new(paths.next()?);
    let folder = if path.extension().is_some() { path.parent()? } else { path };
    Some(folder.file_name()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_about_the_spec_that_it_names_first() {
        for (steps, wanted) in [
            (vec![r#"the spec "specs/shop" stands"#], Some("shop")),
            (
                vec!["a Vault", r#"the spec "specs/shop/" in the environment "x" stands"#],
                Some("shop"),
            ),
            (vec![r#"the spec "fixtures/blue/spec.yaml""#, r#"the spec "other""#], Some("blue")),
            (vec!["a Vault", "the spec", "I apply"], None),
            (vec![], None),
        ] {
            assert_eq!(named_in(steps.into_iter()).as_deref(), wanted);
        }
    }
}
