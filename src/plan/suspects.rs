//! Suspects: new rows that resemble somebody who is there, or another new row. For people to look at, never to decide.
//!
//! Each kind of likeness is a text made of a row or a user; whoever has the same text resembles the other. Only the texts
//! of new rows are kept, as hashes; users pass by once. A row is told of one counterpart a likeness: the best user, or the
//! first row. So the cost grows with rows and users, and not with their pairs.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use super::packed::hash;
use super::{Verdict, Verdicts};
use crate::email::{self, likeness};
use crate::error::{Error, Result};
use crate::lanes::{Effort, in_order};
use crate::name;
use crate::roster::Roster;
use crate::snapshot::{Cell, Snapshot};

/// Users or rows that one thread looks at at a time.
const PIECE: usize = 1 << 14;

/// In what a row resembles another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Their addresses look the same (UTS #39).
    Confusable,
    /// Their addresses differ by dots and by what follows a plus sign.
    PlusOrDots,
    /// The same local part at domains of one name.
    SisterDomain,
    /// The same name and the same employee id.
    NameAndEmployeeId,
    /// The address is another e-mail contact of a user.
    OtherContact,
}

impl Likeness {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] =
        [Self::Confusable, Self::PlusOrDots, Self::SisterDomain, Self::NameAndEmployeeId, Self::OtherContact];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Confusable => "confusable",
            Self::PlusOrDots => "plus_or_dots",
            Self::SisterDomain => "sister_domain",
            Self::NameAndEmployeeId => "name_and_employee_id",
            Self::OtherContact => "other_contact",
        }
    }

    /// The text of a key, for a likeness of addresses.
    const fn of_key(self) -> Option<fn(&str, &mut String)> {
        match self {
            Self::Confusable => Some(likeness::look),
            Self::PlusOrDots => Some(likeness::bare),
            Self::SisterDomain => Some(likeness::sister),
            Self::NameAndEmployeeId | Self::OtherContact => None,
        }
    }
}

/// Whom a row resembles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// A user, by its place in the snapshot.
    User(usize),
    /// A row before it, by its place in the roster.
    Row(usize),
}

/// A new row and what it resembles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Place of the row in the roster.
    pub row: usize,
    /// In what.
    pub likeness: Likeness,
    /// Whom.
    pub other: Other,
}

/// Finds all suspects, in the order of rows.
///
/// # Errors
/// `File` if the roster is not what it was; `Interrupted`.
pub fn find(roster: &Roster, snapshot: &Snapshot, verdicts: &Verdicts, effort: Effort) -> Result<Vec<Suspect>> {
    let new: Vec<usize> = (0..roster.n_rows()).filter(|at| verdicts.verdict(*at) == Verdict::New).collect();
    let search = Search { roster, snapshot, new: &new, effort };
    let mut all = Vec::new();
    for likeness in Likeness::ALL {
        all.extend(search.alike(likeness)?);
    }
    all.sort_by_key(|suspect| (suspect.row, suspect.likeness));
    Ok(all)
}

struct Search<'a> {
    roster: &'a Roster,
    snapshot: &'a Snapshot,
    new: &'a [usize],
    effort: Effort,
}

/// New rows with one text, and the best user who has it.
struct Group {
    first: usize,
    user: Option<usize>,
}

/// The new rows by their texts: groups by hash, and each row's hash.
struct Groups {
    by_hash: HashMap<u64, Group, BuildHasherDefault<AsItIs>>,
    rows: Vec<(usize, u64)>,
    few: Few,
}

/// A hash needs no hashing.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Which hashes there may be: most users resemble nobody, and a bit that stays in the cache says so.
struct Few {
    bits: Vec<u64>,
}

impl Few {
    /// Bits a hash.
    const BITS: usize = 16;

    fn of(n: usize) -> Self {
        Self { bits: vec![0; (n * Self::BITS / 64 + 1).next_power_of_two()] }
    }

    const fn place(&self, hash: u64) -> (usize, u64) {
        // The lower bits and the highest are those of the table behind it.
        let at = (hash >> 24) as usize;
        ((at >> 6) & (self.bits.len() - 1), 1 << (at & 63))
    }

    fn add(&mut self, hash: u64) {
        let (at, bit) = self.place(hash);
        self.bits[at] |= bit;
    }

    fn may_have(&self, hash: u64) -> bool {
        let (at, bit) = self.place(hash);
        self.bits[at] & bit != 0
    }
}

/// What a thread uses again.
#[derive(Default)]
struct Own {
    buffer: Vec<u8>,
    ends: Vec<u32>,
    text: String,
}

impl Search<'_> {
    fn alike(&self, likeness: Likeness) -> Result<Vec<Suspect>> {
        if likeness == Likeness::NameAndEmployeeId && !self.roster.has_employee_ids() {
            return Ok(Vec::new());
        }
        let mut groups = self.groups(likeness)?;
        self.meet_users(likeness, &mut groups)?;
        let Groups { by_hash, rows, .. } = groups;
        let (mut own, mut all) = (Own::default(), Vec::new());
        for (row, hash) in rows {
            let Some(group) = by_hash.get(&hash) else { continue };
            let other = match group.user {
                Some(user) => Other::User(user),
                // An address is another's contact between a row and a user only.
                None if group.first != row && likeness != Likeness::OtherContact => Other::Row(group.first),
                None => continue,
            };
            let suspect = Suspect { row, likeness, other };
            if self.holds(suspect, &mut own)? {
                all.push(suspect);
            }
        }
        Ok(all)
    }

    /// Whether both have the same text: a hash never says so alone.
    fn holds(&self, suspect: Suspect, own: &mut Own) -> Result<bool> {
        let Suspect { row, likeness, other } = suspect;
        let Some(text) = self.row_text(likeness, row, own)? else { return Ok(false) };
        let mut is_same = false;
        match other {
            Other::Row(other) => is_same = self.row_text(likeness, other, own)?.is_some_and(|found| found == text),
            Other::User(user) => self.user_texts(likeness, user, &mut own.text, |found| is_same |= found == text),
        }
        Ok(is_same)
    }

    fn row_text(&self, likeness: Likeness, row: usize, own: &mut Own) -> Result<Option<String>> {
        let Own { buffer, ends, text } = own;
        let is_there = if likeness == Likeness::NameAndEmployeeId {
            let mut block = self.roster.records.read(row..row + 1, buffer)?;
            let said = self.roster.said(&block.record(row, ends)?, row, None);
            same_person(said.name.as_deref(), said.employee_id.as_deref(), text)
        } else {
            self.key_text(likeness, row, text)
        };
        Ok(is_there.then(|| text.clone()))
    }

    /// The text that a row has for its address; whether it has one.
    fn key_text(&self, likeness: Likeness, row: usize, text: &mut String) -> bool {
        let Some(key) = self.roster.key(row) else { return false };
        match likeness.of_key() {
            Some(make) => make(key, text),
            None => key.clone_into(text),
        }
        true
    }

    /// The texts that a user has.
    fn user_texts(&self, likeness: Likeness, user: usize, text: &mut String, mut note: impl FnMut(&str)) {
        match likeness {
            Likeness::NameAndEmployeeId => {
                let cells = self.snapshot.cells(user);
                let [name, id] = [Cell::Name, Cell::EmployeeId].map(|cell| cells[cell as usize]);
                if same_person(name, id, text) {
                    note(text);
                }
            }
            Likeness::OtherContact => {
                let contacts = self.snapshot.cell(Cell::Contacts, user).unwrap_or_default();
                for contact in contacts.split_whitespace() {
                    if email::normalise_into(contact, text).is_ok() {
                        note(text);
                    }
                }
            }
            Likeness::Confusable | Likeness::PlusOrDots | Likeness::SisterDomain => {
                let username = self.snapshot.username_keys().and_then(|keys| keys.get(user));
                for key in [self.snapshot.keys().get(user), username].into_iter().flatten() {
                    if let Some(make) = likeness.of_key() {
                        make(key, text);
                        note(text);
                    }
                }
            }
        }
    }

    /// The new rows by their texts.
    fn groups(&self, likeness: Likeness) -> Result<Groups> {
        let n = self.new.len();
        let by_hash = HashMap::with_capacity_and_hasher(n, BuildHasherDefault::default());
        let mut groups = Groups { by_hash, rows: Vec::with_capacity(n), few: Few::of(n) };
        let take = |_: usize, hashes: Vec<(usize, u64)>| {
            self.effort.stop.check()?;
            for (row, hash) in hashes {
                groups.by_hash.entry(hash).or_insert(Group { first: row, user: None });
                groups.few.add(hash);
                groups.rows.push((row, hash));
            }
            Ok(())
        };
        let threads = self.effort.threads;
        if likeness == Likeness::NameAndEmployeeId {
            let blocks = self.roster.records.blocks(self.effort.chunk_bytes);
            let make = |own: &mut Own, at: usize| self.people(blocks[at].clone(), own);
            in_order(blocks.len(), threads, make, take)?;
        } else {
            let make = |own: &mut Own, piece: usize| {
                let rows = &self.new[piece * PIECE..((piece + 1) * PIECE).min(self.new.len())];
                let hashed =
                    |row: &usize| self.key_text(likeness, *row, &mut own.text).then(|| (*row, hash(&own.text)));
                Ok::<Vec<_>, Error>(rows.iter().filter_map(hashed).collect())
            };
            in_order(self.new.len().div_ceil(PIECE), threads, make, take)?;
        }
        Ok(groups)
    }

    /// The new rows of one block by name and employee id.
    fn people(&self, block: Range<usize>, own: &mut Own) -> Result<Vec<(usize, u64)>> {
        let begin = self.new.partition_point(|row| *row < block.start);
        let rows = &self.new[begin..begin + self.new[begin..].partition_point(|row| *row < block.end)];
        let mut found = Vec::with_capacity(rows.len());
        if rows.is_empty() {
            return Ok(found);
        }
        let mut block = self.roster.records.read(block, &mut own.buffer)?;
        for row in rows {
            let said = self.roster.said(&block.record(*row, &mut own.ends)?, *row, None);
            if same_person(said.name.as_deref(), said.employee_id.as_deref(), &mut own.text) {
                found.push((*row, hash(&own.text)));
            }
        }
        Ok(found)
    }

    /// Lets all users pass by.
    fn meet_users(&self, likeness: Likeness, groups: &mut Groups) -> Result<()> {
        let n = self.snapshot.len();
        let (by_hash, few) = (&groups.by_hash, &groups.few);
        let make = |own: &mut Own, piece: usize| {
            let mut found = Vec::new();
            for user in piece * PIECE..((piece + 1) * PIECE).min(n) {
                self.user_texts(likeness, user, &mut own.text, |text| {
                    let hash = hash(text);
                    if few.may_have(hash) && by_hash.contains_key(&hash) {
                        found.push((hash, user));
                    }
                });
            }
            Ok::<_, Error>(found)
        };
        let mut hits = Vec::new();
        in_order(n.div_ceil(PIECE), self.effort.threads, make, |_, found: Vec<(u64, usize)>| {
            self.effort.stop.check()?;
            hits.extend(found);
            Ok(())
        })?;
        for (hash, user) in hits {
            if let Some(group) = groups.by_hash.get_mut(&hash)
                && group.user.is_none_or(|best| self.rank(user) < self.rank(best))
            {
                group.user = Some(user);
            }
        }
        Ok(())
    }

    /// The best of several users is named: as for holders, and never by the order of a snapshot.
    fn rank(&self, user: usize) -> impl Ord + '_ {
        (self.snapshot.rank(user), self.snapshot.keys().get(user), self.snapshot.cells(user))
    }
}

/// One text for whoever has this name and this employee id; whether there are both.
fn same_person(name: Option<&str>, id: Option<&str>, into: &mut String) -> bool {
    into.clear();
    let (Some(name), Some(id)) = (name, id.map(str::trim)) else { return false };
    let name = name::folded(name);
    if name.is_empty() || id.is_empty() {
        return false;
    }
    into.push_str(&name);
    into.push('\n');
    into.push_str(id);
    true
}
