//! An outage must not become a storm: failures in a row are waited out, longer each time, and one call goes ahead and
//! looks whether it is over.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, Kind, Result};

/// Failures in a row before waiting, even if each call may have arrived.
const FAILURES_BEFORE_WAIT: u32 = 10;
/// Longest outage, or throttling without a success between, that is waited out.
const OUTAGE_MAX: Duration = Duration::from_secs(15 * 60);
/// Longest wait between two calls that look whether it is over.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Failures without a success between.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outage {
    /// Calls without a reply in a row.
    n_lost: u32,
    /// Times waited so far: each wait is longer.
    n_waits: u32,
    since: Option<Instant>,
    until: Option<Instant>,
    throttled_since: Option<Instant>,
}

impl Outage {
    /// The service answered.
    pub(super) const fn over(&mut self) {
        (self.n_lost, self.n_waits, self.since, self.until) = (0, 0, None, None);
    }

    /// It did something that was asked for.
    pub(super) fn done(&mut self) {
        *self = Self::default();
    }

    /// Until when nothing is to be sent, if that is not over yet.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until.filter(|until| *until > Instant::now())
    }

    /// Whether one call is to go ahead.
    pub(super) const fn is_tried(&self) -> bool {
        self.n_waits > 0
    }

    /// Counts a failure; waits at once if nothing left, else when they come in a row.
    ///
    /// # Errors
    /// `Unreachable` after a long outage.
    pub(super) fn failed(&mut self, not_sent: bool) -> Result<()> {
        let now = Instant::now();
        // Few that are lost, with long waits between, are no outage.
        if now - *self.since.get_or_insert(now) > OUTAGE_MAX && self.n_waits > 0 {
            return Err(Error::new(Kind::Unreachable, "the service has not answered for 15 minutes")
                .hint("run the same command again later: what was done is recorded"));
        }
        self.n_lost += u32::from(!not_sent);
        if self.until().is_none() && (not_sent || self.n_lost >= FAILURES_BEFORE_WAIT) {
            let wait = Duration::from_secs(1 << self.n_waits.min(6)).min(WAIT_MAX);
            self.n_waits += 1;
            self.until = Some(now + wait);
        }
        Ok(())
    }

    /// The pace waits as told; a service that throttles for ever is as good as away.
    ///
    /// # Errors
    /// `Unreachable`.
    pub(super) fn throttled(&mut self) -> Result<()> {
        let now = Instant::now();
        if now - *self.throttled_since.get_or_insert(now) > OUTAGE_MAX {
            return Err(Error::new(Kind::Unreachable, "the service has throttled every create for 15 minutes")
                .hint("run the same command again later: what was done is recorded"));
        }
        Ok(())
    }
}
