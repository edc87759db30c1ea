//! Listens to the run's events and makes one result of each scenario, whatever order they come in.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use cucumber::{
    Event, Writer, cli,
    event::{self, Hook, RetryableScenario, Source, StepError},
    gherkin, parser,
    writer::Normalized,
};

use super::{AskedResult, ScenarioResult, StepResult, TurnResult, Verdict, asked};
use crate::{
    origin::Origin,
    secrets::Secrets,
    suite::{self, Happening},
    world::{Noted, Notes, Seen, World},
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
    /// Of each attempt, the first one first: the next may have begun before the end of one is heard.
    notes: HashMap<Key, VecDeque<Arc<Notes>>>,
    ended: Vec<ScenarioResult>,
    /// Those that have found out that they cannot run: another attempt is none.
    skipped: HashSet<Key>,
    tell: Option<Tell>,
}

type Tell = Box<dyn FnMut(Happening<'_>) + Send>;

type Key = (String, usize, String);

struct Open {
    result: ScenarioResult,
    began: SystemTime,
    step_began: Option<(SystemTime, String)>,
    /// When each step of the result was over.
    steps_ended: Vec<SystemTime>,
    /// What each says, as it is written.
    steps_said: Vec<String>,
    description: Option<String>,
    fails: Option<String>,
    /// Another attempt follows: a step that nobody wrote fails for good.
    is_tried_again: bool,
}

/// The step that has been under way for the longest time.
pub struct Longest {
    pub step: String,
    pub scenario: String,
    pub took: Duration,
}

impl Recorder {
    pub fn new(secrets: Secrets, tell: impl FnMut(Happening<'_>) + Send + 'static) -> Recorder {
        let state = State { tell: Some(Box::new(tell)), ..State::default() };
        Recorder { secrets, state: Arc::new(Mutex::new(state)) }
    }

    /// Where the World of one attempt notes what the report shows.
    pub fn notes_of(&self, feature: &gherkin::Feature, scenario: &gherkin::Scenario) -> Arc<Notes> {
        let notes = Arc::<Notes>::default();
        let mut state = self.state();
        state.notes.entry(key(feature, scenario)).or_default().push_back(notes.clone());
        notes
    }

    pub fn longest(&self) -> Option<Longest> {
        let state = self.state();
        let under_way = state.open.values().filter_map(|it| Some((it, it.step_began.as_ref()?)));
        let (open, (began, step)) = under_way.min_by_key(|(_, (began, _))| *began)?;
        let scenario = open.result.name.clone();
        Some(Longest { step: step.clone(), scenario, took: since(*began, SystemTime::now()) })
    }

    /// What has ended, and as failed what has only begun.
    pub fn take(&self, why_not_ended: &str) -> Vec<ScenarioResult> {
        let mut state = self.state();
        let open: Vec<Open> = state.open.drain().map(|(_, it)| it).collect();
        let mut ended = std::mem::take(&mut state.ended);
        for mut open in open {
            open.result.took = since(open.began, SystemTime::now());
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
        at: SystemTime,
    ) {
        let key = key(feature, scenario);
        let attempt = event.retries.map_or(0, |it| it.current);
        let has_more_attempts = event.retries.is_some_and(|it| it.left > 0);
        let mut guard = self.state();
        let state = &mut *guard;
        match &event.event {
            event::Scenario::Started if state.skipped.contains(&key) => {}
            event::Scenario::Started => {
                let open = Open {
                    result: begun(feature, rule, scenario, attempt + 1, &self.secrets),
                    began: at,
                    step_began: None,
                    steps_ended: Vec::new(),
                    steps_said: Vec::new(),
                    description: scenario.description.as_deref().map(|it| it.trim().to_owned()),
                    fails: None,
                    is_tried_again: false,
                };
                state.tell(Happening::Began { scenario: &open.result });
                state.open.insert(key, open);
            }
            event::Scenario::Hook(_, Hook::Failed(_, why)) => {
                if let Some(open) = state.open.get_mut(&key) {
                    open.fails.get_or_insert(said(why));
                    open.is_tried_again = has_more_attempts;
                }
            }
            event::Scenario::Hook(..) | event::Scenario::Log(_) => {}
            event::Scenario::Background(step, event) | event::Scenario::Step(step, event) => {
                let Some(open) = state.open.get_mut(&key) else { return };
                open.step(step, event, at, &self.secrets);
                open.is_tried_again |=
                    has_more_attempts && matches!(event, event::Step::Failed(..));
                if let (Some((_, step)), Some(tell)) = (&open.step_began, &mut state.tell) {
                    tell(Happening::Step { scenario: &open.result, step });
                }
            }
            event::Scenario::Finished => {
                let Some(open) = state.open.remove(&key) else { return };
                let notes = state.notes.get_mut(&key).and_then(VecDeque::pop_front);
                let notes = notes.map(|it| it.read()).unwrap_or_default();
                if notes.skipped.is_some() {
                    state.skipped.insert(key);
                } else if open.is_tried_again {
                    return;
                }
                let result = open.end(notes, at, &self.secrets);
                state.tell(Happening::Ended { scenario: &result });
                state.ended.push(result);
            }
        }
    }
}

impl State {
    fn tell(&mut self, what: Happening<'_>) {
        if let Some(tell) = &mut self.tell {
            tell(what);
        }
    }
}

impl Open {
    fn step(
        &mut self,
        step: &gherkin::Step,
        event: &event::Step<World>,
        at: SystemTime,
        secrets: &Secrets,
    ) {
        let text = secrets.mask_written(&step.value);
        let took = match event {
            event::Step::Started => {
                self.step_began = Some((at, text));
                return;
            }
            _ => self.step_began.take().map(|(it, _)| since(it, at)).unwrap_or_default(),
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
            evidence: Vec::new(),
            asked: Vec::new(),
            asked_left_out: 0,
            origin: None,
        });
        self.steps_ended.push(at);
        self.steps_said.push(step.value.clone());
        if let Some(why) = fails {
            self.fails.get_or_insert(why);
        }
    }

    fn end(mut self, notes: Noted, at: SystemTime, secrets: &Secrets) -> ScenarioResult {
        for seen in &notes.seen {
            self.saw(seen, secrets);
        }
        self.asked(&notes, secrets);
        self.came_from(&notes, secrets);
        let verdict = match (notes.skipped, self.fails) {
            (Some(reason), _) => Verdict::Skipped { reason: secrets.mask(&reason) },
            (None, Some(reason)) => Verdict::Failed { reason: secrets.mask(&reason) },
            (None, None) => Verdict::Passed,
        };
        ScenarioResult {
            verdict,
            took: since(self.began, at),
            vaults_started_in: notes.vaults_started_in,
            far_sides: notes.far_sides,
            ..self.result
        }
    }

    /// Gives to each step what was asked while it was under way.
    fn asked(&mut self, notes: &Noted, secrets: &Secrets) {
        let (exchanges, statements) = (notes.exchanges.all(), notes.statements.all());
        let mut of_steps: Vec<Vec<AskedResult>> = vec![Vec::new(); self.result.steps.len()];
        for (at, asked) in asked::asked(&exchanges, &statements, self.began, secrets) {
            if let Some(step) = of_steps.get_mut(self.step_at(at)) {
                step.push(asked);
            }
        }
        for (step, asked) in self.result.steps.iter_mut().zip(of_steps) {
            (step.asked, step.asked_left_out) = asked::shortened(asked);
        }
    }

    /// Gives to each step, and to the whole, the line of the spec that it is about.
    fn came_from(&mut self, notes: &Noted, secrets: &Secrets) {
        let masked = |it: &Origin| Origin { line: secrets.mask(&it.line), ..it.clone() };
        let place = self.description.as_deref();
        self.result.origin = place.and_then(|it| notes.origins.at(it)).map(masked);
        for (step, said) in self.result.steps.iter_mut().zip(&self.steps_said) {
            step.origin = notes.origins.named_in(said).map(masked);
        }
    }

    fn step_at(&self, at: SystemTime) -> usize {
        let step = self.steps_ended.partition_point(|ended| *ended < at);
        step.min(self.steps_ended.len().saturating_sub(1))
    }

    /// Belongs to the step that was under way: events may be heard later than they happened.
    fn saw(&mut self, seen: &Seen, secrets: &Secrets) {
        let step = self.step_at(seen.at);
        if let Some(step) = self.result.steps.get_mut(step) {
            step.evidence.push(secrets.mask(&seen.text));
        }
        self.result.turns.extend(seen.turn.as_ref().map(|turn| TurnResult {
            of: secrets.mask(&turn.of),
            what: turn.what,
            at: since(self.began, seen.at),
            lasts: turn.lasts,
        }));
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
        let at = event.at;
        let event::Cucumber::Feature(feature, event) = event.into_inner() else { return };
        match event {
            event::Feature::Scenario(scenario, event) => {
                self.scenario(&feature, None, &scenario, &event, at);
            }
            event::Feature::Rule(rule, event::Rule::Scenario(scenario, event)) => {
                self.scenario(&feature, Some(&rule), &scenario, &event, at);
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
        feature: secrets.mask_written(&feature.name),
        system: suite::system(feature, rule.map(|it| &**it), scenario),
        path: feature.path.clone(),
        line: scenario.position.line,
        rule: rule.map(|it| secrets.mask_written(&it.name)),
        name: secrets.mask_written(&scenario.name),
        description: scenario.description.as_deref().map(|it| secrets.mask_written(it.trim())),
        origin: None,
        tags: scenario.tags.clone(),
        verdict: Verdict::Passed,
        steps: Vec::new(),
        turns: Vec::new(),
        took: Duration::ZERO,
        attempts,
        vaults_started_in: Vec::new(),
        far_sides: Vec::new(),
    }
}

/// Nothing, where the clock was set back.
fn since(began: SystemTime, at: SystemTime) -> Duration {
    at.duration_since(began).unwrap_or_default()
}

/// What a panic says.
fn said(why: &event::Info) -> String {
    let text = why.downcast_ref::<String>().cloned();
    text.or_else(|| why.downcast_ref::<&str>().map(|it| (*it).to_owned()))
        .unwrap_or_else(|| "it panicked without words".to_owned())
}
