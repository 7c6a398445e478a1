//! What people are compared by where that is not the address: a name, an employee id.

use polars::prelude::StringChunkedBuilder;
use unicode_normalization::UnicodeNormalization;

use super::People;
use crate::columns;
use crate::email;
use crate::error::{Error, Result};
use crate::lanes::{Effort, in_order};
use crate::roster::{Facts, Reread, Roster, RowFault};
use crate::snapshot::{Cell, Snapshot};
use crate::strings::Strings;

/// Users that one thread looks at at a time.
const PIECE_USERS: usize = 1 << 14;

/// The names of all, as they are compared; null where somebody has none.
///
/// # Errors
/// `File` if a roster is not what it was.
pub fn names(people: &People, effort: Effort) -> Result<Strings> {
    let own = |name: Option<&str>| name.map(folded).filter(|name| !name.is_empty());
    match people {
        People::Rows(roster) => {
            of_rows(roster, effort, |record, at| own(roster.said(record, at, None).name.as_deref()))
        }
        People::Users(snapshot) => of_users(snapshot, effort, |at| own(snapshot.cell(Cell::Name, at))),
    }
}

/// The employee ids of all; null where somebody has none. Of a roster they are in that column, of an organisation they
/// stand in `ids`.
///
/// # Errors
/// `File` if a roster is not what it was.
pub fn employee_ids(people: &People, column: Option<usize>, ids: Option<&Strings>, effort: Effort) -> Result<Strings> {
    match (people, column) {
        (People::Rows(roster), Some(column)) => of_rows(roster, effort, |record, _| own_id(&record.cell(column))),
        (People::Rows(roster), None) => Ok(Strings::nulls(columns::KEY, roster.n_rows())),
        (People::Users(snapshot), _) => of_users(snapshot, effort, |at| employee_id(snapshot, at, ids)),
    }
}

/// A user's employee id. A snapshot of ours keeps none yet: only an export has a column of them, which comes beside.
fn employee_id(_snapshot: &Snapshot, at: usize, exported: Option<&Strings>) -> Option<String> {
    exported.and_then(|ids| ids.get(at)).and_then(own_id)
}

fn own_id(cell: &str) -> Option<String> {
    let id = cell.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// One value for each row. What stands in a record that is not sound may stand in a wrong column, and a template's
/// example is nobody.
fn of_rows(
    roster: &Roster,
    effort: Effort,
    value: impl Fn(&Reread<'_, '_>, usize) -> Option<String> + Sync,
) -> Result<Strings> {
    let blocks = roster.records.blocks(effort.chunk_bytes);
    let is_somebody = |at: usize| {
        let facts = roster.facts_at(at);
        !facts.has(Facts::UNSOUND) && facts.reason().code() != Some(RowFault::Example.code())
    };
    let make = |(buffer, ends): &mut (Vec<u8>, Vec<u32>), at: usize| -> Result<_> {
        let mut values = StringChunkedBuilder::new(columns::KEY.into(), blocks[at].len());
        let mut block = roster.records.read(blocks[at].clone(), buffer)?;
        for at in blocks[at].clone() {
            let own = if is_somebody(at) { value(&block.record(at, ends)?, at) } else { None };
            values.append_option(own);
        }
        Ok(values)
    };
    gathered(blocks.len(), effort, make)
}

fn of_users(snapshot: &Snapshot, effort: Effort, value: impl Fn(usize) -> Option<String> + Sync) -> Result<Strings> {
    let make = |(): &mut (), piece: usize| -> Result<_> {
        let users = piece * PIECE_USERS..((piece + 1) * PIECE_USERS).min(snapshot.len());
        let mut values = StringChunkedBuilder::new(columns::KEY.into(), users.len());
        users.for_each(|at| values.append_option(value(at)));
        Ok(values)
    };
    gathered(snapshot.len().div_ceil(PIECE_USERS), effort, make)
}

fn gathered<S: Default>(
    n_pieces: usize,
    effort: Effort,
    make: impl Fn(&mut S, usize) -> Result<StringChunkedBuilder> + Sync,
) -> Result<Strings> {
    let mut all = Strings::nulls(columns::KEY, 0);
    in_order(n_pieces, effort.threads, make, |_, piece| {
        effort.stop.check()?;
        all.append(piece.finish())?;
        Ok::<_, Error>(())
    })?;
    Ok(all)
}

/// A name as it is compared: without what cannot be seen, NFKC, lower case, one blank between its parts.
fn folded(name: &str) -> String {
    let plain = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        email::lower(&name.chars().filter(|c| !email::is_invisible(*c)).nfkc().collect::<String>())
    };
    let mut folded = String::with_capacity(plain.len());
    for part in plain.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(part);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_whatever_its_case_its_blanks_and_the_form_of_its_letters() {
        for name in [
            "Rémi  de Brûlé",
            " RÉMI\u{a0}DE\tBRÛLÉ ",
            "Re\u{301}mi de Bru\u{302}le\u{301}",
            "\u{ff32}émi\u{200b} de Brûlé",
        ] {
            assert_eq!(folded(name), "rémi de brûlé", "{name:?}");
            assert_eq!(folded(&folded(name)), folded(name));
        }
        assert_eq!(folded("Ada  LOVELACE"), "ada lovelace");
        assert_eq!(folded(" \u{200b}\u{a0} "), "");
        // Accents tell people apart.
        assert_ne!(folded("Remi"), folded("Rémi"));
    }
}
