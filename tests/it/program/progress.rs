//! What a terminal shows while a run goes on, what it does not need to show, and what is told before a run begins.

use std::process::{Command, Stdio};
use std::time::Duration;

use rosterdiff::sim::Settings;
use serde_json::json;

use super::kill::set_latency;
use super::world::{World, fast, people};
use crate::support::Ran;

/// A service that allows so many calls in short windows.
fn windows(allowed: u32) -> Settings {
    Settings { rate_allowed: allowed, rate_window: Duration::from_secs(3), ..Settings::default() }
}

/// From now on somebody else has spent the window of every token when its first call comes.
pub fn spend_the_window(world: &World, allowed: u32) {
    world.server.with_org(|org| {
        org.after_each(move |_, request, reply| {
            let is_first = request.path.ends_with("/organizations/me");
            for (_, count) in reply.headers.iter_mut().filter(|(name, _)| is_first && name == "inin-ratelimit-count") {
                *count = allowed.to_string();
            }
        });
    });
}

/// Runs a command on a terminal of so many columns; everything that the terminal was sent.
fn on_terminal(world: &World, line: &str, columns: u16, env: &[(&str, &str)]) -> String {
    let inner = world.command(line);
    let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap());
    let words: Vec<String> = std::iter::once(inner.get_program()).chain(inner.get_args()).map(quoted).collect();
    let shell = format!("stty cols {columns} rows 24; exec {}", words.join(" "));
    let mut script = Command::new("script");
    script.args(["-qefc", &shell, "/dev/null"]).stdin(Stdio::null()).current_dir(world.dir.path());
    script.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.env("PATH", std::env::var("PATH").unwrap()).env("TERM", "xterm").env("SHELL", "/bin/sh");
    let ran = Ran::of(script.envs(env.iter().copied()).output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.out
}

/// The lines that were drawn, without what moves the cursor.
fn drawn(sent: &str) -> Vec<String> {
    let mut text = String::new();
    let mut rest = sent.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            rest.by_ref().find(char::is_ascii_alphabetic);
            text.push('\n');
        } else {
            text.push(if c == '\r' { '\n' } else { c });
        }
    }
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Escape sequences that set a colour or a weight.
fn n_colours(sent: &str) -> usize {
    sent.split('\u{1b}')
        .skip(1)
        .filter(|rest| rest.find(|c: char| c.is_ascii_alphabetic()).is_some_and(|at| rest.as_bytes()[at] == b'm'))
        .count()
}

#[test]
fn a_terminal_shows_how_far_a_run_is_how_fast_for_how_long_and_why_it_waits() {
    let world = World::planned(windows(20), &people(70));
    spend_the_window(&world, 20);
    let lines = drawn(&on_terminal(&world, "apply hr.plan --yes", 140, &[]));
    let has = |needle: &[&str]| lines.iter().any(|line| needle.iter().all(|part| line.contains(part)));
    assert!(has(&["Users done: ", " of 70, ", " a minute of 400 allowed, ", " s left"]), "{lines:?}");
    assert!(has(&["; waiting for the next window: 20 of 20 calls used, goes on in "]), "{lines:?}");
    assert!(has(&["70 new = 70 created + 0 adopted"]), "{lines:?}");
    // The last word is not that of a line of progress.
    assert!(lines.last().unwrap().starts_with("Results: "), "{lines:?}");
}

#[test]
fn a_narrow_terminal_gets_lines_that_fit_and_no_terminal_gets_colours() {
    let world = World::planned(windows(20), &people(70));
    spend_the_window(&world, 20);
    let sent = on_terminal(&world, "apply hr.plan --yes", 40, &[("NO_COLOR", "1")]);
    let lines = drawn(&sent);
    let progress: Vec<&String> = lines.iter().filter(|line| line.contains(" of 70")).collect();
    assert!(progress.len() > 3 && progress.iter().all(|line| line.trim_end().chars().count() < 40), "{progress:?}");
    assert!(progress.iter().any(|line| line.contains("; next window: ")), "{progress:?}");
    assert_eq!(n_colours(&sent), 0, "{sent:?}");
}

#[test]
fn a_terminal_that_can_take_no_line_back_is_sent_whole_lines_and_no_escapes() {
    let world = World::planned(windows(20), &people(45));
    let sent = on_terminal(&world, "apply hr.plan --yes", 80, &[("TERM", "dumb")]);
    assert!(!sent.contains('\u{1b}'), "{sent:?}");
    assert!(sent.lines().any(|line| line.starts_with("Users done: ")), "{sent:?}");
    assert!(sent.lines().any(|line| line.starts_with("45 new = 45 created")), "{sent:?}");
}

#[test]
fn a_run_that_goes_on_shows_the_rate_of_its_own_rows() {
    let world = World::planned(fast(), &people(60));
    world.done("apply hr.plan --yes -q --canary 40 --accept-new-domains");
    // Everything is done: what is shown of a second run is not that it did forty rows at once.
    let lines = drawn(&on_terminal(&world, "apply hr.plan --yes", 140, &[]));
    assert!(lines.iter().all(|line| !line.contains(" a minute of")), "{lines:?}");
}

#[test]
fn reading_back_deleting_and_looking_rows_up_are_shown_the_same_way() {
    let world = World::planned(fast(), &people(250));
    set_latency(&world, 60);
    for (line, label) in [
        ("snapshot -o again.parquet", "Users read: "),
        ("apply hr.plan --yes", "Users done: "),
        ("verify hr.plan", "Users read back: "),
        ("rollback hr.plan --yes", "Users deleted: "),
    ] {
        let lines = drawn(&on_terminal(&world, line, 140, &[]));
        assert!(lines.iter().any(|shown| shown.starts_with(label)), "{line}: {lines:?}");
    }
    world.write("other.csv", people(120));
    world.write("export.csv", "email\nada@example.com\n");
    // An export proves nothing: every row is looked up.
    let lines = drawn(&on_terminal(&world, "plan other.csv --snapshot export.csv -o other.plan", 140, &[]));
    assert!(lines.iter().any(|shown| shown.starts_with("Addresses looked up: ")), "{lines:?}");
}

#[test]
fn nothing_but_a_terminal_gets_progress() {
    let world = World::planned(windows(20), &people(30));
    let ran = world.done("apply hr.plan --yes");
    assert!(!ran.err.contains("Users done") && !ran.err.contains('\u{1b}') && !ran.err.contains('\r'), "{ran:?}");
}

#[test]
fn a_forecast_comes_before_a_run_and_ends_a_plan() {
    let world = World::new(Settings::default());
    world.write("hr.csv", people(693));
    world.done("snapshot -o org.parquet -q");
    // A plan from a file has heard nothing of the service.
    let ran = world.done("plan hr.csv --snapshot org.parquet -o hr.plan --json");
    let line = "693 users to create: about 2 min 19 s at the documented 300 a minute; about 14 s with --tokens 10.";
    assert_eq!((ran.err.lines().last(), &ran.json()["forecast_s"]), (Some(line), &json!(139)), "{ran:?}");
    let ran = world.done("plan hr.csv --snapshot org.parquet -o capped.plan --per-min 100 --json");
    assert_eq!(ran.err.lines().last(), Some("693 users to create: about 6 min 56 s at the documented 100 a minute."));
    // One that takes the snapshot itself has.
    let ran = world.done("plan hr.csv -o own.plan --tokens 2");
    let line = "693 users to create: about 1 min 10 s at 600 a minute with 2 tokens; about 14 s with --tokens 10.";
    assert_eq!(ran.err.lines().last(), Some(line), "{ran:?}");
    // It is told before anybody is asked.
    let ran = world.run("apply hr.plan --json");
    let line = "That takes about 2 min 19 s at 300 a minute; about 14 s with --tokens 10.";
    assert_eq!((ran.code, ran.err.lines().nth(1)), (Some(4), Some(line)), "{ran:?}");
    assert_eq!(ran.err.lines().next(), Some("693 users to create in \"Simulated Organisation\"."));
    assert_eq!(ran.json()["forecast_s"], 139);
    assert_eq!(world.n_posts(), 0);
}

#[test]
fn of_nothing_there_is_no_forecast() {
    let world = World::planned(fast(), &people(3));
    world.done("apply hr.plan --yes -q");
    let ran = world.done("apply hr.plan --yes --json");
    assert!(!ran.err.contains("about"), "{ran:?}");
    assert_eq!(ran.json()["forecast_s"], 0);
    let ran = world.done("plan hr.csv -o again.plan --json");
    assert!(!ran.err.contains("about"), "{ran:?}");
    assert_eq!(ran.json()["forecast_s"], 0);
}
