//! Gates: each on both sides of its bound, without and with the flag that accepts it. A plan tells, `apply` refuses.

use std::path::Path;

use rosterdiff::sim::Org;
use serde_json::Value;

use super::world::{NOWHERE, World, command, fast};
use crate::support::Ran;

/// An organisation of `n` users at `acme.example`.
fn organisation(n: usize) -> World {
    let mut org = Org::new(fast());
    let row = |at: usize| format!("u{at},User {at},user{at}@acme.example,active\n");
    org.seed_csv(&format!("id,name,email,state\n{}", (0..n).map(row).collect::<String>())).unwrap();
    World::of(org)
}

/// A roster of `n_old` of its users, `n_new` at its domain, and `n_strange` at another.
fn roster(n_old: usize, n_new: usize, n_strange: usize) -> String {
    let old = (0..n_old).map(|at| format!("User {at},user{at}@acme.example\n"));
    let new = (0..n_new).map(|at| format!("New {at},new{at}@acme.example\n"));
    let strange = (0..n_strange).map(|at| format!("Strange {at},new{at}@strange.example\n"));
    format!("Name,Email\n{}", old.chain(new).chain(strange).collect::<String>())
}

/// A plan of `roster`, with further words on the command line.
fn planned(world: &World, roster: &str, more: &str) -> Ran {
    world.write("hr.csv", roster);
    world.done("snapshot -o org.parquet -q");
    world.done(&format!("plan hr.csv --snapshot org.parquet -o hr.plan --overwrite {more}"))
}

/// Applies with exactly these words: nothing is accepted beside.
fn apply(world: &World, accept: &str) -> Ran {
    let line = format!("apply hr.plan --yes -q {accept}");
    Ran::of(command(world.dir.path(), &world.server.base_url(), &line).output().unwrap())
}

/// Which gates the manifest calls tripped.
fn tripped(dir: &Path) -> Vec<String> {
    let manifest: Value = serde_json::from_slice(&std::fs::read(dir.join("hr.plan/manifest.json")).unwrap()).unwrap();
    let gates = manifest["gates"].as_array().unwrap().iter();
    gates.filter(|gate| gate["tripped"] == true).map(|gate| gate["gate"].as_str().unwrap().to_owned()).collect()
}

/// The plan trips one gate, which says `numbers`; `apply` stops for it until `accept` is said.
fn stops(world: &World, plan: &Ran, gate: &str, numbers: &[&str], accept: &str) {
    assert_eq!(tripped(world.dir.path()), [gate]);
    let flag = accept.split(' ').next().unwrap();
    assert!(plan.err.contains("Gate: ") && plan.err.contains(flag), "{plan:?}");
    let before = world.n_posts();
    for other in
        ["", "--accept-low-match", "--accept-new-domains", "--accept-empty-snapshot", "--accept-shrunk-snapshot"]
    {
        if other == flag {
            continue;
        }
        let refused = apply(world, other);
        assert_eq!(refused.code, Some(4), "{other}: {refused:?}");
        for needle in numbers.iter().chain([&flag]) {
            assert!(refused.err.contains(needle) && (plan.err.contains(needle)), "{needle}: {refused:?} {plan:?}");
        }
    }
    assert_eq!(world.n_posts(), before, "nothing is sent");
    let accepted = apply(world, accept);
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    assert!(world.n_posts() > before);
    // Whoever has begun has accepted it.
    assert_eq!(apply(world, "").code, Some(0));
}

/// The plan trips none, and is applied.
fn passes(world: &World, plan: &Ran) {
    assert!(tripped(world.dir.path()).is_empty(), "{plan:?}");
    assert!(!plan.err.contains("Gate: "), "{plan:?}");
    let applied = apply(world, "");
    assert_eq!(applied.code, Some(0), "{applied:?}");
}

#[test]
fn a_roster_that_hardly_matches_is_stopped_below_one_in_ten() {
    let world = organisation(100);
    let plan = planned(&world, &roster(9, 91, 0), "");
    stops(&world, &plan, "low_match", &["9 of 100 people", "100 users", "10%"], "--accept-low-match");
    let world = organisation(100);
    let plan = planned(&world, &roster(10, 90, 0), "");
    passes(&world, &plan);
    // Of fifty users no more than fifty can match, however long the roster is.
    let world = organisation(50);
    let plan = planned(&world, &roster(5, 495, 0), "");
    passes(&world, &plan);
    // Too few to judge by: a new organisation has its administrators and nobody else.
    let world = organisation(19);
    let plan = planned(&world, &roster(0, 200, 0), "");
    passes(&world, &plan);
}

#[test]
fn domains_that_nobody_has_are_stopped_above_one_in_fifty() {
    let world = organisation(40);
    let plan = planned(&world, &roster(40, 97, 3), "");
    let numbers = ["3 of 100 new rows", "strange.example 3", "2%"];
    stops(&world, &plan, "new_domains", &numbers, "--accept-new-domains");
    let world = organisation(40);
    let plan = planned(&world, &roster(40, 98, 2), "");
    passes(&world, &plan);
    // A domain that became another is none that nobody has.
    let world = organisation(40);
    let plan = planned(&world, &roster(40, 0, 100), "--domain-alias strange.example=acme.example");
    passes(&world, &plan);
}

#[test]
fn a_snapshot_of_nobody_is_stopped_and_one_of_somebody_is_not() {
    let world = organisation(0);
    let plan = planned(&world, &roster(0, 3, 0), "");
    stops(&world, &plan, "empty_snapshot", &["holds nobody"], "--accept-empty-snapshot");
    let world = organisation(1);
    let plan = planned(&world, &roster(0, 3, 0), "");
    passes(&world, &plan);
}

#[test]
fn a_snapshot_that_has_shrunk_is_stopped_below_nine_in_ten() {
    for (n, stopped) in [(89, true), (90, false)] {
        let earlier = organisation(100);
        earlier.done("snapshot -o earlier.parquet -q");
        let world = organisation(n);
        std::fs::copy(earlier.path("earlier.parquet"), world.path("earlier.parquet")).unwrap();
        let plan = planned(&world, &roster(n, 1, 0), "--earlier earlier.parquet");
        if stopped {
            stops(&world, &plan, "shrunk_snapshot", &["89 users", "100", "90%"], "--accept-shrunk-snapshot");
        } else {
            passes(&world, &plan);
        }
        let manifest: Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
        let digest = blake3::hash(&world.read("earlier.parquet")).to_hex().to_string();
        assert_eq!(manifest["earlier"]["blake3"], digest);
    }
}

#[test]
fn more_creates_than_allowed_are_stopped_and_without_a_limit_there_is_none() {
    for (limit, stopped) in [("9", true), ("10", false), ("4%", true), ("5%", false)] {
        let world = organisation(190);
        let plan = planned(&world, &roster(190, 10, 0), &format!("--max-creates {limit}"));
        if stopped {
            stops(&world, &plan, "max_creates", &["10 of 200 rows", limit], "--max-creates 10");
        } else {
            passes(&world, &plan);
        }
    }
    // What `apply` is told stands for itself.
    let world = organisation(190);
    planned(&world, &roster(190, 10, 0), "");
    let refused = apply(&world, "--max-creates 9");
    assert_eq!((refused.code, world.n_posts()), (Some(4), 0), "{refused:?}");
    assert!(refused.err.contains("10 of 200 rows") && refused.err.contains("--max-creates 10"), "{refused:?}");
    assert_eq!(apply(&world, "").code, Some(0));
    for wrong in ["-1", "101%", "many", "5.5%"] {
        assert_eq!(apply(&world, &format!("--max-creates={wrong}")).code, Some(2), "{wrong}");
    }
}

#[test]
fn what_an_export_has_no_column_for_disagrees_with_nobody() {
    let world = World::new(fast());
    world.write(
        "hr.csv",
        "Email,Name,Department,Title\nada@example.com,Ada,Care,Agent\nbob@example.com,Bob,Care,Agent\n",
    );
    world.write("org.csv", "email,title\nada@example.com,Agent\nbob@example.com,\n");
    let mut offline = command(world.dir.path(), NOWHERE, "");
    offline.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").env_remove("GENESYSCLOUD_OAUTHCLIENT_SECRET");
    let ran = Ran::of(offline.args(["plan", "hr.csv", "--snapshot", "org.csv"]).output().unwrap());
    assert_eq!(ran.code, Some(9), "{ran:?}");
    // Bob has no title there, and there is a column that could have said one.
    assert!(ran.err.contains("1 present row disagrees with the organisation (title 1)"), "{ran:?}");
}

#[test]
fn rows_that_disagree_with_the_organisation_are_counted_by_field() {
    let world = organisation(3);
    let roster = "Name,Email,Title\nUser 0,user0@acme.example,\nUser I,user1@acme.example,Boss\nUser 2,user2@acme.example,Agent\n";
    let plan = planned(&world, roster, "");
    assert!(plan.err.contains("2 present rows disagree with the organisation (name 1, title 2)"), "{plan:?}");
    let manifest: Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
    assert_eq!(manifest["disagreeing"], serde_json::json!({"rows": 2, "name": 1, "department": 0, "title": 2}));
    let shown = world.done("diff hr.csv --snapshot org.parquet --verdict present");
    assert!(shown.err.contains("2 present rows disagree"), "{shown:?}");
}

#[test]
fn an_earlier_snapshot_of_another_organisation_is_refused_with_both_ids() {
    let [one, other] = [1, 2].map(|seed| World::of(Org::new(rosterdiff::sim::Settings { seed, ..fast() })));
    other.done("snapshot -o org.parquet -q");
    one.write("hr.csv", "Name,Email\nAda,ada@acme.example\n");
    let earlier = other.path("org.parquet").display().to_string();
    let ran = one.run(&format!("plan hr.csv -o hr.plan --earlier {earlier}"));
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains(" is of organisation ") && ran.err.contains("hint: "), "{ran:?}");
    assert!(!one.path("hr.plan").exists());
}
