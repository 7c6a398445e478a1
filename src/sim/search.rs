//! `POST /api/v2/users/search` and its twin with the same request in `q64`.
//!
//! Of the criteria only equality is answered: that is what probing for addresses needs. Its index follows writes with
//! a lag of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{Answer, Refusal, body};
use super::codec::{base64, unbase64};
use super::org::{Call, Org};
use super::page::{PAGE_SIZE, Params, page_count, page_size, slice};
use super::settings::Settings;
use super::store::{Store, fold};
use super::user::{EXPANSIONS, Expand, Shape, State, User};
use super::view::At;

const PLACE: &str = "POST /api/v2/users/search";
const EQUALITY: [&str; 3] = ["EXACT", "TERM", "TERMS"];
const OTHER_TYPES: [&str; 11] = [
    "STARTS_WITH",
    "CONTAINS",
    "REGEX",
    "REQUIRED_FIELDS",
    "MATCH_ALL",
    "QUERY_STRING",
    "RANGE",
    "LESS_THAN",
    "LESS_THAN_EQUAL_TO",
    "GREATER_THAN",
    "GREATER_THAN_EQUAL_TO",
];
const FIELDS: [&str; 5] = ["email", "name", "state", "id", "username"];

/// `UserSearchRequest`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    page_size: Option<u32>,
    page_number: Option<u32>,
    sort_order: Option<String>,
    query: Option<Vec<Criterion>>,
    expand: Option<Vec<String>>,
    /// `sortBy`, `sort` and what does not exist.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// `UserSearchCriteria`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Criterion {
    #[serde(rename = "type")]
    kind: Option<String>,
    fields: Option<Vec<String>>,
    value: Option<String>,
    values: Option<Vec<String>>,
    operator: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// `UsersSearchResponse`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    total: usize,
    page_count: u32,
    page_size: u32,
    page_number: u32,
    previous_page: Option<String>,
    current_page: String,
    next_page: Option<String>,
    types: [&'static str; 1],
    results: Vec<Shape<'a>>,
}

impl Org {
    pub(super) fn search_q64(&mut self, call: Call<'_>) -> Answer {
        let token = Params(&call.request.query).one("q64").unwrap_or_default();
        let bytes = unbase64(token).filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or_else(|| Refusal::bad_request("q64 is missing or not base64.").field("q64"))?;
        self.search(&bytes, call.now)
    }

    pub(super) fn search(&mut self, bytes: &[u8], now: Duration) -> Answer {
        let wanted: Wanted = serde_json::from_slice(bytes)
            .map_err(|why| Refusal::bad_request(format!("The request body could not be read: {why}")))?;
        self.note_search_fields(&wanted);
        let settings = &self.settings;
        let size = positive(wanted.page_size, PAGE_SIZE, "pageSize")?;
        let size = page_size(size, settings.search_page_size_max, settings.page_size_capped)?;
        let number = positive(wanted.page_number, 1, "pageNumber")?;
        if settings.search_cap.is_some_and(|cap| u64::from(size) * u64::from(number) > u64::from(cap)) {
            return Err(Refusal::bad_request("The requested page is beyond the number of results that can be paged."));
        }
        let descending = match wanted.sort_order.as_deref() {
            None | Some("ASC" | "SCORE") => false,
            Some("DESC") => true,
            Some(text) => return Err(Refusal::invalid_value(text, "sortOrder", "[ASC, DESC, SCORE]")),
        };
        let criteria: Vec<Criterion> =
            wanted.query.iter().flatten().map(|criterion| criterion.heard(settings)).collect();
        criteria.iter().try_for_each(|criterion| criterion.check(settings))?;
        self.store.settle_search(now);
        let numbers = hits(&self.store, &criteria, settings);
        let expand = Expand::of(wanted.expansions());
        let results = shapes(&self.store, &slice(&numbers, size, number, descending), settings, expand);
        let pages = page_count(numbers.len(), size);
        let token = |n: u32| base64(&body(&Wanted { page_number: Some(n), ..wanted.clone() }));
        Ok(body(&Found {
            total: numbers.len(),
            page_count: pages,
            page_size: size,
            page_number: number,
            previous_page: (number > 1).then(|| token(number - 1)),
            current_page: token(number),
            next_page: (number < pages).then(|| token(number + 1)),
            types: ["users"],
            results,
        }))
    }

    fn note_search_fields(&mut self, wanted: &Wanted) {
        let known = ["sortBy", "sort", "integrationPresenceSource", "enforcePermissions"];
        self.note_unknown(PLACE, &known, wanted.rest.keys().map(String::as_str));
        self.note_unknown(&format!("{PLACE} expand"), &EXPANSIONS, wanted.expansions());
        let known = ["group", "startValue", "endValue", "dateFormat"];
        for criterion in wanted.query.iter().flatten() {
            self.note_unknown(PLACE, &known, criterion.rest.keys().map(String::as_str));
        }
    }
}

fn positive(given: Option<u32>, default: u32, name: &str) -> Result<u32, Refusal> {
    match given.unwrap_or(default) {
        0 => Err(Refusal::invalid_value("0", name, "whole numbers from 1").field(name)),
        number => Ok(number),
    }
}

fn shapes<'a>(store: &'a Store, page: &[At], settings: &'a Settings, expand: Expand) -> Vec<Shape<'a>> {
    let users = page.iter().filter_map(|at| store.searched(*at));
    users.map(|user| user.shape(settings.division_name(&user.division_id), expand)).collect()
}

/// Numbers of the users that the criteria admit, in the order of creation.
fn hits(store: &Store, criteria: &[Criterion], settings: &Settings) -> Vec<At> {
    let names_state = criteria.iter().any(|criterion| criterion.names("state"));
    let shows_deleted = names_state || settings.search_shows_deleted;
    let divisions = settings.shown_divisions();
    let admits = |at: &At| {
        let user = store.searched(*at);
        user.is_some_and(|user| {
            (shows_deleted || user.state != State::Deleted)
                && divisions.as_ref().is_none_or(|shown| shown.contains(&user.division_id))
                && admits(criteria, user, settings.search_folds_case)
        })
    };
    match criteria.iter().find_map(|criterion| criterion.candidates(store)) {
        Some(few) => few.into_iter().filter(admits).collect(),
        None => store.searchable().iter().copied().filter(admits).collect(),
    }
}

/// Every AND, one of the ORs if there are any, none of the NOTs.
fn admits(criteria: &[Criterion], user: &User, folds_case: bool) -> bool {
    let with = |word: &'static str| criteria.iter().filter(move |criterion| criterion.operator() == word);
    let holds = |criterion: &Criterion| criterion.holds(user, folds_case);
    with("AND").all(holds) && !with("NOT").any(holds) && (with("OR").next().is_none() || with("OR").any(holds))
}

impl Wanted {
    fn expansions(&self) -> impl Iterator<Item = &str> {
        self.expand.iter().flatten().map(String::as_str)
    }
}

impl Criterion {
    /// Of many values perhaps only the first ones.
    fn heard(&self, settings: &Settings) -> Self {
        let mut heard = self.clone();
        if let Some(values) = heard.values.as_mut().filter(|_| settings.search_values_cut) {
            values.truncate(settings.search_values_max);
        }
        heard
    }

    fn check(&self, settings: &Settings) -> Result<(), Refusal> {
        let values_max = settings.search_values_max;
        let kind = self.kind.as_deref().unwrap_or_default();
        if OTHER_TYPES.contains(&kind) || self.rest.get("group").is_some_and(|group| !group.is_null()) {
            return Err(Refusal::bad_request(format!("The simulator answers EXACT, TERM and TERMS only, not {kind}.")));
        }
        if !EQUALITY.contains(&kind) {
            let allowed = format!("[{}, {}]", EQUALITY.join(", "), OTHER_TYPES.join(", "));
            return Err(Refusal::invalid_value(kind, "type", &allowed).field("type"));
        }
        if !["AND", "OR", "NOT"].contains(&self.operator()) {
            return Err(Refusal::invalid_value(self.operator(), "operator", "[AND, OR, NOT]").field("operator"));
        }
        let fields = self.fields.as_deref().unwrap_or_default();
        let known =
            |field: &&String| FIELDS.contains(&field.as_str()) && (settings.search_usernames || *field != "username");
        if let Some(field) = fields.iter().find(|field| !known(field)) {
            return Err(Refusal::invalid_value(field, "fields", &format!("[{}]", FIELDS.join(", "))).field("fields"));
        }
        let n_values = self.values().count();
        if fields.is_empty() || n_values == 0 {
            return Err(Refusal::bad_request("A criterion needs fields and a value.").field("fields"));
        }
        if n_values > values_max {
            return Err(Refusal::bad_request(format!("A criterion takes at most {values_max} values.")).field("values"));
        }
        Ok(())
    }

    fn operator(&self) -> &str {
        self.operator.as_deref().unwrap_or("AND")
    }

    fn values(&self) -> impl Iterator<Item = &str> {
        self.value.iter().chain(self.values.iter().flatten()).map(String::as_str)
    }

    fn names(&self, field: &str) -> bool {
        self.fields.iter().flatten().any(|name| name == field)
    }

    /// Everybody it can hold for, when an index knows; nobody but those need be looked at.
    fn candidates(&self, store: &Store) -> Option<Vec<At>> {
        let only = |names: &[&str]| self.fields.iter().flatten().all(|field| names.contains(&field.as_str()));
        if self.operator() != "AND" {
            return None;
        }
        if only(&["id"]) {
            return Some(store.numbers(self.values()));
        }
        let mut found: Vec<At> = only(&["email", "username"])
            .then(|| self.values().flat_map(|value| store.with_key(value).map(|(at, _)| at)).collect())?;
        found.sort_unstable();
        found.dedup();
        Some(found)
    }

    fn holds(&self, user: &User, folds_case: bool) -> bool {
        let same = |text: &str, value: &str| text == value || folds_case && fold(text) == fold(value);
        let hit = |field: &str, value: &str| match field {
            "email" => same(&user.email, value),
            "username" => same(&user.username, value),
            "state" => user.state.as_str().eq_ignore_ascii_case(value),
            "id" => user.id == value,
            _ => user.name == value,
        };
        self.fields.iter().flatten().any(|field| self.values().any(|value| hit(field, value)))
    }
}
