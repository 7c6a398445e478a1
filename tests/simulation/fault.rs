//! What can go wrong, and how often it did.

use std::fmt;
use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is refused.
    NotSent,
    /// Lost on the way there; the client waits in vain.
    LostBefore,
    /// Carried out, and the reply is lost.
    LostAfter,
    /// The client has given up, and it is carried out all the same.
    Late,
    /// A 5xx or 408 instead of the deed.
    ErrorBefore,
    /// A 5xx or 408 after the deed.
    ErrorAfter,
    /// Carried out, and the reply is a page of something else.
    Garbage,
    /// 429, with a time to wait.
    Throttled,
    /// Slow, within the client's patience.
    Slow,
    /// All tokens are revoked just before.
    Revoked,
    /// The service says 400 to a create.
    Refused,
    /// A stranger creates somebody whom the roster wants.
    StrangerCreates,
    /// A stranger creates such a one and deletes him again.
    StrangerDeletes,
    /// A stranger deletes or brings back somebody else, under the pages of a listing.
    Drift,
    /// For seconds or minutes nothing gets through: of all calls, of creates, of searches, or of logins.
    Outage,
    /// The process dies; what was written stays.
    Killed,
    /// The power fails: what was not waited for goes, or a part of it.
    PowerLost,
    /// A line was torn by the crash.
    Torn,
    /// The disk is full.
    NoSpace,
    /// The disk fails to write or to wait.
    IoError,
    /// Somebody presses Ctrl-C.
    Stopped,
}

impl Fault {
    pub const ALL: [Self; 21] = [
        Self::NotSent,
        Self::LostBefore,
        Self::LostAfter,
        Self::Late,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::Garbage,
        Self::Throttled,
        Self::Slow,
        Self::Revoked,
        Self::Refused,
        Self::StrangerCreates,
        Self::StrangerDeletes,
        Self::Drift,
        Self::Outage,
        Self::Killed,
        Self::PowerLost,
        Self::Torn,
        Self::NoSpace,
        Self::IoError,
        Self::Stopped,
    ];

    /// Those that can befall a call.
    pub const OF_A_CALL: &'static [Self] = Self::ALL.split_at(10).0;
}

/// How often each fault fired, and what came of it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub fired: [u64; Fault::ALL.len()],
    pub seeds: u64,
    pub runs: u64,
    pub rows: u64,
    pub calls: u64,
    /// Rows by outcome, in the order of `Outcome::ALL`.
    pub outcomes: [u64; 6],
    pub virtual_s: u64,
}

impl Tally {
    pub const fn fire(&mut self, fault: Fault) {
        self.fired[fault as usize] += 1;
    }

    pub const fn of(&self, fault: Fault) -> u64 {
        self.fired[fault as usize]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.fired.iter_mut().zip(other.fired).for_each(|(all, more)| *all += more);
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(all, more)| *all += more);
        self.seeds += other.seeds;
        self.runs += other.runs;
        self.rows += other.rows;
        self.calls += other.calls;
        self.virtual_s += other.virtual_s;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} seeds, {} runs, {} rows, {} calls, {} virtual hours",
            self.seeds,
            self.runs,
            self.rows,
            self.calls,
            self.virtual_s / 3_600
        )?;
        let outcomes = ["created", "adopted", "taken", "refused", "unknown", "unprocessed"];
        let outcomes = outcomes.iter().zip(self.outcomes).map(|(word, n)| format!("{n} {word}"));
        writeln!(f, "{}", outcomes.collect::<Vec<_>>().join(", "))?;
        let fired = Fault::ALL.iter().map(|fault| format!("{fault:?} {}", self.of(*fault)));
        write!(f, "{}", fired.collect::<Vec<_>>().join(", "))
    }
}
