//! A file whose header is known, and whose records are still to be read.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::chunks::{Gather, NotUtf8Error, RECORD_BYTES_MAX, Raw, Shape, scan, utf8};
use super::head::{BOM, Head, line_end};
use super::scan::{Ends, Scanned, Scanner, cell, decode};
use super::text::{InMemory, Text};
use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::lanes::Effort;

/// What is read of a file at first; its header and a sample of records fit in, as a rule.
const HEAD_BYTES: u64 = 1 << 16;

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

/// What is known of the delimiter before a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// Nothing: the header decides, or the first records.
    #[default]
    Detect,
    /// The name of the file promises it; if the first record does not hold it, that decides.
    Promised(u8),
    /// It is this one.
    Said(u8),
    /// The text was made by us, with this one: nothing in it is anything but a record.
    Made(u8),
}

/// Whether the first line of a file is its header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Headline {
    /// It is; so it always is in a parquet.
    #[default]
    Named,
    /// It is a record already.
    Missing,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// What is known of its delimiter.
    pub delimiter: Delimiter,
    /// Whether it has a header.
    pub headline: Headline,
    /// How it is read.
    pub effort: Effort,
}

/// The line that is told of a record.
#[derive(Clone, Debug, Default)]
pub enum Lines {
    /// The physical line at which it starts.
    #[default]
    Physical,
    /// Its number, where the file has no lines.
    Rows,
    /// The row of a spreadsheet, for each record.
    Given(Arc<[u32]>),
}

/// An opened file.
#[derive(Clone)]
pub struct Sheet {
    /// File name for messages.
    pub origin: String,
    /// How it is written.
    pub dialect: Dialect,
    /// Decoded header cells, tool columns of an earlier run cut off.
    pub header: Vec<String>,
    /// Bytes of those header cells, as they are to be written.
    pub header_line: Vec<u8>,
    /// Whether the file began as an Entra template does.
    pub has_preamble: bool,
    /// What is told as a record's line.
    pub lines: Lines,
    pub(super) text: Arc<dyn Text>,
    pub(super) effort: Effort,
    /// Cells of a sound record: of the source, and with the tool cells of an earlier run.
    pub(super) widths: [usize; 2],
    /// Where an earlier run put what a ragged record had too much of: such a record is not sound until that is empty.
    pub(super) extra_at: Option<usize>,
    /// Where an earlier run said why a record is invalid.
    pub(super) reason_at: Option<usize>,
    start: u64,
    line: u32,
    /// Lines in the first so many bytes.
    density: (u64, u64),
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sheet").field("origin", &self.origin).field("text", &self.text).finish_non_exhaustive()
    }
}

/// Opens a file: finds its delimiter and its header.
///
/// # Errors
/// `File`, naming `origin` and the line: an empty file, a header that cannot be read, two columns of one name; bytes that
/// are not UTF-8, for which [`is_not_utf8`] is true. `Usage` for an output of ours that is said to have no header.
pub fn open(origin: &str, text: Arc<dyn Text>, opening: Opening) -> Result<Sheet> {
    let mut n_bytes = HEAD_BYTES.min(text.n_bytes());
    loop {
        match open_head(origin, &text, opening, n_bytes)? {
            Some(sheet) => return sheet.with_widths(opening),
            // The first record is longer than what was read.
            None => n_bytes = (2 * RECORD_BYTES_MAX as u64).min(text.n_bytes()),
        }
    }
}

/// Opens bytes in memory.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(origin: &str, bytes: Vec<u8>, opening: Opening) -> Result<Sheet> {
    open(origin, Arc::new(InMemory(bytes)), opening)
}

/// Opens a text that we made of another file: commas, and the first line is the header whatever it looks like.
///
/// # Errors
/// As [`open`].
pub fn open_made(origin: &str, text: Arc<dyn Text>, lines: Lines, effort: Effort) -> Result<Sheet> {
    let opening = Opening { delimiter: Delimiter::Made(b','), headline: Headline::Named, effort };
    Ok(Sheet { lines, ..open(origin, text, opening)? })
}

/// Whether an error says that a file is not UTF-8: then another encoding may do.
#[must_use]
pub fn is_not_utf8(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<NotUtf8Error>())
}

/// The sheet as far as the first `n_bytes` tell; none if the first record does not end in them.
fn open_head(origin: &str, text: &Arc<dyn Text>, opening: Opening, n_bytes: u64) -> Result<Option<Sheet>> {
    let mut buffer = Vec::new();
    let bytes = text.read(0..n_bytes, &mut buffer)?;
    let is_end = n_bytes == text.n_bytes();
    let (sound, wrong) = utf8(bytes, is_end);
    if let Some(at) = wrong {
        let line = super::scan::count_lines(&bytes[..at]).saturating_add(1);
        return Err(super::chunks::not_utf8(origin, line, at as u64, bytes[at]));
    }
    let mut head = Head { bytes: sound.as_bytes(), at: 0 };
    let (dialect, has_preamble) = dialect(&mut head, opening);
    let mut scanner = Scanner::new(&head.bytes[head.at..], dialect.delimiter, is_end, head.line());
    let mut ends = Ends::new();
    if !scanner.skip_blank_lines() {
        return if is_end || n_bytes > HEAD_BYTES { Err(empty(origin)) } else { Ok(None) };
    }
    let (start, line) = (head.at + scanner.at, scanner.line);
    let end = match scanner.record(&mut ends) {
        Scanned::Whole(end, _) if head.at + end - start <= RECORD_BYTES_MAX => head.at + end,
        Scanned::Cut if n_bytes <= HEAD_BYTES => return Ok(None),
        Scanned::Cut | Scanned::Whole(..) => return Err(super::chunks::too_long(origin, line)),
        Scanned::Open => return Err(super::chunks::never_closed(origin, line)),
    };
    let first = &sound[start..end];
    let cells: Vec<String> =
        (0..ends.len()).filter_map(|at| Some(decode(&first[cell(&ends, at)?]).trim().to_owned())).collect();
    let mut sheet = Sheet {
        origin: origin.to_owned(),
        dialect: Dialect { eol: line_end(&head.bytes[end..]), ..dialect },
        header: Vec::new(),
        header_line: Vec::new(),
        has_preamble,
        lines: Lines::Physical,
        text: Arc::clone(text),
        effort: opening.effort,
        widths: [0, cells.len()],
        extra_at: None,
        reason_at: None,
        start: start as u64,
        line,
        density: (super::scan::count_lines(bytes).into(), n_bytes.max(1)),
    };
    match opening.headline {
        Headline::Missing => check_headless(origin, &cells)?,
        Headline::Named => {
            let n_source = cells.len() - cells.iter().rev().take_while(|h| columns::is_tool(h)).count();
            check_header(origin, &cells[..n_source])?;
            let end = n_source.checked_sub(1).and_then(|last| cell(&ends, last)).map_or(0, |cell| cell.end);
            sheet.header_line = first.as_bytes()[..end].to_vec();
            sheet.header = cells[..n_source].to_vec();
            sheet.widths[0] = n_source;
            let tools = &cells[n_source..];
            let place =
                |name| tools.iter().position(|cell| cell.strip_prefix('_') == Some(name)).map(|at| n_source + at);
            (sheet.extra_at, sheet.reason_at) = (place(columns::EXTRA), place(columns::REASON));
            (sheet.start, sheet.line) = ((head.at + scanner.at) as u64, scanner.line);
        }
    }
    Ok(Some(sheet))
}

/// Reads what stands before the first record.
fn dialect(head: &mut Head<'_>, opening: Opening) -> (Dialect, bool) {
    let of = |delimiter, bom| Dialect { delimiter, eol: "\n", bom };
    if let Delimiter::Made(delimiter) = opening.delimiter {
        return (of(delimiter, false), false);
    }
    let bom = head.bytes.starts_with(BOM.as_bytes());
    head.at = if bom { BOM.len() } else { 0 };
    let excel = head.skip_sep_line();
    let has_preamble = head.skip_preamble();
    let delimiter = match (opening.delimiter, excel) {
        (Delimiter::Said(said), _) => said,
        (_, Some(excel)) => excel,
        (Delimiter::Promised(promised), None) if head.is_parted_by(promised) => promised,
        _ if opening.headline == Headline::Missing => head.detect_by_widths(),
        _ => head.detect_by_header(),
    };
    (of(delimiter, bom), has_preamble)
}

impl Sheet {
    /// Finds the width of a file without a header: its columns are called `column_N`. A record's width is right if it is
    /// the width of most.
    fn with_widths(mut self, opening: Opening) -> Result<Self> {
        if opening.headline == Headline::Named {
            return Ok(self);
        }
        let mut all: HashMap<usize, usize> = HashMap::new();
        self.scan(Widths::default, |part: Widths, _| {
            part.0.into_iter().for_each(|(width, n)| *all.entry(width).or_default() += n);
            Ok(())
        })?;
        // Of equally frequent widths the greater, so that no cell is called surplus without need.
        let width = all.into_iter().max_by_key(|(width, n)| (*n, *width)).map_or(0, |(width, _)| width);
        self.widths = [width; 2];
        self.name_columns((1..=width).map(|n| format!("column_{n}")).collect());
        Ok(self)
    }

    /// About how many records there are in one chunk and in all: room is made for so many.
    pub(crate) fn n_expected(&self) -> (usize, usize) {
        let (lines, bytes) = self.density;
        // A little more, since to make room again would double it.
        let of = |n: u64| usize::try_from(n.saturating_mul(lines + lines / 16 + 1) / bytes).unwrap_or(0);
        (of(self.text.n_bytes().min(self.effort.chunk_bytes as u64)), of(self.text.n_bytes()))
    }

    /// Cells of a sound record: of the source, and with the tool cells of an earlier run.
    #[must_use]
    pub const fn widths(&self) -> [usize; 2] {
        self.widths
    }

    /// Gives the columns of a file without a header their names, so that what is written can be read with one.
    pub(super) fn name_columns(&mut self, names: Vec<String>) {
        self.header_line = names.join(&char::from(self.dialect.delimiter).to_string()).into_bytes();
        self.header = names;
    }

    /// Reads all records on several threads; see [`scan`].
    pub(crate) fn scan<P: Gather>(
        &self,
        new: impl Fn() -> P + Sync,
        take: impl FnMut(P, u32) -> Result<()>,
    ) -> Result<()> {
        let shape = Shape {
            origin: &self.origin,
            delimiter: self.dialect.delimiter,
            widths: self.widths,
            start: self.start,
            line: self.line,
        };
        scan(&*self.text, &shape, self.effort, new, take)
    }

    /// The decoded cells of all records, column by column; a missing cell is empty.
    ///
    /// # Errors
    /// As reading any of its records.
    pub fn columns(&self, columns: &[usize]) -> Result<Vec<Vec<String>>> {
        let mut all: Vec<Vec<String>> = vec![Vec::new(); columns.len()];
        let new = || Cells { at: columns, cells: vec![Vec::new(); columns.len()] };
        self.scan(new, |part, _| {
            all.iter_mut().zip(part.cells).for_each(|(all, mut cells)| all.append(&mut cells));
            Ok(())
        })?;
        Ok(all)
    }

    /// For each column in how many sound records `is_hit` says yes.
    ///
    /// # Errors
    /// As reading any of its records.
    pub(crate) fn count(&self, columns: &[usize], is_hit: fn(&str) -> bool) -> Result<Vec<usize>> {
        let mut all = vec![0; columns.len()];
        if columns.is_empty() {
            return Ok(all);
        }
        let new = || Hits { at: columns, is_hit, widths: self.widths, n: vec![0; columns.len()] };
        self.scan(new, |part, _| {
            all.iter_mut().zip(part.n).for_each(|(all, n)| *all += n);
            Ok(())
        })?;
        Ok(all)
    }
}

#[derive(Default)]
struct Widths(HashMap<usize, usize>);

impl Gather for Widths {
    fn push(&mut self, record: &Raw<'_>) {
        *self.0.entry(record.ends.len()).or_default() += 1;
    }
}

struct Cells<'c> {
    at: &'c [usize],
    cells: Vec<Vec<String>>,
}

impl Gather for Cells<'_> {
    fn push(&mut self, record: &Raw<'_>) {
        let cells = self.at.iter().map(|at| record.cell(*at).into_owned());
        self.cells.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
    }
}

struct Hits<'c> {
    at: &'c [usize],
    is_hit: fn(&str) -> bool,
    widths: [usize; 2],
    n: Vec<usize>,
}

impl Gather for Hits<'_> {
    fn push(&mut self, record: &Raw<'_>) {
        if record.wrong(self.widths).is_some() {
            return;
        }
        let hits = self.at.iter().map(|at| (self.is_hit)(&record.cell(*at)));
        self.n.iter_mut().zip(hits).for_each(|(n, hit)| *n += usize::from(hit));
    }
}

/// What we wrote always has a header: read without one, its names would be somebody.
fn check_headless(origin: &str, first: &[String]) -> Result<()> {
    let mut tools = first.iter().rev().take_while(|cell| columns::is_tool(cell));
    if !tools.any(|cell| cell.strip_prefix('_') == Some(columns::ROW)) {
        return Ok(());
    }
    let what = format!("{origin} is an output of rosterdiff: its first line is a header");
    Err(Error::new(Kind::Usage, what).hint("leave --no-header away"))
}

fn empty(origin: &str) -> Error {
    Error::new(Kind::File, format!("{origin} is empty")).hint("a roster needs a header line with an e-mail column")
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
