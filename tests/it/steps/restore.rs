//! Restoring the users of `deleted` rows: the right ones, with what the roster says, and whoever else had a hand in it wins.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rosterdiff::api::wire::{Method, Request};
use rosterdiff::api::{Client, Options};
use rosterdiff::apply::changes::Restoration;
use rosterdiff::apply::journal::Journal;
use rosterdiff::error::{Kind, Result};
use rosterdiff::files::plan_dir;
use rosterdiff::plan::Plan;
use rosterdiff::restore::{self, Tally};
use rosterdiff::sim::{Direct, Org, Settings, State, User};
use rosterdiff::verify::{Expected, verify};
use tokio::sync::watch;

use super::rig::{Line, Mischance, Rig, binding, client, ledger, rig};
use crate::support::scratch;

const N: usize = 40;

/// Users that are deleted, each with another department than the roster says, and as many that are not.
fn org(settings: Settings) -> Org {
    let mut org = Org::new(settings);
    let row = |n: usize| {
        format!("gone{n}@example.com,Gone {n},deleted,Old,admin\nhere{n}@example.com,Here {n},active,Old,agent\n")
    };
    org.seed_csv(&format!("email,name,state,department,roles\n{}", (0..N).map(row).collect::<String>())).unwrap();
    org
}

/// Every fourth row agrees with its user; every row has another spelling of the address.
fn roster() -> String {
    let row = |n: usize| {
        let department = if n.is_multiple_of(4) { "Old" } else { "New" };
        format!("GONE{n}@example.com,Gone {n},{department}\nhere{n}@example.com,Here {n},New\n")
    };
    format!("email,name,department\n{}", (0..N).map(row).collect::<String>())
}

async fn planned(settings: Settings) -> (Rig, Plan) {
    let rig = rig(org(settings));
    let plan = rig.plan(&roster()).await;
    assert_eq!((plan.counts().deleted, plan.counts().present), (N as u64, N as u64));
    (rig, plan)
}

async fn restore_with(client: &Arc<Client<Line>>, plan: &Plan, dir: &Path) -> Result<()> {
    let (_go, stop) = watch::channel(false);
    let (journal, ledger) = Journal::open(dir, &binding(), || "2026-01-01T00:00:00Z".to_owned(), || Ok(()))?;
    restore::restore(client, &Arc::new(journal), &ledger, restore::wanted(plan)?, stop, |_| {}).await
}

fn tally(plan: &Plan, dir: &Path) -> Tally {
    // The journal speaks of nobody but the rows of the plan.
    plan_dir::outcomes(plan, &ledger(dir)).unwrap();
    restore::tally(&restore::wanted(plan).unwrap(), &ledger(dir))
}

fn is_patch(request: &Request) -> bool {
    request.method == Method::Patch
}

fn is_restore(request: &Request) -> bool {
    is_patch(request) && String::from_utf8_lossy(&request.body).contains("state")
}

fn user(direct: &Direct, email: &str) -> Arc<User> {
    direct.with_org(|org| org.users_with(email)).remove(0)
}

fn gone(direct: &Direct, n: usize) -> Arc<User> {
    user(direct, &format!("gone{n}@example.com"))
}

/// What became of a row's user, and why.
fn told(plan: &Plan, dir: &Path, n: usize) -> (Option<Restoration>, Option<String>) {
    let key = format!("gone{n}@example.com");
    let row = restore::wanted(plan).unwrap().into_iter().find(|wanted| wanted.key == key).unwrap().row;
    let ledger = ledger(dir);
    let change = ledger.changes.of(row).unwrap();
    (change.restoration(), change.why.clone())
}

/// Whoever was not deleted is as before, and nobody was created or deleted.
fn assert_nobody_else(direct: &Direct) {
    for n in 0..N {
        let here = user(direct, &format!("here{n}@example.com"));
        assert_eq!((here.version, here.department.as_deref(), here.roles.len()), (1, Some("Old"), 1));
    }
    direct.with_org(|org| {
        assert_eq!(org.users().len(), 2 * N);
        let counts = org.counts();
        let n = |method, route| counts.n(method, route);
        assert_eq!((n("POST", "/api/v2/users"), n("DELETE", "/api/v2/users/{userId}")), (0, 0));
        assert!(org.unknown_fields().is_empty(), "{:?}", org.unknown_fields());
    });
}

/// Everybody is back, with what the roster says, each step carried out once.
fn assert_all_back(direct: &Direct, plan: &Plan, dir: &Path) {
    assert_eq!(tally(plan, dir), Tally { restored: N as u64, ..Tally::default() });
    for n in 0..N {
        let back = gone(direct, n);
        let (department, version) = if n.is_multiple_of(4) { ("Old", 2) } else { ("New", 3) };
        assert_eq!((back.state, back.version, back.department.as_deref()), (State::Active, version, Some(department)));
        assert_eq!((back.name.clone(), back.roles.len()), (format!("Gone {n}"), 0));
    }
    assert_nobody_else(direct);
}

#[tokio::test(start_paused = true)]
async fn deleted_users_are_active_again_and_have_the_fields_of_the_roster() {
    let dir = scratch();
    let (rig, plan) = planned(Settings::default()).await;
    let before = rig.client.tally().requests;
    restore_with(&rig.client, &plan, dir.path()).await.unwrap();
    assert_all_back(&rig.direct, &plan, dir.path());
    let found = ledger(dir.path());
    let expected = |wanted: &restore::Wanted| {
        let (what, _) = wanted.expected(&found).unwrap();
        Expected { row: wanted.row, user_id: wanted.user_id.clone().unwrap(), is_young: false, what }
    };
    let expected: Vec<Expected> = restore::wanted(&plan).unwrap().iter().map(expected).collect();
    // Each user is read before each step; a quarter needs no second one.
    let n = N as u64;
    assert_eq!(rig.client.tally().requests - before, 2 * n + n + n * 3 / 4);
    let before = rig.client.tally().requests;
    restore_with(&rig.client, &plan, dir.path()).await.unwrap();
    assert_eq!(rig.client.tally().requests, before);

    assert_eq!(verify(&rig.client, &expected, |_| {}).await.unwrap().n_restored, n);
    rig.direct.with_org(|org| {
        let now = org.now();
        org.stranger_sets_state("gone1@example.com", State::Deleted, now);
        org.stranger_erases("gone2@example.com");
    });
    let verified = verify(&rig.client, &expected, |_| {}).await.unwrap();
    let mut whats: Vec<&str> = verified.differences.iter().map(|found| found.what.as_str()).collect();
    whats.sort_unstable();
    assert_eq!((verified.n_restored, whats), (n - 2, vec!["missing", "state"]));
}

#[tokio::test(start_paused = true)]
async fn whatever_becomes_of_a_call_everybody_is_back_in_the_end_and_nothing_is_done_twice() {
    for mischance in [Mischance::LostBefore, Mischance::LostAfter, Mischance::Refused, Mischance::Answered(503)] {
        let dir = scratch();
        let (rig, plan) = planned(Settings::default()).await;
        let line = client(&rig.direct, Options::default(), move |n, request| {
            if is_patch(request) && n % 3 == 0 { mischance } else { Mischance::None }
        });
        let mut n = 0;
        rig.direct.with_org(|org| {
            org.before_each(move |org, request, _| {
                n += u32::from(is_patch(request));
                if is_patch(request) && n % 17 == 0 {
                    org.revoke_tokens();
                }
            });
            let mut n = 0;
            org.after_each(move |_, request, reply| {
                n += u32::from(is_patch(request));
                if is_patch(request) && n % 7 == 0 {
                    reply.body = b"<html>".to_vec();
                }
            });
        });
        restore_with(&line, &plan, dir.path()).await.unwrap();
        assert_all_back(&rig.direct, &plan, dir.path());
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_waits_as_told() {
    let dir = scratch();
    let (rig, plan) = planned(Settings { rate_allowed: 40, rate_headers: false, ..Settings::default() }).await;
    restore_with(&rig.client, &plan, dir.path()).await.unwrap();
    assert!(rig.direct.with_org(|org| org.counts().n_throttled()) > 0);
    assert_all_back(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_went_stale_is_read_again() {
    for status in [409, 400] {
        let dir = scratch();
        let (rig, plan) = planned(Settings { stale_version_status: status, ..Settings::default() }).await;
        let stranger_in = gone(&rig.direct, 3).id.clone();
        let mut is_done = false;
        rig.direct.with_org(|org| {
            org.before_each(move |org, request, now| {
                // Right after it was read: back, and deleted once more.
                if !is_done && is_restore(request) && request.path.ends_with(&stranger_in) {
                    is_done = true;
                    org.stranger_sets_state("gone3@example.com", State::Active, now);
                    org.stranger_sets_state("gone3@example.com", State::Deleted, now);
                }
            });
        });
        restore_with(&rig.client, &plan, dir.path()).await.unwrap();
        assert_eq!(tally(&plan, dir.path()).restored, N as u64);
        let back = gone(&rig.direct, 3);
        assert_eq!((back.state, back.version, back.department.as_deref()), (State::Active, 5, Some("New")));
        assert_eq!(rig.direct.with_org(|org| org.counts().n_outcome("PATCH", "/api/v2/users/{userId}", status)), 1);
        assert_nobody_else(&rig.direct);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_deleted_any_more_is_not_touched() {
    let dir = scratch();
    let (rig, plan) = planned(Settings::default()).await;
    rig.direct.with_org(|org| {
        let now = org.now();
        org.stranger_sets_state("gone1@example.com", State::Active, now);
        org.stranger_sets_state("gone2@example.com", State::Inactive, now);
        assert!(org.stranger_erases("gone3@example.com"));
        // Between the read and the write.
        let racing = org.users_with("gone5@example.com")[0].id.clone();
        org.before_each(move |org, request, now| {
            if is_restore(request) && request.path.ends_with(&racing) {
                org.stranger_sets_state("gone5@example.com", State::Inactive, now);
            }
        });
    });
    restore_with(&rig.client, &plan, dir.path()).await.unwrap();
    let expected = Tally { restored: N as u64 - 4, refused: 4, ..Tally::default() };
    assert_eq!(tally(&plan, dir.path()), expected);
    for (n, why) in [(1, "not_deleted"), (2, "not_deleted"), (3, "gone"), (5, "not_deleted")] {
        let why = format!("restore.{why}");
        assert_eq!(told(&plan, dir.path(), n), (Some(Restoration::Refused), Some(why)));
    }
    let state = |n| (gone(&rig.direct, n).state, gone(&rig.direct, n).version);
    assert_eq!([1, 2, 5].map(state), [(State::Active, 2), (State::Inactive, 2), (State::Inactive, 2)]);
}

/// What strangers do to a user whose restoring call, or the one behind it, is without a reply: states, one after the other.
type Meddling = (usize, &'static str, Mischance, &'static [State]);

const MEDDLING: [Meddling; 5] = [
    // Ours arrived; theirs came after it.
    (1, "state", Mischance::LostAfter, &[State::Inactive]),
    (2, "state", Mischance::LostAfter, &[State::Deleted]),
    // Ours did not arrive; theirs looks like it, or hides that.
    (3, "state", Mischance::LostBefore, &[State::Active, State::Inactive, State::Active]),
    (5, "state", Mischance::LostBefore, &[State::Active, State::Deleted]),
    (6, "department", Mischance::LostBefore, &[State::Inactive]),
];

#[tokio::test(start_paused = true)]
async fn where_a_reply_is_missing_and_somebody_else_was_there_too_it_stays_unknown() {
    let dir = scratch();
    let (rig, plan) = planned(Settings::default()).await;
    let ids = MEDDLING.map(|(n, ..)| gone(&rig.direct, n).id.clone());
    let direct = rig.direct.clone();
    let line = client(&rig.direct, Options::default(), move |_, request| {
        let Some(at) = ids.iter().position(|id| is_patch(request) && request.path.ends_with(id)) else {
            return Mischance::None;
        };
        let (n, field, mischance, states) = MEDDLING[at];
        if !String::from_utf8_lossy(&request.body).contains(field) {
            return Mischance::None;
        }
        // Before the user is read again.
        let direct = direct.clone();
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            for state in states {
                direct.with_org(|org| org.stranger_sets_state(&format!("gone{n}@example.com"), *state, org.now()));
            }
        });
        mischance
    });
    restore_with(&line, &plan, dir.path()).await.unwrap();
    let n_unknown = MEDDLING.len() as u64;
    let expected = Tally { restored: N as u64 - n_unknown, unknown: n_unknown, ..Tally::default() };
    assert_eq!(tally(&plan, dir.path()), expected);
    let meddled = || MEDDLING.map(|(n, ..)| (gone(&rig.direct, n).state, gone(&rig.direct, n).version));
    let as_they_left_it =
        [(State::Inactive, 3), (State::Deleted, 3), (State::Active, 4), (State::Deleted, 3), (State::Inactive, 3)];
    assert_eq!(meddled(), as_they_left_it);
    for (n, ..) in MEDDLING {
        let why = Some("restore.changed_meanwhile".to_owned());
        assert_eq!(told(&plan, dir.path(), n), (Some(Restoration::Unknown), why), "user {n}");
    }
    // The next run looks again, and still overrules nobody.
    restore_with(&rig.client, &plan, dir.path()).await.unwrap();
    assert_eq!((tally(&plan, dir.path()), meddled()), (expected, as_they_left_it));
}

#[tokio::test(start_paused = true)]
async fn a_restored_user_whom_somebody_changes_keeps_what_it_has() {
    let dir = scratch();
    let (rig, plan) = planned(Settings::default()).await;
    let [left, refused, held] = [1, 2, 3].map(|n| gone(&rig.direct, n).id.clone());
    let line = client(&rig.direct, Options::default(), move |_, request| match is_restore(request) {
        false if is_patch(request) && request.path.ends_with(&refused) => Mischance::Answered(400),
        true if request.path.ends_with(&held) => Mischance::Answered(409),
        _ => Mischance::None,
    });
    rig.direct.with_org(|org| {
        org.before_each(move |org, request, now| {
            if is_patch(request) && !is_restore(request) && request.path.ends_with(&left) {
                org.stranger_sets_state("gone1@example.com", State::Inactive, now);
            }
        });
    });
    restore_with(&line, &plan, dir.path()).await.unwrap();
    let expected = Tally { restored: N as u64 - 1, refused: 1, fields_left: 2, ..Tally::default() };
    assert_eq!(tally(&plan, dir.path()), expected);
    let why = |n| told(&plan, dir.path(), n);
    assert_eq!(why(1), (Some(Restoration::Restored), Some("restore.fields_left".to_owned())));
    assert_eq!(why(2), (Some(Restoration::Restored), Some("restore.fields_refused".to_owned())));
    assert_eq!(why(3), (Some(Restoration::Refused), Some("restore.refused".to_owned())));
    let departments = [1, 2].map(|n| gone(&rig.direct, n).department.clone());
    assert_eq!(departments, [Some("Old".to_owned()), Some("Old".to_owned())]);
    assert_nobody_else(&rig.direct);
}

#[tokio::test(start_paused = true)]
async fn an_id_whose_user_has_another_address_is_not_restored() {
    let dir = scratch();
    let (rig, _) = planned(Settings::default()).await;
    // Somebody's export, in which two ids are exchanged and one is the name of another endpoint.
    let [a, b] = [1, 2].map(|n| gone(&rig.direct, n).id.clone());
    let export = format!(
        "id,email,state\n{b},gone1@example.com,deleted\n{a},gone2@example.com,deleted\nbulk,gone3@example.com,deleted\n\
         ,gone5@example.com,deleted\n"
    );
    let plan = {
        use rosterdiff::snapshot::Snapshot;
        let frame = polars_of(&export);
        super::rig::plan(&roster(), &Snapshot::from_frame(&frame).unwrap())
    };
    assert_eq!(plan.counts().deleted, 4);
    restore_with(&rig.client, &plan, dir.path()).await.unwrap();
    assert_eq!(tally(&plan, dir.path()), Tally { refused: 4, ..Tally::default() });
    let whys = [1, 3, 5].map(|n| told(&plan, dir.path(), n).1.unwrap());
    assert_eq!(whys, ["restore.other_address", "restore.gone", "restore.no_id"]);
    assert_eq!(rig.direct.with_org(|org| org.counts().n("PATCH", "/api/v2/users/{userId}")), 0);
    assert_nobody_else(&rig.direct);
}

/// A CSV without quotes as a frame of texts.
fn polars_of(csv: &str) -> polars::prelude::DataFrame {
    use polars::prelude::{Column, DataFrame};
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let cell = |row: &Vec<&str>, at: usize| Some(row[at].to_owned()).filter(|cell| !cell.is_empty());
    let column = |at: usize| {
        let cells: Vec<Option<String>> = rows[1..].iter().map(|row| cell(row, at)).collect();
        Column::new(rows[0][at].into(), cells)
    };
    DataFrame::new(rows.len() - 1, (0..rows[0].len()).map(column).collect()).unwrap()
}

/// A crash is the end of every future at some instant: what was sent may have arrived, what was recorded stays.
#[tokio::test(start_paused = true)]
async fn a_crash_at_any_instant_leaves_nobody_half_restored() {
    let mut n_found = 0;
    for cut_ms in (0..13_000).step_by(450) {
        let dir = scratch();
        let (rig, plan) = planned(Settings::default()).await;
        rig.direct.with_org(|org| {
            let settings = org.settings_mut();
            (settings.latency, settings.finishes_orphans) = (Duration::from_millis(700), cut_ms % 900 == 0);
        });
        for crash in 1..=3 {
            let process = client(&rig.direct, Options::default(), |_, _| Mischance::None);
            let cut = Duration::from_millis(cut_ms * crash / 2 + 1);
            let _crashed = tokio::time::timeout(cut, restore_with(&process, &plan, dir.path())).await;
            tokio::task::yield_now().await;
            tally(&plan, dir.path());
            assert_nobody_else(&rig.direct);
        }
        let process = client(&rig.direct, Options::default(), |_, _| Mischance::None);
        restore_with(&process, &plan, dir.path()).await.unwrap();
        assert_all_back(&rig.direct, &plan, dir.path());
        let text = std::fs::read_to_string(dir.path().join("journal.jsonl")).unwrap();
        n_found += text.lines().filter(|line| line.contains(r#""ev":"changed""#) && !line.contains("http")).count();
    }
    assert!(n_found > 10, "{n_found} steps were found done");
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_ends_the_run_and_names_it() {
    let dir = scratch();
    let (rig, plan) = planned(Settings::default()).await;
    let line = client(&rig.direct, Options::default(), |_, request| {
        if is_patch(request) { Mischance::Answered(403) } else { Mischance::None }
    });
    let error = restore_with(&line, &plan, dir.path()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials);
    assert!(error.hint_text().unwrap().contains("directory:user:edit"), "{error:?}");
    assert_eq!(tally(&plan, dir.path()), Tally { left: N as u64, ..Tally::default() });
    restore_with(&rig.client, &plan, dir.path()).await.unwrap();
    assert_all_back(&rig.direct, &plan, dir.path());
}
