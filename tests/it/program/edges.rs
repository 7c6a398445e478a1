//! Where two things meet: a signal and a call, a plan and its successor, a file and its name.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::time::Duration;

use rosterdiff::sim::Settings;

use super::world::{World, fast, people, until};
use crate::support::Ran;

#[test]
fn a_tsv_whose_header_holds_many_commas_can_be_applied() {
    let world = World::new(fast());
    world.write("hr.tsv", "email\tname\ta,b,c,d,e,f,g\nada@example.com\tAda\t1\nbob@example.com\tBob\t2\n");
    world.done("snapshot -o org.parquet");
    world.done("plan hr.tsv --snapshot org.parquet -o hr.plan");
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 2);
    assert!(world.read("hr.plan/created.csv").starts_with(b"email\tname\ta,b,c,d,e,f,g\t_row\t"));
}

#[test]
fn an_input_inside_the_directory_that_would_be_replaced_is_refused() {
    let world = World::planned(fast(), &people(3));
    world.done("plan hr.csv -o own.plan");
    for line in [
        "plan hr.csv --snapshot own.plan/snapshot.parquet -o own.plan --overwrite",
        "plan hr.plan/new.csv --snapshot org.parquet -o hr.plan --overwrite",
    ] {
        let ran = world.run(line);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.err.contains("would be replaced") && ran.err.contains("hint: "), "{ran:?}");
    }
    assert!(world.path("own.plan/snapshot.parquet").exists());
}

#[test]
fn a_snapshot_takes_no_other_files_name() {
    let world = World::new(fast());
    world.write("hr.csv", "email\n");
    assert_eq!(world.run("snapshot -o hr.csv").code, Some(2));
    assert_eq!(world.read("hr.csv"), b"email\n");
}

#[test]
fn wrong_usage_prints_one_object_too() {
    let world = World::new(fast());
    for line in ["apply --json", "plan hr.csv --json --keep bogus", "diff hr.csv --json --snapshot x.csv"] {
        let ran = world.run(line);
        assert_eq!((ran.code, &ran.json()["exit"]), (Some(2), &2.into()), "{line}: {ran:?}");
    }
}

#[test]
fn a_signal_before_the_first_create_ends_with_7_and_sends_nothing() {
    let world = World::planned(fast(), &people(3));
    world.server.with_org(|org| org.settings_mut().latency = Duration::from_secs(20));
    let before = world.server.with_org(|org| org.counts().by_status.values().sum::<u64>());
    let child = world.start("apply hr.plan --yes --json");
    // The token's call hangs: the process is at work and catches signals.
    until("the process to be at work", || {
        let caught = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let mask = caught.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
        let bits = u64::from_str_radix(&mask, 16).unwrap();
        (bits & (1 << 14) != 0).then_some(())
    });
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert_eq!((&ran.json()["exit"], &ran.json()["unprocessed"]), (&7.into(), &3.into()));
    assert!(!world.path("hr.plan/journal.jsonl").exists());
    assert!(world.server.with_org(|org| org.counts().by_status.values().sum::<u64>()) <= before + 1);
}

#[test]
fn a_stdout_that_takes_nothing_does_not_hide_why_apply_refused() {
    let world = World::planned(Settings { ..fast() }, &people(3));
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = world.command("apply hr.plan --json");
    let output = command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let ran = Ran::of(output);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("not confirmed"), "{ran:?}");
}
