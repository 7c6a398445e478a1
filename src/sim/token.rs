//! Tokens and what each may do in a window.
//!
//! The limit is per token, and so is the window: fixed, opened by the first call after the one before it ended, unless a
//! switch lets it slide. A call that is turned away with 429 is not counted. By switches there are limits beside it that
//! no header shows: on creates, and on all tokens together.

use std::collections::{HashMap, VecDeque};
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
    /// Calls of a window that slides.
    recent: VecDeque<Duration>,
    creates: Span,
    revoked: bool,
}

/// A fixed window of a limit that no header shows.
#[derive(Clone, Copy, Default)]
struct Span {
    start: Option<Duration>,
    count: u32,
}

impl Span {
    /// Counts a call; else when the window ends.
    fn count(&mut self, allowed: u32, length: Duration, now: Duration) -> Result<(), Duration> {
        let open = self.start.filter(|start| *start + length > now);
        if open.is_none() {
            *self = Self { start: Some(now), count: 0 };
        }
        if self.count >= allowed {
            return Err(open.unwrap_or(now) + length);
        }
        self.count += 1;
        Ok(())
    }
}

/// How a call was counted.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    /// Calls of its window, itself included if it passes.
    count: u32,
    /// When its window ends, or the oldest call of one that slides counts no more.
    ends: Duration,
    /// When it may come again, if it is turned away.
    pub(super) throttled_until: Option<Duration>,
}

#[derive(Default)]
pub(super) struct Tokens {
    minted: Vec<Token>,
    by_value: HashMap<String, usize>,
    windows: Vec<WindowRecord>,
    all: Span,
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
        self.minted.push(Token {
            minted: now,
            window: None,
            recent: VecDeque::new(),
            creates: Span::default(),
            revoked: false,
        });
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

    /// Counts one call, or turns it away.
    pub(super) fn count(&mut self, token: usize, is_create: bool, now: Duration, settings: &Settings) -> Counted {
        let mut counted = self.count_in_window(token, now, settings);
        if counted.throttled_until.is_none() {
            let length = settings.rate_window;
            let of_all = settings.org_rate_allowed.map(|allowed| self.all.count(allowed, length, now));
            let creates = &mut self.minted[token].creates;
            let of_creates =
                settings.create_rate_allowed.filter(|_| is_create).map(|allowed| creates.count(allowed, length, now));
            counted.throttled_until = [of_all, of_creates].into_iter().flatten().find_map(Result::err);
        }
        counted
    }

    fn count_in_window(&mut self, token: usize, now: Duration, settings: &Settings) -> Counted {
        let length = settings.rate_window;
        let open = self.minted[token].window.filter(|at| self.windows[*at].start + length > now);
        let at = open.unwrap_or_else(|| {
            self.windows.push(WindowRecord { token_index: token, start: now, count: 0, throttled: 0 });
            self.windows.len() - 1
        });
        let (token, record) = (&mut self.minted[token], &mut self.windows[at]);
        token.window = Some(at);
        token.recent.retain(|then| settings.rate_window_slides && *then + length > now);
        let before = if settings.rate_window_slides { token.recent.len() as u32 } else { record.count };
        let passes = before < settings.rate_allowed;
        *if passes { &mut record.count } else { &mut record.throttled } += 1;
        if settings.rate_window_slides && passes {
            token.recent.push_back(now);
        }
        let opened = token.recent.front().copied().unwrap_or(record.start);
        let ends = opened + length;
        Counted { count: before + u32::from(passes), ends, throttled_until: (!passes).then_some(ends) }
    }

    /// Somebody else calls with the newest token that is good.
    pub(super) fn count_stranger(&mut self, now: Duration, settings: &Settings) {
        let newest =
            self.minted.iter().rposition(|token| !token.revoked && token.minted + settings.token_lifetime > now);
        if let Some(token) = newest {
            self.count(token, false, now, settings);
        }
    }

    pub(super) fn windows(&self) -> &[WindowRecord] {
        &self.windows
    }
}

impl Counted {
    pub(super) fn headers(&self, now: Duration, settings: &Settings) -> Vec<(String, String)> {
        if !settings.rate_headers {
            return Vec::new();
        }
        let reset_s = seconds_until(self.ends, now) + u64::from(settings.reset_plus_one);
        vec![
            header("inin-ratelimit-count", &self.count.to_string()),
            header("inin-ratelimit-allowed", &settings.rate_allowed.to_string()),
            header("inin-ratelimit-reset", &reset_s.to_string()),
        ]
    }
}

/// Whole seconds until `end`, rounded up: who waits that long is behind it.
pub(super) fn seconds_until(end: Duration, now: Duration) -> u64 {
    let left = end.saturating_sub(now);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// Id and secret of `Authorization: Basic`.
fn basic(request: &Request) -> Option<(String, String)> {
    let (kind, value) = request.header("authorization")?.split_once(' ')?;
    let plain = String::from_utf8(unbase64(value.trim())?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    kind.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}
