//! The examination of an organisation before anybody waits for it: what it says, and that it only reads.

use std::time::Duration;

use rosterdiff::sim::{Org, PageCaps, Settings, State};
use serde_json::Value;

use super::world::{World, fast, people};

/// 10,600 inactive users and a few others.
fn crowded(settings: Settings) -> World {
    let mut org = Org::new(settings);
    let rows: Vec<String> = (0..10_600).map(|n| format!("in{n}@example.com,inactive")).collect();
    org.seed_csv(&format!("email,state\nada@example.com,active\ncyd@example.com,deleted\n{}", rows.join("\n")))
        .unwrap();
    World::of(org)
}

/// The object and what was told.
fn examined(world: &World) -> (Value, String) {
    let ran = world.done("doctor --json");
    (ran.json(), ran.err)
}

#[test]
fn an_ordinary_organisation_is_told_line_by_line_and_nothing_is_written() {
    let world = crowded(Settings { divisions: vec!["Home".to_owned(), "Sales".to_owned()], ..Settings::default() });
    let (found, told) = examined(&world);
    assert_eq!((&found["can_view"], &found["cursor"], &found["divisions"]), (&true.into(), &true.into(), &2.into()));
    assert_eq!(found["inactive"], serde_json::json!({"total": 10_600, "capped": true}));
    assert_eq!(found["active"], serde_json::json!({"total": 1, "capped": null}));
    assert_eq!(found["search"], serde_json::json!({"values_max": 100, "usernames": true, "case_matters": false}));
    assert_eq!(
        (&found["allowed"], &found["window_s"], &found["calls_per_minute"]),
        (&300.into(), &60.into(), &300.into())
    );
    assert_eq!(found["creates"][1], serde_json::json!({"users": 40_000, "seconds": 8_000}));
    for line in
        ["directory:user:view yes", "CAPPED at 10,000", "nobody else uses this token", "agrees with", "2 h 13 min"]
    {
        assert!(told.contains(line), "{line}: {told}");
    }
    world.server.with_org(|org| {
        let counts = org.counts();
        let writes = |(method, route): &(&str, &str)| {
            *method == "PATCH" || *method == "DELETE" || (*method == "POST" && *route == "/api/v2/users")
        };
        assert!(!counts.by_route.keys().any(writes), "{:?}", counts.by_route);
        assert!(org.unknown_fields().is_empty(), "{:?}", org.unknown_fields());
        assert_eq!(
            (org.users().len(), counts.by_status.values().sum::<u64>()),
            (10_602, found["requests"].as_u64().unwrap())
        );
    });
    assert!(std::fs::read_dir(world.dir.path()).unwrap().next().is_none());
}

#[test]
fn a_snapshot_takes_the_calls_that_were_foretold() {
    for cursor in [true, false] {
        let world = crowded(Settings { cursor, ..fast() });
        let foretold = examined(&world).0["snapshot"]["calls"].as_u64().unwrap();
        let taken = world.run("snapshot --json").json()["requests"].as_u64().unwrap();
        // The token is minted beside; page 21 has to be refused and may not be alone.
        assert!((foretold..=foretold + 8).contains(&taken), "{foretold} foretold, {taken} taken");
    }
}

#[test]
fn what_a_run_would_stumble_over_is_told() {
    let page_cap = PageCaps { inactive: Some(10_000), ..PageCaps::default() };
    let world = crowded(Settings {
        cursor: false,
        page_cap,
        page_size_max: 100,
        search_values_max: 9,
        search_usernames: false,
        search_folds_case: false,
        rate_headers: false,
        rate_allowed: 240,
        ..Settings::default()
    });
    let (found, told) = examined(&world);
    assert_eq!(
        (&found["cursor"], &found["rate_headers"], &found["page_size"]),
        (&false.into(), &false.into(), &100.into())
    );
    assert_eq!(found["search"], serde_json::json!({"values_max": 9, "usernames": false, "case_matters": true}));
    assert_eq!(found["calls_per_minute"], 240);
    for line in ["not usable (HTTP 404); a snapshot will be incomplete", "CASE MATTERS", "none on", "not by username"] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn a_missing_permission_is_a_finding_and_ends_with_5() {
    let world = crowded(fast());
    world.server.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.path.starts_with("/api/v2/users") || request.path.contains("divisions") {
                let words = r#"{"code":"missing.permissions","status":403,"message":"…"}"#;
                (reply.status, reply.body) = (403, words.as_bytes().to_vec());
            }
        });
    });
    let ran = world.run("doctor --json");
    assert_eq!((ran.code, &ran.json()["can_view"]), (Some(5), &false.into()));
    assert!(ran.err.contains("MISSING: GET users, active") && ran.err.contains("missing.permissions"), "{}", ran.err);
    assert!(ran.err.contains("not to be seen (HTTP 403)"), "{}", ran.err);
}

#[test]
fn a_stranger_on_the_token_and_a_clock_that_is_wrong_are_seen() {
    let world = crowded(Settings::default());
    let mut n = 0;
    world.server.with_org(|org| {
        org.after_each(move |_, _, reply| {
            n += 1;
            for (name, value) in &mut reply.headers {
                if name == "inin-ratelimit-count" && n > 3 {
                    *value = (value.parse::<u32>().unwrap() + 5).to_string();
                }
            }
            reply.headers.push(("date".to_owned(), "Tue, 01 Jan 2030 00:00:00 GMT".to_owned()));
        });
    });
    let (found, told) = examined(&world);
    assert_eq!(found["foreign_calls"], 5);
    assert!(found["clock_skew_s"].as_i64().unwrap().abs() > 86_400);
    assert!(
        told.contains("SOMEBODY ELSE uses this token") && told.contains("the service's: pacing does not mind"),
        "{told}"
    );
}

#[test]
fn a_plan_is_foretold_by_its_new_rows_and_its_organisation_is_checked() {
    let world = World::planned(fast(), &people(30));
    world.server.with_org(|org| org.settings_mut().rate_allowed = 60);
    let ran = world.done("doctor hr.plan --json");
    assert_eq!(ran.json()["creates"], serde_json::json!([{"users": 30, "seconds": 30}]));
    let slow = world.done("doctor hr.plan --tokens 4 --per-min 30 --json");
    assert_eq!(slow.json()["creates"], serde_json::json!([{"users": 30, "seconds": 60}]));
    world.server.with_org(|org| org.settings_mut().rate_allowed = 1_000_000);
    world.done("apply hr.plan --yes");
    assert_eq!(world.done("doctor hr.plan --json").json()["creates"][0]["users"], 0);
    let other = World::of(Org::new(Settings { seed: 2, ..fast() }));
    let mut command = world.command("doctor hr.plan");
    let ran = crate::support::Ran::of(command.env("ROSTERDIFF_API_URL", other.server.base_url()).output().unwrap());
    assert_eq!(ran.code, Some(4), "{ran:?}");
}

#[test]
fn nothing_to_examine_ends_with_5_or_6() {
    let world = World::new(fast());
    let mut command = world.command("doctor");
    let ran = crate::support::Ran::of(command.env("GENESYSCLOUD_OAUTHCLIENT_SECRET", "wrong").output().unwrap());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    world.server.with_org(|org| {
        org.stranger_creates("ada@example.com", State::Active, Duration::ZERO);
        org.after_each(|_, _, reply| reply.status = 503);
    });
    assert_eq!(world.run("doctor").code, Some(6));
}
