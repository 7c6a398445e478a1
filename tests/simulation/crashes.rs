//! A run that ends at every event there is: each write and each wait of the journal, each send.

use std::time::Duration;

use rosterdiff::sim::Settings;

use super::chance::Chance;
use super::story::{Setup, Told, tell};
use super::world::{End, Ill};

/// Rows of the run.
const N_PEOPLE: u32 = 60;

/// Ways to end.
pub const ENDS: [End; 4] = [End::Kill, End::Power, End::NoSpace, End::IoError];

/// A run of sixty rows without any fault but `ends` (event and way; the next one last).
pub fn story(ends: Vec<(u64, End)>, seed: u64) -> Told {
    let settings = Settings {
        seed,
        search_lag: Duration::from_secs(20),
        uniqueness_lags: seed.is_multiple_of(2),
        ..Settings::default()
    };
    let setup = Setup {
        seed,
        settings,
        n_people: N_PEOPLE,
        n_tokens: 1,
        settle: Duration::from_secs(90),
        late_max: Duration::from_secs(30),
        ill: Ill::default(),
        n_ill: u32::try_from(ends.len()).unwrap(),
        ends,
        broken: None,
        tells: false,
    };
    tell(setup, Chance::new(seed))
}
