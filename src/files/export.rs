//! Somebody's export of an organisation: any CSV with an e-mail column. It proves nothing, but it can be compared with.

use std::path::Path;

use polars::prelude::{Column, DataFrame};

use crate::columns;
use crate::error::{Error, Result};
use crate::files::{self, parquet};
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

/// Reads a snapshot: our own parquet, or an export as CSV.
///
/// # Errors
/// `File` or `Damaged`, naming the path.
pub fn read_snapshot(path: &Path) -> Result<Snapshot> {
    let is_parquet = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"));
    if is_parquet && !path.is_dir() { parquet::read_snapshot(path) } else { from_records(&read_records(path)?) }
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

/// Reads the records of a CSV or TSV file.
///
/// # Errors
/// `File`, naming the path.
pub fn read_records(path: &Path) -> Result<Records> {
    let is_tsv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
    let name = files::name(path);
    let is_other =
        path.extension().is_some_and(|e| ["xlsx", "xls", "parquet"].iter().any(|x| e.eq_ignore_ascii_case(x)));
    if is_other && path.is_file() {
        return Err(Error::new(crate::error::Kind::File, format!("{name} is no CSV")).hint("save it as \"CSV UTF-8\""));
    }
    roster::read(&name, files::read(path)?, is_tsv.then_some(b'\t'))
}
