//! Files that others made: a roster, and an export of an organisation. Any CSV or parquet with an e-mail column is one.
//!
//! An export proves nothing, but it can be compared with.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use polars::prelude::{Column, DataFrame};

use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::manifest::Digest;
use crate::files::{self, foreign, parquet};
use crate::person::State;
use crate::roster::{self, RecordFault, Records};
use crate::snapshot::Snapshot;

/// Headers of an export, squashed to letters, by what they hold.
const HEADERS: [(&str, &[&str]); 5] = [
    (columns::ID, &["id", "userid", "guid"]),
    (columns::NAME, &["name", "fullname", "displayname"]),
    (columns::USERNAME, &["username", "login", "userprincipalname"]),
    (columns::DEPARTMENT, &["department"]),
    (columns::TITLE, &["title", "jobtitle"]),
];
/// Headers of a state. The word means a part of a country, too.
const STATES: [&str; 2] = ["state", "status"];

/// Reads a snapshot: our own parquet, whatever it is called, or an export as CSV or parquet.
///
/// # Errors
/// `File` or `Damaged`, naming the path.
pub fn read_snapshot(path: &Path) -> Result<Snapshot> {
    if path.is_file()
        && (has_extension(path, &["parquet"]) || begins_as_parquet(path))
        && let Some(ours) = parquet::read_snapshot(path)?
    {
        return Ok(ours);
    }
    from_records(&read_records(path)?)
}

fn begins_as_parquet(path: &Path) -> bool {
    let mut first = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && foreign::is_parquet(&first)
}

/// A snapshot from the records of an export.
///
/// # Errors
/// `File` if there is not exactly one e-mail column, or a record cannot be read.
pub fn from_records(records: &Records) -> Result<Snapshot> {
    let email = roster::map(records, &[]).map_err(|e| {
        Error::new(e.kind(), e.to_string())
            .hint("an export is mapped by its names alone: it needs exactly one e-mail column")
    })?;
    check_sound(records)?;
    let mut wanted = vec![(columns::EMAIL, email.email)];
    let first = |words: &[&str]| roster::columns_called(records, words).first().copied();
    wanted.extend(HEADERS.iter().filter_map(|(name, words)| Some((*name, first(words)?))));
    wanted.extend(state_column(records).map(|at| (columns::STATE, at)));

    let positions: Vec<usize> = wanted.iter().map(|(_, at)| *at).collect();
    let named =
        wanted.iter().zip(records.columns(&positions)).map(|((name, _), cells)| Column::new((*name).into(), cells));
    Snapshot::from_frame(&DataFrame::new(records.records.len(), named.collect())?)
}

/// A holder who cannot be read is a holder all the same: without them a row would be called new.
fn check_sound(records: &Records) -> Result<()> {
    let bad = records.records.iter().find_map(|record| record.fault.map(|fault| (record.line, fault)));
    let Some((line, fault)) = bad else { return Ok(()) };
    let why = match fault {
        RecordFault::Ragged => "has more or fewer cells than the header",
        RecordFault::Nul => "holds a NUL byte",
        RecordFault::StrayQuote => "has a quote where none can stand",
    };
    let what = format!("{}, line {line}: this record {why}", records.origin);
    Err(Error::new(Kind::File, what).hint(
        "correct that line or export again: whoever stands there would be missed, and a row of theirs called new",
    ))
}

/// The column of states: of several candidates the one that holds most words of a state.
fn state_column(records: &Records) -> Option<usize> {
    let candidates = roster::columns_called(records, &STATES);
    if let [one] = candidates[..] {
        return Some(one);
    }
    let is_known = |cell: &&String| State::ALL.iter().any(|state| state.as_str().eq_ignore_ascii_case(cell.trim()));
    let n_known = records.columns(&candidates).into_iter().map(|cells| cells.iter().filter(is_known).count());
    candidates.iter().zip(n_known).min_by_key(|(_, n)| std::cmp::Reverse(*n)).map(|(at, _)| *at)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn states(text: &str) -> Vec<String> {
        let snapshot = from_records(&roster::read("org.csv", text.as_bytes().to_vec(), None).unwrap()).unwrap();
        let states = snapshot.frame.column(columns::STATE).unwrap().str().unwrap().clone();
        states.iter().map(|state| state.unwrap().to_owned()).collect()
    }

    #[test]
    fn an_export_with_a_record_that_cannot_be_read_is_refused_with_its_line() {
        for (text, why) in [
            ("email,name\na@example.com,Ada\nb@example.com,Day, Bob\n", "more or fewer cells"),
            ("email,name\n\nb@example.com,Bob \"Bobby\" Day\n", "quote"),
            ("email,name\n\nb@example.com,\0\n", "NUL"),
        ] {
            let error = from_records(&roster::read("org.csv", text.into(), None).unwrap()).unwrap_err();
            assert_eq!(error.kind(), Kind::File);
            let told = error.to_string();
            assert!(told.starts_with("org.csv, line 3: ") && told.contains(why), "{told}");
            assert!(error.hint_text().is_some() && !format!("{error:?}").contains("example.com"), "{error:?}");
        }
    }

    #[test]
    fn the_state_is_the_column_that_holds_states_however_its_header_is_dressed() {
        assert_eq!(states("Email,Status [READ ONLY]\na@example.com,Deleted\n"), ["deleted"]);
        let both = "email,State,Status\na@example.com,Berlin,active\nb@example.com,Bayern,DELETED\n";
        assert_eq!(states(both), ["active", "deleted"]);
        let both = "email,Status,State\na@example.com,x,inactive\nb@example.com,y,deleted\n";
        assert_eq!(states(both), ["inactive", "deleted"]);
    }
}
