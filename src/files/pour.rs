//! The rows of a plan, poured into files: one pass over the roster, however many files there are.
//!
//! Threads make the bytes of one block of rows after the other; the caller takes them in order.

use crate::error::Result;
use crate::files::csv;
use crate::files::parquet::{Encoder, Group};
use crate::lanes::{Effort, Part, in_order};
use crate::plan::{Disagreeing, Room, Teller, Verdict};

/// What is wanted of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// For each verdict, in the order of [`Verdict::ALL`], the CSV that its rows go to; none for nowhere.
    pub csv: [Option<usize>; Verdict::ALL.len()],
    /// Who encodes a plan's frame of all rows, if it is wanted: one with the columns of [`COLUMNS`].
    ///
    /// [`COLUMNS`]: crate::plan::COLUMNS
    pub frame: Option<&'a Encoder>,
}

/// What came of one block of rows.
#[derive(Debug, Default)]
pub struct Poured {
    /// For each CSV the lines that come next.
    pub csv: [Vec<u8>; Verdict::ALL.len()],
    /// The rows of the frame that come next.
    pub frame: Option<Group>,
    /// Present rows among them that disagree with the organisation, as far as they were told.
    pub disagreeing: Disagreeing,
}

/// Rows whose holders are gone to at a time: what they bring stays in the first-level cache until it is told.
const APPROACHED: usize = 32;

/// What a thread uses again from block to block.
#[derive(Default)]
pub(super) struct Own {
    pub buffer: Vec<u8>,
    pub room: Room,
    n_bytes: [usize; Verdict::ALL.len()],
}

/// Pours all rows.
///
/// # Errors
/// `File` if the roster is not what it was; whatever `take` fails with.
pub fn pour(
    teller: &Teller<'_>,
    wanted: Wanted<'_>,
    effort: Effort,
    mut take: impl FnMut(Poured) -> Result<()>,
) -> Result<()> {
    let blocks = teller.roster.records.blocks(effort.chunk_bytes);
    let make = |own: &mut Own, at: usize| one_block(teller, wanted, blocks[at].clone(), own);
    let n_rows = blocks.iter().map(|rows| rows.len() as u64).sum();
    let mut portion = effort.meter.expect(Part::Write, n_rows);
    in_order(blocks.len(), effort.threads, make, |at, poured| {
        effort.stop.check()?;
        portion.pass(blocks[at].len() as u64);
        take(poured)
    })
}

fn one_block(teller: &Teller<'_>, wanted: Wanted<'_>, rows: std::ops::Range<usize>, own: &mut Own) -> Result<Poured> {
    let csv_of = |at: usize| wanted.csv[teller.verdicts.verdict(at) as usize];
    let mut poured = Poured { csv: own.n_bytes.map(Vec::with_capacity), ..Poured::default() };
    if wanted.frame.is_none() && !rows.clone().any(|at| csv_of(at).is_some()) {
        return Ok(poured);
    }
    let dialect = teller.roster.records.sheet.dialect;
    let mut frame = wanted.frame.map(|encoder| encoder.rows(rows.len()));
    let mut block = teller.roster.records.read(rows.clone(), &mut own.buffer)?;
    let end = rows.end;
    for at in rows {
        if wanted.frame.is_some() && at % APPROACHED == 0 {
            teller.approach(at..(at + APPROACHED).min(end));
        }
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
        let (record, told, said) = teller.tell(&mut block, at, &mut own.room)?;
        poured.disagreeing.add(&told);
        if let Some(csv) = csv {
            csv::push_source(&mut poured.csv[csv], record.source(), record.n_missing(), dialect);
            csv::push_told(&mut poured.csv[csv], &told, record.extra(), dialect);
        }
        if let Some(frame) = &mut frame {
            frame.extend(0, told.values(&said));
        }
    }
    // The next block needs about as much.
    own.n_bytes = std::array::from_fn(|csv| poured.csv[csv].len() + poured.csv[csv].len() / 8);
    poured.frame = wanted.frame.zip(frame).map(|(encoder, rows)| encoder.encode(rows)).transpose()?;
    Ok(poured)
}
