//! A snapshot's memory does not follow the size of the organisation, and its pages do not wait for each other; a run's
//! follows the rows, and stays small.

use std::time::Duration;

use rosterdiff::sim::{Org, PageCaps, Settings};

use super::world::{World, fast, people, until};
use crate::support::Ran;

fn crowd(n: usize, settings: Settings) -> World {
    let page_cap = PageCaps { inactive: None, ..PageCaps::default() };
    let mut org = Org::new(Settings { page_cap, ..settings });
    org.seed_users(n);
    World::of(org)
}

/// Most memory that a process held so far, in KiB; none once it has ended.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A command that ends with 0, and its peak memory in KiB.
fn with_peak(world: &World, line: &str) -> (Ran, u64) {
    let mut child = world.start(line);
    let mut peak = 0;
    until("the command to end", || {
        peak = peak.max(peak_kib(child.id()).unwrap_or(0));
        child.try_wait().unwrap()
    });
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    (ran, peak)
}

/// Peak memory of a snapshot of `n` users, in KiB.
fn peak_of_a_snapshot(n: usize) -> u64 {
    let world = crowd(n, fast());
    let (ran, peak) = with_peak(&world, "snapshot --json");
    assert_eq!((&ran.json()["users"], &ran.json()["complete"]), (&n.into(), &true.into()));
    peak
}

#[test]
fn ten_times_the_users_take_about_the_same_memory() {
    // Not 200,000: of just 10,000 deleted ones nobody could say that they are all.
    let (small, large) = (peak_of_a_snapshot(21_000), peak_of_a_snapshot(210_000));
    println!("{small} KiB for 21,000 users, {large} KiB for 210,000");
    assert!(large * 10 <= small * 13, "{small} KiB for 21,000 users, {large} KiB for 210,000");
}

#[test]
fn a_run_of_ten_thousand_creates_takes_at_most_32_mib_beside_its_plan() {
    let world = World::planned(fast(), &people(10_000));
    let (_, plan) = with_peak(&world, "status hr.plan --json");
    let (ran, run) = with_peak(&world, "apply hr.plan --yes --json");
    assert_eq!(ran.json()["created"], 10_000);
    println!("{run} KiB for a run, {plan} KiB for the plan alone");
    assert!(run <= plan + (32 << 10), "{run} KiB for a run, {plan} KiB for the plan alone");
}

#[test]
fn several_pages_are_in_flight_at_once() {
    let world = crowd(10_000, Settings { latency: Duration::from_millis(50), ..fast() });
    assert_eq!(world.done("snapshot --json").json()["users"], 10_000);
    let most = world.server.with_org(|org| org.counts().n_in_flight_max);
    assert!(most >= 2, "{most}");
}
