//! Waves that go wrong: an earlier plan goes on after it was asked, only the last one is named, an index lags behind what was
//! deleted or restored, a rollback is killed. Nobody is there twice.

use std::collections::BTreeSet;
use std::time::Duration;

use rosterdiff::person::State;
use rosterdiff::sim::{Org, Settings};

use super::kill::{N_PEOPLE, lagging, set_latency, until_in_the_middle};
use super::waves::{assert_each_once, dangling, n, reasons, rows, snapshot_in, told, user};
use super::world::{World, fast, people, until};

const HOUR: Duration = Duration::from_secs(3_600);

/// Runs `hr.plan` and kills it while creates are in the air.
fn kill_in_the_middle(world: &World) -> BTreeSet<String> {
    set_latency(world, 1_000);
    let mut child = world.start("apply hr.plan --yes --json --settle 2");
    until_in_the_middle(world, 20);
    child.kill().unwrap();
    child.wait().unwrap();
    set_latency(world, 0);
    let open = dangling(world);
    assert!(!open.is_empty());
    open
}

#[test]
fn once_an_earlier_plan_has_gone_on_nothing_is_sent_that_it_may_have_created() {
    let world = World::planned(Settings { uniqueness_lags: true, ..lagging() }, &people(N_PEOPLE));
    kill_in_the_middle(&world);
    let ran = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan --json");
    assert!(n(&ran.json(), "after_unsent") > 0, "{ran:?}");
    assert!(
        ran.err.contains("Do not apply both plans: rosterdiff apply hr.plan, to its end, and plan again"),
        "{ran:?}"
    );
    world.done("apply hr.plan --yes --json --settle 2");
    assert_each_once(&world, N_PEOPLE);
    // From here on the service would take everybody a second time.
    world.server.with_org(|org| {
        let settings = org.settings_mut();
        (settings.list_lag, settings.search_lag) = (HOUR, HOUR);
    });
    let posts = world.n_posts();
    let ran = world.run("apply hr2.plan --yes --json");
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("hr.plan has gone on since this plan was made"), "{ran:?}");
    assert!(ran.err.contains("plan again with --after hr.plan") && ran.err.contains("nothing was sent"), "{ran:?}");
    assert_eq!(world.n_posts(), posts);
    assert!(!world.path("hr2.plan/journal.jsonl").exists());
    let plan = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr3.plan --json").json();
    assert_eq!([n(&plan, "new"), n(&plan, "present")], [0, N_PEOPLE as u64], "{plan}");
    assert_each_once(&world, N_PEOPLE);
    // Nobody knows any more what it did: that is told.
    std::fs::rename(world.path("hr.plan"), world.path("moved")).unwrap();
    let ran = world.done("apply hr3.plan --yes --json");
    assert!(ran.err.contains("hr.plan is not there any more: whether it has gone on"), "{ran:?}");
}

#[test]
fn what_its_own_run_may_have_created_is_settled_though_an_earlier_plan_has_gone_on() {
    let world = World::new(fast());
    world.write("hr1.csv", "Name,Email\nEve,eve@hr.example\n");
    world.done("plan hr1.csv -o hr1.plan -q");
    world.done("apply hr1.plan --yes -q");
    world.write("hr.csv", people(N_PEOPLE));
    world.done("plan hr.csv --after hr1.plan -o hr.plan -q");
    kill_in_the_middle(&world);
    world.done("rollback hr1.plan --yes -q");
    let n_before = n(&world.done("status hr.plan --json").json(), "unprocessed");
    let ran = world.run("apply hr.plan --yes --json --settle 2");
    let object = ran.json();
    assert_eq!((ran.code, n(&object, "unknown")), (Some(4), 0), "{ran:?}");
    assert!(n_before > 0 && n(&object, "unprocessed") == n_before, "{n_before}: {ran:?}");
    assert!(ran.err.contains("hr1.plan has gone on since") && !ran.err.contains("To go on"), "{ran:?}");
    assert!(
        ran.err.contains("plan again with --after hr.plan") && ran.err.contains("no other row was sent"),
        "{ran:?}"
    );
    // Now nothing is open, and the next one is refused before anybody is asked.
    let posts = world.n_posts();
    assert_eq!(world.run("apply hr.plan --yes --json --settle 2").code, Some(4));
    let ran = world.done("plan hr.csv --after hr.plan -o hr2.plan --json");
    assert_eq!((n(&ran.json(), "new"), world.n_posts()), (n_before, posts), "{ran:?}");
    assert!(ran.err.contains("Asked as well, since hr.plan was planned after it: hr1.plan."), "{ran:?}");
    world.done("apply hr2.plan --yes -q");
    world.server.with_org(|org| {
        for n in 1..=N_PEOPLE {
            assert_eq!(org.users_with(&format!("person{n}@hr.example")).len(), 1, "person {n}");
        }
    });
}

#[test]
fn who_names_only_the_last_wave_forgets_none_before_it() {
    let world = World::new(Settings { list_lag: HOUR, search_lag: HOUR, uniqueness_lags: true, ..fast() });
    world.done("snapshot -o org.parquet -q");
    for (at, (n_people, after)) in
        [(20, ""), (30, "--after hr1.plan"), (35, "--after hr2.plan")].into_iter().enumerate()
    {
        let wave = at + 1;
        world.write(&format!("hr{wave}.csv"), people(n_people));
        let ran = world.done(&format!("plan hr{wave}.csv --snapshot org.parquet {after} -o hr{wave}.plan"));
        let is_told = ran.err.contains("Asked as well, since hr2.plan was planned after it: hr1.plan.");
        assert_eq!(is_told, wave == 3, "{ran:?}");
        if wave == 2 {
            // A plan in the middle that was never applied passes on what it was told.
            let plan = world.done("plan hr2.csv --snapshot org.parquet --after hr2.plan -o never.plan --json").json();
            assert_eq!(n(&plan, "present"), 20, "{plan}");
        }
        world.done(&format!("apply hr{wave}.plan --yes -q"));
    }
    assert_each_once(&world, 35);
    let plan = |after: &str| {
        let ran =
            world.done(&format!("plan hr3.csv --snapshot org.parquet --after {after} -o next.plan --overwrite --json"));
        (n(&ran.json(), "new"), ran.err)
    };
    assert_eq!(plan("never.plan").0, 5);
    assert_eq!(plan("hr3.plan").0, 0);
    assert_eq!(plan("hr1.plan hr3.plan").0, 0);
    let ran = world.run("plan hr3.csv --snapshot org.parquet --after hr3.plan -o hr1.plan/in --json");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    std::fs::rename(world.path("hr1.plan"), world.path("moved")).unwrap();
    let (n_new, words) = plan("hr2.plan");
    assert_eq!(n_new, 25);
    assert!(words.contains("hr1.plan, which hr2.plan was planned after, is not there any more"), "{words}");
}

#[test]
fn what_a_killed_run_may_have_created_is_held_back_over_a_chain_of_three() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    let open = kill_in_the_middle(&world);
    world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan -q");
    for _ in 0..2 {
        // Whether the one in the middle was applied or not.
        let line = "plan hr.csv --snapshot org.parquet --after hr2.plan -o hr3.plan --overwrite --json";
        let plan = world.done(line).json();
        assert_eq!(n(&plan, "after_unknown"), open.len() as u64, "{plan}");
        let held = rows(&world, "hr3.plan/new.csv").into_iter().filter(|row| row["_reason"] == "after.unknown");
        assert_eq!(held.map(|row| row["_row"].clone()).collect::<BTreeSet<_>>(), open);
        world.done("apply hr2.plan --yes -q");
    }
    let posts = world.n_posts();
    world.done("apply hr3.plan --yes -q");
    assert_eq!(world.n_posts(), posts);
}

#[test]
fn a_listing_that_lags_behind_a_deletion_or_a_restoration_is_not_believed_against_it() {
    let world = World::planned(fast(), &people(2));
    world.done("apply hr.plan --yes -q");
    let ids: Vec<String> = rows(&world, "hr.plan/created.csv").into_iter().map(|row| row["_user_id"].clone()).collect();
    world.done("rollback hr.plan --yes -q");
    let users = [1, 2].map(|n| user(&ids[n - 1], &format!("person{n}@hr.example"), State::Active));
    snapshot_in(&world, 0, &users, "now.parquet");
    snapshot_in(&world, 2, &users, "later.parquet");
    let ran = world.done("plan hr.csv --snapshot now.parquet --after hr.plan -o now.plan --json");
    assert_eq!(told(&ran.json()), ["after_rolled_back 2"]);
    assert_eq!(reasons(&world, "now.plan/deleted.csv"), ["1 after.rolled_back", "2 after.rolled_back"]);
    // Hours later somebody has restored them: they are there, and none of ours.
    let ran = world.done("plan hr.csv --snapshot later.parquet --after hr.plan -o later.plan --json");
    assert_eq!((told(&ran.json()), n(&ran.json(), "present")), (Vec::new(), 2), "{ran:?}");

    let mut org = Org::new(fast());
    org.seed_csv("email,state\nperson1@hr.example,deleted\n").unwrap();
    let world = World::of(org);
    world.write("hr.csv", people(1));
    world.done("plan hr.csv -o hr.plan --restore-deleted -q");
    assert_eq!(world.done("apply hr.plan --yes --json").json()["restored"], 1);
    let id = world.server.with_org(|org| org.users_with("person1@hr.example")[0].id.clone());
    snapshot_in(&world, 0, &[user(&id, "person1@hr.example", State::Deleted)], "now.parquet");
    world.done("plan hr.csv --snapshot now.parquet --after hr.plan -o now.plan -q");
    assert_eq!(reasons(&world, "now.plan/present.csv"), ["1 after.restored"]);
}

#[test]
fn whom_a_killed_rollback_may_have_deleted_is_held_back_until_it_knows() {
    let world = World::planned(fast(), &people(12));
    world.done("apply hr.plan --yes -q");
    set_latency(&world, 1_000);
    let mut child = world.start("rollback hr.plan --yes");
    let is = |ev: &str| world.journal().iter().filter(|line| line["ev"] == ev).count();
    until("a deletion in the air", || (is("change") > 0).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    set_latency(&world, 0);
    let n_removed = is("changed") as u64;
    let n_open = is("change") as u64 - n_removed;
    assert!(n_open > 0);
    let ran = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan --json");
    assert_eq!(n(&ran.json(), "after_unknown"), n_open, "{ran:?}");
    assert_eq!(n(&ran.json(), "after_created"), 12 - n_open - n_removed, "{ran:?}");
    assert!(ran.err.contains("Run `rosterdiff rollback hr.plan` to its end and plan again"), "{ran:?}");
    let posts = world.n_posts();
    world.done("apply hr2.plan --yes -q");
    assert_eq!(world.n_posts(), posts);
    world.done("rollback hr.plan --yes -q");
    let plan = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr3.plan --json").json();
    assert_eq!(told(&plan), ["after_rolled_back 12"]);
}
