//! The records of a file: its header, its dialect, and every record held against the header's width.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::roster::scan::{Raw, Scanner, check_encoding, detect_by_header, detect_by_widths, line_end};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Cell delimiter.
    pub delimiter: u8,
    /// Line end of the header, used for every output row.
    pub eol: &'static str,
    /// Whether the file began with a UTF-8 byte order mark (Excel then reads accents right; outputs keep it).
    pub bom: bool,
}

/// What is wrong with a record as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFault {
    /// More or fewer cells than the header.
    Ragged,
    /// A NUL byte.
    Nul,
    /// A quote inside an unquoted cell, or text after a closing quote.
    StrayQuote,
}

/// One data record: where it stands and where its source cells end.
#[derive(Clone, Debug)]
pub struct Record {
    /// Bytes of the source cells, without line end and without tool columns of an earlier run.
    pub range: Range<usize>,
    /// Physical line at which it starts, 1-based.
    pub line: u32,
    /// Cells that are missing at the end.
    pub n_missing: u32,
    /// Surplus cells behind the header's width.
    pub extra: Range<usize>,
    /// What is wrong with it.
    pub fault: Option<RecordFault>,
}

/// The records of one file.
#[derive(Clone, Debug)]
pub struct Records {
    /// File name for messages.
    pub origin: String,
    /// The file, as it is.
    pub bytes: Vec<u8>,
    /// How it is written.
    pub dialect: Dialect,
    /// Decoded header cells, tool columns of an earlier run cut off.
    pub header: Vec<String>,
    /// Bytes of those header cells, as they are to be written.
    pub header_line: Vec<u8>,
    /// Whether the file began as an Entra template does.
    pub has_preamble: bool,
    /// The data records in file order.
    pub records: Vec<Record>,
}

impl Records {
    /// The decoded cells of a record at `columns`; a missing cell is empty.
    pub fn cells<'a>(
        &'a self,
        record: &Record,
        columns: &[usize],
        fields: &mut Vec<Range<usize>>,
    ) -> Vec<Cow<'a, str>> {
        let mut scanner = Scanner { bytes: &self.bytes[..record.range.end], at: record.range.start, line: record.line };
        fields.clear();
        // The record was scanned before: it cannot fail now, and if it did its cells would be empty.
        let _whole = scanner.record(self.dialect.delimiter, fields);
        columns.iter().map(|at| fields.get(*at).map_or(Cow::Borrowed(""), |f| self.decode(f.clone()))).collect()
    }

    /// The decoded cells of all records, column by column.
    #[must_use]
    pub fn columns(&self, columns: &[usize]) -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = vec![Vec::with_capacity(self.records.len()); columns.len()];
        let mut fields = Vec::new();
        for record in &self.records {
            for (column, cell) in all.iter_mut().zip(self.cells(record, columns, &mut fields)) {
                column.push(cell.into_owned());
            }
        }
        all
    }

    /// Gives the columns of a file without a header their names, so that what is written can be read with one.
    pub(super) fn name_columns(&mut self, names: Vec<String>) {
        self.header_line = names.join(&char::from(self.dialect.delimiter).to_string()).into_bytes();
        self.header = names;
    }

    /// The row number in the first tool column of a file of ours: rows are correlated by it, never by order.
    #[must_use]
    pub fn row_number(&self, record: &Record) -> Option<u32> {
        let rest = self.bytes.get(record.range.end..)?.strip_prefix(&[self.dialect.delimiter])?;
        let end = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
        std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
    }

    /// The text of a raw cell: quotes off, doubled quotes single.
    #[must_use]
    pub fn decode(&self, raw: Range<usize>) -> Cow<'_, str> {
        decode(&self.bytes[raw])
    }
}

fn decode(raw: &[u8]) -> Cow<'_, str> {
    // The whole file was checked to be UTF-8 and cells end at ASCII bytes.
    let text = String::from_utf8_lossy(raw);
    let Some(inner) = raw.strip_prefix(b"\"").map(|rest| rest.strip_suffix(b"\"").unwrap_or(rest)) else { return text };
    let inner = String::from_utf8_lossy(inner);
    if inner.contains("\"\"") { Cow::Owned(inner.replace("\"\"", "\"")) } else { inner }
}

/// Finds the records of a file. `delimiter` is what its name promises; if the header does not hold it, the header decides.
///
/// # Errors
/// `File`, naming `origin` and the line: an empty file, bytes that are not UTF-8, an open quote, a record above 4 MiB,
/// two columns of one name.
pub fn read(origin: &str, bytes: Vec<u8>, delimiter: Option<u8>) -> Result<Records> {
    let opened = open(origin, &bytes, delimiter, detect_by_header)?;
    below_header(origin, bytes, opened)
}

/// Finds the records of a text that we made: commas, and the first line is the header whatever it looks like.
///
/// # Errors
/// `File`, as [`read`].
pub fn read_made(origin: &str, bytes: Vec<u8>) -> Result<Records> {
    check_encoding(origin, &bytes)?;
    let dialect = Dialect { delimiter: b',', eol: "\n", bom: false };
    below_header(origin, bytes, Opened { at: 0, line: 1, dialect, has_preamble: false })
}

fn below_header(origin: &str, bytes: Vec<u8>, opened: Opened) -> Result<Records> {
    let Opened { at, line, mut dialect, has_preamble } = opened;
    let mut scanner = Scanner { bytes: &bytes, at, line };
    let mut fields = Vec::new();
    let header = scanner.next(origin, dialect.delimiter, &mut fields)?.ok_or_else(|| empty(origin))?;
    let all: Vec<String> = fields.iter().map(|f| decode(&bytes[f.clone()]).trim().to_owned()).collect();
    let n_source = all.len() - all.iter().rev().take_while(|h| columns::is_tool(h)).count();
    dialect.eol = line_end(&bytes[header.range.end..]);
    let end = if n_source == 0 { header.range.start } else { fields[n_source - 1].end };
    let header_line = bytes[header.range.start..end].to_vec();
    check_header(origin, &all[..n_source])?;

    let mut records = Vec::new();
    while let Some(raw) = scanner.next(origin, dialect.delimiter, &mut fields)? {
        records.push(fit(raw, &fields, n_source, all.len()));
    }
    let header = all[..n_source].to_vec();
    Ok(Records { origin: origin.to_owned(), dialect, header, header_line, has_preamble, records, bytes })
}

/// Finds the records of a file whose first line is a record already; its columns are called `column_N`.
///
/// A record's width is right if it is the width of most.
///
/// # Errors
/// `File`, as [`read`]; `Usage` for an output of ours, which has a header.
pub fn read_headerless(origin: &str, bytes: Vec<u8>, delimiter: Option<u8>) -> Result<Records> {
    let Opened { at, line, mut dialect, has_preamble } = open(origin, &bytes, delimiter, detect_by_widths)?;
    let mut scanner = Scanner { bytes: &bytes, at, line };
    let mut fields = Vec::new();
    let mut found = Vec::new();
    let mut widths: HashMap<usize, usize> = HashMap::new();
    let begin = (scanner.at, scanner.line);
    while let Some(raw) = scanner.next(origin, dialect.delimiter, &mut fields)? {
        if widths.is_empty() {
            dialect.eol = line_end(&bytes[raw.range.end..]);
            check_headless(origin, fields.iter().map(|f| decode(&bytes[f.clone()])))?;
        }
        *widths.entry(fields.len()).or_default() += 1;
    }
    // Of equally frequent widths the greater, so that no cell is called surplus without need.
    let width = widths.into_iter().max_by_key(|(width, n)| (*n, *width)).ok_or_else(|| empty(origin))?.0;
    (scanner.at, scanner.line) = begin;
    while let Some(raw) = scanner.next(origin, dialect.delimiter, &mut fields)? {
        found.push(fit(raw, &fields, width, width));
    }
    let origin = origin.to_owned();
    let mut records =
        Records { origin, dialect, header: Vec::new(), header_line: Vec::new(), has_preamble, records: found, bytes };
    records.name_columns((1..=width).map(|n| format!("column_{n}")).collect());
    Ok(records)
}

/// A file whose encoding, preamble and delimiter are known, and where its first record stands.
struct Opened {
    at: usize,
    line: u32,
    dialect: Dialect,
    has_preamble: bool,
}

fn open(origin: &str, bytes: &[u8], promised: Option<u8>, detect: fn(&[u8]) -> u8) -> Result<Opened> {
    let start = check_encoding(origin, bytes)?;
    let mut scanner = Scanner { bytes, at: start, line: 1 };
    let excel = scanner.skip_sep_line();
    let has_preamble = scanner.skip_preamble();
    let promised = promised.filter(|delimiter| scanner.peek_unquoted().contains(delimiter));
    let delimiter = excel.or(promised).unwrap_or_else(|| detect(&bytes[scanner.at..]));
    let dialect = Dialect { delimiter, eol: "\n", bom: start > 0 };
    Ok(Opened { at: scanner.at, line: scanner.line, dialect, has_preamble })
}

/// What we wrote always has a header: read without one, its names would be somebody.
fn check_headless<'a>(origin: &str, first: impl Iterator<Item = Cow<'a, str>>) -> Result<()> {
    let cells: Vec<_> = first.collect();
    let tools = cells.iter().rev().take_while(|cell| columns::is_tool(cell.trim()));
    if !tools.into_iter().any(|cell| cell.trim().strip_prefix('_') == Some(columns::ROW)) {
        return Ok(());
    }
    let what = format!("{origin} is an output of rosterdiff: its first line is a header");
    Err(Error::new(Kind::Usage, what).hint("leave --no-header away"))
}

fn empty(origin: &str) -> Error {
    Error::new(Kind::File, format!("{origin} is empty")).hint("a roster needs a header line with an e-mail column")
}

/// Holds a record against the header's width: `n_source` columns that we keep, `n_all` with tool columns.
fn fit(raw: Raw, fields: &[Range<usize>], n_source: usize, n_all: usize) -> Record {
    let kept = fields.len().min(n_source);
    let end = if kept == 0 { raw.range.start } else { fields[kept - 1].end };
    // A record that was cut from a result file may lack the tool cells: then it has none of them. Some of them are none
    // of ours, but a comma too many in front of them.
    let ragged = fields.len() != n_source && fields.len() != n_all;
    let n_sound = if fields.len() < n_all { n_source } else { n_all };
    let extra = fields.get(n_sound).filter(|_| ragged).map_or(0..0, |first| first.start..raw.range.end);
    Record {
        range: raw.range.start..end,
        line: raw.line,
        n_missing: u32::try_from(n_source - kept).unwrap_or(u32::MAX),
        extra,
        fault: raw.fault.or(ragged.then_some(RecordFault::Ragged)),
    }
}

fn check_header(origin: &str, header: &[String]) -> Result<()> {
    let mut seen = HashMap::new();
    for (at, name) in header.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if let Some(first) = seen.insert(name.to_lowercase(), at) {
            if let Some(error) = headless(origin, header) {
                return Err(error);
            }
            let what = format!("{origin} has two columns \"{name}\": number {} and number {}", first + 1, at + 1);
            return Err(Error::new(Kind::File, what).hint("rename one of them, so that no cell can be mistaken"));
        }
    }
    Ok(())
}

/// The error of a first line that is somebody. What stands in it is nobody's to read in a log.
pub(super) fn headless(origin: &str, header: &[String]) -> Option<Error> {
    let what = format!("{origin} has no e-mail column: its first line holds an address, so it is no header");
    let is_somebody = header.iter().any(|cell| cell.contains('@'));
    is_somebody.then(|| Error::new(Kind::File, what).hint("read it with --no-header"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let records = read("t.csv", text.as_bytes().to_vec(), None).unwrap();
        let all: Vec<usize> = (0..records.header.len()).collect();
        let mut fields = Vec::new();
        records
            .records
            .iter()
            .map(|r| records.cells(r, &all, &mut fields).iter().map(|c| c.to_string()).collect())
            .collect()
    }

    fn faults(text: &str) -> Vec<(u32, Option<RecordFault>)> {
        let records = read("t.csv", text.as_bytes().to_vec(), None).unwrap();
        records.records.iter().map(|r| (r.line, r.fault)).collect()
    }

    #[test]
    fn line_ends_of_every_kind_give_the_same_rows() {
        let lf = rows("a,b\n1,\"x\ny\"\n\n2,z");
        assert_eq!(lf, rows("a,b\r\n1,\"x\ny\"\r\n\r\n2,z\r\n"));
        assert_eq!(lf, rows("a,b\r1,\"x\ny\"\r\r2,z\r"));
        assert_eq!(lf, [["1", "x\ny"], ["2", "z"]]);
    }

    #[test]
    fn a_record_knows_its_physical_line() {
        let lines: Vec<u32> = faults("a,b\n1,\"x\n\ny\"\n\n2,z\n").iter().map(|f| f.0).collect();
        assert_eq!(lines, [2, 6]);
    }

    #[test]
    fn a_stray_quote_a_nul_and_a_ragged_row_mark_their_own_row_only() {
        use RecordFault::{Nul, Ragged, StrayQuote};
        let found = faults("a,b\n1,x\"y\n\"1\"x,y\n1\n1,2,3\n\0,2\n1,\"\"\n1,\"a\"\"b\"\n");
        let expected = [Some(StrayQuote), Some(StrayQuote), Some(Ragged), Some(Ragged), Some(Nul), None, None];
        assert_eq!(found.iter().map(|f| f.1).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_open_quote_names_the_line_where_its_record_began() {
        let error = read("t.csv", b"a,b\n1,2\n3,\"x\n4,5\n".to_vec(), None).unwrap_err();
        assert!(error.to_string().starts_with("t.csv, line 3:"), "{error}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_with_line_and_offset() {
        let error = read("t.csv", b"a,b\nx,M\xFCller\n".to_vec(), None).unwrap_err();
        assert_eq!(error.to_string(), "t.csv, line 2: byte 0xFC at offset 7 is not UTF-8");
    }

    #[test]
    fn the_header_decides_the_delimiter() {
        assert_eq!(rows("a;\"b,c,d\";e\n1;2;3\n"), [["1", "2", "3"]]);
        assert_eq!(rows("a\tb\n1\t2,5\n"), [["1", "2,5"]]);
        assert_eq!(rows("email\nx\n"), [["x"]]);
        assert_eq!(rows("\"Work\nEmail\";\"Full\nName, \"\"all\"\"\"\n1;2\n"), [["1", "2"]]);
    }

    #[test]
    fn a_trailing_run_of_tool_columns_is_cut_off() {
        let records = read("t.csv", b"email,_note,_row,_reason\na,b,7,x\n".to_vec(), None).unwrap();
        assert_eq!(records.header, ["email", "_note"]);
        assert_eq!(&records.bytes[records.records[0].range.clone()], b"a,b");
        assert_eq!(records.records[0].fault, None);
    }

    #[test]
    fn a_record_with_some_tool_cells_is_ragged_and_its_surplus_is_kept() {
        let text = "Email,Name,_row,_line,_key\na,Love, Ada\na,b\na,b,1,2,k\na,b,1,2,k,x,y\na,b,1,2\n";
        let records = read("t.csv", text.as_bytes().to_vec(), None).unwrap();
        let found: Vec<_> =
            records.records.iter().map(|r| (r.fault.is_some(), &records.bytes[r.extra.clone()])).collect();
        let expected = [(true, &b" Ada"[..]), (false, b""), (false, b""), (true, b"x,y"), (true, b"1,2")];
        assert_eq!(found, expected);
    }

    #[test]
    fn two_columns_of_one_name_are_refused_by_number() {
        let error = read("t.csv", b"Email,name,email\n".to_vec(), None).unwrap_err();
        assert!(error.to_string().contains("number 1 and number 3"), "{error}");
    }

    #[test]
    fn a_first_line_that_is_somebody_is_not_told_for_its_equal_cells() {
        for text in ["Ada,a@example.com,a@example.com\n", "Ada,Ada,a@example.com\n"] {
            let error = read("t.csv", text.as_bytes().to_vec(), None).unwrap_err();
            let told = format!("{error:?}");
            assert!(error.hint_text().unwrap().contains("--no-header"), "{told}");
            assert!(!told.contains("a@example.com") && !told.contains("Ada"), "{told}");
        }
    }

    #[test]
    fn an_output_of_ours_is_not_read_without_its_header() {
        let text = "email,name,_row,_line,_key\na@example.com,Ada,1,2,k\n";
        let error = read_headerless("t.csv", text.as_bytes().to_vec(), None).unwrap_err();
        assert_eq!((error.kind(), error.hint_text()), (Kind::Usage, Some("leave --no-header away")));
        assert!(read_headerless("t.csv", b"a@example.com,_row,Ada\n".to_vec(), None).is_ok());
    }

    #[test]
    fn a_promised_delimiter_counts_only_if_the_header_holds_it() {
        for (text, delimiter) in [("a\tb,c\n", b'\t'), ("a,b\n", b','), ("a;b\n1\t2;3\n", b';')] {
            assert_eq!(read("t.tsv", text.into(), Some(b'\t')).unwrap().dialect.delimiter, delimiter, "{text}");
        }
    }

    #[test]
    fn a_text_that_we_made_begins_with_its_header_whatever_that_looks_like() {
        for header in ["version:v1.0", "sep=;", "a;b;c"] {
            let made = read_made("t.parquet", format!("{header}\nx\n").into_bytes()).unwrap();
            assert_eq!((made.header[0].as_str(), made.records.len(), made.has_preamble), (header, 1, false));
        }
    }

    #[test]
    fn without_a_header_the_delimiter_is_that_of_equal_widths() {
        let text = "1;Ada, Countess, of, Love;a@example.com\n2;Bob;b@example.com\n3;Cyd, Day;c@example.com\n";
        let records = read_headerless("t.csv", text.into(), None).unwrap();
        assert_eq!((records.dialect.delimiter, records.header.len()), (b';', 3));
        assert_eq!(read_headerless("t.csv", b"a@example.com\n".to_vec(), None).unwrap().dialect.delimiter, b',');
    }

    #[test]
    fn the_first_line_of_an_entra_template_is_no_header_and_lines_stay_true() {
        for first in ["version:v1.0", "version:v1.0;;", "\"version:v1.0\"", "Version:v1.0,,,,"] {
            let text = format!("{first}\r\nName;User name\r\nAda;a@example.com\r\n");
            let records = read("t.csv", text.into_bytes(), None).unwrap();
            assert_eq!(records.header, ["Name", "User name"], "{first}");
            assert_eq!((records.has_preamble, records.records[0].line), (true, 3), "{first}");
        }
        let plain = read("t.csv", b"version:vintage,email\n1,a@example.com\n".to_vec(), None).unwrap();
        assert_eq!((plain.has_preamble, plain.records.len()), (false, 1));
    }

    #[test]
    fn without_a_header_the_first_line_is_a_record_and_most_records_say_the_width() {
        let records = read_headerless("t.csv", b"a\n1;2\n3;4\n5;6;7\n".to_vec(), Some(b';')).unwrap();
        assert_eq!(
            (records.header.as_slice(), &records.header_line[..]),
            (&["column_1".to_owned(), "column_2".to_owned()][..], &b"column_1;column_2"[..])
        );
        let found: Vec<_> = records.records.iter().map(|r| (r.line, r.fault.is_some())).collect();
        assert_eq!(found, [(1, true), (2, false), (3, false), (4, true)]);
        assert!(read_headerless("t.csv", b"\n".to_vec(), None).is_err());
    }

    proptest! {
        /// The oracle: the csv crate writes and reads; lines by counting what stands before.
        #[test]
        fn well_formed_files_read_as_the_csv_crate_reads_them(
            table in proptest::collection::vec(proptest::collection::vec("[a-c\",;\n\r é]{0,5}", 3), 1..9),
            crlf in any::<bool>(),
        ) {
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
            writer.write_record(["h1", "h2", "h3"]).unwrap();
            for row in &table { writer.write_record(row).unwrap(); }
            let bytes = writer.into_inner().unwrap();
            let mut reader = csv::ReaderBuilder::new().from_reader(&bytes[..]);
            let expected: Vec<Vec<String>> =
                reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            let text = String::from_utf8(bytes.clone()).unwrap();
            prop_assert_eq!(rows(&text), expected);
            let records = read("t.csv", bytes, None).unwrap();
            for record in &records.records {
                prop_assert_eq!(record.fault, None);
                let before = &text[..record.range.start];
                let lines = before.replace("\r\n", "\n").replace('\r', "\n").matches('\n').count();
                prop_assert_eq!(record.line as usize, lines + 1);
            }
        }
    }
}
