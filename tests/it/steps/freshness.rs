//! What it costs to look all rows of an old plan up again before they are created: counted call by call.

use std::path::Path;
use std::sync::Arc;

use rosterdiff::api::Options;
use rosterdiff::apply::journal::Journal;
use rosterdiff::apply::{self, Outcome};
use rosterdiff::person::Person;
use rosterdiff::plan::{Plan, Sought};
use rosterdiff::probe::probe;
use rosterdiff::sim::{Direct, Settings, State};
use tokio::sync::watch;

use super::rig::{Mischance, binding, client, ledger as ledger_of, org_of, outcomes, rig, roster_of};
use crate::support::scratch;

const N_NEW: usize = 10_000;
/// People of the roster whom somebody else creates between plan and apply.
const N_TAKEN: usize = 30;

/// Calls of a run that looks every row up first and then creates, for each user created; the snapshot is none of them.
async fn calls_a_user(search_values_max: usize) -> f64 {
    let dir = scratch();
    let rig = rig(org_of(1_000, Settings { search_values_max, ..Settings::default() }));
    let plan = rig.plan(&roster_of(753, N_NEW)).await;
    rig.direct.with_org(|org| {
        for n in 0..N_TAKEN {
            let state = [State::Active, State::Inactive, State::Deleted][n % 3];
            org.stranger_creates(&format!("new{}@EXAMPLE.com", n * 311), state, org.now()).unwrap();
        }
    });
    // A process of its own: whatever it asks is counted.
    let process = client(&rig.direct, Options::default(), |_, _| Mischance::None);
    process.organisation().await.unwrap();
    let people = plan.people().unwrap();
    let sought = |p: &Person| Sought { row: p.row, key: p.key.clone(), address: p.email.clone() };
    let sought: Vec<Sought> = people.iter().map(sought).collect();
    let looked = probe(&process, &sought, |_| {}).await.unwrap();
    assert!(looked.refused.is_empty() && looked.proof.values_max == search_values_max as u64, "{:?}", looked.proof);

    let clock = || "2026-01-01T00:00:00Z".to_owned();
    let (journal, ledger) = Journal::open(dir.path(), &binding(), clock, || Ok(())).unwrap();
    let n_held = apply::note_held(&journal, &ledger, &people, &looked.users).unwrap();
    assert_eq!(n_held, N_TAKEN as u64);
    let (_go, stop) = watch::channel(false);
    let ledger = ledger_of(dir.path());
    let options = apply::Options::default();
    apply::apply(&process, &Arc::new(journal), &ledger, people, options, stop, |_| {}).await.unwrap();

    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Taken)), ((N_NEW - N_TAKEN) as u64, N_TAKEN as u64));
    assert_everybody_once(&rig.direct, &plan, dir.path());
    let (conflicts, throttled) = rig.direct.with_org(|org| (org.counts().n_conflicts(), org.counts().n_throttled()));
    assert_eq!((conflicts, throttled), (0, 0), "whoever is known to be there costs no create");
    let calls = process.tally().requests;
    let a_user = calls as f64 / (N_NEW - N_TAKEN) as f64;
    println!("{calls} calls with searches of {search_values_max}: {a_user:.4} for each user created");
    a_user
}

/// Nobody is there twice, and every row names who holds its address.
fn assert_everybody_once(direct: &Direct, plan: &Plan, dir: &Path) {
    assert_eq!(direct.with_org(|org| org.users().len()), 1_000 + N_NEW);
    let ledger = ledger_of(dir);
    for person in plan.people().unwrap() {
        let users = direct.with_org(|org| org.users_with(&person.email));
        assert_eq!(users.len(), 1, "row {}", person.row);
        assert_eq!(
            ledger.row(person.row).unwrap().user_id.as_deref(),
            Some(users[0].id.as_str()),
            "row {}",
            person.row
        );
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_rows_looked_up_again_and_created_cost_at_most_three_calls_for_a_hundred_beside_the_creates() {
    let a_user = calls_a_user(100).await;
    assert!(a_user <= 1.03, "{a_user}");
}

#[tokio::test(start_paused = true)]
async fn with_searches_of_nine_values_they_cost_at_most_fifteen() {
    let a_user = calls_a_user(9).await;
    assert!(a_user <= 1.15, "{a_user}");
}
