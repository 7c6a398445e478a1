//! A bad line, a crash at any moment: nobody twice, nobody lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rosterdiff::api::Options;
use rosterdiff::api::wire::Request;
use rosterdiff::apply::Outcome;
use rosterdiff::error::Kind;
use rosterdiff::sim::{Settings, State};
use serde_json::Value;
use tokio::time::Instant;

use super::rig::{
    Mischance, apply_with, assert_exactly_once, binding, client, is_create, ledger, org_of, outcomes, rig, rig_with,
    roster_of,
};
use crate::support::scratch;

const LAG: Duration = Duration::from_secs(20);

fn lagging() -> Settings {
    Settings { list_lag: LAG, search_lag: LAG, ..Settings::default() }
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_reply_is_lost_is_adopted_and_never_sent_again() {
    let dir = scratch();
    let rig = rig_with(org_of(0, lagging()), Options::default(), |n, request| {
        if is_create(request) && n % 5 == 0 { Mischance::LostAfter } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 60)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!(done.of(Outcome::Created) + done.of(Outcome::Adopted), 60);
    assert!(done.of(Outcome::Adopted) > 5, "{done:?}");
    assert_exactly_once(&rig.direct, &plan, dir.path());
    assert_eq!(
        rig.direct.with_org(|org| (org.counts().n("POST", "/api/v2/users"), org.counts().n_conflicts())),
        (60, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn where_a_search_passes_over_values_in_silence_nobody_is_sent_again_who_is_there() {
    let dir = scratch();
    let settings = Settings { search_values_max: 9, search_values_cut: true, ..lagging() };
    let rig = rig_with(org_of(0, settings), Options::default(), |n, request| {
        if is_create(request) && n % 4 != 0 { Mischance::LostAfter } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 90)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!(done.of(Outcome::Created) + done.of(Outcome::Adopted), 90, "{done:?}");
    assert!(done.of(Outcome::Adopted) > 50, "{done:?}");
    let counts = rig.direct.with_org(|org| (org.counts().n("POST", "/api/v2/users"), org.counts().n_conflicts()));
    assert_eq!(counts, (90, 0));
}

#[tokio::test(start_paused = true)]
async fn a_400_that_speaks_of_a_conflict_and_of_nobody_is_a_refusal() {
    let dir = scratch();
    let mut org = org_of(0, Settings { deleted_conflict_status: 400, ..Settings::default() });
    let email = |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        body["email"].as_str().unwrap().to_owned()
    };
    // Somebody deleted holds the address of every create, and nobody does when he is looked for.
    org.before_each(move |org, request, now| {
        if is_create(request) {
            org.stranger_creates(&email(request), State::Deleted, now);
        }
    });
    org.after_each(move |org, request, _| {
        if is_create(request) {
            org.stranger_erases(&email(request));
        }
    });
    let rig = rig(org);
    let plan = rig.plan(&roster_of(0, 5)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!(done.of(Outcome::Refused), 5, "{done:?}");
    assert_eq!(rig.direct.with_org(|org| org.counts().n_outcome("POST", "/api/v2/users", 400)), 5);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_lost_on_the_way_is_sent_again_only_after_looking() {
    let dir = scratch();
    let rig = rig_with(org_of(0, lagging()), Options::default(), |n, request| {
        if is_create(request) && n % 7 == 0 { Mischance::LostBefore } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 60)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 60);
    let ledger = ledger(dir.path());
    let again: Vec<_> =
        plan.people().unwrap().iter().filter(|p| ledger.row(p.row).unwrap().attempts > 1).map(|p| p.row).collect();
    assert!(!again.is_empty());
    // Five looks over the settling time, each for all rows that are looked for by then.
    let searches = rig.direct.with_org(|org| org.counts().n("POST", "/api/v2/users/search"));
    assert!((5..5 * again.len() as u64).contains(&searches), "{searches} searches for {} rows", again.len());
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn a_5xx_after_the_deed_and_one_before_it_end_the_same_way() {
    let dir = scratch();
    let rig = rig_with(org_of(0, lagging()), Options::default(), |n, request| {
        if is_create(request) && n % 7 == 0 { Mischance::LostBefore } else { Mischance::None }
    });
    let mut n = 0;
    rig.direct.with_org(|org| {
        org.after_each(move |_, request, reply| {
            n += u32::from(is_create(request));
            if is_create(request) && n % 6 == 3 {
                (reply.status, reply.body) = (503, b"<html>bad gateway</html>".to_vec());
            }
        });
    });
    let plan = rig.plan(&roster_of(0, 80)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    // Whoever met three faults in a row stays unknown in that run.
    rig.direct.with_org(|org| org.after_each(|_, _, _| {}));
    let calm = client(&rig.direct, Options::default(), |_, _| Mischance::None);
    apply_with(&calm, &plan, dir.path(), Duration::from_secs(180)).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!(done.of(Outcome::Created) + done.of(Outcome::Adopted), 80, "{done:?}");
    assert!(done.of(Outcome::Adopted) > 0);
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_and_burns_no_attempt() {
    let dir = scratch();
    let begun = Instant::now();
    let n_refused = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&n_refused);
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), move |_, _| {
        if !(Duration::from_secs(5)..Duration::from_secs(600)).contains(&begun.elapsed()) {
            return Mischance::None;
        }
        counted.fetch_add(1, Ordering::Relaxed);
        Mischance::Refused
    });
    let plan = rig.plan(&roster_of(0, 60)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let ledger = ledger(dir.path());
    assert!(plan.people().unwrap().iter().all(|p| ledger.row(p.row).unwrap().attempts == 1));
    // Ten minutes: those in the air, and then one a wait, and waits grow to a minute.
    let n_refused = n_refused.load(Ordering::Relaxed);
    assert!((10..40).contains(&n_refused), "{n_refused}");
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_stays_away_ends_the_run_resumably() {
    let dir = scratch();
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), |n, request| {
        if n > 20 && is_create(request) { Mischance::Refused } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 60)).await;
    let error = rig.apply(&plan, dir.path()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    let done = outcomes(&plan, dir.path());
    assert!(done.of(Outcome::Unknown) == 0 && done.of(Outcome::Unprocessed) > 0, "{done:?}");
    let calm = client(&rig.direct, Options::default(), |_, _| Mischance::None);
    apply_with(&calm, &plan, dir.path(), Duration::from_secs(180)).await.unwrap();
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

/// A crash is the end of every future at some instant: what was sent may have arrived, what was recorded stays.
#[tokio::test(start_paused = true)]
async fn a_crash_at_any_instant_creates_nobody_twice_and_loses_nobody() {
    let mut n_adopted = 0;
    for cut_ms in (0..14_000).step_by(350) {
        let dir = scratch();
        let latency = Duration::from_millis(900);
        let rig = rig(org_of(0, Settings { latency, finishes_orphans: cut_ms % 700 == 0, ..lagging() }));
        let plan = rig.plan(&roster_of(0, 40)).await;
        for crash in 1..=3 {
            let process = client(&rig.direct, Options::default(), |_, _| Mischance::None);
            let cut = Duration::from_millis(cut_ms * crash / 2 + 1);
            let settle = Duration::from_secs(60);
            let _crashed = tokio::time::timeout(cut, apply_with(&process, &plan, dir.path(), settle)).await;
            tokio::task::yield_now().await;
        }
        let process = client(&rig.direct, Options::default(), |_, _| Mischance::None);
        apply_with(&process, &plan, dir.path(), Duration::from_secs(60)).await.unwrap();
        let done = outcomes(&plan, dir.path());
        assert_eq!(done.of(Outcome::Created) + done.of(Outcome::Adopted), 40, "cut at {cut_ms} ms: {done:?}");
        n_adopted += done.of(Outcome::Adopted);
        assert_exactly_once(&rig.direct, &plan, dir.path());
    }
    assert!(n_adopted > 20, "{n_adopted}");
}

#[tokio::test(start_paused = true)]
async fn a_torn_last_line_of_the_journal_is_cut_and_kept_beside_it() {
    use std::io::Write;
    let dir = scratch();
    let rig = rig(org_of(0, Settings::default()));
    let plan = rig.plan(&roster_of(0, 10)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let path = dir.path().join("journal.jsonl");
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"seq\":99,\"at\":\"20").unwrap();
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(std::fs::read(dir.path().join("journal.torn")).unwrap(), b"{\"seq\":99,\"at\":\"20");
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 10);
}

#[test]
fn a_plan_that_was_replaced_before_the_lock_was_taken_is_not_begun() {
    use rosterdiff::apply::journal::Journal;
    use rosterdiff::error::Error;
    let dir = scratch();
    let still = || Err(Error::new(Kind::Unsafe, "planned again meanwhile"));
    let refused = Journal::open(dir.path(), &binding(), String::new, still).unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsafe);
    assert!(!dir.path().join("journal.jsonl").exists());
}
