//! A parquet of rows with all their source columns, as text, and the tool columns behind them.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use crate::cells::{Holds, Value};
use crate::columns;
use crate::error::Result;
use crate::files::atomic;
use crate::files::parquet::{Encoder, Group, GroupWriter};
use crate::files::pour::Own;
use crate::lanes::{Effort, Part, in_order};
use crate::plan::{COLUMNS, Disagreeing, Teller, Verdict};

/// Writes the rows of some verdicts, atomically; how many present rows among them disagree. A source column that has a tool column's name gets `_source`.
///
/// # Errors
/// `File`, naming the path.
pub fn write(path: &Path, teller: &Teller<'_>, verdicts: &[Verdict], effort: Effort) -> Result<Disagreeing> {
    let names = column_names(&teller.roster.records.sheet.header);
    let blocks = teller.roster.records.blocks(effort.chunk_bytes);
    // Behind the source cells the tool cells, whose last is a record's surplus.
    let tools = columns::PLAN_TOOL.len() - 1;
    let layout = names.iter().map(|name| (name.as_str(), Holds::Texts));
    let layout = layout.chain(COLUMNS[..tools].iter().copied()).chain([(columns::EXTRA, Holds::Texts)]);
    let mut disagreeing = Disagreeing::default();
    atomic::write(path, |out| {
        let (mut writer, encoder) = GroupWriter::new(out, layout)?;
        let make = |own: &mut Own, at: usize| rows(teller, &encoder, names.len(), verdicts, blocks[at].clone(), own);
        let mut portion = effort.meter.expect(Part::Write, blocks.iter().map(|rows| rows.len() as u64).sum());
        in_order(blocks.len(), effort.threads, make, |at, group| {
            effort.stop.check()?;
            portion.pass(blocks[at].len() as u64);
            group.map_or(Ok(()), |(group, found)| {
                disagreeing = disagreeing.plus(found);
                writer.append(group)
            })
        })?;
        writer.finish()
    })?;
    Ok(disagreeing)
}

/// The rows of one block that are wanted; none if none is.
fn rows(
    teller: &Teller<'_>,
    encoder: &Encoder,
    n_source: usize,
    verdicts: &[Verdict],
    rows: Range<usize>,
    own: &mut Own,
) -> Result<Option<(Group, Disagreeing)>> {
    let wanted: Vec<usize> = rows.clone().filter(|at| verdicts.contains(&teller.verdicts.verdict(*at))).collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let (mut group, mut disagreeing) = (encoder.rows(wanted.len()), Disagreeing::default());
    let mut block = teller.roster.records.read(rows, &mut own.buffer)?;
    for at in wanted {
        let (record, told, said) = teller.tell(&mut block, at, &mut own.room)?;
        disagreeing.add(&told);
        (0..n_source).for_each(|at| group.push(at, Value::Text(Some(&record.cell(at)))));
        let extra = record.decoded_extra();
        let extra = Value::Text(Some(&*extra).filter(|extra| !extra.is_empty()));
        let tools = told.values(&said).into_iter().take(columns::PLAN_TOOL.len() - 1);
        group.extend(n_source, tools.chain([extra]));
    }
    Ok(Some((encoder.encode(group)?, disagreeing)))
}

/// A name for each source column that no other has: blank headers are numbered, tool columns keep theirs.
fn column_names(header: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    let mut taken: HashSet<String> = columns::PLAN_TOOL.iter().map(|tool| (*tool).to_owned()).collect();
    for (at, text) in header.iter().enumerate() {
        let mut name = if text.is_empty() { format!("column_{}", at + 1) } else { text.clone() };
        while !taken.insert(name.clone()) {
            name += "_source";
        }
        names.push(name);
    }
    names
}
