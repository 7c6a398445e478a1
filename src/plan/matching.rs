//! Rows and users with the same key find each other: the join that everything rests on.
//!
//! Keys are joined by a 64-bit hash, and compared as text on every hit, so that two that share a hash by chance are never
//! one person. They are joined part by part, each part by one thread. polars would join, too: that is what the tests hold
//! this against, and `benches/join.rs` says why it is not what ships.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Keep;
use super::packed::{Deal, Hash, Part, Side, deal};
use super::table::Table;
use crate::error::{Error, Result};
use crate::lanes::in_order;
use crate::reason::Reason;

/// Keys that are dealt out at a time: their copies take about forty bytes each.
const WAVE_KEYS: usize = 4 << 20;
/// Keys of both sides in one part: they and their tables fit into a second-level cache.
const PART_KEYS: usize = 1 << 15;
/// Most parts that are written to at a time.
const PARTS_MAX: usize = 256;

/// The best entry of the other side that has a row's key, and the row that stands for the key; both counted from 1, and 0 is
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair(u64);

impl Pair {
    fn of(holder: u32, stands: u32) -> Self {
        Self(u64::from(holder) << 32 | u64::from(stands))
    }

    fn put(self, pairs: &[AtomicU64], row: u32) {
        pairs[row as usize].store(self.0, Relaxed);
    }

    #[inline]
    pub(super) const fn holder(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    pub(super) const fn stands(self) -> u32 {
        self.0 as u32
    }
}

/// What came of the join, for each row.
#[derive(Debug)]
pub(super) struct Matched {
    pub pairs: Vec<Pair>,
    /// Rows that would stand for their key but cannot be created, and why.
    pub faults: Vec<(u32, Reason)>,
    /// How many entries have a key that more than one has, by the best of them.
    pub n_holders: HashMap<u32, u32>,
    /// How many keys have several rows of which none stands.
    pub n_fallen: u64,
}

/// How the join decides.
pub(super) struct Rules<'a> {
    /// Which of several rows with one key stands.
    pub keep: Keep,
    /// Whether the first of two entries is the better holder of their key.
    pub is_better: &'a (dyn Fn(u32, u32) -> bool + Sync),
    pub hash: Hash,
    pub threads: usize,
}

/// Why a row whose key nobody holds cannot be created, if it cannot: such a row never stands for a key.
pub(super) trait Judge {
    /// Looks at the row at `at`.
    fn fault(&mut self, at: usize) -> Result<Reason>;
}

/// Joins the keys of the rows with those of the entries.
pub(super) fn matched<J: Judge>(
    rows: &Side<'_>,
    entries: &Side<'_>,
    rules: &Rules<'_>,
    judge: impl Fn() -> J + Sync,
) -> Result<Matched> {
    let pairs: Vec<AtomicU64> = (0..rows.len()).map(|_| AtomicU64::new(0)).collect();
    let (mut faults, mut n_holders, mut n_fallen) = (Vec::new(), HashMap::new(), 0);
    let n = rows.len() + entries.len();
    let n_waves = n.div_ceil(WAVE_KEYS).max(1);
    let n_parts = (n / n_waves).div_ceil(PART_KEYS).clamp(1, PARTS_MAX).next_power_of_two();
    for wave in 0..n_waves {
        let how = Deal { wave: wave as u64, n_waves: n_waves as u64, n_parts: n_parts as u64 };
        let (rows, entries) =
            (deal(rows, how, rules.hash, rules.threads), deal(entries, how, rules.hash, rules.threads));
        let join = |own: &mut Own, at: usize| -> Result<_> {
            rows.gather(at, &mut own.row_part);
            entries.gather(at, &mut own.entry_part);
            if own.row_part.n_bytes().max(own.entry_part.n_bytes()) >= u32::MAX as usize {
                return Err(Error::bug("millions of keys have the same hash"));
            }
            join_part(own, rules, &pairs, &mut judge())
        };
        in_order(n_parts, rules.threads, join, |_, joined: Joined| {
            faults.extend(joined.faults);
            n_holders.extend(joined.n_holders);
            n_fallen += joined.n_fallen;
            Ok::<_, Error>(())
        })?;
    }
    Ok(Matched { pairs: pairs.into_iter().map(|pair| Pair(pair.into_inner())).collect(), faults, n_holders, n_fallen })
}

/// What came of one part, beside its pairs.
#[derive(Default)]
struct Joined {
    faults: Vec<(u32, Reason)>,
    n_holders: Vec<(u32, u32)>,
    n_fallen: u64,
}

/// Several holders of one key.
#[derive(Clone, Copy)]
struct Several {
    best: u32,
    n: u32,
}

/// What a thread uses again from part to part.
#[derive(Default)]
struct Own {
    row_part: Part,
    entry_part: Part,
    held: Table,
    open: Table,
    /// Places of the rows, and of those whose keys nobody holds.
    rows: Vec<u32>,
    open_rows: Vec<u32>,
    several: HashMap<u32, Several>,
}

/// A place in a part, as a slot keeps it.
fn numbered(place: usize) -> u32 {
    // A part is smaller: that is held against it before it is joined.
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Joins the rows of one part with its entries, and then with each other.
fn join_part(own: &mut Own, rules: &Rules<'_>, pairs: &[AtomicU64], judge: &mut impl Judge) -> Result<Joined> {
    let Own { row_part: rows, entry_part: entries, held, open, rows: places, open_rows, several } = own;
    several.clear();
    fill(held, several, entries, rules);
    places.clear();
    places.extend(rows.places().map(|(place, _)| numbered(place)));
    if rules.keep == Keep::Last {
        places.reverse();
    }
    let card_at = |place: u32| rows.card(place as usize).map(|(card, _)| card);
    let is_same = |key: &[u8], place: u32| entries.card(place as usize - 1).is_some_and(|(card, _)| card.key == key);
    let mut joined = Joined::default();
    if rules.keep == Keep::None {
        for card in places.iter().filter_map(|place| card_at(*place)) {
            let slot = held.slot(card.hash, |place| is_same(card.key, place));
            slot.kept += u32::from(slot.place != 0);
            joined.n_fallen += u64::from(slot.kept == 2);
        }
    }
    open_rows.clear();
    for (place, card) in places.iter().filter_map(|place| Some((*place, card_at(*place)?))) {
        let slot = held.slot(card.hash, |place| is_same(card.key, place));
        if slot.place == 0 {
            open_rows.push(place);
            continue;
        }
        let entry = entries.card(slot.place as usize - 1).map_or(0, |(card, _)| card.at + 1);
        let best = several.get(&slot.place).map_or(entry, |s| s.best);
        let stands = stand(rules.keep, card.at, &mut slot.kept, true).unwrap_or_default();
        Pair::of(best, stands).put(pairs, card.at);
    }
    joined.n_holders.extend(several.values().map(|s| (s.best, s.n)));
    joined.n_fallen += join_open(open, open_rows, rows, rules.keep, judge, |row, stands| match stands {
        Ok(stands) => Pair::of(0, stands).put(pairs, row),
        Err(reason) => joined.faults.push((row, reason)),
    })?;
    Ok(joined)
}

/// A table of the keys that somebody holds.
fn fill(held: &mut Table, several: &mut HashMap<u32, Several>, entries: &Part, rules: &Rules<'_>) {
    held.clear(entries.places().count());
    for (place, card) in entries.places() {
        let is_same = |other: u32| entries.card(other as usize - 1).is_some_and(|(other, _)| other.key == card.key);
        let slot = held.slot(card.hash, is_same);
        if slot.place == 0 {
            slot.place = numbered(place) + 1;
            continue;
        }
        let first = entries.card(slot.place as usize - 1).map_or(0, |(first, _)| first.at + 1);
        let found = several.entry(slot.place).or_insert(Several { best: first, n: 1 });
        found.n += 1;
        if (rules.is_better)(card.at, found.best - 1) {
            found.best = card.at + 1;
        }
    }
}

/// Joins the rows whose keys nobody holds with each other. `tell` gets each row, and the row that stands for its key or why
/// it does not though it would. How many keys have several rows of which none stands.
fn join_open(
    table: &mut Table,
    places: &[u32],
    rows: &Part,
    keep: Keep,
    judge: &mut impl Judge,
    mut tell: impl FnMut(u32, std::result::Result<u32, Reason>),
) -> Result<u64> {
    let mut n_fallen = 0;
    table.clear(places.len());
    let cards = || places.iter().filter_map(|place| Some((*place, rows.card(*place as usize)?.0)));
    let is_same = |key: &[u8], place: u32| rows.card(place as usize - 1).is_some_and(|(card, _)| card.key == key);
    if keep == Keep::None {
        for (place, card) in cards() {
            let slot = table.slot(card.hash, |other| is_same(card.key, other));
            slot.place = if slot.place == 0 { place + 1 } else { slot.place };
            slot.kept += 1;
            n_fallen += u64::from(slot.kept == 2);
        }
    }
    for (place, card) in cards() {
        let fault = judge.fault(card.at as usize)?;
        let slot = table.slot(card.hash, |other| is_same(card.key, other));
        slot.place = if slot.place == 0 { place + 1 } else { slot.place };
        match stand(keep, card.at, &mut slot.kept, fault == Reason::NONE) {
            Some(stands) => tell(card.at, Ok(stands)),
            None => tell(card.at, Err(fault)),
        }
    }
    Ok(n_fallen)
}

/// The row that stands for a key, counted from 1 and 0 for none, as far as this row and those before it tell; none if this
/// row would, were it fit. `kept` is the row that does; where none of several stands, it is how many there are.
#[inline]
fn stand(keep: Keep, row: u32, kept: &mut u32, is_fit: bool) -> Option<u32> {
    match keep {
        Keep::None if *kept != 1 => Some(0),
        Keep::First | Keep::Last if *kept != 0 => Some(*kept),
        _ if !is_fit => None,
        Keep::None => Some(row + 1),
        Keep::First | Keep::Last => {
            *kept = row + 1;
            Some(row + 1)
        }
    }
}
