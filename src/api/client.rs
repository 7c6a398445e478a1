//! One client for the whole run: tokens, pace and the retry of reads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::api::fate::{Fate, RETRY_AFTER_MAX, Words, barred, is_redirect, redirected, untrusted, words};
use crate::api::pace::{Haste, Limits, Pace, Slot};
use crate::api::seen::Seen;
use crate::api::token::{Credentials, Token, TokenReply};
use crate::api::wire::{Lost, Reply, Request, Wire};
use crate::error::{Error, Kind, Result};

/// Times a read is sent before the service counts as unreachable: with the waits between, a quarter of a minute.
const READS_MAX: u32 = 6;
/// First wait before a read is sent again; doubled each time.
const READ_WAIT: Duration = Duration::from_millis(500);
/// Longest time for which a read is throttled and sent again.
const THROTTLED_MAX: Duration = Duration::from_secs(15 * 60);

/// How a client spends its quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// OAuth tokens to spread calls over; each has its own limit at the service.
    pub n_tokens: usize,
    /// Cap on calls per minute for the whole run, on top of what the service allows.
    pub per_min: Option<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { n_tokens: 1, per_min: None }
    }
}

/// Calls made so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests sent, token mints included.
    pub requests: u64,
    /// Replies 429 among them.
    pub throttled: u64,
}

/// A client of one organisation, shared by everything that calls it.
#[derive(Debug)]
pub struct Client<W> {
    wire: W,
    credentials: Credentials,
    lanes: Vec<Lane>,
    /// Only one caller at a time looks for a slot; the others queue fairly behind it.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
    started: Instant,
    requests: AtomicU64,
    throttled: AtomicU64,
    /// A given token was not accepted: nobody can mint another.
    is_rejected: AtomicBool,
    seen: Mutex<Seen>,
}

/// One token and its ledger.
#[derive(Debug)]
struct Lane {
    pace: Mutex<Pace>,
    token: tokio::sync::Mutex<Option<Token>>,
}

impl Lane {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to send one call now: counted in its lane's ledger until the reply came or the permit is dropped.
#[derive(Debug)]
pub struct Permit<W: Wire> {
    client: Arc<Client<W>>,
    lane: usize,
    token: Token,
    sent: Duration,
    end: End,
}

/// What the ledger has to be told when a permit is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing left.
    Unsent,
    /// The call left, and no reply is known.
    Lost,
    /// The ledger knows the reply.
    Replied,
}

impl<W: Wire> Drop for Permit<W> {
    fn drop(&mut self) {
        match self.end {
            End::Unsent => self.client.lanes[self.lane].pace().unsent(),
            End::Lost => self.client.lanes[self.lane].pace().lost(),
            End::Replied => {}
        }
        self.client.changed.notify_one();
    }
}

impl<W: Wire> Client<W> {
    /// A client over `wire`. Nothing is sent and no token minted before the first call.
    #[must_use]
    pub fn new(wire: W, credentials: Credentials, options: Options) -> Arc<Self> {
        let n_tokens = options.n_tokens.max(1);
        #[expect(clippy::cast_precision_loss, reason = "a handful of tokens")]
        let per_lane = options.per_min.map(|n| n / n_tokens as f64);
        let lane = || Lane { pace: Mutex::new(Pace::new(per_lane)), token: tokio::sync::Mutex::new(None) };
        Arc::new(Self {
            wire,
            credentials,
            lanes: (0..n_tokens).map(|_| lane()).collect(),
            turn: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            started: Instant::now(),
            requests: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            is_rejected: AtomicBool::new(false),
            seen: Mutex::default(),
        })
    }

    /// Calls made so far.
    pub fn tally(&self) -> Tally {
        Tally { requests: self.requests.load(Ordering::Relaxed), throttled: self.throttled.load(Ordering::Relaxed) }
    }

    /// What the headers of replies said so far.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tokens that calls are spread over.
    pub const fn n_tokens(&self) -> usize {
        self.lanes.len()
    }

    /// Calls a second that all tokens together may make, by what is known.
    pub fn rate_per_s(&self) -> f64 {
        5.0 * self.lanes.len() as f64
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until a call may leave and has a token to leave with.
    ///
    /// # Errors
    /// `Credentials` or `Unreachable` if no token can be had.
    pub async fn permit(self: &Arc<Self>, haste: Haste) -> Result<Permit<W>> {
        let lane = self.slot(haste).await;
        let mut permit = Permit {
            client: Arc::clone(self),
            lane,
            token: Token { secret: String::new().into(), renew_at: Duration::ZERO, generation: 0 },
            sent: self.now(),
            end: End::Unsent,
        };
        permit.token = self.token(lane).await?;
        permit.sent = self.now();
        Ok(permit)
    }

    async fn slot(&self, haste: Haste) -> usize {
        let _turn = self.turn.lock().await;
        loop {
            match self.best_lane(haste) {
                (lane, Slot::Now) => {
                    self.lanes[lane].pace().sent(self.now());
                    return lane;
                }
                (_, Slot::AfterReply) => self.changed.notified().await,
                (_, Slot::At(at)) => {
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep_until(self.started + at) => {}
                        () = self.changed.notified() => {}
                    }
                }
            }
        }
    }

    /// The lane that can send first.
    fn best_lane(&self, haste: Haste) -> (usize, Slot) {
        let now = self.now();
        let slots = self.lanes.iter().enumerate().map(|(at, lane)| (at, lane.pace().slot(now, haste)));
        let when = |slot: &Slot| match slot {
            Slot::Now => Duration::ZERO,
            Slot::At(at) => *at,
            Slot::AfterReply => Duration::MAX,
        };
        slots.min_by_key(|(_, slot)| when(slot)).unwrap_or((0, Slot::AfterReply))
    }

    /// The lane's token, minted or renewed if need be; callers of one lane wait for one minting.
    async fn token(&self, lane: usize) -> Result<Token> {
        let (id, secret) = match &self.credentials {
            Credentials::Token(_) if self.is_rejected.load(Ordering::Relaxed) => return Err(rejected_token()),
            Credentials::Token(token) => return Ok(Token::given(token)),
            Credentials::Client { id, secret } => (id, secret),
        };
        let mut held = self.lanes[lane].token.lock().await;
        let generation = held.as_ref().map_or(0, |t| t.generation);
        if let Some(token) = held.as_ref().filter(|t| t.renew_at > self.now()) {
            return Ok(token.clone());
        }
        let minted = self.mint(&Credentials::request(id, secret)).await?.into_token(self.now(), generation + 1);
        *held = Some(minted.clone());
        Ok(minted)
    }

    async fn mint(&self, request: &Request) -> Result<TokenReply> {
        let call = "POST oauth/token";
        let mut last = String::new();
        for attempt in 0..READS_MAX {
            if attempt > 0 {
                tokio::time::sleep(READ_WAIT * 2_u32.pow(attempt - 1)).await;
            }
            self.requests.fetch_add(1, Ordering::Relaxed);
            match self.wire.send(request.clone()).await {
                Ok(reply) if reply.status == 200 => match serde_json::from_slice(&reply.body) {
                    Ok(minted) => return Ok(minted),
                    // The login page of a network answers like this.
                    Err(_) => "the login host answered without a token".clone_into(&mut last),
                },
                Ok(reply) if is_mint_limit(&reply) || reply.status == 429 => "too many tokens".clone_into(&mut last),
                Ok(reply) if reply.status >= 500 => last = format!("HTTP {}", reply.status),
                Ok(reply) if is_redirect(reply.status) => return Err(redirected(call, reply.status)),
                Ok(reply) => return Err(refused_login(&reply)),
                Err(Lost::Untrusted(why)) => return Err(untrusted(call, &why)),
                Err(Lost::Barred(why)) => return Err(barred(call, &why)),
                Err(Lost::NotSent(why) | Lost::Unknown(why)) => last = why,
            }
        }
        Err(Error::new(Kind::Unreachable, format!("cannot log in: {last}")).hint("safe to run again"))
    }

    /// Forgets a token that was not accepted, unless somebody renewed it meanwhile.
    async fn distrust(&self, lane: usize, generation: u64) {
        if matches!(self.credentials, Credentials::Token(_)) {
            self.is_rejected.store(true, Ordering::Relaxed);
        }
        let mut held = self.lanes[lane].token.lock().await;
        if let Some(token) = held.as_mut().filter(|t| t.generation == generation) {
            token.renew_at = Duration::ZERO;
        }
    }

    /// Sends one call once, with a permit.
    ///
    /// # Errors
    /// The [`Fate`] of a call without a good reply.
    pub(super) async fn send(&self, permit: Permit<W>, request: Request) -> Result<Reply, Fate> {
        self.exchange(permit, request).await.unwrap_or_else(|lost| Err(Fate::of_loss(lost)))
    }

    /// Sends one call once: its loss, or the reply or its fate.
    async fn exchange(&self, mut permit: Permit<W>, mut request: Request) -> Result<Result<Reply, Fate>, Lost> {
        request.headers.push(permit.token.header());
        self.requests.fetch_add(1, Ordering::Relaxed);
        permit.end = End::Lost;
        let sent = self.wire.send(request).await;
        let now = self.now();
        let reply = match sent {
            Ok(reply) => reply,
            Err(lost) => {
                if !matches!(lost, Lost::Unknown(_)) {
                    permit.end = End::Unsent;
                }
                return Err(lost);
            }
        };
        permit.end = End::Replied;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).note(&reply);
        let lane = &self.lanes[permit.lane];
        lane.pace().replied(permit.sent, now, Limits::of(&reply));
        if (200..=299).contains(&reply.status) {
            return Ok(Ok(reply));
        }
        let fate = Fate::of_reply(&reply);
        match &fate {
            Fate::Throttled(after) => {
                self.throttled.fetch_add(1, Ordering::Relaxed);
                lane.pace().throttled(now + *after);
            }
            Fate::Auth(_) => self.distrust(permit.lane, permit.token.generation).await,
            Fate::NotSent(_) | Fate::Unknown(_) | Fate::Malformed(_) | Fate::Forbidden(_) | Fate::Refused(_) => {}
        }
        Ok(Err(fate))
    }

    /// Reads: sent again as often as it makes sense, since a read changes nothing.
    ///
    /// # Errors
    /// The inner [`Fate::Refused`] for the caller to judge; an [`Error`] for everything that ends the run.
    pub(super) async fn read<T: DeserializeOwned>(
        self: &Arc<Self>,
        call: &str,
        request: &Request,
    ) -> Result<Result<T, Words>> {
        match self.read_optional(call, request).await? {
            Err(words) if words.status == 403 => Err(Fate::Forbidden(words).into_error(call)),
            answer => Ok(answer),
        }
    }

    /// Like [`Client::read`] for what a run can do without: a missing permission is an answer too.
    ///
    /// # Errors
    /// The inner one is the service's refusal, 403 included.
    pub(super) async fn read_optional<T: DeserializeOwned>(
        self: &Arc<Self>,
        call: &str,
        request: &Request,
    ) -> Result<Result<T, Words>> {
        let mut wait = READ_WAIT;
        let mut auth_failures = 0;
        let mut sent = 0;
        let begun = self.now();
        loop {
            let permit = self.permit(Haste::Burst).await?;
            let fate = match self.exchange(permit, request.clone()).await {
                Ok(Ok(reply)) => match object(&reply) {
                    Ok(value) => return Ok(Ok(value)),
                    Err(why) => Fate::Malformed(why),
                },
                Ok(Err(fate)) => fate,
                Err(Lost::Untrusted(why)) => return Err(untrusted(call, &why)),
                Err(Lost::Barred(why)) => return Err(barred(call, &why)),
                Err(lost) => Fate::of_loss(lost),
            };
            match fate {
                Fate::Refused(words) if is_redirect(words.status) => return Err(redirected(call, words.status)),
                Fate::Refused(words) | Fate::Forbidden(words) => return Ok(Err(words)),
                Fate::Throttled(after) if after <= RETRY_AFTER_MAX && self.now() - begun < THROTTLED_MAX => continue,
                Fate::Auth(_) if auth_failures == 0 => auth_failures += 1,
                Fate::NotSent(_) | Fate::Unknown(_) | Fate::Malformed(_) if sent + 1 < READS_MAX => {
                    sent += 1;
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Fate::Throttled(_) | Fate::Auth(_) | Fate::NotSent(_) | Fate::Unknown(_) | Fate::Malformed(_) => {
                    return Err(fate.into_error(call));
                }
            }
        }
    }
}

/// Reads a body, which has to be a JSON object: a list would pass for the fields of one, in order.
///
/// # Errors
/// Where and how it is wrong; never what stands there, since that may be somebody's address.
pub(super) fn object<T: DeserializeOwned>(reply: &Reply) -> Result<T, String> {
    let n_octets = reply.body.len();
    if reply.body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(format!("the reply cannot be read (no JSON object in {n_octets} bytes)"));
    }
    serde_json::from_slice(&reply.body).map_err(|e| {
        let (kind, line, column) = (e.classify(), e.line(), e.column());
        format!("the reply cannot be read ({kind:?} error at line {line}, column {column} of {n_octets} bytes)")
    })
}

/// A login that says 400 because tokens are minted too fast, not because of the secret.
fn is_mint_limit(reply: &Reply) -> bool {
    reply.status == 400 && String::from_utf8_lossy(&reply.body).contains("rate limit exceeded")
}

fn refused_login(reply: &Reply) -> Error {
    let words = words(reply);
    let code = words.code.as_deref().unwrap_or("no code");
    Error::new(
        Kind::Credentials,
        format!("the login host refused the client credentials: HTTP {} ({code})", reply.status),
    )
    .hint("check client id and secret, and that the region is the client's own")
}

fn rejected_token() -> Error {
    Error::new(Kind::Credentials, "the access token was not accepted (HTTP 401)").hint(
        "it has expired or was revoked: get a new one, or use an OAuth client, whose tokens are renewed by themselves",
    )
}
