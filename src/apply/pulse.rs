//! How a run goes, as it is told in the journal: what may leave, how often the service throttles, when it is waited for.
//! None of it is about a row, and none of it waits for the disk.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::pace::Hold;
use crate::api::wire::Wire;
use crate::api::{Client, Standing};
use crate::apply::ledger::Event;
use crate::apply::worker::Worker;
use crate::error::Result;

/// Throttled calls are counted at most so often.
const COUNTED_EVERY: Duration = Duration::from_secs(1);
/// A 429 that is waited out in less is told as a number only.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// What a window's length may differ by without being another one: it is told in whole seconds, rounded either way.
const LENGTHS_ALIKE: Duration = Duration::from_secs(1);

/// What was noted last.
#[derive(Debug)]
pub(super) struct Pulse {
    pace: Option<Standing>,
    /// Throttled calls before this run, those noted of it, and when.
    throttled: (u64, u64),
    counted_at: Option<Instant>,
    is_away: bool,
    is_blind: bool,
    is_throttled: bool,
    only_settles: bool,
}

impl Pulse {
    pub(super) fn new<W: Wire>(client: &Client<W>) -> Self {
        let before = client.tally().throttled;
        Self {
            pace: None,
            throttled: (before, 0),
            counted_at: None,
            is_away: false,
            is_blind: false,
            is_throttled: false,
            only_settles: false,
        }
    }

    /// Notes what is new. `is_away`: creates are waited with; `is_blind`: searches are; `only_settles`: nothing is left but
    /// rows that are looked up.
    pub(super) fn note<W: Wire>(
        &mut self,
        worker: &Worker<W>,
        is_away: bool,
        is_blind: bool,
        only_settles: bool,
    ) -> Result<()> {
        if worker.client.has_heard() {
            self.pace(worker)?;
        }
        if self.counted_at.is_none_or(|at| at.elapsed() >= COUNTED_EVERY) {
            self.throttled(worker)?;
        }
        waited(worker, &mut self.is_away, is_away, "creates")?;
        waited(worker, &mut self.is_blind, is_blind, "searches")?;
        // While creates are not answered it is that which is waited for, and so on down.
        let is_throttled = !is_away && self.is_held(worker);
        waited(worker, &mut self.is_throttled, is_throttled, "throttled")?;
        let only_settles = only_settles && !is_away && !is_blind && !is_throttled;
        waited(worker, &mut self.only_settles, only_settles, "settling")
    }

    /// Whether a 429 holds everything up, for long or still.
    fn is_held<W: Wire>(&self, worker: &Worker<W>) -> bool {
        let waiting = worker.client.waiting().filter(|waiting| waiting.why == Hold::Throttled);
        waiting.is_some_and(|waiting| self.is_throttled || waiting.left.is_none_or(|left| left >= WAIT_MIN))
    }

    /// Notes what is left to note at the end of a run.
    pub(super) fn last<W: Wire>(&mut self, worker: &Worker<W>) -> Result<()> {
        self.throttled(worker)
    }

    fn pace<W: Wire>(&mut self, worker: &Worker<W>) -> Result<()> {
        let now = worker.client.standing();
        if self.pace.is_some_and(|before| is_alike(&before, &now)) {
            return Ok(());
        }
        self.pace = Some(now);
        let window_ms = u64::try_from(now.window.as_millis()).unwrap_or(u64::MAX);
        let (allowed, tokens, per_min) = (now.allowed, now.n_tokens, now.per_min);
        worker.journal.record(Event::Pace { allowed, window_ms, tokens, per_min }, false)
    }

    fn throttled<W: Wire>(&mut self, worker: &Worker<W>) -> Result<()> {
        let (before, noted) = self.throttled;
        let n = worker.client.tally().throttled - before;
        if n == noted {
            return Ok(());
        }
        (self.throttled.1, self.counted_at) = (n, Some(Instant::now()));
        worker.journal.record(Event::Throttled { n }, false)
    }
}

fn is_alike(before: &Standing, now: &Standing) -> bool {
    before.allowed == now.allowed && before.window.abs_diff(now.window) <= LENGTHS_ALIKE
}

fn waited<W: Wire>(worker: &Worker<W>, before: &mut bool, now: bool, why: &str) -> Result<()> {
    if std::mem::replace(before, now) == now {
        return Ok(());
    }
    let why = why.to_owned();
    worker.journal.record(if now { Event::Wait { why } } else { Event::Resumed { why } }, false)
}
