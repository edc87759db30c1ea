//! What of a run is under way, on a terminal: a line for each scenario, with its step and for how long, and a count.

use std::{collections::HashMap, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use vault_testbed::{
    report::{self, ScenarioResult, Verdict},
    suite::Happening,
};

use crate::output::{self, Terminal};

/// Prints a line for each scenario that has ended, and below them what goes on; where no terminal is, the lines alone.
pub struct UnderWay {
    terminal: Terminal,
    /// Of what is under way; hidden by itself where no terminal is.
    shown: MultiProgress,
    count: ProgressBar,
    running: HashMap<Key, ProgressBar>,
    passed: usize,
    failed: usize,
    skipped: usize,
}

type Key = (String, usize, String);

const TICK: Duration = Duration::from_millis(200);

impl UnderWay {
    pub fn new(terminal: &Terminal) -> UnderWay {
        let shown = MultiProgress::new();
        let count =
            shown.add(ProgressBar::new(0).with_style(style("{pos}/{len} {elapsed} {wide_msg}")));
        UnderWay {
            terminal: terminal.clone(),
            shown,
            count,
            running: HashMap::new(),
            passed: 0,
            failed: 0,
            skipped: 0,
        }
    }

    pub fn tell(&mut self, what: Happening<'_>) {
        match what {
            Happening::Chosen { scenarios } => {
                self.count.set_length(scenarios as u64);
                self.count.enable_steady_tick(TICK);
            }
            Happening::Began { scenario } => self.begin(scenario),
            Happening::Step { scenario, step } => {
                if let Some(line) = self.running.get(&key(scenario)) {
                    line.set_message(self.visible(&format!("{}: {step}", scenario.name)));
                }
            }
            Happening::Ended { scenario } => self.end(scenario),
        }
    }

    /// A scenario that is tried again has its line already. Where nobody would see it, there is none.
    fn begin(&mut self, scenario: &ScenarioResult) {
        if self.shown.is_hidden() {
            return;
        }
        let line =
            ProgressBar::new_spinner().with_style(style("{spinner} {elapsed:>3} {wide_msg}"));
        let line = self.shown.insert_before(&self.count, line);
        line.set_message(self.visible(&scenario.name));
        line.enable_steady_tick(TICK);
        if let Some(before) = self.running.insert(key(scenario), line) {
            before.finish_and_clear();
        }
    }

    fn end(&mut self, scenario: &ScenarioResult) {
        if let Some(line) = self.running.remove(&key(scenario)) {
            line.finish_and_clear();
        }
        match scenario.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed { .. } => self.failed += 1,
            Verdict::Skipped { .. } => self.skipped += 1,
        }
        let UnderWay { passed, failed, skipped, .. } = self;
        self.count.set_message(format!("{passed} passed, {failed} failed, {skipped} skipped"));
        self.count.set_position((*passed + *failed + *skipped) as u64);
        let line = report::line(scenario, output::colour());
        self.shown.suspend(|| self.terminal.print(&line));
    }

    /// On one line; what holds a secret in whatever form is not shown at all.
    fn visible(&self, text: &str) -> String {
        match self.terminal.secrets.scan(text.as_bytes()).is_empty() {
            true => text.replace(char::is_control, " "),
            false => "…".to_owned(),
        }
    }
}

/// Also where the run is interrupted: nothing of it stays on the terminal.
impl Drop for UnderWay {
    fn drop(&mut self) {
        for line in self.running.values().chain([&self.count]) {
            line.finish_and_clear();
        }
    }
}

fn key(scenario: &ScenarioResult) -> Key {
    (scenario.feature.clone(), scenario.line, scenario.name.clone())
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
