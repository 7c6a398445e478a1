//! `init`: a file of settings from the roster at hand, which changes nothing until somebody changes it.

use std::os::unix::fs::PermissionsExt;

use super::world::{NOWHERE, command};
use crate::support::workbook::workbook;
use crate::support::{Ran, data, run, scratch};

const ORG: &str = "email,state\nada@example.com,active\n";
const CSV: &str = "Given Name;Surname;Org Unit;Work Email;Personal Email;Job Title\n\
                   Ada;Lovelace;Sales;ada@example.com;ada@home.example;Agent\n\
                   Zoë;Müller;Ops;zoe@example.com;zoe@home.example;Lead\n";

/// `init` and then `diff` say and write the same as `diff` alone; the text of the file.
fn changes_nothing(roster: &str, bytes: &[u8]) -> String {
    let dir = scratch();
    std::fs::write(dir.path().join(roster), bytes).unwrap();
    std::fs::write(dir.path().join("org.csv"), ORG).unwrap();
    let diff = format!("diff {roster} --snapshot org.csv");
    let alone = run(dir.path(), &diff);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    let init = run(dir.path(), &format!("init {roster}"));
    assert_eq!((init.code, init.out.as_str()), (Some(0), ""), "{init:?}");
    assert!(init.err.contains("Written: rosterdiff.toml"), "{init:?}");
    let with = run(dir.path(), &diff);
    assert_eq!((with.code, &with.out), (Some(0), &alone.out), "{with:?}");
    assert_eq!(with.err, format!("Settings: rosterdiff.toml\n{}", alone.err));
    let mode = dir.path().join("rosterdiff.toml").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::read_to_string(dir.path().join("rosterdiff.toml")).unwrap()
}

fn holds(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line}\n{text}");
    }
}

#[test]
fn a_csv_a_workbook_and_a_parquet_are_read_afterwards_as_before_and_nobody_stands_in_the_file() {
    let columns = ["email = \"Work Email\"", "name = [\"Given Name\", \"Surname\"]", "title = \"Job Title\""];
    let csv = changes_nothing("hr.csv", CSV.as_bytes());
    holds(&csv, &columns);
    holds(&csv, &["#delimiter = \";\"", "#encoding = \"utf-8\"", "#department = \"Org Unit\""]);
    holds(
        &csv,
        &[
            "# department: none of \"Org Unit\" was taken.",
            "# Not taken for anything: \"Org Unit\", \"Personal Email\".",
        ],
    );
    let latin: Vec<u8> = CSV.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    holds(&changes_nothing("hr.csv", &latin), &["#encoding = \"windows-1252\""]);
    let utf16: Vec<u8> = "\u{feff}".chars().chain(CSV.chars()).flat_map(|c| (c as u16).to_le_bytes()).collect();
    holds(&changes_nothing("hr.csv", &utf16), &["#encoding = \"utf-16le\"", "#delimiter = \";\""]);

    let cells: Vec<Vec<&str>> = CSV.lines().map(|line| line.split(';').collect()).collect();
    let rows: Vec<(u32, &[&str])> = (1..).zip(cells.iter().map(Vec::as_slice)).collect();
    let book = changes_nothing("hr.xlsx", &workbook(&[("Notes", &[]), ("People now", &rows)]));
    holds(&book, &columns);
    holds(&book, &["#sheet = \"People now\""]);

    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), CSV).unwrap();
    std::fs::write(dir.path().join("org.csv"), ORG).unwrap();
    let made = run(dir.path(), "diff hr.csv --snapshot org.csv --verdict all -o hr.parquet");
    assert_eq!(made.code, Some(0), "{made:?}");
    let parquet = changes_nothing("hr.parquet", &std::fs::read(dir.path().join("hr.parquet")).unwrap());
    holds(&parquet, &columns);
    for text in [csv, book, parquet] {
        for cell in ["Ada", "Lovelace", "Sales", "@", "Müller", "Agent\n"] {
            assert!(!text.replace("\"Agent\"", "").contains(cell), "{cell}\n{text}");
        }
    }
}

#[test]
fn every_sleeping_setting_can_be_woken() {
    let dir = scratch();
    std::fs::copy(data("roster.csv"), dir.path().join("hr.csv")).unwrap();
    std::fs::copy(data("org.csv"), dir.path().join("org.csv")).unwrap();
    assert_eq!(run(dir.path(), "init hr.csv").code, Some(0));
    let text = std::fs::read_to_string(dir.path().join("rosterdiff.toml")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let sleeping = |at: &usize| lines[*at].starts_with('#') && !lines[*at].starts_with("# ");
    let sleeping: Vec<usize> = (0..lines.len()).filter(sleeping).collect();
    assert!(sleeping.len() >= 24, "{text}");
    let all: Vec<&str> =
        lines.iter().map(|line| line.strip_prefix("# ").map_or_else(|| line.trim_start_matches('#'), |_| "")).collect();
    let mut texts = vec![all.join("\n")];
    for at in sleeping {
        let mut woken = lines.clone();
        woken[at] = &lines[at][1..];
        texts.push(woken.join("\n"));
    }
    for text in texts {
        std::fs::write(dir.path().join("rosterdiff.toml"), &text).unwrap();
        let ran = run(dir.path(), "diff hr.csv --snapshot org.csv -o new.csv --config rosterdiff.toml");
        assert_eq!(ran.code, Some(0), "{ran:?}\n{text}");
    }
}

#[test]
fn a_key_that_is_a_question_ends_with_3_and_a_file_in_which_it_can_be_answered() {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), "Email,Work Email,Name\na@example.com,b@example.com,A\n").unwrap();
    std::fs::write(dir.path().join("org.csv"), ORG).unwrap();
    let ran = run(dir.path(), "init hr.csv");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("which of \"Email\", \"Work Email\" is the key?"), "{ran:?}");
    assert!(ran.err.contains("rosterdiff.toml is written"), "{ran:?}");
    let diff = || run(dir.path(), "diff hr.csv --snapshot org.csv");
    assert_eq!(diff().code, Some(3));
    let path = dir.path().join("rosterdiff.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("#email = \"Work Email\"", "email = \"Work Email\"")).unwrap();
    let ran = diff();
    assert!(ran.code == Some(0) && ran.out.contains("b@example.com"), "{ran:?}");
}

#[test]
fn what_flags_say_is_written_down_and_a_file_without_a_header_by_its_numbers() {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), "Ada|Lovelace|ada@example.com\nBob|Day|bob@example.com\n").unwrap();
    std::fs::write(dir.path().join("org.csv"), ORG).unwrap();
    let flags = "--no-header --map email=3 --map name=1+2 --delimiter | --keep last --fold-plus";
    let init = Ran::of(command(dir.path(), NOWHERE, &format!("init hr.csv -o hr.toml {flags}")).output().unwrap());
    assert!(init.code == Some(0) && init.err.contains("use it with --config hr.toml"), "{init:?}");
    let text = std::fs::read_to_string(dir.path().join("hr.toml")).unwrap();
    holds(
        &text,
        &["no_header = true", "email = 3", "name = [1, 2]", "delimiter = \"|\"", "keep = \"last\"", "fold_plus = true"],
    );
    assert!(!text.contains("Ada") && !text.contains('@'), "{text}");
    let by_file = run(dir.path(), "diff hr.csv --snapshot org.csv --config hr.toml");
    let by_flags = run(dir.path(), &format!("diff hr.csv --snapshot org.csv {flags}"));
    assert_eq!((by_file.code, by_file.out), (Some(0), by_flags.out));
    assert!(!dir.path().join("rosterdiff.toml").exists());
}

#[test]
fn a_file_that_is_there_is_replaced_only_if_that_is_said() {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), "Email,Name\na@example.com,A\n").unwrap();
    let path = dir.path().join("rosterdiff.toml");
    std::fs::write(&path, "# mine\n").unwrap();
    let ran = run(dir.path(), "init hr.csv");
    assert!(ran.code == Some(3) && ran.err.contains("--overwrite"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# mine\n");
    let ran = run(dir.path(), "init hr.csv --overwrite --json");
    assert_eq!((ran.code, ran.json()["written"].as_str()), (Some(0), Some("rosterdiff.toml")), "{ran:?}");
    assert!(std::fs::read_to_string(&path).unwrap().contains("email = \"Email\""));
    let ran = run(dir.path(), "init gone.csv --overwrite");
    assert!(ran.code == Some(3) && ran.err.contains("gone.csv"), "{ran:?}");
}
