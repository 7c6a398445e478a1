//! Waves: what earlier plans and their journals know of the people at hand. Pure; `files/after.rs` reads them.
//!
//! What a journal says of a key is held against the listing. Whoever is surely there and not listed yet joins the users
//! before anything is decided, so the rules that decide are the same with and without earlier plans; what is left are
//! notes on new rows. ARCHITECTURE.md has the table.

mod again;
mod fates;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use again::{Again, find_again};

use super::{SENT, Table, Verdict, Verdicts, packed};
use crate::email::Folds;
use crate::email::Rules;
use crate::error::{Error, Kind, Result};
use crate::person::State;
use crate::reason::Reason;
use crate::roster::Roster;
use crate::snapshot::{Cell, Observed, Snapshot};
use crate::strings::Strings;

/// Reason of a new row that an earlier plan may have created, and does not know yet.
const UNKNOWN: &str = "after.unknown";
/// Reason of a new row that the run of an earlier plan is about to send.
const AT_WORK: &str = "after.at_work";
/// Reason of a row whose key somebody held, of whom a journal knows nothing but that.
pub(super) const TAKEN: &str = "after.taken";
/// Reasons that hold a new row back until an earlier plan is finished.
pub const HELD: [&str; 2] = [UNKNOWN, AT_WORK];

/// What became of a row of an earlier plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Past {
    /// Provably not sent.
    Unsent,
    /// Not sent yet, by a run that is at work.
    Due,
    /// The service said no.
    Refused,
    /// It may have been created and be there still, by a plan that a rollback has ended: no run of it will settle that.
    Stranded,
    /// It may have been created.
    Unknown,
    /// Somebody else held the key, in that state.
    Taken(State),
    /// Created, and deleted again by `rollback`.
    RolledBack,
    /// Created or adopted.
    Created,
    /// A deleted user was restored for it.
    Restored,
}

impl Past {
    /// The state of the user that holds the key since, and the reason; none if it says of nobody that he holds it.
    fn holds(self) -> Option<(State, &'static str)> {
        match self {
            Self::Unsent | Self::Due | Self::Refused | Self::Stranded | Self::Unknown => None,
            Self::Taken(state) => Some((state, TAKEN)),
            Self::RolledBack => Some((State::Deleted, "after.rolled_back")),
            Self::Created => Some((State::Active, "after.created")),
            Self::Restored => Some((State::Active, "after.restored")),
        }
    }

    /// Whether the user is one that the plan brought there, and did not take away again.
    const fn is_ours(self) -> bool {
        matches!(self, Self::Created | Self::Restored)
    }

    /// Whether the plan brought the user there, whatever became of him.
    const fn has_brought(self) -> bool {
        matches!(self, Self::Created | Self::Restored | Self::RolledBack)
    }
}

/// A row of an earlier plan, as its journal leaves it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Normalised e-mail.
    pub key: &'a str,
    /// What became of it.
    pub past: Past,
    /// When that was recorded, in seconds since 1970.
    pub at: i64,
    /// The user created, restored, deleted again or met.
    pub user_id: Option<&'a str>,
    /// What was sent, in the order of [`SENT`].
    pub sent: [Option<&'a str>; SENT.len()],
    /// The service's code and words.
    pub said: [Option<&'a str>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: i64,
    past: Past,
    plan: u16,
}

/// Why a row was refused, and what had been sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Refusal {
    said: [Option<Arc<str>>; 2],
    sent: Box<str>,
}

/// All rows of earlier plans that say something.
pub struct Earlier {
    /// A user for each row, for the sake of its key and its cells.
    users: Observed,
    entries: Vec<Entry>,
    refusals: HashMap<u32, Refusal>,
    texts: HashSet<Arc<str>>,
}

impl Default for Earlier {
    fn default() -> Self {
        let (refusals, texts) = (HashMap::new(), HashSet::new());
        Self { users: Observed::new(true, 0), entries: Vec::new(), refusals, texts }
    }
}

impl Earlier {
    /// Adds a row of the plan with that number; the rows of a plan come one after the other.
    ///
    /// # Errors
    /// `File` for more rows than are counted in 32 bits.
    pub fn push(&mut self, plan: u16, row: Row<'_>) -> Result<()> {
        let Ok(at) = u32::try_from(self.entries.len() + 1) else {
            return Err(Error::new(Kind::File, "the earlier plans have too many rows"));
        };
        let [email, name, department, title, ..] = row.sent;
        let told = |cell: Option<_>| cell.filter(|_| row.past.has_brought());
        let email = told(email).or(Some(row.key));
        let cells = [row.user_id, told(name), email, told(department), told(title), None, None];
        // The state and the rules are those of the moment when somebody joins the users.
        self.users.push_known([Some(row.key), None], State::Active, Rules::default(), cells);
        self.entries.push(Entry { at: row.at, past: row.past, plan });
        if row.past == Past::Refused {
            let said = row.said.map(|text| text.map(|text| self.text(text)));
            self.refusals.insert(at - 1, Refusal { said, sent: as_sent(row.sent) });
        }
        Ok(())
    }

    /// A text that many rows have in common.
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }
}

/// Everything that a create sends, in one text that no other set of cells has.
fn as_sent(cells: [Option<&str>; SENT.len()]) -> Box<str> {
    format!("{cells:?}").into()
}

/// What the listing proves, that journals are held against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listing {
    /// When its first page was asked for, in seconds since 1970; none for somebody's export.
    pub began: Option<i64>,
    /// Whether everybody was seen.
    pub is_complete: bool,
    /// Whether the keys that it does not show were looked up, in a way that finds whoever holds them.
    pub is_probed: bool,
}

/// Number of an entry, counted from 1.
type Place = Option<NonZeroU32>;

/// All that is known of one key.
#[derive(Clone, Debug, Default)]
struct Group {
    /// The last that says who holds it.
    held: Place,
    open: Place,
    stranded: Place,
    due: Place,
    unsent: Place,
    refused: Place,
    n_refused: u16,
    /// The plan that was counted last, from 1.
    refused_in: u16,
    /// The listed user that `held` names, counted from 1, and whether it holds the key there.
    own: u32,
    own_holds: bool,
    /// Another group whose `held` names the same user, counted from 1.
    twin: u32,
    /// Whether a listed user holds the key.
    is_listed: bool,
    is_gone: bool,
    is_wanted: bool,
}

/// Earlier plans, by key.
pub struct After<'f> {
    folds: &'f Folds,
    users: Snapshot,
    /// The keys of `users`, folded, if anything is.
    folded: Option<Strings>,
    entries: Vec<Entry>,
    refusals: HashMap<u32, Refusal>,
    table: Table,
    groups: Vec<Group>,
}

/// Rows by what earlier plans say of them; told, and kept in the manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Present rows whose user an earlier plan created or restored.
    pub created: u64,
    /// Of them those whom the listing does not show as that yet.
    pub unseen: u64,
    /// Present rows whose user an earlier plan created, and who has another address since.
    pub renamed: u64,
    /// New rows whose user was created and is not there any more.
    pub gone: u64,
    /// Deleted rows whose user was rolled back.
    pub rolled_back: u64,
    /// Rows whose key somebody held, whom the listing does not show.
    pub taken: u64,
    /// New rows that are held back: they may have been created.
    pub unknown: u64,
    /// New rows that are held back: a run is about to send them.
    pub at_work: u64,
    /// New rows that an earlier plan wants to create, too, and has not sent.
    pub unsent: u64,
    /// New rows that were refused before.
    pub refused: u64,
    /// Of them those that were refused twice, or are as they were.
    pub again: u64,
    /// People whom earlier plans created, and who are not in the roster.
    pub absent: u64,
}

/// New rows that one earlier plan has not settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// They may have been created, and its next run will know.
    pub unknown: u64,
    /// They may have been created, and no run will know.
    pub stranded: u64,
    /// A run is about to send them.
    pub at_work: u64,
    /// They were not sent.
    pub unsent: u64,
}

/// What was noted of rows.
#[derive(Clone, Debug, Default)]
pub struct Noted {
    /// In all.
    pub counts: Counts,
    /// By plan.
    pub by_plan: Vec<Unsettled>,
    /// New rows that were refused before: place of the row, place of the last refusal, times.
    refused: Vec<(usize, NonZeroU32, u16)>,
}

impl<'f> After<'f> {
    /// Puts together what is known of each key.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn of(earlier: Earlier, folds: &'f Folds) -> Result<Self> {
        let Earlier { users, entries, refusals, .. } = earlier;
        let users = Snapshot::from_observed([users], 0)?;
        let fold = |_: usize, key: &str| Some(folded(folds, key));
        let folded = (!folds.is_empty()).then(|| users.keys().map(fold)).transpose()?;
        let (table, groups) = (Table::default(), Vec::new());
        let mut after = Self { folds, users, folded, entries, refusals, table, groups };
        after.group();
        Ok(after)
    }

    fn group(&mut self) {
        self.table.clear(self.entries.len());
        for place in 1..=u32::try_from(self.entries.len()).unwrap_or_default() {
            let keys = self.folded.as_ref().unwrap_or_else(|| self.users.keys());
            let Some(key) = keys.get(place as usize - 1) else { continue };
            let slot = self.table.slot(packed::hash(key), |place| keys.get(place as usize - 1) == Some(key));
            if slot.place == 0 {
                (slot.place, slot.kept) = (place, u32::try_from(self.groups.len()).unwrap_or_default());
                self.groups.push(Group::default());
            }
            let group = slot.kept as usize;
            if let Some(place) = NonZeroU32::new(place) {
                self.take(group, place);
            }
        }
    }

    fn take(&mut self, group: usize, place: NonZeroU32) {
        let Entry { past, plan, .. } = self.entry(place);
        let Group { held, open, stranded, due, unsent, refused, .. } = self.groups[group];
        let later = |known: Place| match known {
            Some(known) if self.compare(known, place) == Ordering::Greater => Some(known),
            _ => Some(place),
        };
        let [mut all, known] = [[held, open, stranded, due, unsent, refused]; 2];
        let which = match past {
            Past::Taken(_) | Past::RolledBack | Past::Created | Past::Restored => 0,
            Past::Unknown => 1,
            Past::Stranded => 2,
            Past::Due => 3,
            Past::Unsent => 4,
            Past::Refused => 5,
        };
        all[which] = later(known[which]);
        let group = &mut self.groups[group];
        [group.held, group.open, group.stranded, group.due, group.unsent, group.refused] = all;
        if past == Past::Refused && group.refused_in != plan + 1 {
            (group.refused_in, group.n_refused) = (plan + 1, group.n_refused + 1);
        }
    }

    fn entry(&self, place: NonZeroU32) -> Entry {
        self.entries[place.get() as usize - 1]
    }

    fn refusal(&self, place: NonZeroU32) -> Option<&Refusal> {
        self.refusals.get(&(place.get() - 1))
    }

    /// Which of two rows of one key counts: one that brought a user there before one that met somebody, who may be that
    /// user; else the later one. Of two of the same second what they say decides, never the order in which the plans were
    /// named.
    fn compare(&self, one: NonZeroU32, other: NonZeroU32) -> Ordering {
        let rank = |place: NonZeroU32| {
            let Entry { at, past, plan } = self.entry(place);
            (past.has_brought(), at, past, self.users.cells(place.get() as usize - 1), self.refusal(place), plan)
        };
        rank(one).cmp(&rank(other))
    }

    /// The keys, folded if anything is, and what finds the group of one.
    fn index(&mut self) -> Index<'_> {
        let keys = self.folded.as_ref().unwrap_or_else(|| self.users.keys());
        Index { table: &mut self.table, folds: self.folds, keys }
    }

    /// Says of every row what earlier plans know, and holds back those that one of them has not settled.
    pub fn note(&mut self, roster: &Roster, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Noted {
        let n_plans = self.entries.iter().map(|entry| usize::from(entry.plan) + 1).max().unwrap_or_default();
        let mut noted = Noted { by_plan: vec![Unsettled::default(); n_plans], ..Noted::default() };
        for at in 0..roster.n_rows() {
            let Some(group) = roster.key(at).and_then(|key| self.index().find(key)) else { continue };
            self.groups[group].is_wanted = true;
            match verdicts.verdict(at) {
                Verdict::New => self.note_new(at, &self.groups[group], verdicts, &mut noted),
                Verdict::Present | Verdict::Deleted => {
                    self.count_held(at, &self.groups[group], snapshot, verdicts, &mut noted.counts);
                }
                Verdict::Duplicate | Verdict::Invalid => {}
            }
        }
        let is_absent =
            |group: &&Group| !group.is_wanted && group.held.is_some_and(|place| self.entry(place).past.is_ours());
        noted.counts.absent = self.groups.iter().filter(is_absent).count() as u64;
        noted
    }

    fn note_new(&self, at: usize, group: &Group, verdicts: &mut Verdicts, noted: &mut Noted) {
        let Noted { counts, by_plan, refused } = noted;
        let mut note = |code: &str, n: &mut u64| {
            *n += 1;
            verdicts.note(at, Reason::of(code));
        };
        let plan = |place: NonZeroU32| usize::from(self.entry(place).plan);
        if let Some(place) = group.open {
            note(UNKNOWN, &mut counts.unknown);
            by_plan[plan(place)].unknown += 1;
        } else if let Some(place) = group.stranded {
            note(UNKNOWN, &mut counts.unknown);
            by_plan[plan(place)].stranded += 1;
        } else if let Some(place) = group.due {
            note(AT_WORK, &mut counts.at_work);
            by_plan[plan(place)].at_work += 1;
        } else if let Some(place) = group.unsent {
            counts.unsent += 1;
            by_plan[plan(place)].unsent += 1;
        }
        if group.is_gone {
            note("after.gone", &mut counts.gone);
        }
        if let Some(place) = group.refused {
            note("after.refused", &mut counts.refused);
            refused.push((at, place, group.n_refused));
        }
    }

    fn count_held(&self, at: usize, group: &Group, snapshot: &Snapshot, verdicts: &Verdicts, counts: &mut Counts) {
        let (Some(place), Some(holder)) = (group.held, verdicts.holder(at)) else { return };
        let id = self.users.cell(Cell::Id, place.get() as usize - 1);
        let is_same = snapshot.cell(Cell::Id, holder.user).is_some_and(|found| Some(found) == id);
        let reason = verdicts.reason(at).code().unwrap_or_default();
        let past = self.entry(place).past;
        let count = |n: &mut u64, is_one: bool| *n += u64::from(is_one);
        if verdicts.verdict(at) == Verdict::Present && is_same && past.has_brought() {
            // Whoever was rolled back and is there was restored by somebody else.
            count(&mut counts.created, past.is_ours());
            count(&mut counts.unseen, ["after.created", "after.restored"].contains(&reason));
            count(&mut counts.renamed, reason == "after.renamed");
        }
        count(&mut counts.rolled_back, reason == "after.rolled_back");
        count(&mut counts.taken, reason == TAKEN);
    }
}

/// Finds groups by their keys.
struct Index<'a> {
    table: &'a mut Table,
    folds: &'a Folds,
    keys: &'a Strings,
}

impl Index<'_> {
    /// The group of a key as it stands.
    fn find(&mut self, key: &str) -> Option<usize> {
        let key = if self.folds.is_empty() { Cow::Borrowed(key) } else { folded(self.folds, key).into() };
        let is_same = |place: u32| self.keys.get(place as usize - 1) == Some(&*key);
        let slot = self.table.slot(packed::hash(&key), is_same);
        (slot.place != 0).then_some(slot.kept as usize)
    }
}

fn folded(folds: &Folds, key: &str) -> String {
    let mut key = key.to_owned();
    folds.fold(&mut key);
    key
}
