//! A scenario: a service, who is there and what happens around it, as a person writes it down.
//!
//! ```toml
//! [service]                  # every switch of the settings by its name; lengths of time in seconds
//! rate_allowed = 180
//! page_cap.inactive = "none"
//! [users]                    # who is there to begin with
//! mixed = 500
//! deleted = 20
//! [strangers]
//! calls_per_minute = 60
//! [network]
//! lost_after = 0.01
//! ```

use serde::Deserialize;

use super::org::Org;
use super::outside::{Network, Strangers};
use super::settings::Settings;
use super::user::State;

/// Most users that a scenario may begin with.
const USERS_MAX: usize = 5_000_000;

/// What a simulator is to be like.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// How the service behaves.
    pub service: Settings,
    /// Who is there to begin with.
    pub users: Users,
    /// What somebody else does meanwhile.
    pub strangers: Strangers,
    /// What befalls calls.
    pub network: Network,
}

/// Numbers of invented people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Users {
    /// Of every state: of twenty, 17 active, two inactive and one deleted.
    pub mixed: usize,
    /// Active ones beside them.
    pub active: usize,
    /// Inactive ones beside them.
    pub inactive: usize,
    /// Deleted ones beside them.
    pub deleted: usize,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// Says in which line what is wrong, and for a name that nobody knows which there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        let scenario: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            format!("line {line}: {}", e.message())
        })?;
        scenario.check()?;
        Ok(scenario)
    }

    /// What can be read and cannot be meant.
    fn check(&self) -> Result<(), String> {
        self.service.check()?;
        let Users { mixed, active, inactive, deleted } = self.users;
        if [mixed, active, inactive, deleted].into_iter().fold(0, usize::saturating_add) > USERS_MAX {
            return Err(format!("the users of [users] are together not above {USERS_MAX}"));
        }
        self.strangers.check()?;
        self.network.check()
    }

    /// The organisation as it is to begin with.
    ///
    /// # Errors
    /// Says what cannot be meant.
    pub fn org(self) -> Result<Org, String> {
        self.check()?;
        let Users { mixed, active, inactive, deleted } = self.users;
        let mut org = Org::new(self.service);
        org.seed_users(mixed);
        for (n, state) in [active, inactive, deleted].into_iter().zip(State::ALL) {
            org.seed_state(n, state);
        }
        if (self.strangers, self.network) != (Strangers::default(), Network::default()) {
            org.beset(self.strangers, self.network)?;
        }
        Ok(org)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::super::RetryAfter;
    use super::*;

    #[test]
    fn what_is_left_out_is_as_ever() {
        assert_eq!(Scenario::parse("# nothing\n").unwrap(), Scenario::default());
        assert_eq!(Scenario::parse("\u{feff}[service]\n").unwrap().service, Settings::default());
    }

    #[test]
    fn switches_lengths_of_time_and_limits_are_read() {
        let text = "[service]\nsearch_lag = 2.5\nlist_lag = 3\nretry_after = 'date'\nmints_per_minute = 4\n\
                    search_cap = 'none'\ncursor_lifetime = 9\n[service.page_cap]\ninactive = 'none'\nany = 7\n\
                    [service.maintenance]\nbegins = 1\nlasts = 2\n[users]\nmixed = 20\ndeleted = 3\n\
                    [strangers]\ncalls_per_minute = 30\n[network]\nlost_after = 0.5\n";
        let scenario = Scenario::parse(text).unwrap();
        let service = &scenario.service;
        assert_eq!((service.search_lag, service.list_lag), (Duration::from_millis(2_500), Duration::from_secs(3)));
        assert_eq!(
            (service.retry_after, service.mints_per_minute, service.search_cap),
            (RetryAfter::Date, Some(4), None)
        );
        assert_eq!((service.page_cap.inactive, service.page_cap.any, service.page_cap.active), (None, Some(7), None));
        assert_eq!(service.cursor_lifetime, Some(Duration::from_secs(9)));
        assert!(service.maintenance.is_some_and(|m| m.lasts == Duration::from_secs(2) && !m.html));
        assert!((scenario.strangers.calls_per_minute - 30.0).abs() < 1e-9);
        let org = scenario.org().unwrap();
        let n = |state| org.users().iter().filter(|user| user.state == state).count();
        assert_eq!(State::ALL.map(n), [17, 2, 4]);
    }

    #[test]
    fn an_unknown_name_is_told_with_its_line_and_those_that_are_known() {
        for (text, line, known) in [
            ("# x\n[service]\nrate_alowed = 3\n", "line 3", "`rate_allowed`"),
            ("[network]\nlost = 0.1\n", "line 2", "`lost_before`"),
            ("\n[strange]\n", "line 2", "`strangers`"),
            ("[service]\nretry_after = 'never'\n", "line 2", "`absent`"),
            ("[service.page_cap]\nall = 3\n", "line 2", "`inactive`"),
            ("[service.maintenance]\nbegins = 1\nlasts = 1\nends = 3", "line 4", "`html`"),
        ] {
            let why = Scenario::parse(text).unwrap_err();
            assert!(why.starts_with(&format!("{line}: unknown ")) && why.contains(known), "{text}: {why}");
        }
    }

    #[test]
    fn what_no_clock_and_no_memory_could_hold_is_refused_by_its_name() {
        for (text, why) in [
            ("[service]\nrate_window = 1e18\nretry_after = 'date'\n", "rate_window is longer than 100 years"),
            ("[service]\ntoken_lifetime = 4e9\n", "token_lifetime is longer"),
            ("[service]\ncursor_lifetime = 4e9\n", "cursor_lifetime is longer"),
            ("[service]\nlist_lag = 1.8e19\n", "list_lag is longer"),
            ("[service]\nsearch_lag = 1.8e19\n", "search_lag is longer"),
            ("[service]\nlatency = 1.8e19\n", "latency is longer"),
            ("[service.maintenance]\nbegins = 1.8e19\nlasts = 1\n", "maintenance.begins is longer"),
            ("[service.maintenance]\nbegins = 1\nlasts = 1.8e19\n", "maintenance.lasts is longer"),
            ("[network]\nslow = 1.0\nslow_for = 1e19\n", "slow_for is longer"),
            ("[service]\nbody_octets_max = 9223372036854775807\n", "body_octets_max is at most 16777216"),
            ("[strangers]\ncalls_per_minute = 1e-300\n", "once a day"),
            ("[strangers]\ndeletes_per_minute = 0.0006\n", "once a day"),
        ] {
            let told = Scenario::parse(text).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
        let most = "[service]\nrate_window = 3e9\nlatency = 3e9\nbody_octets_max = 16777216\n\
                    [service.maintenance]\nbegins = 3e9\nlasts = 3e9\n[strangers]\ncalls_per_minute = 0.0007\n";
        Scenario::parse(most).unwrap();
        let late = Settings { list_lag: Duration::MAX, ..Settings::default() };
        assert!(Scenario { service: late, ..Scenario::default() }.org().is_err(), "whoever made it");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in [
            "[service]\nlist_lag = -1\n",
            "[service]\nsearch_cap = 'all'\n",
            "[service]\nsearch_cap = -3\n",
            "[service]\nbad_secret_status = 200\n",
            "[service]\nrate_window = 0\n",
            "[users]\nmixed = 500000000\n",
            "[users]\nactive = 3000000\ndeleted = 3000000\n",
            "[strangers]\ntakes = 1.5\n",
            "[strangers]\ncalls_per_minute = nan\n",
            "[network]\nlost_before = 0.6\nlost_after = 0.6\n",
            "[network]\nslow_for = inf\n",
            "[service\n",
        ] {
            assert!(Scenario::parse(text).is_err(), "{text}");
        }
    }
}
