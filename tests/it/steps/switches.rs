//! Both sides of every switch: what nobody could source about the service may turn out either way, and the whole job comes
//! to the right end on each side.

use std::collections::BTreeSet;
use std::time::Duration;

use rosterdiff::apply::Outcome;
use rosterdiff::sim::{Maintenance, Org, PageCaps, RetryAfter, Settings, State};

use super::job::{Done, Job};

/// Names the switches, and does not compile while one of [`Settings`] is missing.
macro_rules! switches {
    ($($name:ident),* $(,)?) => {
        const SWITCHES: &[&str] = &[$(stringify!($name)),*];

        #[allow(dead_code)]
        fn every_switch_is_named(Settings { $($name: _),* }: Settings) {}

        fn is_set(name: &str, settings: &Settings) -> bool {
            let default = Settings::default();
            match name {
                $(stringify!($name) => settings.$name != default.$name,)*
                _ => false,
            }
        }
    };
}

switches! {
    seed, org_name, divisions, divisions_shown, client_id, client_secret, bad_secret_status, token_lifetime,
    mints_per_minute, rate_allowed, create_rate_allowed, org_rate_allowed, rate_window, rate_window_slides,
    rate_headers, rate_headers_on_errors, reset_plus_one, retry_after, throttled_body_old, limits_shown,
    page_size_max, page_size_capped, page_cap, totals_stop_at, cursor, cursor_forbidden, cursor_cap,
    cursor_lifetime, search_page_size_max, search_cap, search_values_max, search_values_cut, search_usernames,
    search_folds_case, search_shows_deleted, case_insensitive, inactive_holds, deleted_holds, usernames_hold,
    deleted_conflict_status, conflict_code, ascii_addresses, text_chars_max, uniqueness_lags, stale_version_status,
    list_lag, search_lag, latency, finishes_orphans, maintenance, body_octets_max,
}

/// What a job has to come to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Want {
    /// Exit code of the first run of `apply`, or of what ended the job before.
    exit: u8,
    is_complete: bool,
    is_proven: bool,
    new: u64,
    present: u64,
    deleted: u64,
    created: u64,
    taken: u64,
    refused: u64,
    unknown: u64,
    conflicts: u64,
    /// Whether calls are throttled at all; so often that it is a storm, never.
    is_throttled: bool,
    is_storm: bool,
    /// Nobody twice, nobody lost, everybody as sent.
    n_astray: u64,
    new_again: u64,
}

/// One side of some switches: how they are set, and in what the end differs from the ordinary one.
struct Side {
    of: &'static [&'static str],
    set: fn(&mut Settings),
    want: fn(&mut Want),
    n_tokens: usize,
}

const fn side(of: &'static [&'static str], set: fn(&mut Settings), want: fn(&mut Want)) -> Side {
    Side { of, set, want, n_tokens: 1 }
}

const fn same(of: &'static [&'static str], set: fn(&mut Settings)) -> Side {
    side(of, set, |_| {})
}

/// Calls of some eighty that may be throttled where no header warns.
const THROTTLED_MAX: u64 = 30;
const N_OLD: usize = 60;
const N_NEW: usize = 40;

/// Sixty users; one who logs in under another address than his own; one in a division that a client may not see.
fn organisation(settings: Settings) -> Org {
    let mut org = Org::new(settings);
    let state = |n: usize| match n % 20 {
        5 => "deleted",
        0 | 10 => "inactive",
        _ => "active",
    };
    let old: String = (0..N_OLD).map(|n| format!("old{n}@example.com,,Old {n},{},Home\n", state(n))).collect();
    let odd = "renamed@example.com,login@example.com,Renamed,active,Home\nfar@example.com,,Far,active,Elsewhere\n";
    org.seed_csv(&format!("email,username,name,state,division\n{old}{odd}")).unwrap();
    org
}

/// Twenty of the sixty in another case, both odd ones, people whom nobody has, two whom a service may refuse, and three whom
/// strangers create meanwhile.
fn roster() -> String {
    let row = |email: String, name: String| format!("{email},{name},Sales\n");
    let old = (0..20).map(|n| row(format!("OLD{n}@Example.com"), format!("Old {n}")));
    let new = (0..N_NEW).map(|n| row(format!("New{n}@example.com"), format!("New {n}")));
    let held = ["login", "far"].map(|local| row(format!("{local}@example.com"), "Held".to_owned()));
    let odd = [
        row("zo\u{eb}@example.com".to_owned(), "Zo\u{eb}".to_owned()),
        row("long@example.com".to_owned(), "Long ".repeat(60)),
    ];
    let raced = ["quick", "idle", "gone"].map(|local| row(format!("{local}@example.com"), "Raced".to_owned()));
    format!("email,name,department\n{}", old.chain(new).chain(held).chain(odd).chain(raced).collect::<String>())
}

fn strangers(org: &mut Org, now: Duration) {
    for (local, state) in [("quick", State::Active), ("idle", State::Inactive), ("gone", State::Deleted)] {
        assert!(org.stranger_creates(&format!("{local}@example.com"), state, now).is_some());
    }
}

/// The ordinary end.
const fn ordinary() -> Want {
    let n_new = N_NEW as u64 + 5;
    Want {
        exit: 0,
        is_complete: true,
        is_proven: true,
        new: n_new,
        present: 21,
        deleted: 1,
        created: n_new - 3,
        taken: 3,
        refused: 0,
        unknown: 0,
        conflicts: 3,
        is_throttled: false,
        is_storm: false,
        n_astray: 0,
        new_again: 0,
    }
}

/// Logging in fails: nothing was read and nothing was sent.
fn locked_out(want: &mut Want) {
    *want = Want {
        exit: 5,
        is_complete: false,
        is_proven: false,
        new: 0,
        present: 0,
        deleted: 0,
        created: 0,
        taken: 0,
        conflicts: 0,
        ..ordinary()
    };
}

/// Listings end early and no cursor goes on: what is not listed is looked up.
fn capped(settings: &mut Settings) {
    settings.page_cap = PageCaps { active: Some(24), inactive: Some(4), deleted: Some(2), any: Some(24) };
    (settings.page_size_max, settings.page_size_capped) = (2, true);
    settings.cursor = false;
}

/// The same with a cursor behind the caps.
fn walked(settings: &mut Settings) {
    capped(settings);
    settings.cursor = true;
}

fn looked_up(want: &mut Want) {
    want.is_complete = false;
}

/// One create in so many is throttled, and the headers do not say so.
fn throttling(settings: &mut Settings) {
    settings.create_rate_allowed = Some(10);
}

fn throttled(want: &mut Want) {
    want.is_throttled = true;
}

fn refused(want: &mut Want) {
    (want.exit, want.refused, want.created, want.new_again) = (1, 1, want.created - 1, 1);
}

const SIDES: &[Side] = &[
    same(&["seed", "org_name"], |s| (s.seed, s.org_name) = (7, "Another".to_owned())),
    same(&["divisions"], |s| s.divisions.push("Third".to_owned())),
    // Whoever is hidden cannot be told from nobody: his create meets a 409, and who he is stays unknown.
    side(
        &["divisions_shown"],
        |s| s.divisions_shown = Some(1),
        |w| {
            (w.new, w.present, w.conflicts) = (w.new + 1, w.present - 1, w.conflicts + 1);
            (w.unknown, w.exit, w.new_again) = (1, 1, 1);
        },
    ),
    same(&["divisions_shown"], |s| s.divisions_shown = Some(2)),
    side(&["client_id"], |s| s.client_id = "other".to_owned(), locked_out),
    side(
        &["client_secret", "bad_secret_status"],
        |s| (s.client_secret, s.bad_secret_status) = ("other".to_owned(), 401),
        locked_out,
    ),
    same(&["token_lifetime"], |s| s.token_lifetime = Duration::from_secs(20)),
    same(&["mints_per_minute", "token_lifetime"], |s| {
        (s.mints_per_minute, s.token_lifetime) = (Some(1), Duration::from_secs(45));
    }),
    same(&["rate_allowed"], |s| s.rate_allowed = 12),
    side(&["create_rate_allowed"], throttling, throttled),
    Side { n_tokens: 3, ..side(&["org_rate_allowed"], |s| s.org_rate_allowed = Some(15), throttled) },
    Side { n_tokens: 3, ..same(&["rate_allowed"], |s| s.rate_allowed = 15) },
    same(&["rate_window"], |s| (s.rate_window, s.rate_allowed) = (Duration::from_secs(7), 10)),
    same(&["rate_window_slides"], |s| (s.rate_window_slides, s.rate_allowed) = (true, 300)),
    same(&["rate_window_slides"], |s| (s.rate_window_slides, s.rate_allowed) = (true, 12)),
    same(&["rate_headers"], |s| s.rate_headers = false),
    same(&["rate_headers", "rate_allowed"], |s| (s.rate_headers, s.rate_allowed) = (false, 20)),
    side(
        &["rate_headers", "limits_shown"],
        |s| (s.rate_headers, s.limits_shown, s.rate_allowed) = (false, false, 20),
        throttled,
    ),
    side(
        &["rate_headers_on_errors"],
        |s| {
            throttling(s);
            s.rate_headers_on_errors = false;
        },
        throttled,
    ),
    same(&["reset_plus_one"], |s| (s.reset_plus_one, s.rate_allowed) = (true, 12)),
    side(
        &["retry_after"],
        |s| {
            throttling(s);
            s.retry_after = RetryAfter::Date;
        },
        throttled,
    ),
    side(
        &["retry_after", "throttled_body_old", "rate_headers_on_errors"],
        |s| {
            throttling(s);
            (s.retry_after, s.throttled_body_old, s.rate_headers_on_errors) = (RetryAfter::Absent, true, false);
        },
        throttled,
    ),
    same(&["page_size_max", "page_size_capped"], |s| (s.page_size_max, s.page_size_capped) = (7, true)),
    same(&["page_size_max"], |s| s.page_size_max = 100),
    side(&["page_cap", "cursor"], capped, looked_up),
    same(&["page_cap"], walked),
    side(
        &["cursor_forbidden"],
        |s| {
            walked(s);
            s.cursor_forbidden = true;
        },
        looked_up,
    ),
    // Good for no page at all, and for one at a time.
    side(
        &["cursor_lifetime"],
        |s| {
            walked(s);
            (s.cursor_lifetime, s.latency) = (Some(Duration::from_millis(50)), Duration::from_millis(100));
        },
        looked_up,
    ),
    same(&["cursor_lifetime"], |s| {
        walked(s);
        s.cursor_lifetime = Some(Duration::from_secs(60));
    }),
    // Behind a cap the walk has to come to as many as the total says.
    side(
        &["cursor_cap"],
        |s| {
            walked(s);
            s.cursor_cap = Some(30);
        },
        looked_up,
    ),
    // Totals that end with a page, and in the middle of one.
    side(
        &["totals_stop_at"],
        |s| (s.totals_stop_at, s.page_size_max, s.page_size_capped) = (Some(25), 25, true),
        looked_up,
    ),
    side(
        &["totals_stop_at"],
        |s| (s.totals_stop_at, s.page_size_max, s.page_size_capped) = (Some(40), 25, true),
        looked_up,
    ),
    side(
        &["search_page_size_max", "search_cap"],
        |s| {
            capped(s);
            (s.search_page_size_max, s.search_cap) = (25, Some(25));
        },
        looked_up,
    ),
    side(
        &["search_values_max"],
        |s| {
            capped(s);
            s.search_values_max = 9;
        },
        looked_up,
    ),
    side(
        &["search_values_cut"],
        |s| {
            capped(s);
            (s.search_values_max, s.search_values_cut) = (9, true);
        },
        looked_up,
    ),
    side(
        &["search_usernames"],
        |s| {
            capped(s);
            s.search_usernames = false;
        },
        // Whoever logs in under an address and is not listed cannot be found, before the 409 or behind it.
        |w| {
            looked_up(w);
            (w.new, w.present, w.conflicts) = (w.new + 1, w.present - 1, w.conflicts + 1);
            (w.unknown, w.exit, w.new_again) = (1, 1, 1);
        },
    ),
    side(
        &["search_folds_case"],
        |s| {
            capped(s);
            s.search_folds_case = false;
        },
        // Somebody may be spelt in a way that nobody asked for: found or not, that is no proof.
        |w| (w.is_complete, w.is_proven) = (false, false),
    ),
    side(
        &["search_shows_deleted"],
        |s| {
            capped(s);
            s.search_shows_deleted = true;
        },
        looked_up,
    ),
    same(&["case_insensitive"], |s| s.case_insensitive = false),
    side(
        &["inactive_holds"],
        |s| s.inactive_holds = false,
        |w| (w.created, w.taken, w.conflicts) = (w.created + 1, w.taken - 1, w.conflicts - 1),
    ),
    side(
        &["deleted_holds"],
        |s| s.deleted_holds = false,
        |w| (w.created, w.taken, w.conflicts) = (w.created + 1, w.taken - 1, w.conflicts - 1),
    ),
    same(&["usernames_hold"], |s| s.usernames_hold = false),
    side(&["deleted_conflict_status"], |s| s.deleted_conflict_status = 400, |w| w.conflicts = 2),
    same(&["conflict_code"], |s| s.conflict_code = "general.resource.conflict".to_owned()),
    side(
        &["conflict_code", "deleted_conflict_status"],
        |s| (s.conflict_code, s.deleted_conflict_status) = ("bad.request".to_owned(), 400),
        |w| {
            refused(w);
            // Whom the service refused it shows as deleted afterwards: not new again.
            (w.created, w.taken, w.conflicts, w.new_again) = (ordinary().created, 2, 2, 0);
        },
    ),
    side(&["ascii_addresses"], |s| s.ascii_addresses = true, refused),
    side(&["text_chars_max"], |s| s.text_chars_max = Some(100), refused),
    side(&["body_octets_max"], |s| s.body_octets_max = 350, refused),
    same(&["uniqueness_lags", "search_lag"], |s| (s.uniqueness_lags, s.search_lag) = (true, Duration::from_secs(20))),
    same(&["list_lag", "search_lag"], |s| {
        (s.list_lag, s.search_lag) = (Duration::from_secs(60), Duration::from_secs(90))
    }),
    same(&["latency"], |s| s.latency = Duration::from_millis(1_600)),
    same(&["maintenance", "latency"], |s| {
        s.latency = Duration::from_millis(300);
        s.maintenance =
            Some(Maintenance { begins: Duration::from_secs(125), lasts: Duration::from_secs(240), html: false });
    }),
    same(&["maintenance", "latency"], |s| {
        s.latency = Duration::from_millis(300);
        s.maintenance =
            Some(Maintenance { begins: Duration::from_secs(125), lasts: Duration::from_secs(240), html: true });
    }),
];

/// Where the other side of a switch is tried that no plain job meets.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "stale_version_status",
        include_str!("restore.rs"),
        "Settings { stale_version_status: status, ..Settings::default() }",
    ),
    ("finishes_orphans", include_str!("../program/kill.rs"), "settings_mut().finishes_orphans = finishes_orphans"),
];

fn got(done: &Done) -> Want {
    let of = |outcome| done.outcomes.of(outcome);
    Want {
        exit: done.exits[0],
        is_complete: done.is_complete,
        is_proven: done.is_proven,
        new: done.verdict("new"),
        present: done.verdict("present"),
        deleted: done.verdict("deleted"),
        created: of(Outcome::Created) + of(Outcome::Adopted),
        taken: of(Outcome::Taken),
        refused: of(Outcome::Refused),
        unknown: of(Outcome::Unknown),
        conflicts: done.n_conflicts,
        is_throttled: done.n_throttled > 0,
        is_storm: done.n_throttled > THROTTLED_MAX,
        n_astray: done.n_astray,
        new_again: done.new_again,
    }
}

/// Does the job on one side; what came of it beside what was wanted.
async fn tried(side: &Side) -> (Want, Want, String) {
    let mut settings = Settings { divisions: ["Home", "Elsewhere"].map(str::to_owned).into(), ..Settings::default() };
    (side.set)(&mut settings);
    let job = Job { n_tokens: side.n_tokens, meanwhile: strangers, ..Job::new(organisation(settings), roster()) };
    let mut want = ordinary();
    (side.want)(&mut want);
    match job.run().await {
        Ok(done) => {
            let told = format!("{done:?}");
            (want, got(&done), told)
        }
        Err(error) => {
            let mut ended = ordinary();
            locked_out(&mut ended);
            let n_posts = job.direct.with_org(|org| org.counts().n("POST", "/api/v2/users"));
            assert_eq!(n_posts, 0, "{error}");
            (want, Want { exit: error.kind().exit_code(), ..ended }, error.to_string())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_whole_job_comes_to_the_right_end_on_both_sides_of_every_switch() {
    let (want, ended, told) = tried(&same(&[], |_| {})).await;
    assert_eq!(ended, want, "{told}");
    let mut wrong = Vec::new();
    for side in SIDES {
        let (want, ended, told) = tried(side).await;
        if ended != want {
            wrong.push(format!("{:?}:\n  wanted {want:?}\n  got    {ended:?}\n  {told}", side.of));
        }
    }
    assert!(wrong.is_empty(), "{} sides of {} end wrong:\n{}", wrong.len(), SIDES.len(), wrong.join("\n"));
}

#[test]
fn no_switch_is_left_out() {
    let elsewhere = ELSEWHERE.iter().map(|(name, text, set)| {
        assert!(text.contains(set), "{name} is not tried where it is said to be");
        *name
    });
    let tried: BTreeSet<&str> = SIDES.iter().flat_map(|side| side.of.iter().copied()).chain(elsewhere).collect();
    let named: BTreeSet<&str> = SWITCHES.iter().copied().collect();
    assert_eq!(tried, named);
}

#[test]
fn every_side_differs_from_the_default_in_the_switches_that_it_names() {
    let mut left = Vec::new();
    for side in SIDES {
        let mut settings = Settings::default();
        (side.set)(&mut settings);
        left.extend(side.of.iter().filter(|name| !is_set(name, &settings)).map(|name| (*name, side.of)));
    }
    assert!(left.is_empty(), "as ever: {left:?}");
}
