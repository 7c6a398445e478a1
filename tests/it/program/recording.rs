//! `simulate --record`: whole lines while it runs, no secret in them, and no failure kept quiet.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::limits::limited;
use super::world::{NOWHERE, command, people};
use crate::support::{Ran, scratch};

/// A simulator that runs, and where.
pub struct Simulator {
    child: Child,
    pub url: String,
}

impl Simulator {
    pub fn start(dir: &Path, line: &str) -> Self {
        Self::spawn(command(dir, NOWHERE, line))
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        let url = ready.trim().strip_prefix("listening on ").map(str::to_owned);
        Self { url: url.unwrap_or_else(|| panic!("{command:?} does not listen: {ready:?}")), child }
    }

    pub fn stop(self) -> Ran {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        Ran::of(self.child.wait_with_output().unwrap())
    }
}

pub fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn of<'a>(lines: &'a [Value], method: &str, path: &str) -> Vec<&'a Value> {
    lines.iter().filter(|l| l["request"]["method"] == method && l["request"]["path"] == path).collect()
}

#[test]
fn every_exchange_of_a_run_is_there_while_the_simulator_runs_and_no_secret_is() {
    let dir = scratch();
    let file = dir.path().join("seen.jsonl");
    // Of another run, longer than a header, and open to all.
    let old = "{\"ev\":\"header\",\"v\":1,\"what\":\"exchanges\",\"tool\":\"x\"}\n{\"ev\":\"exchange\"}\n{\"ev\":\"exchange\"}\n";
    std::fs::write(&file, old).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(dir.path().join("hr.csv"), people(3)).unwrap();
    let simulator = Simulator::start(dir.path(), "simulate --users 30 --record seen.jsonl");
    assert_eq!(lines(&file).len(), 1, "the header alone");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for line in ["plan hr.csv", "apply hr.plan --yes --accept-low-match --accept-new-domains", "verify hr.plan"] {
        let ran = Ran::of(command(dir.path(), &simulator.url, line).output().unwrap());
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    }

    let seen = lines(&file);
    assert_eq!((&seen[0]["ev"], &seen[0]["v"], &seen[0]["what"]), (&"header".into(), &1.into(), &"exchanges".into()));
    let exchanges = &seen[1..];
    let numbers: Vec<u64> = exchanges.iter().map(|l| l["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=exchanges.len() as u64).collect::<Vec<_>>());
    assert!(exchanges.is_sorted_by_key(|l| l["ms"].as_u64().unwrap()));
    let creates = of(exchanges, "POST", "/api/v2/users");
    let mut names: Vec<_> = creates.iter().map(|l| l["request"]["body"]["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Person 1", "Person 2", "Person 3"]);
    for create in creates {
        assert_eq!((&create["reply"]["status"], &create["reply"]["body"]["version"]), (&200.into(), &1.into()));
        assert_eq!(create["request"]["headers"]["authorization"], "Bearer ***");
    }
    let listed = of(exchanges, "GET", "/api/v2/users");
    assert!(listed.iter().any(|l| l["reply"]["body"]["total"] == 25));
    let logins = of(exchanges, "POST", "/oauth/token");
    assert_eq!(logins.len(), 3, "one of each command that calls");
    assert_eq!(
        (&logins[0]["request"]["body"], &logins[0]["reply"]["body"]["access_token"]),
        (&"***".into(), &"***".into())
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("demo-secret") && !text.contains("ZGVtby"), "{text}");
    let ended = simulator.stop();
    assert_eq!(ended.code, Some(0));
    let told = format!("answered {} calls, 0 with 409 and 0 with 429; 3 users created; now 28 active", exchanges.len());
    assert!(ended.err.contains(&told), "{ended:?}");
}

#[test]
fn a_method_that_no_client_of_ours_uses_is_recorded_too() {
    let dir = scratch();
    let simulator = Simulator::start(dir.path(), "simulate --record seen.jsonl");
    let address = simulator.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let call = "PUT /api/v2/users?x=1 HTTP/1.1\r\nHost: s\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    std::io::Write::write_all(&mut stream, call.as_bytes()).unwrap();
    std::io::read_to_string(stream).unwrap();
    let seen = lines(&dir.path().join("seen.jsonl"));
    assert_eq!((&seen[1]["request"]["method"], &seen[1]["reply"]["status"]), (&"PUT".into(), &405.into()));
    assert_eq!(
        (&seen[1]["request"]["query"][0][1], &seen[1]["request"]["body"]),
        (&"1".into(), &serde_json::json!({}))
    );
    simulator.stop();
}

#[test]
fn a_line_that_cannot_be_written_is_told_once_and_ends_with_3_while_calls_are_still_answered() {
    let dir = scratch();
    let inner = command(dir.path(), NOWHERE, "simulate --users 5 --record seen.jsonl");
    let simulator = Simulator::spawn(limited(&inner, 4, "trap '' XFSZ;"));
    for _ in 0..3 {
        let ran = Ran::of(command(dir.path(), &simulator.url, "snapshot -o org.parquet").output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let ran = simulator.stop();
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(ran.err.matches("error: cannot write seen.jsonl").count(), 1, "{ran:?}");
    let seen = lines(&dir.path().join("seen.jsonl"));
    assert!(seen.len() > 1, "whole lines alone, and all that fitted");
}

fn assert_refused(dir: &Path, line: &str, why: &str) {
    let ran = Ran::of(command(dir, NOWHERE, line).output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{line}: {ran:?}");
    assert!(ran.err.contains(why), "{line}: {ran:?}");
}

#[test]
fn what_cannot_be_a_record_is_refused_before_anything_listens_and_stays_as_it_is() {
    let dir = scratch();
    let there = |name: &str| dir.path().join(name);
    std::fs::write(there("org.csv"), "email\na@example.com\n").unwrap();
    std::fs::write(there("odd.toml"), "[users]\nmixed = 3\n").unwrap();
    std::os::unix::fs::symlink("org.csv", there("link")).unwrap();
    std::os::unix::fs::symlink("nothing", there("dangling")).unwrap();
    std::fs::hard_link(there("org.csv"), there("twin")).unwrap();
    assert!(Command::new("mkfifo").arg(there("pipe")).status().unwrap().success());
    for file in ["link", "dangling", "pipe", ".", "/dev/full"] {
        assert_refused(dir.path(), &format!("simulate --record {file}"), "no file of its own");
    }
    for file in ["org.csv", "twin", "odd.toml"] {
        let line = format!("simulate --scenario odd.toml --seed-csv org.csv --record {file}");
        assert_refused(dir.path(), &line, "something other than a record");
    }
    assert_refused(dir.path(), "simulate --record nowhere/seen.jsonl", "cannot open nowhere/seen.jsonl");
    assert_eq!(std::fs::read_to_string(there("org.csv")).unwrap(), "email\na@example.com\n");
    assert_eq!(std::fs::read_to_string(there("odd.toml")).unwrap(), "[users]\nmixed = 3\n");
    assert!(!there("nothing").exists());
}

#[test]
fn a_second_simulator_leaves_the_record_of_the_first_alone() {
    let dir = scratch();
    let simulator = Simulator::start(dir.path(), "simulate --users 5 --record seen.jsonl");
    let address = simulator.url.strip_prefix("http://").unwrap();
    let snapshot = || {
        let ran = Ran::of(command(dir.path(), &simulator.url, "snapshot -o org.parquet").output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        lines(&dir.path().join("seen.jsonl"))
    };
    let before = snapshot();
    assert_refused(dir.path(), &format!("simulate --listen {address} --record seen.jsonl"), "cannot listen on");
    assert_refused(dir.path(), "simulate --record seen.jsonl", "another simulator records to it");
    let after = snapshot();
    assert!(before.len() > 1 && after.starts_with(&before) && after.len() > before.len());
    assert_eq!(simulator.stop().code, Some(0));
}
