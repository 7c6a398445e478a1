//! What a listing proves, and what it does not.

use std::collections::HashSet;
use std::time::Duration;

use rosterdiff::api::Options;
use rosterdiff::sim::{PageCaps, Settings, State};

use super::rig::{Mischance, org_of, rig, rig_with};

#[tokio::test(start_paused = true)]
async fn everybody_of_every_state_is_in_a_complete_snapshot_once() {
    let rig = rig(org_of(5_321, Settings { latency: Duration::from_millis(700), ..Settings::default() }));
    let snapshot = rig.snapshot().await;
    let certificate = snapshot.certificate.clone().unwrap();
    assert!(certificate.complete, "{certificate:?}");
    let ids: HashSet<String> =
        snapshot.frame.column("id").unwrap().str().unwrap().iter().map(|id| id.unwrap().to_owned()).collect();
    let there: HashSet<String> = rig.direct.with_org(|org| org.users().iter().map(|u| u.id.clone()).collect());
    assert_eq!(ids, there);
    assert_eq!(snapshot.frame.height(), 5_321);
    assert!(rig.direct.with_org(|org| org.counts().n_in_flight_max) > 1);
}

#[tokio::test(start_paused = true)]
async fn a_capped_listing_is_incomplete_and_says_which() {
    let caps = PageCaps { inactive: Some(500), ..PageCaps::default() };
    let rig = rig(org_of(12_000, Settings { page_cap: caps, ..Settings::default() }));
    let certificate = rig.snapshot().await.certificate.unwrap();
    assert!(!certificate.complete);
    assert_eq!(certificate.gaps(), ["inactive: the service lists 500 of 1200 and refuses the rest"]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_at_the_very_cap_is_complete() {
    let caps = PageCaps { active: Some(1_000), inactive: Some(1_000), deleted: Some(1_000), any: None };
    let mut org = org_of(0, Settings { page_cap: caps, ..Settings::default() });
    let rows: Vec<String> = (0..1_000).map(|n| format!("a{n}@example.com")).collect();
    org.seed_csv(&format!("email\n{}", rows.join("\n"))).unwrap();
    let certificate = rig(org).snapshot().await.certificate.unwrap();
    assert!(certificate.complete, "{certificate:?}");
}

#[tokio::test(start_paused = true)]
async fn users_who_come_and_go_while_paging_make_it_incomplete() {
    for deletes in [false, true] {
        let rig = rig(org_of(3_000, Settings::default()));
        rig.direct.with_org(|org| {
            let mut n = 0;
            org.before_each(move |org, request, now| {
                n += u32::from(request.path == "/api/v2/users");
                if n == 4 && deletes {
                    org.stranger_deletes("old1@example.com", now);
                } else if n == 4 {
                    org.stranger_creates("late@example.com", State::Active, now);
                }
            });
        });
        let certificate = rig.snapshot().await.certificate.unwrap();
        assert!(!certificate.complete, "deletes {deletes}: {certificate:?}");
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
