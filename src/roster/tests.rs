//! The reader of rosters, against what people write by hand and what the `csv` crate reads.
#![allow(clippy::unwrap_used)]

mod reference;

use std::sync::Arc;

use proptest::prelude::*;

use super::chunks::{Gather, Raw};
use super::*;
use crate::error::{Kind, Result};
use crate::lanes::Effort;

/// What a record was read as.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read {
    line: u32,
    fault: Option<RecordFault>,
    cells: Vec<String>,
}

#[derive(Default)]
struct All(Vec<Read>);

impl Gather for All {
    fn push(&mut self, record: &Raw<'_>) {
        let cells = (0..record.ends.len()).map(|at| record.cell(at).into_owned()).collect();
        self.0.push(Read { line: record.line, fault: record.fault, cells });
    }
}

fn opened(text: impl Into<Vec<u8>>) -> Result<Sheet> {
    open_bytes("t.csv", text.into(), Opening::default())
}

fn headerless(text: impl Into<Vec<u8>>) -> Result<Sheet> {
    open_bytes("t.csv", text.into(), Opening { headline: Headline::Missing, ..Opening::default() })
}

/// All records, a ragged one marked.
fn read_all(sheet: &Sheet) -> Result<Vec<Read>> {
    let mut all = Vec::new();
    sheet.scan(All::default, |part, line| {
        all.extend(part.0.into_iter().map(|read| Read { line: read.line + line, ..read }));
        Ok(())
    })?;
    for read in &mut all {
        let is_ragged = !sheet.widths().contains(&read.cells.len());
        read.fault = read.fault.or(is_ragged.then_some(RecordFault::Ragged));
    }
    Ok(all)
}

fn rows(text: &str) -> Vec<Vec<String>> {
    read_all(&opened(text).unwrap()).unwrap().into_iter().map(|read| read.cells).collect()
}

fn faults(text: &str) -> Vec<(u32, Option<RecordFault>)> {
    read_all(&opened(text).unwrap()).unwrap().into_iter().map(|read| (read.line, read.fault)).collect()
}

#[derive(Default)]
struct Starts(Vec<u64>);

impl Gather for Starts {
    fn push(&mut self, record: &Raw<'_>) {
        self.0.push(record.start);
    }
}

/// Where each record begins.
fn starts(text: &str) -> Vec<usize> {
    let mut all = Vec::new();
    let take = |part: Starts, _| {
        all.extend(part.0.into_iter().map(|start| usize::try_from(start).unwrap()));
        Ok(())
    };
    opened(text).unwrap().scan(Starts::default, take).unwrap();
    all
}

fn failed(text: impl Into<Vec<u8>>) -> crate::error::Error {
    opened(text).and_then(|sheet| read_all(&sheet)).unwrap_err()
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
    let error = failed(b"a,b\n1,2\n3,\"x\n4,5\n");
    assert!(error.to_string().starts_with("t.csv, line 3:"), "{error}");
}

#[test]
fn bytes_that_are_not_utf8_are_named_with_line_and_offset() {
    let error = failed(b"a,b\nx,M\xFCller\n");
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
    let records = Records::find(opened(b"email,_note,_row,_reason\na,b,7,x\n").unwrap()).unwrap();
    assert_eq!(records.sheet.header, ["email", "_note"]);
    let (mut buffer, mut ends) = (Vec::new(), Vec::new());
    let mut block = records.read(0..1, &mut buffer).unwrap();
    assert_eq!((block.source(0).unwrap(), block.record(0, &mut ends).unwrap().source()), (&b"a,b"[..], &b"a,b"[..]));
}

#[test]
fn a_record_with_some_tool_cells_is_ragged_and_its_surplus_is_kept() {
    let text = "Email,Name,_row,_line,_key\na,Love, Ada\na,b\na,b,1,2,k\na,b,1,2,k,x,y\na,b,1,2\n";
    let ragged: Vec<bool> = faults(text).iter().map(|(_, fault)| fault.is_some()).collect();
    assert_eq!(ragged, [true, false, false, true, true]);
    let records = Records::find(opened(text).unwrap()).unwrap();
    let (mut buffer, mut ends) = (Vec::new(), Vec::new());
    let mut block = records.read(0..records.len(), &mut buffer).unwrap();
    let extra: Vec<_> = (0..records.len()).map(|at| block.record(at, &mut ends).unwrap().extra()).collect();
    assert_eq!(extra, [" Ada", "", "", "x,y", "1,2"]);
}

#[test]
fn two_columns_of_one_name_are_refused_by_number() {
    let error = failed(b"Email,name,email\n");
    assert!(error.to_string().contains("number 1 and number 3"), "{error}");
}

#[test]
fn a_first_line_that_is_somebody_is_not_told_for_its_equal_cells() {
    for text in ["Ada,a@example.com,a@example.com\n", "Ada,Ada,a@example.com\n"] {
        let error = failed(text);
        let told = format!("{error:?}");
        assert!(error.hint_text().unwrap().contains("--no-header"), "{told}");
        assert!(!told.contains("a@example.com") && !told.contains("Ada"), "{told}");
    }
}

#[test]
fn an_output_of_ours_is_not_read_without_its_header() {
    let text = "email,name,_row,_line,_key\na@example.com,Ada,1,2,k\n";
    let error = headerless(text).unwrap_err();
    assert_eq!((error.kind(), error.hint_text()), (Kind::Usage, Some("leave --no-header away")));
    assert!(headerless(b"a@example.com,_row,Ada\n").is_ok());
}

#[test]
fn a_promised_delimiter_counts_only_if_the_header_holds_it() {
    for (text, delimiter) in [("a\tb,c\n", b'\t'), ("a,b\n", b','), ("a;b\n1\t2;3\n", b';')] {
        let opening = |delimiter| Opening { delimiter, ..Opening::default() };
        let sheet = open_bytes("t.tsv", text.into(), opening(Delimiter::Promised(b'\t'))).unwrap();
        assert_eq!(sheet.dialect.delimiter, delimiter, "{text}");
        let sheet = open_bytes("t.tsv", text.into(), opening(Delimiter::Said(b'#'))).unwrap();
        assert_eq!((sheet.dialect.delimiter, sheet.header.len()), (b'#', 1), "{text}");
    }
}

#[test]
fn a_text_that_we_made_begins_with_its_header_whatever_that_looks_like() {
    for header in ["version:v1.0", "sep=;", "a;b;c"] {
        let text = Arc::new(InMemory(format!("{header}\nx\n").into_bytes()));
        let made = open_made("t.parquet", text, Lines::Rows, Effort::default()).unwrap();
        let n = read_all(&made).unwrap().len();
        assert_eq!((made.header[0].as_str(), n, made.has_preamble), (header, 1, false));
    }
}

#[test]
fn without_a_header_the_delimiter_is_that_of_equal_widths() {
    let text = "1;Ada, Countess, of, Love;a@example.com\n2;Bob;b@example.com\n3;Cyd, Day;c@example.com\n";
    let records = headerless(text).unwrap();
    assert_eq!((records.dialect.delimiter, records.header.len()), (b';', 3));
    assert_eq!(headerless(b"a@example.com\n").unwrap().dialect.delimiter, b',');
}

#[test]
fn the_first_line_of_an_entra_template_is_no_header_and_lines_stay_true() {
    for first in ["version:v1.0", "version:v1.0;;", "\"version:v1.0\"", "Version:v1.0,,,,"] {
        let text = format!("{first}\r\nName;User name\r\nAda;a@example.com\r\n");
        let records = opened(text).unwrap();
        assert_eq!(records.header, ["Name", "User name"], "{first}");
        assert_eq!((records.has_preamble, read_all(&records).unwrap()[0].line), (true, 3), "{first}");
    }
    let plain = opened(b"version:vintage,email\n1,a@example.com\n").unwrap();
    assert_eq!((plain.has_preamble, read_all(&plain).unwrap().len()), (false, 1));
}

#[test]
fn without_a_header_the_first_line_is_a_record_and_most_records_say_the_width() {
    let records = headerless(b"a\n1;2\n3;4\n5;6;7\n").unwrap();
    assert_eq!(
        (records.header.as_slice(), &records.header_line[..]),
        (&["column_1".to_owned(), "column_2".to_owned()][..], &b"column_1;column_2"[..])
    );
    let found: Vec<_> = read_all(&records).unwrap().iter().map(|r| (r.line, r.fault.is_some())).collect();
    assert_eq!(found, [(1, true), (2, false), (3, false), (4, true)]);
    assert!(headerless(b"\n").is_err());
}

/// A table as the csv crate writes it: header, then rows of three cells.
fn written(table: &[Vec<String>], delimiter: u8, terminator: csv::Terminator, style: csv::QuoteStyle) -> String {
    let mut writer = csv::WriterBuilder::new();
    writer.delimiter(delimiter).terminator(terminator).quote_style(style);
    let mut writer = writer.from_writer(Vec::new());
    writer.write_record(["h1", "h2", "h3"]).unwrap();
    table.iter().for_each(|row| writer.write_record(row).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec("[a-c\",;|\t\n\r é]{0,5}", 3), 1..9)
}

fn by_csv_crate(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// The oracle: the csv crate writes and reads; lines by counting what stands before.
    #[test]
    fn well_formed_files_read_as_the_csv_crate_reads_them(
        table in table(), delimiter in prop::sample::select(b",;|\t".to_vec()), crlf in any::<bool>(), bom in any::<bool>(),
        always in any::<bool>(), chunk in 1..64_usize,
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let text = written(&table, delimiter, terminator, style);
        let expected = by_csv_crate(&text, delimiter);
        prop_assert_eq!(&expected, &table);
        let text = if bom { format!("\u{feff}{text}") } else { text };
        let opening = Opening { effort: Effort { chunk_bytes: chunk, ..Effort::of_threads(2) }, ..Opening::default() };
        let sheet = open_bytes("t.csv", text.clone().into_bytes(), opening).unwrap();
        prop_assert_eq!((sheet.dialect.delimiter, sheet.dialect.bom), (delimiter, bom));
        let read = read_all(&sheet).unwrap();
        prop_assert!(read.iter().all(|read| read.fault.is_none()));
        let cells: Vec<_> = read.iter().map(|read| read.cells.clone()).collect();
        prop_assert_eq!(cells, expected);
        for (start, read) in starts(&text).into_iter().zip(&read) {
            let lines = text[..start].replace("\r\n", "\n").replace('\r', "\n").matches('\n').count();
            prop_assert_eq!(read.line as usize, lines + 1);
        }
    }

    /// That crate pads, cuts or swallows without a word.
    #[test]
    fn what_the_csv_crate_reads_wrongly_without_a_word_is_a_fault_of_its_own_row(
        table in table(), at in any::<prop::sample::Index>(), damage in 0..6_usize,
    ) {
        use RecordFault::{Nul, Ragged, StrayQuote};
        let (wrong, fault) = [
            ("a,b\"c\",d\n", StrayQuote), ("a,\"b\"c,d\n", StrayQuote), ("a,\"b\" ,d\n", StrayQuote),
            ("a,b\n", Ragged), ("a,b,c,d\n", Ragged), ("a,\0,c\n", Nul),
        ][damage];
        let at = at.index(table.len() + 1);
        let part = |rows: &[Vec<String>]| written(rows, b',', csv::Terminator::Any(b'\n'), csv::QuoteStyle::Necessary);
        let (before, behind) = (part(&table[..at]), part(&table[at..]));
        let text = before.clone() + wrong + behind.strip_prefix("h1,h2,h3\n").unwrap();
        prop_assert_eq!(by_csv_crate(&text, b',').len(), table.len() + 1);
        let read = read_all(&opened(text.as_str()).unwrap()).unwrap();
        let faults: Vec<_> = read.iter().map(|read| read.fault).collect();
        let mut expected = vec![None; table.len() + 1];
        expected[at] = Some(fault);
        prop_assert_eq!(faults, expected);
        let line = before.replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() + 1;
        prop_assert_eq!(read[at].line as usize, line);
        let others: Vec<_> = read.into_iter().enumerate().filter(|(n, _)| *n != at).map(|(_, read)| read.cells).collect();
        prop_assert_eq!(others, table);
    }
}
