//! Where records begin and end.
//!
//! A record scanner of our own, because no reader at hand is a sufficient judge of a roster: one pads short rows
//! silently, another swallows a stray quote and with it the next row. It keeps byte ranges and physical lines, reads
//! LF, CRLF and CR, and never guesses: an open quote at the end of the file is an error with the line where it began.

use std::ops::Range;

use crate::error::{Error, Kind, Result};
use crate::roster::RecordFault;

/// Longest record, in bytes. A longer one is an open quote that swallowed its neighbours.
const RECORD_BYTES_MAX: usize = 4 << 20;

/// Delimiters that are recognised; of equally frequent ones the last.
const DELIMITERS: [u8; 4] = [b'|', b'\t', b';', b','];

/// Records that the delimiter of a file without a header is judged by.
const SAMPLE_RECORDS: usize = 20;

/// One record as it was found, before its width is judged.
pub(super) struct Raw {
    pub range: Range<usize>,
    pub line: u32,
    pub fault: Option<RecordFault>,
}

/// A place in the bytes of a file, and its physical line.
pub(super) struct Scanner<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub line: u32,
}

impl Scanner<'_> {
    /// The next record that is not a blank line; its raw cells in `fields`.
    pub(super) fn next(&mut self, origin: &str, delimiter: u8, fields: &mut Vec<Range<usize>>) -> Result<Option<Raw>> {
        self.skip_blank_lines();
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        fields.clear();
        let (start, line) = (self.at, self.line);
        let scanned = self.record(delimiter, fields);
        let (end, fault) = scanned.ok_or_else(|| {
            Error::new(Kind::File, format!("{origin}, line {line}: a quoted cell of this record is never closed"))
                .hint("close the quote, or double it (\"\") if it belongs to the text; nothing was written")
        })?;
        if end - start > RECORD_BYTES_MAX {
            let what = format!("{origin}, line {line}: this record is longer than 4 MiB");
            return Err(Error::new(Kind::File, what).hint("look for an open quote on that line"));
        }
        self.skip_line_end();
        Ok(Some(Raw { range: start..end, line, fault }))
    }

    /// Scans one record up to its line end: `None` if a quote stays open.
    pub(super) fn record(
        &mut self,
        delimiter: u8,
        fields: &mut Vec<Range<usize>>,
    ) -> Option<(usize, Option<RecordFault>)> {
        let mut fault = None;
        loop {
            let start = self.at;
            if self.bytes.get(start) == Some(&b'"') {
                self.quoted(&mut fault)?;
            }
            self.plain(delimiter, &mut fault);
            fields.push(start..self.at);
            if self.bytes.get(self.at) != Some(&delimiter) {
                return Some((self.at, fault));
            }
            self.at += 1;
        }
    }

    /// From an opening quote to behind the closing one.
    fn quoted(&mut self, fault: &mut Option<RecordFault>) -> Option<()> {
        let open = self.at;
        self.at += 1;
        loop {
            self.at += memchr::memchr(b'"', self.bytes.get(self.at..)?)?;
            self.at += 1;
            if self.bytes.get(self.at) != Some(&b'"') {
                break;
            }
            self.at += 1;
        }
        let inside = &self.bytes[open..self.at];
        self.line += count_lines(inside);
        if memchr::memchr(0, inside).is_some() {
            *fault = fault.or(Some(RecordFault::Nul));
        }
        // Whatever follows but a delimiter or a line end is marked by `plain`.
        Some(())
    }

    /// To the next delimiter or line end. A quote on the way is stray, and so is any text behind a closing quote.
    fn plain(&mut self, delimiter: u8, fault: &mut Option<RecordFault>) {
        let behind_quote = self.at > 0 && self.bytes[self.at - 1] == b'"';
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' | b'\r' => break,
                _ if byte == delimiter => break,
                b'"' => *fault = fault.or(Some(RecordFault::StrayQuote)),
                0 => *fault = fault.or(Some(RecordFault::Nul)),
                _ => {}
            }
            self.at += 1;
        }
        if behind_quote && self.at > start {
            *fault = fault.or(Some(RecordFault::StrayQuote));
        }
    }

    /// Excel's own first line, `sep=;`: it names the delimiter and holds nothing.
    pub(super) fn skip_sep_line(&mut self) -> Option<u8> {
        let (delimiter, rest) = self.bytes[self.at..].strip_prefix(b"sep=")?.split_first()?;
        if !DELIMITERS.contains(delimiter) || !matches!(rest.first(), Some(b'\n' | b'\r')) {
            return None;
        }
        self.at = self.bytes.len() - rest.len();
        self.skip_line_end();
        Some(*delimiter)
    }

    /// The line at which this place stands, blank lines skipped.
    fn peek_line(&mut self) -> &[u8] {
        self.skip_blank_lines();
        let rest = &self.bytes[self.at..];
        &rest[..rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len())]
    }

    /// What stands outside quotes in the next record.
    pub(super) fn peek_unquoted(&mut self) -> Vec<u8> {
        self.skip_blank_lines();
        unquoted(&self.bytes[self.at..])
    }

    /// The first line of an Entra template, `version:v1.0`: it stands before the header, and Excel fills it up with
    /// empty cells.
    pub(super) fn skip_preamble(&mut self) -> bool {
        let line = self.peek_line();
        let text = String::from_utf8_lossy(line).to_ascii_lowercase();
        let is_filling =
            |c: char| c == '"' || c.is_whitespace() || u8::try_from(c).is_ok_and(|b| DELIMITERS.contains(&b));
        let text = text.trim_matches(is_filling);
        let version = text.strip_prefix("version:v").unwrap_or_default();
        let is_preamble = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.');
        if is_preamble {
            self.at += line.len();
            self.skip_line_end();
        }
        is_preamble
    }

    fn skip_blank_lines(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b'\n' | b'\r')) {
            self.skip_line_end();
        }
    }

    fn skip_line_end(&mut self) {
        match self.bytes.get(self.at..) {
            Some([b'\r', b'\n', ..]) => self.at += 2,
            Some([b'\r' | b'\n', ..]) => self.at += 1,
            _ => return,
        }
        self.line += 1;
    }
}

/// Line ends in `bytes`: LF, CRLF and CR each count once.
fn count_lines(bytes: &[u8]) -> u32 {
    let n = bytes.iter().enumerate().filter(|(at, b)| match b {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    u32::try_from(n.count()).unwrap_or(u32::MAX)
}

pub(super) fn line_end(rest: &[u8]) -> &'static str {
    match rest {
        [b'\r', b'\n', ..] => "\r\n",
        [b'\r', ..] => "\r",
        _ => "\n",
    }
}

/// The offset behind a byte order mark; refuses what is not UTF-8, since a wrong guess would change people's names.
pub(super) fn check_encoding(origin: &str, bytes: &[u8]) -> Result<usize> {
    let save = "save it as \"CSV UTF-8\" and run again";
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Error::new(Kind::File, format!("{origin} is UTF-16, not UTF-8")).hint(save));
    }
    if let Err(e) = std::str::from_utf8(bytes) {
        let at = e.valid_up_to();
        let line = count_lines(&bytes[..at]) + 1;
        let what = format!("{origin}, line {line}: byte 0x{:02X} at offset {at} is not UTF-8", bytes[at]);
        return Err(Error::new(Kind::File, what).hint(save));
    }
    Ok(if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 })
}

/// What stands outside quotes in the first record of `bytes`. Its delimiter is not known yet: a quote opens a cell at the
/// start and behind any candidate.
fn unquoted(bytes: &[u8]) -> Vec<u8> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while let Some(&byte) = bytes.get(at).filter(|b| !matches!(b, b'\n' | b'\r')) {
        at += 1;
        if byte != b'"' || kept.last().is_some_and(|last| !DELIMITERS.contains(last)) {
            kept.push(byte);
            continue;
        }
        // A quote that stays open is told of when the record is read.
        let mut is_open = true;
        while is_open && at < bytes.len() {
            is_open = bytes[at] != b'"' || bytes.get(at + 1) == Some(&b'"');
            at += if bytes[at] == b'"' && is_open { 2 } else { 1 };
        }
        kept.push(b'"');
    }
    kept
}

/// The candidate that stands most often outside quotes in the header; a comma if none does.
pub(super) fn detect_by_header(bytes: &[u8]) -> u8 {
    let header = unquoted(&bytes[blank_lines(bytes)..]);
    let count = |delimiter: u8| header.iter().filter(|b| **b == delimiter).count();
    let best = DELIMITERS.into_iter().max_by_key(|d| count(*d));
    best.filter(|d| count(*d) > 0).unwrap_or(b',')
}

/// The candidate by which most of the first records are equally wide, then the one that makes them widest; a comma if
/// none splits them. A cell without a header may well hold more commas than there are columns.
pub(super) fn detect_by_widths(bytes: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut scanner = Scanner { bytes, at: 0, line: 1 };
        let (mut widths, mut fields) = (Vec::with_capacity(SAMPLE_RECORDS), Vec::new());
        while widths.len() < SAMPLE_RECORDS {
            match scanner.next("", delimiter, &mut fields) {
                Ok(Some(_)) => widths.push(fields.len()),
                _ => break,
            }
        }
        let alike = |width: usize| widths.iter().filter(|w| **w == width).count();
        widths.iter().filter(|w| **w > 1).map(|w| (alike(*w), *w)).max().unwrap_or_default()
    };
    let best = DELIMITERS.into_iter().max_by_key(|d| score(*d));
    best.filter(|d| score(*d) > (0, 0)).unwrap_or(b',')
}

fn blank_lines(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count()
}
