//! Runs features, from files or as texts, on a ground.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use cucumber::{
    World as _, cli, event::ScenarioFinished, feature::Ext as _, parser, tag::Ext as _,
};
use futures::{FutureExt as _, stream};
pub use gherkin::{Feature, Scenario};
use gherkin::{GherkinEnv, tagexpr::TagOperation};
use regex::Regex;
use vault_provision::{ReadError, SpecInputs};

use crate::{
    bindings::KnownBindings,
    ground::Ground,
    live::Live,
    report::{self, Longest, Recorder, Results, ScenarioResult, Verdict},
    secrets::Secrets,
    world::{Bench, World},
};

/// What is run, and how.
pub struct Suite {
    pub ground: Ground,
    /// The vaultwright binary, for steps that need a process of their own.
    pub program: Option<PathBuf>,
    /// Where relative paths that features name begin.
    pub root: PathBuf,
    pub concurrency: usize,
    /// How often a scenario that failed is tried again.
    pub retries: usize,
    pub filter: Filter,
    pub secrets: Secrets,
    /// What the command line says about variables of specs that features name.
    pub inputs: SpecInputs,
    /// The Vault that people use, where one is proven.
    pub live: Option<Arc<Live>>,
}

/// Which scenarios; those it leaves out are not counted.
#[derive(Default)]
pub struct Filter {
    pub tags: Option<Tags>,
    pub name: Option<Regex>,
}

/// `@slow and not @docker`
#[derive(Clone)]
pub struct Tags(TagOperation);

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{name}:{place}: {problem}")]
    Parse { name: String, place: String, problem: String },
    #[error("{path} holds no .feature file", path = path.display())]
    Empty { path: PathBuf },
    #[error("the tags `{0}` are no expression like `@a and not (@b or @c)`")]
    Tags(String),
}

/// What a run tells while it goes on. All texts are masked.
pub enum Happening<'a> {
    /// Before everything else: so many scenarios, with those that are skipped.
    Chosen {
        scenarios: usize,
    },
    /// An attempt at one.
    Began {
        scenario: &'a ScenarioResult,
    },
    Step {
        scenario: &'a ScenarioResult,
        step: &'a str,
    },
    /// The last attempt, or none.
    Ended {
        scenario: &'a ScenarioResult,
    },
}

/// A step that takes longer has hung: every step has deadlines of its own, which are shorter.
const LONGEST_STEP: Duration = Duration::from_secs(300);

/// What has not ended by then is left to the end of the run, which removes all that it started.
const LONGEST_END: Duration = Duration::from_secs(60);

/// What changes nothing on a Vault that people use, but for what is the proof's own.
pub const LIVE: &str = "live";

/// What replaces a password that others may use, and nothing else.
pub const LIVE_ROTATES: &str = "live.rotates";

const ROTATION: &str = "it rotates a password that others may use; --rotate allows it";

const UNMARKED: &str = "it is not known to be safe on a Vault that people use";

pub const CONCURRENCY: usize = 4;

impl Suite {
    pub fn new(ground: Ground) -> Suite {
        Suite {
            ground,
            program: None,
            root: PathBuf::from("."),
            concurrency: CONCURRENCY,
            retries: 0,
            filter: Filter::default(),
            secrets: Secrets::default(),
            inputs: SpecInputs::default(),
            live: None,
        }
    }

    /// Runs all scenarios that the filter lets through. `tell` hears what happens as soon as it does.
    /// Dropping the future ends the scenarios that are under way and their servers.
    pub async fn run(
        &self,
        features: Vec<Feature>,
        mut tell: impl FnMut(Happening<'_>) + Send + 'static,
    ) -> Results {
        let began = Instant::now();
        let (features, skipped) = self.select(features);
        let chosen = features.iter().map(|it| it.count_scenarios()).sum::<usize>() + skipped.len();
        tell(Happening::Chosen { scenarios: chosen });
        skipped.iter().for_each(|scenario| tell(Happening::Ended { scenario }));
        let recorder = Recorder::new(self.secrets.clone(), tell);
        let run = self.runner(recorder.clone(), features);
        let aborted = tokio::select! {
            () = run => None,
            longest = hung(&recorder) => Some(longest),
        };
        let aborted = aborted.map(|it| {
            format!(
                "the step `{}` of `{}` takes longer than {} s",
                it.step,
                it.scenario,
                LONGEST_STEP.as_secs()
            )
        });
        let mut scenarios = recorder.take(aborted.as_deref().unwrap_or("it did not end"));
        scenarios.extend(skipped);
        let aborted = aborted.or_else(|| lost(chosen, scenarios.len()));
        Results { scenarios, took: began.elapsed(), aborted }
    }

    async fn runner(&self, recorder: Recorder, features: Vec<Feature>) {
        let bench = Bench {
            ground: self.ground.clone(),
            program: self.program.clone(),
            root: self.root.clone(),
            secrets: self.secrets.clone(),
            inputs: self.inputs.clone(),
            bindings: KnownBindings::default(),
            live: self.live.clone(),
            notes: Default::default(),
        };
        let notes = recorder.clone();
        World::cucumber::<PathBuf>()
            .with_parser(Parsed)
            .with_writer(recorder)
            .max_concurrent_scenarios(self.concurrency)
            .retries(self.retries)
            .before(move |feature, _, scenario, world: &mut World| {
                let notes = notes.notes_of(feature, scenario);
                world.set_bench(Bench { notes, ..bench.clone() });
                async {}.boxed_local()
            })
            .after(|_, _, _, finished, world: Option<&mut World>| {
                let passed = matches!(finished, ScenarioFinished::StepPassed);
                async move {
                    let Some(world) = world else { return };
                    match tokio::time::timeout(LONGEST_END, world.end(passed)).await {
                        Ok(shown) if shown.is_empty() => {}
                        Ok(shown) => panic!("{}", shown.join("; ")),
                        Err(_) => panic!("its servers did not end within {LONGEST_END:?}"),
                    }
                }
                .boxed_local()
            })
            .with_default_cli()
            .run(features)
            .await;
    }

    /// What the filter lets through, and of that what this ground cannot run.
    fn select(&self, features: Vec<Feature>) -> (Vec<Feature>, Vec<ScenarioResult>) {
        let mut skipped = Vec::new();
        let mut selected = Vec::new();
        for mut feature in features {
            let of_feature =
                Feature { scenarios: Vec::new(), rules: Vec::new(), ..feature.clone() };
            let mut keep = |rule: Option<&gherkin::Rule>, scenario: &Scenario| {
                let rule_tags = rule.iter().flat_map(|it| &it.tags);
                let tags: Vec<&String> =
                    of_feature.tags.iter().chain(rule_tags).chain(&scenario.tags).collect();
                if !self.filter.lets_through(scenario, &tags) {
                    return false;
                }
                let reason = tags.iter().find_map(|it| self.why_not_here(it));
                let reason = reason.or_else(|| self.why_not_live(&tags));
                let Some(reason) = reason else { return true };
                skipped.push(not_run(&of_feature, rule, scenario, reason));
                false
            };
            feature.scenarios.retain(|it| keep(None, it));
            for rule in &mut feature.rules {
                let of_rule = gherkin::Rule { scenarios: Vec::new(), ..rule.clone() };
                rule.scenarios.retain(|it| keep(Some(&of_rule), it));
            }
            feature.rules.retain(|it| !it.scenarios.is_empty());
            if !feature.scenarios.is_empty() || !feature.rules.is_empty() {
                selected.push(feature);
            }
        }
        (selected, skipped)
    }

    /// Of a Vault that people use: only what says that it is safe there.
    fn why_not_live(&self, tags: &[&String]) -> Option<String> {
        let live = self.live.as_ref()?;
        let has = |name: &str| tags.iter().any(|it| *it == name);
        match () {
            () if has(LIVE) || has(LIVE_ROTATES) && live.rotates => None,
            () if has(LIVE_ROTATES) => Some(ROTATION.to_owned()),
            () => Some(UNMARKED.to_owned()),
        }
    }

    /// `skip.docker(no-process-of-this-machine)`
    fn why_not_here(&self, tag: &str) -> Option<String> {
        let rest = tag.strip_prefix("skip.")?.strip_prefix(&self.ground.kind().to_string())?;
        let reason = rest.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
        Some(reason.unwrap_or("its tag gives no reason").replace('-', " "))
    }
}

async fn hung(recorder: &Recorder) -> Longest {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Some(longest) = recorder.longest().filter(|it| it.took > LONGEST_STEP) {
            return longest;
        }
    }
}

/// What was chosen and has no verdict was not shown to hold.
fn lost(chosen: usize, ended: usize) -> Option<String> {
    (ended != chosen).then(|| format!("{chosen} scenarios were chosen, and {ended} have ended"))
}

impl Filter {
    fn lets_through(&self, scenario: &Scenario, tags: &[&String]) -> bool {
        // An expression names `skip.docker` without the reason that follows it.
        let tags = || tags.iter().map(|it| it.split('(').next().unwrap_or_default());
        self.tags.as_ref().is_none_or(|it| it.0.eval(tags()))
            && self.name.as_ref().is_none_or(|it| it.is_match(&scenario.name))
    }
}

impl FromStr for Tags {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Tags, LoadError> {
        text.parse().map(Tags).map_err(|_| LoadError::Tags(text.to_owned()))
    }
}

/// Features that are read already.
struct Parsed;

impl parser::Parser<Vec<Feature>> for Parsed {
    type Cli = cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<parser::Result<Feature>>>;

    fn parse(self, features: Vec<Feature>, _: Self::Cli) -> Self::Output {
        stream::iter(features.into_iter().map(Ok).collect::<Vec<_>>())
    }
}

/// Every .feature file in `paths`, which are files or folders; in the order of their names.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Feature>, LoadError> {
    let mut features = Vec::new();
    for path in paths {
        let mut files = Vec::new();
        feature_files(path, &mut files)?;
        if files.is_empty() {
            return Err(LoadError::Empty { path: path.clone() });
        }
        files.sort();
        for file in files {
            let text = vault_provision::read_text(&file)?;
            let feature = parse(&file.display().to_string(), &text)?;
            features.push(Feature { path: Some(file), ..feature });
        }
    }
    Ok(features)
}

/// Lives of seconds are short for a machine that others use too: where `CI` is set, what failed is tried once more.
pub fn retries() -> usize {
    usize::from(std::env::var_os("CI").is_some())
}

/// One feature; `name` is what a mistake in it is reported under. Its outlines are expanded.
pub fn parse(name: &str, text: &str) -> Result<Feature, LoadError> {
    let wrong =
        |place: String, problem: String| LoadError::Parse { name: name.to_owned(), place, problem };
    let feature = Feature::parse(text, GherkinEnv::default()).map_err(|error| {
        // `Error at LINE:COLUMN: {…}` is all that it tells.
        let said = error.to_string();
        let place = said.trim_start_matches("Error at ").splitn(3, ':').take(2);
        let place: Vec<&str> = place.collect();
        wrong(
            place.join(":"),
            "this is no Gherkin: a keyword or a colon is missing here, or in the line before"
                .into(),
        )
    })?;
    let feature = Feature { path: Some(PathBuf::from(name)), ..feature };
    feature.expand_examples().map_err(|error| wrong("1:1".into(), error.to_string()))
}

fn feature_files(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let failed = |source| ReadError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            feature_files(&path, files)?;
        } else if path.extension().is_some_and(|it| it == "feature") {
            files.push(path);
        }
    }
    Ok(())
}

/// The spec that a scenario is about.
pub fn system(
    feature: &Feature,
    rule: Option<&gherkin::Rule>,
    scenario: &Scenario,
) -> Option<String> {
    let of_rule = rule.and_then(|it| it.background.as_ref());
    let before = feature.background.iter().chain(of_rule).flat_map(|it| &it.steps);
    report::named_in(before.chain(&scenario.steps).map(|it| it.value.as_str()))
}

fn not_run(
    feature: &Feature,
    rule: Option<&gherkin::Rule>,
    scenario: &Scenario,
    reason: String,
) -> ScenarioResult {
    ScenarioResult {
        feature: feature.name.clone(),
        system: system(feature, rule, scenario),
        path: feature.path.clone(),
        line: scenario.position.line,
        rule: rule.map(|it| it.name.clone()),
        name: scenario.name.clone(),
        description: scenario.description.clone(),
        origin: None,
        tags: scenario.tags.clone(),
        verdict: Verdict::Skipped { reason },
        steps: Vec::new(),
        turns: Vec::new(),
        took: Duration::ZERO,
        attempts: 0,
        vaults_started_in: Vec::new(),
        far_sides: Vec::new(),
    }
}
