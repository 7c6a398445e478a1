//! `simulate --record`: whole lines while it runs, no secret in them, and no failure kept quiet.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::world::{NOWHERE, command, people};
use crate::support::{Ran, scratch};

/// A simulator that runs, and where.
pub struct Simulator {
    child: Child,
    pub url: String,
}

impl Simulator {
    pub fn start(dir: &Path, line: &str) -> Self {
        let mut child = command(dir, NOWHERE, line);
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        let url = ready.trim().strip_prefix("listening on ").map(str::to_owned);
        Self { url: url.unwrap_or_else(|| panic!("{line} does not listen: {ready:?}")), child }
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
    std::fs::write(&file, "of another run, and open to all").unwrap();
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
    assert_eq!(simulator.stop().code, Some(0));
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
    // The header fits, and then a pipe whose reader goes away: what comes next cannot be written.
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            let mut line = String::new();
            BufReader::new(std::fs::File::open(pipe).unwrap()).read_line(&mut line).unwrap();
            line
        }
    });
    let simulator = Simulator::start(dir.path(), "simulate --users 5 --record pipe");
    assert!(reader.join().unwrap().contains("\"exchanges\""));
    for _ in 0..2 {
        let ran = Ran::of(command(dir.path(), &simulator.url, "snapshot -o org.parquet").output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let ran = simulator.stop();
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(ran.err.matches("error: cannot write pipe").count(), 1, "{ran:?}");
}

#[test]
fn a_file_that_takes_no_line_at_all_is_refused_before_anything_listens() {
    let dir = scratch();
    for file in ["/dev/full", "nowhere/seen.jsonl", "."] {
        let ran = command(dir.path(), NOWHERE, &format!("simulate --record {file}")).output().unwrap();
        let ran = Ran::of(ran);
        assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{ran:?}");
    }
}
