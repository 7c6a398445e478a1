//! Ctrl-C and SIGTERM while files are written: heard at once, and nothing half-written is left.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::world::{NOWHERE, command, contents, until};
use crate::support::{Ran, scratch};

const ORG: &str = "email,state\nada@example.com,active\nbob@example.com,inactive\n";

fn start(dir: &Path, line: &str) -> Child {
    let mut command = command(dir, NOWHERE, line);
    command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Names in a directory.
fn names(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Sends a signal as soon as `line` has begun to write; none if it was faster than that.
fn interrupted(dir: &Path, line: &str, signal: &str, before: &[String]) -> Option<Ran> {
    let mut child = start(dir, line);
    let has_begun = until("something to be written", || {
        let is_writing = names(dir) != before;
        let is_over = child.try_wait().unwrap().is_some();
        (is_writing || is_over).then_some(is_writing && !is_over)
    });
    if has_begun {
        send(signal, &child);
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    (ran.code == Some(7)).then_some(ran)
}

#[test]
fn a_signal_in_the_middle_of_writing_leaves_no_file() {
    let dir = scratch();
    std::fs::write(dir.path().join("org.csv"), ORG).unwrap();
    // Faster machines get more to do, until the signal comes in time.
    let mut n = 200_000;
    let fill = |n: usize| {
        let row =
            |n: usize| format!("Person {n},person{n}@hr.example,A department with quite a long name of its own\n");
        let rows: String = (0..n).map(row).collect();
        for name in ["hr.csv", "again.csv"] {
            std::fs::write(dir.path().join(name), format!("Name,Email,Department\n{rows}")).unwrap();
        }
    };
    fill(n);
    let before = names(dir.path());
    for (line, signal) in [
        ("diff hr.csv --snapshot org.csv --verdict all --threads 1 -o all.csv", "-INT"),
        ("diff hr.csv --snapshot org.csv --verdict all --threads 2 -o all.parquet", "-TERM"),
        ("audit hr.csv again.csv --threads 1 -o all.csv", "-INT"),
        ("audit hr.csv again.csv --threads 2 -o all.parquet", "-TERM"),
        ("plan hr.csv --snapshot org.csv --threads 2 -o hr.plan", "-INT"),
        ("plan hr.csv --snapshot org.csv --threads 1 -o hr.plan", "-TERM"),
    ] {
        let ran = loop {
            if let Some(ran) = interrupted(dir.path(), line, signal, &before) {
                break ran;
            }
            // It ended well, so what it wrote is whole; away with it.
            for name in names(dir.path()).iter().filter(|name| !before.contains(name)) {
                let path = dir.path().join(name);
                if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
            }
            n *= 2;
            assert!(n < 10_000_000, "{line}: always faster than {signal}");
            fill(n);
        };
        assert!(ran.err.contains("no half-written file is left") && ran.out.is_empty(), "{line}: {ran:?}");
        assert_eq!(names(dir.path()), before, "{line}");
    }
}

#[test]
fn a_signal_is_heard_while_a_pipe_is_silent() {
    let dir = scratch();
    std::fs::write(dir.path().join("org.csv"), ORG).unwrap();
    let before = contents(dir.path());
    for (line, signal) in [
        ("plan - --snapshot org.csv -o hr.plan", "-INT"),
        ("audit - -o all.csv", "-INT"),
        ("diff - --snapshot org.csv -o new.csv", "-TERM"),
        ("diff - --snapshot org.csv -o new.csv", "-INT"),
    ] {
        let mut child = start(dir.path(), line);
        let pipe = child.stdin.take();
        until("the signal to be caught", || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
            (u64::from_str_radix(&caught, 16).unwrap() & (1 << 1) != 0).then_some(())
        });
        send(signal, &child);
        let ran = Ran::of(child.wait_with_output().unwrap());
        drop(pipe);
        assert_eq!(ran.code, Some(7), "{line}: {ran:?}");
        assert!(contents(dir.path()) == before, "{line}");
    }
}
