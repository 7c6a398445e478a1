//! Tokens: minted when needed, renewed in time, and missed by nobody for long.

use std::sync::Arc;
use std::time::Duration;

use rosterdiff::api::wire::{Host, Lost, Reply, Request, Wire};
use rosterdiff::api::{Client, Credentials, Options};
use rosterdiff::apply::Outcome;
use rosterdiff::error::Kind;
use rosterdiff::sim::{Direct, Settings};
use tokio::time::Instant;

use super::flow::{client, flow};
use crate::steps::rig::{org_of, outcomes, rig, roster_of};
use crate::support::scratch;

/// The simulator, whose login host cannot be reached for some time.
struct Absent {
    direct: Direct,
    begun: Instant,
    away: std::ops::Range<u64>,
}

impl Wire for Absent {
    async fn send(&self, request: Request) -> Result<Reply, Lost> {
        let now = self.begun.elapsed().as_secs();
        if request.host == Host::Login && self.away.contains(&now) {
            return Err(Lost::NotSent("connection refused".to_owned()));
        }
        self.direct.send(request).await
    }
}

fn absent(settings: Settings, away: std::ops::Range<u64>) -> (Direct, Absent) {
    let direct = Direct::new(org_of(0, settings));
    (direct.clone(), Absent { direct, begun: Instant::now(), away })
}

fn settings() -> Settings {
    Settings { latency: Duration::from_millis(300), ..Settings::default() }
}

fn n_mints(direct: &Direct) -> u64 {
    direct.with_org(|org| org.counts().n("POST", "/oauth/token"))
}

#[tokio::test(start_paused = true)]
async fn a_short_run_with_ten_tokens_mints_one() {
    let direct = Direct::new(org_of(0, settings()));
    let client = client(direct.clone(), 10);
    for _ in 0..20 {
        client.organisation().await.unwrap();
    }
    assert_eq!(n_mints(&direct), 1);
    flow(&client, 3_000, 64).await;
    assert_eq!(n_mints(&direct), 10);
}

#[tokio::test(start_paused = true)]
async fn where_tokens_are_minted_too_fast_those_at_hand_go_on_and_the_rest_come_later() {
    let direct = Direct::new(org_of(0, Settings { mints_per_minute: Some(3), ..settings() }));
    let client = client(direct.clone(), 10);
    let run = flow(&client, 20_000, 64).await;
    println!("{run:?}, {} logins", n_mints(&direct));
    assert_eq!((run.throttled, direct.with_org(|org| org.users().len())), (0, 20_000));
    // With three tokens it would take 22 minutes, with ten from the beginning less than 7.
    assert!(run.took < Duration::from_secs(11 * 60), "{run:?}");
    assert!(n_mints(&direct) <= 30, "{}", n_mints(&direct));
}

#[tokio::test(start_paused = true)]
async fn a_login_host_that_goes_away_after_the_first_token_ends_no_run() {
    let (direct, wire) = absent(settings(), 1..100_000);
    let run = flow(&client(wire, 4), 3_000, 64).await;
    assert_eq!(direct.with_org(|org| org.users().len()), 3_000);
    assert!(run.took < Duration::from_secs(3_000 / 4), "{run:?}");
}

#[tokio::test(start_paused = true)]
async fn a_login_host_that_is_away_for_ten_minutes_is_waited_for_and_one_that_stays_away_is_not() {
    let short_lived = || Settings { token_lifetime: Duration::from_secs(300), ..settings() };
    let (direct, wire) = absent(short_lived(), 200..800);
    let run = flow(&client(wire, 1), 3_000, 16).await;
    assert_eq!(direct.with_org(|org| org.users().len()), 3_000);
    // The old token is used to its end; then there is none for 500 s, and a minute until somebody asks again.
    assert!(run.took < Duration::from_secs(600 + 500 + 70), "{run:?}");

    let (_, wire) = absent(short_lived(), 200..100_000);
    let (begun, client) = (Instant::now(), client(wire, 3));
    let error = loop {
        match client.organisation().await {
            Ok(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    let dry = begun.elapsed() - Duration::from_secs(300);
    assert!((Duration::from_secs(14 * 60)..Duration::from_secs(17 * 60)).contains(&dry), "{dry:?}");
}

#[tokio::test(start_paused = true)]
async fn a_login_host_that_was_never_reached_is_given_up_within_a_quarter_of_a_minute() {
    for n_tokens in [1, 10] {
        let (_, wire) = absent(settings(), 0..100_000);
        let (begun, client) = (Instant::now(), client(wire, n_tokens));
        let callers: Vec<_> = (0..20)
            .map(|_| {
                let client = Arc::clone(&client);
                tokio::spawn(async move { client.organisation().await.unwrap_err() })
            })
            .collect();
        let mut first = None;
        for caller in callers {
            let error = caller.await.unwrap();
            assert_eq!(error.kind(), Kind::Unreachable, "{error}");
            first = first.or(Some(begun.elapsed()));
        }
        let first = first.unwrap();
        assert!((Duration::from_secs(10)..Duration::from_secs(20)).contains(&first), "{first:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_tried_once_however_many_tokens_and_callers() {
    let direct = Direct::new(org_of(0, settings()));
    direct.with_org(|org| org.settings_mut().client_secret = "another".to_owned());
    let client = client(direct.clone(), 10);
    let callers = (0..20).map(|_| {
        let client = Arc::clone(&client);
        async move { client.organisation().await.unwrap_err() }
    });
    let first = tokio::task::JoinSet::from_iter(callers).join_next().await.unwrap().unwrap();
    assert_eq!((first.kind(), n_mints(&direct)), (Kind::Credentials, 1), "{first}");
}

#[tokio::test(start_paused = true)]
async fn a_token_revoked_with_sixteen_calls_in_the_air_is_renewed_once() {
    for n_tokens in [1, 3] {
        let direct = Direct::new(org_of(0, Settings { latency: Duration::from_secs(4), ..Settings::default() }));
        let client = client(direct.clone(), n_tokens);
        let revoker = direct.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(30)).await;
            revoker.with_org(rosterdiff::sim::Org::revoke_tokens);
        });
        flow(&client, 900, 16 * n_tokens).await;
        let n_rejected = direct.with_org(|org| org.counts().n_status(401));
        assert!(n_rejected >= 10, "{n_rejected}");
        assert_eq!(n_mints(&direct), 2 * n_tokens as u64);
        assert_eq!(direct.with_org(|org| org.users().len()), 900);
        assert!(!client.is_locked_out());
    }
}

#[tokio::test(start_paused = true)]
async fn three_fresh_tokens_in_a_row_that_are_not_accepted_lock_the_client_out() {
    let direct = Direct::new(org_of(0, settings()));
    direct.with_org(|org| {
        org.before_each(|org, request, _| {
            if request.host == Host::Api {
                org.revoke_tokens();
            }
        });
    });
    let client = client(direct.clone(), 1);
    let (begun, error) = (Instant::now(), client.organisation().await.unwrap_err());
    assert_eq!((error.kind(), n_mints(&direct)), (Kind::Credentials, 3), "{error}");
    assert!(client.is_locked_out() && begun.elapsed() < Duration::from_secs(10));
    assert_eq!(client.organisation().await.unwrap_err().kind(), Kind::Credentials);
    assert_eq!(n_mints(&direct), 3);
}

#[tokio::test(start_paused = true)]
async fn a_life_of_nothing_of_five_minutes_of_ever_or_untold_is_lived_through() {
    for (told, most_mints) in [("0", 1), ("300", 5), ("18446744073709551615", 1), ("", 1)] {
        let direct = Direct::new(org_of(0, settings()));
        direct.with_org(|org| {
            org.after_each(move |_, request, reply| {
                if request.host == Host::Login {
                    let body = String::from_utf8(std::mem::take(&mut reply.body)).unwrap();
                    let life = if told.is_empty() { String::new() } else { format!("\"expires_in\":{told},") };
                    reply.body = body.replace("\"expires_in\":86399,", &life).into_bytes();
                    assert!(!String::from_utf8_lossy(&reply.body).contains("86399"));
                }
            });
        });
        let client = client(direct.clone(), 1);
        flow(&client, 5_000, 16).await;
        assert!(n_mints(&direct) <= most_mints, "{told}: {}", n_mints(&direct));
        assert_eq!(direct.with_org(|org| org.counts().n_status(401)), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_header_says_the_limits_endpoint_is_asked_for_once() {
    let silent = |rate_allowed| Settings { rate_headers: false, rate_allowed, ..settings() };
    for (settings, status, learnt, rate) in [
        (silent(120), 200, Some(120), 2.0),
        (silent(120), 403, None, 5.0),
        (Settings { rate_allowed: 120, ..settings() }, 200, None, 2.0),
    ] {
        let direct = Direct::new(org_of(0, settings));
        direct.with_org(|org| {
            org.after_each(move |_, request, reply| {
                if request.path.contains("/limits/") {
                    reply.status = status;
                }
            });
        });
        let client = client(direct.clone(), 2);
        assert_eq!(client.learn_limits().await, None, "nothing was asked yet");
        client.organisation().await.unwrap();
        assert_eq!(client.learn_limits().await, learnt);
        let n_requests = client.tally().requests;
        assert_eq!((client.learn_limits().await, client.tally().requests), (None, n_requests));
        assert!((client.rate_per_s() - 2.0 * rate).abs() < 1e-9, "{}", client.rate_per_s());
        if learnt.is_some() {
            let run = flow(&client, 1_200, 32).await;
            assert_eq!(run.throttled, 0);
            assert!(run.used(240.0) > 0.95, "{run:?}");
        }
    }
    let direct = Direct::new(org_of(0, settings()));
    let options = Options { n_tokens: 2, per_min: Some(90.0) };
    let capped = Client::new(direct, Credentials::client("demo-client", "demo-secret"), options);
    assert!((capped.rate_per_s() - 1.5).abs() < 1e-9, "{}", capped.rate_per_s());
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_wants_other_credentials_ends_a_run_at_once_and_nobody_is_refused() {
    let dir = scratch();
    let rig = rig(org_of(0, settings()));
    let plan = rig.plan(&roster_of(0, 60)).await;
    rig.direct.with_org(|org| {
        org.after_each(|org, request, reply| {
            if request.path == "/api/v2/users" && org.counts().n("POST", "/api/v2/users") >= 20 {
                *reply = Reply { status: 407, headers: Vec::new(), body: b"<html>".to_vec() };
            }
        });
    });
    let begun = Instant::now();
    let error = rig.apply(&plan, dir.path()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let done = outcomes(&plan, dir.path());
    assert_eq!((done.of(Outcome::Created), done.of(Outcome::Unprocessed)), (20, 40));
}
