//! The switches of a simulated organisation.
//!
//! What the service is known to do stands as the default. What nobody could source is a switch whose default is the
//! harder case for a client, so that a client that passes here has survived the worse guess.

use std::time::Duration;

use super::view::Filter;

/// How the simulated organisation behaves. Every field can be changed while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What all ids, tokens and correlation ids are derived from: two organisations of one seed hand out the same ones.
    pub seed: u64,
    /// Name of the organisation, as `GET /api/v2/organizations/me` shows it.
    pub org_name: String,
    /// Names of the divisions; the first is the home division, where users without `divisionId` land.
    pub divisions: Vec<String>,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: String,
    /// Status for a wrong client id or secret: 400, or 401. No source says which.
    pub bad_secret_status: u16,
    /// How long a token is good. The service's default is 86,400 s, and replies are seen to say 86,399.
    pub token_lifetime: Duration,
    /// Tokens minted within any 60 s before `/oauth/token` answers 400 `invalid_request`; `None` for no limit.
    /// That there is a limit and how it answers is known, its number is not.
    pub mints_per_minute: Option<u32>,
    /// Calls a token may make in one window. The documented default is 300; a log of 2021 shows 180.
    pub rate_allowed: u32,
    /// Length of one rate window. That it is fixed and not sliding is inferred from the headers.
    pub rate_window: Duration,
    /// Whether replies carry `inin-ratelimit-*`. They did in 2021; nobody promises them today.
    pub rate_headers: bool,
    /// Whether `inin-ratelimit-reset` is one second more than what remains: a logged first call of a window said 61.
    pub reset_plus_one: bool,
    /// Largest `pageSize` of the listing and the cursor. Official code uses 500; no text states a maximum.
    pub page_size_max: u32,
    /// Whether a larger `pageSize` is lowered in silence instead of answered with 400. One other endpoint does so.
    pub page_size_capped: bool,
    /// How many users of each state a listing reaches before it answers 400.
    pub page_cap: PageCaps,
    /// Where the `total` and `pageCount` of a listing stop counting; `None` if they are always true. No source; the
    /// caps look like those of an index that by default counts no further than it pages.
    pub totals_stop_at: Option<u32>,
    /// Whether `GET /api/v2/users/query` exists (404 otherwise): some copies of the public spec lack it.
    pub cursor: bool,
    /// Whether the client lacks the permission for it (403): it needs `directory:user:view` for all divisions.
    pub cursor_forbidden: bool,
    /// Largest `pageSize` of a search. No source; examples use 100.
    pub search_page_size_max: u32,
    /// Results a search can page through before it answers 400; `None` for all. No source.
    pub search_cap: Option<u32>,
    /// Most `values` in one criterion. No source; above it the search answers 400.
    pub search_values_max: usize,
    /// Whether `username` can be searched; otherwise a criterion with it is answered with 400. Nobody says so; official
    /// code searches `email`, `name` and `state`.
    pub search_usernames: bool,
    /// Whether EXACT on `email` and `username` ignores case. No source.
    pub search_folds_case: bool,
    /// Whether a search without a state criterion finds deleted users too. No source.
    pub search_shows_deleted: bool,
    /// Whether an address that differs only in case is taken. No source; `true` is the harder case for a client.
    pub case_insensitive: bool,
    /// Whether a deleted user keeps its address from being used again. Official code relies on it.
    pub deleted_holds: bool,
    /// Whether a create learns who holds an address from the index of the search: then of two creates within its lag both
    /// succeed. No source says that addresses are unique at every moment.
    pub uniqueness_lags: bool,
    /// Status of a PATCH with a stale version: 409, or 400 (official code meets both).
    pub stale_version_status: u16,
    /// How long after a write the listing and the cursor still show the world before it.
    pub list_lag: Duration,
    /// How long after a write the search still finds the world before it. Waits in official code: 5 s to 3 min.
    pub search_lag: Duration,
    /// Time a request takes, slept outside the organisation: half before it is carried out, half after.
    pub latency: Duration,
    /// Whether the server still carries out a request whose client went away during the first half of the latency.
    pub finishes_orphans: bool,
    /// Largest request body, in octets (limit `request.bytes.max`); above it the answer is 413.
    pub body_octets_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            org_name: "Simulated Organisation".to_owned(),
            divisions: vec!["Home".to_owned()],
            client_id: "demo-client".to_owned(),
            client_secret: "demo-secret".to_owned(),
            bad_secret_status: 400,
            token_lifetime: Duration::from_secs(86_399),
            mints_per_minute: None,
            rate_allowed: 300,
            rate_window: Duration::from_secs(60),
            rate_headers: true,
            reset_plus_one: false,
            page_size_max: 500,
            page_size_capped: false,
            page_cap: PageCaps::default(),
            totals_stop_at: None,
            cursor: true,
            cursor_forbidden: false,
            search_page_size_max: 100,
            search_cap: Some(10_000),
            search_values_max: 100,
            search_usernames: true,
            search_folds_case: true,
            search_shows_deleted: false,
            case_insensitive: true,
            deleted_holds: true,
            uniqueness_lags: false,
            stale_version_status: 409,
            list_lag: Duration::ZERO,
            search_lag: Duration::ZERO,
            latency: Duration::ZERO,
            finishes_orphans: false,
            body_octets_max: 512_000,
        }
    }
}

/// How many users a listing by each `state` reaches; `None` for all of them.
///
/// Official code met the cap with `inactive` at 10,000 and none with `active`. For the others there is no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCaps {
    /// For `state=active`.
    pub active: Option<u32>,
    /// For `state=inactive`.
    pub inactive: Option<u32>,
    /// For `state=deleted`.
    pub deleted: Option<u32>,
    /// For `state=any`.
    pub any: Option<u32>,
}

impl Default for PageCaps {
    fn default() -> Self {
        Self { active: None, inactive: Some(10_000), deleted: None, any: None }
    }
}

impl PageCaps {
    pub(super) fn of(self, filter: Filter) -> Option<u32> {
        use super::user::State;
        match filter {
            Filter::Only(State::Active) => self.active,
            Filter::Only(State::Inactive) => self.inactive,
            Filter::Only(State::Deleted) => self.deleted,
            Filter::Any => self.any,
        }
    }
}
