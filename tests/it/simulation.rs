//! Twenty thousand stories of a bad night, a crash at every event of a run, and laws broken on purpose.

use rosterdiff::apply::Broken;

// Some of it is for the bench alone.
#[allow(dead_code)]
#[path = "../simulation/mod.rs"]
mod stories;

use stories::crashes;
use stories::fault::{Fault, Tally};
use stories::many;
use stories::story::{Told, of_seed};
use stories::world::End;

const SEEDS: u64 = 20_000;

/// Tells the stories of 1 to `n`; none may break a law.
fn lawful(n: u64, again: &str, story: impl Fn(u64) -> Told + Sync) -> Tally {
    let (tally, broken) = many::tell(1..n + 1, many::cores(), story);
    if let Some((number, told)) = broken {
        panic!("{again} {number}: {}", told.broken.join("; "));
    }
    tally
}

#[test]
fn no_seed_loses_or_doubles_anybody() {
    let tally = lawful(SEEDS, "cargo bench --bench simulation -- --tell --seed", |seed| of_seed(seed, None, false));
    println!("{tally}");
    assert!(Fault::ALL.iter().all(|fault| tally.of(*fault) >= 100), "a fault hardly ever fires: {tally}");
    assert!(tally.of(Fault::Killed) + tally.of(Fault::PowerLost) >= 2 * SEEDS, "{tally}");
    assert!(tally.rows >= 50 * SEEDS, "{tally}");
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    for seed in 1..=200 {
        let (one, other) = (of_seed(seed, None, false), of_seed(seed, None, true));
        assert_eq!((one.trace, one.tally), (other.trace, other.tally), "seed {seed}");
        assert!(other.text.unwrap().lines().count() > 100, "seed {seed}");
    }
}

#[test]
fn laws_that_are_broken_on_purpose_are_noticed() {
    let laws = [
        Broken::ResendsUnknown,
        Broken::SendsBeforeIntent,
        Broken::NeverLooks,
        Broken::NeverSettles,
        Broken::BelievesDeleted,
    ];
    for law in laws {
        let found = (1..=1_000).find_map(|seed| {
            let told = of_seed(seed, Some(law), false);
            told.broken.first().map(|first| format!("{law:?}: seed {seed}: {first}"))
        });
        println!("{}", found.unwrap_or_else(|| panic!("{law:?} is not noticed within 1,000 seeds")));
    }
}

#[test]
fn a_run_that_ends_at_any_event_in_any_way_is_finished_by_the_next_ones() {
    let n_events = crashes::story(Vec::new(), 1).n_events;
    assert!(n_events >= 60 * 4, "{n_events}");
    let n_ways = crashes::ENDS.len() as u64;
    // Each once, and once more somewhere in the run that goes on.
    let tally = lawful(2 * n_events * n_ways, "event and way number", |number| {
        let at = number.div_ceil(2);
        let (event, end) = (at.div_ceil(n_ways), crashes::ENDS[(at % n_ways) as usize]);
        let mut ends = vec![(event, end)];
        if number.is_multiple_of(2) {
            ends.insert(0, (event + 1 + at * 7 % 300, if at.is_multiple_of(2) { End::Power } else { End::Kill }));
        }
        crashes::story(ends, at)
    });
    let n_ended: u64 =
        [Fault::Killed, Fault::PowerLost, Fault::NoSpace, Fault::IoError].iter().map(|fault| tally.of(*fault)).sum();
    assert!(n_ended > n_events * n_ways * 11 / 10, "hardly any run ended where it should: {tally}");
    println!("{n_events} events × {n_ways} ways, each once and twice: {tally}");
}
