//! From bytes to records: whatever the bytes, in pieces of any size, on any number of threads.

use std::borrow::Cow;

use rosterdiff::error::Result;
use rosterdiff::lanes::Effort;
use rosterdiff::roster::{self, Delimiter, Facts, Headline, Mapping, Opening, Records, Roster, Sheet};

use super::engine::{Target, about, kind_of_words, signature};
use super::plain_reader::{self, Wrong};

pub const TARGET: Target = Target { name: "scanner", seeds, run, mend: |_, _| {}, bytes_max: 900, is_foreign: false };

/// How a file may be opened; the first byte of an input chooses.
const DELIMITERS: [Delimiter; 6] = [
    Delimiter::Detect,
    Delimiter::Promised(b'\t'),
    Delimiter::Said(b','),
    Delimiter::Said(b';'),
    Delimiter::Said(b'#'),
    Delimiter::Made(b','),
];
/// A cell that reaches over what is read at first, over what is read beyond a chunk, and over what a record may be.
const LONG: [(u8, usize); 3] = [(0x01, (1 << 14) - 4), (0x02, (1 << 16) - 8), (0x03, (4 << 20) - 3)];

fn seeds() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 22] = [
        b"email,name\na@example.com,Ada\nb@example.com,\"Love, Ada \"\"L\"\"\"\n",
        b"a,b\r\n1,\"x\r\ny\"\r\n\r\n2,z\r\n",
        b"a;b\r1;\"x\ry\"\r\r2;z\r",
        b"\xEF\xBB\xBFsep=;\r\nemail;name\r\na@example.com;Ada\r\n",
        b"version:v1.0,,\r\nName [displayName] Required,User name [userPrincipalName] Required\r\nExample: Chris,x\r\n",
        b"email,_row,_line,_key\na@example.com,1,2,a@example.com\nb,2\nc\nd,1,2,k,x\n",
        b"a,b\n1,x\"y\n\"1\"x,y\n1\n1,2,3\n\0,2\n1,\"\"\n1,\"a\"\"b\"\n",
        b"a,b\n1,2\n3,\"x\n4,5\n",
        b"a,b\nx,M\xFCller\n",
        b"email\n\n\n\"\"\n \nx",
        b"1;Ada, Countess, of, Love;a@example.com\n2;Bob;b@example.com\n",
        b"a\tb\n1\t2,5\n\"\t\"\t\"\n\"",
        b"\"Work\nEmail\";\"Full\nName, \"\"all\"\"\"\n1;2\n",
        b"email,email\na,b\n",
        b"email\n\xEF\xBF\xBD\n\xF0\x9F\x98\x80@x.y\n",
        b"a,b\n\x01,1\n\"\x01\n\x01\",2\n3,4\n",
        b"a\x02,b\n1,2\n",
        b"a,b\n1,2\n\x03x,3\n4,5\n",
        b"a,b\n1,2\n\"\x03",
        b"a,b\n1,\"\x01\xFF\"\n",
        b"",
        b"\n\r\r\n",
    ];
    let samples = [include_str!("../../data/roster.csv"), include_str!("../../data/org.csv")];
    let samples = samples.map(|text| text.lines().take(5).flat_map(|line| [line, "\n"]).collect::<String>());
    let texts = texts.into_iter().chain(samples.iter().map(String::as_bytes));
    texts.flat_map(|text| [0, 2, 6].map(|how| [&[how], text].concat())).collect()
}

fn run(input: &[u8]) -> u64 {
    let (how, text) = input.split_first().unwrap_or((&0, &[]));
    let bytes = blown_up(text);
    let opening = Opening {
        delimiter: DELIMITERS[usize::from(*how) % DELIMITERS.len()],
        headline: if usize::from(*how) % (2 * DELIMITERS.len()) < DELIMITERS.len() {
            Headline::Named
        } else {
            Headline::Missing
        },
        effort: Effort { chunk_bytes: 1 << 20, ..Effort::of_threads(1) },
    };
    let read = read(&bytes, opening).map_err(|e| (e.kind(), e.to_string(), e.hint_text().map(str::to_owned)));
    // The pieces that are tried are chosen by the input, so that it is the same again.
    let turn = signature(input) as usize;
    let efforts = [(1, 1), (1, 7), (1, 64), (3, [1, 7, 64, 4_096, 1 << 20][turn % 5])];
    for (threads, chunk_bytes) in efforts {
        // Many pieces of a long file are the same over and over.
        let n_most = if bytes.len() > 2_000 { 6 } else { 150 };
        let chunk_bytes = chunk_bytes.max(bytes.len() / n_most);
        let opening = Opening { effort: Effort { threads, chunk_bytes, ..Effort::default() }, ..opening };
        let other =
            self::read(&bytes, opening).map_err(|e| (e.kind(), e.to_string(), e.hint_text().map(str::to_owned)));
        let is_same = match (&read, &other) {
            (Ok(one), Ok(other)) => one.is_same(other),
            (Err(one), Err(other)) => one == other,
            _ => false,
        };
        assert!(
            is_same,
            "chunks of {chunk_bytes} bytes on {threads} threads: {:?} and {:?}",
            brief(&read),
            brief(&other)
        );
    }
    let shape = (how % 12, about(bytes.len()) / 4);
    match read {
        Err((kind, words, _)) => signature((kind as u8, kind_of_words(&words), shape)),
        Ok(found) => {
            found.check(&bytes, opening);
            signature((found.signature(), shape))
        }
    }
}

fn blown_up(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    // Long cells take long: few inputs may have them.
    let turn = signature(text);
    let mut rest = [(4, 2), (8, 1), (64, 1)].map(|(n, most)| if turn.is_multiple_of(n) { most } else { 0 });
    for byte in text {
        match LONG.iter().position(|(mark, _)| mark == byte) {
            Some(at) if rest[at] > 0 => {
                rest[at] -= 1;
                bytes.extend(std::iter::repeat_n(b'x', LONG[at].1));
            }
            _ => bytes.push(*byte),
        }
    }
    bytes
}

/// All that a file was read as.
struct Found {
    sheet: Sheet,
    roster: Roster,
    rows: Vec<Row>,
}

#[derive(Debug, PartialEq)]
struct Row {
    line: u32,
    cells: Vec<String>,
    source: String,
    extra: String,
    n_missing: usize,
}

fn brief<E: std::fmt::Debug>(read: &Result<Found, E>) -> String {
    match read {
        Ok(found) => format!(
            "{} rows, lines {:?}",
            found.rows.len(),
            found.rows.iter().map(|r| r.line).take(9).collect::<Vec<_>>()
        ),
        Err(e) => format!("{e:?}"),
    }
}

fn read(bytes: &[u8], opening: Opening) -> Result<Found> {
    let sheet = roster::open_bytes("t.csv", bytes.to_vec(), opening)?;
    let mapping = Mapping {
        email: 0,
        name: vec![1],
        name_else: None,
        department: Some(2),
        title: None,
        division: Some(1),
        phone: Some(2),
        employee_id: None,
        family: None,
        is_worker: false,
    };
    let records = Records::find(sheet.clone())?;
    let roster = roster::check(sheet.clone(), mapping)?;
    assert_eq!(records.len(), roster.n_rows(), "records are found or checked, and are as many");
    let width = sheet.widths()[1] + 2;
    let columns = sheet.columns(&(0..width).collect::<Vec<_>>())?;
    let (mut rows, mut buffer, mut ends, mut one, mut one_ends) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for block in records.blocks(100) {
        let mut all = records.read(block.clone(), &mut buffer)?;
        for at in block {
            let record = all.record(at, &mut ends)?;
            let cells: Vec<String> = (0..width).map(|column| record.cell(column).into_owned()).collect();
            assert!(
                columns.iter().zip(&cells).all(|(column, cell)| column[at] == *cell),
                "cells are read again the same"
            );
            let mut alone = roster.records.read(at..at + 1, &mut one)?;
            let again = alone.record(at, &mut one_ends)?;
            assert_eq!(
                (again.source(), again.extra()),
                (record.source(), record.extra()),
                "a record is the same in any block"
            );
            if !roster.facts_at(at).has(Facts::UNSOUND) {
                assert_eq!(all.source(at)?, record.source(), "the places of a sound record are its bytes");
            }
            rows.push(Row {
                line: records.line(at),
                cells,
                source: String::from_utf8(record.source().to_vec()).expect("a record is UTF-8"),
                extra: record.extra().to_owned(),
                n_missing: record.n_missing(),
            });
        }
    }
    assert!(columns.iter().all(|column| column.len() == rows.len()), "a column has a cell for every record");
    Ok(Found { sheet, roster, rows })
}

impl Found {
    fn is_same(&self, other: &Self) -> bool {
        let dialect = |found: &Self| (found.sheet.dialect, found.sheet.has_preamble, found.sheet.widths());
        let checked = |found: &Self| found.roster.facts().map(Facts::bits).collect::<Vec<_>>();
        dialect(self) == dialect(other)
            && (&self.sheet.header, &self.sheet.header_line) == (&other.sheet.header, &other.sheet.header_line)
            && self.rows == other.rows
            && checked(self) == checked(other)
            && self.roster.keys().iter().eq(other.roster.keys().iter())
            && (0..self.rows.len()).all(|at| self.roster.division(at) == other.roster.division(at))
    }

    /// Holds the rows against the file and against other readers.
    fn check(&self, bytes: &[u8], opening: Opening) {
        let text = std::str::from_utf8(bytes).expect("what is not UTF-8 is no table");
        let mut rest = text;
        for row in &self.rows {
            let at = rest.find(&row.source).expect("source bytes stand in the file, in its order");
            rest = &rest[at + row.source.len()..];
        }
        let is_replaced = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
        assert!(
            is_replaced(text) || !self.rows.iter().any(|row| row.cells.iter().any(|c| is_replaced(c))),
            "no character is replaced"
        );
        let by = self.sheet.dialect.delimiter;
        let from = self.behind_preamble(text, opening);
        let mut plain = plain_reader::read(text, from, by).expect("a quote that stays open is an error");
        if opening.headline == Headline::Named {
            let header = plain.remove(0);
            let header: Vec<&str> = header.cells.iter().map(|cell| cell.trim()).collect();
            assert!(
                header.iter().zip(&self.sheet.header).all(|(one, other)| one == other),
                "the header is the first record"
            );
            assert_eq!(header.len(), self.sheet.widths()[1], "a record is as wide as the header");
        }
        assert_eq!(plain.len(), self.rows.len(), "a plain reader sees as many records");
        for (at, (plain, row)) in plain.iter().zip(&self.rows).enumerate() {
            assert_eq!(plain.line, row.line, "row {at}: a plain reader sees the same line");
            let n = plain.cells.len().min(row.cells.len());
            assert_eq!(
                (&plain.cells[..n], true),
                (&row.cells[..n], row.cells[n..].iter().all(String::is_empty)),
                "row {at}: cells"
            );
            let is_ragged = !self.sheet.widths().contains(&plain.cells.len());
            let code = match (plain.wrong, is_ragged) {
                (Some(Wrong::Nul), _) => Some("csv.nul"),
                (Some(Wrong::StrayQuote), _) => Some("csv.stray_quote"),
                (None, true) => Some("csv.ragged"),
                (None, false) => None,
            };
            let facts = self.roster.facts_at(at);
            assert_eq!(facts.has(Facts::UNSOUND), code.is_some(), "row {at}: {code:?}");
            assert!(code.is_none() || facts.reason().code() == code, "row {at}: {code:?} is the reason");
            assert_eq!(self.roster.key(at).is_some(), facts.is_usable(), "row {at}: a usable row has a key");
        }
        let is_sound = |record: &plain_reader::Record| record.wrong.is_none() && !record.text.contains('\0');
        // A mark in a text that we made is the first cell's; the csv crate takes it away.
        if plain.iter().all(is_sound) && !text[from..].starts_with('\u{feff}') {
            check_against_csv(&text[from..], by, opening, &plain);
        }
    }

    /// Where the header begins, behind what is none.
    fn behind_preamble(&self, text: &str, opening: Opening) -> usize {
        if matches!(opening.delimiter, Delimiter::Made(_)) {
            return 0;
        }
        let line_behind = |from: usize| {
            let end = text[from..].find(['\r', '\n']).map_or(text.len(), |at| from + at);
            end + if text[end..].starts_with("\r\n") { 2 } else { usize::from(end < text.len()) }
        };
        let mut from = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let sep = text[from..].strip_prefix("sep=").map(str::as_bytes);
        if sep.is_some_and(|sep| matches!(sep, [b',' | b';' | b'\t' | b'|', b'\r' | b'\n', ..])) {
            from = line_behind(from);
        }
        if self.sheet.has_preamble {
            from = text[from..].find(|c| c != '\r' && c != '\n').map_or(text.len(), |at| from + at);
            from = line_behind(from);
        }
        from
    }

    fn signature(&self) -> u64 {
        let facts = self.roster.facts().fold((0_u64, 0_u32), |(reasons, flags), facts| {
            (reasons | 1 << (facts.reason().bits() % 64), flags | facts.bits() >> 8)
        });
        let mut extras: Vec<_> = self.rows.iter().map(|row| (row.n_missing.min(2), row.extra.is_empty())).collect();
        extras.sort_unstable();
        extras.dedup();
        let dialect = self.sheet.dialect;
        let head =
            (dialect.delimiter, dialect.eol, dialect.bom, self.sheet.has_preamble, self.sheet.widths().map(about));
        signature((facts, extras, head, about(self.rows.len())))
    }
}

/// The csv crate, where it is a judge: it takes what is not sound its own way.
fn check_against_csv(text: &str, by: u8, opening: Opening, plain: &[plain_reader::Record]) {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(by).from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("it is UTF-8"));
    let skipped = usize::from(opening.headline == Headline::Named);
    let cells: Vec<Vec<Cow<'_, str>>> =
        records.skip(skipped).map(|record| record.iter().map(|cell| Cow::Owned(cell.to_owned())).collect()).collect();
    let plain: Vec<Vec<Cow<'_, str>>> =
        plain.iter().map(|record| record.cells.iter().map(|cell| Cow::Borrowed(cell.as_str())).collect()).collect();
    assert_eq!(plain, cells, "the csv crate reads the same cells");
}
