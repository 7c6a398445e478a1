//! Somebody else's parquet: every value as text, in the form of a CSV that the ordinary scanner reads.
//!
//! One path for everything behind it: verdicts, faults and outputs of a parquet are those of the CSV with the same
//! cells. The file is not ours and not trusted: what its footer promises is held against limits before anything is
//! read, and the text is counted while it grows, since a few bytes can stand for a billion equal cells.

use std::fs::File;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::roster::{self, Records};

/// What a parquet file begins with.
const MAGIC: &[u8] = b"PAR1";
/// Columns of a roster, with room: more is no table of people.
const COLUMNS_MAX: usize = 4_096;
/// Bytes of text that a file may become.
const TEXT_BYTES_MAX: usize = 4 << 30;
/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 1_024;

/// Whether these are the bytes of a parquet.
#[must_use]
pub fn is_parquet(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads the records of a parquet. A record's line is its row number, since a parquet has no lines.
///
/// # Errors
/// `File`, naming `origin`: not a parquet, damaged, or beyond a limit.
pub fn read(origin: &str, bytes: Vec<u8>) -> Result<Records> {
    let text = as_csv(origin, bytes)?;
    let mut records = roster::read(origin, text, Some(b','))?;
    for (record, row) in records.records.iter_mut().zip(1..) {
        record.line = row;
    }
    Ok(records)
}

/// The parquet crate reads memory by a byte type of its own; what a file gives it says which.
fn shared<T: From<Vec<u8>>>(bytes: Vec<u8>, _as: fn(&File, u64, usize) -> Result<T, ParquetError>) -> T {
    bytes.into()
}

/// Every row as a CSV record behind a header, the tool columns of an earlier run left out.
fn as_csv(origin: &str, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let damaged = |e: ParquetError| unreadable(origin).because(e);
    let bytes = shared(bytes, <File as ChunkReader>::get_bytes);
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(damaged)?;
    let n_rows = builder.metadata().file_metadata().num_rows();
    if u32::try_from(n_rows).ok().is_none_or(|n| n == u32::MAX) {
        let what = format!("{origin} says that it has {n_rows} rows: the limit is 4,294,967,294");
        return Err(Error::new(Kind::File, what).hint("split it into several files"));
    }
    let names: Vec<&str> = builder.schema().fields().iter().map(|f| f.name().as_str()).collect();
    let names = &names[..columns::n_before_tools(&names)];
    check_width(origin, names)?;
    let mut text = Vec::new();
    for (at, name) in names.iter().enumerate() {
        push_cell(&mut text, name, at, names.len(), true);
    }
    text.push(b'\n');
    let wanted = ProjectionMask::roots(builder.parquet_schema(), 0..names.len());
    let reader = builder.with_projection(wanted).with_batch_size(BATCH_ROWS).build().map_err(damaged)?;
    for batch in reader {
        let written = batch.and_then(|batch| push_batch(&mut text, &batch));
        written.map_err(|e| unreadable(origin).because(e))?;
        if text.len() > TEXT_BYTES_MAX {
            let what = format!("{origin} holds more than 4 GiB of text");
            return Err(Error::new(Kind::File, what).hint("split it into several files"));
        }
    }
    Ok(text)
}

fn check_width(origin: &str, names: &[&str]) -> Result<()> {
    let what = match names.len() {
        0 => format!("{origin} has no columns"),
        n if n > COLUMNS_MAX => format!("{origin} has {n} columns: the limit is {COLUMNS_MAX}"),
        _ => return Ok(()),
    };
    Err(Error::new(Kind::File, what).hint("write the columns of people only"))
}

fn unreadable(origin: &str) -> Error {
    Error::new(Kind::File, format!("{origin} is not a readable parquet"))
        .hint("it was cut short, changed, or is no parquet: export it again, or bring it as CSV")
}

fn push_batch(text: &mut Vec<u8>, batch: &RecordBatch) -> Result<(), ArrowError> {
    let options = FormatOptions::default();
    let columns: Vec<ArrayRef> = batch.columns().iter().map(as_text).collect();
    let formats = columns.iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let formats: Vec<ArrayFormatter<'_>> = formats.collect::<Result<_, _>>()?;
    let mut cell = String::new();
    for row in 0..batch.num_rows() {
        for (at, format) in formats.iter().enumerate() {
            cell.clear();
            format.value(row).write(&mut cell)?;
            push_cell(text, &cell, at, formats.len(), false);
        }
        text.push(b'\n');
    }
    Ok(())
}

/// Bytes that are text but are not said to be (older writers leave the note out) as text; anything else as it is.
fn as_text(column: &ArrayRef) -> ArrayRef {
    let is_bytes = matches!(column.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let text = is_bytes.then(|| cast_with_options(column.as_ref(), &DataType::LargeUtf8, &options).ok()).flatten();
    text.unwrap_or_else(|| ArrayRef::clone(column))
}

/// A cell, quoted where the scanner would otherwise see something else in it: a delimiter, a blank line, a byte order
/// mark, Excel's own first line.
fn push_cell(text: &mut Vec<u8>, cell: &str, at: usize, n_cells: usize, is_header: bool) {
    if at > 0 {
        text.push(b',');
    }
    let is_alone = cell.is_empty() && n_cells == 1;
    let looks_else = is_header && at == 0 && (cell.starts_with('\u{feff}') || cell.starts_with("sep="));
    if is_alone || looks_else || cell.contains([',', '"', '\n', '\r']) {
        text.push(b'"');
        text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
        text.push(b'"');
    } else {
        text.extend_from_slice(cell.as_bytes());
    }
}
