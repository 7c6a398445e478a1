//! Whether a new row has what a create needs: found here, before row 1, and not by the service in the middle of a run.

use std::collections::HashMap;

use super::Policy;
use crate::error::Result;
use crate::person::{Division, Person};
use crate::reason::Reason;
use crate::roster::{Facts, Roster, RowFault};
use crate::snapshot::Snapshot;

/// A create above the service's limit on a request.
const TOO_LARGE: &str = "request.too_large";

/// Looks at rows one by one.
pub(crate) struct Fitting<'a> {
    roster: &'a Roster,
    policy: &'a Policy,
    divisions: Option<&'a [Division]>,
    /// What a text for a division came to before.
    known: HashMap<&'a str, Reason>,
    nameless: Reason,
    /// Whether the defaults alone may make a create too large.
    is_large: bool,
}

impl<'a> Fitting<'a> {
    pub(crate) fn new(roster: &'a Roster, snapshot: &'a Snapshot, policy: &'a Policy) -> Self {
        let defaults = &policy.defaults;
        let texts = [&defaults.department, &defaults.title, &defaults.division];
        let octets: usize = texts.into_iter().flatten().map(String::len).sum();
        Self {
            roster,
            policy,
            divisions: snapshot.divisions.as_deref(),
            known: HashMap::new(),
            nameless: if roster.has_names() { Reason::of(RowFault::NameMissing.code()) } else { Reason::NONE },
            is_large: octets >= Person::OCTETS_SURELY_FIT / 2,
        }
    }

    /// Why the row at `at` cannot be created, if it cannot.
    ///
    /// # Errors
    /// `File` if the roster cannot be read any more.
    pub(crate) fn fault(&mut self, at: usize) -> Result<Reason> {
        let facts = self.roster.facts_at(at);
        if facts.has(Facts::NAMELESS) && self.nameless != Reason::NONE {
            return Ok(self.nameless);
        }
        let division = self.division(at);
        if division != Reason::NONE || !(self.is_large || facts.has(Facts::LARGE)) {
            return Ok(division);
        }
        self.size(at)
    }

    fn division(&mut self, at: usize) -> Reason {
        let text = self.roster.division(at).or(self.policy.defaults.division.as_deref());
        let (Some(all), Some(text)) = (self.divisions, text) else { return Reason::NONE };
        let find = || Division::find(all, text).err().map_or(Reason::NONE, |fault| Reason::of(fault.code()));
        *self.known.entry(text).or_insert_with(find)
    }

    fn size(&self, at: usize) -> Result<Reason> {
        let (mut buffer, mut ends, mut key) = (Vec::new(), Vec::new(), String::new());
        let mut block = self.roster.records.read(at..at + 1, &mut buffer)?;
        let said = self.roster.said(&block.record(at, &mut ends)?, at, Some(&mut key));
        let defaults = &self.policy.defaults;
        let text = |cell: Option<std::borrow::Cow<'_, str>>| cell.map(std::borrow::Cow::into_owned);
        let person = Person {
            row: 0,
            key: String::new(),
            email: text(said.email).unwrap_or_default(),
            name: text(said.name).unwrap_or_default(),
            department: text(said.department).or_else(|| defaults.department.clone()),
            title: text(said.title).or_else(|| defaults.title.clone()),
            division: text(said.division).or_else(|| defaults.division.clone()),
            phone: said.phone,
        };
        Ok(if person.fits() { Reason::NONE } else { Reason::of(TOO_LARGE) })
    }
}
