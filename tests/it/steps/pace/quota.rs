//! What a token may do is done, and nothing beyond.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rosterdiff::api::pace::Pace;
use rosterdiff::api::wire::Reply;
use rosterdiff::api::{Client, Credentials, Options};
use rosterdiff::sim::{Direct, Settings};

use super::events::{Line, Told, Windows, World, run};
use super::flow::{Moody, client, flow};
use crate::steps::rig::org_of;

const LINES: [Line; 7] = [
    Line::Fixed(0.02),
    Line::Fixed(0.3),
    Line::Fixed(1.0),
    Line::Fixed(2.0),
    Line::Typical,
    Line::Stalls,
    Line::Spikes,
];

/// So many calls over the ledger alone, with no more than three looks at the clock for each.
fn calls(world: &World, n_own: u64) -> Told {
    let told = run(world, &mut Pace::new(None), n_own, 2);
    assert!(told.wakes <= 3 * (told.own + told.throttled), "{world:?}: {} wakes", told.wakes);
    let World { windows, line, plus_one, headers, foreign_per_s, .. } = world;
    println!(
        "{windows:?}, {line:?}, plus one {plus_one}, headers {headers}, stranger {foreign_per_s}/s: {:.2} % used, {} × 429, {} in \
 a second",
        100.0 * told.used(),
        told.throttled,
        told.burst
    );
    told
}

#[tokio::test(start_paused = true)]
async fn twenty_thousand_creates_use_99_percent_of_a_token_at_any_latency_and_meet_no_429() {
    let mut all = Vec::new();
    for reset_plus_one in [false, true] {
        for line in LINES {
            let wire = Moody::new(Settings { reset_plus_one, ..Settings::default() }, line);
            let flow = flow(&client(wire, 1), 20_000, 64).await;
            println!("{line:?}, plus one {reset_plus_one}: {:.2} %", 100.0 * flow.used(300.0));
            assert_eq!(flow.throttled, 0, "{line:?}");
            assert!(flow.used(300.0) >= 0.985, "{line:?}, plus one {reset_plus_one}: {flow:?}");
            all.push(flow.used(300.0));
        }
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    println!("mean: {:.2} %", 100.0 * mean);
    assert!(mean >= 0.99, "{mean}");
}

#[tokio::test(start_paused = true)]
async fn ten_tokens_are_ten_times_as_fast_even_where_every_call_takes_two_seconds() {
    for line in [Line::Fixed(0.02), Line::Fixed(2.0), Line::Typical] {
        for reset_plus_one in [false, true] {
            let settings = Settings { reset_plus_one, ..Settings::default() };
            let one = flow(&client(Moody::new(settings.clone(), line), 1), 20_000, 64).await;
            let ten = flow(&client(Moody::new(settings, line), 10), 20_000, 200).await;
            let ratio = one.took.as_secs_f64() / ten.took.as_secs_f64();
            println!("{line:?}, plus one {reset_plus_one}: {ratio:.2} times");
            assert!(ratio >= 9.8, "{line:?}: {one:?} {ten:?}");
            assert_eq!(ten.throttled, 0);
        }
    }
}

#[test]
fn windows_by_the_clock_are_used_as_well_and_sliding_ones_meet_no_storm() {
    for plus_one in [false, true] {
        for line in LINES {
            let aligned = calls(&World { windows: Windows::Aligned, line, plus_one, ..World::default() }, 50_000);
            assert!(aligned.used() >= 0.985 && aligned.throttled == 0, "{line:?}");
            let sliding = calls(&World { windows: Windows::Sliding, line, plus_one, ..World::default() }, 50_000);
            assert!(sliding.used() >= 0.93 && sliding.throttled <= 50, "{line:?}: {}", sliding.throttled);
        }
    }
}

#[test]
fn a_service_that_rounds_its_seconds_down_is_understood_after_a_few_429() {
    for line in LINES {
        let told = calls(&World { line, down: true, ..World::default() }, 50_000);
        assert!(told.used() >= 0.985 && told.throttled <= 4, "{line:?}: {:?}", told.turned_away);
        assert!(told.turned_away.iter().all(|at| *at < 1_800.0), "{line:?}: {:?}", told.turned_away);
    }
}

#[test]
fn a_stranger_who_spends_a_fifth_of_the_token_costs_one_429_in_fifty_thousand_calls_at_most() {
    for plus_one in [false, true] {
        for windows in [Windows::Anchored, Windows::Aligned] {
            for line in [Line::Fixed(0.02), Line::Fixed(0.3), Line::Typical, Line::Stalls] {
                let world = World { windows, line, plus_one, foreign_per_s: 1.0, ..World::default() };
                let told = calls(&world, 200_000);
                assert!(told.throttled <= 4, "{world:?}: {:?}", told.turned_away);
                assert!(told.used() >= 0.98, "{world:?}: {}", told.used());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_on_the_token_of_the_real_client_leaves_it_the_rest() {
    let wire = Moody::new(Settings::default(), Line::Typical);
    let n_foreign = Arc::new(AtomicU64::new(0));
    let stranger = tokio::spawn(wire.clone().stranger(1.0, Arc::clone(&n_foreign)));
    let flow = flow(&client(wire, 1), 20_000, 64).await;
    stranger.abort();
    let n_foreign = n_foreign.load(Ordering::Relaxed);
    let used = flow.used(300.0) + n_foreign as f64 / (flow.took.as_secs_f64() * 5.0);
    println!("{:.2} % used, {n_foreign} by the stranger, {} × 429", 100.0 * used, flow.throttled);
    assert!(used >= 0.98 && n_foreign > 4_500, "{used}");
    assert!(flow.throttled <= 1, "{}", flow.throttled);
}

#[tokio::test(start_paused = true)]
async fn two_programs_on_one_token_share_it() {
    let direct = Direct::new(org_of(0, Settings { latency: Duration::from_millis(300), ..Settings::default() }));
    let token = direct.with_org(|org| org.issue_token(Duration::ZERO));
    let of = |token: &str| Client::new(direct.clone(), Credentials::Token(token.into()), Options::default());
    let (one, other) = (of(&token), of(&token));
    let (one, other) = tokio::join!(flow(&one, 3_000, 64), flow(&other, 3_000, 64));
    println!("{one:?} {other:?}");
    // Both count the same users, so half of the creates are conflicts: calls they are all the same.
    for flow in [&one, &other] {
        assert!(flow.used(300.0) >= 0.35, "{flow:?}");
        assert!(flow.throttled <= 20, "{flow:?}");
    }
}

#[test]
fn without_headers_no_window_holds_more_than_the_default_wherever_it_begins() {
    for windows in [Windows::Anchored, Windows::Aligned, Windows::Sliding] {
        for line in LINES {
            let told = calls(&World { windows, line, headers: false, ..World::default() }, 50_000);
            assert_eq!(told.throttled, 0, "{line:?}");
            assert!(told.used() >= 0.95, "{line:?}: {}", told.used());
        }
    }
}

#[test]
fn without_headers_a_lower_quota_than_the_default_is_found_by_its_429() {
    for windows in [Windows::Anchored, Windows::Aligned] {
        for line in [Line::Fixed(0.02), Line::Fixed(2.0), Line::Typical] {
            let world = World { windows, line, headers: false, allowed: |_| 180, ..World::default() };
            let told = calls(&world, 20_000);
            // Three quarters of 180 calls a minute, which are 60 % of 300. A 429 that says nothing costs a minute, and every ten minutes more is dared.
            assert!(told.throttled <= 100, "{line:?}: {}", told.throttled);
            assert!(told.used() >= 0.45, "{line:?}: {}", told.used());
        }
    }
}

#[test]
fn a_quota_that_shrinks_and_grows_again_is_followed_within_a_window() {
    let shrunk = |now: f64| if (1_000.0..2_000.0).contains(&now) { 180 } else { 300 };
    for line in LINES {
        let told = calls(&World { line, allowed: shrunk, ..World::default() }, 12_000);
        // 1,000 s at 3 a second and the rest at 5, less a window for every change.
        let least = (3_000.0 + (told.seconds - 1_000.0) * 5.0) * 0.985 - 2.0 * 300.0;
        assert!(told.own as f64 >= least, "{line:?}: {told:?}");
        // What was in the air when it shrank.
        let window = 1_000.0..1_061.0;
        assert!(told.turned_away.iter().all(|at| window.contains(at)) && told.throttled <= 20, "{line:?}: {told:?}");
    }
}

#[test]
fn a_machine_that_slept_for_ten_minutes_catches_nothing_up() {
    for line in LINES {
        for headers in [true, false] {
            let told = calls(&World { line, headers, asleep: (1_000.0, 1_600.0), ..World::default() }, 20_000);
            assert!(told.throttled == 0 && told.burst <= 12, "{line:?}: {told:?}");
        }
    }
}

/// Replaces the rate headers of every `one_in`th reply by something else each time.
fn garble(direct: &Direct, one_in: usize) {
    let values = ["", "-1", "soon", "4294967295", "99999999999999999999", "3.5", "0x10", "NaN", "12 34", "é"];
    let mut n = 0;
    direct.with_org(|org| {
        org.after_each(move |_, _, reply: &mut Reply| {
            n += 1;
            if n % one_in == 0 {
                for (at, header) in reply.headers.iter_mut().filter(|(n, _)| n.contains("ratelimit")).enumerate() {
                    values[(n / one_in + 3 * at) % values.len()].clone_into(&mut header.1);
                }
            }
        });
    });
}

#[tokio::test(start_paused = true)]
async fn headers_that_say_nonsense_are_not_believed() {
    for (one_in, least) in [(1, 0.97), (2, 0.97), (7, 0.97)] {
        let wire = Moody::new(Settings::default(), Line::Typical);
        garble(&wire.direct, one_in);
        let flow = flow(&client(wire, 1), 6_000, 64).await;
        println!("one in {one_in}: {:.2} %", 100.0 * flow.used(300.0));
        assert_eq!(flow.throttled, 0, "one in {one_in}");
        assert!(flow.used(300.0) >= least, "one in {one_in}: {flow:?}");
    }
}
