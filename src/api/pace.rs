//! When the next call may leave: as fast as the quota allows, and never faster.
//!
//! The service counts calls per token in a window of fixed length and says in its headers how many it counted, how many
//! it allows and in how many seconds it starts anew. From these a [`Pace`] keeps a ledger: a call leaves only if, even
//! with every call still in flight counted, the window stays within what is allowed. Inside that gate creates are
//! spread evenly over what is left of the window, because bursts meet strangers on the same token badly.
//!
//! Pure: time comes in as the duration since any fixed start.

use std::time::Duration;

use crate::api::wire::Reply;

/// Calls per minute before the service has said anything, and for ever if it sends no headers: the documented default
/// of `client.credentials.token.rate.per.minute`.
const PER_MIN_DEFAULT: f64 = 300.0;
/// Part of an unannounced quota that is used.
const RHO: f64 = 0.99;
/// `inin-ratelimit-reset` counts whole seconds and may be one too high: that much earlier the window may end.
const RESET_SLACK: Duration = Duration::from_secs(2);
/// Wait behind the end of a window, so that the first call of the next one cannot fall into the last.
const GUARD: Duration = Duration::from_millis(2);
/// Added to that wait by every 429, up to the maximum: a service that rounds its seconds down needs it.
const GUARD_STEP: Duration = Duration::from_millis(500);
const GUARD_MAX: Duration = Duration::from_secs(2);
/// A window longer than this is not believed.
const RESET_S_MAX: u32 = 3_600;
/// Calls left unused in a window in which somebody else spends the same token.
const STRANGER_RESERVE: u32 = 2;

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
    /// Reads the headers of a reply; what is missing or not a number is absent.
    #[must_use]
    pub fn of(reply: &Reply) -> Self {
        let number = |name: &str| reply.header(name).and_then(|v| v.trim().parse().ok());
        Self {
            allowed: number("inin-ratelimit-allowed"),
            count: number("inin-ratelimit-count"),
            reset_s: number("inin-ratelimit-reset"),
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
    /// When that count had come back: a later call cannot have a lower one in this window.
    counted_at: Duration,
    /// Own replies that belong to it.
    own: u32,
}

/// The ledger of one token.
#[derive(Clone, Debug)]
pub struct Pace {
    gap_cap: Duration,
    allowed: Option<u32>,
    window: Option<Window>,
    /// Longest `reset` seen: about the length of a window.
    length: Duration,
    guard: Duration,
    /// When the last window had ended for certain: replies of its stragglers say nothing about the next one.
    closed: Duration,
    stranger: bool,
    replies: u64,
    in_flight: u32,
    last_sent: Option<Duration>,
    paused_until: Duration,
}

impl Pace {
    /// A ledger that knows nothing yet; `per_min` caps this token on top of what the service allows.
    #[must_use]
    pub fn new(per_min: Option<f64>) -> Self {
        Self {
            gap_cap: per_min.map_or(Duration::ZERO, |n| Duration::from_secs_f64(60.0 / n)),
            allowed: None,
            window: None,
            length: Duration::ZERO,
            guard: GUARD,
            closed: Duration::ZERO,
            stranger: false,
            replies: 0,
            in_flight: 0,
            last_sent: None,
            paused_until: Duration::ZERO,
        }
    }

    /// When the next call may leave, seen from `now`.
    pub fn slot(&mut self, now: Duration, haste: Haste) -> Slot {
        if now < self.paused_until {
            return Slot::At(self.paused_until);
        }
        if self.replies == 0 && self.in_flight > 0 {
            // One call asks what the limits are; a token may be half spent already.
            return Slot::AfterReply;
        }
        if let Some(window) = self.window.take_if(|w| now > w.ends.1) {
            self.closed = window.ends.1;
        }
        let gap = match self.gap(now, haste) {
            Ok(gap) => gap.max(self.gap_cap),
            Err(until) => return Slot::At(until),
        };
        match self.last_sent.map(|last| last + gap) {
            Some(at) if at > now => Slot::At(at),
            _ => Slot::Now,
        }
    }

    /// The distance between two calls, or until when the window is full.
    fn gap(&self, now: Duration, haste: Haste) -> Result<Duration, Duration> {
        let Some(allowed) = self.allowed else {
            return Ok(Duration::from_secs_f64(60.0 / (PER_MIN_DEFAULT * RHO)));
        };
        let allowed = if self.stranger { allowed.saturating_sub(STRANGER_RESERVE).max(1) } else { allowed };
        // Calls in flight may or may not be in the highest count: the gate assumes the worse.
        let counted = self.window.map_or(0, |w| w.count).saturating_add(self.in_flight);
        let left = allowed.saturating_sub(counted);
        match self.window {
            Some(window) if left == 0 => Err(window.ends.1 + self.guard),
            // Nothing is known of this window yet, and if headers stay away nothing will be: an even flow.
            None => Ok(self.length.max(Duration::from_secs(1)).div_f64(f64::from(allowed) * RHO)),
            Some(_) if haste == Haste::Burst && left > allowed / 2 => Ok(Duration::ZERO),
            // Aimed at the middle of what is known of the end: too early leaves a gap, too late leaves calls unused.
            Some(window) => Ok(((window.ends.0 + window.ends.1) / 2).saturating_sub(now) / left),
        }
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

    /// A call has no reply: the service may have counted it all the same.
    pub fn lost(&mut self) {
        self.unsent();
        if let Some(window) = &mut self.window {
            window.count = window.count.saturating_add(1);
            window.own = window.own.saturating_add(1);
        }
    }

    /// A reply came at `now` to a call that left at `sent`.
    pub fn replied(&mut self, sent: Duration, now: Duration, limits: Limits) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.replies += 1;
        let (Some(allowed), Some(count), Some(reset_s)) = (limits.allowed, limits.count, limits.reset_s) else {
            return;
        };
        if reset_s > RESET_S_MAX {
            return;
        }
        self.allowed = Some(allowed.max(1));
        let reset = Duration::from_secs(u64::from(reset_s));
        self.length = self.length.max(reset);
        let ends = ((sent + reset).saturating_sub(RESET_SLACK), now + reset);
        if self.window.is_none() && ends.0 + RESET_SLACK / 2 <= self.closed {
            return;
        }
        let seen = Window { ends, count, counted_at: now, own: 1 };
        self.window = match self.window {
            None => Some(seen),
            // A later call with a lower count, or an end behind the latest possible: the service is in a new window.
            Some(w) if ends.0 > w.ends.1 || (count <= w.count && sent >= w.counted_at) => Some(seen),
            // A straggler of the window before.
            Some(w) if ends.1 < w.ends.0 => Some(w),
            Some(w) => Some(Window {
                ends: (w.ends.0.max(ends.0), w.ends.1.min(ends.1)),
                count: w.count.max(count),
                counted_at: if count > w.count { now } else { w.counted_at },
                own: w.own + 1,
            }),
        };
        if let Some(w) = self.window {
            self.stranger |= w.count > w.own.saturating_add(self.in_flight) && w.own > 1;
        }
    }

    /// The service said 429: nothing leaves before `until`.
    pub fn throttled(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
        self.window = None;
        self.guard = (self.guard + GUARD_STEP).min(GUARD_MAX);
    }
}
