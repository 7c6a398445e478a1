//! Who is there twice: every line of it can be held against the file that it speaks of, and tells what a plan tells.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use polars::prelude::AnyValue;

use super::world::{NOWHERE, World, command, contents, fast, keys, table};
use crate::support::{Ran, data, run, scratch};

const HEADER: &str = "cluster,size,member,kind,row,line,user_id,state,email,key,rules,kept,policy,disagrees";

type Row = BTreeMap<String, String>;

fn done(dir: &Path, line: &str) -> Ran {
    let ran = run(dir, line);
    assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    ran
}

/// The members that a command line prints.
fn members(dir: &Path, line: &str) -> Vec<Row> {
    let ran = done(dir, line);
    assert_eq!(ran.out.lines().next(), Some(HEADER));
    table(ran.out.as_bytes(), b',')
}

fn place(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = scratch();
    files.iter().for_each(|(name, text)| std::fs::write(dir.path().join(name), text).unwrap());
    dir
}

/// The sample's roster and export, and a second roster of other ways to write.
fn sample() -> tempfile::TempDir {
    let dir = scratch();
    std::fs::copy(data("roster.csv"), dir.path().join("hr.csv")).unwrap();
    std::fs::copy(data("org.csv"), dir.path().join("org.csv")).unwrap();
    let org = table(&std::fs::read(data("org.csv")).unwrap(), b',');
    let rows: String = org.iter().step_by(7).enumerate().map(|(n, user)| wide(n, user)).collect();
    std::fs::write(dir.path().join("other.csv"), format!("Note;E-Mail;Name\r\n{rows}")).unwrap();
    dir
}

fn wide(n: usize, user: &Row) -> String {
    let gap = if n.is_multiple_of(5) { "\r\n\r\n" } else { "\r\n" };
    format!("\"n{n}\r\nof \"\"many\"\"\";\" {} \";{}{gap}", user["email"].to_uppercase(), user["name"])
}

/// As a cell of ours shows a text.
fn shown(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// The records of a file as the csv crate reads them.
fn source(dir: &Path, name: &str, delimiter: u8) -> (Vec<csv::StringRecord>, Vec<String>) {
    let bytes = std::fs::read(dir.join(name)).unwrap();
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes.as_slice());
    let records = reader.records().map(|record| record.unwrap()).collect();
    (records, String::from_utf8(bytes).unwrap().split('\n').map(str::to_owned).collect())
}

#[test]
fn every_member_is_found_in_its_source_by_row_and_line_or_by_its_id() {
    let dir = sample();
    for by in ["email", "name"] {
        let found = members(dir.path(), &format!("audit hr.csv other.csv --snapshot org.csv --by {by}"));
        assert!(found.len() > 2_000);
        let (hr, other) = (source(dir.path(), "hr.csv", b','), source(dir.path(), "other.csv", b';'));
        let (org, _) = source(dir.path(), "org.csv", b',');
        for member in &found {
            let row: usize = member["row"].parse().unwrap();
            if member["kind"] == "org" {
                let user = &org[row - 1];
                assert_eq!((member["member"].as_str(), member["line"].as_str()), ("org.csv", ""));
                assert_eq!([&user[0], &user[2], &user[4]], ["user_id", "email", "state"].map(|c| member[c].as_str()));
                continue;
            }
            let (records, lines, email) = match member["member"].as_str() {
                "hr.csv" => (&hr.0, &hr.1, 3),
                "other.csv" => (&other.0, &other.1, 1),
                name => panic!("{name}"),
            };
            let (record, line) = (&records[row - 1], member["line"].parse::<usize>().unwrap());
            assert_eq!(member["email"], shown(&record[email]), "{member:?}");
            let begins = record[0].lines().next().unwrap_or_default();
            assert!(lines[line - 1].trim_start_matches('"').starts_with(begins), "{member:?}");
            assert_eq!((member["user_id"].as_str(), member["state"].as_str(), &*member["kind"]), ("", "", "roster"));
        }
        let clusters: Vec<u32> = found.iter().map(|member| member["cluster"].parse().unwrap()).collect();
        assert!(clusters.is_sorted() && clusters[0] == 1, "clusters are numbered in order");
    }
}

#[test]
fn a_snapshot_of_ours_is_known_whatever_it_is_called_and_its_users_are_found_by_their_ids() {
    let world = World::sample(fast());
    world.done("snapshot -o org.parquet");
    std::fs::copy(world.path("org.parquet"), world.path("people.x")).unwrap();
    let named = world.done("audit hr.csv org.parquet").out;
    assert_eq!(named.replace("org.parquet", "people.x"), world.done("audit hr.csv people.x").out);
    assert_eq!(named, world.done("audit hr.csv --snapshot org.parquet").out);
    let users: BTreeMap<String, String> = world
        .server
        .with_org(|org| org.users())
        .into_iter()
        .map(|user| (user.id.clone(), user.email.clone()))
        .collect();
    let found = table(named.as_bytes(), b',');
    let found: Vec<&Row> = found.iter().filter(|member| member["kind"] == "org").collect();
    assert!(found.len() > 1_000);
    for member in found {
        assert_eq!(member["email"], shown(&users[&member["user_id"]]));
    }
}

/// Row, row that stands, and what disagrees: of a plan and of an audit.
type Story = BTreeSet<(String, String, String)>;

fn planned(dir: &Path, keep: &str) -> (Story, BTreeMap<String, String>) {
    let line = format!("plan hr.csv --snapshot nobody.csv -o hr.plan --overwrite --keep {keep}");
    let mut command = command(dir, NOWHERE, &line);
    let ran = Ran::of(command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap());
    assert_eq!(ran.code, Some(9), "{line}: {ran:?}");
    let read = |name: &str| table(&std::fs::read(dir.join("hr.plan").join(name)).unwrap(), b',');
    let story = |row: &Row| ["_row", "_first_row", "_differs"].map(|column| row[column].clone()).into();
    let invalid = read("invalid.csv").into_iter().map(|row| (row["_row"].clone(), row["_reason"].clone()));
    (read("duplicate.csv").iter().map(story).collect(), invalid.collect())
}

fn audited(found: &[Row]) -> Story {
    let kept: BTreeMap<&str, &str> = found
        .iter()
        .filter(|member| member["kept"] == "yes")
        .map(|member| (member["cluster"].as_str(), member["row"].as_str()))
        .collect();
    let others = found.iter().filter(|member| member["kept"] == "no");
    let first = |member: &Row| kept.get(member["cluster"].as_str()).copied().unwrap_or_default().to_owned();
    others.map(|member| (member["row"].clone(), first(member), member["disagrees"].clone())).collect()
}

#[test]
fn of_one_roster_an_audit_tells_the_story_of_duplicate_csv_whichever_row_is_kept() {
    let dir = sample();
    let mut text = std::fs::read_to_string(dir.path().join("hr.csv")).unwrap();
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    // Rows without a name before, between and behind those with one; and a key of which nobody has a name.
    for (key, names) in [("zoe", ["", "Zoe", "", "Zoë"]), ("yan", ["Yan", "", "Yan", ""]), ("xia", ["", "", "", ""])] {
        for name in names {
            text += &format!("900001,{name},,{key}@example.com,,Care,{name},,,{eol}");
        }
    }
    std::fs::write(dir.path().join("hr.csv"), text).unwrap();
    std::fs::write(dir.path().join("nobody.csv"), "email,state\n").unwrap();
    for keep in ["first", "last", "none"] {
        let (duplicates, invalid) = planned(dir.path(), keep);
        let found = members(dir.path(), &format!("audit hr.csv --keep {keep}"));
        assert!(found.iter().all(|member| member["policy"] == keep));
        // A row without a name that would stand were it fit is invalid in a plan; it shares its address all the same.
        let (unfit, others): (Story, Story) =
            audited(&found).into_iter().partition(|(row, ..)| invalid.contains_key(row));
        assert_eq!(others, duplicates, "--keep {keep}");
        assert!(unfit.iter().all(|(row, ..)| invalid[row] == "name.missing"), "--keep {keep}: {unfit:?}");
        assert_eq!(unfit.is_empty(), keep == "none");
        assert!(duplicates.iter().any(|(.., differs)| keep == "none" || differs.contains("title")));
    }
}

#[test]
fn a_parquet_holds_what_the_csv_holds_and_only_the_user_may_read_either() {
    let dir = sample();
    let before = contents(dir.path());
    let line = "audit hr.csv other.csv --snapshot org.csv";
    let shown = done(dir.path(), line).out;
    assert!(contents(dir.path()) == before, "stdout is no file");
    for name in ["all.csv", "all.parquet"] {
        assert_eq!(done(dir.path(), &format!("{line} -o {name}")).out, "");
        let mode = dir.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
    assert!(std::fs::read_to_string(dir.path().join("all.csv")).unwrap() == shown);
    let frame = rosterdiff::files::parquet::read_frame(&dir.path().join("all.parquet")).unwrap();
    let rows = table(shown.as_bytes(), b',');
    assert_eq!(frame.height(), rows.len());
    assert!(frame.get_column_names().into_iter().map(|name| name.as_str()).eq(HEADER.split(',')));
    for column in frame.columns() {
        for (at, row) in rows.iter().enumerate() {
            let cell = match column.get(at).unwrap() {
                AnyValue::Null => String::new(),
                cell => cell.get_str().map_or_else(|| cell.to_string(), str::to_owned),
            };
            let in_csv = &row[column.name().as_str()];
            assert!(*in_csv == cell || *in_csv == format!("'{cell}"), "{} of {row:?}: {cell}", column.name());
        }
    }
}

#[test]
fn threads_change_no_byte_of_it() {
    let dir = sample();
    let text = std::fs::read_to_string(dir.path().join("hr.csv")).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    // More than one chunk, and more than one piece of members.
    let again = |n: usize| if n.is_multiple_of(3) { rows.to_owned() } else { rows.replace('@', &format!(".{n}@")) };
    let crowd = format!("{header}\n{}", (0..24).map(again).collect::<String>());
    std::fs::write(dir.path().join("hr.csv"), crowd).unwrap();
    for by in ["email", "name", "employee-id"] {
        let mut expected = None;
        for threads in ["--threads 1", "--threads 2", "--threads 7", ""] {
            let line = format!("audit hr.csv other.csv --snapshot org.csv --by {by} --keep last {threads} -o all");
            let files = ["csv", "parquet"].map(|extension| {
                done(dir.path(), &format!("{line}.{extension}"));
                std::fs::read(dir.path().join(format!("all.{extension}"))).unwrap()
            });
            assert!(files.iter().all(|bytes| bytes.len() > 100_000), "{by}");
            assert!(*expected.get_or_insert_with(|| files.clone()) == files, "--by {by} {threads}");
        }
    }
}

#[test]
fn employee_ids_are_found_by_their_header_or_by_map_and_join_rosters_with_an_export() {
    let dir = place(&[
        ("hr.csv", "Employee ID,Email,Name\n 007 ,a@example.com,Ada\n8,b@example.com,Bob\n,c@example.com,Cyd\n"),
        ("old.csv", "Badge,Mail\n8,b@old.example\n,d@old.example\n"),
        ("bare.csv", "9,e@example.com\n007,f@example.com\n"),
        ("org.csv", "id,email,employeeId,state\nu1,ada@example.com,007,inactive\nu2,x@example.com,,active\n"),
    ]);
    let brief = |line: &str| -> Vec<String> {
        let found = members(dir.path(), line);
        found.iter().map(|m| ["cluster", "member", "row", "key", "kept"].map(|c| m[c].as_str()).join(" ")).collect()
    };
    let found = brief("audit hr.csv --snapshot org.csv --by employee-id");
    assert_eq!(found, ["1 hr.csv 1 007 no", "1 org.csv 1 007 yes"]);
    let ran = done(dir.path(), "audit hr.csv old.csv --by employee-id");
    assert!(ran.err.contains("old.csv has no column to compare by"), "{ran:?}");
    assert!(ran.err.contains("hr.csv: email = \"Email\", name = \"Name\", employee-id = \"Employee ID\""), "{ran:?}");
    let found = brief("audit old.csv --snapshot org.csv --map employee-id=badge --by employee-id");
    assert!(found.is_empty(), "{found:?}");
    let found =
        brief("audit bare.csv --no-header --map email=2 --map employee-id=1 --snapshot org.csv --by employee-id");
    assert_eq!(found, ["1 bare.csv 2 007 no", "1 org.csv 1 007 yes"]);
}

#[test]
fn the_summary_counts_and_the_object_of_json_has_the_same_numbers() {
    let dir = place(&[
        ("hr.csv", "Email\na@example.com\nA@example.com\nb@example.com\nc@example.com\n"),
        ("other.csv", "Email\nb@example.com\nd@example.com\n"),
        ("org.csv", "email,state\nb@example.com,active\n"),
    ]);
    let ran = done(dir.path(), "audit hr.csv other.csv --snapshot org.csv -o all.csv --json");
    let last = ran.err.lines().last().unwrap();
    assert_eq!(last, "3 files, 7 rows and users: 2 clusters with 5 members (1 inside hr.csv, 1 across files)");
    let object = ran.json();
    assert_eq!(keys(&object), ["across", "clusters", "files", "inside", "members", "rows"]);
    let numbers = ["files", "rows", "clusters", "members", "inside", "across"].map(|key| object[key].as_u64().unwrap());
    assert_eq!(numbers, [3, 7, 2, 5, 1, 1]);
    let ran = done(dir.path(), "audit other.csv");
    assert_eq!(ran.err.lines().last().unwrap(), "1 file, 2 rows and users: 0 clusters with 0 members");
    assert_eq!(ran.out, format!("{HEADER}\n"));
}

#[test]
fn a_file_is_told_by_the_name_that_it_was_given_and_a_pipe_as_standard_input() {
    let dir = place(&[("org.csv", "email\na@example.com\n")]);
    std::fs::create_dir(dir.path().join("deep")).unwrap();
    std::fs::write(dir.path().join("deep/hr.csv"), "Email\na@example.com\n").unwrap();
    let found = members(dir.path(), "audit ./deep/hr.csv --snapshot org.csv");
    assert_eq!([&found[0]["member"], &found[1]["member"]], ["./deep/hr.csv", "org.csv"]);
    let pipe = std::fs::File::open(dir.path().join("deep/hr.csv")).unwrap();
    let ran = Ran::of(command(dir.path(), NOWHERE, "audit - --snapshot org.csv").stdin(pipe).output().unwrap());
    assert!(ran.code == Some(0) && ran.out.contains("\n1,2,standard input,roster,1,2,"), "{ran:?}");
}

#[test]
fn whatever_cannot_be_audited_is_refused_by_name_with_a_way_out_and_nothing_is_written() {
    let dir = place(&[
        ("hr.csv", "Email,Name\nada@example.com,Ada\n"),
        ("nobody.csv", "Name,Team\nada@example.com,Care\n"),
        ("mails.csv", "Email\nada@example.com\n"),
        ("org.csv", "email,state\nada@example.com,active\n"),
        ("cut.csv", "email,state\nada@example.com\n"),
    ]);
    let before = contents(dir.path());
    for (line, code, name) in [
        ("audit gone.csv", 3, "gone.csv"),
        ("audit hr.csv --snapshot gone.csv", 3, "gone.csv"),
        ("audit hr.csv nobody.csv", 3, "nobody.csv"),
        ("audit hr.csv --snapshot cut.csv", 3, "cut.csv, line 2"),
        ("audit hr.csv org.csv -o all.xlsx", 2, "all.xlsx"),
        ("audit hr.csv org.csv -o all", 2, "-o all"),
        ("audit hr.csv org.csv -o ./org.csv", 3, "org.csv"),
        ("audit hr.csv --snapshot org.csv -o org.csv", 3, "org.csv"),
        ("audit hr.csv -o nowhere/all.csv", 3, "nowhere/all.csv"),
        ("audit hr.csv ./hr.csv", 2, "hr.csv"),
        ("audit - -", 2, "-"),
        ("audit org.csv --snapshot org.csv", 2, "org.csv"),
        ("audit hr.csv org.csv --by employee-id", 3, "hr.csv, org.csv"),
        ("audit mails.csv --by name", 3, "mails.csv"),
        ("audit --snapshot org.csv --by name", 3, "org.csv"),
        ("audit hr.csv --by employee-id --map employee-id=Badge", 2, "Badge"),
        ("audit hr.csv --map shoe=Name", 2, "shoe"),
        ("audit hr.csv --default title=x", 2, "--default"),
        ("audit hr.csv --json", 2, "-o"),
    ] {
        let ran = run(dir.path(), line);
        assert_eq!(ran.code, Some(code), "{line}: {ran:?}");
        assert!(ran.err.contains(name) && ran.err.contains("\nhint: "), "{line}: {ran:?}");
        assert!(!ran.err.contains("ada@") && !ran.out.contains("ada@"), "{line}: {ran:?}");
        assert!(contents(dir.path()) == before, "{line}");
    }
    for line in ["audit", "audit hr.csv --by shoe", "audit hr.csv --keep some"] {
        assert_eq!(run(dir.path(), line).code, Some(2), "{line}");
    }
}
