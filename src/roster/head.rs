//! What stands before the first record: a byte order mark, Excel's `sep=;`, the first line of a template. And which
//! byte parts the cells.

use super::scan::{Ends, Scanned, Scanner, count_lines};

/// Delimiters that are recognised; of equally frequent ones the last.
const DELIMITERS: [u8; 4] = [b'|', b'\t', b';', b','];
/// Records that the delimiter of a file without a header is judged by.
const SAMPLE_RECORDS: usize = 20;
/// A byte order mark in UTF-8.
pub(super) const BOM: &str = "\u{feff}";

/// The beginning of a file, read up to `at`.
pub(super) struct Head<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl Head<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// The line at which this place stands, counted from 1.
    pub(super) fn line(&self) -> u32 {
        count_lines(&self.bytes[..self.at]).saturating_add(1)
    }

    /// Excel's own first line, `sep=;`: it names the delimiter and holds nothing.
    pub(super) fn skip_sep_line(&mut self) -> Option<u8> {
        let (delimiter, rest) = self.rest().strip_prefix(b"sep=")?.split_first()?;
        if !DELIMITERS.contains(delimiter) || !matches!(rest.first(), Some(b'\n' | b'\r')) {
            return None;
        }
        let (delimiter, at) = (*delimiter, self.bytes.len() - rest.len());
        self.at = at + line_end(rest).len();
        Some(delimiter)
    }

    /// The first line of an Entra template, `version:v1.0`: it stands before the header, and Excel fills it up with
    /// empty cells.
    pub(super) fn skip_preamble(&mut self) -> bool {
        self.skip_blank_lines();
        let rest = self.rest();
        let line = &rest[..rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len())];
        let text = String::from_utf8_lossy(line).to_ascii_lowercase();
        let is_filling =
            |c: char| c == '"' || c.is_whitespace() || u8::try_from(c).is_ok_and(|b| DELIMITERS.contains(&b));
        let text = text.trim_matches(is_filling);
        let version = text.strip_prefix("version:v").unwrap_or_default();
        let is_preamble = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.');
        if is_preamble {
            let behind = &rest[line.len()..];
            let n = line.len() + if behind.is_empty() { 0 } else { line_end(behind).len() };
            self.at += n;
        }
        is_preamble
    }

    fn skip_blank_lines(&mut self) {
        self.at += self.rest().iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
    }

    /// Whether `delimiter` stands outside quotes in the next record.
    pub(super) fn is_parted_by(&mut self, delimiter: u8) -> bool {
        self.skip_blank_lines();
        unquoted(self.rest()).contains(&delimiter)
    }

    /// The candidate that stands most often outside quotes in the header; a comma if none does.
    pub(super) fn detect_by_header(&mut self) -> u8 {
        self.skip_blank_lines();
        let header = unquoted(self.rest());
        let count = |delimiter: u8| header.iter().filter(|b| **b == delimiter).count();
        let best = DELIMITERS.into_iter().max_by_key(|d| count(*d));
        best.filter(|d| count(*d) > 0).unwrap_or(b',')
    }

    /// The candidate by which most of the first records are equally wide, then the one that makes them widest; a comma
    /// if none splits them. A cell without a header may well hold more commas than there are columns.
    pub(super) fn detect_by_widths(&mut self) -> u8 {
        let score = |delimiter: u8| {
            let mut scanner = Scanner::new(self.rest(), delimiter, true, 0);
            let (mut widths, mut ends) = (Vec::with_capacity(SAMPLE_RECORDS), Ends::new());
            while widths.len() < SAMPLE_RECORDS && scanner.skip_blank_lines() {
                match scanner.record(&mut ends) {
                    Scanned::Whole(..) => widths.push(ends.len()),
                    Scanned::Cut | Scanned::Open => break,
                }
            }
            let alike = |width: usize| widths.iter().filter(|w| **w == width).count();
            widths.iter().filter(|w| **w > 1).map(|w| (alike(*w), *w)).max().unwrap_or_default()
        };
        let best = DELIMITERS.into_iter().max_by_key(|d| score(*d));
        best.filter(|d| score(*d) > (0, 0)).unwrap_or(b',')
    }
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

/// The line end that stands at the beginning of `rest`.
pub(super) fn line_end(rest: &[u8]) -> &'static str {
    match rest {
        [b'\r', b'\n', ..] => "\r\n",
        [b'\r', ..] => "\r",
        _ => "\n",
    }
}
