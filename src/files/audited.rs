//! The files of an audit: which are rosters and which list an organisation.

use std::path::Path;

use polars::prelude::StringChunked;

use crate::audit::{By, Crowd, Crowds, People, employee_ids, names};
use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::export;
use crate::files::table::{Picks, Source};
use crate::roster::{self, Named, Opening, Sheet, Wanted};
use crate::strings::Strings;

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
    /// Which of their columns holds employee ids, if that is said.
    pub employee_id: Option<Wanted>,
}

impl How {
    /// Takes the wish for a column of employee ids out of the others, which are those of any roster.
    #[must_use]
    pub fn new(by: By, opening: Opening, picks: Picks, mut maps: Vec<Wanted>) -> Self {
        let is_id = |wanted: &Wanted| wanted.field == By::EmployeeId.as_str();
        let employee_id = maps.iter().rev().find(|wanted| is_id(wanted)).cloned();
        maps.retain(|wanted| !is_id(wanted));
        Self { by, opening, picks, maps, employee_id }
    }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its people.
    pub crowd: Crowd,
    /// Which columns of a roster were taken for what.
    pub named: Option<Named>,
    /// Which column of a roster was taken for employee ids, if they are compared.
    pub employee_id: Option<String>,
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
    let is_by_id = how.by == By::EmployeeId;
    let ((snapshot, ids), notes) = Source::open(path)?.read(opening, &Picks::default(), |sheet| {
        let ids = if is_by_id { exported_ids(sheet)? } else { None };
        Ok((export::from_sheet(sheet, true)?, ids))
    })?;
    users(shown(path), People::Users(snapshot), ids.as_ref(), how, notes)
}

/// A file as the user has named it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn ours(path: &Path, how: &How) -> Result<Option<Opened>> {
    let snapshot = export::read_ours(path, true, how.opening.effort)?;
    snapshot.map(|snapshot| users(shown(path), People::Users(snapshot), None, how, Vec::new())).transpose()
}

fn users(name: String, people: People, ids: Option<&Strings>, how: &How, notes: Vec<String>) -> Result<Opened> {
    let effort = how.opening.effort;
    let values = match how.by {
        By::Email => None,
        By::Name => Some(names(&people, effort)?),
        By::EmployeeId => Some(employee_ids(&people, None, ids, effort)?),
    };
    let crowd = match values {
        None => Crowd::by_email(name, people),
        Some(values) => Crowd::by_value(name, people, values),
    };
    let is_comparable = how.by == By::Email || ids.is_some() || crowd.has_values();
    Ok(Opened { crowd, named: None, employee_id: None, is_comparable, notes })
}

fn roster(name: String, source: &Source, how: &How) -> Result<Opened> {
    let checked = export::read_roster(source, how.opening, &how.picks, &how.maps)?;
    let effort = how.opening.effort;
    let has_names = checked.roster.has_names();
    let sheet = checked.roster.records.sheet.clone();
    let people = People::Rows(checked.roster);
    let mut employee_id = None;
    let (crowd, is_comparable) = match how.by {
        By::Email => (Crowd::by_email(name, people), true),
        By::Name => {
            let values = names(&people, effort)?;
            (Crowd::by_value(name, people, values), has_names)
        }
        By::EmployeeId => {
            let column = roster::employee_id(&sheet, how.opening.headline, how.employee_id.as_ref())?;
            employee_id = column.and_then(|at| sheet.header.get(at).cloned());
            let values = employee_ids(&people, column, None, effort)?;
            (Crowd::by_value(name, people, values), column.is_some())
        }
    };
    Ok(Opened { crowd, named: Some(checked.named), employee_id, is_comparable, notes: checked.notes })
}

/// The employee ids of an export, if it has a column of them.
fn exported_ids(sheet: &Sheet) -> Result<Option<Strings>> {
    let Some(column) = roster::employee_id(sheet, Default::default(), None)? else { return Ok(None) };
    let cells = sheet.columns(&[column])?.pop().unwrap_or_default();
    let cells: StringChunked = cells.iter().map(|cell| Some(cell.as_str())).collect();
    Ok(Some(Strings::of(cells.with_name(columns::KEY.into()))))
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
