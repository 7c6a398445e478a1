//! A service that misbehaves: the run ends when it should, goes on when it can, and never storms.

use std::time::Duration;

use rosterdiff::api::Options;
use rosterdiff::api::wire::{Reply, Request};
use rosterdiff::apply::Outcome;
use rosterdiff::error::Kind;
use rosterdiff::sim::{Org, Settings, State};
use tokio::time::Instant;

use super::rig::{
    Mischance, Rig, apply_with, assert_exactly_once, client, is_create, ledger, org_of, outcomes, rig, rig_with,
    roster_of,
};
use crate::support::scratch;

/// An organisation whose replies to creates `change` may change, from the `from`-th create on.
fn org_answering(from: u32, mut change: impl FnMut(&mut Reply) + Send + 'static) -> Org {
    let mut org = org_of(0, Settings { latency: Duration::from_millis(400), ..Settings::default() });
    let mut n = 0;
    org.after_each(move |_, request, reply| {
        n += u32::from(is_create(request));
        if is_create(request) && n >= from {
            change(reply);
        }
    });
    org
}

fn header(reply: &mut Reply, name: &str, value: &str) {
    reply.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    reply.headers.push((name.to_owned(), value.to_owned()));
}

fn n_creates(rig: &Rig) -> u64 {
    rig.direct.with_org(|org| org.counts().n("POST", "/api/v2/users"))
}

#[tokio::test(start_paused = true)]
async fn after_a_403_no_worker_that_waits_for_the_pace_sends_any_more() {
    let dir = scratch();
    let rig = rig(org_answering(3, |reply| reply.status = 403));
    let plan = rig.plan(&roster_of(0, 60)).await;
    assert_eq!(rig.apply(&plan, dir.path()).await.unwrap_err().kind(), Kind::Credentials);
    assert!(n_creates(&rig) <= 6, "{} creates", n_creates(&rig));
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Unknown), 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_ten_minutes_ends_the_run_at_once() {
    for value in ["600", "18446744073709551615"] {
        let dir = scratch();
        let rig = rig(org_answering(3, move |reply| {
            reply.status = 429;
            header(reply, "Retry-After", value);
        }));
        let plan = rig.plan(&roster_of(0, 60)).await;
        let started = Instant::now();
        assert_eq!(rig.apply(&plan, dir.path()).await.unwrap_err().kind(), Kind::Unreachable);
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_throttles_for_ever_is_asked_seldom_and_given_up() {
    let dir = scratch();
    let rig = rig(org_answering(1, |reply| {
        reply.status = 429;
        header(reply, "Retry-After", "0");
    }));
    let plan = rig.plan(&roster_of(0, 10)).await;
    let started = Instant::now();
    assert_eq!(rig.apply(&plan, dir.path()).await.unwrap_err().kind(), Kind::Unreachable);
    assert!(n_creates(&rig) <= 2_000, "{} creates in {:?}", n_creates(&rig), started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(20 * 60));
}

#[tokio::test(start_paused = true)]
async fn a_row_that_stayed_unknown_in_one_run_is_finished_by_a_later_one() {
    let dir = scratch();
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), |_, request| {
        let is_seven = String::from_utf8_lossy(&request.body).contains("New7@");
        if is_create(request) && is_seven { Mischance::LostBefore } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 20)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Unknown)), (19, 1));
    let calm = client(&rig.direct, Options::default(), |_, _| Mischance::None);
    apply_with(&calm, &plan, dir.path(), Duration::from_secs(180)).await.unwrap();
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 20);
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn a_row_that_cannot_be_looked_up_stops_nobody_else() {
    let dir = scratch();
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), |n, request| {
        if is_create(request) && n == 10 { Mischance::LostAfter } else { Mischance::None }
    });
    rig.direct.with_org(|org| {
        org.after_each(|_, request, reply| {
            if request.path.ends_with("/search") {
                (reply.status, reply.body) = (400, b"{\"code\":\"bad.request\"}".to_vec());
            }
        });
    });
    let plan = rig.plan(&roster_of(0, 40)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Unknown)), (39, 1));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_somebody_holds_as_username_is_taken() {
    let dir = scratch();
    let rig = rig(org_of(0, Settings::default()));
    let plan = rig.plan(&roster_of(0, 5)).await;
    let seed = "email,username,state\nrenamed@example.com,new3@example.com,inactive";
    rig.direct.with_org(|org| org.seed_csv(seed).unwrap());
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Taken)), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_holder_is_believed_after_an_unknown_attempt_only_when_the_settling_time_is_over() {
    let dir = scratch();
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), |n, request| {
        if is_create(request) && n < 12 { Mischance::LostBefore } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 5)).await;
    rig.direct.with_org(|org| org.seed_csv("email,state\nnew3@example.com,deleted").unwrap());
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Taken)), (4, 1), "{done:?}");
    let ledger = ledger(dir.path());
    let taken = plan
        .people()
        .unwrap()
        .iter()
        .find_map(|p| ledger.row(p.row).filter(|r| r.outcome() == Outcome::Taken).cloned());
    let taken = taken.unwrap();
    assert_eq!((taken.user_state.unwrap().as_str(), taken.attempts, taken.ambiguous), ("deleted", 2, true));
}

#[tokio::test(start_paused = true)]
async fn headers_that_vanish_mid_run_leave_an_even_flow() {
    let settings = Settings { rate_allowed: 60, rate_window: Duration::from_secs(10), ..Settings::default() };
    let dir = scratch();
    let rig = rig(org_of(0, settings));
    rig.direct.with_org(|org| {
        let mut n = 0;
        org.before_each(move |org, _: &Request, _| {
            n += 1;
            org.settings_mut().rate_headers = n < 40;
        });
    });
    let plan = rig.plan(&roster_of(0, 400)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let throttled = rig.direct.with_org(|org| org.counts().n_throttled());
    println!("{throttled} × 429 without headers");
    assert!(throttled <= 8, "{throttled}");
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn a_blip_of_a_second_costs_seconds_and_not_a_minute() {
    let dir = scratch();
    let begun = Instant::now();
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), move |_, request| {
        let away = (Duration::from_secs(10)..Duration::from_secs(11)).contains(&begun.elapsed());
        if away && is_create(request) { Mischance::Refused } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 100)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_one_value_a_search_still_settles_an_address_in_capitals() {
    let dir = scratch();
    let rig = rig(org_of(0, Settings { search_values_max: 1, ..Settings::default() }));
    let plan = rig.plan(&roster_of(0, 5)).await;
    rig.direct.with_org(|org| org.seed_csv("email,state\nnew3@example.com,inactive").unwrap());
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Taken)), (4, 1), "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_everybody_is_stopped_after_two_hundred_rows() {
    let dir = scratch();
    let rig =
        rig(org_answering(1, |reply| (reply.status, reply.body) = (400, b"{\"code\":\"licence.limit\"}".to_vec())));
    let plan = rig.plan(&roster_of(0, 1_000)).await;
    let error = rig.apply(&plan, dir.path()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unsafe);
    assert!(error.to_string().contains("--max-failures allows 50%"), "{error}");
    let done = outcomes(&plan, dir.path());
    assert!((200..=240).contains(&done.of(Outcome::Refused)) && done.of(Outcome::Unknown) == 0, "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_answers_nothing_but_503_for_ten_minutes_is_asked_seldom() {
    let dir = scratch();
    let rig = rig(org_of(0, Settings::default()));
    rig.direct.with_org(|org| {
        org.after_each(|org, _, reply| {
            if (30..630).contains(&org.now().as_secs()) {
                (reply.status, reply.body) = (503, Vec::new());
            }
        });
    });
    let plan = rig.plan(&roster_of(0, 400)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let n_503 = rig.direct.with_org(|org| org.counts().n_status(503));
    println!("{n_503} calls in ten minutes of 503");
    assert!(n_503 <= 150, "{n_503}");
    assert_exactly_once(&rig.direct, &plan, dir.path());
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Unknown), 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_no_create_while_it_searches_is_an_outage_and_no_rows_fault() {
    let dir = scratch();
    let rig = rig(org_answering(1, |reply| (reply.status, reply.body) = (503, Vec::new())));
    let plan = rig.plan(&roster_of(0, 400)).await;
    assert_eq!(rig.apply(&plan, dir.path()).await.unwrap_err().kind(), Kind::Unreachable);
    println!("{} creates in a quarter of an hour of 503", n_creates(&rig));
    assert!(n_creates(&rig) <= 80, "{}", n_creates(&rig));
    assert!(outcomes(&plan, dir.path()).of(Outcome::Unprocessed) >= 300);
}

#[tokio::test(start_paused = true)]
async fn a_reply_about_somebody_else_is_no_reply() {
    let dir = scratch();
    let mut before = None;
    let mut n = 0;
    let rig = rig(org_answering(1, move |reply| {
        n += 1;
        let other = before.replace(reply.body.clone());
        if n % 5 == 4 {
            reply.body = other.unwrap();
        }
    }));
    let plan = rig.plan(&roster_of(0, 40)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Adopted)), (32, 8), "{done:?}");
    assert_exactly_once(&rig.direct, &plan, dir.path());
}

#[tokio::test(start_paused = true)]
async fn two_live_holders_of_one_address_stop_a_run_and_not_the_next_one() {
    let dir = scratch();
    let settings = Settings { case_insensitive: false, ..Settings::default() };
    let rig = rig_with(org_of(0, settings), Options::default(), |_, request| {
        let is_three = is_create(request) && String::from_utf8_lossy(&request.body).contains("New3@");
        if is_three { Mischance::LostBefore } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 40)).await;
    for email in ["NEW3@example.com", "new3@example.com"] {
        rig.direct.with_org(|org| org.stranger_creates(email, State::Active, org.now()).unwrap());
    }
    assert_eq!(rig.apply(&plan, dir.path()).await.unwrap_err().kind(), Kind::Unsafe);
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Taken)), (39, 1), "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_cannot_be_searched_costs_the_others_no_searches() {
    let dir = scratch();
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), |n, request| {
        let is_seven = String::from_utf8_lossy(&request.body).contains("New7@");
        if is_create(request) && (n < 17 || is_seven) { Mischance::LostAfter } else { Mischance::None }
    });
    rig.direct.with_org(|org| {
        org.after_each(|_, request, reply| {
            let body = String::from_utf8_lossy(&request.body).to_lowercase();
            if request.path.ends_with("/search") && body.contains("new7@") {
                (reply.status, reply.body) = (400, b"{\"code\":\"bad.request\"}".to_vec());
            }
        });
    });
    let plan = rig.plan(&roster_of(0, 80)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created) + done.of(Outcome::Adopted), done.of(Outcome::Unknown)), (79, 1), "{done:?}");
    let n_searches = rig.direct.with_org(|org| org.counts().n("POST", "/api/v2/users/search"));
    assert!(n_searches <= 80, "{n_searches}");
}
