//! Whatever is wrong: the exit code says which kind, the error names the thing, a hint says what to do, and nothing was
//! written or sent.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::Command;

use rosterdiff::sim::{Org, PageCaps, Settings};

use super::world::{NOWHERE, World, command, contents, fast, people, table};
use crate::support::{Ran, scratch};

const EXPORT: &str = "email,state\nada@example.com,active\n";

/// Runs what has to be refused with `code`: the error names all of `names` and a way out, and every file is as it was.
fn refused(dir: &Path, command: &mut Command, code: i32, names: &[&str]) -> Ran {
    let before = contents(dir);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert_eq!(ran.out, "", "an error is talk: {ran:?}");
    let error = ran.err.lines().skip_while(|line| !line.starts_with("error: ")).collect::<Vec<_>>().join("\n");
    for name in names {
        assert!(error.contains(name), "the error does not name {name}: {ran:?}");
    }
    assert!(ran.err.lines().any(|line| line.starts_with("hint: ")), "no way out: {ran:?}");
    assert!(!ran.err.contains("/.tmp"), "a temporary file is named: {ran:?}");
    assert!(contents(dir) == before, "something was written: {ran:?}");
    ran
}

/// Neither `diff` nor `plan` takes this roster.
fn roster_refused(roster: &[u8], names: &[&str]) {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), roster).unwrap();
    std::fs::write(dir.path().join("org.csv"), EXPORT).unwrap();
    for line in [
        "diff hr.csv --snapshot org.csv",
        "diff hr.csv --snapshot org.csv -o new.csv",
        "plan hr.csv --snapshot org.csv -o hr.plan",
    ] {
        refused(dir.path(), &mut command(dir.path(), NOWHERE, line), 3, names);
    }
}

#[test]
fn a_missing_roster_is_named() {
    let dir = scratch();
    std::fs::write(dir.path().join("org.csv"), EXPORT).unwrap();
    for line in ["diff gone.csv --snapshot org.csv", "plan gone.csv --snapshot org.csv"] {
        refused(dir.path(), &mut command(dir.path(), NOWHERE, line), 3, &["gone.csv"]);
    }
}

#[test]
fn an_empty_roster_is_refused() {
    roster_refused(b"", &["hr.csv", "empty"]);
    roster_refused(b"\r\n\r\n", &["hr.csv", "empty"]);
}

#[test]
fn a_roster_without_an_email_column_is_shown_its_columns() {
    roster_refused(b"Name,Personal Email,Team\nAda,ada@example.com,Sales\n", &["hr.csv", "\"Name\"", "\"Team\""]);
}

#[test]
fn two_email_columns_of_one_rank_are_a_question() {
    roster_refused(b"Email,Work Email\na@example.com,b@example.com\n", &["hr.csv", "\"Email\"", "\"Work Email\""]);
}

#[test]
fn two_columns_of_one_name_are_refused_by_number() {
    roster_refused(b"Name,Email,name\nAda,a@example.com,Ada\n", &["hr.csv", "\"name\"", "1", "3"]);
}

#[test]
fn a_quote_open_at_the_end_of_the_file_names_the_line_where_it_began() {
    roster_refused(b"Email,Name\na@example.com,A\nb@example.com,\"B\nc@example.com,C\n", &["hr.csv", "line 3"]);
}

#[test]
fn bytes_that_are_neither_utf8_nor_windows_1252_are_named_by_line_and_offset() {
    roster_refused(b"Email,Name\na@example.com,M\x81ller\n", &["hr.csv", "line 2", "0x81", "offset 26"]);
}

#[test]
fn a_column_or_field_that_does_not_exist_is_wrong_usage() {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), people(1)).unwrap();
    std::fs::write(dir.path().join("org.csv"), EXPORT).unwrap();
    for (map, names) in [
        ("email=Mail_Box", &["Mail_Box", "\"Email\"", "\"Name\""][..]),
        ("name=Name+Nickname", &["Nickname", "\"Email\""]),
        ("shoe_size=Name", &["shoe_size", "department"]),
    ] {
        for line in ["diff hr.csv --snapshot org.csv --map", "plan hr.csv --snapshot org.csv --map"] {
            refused(dir.path(), command(dir.path(), NOWHERE, line).arg(map), 2, names);
        }
    }
}

#[test]
fn a_ragged_row_and_a_nul_byte_cost_their_own_row_and_no_other() {
    let dir = scratch();
    let roster = "Name,Email\nAda,ada@example.com\nBob\nCyd,cyd@example.com,x\nD\0d,dad@example.com\n\"E\nve\",eve@example.com\n";
    std::fs::write(dir.path().join("hr.csv"), roster).unwrap();
    std::fs::write(dir.path().join("org.csv"), EXPORT).unwrap();
    let mut command = command(dir.path(), NOWHERE, "diff hr.csv --snapshot org.csv --verdict all");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let found: Vec<[String; 3]> = table(&output.stdout, b',')
        .iter()
        .map(|row| ["_line", "_verdict", "_reason"].map(|column| row[column].clone()))
        .collect();
    let expected = [
        ["2", "present", "held.email"],
        ["3", "invalid", "csv.ragged"],
        ["4", "invalid", "csv.ragged"],
        ["5", "invalid", "csv.nul"],
        ["6", "new", ""],
    ];
    assert_eq!(found, expected.map(|row| row.map(str::to_owned)));
}

#[test]
fn an_output_that_cannot_be_written_is_named_and_leaves_nothing() {
    let world = World::new(fast());
    world.write("hr.csv", people(1));
    world.write("org.csv", EXPORT);
    for line in [
        "plan hr.csv --snapshot org.csv -o hr.csv/x.plan",
        "plan hr.csv --snapshot org.csv -o nowhere/x.plan",
        "plan hr.csv -o nowhere/x.plan",
        "diff hr.csv --snapshot org.csv -o hr.csv/x.csv",
        "diff hr.csv --snapshot org.csv -o nowhere/x.csv",
        "diff hr.csv --snapshot org.csv -o nowhere/x.parquet",
        "snapshot -o hr.csv/x.parquet",
        "snapshot -o nowhere/x.parquet",
    ] {
        let target = line.rsplit(' ').next().unwrap();
        refused(world.dir.path(), &mut world.command(line), 3, &[target]);
    }
}

#[test]
fn an_output_that_is_no_plain_file_is_not_replaced_by_one() {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), people(1)).unwrap();
    std::fs::write(dir.path().join("org.csv"), EXPORT).unwrap();
    let pipe = dir.path().join("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let ran = Ran::of(command(dir.path(), NOWHERE, "diff hr.csv --snapshot org.csv -o pipe.csv").output().unwrap());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("pipe.csv") && ran.err.contains("hint: "), "{ran:?}");
    assert!(pipe.metadata().unwrap().file_type().is_fifo());
}

#[test]
fn a_directory_that_holds_something_else_is_never_replaced() {
    let world = World::new(fast());
    world.write("hr.csv", people(1));
    world.write("org.csv", EXPORT);
    std::fs::create_dir(world.path("letters")).unwrap();
    world.write("letters/love.txt", "dear Ada");
    for (target, flag) in [("letters", ""), ("letters", "--overwrite"), ("hr.csv", "--overwrite")] {
        let line = format!("plan hr.csv --snapshot org.csv -o {target} {flag}");
        refused(world.dir.path(), &mut world.command(&line), 3, &[target]);
    }
}

#[test]
fn a_plan_is_replaced_only_when_asked_for() {
    let world = World::planned(fast(), &people(2));
    world.write("hr.csv", people(3));
    let line = "plan hr.csv --snapshot org.parquet -o hr.plan";
    let ran = refused(world.dir.path(), &mut world.command(line), 3, &["hr.plan"]);
    assert!(ran.err.contains("--overwrite"), "{ran:?}");
    world.done(&format!("{line} --overwrite"));
    assert_eq!(table(&world.read("hr.plan/new.csv"), b',').len(), 3);
}

#[test]
fn a_plan_whose_run_has_begun_is_never_replaced() {
    let world = World::planned(fast(), &people(2));
    world.done("apply hr.plan --yes -q");
    let line = "plan hr.csv --snapshot org.parquet -o hr.plan --overwrite";
    refused(world.dir.path(), &mut world.command(line), 3, &["hr.plan", "journal"]);
}

#[test]
fn a_wrong_secret_ends_with_5_and_is_never_shown() {
    const CANARY: &str = "canary-secret-7f3a";
    let world = World::planned(fast(), &people(2));
    for line in ["snapshot -v", "plan hr.csv -o other.plan -v", "apply hr.plan --yes -v"] {
        let mut command = world.command(line);
        command.env("GENESYSCLOUD_OAUTHCLIENT_SECRET", CANARY);
        let ran = refused(world.dir.path(), &mut command, 5, &["HTTP 400", "invalid_client"]);
        assert!(!ran.err.contains(CANARY), "{ran:?}");
    }
    assert_eq!(world.n_posts(), 0);
}

#[test]
fn missing_credentials_are_named() {
    let world = World::planned(fast(), &people(2));
    for name in ["GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_SECRET"] {
        for line in ["snapshot", "plan hr.csv -o other.plan", "apply hr.plan --yes"] {
            refused(world.dir.path(), world.command(line).env_remove(name), 5, &[name]);
        }
    }
}

#[test]
fn an_unknown_region_is_wrong_usage() {
    let dir = scratch();
    let mut command = command(dir.path(), NOWHERE, "snapshot");
    command.env_remove("ROSTERDIFF_API_URL").env("GENESYSCLOUD_REGION", "mars-north-1");
    let ran = refused(dir.path(), &mut command, 2, &["mars-north-1"]);
    assert!(ran.err.contains("eu-central-1"), "{ran:?}");
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let dir = scratch();
    let base = |line: &str| command(dir.path(), NOWHERE, line);
    refused(dir.path(), &mut base("snapshot --api-url http://192.0.2.1"), 2, &["192.0.2.1"]);
    refused(dir.path(), &mut base("snapshot --login-url http://login.example"), 2, &["login.example"]);
    refused(dir.path(), base("snapshot").env("ROSTERDIFF_API_URL", "http://api.example:8080"), 2, &["api.example"]);
}

/// Neither created anything nor begun a run.
fn apply_refused(world: &World, names: &[&str]) {
    refused(world.dir.path(), &mut world.command("apply hr.plan --yes"), 4, names);
    assert_eq!(world.n_posts(), 0);
}

#[test]
fn nobody_is_created_without_a_yes() {
    let world = World::planned(fast(), &people(2));
    let ran = refused(world.dir.path(), &mut world.command("apply hr.plan"), 4, &["2 users"]);
    assert!(ran.err.contains("--yes"), "{ran:?}");
    assert_eq!(world.n_posts(), 0);
}

#[test]
fn a_plan_from_an_export_is_written_but_not_applied() {
    let world = World::new(fast());
    world.write("hr.csv", people(2));
    world.write("org.csv", EXPORT);
    unproven_plan(&world, "org.csv");
    apply_refused(&world, &["hr.plan", "not proven"]);
}

#[test]
fn a_plan_from_a_capped_snapshot_is_written_but_not_applied() {
    let page_cap = PageCaps { active: Some(500), ..PageCaps::default() };
    let mut org = Org::new(Settings { page_cap, cursor: false, ..fast() });
    org.seed_users(1_200);
    let world = World::of(org);
    world.write("hr.csv", people(2));
    assert_eq!(world.run("snapshot -o org.parquet").code, Some(9));
    unproven_plan(&world, "org.parquet");
    apply_refused(&world, &["hr.plan", "not proven"]);
}

/// A plan without credentials cannot probe: it is written and says that it proves nothing.
fn unproven_plan(world: &World, snapshot: &str) {
    let mut command = world.command(&format!("plan hr.csv --snapshot {snapshot} -o hr.plan --json"));
    let ran = Ran::of(command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap());
    assert_eq!(ran.code, Some(9), "{ran:?}");
    assert_eq!((&ran.json()["complete"], &ran.json()["new"]), (&false.into(), &2.into()));
    assert!(ran.err.contains("Not proven"), "{ran:?}");
}

#[test]
fn a_flipped_bit_in_any_file_of_a_plan_stops_apply() {
    for name in ["plan.parquet", "new.csv", "present.csv"] {
        let world = World::planned(fast(), &people(3));
        let path = format!("hr.plan/{name}");
        let mut bytes = world.read(&path);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        world.write(&path, bytes);
        apply_refused(&world, &[name]);
    }
}

#[test]
fn a_file_gone_from_a_plan_stops_apply() {
    let world = World::planned(fast(), &people(3));
    std::fs::remove_file(world.path("hr.plan/duplicate.csv")).unwrap();
    apply_refused(&world, &["duplicate.csv"]);
}

#[test]
fn a_plan_is_not_applied_to_another_organisation() {
    let world = World::planned(fast(), &people(3));
    let other = World::new(Settings { seed: 2, org_name: "Other House".to_owned(), ..fast() });
    let mut command =
        command(world.dir.path(), &other.server.base_url(), "apply hr.plan --yes --accept-empty-snapshot");
    refused(world.dir.path(), &mut command, 4, &["Other House"]);
    assert_eq!((world.n_posts(), other.n_posts()), (0, 0));
}

#[test]
fn a_roster_without_names_can_be_planned_but_not_applied() {
    let world = World::planned(fast(), "Email,Team\nada@example.com,Sales\n");
    let ran = refused(world.dir.path(), &mut world.command("apply hr.plan --yes"), 4, &["name"]);
    assert!(ran.err.contains("--map name="), "{ran:?}");
    assert_eq!(world.n_posts(), 0);
}

#[test]
fn a_begun_plan_whose_journal_is_gone_is_damaged() {
    let world = World::planned(fast(), &people(3));
    world.done("apply hr.plan --yes -q");
    std::fs::remove_file(world.path("hr.plan/journal.jsonl")).unwrap();
    refused(world.dir.path(), &mut world.command("apply hr.plan --yes"), 8, &["journal"]);
    assert_eq!(world.n_posts(), 3);
}

#[test]
fn a_journal_line_that_cannot_be_read_or_cannot_follow_is_damage_and_named() {
    let cut = |line: &str| line[..line.len() - 2].to_owned();
    let renumber = |line: &str| line.replacen("\"seq\":4", "\"seq\":5", 1);
    for (what, change) in [("cut", &cut as &dyn Fn(&str) -> String), ("renumbered", &renumber)] {
        let world = World::planned(fast(), &people(3));
        world.done("apply hr.plan --yes -q");
        let text = String::from_utf8(world.read("hr.plan/journal.jsonl")).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[3] = change(&lines[3]);
        world.write("hr.plan/journal.jsonl", lines.join("\n") + "\n");
        for line in ["apply hr.plan --yes", "status hr.plan", "verify hr.plan"] {
            let ran = refused(world.dir.path(), &mut world.command(line), 8, &["journal.jsonl", "line 4"]);
            assert!(!ran.err.contains("person"), "{what}: {ran:?}");
        }
        assert_eq!(world.n_posts(), 3);
    }
}

#[test]
fn wrong_words_on_the_command_line_end_with_2() {
    let dir = scratch();
    for line in ["aply hr.plan", "diff hr.csv", "plan --frobnicate hr.csv", "snapshot --per-min 0", "apply"] {
        let ran = Ran::of(command(dir.path(), NOWHERE, line).output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{line}: {ran:?}");
    }
}
