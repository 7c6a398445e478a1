//! How far a piece of work is, as a line for people and as members for programs. Pure: time comes in as the duration since
//! the work began.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::Waiting;
use crate::api::pace::Hold;
use crate::number::{Lasting, Number};

/// Over how long a rate is taken: a window of the service and half of another.
const RATE_OVER: Duration = Duration::from_secs(90);
/// Between two samples.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Before that a rate is chance.
const RATE_AFTER: Duration = Duration::from_secs(2);
/// A wait as short as this is nobody's business: every window ends with one.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// A piece of work that takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Snapshot,
    Read,
    Compare,
    Write,
    LookUp,
    Create,
    Verify,
    Check,
    Delete,
    Restore,
}

impl Stage {
    /// The word in events.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Read => "read",
            Self::Compare => "compare",
            Self::Write => "write",
            Self::LookUp => "look_up",
            Self::Create => "create",
            Self::Verify => "verify",
            Self::Check => "check",
            Self::Delete => "rollback",
            Self::Restore => "restore",
        }
    }

    /// What a line begins with.
    const fn label(self) -> &'static str {
        match self {
            Self::Snapshot => "Users read",
            Self::Read => "Read",
            Self::Compare => "Rows compared",
            Self::Write => "Rows written",
            Self::LookUp => "Addresses looked up",
            Self::Create => "Users done",
            Self::Verify => "Users read back",
            Self::Check => "Users looked at",
            Self::Delete => "Users deleted",
            Self::Restore => "Users restored",
        }
    }

    /// Whether each of what is counted is a call of its own: only then the allowed calls say how fast it can be.
    const fn is_by_call(self) -> bool {
        matches!(self, Self::Create | Self::Check | Self::Delete | Self::Restore)
    }

    /// An amount, with its unit where the label does not say it.
    fn amount(self, n: u64) -> String {
        match self {
            Self::Read => format!("{} MB", Number(n.div_ceil(1_000_000))),
            _ => Number(n).to_string(),
        }
    }

    fn rate(self, per_min: u64) -> String {
        match self {
            Self::Read => format!("{} MB a second", Number(per_min / 60 / 1_000_000)),
            Self::Compare | Self::Write => format!("{} a second", Number(per_min / 60)),
            _ => format!("{} a minute", Number(per_min)),
        }
    }
}

/// Why work waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing may leave, or nothing answers.
    Hold(Hold),
    /// Creates are not answered.
    Creates,
    /// Searches are not answered.
    Searches,
    /// Nothing is left but rows that are looked up.
    Settling,
}

impl Why {
    /// The word in events.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Hold(Hold::Throttled) => "throttled",
            Self::Hold(Hold::Full { .. }) => "window",
            Self::Hold(Hold::Unanswered) => "unanswered",
            Self::Hold(Hold::Login) => "login",
            Self::Creates => "creates",
            Self::Searches => "searches",
            Self::Settling => "settling",
        }
    }

    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Hold(Hold::Throttled) => "the service throttles: 429".to_owned(),
            Self::Hold(Hold::Full { allowed }) => {
                let allowed = Number(allowed.into());
                format!("waiting for the next window: {allowed} of {allowed} calls used")
            }
            Self::Hold(Hold::Unanswered) => "the service does not answer, waiting".to_owned(),
            Self::Hold(Hold::Login) => "the login host hands out no token".to_owned(),
            Self::Creates => "the service does not answer creates, waiting".to_owned(),
            Self::Searches => "the service does not answer searches, waiting".to_owned(),
            Self::Settling => "nobody is left to create".to_owned(),
        }
    }

    const fn short(self) -> &'static str {
        match self {
            Self::Hold(Hold::Throttled) => "throttled",
            Self::Hold(Hold::Full { .. }) => "next window",
            Self::Hold(Hold::Login) => "no token",
            Self::Hold(Hold::Unanswered) | Self::Creates | Self::Searches => "no answer",
            Self::Settling => "looking up",
        }
    }
}

/// Why work waits, and until when, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub why: Why,
    pub until: Option<Duration>,
}

impl Wait {
    fn words(self, now: Duration) -> String {
        match self.until {
            Some(until) => format!("{}, goes on in {}", self.why.words(), left(until, now)),
            None => self.why.words(),
        }
    }

    fn short(self, now: Duration) -> String {
        match self.until {
            Some(until) => format!("{}: {}", self.why.short(), left(until, now)),
            None => format!("{}, waiting", self.why.short()),
        }
    }
}

/// Whole seconds that are left, and not a moment too few.
fn left(until: Duration, now: Duration) -> Lasting {
    let left = until.saturating_sub(now);
    Lasting(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

/// How far a piece of work is.
#[derive(Clone, Debug)]
pub(super) struct Gauge {
    pub stage: Stage,
    done: u64,
    total: u64,
    /// When how much was done, the first of them when the work began.
    samples: VecDeque<(Duration, u64)>,
    pub allowed_per_min: Option<u32>,
    /// What else there is to say.
    pub note: String,
    /// Known from who does the work.
    pub away: Option<Why>,
    wait: Option<Wait>,
}

impl Gauge {
    pub(super) const fn new(stage: Stage) -> Self {
        let samples = VecDeque::new();
        Self { stage, done: 0, total: 0, samples, allowed_per_min: None, note: String::new(), away: None, wait: None }
    }

    /// So much is done now. What was done when the work began is no work of this run.
    pub(super) fn at(&mut self, now: Duration, done: u64, total: u64) {
        (self.done, self.total) = (done, total);
        if self.samples.back().is_none_or(|(at, _)| now >= *at + SAMPLE_EVERY) {
            self.samples.push_back((now, done));
        }
        while self.samples.len() > 2 && self.samples[1].0 + RATE_OVER <= now {
            self.samples.pop_front();
        }
    }

    /// What holds the work up, as far as the client knows.
    pub(super) fn held(&mut self, now: Duration, waiting: Option<Waiting>) {
        let of_client = waiting.filter(|waiting| {
            let is_same = self.wait.is_some_and(|wait| wait.why == Why::Hold(waiting.why));
            is_same || waiting.left.is_none_or(|left| left >= WAIT_MIN)
        });
        let of_client =
            of_client.map(|waiting| Wait { why: Why::Hold(waiting.why), until: waiting.left.map(|left| now + left) });
        self.wait = of_client.or(self.away.map(|why| Wait { why, until: None }));
    }

    pub(super) const fn wait(&self) -> Option<Wait> {
        self.wait
    }

    /// Whether anything is known of how much there is.
    pub(super) fn is_begun(&self) -> bool {
        !self.samples.is_empty()
    }

    pub(super) const fn is_done(&self) -> bool {
        self.done >= self.total
    }

    /// How much is done a minute, of late and of this run alone; none while that would be chance.
    fn per_min(&self, now: Duration) -> Option<u64> {
        let (since, before) = *self.samples.front()?;
        let span = now.checked_sub(since).filter(|span| *span >= RATE_AFTER)?;
        Some((u128::from(self.done.saturating_sub(before)) * 60_000 / span.as_millis()).try_into().unwrap_or(u64::MAX))
    }

    /// What the service lets go a minute of what is counted here.
    fn allowed(&self) -> Option<u32> {
        self.allowed_per_min.filter(|_| self.stage.is_by_call())
    }

    /// Seconds until all is done, at the rate of late, else at the one that is allowed; no fewer than the wait lasts.
    fn left_s(&self, now: Duration) -> Option<u64> {
        let rate = self.per_min(now).or(self.allowed().map(u64::from)).filter(|rate| *rate > 0)?;
        let left = u128::from(self.total.saturating_sub(self.done)) * 60;
        let work = left.div_ceil(rate.into()).try_into().unwrap_or(u64::MAX);
        let wait = self.wait.and_then(|wait| wait.until).map_or(0, |until| self::left(until, now).0);
        Some(work.max(wait))
    }

    /// What a program is told.
    pub(super) fn members(&self, now: Duration) -> Value {
        json!({
            "stage": self.stage.word(), "done": self.done, "total": self.total, "per_min": self.per_min(now),
            "allowed_per_min": self.allowed(), "left_s": self.left_s(now),
        })
    }

    /// One line for a terminal of that many columns: what matters least is left out first, and only then it is cut.
    pub(super) fn line(&self, now: Duration, width: usize) -> String {
        let of = format!("{} of {}", self.stage.amount(self.done), self.stage.amount(self.total));
        let head = match self.stage {
            // All at once: nobody counts them meanwhile.
            Stage::Compare if !self.is_done() => return format!("Comparing {} rows", Number(self.total)),
            stage => format!("{}: {of}", stage.label()),
        };
        // Where rows are only waited for, a rate of nothing says nothing.
        let rate = self.per_min(now).filter(|rate| *rate > 0 || self.note.is_empty()).map(|rate| {
            let allowed = self.allowed().map_or_else(String::new, |n| format!(" of {} allowed", Number(n.into())));
            format!(", {}{allowed}", self.stage.rate(rate))
        });
        let rate = rate.unwrap_or_default();
        let left = self.left_s(now).filter(|_| !self.is_done()).map(|s| format!(", {} left", Lasting(s)));
        let left = left.unwrap_or_default();
        let note = if self.note.is_empty() { String::new() } else { format!("; {}", self.note) };
        let (wait, short) = match self.wait {
            Some(wait) => (format!("; {}", wait.words(now)), format!("; {}", wait.short(now))),
            None => (String::new(), String::new()),
        };
        let lines = [
            format!("{head}{rate}{left}{wait}{note}"),
            format!("{head}{left}{wait}{note}"),
            format!("{head}{rate}{left}{wait}"),
            format!("{head}{left}{wait}"),
            format!("{head}{left}{short}"),
            format!("{of}{left}{short}"),
            format!("{of}{short}"),
        ];
        let fits = |line: &String| line.chars().count() <= width;
        lines.iter().find(|line| fits(line)).cloned().unwrap_or_else(|| of.chars().take(width).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    /// A run that goes on with row 500 and does five rows a second.
    fn run(seconds: u32) -> Gauge {
        let mut gauge = Gauge::new(Stage::Create);
        gauge.allowed_per_min = Some(300);
        for s in 0..=seconds {
            gauge.at(S * s, 500 + 5 * u64::from(s), 40_000);
        }
        gauge
    }

    #[test]
    fn a_rate_is_that_of_this_run_alone_and_time_is_told_in_words() {
        let line = run(10).line(S * 10, 200);
        assert_eq!(line, "Users done: 550 of 40,000, 300 a minute of 300 allowed, 2 h 11 min left");
        // Before there is a rate the allowed one tells how long it takes.
        assert_eq!(run(0).line(S, 200), "Users done: 500 of 40,000, 2 h 11 min left");
    }

    #[test]
    fn a_rate_is_that_of_late() {
        let mut gauge = run(3_000);
        (3_001..3_200).for_each(|s| gauge.at(S * s, 15_500, 40_000));
        assert_eq!(gauge.members(S * 3_200)["per_min"], 0);
        assert_eq!(gauge.members(S * 3_200)["left_s"], Value::Null);
        assert!(gauge.samples.len() < 100);
    }

    #[test]
    fn a_wait_is_told_with_its_reason_and_its_end() {
        let mut gauge = run(10);
        let held = |why, s| Some(Waiting { why, left: Some(S * s) });
        gauge.held(S * 10, held(Hold::Throttled, 12));
        let line = gauge.line(S * 11, 200);
        assert!(line.ends_with("left; the service throttles: 429, goes on in 11 s"), "{line}");
        gauge.held(S * 11, held(Hold::Full { allowed: 300 }, 3));
        let line = gauge.line(S * 11, 200);
        assert!(line.ends_with("; waiting for the next window: 300 of 300 calls used, goes on in 3 s"), "{line}");
        // What is as good as over is told to its end, and does not begin.
        gauge.held(S * 14, Some(Waiting { why: Hold::Full { allowed: 300 }, left: Some(S / 10) }));
        assert!(gauge.wait().is_some());
        gauge.held(S * 14, None);
        gauge.held(S * 14, Some(Waiting { why: Hold::Full { allowed: 300 }, left: Some(S / 10) }));
        assert_eq!(gauge.wait(), None);
        gauge.away = Some(Why::Creates);
        gauge.note = "12 rows being looked up, for up to 180 s".to_owned();
        gauge.held(S * 14, None);
        let line = gauge.line(S * 14, 200);
        assert!(
            line.ends_with("; the service does not answer creates, waiting; 12 rows being looked up, for up to 180 s")
        );
    }

    #[test]
    fn a_narrow_terminal_gets_what_matters_most_and_nothing_is_cut_while_it_fits() {
        let mut gauge = run(10);
        gauge.note = "12 rows being looked up, for up to 180 s".to_owned();
        for (width, line) in [
            (80, "Users done: 550 of 40,000, 300 a minute of 300 allowed, 2 h 11 min left"),
            (60, "Users done: 550 of 40,000, 2 h 11 min left"),
            (40, "550 of 40,000, 2 h 11 min left"),
            (20, "550 of 40,000"),
            (7, "550 of "),
        ] {
            assert_eq!(gauge.line(S * 10, width), line);
        }
        gauge.held(S * 10, Some(Waiting { why: Hold::Throttled, left: Some(S * 12) }));
        assert_eq!(gauge.line(S * 10, 48), "550 of 40,000, 2 h 11 min left; throttled: 12 s");
        assert_eq!(gauge.line(S * 10, 40), "550 of 40,000; throttled: 12 s");
    }

    #[test]
    fn what_comes_by_the_page_is_not_held_against_the_calls_that_are_allowed() {
        let mut gauge = Gauge::new(Stage::Snapshot);
        gauge.allowed_per_min = Some(300);
        gauge.at(S, 2_500, 40_000);
        assert_eq!(gauge.line(S, 120), "Users read: 2,500 of 40,000");
        assert_eq!(gauge.members(S)["allowed_per_min"], Value::Null);
    }

    #[test]
    fn what_is_left_is_no_shorter_than_the_wait_and_its_reason_comes_before_the_rate() {
        let mut gauge = run(10);
        gauge.at(S * 10, 39_999, 40_000);
        gauge.held(S * 10, Some(Waiting { why: Hold::Throttled, left: Some(S * 60) }));
        assert_eq!(gauge.left_s(S * 10), Some(60));
        gauge.held(S * 10, None);
        gauge.note = "1 row being looked up, for up to 180 s".to_owned();
        let line = gauge.line(S * 10, 80);
        assert!(line.ends_with("left; 1 row being looked up, for up to 180 s"), "{line}");
    }

    #[test]
    fn bytes_are_told_as_megabytes_a_second() {
        let mut gauge = Gauge::new(Stage::Read);
        gauge.at(S, 0, 300_000_000);
        gauge.at(S * 3, 100_000_000, 300_000_000);
        assert_eq!(gauge.line(S * 3, 80), "Read: 100 MB of 300 MB, 50 MB a second, 4 s left");
        let mut gauge = Gauge::new(Stage::Compare);
        gauge.at(S, 0, 4_000_000);
        assert_eq!(gauge.line(S * 3, 80), "Comparing 4,000,000 rows");
    }
}
