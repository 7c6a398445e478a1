//! `simulate --scenario`: the program against what a person has written down, over real sockets.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::recording::{Simulator, lines};
use super::world::{NOWHERE, command, people};
use crate::support::{Ran, data, scratch};

const APPLY: &str =
    "apply hr.plan --yes --json --settle 4 --accept-low-match --accept-new-domains --accept-empty-snapshot";

fn run(dir: &Path, url: &str, line: &str) -> Ran {
    Ran::of(command(dir, url, line).output().unwrap())
}

fn done(dir: &Path, url: &str, line: &str) -> Ran {
    let ran = run(dir, url, line);
    assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    ran
}

#[test]
fn every_scenario_can_be_served_and_the_flags_win_over_it() {
    let dir = scratch();
    for entry in std::fs::read_dir(data("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        let line = format!("simulate --scenario {} --users 7 --rate 6000 --window 9", path.display());
        let simulator = Simulator::start(dir.path(), &line);
        done(dir.path(), &simulator.url, "doctor -q");
        let ran = simulator.stop();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.err.contains("6,000 calls per 9 s"), "{ran:?}");
        // A thousand or more of its own, and those of the flag beside them.
        assert!(ran.err.contains("007 users, "), "{ran:?}");
    }
}

#[test]
fn a_scenario_goes_through_the_whole_program() {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), people(200)).unwrap();
    let file = data("scenarios").join("conflict-400.toml");
    let line = format!("simulate --scenario {} --rate 100000 --latency-ms 1 --lag 0.2", file.display());
    let simulator = Simulator::start(dir.path(), &line);
    done(dir.path(), &simulator.url, "plan hr.csv -q");
    let told = done(dir.path(), &simulator.url, APPLY).json();
    let of = |word: &str| told[word].as_u64().unwrap();
    assert!(of("taken") > 0 && of("created") + of("taken") == 200, "{told}");
    assert!(std::fs::read_to_string(dir.path().join("hr.plan/taken.csv")).unwrap().contains(",deleted,"));
    done(dir.path(), &simulator.url, "verify hr.plan -q");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let again = done(dir.path(), &simulator.url, "plan hr.csv -o again.plan --json").json();
    assert_eq!((&again["new"], &again["deleted"]), (&0.into(), &told["taken"]), "{again}");
    simulator.stop();
}

#[test]
fn a_connection_that_is_cut_before_or_after_the_deed_creates_nobody_twice_and_is_on_record() {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), people(200)).unwrap();
    let scenario = "[service]\nrate_allowed = 100000\nsearch_lag = 0.3\n[network]\nlost_before = 0.06\nlost_after = 0.06\n\
                    error_after = 0.03\ngarbage = 0.03\n";
    std::fs::write(dir.path().join("bad.toml"), scenario).unwrap();
    let simulator = Simulator::start(dir.path(), "simulate --scenario bad.toml --record seen.jsonl");
    done(dir.path(), &simulator.url, "plan hr.csv -q");
    let ended = (0..6).map(|_| run(dir.path(), &simulator.url, APPLY)).find(|ran| ran.code == Some(0));
    let told = ended.expect("rows stay unknown").json();
    let of = |word: &str| told[word].as_u64().unwrap();
    assert!(of("adopted") > 0 && of("created") + of("adopted") == 200, "{told}");
    done(dir.path(), &simulator.url, "verify hr.plan -q");
    simulator.stop();

    let seen = lines(&dir.path().join("seen.jsonl"));
    let creates = seen.iter().filter(|l| l["request"]["method"] == "POST" && l["request"]["path"] == "/api/v2/users");
    let carried_out = |line: &&Value| line["reply"]["status"] == 200 && line["fault"].is_null();
    let mut people = BTreeSet::new();
    for create in creates {
        // Nobody else is there: whoever holds the address was created by a call before, and this one was sent blind.
        assert_ne!(create["reply"]["status"], 409, "{create}");
        if carried_out(&create) {
            assert!(people.insert(create["request"]["body"]["email"].to_string()), "twice: {create}");
        }
        let is_lost = create["fault"].as_str().is_some_and(|fault| fault.starts_with("lost"));
        assert_eq!(is_lost, create["reply"].is_null(), "{create}");
    }
    // Drawn from the seed, call by call: which calls they meet depends on the order, that they come does not.
    let faults: BTreeSet<_> = seen.iter().filter_map(|l| l["fault"].as_str()).collect();
    assert!(faults.contains("lost_before") && faults.contains("lost_after"), "{faults:?}");
}

#[test]
fn what_cannot_be_used_is_told_with_file_and_line_or_by_the_name_of_the_switch() {
    let dir = scratch();
    std::fs::write(dir.path().join("odd.toml"), "# a comment\n[service]\nserach_lag = 3\n").unwrap();
    std::fs::write(dir.path().join("latin.toml"), b"[service]\norg_name = 'Z\xfcrich'\n").unwrap();
    let ran = run(dir.path(), NOWHERE, "simulate --scenario odd.toml");
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{ran:?}");
    assert!(
        ran.err.contains("odd.toml: line 3: unknown field `serach_lag`") && ran.err.contains("`search_lag`"),
        "{ran:?}"
    );
    for flag in ["--lag 1e19", "--lag 1e18", "--latency-ms 18446744073709551615"] {
        let ran = run(dir.path(), NOWHERE, &format!("simulate {flag}"));
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains("longer than 100 years"), "{ran:?}");
    }
    for file in ["latin.toml", "nowhere.toml"] {
        let ran = run(dir.path(), NOWHERE, &format!("simulate --scenario {file}"));
        assert!(ran.code == Some(3) && ran.err.contains(file), "{ran:?}");
    }
}
