//! `rollback` and `plan --restore-deleted` from outside, killed and resumed too; and that nothing else changes anybody.

use std::collections::BTreeSet;
use std::process::{Child, Command};
use std::time::Duration;

use rosterdiff::api::wire::Method;
use rosterdiff::sim::{Org, Origin, Settings, State};
use serde_json::{Value, json};

use super::world::{World, command, fast, keys, people, table, until};
use crate::support::Ran;

const N_PEOPLE: usize = 80;
const OFFLINE: &str = "verify hr.plan --offline --json";
const ROLLBACK: &str = "rollback hr.plan --yes --json";

fn applied() -> World {
    let world = World::planned(fast(), &people(N_PEOPLE));
    world.done("apply hr.plan --yes -q");
    world
}

fn set_latency(world: &World, ms: u64) {
    world.server.with_org(|org| org.settings_mut().latency = Duration::from_millis(ms));
}

fn n_calls(world: &World, method: &str) -> u64 {
    world.server.with_org(|org| org.counts().n(method, "/api/v2/users/{userId}"))
}

fn n_deleted(world: &World) -> usize {
    world.server.with_org(|org| org.users().iter().filter(|user| user.state == State::Deleted).count())
}

/// Ids of the users of `created.csv`.
fn created(world: &World) -> BTreeSet<String> {
    table(&world.read("hr.plan/created.csv"), b',').into_iter().map(|row| row["_user_id"].clone()).collect()
}

/// Nobody outside the journal was ever written to.
fn assert_only_ours(world: &World, ours: &BTreeSet<String>) {
    world.server.with_org(|org| {
        assert_eq!(org.counts().n_modified, 0);
        let deleted = org.users().into_iter().filter(|user| user.state == State::Deleted && user.version > 1);
        deleted.for_each(|user| assert!(ours.contains(&user.id)));
    });
}

/// Rows of the journal whose last change is an intent with nothing behind it.
fn n_dangling(world: &World) -> usize {
    let mut open = BTreeSet::new();
    for line in world.journal() {
        match (line["ev"].as_str(), line["row"].as_u64()) {
            (Some("change"), Some(row)) => drop(open.insert(row)),
            (_, Some(row)) => drop(open.remove(&row)),
            _ => {}
        }
    }
    open.len()
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "killed by a signal");
}

#[test]
fn a_run_is_rolled_back_and_its_directory_stays_evidence() {
    let world = applied();
    let ours = created(&world);
    world.server.with_org(|org| org.seed_csv("email\nold@hr.example").unwrap());
    let now = world.server.with_org(|org| org.now());
    world.server.with_org(|org| assert!(org.stranger_sets_state("person7@hr.example", State::Inactive, now)));

    let asked = world.run("rollback hr.plan");
    assert_eq!((asked.code, n_calls(&world, "DELETE")), (Some(4), 0), "{asked:?}");
    for words in [
        "79 users to delete in \"Simulated Organisation\": rows 1, 2, 3, …, 78, 79, 80.",
        "--yes",
        "1 is kept (changed.state): row 7.",
    ] {
        assert!(asked.err.contains(words), "{asked:?}");
    }
    assert!(!asked.err.contains('@'), "{asked:?}");
    world.done(OFFLINE);

    let ran = world.done(ROLLBACK);
    let object = ran.json();
    assert_eq!(keys(&object), ["kept", "left", "removed", "requests", "seconds", "throttled", "unknown"]);
    assert_eq!(["removed", "kept", "unknown", "left"].map(|key| object[key].as_u64().unwrap()), [79, 1, 0, 0]);
    assert!(ran.err.contains("80 created = 79 removed + 1 kept + 0 unknown + 0 left"), "{ran:?}");
    assert_eq!((n_deleted(&world), n_calls(&world, "DELETE")), (79, 79));
    assert_only_ours(&world, &ours);

    let offline = world.done(OFFLINE).json();
    assert_eq!((&offline["closed"], &offline["altered"]), (&true.into(), &Value::Array(Vec::new())));
    let rows = table(&world.read("hr.plan/created.csv"), b',');
    assert_eq!(rows.len(), N_PEOPLE);
    for row in &rows {
        let expected =
            if row["_row"] == "7" { ["created", "active", ""] } else { ["created", "deleted", "rolled_back"] };
        assert_eq!(["_outcome", "_user_state", "_reason"].map(|name| row[name].as_str()), expected, "{row:?}");
    }
    let status = world.done("status hr.plan --json").json();
    assert_eq!((&status["created"], &status["removed"]), (&80.into(), &79.into()));
    // It expects them to be deleted, and finds what a stranger did.
    let verify = world.run("verify hr.plan --json");
    assert_eq!(
        (verify.code, &verify.json()["removed"], &verify.json()["differences"]),
        (Some(10), &79.into(), &1.into())
    );

    // What is done stays done, for either verb.
    let before = world.journal().len();
    assert_eq!(world.done(ROLLBACK).json()["removed"], 79);
    assert_eq!((world.journal().len(), n_calls(&world, "DELETE")), (before, 79), "nothing was left to do");
    let applied = world.done("apply hr.plan --yes --json");
    assert_eq!(applied.json()["created"], 80);
    assert!(applied.err.contains("Deleted again by rollback: 79"), "{applied:?}");
    assert_eq!((world.n_posts(), n_deleted(&world)), (80, 79));
    world.done("snapshot -o after.parquet -q");
    let again = world.done("plan hr.csv --snapshot after.parquet -o after.plan --json").json();
    assert_eq!((&again["new"], &again["deleted"], &again["present"]), (&0.into(), &79.into(), &1.into()));
}

#[test]
fn a_rollback_killed_three_times_deletes_nobody_else_and_leaves_nobody_behind() {
    let world = applied();
    let ours = created(&world);
    world.server.with_org(|org| org.seed_users(30));
    set_latency(&world, 250);
    for (n_done, finishes_orphans) in [(8, false), (20, true), (36, false)] {
        world.server.with_org(|org| org.settings_mut().finishes_orphans = finishes_orphans);
        let mut child = world.start(ROLLBACK);
        until("deletions in flight", || (n_deleted(&world) >= n_done && n_dangling(&world) >= 2).then_some(()));
        kill(&mut child);
        assert!(n_dangling(&world) > 0, "nothing was in flight");
        let evidence = world.run(OFFLINE);
        assert_eq!((evidence.code, &evidence.json()["closed"]), (Some(8), &false.into()), "{evidence:?}");
        assert_eq!(world.done("status hr.plan --json").json()["created"], N_PEOPLE);
        assert_only_ours(&world, &ours);
    }
    set_latency(&world, 0);
    // An apply closes the directory too, and deletes or creates nobody.
    let before = n_deleted(&world);
    world.done("apply hr.plan --yes -q");
    assert_eq!(world.done(OFFLINE).json()["closed"], true);
    let states: BTreeSet<String> =
        table(&world.read("hr.plan/created.csv"), b',').into_iter().map(|row| row["_reason"].clone()).collect();
    assert!(states.contains("rolled_back") && states.contains("rollback.unknown"), "{states:?}");
    assert_eq!((n_deleted(&world), world.n_posts()), (before, N_PEOPLE as u64));

    let object = world.done(ROLLBACK).json();
    assert_eq!((&object["removed"], &object["unknown"], &object["left"]), (&N_PEOPLE.into(), &0.into(), &0.into()));
    let n_gone = world.server.with_org(|org| {
        let is_gone = |n: &usize| org.users_with(&format!("person{n}@hr.example"))[0].state == State::Deleted;
        (1..=N_PEOPLE).filter(is_gone).count()
    });
    assert_eq!(n_gone, N_PEOPLE);
    assert_only_ours(&world, &ours);
    assert_eq!(world.done(OFFLINE).json()["closed"], true);
    assert_eq!(world.done("verify hr.plan --json").json()["removed"], N_PEOPLE);
}

#[test]
fn an_interrupted_rollback_records_its_calls_in_flight_and_goes_on_later() {
    let world = applied();
    set_latency(&world, 250);
    let child = world.start(ROLLBACK);
    until("deletions in flight", || (n_deleted(&world) >= 8).then_some(()));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(7), "{ran:?}");
    let object = ran.json();
    assert_eq!((object["removed"].as_u64().unwrap() as usize, &object["unknown"]), (n_deleted(&world), &0.into()));
    assert!(object["left"].as_u64().unwrap() > 0 && ran.err.contains("hint: "), "{ran:?}");
    assert_eq!(n_dangling(&world), 0);
    world.done(OFFLINE);
    set_latency(&world, 0);
    assert_eq!(world.done(ROLLBACK).json()["removed"], N_PEOPLE);
}

#[test]
fn a_rollback_is_refused_where_an_apply_would_be() {
    let world = World::planned(fast(), &people(3));
    let refused = |line: &str, code: i32, words: &str| {
        let ran = world.run(line);
        assert!(ran.code == Some(code) && ran.err.contains(words) && ran.err.contains("hint: "), "{line}: {ran:?}");
    };
    refused("rollback hr.plan --yes", 3, "nobody was created");
    world.done("apply hr.plan --yes -q");
    let other = World::of(Org::new(Settings { seed: 2, ..fast() }));
    let ran = Ran::of(command(world.dir.path(), &other.server.base_url(), "rollback hr.plan --yes").output().unwrap());
    assert!(ran.code == Some(4) && ran.err.contains("another organisation"), "{ran:?}");
    assert_eq!(n_calls(&other, "DELETE"), 0);

    let new = world.read("hr.plan/new.csv");
    world.write("hr.plan/new.csv", [&new[..], b"\n"].concat());
    refused("rollback hr.plan --yes", 4, "new.csv was altered");
    world.write("hr.plan/new.csv", new);

    let lock = std::fs::OpenOptions::new().append(true).open(world.path("hr.plan/journal.jsonl")).unwrap();
    lock.lock().unwrap();
    refused("rollback hr.plan --yes", 4, "process ");
    drop(lock);
    assert_eq!(n_calls(&world, "DELETE"), 0);
    world.done("rollback hr.plan --yes");
}

/// Users 1 to 40 are deleted, 41 is active; a roster wants all of them and nine others.
fn with_deleted(settings: Settings) -> World {
    let mut org = Org::new(settings);
    let gone = |n: usize| format!("person{n}@hr.example,Person {n},deleted,Old,admin\n");
    let rows: String = (1..=40).map(gone).collect();
    org.seed_csv(&format!("email,name,state,department,roles\n{rows}person41@hr.example,Person 41,active,Old,admin\n"))
        .unwrap();
    let world = World::of(org);
    world.write("hr.csv", people(50));
    world
}

/// Everybody is there and active, deleted users with what the roster says; nobody else was touched.
fn assert_all_there(world: &World) {
    world.server.with_org(|org| {
        assert_eq!(org.users().len(), 50);
        for n in 1..=50 {
            let user = org.users_with(&format!("person{n}@hr.example")).remove(0);
            let expected = if n <= 40 {
                (3, "Support", 0)
            } else if n == 41 {
                (1, "Old", 1)
            } else {
                (1, "Support", 0)
            };
            assert_eq!((user.version, user.department.as_deref().unwrap(), user.roles.len()), expected, "person {n}");
            assert_eq!(user.state, State::Active);
            assert_eq!(matches!(user.created_by, Origin::Token(_)), n > 41);
        }
        let counts = org.counts();
        assert_eq!((counts.n("DELETE", "/api/v2/users/{userId}"), counts.n_conflicts()), (0, 0));
        assert!(org.unknown_fields().is_empty(), "{:?}", org.unknown_fields());
    });
}

#[test]
fn a_plan_that_restores_says_so_and_brings_deleted_users_back() {
    let world = with_deleted(fast());
    let planned = world.done("plan hr.csv -o hr.plan --restore-deleted --max-creates 9 --json");
    assert!(planned.err.contains("`apply` restores 40 deleted users, too: roles, permissions,"), "{planned:?}");
    assert_eq!((&planned.json()["new"], &planned.json()["deleted"]), (&9.into(), &40.into()));
    let asked = world.run("apply hr.plan");
    assert_eq!(asked.code, Some(4), "{asked:?}");
    assert!(
        asked.err.contains("9 users to create in \"Simulated Organisation\", and 40 deleted users to restore"),
        "{asked:?}"
    );
    assert_eq!((n_calls(&world, "PATCH"), world.n_posts()), (0, 0));

    let ran = world.done("apply hr.plan --yes --json");
    let object = ran.json();
    let counts = ["created", "restored", "restore_refused", "restore_unknown"].map(|key| object[key].as_u64().unwrap());
    assert_eq!(counts, [9, 40, 0, 0]);
    assert!(ran.err.contains("9 new = 9 created +") && ran.err.contains("40 deleted = 40 restored +"), "{ran:?}");
    assert!(ran.err.contains("roles, permissions"), "{ran:?}");
    assert_all_there(&world);
    let status = world.done("status hr.plan --json");
    assert_eq!((&status.json()["restored"], &status.json()["removed"]), (&40.into(), &0.into()));
    assert!(status.err.contains("40 deleted = 40 restored +"), "{status:?}");
    let rows = table(&world.read("hr.plan/restored.csv"), b',');
    assert_eq!(rows.len(), 40);
    for row in &rows {
        assert_eq!((row["_outcome"].as_str(), row["_user_state"].as_str()), ("restored", "active"), "{row:?}");
        let user = world.server.with_org(|org| org.users_with(&row["Email"]).remove(0));
        assert_eq!((&row["_user_id"], &row["_verdict"]), (&user.id, &"deleted".to_owned()));
    }
    let offline = world.done(OFFLINE).json();
    assert_eq!((&offline["closed"], &offline["not_checked"]), (&true.into(), &Value::Array(Vec::new())));
    let verify = world.done("verify hr.plan --json").json();
    assert_eq!(["as_sent", "restored", "differences"].map(|key| verify[key].as_u64().unwrap()), [9, 40, 0]);
    // One changed byte of its own results is found, too.
    let restored = world.read("hr.plan/restored.csv");
    world.write("hr.plan/restored.csv", [&restored[..], b"\n"].concat());
    assert_eq!(world.run(OFFLINE).json()["altered"], Value::from(vec!["restored.csv"]));
    // Run again it does nothing; a rollback deletes whom the run created, and nobody whom it restored.
    let n_patches = n_calls(&world, "PATCH");
    assert_eq!(world.done("apply hr.plan --yes --json").json()["restored"], 40);
    assert_eq!(n_calls(&world, "PATCH"), n_patches);
    assert_eq!(world.done(ROLLBACK).json()["removed"], 9);
    assert_eq!((n_deleted(&world), n_calls(&world, "DELETE")), (9, 9));
    let now = world.server.with_org(|org| org.now());
    world.server.with_org(|org| assert!(org.stranger_erases("person3@hr.example")));
    world.server.with_org(|org| assert!(org.stranger_erases("person44@hr.example")));
    world.server.with_org(|org| assert!(org.stranger_sets_state("person42@hr.example", State::Active, now)));
    // Minutes after it was done a listing may still be behind: whoever is not as expected is counted, and no difference.
    let verify = world.done("verify hr.plan --json").json();
    let counts = ["removed", "restored", "not_visible"].map(|key| verify[key].as_u64().unwrap());
    assert_eq!((counts, &verify["checked"]), ([7, 39, 3], &49.into()));
}

#[test]
fn a_user_that_cannot_be_restored_is_told_and_the_exit_code_says_so() {
    let world = with_deleted(fast());
    world.done("plan hr.csv -o hr.plan --restore-deleted -q");
    let now = world.server.with_org(|org| org.now());
    world.server.with_org(|org| {
        assert!(org.stranger_sets_state("person1@hr.example", State::Inactive, now));
        assert!(org.stranger_erases("person2@hr.example"));
    });
    let ran = world.run("apply hr.plan --yes --json");
    assert_eq!((ran.code, &ran.json()["restored"], &ran.json()["restore_refused"]), (Some(1), &38.into(), &2.into()));
    let rows = table(&world.read("hr.plan/restored.csv"), b',');
    let told = |at: usize| (rows[at]["_outcome"].as_str(), rows[at]["_reason"].as_str());
    assert_eq!(told(0), ("restore_refused", "restore.not_deleted"));
    assert_eq!(told(1), ("restore_refused", "restore.gone"));
    let held = world.server.with_org(|org| org.users_with("person1@hr.example").remove(0));
    assert_eq!((held.state, held.version), (State::Inactive, 2));
    world.done(OFFLINE);
}

#[test]
fn a_restoration_killed_in_the_middle_goes_on_and_does_nothing_twice() {
    let world = with_deleted(fast());
    world.done("plan hr.csv -o hr.plan --restore-deleted -q");
    set_latency(&world, 150);
    for (n_back, finishes_orphans) in [(4, false), (14, true)] {
        world.server.with_org(|org| org.settings_mut().finishes_orphans = finishes_orphans);
        let mut child = world.start("apply hr.plan --yes --json --settle 2");
        until("restorations in flight", || (40 - n_deleted(&world) >= n_back && n_dangling(&world) >= 2).then_some(()));
        kill(&mut child);
        assert_eq!(world.run(OFFLINE).code, Some(8));
        world.done("status hr.plan --json");
    }
    set_latency(&world, 0);
    let object = world.done("apply hr.plan --yes --json --settle 2").json();
    assert_eq!(
        (&object["created"], &object["restored"], &object["restore_unknown"]),
        (&9.into(), &40.into(), &0.into())
    );
    assert_all_there(&world);
    assert_eq!(world.done(OFFLINE).json()["closed"], true);
}

#[test]
fn without_being_asked_nobody_is_changed_or_deleted_by_any_command() {
    let world = with_deleted(fast());
    world.done("plan hr.csv -o hr.plan -q");
    for line in
        ["apply hr.plan --yes -q", "apply hr.plan --yes -q", "verify hr.plan -q", "status hr.plan -q", "doctor -q"]
    {
        world.done(line);
    }
    assert!(!world.path("hr.plan/restored.csv").exists());
    world.server.with_org(|org| {
        let methods: BTreeSet<&str> = org.counts().by_route.keys().map(|(method, _)| *method).collect();
        assert_eq!(methods, BTreeSet::from(["GET", "POST"]));
        let posts: BTreeSet<&str> =
            org.counts().by_route.keys().filter(|(method, _)| *method == "POST").map(|(_, route)| *route).collect();
        assert!(
            posts.is_subset(&BTreeSet::from(["/oauth/token", "/api/v2/users", "/api/v2/users/search"])),
            "{posts:?}"
        );
        assert_eq!(org.counts().n_modified, 0);
    });
}

#[test]
fn whatever_the_service_quotes_no_address_and_no_name_is_told_or_journalled() {
    let mut org = Org::new(fast());
    org.seed_csv("email,name,state\nGone.Nightingale@roost.example,Canary Nightingale,deleted").unwrap();
    let world = World::of(org);
    world.write(
        "hr.csv",
        "Name,Email\nCanary Nightingale,Gone.Nightingale@roost.example\nCanary Nightingale,New.Nightingale@roost.example\n",
    );
    world.done("plan hr.csv -o hr.plan --restore-deleted");
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            if matches!(request.method, Method::Patch | Method::Delete) {
                let quote = "no New.Nightingale@roost.example (Canary Nightingale) here";
                let body = json!({ "status": 400, "code": quote, "message": quote, "contextId": quote });
                reply.status = 400;
                reply.headers = vec![("inin-correlation-id".to_owned(), quote.to_owned())];
                reply.body = body.to_string().into_bytes();
            }
        });
    });
    let applied = world.run("apply hr.plan --yes --json --verbose");
    let rolled_back = world.run("rollback hr.plan --yes --json --verbose");
    // A no is believed, although what it was said of is done here: the user is read again, and found as it is.
    assert_eq!((applied.code, &applied.json()["restore_refused"]), (Some(1), &1.into()));
    assert_eq!((rolled_back.code, &rolled_back.json()["kept"]), (Some(0), &1.into()));
    let journal = String::from_utf8(world.read("hr.plan/journal.jsonl")).unwrap();
    for text in [&applied.err, &applied.out, &rolled_back.err, &rolled_back.out, &journal] {
        assert!(!text.to_lowercase().contains("nightingale"), "{text}");
    }
}
