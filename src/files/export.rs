//! Files that others made: a roster, and an export of an organisation. Any CSV or parquet with an e-mail column is one.
//!
//! An export proves nothing, but it can be compared with.

use std::path::Path;

use polars::prelude::{Column, DataFrame};

use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::manifest::Digest;
use crate::files::{self, foreign, parquet};
use crate::roster::{self, Records};
use crate::snapshot::Snapshot;

/// Headers of an export, squashed to letters, by what they hold.
const HEADERS: [(&str, &[&str]); 6] = [
    (columns::ID, &["id", "userid", "guid"]),
    (columns::NAME, &["name", "fullname", "displayname"]),
    (columns::USERNAME, &["username", "login", "userprincipalname"]),
    (columns::STATE, &["state", "status"]),
    (columns::DEPARTMENT, &["department"]),
    (columns::TITLE, &["title", "jobtitle"]),
];

/// Reads a snapshot: our own parquet, or an export as CSV or parquet.
///
/// # Errors
/// `File` or `Damaged`, naming the path.
pub fn read_snapshot(path: &Path) -> Result<Snapshot> {
    if has_extension(path, &["parquet"])
        && path.is_file()
        && let Some(ours) = parquet::read_snapshot(path)?
    {
        return Ok(ours);
    }
    from_records(&read_records(path)?)
}

/// A snapshot from the records of an export.
///
/// # Errors
/// `File` if there is not exactly one e-mail column.
pub fn from_records(records: &Records) -> Result<Snapshot> {
    let email = roster::map(records, &[]).map_err(|e| {
        Error::new(e.kind(), e.to_string())
            .hint("an export is mapped by its names alone: it needs exactly one e-mail column")
    })?;
    let email = email.email;
    let squash = |h: &String| h.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let squashed: Vec<String> = records.header.iter().map(squash).collect();
    let find = |words: &[&str]| words.iter().find_map(|w| squashed.iter().position(|h| h == w));
    let mut wanted = vec![(columns::EMAIL, email)];
    wanted.extend(HEADERS.iter().filter_map(|(name, words)| Some((*name, find(words)?))));

    let positions: Vec<usize> = wanted.iter().map(|(_, at)| *at).collect();
    let named =
        wanted.iter().zip(records.columns(&positions)).map(|((name, _), cells)| Column::new((*name).into(), cells));
    Snapshot::from_frame(&DataFrame::new(records.records.len(), named.collect())?)
}

/// The records of a file, and the digest of its bytes: those of a parquet are not the text made from it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The records.
    pub records: Records,
    /// Of the file.
    pub digest: Digest,
}

/// Whether the first line of a file is its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// It is; so it always is in a parquet.
    Named,
    /// It is a record already.
    Missing,
}

impl Source {
    /// Reads a CSV, TSV or parquet file.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn read(path: &Path, head: Head) -> Result<Self> {
        let name = files::name(path);
        if has_extension(path, &["xlsx", "xls"]) && path.is_file() {
            return Err(Error::new(Kind::File, format!("{name} is no CSV")).hint("save it as \"CSV UTF-8\""));
        }
        let bytes = files::read(path)?;
        let delimiter = has_extension(path, &["tsv"]).then_some(b'\t');
        Self::of(&name, bytes, delimiter, head, has_extension(path, &["parquet"]))
    }

    /// Reads standard input: what it is shows in its first bytes.
    ///
    /// # Errors
    /// `File`.
    pub fn read_stdin(head: Head) -> Result<Self> {
        Self::of("standard input", files::read_stdin()?, None, head, false)
    }

    fn of(origin: &str, bytes: Vec<u8>, delimiter: Option<u8>, head: Head, is_parquet: bool) -> Result<Self> {
        let digest = Digest::of(&bytes);
        let records = match head {
            Head::Named if is_parquet || foreign::is_parquet(&bytes) => foreign::read(origin, bytes),
            Head::Missing if is_parquet || foreign::is_parquet(&bytes) => {
                let what = format!("{origin} is a parquet: its columns have names");
                Err(Error::new(Kind::Usage, what).hint("leave --no-header out"))
            }
            Head::Named => roster::read(origin, bytes, delimiter),
            Head::Missing => roster::read_headerless(origin, bytes, delimiter),
        }?;
        Ok(Self { records, digest })
    }
}

/// Reads the records of a CSV, TSV or parquet file that has a header.
///
/// # Errors
/// `File`, naming the path.
pub fn read_records(path: &Path) -> Result<Records> {
    Ok(Source::read(path, Head::Named)?.records)
}

fn has_extension(path: &Path, wanted: &[&str]) -> bool {
    path.extension().is_some_and(|e| wanted.iter().any(|w| e.eq_ignore_ascii_case(w)))
}
