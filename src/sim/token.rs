//! Tokens and what each may do in a window.
//!
//! The limit is per token, and so is the window: fixed, opened by the first call after the one before it ended. A call
//! that is turned away with 429 is not counted.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::answer::{Answer, Refusal, body, header};
use super::codec::{digest, pairs, unbase64};
use super::settings::Settings;
use crate::api::wire::Request;

/// Span in which minted tokens are counted.
const MINT_WINDOW: Duration = Duration::from_secs(60);

/// What one token did in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowRecord {
    /// Number of the token, from 0, in the order of minting.
    pub token_index: usize,
    /// When the window was opened, since the simulator started.
    pub start: Duration,
    /// Calls that were let through.
    pub count: u32,
    /// Calls that were answered with 429.
    pub throttled: u32,
}

struct Token {
    minted: Duration,
    /// Place of its newest window.
    window: Option<usize>,
    revoked: bool,
}

#[derive(Default)]
pub(super) struct Tokens {
    minted: Vec<Token>,
    by_value: HashMap<String, usize>,
    windows: Vec<WindowRecord>,
}

impl Tokens {
    /// `POST /oauth/token`.
    pub(super) fn mint(&mut self, request: &Request, now: Duration, settings: &Settings) -> Answer {
        let form = pairs(&String::from_utf8_lossy(&request.body));
        let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        if field("grant_type").as_deref() != Some("client_credentials") {
            return Err(Refusal::oauth(400, "unsupported_grant_type", "grant_type must be client_credentials"));
        }
        let given = basic(request).or_else(|| Some((field("client_id")?, field("client_secret")?)));
        if given != Some((settings.client_id.clone(), settings.client_secret.clone())) {
            return Err(Refusal::oauth(settings.bad_secret_status, "invalid_client", "client not found or bad secret"));
        }
        if settings.mints_per_minute.is_some_and(|allowed| self.n_minted_since(now) >= allowed as usize) {
            return Err(Refusal::oauth(400, "invalid_request", "rate limit exceeded; too many token requests"));
        }
        let value = self.issue(now, settings.seed);
        let lifetime_s = settings.token_lifetime.as_secs();
        Ok(body(&json!({"access_token": value, "token_type": "bearer", "expires_in": lifetime_s})))
    }

    fn n_minted_since(&self, now: Duration) -> usize {
        self.minted.iter().rev().take_while(|token| token.minted + MINT_WINDOW > now).count()
    }

    /// A new token, whoever asks.
    pub(super) fn issue(&mut self, now: Duration, seed: u64) -> String {
        let value = digest(seed, "token", self.minted.len() as u64);
        self.by_value.insert(value.clone(), self.minted.len());
        self.minted.push(Token { minted: now, window: None, revoked: false });
        value
    }

    /// Makes every token so far unknown.
    pub(super) fn revoke(&mut self) {
        self.minted.iter_mut().for_each(|token| token.revoked = true);
    }

    /// Number of the token a request carries.
    pub(super) fn authorise(&self, request: &Request, now: Duration, settings: &Settings) -> Result<usize, Refusal> {
        let (kind, value) = request.header("authorization").and_then(|text| text.split_once(' ')).unwrap_or_default();
        if !kind.eq_ignore_ascii_case("bearer") || value.trim().is_empty() {
            let text = "No authentication bearer token specified in authorization header.";
            return Err(Refusal::new(401, "authentication.required", text));
        }
        let known = self.by_value.get(value.trim()).copied().filter(|at| !self.minted[*at].revoked);
        let Some(index) = known else {
            return Err(Refusal::new(401, "bad.credentials", "Invalid login credentials."));
        };
        if self.minted[index].minted + settings.token_lifetime <= now {
            return Err(Refusal::new(401, "credentials.expired", "The supplied credentials have expired."));
        }
        Ok(index)
    }

    /// Counts one call, or turns it away; the record is the window it fell into.
    pub(super) fn count(&mut self, token: usize, now: Duration, settings: &Settings) -> (WindowRecord, bool) {
        let open = self.minted[token].window.filter(|at| self.windows[*at].start + settings.rate_window > now);
        let at = open.unwrap_or_else(|| {
            self.windows.push(WindowRecord { token_index: token, start: now, count: 0, throttled: 0 });
            self.windows.len() - 1
        });
        self.minted[token].window = Some(at);
        let record = &mut self.windows[at];
        let passes = record.count < settings.rate_allowed;
        *if passes { &mut record.count } else { &mut record.throttled } += 1;
        (*record, passes)
    }

    pub(super) fn windows(&self) -> &[WindowRecord] {
        &self.windows
    }
}

impl WindowRecord {
    /// Whole seconds until the window ends, rounded up: who waits that long finds the next one.
    pub(super) fn remaining_s(&self, now: Duration, settings: &Settings) -> u64 {
        let left = (self.start + settings.rate_window).saturating_sub(now);
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }

    pub(super) fn headers(&self, now: Duration, settings: &Settings) -> Vec<(String, String)> {
        if !settings.rate_headers {
            return Vec::new();
        }
        let reset_s = self.remaining_s(now, settings) + u64::from(settings.reset_plus_one);
        vec![
            header("inin-ratelimit-count", &self.count.to_string()),
            header("inin-ratelimit-allowed", &settings.rate_allowed.to_string()),
            header("inin-ratelimit-reset", &reset_s.to_string()),
        ]
    }
}

/// Id and secret of `Authorization: Basic`.
fn basic(request: &Request) -> Option<(String, String)> {
    let (kind, value) = request.header("authorization")?.split_once(' ')?;
    let plain = String::from_utf8(unbase64(value.trim())?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    kind.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}
