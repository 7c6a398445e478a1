//! How a roster is read and what decides: the options that `diff`, `plan` and `audit` share.

use clap::{ArgAction, Args, ValueEnum};

use super::numbers::whole;
use crate::email::Folds;
use crate::error::{self, Error, Kind};
use crate::files::table::Picks;
use crate::lanes::{Effort, Meter, Stop};
use crate::plan::{Defaults, Keep, Policy, Verdict};
use crate::roster::encoding::Encoding;
use crate::roster::{Delimiter, Headline, Opening, Wanted};

/// Heading of what decides, beside roster and snapshot.
const WHO: &str = "Who is who";

/// How a roster is read.
#[derive(Clone, Debug, Default, Args)]
pub struct Reading {
    /// Which column holds a field: email, name, department, title, division, phone or employee-id; name="First
    /// Name"+"Last Name" joins two, and title= leaves a field out
    #[arg(long = "map", value_name = "FIELD=COLUMN", value_parser = parse_map)]
    pub maps: Vec<Wanted>,
    /// The first line is a record already: columns by number, as in --map email=2 --map name=3+4; without --map they are
    /// those of Genesys Cloud's own import template
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set, default_value_t = false, hide_default_value = true, hide_possible_values = true, value_name = "true|false")]
    pub no_header: bool,
    /// What new rows are created with where the roster says nothing: department, title or division
    #[arg(help_heading = WHO, long = "default", value_name = "FIELD=VALUE", value_parser = parse_default)]
    pub defaults: Vec<(DefaultField, String)>,
    /// Which of several rows with one key stands
    #[arg(help_heading = WHO, long, value_enum, default_value_t = KeepWord::First)]
    pub keep: KeepWord,
    /// Addresses that differ by what follows a plus sign are one person's: ada+news@… is ada@…
    #[arg(long, help_heading = WHO, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set, default_value_t = false, hide_default_value = true, hide_possible_values = true, value_name = "true|false")]
    pub fold_plus: bool,
    /// Addresses at gmail.com and googlemail.com that differ by dots are one person's
    #[arg(long, help_heading = WHO, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set, default_value_t = false, hide_default_value = true, hide_possible_values = true, value_name = "true|false")]
    pub fold_gmail_dots: bool,
    /// A domain that was renamed: addresses at either are one person's; may be said several times
    #[arg(help_heading = WHO, long = "domain-alias", value_name = "OLD=NEW", value_parser = parse_alias)]
    pub aliases: Vec<(String, String)>,
    /// What parts the cells: one character, or "tab" [default: what the header shows]
    #[arg(long, value_name = "CHAR", value_parser = parse_delimiter)]
    pub delimiter: Option<u8>,
    /// Encoding of the file: utf-8, utf-16le, utf-16be or windows-1252 [default: what its bytes show]
    #[arg(long, value_name = "NAME", value_parser = parse_encoding)]
    pub encoding: Option<Encoding>,
    /// Sheet of a workbook, by name or number [default: the first visible one that holds anything]
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// Threads to read and compare with [default: as many as there are cores]
    #[arg(long, value_name = "N", value_parser = whole::<u8>(1, 64))]
    pub threads: Option<u8>,
    /// Whether the work is still wanted: nothing that anybody says in words.
    #[arg(skip)]
    pub stop: Stop,
    /// How far the work is.
    #[arg(skip)]
    pub meter: Meter,
}

fn parse_encoding(text: &str) -> Result<Encoding, String> {
    let names = Encoding::ALL.map(Encoding::as_str).join(", ");
    Encoding::from_name(text).ok_or_else(|| format!("\"{text}\" is not read here; {names} are"))
}

fn parse_alias(text: &str) -> Result<(String, String), String> {
    let (old, new) = text.split_once('=').ok_or("write OLD=NEW, such as old.example=new.example")?;
    Folds::default().add_alias(old, new)?;
    Ok((old.to_owned(), new.to_owned()))
}

fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.to_ascii_lowercase().as_str() {
        "tab" | "\\t" => return Ok(b'\t'),
        _ => {}
    }
    match text.as_bytes() {
        // Quotes, line ends, and whatever our own words and numbers are made of.
        [b'"' | b'\'' | b'\n' | b'\r' | 0 | b'.' | b'_' | b'+' | b'-' | b'@' | b' '] => {
            Err(format!("{text:?} stands inside of cells and cannot part them"))
        }
        [byte] if byte.is_ascii_alphanumeric() => Err(format!("{text:?} stands inside of cells and cannot part them")),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("write one ASCII character, such as \";\", or \"tab\"".to_owned()),
    }
}

fn parse_map(text: &str) -> Result<Wanted, String> {
    let (field, column) = text.split_once('=').ok_or("write FIELD=COLUMN, as in email=\"Work Email\"")?;
    Ok(Wanted { field: field.trim().to_ascii_lowercase(), column: column.to_owned() })
}

impl Reading {
    /// Takes what a file of settings says for one of the flags that may be said several times, unless a flag has said it of
    /// the same field or domain. None for another flag.
    ///
    /// # Errors
    /// What the flag would be refused with.
    pub fn take(&mut self, flag: &str, value: &str) -> Option<Result<bool, String>> {
        match flag {
            "map" => Some(parse_map(value).map(|wanted| {
                let is_free = self.maps.iter().all(|said| said.field != wanted.field);
                self.maps.extend(is_free.then_some(wanted));
                is_free
            })),
            "default" => Some(parse_default(value).map(|(field, text)| {
                let is_free = self.defaults.iter().all(|(said, _)| *said != field);
                self.defaults.extend(is_free.then_some((field, text)));
                is_free
            })),
            "domain-alias" => Some(parse_alias(value).map(|(old, new)| {
                let is_free = self.aliases.iter().all(|(said, _)| !said.trim().eq_ignore_ascii_case(old.trim()));
                self.aliases.extend(is_free.then_some((old, new)));
                is_free
            })),
            _ => None,
        }
    }

    /// How the file is opened.
    #[must_use]
    pub fn opening(&self) -> Opening {
        Opening {
            delimiter: self.delimiter.map_or(Delimiter::Detect, Delimiter::Said),
            headline: if self.no_header { Headline::Missing } else { Headline::Named },
            effort: self.effort(),
        }
    }

    /// What is said of the file.
    #[must_use]
    pub fn picks(&self) -> Picks {
        Picks { encoding: self.encoding, sheet: self.sheet.clone() }
    }

    /// How much is done at a time.
    #[must_use]
    pub fn effort(&self) -> Effort {
        let effort = self.threads.map_or_else(Effort::default, |threads| Effort::of_threads(threads.into()));
        Effort { stop: self.stop, meter: self.meter, ..effort }
    }

    /// What decides beside roster and snapshot.
    ///
    /// # Errors
    /// `Usage` for domain aliases that contradict each other.
    pub fn policy(&self) -> error::Result<Policy> {
        let mut defaults = Defaults::default();
        for (field, value) in &self.defaults {
            let slot = match field {
                DefaultField::Department => &mut defaults.department,
                DefaultField::Title => &mut defaults.title,
                DefaultField::Division => &mut defaults.division,
            };
            *slot = Some(value.clone());
        }
        let mut folds = Folds { plus: self.fold_plus, gmail_dots: self.fold_gmail_dots, ..Folds::default() };
        for (old, new) in &self.aliases {
            let refused = |why| Error::new(Kind::Usage, format!("--domain-alias {old}={new}: {why}"));
            let hint = "write --domain-alias OLD=NEW for each domain that was renamed";
            folds.add_alias(old, new).map_err(|why| refused(why).hint(hint))?;
        }
        Ok(Policy { keep: self.keep.into(), defaults, folds })
    }
}

/// What `--default` can fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words speak for themselves")]
pub enum DefaultField {
    Department,
    Title,
    Division,
}

fn parse_default(text: &str) -> Result<(DefaultField, String), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE, as in department=\"New hires\"")?;
    let field = match field.trim().to_ascii_lowercase().as_str() {
        "department" => DefaultField::Department,
        "title" => DefaultField::Title,
        "division" => DefaultField::Division,
        other => return Err(format!("\"{other}\" has no default; department, title and division have")),
    };
    let value = value.trim();
    if value.is_empty() { Err("a default needs a value".to_owned()) } else { Ok((field, value.to_owned())) }
}

/// `--keep`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum KeepWord {
    /// The first row stands
    #[default]
    First,
    /// The last row stands
    Last,
    /// None of them stands
    None,
}

impl From<KeepWord> for Keep {
    fn from(word: KeepWord) -> Self {
        match word {
            KeepWord::First => Self::First,
            KeepWord::Last => Self::Last,
            KeepWord::None => Self::None,
        }
    }
}

/// `--verdict`.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "the words speak for themselves")]
pub enum VerdictWord {
    New,
    Present,
    Deleted,
    Duplicate,
    Invalid,
    All,
}

impl VerdictWord {
    /// The verdicts meant.
    #[must_use]
    pub fn verdicts(self) -> Vec<Verdict> {
        match self {
            Self::New => vec![Verdict::New],
            Self::Present => vec![Verdict::Present],
            Self::Deleted => vec![Verdict::Deleted],
            Self::Duplicate => vec![Verdict::Duplicate],
            Self::Invalid => vec![Verdict::Invalid],
            Self::All => Verdict::ALL.to_vec(),
        }
    }
}
