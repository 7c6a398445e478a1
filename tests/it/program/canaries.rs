//! `--canary N`: N rows go ahead and are read back. Everybody else follows only if all of them are there as they were sent.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterdiff::api::wire::Method;
use rosterdiff::sim::{Settings, State};

use super::world::{World, fast, people, table, until};
use crate::support::Ran;

const N: u64 = 20;

/// What reached the organisation, in order: `c` a create, `r` a reading by id.
fn watch(world: &World) -> Arc<Mutex<String>> {
    let seen = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&seen);
    world.server.with_org(|org| {
        org.before_each(move |_, request, _| {
            let is_reading = request.query.iter().any(|(name, _)| name == "id");
            match (request.method, request.path.as_str()) {
                (Method::Post, "/api/v2/users") => kept.lock().unwrap().push('c'),
                (Method::Get, "/api/v2/users") if is_reading => kept.lock().unwrap().push('r'),
                _ => {}
            }
        });
    });
    seen
}

/// Stopped with exit 4 after `n` creates, and says why and how to go on.
fn assert_stopped(world: &World, ran: &Ran, n: u64, words: &[&str]) {
    assert_eq!((ran.code, world.n_posts()), (Some(4), n), "{ran:?}");
    for word in words.iter().chain(&["nobody else was sent", "without --canary"]) {
        assert!(ran.err.contains(word), "{word}: {ran:?}");
    }
    assert_eq!(ran.json()["unprocessed"], N - n, "{ran:?}");
    assert_eq!(ran.json()["exit"], 4, "{ran:?}");
    assert!(!ran.err.contains('@'), "{ran:?}");
    world.done("verify hr.plan --offline");
}

#[test]
fn canaries_go_ahead_are_read_back_and_then_everybody_follows() {
    let world = World::planned(fast(), &people(20));
    let seen = watch(&world);
    let ran = world.done("apply hr.plan --yes --canary 3 --json");
    assert_eq!(ran.json()["created"], N);
    assert!(ran.err.contains("Verified: 3 users are there as they were sent; 0 differences."), "{ran:?}");
    assert_eq!(*seen.lock().unwrap(), format!("cccr{}", "c".repeat(17)));
    // More of them than rows are all of them.
    let world = World::planned(fast(), &people(20));
    let seen = watch(&world);
    assert_eq!(world.done("apply hr.plan --yes --canary 100 --json").json()["created"], N);
    assert_eq!(*seen.lock().unwrap(), format!("{}r", "c".repeat(20)));
}

#[test]
fn a_canary_that_is_refused_or_taken_stops_the_run_until_it_goes_on_without() {
    let title = "x".repeat(3_000);
    let roster =
        people(20).replacen("Person 2,person2@hr.example,Support", &format!("Person 2,person2@hr.example,{title}"), 1);
    let world = World::planned(Settings { body_octets_max: 2_000, ..fast() }, &roster);
    world.server.with_org(|org| org.stranger_creates("person3@hr.example", State::Active, org.now()));
    let words = ["of 3 canaries came 1 created, 1 taken, 1 refused"];
    assert_stopped(&world, &world.run("apply hr.plan --yes --canary 3 --json --settle 1"), 3, &words);
    // Nothing has changed, so nobody else goes ahead in their place.
    assert_stopped(&world, &world.run("apply hr.plan --yes --canary 3 --json --settle 1"), 3, &words);
    let ran = world.run("apply hr.plan --yes --json");
    assert_eq!((ran.code, &ran.json()["created"], &ran.json()["taken"]), (Some(1), &18.into(), &1.into()), "{ran:?}");
}

#[test]
fn a_canary_that_is_not_as_it_was_sent_stops_the_run() {
    let world = World::planned(fast(), &people(20));
    world.server.with_org(|org| {
        org.before_each(|org, request, now| {
            // Somebody's rule deactivates whoever appears.
            if request.query.iter().any(|(name, _)| name == "id")
                && org.users_with("person2@hr.example")[0].version == 1
            {
                assert!(org.stranger_sets_state("person2@hr.example", State::Inactive, now));
            }
        });
    });
    let ran = world.run("apply hr.plan --yes --canary 3 --json");
    assert_stopped(&world, &ran, 3, &["1 of 3 canaries are not as they were sent", "row 2, user ", ": state"]);
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], N);
}

#[test]
fn a_canary_that_is_not_visible_yet_is_waited_for_a_while() {
    let lag = |ms| Settings { list_lag: Duration::from_millis(ms), search_lag: Duration::from_millis(ms), ..fast() };
    let world = World::planned(lag(700), &people(20));
    let seen = watch(&world);
    assert_eq!(world.done("apply hr.plan --yes --canary 2 --json --settle 12").json()["created"], N);
    let seen = seen.lock().unwrap().clone();
    assert!(seen.starts_with("ccrr") && seen.ends_with(&format!("r{}", "c".repeat(18))), "{seen}");

    let world = World::planned(lag(600_000), &people(20));
    let ran = world.run("apply hr.plan --yes --canary 2 --json --settle 3");
    assert_stopped(&world, &ran, 2, &["2 of 2 canaries cannot be read back 1 s after they were created"]);
}

#[test]
fn a_signal_is_heard_while_canaries_are_waited_for() {
    let lag = Duration::from_secs(600);
    let world = World::planned(Settings { list_lag: lag, search_lag: lag, ..fast() }, &people(20));
    let seen = watch(&world);
    let child = world.start("apply hr.plan --yes --canary 2 --json --settle 3600");
    until("a reading", || seen.lock().unwrap().contains('r').then_some(()));
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, world.n_posts()), (Some(7), 2), "{ran:?}");
    assert!(ran.err.contains("the canaries were sent, and nobody else") && ran.err.contains("To go on: "), "{ran:?}");
    world.done("verify hr.plan --offline");
}

#[test]
fn canaries_of_an_earlier_run_are_read_back_and_none_is_sent_in_their_place() {
    let world = World::planned(fast(), &people(20));
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.query.iter().any(|(name, _)| name == "id") {
                (reply.status, reply.body) = (403, b"{}".to_vec());
            }
        });
    });
    let cut = world.run("apply hr.plan --yes --canary 4");
    assert_eq!((cut.code, world.n_posts()), (Some(5), 4), "{cut:?}");
    world.server.with_org(|org| org.after_each(|_, _, _| {}));
    let seen = watch(&world);
    assert_eq!(world.done("apply hr.plan --yes --canary 4 --json").json()["created"], N);
    assert_eq!(*seen.lock().unwrap(), format!("r{}", "c".repeat(16)));
}

#[test]
fn whoever_is_found_held_before_anything_is_sent_is_nobodys_canary() {
    let world = World::planned(fast(), &people(20));
    world.age_plan(3_600);
    world.server.with_org(|org| org.stranger_creates("person1@hr.example", State::Deleted, org.now()));
    let seen = watch(&world);
    assert_eq!(world.done("apply hr.plan --yes --canary 2 --json").json()["created"], N - 1);
    assert_eq!(*seen.lock().unwrap(), format!("ccr{}", "c".repeat(17)));
    assert_eq!(table(&world.read("hr.plan/taken.csv"), b',')[0]["_row"], "1");
}
