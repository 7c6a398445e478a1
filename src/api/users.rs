//! The calls about users (`GET`/`POST /api/v2/users`, `…/query`, `…/search`).
//!
//! Addresses travel in bodies only, never in a URL.

use std::sync::Arc;

use serde::Serialize;

use crate::api::client::{Client, Permit, object};
use crate::api::fate::{Fate, Words};
use crate::api::shapes::{self, CursorListing, Listing, SearchListing, UserBody};
use crate::api::wire::{Host, Method, Request, Wire};
use crate::email;
use crate::error::Result;
use crate::person::{Person, State, User};

/// Users to ask for per page, each where the service refuses the one before: what its own Terraform provider uses in
/// production, what examples use, the default.
pub const PAGE_SIZES: [u32; 3] = [500, 100, 25];
/// Ids per call (error code `max.user.ids` above).
pub const IDS_PER_CALL: usize = 100;
/// The call that asks for them, as errors name it.
const BY_ID: &str = "GET users by id";
/// Hits per page of a search, where as many values are asked for: what examples use. Fewer values ask for fewer hits,
/// but not for less than the default page.
const SEARCH_PAGE_SIZES: std::ops::RangeInclusive<usize> = 25..=100;
/// Pages of one search that are read: above that the service does not understand the question.
const SEARCH_PAGES_MAX: u32 = 100;

/// What a listing and a search ask for beside the plain fields: the employee id. The service expands as well as it can;
/// what does not come is not there.
const EXPAND: &str = "employerInfo";

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The users on it, those without an id left out.
    pub users: Vec<User>,
    /// Users without an id.
    pub n_without_id: u64,
    /// Users promised in all, if the service says.
    pub total: Option<u64>,
    /// Page size that the service really used.
    pub page_size: u32,
}

/// One page of a cursor listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorPage {
    /// The users on it, those without an id left out.
    pub users: Vec<User>,
    /// Users without an id.
    pub n_without_id: u64,
    /// Where it goes on; none at the end.
    pub next: Option<String>,
}

/// A user that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The service's id.
    pub id: String,
    /// E-mail as the service spells it.
    pub email: Option<String>,
    /// HTTP status: 200 today.
    pub status: u16,
    /// Correlation id.
    pub correlation_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SearchBody<'a> {
    page_size: usize,
    page_number: u32,
    expand: [&'a str; 1],
    query: [Criterion<'a>; 2],
}

#[derive(Serialize)]
struct Criterion<'a> {
    fields: &'a [&'a str],
    #[serde(rename = "type")]
    kind: &'a str,
    values: &'a [&'a str],
}

pub(super) fn get(path: &str, query: &[(&str, String)]) -> Request {
    let mut request = Request::new(Host::Api, Method::Get, path);
    request.query = query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    request
}

fn post(path: &str, body: Vec<u8>) -> Request {
    let mut request = Request::new(Host::Api, Method::Post, path);
    request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    request.body = body;
    request
}

/// Whether an address is that of a person, however it is spelt.
fn is_of(person: &Person, address: &str) -> bool {
    email::normalise(address).is_ok_and(|found| found.key == person.key)
}

impl<W: Wire> Client<W> {
    /// `GET /api/v2/users`: page `number` (1-based) of one state. The inner error is the service's refusal, which past
    /// 10,000 inactive users is a 400.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn page(self: &Arc<Self>, state: State, number: u32, size: u32) -> Result<Result<Page, Words>> {
        let query = [
            ("state", state.as_str().to_owned()),
            ("pageSize", size.to_string()),
            ("pageNumber", number.to_string()),
            ("expand", EXPAND.to_owned()),
        ];
        let call = format!("GET users, {state}, page {number}");
        let listing = self.read::<Listing>(&call, &get("/api/v2/users", &query)).await?;
        Ok(listing.map(|listing| {
            let (users, n_without_id) = shapes::users(listing.entities, state);
            let used = listing.page_size.and_then(|s| u32::try_from(s).ok()).filter(|s| *s > 0);
            Page { users, n_without_id, total: listing.total, page_size: used.unwrap_or(size) }
        }))
    }

    /// `GET /api/v2/users/query`: the page behind `cursor` (none for the first) of one state. The inner error is the
    /// service's refusal: 404 and 403 where the endpoint does not exist for this client.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn cursor_page(
        self: &Arc<Self>,
        state: State,
        cursor: Option<&str>,
        size: u32,
    ) -> Result<Result<CursorPage, Words>> {
        let mut query =
            vec![("state", state.as_str().to_owned()), ("pageSize", size.to_string()), ("expand", EXPAND.to_owned())];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let call = format!("GET users/query, {state}");
        let listing = self.read_optional::<CursorListing>(&call, &get("/api/v2/users/query", &query)).await?;
        Ok(listing.map(|listing| {
            let (users, n_without_id) = shapes::users(listing.entities, state);
            CursorPage { users, n_without_id, next: listing.cursor.filter(|c| !c.is_empty()) }
        }))
    }

    /// `GET /api/v2/users?id=…&state=any`: up to 100 users by id; those that are not visible yet are missing. A service
    /// that gives fewer a page is asked for the next one.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn users_by_id(self: &Arc<Self>, ids: &[&str]) -> Result<Vec<User>> {
        let mut users = Vec::new();
        let mut sizes = PAGE_SIZES.into_iter().filter(|size| *size as usize <= IDS_PER_CALL).peekable();
        let (mut number, mut n_seen) = (1, 0);
        while let Some(size) = sizes.peek() {
            let listing = match self.page_by_id(ids, number, *size).await? {
                Ok(listing) => listing,
                // The page may be too large.
                Err(words) if words.status == 400 && number == 1 => {
                    sizes.next();
                    if sizes.peek().is_none() {
                        return Err(Fate::Refused(words).into_error(BY_ID));
                    }
                    continue;
                }
                Err(words) => return Err(Fate::Refused(words).into_error(BY_ID)),
            };
            let n_came = listing.entities.len();
            (number, n_seen) = (number + 1, n_seen + n_came);
            let used = listing.page_size.unwrap_or(u64::from(*size));
            users.extend(shapes::users(listing.entities, State::Active).0);
            // Totals may stop counting early: a page that is not full is the last one.
            if n_came == 0 || n_seen >= ids.len() || (n_came as u64) < used {
                break;
            }
        }
        Ok(users)
    }

    async fn page_by_id(self: &Arc<Self>, ids: &[&str], number: u32, size: u32) -> Result<Result<Listing, Words>> {
        let mut query: Vec<(&str, String)> = ids.iter().map(|id| ("id", (*id).to_owned())).collect();
        query.push(("state", "any".to_owned()));
        query.push(("pageSize", size.to_string()));
        if number > 1 {
            query.push(("pageNumber", number.to_string()));
        }
        self.read::<Listing>(BY_ID, &get("/api/v2/users", &query)).await
    }

    /// `POST /api/v2/users/search`: users of any state with one of these values in one of `fields` (`email`,
    /// `username`), all pages of them. An index: it lags behind writes. The inner error is the service's refusal.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn search(self: &Arc<Self>, fields: &[&str], values: &[&str]) -> Result<Result<Vec<User>, Words>> {
        let states = State::ALL.map(State::as_str);
        let found = self.search_in(&states, fields, values).await?;
        if found.is_ok() || values.len() > 1 {
            return Ok(found);
        }
        // Perhaps three states are as many values as it does not take.
        let mut users = Vec::new();
        for state in &states {
            match self.search_in(&[state], fields, values).await? {
                Ok(some) => users.extend(some),
                Err(words) => return Ok(Err(words)),
            }
        }
        Ok(Ok(users))
    }

    async fn search_in(
        self: &Arc<Self>,
        states: &[&str],
        fields: &[&str],
        values: &[&str],
    ) -> Result<Result<Vec<User>, Words>> {
        let call = "POST users/search";
        let page_size = values.len().clamp(*SEARCH_PAGE_SIZES.start(), *SEARCH_PAGE_SIZES.end());
        let (mut users, mut n_listed) = (Vec::new(), 0);
        for page_number in 1..=SEARCH_PAGES_MAX {
            let query = [
                Criterion { fields, kind: "EXACT", values },
                Criterion { fields: &["state"], kind: "EXACT", values: states },
            ];
            let body = SearchBody { page_size, page_number, expand: [EXPAND], query };
            let body = serde_json::to_vec(&body).unwrap_or_default();
            let found = match self.read::<SearchListing>(call, &post("/api/v2/users/search", body)).await? {
                Ok(found) => found,
                Err(words) => return Ok(Err(words)),
            };
            let (some, n_without_id) = shapes::users(found.results, State::Active);
            let n_page = some.len() + usize::try_from(n_without_id).unwrap_or(0);
            n_listed += n_page as u64;
            users.extend(some);
            // Without a total a page of another size than was asked for is the last.
            let is_last = found.total.map_or(n_page != page_size, |total| total <= n_listed);
            if n_without_id == 0 && is_last {
                return Ok(Ok(users));
            }
            if n_without_id > 0 || n_page == 0 {
                break;
            }
        }
        // Whoever is behind what did not come is not known: no answer.
        Ok(Err(Words { code: Some("search.not_read_out".to_owned()), ..Words::default() }))
    }

    /// `POST /api/v2/users`, sent once. A success without an id is [`Fate::Malformed`]: somebody may exist.
    ///
    /// # Errors
    /// The [`Fate`] of the call.
    pub async fn create(&self, permit: Permit<W>, person: &Person) -> Result<Created, Fate> {
        let reply = self.send(permit, post("/api/v2/users", person.create_body())).await?;
        let user = object::<UserBody>(&reply).ok().and_then(|body| body.into_user(State::Active));
        let user = user.ok_or_else(|| Fate::Malformed(format!("HTTP {} without a readable user", reply.status)))?;
        if user.email.as_deref().is_some_and(|there| !is_of(person, there)) {
            return Err(Fate::Malformed(format!("HTTP {} with another user", reply.status)));
        }
        let correlation_id = reply.header("inin-correlation-id").map(str::to_owned);
        Ok(Created { id: user.id, email: user.email, status: reply.status, correlation_id })
    }
}
