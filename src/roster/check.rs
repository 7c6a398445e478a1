//! Cells become a person with a key, or the reason why not.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::*;

use super::chunks::{Gather, Raw};
use super::facts::Facts;
use super::made::Made;
use super::records::{Places, Records, Reread};
use super::sheet::{Lines, Sheet, open_made};
use super::text::InMemory;
use crate::columns;
use crate::email;
use crate::error::{Error, Kind, Result};
use crate::lanes::Effort;
use crate::person::Person;
use crate::phone;
use crate::reason::Reason;
use crate::roster::{Family, Mapping, RecordFault, Roster};
use crate::strings::Strings;

/// The person in Entra's template, with and without the word in front.
const EXAMPLE: &str = "example:";
const EXAMPLE_ADDRESS: &str = "chris@contoso.com";
/// Marks that Workday puts behind a worker's name: contingent, on leave, terminated.
const WORKER_MARKS: [&str; 3] = ["[C]", "(On Leave)", "(Terminated)"];

/// Reason codes of rows that are invalid for another reason than their address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// More or fewer cells than the header.
    Ragged,
    /// A NUL byte in the record.
    Nul,
    /// A quote where none can stand.
    StrayQuote,
    /// The example of a template, which is nobody.
    Example,
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
            Self::Example => "row.example",
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
/// `File`, naming the file and the line: an open quote, a record above 4 MiB, bytes that are not UTF-8.
pub fn check(sheet: Sheet, mapping: Mapping) -> Result<Roster> {
    let (n_chunk, n_all) = sheet.n_expected();
    let new = || Part {
        mapping: &mapping,
        widths: sheet.widths,
        extra_at: sheet.extra_at,
        reason_at: sheet.reason_at,
        is_template: sheet.has_preamble || mapping.family == Some(Family::Entra),
        places: Places::default(),
        facts: Vec::new(),
        keys: StringChunkedBuilder::new(columns::KEY.into(), n_chunk),
        divisions: mapping.division.map(|_| StringChunkedBuilder::new(columns::DIVISION.into(), n_chunk)),
        key: String::new(),
    };
    let mut records = Records::new(sheet.clone());
    let mut facts: Vec<u32> = Vec::with_capacity(n_all);
    let mut keys = Strings::nulls(columns::KEY, 0);
    let mut divisions = mapping.division.map(|_| Strings::nulls(columns::DIVISION, 0));
    sheet.scan(new, |part, line| {
        records.append(part.places, line)?;
        facts.extend(part.facts);
        keys.append(part.keys.finish())?;
        if let (Some(all), Some(some)) = (&mut divisions, part.divisions) {
            all.append(some.finish())?;
        }
        Ok(())
    })?;
    let facts = UInt32Chunked::from_vec(columns::FACTS.into(), facts);
    Ok(Roster { records, keys, facts, divisions, mapping })
}

/// The checked rows of one chunk.
struct Part<'a> {
    mapping: &'a Mapping,
    widths: [usize; 2],
    extra_at: Option<usize>,
    reason_at: Option<usize>,
    is_template: bool,
    places: Places,
    facts: Vec<u32>,
    keys: StringChunkedBuilder,
    divisions: Option<StringChunkedBuilder>,
    key: String,
}

impl Gather for Part<'_> {
    fn push(&mut self, record: &Raw<'_>) {
        let unsound = self.places.push(record, self.widths).map(RowFault::from);
        let unsound = unsound.or_else(|| self.is_still_ragged(record).then_some(RowFault::Ragged));
        let email = record.cell(self.mapping.email);
        let fault = unsound.or_else(|| self.is_example(record, &email).then_some(RowFault::Example));
        let found = match fault {
            Some(fault) => Err(Reason::of(fault.code())),
            None => email::normalise_into(&email, &mut self.key).map_err(|refusal| Reason::of(refusal.code())),
        };
        let facts = match &found {
            Ok(normal) => Facts::usable(normal.rules),
            Err(reason) => Facts::unusable(*reason),
        };
        self.keys.append_option(found.is_ok().then_some(self.key.as_str()));
        let facts = facts
            .with(Facts::NAMELESS, is_nameless(self.mapping, &|at| record.cell(at)))
            .with(Facts::LARGE, record.text.len() >= Person::OCTETS_SURELY_FIT / 2)
            .with(Facts::NO_PHONE, self.is_phone_left_out(record))
            .with(Facts::UNSOUND, unsound.is_some());
        self.facts.push(facts.bits());
        if let (Some(divisions), Some(at)) = (&mut self.divisions, self.mapping.division) {
            divisions.append_option(trimmed(record.cell(at)).as_deref());
        }
    }
}

impl Part<'_> {
    /// Whether an earlier run has cut or padded a record to the header's width, and nobody has mended it: whose cells are
    /// shifted is not made sound by that.
    fn is_still_ragged(&self, record: &Raw<'_>) -> bool {
        let is_blank = |at: usize| record.cell(at).trim().is_empty();
        let is_cut = self.extra_at.is_some_and(|at| !is_blank(at));
        // What was padded has nothing in its last cell; a reason that was wiped out says that this is meant.
        let says_so = |at: usize| record.cell(at).trim() == RowFault::Ragged.code();
        is_cut || self.reason_at.is_some_and(says_so) && self.widths[0].checked_sub(1).is_some_and(is_blank)
    }

    /// Whether a row is the example of a template.
    #[inline]
    fn is_example(&self, record: &Raw<'_>, email: &str) -> bool {
        let starts =
            |cell: &str| cell.trim_start().get(..EXAMPLE.len()).is_some_and(|s| s.eq_ignore_ascii_case(EXAMPLE));
        starts(email)
            || self.is_template
                && (self.mapping.columns().any(|at| starts(&record.cell(at)))
                    || email.trim().eq_ignore_ascii_case(EXAMPLE_ADDRESS))
    }

    fn is_phone_left_out(&self, record: &Raw<'_>) -> bool {
        let cell = self.mapping.phone.and_then(|at| trimmed(record.cell(at)));
        cell.is_some_and(|cell| phone::e164(&cell).is_none())
    }
}

/// A cell of a row, by its column.
type CellAt<'f, 't> = &'f dyn Fn(usize) -> Cow<'t, str>;

#[inline]
fn is_nameless(mapping: &Mapping, cell: CellAt<'_, '_>) -> bool {
    let is_blank = |at: &usize| cell(*at).trim().is_empty();
    let is_without = match mapping.name[..] {
        [one] if mapping.is_worker => unmarked(&cell(one)).is_empty(),
        ref parts => parts.iter().all(is_blank),
    };
    is_without && mapping.name_else.as_ref().is_none_or(is_blank)
}

/// The name as it is sent, if there is one.
fn name<'t>(mapping: &Mapping, cell: CellAt<'_, 't>) -> Option<Cow<'t, str>> {
    let own = match mapping.name[..] {
        [] => None,
        [one] if mapping.is_worker => {
            let name = unmarked(&cell(one)).to_owned();
            Some(Cow::Owned(name)).filter(|name: &Cow<'_, str>| !name.is_empty())
        }
        [one] => trimmed(cell(one)),
        ref parts => {
            let parts: Vec<_> = parts.iter().filter_map(|at| trimmed(cell(*at))).collect();
            (!parts.is_empty()).then(|| Cow::Owned(parts.join(" ")))
        }
    };
    own.or_else(|| mapping.name_else.and_then(|at| trimmed(cell(at))))
}

/// A worker's name without the marks behind it.
fn unmarked(name: &str) -> &str {
    let mut name = name.trim();
    while let Some(bare) = WORKER_MARKS.iter().find_map(|mark| name.strip_suffix(mark)) {
        name = bare.trim_end();
    }
    name
}

/// What a create sends: edges trimmed, an empty cell is no cell.
#[inline]
fn trimmed(cell: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let cell = match cell {
        Cow::Borrowed(cell) => Cow::Borrowed(cell.trim()),
        Cow::Owned(cell) => Cow::Owned(cell.trim().to_owned()),
    };
    Some(cell).filter(|cell| !cell.is_empty())
}

/// What a row says of a person, as a create would send it.
#[derive(Clone, Debug, Default)]
pub struct Said<'t> {
    /// Address: cleaned, its case kept; none if it is not usable.
    pub email: Option<Cow<'t, str>>,
    /// Full name.
    pub name: Option<Cow<'t, str>>,
    /// Department.
    pub department: Option<Cow<'t, str>>,
    /// Job title.
    pub title: Option<Cow<'t, str>>,
    /// Division, by id or name.
    pub division: Option<Cow<'t, str>>,
    /// Work phone in E.164.
    pub phone: Option<String>,
    /// Employee id: it is never sent.
    pub employee_id: Option<Cow<'t, str>>,
}

impl Mapping {
    /// What a row says, from its record; without `key` only what rows are compared by.
    pub(super) fn said<'t>(&self, record: &Reread<'t, '_>, key: Option<&mut String>) -> Said<'t> {
        let cell = |at: usize| record.cell(at);
        let text = |at: Option<usize>| at.and_then(|at| trimmed(cell(at)));
        let is_sent = key.is_some();
        let sent = |at: Option<usize>| text(at.filter(|_| is_sent));
        Said {
            email: key.and_then(|key| address(cell(self.email), key)),
            name: name(self, &cell),
            department: text(self.department),
            title: text(self.title),
            division: sent(self.division),
            phone: sent(self.phone).and_then(|cell| phone::e164(&cell)),
            employee_id: text(self.employee_id),
        }
    }
}

/// The address in a cell, cleaned.
fn address<'t>(cell: Cow<'t, str>, key: &mut String) -> Option<Cow<'t, str>> {
    match cell {
        Cow::Borrowed(cell) => email::normalise_into(cell, key).ok().map(|normal| normal.address),
        Cow::Owned(cell) => {
            let normal = email::normalise_into(&cell, key).ok();
            normal.map(|normal| Cow::Owned(normal.address.into_owned()))
        }
    }
}

/// The fields of a frame that a roster is made of, in the order in which they become columns.
const FIELDS: [&str; 7] = [
    columns::EMAIL,
    columns::NAME,
    columns::DEPARTMENT,
    columns::TITLE,
    columns::DIVISION,
    columns::PHONE,
    columns::EMPLOYEE_ID,
];

pub(super) fn from_frame(frame: &DataFrame) -> Result<Roster> {
    let cells = |name: &str| frame.column(name).ok().and_then(|c| c.str().ok());
    if cells(columns::EMAIL).is_none() {
        return Err(
            Error::new(Kind::File, "the roster frame has no string column \"email\"").hint("rename it before building")
        );
    }
    let known: Vec<(&str, &StringChunked)> = FIELDS.iter().filter_map(|name| Some((*name, cells(name)?))).collect();
    let at = |name: &str| known.iter().position(|(known, _)| *known == name);
    let mapping = Mapping {
        email: 0,
        name: at(columns::NAME).into_iter().collect(),
        name_else: None,
        department: at(columns::DEPARTMENT),
        title: at(columns::TITLE),
        division: at(columns::DIVISION),
        phone: at(columns::PHONE),
        employee_id: at(columns::EMPLOYEE_ID),
        family: None,
        is_worker: false,
    };
    let mut made = Made::of(known.iter().map(|(name, _)| *name));
    for row in 0..frame.height() {
        made.push(known.iter().map(|(_, cells)| cells.get(row).unwrap_or_default()));
    }
    let text = Arc::new(InMemory(made.text));
    check(open_made("the frame", text, Lines::Rows, Effort::default())?, mapping)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::roster::{Opening, map, open_bytes};

    fn checked(text: &str) -> Roster {
        let sheet = open_bytes("hr.csv", text.as_bytes().to_vec(), Opening::default()).unwrap();
        let mapping = map(&sheet, &[]).unwrap();
        check(sheet, mapping).unwrap()
    }

    /// What is known of each row.
    fn told(roster: &Roster, tell: impl Fn(Facts, Said<'_>) -> String) -> Vec<String> {
        let (mut buffer, mut ends, mut key) = (Vec::new(), Vec::new(), String::new());
        let mut block = roster.records.read(0..roster.n_rows(), &mut buffer).unwrap();
        let one = |at: usize| {
            let record = block.record(at, &mut ends).unwrap();
            tell(roster.facts_at(at), roster.said(&record, at, Some(&mut key)))
        };
        (0..roster.n_rows()).map(one).collect()
    }

    fn or_dash(cell: Option<impl AsRef<str>>) -> String {
        cell.map_or_else(|| "-".to_owned(), |cell| cell.as_ref().to_owned())
    }

    fn reasons(text: &str) -> Vec<String> {
        told(&checked(text), |facts, _| or_dash(facts.reason().code()))
    }

    fn names(text: &str) -> Vec<String> {
        told(&checked(text), |facts, said| {
            assert_eq!(facts.has(Facts::NAMELESS), said.name.is_none());
            or_dash(said.name)
        })
    }

    #[test]
    fn a_phone_is_kept_in_e164_or_left_out_with_a_warning() {
        let text = "Email,Work Phone\na@example.com,+49 (0)30 1234567\nb@example.com,030 1234567\nc@example.com, \n";
        let found =
            told(&checked(text), |facts, said| format!("{}|{}", or_dash(said.phone), facts.has(Facts::NO_PHONE)));
        assert_eq!(found, ["+49301234567|false", "-|true", "-|false"]);
    }

    #[test]
    fn an_example_row_of_a_template_is_invalid_by_its_own_code() {
        let header = "version:v1.0\nName [displayName] Required,User name [userPrincipalName] Required\n";
        let rows = "Example: Chris Green,Example: chris@contoso.com\nChris,Chris@contoso.com\nexample: Ada,ada@example.com\nAda,ada@example.com\n";
        let found = reasons(&format!("{header}{rows}"));
        assert_eq!(found, ["row.example", "row.example", "row.example", "-"]);
        let plain =
            reasons("Name,Email\nExample: Ada,ada@example.com\nC,chris@contoso.com\nD,Example: d@example.com\n");
        assert_eq!(plain, ["-", "-", "row.example"]);
    }

    #[test]
    fn marks_behind_a_workers_name_are_no_part_of_it_and_elsewhere_they_are() {
        let workday =
            "Email - Primary Work,Worker\na@example.com,Ada Lovelace [C] (On Leave)\nb@example.com,Bob (Bobby) Day\n";
        assert_eq!(names(workday), ["Ada Lovelace", "Bob (Bobby) Day"]);
        assert_eq!(names("Email,Name\na@example.com,Ada [C]\n"), ["Ada [C]"]);
    }

    #[test]
    fn a_row_without_first_and_last_name_is_called_by_its_display_name() {
        let text = "Email,First Name,Last Name,Display Name,Department\na@example.com,Ada,,Countess,x\n\
                    b@example.com, ,,Bob Day,\nc@example.com,,,,\n";
        assert_eq!(names(text), ["Ada", "Bob Day", "-"]);
        assert_eq!(told(&checked(text), |_, said| or_dash(said.department)), ["x", "-", "-"]);
    }

    #[test]
    fn an_employee_id_is_said_of_every_row_whether_it_is_sent_or_compared() {
        let text = "Email,Employee ID\na@example.com, 0042 \nb@example.com, \nnobody,7\n";
        let roster = checked(text);
        assert_eq!(told(&roster, |_, said| or_dash(said.employee_id)), ["0042", "-", "7"]);
        let (mut buffer, mut ends) = (Vec::new(), Vec::new());
        let mut block = roster.records.read(0..1, &mut buffer).unwrap();
        let said = roster.said(&block.record(0, &mut ends).unwrap(), 0, None);
        assert_eq!((said.employee_id.as_deref(), said.email), (Some("0042"), None));
        // Nothing else depends on it.
        let other = checked(&text.replace("Employee ID", "Something"));
        assert!((0..3).all(|at| roster.facts_at(at) == other.facts_at(at) && roster.key(at) == other.key(at)));
    }

    #[test]
    fn a_frame_may_bring_division_and_phone() {
        let column = |name: &str, cell: &str| Column::new(name.into(), [cell]);
        let columns =
            vec![column("email", "a@example.com"), column("division", " Home "), column("phone", "+4930 1234567")];
        let roster = from_frame(&DataFrame::new(1, columns).unwrap()).unwrap();
        let found =
            told(&roster, |_, said| format!("{}|{}", or_dash(said.division.as_ref()), or_dash(said.phone.as_ref())));
        assert_eq!((found, roster.division(0)), (vec!["Home|+49301234567".to_owned()], Some("Home")));
    }
}
