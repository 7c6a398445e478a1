//! `status` in another window while a run goes on; and what is said of runs that are half done.

use std::time::Duration;

use rosterdiff::api::wire::Reply;
use rosterdiff::sim::Settings;
use serde_json::{Value, json};

use super::kill::set_latency;
use super::world::{World, command, fast, keys, people, until};
use crate::support::Ran;

/// Waits until so many rows are done.
fn until_done(world: &World, n: usize) {
    until("rows that are done", || {
        (world.journal().iter().filter(|line| line["ev"] == "done").count() >= n).then_some(())
    });
}

#[test]
fn status_follows_a_run_to_its_end_and_then_is_done() {
    let settings = Settings { rate_allowed: 15, rate_window: Duration::from_secs(3), ..Settings::default() };
    let world = World::planned(settings, &people(40));
    // Begun before the run.
    let early = world.start("status hr.plan --follow --json");
    let apply = world.start("apply hr.plan --yes -q");
    until_done(&world, 12);
    let late = world.start("status hr.plan -f --events seen.jsonl");
    let status = world.done("status hr.plan --json");
    let object = status.json();
    assert_eq!(
        keys(&object),
        [
            "adopted",
            "allowed_per_min",
            "at_work",
            "closed",
            "complete",
            "created",
            "last_at",
            "left_s",
            "new",
            "per_min",
            "refused",
            "removed",
            "taken",
            "unknown",
            "unprocessed",
            "waiting"
        ]
    );
    assert_eq!(
        (&object["at_work"], &object["allowed_per_min"], &object["waiting"]),
        (&json!(true), &json!(300), &Value::Null)
    );
    let says = |needle: &str| status.err.lines().any(|line| line.contains(needle));
    assert!(says("is at work on this plan."), "{status:?}");
    assert!(says(" ago ("), "{status:?}");
    assert_eq!(Ran::of(apply.wait_with_output().unwrap()).code, Some(0));

    let early = Ran::of(early.wait_with_output().unwrap());
    assert_eq!(
        (early.code, &early.json()["created"], &early.json()["closed"]),
        (Some(0), &json!(40), &json!(true)),
        "{early:?}"
    );
    assert!(early.err.contains("No run has begun: waiting for one."), "{early:?}");
    let late = Ran::of(late.wait_with_output().unwrap());
    assert_eq!(late.code, Some(0), "{late:?}");
    let seen: Vec<&str> = late.err.lines().filter(|line| line.starts_with("40 new = ")).collect();
    assert!(seen.len() >= 2 && seen[0].contains("; last entry ") && seen[0].ends_with(" ago."), "{late:?}");
    assert_eq!(seen.last(), Some(&"40 new = 40 created + 0 adopted + 0 taken + 0 refused + 0 unknown + 0 unprocessed"));
    // What was told while it ran is there for programs, too.
    let events = String::from_utf8(world.read("seen.jsonl")).unwrap();
    let progress = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let progress: Vec<Value> = progress.filter(|line| line["type"] == "progress").collect();
    assert!(progress[0]["total"] == 40 && progress[0]["allowed_per_min"] == 300, "{progress:?}");
}

#[test]
fn who_follows_is_told_why_a_run_waits() {
    let world = World::planned(fast(), &people(40));
    // From the twentieth create on nothing is answered, until the service is asked for something else.
    world.server.with_org(|org| {
        let mut n = 0;
        org.after_each(move |_, request, reply| {
            let is_create = request.path == "/api/v2/users" && !request.body.is_empty();
            n += u32::from(is_create);
            if is_create && n > 10 {
                *reply = Reply { status: 503, headers: Vec::new(), body: Vec::new() };
            }
        });
    });
    let mut apply = world.start("apply hr.plan --yes -q");
    let wait = until("the outage", || world.journal().into_iter().find(|line| line["ev"] == "wait"));
    assert_eq!(wait["why"], "creates");
    let status = world.done("status hr.plan --json");
    let waiting = status.json()["waiting"].clone();
    assert_eq!(waiting, "the service does not answer creates, waiting", "{status:?}");
    assert!(status.err.contains("It waits: the service does not answer creates, waiting."), "{status:?}");
    apply.kill().unwrap();
    apply.wait().unwrap();
    // Of a run that is over nothing is waited for.
    let status = world.done("status hr.plan --json");
    assert_eq!((&status.json()["waiting"], &status.json()["at_work"]), (&Value::Null, &json!(false)));
    let followed = world.done("status hr.plan -f");
    assert!(followed.err.contains("The last run was cut off: rosterdiff apply hr.plan goes on."), "{followed:?}");
}

#[test]
fn a_run_that_is_half_done_is_said_to_be_by_verify() {
    let world = World::planned(fast(), &people(60));
    set_latency(&world, 200);
    let mut apply = world.start("apply hr.plan --yes -q");
    until_done(&world, 5);
    // Its files are not what they will be: that is no damage.
    let offline = world.run("verify hr.plan --offline --json");
    assert_eq!((offline.code, &offline.json()["exit"]), (Some(4), &json!(4)), "{offline:?}");
    assert!(offline.err.contains("is at work on this plan") && offline.err.contains("status --follow"), "{offline:?}");
    apply.kill().unwrap();
    apply.wait().unwrap();
    set_latency(&world, 0);
    let ran = world.done("verify hr.plan --json");
    let left = ran.json()["left"].as_u64().unwrap();
    assert!((1..=55).contains(&left), "{ran:?}");
    assert!(
        ran.err.contains(&format!("{left} new rows are not settled yet: `rosterdiff apply hr.plan` goes on")),
        "{ran:?}"
    );
    world.done("apply hr.plan --yes -q --settle 1");
    let ran = world.done("verify hr.plan --json");
    assert!(ran.json()["left"] == 0 && !ran.err.contains("not settled"), "{ran:?}");
}

#[test]
fn a_difference_is_an_error_in_words_and_in_the_object() {
    let world = World::planned(fast(), &people(3));
    world.done("apply hr.plan --yes -q");
    world.server.with_org(|org| assert!(org.stranger_deletes("person2@hr.example", Duration::ZERO)));
    let ran = world.run("verify hr.plan --json");
    assert_eq!(
        (ran.code, &ran.json()["exit"], &ran.json()["differences"]),
        (Some(10), &json!(10), &json!(1)),
        "{ran:?}"
    );
    assert_eq!(ran.json()["error"], "1 of 3 users is not as it should be");
    assert!(ran.err.contains("error: 1 of 3 users is not as it should be\nhint: "), "{ran:?}");
    world.write("hr.plan/created.csv", "");
    let ran = world.run("verify hr.plan --offline --json");
    assert_eq!((ran.code, &ran.json()["exit"]), (Some(10), &json!(10)), "{ran:?}");
    assert!(ran.err.contains("error: 1 file is not what it was") && ran.json()["hint"].is_string(), "{ran:?}");
}

#[test]
fn a_host_that_cannot_be_reached_is_named_with_its_port_and_nothing_else() {
    let world = World::planned(fast(), &people(3));
    let ran = Ran::of(
        command(world.dir.path(), "http://127.0.0.1:9/hidden/path", "snapshot -o none.parquet").output().unwrap(),
    );
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.err.starts_with("error: cannot log in: 127.0.0.1:9: "), "{ran:?}");
    assert!(!ran.err.contains("hidden") && !ran.err.contains("demo-"), "{ran:?}");
}

#[test]
fn a_breaker_counts_what_was_in_the_air_too() {
    let world = World::planned(fast(), &people(60));
    set_latency(&world, 100);
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.path == "/api/v2/users" && !request.body.is_empty() {
                *reply = Reply { status: 400, headers: Vec::new(), body: b"{}".to_vec() };
            }
        });
    });
    let ran = world.run("apply hr.plan --yes --json --max-failures 3");
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let refused = ran.json()["refused"].as_u64().unwrap();
    assert!(refused > 4, "{ran:?}");
    let line = format!("error: {refused} rows were refused or stay unknown; --max-failures allows 3");
    assert!(ran.err.contains(&line), "{line}: {ran:?}");
}
