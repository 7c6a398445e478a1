//! The files of an audit: which are rosters and which list an organisation.

use std::path::Path;

use crate::audit::{By, Crowd, Crowds, People, employee_ids, names};
use crate::error::{Error, Kind, Result};
use crate::files::export;
use crate::files::table::{Picks, Source};
use crate::roster::{Named, Opening, Wanted};
use crate::snapshot::Snapshot;

/// How the files are read.
#[derive(Clone, Debug)]
pub struct How {
    /// What people are compared by.
    pub by: By,
    /// How rosters are opened.
    pub opening: Opening,
    /// What is said of rosters.
    pub picks: Picks,
    /// Which of their columns is what.
    pub maps: Vec<Wanted>,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its people.
    pub crowd: Crowd,
    /// Which columns of a roster were taken for what.
    pub named: Option<Named>,
    /// Whether its people have what they are compared by: a column of it, that is.
    pub is_comparable: bool,
    /// What to tell of how it was read.
    pub notes: Vec<String>,
}

/// Reads a file that was named as one of the FILEs: a snapshot of ours is an organisation, everything else a roster.
///
/// # Errors
/// As reading either.
pub fn open(path: &Path, how: &How) -> Result<Opened> {
    if path.as_os_str() == "-" {
        // A dash alone would look like a formula, and name no file.
        return roster("standard input".to_owned(), &Source::stdin()?, how);
    }
    match ours(path, how)? {
        Some(opened) => Ok(opened),
        None => roster(shown(path), &Source::open(path)?, how),
    }
}

/// Reads a file that was named as a snapshot: one of ours, or an export.
///
/// # Errors
/// As reading either.
pub fn open_snapshot(path: &Path, how: &How) -> Result<Opened> {
    if let Some(opened) = ours(path, how)? {
        return Ok(opened);
    }
    let opening = Opening { effort: how.opening.effort, ..Opening::default() };
    let (snapshot, notes) =
        Source::open(path)?.read(opening, &Picks::default(), |sheet| export::from_sheet(sheet, true))?;
    users(shown(path), snapshot, how, notes)
}

/// A file as the user has named it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn ours(path: &Path, how: &How) -> Result<Option<Opened>> {
    let snapshot = export::read_ours(path, true, how.opening.effort)?;
    snapshot.map(|snapshot| users(shown(path), snapshot, how, Vec::new())).transpose()
}

fn users(name: String, snapshot: Snapshot, how: &How, notes: Vec<String>) -> Result<Opened> {
    let crowd = crowd(name, People::Users(snapshot), how)?;
    let is_comparable = how.by == By::Email || crowd.has_values();
    Ok(Opened { crowd, named: None, is_comparable, notes })
}

fn roster(name: String, source: &Source, how: &How) -> Result<Opened> {
    let checked = export::read_roster(source, how.opening, &how.picks, &how.maps)?;
    let is_comparable = match how.by {
        By::Email => true,
        By::Name => checked.roster.has_names(),
        By::EmployeeId => checked.roster.has_employee_ids(),
    };
    let crowd = crowd(name, People::Rows(checked.roster), how)?;
    Ok(Opened { crowd, named: Some(checked.named), is_comparable, notes: checked.notes })
}

/// People with what they are compared by.
fn crowd(name: String, people: People, how: &How) -> Result<Crowd> {
    let effort = how.opening.effort;
    let values = match how.by {
        By::Email => return Ok(Crowd::by_email(name, people)),
        By::Name => names(&people, effort)?,
        By::EmployeeId => employee_ids(&people, effort)?,
    };
    Ok(Crowd::by_value(name, people, values))
}

/// All people in the order of their files.
///
/// # Errors
/// `File`, naming the files, if none of them has what people are compared by.
pub fn crowds(opened: Vec<Opened>, by: By) -> Result<Crowds> {
    if !opened.iter().any(|file| file.is_comparable) {
        let names = opened.iter().map(|file| file.crowd.name.as_str()).collect::<Vec<_>>().join(", ");
        let (what, field) = if by == By::Name { ("names", "name") } else { ("employee ids", by.as_str()) };
        return Err(Error::new(Kind::File, format!("no column of {what} in {names}"))
            .hint(format!("name it with --map {field}=\"COLUMN\", or leave --by out to compare addresses")));
    }
    Crowds::of(opened.into_iter().map(|file| file.crowd).collect())
}
