//! A file as a table, whatever it is: CSV in some encoding, a spreadsheet, somebody's parquet.
//!
//! UTF-8 is read where it lies. Everything else becomes a CSV text first, and how that came about is said: a wrong guess
//! would change people's names without a word.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Kind, Result, guarded};
use crate::files::manifest::Digest;
use crate::files::source::{Reader, Spool, no_room};
use crate::files::{self, foreign, source, xlsx};
use crate::roster::encoding::{self, Encoding};
use crate::roster::{self, Delimiter, Headline, Lines, Opening, Sheet, Text};

/// What is looked at to find out what a file is, in bytes.
const FIRST_BYTES: u64 = 1 << 16;

/// What the user says of a file.
#[derive(Clone, Debug, Default)]
pub struct Picks {
    /// Its encoding.
    pub encoding: Option<Encoding>,
    /// Which sheet of a workbook, by name or number.
    pub sheet: Option<String>,
}

/// A file or standard input, before anybody looked into it.
#[derive(Clone, Debug)]
pub struct Source {
    origin: String,
    raw: Arc<dyn Text>,
    /// The delimiter that its name promises.
    promised: Option<u8>,
    /// What its name promises beside.
    promises: Option<Form>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Parquet,
    Workbook,
}

/// What a file turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Text in an encoding.
    Text(Encoding),
    /// A workbook, of which the sheet of this name is read.
    Workbook(String),
    /// A parquet.
    Parquet,
}

/// An opened table, and what to tell of how it was read.
#[derive(Clone, Debug)]
pub struct Table {
    /// The table.
    pub sheet: Sheet,
    /// What it was made of.
    pub found: Found,
    /// In words, for people.
    pub notes: Vec<String>,
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn open(path: &Path) -> Result<Self> {
        let promises = if files::has_extension(path, &["parquet"]) {
            Some(Form::Parquet)
        } else {
            files::has_extension(path, &["xlsx", "xlsm", "xls"]).then_some(Form::Workbook)
        };
        let promised = files::has_extension(path, &["tsv"]).then_some(b'\t');
        Ok(Self { origin: files::name(path), raw: source::open(path)?, promised, promises })
    }

    /// Reads standard input: what it is shows in its first bytes.
    ///
    /// # Errors
    /// `File`.
    pub fn stdin() -> Result<Self> {
        Ok(Self { origin: "standard input".to_owned(), raw: source::stdin()?, promised: None, promises: None })
    }

    /// Size and BLAKE3 of the file: those of a workbook are not of the text made from it.
    ///
    /// # Errors
    /// As reading it.
    pub fn digest(&self) -> Result<Digest> {
        Digest::of_text(&*self.raw)
    }

    /// Opens it as a table and lets `read` read that; what came of it, and what to tell of how it was read.
    ///
    /// A text that turns out not to be UTF-8 is read once more as Windows-1252, if it looks like it.
    ///
    /// # Errors
    /// `File`, naming it; whatever `read` fails with.
    pub fn read<T>(
        &self,
        opening: Opening,
        picks: &Picks,
        read: impl Fn(&Sheet) -> Result<T>,
    ) -> Result<(T, Vec<String>)> {
        self.read_found(opening, picks, |sheet, _| read(sheet))
    }

    /// The same, and `read` is told what the file turned out to be.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub fn read_found<T>(
        &self,
        opening: Opening,
        picks: &Picks,
        read: impl Fn(&Sheet, &Found) -> Result<T>,
    ) -> Result<(T, Vec<String>)> {
        let read_table = |table: Table| Ok((read(&table.sheet, &table.found)?, table.notes));
        let mut first = Vec::new();
        let first = self.raw.read(0..self.raw.n_bytes().min(FIRST_BYTES), &mut first)?;
        if let Some(form) = self.form(first) {
            return read_table(self.made(form, opening, picks)?);
        }
        if let Some(evidence) = encoding::utf32(first) {
            let what = format!("{} is UTF-32, which is not read here: {evidence}", self.origin);
            return Err(Error::new(Kind::File, what).hint("save it as \"CSV UTF-8\" and run again"));
        }
        let known = encoding::by_first_bytes(first);
        match (picks.encoding.or(known.as_ref().map(|(known, _)| *known)), known) {
            (Some(Encoding::Utf8), _) => read_table(self.plain(opening)?),
            (Some(encoding), known) => {
                if known.is_none() {
                    self.check_wide(encoding, first)?;
                }
                let why = known.filter(|_| picks.encoding.is_none()).map(|(_, evidence)| evidence);
                read_table(self.decoded(opening, encoding, why)?)
            }
            (None, _) => match self.plain(opening).and_then(read_table) {
                Err(error) if roster::is_not_utf8(&error) => read_table(self.guessed(opening)?),
                other => other,
            },
        }
    }

    /// Refuses to read as UTF-16 what shows no sign of it: every comma and line end of it has a zero byte.
    fn check_wide(&self, encoding: Encoding, first: &[u8]) -> Result<()> {
        if matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) && !first.is_empty() && !first.contains(&0) {
            let what =
                format!("{} is not {}: there is no zero byte in it", self.origin, encoding.as_str().to_uppercase());
            return Err(Error::new(Kind::File, what).hint("leave --encoding away: what its bytes show is found out"));
        }
        Ok(())
    }

    fn form(&self, first: &[u8]) -> Option<Form> {
        let shown = if foreign::is_parquet(first) {
            Some(Form::Parquet)
        } else {
            xlsx::is_xlsx(first).then_some(Form::Workbook)
        };
        shown.or(self.promises)
    }

    /// A text made of another format.
    fn made(&self, form: Form, opening: Opening, picks: &Picks) -> Result<Table> {
        if opening.headline == Headline::Missing && form == Form::Parquet {
            let what = format!("{} is a parquet: its columns have names", self.origin);
            return Err(Error::new(Kind::Usage, what).hint("leave --no-header out"));
        }
        let bytes = source::whole(&*self.raw)?;
        if form == Form::Parquet {
            let sheet = foreign::read(&self.origin, bytes, opening.effort)?;
            return Ok(Table { sheet, found: Found::Parquet, notes: Vec::new() });
        }
        let unrolled = guarded(|| xlsx::read(&self.origin, bytes, picks.sheet.as_deref()));
        let unrolled = unrolled.unwrap_or_else(|| Err(xlsx::damaged(&self.origin)))?;
        let text = Arc::new(roster::InMemory(unrolled.text));
        let mut lines = unrolled.lines;
        if opening.headline == Headline::Missing {
            // The first row is a record, too.
            lines.insert(0, unrolled.header_line);
        }
        let opening = Opening { delimiter: Delimiter::Made(b','), ..opening };
        let mut sheet = roster::open(&self.origin, text, opening)?;
        sheet.lines = Lines::Given(lines.into());
        sheet.dialect.bom = true;
        let notes = unrolled.notes.into_iter().map(|note| format!("{}: {note}", self.origin)).collect();
        Ok(Table { sheet, found: Found::Workbook(unrolled.sheet), notes })
    }

    fn opening(&self, opening: Opening) -> Opening {
        match (opening.delimiter, self.promised) {
            (Delimiter::Detect, Some(promised)) => Opening { delimiter: Delimiter::Promised(promised), ..opening },
            _ => opening,
        }
    }

    /// A text that is read where it lies.
    fn plain(&self, opening: Opening) -> Result<Table> {
        let sheet = roster::open(&self.origin, Arc::clone(&self.raw), self.opening(opening))?;
        Ok(Table { sheet, found: Found::Text(Encoding::Utf8), notes: Vec::new() })
    }

    /// A text in a known encoding; `why` it is known, unless the user said so.
    fn decoded(&self, opening: Opening, encoding: Encoding, why: Option<String>) -> Result<Table> {
        let (text, decoded) = self.decode(encoding)?;
        let how = why.map_or_else(String::new, |why| format!(": {why}"));
        let mut notes = vec![format!("{} is read as {}{how}.", self.origin, decoded.encoding.as_str())];
        if encoding == Encoding::Windows1252 {
            notes = vec![format!("{}: {}.", self.origin, decoded.evidence())];
        }
        self.open_decoded(opening, text, encoding, notes)
    }

    /// A text of which nothing is known but that it is not UTF-8.
    fn guessed(&self, opening: Opening) -> Result<Table> {
        let (text, decoded) = self.decode(Encoding::Windows1252)?;
        decoded.check_guess(&self.origin)?;
        let notes = vec![format!("{}: {} (--encoding says otherwise).", self.origin, decoded.evidence())];
        self.open_decoded(opening, text, Encoding::Windows1252, notes)
    }

    fn decode(&self, encoding: Encoding) -> Result<(Arc<dyn Text>, encoding::Decoded)> {
        let mut spool = Spool::default();
        let decoded = encoding::decode(&self.origin, encoding, &mut Reader::new(&*self.raw), &mut spool)?;
        Ok((spool.into_text().map_err(|e| no_room(&self.origin, e))?, decoded))
    }

    fn open_decoded(
        &self,
        opening: Opening,
        text: Arc<dyn Text>,
        encoding: Encoding,
        notes: Vec<String>,
    ) -> Result<Table> {
        let mut sheet = roster::open(&self.origin, text, self.opening(opening))?;
        // What wrote the file would not read UTF-8 without a mark.
        sheet.dialect.bom = true;
        Ok(Table { sheet, found: Found::Text(encoding), notes })
    }
}
