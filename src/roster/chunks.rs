//! A whole file, chunk by chunk on several threads.
//!
//! A thread cannot know whether its chunk begins within quotes. It looks for a line end behind which records of the right
//! width follow, and goes on from there; when its turn comes, the place where the chunk before it really ended decides.
//! If that is another one, the chunk is read once more from there. A record depends on nothing but the place where it
//! begins, so the records are those of one thread that reads from the first byte to the last, always.

use std::borrow::Cow;
use std::ops::Range;

use super::records::RecordFault;
use super::scan::{Ends, Scanned, Scanner, cell, count_lines, decode};
use super::text::Text;
use crate::error::{Error, Kind, Result};
use crate::lanes::{Effort, Part, in_order};

/// Longest record, in bytes. A longer one is an open quote that swallowed its neighbours.
pub(super) const RECORD_BYTES_MAX: usize = 4 << 20;
/// What is read beyond a chunk at first, for the record that its end cuts in two.
const OVERLAP_BYTES: u64 = 1 << 14;
/// Line ends that are looked at for the first record of a chunk.
const GUESSES_MAX: usize = 64;

/// What all records of a file have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    /// File name for messages.
    pub origin: &'a str,
    pub delimiter: u8,
    /// Cells that a record should have: without and with tool columns.
    pub widths: [usize; 2],
    /// Where the first record may begin, and the line there.
    pub start: u64,
    pub line: u32,
}

/// One record as it was found.
pub(crate) struct Raw<'t> {
    /// Its text without line end.
    pub text: &'t str,
    /// Offset of its first byte in the file.
    pub start: u64,
    /// Its line, counted from the first of its chunk.
    pub line: u32,
    /// What is wrong with it, its width apart.
    pub fault: Option<RecordFault>,
    /// Ends of its cells.
    pub ends: &'t [u32],
}

impl<'t> Raw<'t> {
    /// What is wrong with it in a file whose records have one of these widths.
    #[inline]
    pub fn wrong(&self, widths: [usize; 2]) -> Option<RecordFault> {
        self.fault.or((!widths.contains(&self.ends.len())).then_some(RecordFault::Ragged))
    }

    /// The text of a cell; empty if the record is too short.
    #[inline]
    pub fn cell(&self, at: usize) -> Cow<'t, str> {
        cell(self.ends, at).map_or(Cow::Borrowed(""), |range| decode(&self.text[range]))
    }
}

/// What is made of the records of one chunk.
pub(crate) trait Gather: Send {
    /// Takes one record.
    fn push(&mut self, record: &Raw<'_>);
}

/// Why a file cannot be read on.
#[derive(Clone, Copy, Debug)]
enum Broken {
    Open,
    Long,
    NotUtf8 { at: u64, byte: u8 },
}

impl Broken {
    fn error(self, origin: &str, line: u32) -> Error {
        match self {
            Self::Open => never_closed(origin, line),
            Self::Long => too_long(origin, line),
            Self::NotUtf8 { at, byte } => not_utf8(origin, line, at, byte),
        }
    }
}

pub(super) fn never_closed(origin: &str, line: u32) -> Error {
    Error::new(Kind::File, format!("{origin}, line {line}: a quoted cell of this record is never closed"))
        .hint("close the quote, or double it (\"\") if it belongs to the text; nothing was written")
}

pub(super) fn too_long(origin: &str, line: u32) -> Error {
    Error::new(Kind::File, format!("{origin}, line {line}: this record is longer than 4 MiB"))
        .hint("look for an open quote on that line")
}

/// The cause of this error tells it from others: another encoding may do.
pub(super) fn not_utf8(origin: &str, line: u32, at: u64, byte: u8) -> Error {
    let what = format!("{origin}, line {line}: byte 0x{byte:02X} at offset {at} is not UTF-8");
    Error::new(Kind::File, what)
        .because(NotUtf8Error)
        .hint("save it as \"CSV UTF-8\" and run again, or name its encoding with --encoding")
}

/// The cause of an error about bytes that are not UTF-8.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotUtf8Error;

impl std::fmt::Display for NotUtf8Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the file is written in another encoding, or damaged")
    }
}

impl std::error::Error for NotUtf8Error {}

/// What a thread uses again from chunk to chunk.
#[derive(Default)]
struct Scratch {
    buffer: Vec<u8>,
    ends: Ends,
}

/// The records that begin in one chunk.
struct Chunk<P> {
    /// Where the first of them begins: a guess, until the chunk before says the same. None without a guess.
    begin: Option<u64>,
    /// Where the first record behind them begins.
    end: u64,
    /// Line ends between the two.
    n_lines: u32,
    part: P,
    /// What stopped it, and the line, counted from `begin`.
    broken: Option<(Broken, u32)>,
}

/// Reads all records. `take` gets what was made of each chunk, in the order of the file, and the line at which it begins.
///
/// # Errors
/// `File`: an open quote, a record above 4 MiB, bytes that are not UTF-8; whatever `text` and `take` fail with.
pub(super) fn scan<P: Gather>(
    text: &dyn Text,
    shape: &Shape<'_>,
    effort: Effort,
    new: impl Fn() -> P + Sync,
    mut take: impl FnMut(P, u32) -> Result<()>,
) -> Result<()> {
    let chunk_bytes = effort.chunk_bytes.max(1) as u64;
    let n_bytes = text.n_bytes();
    let n = usize::try_from((n_bytes - shape.start).div_ceil(chunk_bytes)).unwrap_or(usize::MAX);
    let range = |at: usize| {
        let start = shape.start + at as u64 * chunk_bytes;
        start..start.saturating_add(chunk_bytes).min(n_bytes)
    };
    let (mut expected, mut line) = (shape.start, shape.line);
    let mut own = Scratch::default();
    let mut portion = effort.meter.expect(Part::Read, n_bytes - shape.start);
    let make = |own: &mut Scratch, at: usize| {
        let range = range(at);
        let begin = if at == 0 { Some(range.start) } else { guess(text, shape, range.start, own)? };
        read_chunk(text, shape, begin, range.end, new(), own)
    };
    in_order(n, effort.threads, make, |at, chunk| {
        effort.stop.check()?;
        portion.pass(chunk_bytes);
        let stop = range(at).end;
        if expected >= stop {
            return Ok(());
        }
        let chunk = match chunk.begin {
            Some(begin) if begin == expected => chunk,
            _ => read_chunk(text, shape, Some(expected), stop, new(), &mut own)?,
        };
        // What stands before the break comes first, however the file is parted.
        take(chunk.part, line)?;
        if let Some((broken, ahead)) = chunk.broken {
            return Err(broken.error(shape.origin, line.saturating_add(ahead)));
        }
        (expected, line) = (chunk.end, line.saturating_add(chunk.n_lines));
        Ok(())
    })
}

/// Where the first record at or behind `from` may begin.
fn guess(text: &dyn Text, shape: &Shape<'_>, from: u64, own: &mut Scratch) -> Result<Option<u64>> {
    let start = from - 1;
    let bytes = text.read(start..(from + OVERLAP_BYTES).min(text.n_bytes()), &mut own.buffer)?;
    let is_line_end = |at: &usize| match bytes[*at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1).is_some_and(|next| *next != b'\n'),
        _ => false,
    };
    let behind = |at: usize| {
        let blank = bytes[at + 1..].iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
        at + 1 + blank
    };
    let mut first = None;
    for at in (0..bytes.len()).filter(is_line_end).take(GUESSES_MAX).map(behind) {
        first = first.or(Some(at));
        let mut scanner = Scanner::new(&bytes[at..], shape.delimiter, false, 0);
        let found = scanner.record(&mut own.ends);
        if matches!(found, Scanned::Whole(_, None)) && shape.widths.contains(&own.ends.len()) {
            return Ok(Some(start + at as u64));
        }
    }
    Ok(first.map(|at| start + at as u64))
}

/// The longest beginning of `bytes` that is UTF-8, and the place of a byte that can be none.
pub(super) fn utf8(bytes: &[u8], is_end: bool) -> (&str, Option<usize>) {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return (text, None),
        Err(error) => error,
    };
    let end = error.valid_up_to();
    // A character that the window cuts in two is none of this.
    let is_wrong = error.error_len().is_some() || is_end;
    (std::str::from_utf8(&bytes[..end]).unwrap_or_default(), is_wrong.then_some(end))
}

/// Reads the records that begin before `stop`, from `begin` on.
fn read_chunk<P: Gather>(
    text: &dyn Text,
    shape: &Shape<'_>,
    begin: Option<u64>,
    stop: u64,
    part: P,
    own: &mut Scratch,
) -> Result<Chunk<P>> {
    let end = begin.unwrap_or(stop);
    let mut chunk = Chunk { begin, end, n_lines: 0, part, broken: None };
    if begin.is_none() {
        return Ok(chunk);
    }
    let n_bytes = text.n_bytes();
    let mut ahead = stop.saturating_sub(chunk.end) + OVERLAP_BYTES;
    loop {
        let window = chunk.end..(chunk.end + ahead).min(n_bytes);
        let is_end = window.end == n_bytes;
        let bytes = text.read(window.clone(), &mut own.buffer)?;
        let is_done = read_window(&mut chunk, shape, bytes, &window, is_end, stop, &mut own.ends);
        if is_done || chunk.broken.is_some() {
            return Ok(chunk);
        }
        // The window ended within a record, or within blank lines: on from there, and further.
        let is_stuck = chunk.end == window.start;
        if is_stuck && bytes.len() > RECORD_BYTES_MAX + 2 {
            chunk.broken = Some((Broken::Long, chunk.n_lines));
            return Ok(chunk);
        }
        ahead = if is_stuck { 4 * ahead } else { stop.saturating_sub(chunk.end) + 4 * OVERLAP_BYTES };
    }
}

/// Reads the records of one window; whether all that begin before `stop` were seen.
fn read_window<P: Gather>(
    chunk: &mut Chunk<P>,
    shape: &Shape<'_>,
    bytes: &[u8],
    window: &Range<u64>,
    is_end: bool,
    stop: u64,
    ends: &mut Ends,
) -> bool {
    let (text, wrong) = utf8(bytes, is_end);
    let mut scanner = Scanner::new(text.as_bytes(), shape.delimiter, is_end && wrong.is_none(), chunk.n_lines);
    loop {
        let is_more = scanner.skip_blank_lines();
        (chunk.end, chunk.n_lines) = (window.start + scanner.at as u64, scanner.line);
        if is_more && chunk.end >= stop {
            return true;
        }
        let (start, line) = (scanner.at, scanner.line);
        let found = if is_more { scanner.record(ends) } else { Scanned::Cut };
        match (found, wrong) {
            (Scanned::Whole(end, fault), _) if end - start <= RECORD_BYTES_MAX => {
                chunk.part.push(&Raw { text: &text[start..end], start: chunk.end, line, fault, ends });
            }
            (Scanned::Whole(..), _) => chunk.broken = Some((Broken::Long, line)),
            (Scanned::Cut | Scanned::Open, Some(at)) if at - start <= RECORD_BYTES_MAX => {
                let n_lines = line.saturating_add(count_lines(&bytes[start..at]));
                let broken = Broken::NotUtf8 { at: window.start + at as u64, byte: bytes[at] };
                chunk.broken = Some((broken, n_lines));
            }
            (Scanned::Open, None) if bytes.len() - start <= RECORD_BYTES_MAX => {
                chunk.broken = Some((Broken::Open, line));
            }
            (Scanned::Open, _) | (Scanned::Cut, Some(_)) => chunk.broken = Some((Broken::Long, line)),
            // At the end of the file nothing is cut: there is nothing left.
            (Scanned::Cut, None) => return is_end && scanner.at >= bytes.len(),
        }
        if chunk.broken.is_some() {
            return false;
        }
    }
}
