//! A person is a row that is wanted; a user is an account that was observed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::email;

/// Somebody the roster wants to exist: all that a create sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Row of the roster, 1-based.
    pub row: u32,
    /// Normalised e-mail.
    pub key: String,
    /// Address to send: cleaned, its case kept.
    pub email: String,
    /// Full name.
    pub name: String,
    /// Department, if mapped and not empty.
    pub department: Option<String>,
    /// Job title, if mapped and not empty.
    pub title: Option<String>,
    /// Division, by id or name, if mapped and not empty.
    pub division: Option<String>,
    /// Work phone in E.164, if mapped and usable.
    pub phone: Option<String>,
}

impl Person {
    /// The body of `POST /api/v2/users` (`CreateUser`), as JSON.
    ///
    /// `state` always, since without it the user would be inactive; a password never, since a create whose password
    /// step fails has created somebody all the same. A division that is not resolved yet counts as its id.
    #[must_use]
    pub fn create_body(&self) -> Vec<u8> {
        let phone = |address| Contact { address, media_type: "PHONE", kind: "WORK" };
        let body = CreateUser {
            name: &self.name,
            email: &self.email,
            state: State::Active.as_str(),
            department: self.department.as_deref(),
            title: self.title.as_deref(),
            division_id: self.division.as_deref(),
            addresses: self.phone.as_deref().map(phone).into_iter().collect(),
        };
        // Texts and nothing else: it cannot fail.
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// The fields in which `user` is not what a create of this person makes. What a person leaves out has to be empty,
    /// but for division and phone: a home division and the work of others may fill them.
    #[must_use]
    pub fn differing(&self, user: &User) -> Vec<&'static str> {
        let key = user.email.as_deref().and_then(|e| email::normalise(e).ok()).map(|a| a.key);
        let same = |sent: &Option<String>, there: &Option<String>| {
            sent.as_deref().unwrap_or("") == there.as_deref().unwrap_or("")
        };
        [
            ("email", key.as_deref() == Some(self.key.as_str())),
            ("name", user.name.as_deref() == Some(self.name.as_str())),
            ("department", same(&self.department, &user.department)),
            ("title", same(&self.title, &user.title)),
            ("division", self.division.as_ref().is_none_or(|d| user.division.as_ref().is_some_and(|u| u.is_meant(d)))),
            ("phone", self.phone.as_ref().is_none_or(|sent| user.phone.as_ref() == Some(sent))),
            ("state", user.state == State::Active),
        ]
        .into_iter()
        .filter_map(|(field, is_same)| (!is_same).then_some(field))
        .collect()
    }

    /// Texts of fewer octets than this fit whatever they hold: in JSON an octet takes six at the most.
    pub const OCTETS_SURELY_FIT: usize = REQUEST_OCTETS_MAX / 8;

    /// Whether its create is within what the service reads of a request (limit `request.bytes.max`).
    #[must_use]
    pub fn fits(&self) -> bool {
        self.create_body().len() <= REQUEST_OCTETS_MAX
    }
}

/// Default of the service's limit `request.bytes.max`, in octets.
const REQUEST_OCTETS_MAX: usize = 512_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateUser<'a> {
    name: &'a str,
    email: &'a str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    division_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<Contact<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contact<'a> {
    address: &'a str,
    media_type: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// A division of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division {
    /// The service's id.
    pub id: String,
    /// Its name, for people and for rosters.
    pub name: String,
}

impl Division {
    /// Whether a roster or a create that says `text` means this one: its id, or its name in any case.
    #[must_use]
    pub fn is_meant(&self, text: &str) -> bool {
        self.id.eq_ignore_ascii_case(text) || self.name.trim().to_lowercase() == text.trim().to_lowercase()
    }

    /// The first of their names, for a hint.
    #[must_use]
    pub fn names(all: &[Self]) -> String {
        const TOLD_MAX: usize = 20;
        let mut names: Vec<&str> = all.iter().map(|d| d.name.as_str()).take(TOLD_MAX).collect();
        if all.len() > TOLD_MAX {
            names.push("…");
        }
        names.join(", ")
    }

    /// The one that `text` means.
    ///
    /// # Errors
    /// A [`DivisionFault`]: that is data, not a failure.
    pub fn find<'d>(all: &'d [Self], text: &str) -> Result<&'d Self, DivisionFault> {
        if let Some(by_id) = all.iter().find(|d| d.id.eq_ignore_ascii_case(text.trim())) {
            return Ok(by_id);
        }
        let mut named = all.iter().filter(|d| d.is_meant(text));
        match (named.next(), named.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(DivisionFault::Unknown),
            (Some(_), Some(_)) => Err(DivisionFault::Several),
        }
    }
}

/// Why a text means no division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DivisionFault {
    /// There is none of that id or name.
    Unknown,
    /// Several have that name.
    Several,
}

impl DivisionFault {
    /// The reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "division.unknown",
            Self::Several => "division.several",
        }
    }
}

/// State of a user as the service spells it.
///
/// Ordered by how much it matters to a verdict: active before inactive before deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Can log in.
    Active,
    /// Exists, cannot log in, keeps its address. An export's unknown word counts as this: a live holder.
    Inactive,
    /// Deleted; keeps its address all the same.
    Deleted,
}

impl State {
    /// All states, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Deleted];

    /// The service's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the word of a listing or an export: no word is active, an unknown word a live holder.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        let word = word.trim();
        let is = |state: Self| word.eq_ignore_ascii_case(state.as_str());
        if word.is_empty() || is(Self::Active) {
            Self::Active
        } else if is(Self::Deleted) {
            Self::Deleted
        } else {
            Self::Inactive
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An account of the organisation, as one page or one reply showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The service's id.
    pub id: String,
    /// Full name.
    pub name: Option<String>,
    /// E-mail as the organisation spells it.
    pub email: Option<String>,
    /// Login name, usually the e-mail at creation.
    pub username: Option<String>,
    /// State.
    pub state: State,
    /// Version: 1 on a new user, raised by every change.
    pub version: Option<u64>,
    /// Department.
    pub department: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Division.
    pub division: Option<Division>,
    /// Work phone.
    pub phone: Option<String>,
    /// Employee id.
    pub employee_id: Option<String>,
    /// Addresses of its e-mail contacts other than its e-mail, each once.
    pub contacts: Vec<String>,
}

impl User {
    /// A user of whom nothing else is known.
    #[must_use]
    pub fn new(id: impl Into<String>, email: impl Into<String>, state: State) -> Self {
        Self {
            id: id.into(),
            name: None,
            email: Some(email.into()),
            username: None,
            state,
            version: None,
            department: None,
            title: None,
            division: None,
            phone: None,
            employee_id: None,
            contacts: Vec::new(),
        }
    }

    /// Its contacts as one text, joined by a blank; none if it has none.
    ///
    /// What holds a blank itself is no address that could be read back, and parts of it would be somebody else's.
    #[must_use]
    pub fn contacts_text(&self) -> Option<String> {
        let whole = self.contacts.iter().map(String::as_str).filter(|contact| !contact.contains(char::is_whitespace));
        let text = whole.collect::<Vec<_>>().join(" ");
        Some(text).filter(|text| !text.is_empty())
    }
}

/// Of `addresses` those that are not `email`, trimmed, each once whatever its case, in their order.
#[must_use]
pub fn other_addresses<'a>(addresses: impl IntoIterator<Item = &'a str>, email: Option<&str>) -> Vec<&'a str> {
    let mut seen: Vec<String> = email.iter().map(|email| email.trim().to_lowercase()).collect();
    let is_new = |address: &&str| {
        let folded = address.to_lowercase();
        let is_new = !address.is_empty() && !seen.contains(&folded);
        seen.extend(is_new.then_some(folded));
        is_new
    };
    addresses.into_iter().map(str::trim).filter(is_new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Person {
        let text = |text: &str| Some(text.to_owned());
        Person {
            row: 1,
            key: "ada@example.com".to_owned(),
            email: "Ada@example.com".to_owned(),
            name: "Ada \"L\"".to_owned(),
            department: text("Care"),
            title: None,
            division: text("5b0c"),
            phone: text("+49301234567"),
        }
    }

    #[test]
    fn a_create_sends_what_is_there_and_nothing_else() {
        let body = String::from_utf8(ada().create_body()).unwrap_or_default();
        let expected = r#"{"name":"Ada \"L\"","email":"Ada@example.com","state":"active","department":"Care","divisionId":"5b0c","addresses":[{"address":"+49301234567","mediaType":"PHONE","type":"WORK"}]}"#;
        assert_eq!(body, expected);
        let bare = Person { department: None, division: None, phone: None, ..ada() };
        assert_eq!(bare.create_body(), br#"{"name":"Ada \"L\"","email":"Ada@example.com","state":"active"}"#);
    }

    #[test]
    fn a_create_fits_up_to_the_very_limit() {
        let empty = Person { title: Some(String::new()), ..ada() }.create_body().len();
        let of = |n: usize| Person { title: Some("x".repeat(n)), ..ada() };
        assert!(of(REQUEST_OCTETS_MAX - empty).fits());
        assert!(!of(REQUEST_OCTETS_MAX - empty + 1).fits());
        // A control character takes six octets.
        let longest = Person { title: Some("\u{1}".repeat(Person::OCTETS_SURELY_FIT)), ..ada() };
        assert!(longest.fits());
    }

    #[test]
    fn other_addresses_are_each_there_once_and_never_the_first() {
        let all = [" b@example.com", "A@example.com ", "", "c@example.com", "B@EXAMPLE.com"];
        assert_eq!(other_addresses(all, Some("a@Example.com")), ["b@example.com", "c@example.com"]);
        assert_eq!(other_addresses(all, None), ["b@example.com", "A@example.com", "c@example.com"]);
    }

    #[test]
    fn a_division_is_found_by_id_or_by_the_one_name_it_has() {
        let division = |id: &str, name: &str| Division { id: id.to_owned(), name: name.to_owned() };
        let all = [division("d1", "Home"), division("d2", "Sales"), division("d3", "Sales "), division("d4", "D1")];
        let found = |text: &str| Division::find(&all, text).map(|d| d.id.as_str());
        assert_eq!((found(" HOME "), found("D2"), found("d1")), (Ok("d1"), Ok("d2"), Ok("d1")));
        assert_eq!((found("sales"), found("x")), (Err(DivisionFault::Several), Err(DivisionFault::Unknown)));
    }
}
