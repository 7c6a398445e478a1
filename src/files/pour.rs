//! The rows of a plan, poured into files: one pass over the roster, however many files there are.
//!
//! Threads make the bytes of one block of rows after the other; the caller takes them in order.

use polars::prelude::DataFrame;

use crate::error::Result;
use crate::files::csv;
use crate::lanes::{Effort, in_order};
use crate::plan::{Frame, Room, Teller, Verdict};

/// What is wanted of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// For each verdict, in the order of [`Verdict::ALL`], the CSV that its rows go to; none for nowhere.
    pub csv: [Option<usize>; Verdict::ALL.len()],
    /// Whether a plan's frame is wanted, of all rows.
    pub frame: bool,
}

/// What came of one block of rows.
#[derive(Debug, Default)]
pub struct Poured {
    /// For each CSV the lines that come next.
    pub csv: [Vec<u8>; Verdict::ALL.len()],
    /// The rows of the frame that come next.
    pub frame: Option<DataFrame>,
}

/// What a thread uses again from block to block.
#[derive(Default)]
pub(super) struct Own {
    pub buffer: Vec<u8>,
    pub room: Room,
}

/// Pours all rows.
///
/// # Errors
/// `File` if the roster is not what it was; whatever `take` fails with.
pub fn pour(
    teller: &Teller<'_>,
    wanted: Wanted,
    effort: Effort,
    mut take: impl FnMut(Poured) -> Result<()>,
) -> Result<()> {
    let blocks = teller.roster.records.blocks(effort.chunk_bytes);
    let make = |own: &mut Own, at: usize| one_block(teller, wanted, blocks[at].clone(), own);
    in_order(blocks.len(), effort.threads, make, |_, poured| take(poured))
}

fn one_block(teller: &Teller<'_>, wanted: Wanted, rows: std::ops::Range<usize>, own: &mut Own) -> Result<Poured> {
    let csv_of = |at: usize| wanted.csv[teller.verdicts.verdict(at) as usize];
    let mut poured = Poured::default();
    if !wanted.frame && !rows.clone().any(|at| csv_of(at).is_some()) {
        return Ok(poured);
    }
    let dialect = teller.roster.records.sheet.dialect;
    let mut frame = wanted.frame.then(|| Frame::of(rows.len()));
    let block = teller.roster.records.read(rows.clone(), &mut own.buffer)?;
    for at in rows {
        let csv = csv_of(at);
        if frame.is_none() && csv.is_none() {
            continue;
        }
        if frame.is_none() && teller.is_simple(at) {
            if let Some(csv) = csv {
                csv::push_source(&mut poured.csv[csv], block.source(at)?, 0, dialect);
                csv::push_told(&mut poured.csv[csv], &teller.sketch(at), "", dialect);
            }
            continue;
        }
        let (record, told, said) = teller.tell(&block, at, &mut own.room)?;
        if let Some(csv) = csv {
            csv::push_source(&mut poured.csv[csv], record.source(), record.n_missing(), dialect);
            csv::push_told(&mut poured.csv[csv], &told, record.extra(), dialect);
        }
        if let Some(frame) = &mut frame {
            frame.push(&told, &said);
        }
    }
    poured.frame = frame.map(Frame::finish).transpose()?;
    Ok(poured)
}
