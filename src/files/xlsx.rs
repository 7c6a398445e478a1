//! A spreadsheet: one of its sheets as the CSV text that the ordinary scanner reads.
//!
//! One path for everything behind it, as for a foreign parquet: verdicts, faults and outputs of a workbook are those of
//! the CSV with the same cells. Cells are read one by one, so memory holds the text and the workbook's strings, never a
//! grid of the sheet. What a spreadsheet does to phone numbers and ids before anybody reads it is said in notes; a note
//! names columns and cells by place, never what stands in them.

mod cell;
mod losses;
mod package;

use std::io::Cursor;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::foreign::{COLUMNS_MAX, TEXT_BYTES_MAX};
use crate::error::{Error, Kind, Result};
use crate::roster::Made;
use losses::{Losses, column_name};
pub use package::{damaged, is_xlsx};

/// Rows and columns that a sheet can have; a cell beyond them is damage.
const SHEET_MAX: (u32, u32) = (1_048_576, 16_384);

type Workbook = Xlsx<Cursor<Vec<u8>>>;

/// A sheet as CSV text: commas, LF, the header first.
#[derive(Clone, Debug)]
pub struct Unrolled {
    /// The text, in UTF-8.
    pub text: Vec<u8>,
    /// The row of the sheet, 1-based, that each data record stands in.
    pub lines: Vec<u32>,
    /// The row of the sheet that the header stands in.
    pub header_line: u32,
    /// The name of the sheet.
    pub sheet: String,
    /// What a person should know, in words: which sheet was read, which digits may be lost.
    pub notes: Vec<String>,
}

/// Reads a sheet: the one called `sheet` (or the so many-th visible one, from 1), else the first visible one with cells.
///
/// Rows without a cell are no records, and what stands above the header is none. A row wider than the header keeps its
/// cells and is ragged, as it would be in a CSV.
///
/// # Errors
/// `File`, naming `origin`: no workbook, protected, damaged, nothing in it, or beyond a limit. `Usage` for a sheet that
/// it does not have.
pub fn read(origin: &str, bytes: Vec<u8>, sheet: Option<&str>) -> Result<Unrolled> {
    package::check(origin, &bytes)?;
    let mut book = Workbook::new(Cursor::new(bytes)).map_err(|e| unreadable(origin, e))?;
    let mut choice = choose(origin, &mut book, sheet)?;
    let mut table = gather(origin, &mut book, &choice.name)?;
    if table.has_blank {
        see_formulas(&mut book, &choice.name, &mut table.losses);
    }
    let (header_line, header) = table.header.ok_or_else(|| empty_sheet(origin, &choice.name))?;
    choice.notes.extend(table.losses.notes(&header));
    Ok(Unrolled { text: table.made.text, lines: table.lines, header_line, sheet: choice.name, notes: choice.notes })
}

/// Reads every cell of a sheet.
fn gather<'a>(origin: &'a str, book: &mut Workbook, sheet: &str) -> Result<Table<'a>> {
    let mut table = Table::new(origin);
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|e| unreadable(origin, e))?;
    while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(|e| table.unreadable_cell(e))? {
        let format = cells.styles().get(style).and_then(|style| style.number_format.as_ref());
        table.push(cell.get_position(), cell.get_value(), format.map_or("", |format| &format.format_code))?;
    }
    table.end_row()?;
    Ok(table)
}

/// The sheet that is read, and what to say about the choice.
struct Choice {
    name: String,
    notes: Vec<String>,
}

fn choose(origin: &str, book: &mut Workbook, wanted: Option<&str>) -> Result<Choice> {
    let all: Vec<(String, bool)> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
        .collect();
    if all.is_empty() {
        let what = format!("{origin} has no worksheet");
        return Err(Error::new(Kind::File, what).hint("export it again, or bring it as CSV"));
    }
    if let Some(wanted) = wanted {
        return called(&all, wanted).ok_or_else(|| unknown_sheet(origin, &all, wanted));
    }
    let visible = all.iter().filter(|(_, is_visible)| *is_visible).map(|(name, _)| name);
    let with_cells: Vec<&String> = visible.filter(|name| has_cells(book, name)).collect();
    let (first, others) = with_cells.split_first().ok_or_else(|| nothing_visible(origin, &all))?;
    let note = (!others.is_empty()).then(|| {
        let verb = if others.len() == 1 { "is" } else { "are" };
        format!("sheet \"{first}\" is read; {} {verb} not: choose with --sheet NAME", quoted(others))
    });
    Ok(Choice { name: (*first).clone(), notes: note.into_iter().collect() })
}

/// A sheet by its name, whatever its case; else by its number among the tabs that a person sees.
fn called(all: &[(String, bool)], wanted: &str) -> Option<Choice> {
    let wanted = wanted.trim();
    let by_name = all.iter().find(|(name, _)| name == wanted);
    let by_name = by_name.or_else(|| all.iter().find(|(name, _)| name.trim().to_lowercase() == wanted.to_lowercase()));
    let by_number = || {
        let at = wanted.parse::<usize>().ok()?.checked_sub(1)?;
        all.iter().filter(|(_, is_visible)| *is_visible).nth(at)
    };
    by_name.or_else(by_number).map(|(name, _)| Choice { name: name.clone(), notes: Vec::new() })
}

/// Whether a sheet has any text. One that cannot be read counts: it is told of when it is chosen.
fn has_cells(book: &mut Workbook, name: &str) -> bool {
    let Ok(mut cells) = book.worksheet_cells_reader(name) else { return true };
    loop {
        match cells.next_cell() {
            Ok(Some(cell)) if cell::text(cell.get_value(), "").is_empty() => {}
            Ok(Some(_)) | Err(_) => return true,
            Ok(None) => return false,
        }
    }
}

/// Looks for formulas without a stored value: what generates a workbook without a spreadsheet program leaves it out, and
/// the cell is empty. A second pass, and only for a sheet that has cells without a value, since the first one can tell a
/// cell's format or its formula, not both.
fn see_formulas(book: &mut Workbook, name: &str, losses: &mut Losses) {
    let Ok(mut cells) = book.worksheet_cells_reader(name) else { return };
    while let Ok(Some(cell)) = cells.next_cell_with_formula_metadata() {
        let (row, column) = cell.pos;
        if cell.formula.is_some() && cell.value == DataRef::Empty && (column as usize) < COLUMNS_MAX {
            losses.see_formula(column as usize, row);
        }
    }
}

fn quoted(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("\"{}\"", name.as_ref())).collect::<Vec<_>>().join(", ")
}

fn unknown_sheet(origin: &str, all: &[(String, bool)], wanted: &str) -> Error {
    let names: Vec<&String> = all.iter().map(|(name, _)| name).collect();
    let what = format!("{origin} has no sheet \"{wanted}\": it has {}", quoted(&names));
    Error::new(Kind::Usage, what).hint("choose one of them with --sheet NAME, or leave --sheet away")
}

fn nothing_visible(origin: &str, all: &[(String, bool)]) -> Error {
    let hidden: Vec<&String> = all.iter().filter(|(_, is_visible)| !is_visible).map(|(name, _)| name).collect();
    let hint = match hidden.as_slice() {
        [] => "a roster needs a header row with an e-mail column".to_owned(),
        names => format!("{} may hold more, but hidden sheets are read by name only: --sheet NAME", quoted(names)),
    };
    Error::new(Kind::File, format!("{origin} has no cells in any visible sheet")).hint(hint)
}

fn empty_sheet(origin: &str, sheet: &str) -> Error {
    let what = format!("{origin}: sheet \"{sheet}\" is empty");
    Error::new(Kind::File, what).hint("a roster needs a header row with an e-mail column; choose with --sheet NAME")
}

/// The error about a workbook that cannot be parsed. Causes that would quote a cell are left out.
fn unreadable(origin: &str, cause: XlsxError) -> Error {
    let error = package::damaged(origin);
    match cause {
        XlsxError::Unrecognized { .. } | XlsxError::CellError(_) | XlsxError::CellTAttribute(_) => error,
        cause => error.because(cause),
    }
}

/// The text as it grows, row by row.
struct Table<'a> {
    origin: &'a str,
    made: Made,
    lines: Vec<u32>,
    header: Option<(u32, Vec<String>)>,
    /// The row whose cells are being gathered, from 0, and its cells.
    row: u32,
    cells: Vec<String>,
    /// Whether a cell had no value: formatted only, or a formula that was never calculated.
    has_blank: bool,
    losses: Losses,
}

impl<'a> Table<'a> {
    fn new(origin: &'a str) -> Self {
        let (made, lines, cells) = (Made::default(), Vec::new(), Vec::new());
        Self { origin, made, lines, header: None, row: 0, cells, has_blank: false, losses: Losses::new() }
    }

    fn push(&mut self, (row, column): (u32, u32), value: &DataRef<'_>, format: &str) -> Result<()> {
        if row >= SHEET_MAX.0 || column >= SHEET_MAX.1 {
            return Err(self.misplaced("stands outside every sheet"));
        }
        if row < self.row {
            return Err(self.misplaced("stands above one that came before it"));
        }
        if row > self.row {
            self.end_row()?;
            self.row = row;
        }
        self.has_blank |= *value == DataRef::Empty;
        let text = cell::text(value, format);
        if text.is_empty() {
            return Ok(());
        }
        let at = column as usize;
        if at >= COLUMNS_MAX {
            let what = format!("{} has cells beyond column {COLUMNS_MAX}, which is the limit", self.origin);
            return Err(Error::new(Kind::File, what).hint("keep the columns of people only"));
        }
        if self.header.is_some() {
            self.losses.see(at, row, value, &text);
        }
        if self.cells.len() <= at {
            self.cells.resize(at + 1, String::new());
        }
        if !self.cells[at].is_empty() {
            return Err(self.misplaced("is there twice"));
        }
        self.cells[at] = text;
        Ok(())
    }

    /// Writes the gathered cells: the header first, then records at least as wide.
    fn end_row(&mut self) -> Result<()> {
        if self.cells.is_empty() {
            return Ok(());
        }
        let is_header = self.header.is_none();
        let width = self.header.as_ref().map_or(0, |(_, header)| header.len()).max(self.cells.len());
        self.cells.resize(width, String::new());
        self.made.push(self.cells.iter().map(String::as_str));
        if self.made.text.len() as u64 > TEXT_BYTES_MAX {
            let what = format!("{} holds more than 4 GiB of text", self.origin);
            return Err(Error::new(Kind::File, what).hint("split it into several files"));
        }
        let cells = std::mem::take(&mut self.cells);
        if is_header {
            self.header = Some((self.row + 1, cells));
        } else {
            self.lines.push(self.row + 1);
        }
        Ok(())
    }

    fn misplaced(&self, how: &str) -> Error {
        let what = format!("{}: a cell of row {} or below {how}", self.origin, self.row + 1);
        Error::new(Kind::File, what).hint("open it in a spreadsheet program, let it repair the file, and save it again")
    }

    /// The cell that cannot be read is not known by its place, but the one before it is.
    fn unreadable_cell(&self, cause: XlsxError) -> Error {
        let last = self.cells.len().checked_sub(1).map(column_name);
        let place = last.map_or_else(String::new, |column| format!(" behind cell {column}{}", self.row + 1));
        let what = format!("{}: a cell{place} cannot be read (row {} or below)", self.origin, self.row + 1);
        let error = Error::new(Kind::File, what).hint("mend that cell, or bring the sheet as \"CSV UTF-8\"");
        match cause {
            XlsxError::Unrecognized { .. } | XlsxError::CellError(_) | XlsxError::CellTAttribute(_) => error,
            cause => error.because(cause),
        }
    }
}

#[cfg(test)]
mod tests;
