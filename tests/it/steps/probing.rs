//! Where a listing holds somebody back, looking up finds him: right verdicts, and no conflict when they are applied.

use std::collections::BTreeMap;

use rosterdiff::api::wire::Request;
use rosterdiff::apply::Outcome;
use rosterdiff::lanes::Effort;
use rosterdiff::plan::{Keep, Plan, Policy, Sought, Teller, Verdicts};
use rosterdiff::probe::{Probed, probe};
use rosterdiff::roster::{self, Opening};
use rosterdiff::sim::{Org, PageCaps, Settings, State};
use rosterdiff::snapshot::Snapshot;
use serde_json::Value;

use super::rig::{Rig, assert_exactly_once, org_of, outcomes, rig};
use crate::support::scratch;

fn sought(rows: &[String]) -> Vec<Sought> {
    rows.iter().zip(1..).map(|(row, n)| Sought { row: n, key: row.to_lowercase(), address: row.clone() }).collect()
}

async fn looked_up(rig: &Rig, rows: &[String]) -> Probed {
    probe(&rig.client, &sought(rows), |_| {}).await.unwrap()
}

/// What `plan` does: build, look up what is open, build again.
async fn planned(rig: &Rig, roster: &str, mut snapshot: Snapshot) -> (Plan, Snapshot) {
    let sheet = roster::open_bytes("roster.csv", roster.as_bytes().to_vec(), Opening::default()).unwrap();
    let mapping = roster::map(&sheet, &[]).unwrap();
    let roster = roster::check(sheet, mapping).unwrap();
    if snapshot.is_complete() {
        return (Plan::build(&roster, &snapshot, Keep::First).unwrap(), snapshot);
    }
    let policy = Policy::default();
    let verdicts = Verdicts::decide(&roster, &snapshot, &policy, Effort::default()).unwrap();
    let teller = Teller { roster: &roster, snapshot: &snapshot, verdicts: &verdicts, policy: &policy };
    let probed = probe(&rig.client, &teller.sought().unwrap(), |_| {}).await.unwrap();
    snapshot.add_probed(&probed.users, probed.proof).unwrap();
    (Plan::build(&roster, &snapshot, Keep::First).unwrap(), snapshot)
}

const CROWD: usize = 10_600;

fn crowded(settings: Settings) -> Org {
    let page_cap = PageCaps { deleted: Some(10_000), ..PageCaps::default() };
    let mut org = Org::new(Settings { page_cap, rate_allowed: 100_000, ..settings });
    let row = |n: usize| format!("in{n}@example.com,,inactive\ngone{n}@example.com,,deleted");
    let rows: Vec<String> = (0..CROWD).map(row).collect();
    // Beyond the cap stands somebody who logs in under an address that is not his e-mail.
    let renamed = "renamed@example.com,login@example.com,inactive\nada@example.com,,active";
    org.seed_csv(&format!("email,username,state\n{}\n{renamed}", rows.join("\n"))).unwrap();
    org
}

/// People from both sides of the cap, and new ones between them; with the verdict that each must get.
fn drawn() -> (String, Vec<&'static str>) {
    let mut rows = vec![
        ("LOGIN@example.com".to_owned(), "Renamed", "present"),
        ("ada@example.com".to_owned(), "Ada", "present"),
        // Without a name he could not be created; but he is there.
        (format!("in{}@example.com", CROWD - 2), "", "present"),
        ("nameless@example.com".to_owned(), "", "invalid"),
    ];
    for n in (0..CROWD).step_by(61).chain([9_998, 9_999, 10_000, 10_001, CROWD - 1]) {
        rows.push((format!("In{n}@Example.com"), "P", "present"));
        rows.push((format!("gone{n}@example.com"), "P", "deleted"));
        rows.push((format!("New{n}@example.com"), "P", "new"));
    }
    rows.dedup();
    let mut seen = std::collections::HashSet::new();
    rows.retain(|row| seen.insert(row.0.to_lowercase()));
    let text: Vec<String> = rows.iter().map(|(email, name, _)| format!("{email},{name}")).collect();
    (format!("email,name\n{}\n", text.join("\n")), rows.into_iter().map(|row| row.2).collect())
}

fn verdicts(plan: &Plan) -> Vec<String> {
    plan.frame().column("verdict").unwrap().str().unwrap().iter().map(|v| v.unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn both_sides_of_the_cap_get_the_right_verdict_and_applying_meets_no_conflict() {
    let (roster, expected) = drawn();
    for cursor in [true, false] {
        for search_values_max in [100, 9] {
            let rig = rig(crowded(Settings { cursor, search_values_max, ..Settings::default() }));
            let listed = rig.snapshot().await;
            assert_eq!(listed.is_complete(), cursor);
            let (plan, snapshot) = planned(&rig, &roster, listed).await;
            assert!(snapshot.is_proven());
            assert_eq!(verdicts(&plan), expected, "cursor {cursor}, {search_values_max} values");
            let dir = scratch();
            rig.apply(&plan, dir.path()).await.unwrap();
            assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), plan.counts().new);
            assert_exactly_once(&rig.direct, &plan, dir.path());
            let (conflicts, throttled) =
                rig.direct.with_org(|org| (org.counts().n_conflicts(), org.counts().n_throttled()));
            assert_eq!((conflicts, throttled), (0, 0));
            assert!(rig.direct.with_org(|org| org.unknown_fields().is_empty()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn against_an_export_every_verdict_is_proven_by_looking_up() {
    let (roster, expected) = drawn();
    let rig = rig(crowded(Settings::default()));
    // Somebody exported the active users only, as the default listing shows them.
    let export = polars::prelude::df!("email" => ["ada@example.com"], "state" => ["active"]).unwrap();
    let (plan, snapshot) = planned(&rig, &roster, Snapshot::from_frame(&export).unwrap()).await;
    assert!(snapshot.is_proven() && !snapshot.is_complete());
    assert_eq!(verdicts(&plan), expected);
}

fn new_rows(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("New{n}@example.com")).collect()
}

#[tokio::test(start_paused = true)]
async fn values_that_are_passed_over_are_noticed_though_everybody_who_is_listed_is_sought() {
    for takes in [3, 9, 50] {
        let settings = Settings {
            search_values_max: takes,
            search_values_cut: true,
            rate_allowed: 100_000,
            ..Settings::default()
        };
        let rig = rig(org_of(60, settings));
        let mut rows: Vec<String> =
            rig.direct.with_org(|org| org.users().iter().map(|user| user.email.clone()).collect());
        for _ in 0..2 {
            let probed = looked_up(&rig, &rows).await;
            assert_eq!((probed.proof.held, probed.users.len()), (60, 60), "{takes} values: {:?}", probed.proof);
            rows.reverse();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_as_large_as_the_service_takes() {
    for takes in [100, 50, 9, 7, 1] {
        // Two to learn how it compares, and a dozen at the most to find out the size.
        let at_most = 2_000_u64.div_ceil(takes as u64) + 14;
        let settings = Settings { search_values_max: takes, rate_allowed: 100_000, ..Settings::default() };
        let rig = rig(org_of(100, settings));
        let probed = looked_up(&rig, &new_rows(2_000)).await;
        assert!(probed.proof.holds(), "{:?}", probed.proof);
        assert_eq!((probed.proof.keys, probed.proof.held), (2_000, 0));
        assert_eq!(probed.proof.values_max, takes as u64);
        let sent = rig.direct.with_org(|org| org.counts().n("POST", "/api/v2/users/search"));
        assert!(probed.proof.calls <= at_most, "{} searches where one takes {takes}", probed.proof.calls);
        // Where one value is the limit, the three states have to be searched one by one.
        assert!(if takes == 1 { sent < 4 * at_most } else { sent == probed.proof.calls }, "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_addresses_in_batches_of_nine_cost_at_most_fifteen_calls_for_a_hundred() {
    let settings = Settings { search_values_max: 9, rate_allowed: 100_000, ..Settings::default() };
    let rig = rig(org_of(100, settings));
    let probed = looked_up(&rig, &new_rows(10_000)).await;
    println!("{} searches for 10,000 addresses", probed.proof.calls);
    assert!(probed.proof.calls <= 1_130, "{}", probed.proof.calls);
}

#[tokio::test(start_paused = true)]
async fn one_value_that_the_service_refuses_does_not_cost_the_others() {
    let settings = Settings { rate_allowed: 100_000, ..Settings::default() };
    let rig = rig(org_of(1_000, settings));
    rig.direct.with_org(|org| {
        org.after_each(|_, request: &Request, reply| {
            let text = String::from_utf8_lossy(&request.body);
            if request.path.ends_with("/search") && (text.contains("poison1@") || text.contains("poison2@")) {
                (reply.status, reply.body) = (400, br#"{"code":"bad.request"}"#.to_vec());
            }
        });
    });
    let mut rows = new_rows(1_000);
    rows.extend((0..500).map(|n| format!("old{n}@example.com")));
    rows.insert(0, "poison1@example.com".to_owned());
    rows.insert(777, "poison2@example.com".to_owned());
    let probed = looked_up(&rig, &rows).await;
    let proof = &probed.proof;
    assert_eq!((proof.keys, proof.held, proof.refused, probed.users.len()), (1_502, 500, 2, 500));
    assert!(!proof.holds());
    assert_eq!(proof.gaps(), ["the service refused to search for 2 keys"]);
    assert!(proof.calls < 80, "{}", proof.calls);
}

#[tokio::test(start_paused = true)]
async fn odd_addresses_at_the_top_of_a_roster_do_not_switch_looking_up_off() {
    let rig = rig(org_of(30, Settings { rate_allowed: 100_000, ..Settings::default() }));
    rig.direct.with_org(|org| {
        org.after_each(|_, request: &Request, reply| {
            if request.path.ends_with("/search") && String::from_utf8_lossy(&request.body).contains("poison") {
                (reply.status, reply.body) = (400, br#"{"code":"bad.request"}"#.to_vec());
            }
        });
    });
    let odd = (0..5).map(|n| format!("poison{n}@example.com"));
    let rows: Vec<String> = odd.chain(new_rows(200)).chain(["old3@example.com".to_owned()]).collect();
    let probed = looked_up(&rig, &rows).await;
    assert_eq!((probed.proof.refused, probed.proof.held), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_every_search_is_not_asked_for_every_row() {
    let rig = rig(org_of(10, Settings { search_values_max: 0, ..Settings::default() }));
    let probed = looked_up(&rig, &new_rows(5_000)).await;
    assert_eq!((probed.proof.refused, probed.proof.holds()), (5_000, false));
    assert!(probed.proof.calls < 40, "{}", probed.proof.calls);
}

#[tokio::test(start_paused = true)]
async fn a_search_that_tells_case_apart_is_found_out_and_proves_nothing() {
    for search_values_max in [100, 4, 1] {
        let rig = rig(org_of(50, Settings { search_folds_case: false, search_values_max, ..Settings::default() }));
        let probed = looked_up(&rig, &["OLD7@example.com".to_owned(), "x@example.com".to_owned()]).await;
        assert_eq!((probed.proof.case_matters, probed.proof.holds()), (Some(true), false));
        // The key is a spelling of its own: the address is asked for in both.
        assert_eq!((probed.proof.held, probed.proof.usernames), (1, true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_that_finds_nobody_who_is_listed_proves_nothing() {
    // The index lags behind the listing: nobody knows how it would compare.
    let rig = rig(org_of(0, Settings { search_lag: std::time::Duration::from_secs(600), ..Settings::default() }));
    rig.direct.with_org(|org| org.stranger_creates("ada@example.com", State::Active, org.now()).unwrap());
    let probed = looked_up(&rig, &["Bob@example.com".to_owned()]).await;
    assert_eq!((probed.proof.case_matters, probed.proof.holds()), (None, false));
    // Without anybody there is nobody to miss.
    let empty = self::rig(org_of(0, Settings::default()));
    assert!(looked_up(&empty, &["bob@example.com".to_owned()]).await.proof.holds());
}

#[tokio::test(start_paused = true)]
async fn a_search_that_is_not_read_to_its_end_is_no_answer() {
    type Change = fn(&mut Value);
    let endless: Change = |body| body["total"] = Value::from(1_000_000);
    let nobody: Change = |body| body["results"] = serde_json::json!([{"email": "x@example.com"}]);
    for change in [endless, nobody] {
        let rig = rig(org_of(30, Settings { rate_allowed: 100_000, ..Settings::default() }));
        rig.direct.with_org(|org| {
            org.after_each(move |_, request, reply| {
                if request.path.ends_with("/search") && String::from_utf8_lossy(&request.body).contains("odd@") {
                    let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
                    change(&mut body);
                    reply.body = serde_json::to_vec(&body).unwrap();
                }
            });
        });
        let rows = ["odd@example.com", "old3@example.com", "new@example.com"].map(str::to_owned);
        let probed = looked_up(&rig, &rows).await;
        assert_eq!((probed.proof.refused, probed.proof.held, probed.proof.holds()), (1, 1, false));
        assert!(probed.refused.contains("odd@example.com"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_search_usernames_is_asked_for_addresses_alone() {
    let rig = rig(crowded(Settings { search_usernames: false, ..Settings::default() }));
    let probed = looked_up(&rig, &["login@example.com".to_owned(), "in1@example.com".to_owned()]).await;
    assert!(!probed.proof.usernames);
    assert_eq!((probed.proof.keys, probed.proof.held), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn several_holders_of_many_keys_are_all_read_page_by_page() {
    let mut org = Org::new(Settings { deleted_holds: false, rate_allowed: 100_000, ..Settings::default() });
    for n in 0..100 {
        for _ in 0..3 {
            org.stranger_creates(&format!("p{n}@example.com"), State::Active, org.now()).unwrap();
            assert!(org.stranger_deletes(&format!("p{n}@example.com"), org.now()));
        }
    }
    let rig = rig(org);
    let rows: Vec<String> = (0..100).map(|n| format!("p{n}@example.com")).collect();
    let probed = looked_up(&rig, &rows).await;
    assert_eq!((probed.proof.held, probed.users.len()), (100, 300));
}

#[tokio::test(start_paused = true)]
async fn a_search_that_answers_with_everybody_is_not_believed() {
    let rig = rig(org_of(300, Settings { rate_allowed: 100_000, ..Settings::default() }));
    rig.direct.with_org(|org| {
        org.after_each(|org, request, reply| {
            if request.path.ends_with("/search") {
                let all: Vec<Value> = org
                    .users()
                    .iter()
                    .map(|u| serde_json::json!({"id": u.id, "email": u.email, "state": u.state.as_str()}))
                    .collect();
                reply.body = serde_json::to_vec(&serde_json::json!({"results": all})).unwrap();
            }
        });
    });
    let probed = looked_up(&rig, &["old3@example.com".to_owned(), "new@example.com".to_owned()]).await;
    let found: BTreeMap<&str, &str> =
        probed.users.iter().map(|u| (u.email.as_deref().unwrap(), u.state.as_str())).collect();
    assert_eq!(found, BTreeMap::from([("old3@example.com", "active")]));
}

#[tokio::test(start_paused = true)]
async fn a_domain_in_letters_is_found_under_its_a_labels() {
    let mut org = Org::new(Settings::default());
    org.seed_csv("email,state\nada@bücher.example,inactive").unwrap();
    let rig = rig(org);
    let probed = looked_up(&rig, &["ada@xn--bcher-kva.example".to_owned()]).await;
    assert_eq!((probed.proof.held, probed.users.len()), (1, 1));
    // Refused in two spellings it is one key all the same.
    rig.direct.with_org(|org| org.settings_mut().search_values_max = 0);
    let refused = looked_up(&rig, &["Ada@xn--bcher-kva.example".to_owned()]).await;
    assert_eq!((refused.proof.refused, refused.proof.keys), (1, 1));
}

/// Strangers come, go and change all the while, whether listings are capped or not and whatever the cursor does: of those
/// who were there all the time nobody is `new` in a plan that calls itself proven.
#[tokio::test(start_paused = true)]
async fn in_a_restless_organisation_nobody_who_was_there_is_new_in_a_proven_plan() {
    let (mut n_proven, mut n_complete, mut n_second_passes) = (0, 0, 0);
    for seed in 0..60_u32 {
        let capped = seed % 3 > 0;
        let page_cap = PageCaps { active: capped.then_some(1_000), ..PageCaps::default() };
        let cursor = seed % 3 == 1;
        let rig = rig(org_of(2_400, Settings { page_cap, cursor, rate_allowed: 100_000, ..Settings::default() }));
        let mut random = seed.wrapping_mul(2_654_435_761) | 1;
        let mut draw = move |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) % below
        };
        rig.direct.with_org(|org| {
            org.before_each(move |org, request, now| {
                // Only what is read by pages moves; every fourth user is one who may go. Some organisations come to rest.
                let may_move = seed % 2 == 0 || now.as_secs() == 0 && org.counts().by_status.values().sum::<u64>() < 12;
                if request.path.starts_with("/api/v2/users") && may_move && draw(2) == 0 {
                    let who = format!("old{}@example.com", draw(600) * 4);
                    match draw(3) {
                        0 => drop(org.stranger_deletes(&who, now)),
                        1 => drop(org.stranger_sets_state(&who, State::Inactive, now)),
                        _ => drop(org.stranger_creates(
                            &format!("late{}@example.com", draw(100_000)),
                            State::Active,
                            now,
                        )),
                    }
                }
            });
        });
        let listed = rig.snapshot().await;
        n_complete += u32::from(listed.is_complete());
        n_second_passes += u32::from(listed.certificate.as_ref().unwrap().passes > 1);
        let stable = (0..2_400).filter(|n| n % 4 != 0).map(|n| format!("old{n}@example.com,O\n"));
        let roster = format!("email,name\n{}", stable.collect::<String>());
        let (plan, snapshot) = planned(&rig, &roster, listed).await;
        if snapshot.is_proven() {
            n_proven += 1;
            assert_eq!(plan.counts().new, 0, "seed {seed}");
        }
    }
    println!(
        "60 organisations: {n_complete} listed completely, {n_second_passes} more than once, {n_proven} plans proven"
    );
    assert!(n_proven >= 50 && n_complete >= 10 && n_second_passes >= 10, "{n_complete} {n_second_passes} {n_proven}");
}
