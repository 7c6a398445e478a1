//! The main job, on the happy path and on the crooked ones that need no bad line.

use std::time::Duration;

use rosterdiff::api::wire::Method;
use rosterdiff::apply::Outcome;
use rosterdiff::sim::{Settings, State};
use rosterdiff::verify::{Expected, What, verify};

use super::rig::{self, assert_exactly_once, ledger, org_of, outcomes, rig, roster_of};
use crate::support::scratch;

#[tokio::test(start_paused = true)]
async fn two_hundred_and_fifty_new_among_a_thousand_cost_at_most_eleven_calls_for_ten_users() {
    let dir = scratch();
    let rig = rig(org_of(1_000, Settings::default()));
    let plan = rig.plan(&roster_of(753, 250)).await;
    assert_eq!((plan.counts().rows, plan.counts().new), (1_003, 250));
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 250);
    assert_exactly_once(&rig.direct, &plan, dir.path());

    let ledger = ledger(dir.path());
    let expected: Vec<Expected> = plan
        .people()
        .unwrap()
        .into_iter()
        .map(|person| Expected {
            row: person.row,
            user_id: ledger.row(person.row).unwrap().user_id.as_deref().unwrap().to_owned(),
            is_young: false,
            what: What::Created(person),
        })
        .collect();
    let verified = verify(&rig.client, &expected, |_| {}).await.unwrap();
    assert_eq!((verified.n_as_sent, verified.differences.len()), (250, 0));

    let tally = rig.client.tally();
    println!("{} calls for 250 users: {:.3} a user", tally.requests, tally.requests as f64 / 250.0);
    assert!(tally.requests <= 275, "{} calls", tally.requests);
    let (conflicts, throttled, n_users) =
        rig.direct.with_org(|org| (org.counts().n_conflicts(), org.counts().n_throttled(), org.users().len()));
    assert_eq!((conflicts, throttled, n_users), (0, 0, 1_250));
    assert!(rig.direct.with_org(|org| org.unknown_fields().is_empty()));
    assert_eq!(rig.plan(&roster_of(753, 250)).await.counts().new, 0);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_strangers_take_meanwhile_are_taken_and_everybody_else_is_created() {
    let dir = scratch();
    let rig = rig(org_of(100, Settings::default()));
    let plan = rig.plan(&roster_of(50, 60)).await;
    let mut n_creates = 0;
    rig.direct.with_org(|org| {
        org.before_each(move |org, request, now| {
            n_creates += u32::from(request.method == Method::Post && request.path == "/api/v2/users");
            if n_creates == 5 {
                n_creates += 1;
                // Planned and not yet sent: the last ones of the file.
                org.stranger_creates("TAKEN0@example.com", State::Active, now);
                org.stranger_creates("taken1@example.com", State::Inactive, now);
                org.stranger_creates("taken2@example.com", State::Active, now);
                assert!(org.stranger_deletes("taken2@example.com", now));
            }
        });
    });
    let roster = roster_of(50, 60) + "taken0@example.com,T 0,\ntaken1@example.com,T 1,\ntaken2@example.com,T 2,\n";
    let plan_with = rig::plan(&roster, &rig.snapshot().await);
    assert_eq!(plan_with.counts().new, plan.counts().new + 3);
    rig.apply(&plan_with, dir.path()).await.unwrap();
    let done = outcomes(&plan_with, dir.path());
    assert_eq!((done.of(Outcome::Taken), done.of(Outcome::Created)), (3, plan.counts().new));
    let ledger = ledger(dir.path());
    for (row, email) in [(111, "taken0@example.com"), (112, "taken1@example.com"), (113, "taken2@example.com")] {
        let holder = rig.direct.with_org(|org| org.users_with(email)).remove(0);
        let found = ledger.row(row).unwrap();
        assert_eq!(found.user_id.as_deref(), Some(holder.id.as_str()));
        assert_eq!(found.user_state.unwrap().as_str(), holder.state.as_str());
    }
    assert_eq!(rig.direct.with_org(|org| org.counts().n_modified), 0);
}

#[tokio::test(start_paused = true)]
async fn a_429_waits_as_told_and_spends_no_attempt() {
    let dir = scratch();
    // No headers: the client paces at the default of 300 a minute and cannot know that 40 are allowed.
    let settings = Settings { rate_allowed: 40, rate_headers: false, ..Settings::default() };
    let rig = rig(org_of(20, settings));
    let plan = rig.plan(&roster_of(10, 100)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert!(rig.direct.with_org(|org| org.counts().n_throttled()) > 0);
    let ledger = ledger(dir.path());
    for person in plan.people().unwrap() {
        let row = ledger.row(person.row).unwrap();
        assert_eq!((row.outcome(), row.attempts, row.ambiguous), (Outcome::Created, 1, false));
    }
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn a_run_over_a_finished_plan_sends_no_create() {
    let dir = scratch();
    let rig = rig(org_of(20, Settings::default()));
    let plan = rig.plan(&roster_of(10, 30)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let before = rig.client.tally().requests;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(rig.client.tally().requests, before);
}

#[tokio::test(start_paused = true)]
async fn a_refused_row_keeps_the_services_words_without_the_address_and_stops_nobody() {
    let dir = scratch();
    let rig = rig(org_of(0, Settings::default()));
    rig.direct.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.method == Method::Post && String::from_utf8_lossy(&request.body).contains("New7@") {
                let words = "Value [New7@example.com] of New 7 is not welcome";
                reply.body = format!(r#"{{"message":"{words}","code":"invalid.value","status":400}}"#).into_bytes();
                reply.status = 400;
            }
        });
    });
    let plan = rig.plan(&roster_of(0, 20)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Refused)), (19, 1));
    let text = std::fs::read_to_string(dir.path().join("journal.jsonl")).unwrap();
    assert!(text.contains("Value [<email>] of <name> is not welcome"), "{text}");
    assert!(!text.to_lowercase().contains("@example.com"));
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_revoked_mid_run_are_minted_again_and_nobody_is_lost() {
    let dir = scratch();
    let rig = rig(org_of(0, Settings { latency: Duration::from_millis(300), ..Settings::default() }));
    let plan = rig.plan(&roster_of(0, 120)).await;
    let mut n = 0;
    rig.direct.with_org(|org| {
        org.before_each(move |org, _, _| {
            n += 1;
            if n % 40 == 0 {
                org.revoke_tokens();
            }
        });
    });
    rig.apply(&plan, dir.path()).await.unwrap();
    assert!(rig.direct.with_org(|org| org.counts().n_status(401)) > 0);
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 120);
    assert_exactly_once(&rig.direct, &plan, dir.path());
}
