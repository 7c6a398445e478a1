//! What the published shapes say of a member's type, for all members and whether the simulator uses them or not: a
//! text is no number, and a word is one of its list.
//!
//! `null` is the same as leaving a member out. What the shapes do not have passes, and is noted where it is read. So do
//! words of `expand` that nobody knows: it is "resolved with a best effort approach".

use serde_json::{Map, Value};

use super::answer::Refusal;
use super::page::Params;
use super::record::shown;
use super::route::Route;
use crate::api::wire::{Method, Request};

/// What may stand in a place.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Whole,
    Flag,
    Word(&'static [&'static str]),
    Many(&'static Self),
    Object(Members),
}

pub(super) type Members = &'static [(&'static str, Kind)];

/// An object that is not looked into.
const OPAQUE: Kind = Kind::Object(&[]);
const TEXTS: Kind = Kind::Many(&Kind::Text);
const STATE: Kind = Kind::Word(&["active", "inactive", "deleted"]);
const ORDER: Kind = Kind::Word(&["ASC", "DESC", "SCORE"]);
const CONTACTS: Kind = Kind::Many(&Kind::Object(CONTACT));
/// `Contact`.
pub(super) const CONTACT: Members = &[
    ("address", Kind::Text),
    ("display", Kind::Text),
    ("mediaType", Kind::Word(&["PHONE", "EMAIL", "SMS"])),
    ("type", Kind::Word(&["PRIMARY", "WORK", "WORK2", "WORK3", "WORK4", "HOME", "MOBILE", "MAIN", "OTHER"])),
    ("extension", Kind::Text),
    ("countryCode", Kind::Text),
    ("integration", Kind::Text),
];
/// `CreateUser`.
pub(super) const CREATE: Members = &[
    ("name", Kind::Text),
    ("email", Kind::Text),
    ("divisionId", Kind::Text),
    ("state", STATE),
    ("department", Kind::Text),
    ("title", Kind::Text),
    ("password", Kind::Text),
    ("addresses", CONTACTS),
];
/// `UpdateUser`.
pub(super) const UPDATE: Members = &[
    ("id", Kind::Text),
    ("name", Kind::Text),
    ("chat", OPAQUE),
    ("department", Kind::Text),
    ("email", Kind::Text),
    ("primaryContactInfo", CONTACTS),
    ("addresses", CONTACTS),
    ("title", Kind::Text),
    ("username", Kind::Text),
    ("preferredName", Kind::Text),
    ("manager", Kind::Text),
    ("images", Kind::Many(&OPAQUE)),
    ("version", Kind::Whole),
    ("profileSkills", TEXTS),
    ("locations", Kind::Many(&OPAQUE)),
    ("groups", Kind::Many(&OPAQUE)),
    ("state", STATE),
    ("acdAutoAnswer", Kind::Flag),
    ("certifications", TEXTS),
    ("biography", OPAQUE),
    ("employerInfo", EMPLOYER),
    ("selfUri", Kind::Text),
];
const EMPLOYER: Kind = Kind::Object(&[
    ("officialName", Kind::Text),
    ("employeeId", Kind::Text),
    ("employeeType", Kind::Text),
    ("dateHire", Kind::Text),
]);
/// `UserSearchRequest`.
const SEARCH: Members = &[
    ("sortOrder", ORDER),
    ("sortBy", Kind::Text),
    ("pageSize", Kind::Whole),
    ("pageNumber", Kind::Whole),
    ("sort", Kind::Many(&Kind::Object(&[("sortOrder", ORDER), ("sortBy", Kind::Text)]))),
    ("expand", TEXTS),
    ("query", Kind::Many(&Kind::Object(CRITERION))),
    ("integrationPresenceSource", Kind::Word(&PRESENCE_SOURCES)),
    ("enforcePermissions", Kind::Flag),
];
/// `UserSearchCriteria`; its words are the search's own.
const CRITERION: Members = &[
    ("endValue", Kind::Text),
    ("values", TEXTS),
    ("startValue", Kind::Text),
    ("value", Kind::Text),
    ("operator", Kind::Text),
    ("group", Kind::Many(&OPAQUE)),
    ("dateFormat", Kind::Text),
    ("fields", TEXTS),
    ("type", Kind::Text),
];
const PRESENCE_SOURCES: [&str; 4] = ["MicrosoftTeams", "ZoomPhone", "EightByEight", "RingCentral"];

/// What the members of a shape are called.
pub(super) fn names(members: Members) -> Vec<&'static str> {
    members.iter().map(|(name, _)| *name).collect()
}

/// Whether everything in a request that the shapes know is of its type.
pub(super) fn check(route: Route<'_>, request: &Request) -> Result<(), Refusal> {
    let params = Params(&request.query);
    listed(params, "integrationPresenceSource", &PRESENCE_SOURCES)?;
    listed(params, "objectCount", &["true", "false"])?;
    let members = match (route, request.method) {
        (Route::Users, Method::Post) => CREATE,
        (Route::One(_), Method::Patch) => UPDATE,
        (Route::Search, Method::Post) => SEARCH,
        _ => return Ok(()),
    };
    // Whoever reads the body says what is wrong with one that is no object.
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(&request.body) else { return Ok(()) };
    match odd_one(members, &fields) {
        Some((name, value)) => {
            Err(Refusal::invalid_value(&shown(name, value), name, "see the published shape").field(name))
        }
        None => Ok(()),
    }
}

/// Query parameters that nothing else reads. Code and text of such a refusal are those of newer endpoints.
fn listed(params: Params<'_>, name: &str, words: &[&str]) -> Result<(), Refusal> {
    let Some(given) = params.every(name).find(|given| !words.contains(given)) else { return Ok(()) };
    let allowed = words.join(", ");
    let text = format!("Value [{given}] is not valid for parameter [{name}]. Allowable values are: {allowed}");
    Err(Refusal::new(400, "invalid.query.param.value", text).field(name))
}

/// The first member that is not what it should be.
fn odd_one(members: Members, fields: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    let given = members.iter().filter_map(|(name, kind)| Some((*name, kind, fields.get(*name)?)));
    let mut odd = given.filter(|(_, kind, value)| !value.is_null() && !kind.admits(value));
    odd.next().map(|(name, _, value)| (name, value))
}

impl Kind {
    fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text, Value::String(_)) | (Self::Flag, Value::Bool(_)) => true,
            (Self::Whole, Value::Number(number)) => number.is_i64() || number.is_u64(),
            (Self::Word(words), Value::String(word)) => words.contains(&word.as_str()),
            (Self::Many(kind), Value::Array(all)) => all.iter().all(|one| kind.admits(one)),
            (Self::Object(members), Value::Object(fields)) => odd_one(members, fields).is_none(),
            _ => false,
        }
    }
}
