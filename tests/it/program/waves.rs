//! `plan --after` from outside: a migration in waves, in which nobody is there twice, nobody is asked for twice, and
//! whoever is refused again is pointed out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rosterdiff::files::manifest::Manifest;
use rosterdiff::files::parquet::SnapshotWriter;
use rosterdiff::person::{self, User};
use rosterdiff::sim::{Org, Settings, State};
use serde_json::Value;

use super::kill::{N_PEOPLE, lagging, set_latency, until_in_the_middle};
use super::world::{World, fast, keys, people, table};

const PLAN_KEYS: [&str; 23] = [
    "after_absent",
    "after_at_work",
    "after_created",
    "after_gone",
    "after_renamed",
    "after_rolled_back",
    "after_taken",
    "after_unknown",
    "after_unseen",
    "after_unsent",
    "complete",
    "deleted",
    "differing",
    "duplicate",
    "forecast_s",
    "gates",
    "invalid",
    "new",
    "present",
    "refused_again",
    "refused_before",
    "rows",
    "suspects",
];

pub fn rows(world: &World, file: &str) -> Vec<BTreeMap<String, String>> {
    table(&world.read(file), b',')
}

/// Reasons of the rows of a verdict, by row.
pub fn reasons(world: &World, file: &str) -> Vec<String> {
    rows(world, file).into_iter().map(|row| format!("{} {}", row["_row"], row["_reason"])).collect()
}

pub fn n(object: &Value, key: &str) -> u64 {
    object[key].as_u64().unwrap_or_else(|| panic!("{key}: {object}"))
}

/// Numbers of an object that are not 0, but for those of every plan.
pub fn told(object: &Value) -> Vec<String> {
    let is_after = |key: &&str| key.starts_with("after_") || key.starts_with("refused_");
    let all = keys(object).into_iter().filter(is_after).filter(|key| object[key] != 0);
    all.map(|key| format!("{key} {}", object[key])).collect()
}

pub fn assert_each_once(world: &World, n_people: usize) {
    world.server.with_org(|org| {
        assert_eq!(org.users().len(), n_people);
        for n in 1..=n_people {
            assert_eq!(org.users_with(&format!("person{n}@hr.example")).len(), 1, "person {n}");
        }
    });
}

fn n_conflicts(world: &World) -> u64 {
    world.server.with_org(|org| org.counts().n_conflicts())
}

#[test]
fn three_waves_under_an_index_that_shows_nothing_for_an_hour_create_everybody_once_without_a_conflict() {
    let lag = Duration::from_secs(3_600);
    // Such a service would create everybody twice who is asked for twice.
    let world = World::new(Settings { list_lag: lag, search_lag: lag, uniqueness_lags: true, ..fast() });
    world.done("snapshot -o org.parquet -q");
    world.write("hr1.csv", people(20));
    world.done("plan hr1.csv --snapshot org.parquet -q");
    assert_eq!(world.done("apply hr1.plan --yes --json").json()["created"], 20);

    world.write("hr2.csv", people(30));
    let ran = world.done("plan hr2.csv --after hr1.plan -o hr2.plan --json");
    let plan = ran.json();
    assert_eq!(keys(&plan), PLAN_KEYS);
    assert_eq!([n(&plan, "new"), n(&plan, "present")], [10, 20], "{plan}");
    assert_eq!(told(&plan), ["after_created 20", "after_unseen 20"]);
    assert_eq!(plan["complete"], true);
    assert!(ran.err.contains("After hr1.plan: 20 new = 20 created + 0 adopted"), "{ran:?}");
    assert!(
        ran.err.contains(
            "20 present rows were created or restored by earlier plans, and the snapshot shows none of them yet"
        ),
        "{ran:?}"
    );
    let there = &rows(&world, "hr2.plan/present.csv")[4];
    let id = world.server.with_org(|org| org.users_with("person5@hr.example")[0].id.clone());
    for (column, expected) in [
        ("_reason", "after.created"),
        ("_user_id", id.as_str()),
        ("_user_state", "active"),
        ("_user_email", "person5@hr.example"),
        ("_holders", "1"),
        ("_differs", ""),
    ] {
        assert_eq!(there[column], expected, "{column}");
    }
    assert_eq!(world.done("apply hr2.plan --yes --json").json()["created"], 10);

    // From the snapshot before the first wave, in no order, and people 1 to 4 have left.
    let all = people(35);
    let left: Vec<&str> =
        all.lines().enumerate().filter(|(at, _)| !(1..5).contains(at)).map(|(_, line)| line).collect();
    world.write("hr3.csv", left.join("\n"));
    let ran = world.done("plan hr3.csv --after hr2.plan hr1.plan --snapshot org.parquet -o hr3.plan --json");
    let plan = ran.json();
    assert_eq!([n(&plan, "new"), n(&plan, "present")], [5, 26], "{plan}");
    assert_eq!(told(&plan), ["after_absent 4", "after_created 26", "after_unseen 26"]);
    assert!(ran.err.contains("4 people created by earlier plans are not in this roster"), "{ran:?}");
    assert_eq!(world.done("apply hr3.plan --yes --json").json()["created"], 5);
    assert_each_once(&world, 35);
    assert_eq!((n_conflicts(&world), world.n_posts()), (0, 35));
    let offline = world.done("verify hr3.plan --offline");
    assert_eq!(offline.err.matches("the earlier plan, and its journal ends where it did").count(), 2, "{offline:?}");
}

/// Three rows that are too long for the service, and one that is not.
pub const LONG: &str = "Name,Email,Department,Title,Work Phone\n\
                    One,person1@hr.example,Care,Agent,\n\
                    Two,person2@hr.example,A department beyond twenty letters,Agent,\n\
                    Three,person3@hr.example,Care,A title beyond twenty letters,\n\
                    A name beyond twenty letters,person9@hr.example,Care,Agent,\n";

pub fn refused() -> World {
    let world = World::new(Settings { text_chars_max: Some(20), ..fast() });
    world.write("hr1.csv", LONG);
    world.done("plan hr1.csv -o hr1.plan -q");
    let ran = world.run("apply hr1.plan --yes --json");
    assert_eq!((ran.code, n(&ran.json(), "refused")), (Some(1), 3), "{ran:?}");
    world
}

#[test]
fn who_is_refused_again_or_comes_as_he_was_is_pointed_out_and_who_was_corrected_is_created() {
    let world = refused();
    // Two gets another department, Three stays as he is, the last another address and a name that fits.
    let text = String::from_utf8(world.read("hr1.plan/refused.csv")).unwrap();
    let text = text.replace("A department beyond twenty letters", "Care");
    let text = text.replace("A name beyond twenty letters,person9@", "Four,person4@");
    world.write("refused.csv", text);
    let ran = world.done("plan refused.csv --after hr1.plan -o hr2.plan --json");
    assert_eq!(n(&ran.json(), "new"), 3);
    assert_eq!(told(&ran.json()), ["after_absent 1", "refused_again 1", "refused_before 2"]);
    assert!(
        ran.err.contains("2 new rows were refused before (after.refused), 1 of them once and corrected"),
        "{ran:?}"
    );
    assert!(ran.err.contains("look at again.csv") && !ran.err.contains('@'), "{ran:?}");
    assert_eq!(reasons(&world, "hr2.plan/new.csv"), ["1 after.refused", "2 after.refused", "3 "]);
    let again = rows(&world, "hr2.plan/again.csv");
    assert_eq!(again.len(), 1, "{again:?}");
    let was = &rows(&world, "hr1.plan/refused.csv")[1];
    for (column, expected) in [
        ("Name", "Three"),
        ("_row", "2"),
        ("_verdict", "new"),
        ("_refused", "1"),
        ("_code", was["_code"].as_str()),
        ("_message", was["_message"].as_str()),
        ("_changed", "no"),
    ] {
        assert_eq!(again[0][column], expected, "{column}");
    }
    assert!(!was["_message"].is_empty() && !was["_code"].is_empty(), "{was:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(world.path("hr2.plan/again.csv")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let applied = world.run("apply hr2.plan --yes --json").json();
    assert_eq!([n(&applied, "created"), n(&applied, "refused")], [2, 1], "{applied}");

    // Changed, and refused twice; fed back from the file that points it out, whose tool columns are cut off.
    let text = String::from_utf8(world.read("hr2.plan/again.csv")).unwrap().replace("A title", "Another title");
    world.write("again.csv", text);
    let plan = world.done("plan again.csv --after hr1.plan hr2.plan -o hr3.plan --json").json();
    assert_eq!(told(&plan), ["after_absent 3", "refused_again 1", "refused_before 1"]);
    let again = &rows(&world, "hr3.plan/again.csv")[0];
    assert_eq!(["_refused", "_changed", "_row"].map(|column| again[column].as_str()), ["2", "yes", "1"]);
    let header = String::from_utf8(world.read("hr3.plan/new.csv")).unwrap();
    assert!(header.starts_with("Name,Email,Department,Title,Work Phone,_row,"), "{header}");
    assert_eq!(n_conflicts(&world), 0);
    let there = world.server.with_org(|org| org.users().iter().map(|user| user.name.clone()).collect::<BTreeSet<_>>());
    assert_eq!(there.into_iter().collect::<Vec<_>>(), ["Four", "One", "Two"]);
}

#[test]
fn whatever_is_sent_of_a_row_can_be_what_was_changed() {
    let world = refused();
    let again = |text: &str| {
        world.write("hr2.csv", text);
        let plan = world.done("plan hr2.csv --after hr1.plan -o hr2.plan --overwrite --json").json();
        assert_eq!(n(&plan, "refused_before"), 1, "{text}");
        n(&plan, "refused_again")
    };
    let head = "Name,Email,Department,Title,Work Phone,Home Town\n";
    let row = |cells: [&str; 6]| format!("{head}{}\n", cells.join(","));
    let as_it_was = ["Three", "person3@hr.example", "Care", "A title beyond twenty letters", "", ""];
    assert_eq!(again(&row(as_it_was)), 1);
    for (at, cell) in ["Tree", "Person3@hr.example", "Caring", "A title", "+4930123456"].into_iter().enumerate() {
        let mut cells = as_it_was;
        cells[at] = cell;
        assert_eq!(again(&row(cells)), 0, "{cell}");
    }
    // Of what is not sent, and how a cell is dressed, nothing is a change.
    for (at, cell) in [(5, "Rome"), (1, " person3@hr.example ")] {
        let mut cells = as_it_was;
        cells[at] = cell;
        assert_eq!(again(&row(cells)), 1, "{cell}");
    }
}

/// Rows of `hr.plan` with an intent and nothing behind it.
pub fn dangling(world: &World) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for line in world.journal() {
        let row = line["row"].to_string();
        match line["ev"].as_str() {
            Some("intent") => drop(open.insert(row)),
            _ => drop(open.remove(&row)),
        }
    }
    open
}

#[test]
fn what_a_killed_run_may_have_created_is_held_back_until_its_own_plan_has_settled_it() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, 1_000);
    let mut child = world.start("apply hr.plan --yes --json --settle 2");
    until_in_the_middle(&world, 20);
    child.kill().unwrap();
    child.wait().unwrap();
    set_latency(&world, 0);
    let open = dangling(&world);
    assert!(!open.is_empty());
    // The snapshot of before the run shows nobody.
    let ran = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan --json");
    let plan = ran.json();
    assert_eq!(n(&plan, "after_unknown"), open.len() as u64, "{plan}");
    assert_eq!(n(&plan, "present"), n(&plan, "after_created"));
    assert_eq!(n(&plan, "new"), n(&plan, "after_unknown") + n(&plan, "after_unsent"));
    assert!(ran.err.contains("Finish it first: rosterdiff apply hr.plan; then plan again"), "{ran:?}");
    assert!(ran.err.contains("new rows are not sent yet in hr.plan, either"), "{ran:?}");
    let held = rows(&world, "hr2.plan/new.csv").into_iter().filter(|row| row["_reason"] == "after.unknown");
    assert_eq!(held.map(|row| row["_row"].clone()).collect::<BTreeSet<_>>(), open);

    let conflicts = n_conflicts(&world);
    let ran = world.done("apply hr2.plan --yes --json");
    assert_eq!(n(&ran.json(), "created"), n(&plan, "after_unsent"));
    assert_eq!(n(&ran.json(), "unprocessed"), open.len() as u64);
    assert!(ran.err.contains("since an earlier plan had not settled them") && !ran.err.contains("To go on"), "{ran:?}");
    assert!(world.done("status hr2.plan").err.contains("since an earlier plan had not settled them"));
    assert_eq!(n_conflicts(&world), conflicts, "nobody was asked for twice");
    // Its own plan looks for them, and meets those of the second one.
    let object = world.done("apply hr.plan --yes --json --settle 2").json();
    assert_eq!(n(&object, "unknown"), 0, "{object}");
    assert_each_once(&world, N_PEOPLE);
    let plan = world.done("plan hr.csv --snapshot org.parquet --after hr2.plan hr.plan -o hr3.plan --json").json();
    assert_eq!([n(&plan, "new"), n(&plan, "present")], [0, N_PEOPLE as u64], "{plan}");
    assert_eq!(n(&plan, "after_taken") + n(&plan, "after_created"), N_PEOPLE as u64, "{plan}");
}

#[test]
fn while_a_run_is_at_work_nothing_that_it_may_send_is_free() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, 1_000);
    let mut child = world.start("apply hr.plan --yes --json --settle 2");
    until_in_the_middle(&world, 20);
    let ran = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan --json");
    let plan = ran.json();
    assert!(n(&plan, "after_at_work") > 0 && n(&plan, "after_created") > 0, "{plan}");
    assert_eq!(n(&plan, "new"), n(&plan, "after_unknown") + n(&plan, "after_at_work"));
    assert!(ran.err.contains("a run is at work on it") && ran.err.contains("Let it end, then plan again"), "{ran:?}");
    let applied = world.done("apply hr2.plan --yes --json").json();
    assert_eq!([n(&applied, "created"), n(&applied, "unprocessed")], [0, n(&plan, "new")]);
    set_latency(&world, 0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let plan = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr3.plan --json").json();
    assert_eq!(told(&plan), ["after_created 150", "after_unseen 150"]);
    assert_each_once(&world, N_PEOPLE);
    assert_eq!((n_conflicts(&world), n(&plan, "new")), (0, 0));
}

#[test]
fn who_was_rolled_back_is_deleted_whatever_an_older_snapshot_says() {
    let world = World::planned(fast(), &people(6));
    world.done("apply hr.plan --yes -q");
    world.done("snapshot -o between.parquet -q");
    world.done("rollback hr.plan --yes -q");
    world.done("snapshot -o after.parquet -q");
    world.write("hr2.csv", people(8));
    for snapshot in ["org", "between", "after"] {
        let line = format!("plan hr2.csv --snapshot {snapshot}.parquet --after hr.plan -o {snapshot}.plan --json");
        let ran = world.done(&line);
        assert_eq!([n(&ran.json(), "new"), n(&ran.json(), "deleted")], [2, 6], "{snapshot}: {ran:?}");
        assert_eq!(told(&ran.json()), ["after_rolled_back 6"], "{snapshot}");
        assert!(ran.err.contains("; 6 rolled back since."), "{ran:?}");
        let row = &rows(&world, &format!("{snapshot}.plan/deleted.csv"))[0];
        assert_eq!(["_reason", "_user_state"].map(|c| row[c].as_str()), ["after.rolled_back", "deleted"]);
        assert!(!row["_user_id"].is_empty());
    }
    assert_eq!(world.done("apply org.plan --yes --json").json()["created"], 2);
    assert_eq!(n_conflicts(&world), 0);
}

#[test]
fn what_a_rolled_back_run_may_have_created_is_held_back_until_a_younger_listing_shows_nobody() {
    let world = World::planned(lagging(), &people(N_PEOPLE));
    set_latency(&world, 1_000);
    let mut child = world.start("apply hr.plan --yes --json --settle 2");
    until_in_the_middle(&world, 20);
    child.kill().unwrap();
    child.wait().unwrap();
    set_latency(&world, 0);
    let open = dangling(&world).len() as u64;
    let rolled_back = world.done("rollback hr.plan --yes --json");
    let n_removed = n(&rolled_back.json(), "removed");
    assert!(open > 0 && n_removed > 0, "{rolled_back:?}");
    let ran = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan --json");
    assert_eq!(told(&ran.json()), [format!("after_rolled_back {n_removed}"), format!("after_unknown {open}")]);
    assert!(ran.err.contains("before it was rolled back (after.unknown)"), "{ran:?}");
    assert!(!ran.err.contains("Finish it first"), "nobody can: {ran:?}");
    snapshot_in(&world, 2, &[], "later.parquet");
    let ran = world.done("plan hr.csv --snapshot later.parquet --after hr.plan -o hr3.plan --json");
    assert_eq!((told(&ran.json()), n(&ran.json(), "new")), (Vec::new(), N_PEOPLE as u64), "{ran:?}");
}

#[test]
fn who_was_restored_is_there_though_the_snapshot_shows_him_deleted() {
    let mut org = Org::new(fast());
    org.seed_csv("email,state\nperson1@hr.example,deleted\nperson2@hr.example,deleted\n").unwrap();
    let world = World::of(org);
    world.write("hr.csv", people(3));
    world.done("snapshot -o org.parquet -q");
    world.done("plan hr.csv --snapshot org.parquet -o hr.plan --restore-deleted -q");
    assert_eq!(world.done("apply hr.plan --yes --json").json()["restored"], 2);
    let line = "plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan --restore-deleted --json";
    let ran = world.done(line);
    assert_eq!(told(&ran.json()), ["after_created 3", "after_unseen 3"]);
    let reasons = reasons(&world, "hr2.plan/present.csv");
    assert_eq!(reasons, ["1 after.restored", "2 after.restored", "3 after.created"]);
    assert!(ran.err.contains("; 2 restored."), "{ran:?}");
    let (posts, applied) = (world.n_posts(), world.done("apply hr2.plan --yes --json").json());
    assert_eq!((world.n_posts(), &applied["restored"]), (posts, &0.into()));
}

#[test]
fn who_was_taken_is_not_asked_for_again_from_a_snapshot_that_is_older() {
    let world = World::planned(fast(), &people(6));
    for (person, state) in [(2, State::Active), (3, State::Deleted)] {
        let email = format!("person{person}@hr.example");
        world.server.with_org(|org| org.stranger_creates(&email, state, org.now()).unwrap());
    }
    world.done("apply hr.plan --yes -q");
    let (posts, conflicts) = (world.n_posts(), n_conflicts(&world));
    let ran = world.done("plan hr.csv --snapshot org.parquet --after hr.plan -o hr2.plan --json");
    assert_eq!(["new", "present", "deleted"].map(|key| n(&ran.json(), key)), [0, 5, 1], "{ran:?}");
    assert_eq!(told(&ran.json()), ["after_created 4", "after_taken 2", "after_unseen 4"]);
    let row = &rows(&world, "hr2.plan/present.csv")[1];
    let cells = ["_reason", "_user_state", "_differs"].map(|column| row[column].as_str());
    assert_eq!(cells, ["after.taken", "active", ""], "nobody knows his name");
    world.done("apply hr2.plan --yes -q");
    assert_eq!((world.n_posts(), n_conflicts(&world)), (posts, conflicts));
    // Nobody is found any more who had been found: then he is gone.
    world.server.with_org(|org| assert!(org.stranger_erases("person2@hr.example")));
    world.write("export.csv", "email\nx@hr.example\n");
    let plan = world.done("plan hr.csv --snapshot export.csv --after hr.plan -o found.plan --json").json();
    assert_eq!(reasons(&world, "found.plan/new.csv"), ["2 "], "{plan}");
    // A plan of the two alone would have been refused as often as it was made.
    world.done("plan hr.csv --snapshot org.parquet -o hr3.plan -q");
    world.done("apply hr3.plan --yes -q");
    assert!(n_conflicts(&world) > conflicts);
}

/// A complete snapshot of these users that was begun so many hours from now.
pub fn snapshot_in(world: &World, hours: i64, users: &[User], name: &str) {
    let mut certificate = Manifest::read(&world.path("hr.plan")).unwrap().certificate.unwrap();
    let at = (Timestamp::now() + SignedDuration::from_hours(hours)).to_string();
    (certificate.started_at, certificate.ended_at) = (at.clone(), at);
    let mut writer = SnapshotWriter::new(&world.path(name)).unwrap();
    writer.append(users).unwrap();
    writer.finish(&certificate).unwrap();
}

pub fn user(id: &str, email: &str, state: person::State) -> User {
    User {
        id: id.to_owned(),
        name: Some("Somebody".to_owned()),
        email: Some(email.to_owned()),
        username: None,
        state,
        version: Some(2),
        department: None,
        title: None,
        division: None,
        phone: None,
        employee_id: None,
        contacts: Vec::new(),
    }
}

#[test]
fn who_has_another_address_is_there_and_who_is_missing_long_after_is_gone_and_both_are_said() {
    let world = World::planned(fast(), &people(4));
    world.done("apply hr.plan --yes -q");
    let ids: Vec<String> = rows(&world, "hr.plan/created.csv").into_iter().map(|row| row["_user_id"].clone()).collect();
    let live = user(&ids[0], "married@hr.example", person::State::Active);
    let deleted = user(&ids[1], "left@hr.example", person::State::Deleted);
    let users = [live, deleted, user(&ids[2], "person3@hr.example", person::State::Inactive)];
    snapshot_in(&world, 2, &users, "later.parquet");
    snapshot_in(&world, 0, &users, "now.parquet");
    let ran = world.done("plan hr.csv --snapshot later.parquet --after hr.plan -o later.plan --json");
    assert_eq!(told(&ran.json()), ["after_created 2", "after_gone 2", "after_renamed 1"]);
    assert_eq!(reasons(&world, "later.plan/present.csv"), ["1 after.renamed", "3 held.email"]);
    assert_eq!(reasons(&world, "later.plan/new.csv"), ["2 after.gone", "4 after.gone"]);
    let renamed = &rows(&world, "later.plan/present.csv")[0];
    assert_eq!([&renamed["_user_id"], &renamed["_user_email"]], [&ids[0], "married@hr.example"]);
    assert!(
        ran.err.contains("1 present row has a user with another address by now") && ran.err.contains("(after.gone)"),
        "{ran:?}"
    );
    // Too soon to tell: the listing may not show them yet.
    let plan = world.done("plan hr.csv --snapshot now.parquet --after hr.plan -o now.plan --json").json();
    assert_eq!(told(&plan), ["after_created 3", "after_gone 1", "after_renamed 1", "after_unseen 1"]);

    // Somebody's export says nothing by silence, but an id is an id.
    world.write("export.csv", format!("id,email,name\n{},married@hr.example,Somebody\n", ids[0]));
    let mut command = world.command("plan hr.csv --snapshot export.csv --after hr.plan -o export.plan --json");
    let ran = crate::support::Ran::of(command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap());
    assert_eq!((ran.code, n(&ran.json(), "new")), (Some(9), 0), "{ran:?}");
    assert_eq!(told(&ran.json()), ["after_created 4", "after_renamed 1", "after_unseen 3"]);
    // What journals know is of one organisation, and so is the plan.
    let manifest = |dir: &str| Manifest::read(&world.path(dir)).unwrap();
    assert_eq!(manifest("export.plan").organisation_id, manifest("hr.plan").organisation_id);
    // With credentials whoever is not in the export is looked up first, and believed before any journal.
    world.server.with_org(|org| assert!(org.stranger_deletes("person4@hr.example", org.now())));
    let plan = world.done("plan hr.csv --snapshot export.csv --after hr.plan -o probed.plan --json").json();
    assert_eq!([n(&plan, "present"), n(&plan, "deleted")], [3, 1], "{plan}");
}

#[test]
fn a_row_without_a_name_whose_user_was_created_before_is_there_and_not_invalid() {
    let world = World::planned(fast(), &people(2));
    world.done("apply hr.plan --yes -q");
    world.write(
        "hr2.csv",
        "Name,Email\n,person1@hr.example\n,person3@hr.example\nTwo,person2@hr.example\nTwo,PERSON2@hr.example\n",
    );
    let plan = world.done("plan hr2.csv --snapshot org.parquet --after hr.plan -o hr2.plan --json").json();
    assert_eq!(["present", "invalid", "duplicate"].map(|key| n(&plan, key)), [2, 1, 1], "{plan}");
    assert_eq!(rows(&world, "hr2.plan/duplicate.csv")[0]["_first_row"], "3");
    assert_eq!(rows(&world, "hr2.plan/present.csv")[1]["_differs"], "name");
}

#[test]
fn a_row_that_is_held_back_keeps_what_else_was_said_of_it() {
    let world = World::new(fast());
    world.write("hr.csv", "Name,Email,Work Phone\nEve,eve@acme.com,\nEve,eve@acme.de,030 12\n");
    world.done("plan hr.csv -o hr.plan --hold-suspects -q");
    assert_eq!(reasons(&world, "hr.plan/new.csv"), ["1 ", "2 suspect.held+phone.not_e164"]);
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 1);
    assert_eq!(rows(&world, "hr.plan/unprocessed.csv")[0]["_reason"], "suspect.held+phone.not_e164");
    assert!(world.done("status hr.plan").err.contains("1 row is held back, since it resembles somebody"));
}
