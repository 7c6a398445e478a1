//! Plans whose snapshot proves nothing: with credentials they are proven by looking up, without they say so, and `apply`
//! takes them only when that is accepted.

use rosterdiff::sim::{Org, PageCaps, Settings, State};

use super::world::{World, fast, table, until};
use crate::support::Ran;

const EXPORT: &str = "email,state\nada@example.com,active\n";

/// Ada is active, Bob inactive, Cyd deleted; a roster wants all three and Dan.
fn world(settings: Settings) -> World {
    let mut org = Org::new(settings);
    org.seed_csv("email,state\nada@example.com,active\nbob@example.com,inactive\ncyd@example.com,deleted").unwrap();
    let world = World::of(org);
    world.write(
        "hr.csv",
        "Email,Name\nAda@example.com,Ada\nBob@example.com,Bob\nCyd@example.com,Cyd\nDan@example.com,Dan\n",
    );
    world.write("export.csv", EXPORT);
    world
}

fn without_credentials(world: &World, line: &str) -> Ran {
    Ran::of(world.command(line).env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap())
}

fn verdicts(world: &World) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for verdict in ["new", "present", "deleted"] {
        let file = world.read(&format!("hr.plan/{verdict}.csv"));
        rows.extend(table(&file, b',').into_iter().map(|row| (row["Name"].clone(), verdict.to_owned())));
    }
    rows.sort();
    rows
}

fn expected(all: [&str; 4]) -> Vec<(String, String)> {
    ["Ada", "Bob", "Cyd", "Dan"].iter().zip(all).map(|(name, v)| ((*name).to_owned(), v.to_owned())).collect()
}

#[test]
fn with_credentials_a_plan_from_an_export_is_proven_and_can_be_applied() {
    let world = world(fast());
    let ran = world.done("plan hr.csv --snapshot export.csv -o hr.plan --json");
    assert_eq!((&ran.json()["complete"], &ran.json()["new"]), (&true.into(), &1.into()));
    assert!(ran.err.contains("Looked up 3 addresses") && ran.err.contains("2 are held"), "{}", ran.err);
    assert_eq!(verdicts(&world), expected(["present", "present", "deleted", "new"]));
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 1);
    assert_eq!(world.server.with_org(|org| org.counts().n_conflicts()), 0);
    let manifest: serde_json::Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
    assert_eq!((&manifest["probe"]["keys"], &manifest["probe"]["held"]), (&3.into(), &2.into()));
}

#[test]
fn without_credentials_it_is_written_and_exits_9_and_diff_never_looks_anybody_up() {
    let world = world(fast());
    let ran = without_credentials(&world, "plan hr.csv --snapshot export.csv -o hr.plan --json");
    assert_eq!((ran.code, &ran.json()["complete"]), (Some(9), &false.into()));
    assert!(ran.err.contains("--accept-unproven"), "{}", ran.err);
    assert_eq!(verdicts(&world), expected(["present", "new", "new", "new"]));
    let diff = world.done("diff hr.csv --snapshot export.csv -o new.csv --json");
    assert_eq!((&diff.json()["complete"], &diff.json()["new"]), (&false.into(), &3.into()));
    assert_eq!(world.server.with_org(|org| org.counts().by_status.len()), 0, "nothing was asked");
}

#[test]
fn an_accepted_plan_is_bound_to_the_organisation_it_meets_and_every_row_is_looked_up_first() {
    let world = world(fast());
    without_credentials(&world, "plan hr.csv --snapshot export.csv -o hr.plan");
    assert_eq!(world.run("apply hr.plan --yes").code, Some(4));
    let ran = world.done("apply hr.plan --yes --accept-unproven --json");
    assert_eq!((&ran.json()["created"], &ran.json()["taken"]), (&1.into(), &2.into()));
    let taken = table(&world.read("hr.plan/taken.csv"), b',');
    let states: Vec<_> = taken.iter().map(|row| (row["Name"].as_str(), row["_user_state"].as_str())).collect();
    assert_eq!(states, [("Bob", "inactive"), ("Cyd", "deleted")]);
    world.server.with_org(|org| {
        assert_eq!((org.counts().n_conflicts(), org.counts().n("POST", "/api/v2/users")), (0, 1));
    });
    // Run again it does nothing and says nothing of looking up, and in another organisation it is refused.
    let again = world.done("apply hr.plan --yes --accept-unproven --json");
    assert_eq!(again.json()["created"], 1);
    assert!(!again.err.contains("Looked up"), "{}", again.err);
    let other = World::of(Org::new(Settings { seed: 2, ..fast() }));
    let mut command = world.command("apply hr.plan --yes --accept-unproven");
    let ran = Ran::of(command.env("ROSTERDIFF_API_URL", other.server.base_url()).output().unwrap());
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert_eq!(other.n_posts(), 0);
}

#[test]
fn a_snapshot_of_another_organisation_is_not_mixed_with_what_is_looked_up() {
    let page_cap = PageCaps { active: Some(1), ..PageCaps::default() };
    let world = world(Settings { page_cap, page_size_max: 1, page_size_capped: true, cursor: false, ..fast() });
    world.server.with_org(|org| org.stranger_creates("eve@example.com", State::Active, org.now()));
    assert_eq!(world.run("snapshot -o org.parquet").code, Some(9));
    let other = World::of(Org::new(Settings { seed: 2, ..fast() }));
    let mut command = world.command("plan hr.csv --snapshot org.parquet");
    let ran = Ran::of(command.env("ROSTERDIFF_API_URL", other.server.base_url()).output().unwrap());
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("another organisation") && !world.path("hr.plan").exists(), "{}", ran.err);
}

#[test]
fn a_search_that_tells_case_apart_leaves_a_plan_unproven_and_says_so() {
    let world = world(Settings { search_folds_case: false, ..fast() });
    let ran = world.run("plan hr.csv --snapshot export.csv -o hr.plan --json");
    assert_eq!((ran.code, &ran.json()["complete"]), (Some(9), &false.into()));
    assert!(ran.err.contains("upper from lower case"), "{}", ran.err);
    assert_eq!(world.run("apply hr.plan --yes").code, Some(4));
}

#[test]
fn a_capped_organisation_is_planned_and_applied_without_a_conflict() {
    for cursor in [true, false] {
        let page_cap = PageCaps { deleted: Some(10_000), ..PageCaps::default() };
        let mut org = Org::new(Settings { page_cap, cursor, search_values_max: 9, ..fast() });
        let row = |n: usize| format!("in{n}@example.com,inactive\ngone{n}@example.com,deleted");
        let rows: Vec<String> = (0..10_600).map(row).collect();
        org.seed_csv(&format!("email,state\n{}", rows.join("\n"))).unwrap();
        let world = World::of(org);
        let mut roster = "Email,Name\n".to_owned();
        for n in (0..10_600).step_by(100).chain([10_599]) {
            roster += &format!("IN{n}@example.com,In\ngone{n}@example.com,Gone\nnew{n}@example.com,New\n");
        }
        world.write("hr.csv", roster);
        let ran = world.run("snapshot -o org.parquet --json");
        assert_eq!((ran.code, &ran.json()["complete"]), (Some(if cursor { 0 } else { 9 }), &cursor.into()));
        let plan = world.done("plan hr.csv --snapshot org.parquet -o hr.plan --json").json();
        assert_eq!([&plan["new"], &plan["present"], &plan["deleted"]], [107, 107, 107]);
        assert_eq!(plan["complete"], true);
        assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 107);
        assert_eq!(world.server.with_org(|org| org.counts().n_conflicts()), 0);
        // Without a snapshot at hand, plan takes one and looks up what it does not prove.
        let again = world.done("plan hr.csv -o again.plan --json").json();
        assert_eq!((&again["new"], &again["present"], &again["complete"]), (&0.into(), &214.into(), &true.into()));
    }
}

#[test]
fn whoever_stops_while_rows_are_looked_up_has_bound_the_plan_to_nothing() {
    let world = world(fast());
    without_credentials(&world, "plan hr.csv --snapshot export.csv -o hr.plan");
    world.server.with_org(|org| {
        org.before_each(|org, request, _| {
            let looks = request.path.ends_with("/search");
            org.settings_mut().latency = std::time::Duration::from_secs(if looks { 20 } else { 0 });
        });
    });
    let child = world.start("apply hr.plan --yes --accept-unproven");
    until("a search", || world.server.with_org(|org| (!org.settings().latency.is_zero()).then_some(())));
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).code, Some(7));
    assert!(!world.path("hr.plan/journal.jsonl").exists() && !world.path("hr.plan/result.parquet").exists());
}

#[test]
fn a_row_that_cannot_be_looked_up_is_held_back_and_nobody_else() {
    let world = world(fast());
    without_credentials(&world, "plan hr.csv --snapshot export.csv -o hr.plan");
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            let text = String::from_utf8_lossy(&request.body).to_lowercase();
            if request.path.ends_with("/search") && text.contains("bob@") {
                (reply.status, reply.body) = (400, b"{}".to_vec());
            }
        });
    });
    let ran = world.run("apply hr.plan --yes --accept-unproven --json");
    assert_eq!((ran.code, &ran.json()["created"], &ran.json()["taken"]), (Some(9), &1.into(), &1.into()));
    assert_eq!(ran.json()["unprocessed"], 1);
    assert_eq!(world.server.with_org(|org| org.counts().n_conflicts()), 0);
    // A service that searches for nobody leaves nothing that could be accepted.
    let world = self::world(Settings { search_values_max: 0, ..fast() });
    without_credentials(&world, "plan hr.csv --snapshot export.csv -o hr.plan");
    assert_eq!(world.run("apply hr.plan --yes --accept-unproven").code, Some(4));
    assert_eq!(world.n_posts(), 0);
}

#[test]
fn a_holder_who_is_found_again_counts_once() {
    let page_cap = PageCaps { active: Some(1), ..PageCaps::default() };
    let world = world(Settings { page_cap, page_size_max: 1, page_size_capped: true, cursor: false, ..fast() });
    world.server.with_org(|org| org.stranger_creates("eve@example.com", State::Active, org.now()));
    assert_eq!(world.run("snapshot -o org.parquet").code, Some(9));
    world.done("plan hr.csv --snapshot org.parquet -o hr.plan");
    let deleted = table(&world.read("hr.plan/deleted.csv"), b',');
    assert_eq!((deleted[0]["Name"].as_str(), deleted[0]["_holders"].as_str()), ("Cyd", "1"));
}
