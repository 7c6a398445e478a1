//! How long the creates will take, told before anybody begins them.

use super::args::Connection;
use super::connect::Session;
use super::render::{Render, count};
use crate::api::Standing;
use crate::doctor::Forecast;
use crate::files::manifest::Manifest;
use crate::number::{Lasting, counted};

/// Tokens that are offered where fewer are used.
const TOKENS_OFFERED: u64 = 10;

/// What is known of the rate.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rate {
    forecast: Forecast,
    n_tokens: u64,
    /// Whether the service has said so.
    is_told: bool,
    /// Whether more tokens can be had.
    can_mint: bool,
}

impl Rate {
    fn of_client(session: &Session) -> Self {
        let standing: Standing = session.client.standing();
        Self {
            forecast: Forecast { per_min: standing.per_token(), per_min_max: standing.per_min.map(f64::from) },
            n_tokens: standing.n_tokens.into(),
            is_told: standing.is_told,
            can_mint: session.client.can_mint(),
        }
    }

    /// Without any call: the documented rate, and what was typed.
    fn of_flags(connection: &Connection) -> Self {
        let per_min_max = connection.per_min.map(f64::from);
        Self {
            forecast: Forecast { per_min: Forecast::PER_MIN_DEFAULT, per_min_max },
            n_tokens: connection.tokens.max(1).into(),
            is_told: false,
            can_mint: true,
        }
    }

    fn seconds(self, n: u64) -> u64 {
        self.forecast.seconds(n, self.n_tokens)
    }

    /// `about 2 min 19 s at 300 a minute; about 14 s with --tokens 10.`
    fn about(self, n: u64) -> String {
        let seconds = self.seconds(n);
        let per_min = count(self.forecast.all_per_min(self.n_tokens));
        let (documented, tokens) = match (self.is_told, self.n_tokens) {
            (true, 1) => ("", String::new()),
            (true, n) => ("", format!(" with {n} tokens")),
            (false, 1) => ("the documented ", String::new()),
            (false, n) => ("the documented ", format!(" with {n} tokens")),
        };
        let faster = self.forecast.seconds(n, TOKENS_OFFERED);
        let offer = match self.can_mint && self.n_tokens < TOKENS_OFFERED && faster < seconds {
            true => format!("; about {} with --tokens {TOKENS_OFFERED}", Lasting(faster)),
            false => String::new(),
        };
        format!("about {} at {documented}{per_min} a minute{tokens}{offer}.", Lasting(seconds))
    }

    fn tell(self, n: u64, what: &str, render: &Render) {
        render.beside("forecast_s", self.seconds(n).into());
        if n > 0 {
            render.say(format!("{what} {}", self.about(n)));
        }
    }
}

/// Tells how long `apply` of a plan would take.
pub(super) fn of_plan(manifest: &Manifest, connection: &Connection, session: Option<&Session>, render: &Render) {
    let heard = session.filter(|session| session.client.has_heard());
    let rate = heard.map_or_else(|| Rate::of_flags(connection), Rate::of_client);
    let n = manifest.counts.new - manifest.held;
    rate.tell(n, &format!("{} to create:", counted(n, "user", "users")), render);
}

/// Tells how long it takes to create `n` users, by what the service has said so far; `is_all`: nothing else is to be done.
pub(super) fn of_run(n: u64, is_all: bool, session: &Session, render: &Render) {
    Rate::of_client(session).tell(n, if is_all { "That takes" } else { "The creates take" }, render);
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate =
        Rate { forecast: Forecast { per_min: 300.0, per_min_max: None }, n_tokens: 1, is_told: true, can_mint: true };

    #[test]
    fn a_forecast_says_how_long_at_which_rate_and_what_would_be_faster() {
        let line = RATE.about(693);
        assert_eq!(line, "about 2 min 19 s at 300 a minute; about 14 s with --tokens 10.");
        let line = Rate { is_told: false, ..RATE }.about(1);
        assert_eq!(line, "about 1 s at the documented 300 a minute.");
        let line = Rate { n_tokens: 4, ..RATE }.about(40_000);
        assert_eq!(line, "about 33 min 20 s at 1,200 a minute with 4 tokens; about 13 min 20 s with --tokens 10.");
    }

    #[test]
    fn nothing_is_offered_that_would_be_no_faster_or_cannot_be_had() {
        let capped = Rate { forecast: Forecast { per_min_max: Some(100.0), ..RATE.forecast }, ..RATE };
        assert_eq!(capped.about(693), "about 6 min 56 s at 100 a minute.");
        let line = Rate { can_mint: false, ..RATE }.about(693);
        assert_eq!(line, "about 2 min 19 s at 300 a minute.");
        let line = Rate { n_tokens: 20, ..RATE }.about(6_000);
        assert_eq!(line, "about 1 min at 6,000 a minute with 20 tokens.");
    }
}
