//! Whether a new row has what a create needs: found here, before row 1, and not by the service in the middle of a run.

use std::collections::HashMap;

use polars::prelude::StringChunked;

use super::{Defaults, Policy, SENT};
use crate::columns;
use crate::error::Result;
use crate::person::{Division, DivisionFault, Person};
use crate::roster::{Roster, RowFault};
use crate::snapshot::Snapshot;

/// A create above the service's limit on a request.
const TOO_LARGE: &str = "request.too_large";

impl Defaults {
    /// The default of a column; none if it has none.
    pub(super) fn of(&self, column: &str) -> Option<&str> {
        match column {
            columns::DEPARTMENT => self.department.as_deref(),
            columns::TITLE => self.title.as_deref(),
            columns::DIVISION => self.division.as_deref(),
            _ => None,
        }
    }
}

/// Looks at rows one by one.
pub(super) struct Fitting<'a> {
    has_names: bool,
    /// Cells in the order of [`SENT`], and what stands in for empty ones.
    cells: [(&'a StringChunked, Option<&'a str>); SENT.len()],
    divisions: Option<&'a [Division]>,
    /// What a text for a division came to before.
    known: HashMap<&'a str, Option<DivisionFault>>,
}

impl<'a> Fitting<'a> {
    pub(super) fn new(roster: &'a Roster, snapshot: &'a Snapshot, policy: &'a Policy) -> Result<Self> {
        let cells = |name: &str| -> Result<_> { Ok((roster.frame.column(name)?.str()?, policy.defaults.of(name))) };
        let [email, name, department, title, division, phone] = SENT.map(cells);
        Ok(Self {
            has_names: roster.has_names,
            cells: [email?, name?, department?, title?, division?, phone?],
            divisions: snapshot.divisions.as_deref(),
            known: HashMap::new(),
        })
    }

    /// Why the row at `at` cannot be created, if it cannot.
    pub(super) fn fault(&mut self, at: usize) -> Option<&'static str> {
        let [email, name, department, title, division, phone] = self.cells.map(|(cells, or)| cells.get(at).or(or));
        if self.has_names && name.is_none() {
            return Some(RowFault::NameMissing.code());
        }
        if let (Some(all), Some(text)) = (self.divisions, division) {
            let fault = *self.known.entry(text).or_insert_with(|| Division::find(all, text).err());
            if let Some(fault) = fault {
                return Some(fault.code());
            }
        }
        let text = |cell: Option<&str>| cell.map(str::to_owned);
        let octets: usize = [name, department, title, division].into_iter().flatten().map(str::len).sum();
        if octets < Person::OCTETS_SURELY_FIT {
            return None;
        }
        let person = Person {
            row: 0,
            key: String::new(),
            email: email.unwrap_or_default().to_owned(),
            name: name.unwrap_or_default().to_owned(),
            department: text(department),
            title: text(title),
            division: text(division),
            phone: text(phone),
        };
        (!person.fits()).then_some(TOO_LARGE)
    }
}
