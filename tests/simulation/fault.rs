//! What can go wrong, and how often it did.

use std::fmt;
use std::ops::AddAssign;

use rosterdiff::sim::Fault as OfACall;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What can befall a call in a scenario, too.
    Call(OfACall),
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

/// What befalls no call.
const BEYOND_CALLS: [Fault; 11] = [
    Fault::Refused,
    Fault::StrangerCreates,
    Fault::StrangerDeletes,
    Fault::Drift,
    Fault::Outage,
    Fault::Killed,
    Fault::PowerLost,
    Fault::Torn,
    Fault::NoSpace,
    Fault::IoError,
    Fault::Stopped,
];
const N_FAULTS: usize = OfACall::ALL.len() + BEYOND_CALLS.len();

impl Fault {
    pub const ALL: [Self; N_FAULTS] = {
        let mut all = [Self::Refused; N_FAULTS];
        let mut at = 0;
        while at < OfACall::ALL.len() {
            all[at] = Self::Call(OfACall::ALL[at]);
            at += 1;
        }
        while at < N_FAULTS {
            all[at] = BEYOND_CALLS[at - OfACall::ALL.len()];
            at += 1;
        }
        all
    };

    fn at(self) -> usize {
        Self::ALL.iter().position(|fault| *fault == self).unwrap()
    }
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
    pub fn fire(&mut self, fault: Fault) {
        self.fired[fault.at()] += 1;
    }

    pub fn of(&self, fault: Fault) -> u64 {
        self.fired[fault.at()]
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
        let fired = Fault::ALL.iter().map(|fault| match fault {
            Fault::Call(call) => format!("{call:?} {}", self.of(*fault)),
            _ => format!("{fault:?} {}", self.of(*fault)),
        });
        write!(f, "{}", fired.collect::<Vec<_>>().join(", "))
    }
}
