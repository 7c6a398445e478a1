//! Journals against the listing: whom the listing lacks, whom it shows as he was before, and who is gone.

use std::collections::HashMap;

use super::{After, Entry, Group, Index, Listing, Past};
use crate::email::{self, Rules};
use crate::error::Result;
use crate::person::State;
use crate::reason::Reason;
use crate::snapshot::{Cell, Observed, Snapshot};

/// How much older than a listing a deed has to be for the listing to be believed against it, in seconds. What was done a
/// moment ago may not be listed yet: the official Terraform provider waits three minutes for that, and this is twenty
/// times as long.
const SETTLED_S: i64 = 60 * 60;

/// What a journal means for its user, seen beside the listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The listing decides.
    Listed,
    /// It was there and is not any more.
    Gone,
    /// The listing shows the user, and its state is this one since.
    Corrected { at: i64, user: usize, state: State, reason: &'static str },
    /// The listing does not show the key, and this user holds it; its cells are known from the listing if that shows it
    /// under another key.
    Learnt { state: State, reason: &'static str, listed: Option<usize> },
}

impl After<'_> {
    /// Corrects the users by what earlier plans know, and adds those who are surely there and not listed.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn look(&mut self, snapshot: &mut Snapshot, listing: Listing) -> Result<()> {
        self.meet(snapshot);
        let (mut learnt, mut corrected) = ((Observed::new(true, 0), Vec::new()), Vec::new());
        for at in 0..self.groups.len() {
            let stranded = self.groups[at].stranded.map(|place| self.entry(place).at);
            if stranded.is_some_and(|at| listing.settles(at)) {
                // Whoever is listed is present, and nobody else was created.
                self.groups[at].stranded = None;
            }
            match self.fate(&self.groups[at], snapshot, listing) {
                Fate::Listed => {}
                Fate::Gone => self.groups[at].is_gone = true,
                Fate::Corrected { at, user, state, reason } => corrected.push((at, state, reason, user)),
                Fate::Learnt { state, reason, listed } => {
                    self.learn(&self.groups[at], state, listed.map(|user| snapshot.cells(user)), &mut learnt.0);
                    learnt.1.push(Reason::of(reason));
                }
            }
        }
        // Of what two keys say of one user, the later counts.
        corrected.sort_unstable();
        corrected.into_iter().for_each(|(_, state, reason, user)| snapshot.correct(user, state, Reason::of(reason)));
        let (users, reasons) = learnt;
        snapshot.learn(Snapshot::from_observed([users], 0)?, reasons)
    }

    /// Looks for every key, and for every user that a journal names.
    fn meet(&mut self, snapshot: &Snapshot) {
        let Self { table, folds, users, folded, groups, .. } = self;
        let ids = named(users, groups);
        let mut index = Index { table, folds, keys: folded.as_ref().unwrap_or_else(|| users.keys()) };
        for user in 0..snapshot.len() {
            let keys = [snapshot.keys().get(user), snapshot.username_keys().and_then(|keys| keys.get(user))];
            let held = keys.map(|key| key.and_then(|key| index.find(key)));
            held.into_iter().flatten().for_each(|group| groups[group].is_listed = true);
            let mut named = snapshot.cell(Cell::Id, user).and_then(|id| ids.get(id)).copied();
            while let Some(at) = named {
                let holds = held.contains(&Some(at));
                let group = &mut groups[at];
                if group.own == 0 || holds && !group.own_holds {
                    (group.own, group.own_holds) = (u32::try_from(user + 1).unwrap_or_default(), holds);
                }
                named = (group.twin as usize).checked_sub(1);
            }
        }
    }

    fn fate(&self, group: &Group, snapshot: &Snapshot, listing: Listing) -> Fate {
        let Some(place) = group.held else { return Fate::Listed };
        let Entry { past, at, .. } = self.entry(place);
        let Some((state, reason)) = past.holds() else { return Fate::Listed };
        // A search had found him, so one that finds nobody says that he is gone.
        if listing.is_probed && matches!(past, Past::Taken(_)) {
            return Fate::Listed;
        }
        let is_newer = listing.began.is_some_and(|began| at >= began);
        let is_too_young = listing.began.is_some_and(|began| began < at.saturating_add(SETTLED_S));
        let learnt = Fate::Learnt { state, reason, listed: None };
        if let Some(user) = (group.own as usize).checked_sub(1) {
            let listed = snapshot.states[user];
            // Whoever is listed was listed after its creation; but perhaps as it was before it was deleted or restored: a
            // listing may lag behind that, too.
            let is_changed = is_too_young && matches!(past, Past::Restored | Past::RolledBack);
            let state = if is_changed { state } else { listed };
            return match past {
                _ if group.own_holds => {
                    let is_told = state != listed || past == Past::RolledBack && state == State::Deleted;
                    if is_told { Fate::Corrected { at, user, state, reason } } else { Fate::Listed }
                }
                _ if group.is_listed => Fate::Listed,
                Past::Taken(_) => {
                    if is_newer {
                        learnt
                    } else {
                        Fate::Listed
                    }
                }
                _ if state == State::Deleted => Fate::Gone,
                _ => Fate::Learnt { state, reason: "after.renamed", listed: Some(user) },
            };
        }
        match group.is_listed {
            true => Fate::Listed,
            false if listing.settles(at) => {
                if past.is_ours() {
                    Fate::Gone
                } else {
                    Fate::Listed
                }
            }
            false => learnt,
        }
    }

    /// Adds the user that holds the key of a group.
    fn learn(&self, group: &Group, state: State, listed: Option<[Option<&str>; Cell::ALL.len()]>, into: &mut Observed) {
        let Some(at) = group.held.map(|place| place.get() as usize - 1) else { return };
        let key = self.users.keys().get(at);
        let cells = listed.unwrap_or_else(|| self.users.cells(at));
        let email = cells[Cell::Email as usize].and_then(|email| email::normalise(email).ok());
        let rules =
            email.filter(|found| Some(found.key.as_str()) == key).map_or_else(Rules::default, |found| found.rules);
        into.push_known([key, None], state, rules, cells);
    }
}

impl Listing {
    /// Whether it would show whoever was created at that time and is still there.
    fn settles(self, at: i64) -> bool {
        self.is_complete && self.began.is_some_and(|began| began >= at.saturating_add(SETTLED_S))
    }
}

/// The users that journals name, and a group of each; its other groups are linked behind that.
fn named<'u>(users: &'u Snapshot, groups: &mut [Group]) -> HashMap<&'u str, usize> {
    let mut ids: HashMap<&str, usize> = HashMap::new();
    for (at, group) in groups.iter_mut().enumerate() {
        let id = group.held.and_then(|place| users.cell(Cell::Id, place.get() as usize - 1));
        if let Some(id) = id.filter(|id| !id.is_empty())
            && let Some(other) = ids.insert(id, at)
        {
            group.twin = u32::try_from(other + 1).unwrap_or_default();
        }
    }
    ids
}
