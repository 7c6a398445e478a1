//! What the program writes it can read again, under whatever name; and what it cannot read whole it says so of.

use super::world::{World, command, contents, fast, table};
use crate::support::{Ran, run, scratch};

const ORG: &str = "email,state\nada@example.com,active\n";

fn place(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = scratch();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn done(dir: &tempfile::TempDir, line: &str) -> Ran {
    let ran = run(dir.path(), line);
    assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    ran
}

fn refused(dir: &tempfile::TempDir, line: &str, code: i32, names: &[&str]) -> Ran {
    let before = contents(dir.path());
    let ran = run(dir.path(), line);
    assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{line}: {ran:?}");
    assert!(names.iter().all(|name| ran.err.contains(name)) && ran.err.contains("hint: "), "{ran:?}");
    assert!(contents(dir.path()) == before, "{line}: something was written");
    ran
}

#[test]
fn a_tsv_that_was_written_from_a_comma_roster_is_read_by_its_commas() {
    let roster = "Email,Name\nada@example.com,Ada\ncyd@example.com,Cyd\n";
    let dir = place(&[("hr.csv", roster), ("org.csv", ORG), ("tabs.tsv", &roster.replace(',', "\t"))]);
    done(&dir, "diff hr.csv --snapshot org.csv -o new.tsv");
    for name in ["new.tsv", "tabs.tsv"] {
        let again = done(&dir, &format!("diff {name} --snapshot org.csv"));
        assert!(again.err.contains("1 new +"), "{again:?}");
    }
}

#[test]
fn a_corrected_line_with_a_comma_too_many_is_ragged_and_not_shifted() {
    let text = "Email,Name,Department,_row,_line,_key,_verdict\nada@x.example,Lovelace, Ada,Care\n\
                bob@x.example,Bob,Care\ncyd@x.example,Cyd,Care,3,4,cyd@x.example,invalid\n";
    let dir = place(&[("hr.csv", text), ("org.csv", ORG)]);
    let ran = done(&dir, "diff hr.csv --snapshot org.csv --verdict all");
    let rows = table(ran.out.as_bytes(), b',');
    let found: Vec<_> = rows.iter().map(|row| (&*row["_verdict"], &*row["_reason"], &*row["_extra"])).collect();
    assert_eq!(found, [("invalid", "csv.ragged", "Care"), ("new", "", ""), ("new", "", "")]);
}

#[test]
fn a_record_that_was_too_short_stays_ragged_until_somebody_has_mended_it() {
    let dir = place(&[("hr.csv", "Email,Name,Department,Title\nada@x.example,Ada,Care\nbob@x.example,Bob,Care,\n")]);
    std::fs::write(dir.path().join("org.csv"), ORG).unwrap();
    done(&dir, "diff hr.csv --snapshot org.csv --verdict invalid -o invalid.csv");
    let short = std::fs::read_to_string(dir.path().join("invalid.csv")).unwrap();
    assert!(short.lines().nth(1).unwrap().starts_with("ada@x.example,Ada,Care,,1,2,"), "{short}");
    let filled = short.replacen("Ada,Care,,", "Ada,Care,Agent,", 1);
    let wiped = short.replacen("csv.ragged", "", 1);
    for (text, verdict) in [(&short, "invalid,csv.ragged,"), (&filled, "new,,"), (&wiped, "new,,")] {
        std::fs::write(dir.path().join("invalid.csv"), text).unwrap();
        let ran = done(&dir, "diff invalid.csv --snapshot org.csv --verdict all");
        assert!(ran.out.contains(verdict) && ran.out.lines().count() == 2, "{verdict}: {ran:?}");
    }
}

#[test]
fn a_division_that_was_mapped_by_number_is_still_one_when_it_is_fed_back() {
    let dir = place(&[("hr.csv", "cyd@example.com,Cyd,Home,0042\n"), ("org.csv", ORG)]);
    let flags = "--no-header --map email=1 --map name=2 --map division=3 --map employee-id=4";
    let first = done(&dir, &format!("diff hr.csv --snapshot org.csv -o new.csv {flags}"));
    let mapping = |ran: &Ran| ran.err.lines().next().unwrap().to_owned();
    let expected = "division = \"genesys division\", employee-id = \"employee id\"";
    assert!(mapping(&first).ends_with(expected), "{first:?}");
    assert_eq!(mapping(&done(&dir, "diff new.csv --snapshot org.csv")), mapping(&first));
    refused(&dir, "diff new.csv --snapshot org.csv --no-header", 2, &["new.csv", "leave --no-header away"]);
}

#[test]
fn a_snapshot_of_ours_keeps_its_certificate_whatever_it_is_called() {
    let world = World::new(fast());
    world.write("hr.csv", "Email,Name\ncyd@example.com,Cyd\n");
    world.done("snapshot -o org.parquet");
    std::fs::copy(world.path("org.parquet"), world.path("org.bak")).unwrap();
    let ran = world.done("plan hr.csv --snapshot org.bak -o hr.plan --json");
    assert_eq!(ran.json()["complete"], true);
}

#[test]
fn an_export_with_a_record_that_cannot_be_read_is_no_proof_that_nobody_stands_there() {
    let org = "email,name,state\nbob@example.com,Bob,active\nada@example.com,Lovelace, Ada,active\n";
    let dir = place(&[("hr.csv", "Email,Name\nada@example.com,Ada\n"), ("org.csv", org)]);
    for line in ["diff hr.csv --snapshot org.csv", "plan hr.csv --snapshot org.csv -o hr.plan"] {
        let ran = refused(&dir, line, 3, &["org.csv, line 3: "]);
        assert!(!ran.err.contains("ada@"), "{ran:?}");
    }
}

#[test]
fn a_display_name_that_stands_in_is_told_and_kept_in_the_manifest() {
    let world = World::new(fast());
    world.write("hr.csv", "Email,First Name,Last Name,Display Name\na@example.com,,,Ada\nb@example.com,Bob,Day,B.\n");
    world.done("snapshot -o org.parquet");
    let ran = world.done("plan hr.csv --snapshot org.parquet -o hr.plan");
    assert!(ran.err.contains("name = \"First Name\" + \"Last Name\" (or \"Display Name\")"), "{ran:?}");
    assert!(ran.err.contains("2 rows = 2 new + "), "{ran:?}");
    let manifest: serde_json::Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
    assert_eq!(manifest["mapping"]["name_else"], "Display Name");
    world.done("apply hr.plan --yes");
    let names = world.server.with_org(|org| org.users().iter().map(|user| user.name.clone()).collect::<Vec<_>>());
    assert!(names.contains(&"Ada".to_owned()) && names.contains(&"Bob Day".to_owned()), "{names:?}");
}

#[test]
fn an_empty_map_leaves_an_optional_field_out_and_help_tells_no_value_of_the_environment() {
    let dir = place(&[("hr.csv", "Email,Name,Title\ncyd@example.com,Cyd,Dr\n"), ("org.csv", ORG)]);
    let ran = done(&dir, "diff hr.csv --snapshot org.csv --map title=");
    assert_eq!(ran.err.lines().next(), Some("Columns: email = \"Email\", name = \"Name\""));
    let ran = done(&dir, "diff hr.csv --snapshot org.csv --map title= --map employee-id=Title");
    assert_eq!(ran.err.lines().next(), Some("Columns: email = \"Email\", name = \"Name\", employee-id = \"Title\""));
    refused(&dir, "diff hr.csv --snapshot org.csv --map email=", 2, &["--map email="]);
    for line in ["plan --help", "apply --help", "snapshot -h"] {
        let mut help = command(dir.path(), "https://magpie.example", line);
        help.env("ROSTERDIFF_LOGIN_URL", "https://magpie.example").env("ROSTERDIFF_CA_FILE", "/home/magpie/ca.pem");
        let ran = Ran::of(help.output().unwrap());
        assert!(
            ran.code == Some(0) && ran.out.contains("ROSTERDIFF_API_URL") && !ran.out.contains("magpie"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_ragged_record_that_is_fed_back_as_it_was_stays_invalid_until_its_surplus_is_dealt_with() {
    let world = World::new(fast());
    world.write(
        "hr.csv",
        "Name,Email,Department,Title\nAda L,ada@example.com,Sales, Outbound,Agent\nBob,bob@example.com,Care,Agent\n",
    );
    world.done("snapshot -o org.parquet -q");
    world.done("plan hr.csv --snapshot org.parquet -o one.plan -q");
    for (from, to) in [("one.plan/invalid.csv", "two.plan"), ("two.plan/invalid.csv", "three.plan")] {
        let object = world.done(&format!("plan {from} --snapshot org.parquet -o {to} --json")).json();
        assert_eq!((&object["new"], &object["invalid"]), (&0.into(), &1.into()), "{object}");
        assert_eq!(world.read(&format!("{to}/invalid.csv")), world.read("one.plan/invalid.csv"));
    }
    let text = String::from_utf8(world.read("three.plan/invalid.csv")).unwrap();
    assert!(text.contains(",csv.ragged,") && text.trim_end().ends_with(",Agent"), "{text}");
    world.write(
        "mended.csv",
        text.replace("Sales, Outbound", "\"Sales, Outbound\",Agent").replace(",,,,,,,Agent\n", ",,,,,,,\n"),
    );
    let object = world.done("plan mended.csv --snapshot org.parquet -o four.plan --json").json();
    assert_eq!((&object["new"], &object["invalid"]), (&1.into(), &0.into()), "{object}");
}
