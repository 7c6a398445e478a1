//! The login host: what came of asking it for a token, and how long it is given when it hands out none.

use std::time::Duration;

use crate::api::fate::{RETRY_AFTER_MAX, barred, is_redirect, redirected, retry_after, untrusted, words};
use crate::api::token::TokenReply;
use crate::api::wire::{Lost, Reply};
use crate::error::{Error, Kind, Result};

/// Times in a row that a login host is asked which has never answered, and the first wait between, doubled each time: in
/// all a quarter of a minute.
const ASKED_MAX: u32 = 6;
const COLD_WAIT: Duration = Duration::from_millis(500);
/// Shortest and longest wait once it has answered, or when it says that tokens are minted too fast.
const COOL_WAIT: Duration = Duration::from_secs(5);
const COOL_WAIT_MAX: Duration = Duration::from_secs(60);
/// Longest time without any token in a run that had one.
const DRY_MAX: Duration = Duration::from_secs(15 * 60);

/// Why there is no token.
#[derive(Debug)]
pub(super) enum Denied {
    /// Tokens are minted too fast. Perhaps it says how long to wait.
    Limited(Option<Duration>),
    /// No answer, or none of a login host.
    Away(String),
    /// Asking again is in vain.
    ForGood(Error),
}

/// What a login came to.
pub(super) fn outcome(sent: Result<Reply, Lost>) -> Result<TokenReply, Denied> {
    let call = "POST oauth/token";
    match sent {
        Ok(reply) if reply.status == 200 => serde_json::from_slice(&reply.body)
            // The login page of a network answers like this.
            .map_err(|_| Denied::Away("the login host answered without a token".to_owned())),
        Ok(reply) if reply.status == 429 || is_mint_limit(&reply) => {
            Err(Denied::Limited(reply.header("retry-after").map(|_| retry_after(&reply))))
        }
        Ok(reply) if reply.status >= 500 || reply.status == 408 => Err(Denied::Away(format!("HTTP {}", reply.status))),
        Ok(reply) if is_redirect(reply.status) => Err(Denied::ForGood(redirected(call, reply.status))),
        Ok(reply) if reply.status == 407 => {
            Err(Denied::ForGood(barred(call, "the proxy wants other credentials (HTTP 407)")))
        }
        Ok(reply) => Err(Denied::ForGood(refused(&reply))),
        Err(Lost::Untrusted(why)) => Err(Denied::ForGood(untrusted(call, &why))),
        Err(Lost::Barred(why)) => Err(Denied::ForGood(barred(call, &why))),
        Err(Lost::NotSent(why) | Lost::Unknown(why)) => Err(Denied::Away(why)),
    }
}

/// A login that says 400 because tokens are minted too fast, not because of the secret.
fn is_mint_limit(reply: &Reply) -> bool {
    reply.status == 400 && String::from_utf8_lossy(&reply.body).contains("rate limit exceeded")
}

fn refused(reply: &Reply) -> Error {
    let words = words(reply);
    let code = words.code.as_deref().unwrap_or("no code");
    Error::new(
        Kind::Credentials,
        format!("the login host refused the client credentials: HTTP {} ({code})", reply.status),
    )
    .hint("check client id and secret, and that the region is the client's own")
}

/// How the login host has behaved so far.
#[derive(Debug, Default)]
pub(super) struct Login {
    has_answered: bool,
    /// It has said that tokens are minted too fast.
    is_limited: bool,
    /// Failures since the last token.
    n_failed: u32,
    failed_at: Option<Duration>,
    /// Since when there is no token at all.
    dry_since: Option<Duration>,
    open_at: Duration,
}

impl Login {
    /// Whether several may ask at once: not before it has handed out a token, and not where it fails or counts.
    pub(super) const fn takes_many(&self) -> bool {
        self.has_answered && self.n_failed == 0 && !self.is_limited
    }

    /// Not to be asked before that time.
    pub(super) const fn open_at(&self) -> Duration {
        self.open_at
    }

    /// It handed out a token.
    pub(super) fn granted(&mut self) {
        *self = Self { has_answered: true, is_limited: self.is_limited, ..Self::default() };
    }

    /// It was asked at `asked` and handed out none, as is known `now`. `is_dry`: no lane has a token to go on with.
    ///
    /// # Errors
    /// `Credentials` or `Unsafe` where asking again is in vain, `Unreachable` when it was asked for long enough.
    pub(super) fn denied(&mut self, why: Denied, asked: Duration, now: Duration, is_dry: bool) -> Result<()> {
        self.is_limited |= matches!(why, Denied::Limited(_));
        let (is_cold, told, why) = match why {
            Denied::ForGood(error) => return Err(error),
            Denied::Limited(told) => (false, told, "too many tokens".to_owned()),
            Denied::Away(why) => (!self.has_answered, None, why),
        };
        // Of several that asked at once the first to fail speaks for all.
        if self.failed_at.is_none_or(|at| at <= asked) {
            (self.n_failed, self.failed_at) = (self.n_failed + 1, Some(now));
        }
        let first = if is_cold { COLD_WAIT } else { COOL_WAIT };
        let wait = (first * 2_u32.pow((self.n_failed - 1).min(10))).min(COOL_WAIT_MAX);
        let told = told.unwrap_or_default();
        self.open_at = now + wait.max(told.min(RETRY_AFTER_MAX));
        if !is_dry {
            self.dry_since = None;
            return Ok(());
        }
        // Of two that fail at once, the one that was asked first may be told last.
        let dry = now.saturating_sub(*self.dry_since.get_or_insert(now));
        if told <= RETRY_AFTER_MAX && dry < DRY_MAX && !(is_cold && self.n_failed >= ASKED_MAX) {
            return Ok(());
        }
        if is_cold {
            // Whoever else waits asks once more, and no longer.
            self.open_at = now;
        }
        let error = Error::new(Kind::Unreachable, format!("cannot log in: {why}"))
            .hint("check the network, the region and any proxy; safe to run again");
        Err(if told > RETRY_AFTER_MAX { error.after(told) } else { error })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Asks whenever it is open until it is given up, and says when that was.
    fn given_up(login: &mut Login, mut now: Duration, why: impl Fn() -> Denied) -> (Duration, Error) {
        loop {
            match login.denied(why(), now, now, true) {
                Ok(()) => now = login.open_at(),
                Err(error) => return (now, error),
            }
        }
    }

    #[test]
    fn a_login_host_is_given_seconds_at_first_and_a_quarter_of_an_hour_once_it_has_answered() {
        let away = || Denied::Away("connection refused".to_owned());
        let mut login = Login::default();
        let (cold, error) = given_up(&mut login, SECOND, away);
        assert_eq!((cold, error.kind()), (SECOND * 33 / 2, Kind::Unreachable));
        login.granted();
        let (warm, _) = given_up(&mut login, SECOND, away);
        assert!((DRY_MAX..DRY_MAX + COOL_WAIT_MAX * 2).contains(&warm), "{warm:?}");
        let limited = || Denied::Limited(None);
        assert!(given_up(&mut Login::default(), SECOND, limited).0 >= DRY_MAX);
        let (at_once, error) = given_up(&mut Login::default(), SECOND, || Denied::Limited(Some(SECOND * 600)));
        assert_eq!((at_once, error.wait()), (SECOND, Some(SECOND * 600)));
    }

    #[test]
    fn many_that_fail_at_once_are_one_failure_and_nobody_gives_up_while_there_are_tokens() {
        let mut login = Login::default();
        for _ in 0..10 {
            login.denied(Denied::Away(String::new()), SECOND, SECOND * 2, true).unwrap();
        }
        assert_eq!(login.open_at(), SECOND * 2 + COLD_WAIT);
        for n in 0..10_000 {
            login.denied(Denied::Limited(None), SECOND * n, SECOND * n, false).unwrap();
        }
        assert_eq!(login.open_at(), SECOND * 9_999 + COOL_WAIT_MAX);
    }
}
