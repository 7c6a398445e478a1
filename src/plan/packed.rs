//! Keys, copied together by their hash, so that those which may be the same lie side by side.
//!
//! A join looks for each key of one side among those of the other, all over memory: most of its time is waiting. Here each
//! thread first deals its keys out, by the upper bits of their hash, into parts that fit into a cache with all that the
//! join of a part needs. A part keeps the order of the rows, since each thread deals a run of them and the runs stay in
//! order. With very many keys only some of the hashes are dealt at a time: memory for the copies does not grow with them.

use std::ops::Range;
use std::thread;

use xxhash_rust::xxh3::xxh3_64;

use crate::strings::Strings;

/// The hash of a key: XXH3, 64 bits.
#[must_use]
pub fn hash(key: &str) -> u64 {
    xxh3_64(key.as_bytes())
}

/// How a key is hashed: tests do it badly on purpose.
pub(super) type Hash = fn(&str) -> u64;

/// Keys of one side, by number; some have none.
pub(super) struct Side<'a> {
    first: &'a Strings,
    /// Further keys of some of them, and whose.
    second: Option<(&'a Strings, Vec<u32>)>,
}

impl<'a> Side<'a> {
    /// The keys of one column, each numbered by its place; and behind them those that a second column has beside.
    pub(super) fn of(first: &'a Strings, second: Option<&'a Strings>) -> Self {
        let places = |column: &'a Strings| (0..).zip(column.iter()).filter(|(_, key)| key.is_some()).map(|(at, _)| at);
        Self { first, second: second.map(|column| (column, places(column).collect())) }
    }

    /// How many there are, those without a key included.
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.second.as_ref().map_or(0, |(_, places)| places.len())
    }

    /// How many entries the first column has, and the places of those of the second.
    pub(super) fn into_places(self) -> (usize, Vec<u32>) {
        (self.first.len(), self.second.map_or_else(Vec::new, |(_, places)| places))
    }

    /// Where an entry stands in its column, and whether that is the second.
    pub(super) fn place(&self, at: u32) -> (usize, bool) {
        match (&self.second, (at as usize).checked_sub(self.first.len())) {
            (Some((_, places)), Some(behind)) => (places[behind] as usize, true),
            _ => (at as usize, false),
        }
    }

    #[inline]
    fn text(&self, at: usize) -> Option<&str> {
        match (&self.second, at.checked_sub(self.first.len())) {
            (Some((keys, places)), Some(behind)) => keys.get(places[behind] as usize),
            _ => self.first.get(at),
        }
    }
}

/// Which hashes are dealt, and into how many parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deal {
    /// Of the hashes, this of so many waves.
    pub wave: u64,
    pub n_waves: u64,
    /// Parts of a wave.
    pub n_parts: u64,
}

impl Deal {
    /// The part that a hash falls to; none if another wave's.
    #[inline]
    fn part(self, hash: u64) -> Option<usize> {
        let place = ((hash >> 32) * self.n_waves * self.n_parts) >> 32;
        let part = place.checked_sub(self.wave * self.n_parts).filter(|part| *part < self.n_parts);
        part.map(|part| part as usize)
    }
}

/// The least that is worth a thread.
const RUN_KEYS_MIN: usize = 1 << 13;
/// Bytes that a key takes in a part, as a rule.
const CARD_BYTES: usize = 40;
/// Bytes before a key: its hash, its number, its length.
const HEAD: usize = 13;

/// One key of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Card<'p> {
    pub hash: u64,
    /// Number of the row or entry.
    pub at: u32,
    pub key: &'p [u8],
}

/// Keys that lie together.
#[derive(Debug, Default)]
pub(super) struct Part {
    bytes: Vec<u8>,
}

impl Part {
    fn push(&mut self, hash: u64, at: u32, key: &[u8]) {
        // A key is an address: at most 254 octets.
        let n = u8::try_from(key.len()).unwrap_or(u8::MAX);
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&hash.to_le_bytes());
        head[8..12].copy_from_slice(&at.to_le_bytes());
        head[12] = n;
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(&key[..usize::from(n)]);
    }

    /// How long it is.
    pub(super) const fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The key that begins at `place`, and where the next one does.
    #[inline]
    pub(super) fn card(&self, place: usize) -> Option<(Card<'_>, usize)> {
        let (head, rest) = self.bytes.get(place..)?.split_first_chunk::<HEAD>()?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, n] = *head;
        let (hash, at) = (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u32::from_le_bytes([i, j, k, l]));
        let key = rest.get(..usize::from(n))?;
        Some((Card { hash, at, key }, place + HEAD + key.len()))
    }

    /// All places of keys, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, Card<'_>)> + '_ {
        let mut place = 0;
        std::iter::from_fn(move || {
            let (card, next) = self.card(place)?;
            Some((std::mem::replace(&mut place, next), card))
        })
    }
}

/// The keys of a side, dealt by several threads: by run and part. The runs are in order, and so is each part of each.
pub(super) struct Dealt(Vec<Vec<Part>>);

impl Dealt {
    /// Puts the keys of a part together, in the order of their numbers.
    pub(super) fn gather(&self, part: usize, into: &mut Part) {
        into.bytes.clear();
        self.0.iter().for_each(|run| into.bytes.extend_from_slice(&run[part].bytes));
    }
}

/// Deals the keys of a side.
pub(super) fn deal(side: &Side<'_>, deal: Deal, hash: Hash, threads: usize) -> Dealt {
    let n = side.len();
    let each = n.div_ceil(threads.max(1)).max(RUN_KEYS_MIN);
    let runs = (0..n).step_by(each).map(|begin| begin..(begin + each).min(n));
    if n <= each {
        return Dealt(runs.map(|run| deal_run(side, deal, hash, run)).collect());
    }
    Dealt(thread::scope(|scope| {
        let start = |run: Range<usize>| {
            let deal = move || deal_run(side, deal, hash, run);
            thread::Builder::new().spawn_scoped(scope, deal)
        };
        // Where the machine refuses a thread, the caller does its work.
        let threads: Vec<_> = runs.map(|run| start(run.clone()).map_err(|_| run)).collect();
        let wait = |thread: thread::ScopedJoinHandle<'_, Vec<Part>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(|t| t.map_or_else(|run| deal_run(side, deal, hash, run), wait)).collect()
    }))
}

fn deal_run(side: &Side<'_>, deal: Deal, hash: Hash, run: Range<usize>) -> Vec<Part> {
    #[expect(clippy::cast_possible_truncation, reason = "a guess at the room that is needed")]
    let n_bytes = run.len() * CARD_BYTES / (deal.n_waves * deal.n_parts) as usize;
    let mut parts: Vec<Part> = (0..deal.n_parts).map(|_| Part { bytes: Vec::with_capacity(n_bytes) }).collect();
    for at in run {
        let Some(key) = side.text(at) else { continue };
        let hash = hash(key);
        if let Some(part) = deal.part(hash) {
            // Rows and users are fewer than 2³²: that is checked on reading.
            parts[part].push(hash, u32::try_from(at).unwrap_or(u32::MAX), key.as_bytes());
        }
    }
    parts
}
