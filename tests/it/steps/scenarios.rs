//! The scenarios of `data/scenarios`, each with the whole job, as their comments promise it.

use std::time::Duration;

use rosterdiff::apply::Outcome;
use rosterdiff::sim::Scenario;

use super::job::{Done, Job};
use crate::support::data;

/// Rows of the roster: those whom the scenario may have, and new ones.
const N_NEW: usize = 300;

fn scenario(name: &str) -> Scenario {
    let text = std::fs::read_to_string(data("scenarios").join(format!("{name}.toml"))).unwrap();
    Scenario::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Does the job in a scenario, with a roster of every fortieth user who is there, and new people between them.
async fn job(name: &str) -> Done {
    let org = scenario(name).org().unwrap();
    let users = org.users();
    let old = users.iter().step_by(users.len() / 50).map(|user| format!("{},Somebody\n", user.email.to_uppercase()));
    let new = (0..N_NEW).map(|n| format!("New{n}@example.com,New {n}\n"));
    let roster = format!("email,name\n{}", old.chain(new).collect::<String>());
    let job = Job { rest: Duration::from_secs(30), n_runs: 4, ..Job::new(org, roster) };
    let done = job.run().await.unwrap();
    assert_eq!(done.n_astray, 0, "{name}: {done:?}");
    assert_eq!((done.verdict("new"), done.new_again), (N_NEW as u64, 0), "{name}: {done:?}");
    assert!(done.is_proven && done.verdict("present") >= 25, "{name}: {done:?}");
    assert_eq!(done.exits.last(), Some(&0), "{name}: {done:?}");
    done
}

fn of(done: &Done, outcome: Outcome) -> u64 {
    done.outcomes.of(outcome)
}

/// Every new row was created, in one run and without one conflict.
fn assert_plain(name: &str, done: &Done) {
    assert_eq!((of(done, Outcome::Created), done.n_posts), (N_NEW as u64, N_NEW as u64), "{name}: {done:?}");
    assert_eq!((done.n_conflicts, done.exits.as_slice()), (0, &[0][..]), "{name}: {done:?}");
}

#[tokio::test(start_paused = true)]
async fn calm_meets_neither_a_409_nor_a_429() {
    let done = job("calm").await;
    assert_plain("calm", &done);
    assert!(done.n_throttled == 0 && done.is_complete, "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_busy_token_is_shared() {
    let done = job("busy-token").await;
    assert_plain("busy-token", &done);
    assert!(done.n_throttled <= 3, "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flaky_network_creates_nobody_twice_and_loses_nobody() {
    let done = job("flaky-network").await;
    assert_eq!(of(&done, Outcome::Created) + of(&done, Outcome::Adopted), N_NEW as u64, "{done:?}");
    assert!(of(&done, Outcome::Adopted) > 0, "nothing was lost on its way: {done:?}");
}

#[tokio::test(start_paused = true)]
async fn behind_the_caps_of_a_huge_organisation_rows_are_looked_up() {
    let done = job("huge-capped").await;
    assert_plain("huge-capped", &done);
    assert!(!done.is_complete && done.n_searches > 0 && done.n_throttled == 0, "{done:?}");
    assert!(done.verdict("deleted") > 10, "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn whom_strangers_create_first_is_taken() {
    let done = job("strangers").await;
    assert_eq!(of(&done, Outcome::Created) + of(&done, Outcome::Taken), N_NEW as u64, "{done:?}");
    assert!(of(&done, Outcome::Taken) > 0 && of(&done, Outcome::Taken) == done.n_conflicts, "{done:?}");
    assert_eq!(done.exits, [0], "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_holder_that_is_told_with_400_is_taken_too() {
    let done = job("conflict-400").await;
    assert_eq!(of(&done, Outcome::Created) + of(&done, Outcome::Taken), N_NEW as u64, "{done:?}");
    assert!(of(&done, Outcome::Taken) > 0 && done.n_conflicts == 0 && done.exits == [0], "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_of_before_2021_is_waited_out() {
    let done = job("old-429").await;
    assert_eq!((of(&done, Outcome::Created), done.n_conflicts), (N_NEW as u64, 0), "{done:?}");
    assert_eq!((done.n_posts, done.exits.as_slice()), (N_NEW as u64 + done.n_throttled, &[0][..]), "{done:?}");
    // Once in every window, with whatever was in the air.
    assert!((1..=20).contains(&done.n_throttled), "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn without_rate_headers_the_endpoint_of_limits_is_asked() {
    let done = job("no-rate-headers").await;
    assert_plain("no-rate-headers", &done);
    assert_eq!(done.n_throttled, 0, "{done:?}");
}

/// Each is tried above, listed in the README of the data, and begins with what it stands for.
#[test]
fn every_scenario_is_described_and_tried() {
    let mut names: Vec<String> = std::fs::read_dir(data("scenarios"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    let tried = [
        "busy-token",
        "calm",
        "conflict-400",
        "flaky-network",
        "huge-capped",
        "no-rate-headers",
        "old-429",
        "strangers",
    ];
    assert_eq!(names, tried);
    let readme = std::fs::read_to_string(data("README.md")).unwrap();
    for name in &names {
        assert!(readme.contains(&format!("`scenarios/{name}.toml`")), "{name}");
        let text = std::fs::read_to_string(data("scenarios").join(format!("{name}.toml"))).unwrap();
        let comment: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(comment.contains("Stands for:") && comment.contains("Expect of rosterdiff:"), "{name}");
        scenario(name);
    }
}
