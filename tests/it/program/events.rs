//! `--events FILE`: a run as lines of JSON. Whole, versioned, ended whatever happens, and without people.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rosterdiff::api::wire::{Reply, Request};
use rosterdiff::sim::{Org, Settings};
use serde_json::{Value, json};

use super::kill::set_latency;
use super::limits::limited;
use super::progress::spend_the_window;
use super::world::{NOWHERE, World, command, fast, people, table, until};
use crate::support::{Ran, data, scratch};

/// The lines of a record, held to what every record keeps.
fn events(world: &World, name: &str) -> Vec<Value> {
    let lines = of_text(&String::from_utf8(world.read(name)).unwrap());
    assert_eq!(std::fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777, 0o600);
    lines
}

fn of_text(text: &str) -> Vec<Value> {
    assert!(text.ends_with('\n'), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["type"], &lines[0]["v"], &lines[0]["tool"]),
        (&json!("version"), &json!(1), &json!("rosterdiff 0.1.0"))
    );
    for line in &lines {
        assert!(line["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok() && line["type"].is_string(), "{line}");
    }
    let ends = lines.iter().filter(|line| line["type"] == "end").count();
    assert_eq!((ends, &lines.last().unwrap()["type"]), (1, &json!("end")), "{lines:?}");
    assert_paired(&lines);
    lines
}

/// What begins ends, and what is waited for goes on.
fn assert_paired(lines: &[Value]) {
    let mut open = Vec::new();
    for line in lines {
        match (line["type"].as_str().unwrap(), line["what"].as_str()) {
            ("stage", Some("begin")) => open.push(line["stage"].clone()),
            ("stage", Some("end")) => {
                let at = open.iter().position(|stage| *stage == line["stage"]);
                open.swap_remove(at.unwrap_or_else(|| panic!("{line} never began")));
            }
            ("progress", _) => assert!(open.contains(&line["stage"]), "{line}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let n = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!(n("wait"), n("resumed"));
}

fn of<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

fn stages(lines: &[Value]) -> Vec<&str> {
    of(lines, "stage")
        .iter()
        .filter(|line| line["what"] == "begin")
        .map(|line| line["stage"].as_str().unwrap())
        .collect()
}

#[test]
fn a_run_is_told_from_its_version_to_its_object() {
    let world = World::sample(fast());
    for (line, told) in [
        ("snapshot -o org.parquet", vec!["snapshot"]),
        ("diff hr.csv --snapshot org.parquet -o new.csv", vec!["read", "compare", "write"]),
        ("plan hr.csv --snapshot org.parquet -o hr.plan", vec!["read", "compare", "write"]),
        ("apply hr.plan --yes", vec!["create"]),
        ("verify hr.plan", vec!["verify"]),
        ("rollback hr.plan --yes", vec!["check", "rollback"]),
    ] {
        let ran = world.done(&format!("{line} --json --events run.jsonl"));
        let lines = events(&world, "run.jsonl");
        assert_eq!(lines[0]["command"], line.split(' ').next().unwrap());
        assert_eq!(stages(&lines), told, "{line}");
        let end = lines.last().unwrap();
        assert_eq!((&end["exit"], &end["result"]), (&json!(0), &ran.json()), "{line}");
        let said: Vec<&str> = of(&lines, "said").iter().map(|said| said["text"].as_str().unwrap()).collect();
        assert_eq!(said, ran.err.lines().collect::<Vec<_>>(), "{line}");
        for stage in told {
            let last = of(&lines, "progress").into_iter().rfind(|progress| progress["stage"] == stage).unwrap();
            assert_eq!(last["done"], last["total"], "{line}: {last}");
        }
    }
}

#[test]
fn every_row_that_ends_is_told_once_with_its_outcome_and_its_attempts() {
    let world = World::planned(fast(), &people(30));
    // The first two are lost on their way back, another is refused.
    let mut n = 0;
    world.server.with_org(|org| {
        org.after_each(move |_, request, reply| {
            let is_create = request.path == "/api/v2/users" && !request.body.is_empty();
            n += u32::from(is_create);
            match n {
                1 | 2 if is_create => *reply = Reply { status: 502, headers: Vec::new(), body: Vec::new() },
                3 if is_create => *reply = Reply { status: 400, headers: Vec::new(), body: b"{}".to_vec() },
                _ => {}
            }
        });
    });
    let ran = world.run("apply hr.plan --yes --json --settle 2 --events run.jsonl");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines = events(&world, "run.jsonl");
    let rows = of(&lines, "row");
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *tally.entry(row["outcome"].as_str().unwrap()).or_default() += 1);
    assert_eq!(tally, BTreeMap::from([("adopted", 2), ("created", 27), ("refused", 1)]));
    let numbers: BTreeSet<u64> = rows.iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=30).collect());
    let results = ["created.csv", "refused.csv"].map(|name| table(&world.read(&format!("hr.plan/{name}")), b','));
    for result in results.concat() {
        let row = rows.iter().find(|row| row["row"].as_u64() == result["_row"].parse().ok()).unwrap();
        assert_eq!(
            (row["attempts"].to_string(), row["outcome"].as_str()),
            (result["_attempts"].clone(), Some(result["_outcome"].as_str()))
        );
    }
}

#[test]
fn what_a_run_waits_for_is_told_with_its_end() {
    let settings = Settings { rate_allowed: 12, rate_window: Duration::from_secs(4), ..Settings::default() };
    let world = World::planned(settings, &people(20));
    spend_the_window(&world, 12);
    world.done("apply hr.plan --yes -q --events run.jsonl");
    let lines = events(&world, "run.jsonl");
    let wait = of(&lines, "wait")[0];
    assert_eq!((&wait["why"], &wait["stage"]), (&json!("window"), &json!("create")), "{lines:?}");
    assert_eq!(wait["words"], "waiting for the next window: 12 of 12 calls used");
    let [at, until] = ["at", "until"].map(|key| wait[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap());
    assert!(until > at, "{wait}");
    let progress = of(&lines, "progress");
    // How long a window is shows when the next one begins.
    assert_eq!(progress.last().unwrap()["allowed_per_min"], 180, "{progress:?}");
    // Quiet is for people.
    assert!(of(&lines, "said").iter().any(|said| said["text"].as_str().unwrap().starts_with("20 new = 20 created")));
}

/// Cells of a column of a file in `data/`, and of the organisation.
fn words(name: &str, columns: &[&str]) -> BTreeSet<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(data(name)).unwrap();
    let header = reader.headers().unwrap().clone();
    let at = |column: &&str| header.iter().position(|name| name.trim_start_matches('\u{feff}') == *column).unwrap();
    let columns: Vec<usize> = columns.iter().map(at).collect();
    let cell = |row: &csv::StringRecord, at: usize| row.get(at).unwrap_or_default().trim().to_owned();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    let cells = rows.iter().map(|row| columns.iter().map(|at| cell(row, *at)).collect::<Vec<_>>().join(" "));
    cells.map(|cell| cell.to_lowercase()).filter(|cell| cell.len() > 6).collect()
}

#[test]
fn no_address_no_name_and_no_secret_is_in_any_event() {
    let world = World::sample(fast());
    // The service repeats everything that it was sent, in words and in codes.
    let mut n = 0;
    world.server.with_org(|org| {
        org.after_each(move |_, request: &Request, reply| {
            let is_create = request.path == "/api/v2/users" && !request.body.is_empty();
            n += u32::from(is_create);
            if is_create && n % 3 == 0 {
                let quote = format!("{} {:?}", String::from_utf8_lossy(&request.body), request.header("authorization"));
                let body = json!({ "status": 400, "code": quote, "message": quote, "contextId": quote });
                *reply = Reply { status: 400, headers: Vec::new(), body: body.to_string().into_bytes() };
            }
        });
    });
    let mut told = String::new();
    for (line, code) in [
        ("snapshot -o org.parquet", 0),
        ("diff hr.csv --snapshot org.parquet -o new.csv", 0),
        ("audit hr.csv org.parquet -o doubles.csv", 0),
        ("plan hr.csv --snapshot org.parquet -o hr.plan", 0),
        ("status hr.plan", 0),
        ("apply hr.plan --yes --max-failures 9999 --canary 2", 1),
        ("verify hr.plan", 0),
        ("rollback hr.plan --yes", 0),
        ("verify hr.plan --offline", 0),
        ("doctor hr.plan", 0),
    ] {
        let ran = world.run(&format!("{line} -v --events run.jsonl"));
        assert_eq!(ran.code, Some(code), "{line}: {ran:?}");
        events(&world, "run.jsonl");
        told += &String::from_utf8(world.read("run.jsonl")).unwrap().to_lowercase();
        told += &ran.err.to_lowercase();
    }
    let people =
        words("roster.csv", &["Work Email"]).into_iter().chain(words("roster.csv", &["First Name", "Last Name"]));
    let users = words("org.csv", &["email"]).into_iter().chain(words("org.csv", &["name"]));
    let all: BTreeSet<String> = people.chain(users).chain(["demo-secret".to_owned(), "bearer".to_owned()]).collect();
    assert!(all.len() > 4_000, "{}", all.len());
    let found: Vec<&String> = all.iter().filter(|word| told.contains(word.as_str())).collect();
    assert!(found.is_empty(), "told: {found:?}");
}

#[test]
fn a_file_that_is_no_record_of_events_is_kept_and_nothing_is_sent() {
    let world = World::planned(fast(), &people(3));
    world.write("mine.txt", "email\nada@example.com\n");
    std::os::unix::fs::symlink("hr.plan/manifest.json", world.path("link.jsonl")).unwrap();
    let n_before = world.n_requests();
    for (file, why) in [
        ("mine.txt", "something other than a record of events is in it"),
        ("hr.plan/manifest.json", "something other than a record of events is in it"),
        ("link.jsonl", "it is a link, a directory, a pipe or a device, and no file of its own"),
        ("hr.plan", "it is a link, a directory, a pipe or a device, and no file of its own"),
        ("nowhere/run.jsonl", "No such file"),
        ("/dev/full", "No space left"),
    ] {
        let ran = world.run(&format!("apply hr.plan --yes --json --events {file}"));
        assert_eq!((ran.code, &ran.json()["exit"]), (Some(3), &json!(3)), "{file}: {ran:?}");
        assert!(ran.err.starts_with("error: cannot ") && ran.err.contains(why), "{file}: {ran:?}");
    }
    assert_eq!(world.n_requests(), n_before);
    assert_eq!(world.read("mine.txt"), b"email\nada@example.com\n");
    world.done("verify hr.plan --offline -q");
    // Whereas one that is such a record is replaced.
    for line in ["apply hr.plan --yes --events run.jsonl", "status hr.plan --events run.jsonl"] {
        world.done(line);
    }
    assert_eq!(events(&world, "run.jsonl")[0]["command"], "status");
}

fn shell(world: &World, line: &str) -> Ran {
    let mut shell = Command::new("bash");
    let program = world.command("");
    shell.args(["-c", line]).env("ROSTERDIFF", program.get_program()).current_dir(world.dir.path());
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(shell.output().unwrap())
}

#[test]
fn events_go_through_pipes_and_descriptors_and_a_reader_who_leaves_stops_nothing() {
    let world = World::planned(fast(), &people(200));
    let apply = "\"$ROSTERDIFF\" apply hr.plan --yes --accept-empty-snapshot";
    let ran = shell(&world, "\"$ROSTERDIFF\" status hr.plan --events /dev/fd/3 3>&1 >/dev/null");
    assert_eq!(of_text(&ran.out)[0]["command"], "status", "{ran:?}");
    let ran = shell(&world, "\"$ROSTERDIFF\" status hr.plan --events /dev/fd/3 3>own.jsonl; cat own.jsonl");
    assert_eq!(of_text(&ran.out)[0]["command"], "status", "{ran:?}");
    // The reader of the pipe takes one line and is gone before there is another.
    let line = format!("mkfifo pipe; head -n 1 pipe > first & {apply} --events pipe; code=$?; wait; exit $code");
    let ran = shell(&world, &line);
    assert_eq!((ran.code, world.n_posts()), (Some(0), 200), "{ran:?}");
    let warnings: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 1, "{ran:?}");
    assert!(warnings[0].starts_with("warning: no more events are written to pipe: "), "{warnings:?}");
    let first: Value = serde_json::from_slice(&world.read("first")).unwrap();
    assert_eq!(first["command"], "apply");
    // And one who stays has it all.
    let ran = shell(&world, "cat pipe & \"$ROSTERDIFF\" verify hr.plan --events pipe; wait");
    assert_eq!(of_text(&ran.out).last().unwrap()["result"]["as_sent"], 200, "{ran:?}");
}

#[test]
fn a_disk_that_fills_up_ends_the_record_with_a_whole_line_and_not_the_run() {
    let dir = scratch();
    for name in ["roster.csv", "org.csv"] {
        std::fs::copy(data(name), dir.path().join(name)).unwrap();
    }
    let diff = command(dir.path(), NOWHERE, "diff roster.csv --snapshot org.csv --verdict all --events run.jsonl");
    // In a file there is no room for what is told of it; rows go to a pipe.
    let ran = Ran::of(limited(&diff, 1, "trap '' XFSZ;").output().unwrap());
    assert_eq!((ran.code, ran.out.lines().count() > 2_000), (Some(0), true), "{}", ran.err);
    assert_eq!(ran.err.matches("warning: no more events are written to run.jsonl: ").count(), 1, "{}", ran.err);
    let text = std::fs::read_to_string(dir.path().join("run.jsonl")).unwrap();
    assert!(text.ends_with('\n') && text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{text}");
    // Where there is none at all nothing is begun.
    let ran = Ran::of(limited(&diff, 0, "trap '' XFSZ;").output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{ran:?}");
}

fn signal(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Starts the `n`th apply, whose calls take long, and waits until some are in the air.
fn in_the_air(world: &World, n: usize, ms: u64) -> Child {
    set_latency(world, ms);
    let child = world.start("apply hr.plan --yes --json --events run.jsonl");
    until("creates in flight", || {
        let of_this_run = world.journal().into_iter().skip_while({
            let mut n_runs = 0;
            move |line| {
                n_runs += usize::from(line["ev"] == "run");
                n_runs < n
            }
        });
        (of_this_run.filter(|line| line["ev"] == "intent").count() >= 4).then_some(())
    });
    child
}

#[test]
fn an_end_is_told_when_a_run_is_interrupted_and_when_it_is_ended_at_once() {
    let world = World::planned(fast(), &people(60));
    let child = in_the_air(&world, 1, 600);
    signal(&child);
    let ran = Ran::of(child.wait_with_output().unwrap());
    let lines = events(&world, "run.jsonl");
    assert_eq!((ran.code, &lines.last().unwrap()["exit"]), (Some(7), &json!(7)), "{ran:?}");
    assert_eq!(lines.last().unwrap()["result"], ran.json());

    let child = in_the_air(&world, 2, 5_000);
    // Signals that come too soon are taken for one: they are sent until one is the second.
    let mut child = child;
    until("its end", || {
        signal(&child);
        std::thread::sleep(Duration::from_millis(100));
        child.try_wait().unwrap()
    });
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(ran.err.contains("Stopped at once, without waiting for calls in flight. That is safe: "), "{ran:?}");
    let text = String::from_utf8(world.read("run.jsonl")).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["exit"]), (&json!("end"), &json!(130)));
}

#[test]
fn an_end_is_told_of_errors_too_and_of_commands_that_a_signal_would_simply_end() {
    let dir = scratch();
    let run = |line: &str| Ran::of(command(dir.path(), NOWHERE, line).stdin(Stdio::null()).output().unwrap());
    let ran = run("verify nothing.plan --json --events run.jsonl");
    let lines = of_text(&std::fs::read_to_string(dir.path().join("run.jsonl")).unwrap());
    let end = lines.last().unwrap();
    assert_eq!((ran.code, &end["exit"], &end["result"]), (Some(3), &json!(3), &ran.json()), "{ran:?}");
    let levels: BTreeSet<&str> = of(&lines, "said").iter().map(|said| said["level"].as_str().unwrap()).collect();
    assert_eq!(levels, BTreeSet::from(["error"]));

    // It waits for its standard input, to which nobody writes.
    std::fs::write(dir.path().join("org.csv"), "email\nada@example.com\n").unwrap();
    let mut child = command(dir.path(), NOWHERE, "diff - --snapshot org.csv --events run.jsonl");
    let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let path = dir.path().join("run.jsonl");
    let begun = || std::fs::read_to_string(&path).is_ok_and(|text| text.contains("\"diff\"")).then_some(());
    until("the first line", begun);
    // Who has said so listens for signals a moment later.
    let mut child = child;
    until("its end", || {
        std::thread::sleep(Duration::from_millis(50));
        let ended = child.try_wait().unwrap();
        if ended.is_none() {
            signal(&child);
        }
        ended
    });
    let text = std::fs::read_to_string(&path).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["exit"]), (&json!("end"), &json!(7)), "{text}");
}

#[test]
fn an_organisation_that_throttles_is_told_of_in_the_journal_and_in_events() {
    let mut org = Org::new(Settings { rate_headers: false, rate_allowed: 1_000_000, ..Settings::default() });
    let mut n = 0;
    org.after_each(move |_, request, reply| {
        let is_create = request.path == "/api/v2/users" && !request.body.is_empty();
        n += u32::from(is_create);
        if is_create && n == 3 {
            let headers = vec![("retry-after".to_owned(), "2".to_owned())];
            *reply = Reply { status: 429, headers, body: b"{}".to_vec() };
        }
    });
    let world = World::of(org);
    world.write("hr.csv", people(4));
    world.plan();
    // The third was carried out all the same, so that it is looked for and found.
    let ran = world.run("apply hr.plan --yes --settle 1 --events run.jsonl");
    assert!([Some(0), Some(1)].contains(&ran.code), "{ran:?}");
    let lines = events(&world, "run.jsonl");
    assert!(of(&lines, "wait").iter().any(|wait| wait["why"] == "throttled"), "{lines:?}");
    let journal = world.journal();
    let throttled: Vec<&Value> = journal.iter().filter(|line| line["ev"] == "throttled").collect();
    assert_eq!(throttled.iter().map(|line| &line["n"]).collect::<Vec<_>>(), [&json!(1)]);
}
