//! Cells become a person with a key, or the reason why not.

use std::borrow::Cow;

use polars::prelude::*;

use crate::columns;
use crate::email::{self, Rules};
use crate::error::{Error, Kind, Result};
use crate::phone;
use crate::roster::{Family, Mapping, RecordFault, Records, Roster};

/// A phone that is not surely a number of one country.
const PHONE_NOT_E164: &str = "phone.not_e164";
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
/// `File` for more than 4,294,967,295 rows.
pub fn check(records: &Records, mapping: &Mapping) -> Result<Roster> {
    let optional = [mapping.department, mapping.title, mapping.division, mapping.phone];
    let mut wanted = vec![mapping.email];
    wanted.extend(&mapping.name);
    let name_end = wanted.len();
    wanted.extend(optional.iter().flatten());
    wanted.extend(mapping.name_else);

    let is_template = records.has_preamble || mapping.family == Some(Family::Entra);
    let mut rows = Rows::with_capacity(records.records.len());
    let mut fields = Vec::new();
    for record in &records.records {
        let cells = records.cells(record, &wanted, &mut fields);
        let mut rest = cells[name_end..].iter().map(AsRef::as_ref);
        let [department, title, division, phone] = optional.map(|column| column.and_then(|_| rest.next()));
        let spare = rest.next().unwrap_or_default();
        let fault = record.fault.map(RowFault::from);
        let mut name = if mapping.is_worker { Cow::Borrowed(unmarked(&cells[1])) } else { join(&cells[1..name_end]) };
        if name.trim().is_empty() {
            name = Cow::Borrowed(spare);
        }
        rows.push(&Cells {
            line: record.line,
            fault: fault.or_else(|| is_example(&cells, is_template).then_some(RowFault::Example)),
            email: &cells[0],
            name,
            department,
            title,
            division,
            phone,
        });
    }
    rows.finish(!mapping.name.is_empty())
}

/// Whether a row is the example of a template. `cells` begin with the address.
fn is_example(cells: &[Cow<'_, str>], is_template: bool) -> bool {
    let starts = |cell: &str| cell.trim_start().get(..EXAMPLE.len()).is_some_and(|s| s.eq_ignore_ascii_case(EXAMPLE));
    starts(&cells[0])
        || is_template
            && (cells.iter().any(|cell| starts(cell)) || cells[0].trim().eq_ignore_ascii_case(EXAMPLE_ADDRESS))
}

/// A worker's name without the marks behind it.
fn unmarked(name: &str) -> &str {
    let mut name = name.trim();
    while let Some(bare) = WORKER_MARKS.iter().find_map(|mark| name.strip_suffix(mark)) {
        name = bare.trim_end();
    }
    name
}

pub(super) fn from_frame(frame: &DataFrame) -> Result<Roster> {
    let column = |name: &str| frame.column(name).ok().and_then(|c| c.str().ok());
    let emails = column(columns::EMAIL).ok_or_else(|| {
        Error::new(Kind::File, "the roster frame has no string column \"email\"").hint("rename it before building")
    })?;
    let names = column(columns::NAME);
    let optional = [columns::DEPARTMENT, columns::TITLE, columns::DIVISION, columns::PHONE].map(column);
    let mut rows = Rows::with_capacity(frame.height());
    for at in 0..frame.height() {
        let [department, title, division, phone] = optional.map(|cells| cells.and_then(|c| c.get(at)));
        rows.push(&Cells {
            line: u32::try_from(at + 1).unwrap_or(u32::MAX),
            fault: None,
            email: emails.get(at).unwrap_or_default(),
            name: Cow::Borrowed(names.and_then(|n| n.get(at)).unwrap_or_default()),
            department,
            title,
            division,
            phone,
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
    division: Option<&'a str>,
    phone: Option<&'a str>,
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
    division: StringChunkedBuilder,
    phone: StringChunkedBuilder,
    warning: StringChunkedBuilder,
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
            division: strings(columns::DIVISION),
            phone: strings(columns::PHONE),
            warning: strings(columns::WARNING),
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
        self.division.append_option(cells.division.and_then(text));
        let cell = cells.phone.and_then(text);
        let phone = cell.and_then(phone::e164);
        self.warning.append_option((cell.is_some() && phone.is_none()).then_some(PHONE_NOT_E164));
        self.phone.append_option(phone);
    }

    fn finish(self, has_names: bool) -> Result<Roster> {
        let n_rows = u32::try_from(self.line.len()).ok().filter(|n| *n < u32::MAX);
        let n_rows = n_rows.ok_or_else(|| Error::new(Kind::File, "the roster has more than 4,294,967,294 rows"))?;
        let address = [self.key, self.reason, self.rules, self.email];
        let fields = [self.name, self.department, self.title, self.division, self.phone, self.warning];
        let mut all = vec![
            Column::new(columns::ROW.into(), (1..=n_rows).collect::<Vec<u32>>()),
            Column::new(columns::LINE.into(), self.line),
        ];
        all.extend(address.into_iter().chain(fields).map(|b| b.finish().into_series().into_column()));
        Ok(Roster { frame: DataFrame::new(n_rows as usize, all)?, has_names })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::roster::{map, read};

    /// Some columns of the checked frame, a null as `-`.
    fn checked(text: &str, wanted: &[&str]) -> Vec<String> {
        let records = read("hr.csv", text.as_bytes().to_vec(), None).unwrap();
        let roster = check(&records, &map(&records, &[]).unwrap()).unwrap();
        let cells = |at: usize| {
            let cell =
                |name: &&str| roster.frame.column(name).unwrap().str().unwrap().get(at).unwrap_or("-").to_owned();
            wanted.iter().map(cell).collect::<Vec<_>>().join("|")
        };
        (0..roster.n_rows()).map(cells).collect()
    }

    #[test]
    fn a_phone_is_kept_in_e164_or_left_out_with_a_warning() {
        let text = "Email,Work Phone\na@example.com,+49 (0)30 1234567\nb@example.com,030 1234567\nc@example.com, \n";
        let expected = ["+49301234567|-", "-|phone.not_e164", "-|-"];
        assert_eq!(checked(text, &[columns::PHONE, columns::WARNING]), expected);
    }

    #[test]
    fn an_example_row_of_a_template_is_invalid_by_its_own_code() {
        let header = "version:v1.0\nName [displayName] Required,User name [userPrincipalName] Required\n";
        let rows = "Example: Chris Green,Example: chris@contoso.com\nChris,Chris@contoso.com\nexample: Ada,ada@example.com\nAda,ada@example.com\n";
        let reasons = checked(&format!("{header}{rows}"), &[columns::REASON]);
        assert_eq!(reasons, ["row.example", "row.example", "row.example", "-"]);
        let plain = checked(
            "Name,Email\nExample: Ada,ada@example.com\nC,chris@contoso.com\nD,Example: d@example.com\n",
            &[columns::REASON],
        );
        assert_eq!(plain, ["-", "-", "row.example"]);
    }

    #[test]
    fn marks_behind_a_workers_name_are_no_part_of_it_and_elsewhere_they_are() {
        let workday =
            "Email - Primary Work,Worker\na@example.com,Ada Lovelace [C] (On Leave)\nb@example.com,Bob (Bobby) Day\n";
        assert_eq!(checked(workday, &[columns::NAME]), ["Ada Lovelace", "Bob (Bobby) Day"]);
        assert_eq!(checked("Email,Name\na@example.com,Ada [C]\n", &[columns::NAME]), ["Ada [C]"]);
    }

    #[test]
    fn a_row_without_first_and_last_name_is_called_by_its_display_name() {
        let text = "Email,First Name,Last Name,Display Name,Department\na@example.com,Ada,,Countess,x\n\
                    b@example.com, ,,Bob Day,\nc@example.com,,,,\n";
        assert_eq!(checked(text, &[columns::NAME, columns::DEPARTMENT]), ["Ada|x", "Bob Day|-", "-|-"]);
    }

    #[test]
    fn a_frame_may_bring_division_and_phone() {
        let column = |name: &str, cell: &str| Column::new(name.into(), [cell]);
        let columns =
            vec![column("email", "a@example.com"), column("division", " Home "), column("phone", "+4930 1234567")];
        let roster = from_frame(&DataFrame::new(1, columns).unwrap()).unwrap();
        let cell = |name: &str| roster.frame.column(name).unwrap().str().unwrap().get(0).map(str::to_owned);
        assert_eq!((cell("division"), cell("phone")), (Some("Home".into()), Some("+49301234567".into())));
    }
}
