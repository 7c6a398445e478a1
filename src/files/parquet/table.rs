//! A parquet of ours, read group by group on any number of threads.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, UInt32Type};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use polars::prelude::DataFrame;

use crate::cells::{Growing, Holds, Value};
use crate::error::{Error, Kind, Result, guarded};

/// An open parquet.
pub(super) struct Table {
    file: Placed,
    path: PathBuf,
    metadata: ArrowReaderMetadata,
}

impl Table {
    /// Opens a file and reads its footer. It may be anybody's, so far.
    ///
    /// # Errors
    /// `Damaged` if it cannot be parsed; `File`, naming the path.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| Error::file("read", path, e);
        let file = File::open(path).map_err(failed)?;
        let file = Placed { n_bytes: file.metadata().map_err(failed)?.len(), file: Arc::new(file) };
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()));
        let metadata = metadata.ok_or_else(|| unreadable(path))?.map_err(|e| unreadable(path).because(e))?;
        Ok(Self { file, path: path.to_owned(), metadata })
    }

    /// An entry of the footer.
    pub(super) fn entry(&self, key: &str) -> Option<&str> {
        let entries = self.metadata.metadata().file_metadata().key_value_metadata();
        entries.into_iter().flatten().find(|entry| entry.key == key).and_then(|entry| entry.value.as_deref())
    }

    /// Groups of rows.
    pub(super) fn n_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows that the footer tells of.
    pub(super) fn n_rows(&self) -> usize {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default()
    }

    /// The columns of a group that are wanted, or all.
    ///
    /// # Errors
    /// `Damaged`, naming the path.
    pub(super) fn group(&self, at: usize, wanted: Option<&[&str]>) -> Result<RecordBatch> {
        let damaged = |e: ParquetError| unreadable(&self.path).because(e);
        let n = usize::try_from(self.metadata.metadata().row_group(at).num_rows()).unwrap_or_default();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone());
        let mask = wanted.map_or_else(ProjectionMask::all, |names| {
            ProjectionMask::columns(self.metadata.parquet_schema(), names.iter().copied())
        });
        let reader = reader.with_row_groups(vec![at]).with_projection(mask).with_batch_size(n.max(1));
        let mut batches = reader.build().map_err(damaged)?;
        match batches.next() {
            Some(batch) => batch.map_err(|e| unreadable(&self.path).because(e)),
            None => Ok(RecordBatch::new_empty(Arc::clone(self.metadata.schema()))),
        }
    }

    /// The texts of a column of a group.
    ///
    /// # Errors
    /// `Damaged` if there is no such column of texts.
    pub(super) fn texts<'b>(&self, group: &'b RecordBatch, name: &str) -> Result<&'b StringArray> {
        let column = group.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        column.ok_or_else(|| {
            let what = format!("{} lacks a column of texts called \"{name}\"", self.path.display());
            Error::new(Kind::Damaged, what).hint("it is not a file of this program: take or make it again")
        })
    }
}

/// The text at `at`, if there is one.
#[inline]
pub(super) fn text(cells: &StringArray, at: usize) -> Option<&str> {
    cells.is_valid(at).then(|| cells.value(at))
}

pub(super) fn unreadable(path: &Path) -> Error {
    Error::new(Kind::Damaged, format!("{} is not a readable parquet", path.display()))
        .hint("it was cut short or changed: take or make it again")
}

/// Reads a parquet of ours, of numbers (u32) and texts, into a frame. Its digest has been found right: a footer is
/// believed whatever it says.
///
/// # Errors
/// `Damaged` or `File`, naming the path.
pub fn read_frame(path: &Path) -> Result<DataFrame> {
    let table = Table::open(path)?;
    let fields = table.metadata.schema().fields();
    let n = table.n_rows();
    let holds = |of: &DataType| if *of == DataType::UInt32 { Holds::Numbers } else { Holds::Texts };
    let column = |field: &Arc<Field>| Growing::new(field.name(), holds(field.data_type()), n);
    let mut columns: Vec<Growing> = fields.iter().map(column).collect();
    for at in 0..table.n_groups() {
        let group = table.group(at, None)?;
        for (cells, (field, column)) in group.columns().iter().zip(fields.iter().zip(&mut columns)) {
            match cells.as_primitive_opt::<UInt32Type>() {
                Some(numbers) => numbers.iter().for_each(|cell| column.push(Value::Number(cell))),
                None => {
                    let cells = table.texts(&group, field.name())?;
                    (0..cells.len()).for_each(|at| column.push(Value::Text(text(cells, at))));
                }
            }
        }
    }
    Ok(DataFrame::new(n, columns.into_iter().map(Growing::finish).collect())?)
}

/// Tells the cells of one column of texts, row by row from 0.
///
/// # Errors
/// `Damaged` or `File`, naming the path.
pub fn read_texts(path: &Path, column: &str, mut told: impl FnMut(usize, Option<&str>)) -> Result<()> {
    read_cells(path, [column], |at, [cell]| {
        told(at, cell);
        Ok(())
    })
}

/// Tells the cells of some columns of texts, row by row from 0: of a plan too large to be held, what is needed.
///
/// # Errors
/// `Damaged` or `File`, naming the path; whatever `told` fails with.
pub fn read_cells<const N: usize>(
    path: &Path,
    columns: [&str; N],
    mut told: impl FnMut(usize, [Option<&str>; N]) -> Result<()>,
) -> Result<()> {
    let table = Table::open(path)?;
    let mut n_told = 0;
    for at in 0..table.n_groups() {
        let group = table.group(at, Some(&columns))?;
        let cells: Vec<&StringArray> = columns.iter().map(|name| table.texts(&group, name)).collect::<Result<_>>()?;
        for at in 0..group.num_rows() {
            told(n_told + at, std::array::from_fn(|column| text(cells[column], at)))?;
        }
        n_told += group.num_rows();
    }
    Ok(())
}

/// A file that threads read without a common place in it.
#[derive(Clone)]
struct Placed {
    file: Arc<File>,
    n_bytes: u64,
}

impl Length for Placed {
    fn len(&self) -> u64 {
        self.n_bytes
    }
}

impl ChunkReader for Placed {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(From { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // What a damaged footer asks for is not made room for.
        if start.checked_add(length as u64).is_none_or(|end| end > self.n_bytes) {
            return Err(ParquetError::EOF("a place behind the end of the file".to_owned()));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// A file from a place on.
struct From {
    file: Arc<File>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read_at(into, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}
