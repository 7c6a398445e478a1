//! A parquet of rows with all their source columns, as text, and the tool columns behind them.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use polars::prelude::{Column, DataFrame, IntoSeries, StringChunkedBuilder};

use crate::columns;
use crate::error::Result;
use crate::files::atomic;
use crate::files::parquet::FrameWriter;
use crate::files::pour::Own;
use crate::lanes::{Effort, in_order};
use crate::plan::{Frame, Teller, Verdict};

/// Writes the rows of some verdicts, atomically. A source column that has a tool column's name gets `_source`.
///
/// # Errors
/// `File`, naming the path.
pub fn write(path: &Path, teller: &Teller<'_>, verdicts: &[Verdict], effort: Effort) -> Result<()> {
    let names = column_names(&teller.roster.records.sheet.header);
    let blocks = teller.roster.records.blocks(effort.chunk_bytes);
    atomic::write(path, |out| {
        let mut own = Own::default();
        let mut writer = FrameWriter::new(out, &rows(teller, &names, verdicts, 0..0, &mut own)?)?;
        let make = |own: &mut Own, at: usize| rows(teller, &names, verdicts, blocks[at].clone(), own);
        in_order(blocks.len(), effort.threads, make, |_, frame| writer.append(&frame))?;
        writer.finish()
    })
}

fn rows(
    teller: &Teller<'_>,
    names: &[String],
    verdicts: &[Verdict],
    rows: Range<usize>,
    own: &mut Own,
) -> Result<DataFrame> {
    let mut source: Vec<_> = names.iter().map(|name| StringChunkedBuilder::new(name.into(), rows.len())).collect();
    let mut extra = StringChunkedBuilder::new(columns::EXTRA.into(), rows.len());
    let mut frame = Frame::of(rows.len());
    let block = teller.roster.records.read(rows.clone(), &mut own.buffer)?;
    for at in rows.filter(|at| verdicts.contains(&teller.verdicts.verdict(*at))) {
        let (record, told, said) = teller.tell(&block, at, &mut own.room)?;
        source.iter_mut().enumerate().for_each(|(at, column)| column.append_value(record.cell(at)));
        extra.append_option(Some(record.decoded_extra()).filter(|extra| !extra.is_empty()));
        frame.push(&told, &said);
    }
    let tools = frame.finish()?;
    let mut all: Vec<Column> = source.into_iter().map(|column| column.finish().into_series().into()).collect();
    let extra: Column = extra.finish().into_series().into();
    for tool in columns::PLAN_TOOL {
        all.push(if tool == columns::EXTRA { extra.clone() } else { tools.column(tool)?.clone() });
    }
    Ok(DataFrame::new(tools.height(), all)?)
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
