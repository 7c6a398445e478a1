//! Cells become a person with a key, or the reason why not.

use std::borrow::Cow;

use polars::prelude::*;

use crate::columns;
use crate::email::{self, Rules};
use crate::error::{Error, Kind, Result};
use crate::roster::scan::RecordFault;
use crate::roster::{Mapping, Records, Roster};

/// Reason codes of rows that are invalid for another reason than their address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// More or fewer cells than the header.
    Ragged,
    /// A NUL byte in the record.
    Nul,
    /// A quote where none can stand.
    StrayQuote,
    /// A would-be new row without a name.
    NameMissing,
}

impl RowFault {
    /// The reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ragged => "csv.ragged",
            Self::Nul => "csv.nul",
            Self::StrayQuote => "csv.stray_quote",
            Self::NameMissing => "name.missing",
        }
    }
}

impl From<RecordFault> for RowFault {
    fn from(fault: RecordFault) -> Self {
        match fault {
            RecordFault::Ragged => Self::Ragged,
            RecordFault::Nul => Self::Nul,
            RecordFault::StrayQuote => Self::StrayQuote,
        }
    }
}

/// Checks every record. Content never fails: a bad row is an invalid row.
///
/// # Errors
/// `File` for more than 4,294,967,295 rows.
pub fn check(records: &Records, mapping: &Mapping) -> Result<Roster> {
    let mut wanted = vec![mapping.email];
    wanted.extend(&mapping.name);
    let name_end = wanted.len();
    wanted.extend(mapping.department);
    let department_end = wanted.len();
    wanted.extend(mapping.title);

    let mut rows = Rows::with_capacity(records.records.len());
    let mut fields = Vec::new();
    for record in &records.records {
        let cells = records.cells(record, &wanted, &mut fields);
        rows.push(&Cells {
            line: record.line,
            fault: record.fault.map(RowFault::from),
            email: &cells[0],
            name: join(&cells[1..name_end]),
            department: cells[name_end..department_end].first().map(AsRef::as_ref),
            title: cells[department_end..].first().map(AsRef::as_ref),
        });
    }
    rows.finish(!mapping.name.is_empty())
}

pub(super) fn from_frame(frame: &DataFrame) -> Result<Roster> {
    let column = |name: &str| frame.column(name).ok().and_then(|c| c.str().ok());
    let emails = column(columns::EMAIL).ok_or_else(|| {
        Error::new(Kind::File, "the roster frame has no string column \"email\"").hint("rename it before building")
    })?;
    let (names, departments, titles) = (column(columns::NAME), column(columns::DEPARTMENT), column(columns::TITLE));
    let mut rows = Rows::with_capacity(frame.height());
    for at in 0..frame.height() {
        rows.push(&Cells {
            line: u32::try_from(at + 1).unwrap_or(u32::MAX),
            fault: None,
            email: emails.get(at).unwrap_or_default(),
            name: Cow::Borrowed(names.and_then(|n| n.get(at)).unwrap_or_default()),
            department: departments.and_then(|d| d.get(at)),
            title: titles.and_then(|t| t.get(at)),
        });
    }
    rows.finish(names.is_some())
}

/// The cells of one row that matter.
struct Cells<'a> {
    line: u32,
    fault: Option<RowFault>,
    email: &'a str,
    name: Cow<'a, str>,
    department: Option<&'a str>,
    title: Option<&'a str>,
}

/// First and last name, joined by one blank.
fn join<'a>(parts: &[Cow<'a, str>]) -> Cow<'a, str> {
    match parts {
        [] => Cow::Borrowed(""),
        [one] => one.clone(),
        many => {
            let parts: Vec<&str> = many.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).collect();
            Cow::Owned(parts.join(" "))
        }
    }
}

/// What a create sends: edges trimmed, an empty cell is no cell.
fn text(cell: &str) -> Option<&str> {
    Some(cell.trim()).filter(|c| !c.is_empty())
}

struct Rows {
    line: Vec<u32>,
    key: StringChunkedBuilder,
    reason: StringChunkedBuilder,
    rules: StringChunkedBuilder,
    email: StringChunkedBuilder,
    name: StringChunkedBuilder,
    department: StringChunkedBuilder,
    title: StringChunkedBuilder,
}

impl Rows {
    fn with_capacity(n: usize) -> Self {
        let strings = |name: &str| StringChunkedBuilder::new(name.into(), n);
        Self {
            line: Vec::with_capacity(n),
            key: strings(columns::KEY),
            reason: strings(columns::REASON),
            rules: strings(columns::RULES),
            email: strings(columns::EMAIL),
            name: strings(columns::NAME),
            department: strings(columns::DEPARTMENT),
            title: strings(columns::TITLE),
        }
    }

    fn push(&mut self, cells: &Cells<'_>) {
        let address = match cells.fault {
            Some(fault) => Err(fault.code()),
            None => email::normalise(cells.email).map_err(email::Refusal::code),
        };
        self.line.push(cells.line);
        self.reason.append_option(address.as_ref().err());
        let address = address.ok();
        let rules = address.as_ref().map_or_else(Rules::default, |a| a.rules);
        self.key.append_option(address.as_ref().map(|a| a.key.as_str()));
        self.email.append_option(address.as_ref().map(|a| a.address.as_str()));
        self.rules.append_value(rules.to_string());
        self.name.append_option(text(&cells.name));
        self.department.append_option(cells.department.and_then(text));
        self.title.append_option(cells.title.and_then(text));
    }

    fn finish(self, has_names: bool) -> Result<Roster> {
        let n_rows = u32::try_from(self.line.len()).ok().filter(|n| *n < u32::MAX);
        let n_rows = n_rows.ok_or_else(|| Error::new(Kind::File, "the roster has more than 4,294,967,294 rows"))?;
        let strings = [self.key, self.reason, self.rules, self.email, self.name, self.department, self.title];
        let mut all = vec![
            Column::new(columns::ROW.into(), (1..=n_rows).collect::<Vec<u32>>()),
            Column::new(columns::LINE.into(), self.line),
        ];
        all.extend(strings.into_iter().map(|b| b.finish().into_series().into_column()));
        Ok(Roster { frame: DataFrame::new(n_rows as usize, all)?, has_names })
    }
}
