//! Parquet: arrow and parquet append a snapshot page by page and put its certificate into the footer; polars reads
//! frames back and writes whole ones. The two meet at the file.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use polars::prelude::{DataFrame, ParquetReader, ParquetWriter, SerReader};

use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::atomic::{self, Draft};
use crate::person::User;
use crate::snapshot::{Certificate, STRINGS, Snapshot, cells};

/// Footer entry that makes a parquet one of our snapshots.
const CERTIFICATE: &str = "rosterdiff.certificate";
/// Users per row group: the writer holds one group at a time, whatever the size of the organisation.
const GROUP_ROWS: usize = 5_000;

/// A snapshot that grows page by page; nothing is at its path before [`SnapshotWriter::finish`].
pub struct SnapshotWriter {
    draft: Draft,
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
}

impl SnapshotWriter {
    /// Starts a snapshot that will be at `path`.
    ///
    /// # Errors
    /// `File` if nothing can be written there.
    pub fn new(path: &Path) -> Result<Self> {
        let mut draft = Draft::new(path)?;
        let strings = STRINGS.iter().map(|name| Field::new(*name, DataType::Utf8, true));
        let schema = Arc::new(Schema::new(
            strings.chain([Field::new(columns::VERSION, DataType::UInt64, true)]).collect::<Vec<_>>(),
        ));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let file = draft.file().try_clone().map_err(|e| Error::file("write", path, e))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
        Ok(Self { writer: writer.map_err(|e| Error::file("write", path, e))?, draft, schema })
    }

    /// Appends the users of one page.
    ///
    /// # Errors
    /// `File`.
    pub fn append(&mut self, users: &[User]) -> Result<()> {
        let failed = |e: parquet::errors::ParquetError| Error::new(Kind::File, "cannot write the snapshot").because(e);
        let batch = batch(&self.schema, users).map_err(|e| Error::bug("a page does not fit its schema").because(e))?;
        self.writer.write(&batch).map_err(failed)
    }

    /// Writes the certificate into the footer and gives the file its name.
    ///
    /// # Errors
    /// `File`.
    pub fn finish(mut self, certificate: &Certificate) -> Result<()> {
        let failed = |e: parquet::errors::ParquetError| Error::new(Kind::File, "cannot write the snapshot").because(e);
        let text =
            serde_json::to_string(certificate).map_err(|e| Error::bug("the certificate is no JSON").because(e))?;
        self.writer.append_key_value_metadata(KeyValue::new(CERTIFICATE.to_owned(), text));
        self.writer.close().map_err(failed)?;
        self.draft.commit()
    }
}

fn batch(schema: &Arc<Schema>, users: &[User]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut strings: [StringBuilder; STRINGS.len()] = std::array::from_fn(|_| StringBuilder::new());
    let mut version = UInt64Builder::new();
    for user in users {
        for (builder, cell) in strings.iter_mut().zip(cells(user)) {
            builder.append_option(cell);
        }
        version.append_option(user.version);
    }
    let mut arrays: Vec<ArrayRef> = strings.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef).collect();
    arrays.push(Arc::new(version.finish()));
    RecordBatch::try_new(Arc::clone(schema), arrays)
}

/// The certificate in the footer of one of our snapshots; none in a parquet of somebody else.
///
/// # Errors
/// `Damaged` if the file cannot be parsed: it may have been ours.
pub fn certificate(path: &Path) -> Result<Option<Certificate>> {
    let damaged = || unreadable(path);
    let file = File::open(path).map_err(|e| Error::file("read", path, e))?;
    let reader = SerializedFileReader::new(file).map_err(|e| damaged().because(e))?;
    let entries = reader.metadata().file_metadata().key_value_metadata();
    let entry = entries.into_iter().flatten().find(|kv| kv.key == CERTIFICATE).and_then(|kv| kv.value.as_deref());
    entry.map(|text| serde_json::from_str(text).map_err(|e| damaged().because(e))).transpose()
}

fn unreadable(path: &Path) -> Error {
    Error::new(Kind::Damaged, format!("{} is not a readable parquet", path.display()))
        .hint("it was cut short or changed: take or make it again")
}

/// Reads one of our snapshots; none from a parquet of somebody else.
///
/// # Errors
/// `Damaged` or `File`, naming the path.
pub fn read_snapshot(path: &Path) -> Result<Option<Snapshot>> {
    let Some(certificate) = certificate(path)? else { return Ok(None) };
    let frame = read_frame(path)?;
    let wanted = STRINGS.iter().chain(&[columns::VERSION]).copied();
    let frame = frame.select(wanted).map_err(|e| {
        Error::new(Kind::Damaged, format!("{} lacks a column of a snapshot", path.display())).because(e)
    })?;
    Ok(Some(Snapshot::new(frame, Some(certificate))))
}

/// Reads a parquet of ours into a frame.
///
/// # Errors
/// `Damaged` or `File`, naming the path.
pub fn read_frame(path: &Path) -> Result<DataFrame> {
    let file = File::open(path).map_err(|e| Error::file("read", path, e))?;
    let frame = ParquetReader::new(file).finish();
    let mut frame = frame.map_err(|e| unreadable(path).because(e))?;
    frame.rechunk_mut();
    Ok(frame)
}

/// Writes a frame, atomically.
///
/// # Errors
/// `File`, naming the path.
pub fn write_frame(path: &Path, frame: &DataFrame) -> Result<()> {
    atomic::write(path, |out| {
        let written = ParquetWriter::new(out).finish(&mut frame.clone());
        written.map(drop).map_err(|e| Error::file("write", path, e))
    })
}
