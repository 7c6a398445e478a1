//! Twenty thousand stories of a bad night, a crash at every event of a run, and laws broken on purpose.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rosterdiff::apply::Broken;

// Some of it is for the bench alone.
#[allow(dead_code)]
#[path = "../simulation/mod.rs"]
mod stories;

use stories::crashes;
use stories::fault::{Fault, Tally};
use stories::story::{Told, of_seed};
use stories::world::End;

const SEEDS: u64 = 20_000;

/// Does `work` for every number up to `n`, on all cores.
fn each(n: u64, work: impl Fn(u64) -> Tally + Sync) -> Tally {
    let (next, all) = (AtomicU64::new(1), Mutex::new(Tally::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lane = || {
        let mut tally = Tally::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at > n {
                break;
            }
            tally += work(at);
        }
        *all.lock().unwrap() += tally;
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().for_each(|lane| lane.join().unwrap());
    });
    all.into_inner().unwrap()
}

fn lawful(told: Told, which: &str) -> Tally {
    assert!(told.broken.is_empty(), "{which}: {}", told.broken.join("; "));
    told.tally
}

#[test]
fn no_seed_loses_or_doubles_anybody() {
    let tally = each(SEEDS, |seed| {
        let again = format!("cargo bench --bench simulation -- --seed {seed} --tell");
        lawful(of_seed(seed, None, false), &again)
    });
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
    let tally = each(n_events * n_ways, |at| {
        let (event, end) = (at.div_ceil(n_ways), crashes::ENDS[(at % n_ways) as usize]);
        let told = lawful(crashes::story(vec![(event, end)], at), &format!("event {event}, {end:?}"));
        // And once more, somewhere in the run that goes on.
        let again = event + 1 + at * 7 % 300;
        let other = if at % 2 == 0 { End::Power } else { End::Kill };
        let twice =
            lawful(crashes::story(vec![(again, other), (event, end)], at), &format!("{event}, {again}, {end:?}"));
        let mut both = told;
        both += twice;
        both
    });
    let n_ended: u64 =
        [Fault::Killed, Fault::PowerLost, Fault::NoSpace, Fault::IoError].iter().map(|fault| tally.of(*fault)).sum();
    assert!(n_ended > n_events * n_ways * 11 / 10, "hardly any run ended where it should: {tally}");
    println!("{n_events} events × {n_ways} ways, each once and twice: {tally}");
}
