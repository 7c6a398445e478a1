//! Undoing a run: whoever it created and nobody has changed since is deleted again, and nobody else ever is.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterdiff::api::wire::{Method, Request};
use rosterdiff::api::{Client, Options};
use rosterdiff::apply::Outcome;
use rosterdiff::apply::journal::Journal;
use rosterdiff::error::{Kind, Result};
use rosterdiff::plan::Plan;
use rosterdiff::rollback::{self, Tally};
use rosterdiff::sim::{Direct, Origin, Settings, State, User};
use rosterdiff::verify::{Expected, What, verify};
use tokio::sync::watch;

use super::rig::{
    Line, Mischance, Rig, apply_with, binding, client, is_create, ledger, org_of, outcomes, rig, rig_with, roster_of,
};
use crate::support::scratch;

async fn rollback_with(client: &Arc<Client<Line>>, plan: &Plan, dir: &Path, adopted: bool) -> Result<()> {
    let (_go, stop) = watch::channel(false);
    let (journal, ledger) = Journal::open(dir, &binding(), || "2026-01-01T00:00:00Z".to_owned(), || Ok(()))?;
    let sorted = rollback::sort(client, rollback::targets(plan.people()?, &ledger, adopted), |_| {}).await?;
    rollback::rollback(client, &Arc::new(journal), sorted, stop, |_| {}).await
}

fn tally(plan: &Plan, dir: &Path) -> Tally {
    rollback::tally(&plan.people().unwrap(), &ledger(dir), true)
}

fn is_delete(request: &Request) -> bool {
    request.method == Method::Delete
}

/// A third of all calls, without a rhythm.
fn unlucky(n: u64) -> bool {
    blake3::hash(&n.to_le_bytes()).as_bytes()[0] < 85
}

fn n_deletes(direct: &Direct) -> u64 {
    direct.with_org(|org| org.counts().n("DELETE", "/api/v2/users/{userId}"))
}

/// Deletions that were to leave, so far.
fn n_intents(dir: &Path) -> usize {
    let text = std::fs::read_to_string(dir.join("journal.jsonl")).unwrap();
    text.lines().filter(|line| line.contains(r#""ev":"change""#)).count()
}

/// Ids that the journal calls created or adopted.
fn ours(plan: &Plan, dir: &Path) -> BTreeSet<String> {
    let ledger = ledger(dir);
    let rows = plan.people().unwrap().into_iter().filter_map(|person| ledger.row(person.row).cloned());
    let ours = rows.filter(|row| matches!(row.outcome(), Outcome::Created | Outcome::Adopted));
    ours.filter_map(|row| row.user_id.map(String::from)).collect()
}

/// Nobody outside the journal was touched, and whoever is deleted and was not seeded so is in it; how many.
fn assert_only_ours(direct: &Direct, plan: &Plan, dir: &Path) -> usize {
    let ours = ours(plan, dir);
    direct.with_org(|org| {
        assert_eq!((org.counts().n_modified, org.counts().n("PATCH", "/api/v2/users/{userId}")), (0, 0));
        let users = org.users();
        for user in users.iter().filter(|user| user.created_by == Origin::Seed) {
            assert_eq!(user.version, 1);
        }
        let deleted = users.iter().filter(|u| u.state == State::Deleted && matches!(u.created_by, Origin::Token(_)));
        deleted.inspect(|user| assert!(ours.contains(&user.id), "not in the journal")).count()
    })
}

/// An organisation of 40, and a run that created `n_new` more.
async fn applied(n_new: usize, dir: &Path, settings: Settings) -> (Rig, Plan) {
    let rig = rig(org_of(40, settings));
    let plan = rig.plan(&roster_of(20, n_new)).await;
    rig.apply(&plan, dir).await.unwrap();
    (rig, plan)
}

#[tokio::test(start_paused = true)]
async fn everybody_whom_a_run_created_is_deleted_again_and_nobody_else() {
    let dir = scratch();
    let (rig, plan) = applied(250, dir.path(), Settings::default()).await;
    let before = rig.client.tally().requests;
    rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
    assert_eq!(tally(&plan, dir.path()), Tally { removed: 250, ..Tally::default() });
    assert_eq!(assert_only_ours(&rig.direct, &plan, dir.path()), 250);
    // A look at a hundred at once, and one at each right before.
    assert_eq!(rig.client.tally().requests - before, 3 + 2 * 250);
    // The outcome stays what it was: the sums are law.
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 250);
    assert!(rig.direct.with_org(|org| org.unknown_fields().is_empty() && org.counts().n_throttled() == 0));

    let ledger = ledger(dir.path());
    let expected = plan.people().unwrap().into_iter().map(|person| Expected {
        row: person.row,
        user_id: ledger.row(person.row).unwrap().user_id.as_deref().unwrap().to_owned(),
        is_young: false,
        what: What::Removed,
    });
    let verified = verify(&rig.client, &expected.collect::<Vec<_>>(), |_| {}).await.unwrap();
    assert_eq!((verified.n_removed, verified.n_as_sent, verified.differences.len()), (250, 0, 0));
    // Neither verb does anything to them any more.
    let before = rig.client.tally().requests;
    rig.apply(&plan, dir.path()).await.unwrap();
    rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
    assert_eq!(rig.client.tally().requests, before);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_changed_since_is_kept_and_told_why() {
    let dir = scratch();
    let (rig, plan) = applied(30, dir.path(), Settings::default()).await;
    rig.direct.with_org(|org| {
        let now = org.now();
        let mut set = |email: &str, state| assert!(org.stranger_sets_state(email, state, now));
        set("new1@example.com", State::Inactive);
        set("new2@example.com", State::Deleted);
        // As it was to the letter, but somebody has been there.
        set("new3@example.com", State::Inactive);
        set("new3@example.com", State::Active);
        assert!(org.stranger_erases("new4@example.com"));
    });
    rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
    assert_eq!(tally(&plan, dir.path()), Tally { removed: 26, kept: 4, ..Tally::default() });
    assert_eq!(n_deletes(&rig.direct), 26);
    let ledger = ledger(dir.path());
    let why = |email: &str| {
        let person = plan.people().unwrap().into_iter().find(|person| person.key == email).unwrap();
        ledger.changes.of(person.row).unwrap().why.clone().unwrap()
    };
    let whys = ["new1", "new2", "new3", "new4"].map(|name| why(&format!("{name}@example.com")));
    assert_eq!(whys, ["changed.state", "deleted", "changed.version", "gone"]);
    let users = rig.direct.with_org(|org| [1, 3].map(|n| org.users_with(&format!("new{n}@example.com")).remove(0)));
    assert_eq!(users.map(|user| (user.state, user.version)), [(State::Inactive, 2), (State::Active, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_user_whom_somebody_changes_after_the_listing_is_kept() {
    // What the listing shows is 20 seconds old.
    let dir = scratch();
    let (rig, plan) =
        applied(30, dir.path(), Settings { list_lag: Duration::from_secs(20), ..Settings::default() }).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    rig.client.organisation().await.unwrap();
    let changed = Arc::new(Mutex::new(Vec::new()));
    rig.direct.with_org(|org| {
        let now = org.now();
        org.stranger_sets_state("new1@example.com", State::Inactive, now);
        let (changed, mut read) = (Arc::clone(&changed), BTreeSet::new());
        org.before_each(move |org, request, now| {
            if request.method == Method::Get {
                read.insert(request.path.trim_start_matches("/api/v2/users/").to_owned());
            }
            if read.len() == 10 && changed.lock().unwrap().is_empty() {
                // Two that are to be deleted and were not looked at again yet.
                let is_next = |user: &User| matches!(user.created_by, Origin::Token(_)) && !read.contains(&user.id);
                let next: Vec<_> = org.users().into_iter().filter(|user| user.version == 1 && is_next(user)).collect();
                for user in &next[..2] {
                    org.stranger_sets_state(&user.email, State::Inactive, now);
                    changed.lock().unwrap().push(user.email.clone());
                }
            }
        });
    });
    rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
    assert_eq!(tally(&plan, dir.path()), Tally { removed: 27, kept: 3, ..Tally::default() });
    let mut changed = changed.lock().unwrap().clone();
    assert_eq!(changed.len(), 2);
    changed.push("new1@example.com".to_owned());
    for email in changed {
        let user = rig.direct.with_org(|org| org.users_with(&email).remove(0));
        assert_eq!((user.state, user.version), (State::Inactive, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_becomes_of_a_call_everybody_is_deleted_in_the_end() {
    for mischance in [Mischance::LostBefore, Mischance::LostAfter, Mischance::Refused] {
        let dir = scratch();
        let (rig, plan) = applied(60, dir.path(), Settings::default()).await;
        let line = client(&rig.direct, Options::default(), move |n, request| {
            if is_delete(request) && unlucky(n) { mischance } else { Mischance::None }
        });
        let mut n = 0;
        rig.direct.with_org(|org| {
            org.before_each(move |org, request, _| {
                n += u32::from(is_delete(request));
                if is_delete(request) && n % 13 == 0 {
                    org.revoke_tokens();
                }
            });
            let mut n = 0;
            org.after_each(move |_, request, reply| {
                n += u32::from(is_delete(request));
                if is_delete(request) && n % 7 == 0 {
                    (reply.status, reply.body) = (503, b"<html>bad gateway</html>".to_vec());
                }
            });
        });
        rollback_with(&line, &plan, dir.path(), false).await.unwrap();
        assert_eq!(tally(&plan, dir.path()), Tally { removed: 60, ..Tally::default() }, "{mischance:?}");
        assert_eq!(assert_only_ours(&rig.direct, &plan, dir.path()), 60);
        assert!(rig.direct.with_org(|org| org.counts().n_status(401)) > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_waits_as_told_and_spends_no_attempt() {
    let dir = scratch();
    let (rig, plan) = applied(60, dir.path(), Settings::default()).await;
    rig.direct.with_org(|org| {
        (org.settings_mut().rate_allowed, org.settings_mut().rate_headers) = (40, false);
    });
    let fresh = client(&rig.direct, Options::default(), |_, _| Mischance::None);
    rollback_with(&fresh, &plan, dir.path(), false).await.unwrap();
    assert!(rig.direct.with_org(|org| org.counts().n_throttled()) > 0);
    let ledger = ledger(dir.path());
    assert!(ledger.changes.all().all(|(_, change)| change.is_removed() && change.attempts == 1));
    assert_eq!(assert_only_ours(&rig.direct, &plan, dir.path()), 60);
}

/// A crash is the end of every future at some instant: what was sent may have arrived, what was recorded stays.
#[tokio::test(start_paused = true)]
async fn a_crash_at_any_instant_deletes_nobody_else_and_leaves_nobody_behind() {
    let mut n_found = 0;
    for cut_ms in (0..9_000).step_by(300) {
        let dir = scratch();
        let settings = Settings { list_lag: Duration::from_secs(20), ..Settings::default() };
        let (rig, plan) = applied(24, dir.path(), settings).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        rig.direct.with_org(|org| {
            let now = org.now();
            org.stranger_sets_state("new7@example.com", State::Inactive, now);
            let settings = org.settings_mut();
            (settings.latency, settings.finishes_orphans) = (Duration::from_millis(700), cut_ms % 600 == 0);
        });
        for crash in 1..=3 {
            let process = client(&rig.direct, Options::default(), |_, _| Mischance::None);
            let cut = Duration::from_millis(cut_ms * crash / 2 + 1);
            let _crashed = tokio::time::timeout(cut, rollback_with(&process, &plan, dir.path(), false)).await;
            tokio::task::yield_now().await;
            assert_only_ours(&rig.direct, &plan, dir.path());
        }
        let process = client(&rig.direct, Options::default(), |_, _| Mischance::None);
        rollback_with(&process, &plan, dir.path(), false).await.unwrap();
        assert_eq!(tally(&plan, dir.path()), Tally { removed: 23, kept: 1, ..Tally::default() }, "cut at {cut_ms} ms");
        assert_eq!(assert_only_ours(&rig.direct, &plan, dir.path()), 23);
        assert_eq!(rig.direct.with_org(|org| org.users_with("new7@example.com")[0].version), 2);
        n_found += ledger(dir.path()).changes.all().filter(|(_, c)| c.is_removed() && c.reply.http.is_none()).count();
    }
    assert!(n_found > 10, "{n_found} were found deleted");
}

#[tokio::test(start_paused = true)]
async fn a_user_whose_replies_are_always_lost_stays_unknown_and_holds_nobody_up() {
    let dir = scratch();
    let (rig, plan) = applied(40, dir.path(), Settings::default()).await;
    let poison = rig.direct.with_org(|org| org.users_with("new5@example.com")[0].id.clone());
    let line = client(&rig.direct, Options::default(), move |_, request| {
        if is_delete(request) && request.path.ends_with(&poison) { Mischance::LostBefore } else { Mischance::None }
    });
    rollback_with(&line, &plan, dir.path(), false).await.unwrap();
    assert_eq!(tally(&plan, dir.path()), Tally { removed: 39, unknown: 1, ..Tally::default() });
    // Nothing but a run that gets a reply settles it.
    rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
    assert_eq!(tally(&plan, dir.path()).removed, 40);
    assert_eq!(assert_only_ours(&rig.direct, &plan, dir.path()), 40);
}

#[tokio::test(start_paused = true)]
async fn a_user_whom_the_service_does_not_delete_is_kept_with_its_status() {
    let dir = scratch();
    let (rig, plan) = applied(20, dir.path(), Settings::default()).await;
    let spared = rig.direct.with_org(|org| org.users_with("new5@example.com")[0].id.clone());
    let line = client(&rig.direct, Options::default(), move |_, request| {
        if is_delete(request) && request.path.ends_with(&spared) { Mischance::Answered(400) } else { Mischance::None }
    });
    rollback_with(&line, &plan, dir.path(), false).await.unwrap();
    assert_eq!(tally(&plan, dir.path()), Tally { removed: 19, kept: 1, ..Tally::default() });
    let found = ledger(dir.path());
    let (_, kept) = found.changes.all().find(|(_, change)| !change.is_removed()).unwrap();
    assert_eq!((kept.why.as_deref(), kept.reply.http), (Some("refused"), Some(400)));
    // Whoever is kept is looked at again by the next run.
    rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
    assert_eq!(tally(&plan, dir.path()).removed, 20);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_go_on_ends_at_once_and_is_gone_on_with() {
    for (status, kind, hint) in [
        (403, Kind::Credentials, "directory:user:delete"),
        (401, Kind::Credentials, "client id"),
        (307, Kind::Unsafe, "no redirect is followed"),
    ] {
        let dir = scratch();
        let (rig, plan) = applied(40, dir.path(), Settings::default()).await;
        let line = client(&rig.direct, Options::default(), move |n, request| {
            if is_delete(request) && n > 20 { Mischance::Answered(status) } else { Mischance::None }
        });
        let error = rollback_with(&line, &plan, dir.path(), false).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.hint_text().unwrap().contains(hint), "{error:?}");
        let so_far = tally(&plan, dir.path());
        assert!(so_far.removed > 0 && so_far.left > 0 && so_far.removed + so_far.left == 40, "{so_far:?}");
        rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
        assert_eq!(tally(&plan, dir.path()).removed, 40);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_stays_away_ends_the_run_resumably() {
    for mischance in [Mischance::Refused, Mischance::LostBefore, Mischance::Answered(503), Mischance::Answered(429)] {
        let dir = scratch();
        let (rig, plan) = applied(40, dir.path(), Settings::default()).await;
        let line = client(&rig.direct, Options::default(), move |n, request| {
            if is_delete(request) && n > 20 { mischance } else { Mischance::None }
        });
        let error = rollback_with(&line, &plan, dir.path(), false).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable, "{mischance:?}");
        rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
        assert_eq!(tally(&plan, dir.path()), Tally { removed: 40, ..Tally::default() });
        assert_eq!(assert_only_ours(&rig.direct, &plan, dir.path()), 40);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_settles_the_calls_in_flight_and_sends_no_other() {
    let dir = scratch();
    let (rig, plan) = applied(60, dir.path(), Settings::default()).await;
    rig.direct.with_org(|org| org.settings_mut().latency = Duration::from_millis(700));
    let (ask, stop) = watch::channel(false);
    let (journal, found) = Journal::open(dir.path(), &binding(), String::new, || Ok(())).unwrap();
    let targets = rollback::targets(plan.people().unwrap(), &found, false);
    let sorted = rollback::sort(&rig.client, targets, |_| {}).await.unwrap();
    let journal = Arc::new(journal);
    let run = rollback::rollback(&rig.client, &journal, sorted, stop, |_| {});
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        ask.send_replace(true);
        n_intents(dir.path())
    };
    let (ended, n_before) = tokio::join!(run, interrupt);
    assert_eq!(ended.unwrap_err().kind(), Kind::Interrupted);
    let so_far = tally(&plan, dir.path());
    assert_eq!((so_far.unknown, so_far.removed), (0, n_deletes(&rig.direct)));
    assert!(so_far.removed > 2 && so_far.left > 0, "{so_far:?}");
    assert_eq!(n_intents(dir.path()), n_before, "no intent after the stop");
}

#[tokio::test(start_paused = true)]
async fn whom_the_run_only_inferred_to_be_its_own_is_deleted_if_that_is_asked_for() {
    let dir = scratch();
    let rig = rig_with(org_of(40, Settings::default()), Options::default(), |n, request| {
        if is_create(request) && n % 5 == 0 { Mischance::LostAfter } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(20, 40)).await;
    apply_with(&rig.client, &plan, dir.path(), Duration::from_secs(20)).await.unwrap();
    let (created, adopted) =
        [Outcome::Created, Outcome::Adopted].map(|outcome| outcomes(&plan, dir.path()).of(outcome)).into();
    assert!(adopted > 3);
    rollback_with(&rig.client, &plan, dir.path(), false).await.unwrap();
    let people = plan.people().unwrap();
    let without = rollback::tally(&people, &ledger(dir.path()), false);
    assert_eq!((without.removed, without.sum(), n_deletes(&rig.direct)), (created, created, created));
    assert_eq!(tally(&plan, dir.path()).left, adopted);
    rollback_with(&rig.client, &plan, dir.path(), true).await.unwrap();
    assert_eq!(tally(&plan, dir.path()), Tally { removed: 40, ..Tally::default() });
    assert_eq!(assert_only_ours(&rig.direct, &plan, dir.path()), 40);
}
