//! Rosters read by the wrong column, or cut off: what a plan says of them, and what `apply` waits for.

use std::fmt::Write;

use rosterdiff::sim::Org;
use serde_json::Value;

use super::world::{NOWHERE, World, command, fast};
use crate::support::Ran;

/// Names without a word in common.
const GIVEN: [&str; 8] = ["Ada", "Bob", "Cyd", "Dan", "Eve", "Fay", "Gus", "Hal"];
const FAMILY: [&str; 7] = ["Jones", "Kim", "Lopez", "Müller", "Nowak", "Okafor", "Petrov"];

/// The name of the person at `at`: of 56 one after the other, none has a word in common with the next.
fn name(at: usize) -> String {
    format!("{} {}", GIVEN[at % GIVEN.len()], FAMILY[at % FAMILY.len()])
}

/// An organisation of `n` people.
fn organisation(n: usize) -> World {
    let mut org = Org::new(fast());
    let row = |at: usize| format!("u{at},{},p{at}@acme.example,active\n", name(at));
    org.seed_csv(&format!("id,name,email,state\n{}", (0..n).map(row).collect::<String>())).unwrap();
    World::of(org)
}

/// A roster of `n` people of whom every tenth is the manager of ten. Beside the first `n_shifted` addresses stands the name
/// of the next one.
fn roster(n: usize, n_shifted: usize) -> String {
    let mut text = "Name,Email,Manager\n".to_owned();
    for at in 0..n {
        let called = name(if at < n_shifted { at + 1 } else { at });
        writeln!(text, "\"{called}\",p{at}@acme.example,p{}@acme.example", at / 10 * 10).unwrap();
    }
    text
}

/// Plans with these words.
fn planned(world: &World, text: &str, more: &str) -> Ran {
    world.write("hr.csv", text);
    world.done(&format!("plan hr.csv -o hr.plan --overwrite --json {more}"))
}

/// Applies with exactly these words: nothing is accepted beside.
fn apply(world: &World, accept: &str) -> Ran {
    let line = format!("apply hr.plan --yes -q {accept}");
    Ran::of(command(world.dir.path(), &world.server.base_url(), &line).output().unwrap())
}

/// What the gates of the manifest say, tripped or not.
fn gates(world: &World) -> Value {
    let manifest: Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
    manifest["gates"].clone()
}

/// The plan says `told` and what accepts it; `apply` stops for it and sends nothing until that is said, and the report says
/// the same.
fn stops(world: &World, plan: &Ran, told: &str, flag: &str, others: &str) {
    assert!(plan.err.contains(&format!("Gate: {told}.")), "{plan:?}");
    for accept in ["", "--accept-low-match --accept-new-domains --accept-empty-snapshot", others] {
        let refused = apply(world, accept);
        assert_eq!((refused.code, world.n_posts()), (Some(4), 0), "{refused:?}");
        assert!(refused.err.contains(told) && refused.err.contains(flag), "{refused:?}");
    }
    world.done("report hr.plan -q");
    let html = String::from_utf8(world.read("hr.plan/report.html")).unwrap();
    assert!(html.contains("✗ Tripped.") && html.contains(&format!("{told}.")) && html.contains(flag));
    let accepted = apply(world, &format!("{flag} {others}"));
    assert_eq!((accepted.code, world.n_posts() > 0), (Some(0), true), "{accepted:?}");
    // Whoever has begun has accepted it.
    assert_eq!(apply(world, "").code, Some(0));
}

#[test]
fn a_roster_by_the_column_of_managers_is_stopped_whichever_row_stands() {
    let told = "270 of 300 rows with an address repeat that of another row; at most 50% should \
                (the column of managers, or of a team mailbox?)";
    for (keep, tripped, others) in [
        // The first row of a manager is his own; beside the last one stands the name of somebody else.
        ("first", serde_json::json!(["duplicate_rows"]), ""),
        ("last", serde_json::json!(["duplicate_rows", "other_names"]), "--accept-other-names"),
    ] {
        let world = organisation(290);
        let plan = planned(&world, &roster(300, 0), &format!("--map email=Manager --keep {keep}"));
        assert_eq!(plan.json()["gates"], tripped, "{plan:?}");
        stops(&world, &plan, told, "--accept-duplicate-rows", others);
    }
    // Where no row stands, the roster is no better: the words are the same.
    let world = organisation(290);
    let plan = planned(&world, &roster(300, 0), "--map email=Manager --keep none");
    assert_eq!(plan.json()["gates"], serde_json::json!(["duplicate_rows"]), "{plan:?}");
    assert!(plan.err.contains(told) && plan.json()["new"] == 0, "{plan:?}");
    // The right column trips nothing.
    let plan = planned(&world, &roster(300, 0), "");
    assert_eq!(
        (&plan.json()["gates"], gates(&world).as_array().unwrap().len()),
        (&serde_json::json!([]), 3),
        "{plan:?}"
    );
    assert_eq!(apply(&world, "").code, Some(0));
}

#[test]
fn addresses_that_are_shifted_against_the_names_are_stopped_above_one_in_two() {
    let told = "51 of 100 names have no word in common with the name of the user who has the address; at most 50% should \
                (addresses shifted against the names, addresses of others, or the wrong organisation?)";
    let world = organisation(100);
    let plan = planned(&world, &roster(105, 51), "");
    assert_eq!(plan.json()["gates"], serde_json::json!(["other_names"]), "{plan:?}");
    stops(&world, &plan, told, "--accept-other-names", "");
    let world = organisation(100);
    let plan = planned(&world, &roster(105, 50), "");
    assert_eq!(plan.json()["gates"], serde_json::json!([]), "{plan:?}");
    assert!(gates(&world).to_string().contains("50 of 100 names"), "{plan:?}");
    assert_eq!(apply(&world, "").code, Some(0));
}

#[test]
fn neither_threads_nor_chunks_nor_the_order_of_users_change_what_a_sample_says() {
    let users: Vec<String> = (0..3_000).map(|at| format!("u{at},{},p{at}@acme.example,active\n", name(at))).collect();
    let mut turned: Vec<&str> = users.iter().map(String::as_str).rev().collect();
    turned.rotate_left(777);
    let world = World::new(fast());
    world.write("hr.csv", roster(3_000, 1_800));
    world.write("one.csv", format!("id,name,email,state\n{}", users.concat()));
    world.write("other.csv", format!("id,name,email,state\n{}", turned.concat()));
    let mut told = Vec::new();
    for (snapshot, threads) in [("one", 1), ("one", 7), ("other", 1), ("other", 2)] {
        let line = format!("plan hr.csv --snapshot {snapshot}.csv -o hr.plan --overwrite -q --threads {threads}");
        let mut offline = command(world.dir.path(), NOWHERE, &line);
        offline.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").env_remove("GENESYSCLOUD_OAUTHCLIENT_SECRET");
        let ran = Ran::of(offline.output().unwrap());
        assert_eq!(ran.code, Some(9), "{ran:?}");
        told.push(gates(&world).to_string());
    }
    assert!(told[0].contains(" of 1,000 names, a sample of 3,000, have no word"), "{}", told[0]);
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

#[test]
fn a_roster_with_a_header_and_no_rows_is_told_as_that_and_is_no_error() {
    let told = "hr.csv has a header and no rows: was the export cut off?\n";
    let world = organisation(30);
    world.done("snapshot -o org.parquet -q");
    for text in ["Name,Email\n", "Name;Email", "\u{feff}Name,Email\r\n\r\n"] {
        let plan = planned(&world, text, "--snapshot org.parquet");
        assert!(plan.err.contains(told) && plan.json()["rows"] == 0, "{plan:?}");
        assert_eq!(plan.json()["gates"], serde_json::json!([]), "{plan:?}");
        let diff = world.done("diff hr.csv --snapshot org.parquet");
        assert!(diff.err.contains(told), "{diff:?}");
        assert_eq!(apply(&world, "").code, Some(0));
        std::fs::remove_dir_all(world.path("hr.plan")).unwrap();
    }
    let plan = planned(&world, "Name,Email\nAda,ada@acme.example\n", "--snapshot org.parquet");
    assert!(!plan.err.contains("no rows"), "{plan:?}");
}
