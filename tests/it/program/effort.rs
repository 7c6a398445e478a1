//! Threads change how fast a result comes, never the result; and a file that changes meanwhile is noticed.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::world::{NOWHERE, command, contents};
use crate::support::{Ran, data, run, scratch};

/// The sample's people many times over, so that there are several chunks and groups of rows: some of them again, and some
/// with other addresses.
fn crowd() -> String {
    let sample = std::fs::read_to_string(data("roster.csv")).unwrap();
    let (header, rows) = sample.split_once('\n').unwrap();
    assert!(rows.ends_with('\n'));
    let again = |n: usize| if n.is_multiple_of(3) { rows.to_owned() } else { rows.replace('@', &format!(".{n}@")) };
    format!("{header}\n{}", (0..30).map(again).collect::<String>())
}

/// That crowd, and the sample's export once more in other orders.
fn sample() -> tempfile::TempDir {
    let dir = scratch();
    let org = std::fs::read_to_string(data("org.csv")).unwrap();
    std::fs::write(dir.path().join("hr.csv"), crowd()).unwrap();
    let (header, users) = org.split_once('\n').unwrap();
    let mut users: Vec<&str> = users.lines().collect();
    let n = users.len();
    let shuffled: Vec<&str> = (0..n).map(|at| users[at * 7_919 % n]).collect();
    std::fs::write(dir.path().join("shuffled.csv"), format!("{header}\n{}\n", shuffled.join("\n"))).unwrap();
    users.reverse();
    std::fs::write(dir.path().join("reversed.csv"), format!("{header}\n{}\n", users.join("\n"))).unwrap();
    std::fs::write(dir.path().join("org.csv"), org).unwrap();
    dir
}

fn ended(dir: &Path, line: &str, code: i32) -> Ran {
    let ran = run(dir, line);
    assert_eq!(ran.code, Some(code), "{line}: {ran:?}");
    ran
}

const EFFORTS: [(&str, &str); 4] = [
    ("org.csv", "--threads 1"),
    ("shuffled.csv", "--threads 2"),
    ("reversed.csv", "--threads 7"),
    ("shuffled.csv", ""),
];

#[test]
fn a_diff_is_the_same_file_by_any_number_of_threads_and_any_order_of_the_export() {
    let dir = sample();
    let mut expected = None;
    for (org, threads) in EFFORTS {
        for name in ["all.csv", "all.parquet"] {
            ended(dir.path(), &format!("diff hr.csv --snapshot {org} --verdict all -o {name} {threads}"), 0);
        }
        let csv = std::fs::read(dir.path().join("all.csv")).unwrap();
        let frame = rosterdiff::files::parquet::read_frame(&dir.path().join("all.parquet")).unwrap();
        assert_eq!(frame.height(), 30 * 2_000);
        let (first_csv, first_frame) = expected.get_or_insert_with(|| (csv.clone(), frame.clone()));
        assert!(csv == *first_csv && frame.equals_missing(first_frame), "{org} {threads}");
    }
}

/// The files of a plan, without what differs for a reason: the time, and the snapshot's own name and digest.
fn plan(dir: &Path, org: &str, threads: &str) -> BTreeMap<String, Vec<u8>> {
    let line = format!("plan hr.csv --snapshot {org} -o hr.plan --overwrite {threads}");
    let mut command = command(dir, NOWHERE, &line);
    let ran = Ran::of(command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap());
    assert_eq!(ran.code, Some(9), "{line}: {ran:?}");
    let mut files = BTreeMap::new();
    for (path, mut bytes) in contents(&dir.join("hr.plan")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "manifest.json" {
            let mut manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            for key in ["made_at", "snapshot", "seal"] {
                assert!(manifest.as_object_mut().unwrap().remove(key).is_some(), "{key}");
            }
            bytes = manifest.to_string().into_bytes();
        }
        files.insert(name, bytes);
    }
    files
}

#[test]
fn a_plan_is_the_same_files_by_any_number_of_threads_and_any_order_of_the_export() {
    let dir = sample();
    let expected = plan(dir.path(), EFFORTS[0].0, EFFORTS[0].1);
    assert!(expected.contains_key("plan.parquet") && expected.contains_key("new.csv"), "{:?}", expected.keys());
    for (org, threads) in &EFFORTS[1..] {
        let found = plan(dir.path(), org, threads);
        let unlike: Vec<&String> = expected.keys().filter(|name| found.get(*name) != expected.get(*name)).collect();
        assert!(unlike.is_empty() && found.len() == expected.len(), "{org} {threads}: {unlike:?}");
    }
}

#[test]
fn no_threads_and_too_many_are_wrong_usage() {
    let dir = sample();
    for wrong in ["0", "65", "-1", "many"] {
        ended(dir.path(), &format!("diff hr.csv --snapshot org.csv --threads {wrong}"), 2);
    }
}

#[test]
fn a_plan_keeps_the_digest_of_its_snapshot_so_a_pipe_is_none() {
    let dir = sample();
    assert!(Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap().success());
    let ran = ended(dir.path(), "plan hr.csv --snapshot pipe -o hr.plan", 3);
    assert!(ran.err.contains("pipe is no plain file") && ran.err.contains("\nhint: "), "{ran:?}");
}

/// Runs `line`, whose snapshot is a pipe, and changes the roster when it has been read and before anything is written.
fn interrupted(line: &str, change: fn(&Path)) {
    let dir = sample();
    assert!(Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap().success());
    let roster = dir.path().join("hr.csv");
    let mut command = command(dir.path(), NOWHERE, line);
    command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Opening waits for the reader, and that one has the roster behind it.
    let mut pipe = OpenOptions::new().write(true).open(dir.path().join("pipe")).unwrap();
    change(&roster);
    pipe.write_all(b"email\nada@example.com\n").unwrap();
    drop(pipe);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(3), "{line}: {ran:?}");
    assert!(ran.err.contains("hr.csv was changed while it was read") && ran.err.contains("\nhint: "), "{ran:?}");
    let mut left: Vec<String> =
        std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["hr.csv", "org.csv", "pipe", "reversed.csv", "shuffled.csv"], "{line}");
}

fn append(path: &Path) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(b"x\n").unwrap();
}

fn cut(path: &Path) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(1_000).unwrap();
}

#[test]
fn a_roster_that_changes_while_it_is_compared_is_noticed_and_nothing_is_written() {
    for change in [append as fn(&Path), cut] {
        for output in ["new.csv", "new.parquet"] {
            interrupted(&format!("diff hr.csv --snapshot pipe --verdict all -o {output}"), change);
        }
    }
}
