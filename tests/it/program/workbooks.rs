//! A workbook as a roster and as an export: the verdicts of the CSV with the same cells, lines that are rows of the
//! spreadsheet, and a word about what was not read or may be lost.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use super::world::{NOWHERE, command, contents, table};
use crate::support::workbook::{Row, workbook};
use crate::support::{Ran, run, scratch};

type Rows = &'static [Row<'static>];

const PEOPLE: Rows = &[
    (3, &["Email", "Name", "Note"]),
    (4, &["ada@example.com", "Ada", "x, \"y\"\nz"]),
    (7, &["cyd@example.com", "Käthe Groß", ""]),
    (8, &["", "Bob"]),
    (9, &["dan@example.com", "Dan", "", "surplus"]),
    (12, &["CYD@example.com", "Cyd"]),
];
/// The same cells.
const CSV: &str = "Email,Name,Note\nada@example.com,Ada,\"x, \"\"y\"\"\nz\"\ncyd@example.com,Käthe Groß,\n,Bob,\n\
                   dan@example.com,Dan,,surplus\nCYD@example.com,Cyd,\n";
const ORG: &str = "email,id,state\nada@example.com,id-1,active\n";

fn place(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = scratch();
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn done(dir: &Path, line: &str) -> Ran {
    let ran = run(dir, line);
    assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    ran
}

/// Plans where there are no credentials to ask anybody with.
fn planned(dir: &Path, line: &str) -> Ran {
    let ran = Ran::of(command(dir, NOWHERE, line).env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap());
    assert_eq!(ran.code, Some(9), "{line}: {ran:?}");
    ran
}

fn columns(text: &str, names: &[&str]) -> Vec<String> {
    let rows = table(text.as_bytes(), b',');
    rows.iter().map(|row| names.iter().map(|name| row[*name].as_str()).collect::<Vec<_>>().join("|")).collect()
}

#[test]
fn a_workbook_gives_the_verdicts_of_the_csv_with_the_same_cells_and_rows_of_the_sheet_as_lines() {
    let book = workbook(&[("People", PEOPLE)]);
    let dir = place(&[("hr.xlsx", &book), ("hr.csv", CSV.as_bytes()), ("org.csv", ORG.as_bytes())]);
    let names = ["Email", "Name", "Note", "_row", "_key", "_verdict", "_reason", "_user_id", "_first_row", "_extra"];
    let csv = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    let book = done(dir.path(), "diff hr.xlsx --snapshot org.csv --verdict all");
    assert_eq!(columns(&book.out, &names), columns(&csv.out, &names));
    assert_eq!(columns(&book.out, &["_line"]), ["4", "7", "8", "9", "12"]);
    assert!(book.out.starts_with("\u{feff}Email,Name,Note,_row,"), "{book:?}");
    assert_eq!(book.err, csv.err, "nothing to tell");
    let shown = done(dir.path(), "diff hr.xlsx --snapshot org.csv");
    let planned = planned(dir.path(), "plan hr.xlsx --snapshot org.csv -o hr.plan --json");
    assert_eq!(planned.json()["rows"], 5, "{planned:?}");
    assert!(std::fs::read(dir.path().join("hr.plan/new.csv")).unwrap() == shown.out.as_bytes());
    // What comes out is a CSV like any other.
    done(dir.path(), "diff hr.xlsx --snapshot org.csv -o again.csv");
    let again = done(dir.path(), "diff again.csv --snapshot org.csv --verdict all");
    assert_eq!(columns(&again.out, &["Name", "_verdict", "_key"]), ["Käthe Groß|new|cyd@example.com"]);
}

#[test]
fn the_manifest_holds_the_digest_of_the_workbook_and_not_of_its_text() {
    let book = workbook(&[("People", PEOPLE)]);
    let dir = place(&[("hr.xlsx", &book), ("org.csv", ORG.as_bytes())]);
    planned(dir.path(), "plan hr.xlsx --snapshot org.csv");
    let manifest = std::fs::read(dir.path().join("hr.plan/manifest.json")).unwrap();
    let roster = serde_json::from_slice::<serde_json::Value>(&manifest).unwrap()["roster"].clone();
    assert_eq!(roster["bytes"], book.len());
    assert_eq!(roster["blake3"], blake3::hash(&book).to_hex().as_str());
}

#[test]
fn the_first_sheet_with_cells_is_read_unless_another_is_named_and_the_rest_is_told_of() {
    let old: Rows = &[(1, &["Email"]), (2, &["old@example.com"])];
    let book = workbook(&[("Cover", &[]), ("People", PEOPLE), ("Old staff", old)]);
    let dir = place(&[("hr.xlsx", &book), ("org.csv", ORG.as_bytes())]);
    let first = done(dir.path(), "diff hr.xlsx --snapshot org.csv");
    assert_eq!(columns(&first.out, &["_key"]), ["cyd@example.com"]);
    let note = "hr.xlsx: sheet \"People\" is read; \"Old staff\" is not: choose with --sheet NAME";
    assert!(first.err.lines().any(|line| line == note), "{first:?}");
    for sheet in ["Old staff", "old STAFF", "3"] {
        let mut command = command(dir.path(), NOWHERE, "diff hr.xlsx --snapshot org.csv --sheet");
        let ran = Ran::of(command.arg(sheet).output().unwrap());
        assert_eq!(
            (ran.code, columns(&ran.out, &["_key", "_line"])),
            (Some(0), vec!["old@example.com|2".to_owned()]),
            "{ran:?}"
        );
        assert!(!ran.err.contains("sheet \""), "{ran:?}");
    }
    for line in ["diff hr.xlsx --snapshot org.csv --sheet Staff", "plan hr.xlsx --snapshot org.csv --sheet 4"] {
        let ran = run(dir.path(), line);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(
            ran.err.contains("hint: ") && ran.err.contains("it has \"Cover\", \"People\", \"Old staff\""),
            "{ran:?}"
        );
    }
}

#[test]
fn numbers_that_lost_digits_are_told_of_by_column_and_place_and_never_by_what_they_are() {
    let rows: Rows =
        &[(1, &["Email", "Phone"]), (2, &["ada@example.com", "4930123"]), (3, &["cyd@example.com", "49301234567"])];
    let dir = place(&[("hr.xlsx", &workbook(&[("People", rows)])), ("org.csv", ORG.as_bytes())]);
    let ran = done(dir.path(), "diff hr.xlsx --snapshot org.csv");
    let note = ran.err.lines().find(|line| line.starts_with("hr.xlsx: column \"Phone\" (B): ")).unwrap();
    assert!(
        note.contains("may have lost leading zeros") && note.ends_with("first in B2") && !note.contains("4930"),
        "{note}"
    );
}

#[test]
fn a_workbook_without_a_header_and_one_from_a_pipe_are_read() {
    let rows: Rows = &[(2, &["7", "ada@example.com", "Ada"]), (5, &["8", "cyd@example.com", "Cyd"])];
    let headless = workbook(&[("People", rows)]);
    let dir = place(&[("hr.xlsx", &headless), ("org.csv", ORG.as_bytes())]);
    let ran = done(dir.path(), "diff hr.xlsx --snapshot org.csv --verdict all --no-header --map email=2 --map name=3");
    assert_eq!(columns(&ran.out, &["_row", "_line", "_verdict"]), ["1|2|present", "2|5|new"]);
    let book = workbook(&[("People", PEOPLE)]);
    std::fs::write(dir.path().join("hr.xlsx"), &book).unwrap();
    let from_file = done(dir.path(), "diff hr.xlsx --snapshot org.csv --verdict all");
    let mut command = command(dir.path(), NOWHERE, "diff - --snapshot org.csv --verdict all");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&book).unwrap();
    let from_pipe = Ran::of(child.wait_with_output().unwrap());
    assert!(from_pipe.out == from_file.out && from_pipe.code == Some(0), "{from_pipe:?}");
}

#[test]
fn an_export_may_be_a_workbook() {
    let rows: Rows = &[
        (1, &["id", "Email", "State"]),
        (3, &["id-1", "ADA@example.com", "deleted"]),
        (4, &["id-2", "cyd@example.com", "inactive"]),
    ];
    let csv = "id,Email,State\nid-1,ADA@example.com,deleted\nid-2,cyd@example.com,inactive\n";
    let book = workbook(&[("Users", rows), ("Notes", &[(1, &["x"])])]);
    let dir = place(&[("hr.csv", CSV.as_bytes()), ("org.csv", csv.as_bytes()), ("org.xlsx", &book)]);
    let expected = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    let ran = done(dir.path(), "diff hr.csv --snapshot org.xlsx --verdict all");
    assert!(ran.out == expected.out && ran.err.contains("org.xlsx: sheet \"Users\" is read"), "{ran:?}");
}

#[test]
fn what_is_called_a_workbook_and_is_none_is_refused_for_what_it_is() {
    let ole = [&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..], &[0; 600]].concat();
    let book = workbook(&[("People", PEOPLE)]);
    for (name, bytes, said) in [
        ("hr.xlsx", &ole[..], "is an old .xls workbook"),
        ("hr.xls", &ole, "is an old .xls workbook"),
        ("hr.xlsx", b"<html><table><tr><td>Email</td></tr></table>", "is a web page"),
        ("hr.xls", b"<html><table><tr><td>Email</td></tr></table>", "is a web page"),
        ("hr.xlsx", CSV.as_bytes(), "is not an .xlsx workbook"),
        ("hr.xlsx", &book[..book.len() / 2], "is not a readable .xlsx workbook"),
        ("hr.xlsx", b"", "is empty"),
    ] {
        let dir = place(&[(name, bytes), ("org.csv", ORG.as_bytes()), ("people.csv", CSV.as_bytes())]);
        let before = contents(dir.path());
        for line in ["diff HR --snapshot org.csv", "plan HR --snapshot org.csv", "diff people.csv --snapshot HR"] {
            let ran = run(dir.path(), &line.replace("HR", name));
            assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{name}, {said}: {ran:?}");
            assert!(ran.err.contains(&format!("{name} {said}")) && ran.err.contains("\nhint: "), "{said}: {ran:?}");
            assert!(contents(dir.path()) == before);
        }
    }
}
