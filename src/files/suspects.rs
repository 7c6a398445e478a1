//! `suspects.csv`: pairs for people to look at, a new row and what it resembles, both sides in one line.

use std::borrow::Cow;
use std::io::Write;

use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::csv::{push_cell, push_number};
use crate::plan::Teller;
use crate::plan::suspects::{Other, Suspect};
use crate::snapshot::Cell;

/// File name in a plan directory.
pub const FILE: &str = "suspects.csv";

/// The columns, in order.
const HEADER: [&str; 13] = [
    columns::ROW,
    columns::LINE,
    columns::EMAIL,
    columns::KEY,
    columns::NAME,
    columns::LIKENESS,
    columns::RESEMBLES,
    columns::OTHER_ROW,
    columns::OTHER_LINE,
    columns::USER_ID,
    columns::USER_STATE,
    columns::OTHER_EMAIL,
    columns::OTHER_NAME,
];

/// A row as it is shown.
#[derive(Debug, Default)]
struct Shown {
    email: String,
    name: String,
}

/// Writes the pairs, in the order of rows, behind a header.
///
/// # Errors
/// `File` if the roster is not what it was, or whatever `out` fails with.
pub fn write(out: &mut dyn Write, teller: &Teller<'_>, suspects: &[Suspect]) -> Result<()> {
    let failed = |e: std::io::Error| Error::new(Kind::File, format!("cannot write {FILE}")).because(e);
    let dialect = teller.roster.records.sheet.dialect;
    let by = char::from(dialect.delimiter).to_string();
    write!(out, "{}{}", HEADER.join(&by), dialect.eol).map_err(failed)?;
    let mut line = Vec::new();
    for suspect in suspects {
        line.clear();
        push(&mut line, teller, *suspect, dialect.delimiter)?;
        line.extend_from_slice(dialect.eol.as_bytes());
        out.write_all(&line).map_err(failed)?;
    }
    Ok(())
}

fn push(line: &mut Vec<u8>, teller: &Teller<'_>, suspect: Suspect, by: u8) -> Result<()> {
    let Suspect { row, likeness, other } = suspect;
    let text = |line: &mut Vec<u8>, cell: &str| {
        line.push(by);
        push_cell(line, cell, by);
    };
    let number = |at: usize| u32::try_from(at + 1).ok();
    let Shown { email, name } = shown(teller, row)?;
    // The first number stands before any delimiter.
    line.extend_from_slice((row + 1).to_string().as_bytes());
    push_number(line, Some(teller.roster.records.line(row)), by);
    for cell in [&email, teller.roster.key(row).unwrap_or_default(), &name, likeness.code()] {
        text(line, cell);
    }
    match other {
        Other::Row(at) => {
            let Shown { email, name } = shown(teller, at)?;
            text(line, "roster");
            push_number(line, number(at), by);
            push_number(line, Some(teller.roster.records.line(at)), by);
            ["", "", &email, &name].iter().for_each(|cell| text(line, cell));
        }
        Other::User(user) => {
            let cells = teller.snapshot.cells(user);
            let [id, email, name] = [Cell::Id, Cell::Email, Cell::Name].map(|c| cells[c as usize].unwrap_or_default());
            text(line, "organisation");
            push_number(line, None, by);
            push_number(line, None, by);
            [id, teller.snapshot.states[user].as_str(), email, name].iter().for_each(|cell| text(line, cell));
        }
    }
    Ok(())
}

/// What a row says of itself, read again from where it stands.
fn shown(teller: &Teller<'_>, at: usize) -> Result<Shown> {
    let (mut buffer, mut ends, mut key) = (Vec::new(), Vec::new(), String::new());
    let mut block = teller.roster.records.read(at..at + 1, &mut buffer)?;
    let said = teller.roster.said(&block.record(at, &mut ends)?, at, Some(&mut key));
    let owned = |cell: Option<Cow<'_, str>>| cell.map(Cow::into_owned).unwrap_or_default();
    Ok(Shown { email: owned(said.email), name: owned(said.name) })
}
