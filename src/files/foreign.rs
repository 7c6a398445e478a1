//! Somebody else's parquet: every value as text, in the form of a CSV that the ordinary scanner reads.
//!
//! One path for everything behind it: verdicts, faults and outputs of a parquet are those of the CSV with the same
//! cells. The file is not ours and not trusted: what its footer promises is held against limits before anything is
//! read, and the text is counted while it grows, since a few bytes can stand for a billion equal cells.

use std::io::Write;

use arrow::array::{Array, ArrayRef, make_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;

use crate::columns;
use crate::error::{Error, Kind, Result, guarded};
use crate::files::source::{Spool, no_room};
use crate::lanes::{Effort, Stop};
use crate::roster::{self, Lines, Made, Sheet};

/// What a parquet file begins with.
const MAGIC: &[u8] = b"PAR1";
/// Columns of a roster, with room: more is no table of people.
pub(super) const COLUMNS_MAX: usize = 4_096;
/// Bytes of text that a file may become.
pub(super) const TEXT_BYTES_MAX: u64 = 4 << 30;
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
pub fn read(origin: &str, bytes: Vec<u8>, effort: Effort) -> Result<Sheet> {
    let mut spool = Spool::default();
    guarded(|| as_csv(origin, bytes, effort.stop, &mut spool)).unwrap_or_else(|| Err(unreadable(origin)))?;
    let text = spool.into_text().map_err(|e| no_room(origin, e))?;
    roster::open_made(origin, text, Lines::Rows, effort)
}

/// Every row as a CSV record behind a header, the tool columns of an earlier run left out.
fn as_csv(origin: &str, bytes: Vec<u8>, stop: Stop, out: &mut dyn Write) -> Result<()> {
    let damaged = |e: ParquetError| unreadable(origin).because(e);
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).map_err(damaged)?;
    let n_rows = builder.metadata().file_metadata().num_rows();
    if u32::try_from(n_rows).ok().is_none_or(|n| n == u32::MAX) {
        let what = format!("{origin} says that it has {n_rows} rows: the limit is 4,294,967,294");
        return Err(Error::new(Kind::File, what).hint("split it into several files"));
    }
    let names: Vec<&str> = builder.schema().fields().iter().map(|f| f.name().as_str()).collect();
    let names = &names[..columns::n_before_tools(&names)];
    check_width(origin, names)?;
    let mut chunks = builder.metadata().row_groups().iter().flat_map(|group| group.columns());
    chunks.try_for_each(|chunk| check_codec(origin, chunk.compression()))?;
    let mut made = Made::of(names.iter().copied());
    let wanted = ProjectionMask::roots(builder.parquet_schema(), 0..names.len());
    let reader = builder.with_projection(wanted).with_batch_size(BATCH_ROWS).build().map_err(damaged)?;
    let mut n_bytes = 0;
    for batch in reader {
        stop.check()?;
        let batch = batch.map_err(|e| unreadable(origin).because(e))?;
        push_batch(origin, &mut made, &batch)?;
        n_bytes += made.text.len() as u64;
        if n_bytes > TEXT_BYTES_MAX {
            let what = format!("{origin} holds more than 4 GiB of text");
            return Err(Error::new(Kind::File, what).hint("split it into several files"));
        }
        out.write_all(&made.text).map_err(|e| no_room(origin, e))?;
        made.text.clear();
    }
    out.write_all(&made.text).map_err(|e| no_room(origin, e))
}

fn check_width(origin: &str, names: &[&str]) -> Result<()> {
    let what = match names.len() {
        0 => format!("{origin} has no columns"),
        n if n > COLUMNS_MAX => format!("{origin} has {n} columns: the limit is {COLUMNS_MAX}"),
        _ => return Ok(()),
    };
    Err(Error::new(Kind::File, what).hint("write the columns of people only"))
}

/// The file is sound, and this program cannot unpack it: that is another thing to do about than a damaged one.
fn check_codec(origin: &str, codec: Compression) -> Result<()> {
    match codec {
        Compression::BROTLI(_) | Compression::LZO => {
            let what = format!("{origin} was written with a compression that is not read here ({codec})");
            Err(Error::new(Kind::File, what).hint("write it with snappy, gzip or zstd"))
        }
        _ => Ok(()),
    }
}

fn unreadable(origin: &str) -> Error {
    Error::new(Kind::File, format!("{origin} is not a readable parquet"))
        .hint("it was cut short, changed, or is no parquet: export it again, or bring it as CSV")
}

fn push_batch(origin: &str, made: &mut Made, batch: &RecordBatch) -> Result<()> {
    let options = FormatOptions::default();
    let failed = |at: usize, e: ArrowError| {
        let what = format!("{origin}: column \"{}\" cannot be written as text", batch.schema().field(at).name());
        // The cause would quote the cell.
        drop(e);
        Error::new(Kind::File, what).hint("leave the column out, or write it as text")
    };
    let columns: Vec<ArrayRef> = batch.columns().iter().map(plain).collect();
    let formats = columns.iter().enumerate();
    let formats = formats.map(|(at, c)| ArrayFormatter::try_new(c.as_ref(), &options).map_err(|e| failed(at, e)));
    let formats: Vec<ArrayFormatter<'_>> = formats.collect::<Result<_>>()?;
    let mut cell = String::new();
    for row in 0..batch.num_rows() {
        for (at, format) in formats.iter().enumerate() {
            cell.clear();
            format.value(row).write(&mut cell).map_err(|e| failed(at, e))?;
            made.cell(&cell);
        }
        made.end();
    }
    Ok(())
}

/// The same column in a type whose text people expect.
fn plain(column: &ArrayRef) -> ArrayRef {
    let other = match column.data_type() {
        // Older writers leave out the note that bytes are text.
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let options = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(column.as_ref(), &DataType::LargeUtf8, &options).ok()
        }
        // An instant is stored in UTC whatever zone it names, and the names of zones are not known here.
        DataType::Timestamp(unit, Some(_)) => {
            let utc = DataType::Timestamp(*unit, Some("+00:00".into()));
            column.to_data().into_builder().data_type(utc).build().ok().map(make_array)
        }
        _ => None,
    };
    other.unwrap_or_else(|| ArrayRef::clone(column))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{BinaryArray, Date32Array, DictionaryArray, StringArray, TimestampSecondArray};
    use arrow::datatypes::Int32Type;
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{BrotliLevel, GzipLevel};
    use parquet::file::properties::WriterProperties;

    use super::*;
    use crate::roster::Records;

    fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    fn csv(columns: Vec<(&str, ArrayRef)>) -> Result<String> {
        let mut bytes = Vec::new();
        as_csv("hr.parquet", parquet(columns), Stop::default(), &mut bytes).map(|()| String::from_utf8(bytes).unwrap())
    }

    fn strings(cells: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    #[test]
    fn every_type_is_the_text_that_people_expect() {
        let dictionary: DictionaryArray<Int32Type> = [Some("Care"), None, Some("Care")].into_iter().collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("team", Arc::new(dictionary)),
            ("bytes", Arc::new(BinaryArray::from_opt_vec(vec![Some("é".as_bytes()), Some(b""), None]))),
            ("raw", Arc::new(BinaryArray::from_vec(vec![b"\xff\x01", b"a", b"b"]))),
            (
                "seen",
                Arc::new(TimestampSecondArray::from(vec![Some(0), None, Some(3600)]).with_timezone("Europe/Berlin")),
            ),
            ("hired", Arc::new(Date32Array::from(vec![Some(0), Some(365), None]))),
        ];
        let expected = "team,bytes,raw,seen,hired\n\
                        Care,é,ff01,1970-01-01T00:00:00Z,1970-01-01\n\
                        ,,61,,1971-01-01\n\
                        Care,,62,1970-01-01T01:00:00Z,\n";
        assert_eq!(csv(columns).unwrap(), expected);
    }

    #[test]
    fn what_the_scanner_could_mistake_is_quoted() {
        let alone = csv(vec![("\u{feff}email", strings(&[None, Some("a,b\n\"c\""), Some("")]))]).unwrap();
        assert_eq!(alone, "\"\u{feff}email\"\n\"\"\n\"a,b\n\"\"c\"\"\"\n\"\"\n");
        for header in ["sep=;", "version:v1.0", "a;b"] {
            let bytes = parquet(vec![(header, strings(&[None, Some("x")]))]);
            let sheet = read("hr.parquet", bytes, Effort::default()).unwrap();
            assert_eq!((sheet.header.as_slice(), sheet.has_preamble), (&[header.to_owned()][..], false));
            let records = Records::find(sheet).unwrap();
            assert_eq!((records.len(), records.line(0), records.line(1)), (2, 1, 2));
        }
    }

    #[test]
    fn every_usual_compression_is_read_and_another_is_named_as_such() {
        let batch = RecordBatch::try_from_iter([("email", strings(&[Some("a@example.com")]))]).unwrap();
        for codec in
            [Compression::GZIP(GzipLevel::default()), Compression::LZ4_RAW, Compression::LZ4, Compression::SNAPPY]
        {
            let properties = WriterProperties::builder().set_compression(codec).build();
            let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
            writer.write(&batch).unwrap();
            let sheet = read("hr.parquet", writer.into_inner().unwrap(), Effort::default()).unwrap();
            assert_eq!(sheet.columns(&[0]).unwrap(), [["a@example.com"]], "{codec}");
        }
        for codec in [Compression::BROTLI(BrotliLevel::default()), Compression::LZO] {
            let error = check_codec("hr.parquet", codec).unwrap_err();
            assert!(
                error.to_string().contains("hr.parquet was written with a compression that is not read"),
                "{error}"
            );
            assert_eq!((error.kind(), error.hint_text()), (Kind::File, Some("write it with snappy, gzip or zstd")));
        }
    }

    #[test]
    fn bare_tool_columns_are_cut_off_only_behind_a_row_and_with_a_verdict() {
        let cell = || strings(&[Some("x")]);
        let ours = csv(vec![("email", cell()), ("code", cell()), ("row", cell()), ("verdict", cell())]).unwrap();
        assert_eq!(ours, "email,code\nx,x\n");
        let theirs = csv(vec![("email", cell()), ("row", cell()), ("code", cell())]).unwrap();
        assert_eq!(theirs, "email,row,code\nx,x,x\n");
        assert_eq!(csv(vec![("row", cell()), ("verdict", cell())]).unwrap_err().kind(), Kind::File);
    }

    #[test]
    fn a_value_that_has_no_text_names_its_column() {
        let error = csv(vec![("hired", Arc::new(Date32Array::from(vec![i32::MAX])))]).unwrap_err();
        assert_eq!(error.kind(), Kind::File);
        assert!(error.to_string().contains("hr.parquet: column \"hired\""), "{error}");
    }
}
