//! Which column is what.
//!
//! HR exports name their columns as they like, and several of them hold an address that is not the person's at work.
//! So candidates have ranks; the best rank wins, two of it are a question to the user, and an address of somebody's
//! private life or of their manager is never taken by itself.

mod families;
mod header;
mod kin;
mod languages;
mod names;
mod positions;
#[cfg(test)]
pub(crate) mod samples;
mod typed;

use serde::Serialize;

use families::{DIVISION, DIVISION_OURS, WORKER};
use header::{Header, squash};
use languages::{words_of, words_spoken};

pub use families::Family;
pub use kin::kin;
pub use names::name_candidates;
pub use positions::map_headerless;
pub use typed::joined;

use crate::error::{Error, Kind, Result};
use crate::roster::sheet::{Sheet, headless};

/// Which columns of a file hold what, by position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The e-mail column.
    pub email: usize,
    /// The name column, or first and last name to be joined by a blank; empty if there is none.
    pub name: Vec<usize>,
    /// A whole name for rows in which first and last name are both empty.
    pub name_else: Option<usize>,
    /// The department column.
    pub department: Option<usize>,
    /// The job title column.
    pub title: Option<usize>,
    /// The division column.
    pub division: Option<usize>,
    /// The work phone column.
    pub phone: Option<usize>,
    /// The employee id column: it is never sent, rows and users are told apart by it.
    pub employee_id: Option<usize>,
    /// Whose template or export this is, if it is a known one.
    pub family: Option<Family>,
    /// Whether the name column is Workday's, which carries marks behind the name.
    pub is_worker: bool,
}

/// A mapping in header names, as it is printed and kept in the manifest.
#[derive(Clone, Debug, Serialize, serde::Deserialize, PartialEq, Eq)]
pub struct Named {
    /// Header of the e-mail column.
    pub email: String,
    /// Headers of the name columns.
    pub name: Vec<String>,
    /// Header of the column that stands in where those are all empty.
    #[serde(default)]
    pub name_else: Option<String>,
    /// Header of the department column.
    pub department: Option<String>,
    /// Header of the job title column.
    pub title: Option<String>,
    /// Header of the division column.
    #[serde(default)]
    pub division: Option<String>,
    /// Header of the work phone column.
    #[serde(default)]
    pub phone: Option<String>,
    /// Header of the employee id column.
    #[serde(default)]
    pub employee_id: Option<String>,
}

/// What the user asked for: `--map FIELD=COLUMN[+COLUMN]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `email`, `name`, `department`, `title`, `division`, `phone` or `employee-id`.
    pub field: String,
    /// Header text, or several joined by `+`; numbers from 1 for a file without a header; empty for no column.
    pub column: String,
}

impl Wanted {
    /// Whether the field is to stay without a column. The key cannot.
    fn is_for_none(&self) -> bool {
        self.field != "email" && self.column.trim().is_empty()
    }
}

/// The fields that a column can be mapped to.
pub const FIELDS: [&str; 7] = ["email", "name", "department", "title", "division", "phone", "employee-id"];

impl Mapping {
    /// All columns that are mapped to what a create sends.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        let some = [self.name_else, self.department, self.title, self.division, self.phone];
        [self.email].into_iter().chain(self.name.iter().copied()).chain(some.into_iter().flatten())
    }

    /// The mapping in header names.
    #[must_use]
    pub fn named(&self, header: &[String]) -> Named {
        let name_of = |at: &usize| header.get(*at).cloned().unwrap_or_default();
        Named {
            email: name_of(&self.email),
            name: self.name.iter().map(name_of).collect(),
            name_else: self.name_else.as_ref().map(name_of),
            department: self.department.as_ref().map(name_of),
            title: self.title.as_ref().map(name_of),
            division: self.division.as_ref().map(name_of),
            phone: self.phone.as_ref().map(name_of),
            employee_id: self.employee_id.as_ref().map(name_of),
        }
    }
}

/// Maps a file's columns: what the user wants first, then known families, then ranks.
///
/// # Errors
/// `File` if there is no e-mail column, or two of the best rank, and as reading any record where what stands in them has to
/// decide; `Usage` if a wanted column or field does not exist.
pub fn map(sheet: &Sheet, wanted: &[Wanted]) -> Result<Mapping> {
    check_fields(wanted)?;
    let headers: Vec<Header> = sheet.header.iter().map(|h| Header::of(h)).collect();
    let family = families::family(&headers);
    let chosen = |field: &str| -> Result<Option<Vec<usize>>> {
        let hit = wanted.iter().rev().find(|w| w.field == field);
        hit.map(|w| if w.is_for_none() { Ok(Vec::new()) } else { find_wanted(sheet, w) }).transpose()
    };
    let one = |field: &str, otherwise: Option<usize>| -> Result<Option<usize>> {
        match chosen(field)? {
            Some(columns) if columns.is_empty() => Ok(None),
            Some(columns) => single(field, &columns).map(Some),
            None => Ok(otherwise),
        }
    };
    let email = match chosen("email")? {
        Some(columns) => single("email", &columns)?,
        None => find_email(sheet, &headers, family.map(|(_, key)| key))?,
    };
    let family = family.map(|(family, _)| family);
    let (name, name_else) = match chosen("name")? {
        Some(columns) => (columns, None),
        None => names::find(sheet, &headers, family, email)?,
    };
    let is_worker = matches!(name[..], [one] if headers[one].is(WORKER));
    // Elsewhere a division is a part of the company, not a division of the organisation.
    let ours = squash(DIVISION_OURS);
    let division = if family == Some(Family::Genesys) { DIVISION } else { &ours };
    let departments = words_spoken(&headers, |l| l.department).chain(words_of(|l| l.cost_centre));
    Ok(Mapping {
        email,
        name,
        name_else,
        department: one("department", first_of(&headers, departments))?,
        title: one("title", first_of(&headers, words_spoken(&headers, |l| l.title)))?,
        division: one("division", first_of(&headers, [division]))?,
        phone: one("phone", find_phone(&headers))?,
        employee_id: one("employee-id", find_employee_id(&sheet.header).filter(|at| *at != email))?,
        family,
        is_worker,
    })
}

fn check_fields(wanted: &[Wanted]) -> Result<()> {
    let Some(unknown) = wanted.iter().find(|w| !FIELDS.contains(&w.field.as_str())) else { return Ok(()) };
    let what = format!("--map does not know the field \"{}\"", unknown.field);
    Err(Error::new(Kind::Usage, what).hint(format!("fields are {}", FIELDS.join(", "))))
}

fn single(field: &str, columns: &[usize]) -> Result<usize> {
    match columns {
        [one] => Ok(*one),
        _ => Err(Error::new(Kind::Usage, format!("--map {field}= takes one column; only name can join several"))
            .hint(format!("name one column with --map {field}="))),
    }
}

/// The columns of a file that may be called by one of `words` (squashed), in the order of the words.
#[must_use]
pub fn columns_called(sheet: &Sheet, words: &[&str]) -> Vec<usize> {
    let headers: Vec<Header> = sheet.header.iter().map(|h| Header::of(h)).collect();
    let called = |word: &&str| (0..headers.len()).filter(|at| headers[*at].is_own(word)).collect::<Vec<_>>();
    words.iter().flat_map(called).collect()
}

/// The same, but for those that only a property in brackets calls so.
#[must_use]
pub fn columns_plainly_called(sheet: &Sheet, words: &[&str]) -> Vec<usize> {
    let mut columns = columns_called(sheet, words);
    columns.retain(|at| words.iter().any(|word| Header::of(&sheet.header[*at]).is_plainly(word)));
    columns
}

/// The first column of the person's own that is called by the first such word.
fn first_of<'w>(headers: &[Header], words: impl IntoIterator<Item = &'w str>) -> Option<usize> {
    words.into_iter().find_map(|word| headers.iter().position(|h| h.is_own(word)))
}

/// The words of one field of a language.
fn words_in(words: &'static str) -> impl Iterator<Item = &'static str> {
    words.split_ascii_whitespace()
}

/// The phone column: one that says that it is the one at work, before one that does not.
fn find_phone(headers: &[Header]) -> Option<usize> {
    let phones = || words_of(|language| language.phone);
    let at_work = || headers.iter().position(|header| phones().any(|word| header.is_at_work(word)));
    first_of(headers, words_of(|language| language.phone_work)).or_else(at_work).or_else(|| first_of(headers, phones()))
}

/// The employee id column: by the first word that any column is called by, and none if two are. `Employee #` is a number.
fn find_employee_id(header: &[String]) -> Option<usize> {
    let headers: Vec<Header> = header.iter().map(|text| Header::of(&text.replace('#', " number"))).collect();
    let called = |word: &str| (0..headers.len()).filter(|at| headers[*at].is_plainly(word)).collect::<Vec<_>>();
    match words_of(|language| language.employee_id).map(called).find(|found| !found.is_empty())?[..] {
        [one] => Some(one),
        _ => None,
    }
}

fn find_email(sheet: &Sheet, headers: &[Header], family_key: Option<&str>) -> Result<usize> {
    match best_emails(sheet, headers, family_key)?[..] {
        [one] => Ok(one),
        [] => Err(no_email(sheet, headers)),
        ref best => Err(two_emails(sheet, best)),
    }
}

/// The columns of a file with a header that may be the key, equally well: none, one, or several, which is a question.
///
/// # Errors
/// As reading any of its records.
pub fn key_candidates(sheet: &Sheet) -> Result<Vec<usize>> {
    let headers: Vec<Header> = sheet.header.iter().map(|h| Header::of(h)).collect();
    best_emails(sheet, &headers, families::family(&headers).map(|(_, key)| key))
}

fn best_emails(sheet: &Sheet, headers: &[Header], family_key: Option<&str>) -> Result<Vec<usize>> {
    let ranked = |words: &[&str]| -> Vec<usize> {
        let is_hit = |at: &usize| words.iter().any(|word| headers[*at].is_key(word));
        (0..headers.len()).filter(is_hit).collect()
    };
    let mut best = family_key.map_or_else(Vec::new, |key| ranked(&[key]));
    if best.is_empty() {
        best = ranked(&words_of(|language| language.email).collect::<Vec<_>>());
    }
    if best.is_empty() {
        best = ranked(&words_of(|language| language.login).collect::<Vec<_>>());
        let mut has_at = every_value_has_at(sheet, &best)?.into_iter();
        best.retain(|_| has_at.next() == Some(true));
    }
    Ok(best)
}

fn every_value_has_at(sheet: &Sheet, columns: &[usize]) -> Result<Vec<bool>> {
    let is_other = |cell: &str| !cell.is_empty() && !cell.contains('@');
    Ok(sheet.count(columns, is_other)?.into_iter().map(|n| n == 0).collect())
}

fn quoted_list(names: impl Iterator<Item = String>) -> String {
    names.map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
}

fn no_email(sheet: &Sheet, headers: &[Header]) -> Error {
    if let Some(error) = headless(&sheet.origin, &sheet.header) {
        return error;
    }
    let columns = quoted_list(sheet.header.iter().cloned());
    let what = format!("{} has no e-mail column; its columns are {columns}", sheet.origin);
    let error = Error::new(Kind::File, what);
    let private = headers.iter().position(|h| h.is_about_mail() && h.is_strange());
    error.hint(match private {
        Some(at) => format!(
            "a private, former or somebody else's address is never taken by itself; if it is the key, say --map email=\"{}\"",
            sheet.header[at]
        ),
        None => "name it with --map email=\"COLUMN\", or say --no-header if the first line is none".to_owned(),
    })
}

fn two_emails(sheet: &Sheet, best: &[usize]) -> Error {
    let names = quoted_list(best.iter().map(|at| sheet.header[*at].clone()));
    Error::new(Kind::File, format!("{}: which of {names} is the key?", sheet.origin))
        .hint(format!("say so with --map email=\"{}\"", sheet.header[best[0]]))
}

fn find_wanted(sheet: &Sheet, wanted: &Wanted) -> Result<Vec<usize>> {
    let find = |text: &str| {
        if text.is_empty() {
            return None;
        }
        let exact = sheet.header.iter().position(|h| h == text);
        exact.or_else(|| sheet.header.iter().position(|h| h.to_lowercase() == text.to_lowercase()))
    };
    // A header may itself hold quotes or a plus sign: the whole text is tried first.
    let whole = find(wanted.column.trim()).or_else(|| find(typed::bare(&wanted.column))).map(|at| vec![at]);
    let found = whole.or_else(|| typed::parts(&wanted.column).iter().map(|part| find(part)).collect());
    found.ok_or_else(|| {
        let numbers =
            if wanted.column.starts_with(|c: char| c.is_ascii_digit()) { "; numbers need --no-header" } else { "" };
        let what = format!("--map {}=\"{}\": {} has no such column", wanted.field, wanted.column, sheet.origin);
        // What stands in a first line that is no header is nobody's to read in a log: not the address, nor what is beside.
        let is_somebody = headless(&sheet.origin, &sheet.header).is_some();
        Error::new(Kind::Usage, what).hint(if is_somebody {
            "its first line holds an address, so it is no header: read it with --no-header".to_owned()
        } else {
            format!("its columns are {}{numbers}", quoted_list(sheet.header.iter().cloned()))
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::roster::{Opening, open_bytes};

    fn mapped(text: &str) -> Result<Named> {
        let sheet = open_bytes("hr.csv", text.as_bytes().to_vec(), Opening::default()).unwrap();
        map(&sheet, &[]).map(|m| m.named(&sheet.header))
    }

    #[test]
    fn the_genesys_template_and_okta_map_without_a_flag() {
        let genesys = mapped("name,email,phone_work,extension,title,department,email_manager,location_work\n").unwrap();
        assert_eq!((genesys.email.as_str(), genesys.title.as_deref()), ("email", Some("title")));
        assert_eq!(genesys.name, ["name"]);
        let okta = mapped("login,firstName,lastName,email,title,displayName,secondEmail,department\n").unwrap();
        assert_eq!(okta.email, "email");
        assert_eq!(okta.name, ["firstName", "lastName"]);
    }

    #[test]
    fn somebody_elses_or_a_private_address_is_never_the_key() {
        let hr = mapped("Personal Email,Manager Email,Work Email,First Name,Last Name\n").unwrap();
        assert_eq!(hr.email, "Work Email");
        let error = mapped("Home Email,Recovery Email,Alternate email address\n").unwrap_err();
        assert!(error.to_string().contains("no e-mail column"), "{error}");
    }

    #[test]
    fn a_login_column_is_the_key_only_if_every_value_is_an_address() {
        assert_eq!(mapped("User Name,Display Name\na@example.com,A\n").unwrap().email, "User Name");
        assert!(mapped("User Name,Display Name\na@example.com,A\nbob,B\n").is_err());
    }

    #[test]
    fn two_candidates_of_one_rank_are_a_question() {
        let error = mapped("Email,Work Email,Name\n").unwrap_err();
        assert_eq!(error.to_string(), "hr.csv: which of \"Email\", \"Work Email\" is the key?");
        assert_eq!(error.kind(), Kind::File);
    }

    #[test]
    fn what_the_user_wants_comes_first() {
        let sheet = open_bytes("hr.csv", b"Email,Work Email,A+B,First,Last\n".to_vec(), Opening::default()).unwrap();
        let want = |field: &str, column: &str| Wanted { field: field.into(), column: column.into() };
        let mapping = map(&sheet, &[want("email", "work email"), want("name", "\"First\"+\"Last\"")]).unwrap();
        assert_eq!((mapping.email, mapping.name), (1, vec![3, 4]));
        assert_eq!(map(&sheet, &[want("email", "email"), want("title", "A+B")]).unwrap().title, Some(2));
        assert_eq!(map(&sheet, &[want("email", "nope")]).unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn every_family_maps_without_a_flag() {
        for (header, family, expected) in super::samples::SAMPLES {
            let sheet = open_bytes("hr.csv", format!("{header}\n").into_bytes(), Opening::default()).unwrap();
            let mapping = map(&sheet, &[]).unwrap();
            let named = mapping.named(&sheet.header);
            let text = |cell: Option<String>| cell.unwrap_or_default();
            let found = [
                named.email,
                named.name.join("+"),
                text(named.department),
                text(named.title),
                text(named.phone),
                text(named.division),
            ];
            assert_eq!((mapping.family, found.join("|")), (Some(family), expected.to_owned()));
        }
    }

    #[test]
    fn a_private_address_alone_is_a_question_that_names_it() {
        for column in ["Home Email", "Best Email", "Manager E-mail", "New Primary Email [UPLOAD ONLY]", "secondEmail"] {
            let error = mapped(&format!("Name,{column}\nAda,ada@example.com\n")).unwrap_err();
            assert!(error.hint_text().unwrap().ends_with(&format!("--map email=\"{column}\"")), "{error:?}");
        }
    }

    #[test]
    fn an_hr_division_and_a_private_phone_are_mapped_only_on_demand() {
        let named = mapped("Email,Name,Division,Mobile Phone,Home Phone,Recovery Phone\n").unwrap();
        assert_eq!((named.division, named.phone), (None, None));
        let sheet = open_bytes("hr.csv", b"Email,Division,Mobile Phone\n".to_vec(), Opening::default()).unwrap();
        let want = |field: &str, column: &str| Wanted { field: field.into(), column: column.into() };
        let mapping = map(&sheet, &[want("division", "division"), want("phone", "Mobile Phone")]).unwrap();
        assert_eq!((mapping.division, mapping.phone), (Some(1), Some(2)));
    }

    #[test]
    fn legal_names_are_joined_and_a_cost_centre_is_the_last_resort() {
        let named =
            mapped("Email - Primary Work,Legal Name - Last Name,Legal Name - First Name,Worker,Cost Center\n").unwrap();
        assert_eq!(named.name, ["Legal Name - First Name", "Legal Name - Last Name"]);
        assert_eq!(named.department.as_deref(), Some("Cost Center"));
    }

    #[test]
    fn a_property_in_brackets_makes_no_strangers_column_the_key_or_the_name() {
        for column in
            ["Sponsor [mail]", "Approver [mail]", "Line-Mgr [email]", "Privat [mail]", "Chef [userPrincipalName]"]
        {
            let error = mapped(&format!("Name,{column}\nAda,boss@example.com\n")).unwrap_err();
            assert!(error.to_string().contains("no e-mail column"), "{column}: {error}");
            assert_eq!(mapped(&format!("{column},E-Mail [mail]\n")).unwrap().email, "E-Mail [mail]");
        }
        let named = mapped("Email,Manager [displayName],Manager's Job Title [jobTitle],Second Dept. [department]\n");
        let named = named.unwrap();
        assert_eq!((named.name.len(), named.title, named.department), (0, None, None));
        let sheet = open_bytes("hr.csv", b"Email,Manager [displayName]\n".to_vec(), Opening::default()).unwrap();
        let wanted = Wanted { field: "name".into(), column: "Manager [displayName]".into() };
        assert_eq!(map(&sheet, &[wanted]).unwrap().name, [1]);
    }

    #[test]
    fn an_empty_column_leaves_a_field_out_but_never_the_key() {
        let sheet = open_bytes("hr.csv", b"Email,Name,Title,Department,Phone\n".to_vec(), Opening::default()).unwrap();
        let none = |field: &str| Wanted { field: field.into(), column: String::new() };
        let wanted = ["name", "title", "department", "phone", "division"].map(none);
        let mapping = map(&sheet, &wanted).unwrap();
        assert_eq!((mapping.name.len(), mapping.title, mapping.department, mapping.phone), (0, None, None, None));
        assert_eq!(map(&sheet, &[none("email")]).unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn the_hint_for_a_wrong_column_tells_nobody_of_a_first_line() {
        let sheet = open_bytes("hr.csv", b"Ada Lovelace,ada@example.com\n".to_vec(), Opening::default()).unwrap();
        let wanted = Wanted { field: "email".into(), column: "Mail".into() };
        let told = format!("{:?}", map(&sheet, &[wanted]).unwrap_err());
        assert!(told.contains("--no-header") && !told.contains("Ada") && !told.contains("example.com"), "{told}");
    }

    #[test]
    fn a_display_name_stands_by_for_rows_without_first_and_last_name() {
        let named = mapped("Email,First,First Name,Last Name,Display Name,Preferred Name\n").unwrap();
        assert_eq!((named.name.len(), named.name_else.as_deref()), (2, Some("Display Name")));
        assert_eq!(mapped("Email,Name,Display Name\n").unwrap().name_else, None);
    }

    #[test]
    fn a_manifest_of_an_earlier_version_names_no_phone() {
        let old = r#"{"email":"Email","name":["Name"],"department":null,"title":null}"#;
        let named: Named = serde_json::from_str(old).unwrap();
        assert_eq!((named.division, named.phone, named.name_else, named.employee_id), (None, None, None, None));
    }
}
