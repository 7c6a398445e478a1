//! How runs went over time, gathered line by line from the journal: memory grows with runs and waits, not with rows.

use std::collections::BTreeMap;

use super::times;
use crate::apply::Outcome;
use crate::apply::ledger::{Event, Line};

/// Lengths of a column in seconds, each a multiple of the one before.
const STEPS_S: [i64; 9] = [1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];
/// Columns that are kept while lines come.
const KEPT_MAX: usize = 4_096;
/// Columns that are drawn.
pub const DRAWN_MAX: usize = 200;

/// What happened in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// Rows that were created, or found to be.
    pub created: u64,
    /// Creates that ended otherwise: taken, refused.
    pub other: u64,
    /// Users that were deleted again or restored.
    pub changed: u64,
    /// Calls that were throttled (429).
    pub throttled: u64,
    /// Replies that were lost, or that said nothing.
    pub lost: u64,
}

impl Bin {
    const fn plus(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            other: self.other + other.other,
            changed: self.changed + other.changed,
            throttled: self.throttled + other.throttled,
            lost: self.lost + other.lost,
        }
    }

    /// Calls that came to an end.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.created + self.other + self.changed
    }
}

/// Why nothing left for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// From when, in seconds since 1970.
    pub begun: i64,
    /// Until when.
    pub ended: i64,
    /// Which calls.
    pub why: String,
}

/// One process at work on the plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// When its first line was written, in seconds since 1970.
    pub begun: i64,
    /// When its last one was.
    pub ended: i64,
    /// How it ended; none if it was cut off or goes on.
    pub why: Option<String>,
    /// All of it.
    pub sum: Bin,
    /// Rows that were found to be held before anything was sent.
    pub found: u64,
    /// Calls that were allowed a minute from a time on.
    pub allowed: Vec<(i64, f64)>,
    /// Whether somebody capped them below what the service allows.
    pub is_capped: bool,
    /// When nothing left.
    pub waits: Vec<Wait>,
    /// Waits that have begun.
    open: BTreeMap<String, i64>,
    throttled: u64,
}

impl Run {
    /// Seconds, at least one.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.ended - self.begun).unwrap_or(0) + 1
    }
}

/// All runs of a journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// They, in order.
    pub runs: Vec<Run>,
    bins: BTreeMap<(usize, i64), Bin>,
    step: usize,
}

impl Story {
    /// Takes a line in.
    pub fn hear(&mut self, line: &Line) {
        let Some(at) = times::seconds(&line.at) else { return };
        if matches!(line.event, Event::Run { .. }) {
            self.finish();
            self.runs.push(Run { begun: at, ended: at, ..Run::default() });
        }
        let Some(run) = self.runs.last_mut() else { return };
        run.ended = run.ended.max(at);
        let mut bin = Bin::default();
        match &line.event {
            Event::Done { outcome: Outcome::Created | Outcome::Adopted, .. } => bin.created = 1,
            Event::Done { .. } => bin.other = 1,
            Event::Changed { .. } => bin.changed = 1,
            Event::Unknown { .. } | Event::Unsure { .. } => bin.lost = 1,
            Event::Found { .. } => run.found += 1,
            Event::Throttled { n } => {
                bin.throttled = n.saturating_sub(run.throttled);
                run.throttled = run.throttled.max(*n);
            }
            Event::Pace { allowed, window_ms, tokens, per_min } => {
                run.pace(at, (*allowed, *window_ms), *tokens, *per_min)
            }
            Event::Wait { why } => drop(run.open.entry(why.clone()).or_insert(at)),
            Event::Resumed { why } => {
                if let Some(begun) = run.open.remove(why) {
                    run.waits.push(Wait { begun, ended: at, why: why.clone() });
                }
            }
            Event::End { why } => run.why = Some(why.clone()),
            _ => {}
        }
        if bin != Bin::default() {
            run.sum = run.sum.plus(bin);
            self.add(at, bin);
        }
    }

    /// Ends what the last run left open.
    pub fn finish(&mut self) {
        let Some(run) = self.runs.last_mut() else { return };
        let ended = run.ended;
        let open = std::mem::take(&mut run.open);
        run.waits.extend(open.into_iter().map(|(why, begun)| Wait { begun, ended, why }));
        run.waits.sort_by_key(|wait| wait.begun);
    }

    fn add(&mut self, at: i64, bin: Bin) {
        let run = self.runs.len() - 1;
        let found = self.bins.entry((run, at.div_euclid(STEPS_S[self.step]))).or_default();
        *found = found.plus(bin);
        if self.bins.len() > KEPT_MAX && self.step + 1 < STEPS_S.len() {
            self.bins = coarser(&self.bins, STEPS_S[self.step + 1] / STEPS_S[self.step]);
            self.step += 1;
        }
    }

    /// What is drawn: the length of a column in seconds, and each run's columns from its first to its last one.
    #[must_use]
    pub fn drawn(&self) -> Drawn {
        let (mut step, mut bins) = (self.step, self.bins.clone());
        // Of a journal of many runs the last ones are drawn.
        let skip = self.runs.len().saturating_sub(DRAWN_MAX / 4);
        let n_columns = |step: usize| self.runs.iter().skip(skip).map(|run| columns(run, STEPS_S[step])).sum::<i64>();
        while n_columns(step) > i64::try_from(DRAWN_MAX).unwrap_or(i64::MAX) && step + 1 < STEPS_S.len() {
            bins = coarser(&bins, STEPS_S[step + 1] / STEPS_S[step]);
            step += 1;
        }
        let step_s = STEPS_S[step];
        let of_run = |(at, run): (usize, &Run)| {
            let first = run.begun.div_euclid(step_s);
            let column = |n: i64| bins.get(&(at, first + n)).copied().unwrap_or_default();
            Stretch { begun: first * step_s, columns: (0..columns(run, step_s)).map(column).collect() }
        };
        let stretches = self.runs.iter().enumerate().skip(skip).map(of_run).collect();
        Drawn { step_s, skipped: skip, stretches }
    }
}

/// Columns of a run.
const fn columns(run: &Run, step_s: i64) -> i64 {
    run.ended.div_euclid(step_s) - run.begun.div_euclid(step_s) + 1
}

fn coarser(bins: &BTreeMap<(usize, i64), Bin>, times: i64) -> BTreeMap<(usize, i64), Bin> {
    let mut all: BTreeMap<(usize, i64), Bin> = BTreeMap::new();
    for ((run, at), bin) in bins {
        let found = all.entry((*run, at.div_euclid(times))).or_default();
        *found = found.plus(*bin);
    }
    all
}

/// Runs in columns of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Seconds of a column.
    pub step_s: i64,
    /// Runs before those that are drawn.
    pub skipped: usize,
    /// The runs.
    pub stretches: Vec<Stretch>,
}

/// The columns of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// When the first of them begins, in seconds since 1970.
    pub begun: i64,
    /// They.
    pub columns: Vec<Bin>,
}

impl Run {
    fn pace(&mut self, at: i64, (allowed, window_ms): (u32, u64), tokens: u32, per_min: Option<u32>) {
        #[expect(clippy::cast_precision_loss, reason = "a picture")]
        let by_service = f64::from(allowed) * f64::from(tokens) * 60_000.0 / window_ms.max(1) as f64;
        let cap = per_min.map(f64::from).filter(|cap| *cap < by_service);
        self.is_capped |= cap.is_some();
        self.allowed.push((at, cap.unwrap_or(by_service)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn told(lines: &[(i64, Value)]) -> Story {
        let mut story = Story::default();
        for ((at, event), seq) in lines.iter().zip(1_u64..) {
            let mut line = event.clone();
            let at = format!("{}T{}Z", times::date(*at), times::clock(*at));
            (line["seq"], line["at"], line["dur"]) = (seq.into(), at.into(), 0.into());
            story.hear(&serde_json::from_value(line).unwrap());
        }
        story.finish();
        story
    }

    fn done(at: i64, outcome: &str) -> (i64, Value) {
        (at, json!({"ev": "done", "row": 1, "outcome": outcome}))
    }

    #[test]
    fn a_run_is_told_by_what_came_of_its_calls_and_when_nothing_left() {
        let story = told(&[
            (100, json!({"ev": "run", "pid": 1})),
            (100, json!({"ev": "pace", "allowed": 300, "window_ms": 60_000, "tokens": 2, "per_min": 500})),
            done(101, "created"),
            done(101, "adopted"),
            done(102, "refused"),
            (103, json!({"ev": "unknown", "row": 2, "why": "x"})),
            (103, json!({"ev": "throttled", "n": 2})),
            (104, json!({"ev": "throttled", "n": 3})),
            (105, json!({"ev": "wait", "why": "creates"})),
            (109, json!({"ev": "resumed", "why": "creates"})),
            (110, json!({"ev": "wait", "why": "searches"})),
            (112, json!({"ev": "end", "why": "done"})),
            (900, json!({"ev": "run", "pid": 2})),
            done(901, "created"),
        ]);
        let [first, second] = &story.runs[..] else { panic!("{story:?}") };
        assert_eq!(first.sum, Bin { created: 2, other: 1, changed: 0, throttled: 3, lost: 1 });
        assert_eq!((first.begun, first.ended, first.why.as_deref()), (100, 112, Some("done")));
        assert_eq!((first.allowed.clone(), first.is_capped), (vec![(100, 500.0)], true));
        let waits: Vec<_> = first.waits.iter().map(|w| (w.begun, w.ended, w.why.as_str())).collect();
        assert_eq!(waits, [(105, 109, "creates"), (110, 112, "searches")], "an open one ends with its run");
        assert_eq!((second.why.as_deref(), second.seconds()), (None, 2));
        let drawn = story.drawn();
        assert_eq!((drawn.step_s, drawn.stretches.len()), (1, 2));
        assert_eq!(drawn.stretches[0].columns.len(), 13, "the gap between runs is no column");
    }

    #[test]
    fn a_long_journal_is_drawn_in_few_columns_and_loses_nothing() {
        let mut lines = vec![(0, json!({"ev": "run", "pid": 1}))];
        lines.extend((0..20_000).map(|n| done(n * 7, "created")));
        let story = told(&lines);
        assert!(story.bins.len() <= KEPT_MAX);
        let drawn = story.drawn();
        let n_columns: usize = drawn.stretches.iter().map(|s| s.columns.len()).sum();
        assert!(n_columns <= DRAWN_MAX, "{n_columns}");
        assert_eq!(drawn.stretches[0].columns.iter().map(|bin| bin.created).sum::<u64>(), 20_000);
    }

    #[test]
    fn of_very_many_runs_the_last_are_drawn() {
        let lines: Vec<_> = (0..300).map(|n| (n * 1_000_000, json!({"ev": "run", "pid": 1}))).collect();
        let drawn = told(&lines).drawn();
        assert_eq!((drawn.skipped, drawn.stretches.len(), drawn.step_s), (250, 50, 1));
    }
}
