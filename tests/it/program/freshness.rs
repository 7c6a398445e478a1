//! What proves a plan grows old: looked up again after minutes, refused after a day, unless somebody allows more.

use std::collections::BTreeSet;

use rosterdiff::sim::{Org, Settings, State};

use super::world::{World, fast, people, table};
use crate::support::Ran;

const HOUR_S: i64 = 3_600;

fn strangers(world: &World, rows: &[usize], state: State) {
    world.server.with_org(|org| {
        for n in rows {
            org.stranger_creates(&format!("Person{n}@HR.example"), state, org.now()).unwrap();
        }
    });
}

/// From now on the service answers creates with 403, or again as it should.
fn forbid_creates(world: &World, is_forbidden: bool) {
    world.server.with_org(|org| {
        org.after_each(move |_, request, reply| {
            if is_forbidden && request.path == "/api/v2/users" && !request.body.is_empty() {
                (reply.status, reply.body) = (403, b"{}".to_vec());
            }
        });
    });
}

fn taken(world: &World) -> BTreeSet<String> {
    table(&world.read("hr.plan/taken.csv"), b',').into_iter().map(|row| row["_row"].clone()).collect()
}

#[test]
fn rows_of_an_old_snapshot_are_looked_up_again_and_who_is_held_by_now_is_named_by_row() {
    let world = World::planned(fast(), &people(60));
    world.age_plan(3 * HOUR_S + 59);
    strangers(&world, &[1, 2, 3, 20, 21, 22, 23], State::Active);
    strangers(&world, &[30, 31], State::Inactive);
    strangers(&world, &[40, 50], State::Deleted);
    let ran = world.done("apply hr.plan --yes --json");
    let told =
        "Looked 60 rows up again, since the snapshot is 3 h old: 49 still new, 9 exist now, 2 held by deleted users.";
    assert!(ran.err.contains(told), "{ran:?}");
    assert!(ran.err.contains("taken.csv: rows 1, 2, 3, 20, 21, 22, 23, 30, 31, 40 and 1 more."), "{ran:?}");
    assert!(!ran.err.contains('@') && !ran.err.to_lowercase().contains("person1"), "{ran:?}");
    assert_eq!((&ran.json()["created"], &ran.json()["taken"]), (&49.into(), &11.into()));
    assert_eq!(
        taken(&world),
        ["1", "2", "3", "20", "21", "22", "23", "30", "31", "40", "50"].map(str::to_owned).into()
    );
    world.server.with_org(|org| {
        assert_eq!((org.counts().n_conflicts(), org.counts().n("POST", "/api/v2/users")), (0, 49));
    });
    // Nothing is left that could be looked up, however old the plan becomes.
    world.done("verify hr.plan --offline");
    assert!(!world.done("apply hr.plan --yes").err.contains("Looked"));
}

#[test]
fn a_proof_of_minutes_stands_for_itself() {
    let world = World::planned(fast(), &people(5));
    world.age_plan(240);
    assert!(!world.done("apply hr.plan --yes -v").err.contains("Looked"));
    assert_eq!(world.server.with_org(|org| org.counts().n("POST", "/api/v2/users/search")), 0);
}

#[test]
fn a_run_that_goes_on_looks_up_what_it_has_not_sent_yet() {
    let world = World::planned(fast(), &people(60));
    world.age_plan(400);
    forbid_creates(&world, true);
    let first = world.run("apply hr.plan --yes");
    assert_eq!(first.code, Some(5), "{first:?}");
    assert!(first.err.contains("Looked 60 rows up again, since the snapshot is 6 min old"), "{first:?}");
    let n_users = world.server.with_org(|org| org.users().len());
    forbid_creates(&world, false);
    // The service carried some out all the same, and answered 403: to us they were never sent, and they are there.
    let there: Vec<usize> = (1..=60)
        .filter(|n| !world.server.with_org(|org| org.users_with(&format!("person{n}@hr.example"))).is_empty())
        .collect();
    assert_eq!(there.len(), n_users);
    let free = (1..=60).find(|n| !there.contains(n)).unwrap();
    strangers(&world, &[free], State::Active);
    let again = world.done("apply hr.plan --yes --json");
    let told = format!("{} still new, {} exist now, 0 held by deleted users.", 59 - n_users, n_users + 1);
    assert!(again.err.contains(&told), "{told} {again:?}");
    assert_eq!(again.json()["taken"], n_users + 1);
    assert!(taken(&world).contains(&free.to_string()));
    assert_eq!(world.server.with_org(|org| org.counts().n_conflicts()), 0);
}

#[test]
fn a_service_that_refuses_searches_does_not_stop_a_proven_plan() {
    for status in [400, 403] {
        let world = World::planned(fast(), &people(6));
        world.age_plan(2 * HOUR_S);
        world.server.with_org(|org| {
            org.after_each(move |_, request, reply| {
                if request.path.ends_with("/search") {
                    (reply.status, reply.body) = (status, b"{}".to_vec());
                }
            });
        });
        let ran = world.done("apply hr.plan --yes --json");
        assert!(
            ran.err.contains("The service refuses to look 6 rows up again, though the snapshot is 2 h old"),
            "{ran:?}"
        );
        assert_eq!(ran.json()["created"], 6, "{status}");
    }
}

#[test]
fn an_address_that_cannot_be_looked_up_again_is_sent_as_it_was_planned() {
    let world = World::planned(fast(), &people(6));
    world.age_plan(2 * HOUR_S);
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.path.ends_with("/search") && String::from_utf8_lossy(&request.body).contains("person3@") {
                (reply.status, reply.body) = (400, b"{}".to_vec());
            }
        });
    });
    let ran = world.done("apply hr.plan --yes --json");
    assert!(ran.err.contains("5 still new, 0 exist now, 0 held by deleted users, 1 could not be looked up"), "{ran:?}");
    assert_eq!(ran.json()["created"], 6);
}

#[test]
fn what_a_search_does_not_prove_is_said_and_stops_no_proven_plan() {
    let mut org = Org::new(Settings { search_folds_case: false, ..fast() });
    org.seed_csv("email,state\nada@example.com,active\n").unwrap();
    let world = World::of(org);
    world.write("hr.csv", people(3));
    world.plan();
    world.age_plan(2 * HOUR_S);
    let ran = world.done("apply hr.plan --yes --json");
    let told = "Looking rows up again proves less than it could: the search tells upper from lower case";
    assert!(ran.err.contains(told) && ran.err.contains("3 still new"), "{ran:?}");
    assert_eq!(ran.json()["created"], 3);
}

/// Refused for its age, with all of `words`, and before anybody was asked anything.
fn assert_refused(world: &World, line: &str, words: &[&str]) -> Ran {
    let before = world.n_requests();
    let ran = world.run(line);
    assert_eq!((ran.code, world.n_requests()), (Some(4), before), "{ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{word}: {ran:?}");
    }
    ran
}

#[test]
fn a_plan_of_yesterday_is_refused_until_its_age_is_allowed() {
    let world = World::planned(fast(), &people(4));
    world.age_plan(31 * HOUR_S + 1);
    let words = [
        "error: plan was made from a snapshot 31 hours old\n",
        "\n  the policy of this plan allows 24\n",
        "\nhint: plan again, or allow it with `--age-max 48`; nothing was sent\n",
    ];
    assert_refused(&world, "apply hr.plan --yes", &words);
    assert_refused(
        &world,
        "apply hr.plan --yes --age-max 31",
        &["31 hours and 1 minute old", "allows 31", "--age-max 48"],
    );
    assert!(!world.path("hr.plan/journal.jsonl").exists());
    // Begun and cut off: whoever goes on has to say it again, and is told so.
    forbid_creates(&world, true);
    let begun = world.run("apply hr.plan --yes --age-max 48");
    assert_eq!(begun.code, Some(5), "{begun:?}");
    assert!(begun.err.contains("To go on: rosterdiff apply hr.plan --yes --age-max 48"), "{begun:?}");
    forbid_creates(&world, false);
    assert_refused(&world, "apply hr.plan --yes", &words);
    world.done("apply hr.plan --yes --age-max 48");
    // Where nothing is left to send, no age is in the way.
    world.done("apply hr.plan --yes");
}

#[test]
fn a_proof_of_tomorrow_is_refused_as_a_wrong_clock() {
    let world = World::planned(fast(), &people(4));
    world.age_plan(-2 * HOUR_S - 30);
    let ran = assert_refused(
        &world,
        "apply hr.plan --yes --age-max 9999",
        &["in the future, 2 h from now: a clock is wrong"],
    );
    assert!(!ran.err.contains("--age-max"), "{ran:?}");
    // Two clocks may differ a little.
    world.age_plan(-200);
    world.done("apply hr.plan --yes");
}

#[test]
fn the_age_of_an_export_counts_from_its_plan_and_of_a_search_from_the_search() {
    let world = World::new(fast());
    world.write("hr.csv", people(3));
    world.write("export.csv", "email,state\nada@example.com,active\n");
    let mut command = world.command("plan hr.csv --snapshot export.csv -o hr.plan");
    let ran = Ran::of(command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap());
    assert_eq!(ran.code, Some(9), "{ran:?}");
    world.age_plan(50 * HOUR_S);
    let line = "apply hr.plan --yes --accept-unproven";
    assert_refused(&world, line, &["error: plan was made 50 hours ago", "--age-max 72"]);
    let ran = world.done(&format!("{line} --age-max 72"));
    assert!(ran.err.contains("Looked up 3 addresses") && !ran.err.contains("up again"), "{ran:?}");

    let world = World::new(fast());
    world.write("hr.csv", people(3));
    world.write("export.csv", "email,state\nada@example.com,active\n");
    world.done("plan hr.csv --snapshot export.csv -o hr.plan");
    world.age_plan(25 * HOUR_S);
    assert_refused(&world, "apply hr.plan --yes", &["error: the rows of this plan were looked up 25 hours ago"]);
    let ran = world.done("apply hr.plan --yes --age-max 26");
    assert!(ran.err.contains("Looked 3 rows up again, since they were looked up 25 h ago: 3 still new"), "{ran:?}");
}

/// Calls of `apply` over real sockets for each user that it created.
fn calls_a_user(n: usize, search_values_max: usize) -> f64 {
    let world = World::planned(Settings { search_values_max, ..fast() }, &people(n));
    world.age_plan(3 * HOUR_S);
    strangers(&world, &[7, 77], State::Active);
    let before = world.n_requests();
    let object = world.done("apply hr.plan --yes --json").json();
    assert_eq!((&object["created"], &object["taken"]), (&(n - 2).into(), &2.into()));
    assert_eq!(object["requests"].as_u64().unwrap(), world.n_requests() - before, "none goes uncounted");
    object["requests"].as_f64().unwrap() / (n - 2) as f64
}

#[test]
fn looking_up_again_costs_three_calls_for_a_hundred_users_at_most_and_fifteen_with_searches_of_nine() {
    let (of_hundred, of_nine) = (calls_a_user(800, 100), calls_a_user(800, 9));
    println!("{of_hundred:.4} and {of_nine:.4} calls a user");
    assert!(of_hundred <= 1.03 && of_nine <= 1.15, "{of_hundred} {of_nine}");
}

// Row 40
#[test]
fn a_service_that_wants_to_be_left_alone_for_long_ends_the_run_with_6_and_the_time_to_go_on() {
    let world = World::planned(fast(), &people(60));
    world.server.with_org(|org| {
        let mut n = 0;
        org.after_each(move |_, request, reply| {
            n += u32::from(request.path == "/api/v2/users" && !request.body.is_empty());
            if n > 10 {
                (reply.status, reply.body) = (429, b"{}".to_vec());
                reply.headers = vec![("retry-after".to_owned(), "600".to_owned())];
            }
        });
    });
    let before = jiff::Timestamp::now().as_second();
    let ran = world.run("apply hr.plan --yes --json");
    let after = jiff::Timestamp::now().as_second();
    assert_eq!(ran.code, Some(6), "{ran:?}");
    let said = ran.json()["resume_at"].as_str().unwrap().to_owned();
    let at = said.parse::<jiff::Timestamp>().unwrap().as_second();
    assert!((before + 600..=after + 601).contains(&at), "{ran:?}");
    assert!(
        ran.err.contains("hint: safe to run again after ") && ran.err.contains(&format!("({said}), in 10 min")),
        "{ran:?}"
    );
    assert_eq!(ran.json()["unknown"], 0);
}
