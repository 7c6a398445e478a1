//! Where the records of a file are, so that their bytes can be copied when rows are written.
//!
//! Sixteen bytes a record are kept, whatever it holds: the file itself is read once more, block by block.

use std::ops::Range;

use super::chunks::{Gather, Raw};
use super::scan::{Scanned, Scanner, cell};
use super::sheet::{Lines, Sheet};
use super::text::changed;
use crate::error::{Error, Kind, Result};

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

/// The records of a file, in its order.
#[derive(Clone, Debug)]
pub struct Records {
    /// The file.
    pub sheet: Sheet,
    start: Vec<u64>,
    /// Bytes of the source cells, without line end and without tool columns of an earlier run.
    len: Vec<u32>,
    line: Vec<u32>,
}

/// The places of the records of one chunk.
#[derive(Debug, Default)]
pub(super) struct Places {
    start: Vec<u64>,
    len: Vec<u32>,
    line: Vec<u32>,
}

impl Places {
    /// Keeps the place of a record; what is wrong with it, its width included.
    #[inline]
    pub(super) fn push(&mut self, record: &Raw<'_>, widths: [usize; 2]) -> Option<RecordFault> {
        let n_kept = record.ends.len().min(widths[0]);
        self.start.push(record.start);
        self.len.push(n_kept.checked_sub(1).map_or(0, |last| record.ends[last]));
        self.line.push(record.line);
        // A record that was cut from a result file may lack the tool cells: then it has none of them.
        record.wrong(widths)
    }
}

impl Gather for (Places, [usize; 2]) {
    fn push(&mut self, record: &Raw<'_>) {
        self.0.push(record, self.1);
    }
}

impl Records {
    /// Finds all records of a file.
    ///
    /// # Errors
    /// `File`, naming the file and the line: an open quote, a record above 4 MiB, bytes that are not UTF-8.
    pub fn find(sheet: Sheet) -> Result<Self> {
        let mut records = Self::new(sheet.clone());
        sheet.scan(|| (Places::default(), sheet.widths), |(places, _), line| records.append(places, line))?;
        Ok(records)
    }

    pub(super) fn new(sheet: Sheet) -> Self {
        let (_, n) = sheet.n_expected();
        Self { sheet, start: Vec::with_capacity(n), len: Vec::with_capacity(n), line: Vec::with_capacity(n) }
    }

    /// Takes the records of the next chunk, which begins at `line`.
    pub(super) fn append(&mut self, places: Places, line: u32) -> Result<()> {
        let n_rows = self.len() + places.start.len();
        if u32::try_from(n_rows).ok().is_none_or(|n| n == u32::MAX) {
            let what = format!("{} has more than 4,294,967,294 rows", self.sheet.origin);
            return Err(Error::new(Kind::File, what).hint("split it into several files"));
        }
        self.start.extend_from_slice(&places.start);
        self.len.extend_from_slice(&places.len);
        self.line.extend(places.line.iter().map(|ahead| line.saturating_add(*ahead)));
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// The line that is told of the record at `at`.
    #[must_use]
    pub fn line(&self, at: usize) -> u32 {
        let row = || u32::try_from(at + 1).unwrap_or(u32::MAX);
        match &self.sheet.lines {
            Lines::Physical => self.line[at],
            Lines::Rows => row(),
            Lines::Given(lines) => lines.get(at).copied().unwrap_or_else(row),
        }
    }

    /// The records, parted into runs of about `bytes` bytes of the file.
    #[must_use]
    pub fn blocks(&self, bytes: usize) -> Vec<Range<usize>> {
        let (bytes, mut blocks, mut begin) = (bytes.max(1) as u64, Vec::new(), 0);
        while begin < self.len() {
            let stop = self.start[begin] + bytes;
            let n = self.start[begin..].partition_point(|start| *start < stop);
            blocks.push(begin..begin + n.max(1));
            begin += n.max(1);
        }
        blocks
    }

    /// Reads the records of `rows` once more.
    ///
    /// # Errors
    /// `File` if the file cannot be read, or is not what it was.
    pub fn read<'a>(&'a self, rows: Range<usize>, buffer: &'a mut Vec<u8>) -> Result<Block<'a>> {
        let n_bytes = self.sheet.text.n_bytes();
        let begin = self.start.get(rows.start).copied().unwrap_or(n_bytes);
        let end = self.start.get(rows.end).copied().unwrap_or(n_bytes);
        Ok(Block { records: self, bytes: self.sheet.text.read(begin..end, buffer)?, begin, end, walk: None })
    }
}

/// The bytes of some records.
pub struct Block<'a> {
    records: &'a Records,
    bytes: &'a [u8],
    begin: u64,
    end: u64,
    walk: Option<Walk<'a>>,
}

/// A way through the records of a block: whoever wants one after the other looks at no byte twice.
struct Walk<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    /// Where the scanner began, in the text.
    base: usize,
}

/// One record, read once more.
#[derive(Clone, Copy, Debug)]
pub struct Reread<'t, 'e> {
    text: &'t str,
    ends: &'e [u32],
    widths: [usize; 2],
    extra_at: Option<usize>,
}

impl<'a> Block<'a> {
    /// The source cells of the record at `at` as they stand there, without looking into them: only for a sound record.
    ///
    /// # Errors
    /// `File` if the file is not what it was.
    #[inline]
    pub fn source(&self, at: usize) -> Result<&'a [u8]> {
        let begin = usize::try_from(self.records.start[at] - self.begin).unwrap_or(usize::MAX);
        let source = self.bytes.get(begin..begin + self.records.len[at] as usize);
        source.ok_or_else(|| changed(&self.records.sheet.origin))
    }

    /// The record at `at` with its cells; `ends` is room to work in.
    ///
    /// # Errors
    /// `File` if the file is not what it was.
    pub fn record<'e>(&mut self, at: usize, ends: &'e mut Vec<u32>) -> Result<Reread<'a, 'e>> {
        let sheet = &self.records.sheet;
        let place = |at: u64| at.checked_sub(self.begin).and_then(|at| usize::try_from(at).ok());
        let next = self.records.start.get(at + 1).copied().unwrap_or(self.end).min(self.end);
        let range = place(self.records.start[at]).zip(place(next)).ok_or_else(|| changed(&sheet.origin))?;
        let text = match &self.walk {
            Some(walk) => Some(walk.text),
            None => std::str::from_utf8(self.bytes).ok(),
        };
        let text = text.ok_or_else(|| changed(&sheet.origin))?;
        let found = self.walk_to(text, range.0).and_then(|walk| match walk.scanner.record(ends) {
            Scanned::Whole(end, _) if walk.base + end <= range.1 => text.get(range.0..walk.base + end),
            Scanned::Whole(..) | Scanned::Cut | Scanned::Open => None,
        });
        let text = found.ok_or_else(|| changed(&sheet.origin))?;
        Ok(Reread { text, ends, widths: sheet.widths, extra_at: sheet.extra_at })
    }

    /// The way that leads on from the record that begins at `start`: the one so far, or a new one.
    fn walk_to(&mut self, text: &'a str, start: usize) -> Option<&mut Walk<'a>> {
        let is_there = |walk: &mut Walk<'_>| walk.scanner.skip_blank_lines() && walk.base + walk.scanner.at == start;
        if !self.walk.as_mut().is_some_and(is_there) {
            let rest = self.bytes.get(start..)?;
            let scanner = Scanner::new(rest, self.records.sheet.dialect.delimiter, true, 0);
            self.walk = Some(Walk { text, scanner, base: start });
        }
        self.walk.as_mut()
    }
}

impl<'t> Reread<'t, '_> {
    /// The text of a cell; empty if the record is too short.
    #[must_use]
    pub fn cell(&self, at: usize) -> std::borrow::Cow<'t, str> {
        cell(self.ends, at).map_or(std::borrow::Cow::Borrowed(""), |range| super::scan::decode(&self.text[range]))
    }

    /// The source cells as they stand there.
    #[must_use]
    pub fn source(&self) -> &'t [u8] {
        let n_kept = self.ends.len().min(self.widths[0]);
        let end = n_kept.checked_sub(1).and_then(|last| cell(self.ends, last)).map_or(0, |cell| cell.end);
        &self.text.as_bytes()[..end]
    }

    /// Cells that are missing at the end.
    #[must_use]
    pub const fn n_missing(&self) -> usize {
        self.widths[0].saturating_sub(self.ends.len())
    }

    /// The surplus as text: of one cell what it holds, of several what stands there.
    #[must_use]
    pub fn decoded_extra(&self) -> std::borrow::Cow<'t, str> {
        super::scan::decode(self.extra())
    }

    /// Surplus cells behind the header's width, as they stand there; of a record that an earlier run has cut what it kept of
    /// them; empty if there are none.
    #[must_use]
    pub fn extra(&self) -> &'t str {
        let [n_source, n_all] = self.widths;
        if self.widths.contains(&self.ends.len()) {
            let kept =
                self.extra_at.and_then(|at| cell(self.ends, at)).map_or("", |kept| &self.text[kept.start..kept.end]);
            return kept.strip_prefix('"').and_then(|kept| kept.strip_suffix('"')).unwrap_or(kept);
        }
        // Some of them are none of ours, but a comma too many in front of our own.
        let n_sound = if self.ends.len() < n_all { n_source } else { n_all };
        cell(self.ends, n_sound).map_or("", |first| &self.text[first.start..])
    }
}
