//! The journal tells how a run went: what might leave, how often it was throttled, what it waited for.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rosterdiff::api::Options;
use rosterdiff::apply::Outcome;
use rosterdiff::apply::journal::{self, Tail};
use rosterdiff::apply::ledger::Event;
use rosterdiff::sim::{Org, Settings};

use super::rig::{Mischance, apply_with, is_create, org_of, outcomes, rig, rig_with, roster_of};
use crate::support::scratch;

/// Events of a journal that are about no row.
fn pulse(dir: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    let is_pulse = |event: &Event| {
        matches!(event, Event::Pace { .. } | Event::Throttled { .. } | Event::Wait { .. } | Event::Resumed { .. })
    };
    journal::replay_with(&dir.join(journal::FILE), |line| events.extend(Some(line.event.clone()).filter(is_pulse)))
        .unwrap();
    events
}

fn pace(allowed: u32, window_s: u64, tokens: u32, per_min: Option<u32>) -> Event {
    Event::Pace { allowed, window_ms: window_s * 1_000, tokens, per_min }
}

#[tokio::test(start_paused = true)]
async fn the_allowed_rate_is_told_once_when_it_is_known_and_again_when_it_changes() {
    let dir = scratch();
    let mut org = org_of(0, Settings { rate_allowed: 120, reset_plus_one: true, ..Settings::default() });
    let mut n = 0;
    org.before_each(move |org: &mut Org, request, _| {
        n += u32::from(is_create(request));
        if n == 200 {
            org.settings_mut().rate_allowed = 60;
        }
    });
    let rig = rig_with(org, Options { n_tokens: 2, per_min: Some(600.0) }, |_, _| Mischance::None);
    let plan = rig.plan(&roster_of(0, 300)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 300);
    let paces: Vec<Event> = pulse(dir.path()).into_iter().filter(|event| matches!(event, Event::Pace { .. })).collect();
    assert_eq!(paces, [pace(120, 60, 2, Some(600)), pace(60, 60, 2, Some(600))]);
}

#[tokio::test(start_paused = true)]
async fn without_headers_the_documented_rate_is_told() {
    let dir = scratch();
    let rig = rig(org_of(0, Settings { rate_headers: false, ..Settings::default() }));
    let plan = rig.plan(&roster_of(0, 10)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(pulse(dir.path()), [pace(300, 60, 1, None)]);
}

#[tokio::test(start_paused = true)]
async fn throttled_calls_are_counted_at_most_once_a_second_and_to_the_last() {
    let dir = scratch();
    let settings = Settings { rate_headers: false, create_rate_allowed: Some(40), ..Settings::default() };
    let rig = rig(org_of(0, settings));
    let plan = rig.plan(&roster_of(0, 200)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 200);
    let told: Vec<u64> = pulse(dir.path())
        .into_iter()
        .filter_map(|event| if let Event::Throttled { n } = event { Some(n) } else { None })
        .collect();
    assert!(!told.is_empty() && told.is_sorted() && told.windows(2).all(|two| two[0] < two[1]), "{told:?}");
    assert_eq!(told.last(), Some(&rig.client.tally().throttled));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_creates_is_told_from_its_beginning_to_its_end() {
    let dir = scratch();
    let n = Arc::new(AtomicU64::new(0));
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), move |_, request| {
        let is_away = is_create(request) && (20..26).contains(&n.fetch_add(1, Ordering::Relaxed));
        if is_away { Mischance::Refused } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 60)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let waits: Vec<Event> =
        pulse(dir.path()).into_iter().filter(|event| !matches!(event, Event::Pace { .. })).collect();
    let why = || "creates".to_owned();
    assert_eq!(waits, [Event::Wait { why: why() }, Event::Resumed { why: why() }]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_searches_is_told_as_one_of_searches() {
    let dir = scratch();
    let n = Arc::new(AtomicU64::new(0));
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), move |at, request| {
        if is_create(request) {
            return if at % 7 == 3 { Mischance::LostAfter } else { Mischance::None };
        }
        let is_look = request.path == "/api/v2/users/search";
        if is_look && n.fetch_add(1, Ordering::Relaxed) < 20 { Mischance::Refused } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 40)).await;
    apply_with(&rig.client, &plan, dir.path(), Duration::from_secs(60)).await.unwrap();
    let done = outcomes(&plan, dir.path());
    assert_eq!(done.of(Outcome::Created) + done.of(Outcome::Adopted), 40, "{done:?}");
    let waits: Vec<Event> =
        pulse(dir.path()).into_iter().filter(|event| !matches!(event, Event::Pace { .. })).collect();
    let [searches, settling] = ["searches", "settling"].map(str::to_owned);
    // Nobody is left to create when the searches fail: then it is the service that is waited for.
    let told = [
        Event::Wait { why: settling.clone() },
        Event::Wait { why: searches.clone() },
        Event::Resumed { why: settling },
        Event::Resumed { why: searches },
    ];
    assert_eq!(waits, told);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_a_429_costs_is_told_as_a_wait() {
    let dir = scratch();
    let n = Arc::new(AtomicU64::new(0));
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), move |_, request| {
        let is_throttled = is_create(request) && n.fetch_add(1, Ordering::Relaxed) == 20;
        if is_throttled { Mischance::Answered(429) } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 60)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 60);
    let told: Vec<Event> = pulse(dir.path()).into_iter().filter(|event| !matches!(event, Event::Pace { .. })).collect();
    let why = || "throttled".to_owned();
    assert_eq!(told, [Event::Throttled { n: 1 }, Event::Wait { why: why() }, Event::Resumed { why: why() }]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_only_looks_rows_up_says_that_it_waits_for_them() {
    let dir = scratch();
    let rig = rig_with(org_of(0, Settings::default()), Options::default(), move |at, request| {
        if is_create(request) && at == 30 { Mischance::LostBefore } else { Mischance::None }
    });
    let plan = rig.plan(&roster_of(0, 40)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    assert_eq!(outcomes(&plan, dir.path()).of(Outcome::Created), 40);
    let waits: Vec<Event> =
        pulse(dir.path()).into_iter().filter(|event| !matches!(event, Event::Pace { .. })).collect();
    let why = || "settling".to_owned();
    assert_eq!(waits, [Event::Wait { why: why() }, Event::Resumed { why: why() }]);
}

#[tokio::test(start_paused = true)]
async fn who_follows_a_journal_reads_what_is_new_and_nothing_twice() {
    let dir = scratch();
    let rig = rig(org_of(0, Settings { rate_allowed: 1_000_000, ..Settings::default() }));
    let plan = rig.plan(&roster_of(0, 400)).await;
    rig.apply(&plan, dir.path()).await.unwrap();
    let whole = std::fs::read(dir.path().join(journal::FILE)).unwrap();

    // The same journal, as somebody sees it who looks while it is written: in pieces that end anywhere.
    let growing = dir.path().join("growing.jsonl");
    let mut tail = Tail::new(growing.clone());
    let (mut n_lines, mut n_looks) = (0, 0);
    assert_eq!(tail.catch_up(|_| {}).unwrap(), 0, "there is none yet");
    for end in (0..whole.len()).step_by(4_999).chain([whole.len(), whole.len(), whole.len()]) {
        std::fs::write(&growing, &whole[..end]).unwrap();
        n_lines += tail.catch_up(|_| {}).unwrap();
        n_looks += 1;
    }
    let replayed = journal::replay(&dir.path().join(journal::FILE)).unwrap();
    assert_eq!((*tail.ledger()).clone(), replayed.ledger);
    assert_eq!(n_lines, replayed.ledger.n_lines);
    // Every byte once, and of each look no more than the line that was torn.
    let longest = whole.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap();
    let most = whole.len() + n_looks * longest;
    assert!((whole.len()..most).contains(&usize::try_from(tail.n_bytes_read()).unwrap()), "{}", tail.n_bytes_read());
    // What was read is not there any more.
    std::fs::write(&growing, &whole[..whole.len() / 2]).unwrap();
    assert!(tail.catch_up(|_| {}).is_err());
}
