//! What people are compared by where that is not the address: a name, an employee id.

use polars::prelude::StringChunkedBuilder;

use super::People;
use crate::columns;
use crate::error::{Error, Result};
use crate::lanes::{Effort, in_order};
use crate::name;
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
    let own = |name: Option<&str>| name.map(name::folded).filter(|name| !name.is_empty());
    match people {
        People::Rows(roster) => {
            of_rows(roster, effort, |record, at| own(roster.said(record, at, None).name.as_deref()))
        }
        People::Users(snapshot) => of_users(snapshot, effort, |at| own(snapshot.cell(Cell::Name, at))),
    }
}

/// The employee ids of all; null where somebody has none.
///
/// # Errors
/// `File` if a roster is not what it was.
pub fn employee_ids(people: &People, effort: Effort) -> Result<Strings> {
    match people {
        People::Rows(roster) if roster.has_employee_ids() => {
            of_rows(roster, effort, |record, at| roster.said(record, at, None).employee_id.and_then(|id| own_id(&id)))
        }
        People::Rows(roster) => Ok(Strings::nulls(columns::KEY, roster.n_rows())),
        People::Users(snapshot) => {
            of_users(snapshot, effort, |at| snapshot.cell(Cell::EmployeeId, at).and_then(own_id))
        }
    }
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
