//! The whole way from roster to users: snapshot, plan, apply, verify, and a second plan with nothing left to do.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterdiff::api::wire::{Method, Request};
use rosterdiff::sim::{Org, PageCaps, Settings, State};
use serde_json::Value;

use super::world::{World, contents, fast, keys, people, table, until};
use crate::support::Ran;

const APPLY_KEYS: [&str; 11] = [
    "adopted",
    "created",
    "forecast_s",
    "refused",
    "requests",
    "restored",
    "seconds",
    "taken",
    "throttled",
    "unknown",
    "unprocessed",
];
const PLAN_KEYS: [&str; 11] = [
    "complete",
    "deleted",
    "differing",
    "duplicate",
    "forecast_s",
    "gates",
    "invalid",
    "new",
    "present",
    "rows",
    "suspects",
];
const SNAPSHOT_KEYS: [&str; 6] = ["active", "complete", "deleted", "inactive", "requests", "users"];
const RESULTS: [&str; 5] = ["created.csv", "taken.csv", "refused.csv", "unknown.csv", "unprocessed.csv"];

/// The object of a command that ends with 0.
fn object(world: &World, line: &str) -> Value {
    world.done(&format!("{line} --json")).json()
}

fn is_create(request: &Request) -> bool {
    request.method == Method::Post && request.path == "/api/v2/users"
}

/// Rows of a CSV of `hr.plan`.
fn result(world: &World, name: &str) -> Vec<BTreeMap<String, String>> {
    table(&world.read(&format!("hr.plan/{name}")), b',')
}

#[test]
fn the_whole_way_ends_with_nobody_new_and_no_conflict() {
    let world = World::sample(fast());
    let snapshot = object(&world, "snapshot -o org.parquet");
    assert_eq!(keys(&snapshot), SNAPSHOT_KEYS);
    assert_eq!((&snapshot["users"], &snapshot["complete"]), (&1_500.into(), &true.into()));
    assert_eq!(["active", "inactive", "deleted"].map(|state| snapshot[state].as_u64()), [1_275, 150, 75].map(Some));

    let plan = object(&world, "plan hr.csv --snapshot org.parquet");
    assert_eq!(keys(&plan), PLAN_KEYS);
    assert_eq!((&plan["rows"], &plan["new"], &plan["complete"]), (&2_000.into(), &693.into(), &true.into()));

    let apply = object(&world, "apply hr.plan --yes");
    assert_eq!(keys(&apply), APPLY_KEYS);
    assert_eq!((&apply["created"], &apply["throttled"]), (&693.into(), &0.into()));
    let others = ["adopted", "refused", "restored", "taken", "unknown", "unprocessed"];
    assert!(others.iter().all(|outcome| apply[outcome] == 0), "{apply}");

    let verify = object(&world, "verify hr.plan");
    assert_eq!((&verify["as_sent"], &verify["differences"]), (&693.into(), &0.into()));

    assert_eq!(object(&world, "snapshot -o after.parquet")["users"], 1_500 + 693);
    let after = object(&world, "plan hr.csv --snapshot after.parquet -o after.plan");
    assert_eq!((&after["new"], &after["rows"]), (&0.into(), &2_000.into()));
    assert_eq!(object(&world, "apply after.plan --yes")["created"], 0);
    world.server.with_org(|org| {
        assert_eq!((org.counts().n_conflicts(), org.counts().n_throttled(), org.counts().n_modified), (0, 0, 0));
        assert_eq!(org.counts().n("POST", "/api/v2/users"), 693);
        assert!(org.unknown_fields().is_empty(), "{:?}", org.unknown_fields());
    });
}

#[test]
fn every_id_in_created_csv_belongs_to_its_row() {
    let world = World::sample(fast());
    world.plan();
    world.done("apply hr.plan --yes");
    let created = result(&world, "created.csv");
    assert_eq!(created.len(), 693);
    for row in created {
        let held = world.server.with_org(|org| org.users_with(row["_user_email"].trim_start_matches('\'')));
        assert_eq!(held.len(), 1, "{row:?}");
        assert_eq!(held[0].id, row["_user_id"], "{row:?}");
        let name = [row["First Name"].trim(), row["Last Name"].trim()].join(" ");
        assert_eq!(held[0].name, name.trim(), "{row:?}");
        assert_eq!(
            (row["_outcome"].as_str(), row["_attempts"].as_str(), held[0].state),
            ("created", "1", State::Active)
        );
    }
}

#[test]
fn every_results_file_is_there_even_if_it_holds_a_header_only() {
    let world = World::planned(fast(), &people(3));
    for name in RESULTS {
        assert!(!world.path(&format!("hr.plan/{name}")).exists(), "{name} before a run");
    }
    world.done("apply hr.plan --yes");
    let header = world.read("hr.plan/created.csv").split(|byte| *byte == b'\n').next().unwrap().to_vec();
    assert_eq!(result(&world, "created.csv").len(), 3);
    for name in &RESULTS[1..] {
        assert_eq!(world.read(&format!("hr.plan/{name}")), [&header[..], b"\n"].concat(), "{name}");
    }
    assert!(world.path("hr.plan/result.parquet").exists());
}

#[test]
fn results_are_written_as_the_roster_was() {
    for (bom, delimiter, eol) in [("\u{feff}", ';', "\r\n"), ("", '\t', "\n"), ("", '|', "\r\n")] {
        let rows = ["Name;Email;Office", "\"A; B, C\";a@hr.example;Ω", "\"D \"\"x\"\"\";d@hr.example;"];
        let rows = rows.map(|row| row.replace(';', &delimiter.to_string()));
        let world = World::planned(fast(), &format!("{bom}{}{eol}", rows.join(eol)));
        world.done("apply hr.plan --yes");
        let written = String::from_utf8(world.read("hr.plan/created.csv")).unwrap();
        let cut: Vec<&str> = written.strip_prefix(bom).unwrap().split_terminator(eol).collect();
        assert_eq!(cut.len(), 3, "{written:?}");
        for (line, row) in cut.iter().zip(&rows) {
            assert!(line.starts_with(&format!("{row}{delimiter}")), "{line:?}");
        }
        assert!(written.ends_with(eol), "{written:?}");
    }
}

#[test]
fn nobody_else_on_the_machine_can_read_what_was_written() {
    let world = World::planned(fast(), &people(3));
    world.done("diff hr.csv --snapshot org.parquet -o new.csv");
    world.done("diff hr.csv --snapshot org.parquet -o new.parquet");
    world.done("apply hr.plan --yes");
    let written = contents(world.dir.path()).into_keys().filter(|path| path != world.dir.path());
    let written: Vec<_> = written.filter(|path| !path.ends_with("hr.csv")).collect();
    assert!(written.len() > 15, "{written:?}");
    for path in written {
        let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

#[test]
fn status_follows_a_run_from_outside() {
    let world = World::planned(fast(), &people(60));
    let before = object(&world, "status hr.plan");
    assert_eq!((&before["unprocessed"], &before["created"]), (&60.into(), &0.into()));

    world.server.with_org(|org| org.settings_mut().latency = Duration::from_millis(500));
    let running = world.start("apply hr.plan --yes --json");
    until("the first outcome", || world.journal().iter().any(|line| line["ev"] == "done").then_some(()));
    let during = object(&world, "status hr.plan");
    let created = during["created"].as_u64().unwrap();
    assert!((1..60).contains(&created), "{during}");
    let all = ["created", "adopted", "taken", "refused", "unknown", "unprocessed"];
    assert_eq!(all.iter().map(|outcome| during[outcome].as_u64().unwrap()).sum::<u64>(), 60, "{during}");

    world.server.with_org(|org| org.settings_mut().latency = Duration::ZERO);
    assert_eq!(Ran::of(running.wait_with_output().unwrap()).code, Some(0));
    let after = object(&world, "status hr.plan");
    assert_eq!((&after["unprocessed"], &after["created"]), (&0.into(), &60.into()));
}

#[test]
fn a_plan_without_a_snapshot_takes_one_and_keeps_it() {
    let world = World::sample(fast());
    let plan = object(&world, "plan hr.csv");
    assert_eq!((&plan["new"], &plan["complete"]), (&693.into(), &true.into()));
    let manifest: Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
    let snapshot = world.read("hr.plan/snapshot.parquet");
    assert_eq!(manifest["snapshot"]["path"], "snapshot.parquet");
    assert_eq!(manifest["snapshot"]["blake3"], blake3::hash(&snapshot).to_hex().to_string());
    assert_eq!(manifest["roster"]["blake3"], blake3::hash(&world.read("hr.csv")).to_hex().to_string());
    let again = object(&world, "diff hr.csv --snapshot hr.plan/snapshot.parquet -o new.csv");
    assert_eq!((&again["new"], &again["complete"]), (&693.into(), &true.into()));
    assert_eq!(object(&world, "apply hr.plan --yes")["created"], 693);
}

#[test]
fn a_capped_listing_is_written_and_called_incomplete() {
    let page_cap = PageCaps { active: Some(500), ..PageCaps::default() };
    let mut org = Org::new(Settings { page_cap, cursor: false, ..fast() });
    org.seed_users(1_200);
    let world = World::of(org);
    let ran = world.run("snapshot -o org.parquet --json");
    assert_eq!(ran.code, Some(9), "{ran:?}");
    let object = ran.json();
    assert_eq!(keys(&object), SNAPSHOT_KEYS);
    assert_eq!((&object["complete"], &object["active"]), (&false.into(), &500.into()));
    assert_eq!([&object["inactive"], &object["deleted"]], [120, 60]);
    assert!(ran.err.contains("active") && ran.err.contains("500 of 1020"), "{ran:?}");
    world.write("hr.csv", people(2));
    let unproven = world.done("diff hr.csv --snapshot org.parquet -o new.csv --json");
    assert_eq!((&unproven.json()["complete"], &unproven.json()["new"]), (&false.into(), &2.into()));
    assert!(unproven.err.contains("Not proven"), "{unproven:?}");
}

#[test]
fn a_run_outlives_its_tokens() {
    let settings = Settings { token_lifetime: Duration::from_secs(1), ..fast() };
    let world = World::planned(settings, &people(60));
    world.server.with_org(|org| org.settings_mut().latency = Duration::from_millis(600));
    let minted = || world.server.with_org(|org| org.counts().n("POST", "/oauth/token"));
    let before = minted();
    let apply = object(&world, "apply hr.plan --yes");
    assert_eq!(apply["created"], 60, "{apply}");
    assert!(minted() - before >= 2, "one token was enough");
    assert_eq!(world.server.with_org(|org| org.users().len()), 60);
}

#[test]
fn a_token_revoked_in_the_middle_is_replaced_and_nobody_is_lost() {
    let world = World::planned(fast(), &people(60));
    let mut n_creates = 0;
    world.server.with_org(|org| {
        org.before_each(move |org, request, _| {
            n_creates += u64::from(is_create(request));
            if n_creates == 20 && is_create(request) {
                org.revoke_tokens();
            }
        });
    });
    let apply = object(&world, "apply hr.plan --yes");
    assert_eq!((&apply["created"], &apply["adopted"], &apply["refused"]), (&60.into(), &0.into(), &0.into()));
    world.server.with_org(|org| {
        assert!(org.counts().n_status(401) >= 1);
        assert_eq!(org.users().len(), 60);
    });
}

#[test]
fn a_key_taken_since_the_plan_is_told_and_is_no_error() {
    let world = World::planned(fast(), &people(5));
    let holders: Vec<String> = world.server.with_org(|org| {
        let now = org.now();
        [("person2@hr.example", State::Active), ("PERSON4@hr.example", State::Deleted)]
            .map(|(email, state)| org.stranger_creates(email, state, now).unwrap())
            .into()
    });
    let apply = object(&world, "apply hr.plan --yes --settle 1");
    assert_eq!((&apply["created"], &apply["taken"]), (&3.into(), &2.into()));
    let taken: Vec<_> = result(&world, "taken.csv")
        .iter()
        .map(|row| ["_row", "_user_id", "_user_state", "_http_status"].map(|column| row[column].clone()))
        .collect();
    let row = |number: &str, id: &str, state: &str| [number, id, state, "409"].map(str::to_owned);
    assert_eq!(taken, [row("2", &holders[0], "active"), row("4", &holders[1], "deleted")]);
    assert_eq!(world.server.with_org(|org| org.counts().n_modified), 0);
}

/// A body that is too large is the one refusal that hangs on a cell.
fn roster_with_a_long_title(title: &str) -> String {
    format!("Name,Email,Job Title\nAda,ada@hr.example,Agent\nBob,bob@hr.example,{title}\n")
}

#[test]
fn a_refused_row_is_kept_with_the_words_and_can_be_corrected_and_fed_back() {
    let long = "x".repeat(5_000);
    let world = World::planned(Settings { body_octets_max: 2_000, ..fast() }, &roster_with_a_long_title(&long));
    let ran = world.run("apply hr.plan --yes --json");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(keys(&ran.json()), APPLY_KEYS);
    assert_eq!((&ran.json()["created"], &ran.json()["refused"]), (&1.into(), &1.into()));
    let refused = result(&world, "refused.csv");
    assert_eq!((refused.len(), refused[0]["_row"].as_str(), refused[0]["_http_status"].as_str()), (1, "2", "413"));
    assert!(!refused[0]["_reason"].is_empty() && !refused[0]["_correlation_id"].is_empty(), "{refused:?}");

    let corrected = String::from_utf8(world.read("hr.plan/refused.csv")).unwrap().replace(&long, "Agent");
    world.write("corrected.csv", corrected);
    world.done("snapshot -o after.parquet");
    assert_eq!(object(&world, "plan corrected.csv --snapshot after.parquet")["new"], 1);
    assert_eq!(object(&world, "apply corrected.plan --yes")["created"], 1);
    let header = world.read("corrected.plan/new.csv");
    assert!(header.starts_with(b"Name,Email,Job Title,_row,_line,"), "tool columns are not doubled");
    assert_eq!(
        world.server.with_org(|org| org.users_with("bob@hr.example")[0].title.clone()).as_deref(),
        Some("Agent")
    );
}

#[test]
fn no_person_and_no_secret_is_ever_told_or_journalled() {
    let settings = Settings { client_secret: "canary-secret".to_owned(), body_octets_max: 2_000, ..fast() };
    let world = World::new(settings);
    let row = |n: usize, title: &str| format!("Canaria{n} Birdsong,canary{n}@nest.example,{title}\n");
    world
        .write("hr.csv", format!("Name,Email,Job Title\n{}{}{}", row(1, "a"), row(2, "b"), row(3, &"y".repeat(4_000))));
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&tokens);
    world.server.with_org(|org| {
        org.before_each(move |_, request, _| {
            seen.lock().unwrap().extend(request.header("authorization").map(str::to_owned))
        });
    });
    let command = |line: &str| {
        let mut command = world.command(line);
        command.env("GENESYSCLOUD_OAUTHCLIENT_SECRET", "canary-secret").stdin(Stdio::null());
        Ran::of(command.output().unwrap())
    };
    assert_eq!(command("plan hr.csv -v").code, Some(0));
    // One of each: created, taken, refused.
    world.server.with_org(|org| org.stranger_creates("canary2@nest.example", State::Active, org.now()));
    let ran = command("apply hr.plan --yes -v --settle 1");
    assert_eq!(ran.code, Some(1), "{ran:?}");

    let journal = String::from_utf8(world.read("hr.plan/journal.jsonl")).unwrap();
    assert!(journal.contains("\"http\":409") && journal.contains("\"http\":413"), "{journal}");
    for (place, text) in [("stdout", &ran.out), ("stderr", &ran.err), ("the journal", &journal)] {
        for canary in ["canary", "nest.example", "Canaria", "Birdsong"] {
            assert!(!text.contains(canary), "{canary} in {place}: {text}");
        }
    }
    let tokens = tokens.lock().unwrap();
    let secrets: Vec<&str> =
        tokens.iter().map(|header| header.split_once(' ').unwrap().1).chain(["canary-secret"]).collect();
    assert!(secrets.len() > 3);
    for (path, bytes) in contents(world.dir.path()) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!secrets.iter().any(|secret| text.contains(secret) || ran.err.contains(secret)), "{}", path.display());
    }
}

#[test]
fn a_listener_that_has_gone_away_does_not_change_what_was_done() {
    let world = World::new(fast());
    world.write("hr.csv", people(2));
    let closed = || Stdio::from(std::io::pipe().unwrap().1);
    for line in
        ["snapshot -o org.parquet", "plan hr.csv --snapshot org.parquet", "apply hr.plan --yes", "verify hr.plan"]
    {
        let status = world.command(line).stdout(closed()).stderr(closed()).status().unwrap();
        assert_eq!(status.code(), Some(0), "{line}");
    }
    // An object that was asked for and cannot be given is an error; what was done stays done.
    let status = world.command("apply hr.plan --yes --json").stdout(closed()).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(3));
    assert_eq!(result(&world, "created.csv").len(), 2);
}

#[test]
fn verify_finds_what_somebody_changed_since() {
    let world = World::planned(fast(), &people(5));
    world.done("apply hr.plan --yes");
    world.server.with_org(|org| org.stranger_sets_state("person3@hr.example", State::Inactive, org.now()));
    let ran = world.run("verify hr.plan --json");
    assert_eq!(ran.code, Some(10), "{ran:?}");
    assert_eq!((&ran.json()["as_sent"], &ran.json()["differences"]), (&4.into(), &1.into()));
    assert!(ran.err.contains("row 3") && !ran.err.contains("person3"), "{ran:?}");
}

#[test]
fn users_not_visible_yet_are_no_difference() {
    let world = World::planned(Settings { list_lag: Duration::from_secs(600), ..fast() }, &people(5));
    world.done("apply hr.plan --yes");
    let verify = object(&world, "verify hr.plan");
    assert_eq!((&verify["not_visible"], &verify["differences"]), (&5.into(), &0.into()));
}

#[test]
fn a_run_that_is_done_does_nothing_when_run_again() {
    let world = World::planned(fast(), &people(5));
    world.done("apply hr.plan --yes");
    let created = world.read("hr.plan/created.csv");
    let again = object(&world, "apply hr.plan --yes");
    assert_eq!((&again["created"], world.n_posts()), (&5.into(), 5));
    assert!(world.read("hr.plan/created.csv") == created);
}
