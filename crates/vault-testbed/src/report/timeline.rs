//! Lives of leases, tokens and passwords within one scenario, to scale: what a page draws.

use std::time::Duration;

use serde::Serialize;

use super::TurnResult;
use crate::world::Change;

/// Lengths are in thousandths of the whole width.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Timeline {
    pub lives: Vec<Life>,
    pub ticks: Vec<Tick>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Life {
    pub of: String,
    pub spans: Vec<Span>,
    pub turns: Vec<Turn>,
}

/// From an issue or a renewal to the next one or the end.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Span {
    pub from: u32,
    pub width: u32,
    /// It would have lived on after the scenario.
    pub is_open: bool,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Turn {
    pub at: u32,
    pub seconds: String,
    pub what: &'static str,
    pub lasts_seconds: Option<u64>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Tick {
    pub at: u32,
    pub label: String,
}

const WHOLE: f64 = 1000.0;
const MOST_TICKS: f64 = 8.0;

/// `None` where nothing lived. From the whole second before the first turn to the scenario's end, or to a turn after it.
pub(super) fn timeline(turns: &[TurnResult], took: Duration) -> Option<Timeline> {
    let last = turns.iter().map(|it| it.at).max()?;
    let first = turns.iter().map(|it| it.at).min()?;
    let from = first.as_secs_f64().floor();
    let scale = Scale { from, to: took.max(last).as_secs_f64().max(from + 0.001) };
    let mut names: Vec<&str> = Vec::new();
    for turn in turns {
        if !names.contains(&turn.of.as_str()) {
            names.push(&turn.of);
        }
    }
    let lives = names.into_iter().map(|name| {
        let own: Vec<&TurnResult> = turns.iter().filter(|it| it.of == name).collect();
        scale.life(name, &own)
    });
    Some(Timeline { lives: lives.collect(), ticks: scale.ticks() })
}

/// In seconds since the scenario began.
struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    fn life(&self, name: &str, turns: &[&TurnResult]) -> Life {
        let spans = turns.iter().enumerate().filter(|(_, it)| begins(it.what)).map(|(i, it)| {
            let next = turns[i + 1..].iter().find(|it| begins(it.what) || ends(it.what));
            let own_end = it.lasts.map(|lasts| it.at + lasts);
            let end = match (next.map(|it| it.at), own_end) {
                (Some(next), Some(own)) => Some(next.min(own)),
                (next, own) => next.or(own),
            };
            self.span(it.at, end)
        });
        Life {
            of: name.to_owned(),
            spans: spans.collect(),
            turns: turns.iter().map(|it| self.turn(it)).collect(),
        }
    }

    fn span(&self, from: Duration, to: Option<Duration>) -> Span {
        let end = to.map(|it| it.as_secs_f64()).filter(|it| *it <= self.to);
        let from = self.at(from.as_secs_f64());
        let width = self.at(end.unwrap_or(self.to)) - from;
        Span { from, width, is_open: end.is_none() }
    }

    fn turn(&self, turn: &TurnResult) -> Turn {
        Turn {
            at: self.at(turn.at.as_secs_f64()),
            seconds: format!("{:.1$}", turn.at.as_secs_f64(), self.digits()),
            what: turn.what.word(),
            lasts_seconds: turn.lasts.map(|it| it.as_secs()),
        }
    }

    /// At 1, 2 or 5 times a power of ten.
    fn ticks(&self) -> Vec<Tick> {
        let least = (self.to - self.from) / MOST_TICKS;
        let power = 10f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|it| it * power).into_iter().find(|it| *it >= least);
        let step = step.unwrap_or(least);
        let first = (self.from / step).ceil() as u32;
        let last = (self.to / step).floor() as u32;
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let tick = |n: u32| {
            let seconds = f64::from(n) * step;
            Tick { at: self.at(seconds), label: format!("{seconds:.digits$}") }
        };
        (first..=last).map(tick).collect()
    }

    /// Of a second: turns that lie close together are told apart.
    fn digits(&self) -> usize {
        if self.to - self.from < 5.0 { 2 } else { 1 }
    }

    fn at(&self, seconds: f64) -> u32 {
        ((seconds - self.from) / (self.to - self.from) * WHOLE).round().clamp(0.0, WHOLE) as u32
    }
}

fn begins(what: Change) -> bool {
    matches!(what, Change::Issued | Change::Renewed | Change::Rotated)
}

fn ends(what: Change) -> bool {
    matches!(what, Change::Revoked | Change::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(at_millis: u64, what: Change, lasts: Option<u64>) -> TurnResult {
        TurnResult {
            of: "a login".into(),
            what,
            at: Duration::from_millis(at_millis),
            lasts: lasts.map(Duration::from_secs),
        }
    }

    fn spans(turns: &[TurnResult], took: u64) -> Vec<(u32, u32, bool)> {
        let timeline = timeline(turns, Duration::from_secs(took)).expect("there are turns");
        timeline.lives[0].spans.iter().map(|it| (it.from, it.width, it.is_open)).collect()
    }

    #[test]
    fn without_turns_there_is_nothing_to_draw() {
        assert_eq!(timeline(&[], Duration::from_secs(1)), None);
    }

    #[test]
    fn a_life_ends_with_its_revocation() {
        let turns = [turn(0, Change::Issued, Some(60)), turn(6000, Change::Revoked, None)];
        assert_eq!(spans(&turns, 10), [(0, 600, false)]);
    }

    #[test]
    fn a_life_ends_by_itself() {
        let turns = [turn(0, Change::Issued, Some(4)), turn(4500, Change::Refused, None)];
        assert_eq!(spans(&turns, 10), [(0, 400, false)]);
    }

    #[test]
    fn a_renewal_goes_on_where_the_life_before_would_have_ended() {
        let turns = [turn(0, Change::Issued, Some(4)), turn(2000, Change::Renewed, Some(4))];
        assert_eq!(spans(&turns, 10), [(0, 200, false), (200, 400, false)]);
    }

    #[test]
    fn what_lives_on_is_open() {
        assert_eq!(spans(&[turn(500, Change::Issued, Some(60))], 10), [(50, 950, true)]);
        assert_eq!(spans(&[turn(500, Change::Issued, None)], 10), [(50, 950, true)]);
    }

    #[test]
    fn what_came_before_the_first_turn_takes_no_room() {
        let turns = [turn(6500, Change::Issued, Some(60)), turn(8000, Change::Revoked, None)];
        assert_eq!(spans(&turns, 10), [(125, 375, false)]);
    }

    #[test]
    fn ticks_are_round_and_few() {
        for (seconds, labels) in [
            (10, vec!["0", "2", "4", "6", "8", "10"]),
            (3, vec!["0.0", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]),
            (61, vec!["0", "10", "20", "30", "40", "50", "60"]),
        ] {
            labels_are(0.0, f64::from(seconds), &labels);
        }
        labels_are(1.0, 1.3, &["1.00", "1.05", "1.10", "1.15", "1.20", "1.25", "1.30"]);
    }

    #[track_caller]
    fn labels_are(from: f64, to: f64, labels: &[&str]) {
        let scale = Scale { from, to };
        let found: Vec<String> = scale.ticks().into_iter().map(|it| it.label).collect();
        assert_eq!(found, labels);
    }
}
