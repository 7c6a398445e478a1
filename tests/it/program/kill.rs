//! Killed, interrupted or run twice at once: nobody is created twice, nobody is lost.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rosterdiff::sim::{Org, Origin, Settings, State};
use serde_json::Value;

use super::world::{World, contents, fast, people, until};
use crate::support::Ran;

pub const N_PEOPLE: usize = 150;
pub const RESUME: &str = "apply hr.plan --yes --json --settle 2";

/// Milliseconds a call takes where a test has to act while calls are in the air: long enough for a busy machine.
const SLOW: u64 = 1_000;

/// Listing and search lag a little behind writes.
pub fn lagging() -> Settings {
    Settings { list_lag: Duration::from_millis(300), search_lag: Duration::from_millis(300), ..fast() }
}

pub fn set_latency(world: &World, ms: u64) {
    world.server.with_org(|org| org.settings_mut().latency = Duration::from_millis(ms));
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Rows with an intent and nothing after it.
fn dangling(journal: &[Value]) -> BTreeSet<u64> {
    let mut open = BTreeSet::new();
    for line in journal {
        match (line["ev"].as_str(), line["row"].as_u64()) {
            (Some("intent"), Some(row)) => {
                open.insert(row);
            }
            (_, Some(row)) => {
                open.remove(&row);
            }
            _ => {}
        }
    }
    open
}

fn n_events(journal: &[Value], event: &str) -> usize {
    journal.iter().filter(|line| line["ev"] == event).count()
}

fn n_users(world: &World) -> usize {
    world.server.with_org(|org| org.users().len())
}

/// Waits for calls in flight of which some are carried out already and some are not; how many users there were.
pub fn until_in_the_middle(world: &World, n_done: usize) -> usize {
    until("creates in flight, some of them carried out", || {
        // In this order: a user seen here and not yet done in the journal read later was carried out in between.
        let journal = world.journal();
        let n_users = n_users(world);
        let is_partly_done = n_users >= n_events(&journal, "done") + 3;
        (n_users >= n_done && is_partly_done && dangling(&journal).len() >= 4).then_some(n_users)
    })
}

/// Every planned person is in the organisation exactly once, active, and created by the program.
fn assert_everybody_once(world: &World) {
    world.server.with_org(|org| {
        assert_eq!(org.users().len(), N_PEOPLE);
        for n in 1..=N_PEOPLE {
            let held = org.users_with(&format!("person{n}@hr.example"));
            assert_eq!(held.len(), 1, "person {n}");
            assert_eq!((held[0].state, held[0].version), (State::Active, 1));
            assert!(matches!(held[0].created_by, Origin::Token(_)));
        }
        assert_eq!(org.counts().n_modified, 0);
    });
}

pub fn assert_sums_hold(object: &Value) {
    let outcomes = ["created", "adopted", "taken", "refused", "unknown", "unprocessed"];
    let sum: u64 = outcomes.iter().map(|outcome| object[outcome].as_u64().unwrap()).sum();
    assert_eq!(sum, N_PEOPLE as u64, "{object}");
}

/// The last run: everything is done, and a plan from a fresh snapshot has nobody new.
pub fn finish(world: &World) -> Value {
    set_latency(world, 0);
    let object = world.done(RESUME).json();
    assert_eq!(world.done("verify hr.plan --offline --json").json()["closed"], true);
    assert_sums_hold(&object);
    assert_eq!(object["created"].as_u64().unwrap() + object["adopted"].as_u64().unwrap(), N_PEOPLE as u64, "{object}");
    assert_everybody_once(world);
    // A snapshot taken while the listing still catches up says that it is incomplete.
    until("the listing to show everybody", || {
        let ran = world.run("snapshot -o after.parquet --json");
        (ran.code == Some(0) && ran.json()["users"] == N_PEOPLE).then_some(())
    });
    let after = world.done("plan hr.csv --snapshot after.parquet -o after.plan --json").json();
    assert_eq!((&after["new"], &after["present"]), (&0.into(), &N_PEOPLE.into()));
    object
}

#[test]
fn a_run_killed_three_times_creates_nobody_twice_and_loses_nobody() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, SLOW);
    for (n_done, finishes_orphans) in [(20, false), (50, true), (80, false)] {
        world.server.with_org(|org| org.settings_mut().finishes_orphans = finishes_orphans);
        let mut child = world.start(RESUME);
        until_in_the_middle(&world, n_done);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "killed by a signal");
        let left = dangling(&world.journal());
        assert!(!left.is_empty(), "nothing was in flight");
        let evidence = world.run("verify hr.plan --offline --json");
        assert_eq!((evidence.code, &evidence.json()["closed"]), (Some(8), &false.into()), "{evidence:?}");
        let status = world.done("status hr.plan --json").json();
        assert_sums_hold(&status);
        assert!(status["unknown"].as_u64().unwrap() >= left.len() as u64, "{status}");
    }
    let object = finish(&world);
    assert!(object["adopted"].as_u64().unwrap() >= 1, "{object}");
    assert_eq!(world.done("verify hr.plan --json").json()["as_sent"], N_PEOPLE);
}

/// Numbers that look like chance and are the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

// Rows 20 and 28
#[test]
fn runs_killed_at_random_moments_end_with_everybody_there_once() {
    let mut n_kills = 0;
    for seed in 1..=4 {
        let world = World::planned(Settings { finishes_orphans: seed % 2 == 0, ..lagging() }, &people(N_PEOPLE));
        let mut chance = Chance(seed);
        for _ in 0..5 {
            set_latency(&world, 40 + chance.below(200));
            let n_lines = world.journal().len() + usize::try_from(chance.below(45)).unwrap();
            let mut child = world.start(RESUME);
            // It may be killed before it has written a line, and it may be too fast to be killed.
            let is_over = until("the moment to kill it", || {
                let is_over = child.try_wait().unwrap().is_some();
                (is_over || world.journal().len() >= n_lines).then_some(is_over)
            });
            child.kill().unwrap();
            n_kills += u32::from(child.wait().unwrap().code().is_none() && !is_over);
            assert_sums_hold(&world.done("status hr.plan --json").json());
        }
        finish(&world);
        let verified = world.done("verify hr.plan --json").json();
        assert_eq!((&verified["as_sent"], &verified["differences"]), (&N_PEOPLE.into(), &0.into()), "seed {seed}");
    }
    println!("killed {n_kills} times");
    assert!(n_kills >= 12, "killed {n_kills} times only");
}

#[test]
fn a_line_torn_by_a_crash_is_set_aside_and_the_run_goes_on() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, SLOW);
    let mut child = world.start(RESUME);
    until_in_the_middle(&world, 20);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut journal = std::fs::OpenOptions::new().append(true).open(world.path("hr.plan/journal.jsonl")).unwrap();
    journal.write_all(b"{\"seq\":77,\"at\":\"20").unwrap();
    finish(&world);
    assert!(world.read("hr.plan/journal.torn").ends_with(b"{\"seq\":77,\"at\":\"20"));
}

#[test]
fn a_second_run_of_one_plan_is_refused_and_told_who_is_at_it() {
    let world = World::planned(fast(), &people(N_PEOPLE));
    set_latency(&world, 1_000);
    let mut first = world.start("apply hr.plan --yes --json");
    until("the first run to begin", || (n_events(&world.journal(), "run") == 1).then_some(()));
    let second = world.run("apply hr.plan --yes");
    assert!(first.try_wait().unwrap().is_none(), "the first run ended too early to stand in the way");
    assert_eq!(second.code, Some(4), "{second:?}");
    let named = format!("process {} ", first.id());
    assert!(second.err.contains(&named) && second.err.contains("hint: "), "{second:?}");
    set_latency(&world, 0);
    assert_eq!(Ran::of(first.wait_with_output().unwrap()).json()["created"], N_PEOPLE);
    assert_everybody_once(&world);
}

// Row 24
#[test]
fn two_machines_with_a_copy_of_one_plan_each_create_everybody_once() {
    let world = World::planned(fast(), &people(N_PEOPLE));
    std::fs::create_dir(world.path("copy.plan")).unwrap();
    for (path, bytes) in contents(&world.path("hr.plan")).into_iter().filter(|(path, _)| path.is_file()) {
        std::fs::write(world.path("copy.plan").join(path.file_name().unwrap()), bytes).unwrap();
    }
    set_latency(&world, 30);
    // Two journals know nothing of each other: whoever comes second meets a 409, and looks who is there.
    let lines = ["apply hr.plan --yes --json --settle 2", "apply copy.plan --yes --json --settle 2"];
    let [one, other] = lines.map(|line| world.start(line)).map(|child| Ran::of(child.wait_with_output().unwrap()));
    assert_eq!((one.code, other.code), (Some(0), Some(0)), "{one:?} {other:?}");
    assert_everybody_once(&world);
    let (one, other) = (one.json(), other.json());
    let n = |object: &Value, outcome: &str| object[outcome].as_u64().unwrap();
    assert_eq!(n(&one, "created") + n(&other, "created"), N_PEOPLE as u64, "{one} {other}");
    assert_eq!(n(&one, "taken") + n(&other, "taken"), N_PEOPLE as u64, "{one} {other}");
    for dir in ["hr.plan", "copy.plan"] {
        assert_eq!(world.done(&format!("verify {dir} --json")).json()["differences"], 0);
    }
}

#[test]
fn an_interrupted_run_records_its_calls_in_flight_and_goes_on_later() {
    for signal in ["INT", "TERM"] {
        let world = World::planned(lagging(), &people(N_PEOPLE));
        set_latency(&world, SLOW);
        let child = world.start(RESUME);
        until_in_the_middle(&world, 20);
        send(&child, signal);
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(7), "{signal}: {ran:?}");
        assert!(ran.err.contains("hint: ") && ran.err.contains("To go on: rosterdiff apply hr.plan --yes"), "{ran:?}");
        let journal = world.journal();
        assert_eq!(dangling(&journal), BTreeSet::new(), "{signal}");
        assert_eq!(n_users(&world), n_events(&journal, "done"), "{signal}");
        let object = ran.json();
        assert_sums_hold(&object);
        assert_eq!((&object["created"], &object["unknown"]), (&n_users(&world).into(), &0.into()));
        assert!(n_users(&world) < N_PEOPLE, "{signal} came too late to interrupt anything");
        assert_eq!(finish(&world)["adopted"], 0);
    }
}

#[test]
fn an_interrupted_listing_leaves_no_file() {
    let mut org = Org::new(Settings { latency: Duration::from_secs(2), ..fast() });
    org.seed_users(3_000);
    let world = World::of(org);
    world.write("hr.csv", people(2));
    let before = contents(world.dir.path());
    let n_pages = || world.server.with_org(|org| org.counts().n("GET", "/api/v2/users"));
    for (line, signal) in [("snapshot", "INT"), ("plan hr.csv", "TERM")] {
        let n_before = n_pages();
        let child = world.start(line);
        until("a page", || (n_pages() > n_before).then_some(()));
        send(&child, signal);
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(7), "{line}: {ran:?}");
        assert!(contents(world.dir.path()) == before, "{line}: {:?}", contents(world.dir.path()).keys());
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_is_safe_too() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, SLOW);
    let mut child = world.start(RESUME);
    until_in_the_middle(&world, 1);
    // From here on no call comes back in time. One whose intent was seen before may: a run that waits for nothing else
    // hears its first interrupt and is done, with nobody left to send it a second.
    set_latency(&world, 20_000);
    let n_intents = n_events(&world.journal(), "intent");
    until("creates that do not come back", || (n_events(&world.journal(), "intent") >= n_intents + 3).then_some(()));
    let ended: ExitStatus = until("the second interrupt to be heard", || {
        send(&child, "INT");
        child.try_wait().unwrap()
    });
    assert_eq!(ended.code(), Some(130));
    assert!(!dangling(&world.journal()).is_empty());
    finish(&world);
}

#[test]
fn a_journal_that_was_emptied_or_has_lost_its_end_sends_nobody_again() {
    let world = World::planned(fast(), &people(30));
    world.done("apply hr.plan --yes -q");
    let whole = world.read("hr.plan/journal.jsonl");
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let n_posts = world.n_posts();
    for (n_lines, words) in [(0, "is gone"), (1, "has lost its end"), (20, "has lost its end")] {
        world.write("hr.plan/journal.jsonl", lines[..n_lines].concat());
        let ran = world.run("apply hr.plan --yes");
        assert_eq!(ran.code, Some(8), "{n_lines} lines: {ran:?}");
        assert!(ran.err.contains(words) && ran.err.contains("bring journal.jsonl back"), "{n_lines} lines: {ran:?}");
    }
    std::fs::remove_file(world.path("hr.plan/journal.jsonl")).unwrap();
    for line in ["rollback hr.plan --yes", "status hr.plan", "verify hr.plan", "apply hr.plan --yes"] {
        let ran = world.run(line);
        assert_eq!(ran.code, Some(8), "{line}: {ran:?}");
        assert!(!world.path("hr.plan/journal.jsonl").exists(), "{line} began another one");
    }
    assert_eq!(world.n_posts(), n_posts);
    world.write("hr.plan/journal.jsonl", &whole);
    world.done("apply hr.plan --yes -q");
}

#[test]
fn a_terminal_that_goes_away_stops_a_run_orderly() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, SLOW);
    let child = world.start(RESUME);
    until_in_the_middle(&world, 20);
    send(&child, "HUP");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert_eq!(dangling(&world.journal()).len(), 0);
    finish(&world);
}

#[test]
fn a_plan_that_was_rolled_back_half_way_creates_nobody_more() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, SLOW);
    let child = world.start(RESUME);
    until_in_the_middle(&world, 20);
    send(&child, "INT");
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).code, Some(7));
    set_latency(&world, 0);
    world.done("rollback hr.plan --yes -q");
    let n_posts = world.n_posts();
    let ran = world.run(RESUME);
    assert_eq!((ran.code, world.n_posts()), (Some(4), n_posts), "{ran:?}");
    assert!(ran.err.contains("a rollback of hr.plan has begun") && ran.err.contains("another directory"), "{ran:?}");
    let status = world.done("status hr.plan --json").json();
    assert_eq!((&status["at_work"], &status["closed"]), (&false.into(), &true.into()), "{status}");
}
