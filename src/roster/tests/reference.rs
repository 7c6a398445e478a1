//! The reader against a plain one that goes byte by byte, and against itself with any number of threads and any chunks.

use super::*;
use crate::roster::chunks::RECORD_BYTES_MAX;
use crate::roster::scan::{cell, decode};

const HEADER: &str = "h1,h2,h3\n";

/// A record: what was read, and its cells as they stand in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    line: u32,
    fault: Option<RecordFault>,
    raw: Vec<String>,
    /// Decoded; what the cells of a record with a fault hold nobody can say.
    cells: Vec<String>,
}

#[derive(Default)]
struct Everything(Vec<Found>);

impl Gather for Everything {
    fn push(&mut self, record: &Raw<'_>) {
        let raw = |at| record.text[cell(record.ends, at).unwrap()].to_owned();
        let raw: Vec<String> = (0..record.ends.len()).map(raw).collect();
        let is_sound = record.fault.is_none();
        let cells = if is_sound { raw.iter().map(|raw| decode(raw).into_owned()).collect() } else { Vec::new() };
        self.0.push(Found { line: record.line, fault: record.fault, raw, cells });
    }
}

/// What the reader makes of a file: its records, or what it says instead.
fn read(bytes: &[u8], delimiter: u8, effort: Effort) -> Result<Vec<Found>, String> {
    let opening = Opening { delimiter: Delimiter::Said(delimiter), effort, ..Opening::default() };
    let mut all = Vec::new();
    let take = |part: Everything, line| {
        all.extend(part.0.into_iter().map(|found| Found { line: found.line + line, ..found }));
        Ok(())
    };
    let read = open_bytes("t.csv", bytes.to_vec(), opening).and_then(|sheet| sheet.scan(Everything::default, take));
    read.map(|()| all).map_err(|error| error.to_string())
}

/// The rules, one byte after the other.
struct Plain<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    at: usize,
    line: u32,
}

impl Plain<'_> {
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn is_line_end(&self) -> bool {
        matches!(self.byte(), Some(b'\r' | b'\n'))
    }

    /// One byte further; a line end of two bytes counts with its second.
    fn step(&mut self) {
        let ends = match self.bytes[self.at] {
            b'\n' => true,
            b'\r' => self.bytes.get(self.at + 1) != Some(&b'\n'),
            _ => false,
        };
        self.line += u32::from(ends);
        self.at += 1;
    }

    fn records(mut self) -> Result<Vec<Found>, String> {
        let mut all = Vec::new();
        loop {
            while self.is_line_end() {
                self.step();
            }
            if self.byte().is_none() {
                return Ok(all);
            }
            all.push(self.record()?);
        }
    }

    fn record(&mut self) -> Result<Found, String> {
        let mut found = Found { line: self.line, fault: None, raw: Vec::new(), cells: Vec::new() };
        loop {
            let start = self.at;
            let text = self.cell(&mut found)?;
            found.raw.push(String::from_utf8(self.bytes[start..self.at].to_vec()).unwrap());
            found.cells.push(String::from_utf8(text).unwrap());
            if self.byte() != Some(self.delimiter) {
                break;
            }
            self.step();
        }
        if found.fault.is_some() {
            found.cells.clear();
        }
        Ok(found)
    }

    fn cell(&mut self, found: &mut Found) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let mut is_behind_quote = false;
        if self.byte() == Some(b'"') {
            self.step();
            loop {
                match (self.byte(), self.bytes.get(self.at + 1)) {
                    (None, _) => {
                        let line = found.line;
                        return Err(format!("t.csv, line {line}: a quoted cell of this record is never closed"));
                    }
                    (Some(b'"'), Some(b'"')) => {
                        text.push(b'"');
                        self.at += 2;
                    }
                    (Some(b'"'), _) => break,
                    (Some(byte), _) => {
                        found.fault = found.fault.or((byte == 0).then_some(RecordFault::Nul));
                        text.push(byte);
                        self.step();
                    }
                }
            }
            self.step();
            is_behind_quote = true;
        }
        while let Some(byte) = self.byte().filter(|byte| *byte != self.delimiter && !self.is_line_end()) {
            let fault = match byte {
                0 => Some(RecordFault::Nul),
                _ if byte == b'"' || is_behind_quote => Some(RecordFault::StrayQuote),
                _ => None,
            };
            found.fault = found.fault.or(fault);
            text.push(byte);
            self.step();
        }
        Ok(text)
    }
}

/// What the rules say of the bytes behind the header.
fn plain(bytes: &[u8], delimiter: u8) -> Result<Vec<Found>, String> {
    if let Err(error) = std::str::from_utf8(bytes) {
        let at = error.valid_up_to();
        let mut before = Plain { bytes: &bytes[..at], delimiter, at: 0, line: 1 };
        while before.byte().is_some() {
            before.step();
        }
        return Err(format!("t.csv, line {}: byte 0x{:02X} at offset {at} is not UTF-8", before.line, bytes[at]));
    }
    Plain { bytes, delimiter, at: HEADER.len(), line: 2 }.records()
}

fn effort(threads: usize, chunk_bytes: usize) -> Effort {
    Effort { threads, chunk_bytes, ..Effort::default() }
}

/// Any bytes, most of them such as mean something.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "a", "é", ",", ",", "\"", "\"", "\n", "\n", "\r", "\r\n", ";", "\0", " ", "\"a\"", "\"\"", ",\"", "\",",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Pieces of a file that is sound for the most part, long enough for several windows.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let record = || {
        prop::sample::select(vec![
            &b"a,b,c\n"[..],
            b"\"a\",\"b\nb\r\n\",\"c\"\"c\"\r\n",
            b"a,\"x,y\n1,2,3\n\",c\n",
            "é,ü,ß\r".as_bytes(),
            b"\n\r\n\r",
        ])
    };
    let piece = prop_oneof![
        24 => (record(), 1..120_usize).prop_map(|(record, n)| record.repeat(n)),
        2 => (1..40_000_usize).prop_map(|n| [b"a,\"", &b"line\n"[..].repeat(n / 5)[..], b"\",c\n"].concat()),
        1 => (1..40_000_usize).prop_map(|n| b"\r\n".repeat(n / 2)),
        1 => prop::sample::select(vec![&b"a,\"b\n"[..], b"a,b\"c,d\n", b"\xFF", b"\xC3", b"\0", b"x,y\n", b"\"a\"b,c,d\n"])
            .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 1..24).prop_map(|pieces| [HEADER.as_bytes(), &pieces.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn any_bytes_are_read_as_a_plain_reader_reads_them(
        body in bytes(), delimiter in prop::sample::select(b",,,; a".to_vec()), chunk in 1..40_usize, threads in 1..4_usize,
    ) {
        let bytes = [HEADER.as_bytes(), &body].concat();
        let expected = plain(&bytes, delimiter);
        prop_assert_eq!(&read(&bytes, delimiter, effort(1, 1 << 30)), &expected);
        prop_assert_eq!(&read(&bytes, delimiter, effort(threads, chunk)), &expected);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_alike_however_the_file_is_parted(
        body in bytes(), wrong in prop::sample::select(vec![&b"\xFF"[..], b"\xC3", b"\xE2\x82", b"\xED\xA0\x80"]),
        at in any::<prop::sample::Index>(), chunk in 1..40_usize, threads in 1..4_usize,
    ) {
        let at = at.index(body.len() + 1);
        let bytes = [HEADER.as_bytes(), &body[..at], wrong, &body[at..]].concat();
        prop_assert_eq!(read(&bytes, b',', effort(threads, chunk)), plain(&bytes, b','));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn neither_threads_nor_chunks_change_what_is_read(
        bytes in pieces(), chunks in prop::collection::vec(prop_oneof![200..3_000_usize, 3_000..90_000_usize], 3),
    ) {
        let expected = plain(&bytes, b',');
        prop_assert!(read(&bytes, b',', effort(1, 1 << 30)) == expected, "one chunk");
        for (threads, chunk) in [2, 3, 8].into_iter().zip(chunks) {
            prop_assert!(read(&bytes, b',', effort(threads, chunk)) == expected, "{threads} threads, {chunk} bytes");
        }
    }
}

/// A file whose second record has `n` bytes and begins on line 3.
fn with_record_of(n: usize) -> Vec<u8> {
    let cell = "x\n".repeat((n - 5) / 2) + &"y".repeat((n - 5) % 2);
    format!("{HEADER}a,b,c\n\"{cell}\",,a\n1,2,3\n").into_bytes()
}

#[test]
fn a_record_of_four_mebibytes_is_read_and_a_longer_one_named_with_its_line() {
    for (threads, chunk) in [(1, 1 << 30), (2, 1 << 20), (3, 100_000)] {
        let whole = with_record_of(RECORD_BYTES_MAX);
        let found = read(&whole, b',', effort(threads, chunk)).unwrap();
        assert_eq!(
            found.iter().map(|found| found.raw.concat().len()).collect::<Vec<_>>(),
            [3, RECORD_BYTES_MAX - 2, 3]
        );
        for n in [RECORD_BYTES_MAX + 1, RECORD_BYTES_MAX + 2, RECORD_BYTES_MAX + 70_000] {
            let told = read(&with_record_of(n), b',', effort(threads, chunk)).unwrap_err();
            assert_eq!(told, "t.csv, line 3: this record is longer than 4 MiB", "{n}, {threads} threads");
        }
    }
}

#[test]
fn an_open_quote_is_told_as_such_up_to_four_mebibytes_and_as_too_long_behind() {
    for (n, told) in [(RECORD_BYTES_MAX, "is never closed"), (RECORD_BYTES_MAX + 1, "is longer than 4 MiB")] {
        let bytes = [HEADER.as_bytes(), b"a,b,c\na,\"", &b"\n".repeat(n - 3)].concat();
        for (threads, chunk) in [(1, 1 << 30), (2, 1 << 20)] {
            let error = read(&bytes, b',', effort(threads, chunk)).unwrap_err();
            assert!(error.starts_with("t.csv, line 3: ") && error.ends_with(told), "{n}: {error}");
        }
    }
}

#[test]
fn a_header_of_four_mebibytes_is_read_and_a_longer_one_refused() {
    let header = |n: usize| format!("email,\"{}\"\na,b\n", "x".repeat(n - 8)).into_bytes();
    let opened = |n| open_bytes("t.csv", header(n), Opening::default()).map(|sheet| sheet.header.len());
    assert_eq!(opened(RECORD_BYTES_MAX).unwrap(), 2);
    assert_eq!(
        opened(RECORD_BYTES_MAX + 1).unwrap_err().to_string(),
        "t.csv, line 1: this record is longer than 4 MiB"
    );
}
