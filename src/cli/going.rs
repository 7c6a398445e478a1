//! How a run goes, from the lines of its journal as they come: the rate of late, the allowed one, and what is waited for.
//! Pure: time comes in as seconds of the wall clock.

use std::collections::{HashSet, VecDeque};

use super::gauge::Why;
use crate::api::pace::Hold;
use crate::apply::ledger::{Event, Line};
use crate::number::{Lasting, Number, counted};

/// Over how many seconds a rate is taken.
const RATE_OVER_S: i64 = 120;
/// Before that a rate is chance.
const RATE_AFTER_S: i64 = 2;

/// How a run goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Going {
    /// When the last run began.
    begun: Option<i64>,
    /// Rows that ended, second by second, of the last run and of late.
    ended: VecDeque<(i64, u64)>,
    /// When the last line was written.
    pub last: Option<i64>,
    pub allowed_per_min: Option<u64>,
    /// What is waited for; creates and searches can be at once.
    away: Vec<Why>,
    /// Rows that are looked for.
    sought: HashSet<u32>,
}

impl Going {
    /// Takes in a line that was written at that second.
    pub(super) fn take(&mut self, at: Option<i64>, line: &Line) {
        self.last = at.or(self.last);
        match &line.event {
            Event::Run { .. } => {
                (self.begun, self.away, self.ended) = (self.last, Vec::new(), VecDeque::new());
            }
            Event::End { .. } | Event::Close { .. } => self.away.clear(),
            Event::Pace { allowed, window_ms, tokens, per_min } => {
                let all = u64::from(*allowed) * u64::from(*tokens) * 60_000 / (*window_ms).max(1);
                self.allowed_per_min = Some(per_min.map_or(all, |most| all.min(most.into())));
            }
            Event::Wait { why } => self.away.extend(why_of(why)),
            Event::Resumed { why } => self.away.retain(|away| away.word() != why),
            Event::Unknown { row, .. } | Event::Conflict { row, .. } => drop(self.sought.insert(*row)),
            Event::Done { row, .. } => {
                self.sought.remove(row);
                self.count();
            }
            Event::Kept { .. } | Event::Restored { .. } => self.count(),
            _ => {}
        }
    }

    fn count(&mut self) {
        let Some(now) = self.last else { return };
        match self.ended.back_mut() {
            Some((at, n)) if *at == now => *n += 1,
            _ => self.ended.push_back((now, 1)),
        }
        while self.ended.front().is_some_and(|(at, _)| *at <= now - RATE_OVER_S) {
            self.ended.pop_front();
        }
    }

    /// Rows a minute, of the last two minutes and of the last run alone; none while that would be chance.
    pub(super) fn per_min(&self, now: i64) -> Option<u64> {
        let span = (now - self.begun?).min(RATE_OVER_S);
        let of_late = self.ended.iter().filter(|(at, _)| *at > now - RATE_OVER_S).map(|(_, n)| n).sum::<u64>();
        (span >= RATE_AFTER_S).then(|| of_late * 60 / span.unsigned_abs())
    }

    /// Seconds until that many rows are done, at the rate of late, else at the one that is allowed.
    pub(super) fn left_s(&self, now: i64, n_left: u64) -> Option<u64> {
        let rate = self.per_min(now).or(self.allowed_per_min).filter(|rate| *rate > 0)?;
        Some((n_left * 60).div_ceil(rate))
    }

    /// What is waited for, in words.
    pub(super) fn waiting(&self) -> Option<String> {
        match (self.away.first(), self.sought.len() as u64) {
            (Some(why), _) => Some(why.words()),
            (None, 0) => None,
            (None, n) => Some(format!("{} being looked up", counted(n, "row is", "rows are"))),
        }
    }

    /// `287 rows a minute of 300 allowed, 2 h 14 min left`; nothing where nothing is known.
    pub(super) fn pace(&self, now: i64, n_left: u64) -> Option<String> {
        let rate = self.per_min(now)?;
        let allowed = self.allowed_per_min.map_or_else(String::new, |n| format!(" of {} allowed", Number(n)));
        let left = self.left_s(now, n_left).filter(|_| n_left > 0);
        let left = left.map_or_else(String::new, |s| format!(", {} left", Lasting(s)));
        Some(format!("{} rows a minute{allowed}{left}", Number(rate)))
    }
}

fn why_of(word: &str) -> Option<Why> {
    [Why::Creates, Why::Searches, Why::Hold(Hold::Throttled)].into_iter().find(|why| why.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Outcome;
    use crate::apply::ledger::Said;

    fn took(going: &mut Going, at: i64, event: Event) {
        going.take(Some(at), &Line { seq: 1, at: String::new(), dur: 0, event });
    }

    fn done(row: u32) -> Event {
        Event::Done { row, outcome: Outcome::Created, id: None, state: None, reply: Said::default() }
    }

    #[test]
    fn a_rate_is_that_of_the_last_two_minutes_and_of_the_last_run() {
        let mut going = Going::default();
        took(&mut going, 0, Event::Run { pid: 1 });
        (0..100).for_each(|row| took(&mut going, 1, done(row)));
        took(&mut going, 1_000, Event::Run { pid: 2 });
        assert_eq!((going.per_min(1_001), going.per_min(1_010)), (None, Some(0)));
        took(&mut going, 1_000, Event::Pace { allowed: 300, window_ms: 60_000, tokens: 4, per_min: Some(600) });
        assert_eq!((going.allowed_per_min, going.left_s(1_001, 600)), (Some(600), Some(60)));
        (0..600).for_each(|s| took(&mut going, 1_000 + i64::from(s), done(s)));
        assert_eq!(going.pace(1_599, 120).unwrap_or_default(), "60 rows a minute of 600 allowed, 2 min left");
        assert!(going.ended.len() <= 120);
    }

    #[test]
    fn what_is_waited_for_is_told_until_it_is_over() {
        let mut going = Going::default();
        took(&mut going, 0, Event::Unknown { row: 7, why: String::new() });
        assert_eq!(going.waiting().as_deref(), Some("1 row is being looked up"));
        took(&mut going, 0, Event::Wait { why: "creates".to_owned() });
        assert_eq!(going.waiting().as_deref(), Some("the service does not answer creates, waiting"));
        took(&mut going, 0, Event::Resumed { why: "creates".to_owned() });
        took(&mut going, 0, done(7));
        assert_eq!(going.waiting(), None);
        took(&mut going, 1, Event::Wait { why: "throttled".to_owned() });
        assert_eq!(going.waiting().as_deref(), Some("the service throttles: 429"));
        took(&mut going, 1, Event::Resumed { why: "throttled".to_owned() });
        assert_eq!(going.waiting(), None);
        // A run that was cut off while it waited is over.
        took(&mut going, 0, Event::Wait { why: "searches".to_owned() });
        took(&mut going, 9, Event::Run { pid: 2 });
        assert_eq!(going.waiting(), None);
    }

    #[test]
    fn creates_are_waited_for_until_creates_are_answered_again() {
        let mut going = Going::default();
        let [creates, searches] = ["creates", "searches"].map(str::to_owned);
        took(&mut going, 1, Event::Wait { why: creates });
        took(&mut going, 2, Event::Wait { why: searches.clone() });
        took(&mut going, 3, Event::Resumed { why: searches });
        assert_eq!(going.waiting(), Some(Why::Creates.words()));
    }
}
