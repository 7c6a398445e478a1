//! One client for the whole run: tokens, pace and the retry of reads.

mod standing;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::api::fate::{Fate, RETRY_AFTER_MAX, Words, is_redirect, redirected};
use crate::api::lane::Lane;
use crate::api::login::{self, Login};
use crate::api::pace::{Haste, Limits, Slot};
use crate::api::seen::Seen;
use crate::api::token::{Credentials, Token};
use crate::api::wire::{Lost, Reply, Request, Wire};
use crate::error::{Error, Kind, Result};
pub use standing::{Standing, Waiting};

/// Times a read is sent before the service counts as unreachable: with the waits between, a quarter of a minute.
const READS_MAX: u32 = 6;
/// First wait before a read is sent again; doubled each time.
const READ_WAIT: Duration = Duration::from_millis(500);
/// Longest time for which a read is throttled and sent again.
const THROTTLED_MAX: Duration = Duration::from_secs(15 * 60);

/// Times a read is sent with tokens that are not accepted, while other calls with others are.
const UNAUTHORISED_MAX: u32 = 5;

/// How a client spends its quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// OAuth tokens to spread calls over; each has its own limit at the service. Minted when they are needed. A token that
    /// was given stays the only one.
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
    /// Calls whose token was accepted.
    accepted: AtomicU64,
    /// No token that we can have is accepted.
    is_locked_out: AtomicBool,
    login: Mutex<Login>,
    /// The limits endpoint was asked.
    has_asked_limits: AtomicBool,
    /// A header has told what a token may do.
    knows_quota: AtomicBool,
    seen: Mutex<Seen>,
    /// The cap on the whole run, calls a minute.
    per_min: Option<u32>,
    /// The limits endpoint has told what a token may do.
    knows_limits: AtomicBool,
    /// Reads that got no answer and wait to be sent again.
    unanswered: AtomicU64,
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
            End::Lost => self.client.lanes[self.lane].pace().lost(self.client.now()),
            End::Replied => {}
        }
        self.client.changed.notify_one();
    }
}

/// What a caller does next.
enum Turn {
    /// Sends, on that lane.
    Go(usize, Token),
    /// Asks for a token for that lane.
    Mint(usize),
    /// Waits, until that time or until something changed.
    Wait(Option<Duration>),
}

/// The lane that a caller is asking for a token for: also when it is dropped, somebody else may ask again.
struct Minting<'c, W>(&'c Client<W>, usize);

/// A read that got no answer, until it is sent again or dropped.
struct Unanswered<'c>(&'c AtomicU64);

impl<'c> Unanswered<'c> {
    fn new(count: &'c AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<W> Drop for Minting<'_, W> {
    fn drop(&mut self) {
        self.0.lanes[self.1].purse().set_minting(false);
        self.0.changed.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Wire> Client<W> {
    /// A client over `wire`. Nothing is sent and no token minted before the first call.
    #[must_use]
    pub fn new(wire: W, credentials: Credentials, options: Options) -> Arc<Self> {
        let given = match &credentials {
            Credentials::Token(token) => Some(token),
            Credentials::Client { .. } => None,
        };
        let n_tokens = if given.is_some() { 1 } else { options.n_tokens.max(1) };
        #[expect(clippy::cast_precision_loss, reason = "a handful of tokens")]
        let per_lane = options.per_min.map(|n| n / n_tokens as f64);
        let lanes = (0..n_tokens).map(|_| Lane::new(per_lane, given)).collect();
        Arc::new(Self {
            wire,
            credentials,
            lanes,
            turn: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            started: Instant::now(),
            requests: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            is_locked_out: AtomicBool::new(false),
            login: Mutex::default(),
            has_asked_limits: AtomicBool::new(false),
            knows_quota: AtomicBool::new(false),
            seen: Mutex::default(),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate, of whole calls")]
            per_min: options.per_min.map(|per_min| per_min.round() as u32),
            knows_limits: AtomicBool::new(false),
            unanswered: AtomicU64::new(0),
        })
    }

    /// Calls made so far.
    pub fn tally(&self) -> Tally {
        Tally { requests: self.requests.load(Ordering::Relaxed), throttled: self.throttled.load(Ordering::Relaxed) }
    }

    /// What the headers of replies said so far.
    pub fn seen(&self) -> Seen {
        locked(&self.seen).clone()
    }

    /// Tokens that calls are spread over.
    pub const fn n_tokens(&self) -> usize {
        self.lanes.len()
    }

    /// Calls a second that all tokens together may make, by what is known so far.
    pub fn rate_per_s(&self) -> f64 {
        self.lanes.iter().map(|lane| lane.pace().rate_per_s()).sum()
    }

    /// Whether no token is accepted that this client can have: one that was given, or three fresh ones in a row without
    /// a call between that was accepted. Every later call ends with `Credentials`.
    pub fn is_locked_out(&self) -> bool {
        self.is_locked_out.load(Ordering::Relaxed)
    }

    /// Takes every token to be allowed that many calls a minute for as long as no header says how many.
    pub fn assume(&self, per_min: u32) {
        self.knows_limits.store(true, Ordering::Relaxed);
        self.lanes.iter().for_each(|lane| lane.pace().assume(per_min));
    }

    /// Whether this is the time to ask for what no header says: once, when replies came and none had one.
    pub(super) fn lacks_limits(&self) -> bool {
        let seen = self.seen();
        seen.replies > 0 && seen.with_rate == 0 && !self.has_asked_limits.swap(true, Ordering::Relaxed)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until a call may leave and has a token to leave with.
    ///
    /// # Errors
    /// `Credentials` or `Unreachable` if no token can be had.
    pub async fn permit(self: &Arc<Self>, haste: Haste) -> Result<Permit<W>> {
        loop {
            match self.turn(haste).await? {
                Turn::Go(lane, token) => {
                    let client = Arc::clone(self);
                    return Ok(Permit { client, lane, token, sent: self.now(), end: End::Unsent });
                }
                Turn::Mint(lane) => self.mint(lane).await?,
                Turn::Wait(_) => {}
            }
        }
    }

    /// Waits for something to do.
    async fn turn(&self, haste: Haste) -> Result<Turn> {
        let _turn = self.turn.lock().await;
        loop {
            if self.is_locked_out() {
                return Err(self.locked_out());
            }
            match self.look(haste) {
                Turn::Wait(None) => self.changed.notified().await,
                Turn::Wait(Some(at)) => {
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep_until(self.started + at) => {}
                        () = self.changed.notified() => {}
                    }
                }
                Turn::Go(lane, token) => {
                    self.lanes[lane].pace().sent(self.now());
                    return Ok(Turn::Go(lane, token));
                }
                Turn::Mint(lane) => {
                    self.lanes[lane].purse().set_minting(true);
                    return Ok(Turn::Mint(lane));
                }
            }
        }
    }

    /// A token that is due to be renewed comes first, then a lane with a token that may send now. Only where there is
    /// none a further token is minted.
    fn look(&self, haste: Haste) -> Turn {
        let now = self.now();
        let open_at = self.login_opens_at();
        let mut wait: Option<Duration> = None;
        let (mut ready, mut empty) = (None, None);
        for (at, lane) in self.lanes.iter().enumerate() {
            let purse = lane.purse();
            let mint_at = open_at.and_then(|open_at| Some(open_at.max(purse.wants_at()?)));
            let (may_mint, token) = (mint_at.is_some_and(|at| at <= now), purse.token(now));
            let until = match lane.pace().slot(now, haste) {
                Slot::Now if token.is_some() && may_mint => return Turn::Mint(at),
                Slot::Now if token.is_some() => {
                    ready = ready.or_else(|| token.map(|token| Turn::Go(at, token.clone())));
                    continue;
                }
                Slot::Now if may_mint => {
                    empty = empty.or(Some(at));
                    continue;
                }
                Slot::Now => mint_at,
                Slot::At(slot) if token.is_none() => mint_at.map(|mint_at| mint_at.max(slot)),
                Slot::At(slot) => Some(slot),
                Slot::AfterReply => None,
            };
            wait = wait.into_iter().chain(until).min();
        }
        ready.or_else(|| empty.map(Turn::Mint)).unwrap_or(Turn::Wait(wait))
    }

    /// From when on the login host may be asked: where it has not proven itself, by one at a time.
    fn login_opens_at(&self) -> Option<Duration> {
        let login = locked(&self.login);
        let is_asked = || self.lanes.iter().any(|lane| lane.purse().is_minting());
        (login.takes_many() || !is_asked()).then(|| login.open_at())
    }

    /// Asks once for a token.
    async fn mint(&self, lane: usize) -> Result<()> {
        let _minting = Minting(self, lane);
        let Credentials::Client { id, secret } = &self.credentials else { return Ok(()) };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let asked = self.now();
        let sent = self.wire.send(Credentials::request(id, secret)).await;
        let now = self.now();
        match login::outcome(sent) {
            Ok(minted) => {
                self.lanes[lane].purse().put(minted, now);
                locked(&self.login).granted();
                Ok(())
            }
            Err(denied) => {
                let is_dry = self.lanes.iter().all(|lane| lane.purse().token(now).is_none());
                locked(&self.login).denied(denied, asked, now, is_dry)
            }
        }
    }

    /// Forgets a token that was not accepted, unless somebody renewed it meanwhile.
    fn distrust(&self, lane: usize, generation: u64) {
        let n_accepted = self.accepted.load(Ordering::Relaxed);
        let in_vain = self.lanes[lane].purse().rejected(generation, self.now(), n_accepted);
        if in_vain || matches!(self.credentials, Credentials::Token(_)) {
            self.is_locked_out.store(true, Ordering::Relaxed);
        }
    }

    fn locked_out(&self) -> Error {
        match &self.credentials {
            Credentials::Token(_) => Error::new(Kind::Credentials, "the access token was not accepted (HTTP 401)")
                .hint(
                    "it has expired or was revoked: get a new one, or use an OAuth client, whose tokens are renewed by \
                     themselves",
                ),
            Credentials::Client { .. } => {
                Error::new(Kind::Credentials, "fresh tokens are not accepted, one after the other (HTTP 401)").hint(
                    "check that client id, secret and region belong together and that the OAuth client is enabled",
                )
            }
        }
    }

    /// Sends one call once, with a permit.
    ///
    /// # Errors
    /// The [`Fate`] of a call without a good reply.
    pub(super) async fn send(&self, mut permit: Permit<W>, mut request: Request) -> Result<Reply, Fate> {
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
                return Err(Fate::of_loss(lost));
            }
        };
        permit.end = End::Replied;
        locked(&self.seen).note(&reply);
        let lane = &self.lanes[permit.lane];
        lane.pace().replied(permit.sent, now, Limits::of(&reply));
        self.spread(permit.lane);
        if reply.status != 401 && reply.status < 500 {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            lane.purse().worked(permit.token.generation);
        }
        if (200..=299).contains(&reply.status) {
            return Ok(reply);
        }
        let fate = Fate::of_reply(&reply);
        match &fate {
            Fate::Throttled(after) => {
                self.throttled.fetch_add(1, Ordering::Relaxed);
                lane.pace().throttled(now, now + *after);
            }
            Fate::Auth(_) => self.distrust(permit.lane, permit.token.generation),
            Fate::NotSent(_) | Fate::Untrusted(_) | Fate::Barred(_) => {}
            Fate::Unknown(_) | Fate::Malformed(_) | Fate::Forbidden(_) | Fate::Refused(_) => {}
        }
        Err(fate)
    }

    /// Tells every lane the quota of the first one that knows it.
    fn spread(&self, lane: usize) {
        let quota = self.lanes[lane].pace().quota();
        if let Some(quota) = quota
            && !self.knows_quota.swap(true, Ordering::Relaxed)
        {
            self.lanes.iter().for_each(|lane| lane.pace().hear(quota));
        }
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
            let fate = match self.send(permit, request.clone()).await {
                Ok(reply) => match object(&reply) {
                    Ok(value) => return Ok(Ok(value)),
                    Err(why) => Fate::Malformed(why),
                },
                Err(fate) => fate,
            };
            match fate {
                Fate::Refused(words) if is_redirect(words.status) => return Err(redirected(call, words.status)),
                Fate::Refused(words) | Fate::Forbidden(words) => return Ok(Err(words)),
                Fate::Throttled(after) if after <= RETRY_AFTER_MAX && self.now() - begun < THROTTLED_MAX => continue,
                // Where no token is accepted any more, the next permit says so.
                Fate::Auth(_) if auth_failures < UNAUTHORISED_MAX => auth_failures += 1,
                Fate::NotSent(_) | Fate::Unknown(_) | Fate::Malformed(_) if sent + 1 < READS_MAX => {
                    sent += 1;
                    let _unanswered = Unanswered::new(&self.unanswered);
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Fate::Throttled(_) | Fate::Auth(_) | Fate::NotSent(_) | Fate::Untrusted(_) | Fate::Barred(_) => {
                    return Err(fate.into_error(call));
                }
                Fate::Unknown(_) | Fate::Malformed(_) => return Err(fate.into_error(call)),
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
