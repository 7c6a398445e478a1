//! What a create sends beside name and e-mail: division, phone, defaults; and what is found out before anything is sent.

use std::collections::BTreeMap;

use rosterdiff::sim::{Org, Settings};

use super::world::{World, fast, table};

const ROSTER: &str = "Email,Name,Team,Unit,Work Phone\n\
                      ada@example.com,Ada,Care,Support EMEA,+49 (0)30 1234567\n\
                      bob@example.com,Bob,,home,030 1234567\n\
                      cyd@example.com,Cyd,,,\n";
const MAPS: &str = "--map division=Unit --map department=Team";

fn divided() -> World {
    let divisions = ["Home", "Support EMEA", "Sales"].map(str::to_owned).to_vec();
    let world = World::of(Org::new(Settings { divisions, ..fast() }));
    world.write("hr.csv", ROSTER);
    world
}

/// Name → department, division, phone as the organisation holds them.
fn users(world: &World) -> BTreeMap<String, [Option<String>; 3]> {
    world.server.with_org(|org| {
        let divisions: Vec<(String, String)> = org
            .settings()
            .divisions
            .iter()
            .enumerate()
            .map(|(n, d)| (org.settings().division_id(n), d.clone()))
            .collect();
        let named = |id: &str| divisions.iter().find(|d| d.0 == id).map(|d| d.1.clone());
        let phone =
            |contacts: &[serde_json::Value]| contacts.first().map(|c| c["address"].as_str().unwrap().to_owned());
        let row = |u: &rosterdiff::sim::User| {
            (u.name.clone(), [u.department.clone(), named(&u.division_id), phone(&u.addresses)])
        };
        org.users().iter().map(|u| row(u)).collect()
    })
}

fn reasons(world: &World, file: &str) -> Vec<(String, String)> {
    let rows = table(&world.read(&format!("hr.plan/{file}")), b',');
    rows.into_iter().map(|row| (row["Name"].clone(), row["_reason"].clone())).collect()
}

fn pair(name: &str, reason: &str) -> (String, String) {
    (name.to_owned(), reason.to_owned())
}

#[test]
fn division_phone_and_defaults_are_sent_and_read_back() {
    let world = divided();
    world.done("snapshot -o org.parquet");
    let mut command = world.command(&format!("plan hr.csv --snapshot org.parquet -o hr.plan {MAPS}"));
    let ran = crate::support::Ran::of(command.args(["--default", "department=New hires"]).output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("1 new row goes without a phone"), "{}", ran.err);
    assert_eq!(reasons(&world, "new.csv"), [pair("Ada", ""), pair("Bob", "phone.not_e164"), pair("Cyd", "")]);
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 3);
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        ("Ada", [text("Care"), text("Support EMEA"), text("+49301234567")]),
        ("Bob", [text("New hires"), text("Home"), None]),
        ("Cyd", [text("New hires"), text("Home"), None]),
    ];
    assert_eq!(users(&world), expected.map(|(name, fields)| (name.to_owned(), fields)).into());
    // The warning outlives the run, and what was sent is read back field by field.
    let created = reasons(&world, "created.csv");
    assert_eq!(created[1], pair("Bob", "phone.not_e164"));
    let verified = world.done("verify hr.plan --json").json();
    assert_eq!((&verified["as_sent"], &verified["differences"]), (&3.into(), &0.into()));
    assert!(world.server.with_org(|org| org.unknown_fields().is_empty()));
    let manifest: serde_json::Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
    assert_eq!(manifest["defaults"]["department"], "New hires");
}

#[test]
fn a_division_that_does_not_exist_is_found_when_planning() {
    let world = divided();
    world.write("hr.csv", ROSTER.replace("Support EMEA", "Suport EMEA"));
    world.done("snapshot -o org.parquet");
    world.done(&format!("plan hr.csv --snapshot org.parquet -o hr.plan {MAPS}"));
    assert_eq!(reasons(&world, "invalid.csv"), [pair("Ada", "division.unknown")]);
    let diff = world.done("diff hr.csv --snapshot org.parquet --map division=Unit --verdict invalid");
    assert!(
        diff.err.contains("1 row is invalid for the division. Divisions are: Home, Support EMEA, Sales."),
        "{}",
        diff.err
    );
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 2);
    // Against an export it is looked up with the rows.
    world.write("export.csv", "email\nzoe@example.com\n");
    world.done(&format!("plan hr.csv --snapshot export.csv -o export.plan {MAPS}"));
    let invalid = table(&world.read("export.plan/invalid.csv"), b',');
    assert_eq!(invalid[0]["_reason"], "division.unknown");
}

#[test]
fn a_division_that_is_gone_since_the_plan_stops_apply_before_row_1() {
    let world = divided();
    world.done("snapshot -o org.parquet");
    world.done(&format!("plan hr.csv --snapshot org.parquet -o hr.plan {MAPS}"));
    world.server.with_org(|org| org.settings_mut().divisions = vec!["Home".to_owned(), "Renamed".to_owned()]);
    let ran = world.run("apply hr.plan --yes");
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(
        ran.err.contains("1 row names a division") && ran.err.contains("first row 1") && ran.err.contains("Renamed"),
        "{ran:?}"
    );
    assert_eq!(world.n_posts(), 0);
    assert!(!world.path("hr.plan/journal.jsonl").exists());
}

#[test]
fn a_row_too_large_for_a_request_is_found_when_planning_and_stands_for_nobody() {
    let world = divided();
    let long = "x".repeat(600_000);
    world.write("hr.csv", format!("Email,Name,Job Title\nada@example.com,Ada,{long}\nADA@example.com,Ada L,Agent\n"));
    world.done("snapshot -o org.parquet");
    let plan = world.done("plan hr.csv --snapshot org.parquet -o hr.plan --json").json();
    assert_eq!((&plan["new"], &plan["invalid"]), (&1.into(), &1.into()));
    assert_eq!(reasons(&world, "invalid.csv"), [pair("Ada", "request.too_large")]);
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 1);
}

#[test]
fn a_finished_run_does_not_mind_a_division_that_is_gone() {
    let world = divided();
    world.done("snapshot -o org.parquet");
    world.done(&format!("plan hr.csv --snapshot org.parquet -o hr.plan {MAPS}"));
    world.done("apply hr.plan --yes");
    world.server.with_org(|org| org.settings_mut().divisions = vec!["Home".to_owned()]);
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 3);
}

#[test]
fn a_default_division_that_does_not_exist_is_wrong_usage_and_not_everybodys_fault() {
    let world = divided();
    world.done("snapshot -o org.parquet");
    for line in ["diff hr.csv --snapshot org.parquet", "plan hr.csv --snapshot org.parquet -o hr.plan"] {
        let ran = world.run(&format!("{line} --default division=Hmoe"));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains("divisions are: Home, Support EMEA, Sales"), "{}", ran.err);
    }
}

#[test]
fn a_default_without_a_field_or_a_value_is_wrong_usage() {
    let world = divided();
    for default in ["department", "department=", "shoe=7", "email=a@example.com"] {
        let mut command = world.command("diff hr.csv --snapshot org.parquet");
        let ran = crate::support::Ran::of(command.args(["--default", default]).output().unwrap());
        assert_eq!(ran.code, Some(2), "{default}: {ran:?}");
    }
}
