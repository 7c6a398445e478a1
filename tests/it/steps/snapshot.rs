//! What a listing proves, and what it does not.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rosterdiff::api::Options;
use rosterdiff::api::wire::{Reply, Request};
use rosterdiff::files::export;
use rosterdiff::files::parquet::SnapshotWriter;
use rosterdiff::lanes::Effort;
use rosterdiff::sim::{Org, PageCaps, Settings, State};
use rosterdiff::snapshot::{Cell, Snapshot};
use rosterdiff::take;
use serde_json::{Value, json};

use super::rig::{Mischance, Rig, org_of, rig, rig_with};

/// Everybody who was there all the time is in the snapshot.
fn assert_nobody_is_missing(rig: &Rig, snapshot: &Snapshot, before: &HashSet<String>) {
    let ids: HashSet<String> = snapshot
        .frame()
        .unwrap()
        .column("id")
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .map(|id| id.unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), snapshot.len(), "somebody is in it twice");
    let missing: Vec<_> = before.difference(&ids).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let there: HashSet<String> = rig.direct.with_org(|org| org.users().iter().map(|u| u.id.clone()).collect());
    assert!(ids.is_subset(&there));
}

fn everybody(rig: &Rig) -> HashSet<String> {
    rig.direct.with_org(|org| org.users().iter().map(|u| u.id.clone()).collect())
}

/// 10,600 inactive and 10,600 deleted users and a few active ones.
fn crowded(settings: Settings) -> Org {
    let page_cap = PageCaps { deleted: Some(10_000), ..PageCaps::default() };
    let mut org = Org::new(Settings { page_cap, rate_allowed: 100_000, ..settings });
    let of = |word: &'static str| (0..10_600).map(move |n| format!("{word}{n}@example.com,{word}"));
    let rows: Vec<String> =
        of("inactive").chain(of("deleted")).chain((0..300).map(|n| format!("a{n}@example.com,active"))).collect();
    org.seed_csv(&format!("email,state\n{}", rows.join("\n"))).unwrap();
    org
}

fn listed_page(request: &Request) -> Option<u32> {
    let number = |name: &str| request.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    (request.path == "/api/v2/users").then(|| number("pageNumber"))??.parse().ok()
}

/// Changes one body of a listing, as JSON.
fn change_body(reply: &mut Reply, change: impl FnOnce(&mut Value)) {
    let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
    change(&mut body);
    reply.body = serde_json::to_vec(&body).unwrap();
}

#[tokio::test(start_paused = true)]
async fn everybody_of_every_state_is_in_a_complete_snapshot_once() {
    let rig = rig(org_of(5_321, Settings { latency: Duration::from_millis(700), ..Settings::default() }));
    let snapshot = rig.snapshot().await;
    let certificate = snapshot.certificate.clone().unwrap();
    assert!(certificate.complete, "{certificate:?}");
    assert_eq!((certificate.passes, certificate.users()), (1, 5_321));
    assert_nobody_is_missing(&rig, &snapshot, &everybody(&rig));
    assert_eq!(snapshot.len(), 5_321);
    assert!(rig.direct.with_org(|org| org.counts().n_in_flight_max) > 1);
}

#[tokio::test(start_paused = true)]
async fn behind_the_cap_the_cursor_finds_everybody() {
    let rig = rig(crowded(Settings::default()));
    let snapshot = rig.snapshot().await;
    let certificate = snapshot.certificate.clone().unwrap();
    assert!(certificate.complete, "{certificate:?}");
    assert_eq!([State::Active, State::Inactive, State::Deleted].map(|s| users_of(&snapshot, s)), [300, 10_600, 10_600]);
    assert_nobody_is_missing(&rig, &snapshot, &everybody(&rig));
    // What lies behind the cap is not asked for page by page.
    let refused = rig.direct.with_org(|org| org.counts().n_outcome("GET", "/api/v2/users", 400));
    assert!((2..=10).contains(&refused), "{refused} refused pages");
}

#[tokio::test(start_paused = true)]
async fn where_a_total_stops_counting_everybody_is_fetched_and_nothing_is_proven() {
    let rig = rig(crowded(Settings { totals_stop_at: Some(10_000), ..Settings::default() }));
    let snapshot = rig.snapshot().await;
    assert_nobody_is_missing(&rig, &snapshot, &everybody(&rig));
    let certificate = snapshot.certificate.unwrap();
    assert_eq!((certificate.complete, certificate.passes), (false, 1));
    assert!(certificate.gaps()[0].contains("may stop counting"), "{:?}", certificate.gaps());
}

fn users_of(snapshot: &Snapshot, state: State) -> usize {
    snapshot
        .frame()
        .unwrap()
        .column("state")
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .filter(|s| *s == Some(state.as_str()))
        .count()
}

#[tokio::test(start_paused = true)]
async fn behind_the_cap_and_without_a_cursor_a_snapshot_is_incomplete_and_says_why() {
    let absent = "deleted: the service lists 10000 of 10600 and refuses the rest; the cursor listing does not exist here (HTTP 404)";
    let forbidden =
        absent.replace("does not exist here (HTTP 404)", "needs directory:user:view for all divisions (HTTP 403)");
    for (cursor, cursor_forbidden, gap) in [(false, false, absent), (true, true, forbidden.as_str())] {
        let rig = rig(crowded(Settings { cursor, cursor_forbidden, ..Settings::default() }));
        let certificate = rig.snapshot().await.certificate.unwrap();
        assert!(!certificate.complete);
        assert_eq!(certificate.gaps()[1], gap);
        // Another pass would prove no more, and the cursor is probed once.
        assert_eq!(certificate.passes, 1);
        assert!(rig.direct.with_org(|org| org.counts().n("GET", "/api/v2/users/query")) <= 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_total_that_counts_no_further_than_the_cap_is_not_believed() {
    // Neither where the page behind is refused, nor where it is empty.
    for page_cap in
        [PageCaps { deleted: Some(10_000), ..PageCaps::default() }, PageCaps { inactive: None, ..PageCaps::default() }]
    {
        let rig = rig(crowded(Settings { totals_stop_at: Some(10_000), cursor: false, ..Settings::default() }));
        rig.direct.with_org(|org| org.settings_mut().page_cap = page_cap);
        let certificate = rig.snapshot().await.certificate.unwrap();
        assert!(!certificate.complete, "{certificate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_users_are_never_proven_though_they_be_really_ten_thousand() {
    for cursor in [true, false] {
        let org = active(10_000, Settings { rate_allowed: 100_000, cursor, ..Settings::default() });
        let certificate = rig(org).snapshot().await.certificate.unwrap();
        assert_eq!((certificate.complete, certificate.users()), (false, 10_000), "{certificate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_ends_where_the_totals_stop_proves_nothing() {
    let stops = Some(10_000);
    let rig = rig(crowded(Settings { totals_stop_at: stops, cursor_cap: stops, ..Settings::default() }));
    let certificate = rig.snapshot().await.certificate.unwrap();
    assert_eq!((certificate.complete, certificate.passes), (false, 1));
    assert!(certificate.gaps()[0].ends_with("the cursor listing ends there, too"), "{:?}", certificate.gaps());
}

/// An organisation of active users alone.
fn active(n: usize, settings: Settings) -> Org {
    let rows: Vec<String> = (0..n).map(|n| format!("a{n}@example.com")).collect();
    let mut org = Org::new(settings);
    org.seed_csv(&format!("email\n{}", rows.join("\n"))).unwrap();
    org
}

#[tokio::test(start_paused = true)]
async fn full_pages_end_with_a_404_behind_them_and_prove_nothing_with_a_400() {
    for status in [404, 400] {
        let mut org = active(1_000, Settings { cursor: false, ..Settings::default() });
        org.after_each(move |_, request, reply| {
            if request.query.contains(&("pageNumber".to_owned(), "3".to_owned())) {
                *reply = Reply { status, headers: Vec::new(), body: b"{}".to_vec() };
            }
        });
        let certificate = rig(org).snapshot().await.certificate.unwrap();
        assert_eq!(certificate.complete, status == 404, "{certificate:?}");
        assert_eq!(certificate.gaps().concat().contains("whether others follow"), status == 400);
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_at_the_very_cap_is_complete() {
    let caps = PageCaps { active: Some(1_000), inactive: Some(1_000), deleted: Some(1_000), any: None };
    let org = active(1_000, Settings { page_cap: caps, ..Settings::default() });
    let certificate = rig(org).snapshot().await.certificate.unwrap();
    assert!(certificate.complete, "{certificate:?}");
}

/// At the `n`-th listed page of the first pass the organisation changes in a way that leaves the total of active users
/// as it was, and shifts its pages by one.
#[tokio::test(start_paused = true)]
async fn nobody_who_was_there_all_the_time_is_missing_however_pages_shift() {
    let mut n_second_passes = 0;
    for at in 1..24 {
        let rig = rig(org_of(6_000, Settings { rate_allowed: 100_000, ..Settings::default() }));
        let before = everybody(&rig);
        let mut n = 0;
        rig.direct.with_org(|org| {
            org.before_each(move |org, request, now| {
                n += u32::from(listed_page(request).is_some());
                if n == at && listed_page(request).is_some() {
                    assert!(org.stranger_deletes("old1@example.com", now));
                    org.stranger_creates("late@example.com", State::Active, now).unwrap();
                }
            });
        });
        let snapshot = rig.snapshot().await;
        let certificate = snapshot.certificate.clone().unwrap();
        assert!(certificate.complete, "at page {at}: {certificate:?}");
        assert_nobody_is_missing(&rig, &snapshot, &before);
        n_second_passes += u32::from(certificate.passes == 2);
    }
    assert!(n_second_passes >= 15, "{n_second_passes}");
}

/// Erased for good is the one way in which an id can vanish: of three pages of deleted users somebody on the second goes
/// when it was read, so that the third begins one later, and the total at the end is as many as came.
#[tokio::test(start_paused = true)]
async fn somebody_erased_while_paging_hides_nobody_else() {
    let mut n_second_passes = 0;
    for at in 30..56 {
        let rig = rig(org_of(24_000, Settings { rate_allowed: 100_000, ..Settings::default() }));
        let mut n = 0;
        rig.direct.with_org(|org| {
            org.before_each(move |org, request, _| {
                n += u32::from(listed_page(request).is_some());
                if n == at && listed_page(request).is_some() {
                    assert!(org.stranger_erases("old12005@example.com"));
                }
            });
        });
        let snapshot = rig.snapshot().await;
        let certificate = snapshot.certificate.clone().unwrap();
        assert!(certificate.complete, "at page {at}: {certificate:?}");
        let ids = snapshot.frame().unwrap().column("id").unwrap().str().unwrap().clone();
        let ids: HashSet<&str> = ids.iter().flatten().collect();
        assert!(everybody(&rig).iter().all(|id| ids.contains(id.as_str())), "at page {at}");
        n_second_passes += u32::from(certificate.passes == 2);
    }
    assert!(n_second_passes >= 15, "{n_second_passes}");
}

#[tokio::test(start_paused = true)]
async fn an_organisation_that_never_rests_is_incomplete_after_three_passes_and_nobody_is_forgotten() {
    let rig = rig(org_of(6_000, Settings { rate_allowed: 100_000, ..Settings::default() }));
    let before = everybody(&rig);
    let mut n = 0;
    rig.direct.with_org(|org| {
        org.before_each(move |org, request, now| {
            if listed_page(request).is_some() {
                n += 1;
                org.stranger_deletes(&format!("old{}@example.com", n * 2 + 1), now);
                org.stranger_creates(&format!("late{n}@example.com"), State::Active, now);
            }
        });
    });
    let snapshot = rig.snapshot().await;
    let certificate = snapshot.certificate.clone().unwrap();
    assert_eq!((certificate.complete, certificate.passes), (false, 3));
    assert!(certificate.gaps().iter().any(|gap| gap.ends_with("in 3 passes")), "{:?}", certificate.gaps());
    assert_nobody_is_missing(&rig, &snapshot, &before);
}

#[tokio::test(start_paused = true)]
async fn users_who_change_their_state_while_paging_are_found_all_the_same() {
    for at in [2, 5, 8] {
        let rig = rig(org_of(4_000, Settings { rate_allowed: 100_000, ..Settings::default() }));
        let before = everybody(&rig);
        let mut n = 0;
        rig.direct.with_org(|org| {
            org.before_each(move |org, request, now| {
                n += u32::from(listed_page(request).is_some());
                if n == at {
                    // One goes, one comes back: every total stays as it was.
                    org.stranger_sets_state("old1@example.com", State::Deleted, now);
                    org.stranger_sets_state("old25@example.com", State::Active, now);
                }
            });
        });
        let snapshot = rig.snapshot().await;
        assert!(snapshot.is_complete(), "at page {at}: {:?}", snapshot.certificate);
        assert_nobody_is_missing(&rig, &snapshot, &before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_size_that_the_service_lowers_or_refuses_is_followed() {
    for (page_size_max, page_size_capped) in [(37, true), (100, false), (25, false)] {
        let settings = Settings { page_size_max, page_size_capped, rate_allowed: 100_000, ..Settings::default() };
        let rig = rig(org_of(1_234, settings));
        let snapshot = rig.snapshot().await;
        assert!(snapshot.is_complete(), "{:?}", snapshot.certificate);
        assert_nobody_is_missing(&rig, &snapshot, &everybody(&rig));
    }
}

/// What a page of the active listing may look like, once or always, and whether everybody is proven to be there then.
#[tokio::test(start_paused = true)]
async fn short_repeated_and_empty_pages_in_the_middle_survive() {
    type Change = fn(&mut Value, &Value);
    let short: Change = |body, _| body["entities"].as_array_mut().unwrap().truncate(400);
    let empty: Change = |body, _| body["entities"] = json!([]);
    let missing: Change = |body, _| body["entities"] = Value::Null;
    let repeated: Change = |body, page_1| *body = page_1.clone();
    for (what, change) in [("short", short), ("empty", empty), ("missing", missing), ("repeated", repeated)] {
        for always in [false, true] {
            let rig = rig(org_of(4_000, Settings { rate_allowed: 100_000, ..Settings::default() }));
            let mut page_1 = None;
            let mut n_changed = 0;
            rig.direct.with_org(|org| {
                org.after_each(move |_, request, reply| {
                    let is_active = request.query.iter().any(|(n, v)| n == "state" && v == "active");
                    match listed_page(request).filter(|_| is_active) {
                        Some(1) => page_1 = page_1.take().or(serde_json::from_slice(&reply.body).ok()),
                        Some(4) if always || n_changed == 0 => {
                            n_changed += 1;
                            change_body(reply, |body| change(body, page_1.as_ref().unwrap()));
                        }
                        _ => {}
                    }
                });
            });
            let snapshot = rig.snapshot().await;
            let certificate = snapshot.certificate.clone().unwrap();
            assert_eq!(
                (certificate.complete, certificate.passes),
                if always { (false, 3) } else { (true, 2) },
                "{what}"
            );
            if !always {
                assert_nobody_is_missing(&rig, &snapshot, &everybody(&rig));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn users_pushed_behind_the_last_promised_page_are_fetched_too() {
    // Every page holds 400 of the 500 that it claims, as if some were left out for want of a right.
    let rig = rig(org_of(0, Settings { rate_allowed: 100_000, ..Settings::default() }));
    let all: Arc<Vec<Value>> =
        Arc::new((0..2_000).map(|n| json!({"id": format!("id-{n}"), "state": "active"})).collect());
    rig.direct.with_org(|org| {
        org.after_each(move |_, request, reply| {
            let is_active = request.query.iter().any(|(n, v)| n == "state" && v == "active");
            if let Some(number) = listed_page(request).filter(|_| is_active) {
                let page: Vec<Value> = all.iter().skip((number as usize - 1) * 400).take(400).cloned().collect();
                change_body(reply, |body| {
                    (body["entities"], body["total"], body["pageSize"]) = (json!(page), json!(2_000), json!(500))
                });
            }
        });
    });
    let snapshot = rig.snapshot().await;
    assert!(snapshot.is_complete(), "{:?}", snapshot.certificate);
    assert_eq!(snapshot.len(), 2_000);
}

#[tokio::test(start_paused = true)]
async fn a_listing_without_a_total_is_read_to_its_end_and_proves_nothing() {
    let rig = rig(org_of(3_000, Settings { rate_allowed: 100_000, ..Settings::default() }));
    rig.direct.with_org(|org| {
        org.after_each(|_, request, reply| {
            if listed_page(request).is_some() {
                change_body(reply, |body| (body["total"], body["pageCount"]) = (Value::Null, Value::Null));
            }
        });
    });
    let snapshot = rig.snapshot().await;
    assert!(!snapshot.is_complete());
    assert_nobody_is_missing(&rig, &snapshot, &everybody(&rig));
}

#[tokio::test(start_paused = true)]
async fn a_user_without_an_id_makes_a_snapshot_incomplete() {
    let rig = rig(org_of(700, Settings::default()));
    rig.direct.with_org(|org| {
        org.after_each(|_, request, reply| {
            if listed_page(request) == Some(2) {
                change_body(reply, |body| body["entities"][3]["id"] = Value::Null);
            }
        });
    });
    let certificate = rig.snapshot().await.certificate.unwrap();
    assert!(!certificate.complete);
    assert!(certificate.gaps().iter().any(|gap| gap == "1 user came without an id"), "{:?}", certificate.gaps());
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_leads_in_a_circle_or_on_to_nobody_or_breaks_off_ends_the_walk_unproven() {
    type Change = fn(u32, &mut Reply);
    let circle: Change = |_, reply| change_body(reply, |body| body["cursor"] = json!("round"));
    let two: Change = |n, reply| change_body(reply, |body| body["cursor"] = json!(format!("round-{}", n % 2)));
    let nobody: Change = |n, reply| change_body(reply, |body| body["cursor"] = json!(format!("on-{n}")));
    let known: Change = |n, reply| {
        change_body(reply, |body| {
            *body = json!({"entities": [{"id": "x", "state": "inactive"}], "cursor": format!("on-{n}")})
        });
    };
    let broken: Change = |_, reply| reply.status = 400;
    for change in [circle, two, nobody, known, broken] {
        let rig = rig(crowded(Settings::default()));
        let mut n = 0;
        rig.direct.with_org(|org| {
            org.after_each(move |_, request, reply| {
                n += u32::from(request.path.ends_with("/query"));
                if request.path.ends_with("/query") && n > 3 {
                    (reply.status, reply.body) = (200, br#"{"entities":[]}"#.to_vec());
                    change(n, reply);
                }
            });
        });
        let certificate = rig.snapshot().await.certificate.unwrap();
        assert_eq!((certificate.complete, certificate.passes), (false, 1), "{certificate:?}");
        assert!(certificate.states.iter().any(|s| s.capped && !s.walked));
        let n_walked = rig.direct.with_org(|org| org.counts().n("GET", "/api/v2/users/query"));
        assert!(n_walked < 60, "{n_walked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_lost_or_garbled_is_read_again() {
    let rig = rig_with(org_of(2_000, Settings::default()), Options::default(), |n, _| match n % 4 {
        1 => Mischance::LostAfter,
        2 => Mischance::Refused,
        _ => Mischance::None,
    });
    let mut n = 0;
    rig.direct.with_org(|org| {
        org.after_each(move |_, _, reply| {
            n += 1;
            if n % 5 == 0 {
                reply.body = b"<html>captive portal</html>".to_vec();
            }
        });
    });
    assert!(rig.snapshot().await.certificate.unwrap().complete);
}

#[tokio::test(start_paused = true)]
async fn employee_ids_and_further_addresses_come_from_every_listing_and_search_and_back_out_of_the_file() {
    let row = |n: usize| format!("a{n}@example.com,inactive,{n:04},b{n}@example.com c{n}@example.com\n");
    let seed = |n: usize| format!("email,state,employee_id,contacts\n{}", (0..n).map(row).collect::<String>());
    // Page by page, and behind a cap with the cursor.
    for inactive in [None, Some(500)] {
        let page_cap = PageCaps { inactive, ..PageCaps::default() };
        let mut org = Org::new(Settings { page_cap, ..Settings::default() });
        org.seed_csv(&(seed(1_200) + "plain@example.com,active,,\n")).unwrap();
        let rig = rig(org);
        let dir = crate::support::scratch();
        let path = dir.path().join("org.parquet");
        let mut writer = SnapshotWriter::new(&path).unwrap();
        let taken = take::take(&rig.client, &String::new, |page| writer.append(page), |_| {}).await.unwrap();
        writer.finish(&taken).unwrap();
        let (snapshot, _) = export::read_snapshot(&path, true, Effort::default()).unwrap();
        assert!(snapshot.is_complete() && snapshot.len() == 1_201, "{:?}", snapshot.certificate);
        for at in 0..snapshot.len() {
            let cells = [Cell::Email, Cell::EmployeeId, Cell::Contacts].map(|cell| snapshot.cell(cell, at));
            let n = cells[0].unwrap().split('@').next().unwrap().trim_start_matches('a');
            if n == "plain" {
                assert_eq!(cells[1..], [None, None]);
            } else {
                let (id, contacts) = (format!("{n:0>4}"), format!("b{n}@example.com c{n}@example.com"));
                assert_eq!(cells[1..], [Some(id.as_str()), Some(contacts.as_str())]);
            }
        }
        // The same users make the same snapshot, and so does its frame.
        let again = Snapshot::from_frame(&snapshot.frame().unwrap()).unwrap();
        assert!((0..snapshot.len()).all(|at| again.cells(at) == snapshot.cells(at)));
        let live = rig.snapshot().await;
        assert_eq!(live.frame().unwrap(), rig.snapshot().await.frame().unwrap());
        assert!((0..live.len()).filter_map(|at| live.cell(Cell::EmployeeId, at)).count() == 1_200);
        let found = rig.client.search(&["email"], &["A7@example.com"]).await.unwrap().unwrap();
        assert_eq!((found[0].employee_id.as_deref(), found[0].contacts.len()), (Some("0007"), 2));
        assert!(rig.direct.with_org(|org| org.unknown_fields().is_empty()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_expands_nothing_is_listed_all_the_same() {
    let mut org = Org::new(Settings::default());
    org.seed_csv("email,employee_id\na@example.com,7").unwrap();
    org.after_each(|_, request, reply| {
        if listed_page(request).is_some() {
            change_body(reply, |body| {
                for user in body["entities"].as_array_mut().unwrap() {
                    user.as_object_mut().unwrap().remove("employerInfo");
                }
            });
        }
    });
    let snapshot = rig(org).snapshot().await;
    assert!(snapshot.is_complete());
    assert_eq!((snapshot.cell(Cell::Email, 0), snapshot.cell(Cell::EmployeeId, 0)), (Some("a@example.com"), None));
}
