//! Who belongs together, and who of them stands.

use super::{Crowd, Crowds, People};
use crate::error::Result;
use crate::lanes::Stop;
use crate::person::State;
use crate::plan::{self, Fitting, Keep, Policy, Table};
use crate::reason::Reason;
use crate::roster::Roster;
use crate::snapshot::Snapshot;
use crate::strings::Strings;

/// How a value is hashed: tests do it badly on purpose.
type Hash = fn(&str) -> u64;

/// Values that are looked at between one question whether the work is still wanted and the next.
const ASKED_EVERY: usize = 1 << 16;

/// Clusters of two or more, in the order of their first; so are the people of each.
#[derive(Clone, Debug)]
pub struct Clusters {
    /// The people of the first cluster, then those of the second…
    members: Vec<u32>,
    /// Where each cluster begins among them, and how many there are in all.
    begins: Vec<u32>,
    /// Who stands, for each cluster.
    stands: Vec<Option<u32>>,
    /// For everybody, which of their values somebody else has too: a bit for each column.
    shared: Vec<u8>,
    /// For each file how many clusters are inside of it.
    inside: Vec<u64>,
}

impl Clusters {
    /// Finds them. A live user stands before everybody; of rows the one that `keep` says, as in a plan.
    ///
    /// # Errors
    /// `File` if a roster is not what it was; `Interrupted`.
    pub fn find(crowds: &Crowds, keep: Keep, stop: Stop) -> Result<Self> {
        Self::find_by(plan::hash, crowds, keep, stop)
    }

    fn find_by(hash: Hash, crowds: &Crowds, keep: Keep, stop: Stop) -> Result<Self> {
        let (mut forest, shared) = joined(hash, crowds, stop)?;
        // Whoever shares a value is in a cluster, and nobody else is.
        let sharing = (0..).zip(&shared).filter(|(_, shared)| **shared != 0).map(|(person, _)| person);
        let mut pairs: Vec<(u32, u32)> = sharing.map(|person| (forest.root(person), person)).collect();
        pairs.sort_unstable();
        stop.check()?;
        let mut found = Self {
            members: Vec::new(),
            begins: vec![0],
            stands: Vec::new(),
            shared,
            inside: vec![0; crowds.all.len()],
        };
        let policy = Policy::from(keep);
        let nobody = Snapshot::from_observed([], 0)?;
        let mut standing = Standing::new(crowds, &nobody, &policy);
        for cluster in pairs.chunk_by(|one, other| one.0 == other.0) {
            let begin = found.members.len();
            found.members.extend(cluster.iter().map(|(_, person)| *person));
            found.close(begin, crowds, &mut standing)?;
        }
        Ok(found)
    }

    /// Ends the cluster whose people begin at `begin`.
    fn close(&mut self, begin: usize, crowds: &Crowds, standing: &mut Standing<'_>) -> Result<()> {
        let cluster = &self.members[begin..];
        self.stands.push(standing.of(cluster)?);
        if let [first, .., last] = cluster {
            let first = crowds.place(*first).0;
            self.inside[first] += u64::from(first == crowds.place(*last).0);
        }
        self.begins.push(u32::try_from(self.members.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    /// How many clusters there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.stands.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.stands.is_empty()
    }

    /// How many people are in one.
    #[must_use]
    pub const fn n_members(&self) -> usize {
        self.members.len()
    }

    /// For each file how many clusters have all their people in it.
    #[must_use]
    pub fn inside(&self) -> &[u64] {
        &self.inside
    }

    /// How many clusters have people of several files.
    #[must_use]
    pub fn n_across(&self) -> u64 {
        self.len() as u64 - self.inside.iter().sum::<u64>()
    }

    /// The people in clusters, cluster by cluster.
    pub(super) fn members(&self) -> &[u32] {
        &self.members
    }

    /// The cluster of the member at `at`.
    pub(super) fn cluster(&self, at: usize) -> usize {
        self.begins.partition_point(|begin| *begin as usize <= at).saturating_sub(1)
    }

    /// Where the people of a cluster end.
    pub(super) fn end(&self, cluster: usize) -> usize {
        self.begins[cluster + 1] as usize
    }

    /// How many people are in a cluster.
    pub(super) fn size(&self, cluster: usize) -> u32 {
        self.begins[cluster + 1] - self.begins[cluster]
    }

    /// Who stands for a cluster.
    pub(super) fn stands(&self, cluster: usize) -> Option<u32> {
        self.stands[cluster]
    }

    /// Whether somebody else has the value too that a person has in a column.
    pub(super) fn is_shared(&self, person: u32, column: usize) -> bool {
        self.shared[person as usize] & 1 << column != 0
    }
}

/// Trees of people who belong together; the root is the first of them.
struct Forest(Vec<u32>);

impl Forest {
    fn root(&mut self, person: u32) -> u32 {
        let mut at = person as usize;
        // On the way every other step is halved.
        while self.0[at] as usize != at {
            let above = self.0[at] as usize;
            self.0[at] = self.0[above];
            at = self.0[at] as usize;
        }
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other) as usize] = one.min(other);
    }
}

/// Joins whoever has a value in common, and notes for whom that is which value.
fn joined(hash: Hash, crowds: &Crowds, stop: Stop) -> Result<(Forest, Vec<u8>)> {
    let n = crowds.n_people();
    let n_second: usize = crowds.all.iter().filter_map(|crowd| crowd.columns()[1]).map(Strings::len).sum();
    let (mut forest, mut shared) = (Forest((0..n).collect()), vec![0; n as usize]);
    let mut values = Values { crowds, n, second: Vec::new() };
    let mut table = Table::default();
    table.clear(n as usize + n_second);
    for (crowd, begin) in crowds.numbered() {
        for (column, values_of) in crowd.columns().into_iter().enumerate() {
            let Some(values_of) = values_of else { continue };
            for (number, (person, value)) in (begin..).zip(values_of.iter()).enumerate() {
                if number % ASKED_EVERY == 0 {
                    stop.check()?;
                }
                let Some(value) = value else { continue };
                let slot = table.slot(hash(value), |place| values.text(place - 1) == Some(value));
                if slot.place == 0 {
                    slot.place = values.numbered(person, column) + 1;
                    continue;
                }
                let (other, other_column) = values.person(slot.place - 1);
                if other != person {
                    shared[person as usize] |= 1 << column;
                    shared[other as usize] |= 1 << other_column;
                    forest.join(person, other);
                }
            }
        }
    }
    Ok((forest, shared))
}

/// Values by number: that of the first column has the number of its person, those of the second come behind all people.
struct Values<'a> {
    crowds: &'a Crowds,
    n: u32,
    /// Whose the values of second columns are.
    second: Vec<u32>,
}

impl Values<'_> {
    fn numbered(&mut self, person: u32, column: usize) -> u32 {
        if column == 0 {
            return person;
        }
        let behind = u32::try_from(self.second.len()).unwrap_or(u32::MAX);
        self.second.push(person);
        // Not more than the table has room for: that is held against its limit when people are numbered.
        self.n + behind
    }

    fn person(&self, value: u32) -> (u32, usize) {
        value.checked_sub(self.n).map_or((value, 0), |behind| (self.second[behind as usize], 1))
    }

    fn text(&self, value: u32) -> Option<&str> {
        let (person, column) = self.person(value);
        let (crowd, at) = self.crowds.place(person);
        self.crowds.all[crowd].columns()[column].and_then(|values| values.get(at))
    }
}

/// Who stands for a cluster.
struct Standing<'a> {
    crowds: &'a Crowds,
    keep: Keep,
    /// For each roster, which of its rows could not be created.
    fitting: Vec<Option<Fitting<'a>>>,
}

impl<'a> Standing<'a> {
    fn new(crowds: &'a Crowds, nobody: &'a Snapshot, policy: &'a Policy) -> Self {
        let fitting = |crowd: &'a Crowd| match &crowd.people {
            People::Rows(roster) => Some(Fitting::new(roster, nobody, policy)),
            People::Users(_) => None,
        };
        Self { crowds, keep: policy.keep, fitting: crowds.all.iter().map(fitting).collect() }
    }

    fn of(&mut self, cluster: &[u32]) -> Result<Option<u32>> {
        if let Some(user) = self.best_user(cluster) {
            return Ok(Some(user));
        }
        let is_row = |person: &u32| self.row(*person).is_some();
        let mut rows: Vec<u32> = cluster.iter().copied().filter(is_row).collect();
        match self.keep {
            Keep::None if rows.len() != 1 => return Ok(None),
            Keep::Last => rows.reverse(),
            Keep::None | Keep::First => {}
        }
        // As in a plan, only a row that nobody holds the key of would be created, and has to be fit for it.
        let is_held = rows.len() < cluster.len() && self.crowds.are_by_email();
        for row in rows {
            if is_held && self.is_usable(row) || self.is_fit(row)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn row(&self, person: u32) -> Option<(&'a Roster, usize)> {
        let (crowd, at) = self.crowds.place(person);
        match &self.crowds.all[crowd].people {
            People::Rows(roster) => Some((roster, at)),
            People::Users(_) => None,
        }
    }

    /// Of several live users the one that a plan names: active before inactive, then the smallest id; where ids are
    /// missing, whatever else is told of them.
    fn best_user(&self, cluster: &[u32]) -> Option<u32> {
        let live = |person: &u32| {
            let (crowd, at) = self.crowds.place(*person);
            let People::Users(snapshot) = &self.crowds.all[crowd].people else { return None };
            (snapshot.states[at] != State::Deleted).then_some((*person, snapshot, at))
        };
        let mut all = cluster.iter().filter_map(live);
        let first = all.next()?;
        let Some(second) = all.next() else { return Some(first.0) };
        let rank = |(person, snapshot, at): (u32, &'a Snapshot, usize)| (snapshot.rank(at), snapshot.cells(at), person);
        [first, second].into_iter().chain(all).map(rank).min().map(|(_, _, person)| person)
    }

    fn is_usable(&self, row: u32) -> bool {
        self.row(row).is_some_and(|(roster, at)| roster.facts_at(at).is_usable())
    }

    /// Whether a row could be created.
    fn is_fit(&mut self, row: u32) -> Result<bool> {
        let (crowd, at) = self.crowds.place(row);
        let is_usable = self.is_usable(row);
        match &mut self.fitting[crowd] {
            Some(fitting) if is_usable => Ok(fitting.fault(at)? == Reason::NONE),
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use polars::prelude::df;

    use super::*;

    #[test]
    fn values_that_share_a_hash_are_not_one_person() {
        let address = |n: usize| format!("person{}@example.com", n * 7 % 40);
        let emails: Vec<String> = (0..60).map(address).collect();
        let roster = Roster::from_frame(&df!("email" => emails).unwrap()).unwrap();
        let crowds = Crowds::of(vec![Crowd::by_email("hr".to_owned(), People::Rows(roster))]).unwrap();
        let sound = Clusters::find(&crowds, Keep::First, Stop::default()).unwrap();
        assert_eq!((sound.len(), sound.n_members()), (20, 40));
        for hash in [(|_| 0) as Hash, |key| key.len() as u64, |key| u64::from(key.as_bytes()[6]) << 16] {
            let found = Clusters::find_by(hash, &crowds, Keep::First, Stop::default()).unwrap();
            assert_eq!((&found.members, &found.begins, &found.stands), (&sound.members, &sound.begins, &sound.stands));
        }
    }

    #[test]
    fn work_that_nobody_wants_any_more_ends() {
        let stop = Stop::new();
        stop.ask();
        let roster = Roster::from_frame(&df!("email" => ["a@example.com"]).unwrap()).unwrap();
        let crowds = Crowds::of(vec![Crowd::by_email("hr".to_owned(), People::Rows(roster))]).unwrap();
        let error = Clusters::find(&crowds, Keep::First, stop).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Interrupted);
    }
}
