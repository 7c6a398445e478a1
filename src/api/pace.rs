//! When the next call may leave: as fast as the quota allows, and never faster.
//!
//! The service counts calls per token in a window of fixed length and says in its headers how many it counted, how many
//! it allows and in how many seconds it starts anew. From these a [`Pace`] keeps a ledger: a call leaves only if, even
//! with every call still in flight counted, the window stays within what is allowed. Inside that gate creates are
//! spread evenly over what is left of the window, because bursts meet strangers on the same token badly.
//!
//! When a window ends is known twice. For *certain* it is over once the latest instant that any header leaves open has
//! passed: only that opens the gate. *Probably* a call that leaves at the window's `edge` is the first of the next one:
//! whole seconds, read at many moments, tell that to within some milliseconds, but for a second that some services add,
//! which is learned where windows meet. The last two calls of a window leave at the edge and behind it, so that the next
//! one opens without a gap: if the edge was wrong they still fit into the old one.
//!
//! Where no header speaks, the ledger is a log of one's own replies. Pure: time comes in as the duration since any fixed
//! start.

use std::collections::VecDeque;
use std::time::Duration;

use crate::api::wire::Reply;

/// Calls per minute before the service has said anything: the documented default of
/// `client.credentials.token.rate.per.minute`.
const PER_MIN_DEFAULT: u32 = 300;
/// Length of a window before the service has said anything.
const WINDOW_DEFAULT: Duration = Duration::from_secs(60);
/// Part of the quota that is used where no window is known.
const RHO: f64 = 0.99;
/// `inin-ratelimit-reset` counts whole seconds and may be one too high: that much earlier the window may end.
const RESET_SLACK: Duration = Duration::from_secs(2);
/// Wait behind the end of a window, so that the first call of the next one cannot fall into the last.
const GUARD: Duration = Duration::from_millis(2);
/// Added to that wait by every 429 just behind it, up to the maximum: a service that rounds its seconds down needs it.
const GUARD_STEP: Duration = Duration::from_millis(500);
const GUARD_MAX: Duration = Duration::from_secs(2);
/// A window longer than this is not believed.
const RESET_S_MAX: u32 = 3_600;
/// Calls in a window above which no header is believed.
const CALLS_MAX: u32 = 1_000_000;
/// Calls left unused in a window in which somebody else spends the same token.
const STRANGER_RESERVE: u32 = 3;
/// Windows without a 429 after which a twentieth more is dared, where no header says what is allowed.
const CLEAN_WINDOWS: u32 = 10;
/// How much faster than lately a stranger is taken to be.
const STRANGER_HASTE: f64 = 1.3;
/// Least that a window's edge is moved behind a call that was too early.
const EDGE_STEP: Duration = Duration::from_millis(5);
/// Calls are not held up for longer than that, as a rule.
const JITTER: Duration = Duration::from_millis(150);
/// Most that one window moves it back: a call that was held up on its way is no proof.
const EDGE_STEP_BACK: Duration = Duration::from_millis(100);

/// When the next call may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// At once.
    Now,
    /// Not before that time.
    At(Duration),
    /// When a call in flight has come back: only its headers can tell.
    AfterReply,
}

/// Why no call leaves for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The service has said 429.
    Throttled,
    /// Every call that is allowed in this window was made.
    Full {
        /// Calls allowed in it.
        allowed: u32,
    },
    /// A read got no answer and is sent again soon.
    Unanswered,
    /// The login host hands out no token.
    Login,
}

/// How a call wants to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// In its turn of an even flow: the creates of a long run.
    Even,
    /// At once while half of the window is unused: pages, of which a run needs few and waits for all.
    Burst,
}

/// Rate headers of one reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `inin-ratelimit-allowed`: calls per window.
    pub allowed: Option<u32>,
    /// `inin-ratelimit-count`: calls counted in this window, this one included.
    pub count: Option<u32>,
    /// `inin-ratelimit-reset`: whole seconds until the window ends.
    pub reset_s: Option<u32>,
}

impl Limits {
    /// Reads the headers of a reply; what is missing, no number or beyond belief is absent.
    #[must_use]
    pub fn of(reply: &Reply) -> Self {
        let number = |name: &str, max: u32| {
            reply.header(name).and_then(|v| v.trim().parse().ok()).filter(|number: &u32| *number <= max)
        };
        Self {
            allowed: number("inin-ratelimit-allowed", CALLS_MAX).filter(|allowed| *allowed > 0),
            count: number("inin-ratelimit-count", CALLS_MAX),
            reset_s: number("inin-ratelimit-reset", RESET_S_MAX),
        }
    }
}

/// The window that the service is in, as far as replies prove it.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// It ends between these two instants.
    ends: (Duration, Duration),
    /// Highest count seen.
    count: u32,
    /// When the call with that count left, and when it had come back: a call that leaves later cannot have a lower one
    /// in this window.
    counted: (Duration, Duration),
    /// Own replies that belong to it.
    own: u32,
    /// Calls that were there before the first reply, and are nobody's of ours that are known.
    base: u32,
    /// Calls of strangers since, at least.
    foreign: u32,
    /// When its first reply came.
    opened: Duration,
    /// The first and the last departure of its calls.
    sent: (Duration, Duration),
}

/// The window before, as far as it teaches where windows meet.
#[derive(Clone, Copy, Debug)]
struct Past {
    /// Earliest end.
    ends: Duration,
    /// The last departure of its calls.
    sent: Duration,
}

/// The ledger of one token.
#[derive(Clone, Debug)]
pub struct Pace {
    gap_cap: Duration,
    /// Calls per minute by other sources than headers, and how many of them are dared, since when.
    assumed: u32,
    dared: (u32, Duration),
    allowed: Option<u32>,
    /// Length of a window, or a second more.
    length: Duration,
    window: Option<Window>,
    past: Option<Past>,
    /// From the earliest end of a window to its edge.
    edge: Duration,
    guard: Duration,
    /// When the last window had ended for certain: replies of its stragglers say nothing about the next one.
    closed: Duration,
    /// Calls a second of strangers in the last window.
    foreign_per_s: f64,
    /// What is allowed is known from another token.
    is_told: bool,
    replies: u64,
    in_flight: u32,
    last_sent: Option<Duration>,
    paused_until: Duration,
    /// When the calls of the last minute had come back.
    log: VecDeque<Duration>,
}

impl Pace {
    /// A ledger that knows nothing yet; `per_min` caps this token on top of what the service allows.
    #[must_use]
    pub fn new(per_min: Option<f64>) -> Self {
        Self {
            gap_cap: per_min.map_or(Duration::ZERO, |n| Duration::from_secs_f64(60.0 / n)),
            assumed: PER_MIN_DEFAULT,
            dared: (PER_MIN_DEFAULT, Duration::ZERO),
            allowed: None,
            length: WINDOW_DEFAULT,
            window: None,
            past: None,
            edge: Duration::ZERO,
            guard: GUARD,
            closed: Duration::ZERO,
            foreign_per_s: 0.0,
            is_told: false,
            replies: 0,
            in_flight: 0,
            last_sent: None,
            paused_until: Duration::ZERO,
            log: VecDeque::new(),
        }
    }

    /// Takes the service to allow that many calls a minute for as long as no header says how many.
    pub fn assume(&mut self, per_min: u32) {
        self.assumed = per_min.clamp(1, CALLS_MAX);
        self.dared.0 = self.assumed;
    }

    /// Calls in a window and its length, once a header has told.
    #[must_use]
    pub fn quota(&self) -> Option<(u32, Duration)> {
        self.allowed.map(|allowed| (allowed, self.length))
    }

    /// Calls in a window and its length, by whatever is known.
    #[must_use]
    pub fn assumed_quota(&self) -> (u32, Duration) {
        (self.allowed(), self.length)
    }

    /// Why no call leaves at `now`, and until when none does; none if only its turn is waited for.
    #[must_use]
    pub fn hold(&self, now: Duration) -> Option<(Hold, Duration)> {
        if now < self.paused_until {
            return Some((Hold::Throttled, self.paused_until));
        }
        let window = self.window.filter(|window| now < window.ends.1 + self.guard)?;
        let allowed = self.allowed();
        (self.bound(window, now) >= allowed).then_some((Hold::Full { allowed }, window.ends.1 + self.guard))
    }

    /// Takes over the quota of another token of the same client until a header of this one speaks: it is minted for us and
    /// nobody has spent any of it, so its first call need not go alone.
    pub fn hear(&mut self, (allowed, length): (u32, Duration)) {
        if self.replies == 0 {
            (self.allowed, self.length, self.is_told) = (Some(allowed), length, true);
        }
    }

    /// Calls a second that this token may make, by what is known.
    #[must_use]
    pub fn rate_per_s(&self) -> f64 {
        let allowed = f64::from(self.allowed()) / self.length.as_secs_f64();
        if self.gap_cap.is_zero() { allowed } else { allowed.min(1.0 / self.gap_cap.as_secs_f64()) }
    }

    fn allowed(&self) -> u32 {
        self.allowed.unwrap_or(self.dared.0)
    }

    /// When the next call may leave, seen from `now`.
    pub fn slot(&mut self, now: Duration, haste: Haste) -> Slot {
        if now < self.paused_until {
            return Slot::At(self.paused_until);
        }
        if self.replies == 0 && self.in_flight > 0 && !self.is_told {
            // One call asks what the limits are; a token may be half spent already.
            return Slot::AfterReply;
        }
        if let Some(window) = self.window.take_if(|w| now >= w.ends.1 + self.guard) {
            self.closed = window.ends.1;
            self.close(window);
        }
        let gap = match self.window {
            Some(window) => self.gap_within(window, now, haste),
            None => self.gap_blind(now),
        };
        match gap {
            Err(slot) => slot,
            Ok(gap) => match self.last_sent.map(|last| last + gap.max(self.gap_cap)) {
                Some(at) if at > now => Slot::At(at),
                _ => Slot::Now,
            },
        }
    }

    /// The distance between two calls while nothing is known of the window: an even flow. The log proves that no window
    /// of that length can hold more than is allowed, whenever it begins: a call counts until a window has passed since
    /// it came back.
    fn gap_blind(&mut self, now: Duration) -> Result<Duration, Slot> {
        if now >= self.dared.1 + self.length * CLEAN_WINDOWS {
            self.dared = ((self.dared.0 + self.dared.0 / 20 + 1).min(self.assumed), now);
        }
        let (allowed, length) = (self.allowed(), self.length);
        self.forget(now.saturating_sub(length).max(self.closed));
        if self.log.len() + self.in_flight as usize >= allowed as usize {
            return Err(self.log.front().map_or(Slot::AfterReply, |back| Slot::At(*back + length + self.guard)));
        }
        Ok(length.div_f64(f64::from(allowed) * RHO))
    }

    /// The distance between two calls in a window, or when there is room again.
    fn gap_within(&self, window: Window, now: Duration, haste: Haste) -> Result<Duration, Slot> {
        let allowed = self.allowed();
        let left = allowed.saturating_sub(self.bound(window, now));
        if left == 0 {
            return Err(Slot::At(window.ends.1 + self.guard));
        }
        if haste == Haste::Burst && left > allowed / 2 {
            return Ok(Duration::ZERO);
        }
        let even = self.length / allowed;
        let edge = window.ends.0 + self.edge;
        let last = self.last_sent.unwrap_or(now);
        if last >= edge {
            return Ok(even);
        }
        // Where the end is known well enough, waiting for it costs less than a call kept for behind the edge.
        let n_behind = u32::from(window.ends.1.saturating_sub(edge) > even * 2);
        Ok(((edge - last) / left.saturating_sub(n_behind).max(1)).max(even / 2))
    }

    /// Calls that the service may have counted in the window once everything in flight has arrived.
    fn bound(&self, window: Window, now: Duration) -> u32 {
        let own = window.base.saturating_add(window.own).saturating_add(self.in_flight);
        if window.foreign == 0 && self.foreign_per_s == 0.0 {
            return window.count.max(own);
        }
        // Calls in flight may or may not be in the highest count: the gate assumes the worse.
        let seen_s = now.saturating_sub(window.opened).as_secs_f64().max(1.0);
        let per_s = self.foreign_per_s.max(f64::from(window.foreign) / seen_s);
        let unseen_s = now.saturating_sub(window.counted.0).as_secs_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let unseen = (per_s * unseen_s * STRANGER_HASTE) as u32;
        let counted = window.count.saturating_add(self.in_flight);
        counted.max(own).saturating_add(unseen).saturating_add(STRANGER_RESERVE)
    }

    /// A call leaves.
    pub fn sent(&mut self, now: Duration) {
        self.in_flight += 1;
        self.last_sent = Some(now);
    }

    /// A call that was to leave did not.
    pub const fn unsent(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        // Whoever waits for a first reply must not wait for this one.
        self.replies += 1;
    }

    /// At `now` a call has no reply: the service may have counted it all the same.
    pub fn lost(&mut self, now: Duration) {
        self.unsent();
        self.came_back(now);
        if let Some(window) = &mut self.window {
            window.count = window.count.saturating_add(1);
            window.own = window.own.saturating_add(1);
        }
    }

    /// A reply came at `now` to a call that left at `sent`.
    pub fn replied(&mut self, sent: Duration, now: Duration, limits: Limits) {
        self.unsent();
        self.came_back(now);
        self.allowed = limits.allowed.or(self.allowed);
        let (Some(_), Some(count), Some(reset_s)) = (limits.allowed, limits.count, limits.reset_s) else {
            if let Some(window) = &mut self.window {
                window.own = window.own.saturating_add(1);
            }
            return;
        };
        let reset = Duration::from_secs(u64::from(reset_s));
        let seen = Window {
            ends: ((sent + reset).saturating_sub(RESET_SLACK), now + reset),
            count,
            counted: (sent, now),
            own: 1,
            base: count.saturating_sub(1).saturating_sub(self.in_flight),
            foreign: 0,
            opened: now,
            sent: (sent, sent),
        };
        // Only the first call of a window tells all of its length.
        if !reset.is_zero() && (count == 1 || reset > self.length) {
            self.length = reset;
        }
        self.place(seen);
        self.learn();
    }

    fn came_back(&mut self, now: Duration) {
        self.log.push_back(now);
        self.forget(now.saturating_sub(self.length));
    }

    /// Nothing is old enough before a whole window has passed, what came back in the very first instant included.
    fn forget(&mut self, until: Duration) {
        while !until.is_zero() && self.log.front().is_some_and(|back| *back <= until) {
            self.log.pop_front();
        }
    }

    /// Finds the window that a reply belongs to.
    fn place(&mut self, seen: Window) {
        let is_straggler = match self.window {
            None => seen.ends.0 + RESET_SLACK / 2 <= self.closed,
            Some(w) => seen.ends.1 < w.ends.0,
        };
        if is_straggler {
            if let Some(past) = &mut self.past {
                past.sent = past.sent.max(seen.sent.0);
            }
            return;
        }
        let Some(window) = &mut self.window else {
            self.window = Some(seen);
            return;
        };
        // An end behind the latest possible, or a later call with a lower count: the service is in a new window.
        let is_next = seen.ends.0 > window.ends.1 || (seen.count <= window.count && seen.sent.0 >= window.counted.1);
        if is_next {
            let over = *window;
            self.close(over);
            self.window = Some(seen);
        } else {
            window.take(seen, self.in_flight);
        }
    }

    /// A window is over.
    fn close(&mut self, window: Window) {
        let seen_s = window.ends.1.saturating_sub(window.opened).as_secs_f64().max(1.0);
        self.foreign_per_s = f64::from(window.foreign) / seen_s;
        if let Some(past) = self.past.filter(|past| window.sent.0 + RESET_SLACK >= past.ends) {
            // Its first call left before the edge: the edge is too late.
            let first = window.sent.0.saturating_sub(past.ends);
            self.edge = self.edge.min(first.max(self.edge.saturating_sub(EDGE_STEP_BACK)));
        }
        self.past = Some(Past { ends: window.ends.0, sent: window.sent.1 });
    }

    /// A call that left behind the edge belonged to the old window all the same: the edge is too early.
    fn learn(&mut self) {
        let mut last = self.past.map_or(Duration::ZERO, |past| past.sent.saturating_sub(past.ends));
        if let Some(window) = self.window {
            last = last.max(window.sent.1.saturating_sub(window.ends.0));
        }
        if last >= self.edge {
            // So much is no jitter: this service adds no second.
            let least = if last > JITTER { RESET_SLACK / 2 } else { Duration::ZERO };
            self.edge = (last + EDGE_STEP).max(least).min(RESET_SLACK);
        }
    }

    /// At `now` the service said 429: nothing leaves before `until`.
    pub fn throttled(&mut self, now: Duration, until: Duration) {
        self.paused_until = self.paused_until.max(until);
        if self.allowed.is_none() {
            // What came back in the last minute is what has passed, but for this one. Yet one 429 is no proof of it.
            let passed = u32::try_from(self.log.len()).unwrap_or(u32::MAX).saturating_sub(1);
            self.dared = (self.dared.0.min(passed.max(self.dared.0 / 2).max(1)), now);
        }
        // Just behind the end of a window and with nobody else around: that was too early.
        let is_alone = self.foreign_per_s == 0.0 && self.window.is_none_or(|window| window.foreign == 0);
        if is_alone
            && self.last_sent.is_some_and(|last| last.saturating_sub(self.closed) < GUARD_MAX)
            && now > self.closed
        {
            self.guard = (self.guard + GUARD_STEP).min(GUARD_MAX);
        }
    }
}

impl Window {
    /// Another reply of the same window, with `in_flight` calls still on their way.
    fn take(&mut self, seen: Self, in_flight: u32) {
        self.ends = (self.ends.0.max(seen.ends.0), self.ends.1.min(seen.ends.1));
        if self.ends.0 > self.ends.1 {
            // Clocks that stood still in between: only the latest word counts.
            self.ends = seen.ends;
        }
        if seen.count > self.count {
            (self.count, self.counted) = (seen.count, seen.counted);
        }
        self.own = self.own.saturating_add(1);
        self.sent = (self.sent.0.min(seen.sent.0), self.sent.1.max(seen.sent.1));
        let known = self.base.saturating_add(self.own).saturating_add(in_flight);
        self.foreign = self.foreign.max(self.count.saturating_sub(known));
    }
}
