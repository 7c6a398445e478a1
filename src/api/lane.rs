//! One token and its ledger: each token has a limit of its own at the service.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use crate::api::pace::Pace;
use crate::api::token::{Token, TokenReply};

/// Fresh tokens in a row, none of which was ever accepted, after which no other one will be.
const REJECTED_MAX: u32 = 3;
/// First wait before another token is asked for when a fresh one was not accepted, doubled each time.
const REJECTED_WAIT: Duration = Duration::from_secs(1);

/// One token and its ledger.
#[derive(Debug)]
pub(super) struct Lane {
    pace: Mutex<Pace>,
    purse: Mutex<Purse>,
}

impl Lane {
    /// A lane with a token that somebody gave us, or without any.
    pub(super) fn new(per_min: Option<f64>, given: Option<&SecretString>) -> Self {
        let purse = Purse { token: given.map(Token::given), ..Purse::default() };
        Self { pace: Mutex::new(Pace::new(per_min)), purse: Mutex::new(purse) }
    }

    pub(super) fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn purse(&self) -> MutexGuard<'_, Purse> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The token of a lane, and what became of those before it.
#[derive(Debug, Default)]
pub(super) struct Purse {
    token: Option<Token>,
    is_minting: bool,
    /// Tokens so far.
    generation: u64,
    /// A call with this token was accepted.
    has_worked: bool,
    /// Fresh tokens that were not accepted since one was.
    n_rejected: u32,
    /// Those of them since any lane had a token accepted, and how many calls had been by then.
    in_a_row: (u32, u64),
    /// No other token before that time.
    open_at: Duration,
}

impl Purse {
    /// The token, if it can be used.
    pub(super) fn token(&self, now: Duration) -> Option<&Token> {
        self.token.as_ref().filter(|token| now < token.expires_at)
    }

    /// From when on another token is wanted: none while somebody asks for it.
    pub(super) fn wants_at(&self) -> Option<Duration> {
        let due = self.token.as_ref().map_or(Duration::ZERO, |token| token.renew_at);
        (!self.is_minting).then(|| due.max(self.open_at))
    }

    pub(super) const fn is_minting(&self) -> bool {
        self.is_minting
    }

    pub(super) const fn set_minting(&mut self, is_minting: bool) {
        self.is_minting = is_minting;
    }

    pub(super) fn put(&mut self, minted: TokenReply, now: Duration) {
        self.generation += 1;
        self.has_worked = false;
        self.token = Some(minted.into_token(now, self.generation));
    }

    /// A call with a token of that generation was accepted.
    pub(super) const fn worked(&mut self, generation: u64) {
        if generation == self.generation {
            self.has_worked = true;
            self.n_rejected = 0;
        }
    }

    /// A call with a token of that generation was not accepted: it is no news of another one. `n_accepted` calls were so
    /// far, of any lane. Whether no token will ever be.
    pub(super) fn rejected(&mut self, generation: u64, now: Duration, n_accepted: u64) -> bool {
        if self.token.take_if(|token| token.generation == generation).is_none() {
            return false;
        }
        if self.has_worked {
            return false;
        }
        let before = if self.in_a_row.1 == n_accepted { self.in_a_row.0 } else { 0 };
        self.in_a_row = (before + 1, n_accepted);
        self.open_at = now + REJECTED_WAIT * 2_u32.pow(self.n_rejected.min(6));
        self.n_rejected += 1;
        self.in_a_row.0 >= REJECTED_MAX
    }
}
