//! The offline comparison: data on stdout or in one file, source cells as they came, verdicts as they were written down
//! by somebody else.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use polars::prelude::DataFrame;
use rosterdiff::sim::Settings;

use super::world::{World, contents, fast, keys, table};
use crate::support::{Ran, data, run, scratch};

const TOOLS: &str =
    "_row,_line,_key,_verdict,_reason,_rules,_user_id,_user_state,_user_email,_holders,_first_row,_differs,_extra";

/// Runs what has to end with 0; stdout may hold a NUL byte, but not an invalid one.
fn done(dir: &Path, line: &str) -> Ran {
    let ran = run(dir, line);
    assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    ran
}

/// A directory with `hr.csv` and `org.csv`.
fn place(roster: &[u8], org: &str) -> tempfile::TempDir {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), roster).unwrap();
    std::fs::write(dir.path().join("org.csv"), org).unwrap();
    dir
}

fn sample() -> tempfile::TempDir {
    place(&std::fs::read(data("roster.csv")).unwrap(), &std::fs::read_to_string(data("org.csv")).unwrap())
}

fn expected() -> Vec<BTreeMap<String, String>> {
    table(&std::fs::read(data("expected.csv")).unwrap(), b',')
}

/// One column of a CSV.
fn column(bytes: &[u8], name: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let at = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    reader.records().map(|row| row.unwrap()[at].to_owned()).collect()
}

/// Cuts a file into records at line ends outside quotes, the bytes untouched.
fn records<'a>(bytes: &'a [u8], eol: &[u8]) -> Vec<&'a [u8]> {
    let (mut found, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, byte) in bytes.iter().enumerate() {
        quoted ^= *byte == b'"';
        if !quoted && at >= start && bytes[at..].starts_with(eol) {
            found.push(&bytes[start..at]);
            start = at + eol.len();
        }
    }
    assert_eq!(start, bytes.len(), "the last record has no line end");
    found
}

fn parquet(path: &Path) -> DataFrame {
    rosterdiff::files::parquet::read_frame(path).unwrap()
}

/// What an administrator would export by hand.
fn export(world: &World) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["Id", "Name", "Email", "Username", "State", "Department", "Title"]).unwrap();
    for user in world.server.with_org(|org| org.users()) {
        let [department, title] = [&user.department, &user.title].map(|cell| cell.clone().unwrap_or_default());
        let state = user.state.as_str();
        writer.write_record([&user.id, &user.name, &user.email, &user.username, state, &department, &title]).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn an_export_and_our_own_snapshot_of_one_organisation_give_the_same_rows() {
    let world = World::sample(fast());
    world.done("snapshot -o org.parquet");
    world.write("export.csv", export(&world));
    for verdict in ["new", "all"] {
        let ours = world.done(&format!("diff hr.csv --snapshot org.parquet --verdict {verdict}"));
        let theirs = world.done(&format!("diff hr.csv --snapshot export.csv --verdict {verdict}"));
        assert!(ours.out == theirs.out, "--verdict {verdict}");
        assert!(theirs.err.contains("Not proven"), "{:?}", theirs.err);
        assert!(!ours.err.contains("Not proven"), "{:?}", ours.err);
    }
    let new: Vec<String> =
        expected().into_iter().filter(|row| row["verdict"] == "new").map(|row| row["row"].clone()).collect();
    let found = world.done("diff hr.csv --snapshot export.csv");
    assert_eq!(column(found.out.as_bytes(), "_row"), new);
}

#[test]
fn each_verdict_can_be_asked_for_and_all_of_them_are_every_row_once() {
    let dir = sample();
    let expected = expected();
    let mut seen = 0;
    for verdict in ["new", "present", "deleted", "duplicate", "invalid"] {
        let ran = done(dir.path(), &format!("diff hr.csv --snapshot org.csv --verdict {verdict}"));
        let wanted: Vec<&str> =
            expected.iter().filter(|row| row["verdict"] == verdict).map(|row| row["row"].as_str()).collect();
        assert_eq!(column(ran.out.as_bytes(), "_row"), wanted, "{verdict}");
        seen += wanted.len();
    }
    let all = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    let numbers: Vec<String> = (1..=seen).map(|row| row.to_string()).collect();
    assert_eq!(column(all.out.as_bytes(), "_row"), numbers);
    let verdicts: Vec<&str> = expected.iter().map(|row| row["verdict"].as_str()).collect();
    assert_eq!(column(all.out.as_bytes(), "_verdict"), verdicts);
}

#[test]
fn a_file_gets_what_stdout_would_get_and_stdout_gets_nothing() {
    let dir = sample();
    let before = contents(dir.path());
    let shown = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict present");
    assert!(contents(dir.path()) == before, "diff to stdout writes no file");
    let written = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict present -o present.csv");
    assert_eq!(written.out, "");
    assert!(std::fs::read_to_string(dir.path().join("present.csv")).unwrap() == shown.out);
    assert_eq!(contents(dir.path()).len(), before.len() + 1);
}

#[test]
fn stdout_holds_rows_only_however_much_is_told() {
    let dir = sample();
    let shown = ["-q", "", "-v"].map(|flag| done(dir.path(), &format!("diff hr.csv --snapshot org.csv {flag}")));
    assert!(shown[0].err.is_empty(), "{:?}", shown[0].err);
    assert!(shown[1].err.contains("Work Email"), "the mapping is told: {:?}", shown[1].err);
    let quiet = shown[0].out.clone();
    assert!(shown.iter().all(|ran| ran.out == quiet));
    assert_eq!(records(quiet.as_bytes(), b"\r\n").len(), 1 + 693);
}

#[test]
fn a_parquet_holds_the_same_rows_with_bare_tool_columns() {
    let dir = sample();
    let shown = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict present");
    done(dir.path(), "diff hr.csv --snapshot org.csv --verdict present -o present.parquet");
    let frame = parquet(&dir.path().join("present.parquet"));
    assert_eq!(frame.height(), 1_150);
    for (in_csv, in_parquet) in
        [("Work Email", "Work Email"), ("_user_id", "user_id"), ("_key", "key"), ("Office", "Office")]
    {
        let found = frame.column(in_parquet).unwrap().str().unwrap().clone();
        let found: Vec<&str> = found.iter().map(|cell| cell.unwrap_or_default()).collect();
        assert!(found == column(shown.out.as_bytes(), in_csv), "{in_csv}");
    }
    let rows: Vec<String> =
        frame.column("row").unwrap().u32().unwrap().iter().map(|row| row.unwrap().to_string()).collect();
    assert_eq!(rows, column(shown.out.as_bytes(), "_row"));
}

#[test]
fn json_prints_exactly_one_object_beside_the_file() {
    let dir = sample();
    let ran = done(dir.path(), "diff hr.csv --snapshot org.csv -o new.csv --json");
    let object = ran.json();
    assert_eq!(ran.out.lines().count(), 1);
    for (key, value) in
        [("rows", 2_000), ("new", 693), ("present", 1_150), ("deleted", 60), ("duplicate", 44), ("invalid", 53)]
    {
        assert_eq!(object[key], value, "{key}");
    }
    assert_eq!(object["complete"], false);
    assert_eq!(keys(&object), ["complete", "deleted", "duplicate", "invalid", "new", "present", "rows"]);
}

#[test]
fn source_cells_are_copied_byte_for_byte() {
    let dir = sample();
    let source = std::fs::read(data("roster.csv")).unwrap();
    let source = records(&source, b"\r\n");
    let shown = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    let shown = records(shown.out.as_bytes(), b"\r\n");
    assert_eq!(shown.len(), source.len());
    assert_eq!(shown[0], [source[0], b",", TOOLS.as_bytes()].concat());
    let expected = expected();
    let sound = (1..source.len()).filter(|at| expected[at - 1]["reason_class"] != "csv.ragged");
    for at in sound {
        let tools = format!(",{at},");
        assert!(shown[at].starts_with(&[source[at], tools.as_bytes()].concat()), "row {at}");
    }
}

#[test]
fn a_ragged_record_is_padded_and_its_surplus_stands_in_a_cell_of_its_own() {
    let dir = place(b"Email,Name,Team\na@example.com\nb@example.com,B,Sales,=1+1,\"x,y\"\n", "email\n");
    let ran = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[1].starts_with("a@example.com,,,1,2,"), "{lines:?}");
    assert!(lines[2].starts_with("b@example.com,B,Sales,2,3,"), "{lines:?}");
    let extra = column(ran.out.as_bytes(), "_extra");
    assert_eq!(extra[0], "");
    assert!(extra[1].starts_with("'=1+1,"), "{extra:?}");
}

#[test]
fn new_rows_fed_back_are_the_same_rows_with_the_tool_columns_once() {
    let dir = sample();
    done(dir.path(), "diff hr.csv --snapshot org.csv -o new.csv");
    let again = done(dir.path(), "diff new.csv --snapshot org.csv --verdict all");
    let first = std::fs::read(dir.path().join("new.csv")).unwrap();
    assert_eq!(again.out.lines().next(), String::from_utf8(first.clone()).unwrap().lines().next());
    assert_eq!(column(again.out.as_bytes(), "_verdict"), vec!["new"; 693]);
    assert_eq!(column(again.out.as_bytes(), "_key"), column(&first, "_key"));
    let numbers: Vec<String> = (1..=693).map(|row| row.to_string()).collect();
    assert_eq!(column(again.out.as_bytes(), "_row"), numbers);
}

#[test]
fn every_verdict_fed_back_is_the_same_verdict() {
    let dir = sample();
    for verdict in ["present", "deleted"] {
        done(dir.path(), &format!("diff hr.csv --snapshot org.csv --verdict {verdict} -o {verdict}.csv"));
        let first = std::fs::read(dir.path().join(format!("{verdict}.csv"))).unwrap();
        let again = done(dir.path(), &format!("diff {verdict}.csv --snapshot org.csv --verdict all"));
        for name in ["_verdict", "_key", "_user_id", "_reason", "Work Email", "Office"] {
            assert_eq!(column(again.out.as_bytes(), name), column(&first, name), "{verdict}, {name}");
        }
    }
}

#[test]
fn a_formula_in_a_tool_cell_is_made_text_and_a_source_cell_is_left_alone() {
    let dir = place(b"Email,Name\n=sum@example.com,=1+1\n+up@example.com,@Bob\n-down@example.com,-1\n", "email\n");
    let ran = done(dir.path(), "diff hr.csv --snapshot org.csv");
    assert_eq!(column(ran.out.as_bytes(), "_key"), ["'=sum@example.com", "'+up@example.com", "'-down@example.com"]);
    assert_eq!(column(ran.out.as_bytes(), "Email"), ["=sum@example.com", "+up@example.com", "-down@example.com"]);
    assert_eq!(column(ran.out.as_bytes(), "Name"), ["=1+1", "@Bob", "-1"]);
}

#[test]
fn the_delimiter_of_the_roster_is_kept() {
    for (name, delimiter) in [("hr.csv", ";"), ("hr.csv", "\t"), ("hr.csv", "|"), ("hr.tsv", "\t")] {
        let roster = ["Email,Name", "a@example.com,\"A; B\t| C\"", "b@example.com,B"];
        let roster = roster.map(|line| line.replace(',', delimiter)).join("\n") + "\n";
        let dir = place(b"", "email\n");
        std::fs::write(dir.path().join(name), &roster).unwrap();
        let ran = done(dir.path(), &format!("diff {name} --snapshot org.csv"));
        let lines: Vec<&str> = ran.out.lines().collect();
        let source: Vec<&str> = roster.lines().collect();
        assert_eq!(lines[0], [source[0], &TOOLS.replace(',', delimiter)].join(delimiter));
        let tools = ["1", "2", "a@example.com", "new"].join(delimiter);
        assert!(lines[1].starts_with(&[source[1], &tools].join(delimiter)), "{lines:?}");
    }
}

#[test]
fn line_ends_and_byte_order_mark_of_the_roster_are_kept() {
    for (bom, eol) in [("", "\n"), ("", "\r\n"), ("\u{feff}", "\n"), ("\u{feff}", "\r\n")] {
        let dir = place(format!("{bom}Email,Name{eol}a@example.com,\"A\nB\"{eol}").as_bytes(), "email\n");
        for line in ["diff hr.csv --snapshot org.csv", "diff hr.csv --snapshot org.csv -o new.csv"] {
            let ran = done(dir.path(), line);
            let written = std::fs::read_to_string(dir.path().join("new.csv")).unwrap_or(ran.out);
            let start = format!("{bom}Email,Name,{TOOLS}{eol}a@example.com,\"A\nB\",1,2,");
            assert!(written.starts_with(&start), "{written:?}");
            assert!(written.ends_with(eol), "{written:?}");
        }
    }
}

#[test]
fn keep_says_which_of_several_rows_stands() {
    let roster = b"Email,Name\na@example.com,A\nb@example.com,B\nA@example.com,A2\n a@example.com,A3\n";
    let dir = place(roster, "email\n");
    for (keep, verdicts, first) in [
        ("first", ["new", "new", "duplicate", "duplicate"], ["", "", "1", "1"]),
        ("last", ["duplicate", "new", "duplicate", "new"], ["4", "", "4", ""]),
        ("none", ["duplicate", "new", "duplicate", "duplicate"], ["", "", "", ""]),
    ] {
        let ran = done(dir.path(), &format!("diff hr.csv --snapshot org.csv --verdict all --keep {keep}"));
        assert_eq!(column(ran.out.as_bytes(), "_verdict"), verdicts, "{keep}");
        assert_eq!(column(ran.out.as_bytes(), "_first_row"), first, "{keep}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let world = World::sample(fast());
    std::fs::copy(data("org.csv"), world.path("org.csv")).unwrap();
    let mut child = world.start("diff hr.csv --snapshot org.csv --verdict all");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("Employee ID,"), "{line}");
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).code, Some(0));
}

#[test]
fn a_roster_of_one_row_is_written_like_any_other() {
    let dir = place(b"Email,Name\n=sum@example.com,Ada\n", "email,id\n=SUM@example.com,\"7\"\"b\"\n");
    let ran = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all -q");
    let tools = "1,2,'=sum@example.com,present,held.email,lower,\"7\"\"b\",active,'=SUM@example.com,1,,,";
    assert_eq!(ran.out.lines().nth(1), Some(format!("=sum@example.com,Ada,{tools}").as_str()));
}

#[test]
fn a_plan_directory_holds_the_rows_that_diff_shows() {
    let world = World::sample(Settings { org_name: "Sample".to_owned(), ..fast() });
    world.plan();
    for verdict in ["new", "present", "deleted", "duplicate", "invalid"] {
        let shown = world.done(&format!("diff hr.csv --snapshot org.parquet --verdict {verdict}"));
        assert!(world.read(&format!("hr.plan/{verdict}.csv")) == shown.out.as_bytes(), "{verdict}");
    }
}
