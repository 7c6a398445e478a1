//! The switches of a simulated organisation.
//!
//! What the service is known to do stands as the default. What nobody could source is a switch whose default is the
//! harder case for a client, so that a client that passes here has survived the worse guess.

use std::time::Duration;

use serde::Deserialize;

use super::spelling;
use super::view::Filter;

/// Most octets read of a body, so that a client that sends too much gets its 413 and not a broken pipe.
pub(super) const READ_OCTETS_MAX: usize = 16 << 20;
/// Longest length of time that can be meant, in years: sums with it stay far from the end of any clock.
const YEARS_MAX: u64 = 100;

/// How the simulated organisation behaves. Every field can be changed while it runs.
///
/// In a scenario each is set by its name: lengths of time in seconds, what may be without an end as `"none"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What all ids, tokens and correlation ids are derived from: two organisations of one seed hand out the same ones.
    pub seed: u64,
    /// Name of the organisation, as `GET /api/v2/organizations/me` shows it.
    pub org_name: String,
    /// Names of the divisions; the first is the home division, where users without `divisionId` land.
    pub divisions: Vec<String>,
    /// How many divisions, from the first, this client may see: users of the others are left out of listings and searches
    /// without a word, and the cursor is forbidden. Whether `GET /api/v2/users` does so: no source.
    #[serde(deserialize_with = "spelling::limit")]
    pub divisions_shown: Option<usize>,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: String,
    /// Status for a wrong client id or secret: 400, or 401. No source says which.
    pub bad_secret_status: u16,
    /// How long a token is good. The service's default is 86,400 s, and replies are seen to say 86,399.
    #[serde(deserialize_with = "spelling::seconds")]
    pub token_lifetime: Duration,
    /// Tokens minted within any 60 s before `/oauth/token` answers 400 `invalid_request`; `None` for no limit.
    /// That there is a limit and how it answers is known, its number is not.
    #[serde(deserialize_with = "spelling::limit")]
    pub mints_per_minute: Option<u32>,
    /// Calls a token may make in one window. The documented default is 300; a log of 2021 shows 180.
    pub rate_allowed: u32,
    /// Creates a token may make in one window beside that; `None` for no such limit. None is documented, but other
    /// endpoints have limits of their own, and the headers do not show them.
    #[serde(deserialize_with = "spelling::limit")]
    pub create_rate_allowed: Option<u32>,
    /// Calls that all tokens together may make in one window. `org.app.user.rate.per.minute` is said to be 3,000, and 300.
    #[serde(deserialize_with = "spelling::limit")]
    pub org_rate_allowed: Option<u32>,
    /// Length of one rate window.
    #[serde(deserialize_with = "spelling::seconds")]
    pub rate_window: Duration,
    /// Whether the window slides: then any span of its length is held to the limit, and `reset` is the time until the
    /// oldest call counts no more. That it is fixed is inferred from the headers.
    pub rate_window_slides: bool,
    /// Whether replies carry `inin-ratelimit-*`. They did in 2021; nobody promises them today.
    pub rate_headers: bool,
    /// Whether refusals carry them too, 429 included. No source.
    pub rate_headers_on_errors: bool,
    /// Whether `inin-ratelimit-reset` is one second more than what remains: a logged first call of a window said 61.
    pub reset_plus_one: bool,
    /// How a 429 says how long to wait. Since 2021 it is a number of seconds; the standard allows a date.
    pub retry_after: RetryAfter,
    /// Whether a 429 has the body of before 2021: code `too.many.requests`.
    pub throttled_body_old: bool,
    /// Whether the endpoint of limits exists (404 otherwise). What it shows live: no source.
    pub limits_shown: bool,
    /// Largest `pageSize` of the listing and the cursor. Official code uses 500; no text states a maximum.
    pub page_size_max: u32,
    /// Whether a larger `pageSize` is lowered in silence instead of answered with 400. One other endpoint does so.
    pub page_size_capped: bool,
    /// How many users of each state a listing reaches before it answers 400.
    pub page_cap: PageCaps,
    /// Where the `total` and `pageCount` of a listing stop counting; `None` if they are always true. No source; the
    /// caps look like those of an index that by default counts no further than it pages.
    #[serde(deserialize_with = "spelling::limit")]
    pub totals_stop_at: Option<u32>,
    /// Whether `GET /api/v2/users/query` exists (404 otherwise): some copies of the public spec lack it.
    pub cursor: bool,
    /// Whether the client lacks the permission for it (403): it needs `directory:user:view` for all divisions.
    pub cursor_forbidden: bool,
    /// How many users of a state a walk by cursor shows before it ends as if that were all; `None` for all of them. No source.
    #[serde(deserialize_with = "spelling::limit")]
    pub cursor_cap: Option<u32>,
    /// How long a cursor is good; an older one is answered with 400. No source.
    #[serde(deserialize_with = "spelling::seconds_or_none")]
    pub cursor_lifetime: Option<Duration>,
    /// Largest `pageSize` of a search. No source; examples use 100.
    pub search_page_size_max: u32,
    /// Results a search can page through before it answers 400; `None` for all. No source.
    #[serde(deserialize_with = "spelling::limit")]
    pub search_cap: Option<u32>,
    /// Most `values` in one criterion. No source.
    pub search_values_max: usize,
    /// Whether more of them are passed over in silence instead of answered with 400. No source.
    pub search_values_cut: bool,
    /// Whether `username` can be searched; otherwise a criterion with it is answered with 400. Nobody says so; official
    /// code searches `email`, `name` and `state`.
    pub search_usernames: bool,
    /// Whether EXACT on `email` and `username` ignores case. No source.
    pub search_folds_case: bool,
    /// Whether a search without a state criterion finds deleted users too. No source.
    pub search_shows_deleted: bool,
    /// Whether an address that differs only in case is taken. No source; `true` is the harder case for a client.
    pub case_insensitive: bool,
    /// Whether an inactive user keeps its address from being used again. The text of SCIM's 409 says so.
    pub inactive_holds: bool,
    /// Whether a deleted user keeps its address from being used again. Official code relies on it.
    pub deleted_holds: bool,
    /// Whether somebody's username keeps an address from being used. At creation they are the same; no source beyond that.
    pub usernames_hold: bool,
    /// Status of a create whose address an active or inactive user holds is 409; this is that for a deleted one. Whether 400
    /// is ever used: no source.
    pub deleted_conflict_status: u16,
    /// Code of both. Official code matches `general.conflict`; `general.resource.conflict` is known by name.
    pub conflict_code: String,
    /// Whether an address with a letter beyond ASCII is refused with 400. No source.
    pub ascii_addresses: bool,
    /// Most characters of a name, department or title; above it the answer is 400. No spec states a maximum.
    #[serde(deserialize_with = "spelling::limit")]
    pub text_chars_max: Option<usize>,
    /// Whether a create learns who holds an address from the index of the search: then of two creates within its lag both
    /// succeed. No source says that addresses are unique at every moment.
    pub uniqueness_lags: bool,
    /// Status of a PATCH with a stale version: 409, or 400 (official code meets both).
    pub stale_version_status: u16,
    /// How long after a write the listing and the cursor still show the world before it.
    #[serde(deserialize_with = "spelling::seconds")]
    pub list_lag: Duration,
    /// How long after a write the search still finds the world before it. Waits in official code: 5 s to 3 min.
    #[serde(deserialize_with = "spelling::seconds")]
    pub search_lag: Duration,
    /// Time a request takes, slept outside the organisation: half before it is carried out, half after.
    #[serde(deserialize_with = "spelling::seconds")]
    pub latency: Duration,
    /// Whether the server still carries out a request whose client went away during the first half of the latency.
    pub finishes_orphans: bool,
    /// When the service is down for maintenance, since the simulator started: everything is answered with 503.
    pub maintenance: Option<Maintenance>,
    /// Largest request body, in octets (limit `request.bytes.max`); above it the answer is 413. At most 16 MiB.
    pub body_octets_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            org_name: "Simulated Organisation".to_owned(),
            divisions: vec!["Home".to_owned()],
            divisions_shown: None,
            client_id: "demo-client".to_owned(),
            client_secret: "demo-secret".to_owned(),
            bad_secret_status: 400,
            token_lifetime: Duration::from_secs(86_399),
            mints_per_minute: None,
            rate_allowed: 300,
            create_rate_allowed: None,
            org_rate_allowed: None,
            rate_window: Duration::from_secs(60),
            rate_window_slides: false,
            rate_headers: true,
            rate_headers_on_errors: true,
            reset_plus_one: false,
            retry_after: RetryAfter::Seconds,
            throttled_body_old: false,
            limits_shown: true,
            page_size_max: 500,
            page_size_capped: false,
            page_cap: PageCaps::default(),
            totals_stop_at: None,
            cursor: true,
            cursor_forbidden: false,
            cursor_cap: None,
            cursor_lifetime: None,
            search_page_size_max: 100,
            search_cap: Some(10_000),
            search_values_max: 100,
            search_values_cut: false,
            search_usernames: true,
            search_folds_case: true,
            search_shows_deleted: false,
            case_insensitive: true,
            inactive_holds: true,
            deleted_holds: true,
            usernames_hold: true,
            deleted_conflict_status: 409,
            conflict_code: "general.conflict".to_owned(),
            ascii_addresses: false,
            text_chars_max: None,
            uniqueness_lags: false,
            stale_version_status: 409,
            list_lag: Duration::ZERO,
            search_lag: Duration::ZERO,
            latency: Duration::ZERO,
            finishes_orphans: false,
            maintenance: None,
            body_octets_max: 512_000,
        }
    }
}

impl Settings {
    /// What can be read and cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        let statuses = [
            ("bad_secret_status", self.bad_secret_status),
            ("stale_version_status", self.stale_version_status),
            ("deleted_conflict_status", self.deleted_conflict_status),
        ];
        if let Some((name, status)) = statuses.iter().find(|(_, status)| !(400..=499).contains(status)) {
            return Err(format!("{name} is the status of a refusal, from 400 to 499, and not {status}"));
        }
        let empty = [
            ("rate_window", self.rate_window.is_zero()),
            ("page_size_max", self.page_size_max == 0),
            ("search_page_size_max", self.search_page_size_max == 0),
        ];
        if let Some((name, _)) = empty.iter().find(|(_, is_empty)| *is_empty) {
            return Err(format!("{name} is above 0"));
        }
        if self.body_octets_max > READ_OCTETS_MAX {
            return Err(format!("body_octets_max is at most {READ_OCTETS_MAX}"));
        }
        let (begins, lasts) = self.maintenance.map(|down| (down.begins, down.lasts)).unzip();
        check_lengths(&[
            ("token_lifetime", Some(self.token_lifetime)),
            ("rate_window", Some(self.rate_window)),
            ("cursor_lifetime", self.cursor_lifetime),
            ("list_lag", Some(self.list_lag)),
            ("search_lag", Some(self.search_lag)),
            ("latency", Some(self.latency)),
            ("maintenance.begins", begins),
            ("maintenance.lasts", lasts),
        ])
    }
}

/// Whether each of them can be meant.
pub(super) fn check_lengths(named: &[(&str, Option<Duration>)]) -> Result<(), String> {
    let longest = Duration::from_secs(YEARS_MAX * 366 * 86_400);
    match named.iter().find(|(_, length)| length.is_some_and(|length| length > longest)) {
        Some((name, _)) => Err(format!("{name} is longer than {YEARS_MAX} years")),
        None => Ok(()),
    }
}

/// How a 429 says how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryAfter {
    /// `Retry-After: 42`.
    Seconds,
    /// `Retry-After: Thu, 01 Jan 2026 00:00:42 GMT`, to be seen from the reply's own `Date`.
    Date,
    /// Not at all.
    Absent,
}

/// A time in which everything is answered with 503 `service.unavailable`.
///
/// The code is known, a format of its own for maintenance is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// When it begins, since the simulator started.
    #[serde(deserialize_with = "spelling::seconds")]
    pub begins: Duration,
    /// How long it lasts.
    #[serde(deserialize_with = "spelling::seconds")]
    pub lasts: Duration,
    /// Whether the body is a page of HTML, as of something in front of the service.
    #[serde(default)]
    pub html: bool,
}

impl Maintenance {
    pub(super) fn holds(self, now: Duration) -> bool {
        now.checked_sub(self.begins).is_some_and(|since| since < self.lasts)
    }
}

/// How many users a listing by each `state` reaches; `None` for all of them.
///
/// Official code met the cap with `inactive` at 10,000 and none with `active`. For the others there is no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageCaps {
    /// For `state=active`.
    #[serde(deserialize_with = "spelling::limit")]
    pub active: Option<u32>,
    /// For `state=inactive`.
    #[serde(deserialize_with = "spelling::limit")]
    pub inactive: Option<u32>,
    /// For `state=deleted`.
    #[serde(deserialize_with = "spelling::limit")]
    pub deleted: Option<u32>,
    /// For `state=any`.
    #[serde(deserialize_with = "spelling::limit")]
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
