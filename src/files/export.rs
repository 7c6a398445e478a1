//! Files that others made: a roster, and an export of an organisation. Any CSV, parquet or spreadsheet with an e-mail
//! column is one.
//!
//! An export proves nothing, but it can be compared with.

use std::path::Path;

use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::table::{Picks, Source};
use crate::files::{self, foreign, parquet};
use crate::lanes::Effort;
use crate::person::{self, State};
use crate::roster::{self, Gather, Headline, Mapping, Named, Opening, Raw, RecordFault, Roster, Sheet, Wanted};
use crate::snapshot::{Cell, Observed, Snapshot};

/// Headers of an export, squashed to letters, by what they hold.
const HEADERS: [(&str, &[&str]); 5] = [
    (columns::ID, &["id", "userid", "guid"]),
    (columns::NAME, &["name", "fullname", "displayname"]),
    (columns::USERNAME, &["username", "login", "userprincipalname"]),
    (columns::DEPARTMENT, &["department"]),
    (columns::TITLE, &["title", "jobtitle"]),
];
/// Headers of further addresses, squashed to letters. Each such column counts.
const CONTACTS: [&str; 19] = [
    "contacts",
    "otheremails",
    "otheremail",
    "othermails",
    "alternateemails",
    "alternateemail",
    "alternateemailaddress",
    "alternateemailaddresses",
    "alternativeemail",
    "secondaryemails",
    "secondaryemail",
    "secondaryemailaddress",
    "homesecondaryemail",
    "worksecondaryemail",
    "secondemail",
    "aliases",
    "emailaliases",
    "emailaddresses",
    "proxyaddresses",
];
/// What Exchange writes before an address, in capitals where it is the first of them.
const SMTP: &str = "smtp:";
/// Headers of a state. The word means a part of a country, too.
const STATES: [&str; 2] = ["state", "status"];

/// Reads a snapshot: our own parquet, whatever it is called, or an export; and what to tell of how that was read. Without
/// its cells nothing can be told of a user but the state.
///
/// # Errors
/// `File` or `Damaged`, naming the path.
pub fn read_snapshot(path: &Path, keeps_cells: bool, effort: Effort) -> Result<(Snapshot, Vec<String>)> {
    if let Some(ours) = read_ours(path, keeps_cells, effort)? {
        return Ok((ours, Vec::new()));
    }
    let opening = Opening { effort, ..Opening::default() };
    Source::open(path)?.read(opening, &Picks::default(), |sheet| from_sheet(sheet, keeps_cells))
}

/// Reads a snapshot if it is our own parquet, whatever it is called.
pub(super) fn read_ours(path: &Path, keeps_cells: bool, effort: Effort) -> Result<Option<Snapshot>> {
    if path.is_file() && (files::has_extension(path, &["parquet"]) || begins_as_parquet(path)) {
        return parquet::read_snapshot(path, keeps_cells, effort);
    }
    Ok(None)
}

fn begins_as_parquet(path: &Path) -> bool {
    use std::io::Read;
    let mut first = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && foreign::is_parquet(&first)
}

/// A snapshot from an export.
///
/// # Errors
/// `File` if there is not exactly one e-mail column, or a record cannot be read.
pub fn from_sheet(sheet: &Sheet, keeps_cells: bool) -> Result<Snapshot> {
    let email = roster::map(sheet, &[]).map_err(|e| {
        Error::new(e.kind(), e.to_string())
            .hint("an export is mapped by its names alone: it needs exactly one e-mail column")
    })?;
    let first = |words: &[&str]| roster::columns_called(sheet, words).first().copied();
    let mut contacts = roster::columns_plainly_called(sheet, &CONTACTS);
    contacts.retain(|at| *at != email.email);
    let columns = Columns {
        email: email.email,
        others: HEADERS.map(|(_, words)| first(words)),
        employee_id: email.employee_id,
        contacts,
        state: state_column(sheet)?,
    };
    let (n_chunk, n_all) = sheet.n_expected();
    let new = || Export {
        columns: &columns,
        keeps_cells,
        users: Observed::new(keeps_cells, n_chunk),
        unsound: None,
        widths: sheet.widths(),
    };
    let mut parts = Vec::new();
    sheet.scan(new, |part, line| {
        if let Some((ahead, fault)) = part.unsound {
            return Err(unsound(sheet, line.saturating_add(ahead), fault));
        }
        parts.push(part.users);
        Ok(())
    })?;
    let mut snapshot = Snapshot::from_observed(parts, n_all)?;
    let held = HEADERS.iter().zip(columns.others).filter(|(_, column)| column.is_some());
    let held: Vec<&str> = held.map(|((name, _), _)| *name).collect();
    snapshot.lacks = COMPARED.into_iter().filter(|cell| !held.contains(&cell.column())).collect();
    Ok(snapshot)
}

/// What is compared of people who are there.
const COMPARED: [Cell; 3] = [Cell::Name, Cell::Department, Cell::Title];

/// Which columns of an export hold what.
struct Columns {
    email: usize,
    /// In the order of [`HEADERS`].
    others: [Option<usize>; HEADERS.len()],
    employee_id: Option<usize>,
    /// Those of further addresses.
    contacts: Vec<usize>,
    state: Option<usize>,
}

/// The users of one chunk of an export.
struct Export<'c> {
    columns: &'c Columns,
    keeps_cells: bool,
    users: Observed,
    /// The first record that cannot be read.
    unsound: Option<(u32, RecordFault)>,
    widths: [usize; 2],
}

impl Gather for Export<'_> {
    fn push(&mut self, record: &Raw<'_>) {
        if let Some(fault) = record.wrong(self.widths) {
            self.unsound = self.unsound.or(Some((record.line, fault)));
            return;
        }
        let email = record.cell(self.columns.email);
        let [id, name, username, department, title] = self.columns.others;
        let username = username.map(|at| record.cell(at));
        let state = self.columns.state.map(|at| record.cell(at));
        let state = State::from_word(state.as_deref().unwrap_or_default());
        if !self.keeps_cells {
            self.users.push(Some(&email), username.as_deref(), state, [None; Cell::ALL.len()]);
            return;
        }
        let told = [id, name, department, title, self.columns.employee_id];
        let [id, name, department, title, employee_id] = told.map(|at| at.map(|at| record.cell(at)));
        let contacts = self.contacts(record, &email);
        let cells = [
            Some(id.as_deref().unwrap_or_default()),
            name.as_deref(),
            Some(&*email),
            department.as_deref(),
            title.as_deref(),
            employee_id.as_deref().map(str::trim).filter(|id| !id.is_empty()),
            contacts.as_deref(),
        ];
        self.users.push(Some(&email), username.as_deref(), state, cells);
    }
}

impl Export<'_> {
    /// The further addresses of a record, joined by a blank. What is none, such as a number for a telephone, is left out.
    fn contacts(&self, record: &Raw<'_>, email: &str) -> Option<String> {
        let all: Vec<_> = self.columns.contacts.iter().map(|at| record.cell(*at)).collect();
        // Exports of lists put quotes and brackets around them.
        let ends = [' ', '\t', '\n', '\r', ';', ',', '"', '[', ']', '{', '}'];
        let parts = all.iter().flat_map(|cell| cell.split(ends));
        let addresses = parts.map(without_smtp).filter(|part| part.contains('@') && !part.contains(':'));
        let text = person::other_addresses(addresses, Some(email)).join(" ");
        Some(text).filter(|text| !text.is_empty())
    }
}

fn without_smtp(part: &str) -> &str {
    match part.get(..SMTP.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(SMTP) => &part[SMTP.len()..],
        _ => part,
    }
}

/// A holder who cannot be read is a holder all the same: without them a row would be called new.
fn unsound(sheet: &Sheet, line: u32, fault: RecordFault) -> Error {
    let why = match fault {
        RecordFault::Ragged => "has more or fewer cells than the header",
        RecordFault::Nul => "holds a NUL byte",
        RecordFault::StrayQuote => "has a quote where none can stand",
    };
    let what = format!("{}, line {line}: this record {why}", sheet.origin);
    Error::new(Kind::File, what)
        .hint("correct that line or export again: whoever stands there would be missed, and a row of theirs called new")
}

/// The column of states: of several candidates the one that holds most words of a state.
fn state_column(sheet: &Sheet) -> Result<Option<usize>> {
    let candidates = roster::columns_called(sheet, &STATES);
    if candidates.len() < 2 {
        return Ok(candidates.first().copied());
    }
    let is_known = |cell: &str| State::ALL.iter().any(|state| state.as_str().eq_ignore_ascii_case(cell.trim()));
    let n_known = sheet.count(&candidates, is_known)?;
    Ok(candidates.into_iter().zip(n_known).min_by_key(|(_, n)| std::cmp::Reverse(*n)).map(|(at, _)| at))
}

/// A roster that was read.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its rows.
    pub roster: Roster,
    /// Which columns were taken for what.
    pub named: Named,
    /// What to tell of how the file was read.
    pub notes: Vec<String>,
}

/// Reads and checks a roster.
///
/// # Errors
/// `File` or `Usage`, naming the file, and the line where one is to blame.
pub fn read_roster(source: &Source, opening: Opening, picks: &Picks, wanted: &[Wanted]) -> Result<Checked> {
    let ((roster, named), mut notes) = source.read(opening, picks, |sheet| {
        let mut sheet = sheet.clone();
        let mapping: Mapping = match opening.headline {
            Headline::Named => roster::map(&sheet, wanted)?,
            Headline::Missing => roster::map_headerless(&mut sheet, wanted)?,
        };
        let named = mapping.named(&sheet.header);
        Ok((roster::check(sheet, mapping)?, named))
    })?;
    if roster.n_rows() == 0 {
        notes.push(format!("{} has a header and no rows: was the export cut off?", roster.records.sheet.origin));
    }
    Ok(Checked { roster, named, notes })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn snapshot(text: &str) -> Result<Snapshot> {
        from_sheet(&roster::open_bytes("org.csv", text.as_bytes().to_vec(), Opening::default())?, true)
    }

    fn states(text: &str) -> Vec<&'static str> {
        snapshot(text).unwrap().states.into_iter().map(State::as_str).collect()
    }

    #[test]
    fn an_export_with_a_record_that_cannot_be_read_is_refused_with_its_line() {
        for (text, why) in [
            ("email,name\na@example.com,Ada\nb@example.com,Day, Bob\n", "more or fewer cells"),
            ("email,name\n\nb@example.com,Bob \"Bobby\" Day\n", "quote"),
            ("email,name\n\nb@example.com,\0\n", "NUL"),
        ] {
            let error = snapshot(text).unwrap_err();
            assert_eq!(error.kind(), Kind::File);
            let told = error.to_string();
            assert!(told.starts_with("org.csv, line 3: ") && told.contains(why), "{told}");
            assert!(error.hint_text().is_some() && !format!("{error:?}").contains("example.com"), "{error:?}");
        }
    }

    /// Employee id and further addresses of the first user.
    fn told(text: &str) -> [Option<String>; 2] {
        let snapshot = snapshot(text).unwrap();
        [Cell::EmployeeId, Cell::Contacts].map(|cell| snapshot.cell(cell, 0).map(str::to_owned))
    }

    #[test]
    fn an_employee_id_and_further_addresses_are_known_by_their_headers() {
        let text = |text: &str| Some(text.to_owned());
        for header in ["Employee ID", "employeeId", "Employee Number", "Worker ID", "Personnel number", "Staff-ID"] {
            assert_eq!(told(&format!("email,{header}\na@example.com, 0042 \n")), [text("0042"), None], "{header}");
        }
        for header in ["contacts", "Other Emails", "Alternate emails", "Secondary Email", "Aliases", "proxyAddresses"] {
            let cell =
                "SMTP:A@example.com;smtp:b@example.com, c@example.com x500:/o=Example sip:a@example.com B@example.com";
            let found = told(&format!("{header};email\n\"{cell}\";a@example.com\n"));
            assert_eq!(found, [None, text("b@example.com c@example.com")], "{header}");
        }
        let list = r#"email;contacts
a@example.com;"[{""address"":""o'b@example.com""},{""address"":""a@example.com""}]"
"#;
        assert_eq!(told(list), [None, text("o'b@example.com")]);
        // Several columns, and none of them the key or another's.
        let several = "Email Address,Home Secondary Email,Work Secondary Email,Manager Email,Manager's Employee ID,Boss [aliases]\n\
                       a@example.com,h@example.com,w@example.com,m@example.com,7,m@example.com\n";
        assert_eq!(told(several), [None, text("h@example.com w@example.com")]);
        assert_eq!(told("email,Employee ID,contacts\na@example.com,, \n"), [None, None]);
        assert_eq!(snapshot("Aliases,Employee ID\na@example.com,7\n").unwrap_err().kind(), Kind::File);
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
