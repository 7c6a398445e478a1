//! As fast as the quota allows, and never faster.

mod events;
mod flow;
mod quota;
mod tokens;

use std::time::Duration;

use rosterdiff::api::Options;
use rosterdiff::apply::Outcome;
use rosterdiff::sim::{Settings, WindowRecord};
use tokio::time::Instant;

use super::rig::{Mischance, Rig, org_of, outcomes, rig_with, roster_of};
use crate::support::scratch;

fn rig_of(allowed: u32, window_s: u64, latency_ms: u64, n_tokens: usize, plus_one: bool) -> Rig {
    let settings = Settings {
        rate_allowed: allowed,
        rate_window: Duration::from_secs(window_s),
        latency: Duration::from_millis(latency_ms),
        reset_plus_one: plus_one,
        ..Settings::default()
    };
    rig_with(org_of(0, settings), Options { n_tokens, per_min: None }, |_, _| Mischance::None)
}

/// Creates `n` users and says how long that took, and which windows of the service it filled.
async fn run(rig: &Rig, n: usize) -> (Duration, Vec<WindowRecord>) {
    let dir = scratch();
    let plan = rig.plan(&roster_of(0, n)).await;
    let (started, since) = (Instant::now(), rig.direct.shared().now());
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), n as u64);
    // The window in which the snapshot was taken had its idle moments: it says nothing about creating.
    let windows = rig.direct.with_org(|org| org.windows());
    (started.elapsed(), windows.into_iter().filter(|w| w.start >= since).collect())
}

/// Least use of any window that was followed by another of its token.
fn least_use(windows: &[WindowRecord], allowed: u32) -> f64 {
    let full = windows
        .iter()
        .filter(|w| windows.iter().any(|later| later.token_index == w.token_index && later.start > w.start));
    full.map(|w| f64::from(w.count) / f64::from(allowed)).fold(1.0, f64::min)
}

#[tokio::test(start_paused = true)]
async fn six_hundred_creates_fill_windows_of_ninety_and_meet_no_429() {
    for (latency_ms, plus_ones) in
        [(0, &[false, true][..]), (20, &[false, true]), (300, &[false, true]), (1_500, &[false, true])]
    {
        for &plus_one in plus_ones {
            let rig = rig_of(90, 10, latency_ms, 1, plus_one);
            let (took, windows) = run(&rig, 600).await;
            let throttled: u32 = windows.iter().map(|w| w.throttled).sum();
            let least = least_use(&windows, 90);
            let rate = 600.0 / took.as_secs_f64() / 9.0;
            println!(
                "latency {latency_ms} ms, plus one {plus_one}: least window {least:.3}, {rate:.3} of the rate, {throttled} × 429"
            );
            assert_eq!(throttled, 0);
            assert!(least >= 0.9, "latency {latency_ms} ms: {windows:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn three_tokens_are_three_times_as_fast() {
    let (one, _) = run(&rig_of(90, 10, 50, 1, false), 1_800).await;
    let rig = rig_of(90, 10, 50, 3, false);
    let (three, windows) = run(&rig, 1_800).await;
    let ratio = one.as_secs_f64() / three.as_secs_f64();
    println!("one token {one:?}, three {three:?}: {ratio:.2} times");
    assert!(ratio >= 2.9, "{ratio}");
    assert_eq!(windows.iter().map(|w| w.throttled).sum::<u32>(), 0);
    assert!(least_use(&windows, 90) >= 0.9);
}

#[tokio::test(start_paused = true)]
async fn a_cap_per_minute_holds_for_the_whole_run_however_many_tokens() {
    let settings = Settings::default();
    let rig = rig_with(org_of(0, settings), Options { n_tokens: 2, per_min: Some(60.0) }, |_, _| Mischance::None);
    let (took, _) = run(&rig, 120).await;
    assert!(took >= Duration::from_secs(115), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn without_headers_the_default_quota_is_kept() {
    let settings = Settings { rate_headers: false, ..Settings::default() };
    let rig = rig_with(org_of(0, settings), Options::default(), |_, _| Mischance::None);
    let (took, windows) = run(&rig, 900).await;
    assert_eq!(windows.iter().map(|w| w.throttled).sum::<u32>(), 0);
    assert!(took <= Duration::from_secs(190), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_changes_mid_run_is_followed_within_a_window() {
    let rig = rig_of(300, 60, 20, 1, false);
    rig.direct.with_org(|org| {
        org.before_each(|org, _, now| {
            org.settings_mut().rate_allowed = if (200..400).contains(&now.as_secs()) { 180 } else { 300 };
        });
    });
    let (took, windows) = run(&rig, 2_400).await;
    let throttled: u32 = windows.iter().map(|w| w.throttled).sum();
    println!("{took:?}, {throttled} × 429");
    assert!(throttled <= 16, "{throttled}");
}

/// The whole of it: journal, worker, tokens and pace.
#[tokio::test(start_paused = true)]
async fn a_run_with_ten_tokens_is_ten_times_as_fast_even_where_every_create_takes_two_seconds() {
    let (one, _) = run(&rig_of(300, 60, 2_000, 1, false), 3_000).await;
    let rig = rig_of(300, 60, 2_000, 10, false);
    let (ten, windows) = run(&rig, 30_000).await;
    let ratio = 10.0 * one.as_secs_f64() / ten.as_secs_f64();
    println!("3,000 with one token {one:?}, 30,000 with ten {ten:?}: {ratio:.2} times as fast");
    assert!(ratio >= 9.8, "{ratio}");
    assert_eq!(windows.iter().map(|w| w.throttled).sum::<u32>(), 0);
}
