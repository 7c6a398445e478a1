//! `again.csv`: new rows that earlier plans sent and the service refused, where sending them once more promises nothing
//! new. Corrected, it can be fed back.

use std::io::Write;
use std::path::Path;

use crate::columns;
use crate::error::Result;
use crate::files::csv::{self, push_cell, push_number};
use crate::files::manifest::{Digest, Digested};
use crate::plan::after::Again;
use crate::plan::{Room, Teller};

/// File name in a plan directory.
pub const FILE: &str = "again.csv";

/// Writes the rows, in their order: source cells, the tool cells of the plan, and how often, why, and whether anything
/// was changed since.
///
/// # Errors
/// `File`.
pub fn write(dir: &Path, teller: &Teller<'_>, rows: &[Again]) -> Result<Digest> {
    let mut out = Digested::new(&dir.join(FILE))?;
    let sheet = &teller.roster.records.sheet;
    let tools: Vec<&str> = columns::PLAN_TOOL.iter().chain(&columns::AGAIN_TOOL).copied().collect();
    out.write_all(&csv::header(sheet, &tools)).map_err(|e| out.failed(e))?;
    let (mut line, mut buffer, mut room) = (Vec::new(), Vec::new(), Room::default());
    let (by, eol) = (sheet.dialect.delimiter, sheet.dialect.eol);
    for row in rows {
        line.clear();
        let mut block = teller.roster.records.read(row.row..row.row + 1, &mut buffer)?;
        let (record, told, _) = teller.tell(&mut block, row.row, &mut room)?;
        csv::push_source(&mut line, record.source(), record.n_missing(), sheet.dialect);
        csv::push_told(&mut line, &told, record.extra(), sheet.dialect);
        line.truncate(line.len() - eol.len());
        push_number(&mut line, Some(row.times.into()), by);
        let is_changed = if row.is_changed { "yes" } else { "no" };
        for cell in [row.code.as_deref(), row.words.as_deref(), Some(is_changed)] {
            line.push(by);
            push_cell(&mut line, cell.unwrap_or_default(), by);
        }
        line.extend_from_slice(eol.as_bytes());
        out.write_all(&line).map_err(|e| out.failed(e))?;
    }
    out.commit()
}
