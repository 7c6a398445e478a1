//! Where records begin and end, and the cells between.
//!
//! A record scanner of our own, because no reader at hand is a sufficient judge of a roster: one pads short rows
//! silently, another swallows a stray quote and with it the next row. It keeps byte ranges and physical lines, reads
//! LF, CRLF and CR, and never guesses: an open quote at the end of the file is an error with the line where it began.

use std::borrow::Cow;
use std::ops::Range;

use super::marks::Marks;
use super::records::RecordFault;

/// How a window into a file came to its end while a record was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// The record ends here (its line end not counted).
    Whole(usize, Option<RecordFault>),
    /// The window ends before the record surely does.
    Cut,
    /// The file ends within quotes.
    Open,
}

/// Ends of the cells of one record, counted from its start. A cell begins behind the delimiter of the one before.
pub(super) type Ends = Vec<u32>;

/// Cell `at` of a record whose cells end at `ends`.
#[inline]
pub(super) fn cell(ends: &[u32], at: usize) -> Option<Range<usize>> {
    let end = *ends.get(at)? as usize;
    let start = if at == 0 { 0 } else { ends[at - 1] as usize + 1 };
    Some(start..end)
}

/// The text of a raw cell: quotes off, doubled quotes single.
#[must_use]
#[inline]
pub(super) fn decode(raw: &str) -> Cow<'_, str> {
    let Some(inner) = raw.strip_prefix('"') else { return Cow::Borrowed(raw) };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if inner.contains("\"\"") { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) }
}

/// A record that is being read.
struct Open {
    start: usize,
    /// Where the present cell begins.
    cell: usize,
    fault: Option<RecordFault>,
}

/// A record is at most 4 MiB long: that is held against it by whoever sees it whole.
#[inline]
fn offset(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A place in a window, and its line.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    marks: Marks<'a>,
    delimiter: u8,
    /// Whether the file ends where the window does.
    is_end: bool,
    pub at: usize,
    pub line: u32,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(bytes: &'a [u8], delimiter: u8, is_end: bool, line: u32) -> Self {
        Self { bytes, marks: Marks::new(bytes, delimiter), delimiter, is_end, at: 0, line }
    }

    /// Moves to the next byte that is no line end; whether there is one in the window.
    #[inline]
    pub(super) fn skip_blank_lines(&mut self) -> bool {
        while let Some(b'\n' | b'\r') = self.bytes.get(self.at) {
            if !self.skip_line_end() {
                return false;
            }
        }
        self.at < self.bytes.len()
    }

    /// Over the line end that stands here; not if the window cuts it in two.
    fn skip_line_end(&mut self) -> bool {
        let before = self.marks.clone();
        let place = self.marks.next();
        if self.bytes[place] == b'\n' {
            self.at = place + 1;
            self.line = self.line.saturating_add(1);
            return true;
        }
        let is_whole = self.end_line_at(place);
        if !is_whole {
            self.marks = before;
        }
        is_whole
    }

    /// Reads one record and moves behind its line end. `ends` gets the ends of its cells.
    #[inline]
    pub(super) fn record(&mut self, ends: &mut Ends) -> Scanned {
        let start = self.at;
        let mut open = Open { start, cell: start, fault: None };
        ends.clear();
        loop {
            let place = self.marks.next();
            let byte = self.bytes.get(place).copied();
            if byte == Some(self.delimiter) {
                ends.push(offset(place - start));
                open.cell = place + 1;
            } else if byte == Some(b'\n') {
                ends.push(offset(place - start));
                self.at = place + 1;
                self.line = self.line.saturating_add(1);
                return Scanned::Whole(place, open.fault);
            } else if let Some(scanned) = self.rare(byte, place, &mut open, ends) {
                return scanned;
            }
        }
    }

    /// Whatever is neither a delimiter nor a line feed; how the record ends, if it does.
    fn rare(&mut self, byte: Option<u8>, place: usize, open: &mut Open, ends: &mut Ends) -> Option<Scanned> {
        match byte {
            // A quote at the start of a cell opens it; behind that only the end of the cell may stand.
            Some(b'"') if place == open.cell => match self.quoted(&mut open.fault) {
                Ok(close) if self.marks.peek() == close => {}
                Ok(_) => open.fault = open.fault.or(Some(RecordFault::StrayQuote)),
                Err(how) => return Some(how),
            },
            Some(b'"') => open.fault = open.fault.or(Some(RecordFault::StrayQuote)),
            Some(0) => open.fault = open.fault.or(Some(RecordFault::Nul)),
            None if !self.is_end => return Some(Scanned::Cut),
            // A carriage return, or the end of the file.
            _ => {
                self.at = place;
                if byte.is_some() && !self.end_line_at(place) {
                    return Some(Scanned::Cut);
                }
                ends.push(offset(place - open.start));
                return Some(Scanned::Whole(place, open.fault));
            }
        }
        None
    }

    /// Behind the line end whose first byte was taken already; not if the window cuts it in two.
    fn end_line_at(&mut self, place: usize) -> bool {
        match self.bytes.get(place + 1) {
            Some(b'\n') => {
                self.marks.next();
                self.at = place + 2;
            }
            None if !self.is_end => return false,
            _ => self.at = place + 1,
        }
        self.line = self.line.saturating_add(1);
        true
    }

    /// From an opening quote to behind the closing one, or how the window ended before.
    fn quoted(&mut self, fault: &mut Option<RecordFault>) -> Result<usize, Scanned> {
        loop {
            let place = self.marks.next();
            match self.bytes.get(place) {
                None => return Err(if self.is_end { Scanned::Open } else { Scanned::Cut }),
                Some(b'"') => match self.bytes.get(place + 1) {
                    Some(b'"') => drop(self.marks.next()),
                    None if !self.is_end => return Err(Scanned::Cut),
                    _ => return Ok(place + 1),
                },
                Some(b'\n') => self.line = self.line.saturating_add(1),
                Some(b'\r') if self.bytes.get(place + 1) != Some(&b'\n') => self.line = self.line.saturating_add(1),
                Some(0) => *fault = fault.or(Some(RecordFault::Nul)),
                Some(_) => {}
            }
        }
    }
}

/// Line ends in `bytes`: LF, CRLF and CR each count once.
pub(super) fn count_lines(bytes: &[u8]) -> u32 {
    let is_end = |(at, b): &(usize, &u8)| match b {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    u32::try_from(bytes.iter().enumerate().filter(is_end).count()).unwrap_or(u32::MAX)
}
