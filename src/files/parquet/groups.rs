//! Rows on their way into a parquet, one group after the other.
//!
//! Threads fill and encode groups, the file takes them in order. Nothing is compressed: such a file is written once and
//! read once, and compressing would take longer than anything else about it. Words are kept once a group and told by
//! number; for anything else looking for equal cells costs more than it saves.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder, UInt32Builder};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use polars::prelude::DataFrame;

use crate::cells::{Holds, Value};
use crate::error::{Error, Kind, Result};
use crate::files::atomic;

/// Bytes that a text is expected to have.
const TEXT_BYTES: usize = 24;
/// Rows of a group of a frame that is there whole.
const FRAME_ROWS: usize = 1 << 16;

/// A parquet that grows group by group.
pub struct GroupWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

/// Makes groups for it, on any thread.
#[derive(Debug)]
pub struct Encoder {
    schema: Arc<Schema>,
    holds: Vec<Holds>,
    factory: ArrowRowGroupWriterFactory,
}

/// An encoded group of rows.
#[derive(Debug)]
pub struct Group(Vec<ArrowColumnChunk>);

/// Rows of a group on their way.
#[derive(Debug)]
pub struct Rows(Vec<Growing>);

#[derive(Debug)]
enum Growing {
    Numbers(UInt32Builder),
    Texts(StringBuilder),
}

impl<W: Write + Send> GroupWriter<W> {
    /// Begins a file with these columns.
    ///
    /// # Errors
    /// Whatever `out` fails with.
    pub fn new<'c>(out: W, columns: impl IntoIterator<Item = (&'c str, Holds)>) -> Result<(Self, Encoder)> {
        let columns: Vec<(&str, Holds)> = columns.into_iter().collect();
        let of = |holds: Holds| if holds == Holds::Numbers { DataType::UInt32 } else { DataType::Utf8 };
        let fields = columns.iter().map(|(name, holds)| Field::new(*name, of(*holds), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut properties = WriterProperties::builder()
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_dictionary_enabled(false);
        for (name, _) in columns.iter().filter(|(_, holds)| *holds == Holds::Words) {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(*name), true);
        }
        let described = ArrowSchemaConverter::new().convert(&schema).map_err(unwritten)?;
        let writer = SerializedFileWriter::new(out, described.root_schema_ptr(), Arc::new(properties.build()));
        let writer = writer.map_err(unwritten)?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));
        let holds = columns.iter().map(|(_, holds)| *holds).collect();
        Ok((Self { writer }, Encoder { schema, holds, factory }))
    }

    /// Adds a group.
    ///
    /// # Errors
    /// Whatever the file fails with.
    pub fn append(&mut self, group: Group) -> Result<()> {
        let mut rows = self.writer.next_row_group().map_err(unwritten)?;
        group.0.into_iter().try_for_each(|column| column.append_to_row_group(&mut rows)).map_err(unwritten)?;
        rows.close().map(drop).map_err(unwritten)
    }

    /// Writes the footer.
    ///
    /// # Errors
    /// Whatever the file fails with.
    pub fn finish(self) -> Result<()> {
        self.writer.close().map(drop).map_err(unwritten)
    }
}

impl Encoder {
    /// Room for `n` rows.
    #[must_use]
    pub fn rows(&self, n: usize) -> Rows {
        let column = |holds: &Holds| match holds {
            Holds::Numbers => Growing::Numbers(UInt32Builder::with_capacity(n)),
            Holds::Words | Holds::Texts => Growing::Texts(StringBuilder::with_capacity(n, n * TEXT_BYTES)),
        };
        Rows(self.holds.iter().map(column).collect())
    }

    /// Encodes rows.
    ///
    /// # Errors
    /// Only a fault of this program: columns of different lengths.
    pub fn encode(&self, rows: Rows) -> Result<Group> {
        let encode = || -> std::result::Result<Vec<_>, ParquetError> {
            // The number of a group matters to encryption only.
            let writers = self.factory.create_column_writers(0)?;
            let columns = writers.into_iter().zip(rows.0).zip(self.schema.fields());
            let encoded = columns.map(|((mut writer, column), field)| {
                compute_leaves(field, &column.finish())?.iter().try_for_each(|leaf| writer.write(leaf))?;
                writer.close()
            });
            encoded.collect()
        };
        encode().map(Group).map_err(|e| Error::bug("rows do not fit their columns").because(e))
    }
}

impl Rows {
    /// Adds the next cell of a column; one of another kind is none.
    #[inline]
    pub fn push(&mut self, column: usize, value: Value<'_>) {
        match (&mut self.0[column], value) {
            (Growing::Numbers(cells), Value::Number(cell)) => cells.append_option(cell),
            (Growing::Texts(cells), Value::Text(cell)) => cells.append_option(cell),
            (Growing::Numbers(cells), Value::Text(_)) => cells.append_null(),
            (Growing::Texts(cells), Value::Number(_)) => cells.append_null(),
        }
    }

    /// Adds the next cells of columns in a row, the first of them at `begin`.
    #[inline]
    pub fn extend<'v>(&mut self, begin: usize, values: impl IntoIterator<Item = Value<'v>>) {
        (begin..).zip(values).for_each(|(column, value)| self.push(column, value));
    }
}

impl Growing {
    fn finish(self) -> ArrayRef {
        match self {
            Self::Numbers(mut cells) => Arc::new(cells.finish()),
            Self::Texts(mut cells) => Arc::new(cells.finish()),
        }
    }
}

fn unwritten(cause: ParquetError) -> Error {
    Error::new(Kind::File, "cannot write a parquet").because(cause).hint("check that there is room on the disk")
}

/// Writes frames of numbers (u32) and texts, all of them with the columns of the first, as one table; atomically.
///
/// # Errors
/// `File`, naming the path; those of the frames.
pub fn write_frames(path: &Path, mut frames: impl Iterator<Item = Result<DataFrame>>) -> Result<()> {
    let first = frames.next().ok_or_else(|| Error::bug("a table of no frame"))??;
    let holds = |column: &polars::prelude::Column| if column.u32().is_ok() { Holds::Numbers } else { Holds::Texts };
    let columns: Vec<(&str, Holds)> = first.columns().iter().map(|c| (c.name().as_str(), holds(c))).collect();
    atomic::write(path, |out| {
        let (mut writer, encoder) = GroupWriter::new(out, columns)?;
        append_frame(&mut writer, &encoder, &first)?;
        for frame in frames {
            append_frame(&mut writer, &encoder, &frame?)?;
        }
        writer.finish()
    })
}

fn append_frame<W: Write + Send>(writer: &mut GroupWriter<W>, encoder: &Encoder, frame: &DataFrame) -> Result<()> {
    for begin in (0..frame.height()).step_by(FRAME_ROWS) {
        let cells = begin..(begin + FRAME_ROWS).min(frame.height());
        let mut rows = encoder.rows(cells.len());
        for (at, column) in frame.columns().iter().enumerate() {
            match column.u32() {
                Ok(numbers) => cells.clone().for_each(|cell| rows.push(at, Value::Number(numbers.get(cell)))),
                Err(_) => {
                    let texts = column.str()?;
                    cells.clone().for_each(|cell| rows.push(at, Value::Text(texts.get(cell))));
                }
            }
        }
        writer.append(encoder.encode(rows)?)?;
    }
    Ok(())
}
