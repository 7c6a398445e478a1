//! Parquet: arrow and parquet write and read, polars holds. The two meet at the file, never in memory.
//!
//! A snapshot grows page by page and has its certificate in the footer; a plan grows by groups that threads encode.

mod groups;
mod table;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, StringBuilder, UInt64Builder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::columns;
pub use groups::{Encoder, Group, GroupWriter, Rows, write_frames};
use table::{Table, text, unreadable};
pub use table::{read_cells, read_frame, read_texts};

use crate::email::Rules;
use crate::error::{Error, Kind, Result};
use crate::files::atomic::Draft;
use crate::files::seal::{self, Seal};
use crate::lanes::{Effort, Part, in_order};
use crate::person::{State, User};
use crate::snapshot::{Cell, Certificate, Observed, STRINGS, Snapshot, cells};

/// Footer entry that makes a parquet one of our snapshots.
const CERTIFICATE: &str = "rosterdiff.certificate";
/// Footer entry that holds its seal.
const SEAL: &str = "rosterdiff.blake3";
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
        Self::of_columns(path, &STRINGS)
    }

    fn of_columns(path: &Path, strings: &[&str]) -> Result<Self> {
        let mut draft = Draft::new(path)?;
        let strings = strings.iter().map(|name| Field::new(*name, DataType::Utf8, true));
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
        self.writer.append_key_value_metadata(KeyValue::new(SEAL.to_owned(), seal::blank()));
        self.writer.close().map_err(failed)?;
        seal::set(self.draft.file()).map_err(|e| Error::new(Kind::File, "cannot write the snapshot").because(e))?;
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

/// Reads one of our snapshots; none from a parquet of somebody else. Its keys are in it: nothing is normalised again.
///
/// # Errors
/// `Damaged` or `File`, naming the path.
pub fn read_snapshot(path: &Path, keeps_cells: bool, effort: Effort) -> Result<Option<Snapshot>> {
    let failed = |e: std::io::Error| Error::file("read", path, e);
    let file = File::open(path).map_err(failed)?;
    let n_bytes = file.metadata().map_err(failed)?.len();
    let mut portion = effort.meter.expect(Part::Read, n_bytes);
    let seal = seal::check(&file).map_err(failed)?;
    if seal == Seal::Broken {
        return Err(unreadable(path));
    }
    let table = Table::open(path)?;
    // Somebody else's file has no seal: what its footer says is not to be trusted.
    let Some(certificate) = table.entry(CERTIFICATE) else { return Ok(None) };
    let certificate: Certificate = serde_json::from_str(certificate).map_err(|e| unreadable(path).because(e))?;
    if seal == Seal::Missing {
        return Err(unreadable(path));
    }
    let mut parts = Vec::with_capacity(table.n_groups());
    let share = n_bytes / table.n_groups().max(1) as u64;
    let read = |(): &mut (), at: usize| observed(&table, at, keeps_cells);
    in_order(table.n_groups(), effort.threads, read, |_, part| {
        effort.stop.check()?;
        portion.pass(share);
        parts.push(part);
        Ok(())
    })?;
    let mut snapshot = Snapshot::from_observed(parts, table.n_rows())?;
    snapshot.divisions = certificate.divisions.clone();
    snapshot.certificate = Some(certificate);
    Ok(Some(snapshot))
}

/// The columns that decide: without them it is no snapshot.
const DECIDING: [&str; 4] = [columns::KEY, columns::USERNAME_KEY, columns::STATE, columns::RULES];

/// The users of one group of rows.
fn observed(table: &Table, at: usize, keeps_cells: bool) -> Result<Observed> {
    let told: &[Cell] = if keeps_cells { &Cell::ALL } else { &[] };
    let wanted: Vec<&str> = DECIDING.into_iter().chain(told.iter().map(|cell| cell.column())).collect();
    let group = table.group(at, Some(&wanted))?;
    let deciding: Vec<&StringArray> = DECIDING.iter().map(|name| table.texts(&group, name)).collect::<Result<_>>()?;
    let [key, username_key, state, rules] = deciding[..] else { return Err(Error::bug("a column was lost")) };
    let told: Vec<_> = told.iter().map(|cell| told_of(table, &group, *cell)).collect::<Result<_>>()?;
    let mut observed = Observed::new(keeps_cells, group.num_rows());
    for at in 0..group.num_rows() {
        let cells = std::array::from_fn(|cell| told.get(cell).copied().flatten().and_then(|cells| text(cells, at)));
        let keys = [text(key, at), text(username_key, at)];
        observed.push_known(
            keys,
            State::from_word(text(state, at).unwrap_or_default()),
            Rules::parse(text(rules, at).unwrap_or_default()),
            cells,
        );
    }
    Ok(observed)
}

/// A column of what is told; none where the snapshot was written before there was such a column.
fn told_of<'g>(table: &Table, group: &'g RecordBatch, cell: Cell) -> Result<Option<&'g StringArray>> {
    if cell.is_recent() && group.column_by_name(cell.column()).is_none() {
        return Ok(None);
    }
    table.texts(group, cell.column()).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use polars::prelude::df;

    use super::*;
    use crate::files::atomic;
    use crate::plan::{Keep, Plan};
    use crate::roster::Roster;

    fn certificate() -> Certificate {
        Certificate {
            complete: true,
            organisation_id: "org".to_owned(),
            organisation_name: None,
            started_at: String::new(),
            ended_at: String::new(),
            passes: 1,
            states: Vec::new(),
            n_without_id: 0,
            no_cursor: None,
            divisions: None,
        }
    }

    /// A snapshot of ours without some columns, a row of `x` in the others.
    fn without(path: &Path, left_out: &[&str]) {
        let names: Vec<&str> = STRINGS.into_iter().filter(|name| !left_out.contains(name)).collect();
        let mut writer = SnapshotWriter::of_columns(path, &names).unwrap();
        let mut arrays: Vec<ArrayRef> =
            names.iter().map(|_| Arc::new(StringArray::from(vec!["x"])) as ArrayRef).collect();
        arrays.push(Arc::new(arrow::array::UInt64Array::from(vec![1])));
        writer.writer.write(&RecordBatch::try_new(Arc::clone(&writer.schema), arrays).unwrap()).unwrap();
        writer.finish(&certificate()).unwrap();
    }

    /// A snapshot of ours whose addresses are nonsense and whose keys are right: whoever normalised again would find none.
    fn with_nonsense(path: &Path, n: usize) {
        let mut writer = SnapshotWriter::new(path).unwrap();
        let column = |name: &str| -> ArrayRef {
            let cell = |at: usize| match name {
                columns::KEY => Some(format!("person{at}@example.com")),
                columns::USERNAME_KEY => at.is_multiple_of(2).then(|| format!("login{at}@example.com")),
                columns::STATE => Some(["active", "deleted"][at % 2].to_owned()),
                columns::RULES => Some(if at == 1 { "lower+idna" } else { "" }.to_owned()),
                columns::EMAIL | columns::USERNAME => Some(format!("nonsense {at}")),
                _ => Some(at.to_string()),
            };
            Arc::new(StringArray::from((0..n).map(cell).collect::<Vec<_>>()))
        };
        let mut arrays: Vec<ArrayRef> = STRINGS.iter().map(|name| column(name)).collect();
        arrays.push(Arc::new(arrow::array::UInt64Array::from(vec![1; n])));
        writer.writer.write(&RecordBatch::try_new(Arc::clone(&writer.schema), arrays).unwrap()).unwrap();
        writer.finish(&certificate()).unwrap();
    }

    #[test]
    fn a_snapshot_written_before_there_were_employee_ids_is_read_and_one_without_keys_is_not() {
        let dir = atomic::fresh_dir("rosterdiff-test-").unwrap();
        let path = dir.join("old.parquet");
        without(&path, &[columns::EMPLOYEE_ID, columns::CONTACTS]);
        for keeps_cells in [true, false] {
            let snapshot = read_snapshot(&path, keeps_cells, Effort::default()).unwrap().unwrap();
            assert_eq!((snapshot.len(), snapshot.keys().get(0)), (1, Some("x")));
            let x = keeps_cells.then_some("x");
            assert_eq!(snapshot.cells(0), [x, x, x, x, x, None, None]);
            assert_eq!(snapshot.frame().unwrap().column("contacts").is_ok(), keeps_cells);
        }
        for name in [columns::KEY, columns::TITLE] {
            without(&path, &[name]);
            assert_eq!(read_snapshot(&path, true, Effort::default()).unwrap_err().kind(), Kind::Damaged, "{name}");
        }
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn the_keys_of_our_own_snapshot_are_believed_and_nothing_is_normalised_again() {
        let dir = atomic::fresh_dir("rosterdiff-test-").unwrap();
        let path = dir.join("org.parquet");
        // More than one group of rows.
        with_nonsense(&path, GROUP_ROWS + 7);
        let emails = [
            "Person0@Example.com",
            "person1@example.com",
            "login2@example.com",
            "nonsense@example.com",
            "person5006@example.com",
        ];
        let roster = Roster::from_frame(&df!("email" => emails).unwrap()).unwrap();
        for keeps_cells in [true, false] {
            let snapshot = read_snapshot(&path, keeps_cells, Effort::default()).unwrap().unwrap();
            assert_eq!((snapshot.len(), snapshot.is_complete()), (GROUP_ROWS + 7, true));
            assert_eq!(snapshot.cell(Cell::Email, 0), keeps_cells.then_some("nonsense 0"));
            let plan = Plan::build(&roster, &snapshot, Keep::First).unwrap();
            let texts = |name: &str| {
                let column = plan.frame().column(name).unwrap().str().unwrap().clone();
                column.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(texts("verdict"), ["present", "deleted", "present", "new", "present"]);
            assert_eq!(texts("reason"), ["held.email", "held.email", "held.username", "", "held.email"]);
            assert_eq!(texts("rules"), ["lower", "lower+idna", "", "", ""]);
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
