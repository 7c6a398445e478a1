//! Which column is what.
//!
//! HR exports name their columns as they like, and several of them hold an address that is not the person's at work.
//! So candidates have ranks; the best rank wins, two of it are a question to the user, and an address of somebody's
//! private life or of their manager is never taken by itself.

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::roster::Records;

/// Which columns of a file hold what, by position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The e-mail column.
    pub email: usize,
    /// The name column, or first and last name to be joined by a blank; empty if there is none.
    pub name: Vec<usize>,
    /// The department column.
    pub department: Option<usize>,
    /// The job title column.
    pub title: Option<usize>,
}

/// A mapping in header names, as it is printed and kept in the manifest.
#[derive(Clone, Debug, Serialize, serde::Deserialize, PartialEq, Eq)]
pub struct Named {
    /// Header of the e-mail column.
    pub email: String,
    /// Headers of the name columns.
    pub name: Vec<String>,
    /// Header of the department column.
    pub department: Option<String>,
    /// Header of the job title column.
    pub title: Option<String>,
}

/// What the user asked for: `--map FIELD=COLUMN[+COLUMN]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `email`, `name`, `department` or `title`.
    pub field: String,
    /// Header text, or several joined by `+`.
    pub column: String,
}

/// Words of a header that say: this address is not the key.
const NEVER: [&str; 16] = [
    "personal",
    "home",
    "private",
    "alternate",
    "alternative",
    "secondary",
    "second",
    "recovery",
    "backup",
    "other",
    "manager",
    "supervisor",
    "reports",
    "assistant",
    "previous",
    "old",
];
const EMAIL: [&str; 11] = [
    "email",
    "emailaddress",
    "workemail",
    "workemailaddress",
    "mail",
    "primaryemail",
    "primaryemailaddress",
    "businessemail",
    "companyemail",
    "workcontactworkemail",
    "emailprimarywork",
];
const LOGIN: [&str; 5] = ["username", "login", "loginname", "userprincipalname", "upn"];
const NAME: [&str; 6] = ["name", "fullname", "displayname", "employeename", "legalname", "worker"];
const FIRST: [&str; 5] = ["firstname", "givenname", "preferredfirstname", "legalfirstname", "forename"];
const LAST: [&str; 5] = ["lastname", "surname", "familyname", "legallastname", "preferredlastname"];
const DEPARTMENT: [&str; 4] = ["department", "dept", "departmentname", "homedepartmentdescription"];
const TITLE: [&str; 6] = ["jobtitle", "title", "jobtitledescription", "businesstitle", "employeetitle", "position"];

/// Families whose signature decides the key before any rank: all these columns present → the first is the key.
const FAMILIES: [(&str, &[&str]); 2] = [
    ("Genesys Cloud import template", &["email", "name", "emailmanager"]),
    ("Okta", &["email", "login", "firstname", "lastname"]),
];

impl Mapping {
    /// The mapping in header names.
    #[must_use]
    pub fn named(&self, header: &[String]) -> Named {
        let name_of = |at: &usize| header.get(*at).cloned().unwrap_or_default();
        Named {
            email: name_of(&self.email),
            name: self.name.iter().map(name_of).collect(),
            department: self.department.as_ref().map(name_of),
            title: self.title.as_ref().map(name_of),
        }
    }
}

/// Maps a file's columns: what the user wants first, then known families, then ranks.
///
/// # Errors
/// `File` if there is no e-mail column, or two of the best rank; `Usage` if a wanted column or field does not exist.
pub fn map(records: &Records, wanted: &[Wanted]) -> Result<Mapping> {
    let squashed: Vec<String> = records.header.iter().map(|h| squash(h)).collect();
    let chosen = |field: &str| -> Result<Option<Vec<usize>>> {
        let hit = wanted.iter().rev().find(|w| w.field == field);
        hit.map(|w| find_wanted(records, w)).transpose()
    };
    if let Some(unknown) = wanted.iter().find(|w| !["email", "name", "department", "title"].contains(&w.field.as_str()))
    {
        let what = format!("--map does not know the field \"{}\"", unknown.field);
        return Err(Error::new(Kind::Usage, what).hint("fields are email, name, department and title"));
    }
    let one = |field: &str, list: &[&str]| -> Result<Option<usize>> {
        Ok(match chosen(field)? {
            Some(columns) => Some(single(field, &columns)?),
            None => first_of(&squashed, list),
        })
    };
    let email = match chosen("email")? {
        Some(columns) => single("email", &columns)?,
        None => find_email(records, &squashed)?,
    };
    let name = match chosen("name")? {
        Some(columns) => columns,
        None => find_name(&squashed),
    };
    Ok(Mapping { email, name, department: one("department", &DEPARTMENT)?, title: one("title", &TITLE)? })
}

fn single(field: &str, columns: &[usize]) -> Result<usize> {
    match columns {
        [one] => Ok(*one),
        _ => Err(Error::new(Kind::Usage, format!("--map {field}= takes one column; only name can join several"))),
    }
}

/// Lower case, letters and digits only, bracketed notes and "required" dropped: `Email Address [Required]` and
/// `emailAddress` are one.
fn squash(header: &str) -> String {
    let bare = header.split('[').next().unwrap_or_default().trim().to_lowercase();
    let bare = bare.strip_suffix("required").unwrap_or(&bare);
    bare.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn first_of(squashed: &[String], list: &[&str]) -> Option<usize> {
    list.iter().find_map(|word| squashed.iter().position(|h| h == word))
}

fn find_name(squashed: &[String]) -> Vec<usize> {
    if let Some(whole) = first_of(squashed, &NAME[..1]) {
        return vec![whole];
    }
    match (first_of(squashed, &FIRST), first_of(squashed, &LAST)) {
        (Some(first), Some(last)) => vec![first, last],
        _ => first_of(squashed, &NAME).into_iter().collect(),
    }
}

fn find_email(records: &Records, squashed: &[String]) -> Result<usize> {
    let has = |word: &&str| squashed.iter().any(|h| h == word);
    let family = FAMILIES.iter().find(|(_, signature)| signature.iter().all(&has));
    if let Some(at) = family.and_then(|(_, signature)| first_of(squashed, &signature[..1])) {
        return Ok(at);
    }
    let allowed = |header: &str| !NEVER.iter().any(|word| header.to_lowercase().contains(word));
    let ranked = |list: &[&str]| -> Vec<usize> {
        let hits =
            squashed.iter().enumerate().filter(|(at, h)| list.contains(&h.as_str()) && allowed(&records.header[*at]));
        hits.map(|(at, _)| at).collect()
    };
    let mut best = ranked(&EMAIL);
    if best.is_empty() {
        best = ranked(&LOGIN);
        best.retain(|at| every_value_has_at(records, *at));
    }
    match best[..] {
        [one] => Ok(one),
        [] => Err(no_email(records)),
        _ => Err(two_emails(records, &best)),
    }
}

fn every_value_has_at(records: &Records, column: usize) -> bool {
    let mut fields = Vec::new();
    let sound = records.records.iter().filter(|r| r.fault.is_none());
    sound.map(|r| records.cells(r, &[column], &mut fields)).all(|cells| cells[0].is_empty() || cells[0].contains('@'))
}

fn quoted_list(names: impl Iterator<Item = String>) -> String {
    names.map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
}

fn no_email(records: &Records) -> Error {
    let columns = quoted_list(records.header.iter().cloned());
    Error::new(Kind::File, format!("{} has no e-mail column; its columns are {columns}", records.origin))
        .hint("name it with --map email=\"COLUMN\"")
}

fn two_emails(records: &Records, best: &[usize]) -> Error {
    let names = quoted_list(best.iter().map(|at| records.header[*at].clone()));
    Error::new(Kind::File, format!("{}: which of {names} is the key?", records.origin))
        .hint(format!("say so with --map email=\"{}\"", records.header[best[0]]))
}

fn find_wanted(records: &Records, wanted: &Wanted) -> Result<Vec<usize>> {
    let find = |text: &str| {
        let text = text.trim().trim_matches('"');
        if text.is_empty() {
            return None;
        }
        let exact = records.header.iter().position(|h| h == text);
        exact.or_else(|| records.header.iter().position(|h| h.to_lowercase() == text.to_lowercase()))
    };
    // A header may itself hold a plus sign: the whole text is tried first.
    let whole = find(&wanted.column).map(|at| vec![at]);
    let found = whole.or_else(|| wanted.column.split('+').map(find).collect());
    found.ok_or_else(|| {
        let columns = quoted_list(records.header.iter().cloned());
        let what = format!("--map {}=\"{}\": {} has no such column", wanted.field, wanted.column, records.origin);
        Error::new(Kind::Usage, what).hint(format!("its columns are {columns}"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::roster::read;

    fn mapped(text: &str) -> Result<Named> {
        let records = read("hr.csv", text.as_bytes().to_vec(), None).unwrap();
        map(&records, &[]).map(|m| m.named(&records.header))
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
        let records = read("hr.csv", b"Email,Work Email,A+B,First,Last\n".to_vec(), None).unwrap();
        let want = |field: &str, column: &str| Wanted { field: field.into(), column: column.into() };
        let mapping = map(&records, &[want("email", "work email"), want("name", "\"First\"+\"Last\"")]).unwrap();
        assert_eq!((mapping.email, mapping.name), (1, vec![3, 4]));
        assert_eq!(map(&records, &[want("email", "email"), want("title", "A+B")]).unwrap().title, Some(2));
        assert_eq!(map(&records, &[want("email", "nope")]).unwrap_err().kind(), Kind::Usage);
    }
}
