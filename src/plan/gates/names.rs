//! Whether people are called here as they are called there, where the address says that they are the same.

use super::{Gate, JUDGED_MIN, OTHER_NAMES_PERCENT_MAX, Which};
use crate::error::Result;
use crate::name;
use crate::number::Number;
use crate::plan::{Teller, Verdict};
use crate::roster::Facts;
use crate::snapshot::Cell;

/// Names that are compared; and rows that are looked at for them, since not every user has a name that can be compared.
const SAMPLE: u64 = 1_000;
const LOOKS_MAX: usize = 10_000;
/// What stands behind the point of the golden ratio, in parts of 2^64; odd, so no two rows leave the same.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// How many of the people who are there have not one word of their name in common with whoever holds their address. Names
/// that are addresses or may be logins, or cannot be compared ([`name::shares_a_word`]), do not count.
pub(super) fn other_names(teller: &Teller<'_>) -> Result<Option<Gate>> {
    let is_there = |at: usize| matches!(teller.verdicts.verdict(at), Verdict::Present | Verdict::Deleted);
    let is_named = |at: usize| !teller.roster.facts_at(at).has(Facts::NAMELESS);
    let rows = (0..teller.roster.n_rows()).filter(|at| is_there(*at) && is_named(*at));
    let mut rows: Vec<u32> = rows.filter_map(|at| u32::try_from(at).ok()).collect();
    let (mut n_looked, mut n_compared, mut n_other, mut room) = (0, 0, 0, (Vec::new(), Vec::new()));
    let n_rows = rows.len();
    for row in spread(&mut rows) {
        if n_compared == SAMPLE {
            break;
        }
        n_looked += 1;
        if let Some(is_same) = is_same(teller, *row as usize, &mut room)? {
            n_compared += 1;
            n_other += u64::from(!is_same);
        }
    }
    if n_compared < JUDGED_MIN {
        return Ok(None);
    }
    let of = if n_looked < n_rows { format!(", a sample of {},", Number(n_rows as u64)) } else { String::new() };
    let what = format!(
        "{} of {} names{of} have no word in common with the name of the user who has the address; at most \
         {OTHER_NAMES_PERCENT_MAX}% should (addresses shifted against the names, addresses of others, or the wrong \
         organisation?)",
        Number(n_other),
        Number(n_compared)
    );
    Ok(Some(Gate { gate: Which::OtherNames, tripped: n_other * 100 > n_compared * OTHER_NAMES_PERCENT_MAX, what }))
}

/// Whether the row at `at` and its holder have a word of their names in common; none if they cannot be compared.
fn is_same(teller: &Teller<'_>, at: usize, room: &mut (Vec<u8>, Vec<u32>)) -> Result<Option<bool>> {
    let holder = teller.verdicts.holder(at).and_then(|holder| teller.snapshot.cell(Cell::Name, holder.user));
    let key = teller.roster.key(at).unwrap_or_default();
    let Some(theirs) = holder.filter(|name| !is_address(name, key)) else { return Ok(None) };
    let (buffer, ends) = room;
    let mut block = teller.roster.records.read(at..at + 1, buffer)?;
    let said = teller.roster.said(&block.record(at, ends)?, at, None);
    let mine = said.name.as_deref().filter(|name| !is_address(name, key));
    let is_same = mine.and_then(|mine| name::shares_a_word(mine, theirs));
    Ok(is_same.filter(|is_same| *is_same || !name::is_one_word(theirs)))
}

/// Whether a name is none, but the address over again or what stands before its `@`.
fn is_address(name: &str, key: &str) -> bool {
    let name = name::folded(name);
    name.is_empty() || name == key || key.split_once('@').is_some_and(|(local, _)| name == local)
}

/// Puts rows into an order of which every beginning is spread evenly over the file, whatever comes in it at which distances:
/// by what is left of a row's multiple of the golden ratio. Only that many rows are in order that are looked at.
fn spread(rows: &mut [u32]) -> &[u32] {
    let left = |row: &u32| u64::from(*row).wrapping_mul(GOLDEN);
    if rows.len() > LOOKS_MAX {
        rows.select_nth_unstable_by_key(LOOKS_MAX, left);
    }
    let first = rows.len().min(LOOKS_MAX);
    rows[..first].sort_unstable_by_key(left);
    &rows[..first]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_comes_once_and_every_beginning_is_spread_evenly() {
        for n in (0..300).chain([999, 4_096, 9_999, 10_000]) {
            let mut rows: Vec<u32> = (0..n).collect();
            spread(&mut rows);
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..n), "{n}");
        }
        for n in [100_u32, 1_024, 10_000, 40_000, 99_991, 1_000_000] {
            let mut rows: Vec<u32> = (0..n).collect();
            let first = spread(&mut rows);
            for n_taken in [10, 317, 1_000, 10_000].into_iter().filter(|taken| *taken <= first.len()) {
                let mut taken: Vec<u32> = first[..n_taken].iter().copied().chain([n]).collect();
                taken.sort_unstable();
                let gaps = taken.iter().scan(0, |before, at| Some(at - std::mem::replace(before, *at)));
                assert!(gaps.max().unwrap_or(n) as usize <= 3 * n as usize / n_taken, "{n} {n_taken}");
                // Of rows that come two by two, or a hundred by a hundred, every one has its share.
                for period in [2, 100].into_iter().filter(|period| *period * 10 <= n_taken) {
                    let share = taken[..n_taken].iter().filter(|row| (**row as usize).is_multiple_of(period)).count();
                    assert!(share.abs_diff(n_taken / period) <= 5, "{n} {n_taken} {period} {share}");
                }
            }
        }
    }

    #[test]
    fn the_order_of_rows_is_no_matter_of_how_they_were_found() {
        let mut rows: Vec<u32> = (0..25_000).collect();
        let mut turned: Vec<u32> = (0..25_000).rev().collect();
        let first = spread(&mut rows);
        assert_eq!((first, first.len()), (spread(&mut turned), LOOKS_MAX));
    }
}
