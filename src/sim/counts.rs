//! What was asked and how it was answered, for tests to look at afterwards.

use std::collections::BTreeMap;

/// Requests since the simulator started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By method and route, e.g. `("GET", "/api/v2/users/{userId}")`; `"unknown"` for paths that do not exist.
    pub by_route: BTreeMap<(&'static str, &'static str), u64>,
    /// By HTTP status.
    pub by_status: BTreeMap<u16, u64>,
    /// By method, route and status.
    pub by_outcome: BTreeMap<(&'static str, &'static str, u16), u64>,
    /// Writes to users that were not created through the API: seeded ones and strangers.
    pub n_modified: u64,
    /// Largest number of `GET /api/v2/users` (and of the cursor) in flight at one time, as server and direct wire saw
    /// it.
    pub n_in_flight_max: u64,
    n_in_flight: u64,
}

impl Counts {
    /// Requests of that method to that route.
    #[must_use]
    pub fn n(&self, method: &str, route: &str) -> u64 {
        self.by_route.iter().filter(|((m, r), _)| *m == method && *r == route).map(|(_, n)| n).sum()
    }

    /// Requests answered with that status.
    #[must_use]
    pub fn n_status(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or(0)
    }

    /// Requests of that method to that route answered with that status.
    #[must_use]
    pub fn n_outcome(&self, method: &str, route: &str, status: u16) -> u64 {
        let wanted = |key: &(&str, &str, u16)| *key == (method, route, status);
        self.by_outcome.iter().filter(|(key, _)| wanted(key)).map(|(_, n)| n).sum()
    }

    /// Replies with 409.
    #[must_use]
    pub fn n_conflicts(&self) -> u64 {
        self.n_status(409)
    }

    /// Replies with 429.
    #[must_use]
    pub fn n_throttled(&self) -> u64 {
        self.n_status(429)
    }

    pub(super) fn note(&mut self, method: &'static str, route: &'static str, status: u16) {
        *self.by_route.entry((method, route)).or_default() += 1;
        *self.by_status.entry(status).or_default() += 1;
        *self.by_outcome.entry((method, route, status)).or_default() += 1;
    }

    pub(super) fn enter(&mut self) {
        self.n_in_flight += 1;
        self.n_in_flight_max = self.n_in_flight_max.max(self.n_in_flight);
    }

    pub(super) fn leave(&mut self) {
        self.n_in_flight = self.n_in_flight.saturating_sub(1);
    }
}
