//! From roster and snapshot to one verdict for every row, in ten bytes a row.

use std::collections::HashMap;

use super::fitting::Fitting;
use super::matching::{self, Judge, Matched, Pair, matched};
use super::packed::{self, Hash, Side};
use super::{Counts, HELD, Keep, Policy, Verdict, is_held};
use crate::email::Folds;
use crate::error::{Error, Result};
use crate::lanes::{Effort, Part, in_order};
use crate::person::State;
use crate::reason::Reason;
use crate::roster::{Facts, Roster};
use crate::snapshot::Snapshot;
use crate::strings::Strings;

/// Rows that one thread looks at at a time.
const PIECE_ROWS: usize = 1 << 16;

/// Who holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The best of them, by its place in the snapshot.
    pub user: usize,
    /// Whether it holds the key by its username.
    pub by_username: bool,
    /// How many hold it.
    pub n: u32,
}

/// A verdict for every row, and why.
#[derive(Clone, Debug)]
pub struct Verdicts {
    verdict: Vec<Verdict>,
    reason: Vec<Reason>,
    /// Who holds the key, and which row stands for it.
    pairs: Vec<Pair>,
    n_holders: HashMap<u32, u32>,
    /// Keys of several rows of which none stands.
    n_fallen: u64,
    /// Users that are entries by their e-mail; behind them those that are by their username too.
    n_users: usize,
    by_username: Vec<u32>,
    counts: Counts,
}

impl Verdicts {
    /// Joins a roster with a snapshot.
    ///
    /// # Errors
    /// Only a fault of this program, or a roster that cannot be read any more.
    pub fn decide(roster: &Roster, snapshot: &Snapshot, policy: &Policy, effort: Effort) -> Result<Self> {
        Self::decide_by(packed::hash, roster, snapshot, policy, effort)
    }

    pub(super) fn decide_by(
        hash: Hash,
        roster: &Roster,
        snapshot: &Snapshot,
        policy: &Policy,
        effort: Effort,
    ) -> Result<Self> {
        effort.stop.check()?;
        let _compared = effort.meter.expect(Part::Compare, roster.n_rows() as u64);
        let folded = (!policy.folds.is_empty()).then(|| Folded::of(&policy.folds, roster, snapshot)).transpose()?;
        let [row_keys, keys] = folded.as_ref().map_or([roster.keys(), snapshot.keys()], |f| [&f.rows, &f.users]);
        let username_keys = folded.as_ref().map_or(snapshot.username_keys(), |f| f.usernames.as_ref());
        let rows = Side::of(row_keys, None);
        let entries = Side::of(keys, username_keys);
        let ranks = Ranks { entries: &entries, snapshot };
        let is_better = |one, other| ranks.of(one) < ranks.of(other);
        let rules = matching::Rules { keep: policy.keep, is_better: &is_better, hash, threads: effort.threads };
        let found = matched(&rows, &entries, &rules, || Fitting::new(roster, snapshot, policy))?;
        let (n_users, by_username) = entries.into_places();
        let mut verdicts = Self {
            verdict: Vec::with_capacity(roster.n_rows()),
            reason: Vec::with_capacity(roster.n_rows()),
            pairs: Vec::new(),
            n_holders: HashMap::new(),
            n_fallen: 0,
            n_users,
            by_username,
            counts: Counts { rows: roster.n_rows() as u64, ..Counts::default() },
        };
        effort.stop.check()?;
        verdicts.fill(found, roster, snapshot, policy.keep, effort.threads)?;
        Ok(verdicts)
    }

    /// Says for each row what the join means.
    fn fill(&mut self, found: Matched, roster: &Roster, snapshot: &Snapshot, keep: Keep, threads: usize) -> Result<()> {
        let Matched { pairs, faults, n_holders, n_fallen } = found;
        (self.pairs, self.n_holders, self.n_fallen) = (pairs, n_holders, n_fallen);
        let known = Known::of(keep);
        let n = roster.n_rows();
        let decide = |(): &mut (), piece: usize| {
            let rows = piece * PIECE_ROWS..((piece + 1) * PIECE_ROWS).min(n);
            Ok::<Vec<_>, Error>(rows.map(|at| self.meaning(at, roster, snapshot, &known)).collect())
        };
        let mut all = Vec::with_capacity(n.div_ceil(PIECE_ROWS));
        in_order(n.div_ceil(PIECE_ROWS), threads, decide, |_, piece| {
            all.push(piece);
            Ok(())
        })?;
        for (verdict, reason) in all.into_iter().flatten() {
            self.verdict.push(verdict);
            self.reason.push(reason);
        }
        for (row, reason) in faults {
            // Nobody stands for such a row, so it counted as one of several until now.
            let at = row as usize;
            (self.verdict[at], self.reason[at]) = (Verdict::Invalid, reason);
        }
        self.verdict.iter().for_each(|verdict| self.counts.add(*verdict));
        // The law that everything rests on, checked in release builds: every row has a verdict, and no row is lost.
        if self.verdict.len() != roster.n_rows() || !self.counts.add_up() {
            return Err(Error::bug(format!("verdicts do not add up: {:?}", self.counts)));
        }
        Ok(())
    }

    /// What the join means for the row at `at`.
    #[inline]
    fn meaning(&self, at: usize, roster: &Roster, snapshot: &Snapshot, known: &Known) -> (Verdict, Reason) {
        let facts = roster.facts_at(at);
        match self.holder(at) {
            _ if !facts.is_usable() => (Verdict::Invalid, facts.reason()),
            _ if self.pairs[at].stands() as usize != at + 1 => (Verdict::Duplicate, known.duplicate),
            Some(holder) => {
                let is_deleted = snapshot.states[holder.user] == State::Deleted;
                let verdict = if is_deleted { Verdict::Deleted } else { Verdict::Present };
                let listed = if holder.by_username { known.held_username } else { known.held_email };
                (verdict, snapshot.reason(holder.user).unwrap_or(listed))
            }
            None => (Verdict::New, if facts.has(Facts::NO_PHONE) { known.no_phone } else { Reason::NONE }),
        }
    }

    /// Holds new rows back until somebody has looked at them: they stay new and are not created.
    pub fn hold(&mut self, rows: impl IntoIterator<Item = usize>) {
        let held = Reason::of(HELD);
        rows.into_iter().for_each(|at| self.note(at, held));
    }

    /// Says something more of a new row.
    pub(super) fn note(&mut self, at: usize, note: Reason) {
        if self.verdict[at] == Verdict::New {
            self.reason[at] = self.reason[at].and(note);
        }
    }

    /// Rows by verdict.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The verdict of the row at `at`.
    #[must_use]
    #[inline]
    pub fn verdict(&self, at: usize) -> Verdict {
        self.verdict[at]
    }

    /// Why it has that verdict.
    #[must_use]
    pub fn reason(&self, at: usize) -> Reason {
        self.reason[at]
    }

    /// Who holds its key, if somebody does.
    #[must_use]
    pub fn holder(&self, at: usize) -> Option<Holder> {
        let entry = self.pairs[at].holder();
        let place = (entry as usize).checked_sub(1)?;
        let n = self.n_holders.get(&entry).copied().unwrap_or(1);
        Some(match place.checked_sub(self.n_users) {
            None => Holder { user: place, by_username: false, n },
            Some(behind) => Holder { user: self.by_username[behind] as usize, by_username: true, n },
        })
    }

    /// The row that stands for the key of a duplicate, 1-based.
    #[must_use]
    pub fn first_row(&self, at: usize) -> Option<u32> {
        let is_duplicate = self.verdict[at] == Verdict::Duplicate;
        Some(self.pairs[at].stands()).filter(|row| is_duplicate && *row > 0)
    }

    /// How many rows have a verdict for a reason whose code, or one of whose codes, begins with `code`.
    #[must_use]
    pub fn count(&self, verdict: Verdict, code: &str) -> u64 {
        self.count_if(verdict, |known| known.split('+').any(|known| known.starts_with(code)))
    }

    /// How many rows repeat the key of another row: the duplicates, but for one of each key where none of its rows stands. So
    /// it says the same of a roster whichever of them are kept.
    #[must_use]
    pub const fn n_repeats(&self) -> u64 {
        self.counts.duplicate - self.n_fallen
    }

    /// How many new rows are held back.
    #[must_use]
    pub fn n_held(&self) -> u64 {
        self.count_if(Verdict::New, is_held)
    }

    fn count_if(&self, verdict: Verdict, is_wanted: impl Fn(&str) -> bool) -> u64 {
        let wanted: Vec<bool> =
            (0..=u8::MAX).map(|bits| Reason::from_bits(bits).code().is_some_and(&is_wanted)).collect();
        let rows = self.verdict.iter().zip(&self.reason);
        rows.filter(|(v, reason)| **v == verdict && wanted[usize::from(reason.bits())]).count() as u64
    }
}

/// The keys of both sides, folded: for the join alone.
struct Folded {
    rows: Strings,
    users: Strings,
    usernames: Option<Strings>,
}

impl Folded {
    fn of(folds: &Folds, roster: &Roster, snapshot: &Snapshot) -> Result<Self> {
        let fold = |key: &str| {
            let mut key = key.to_owned();
            folds.fold(&mut key);
            key
        };
        let all = |keys: &Strings| keys.map(|_, key| Some(fold(key)));
        let users = all(snapshot.keys())?;
        // Whose two keys become one holds it once.
        let other = |at: usize, key: &str| Some(fold(key)).filter(|key| users.get(at) != Some(key.as_str()));
        let usernames = snapshot.username_keys().map(|keys| keys.map(other)).transpose()?;
        Ok(Self { rows: all(roster.keys())?, users, usernames })
    }
}

impl Judge for Fitting<'_> {
    fn fault(&mut self, at: usize) -> Result<Reason> {
        Fitting::fault(self, at)
    }
}

/// Reasons that the join gives.
struct Known {
    duplicate: Reason,
    held_email: Reason,
    held_username: Reason,
    no_phone: Reason,
}

impl Known {
    fn of(keep: Keep) -> Self {
        let duplicate = match keep {
            Keep::First => "duplicate.first_kept",
            Keep::Last => "duplicate.last_kept",
            Keep::None => "duplicate.none_kept",
        };
        Self {
            duplicate: Reason::of(duplicate),
            held_email: Reason::of("held.email"),
            held_username: Reason::of("held.username"),
            no_phone: Reason::of("phone.not_e164"),
        }
    }
}

/// Of several holders the best is named ([`Snapshot::rank`]). A deleted user's username counts like its e-mail: a POST would
/// be refused for either.
///
/// An export may lack ids. Then whatever else is told of a holder decides, so that the order of its rows never does.
struct Ranks<'a> {
    entries: &'a Side<'a>,
    snapshot: &'a Snapshot,
}

type Rank<'a> = ((State, bool, &'a str), bool, [Option<&'a str>; 4], u16, [Option<&'a str>; 2]);

impl<'a> Ranks<'a> {
    fn of(&self, entry: u32) -> Rank<'a> {
        let (user, by_username) = self.entries.place(entry);
        let [_, name, email, department, title, employee_id, contacts] = self.snapshot.cells(user);
        let rules = self.snapshot.rules[user].bits();
        let told = [email, name, department, title];
        (self.snapshot.rank(user), by_username, told, rules, [employee_id, contacts])
    }
}
