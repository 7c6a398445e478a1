//! The calls about users, and the shapes of their replies (`genesys-api`: `GET`/`POST /api/v2/users`, `…/search`).
//!
//! The reader is tolerant: unknown fields are ignored, missing and null ones are absent. Addresses travel in bodies
//! only, never in a URL.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::client::{Client, Permit};
use crate::api::fate::{Fate, Words};
use crate::api::wire::{Host, Method, Request, Wire};
use crate::error::Result;
use crate::person::{Person, State, User};

/// Users asked for per page: what the service's own Terraform provider uses in production.
const PAGE_SIZE: u32 = 500;
/// Ids per call (error code `max.user.ids` above).
pub const IDS_PER_CALL: usize = 100;
/// Hits per page of a search.
const SEARCH_PAGE_SIZE: u32 = 100;

/// The organisation that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Organisation {
    /// Its id: snapshots, plans and runs are bound to it.
    pub id: String,
    /// Its name, for people.
    #[serde(default)]
    pub name: Option<String>,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The users on it, those without an id left out.
    pub users: Vec<User>,
    /// Users without an id.
    pub n_without_id: u64,
    /// Users promised in all.
    pub total: u64,
    /// Page size that the service really used.
    pub page_size: u32,
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    #[serde(default)]
    entities: Option<Vec<UserBody>>,
    total: Option<u64>,
    page_size: Option<u32>,
}

#[derive(Deserialize)]
struct SearchListing {
    #[serde(default)]
    results: Option<Vec<UserBody>>,
}

#[derive(Deserialize)]
struct UserBody {
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    username: Option<String>,
    state: Option<String>,
    version: Option<u64>,
    department: Option<String>,
    title: Option<String>,
}

impl UserBody {
    fn into_user(self) -> Option<User> {
        Some(User {
            id: self.id.filter(|id| !id.is_empty())?,
            name: self.name,
            email: self.email,
            username: self.username,
            state: State::from_word(&self.state.unwrap_or_default()),
            version: self.version,
            department: self.department,
            title: self.title,
        })
    }
}

/// What a create sends. `state` always, since without it the user would be inactive; a password never, since a create
/// whose password step fails has created somebody all the same.
#[derive(Serialize)]
struct CreateBody<'a> {
    name: &'a str,
    email: &'a str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    department: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SearchBody<'a> {
    page_size: u32,
    page_number: u32,
    query: [Criterion<'a>; 2],
}

#[derive(Serialize)]
struct Criterion<'a> {
    fields: [&'a str; 1],
    #[serde(rename = "type")]
    kind: &'a str,
    values: &'a [&'a str],
}

fn get(path: &str, query: &[(&str, String)]) -> Request {
    let mut request = Request::new(Host::Api, Method::Get, path);
    request.query = query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    request
}

fn post(path: &str, body: &impl Serialize) -> Request {
    let mut request = Request::new(Host::Api, Method::Post, path);
    request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    request.body = serde_json::to_vec(body).unwrap_or_default();
    request
}

impl<W: Wire> Client<W> {
    /// `GET /api/v2/organizations/me`.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn organisation(self: &Arc<Self>) -> Result<Organisation> {
        let call = "GET organizations/me";
        let reply = self.read(call, &get("/api/v2/organizations/me", &[])).await?;
        reply.map_err(|words| Fate::Refused(words).into_error(call))
    }

    /// `GET /api/v2/users`: page `number` (1-based) of one state. The inner error is the service's refusal, which past
    /// 10,000 inactive users is a 400.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn page(self: &Arc<Self>, state: State, number: u32, size: Option<u32>) -> Result<Result<Page, Words>> {
        let query = [
            ("state", state.as_str().to_owned()),
            ("pageSize", size.unwrap_or(PAGE_SIZE).to_string()),
            ("pageNumber", number.to_string()),
        ];
        let call = format!("GET users, {state}, page {number}");
        let listing = self.read::<Listing>(&call, &get("/api/v2/users", &query)).await?;
        Ok(listing.map(|listing| {
            let bodies = listing.entities.unwrap_or_default();
            let n_all = bodies.len();
            let users: Vec<User> = bodies.into_iter().filter_map(UserBody::into_user).collect();
            Page {
                n_without_id: (n_all - users.len()) as u64,
                total: listing.total.unwrap_or(0),
                page_size: listing.page_size.filter(|s| *s > 0).unwrap_or(PAGE_SIZE),
                users,
            }
        }))
    }

    /// `GET /api/v2/users?id=…&state=any`: up to 100 users by id; those that are not visible yet are missing.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn users_by_id(self: &Arc<Self>, ids: &[&str]) -> Result<Vec<User>> {
        let call = "GET users by id";
        let mut query: Vec<(&str, String)> = ids.iter().map(|id| ("id", (*id).to_owned())).collect();
        query.push(("state", "any".to_owned()));
        query.push(("pageSize", IDS_PER_CALL.to_string()));
        let listing = self.read::<Listing>(call, &get("/api/v2/users", &query)).await?;
        let listing = listing.map_err(|words| Fate::Refused(words).into_error(call))?;
        Ok(listing.entities.unwrap_or_default().into_iter().filter_map(UserBody::into_user).collect())
    }

    /// `POST /api/v2/users/search`: users of any state with one of these values in `field` (`email`, `username`). An
    /// index: it lags behind writes. The inner error is the service's refusal.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`.
    pub async fn search(self: &Arc<Self>, field: &str, values: &[&str]) -> Result<Result<Vec<User>, Words>> {
        let call = "POST users/search";
        let states = State::ALL.map(State::as_str);
        let body = SearchBody {
            page_size: SEARCH_PAGE_SIZE,
            page_number: 1,
            query: [
                Criterion { fields: [field], kind: "EXACT", values },
                Criterion { fields: ["state"], kind: "EXACT", values: &states },
            ],
        };
        let found = self.read::<SearchListing>(call, &post("/api/v2/users/search", &body)).await?;
        let users =
            |found: SearchListing| found.results.unwrap_or_default().into_iter().filter_map(UserBody::into_user);
        Ok(found.map(|found| users(found).collect()))
    }

    /// `POST /api/v2/users`, sent once. A success without an id is [`Fate::Malformed`]: somebody may exist.
    ///
    /// # Errors
    /// The [`Fate`] of the call.
    pub async fn create(&self, permit: Permit<W>, person: &Person) -> Result<Created, Fate> {
        let body = CreateBody {
            name: &person.name,
            email: &person.email,
            state: State::Active.as_str(),
            department: person.department.as_deref(),
            title: person.title.as_deref(),
        };
        let reply = self.send(permit, post("/api/v2/users", &body)).await?;
        let user = serde_json::from_slice::<UserBody>(&reply.body).ok().and_then(UserBody::into_user);
        let user = user.ok_or_else(|| Fate::Malformed(format!("HTTP {} without a readable user", reply.status)))?;
        let correlation_id = reply.header("inin-correlation-id").map(str::to_owned);
        Ok(Created { id: user.id, email: user.email, status: reply.status, correlation_id })
    }
}
