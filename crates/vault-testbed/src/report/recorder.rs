//! Listens to the run's events and makes one result of each scenario, whatever order they come in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use cucumber::{
    Event, Writer, cli,
    event::{self, Hook, RetryableScenario, Source, StepError},
    gherkin, parser,
    writer::Normalized,
};

use super::{ScenarioResult, StepResult, Verdict};
use crate::{
    secrets::Secrets,
    world::{Notes, World},
};

/// Clones record into the same place.
#[derive(Clone)]
pub struct Recorder {
    secrets: Secrets,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    open: HashMap<Key, Open>,
    notes: HashMap<Key, Arc<Notes>>,
    ended: Vec<ScenarioResult>,
    on_end: Option<OnEnd>,
}

type OnEnd = Box<dyn FnMut(&ScenarioResult) + Send>;

type Key = (String, usize, String);

struct Open {
    result: ScenarioResult,
    began: Instant,
    step_began: Option<(Instant, String)>,
    fails: Option<String>,
}

/// The step that has been under way for the longest time.
pub struct Longest {
    pub step: String,
    pub scenario: String,
    pub took: Duration,
}

impl Recorder {
    pub fn new(secrets: Secrets, on_end: impl FnMut(&ScenarioResult) + Send + 'static) -> Recorder {
        let state = State { on_end: Some(Box::new(on_end)), ..State::default() };
        Recorder { secrets, state: Arc::new(Mutex::new(state)) }
    }

    /// Where the World of one attempt notes what the report shows.
    pub fn notes_of(&self, feature: &gherkin::Feature, scenario: &gherkin::Scenario) -> Arc<Notes> {
        let notes = Arc::<Notes>::default();
        self.state().notes.insert(key(feature, scenario), notes.clone());
        notes
    }

    pub fn longest(&self) -> Option<Longest> {
        let state = self.state();
        let under_way = state.open.values().filter_map(|it| Some((it, it.step_began.as_ref()?)));
        let (open, (began, step)) = under_way.min_by_key(|(_, (began, _))| *began)?;
        let scenario = open.result.name.clone();
        Some(Longest { step: step.clone(), scenario, took: began.elapsed() })
    }

    /// What has ended, and as failed what has only begun.
    pub fn take(&self, why_not_ended: &str) -> Vec<ScenarioResult> {
        let mut state = self.state();
        let open: Vec<Open> = state.open.drain().map(|(_, it)| it).collect();
        let mut ended = std::mem::take(&mut state.ended);
        for mut open in open {
            open.result.took = open.began.elapsed();
            open.result.verdict = Verdict::Failed { reason: why_not_ended.to_owned() };
            ended.push(open.result);
        }
        ended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scenario(
        &self,
        feature: &Source<gherkin::Feature>,
        rule: Option<&Source<gherkin::Rule>>,
        scenario: &Source<gherkin::Scenario>,
        event: &RetryableScenario<World>,
    ) {
        let key = key(feature, scenario);
        let attempt = event.retries.map_or(0, |it| it.current);
        let retries_left = event.retries.is_some_and(|it| it.left > 0);
        let mut guard = self.state();
        let state = &mut *guard;
        match &event.event {
            event::Scenario::Started => {
                let open = Open {
                    result: begun(feature, rule, scenario, attempt + 1, &self.secrets),
                    began: Instant::now(),
                    step_began: None,
                    fails: None,
                };
                state.open.insert(key, open);
            }
            event::Scenario::Hook(_, Hook::Failed(_, why)) => {
                if let Some(open) = state.open.get_mut(&key) {
                    open.fails.get_or_insert(said(why));
                }
            }
            event::Scenario::Hook(..) | event::Scenario::Log(_) => {}
            event::Scenario::Background(step, event) | event::Scenario::Step(step, event) => {
                if let Some(open) = state.open.get_mut(&key) {
                    open.step(step, event, &self.secrets);
                }
            }
            event::Scenario::Finished => {
                let Some(open) = state.open.remove(&key) else { return };
                let notes = state.notes.remove(&key).map(|it| it.read()).unwrap_or_default();
                let is_retried = retries_left && open.fails.is_some() && notes.skipped.is_none();
                if is_retried {
                    return;
                }
                let result = open.end(notes, &self.secrets);
                if let Some(on_end) = &mut state.on_end {
                    on_end(&result);
                }
                state.ended.push(result);
            }
        }
    }
}

impl Open {
    fn step(&mut self, step: &gherkin::Step, event: &event::Step<World>, secrets: &Secrets) {
        let text = secrets.mask(&step.value);
        let took = match event {
            event::Step::Started => {
                self.step_began = Some((Instant::now(), text));
                return;
            }
            _ => self.step_began.take().map(|(it, _)| it.elapsed()).unwrap_or_default(),
        };
        let fails = match event {
            event::Step::Failed(_, _, _, StepError::Panic(why)) => Some(said(why)),
            event::Step::Failed(_, _, _, StepError::AmbiguousMatch(why)) => Some(why.to_string()),
            event::Step::Skipped | event::Step::Failed(..) => {
                Some("no step is written like this".to_owned())
            }
            event::Step::Started | event::Step::Passed(..) => None,
        };
        self.result.steps.push(StepResult {
            keyword: step.keyword.trim().to_owned(),
            text,
            line: step.position.line,
            took,
            failed: fails.is_some(),
        });
        if let Some(why) = fails {
            self.fails.get_or_insert(why);
        }
    }

    fn end(self, notes: crate::world::Noted, secrets: &Secrets) -> ScenarioResult {
        let verdict = match (notes.skipped, self.fails) {
            (Some(reason), _) => Verdict::Skipped { reason: secrets.mask(&reason) },
            (None, Some(reason)) => Verdict::Failed { reason: secrets.mask(&reason) },
            (None, None) => Verdict::Passed,
        };
        ScenarioResult {
            verdict,
            took: self.began.elapsed(),
            evidence: notes.evidence.iter().map(|it| secrets.mask(it)).collect(),
            vaults_started_in: notes.vaults_started_in,
            ..self.result
        }
    }
}

impl Writer<World> for Recorder {
    type Cli = cli::Empty;

    async fn handle_event(
        &mut self,
        event: parser::Result<Event<event::Cucumber<World>>>,
        _: &Self::Cli,
    ) {
        // Features are parsed before the run: there is no other error.
        let Ok(event) = event else { return };
        let event::Cucumber::Feature(feature, event) = event.into_inner() else { return };
        match event {
            event::Feature::Scenario(scenario, event) => {
                self.scenario(&feature, None, &scenario, &event);
            }
            event::Feature::Rule(rule, event::Rule::Scenario(scenario, event)) => {
                self.scenario(&feature, Some(&rule), &scenario, &event);
            }
            _ => {}
        }
    }
}

/// It sorts events by scenario itself.
impl Normalized for Recorder {}

fn key(feature: &gherkin::Feature, scenario: &gherkin::Scenario) -> Key {
    let path =
        feature.path.as_ref().map_or_else(|| feature.name.clone(), |it| it.display().to_string());
    (path, scenario.position.line, scenario.name.clone())
}

fn begun(
    feature: &gherkin::Feature,
    rule: Option<&Source<gherkin::Rule>>,
    scenario: &gherkin::Scenario,
    attempts: usize,
    secrets: &Secrets,
) -> ScenarioResult {
    ScenarioResult {
        feature: secrets.mask(&feature.name),
        path: feature.path.clone(),
        line: scenario.position.line,
        rule: rule.map(|it| secrets.mask(&it.name)),
        name: secrets.mask(&scenario.name),
        tags: scenario.tags.clone(),
        verdict: Verdict::Passed,
        steps: Vec::new(),
        evidence: Vec::new(),
        took: Duration::ZERO,
        attempts,
        vaults_started_in: Vec::new(),
    }
}

/// What a panic says.
fn said(why: &event::Info) -> String {
    let text = why.downcast_ref::<String>().cloned();
    text.or_else(|| why.downcast_ref::<&str>().map(|it| (*it).to_owned()))
        .unwrap_or_else(|| "it panicked without words".to_owned())
}
