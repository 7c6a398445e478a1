//! Suspects from outside: pairs to look at, and rows that are held back until somebody has.

use rosterdiff::sim::Org;
use serde_json::Value;

use super::world::{World, fast, table};

const ORG: &str = "id,name,email,state,employee_id,contacts\n\
                   u1,Ada Lovelace,ada@acme.com,active,E1,\n\
                   u2,Bo Li,bo.li@acme.com,inactive,,\n\
                   u3,Cy Fox,cyf0x@acme.com,active,,\n\
                   u4,Dee Ray,dee@acme.com,deleted,,dee.ray@mail.example dee@home.example\n\
                   u5,Eve Sun,eve@acme.com,active,,\n";
const ROSTER: &str = "Name,Email,Employee ID\n\
                      Ada  Lovelace,lovelace@acme.com,E1\n\
                      Bo Li,boli+1@acme.com,E2\n\
                      Cy Fox,cyfox@acme.com,E3\n\
                      Dee Ray,Dee@home.example,E4\n\
                      Eve Sun,eve@acme.de,E5\n\
                      Flo May,flo@acme.com,E6\n\
                      Flo May,flo@eu.acme.com,E7\n\
                      Eve Sun,eve@acme.com,E8\n";

fn world() -> World {
    let mut org = Org::new(fast());
    org.seed_csv(ORG).unwrap();
    let world = World::of(org);
    world.write("hr.csv", ROSTER);
    world.done("snapshot -o org.parquet -q");
    world
}

/// Of each pair: the row, the likeness, and the other side.
fn pairs(world: &World, dir: &str) -> Vec<String> {
    let rows = table(&world.read(&format!("{dir}/suspects.csv")), b',');
    let one = |row: &std::collections::BTreeMap<String, String>| {
        let other =
            if row["resembles"] == "roster" { format!("row {}", row["other_row"]) } else { row["user_id"].clone() };
        format!("{} {} {other}", row["row"], row["likeness"])
    };
    rows.iter().map(one).collect()
}

const EXPECTED: [&str; 6] = [
    "1 name_and_employee_id u1",
    "2 plus_or_dots u2",
    "3 confusable u3",
    "4 other_contact u4",
    "5 sister_domain u5",
    "7 sister_domain row 6",
];

#[test]
fn each_likeness_is_a_pair_with_both_sides_and_nobody_is_held_unasked() {
    let world = world();
    let plan = world.done("plan hr.csv --snapshot org.parquet -o hr.plan --json");
    assert_eq!(pairs(&world, "hr.plan"), EXPECTED);
    assert!(
        plan.err.contains("6 new rows resemble somebody: confusable 1") && plan.err.contains("--hold-suspects"),
        "{plan:?}"
    );
    assert_eq!((&plan.json()["suspects"], &plan.json()["new"]), (&6.into(), &7.into()));
    let rows = table(&world.read("hr.plan/suspects.csv"), b',');
    let [first, last] = [&rows[0], &rows[5]];
    for (column, expected) in [
        ("line", "2"),
        ("email", "lovelace@acme.com"),
        ("key", "lovelace@acme.com"),
        ("name", "Ada  Lovelace"),
        ("resembles", "organisation"),
        ("user_state", "active"),
        ("other_email", "ada@acme.com"),
        ("other_name", "Ada Lovelace"),
        ("other_row", ""),
    ] {
        assert_eq!(first[column], expected, "{column}");
    }
    for (column, expected) in
        [("other_row", "6"), ("other_line", "7"), ("other_email", "flo@acme.com"), ("user_id", "")]
    {
        assert_eq!(last[column], expected, "{column}");
    }
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 7);
}

#[test]
fn held_rows_stay_new_and_unprocessed_until_they_are_planned_without_the_flag() {
    let world = world();
    world.done("plan hr.csv --snapshot org.parquet -o hr.plan --hold-suspects -q");
    let applied = world.done("apply hr.plan --yes --json");
    let object = applied.json();
    assert_eq!((&object["created"], &object["unprocessed"]), (&1.into(), &6.into()));
    assert!(applied.err.contains("6 rows are held back") && !applied.err.contains("To go on"), "{applied:?}");
    let held = table(&world.read("hr.plan/unprocessed.csv"), b',');
    assert!(held.iter().all(|row| row["_reason"] == "suspect.held" && row["_verdict"] == "new"), "{held:?}");
    let numbers: Vec<&str> = held.iter().map(|row| row["_row"].as_str()).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "7"]);
    // Once more changes nothing, and the proof holds.
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 1);
    assert_eq!(world.n_posts(), 1);
    world.done("verify --offline hr.plan");
    world.done("verify hr.plan");
    world.done("snapshot -o after.parquet -q");
    world.done("plan hr.csv --snapshot after.parquet -o free.plan -q");
    assert_eq!(world.done("apply free.plan --yes --json").json()["created"], 6);
}

#[test]
fn a_fold_or_an_alias_makes_a_match_of_a_suspect() {
    let world = world();
    let plan =
        world.done("plan hr.csv --snapshot org.parquet -o hr.plan --fold-plus --domain-alias acme.de=acme.com --json");
    let expected: Vec<&str> = EXPECTED.into_iter().filter(|pair| !pair.starts_with('5')).collect();
    assert_eq!(pairs(&world, "hr.plan"), expected, "bo.li has a dot that no rule folds");
    assert_eq!(plan.json()["new"], 6);
    let duplicate = table(&world.read("hr.plan/duplicate.csv"), b',');
    assert_eq!((duplicate[0]["_row"].as_str(), duplicate[0]["_rules"].as_str()), ("8", ""));
    let present = table(&world.read("hr.plan/present.csv"), b',');
    assert_eq!((present[0]["_row"].as_str(), present[0]["_rules"].as_str()), ("5", "alias"));
    assert_eq!(present[0]["_key"], "eve@acme.de", "the key is the address itself");
    let manifest: Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
    assert_eq!(manifest["folds"]["aliases"]["acme.de"], "acme.com");
}

#[test]
fn folds_need_everybody_to_be_known() {
    let world = world();
    world.write("some.csv", "email\nbo.li@acme.com\n");
    let ran = world.run("plan hr.csv --snapshot some.csv -o hr.plan --fold-plus");
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("need a complete snapshot") && ran.err.contains("hint: "), "{ran:?}");
    assert!(!world.path("hr.plan").exists());
    world.done("diff hr.csv --snapshot some.csv --fold-plus");
}

#[test]
fn a_limit_counts_what_would_be_created_and_counts_whenever_it_is_said() {
    let world = world();
    let plan = world.done("plan hr.csv --snapshot org.parquet -o hr.plan --hold-suspects --max-creates 1");
    assert!(!plan.err.contains("Gate: "), "6 of 7 are held: {plan:?}");
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 1);
    assert!(world.done("status hr.plan").err.contains("6 rows are held back"));
    let refused = world.run("apply hr.plan --yes --max-creates 0");
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.err.contains("1 of 8 rows") && refused.err.contains("--max-creates 1"), "{refused:?}");
}

#[test]
fn nothing_in_suspects_can_start_a_formula() {
    let world = world();
    world.write("hr.csv", "Name,Email\n=1+1,flo@acme.com\n\"+a, b\",flo@eu.acme.com\n");
    world.done("plan hr.csv --snapshot org.parquet -o hr.plan -q");
    let rows = table(&world.read("hr.plan/suspects.csv"), b',');
    assert_eq!((rows[0]["name"].as_str(), rows[0]["other_name"].as_str()), ("'+a, b", "'=1+1"));
}
