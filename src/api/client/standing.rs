//! How fast calls may leave by what is known, and why none leaves just now: for whoever watches a run.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::api::client::{Client, locked};
use crate::api::pace::{Hold, Pace};
use crate::api::token::Credentials;
use crate::api::wire::Wire;

/// How fast calls may leave, by what is known so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Calls that the service allows per token and window.
    pub allowed: u32,
    /// Length of that window.
    pub window: Duration,
    /// Tokens that calls are spread over.
    pub n_tokens: u32,
    /// The cap that somebody set on the whole run, calls a minute.
    pub per_min: Option<u32>,
    /// Whether the service has said so, in a header or as one of its limits; else it is the documented default, or what
    /// was learned from being throttled.
    pub is_told: bool,
}

impl Standing {
    /// Calls a minute that one token may make.
    #[must_use]
    pub fn per_token(&self) -> f64 {
        f64::from(self.allowed) * 60.0 / self.window.as_secs_f64().max(1.0)
    }

    /// Calls a minute that all tokens together may make.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is positive, and saturates")]
    pub fn allowed_per_min(&self) -> u32 {
        let all = (self.per_token() * f64::from(self.n_tokens)).round() as u32;
        self.per_min.map_or(all, |most| most.min(all))
    }
}

/// Why nothing leaves just now, and for how long, where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Why.
    pub why: Hold,
    /// How much longer.
    pub left: Option<Duration>,
}

impl<W: Wire> Client<W> {
    /// How fast calls may leave, by what is known so far.
    pub fn standing(&self) -> Standing {
        let known = self.lanes.iter().find(|lane| lane.pace().quota().is_some()).unwrap_or(&self.lanes[0]);
        let ((allowed, window), is_told) = {
            let pace = known.pace();
            (pace.assumed_quota(), pace.quota().is_some())
        };
        // Sometimes a second more is told than a window has: 61 is a minute.
        let window = if window.as_secs() == 61 { Duration::from_secs(60) } else { window };
        Standing {
            allowed,
            window,
            n_tokens: u32::try_from(self.lanes.len()).unwrap_or(u32::MAX),
            per_min: self.per_min,
            is_told: is_told || self.knows_limits.load(Ordering::Relaxed),
        }
    }

    /// Whether any reply has come: before, nothing can be known of the service.
    pub fn has_heard(&self) -> bool {
        locked(&self.seen).replies > 0
    }

    /// Whether more tokens can be had by asking: a token that was given stays the only one.
    pub const fn can_mint(&self) -> bool {
        matches!(self.credentials, Credentials::Client { .. })
    }

    /// Why no call leaves just now; none if one may, or if one in its turn of an even flow soon will.
    pub fn waiting(&self) -> Option<Waiting> {
        let now = self.now();
        if self.unanswered.load(Ordering::Relaxed) > 0 {
            return Some(Waiting { why: Hold::Unanswered, left: None });
        }
        let lanes = self.lanes.iter().filter(|lane| lane.purse().token(now).is_some());
        let mut soonest: Option<(Hold, Duration)> = None;
        let mut n_lanes = 0;
        for lane in lanes {
            n_lanes += 1;
            let held = Pace::hold(&lane.pace(), now)?;
            soonest = soonest.filter(|(_, until)| *until <= held.1).or(Some(held));
        }
        if n_lanes == 0 {
            let open_at = locked(&self.login).open_at();
            return (open_at > now).then(|| Waiting { why: Hold::Login, left: Some(open_at - now) });
        }
        soonest.map(|(why, until)| Waiting { why, left: Some(until.saturating_sub(now)) })
    }
}
