//! Clusters on their way into a file: one line or row a member, as CSV or parquet.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use crate::audit::{COLUMNS, Teller};
use crate::error::{Error, Kind, Result};
use crate::files::parquet::GroupWriter;
use crate::files::{atomic, csv};
use crate::lanes::{Effort, Part, in_order};

/// Members that one thread tells of at a time.
const PIECE_MEMBERS: usize = 1 << 14;
/// A CSV of clusters has no source whose way of writing it could keep.
const DELIMITER: u8 = b',';
const EOL: &str = "\n";

/// Writes them as CSV: a header, and a line for each member.
///
/// # Errors
/// Whatever `out` fails with; `Interrupted`.
pub fn write_csv(out: &mut dyn Write, teller: &Teller<'_>, effort: Effort) -> Result<()> {
    let failed = |e: std::io::Error| Error::new(Kind::File, "cannot write rows").because(e);
    let header = COLUMNS.map(|(name, _)| name).join(",") + EOL;
    out.write_all(header.as_bytes()).map_err(failed)?;
    let make = |n_bytes: &mut usize, piece: usize| {
        let mut lines = Vec::with_capacity(*n_bytes);
        teller.tell(members(teller, piece), |member| csv::push_line(&mut lines, &member.values(), DELIMITER, EOL));
        // The next piece needs about as much.
        *n_bytes = lines.len() + lines.len() / 8;
        Ok(lines)
    };
    let mut portion = effort.meter.expect(Part::Write, teller.n_members() as u64);
    in_order(n_pieces(teller), effort.threads, make, |at, lines| {
        effort.stop.check()?;
        portion.pass(members(teller, at).len() as u64);
        out.write_all(&lines).map_err(failed)
    })
}

/// Writes them as parquet, atomically.
///
/// # Errors
/// `File`, naming the path; `Interrupted`.
pub fn write_parquet(path: &Path, teller: &Teller<'_>, effort: Effort) -> Result<()> {
    atomic::write(path, |out| {
        let (mut writer, encoder) = GroupWriter::new(out, COLUMNS)?;
        let make = |(): &mut (), piece: usize| {
            let members = members(teller, piece);
            let mut rows = encoder.rows(members.len());
            teller.tell(members, |member| rows.extend(0, member.values()));
            encoder.encode(rows)
        };
        let mut portion = effort.meter.expect(Part::Write, teller.n_members() as u64);
        in_order(n_pieces(teller), effort.threads, make, |at, group| {
            effort.stop.check()?;
            portion.pass(members(teller, at).len() as u64);
            writer.append(group)
        })?;
        writer.finish()
    })
}

fn n_pieces(teller: &Teller<'_>) -> usize {
    teller.n_members().div_ceil(PIECE_MEMBERS)
}

fn members(teller: &Teller<'_>, piece: usize) -> Range<usize> {
    piece * PIECE_MEMBERS..((piece + 1) * PIECE_MEMBERS).min(teller.n_members())
}
