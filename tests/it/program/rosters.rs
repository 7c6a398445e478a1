//! Rosters as they come out of HR systems and directories: the right column is the key without a flag, whatever stands
//! beside it; and the other ways in: without a header, from a pipe, as parquet.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringViewArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rosterdiff::files::parquet::read_frame;
use serde_json::Value;

use super::world::{NOWHERE, World, command, contents, fast, table};
use crate::support::{Ran, data, run, scratch};

/// Who is there already, by work addresses only: a row that were matched by another address would be `new`.
const ORG: &str = "email,state\nada@example.com,active\nbob@example.com,inactive\n";

fn place(name: &str, roster: &[u8]) -> tempfile::TempDir {
    let dir = scratch();
    std::fs::write(dir.path().join(name), roster).unwrap();
    std::fs::write(dir.path().join("org.csv"), ORG).unwrap();
    dir
}

fn done(dir: &Path, line: &str) -> Ran {
    let ran = run(dir, line);
    assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    ran
}

/// Runs what has to end with `code`: the error names all of `names`, the hint is `hint`, and nothing is written.
fn refused(dir: &Path, line: &str, code: i32, names: &[&str], hint: &str) {
    let before = contents(dir);
    let ran = run(dir, line);
    assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{line}: {ran:?}");
    let error = ran.err.lines().find(|l| l.starts_with("error: ")).unwrap();
    assert!(names.iter().all(|name| error.contains(name)), "{line}: {ran:?}");
    assert!(ran.err.lines().any(|l| l.starts_with("hint: ") && l.contains(hint)), "{line}: {ran:?}");
    assert!(contents(dir) == before, "{line}: something was written");
}

/// Runs a command that reads a pipe, where it has no credentials to ask anybody with.
fn with_input(dir: &Path, line: &str, input: &[u8]) -> Ran {
    let mut command = command(dir, NOWHERE, line);
    command.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _written = child.stdin.take().unwrap().write_all(input);
    Ran::of(child.wait_with_output().unwrap())
}

/// The columns told on stderr.
fn mapping(ran: &Ran) -> &str {
    ran.err.lines().find_map(|l| l.strip_prefix("Columns: ")).unwrap_or_else(|| panic!("{ran:?}"))
}

/// Some tool columns of each row, joined by blanks.
fn tools(ran: &Ran, names: &[&str]) -> Vec<String> {
    let row = |row: &std::collections::BTreeMap<String, String>| {
        names.iter().map(|name| row[*name].as_str()).collect::<Vec<_>>().join(" ")
    };
    table(ran.out.as_bytes(), b',').iter().map(row).collect()
}

/// Reads a roster without a flag: the mapping, and key, verdict and reason of each row.
fn read(roster: &str, expected: &str, rows: &[&str]) {
    let dir = place("hr.csv", roster.as_bytes());
    let ran = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    assert_eq!(mapping(&ran), expected);
    assert_eq!(tools(&ran, &["_key", "_verdict", "_reason"]), rows);
}

#[test]
fn google_workspace_is_read_by_its_address_and_not_by_the_five_others() {
    read(
        "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],Recovery Email,Home Secondary Email,Work Secondary Email,Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile Phone,Work Address,Home Address,Employee ID,Employee Type,Employee Title,Manager Email,Department,Cost Center\n\
         Ada,Lovelace,ada@example.com,****,,/Care,ada.new@example.com,ada@mail.example,ada@home.example,ada2@example.com,+491701,+49 30 1234567,,,,,7,,Agent,boss@example.com,Care,12\n\
         Cyd,Day,cyd@example.com,****,,/Care,,ada@example.com,ada@example.com,ada@example.com,,,,,,,8,,Agent,ada@example.com,Care,12\n",
        "email = \"Email Address [Required]\", name = \"First Name [Required]\" + \"Last Name [Required]\", department = \"Department\", title = \"Employee Title\", phone = \"Work Phone\", employee-id = \"Employee ID\"",
        &["ada@example.com present held.email", "cyd@example.com new "],
    );
}

#[test]
fn an_entra_template_is_read_behind_its_version_line_and_its_example_is_nobody() {
    for first in ["version:v1.0", "version:v1.0,,,,,,,,"] {
        let roster = format!(
            "\u{feff}{first}\r\n\
             Name [displayName] Required,User name [userPrincipalName] Required,Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,First name [givenName],Last name [surname],Job title [jobTitle],Department [department],Usage location [usageLocation],Street address [streetAddress],State or province [state],Country or region [country],Office [physicalDeliveryOfficeName],City [city],ZIP or postal code [postalCode],Office phone [telephoneNumber],Mobile phone [mobile]\r\n\
             Example: Chris Green,Example: chris@contoso.com,Example: myPassword1234,No,,,,,,,,,,,,,\r\n\
             Chris Green,chris@contoso.com,myPassword1234,No,,,,,,,,,,,,,\r\n\
             Ada Lovelace,ada@example.com,x,No,Ada,Lovelace,Agent,Care,DE,,,,,,,+49 30 1234567,\r\n\
             Cyd Day,cyd@example.com,x,No,,,Agent,Care,DE,,,,,,,,\r\n"
        );
        let dir = place("hr.csv", roster.as_bytes());
        let ran = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
        assert_eq!(
            mapping(&ran),
            "email = \"User name [userPrincipalName] Required\", name = \"Name [displayName] Required\", department = \"Department [department]\", title = \"Job title [jobTitle]\", phone = \"Office phone [telephoneNumber]\""
        );
        assert_eq!(
            tools(&ran, &["_line", "_verdict", "_reason"]),
            ["3 invalid row.example", "4 invalid row.example", "5 present held.email", "6 new "]
        );
        assert!(ran.err.contains("4 rows = 1 new + 1 present + 0 deleted + 0 duplicate + 2 invalid"), "{ran:?}");
        let fed_back = with_input(dir.path(), "diff - --snapshot org.csv --verdict all", ran.out.as_bytes());
        assert_eq!(tools(&fed_back, &["_verdict"]), tools(&ran, &["_verdict"]));
    }
}

#[test]
fn the_delimiter_of_an_entra_template_is_that_of_its_header() {
    let roster = "version:v1.0,,,\nName [displayName];User name [userPrincipalName];Initial password [passwordProfile]\nAda;ada@example.com;x\n";
    let dir = place("hr.csv", roster.as_bytes());
    let ran = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict present");
    assert!(
        ran.out.lines().nth(1).unwrap().starts_with("Ada;ada@example.com;x;1;3;ada@example.com;present;"),
        "{ran:?}"
    );
}

#[test]
fn microsoft_365_is_read_by_its_user_name_though_an_address_stands_beside() {
    read(
        "User Name,First Name,Last Name,Display Name,Job Title,Department,Office Number,Office Phone,Mobile Phone,Fax,Alternate email address,Address,City,State or Province,ZIP or Postal Code,Country or Region\n\
         ada@example.com,,,Ada Lovelace,Agent,Care,7,+49 30 1234567,,,ada@mail.example,,,,,\n\
         cyd@example.com,Cyd,Day,Cyd Day,Agent,Care,7,,,,bob@example.com,,,,,\n",
        "email = \"User Name\", name = \"Display Name\", department = \"Department\", title = \"Job Title\", phone = \"Office Phone\"",
        &["ada@example.com present held.email", "cyd@example.com new "],
    );
}

#[test]
fn workday_is_read_with_its_legal_names_joined_or_its_worker_unmarked() {
    read(
        "Employee ID,Worker,Legal Name - First Name,Legal Name - Last Name,Email - Primary Work,Email - Primary Home,Business Title,Supervisory Organization,Cost Center,Location,Worker's Manager,Active Status\n\
         7,Ada Lovelace,Ada,Lovelace,ada@example.com,ada@home.example,Agent,Care (Boss),12,Berlin,Boss,Yes\n",
        "email = \"Email - Primary Work\", name = \"Legal Name - First Name\" + \"Legal Name - Last Name\", department = \"Supervisory Organization\", title = \"Business Title\", employee-id = \"Employee ID\"",
        &["ada@example.com present held.email"],
    );
    let roster = "Worker,Email - Primary Work\nCyd Day [C] (On Leave),cyd@example.com\n";
    read(roster, "email = \"Email - Primary Work\", name = \"Worker\"", &["cyd@example.com new "]);
    let world = World::new(fast());
    world.write("hr.csv", roster);
    world.plan();
    let plan = read_frame(&world.path("hr.plan/plan.parquet")).unwrap();
    assert_eq!(plan.column("name").unwrap().str().unwrap().get(0), Some("Cyd Day"));
}

#[test]
fn bamboohr_is_read_by_its_work_address_never_by_the_home_or_the_best() {
    read(
        "Employee #,First Name,Last Name,Preferred Name,Work Email,Home Email,Best Email,Job Title,Department,Division,Location,Reporting To,Work Phone,Mobile Phone,Status\n\
         7,Ada,Lovelace,,ada@example.com,ada@home.example,ada@home.example,Agent,Care,North,Berlin,Boss,+49 30 1234567,,Active\n\
         8,Cyd,Day,,,bob@example.com,bob@example.com,Agent,Care,North,Berlin,Boss,,,Active\n",
        "email = \"Work Email\", name = \"First Name\" + \"Last Name\", department = \"Department\", title = \"Job Title\", phone = \"Work Phone\", employee-id = \"Employee #\"",
        &["ada@example.com present held.email", " invalid email.missing"],
    );
}

#[test]
fn adp_is_read_by_its_work_contact_and_several_positions_are_duplicates() {
    read(
        "Associate ID,Position ID,Legal First Name,Legal Last Name,Personal Contact: Personal Email,Work Contact: Work Email (Personal Profile),Work Contact: Work Phone,Job Title Description,Home Department Description,Position Status,Reports To Position ID\n\
         7,P1,Cyd,Day,ada@example.com,cyd@example.com,+1 317 555 0100,Agent,Care,Active,P9\n\
         7,P2,Cyd,Day,ada@example.com,cyd@example.com,+1 317 555 0100,Coach,Care,Active,P9\n",
        "email = \"Work Contact: Work Email (Personal Profile)\", name = \"Legal First Name\" + \"Legal Last Name\", department = \"Home Department Description\", title = \"Job Title Description\", phone = \"Work Contact: Work Phone\", employee-id = \"Associate ID\"",
        &["cyd@example.com new ", "cyd@example.com duplicate duplicate.first_kept"],
    );
}

#[test]
fn okta_is_read_by_its_email_and_a_division_of_okta_is_none_of_genesys() {
    read(
        "login,firstName,lastName,middleName,honorificPrefix,honorificSuffix,email,title,displayName,nickName,profileUrl,secondEmail,mobilePhone,primaryPhone,streetAddress,city,state,zipCode,userType,employeeNumber,costCenter,organization,division,department,managerId,manager\n\
         ada.l,Ada,Lovelace,,,,ada@example.com,Agent,Ada L.,,,ada@mail.example,,+49 30 1234567,,,Berlin,,,7,12,,North,Care,9,Boss\n",
        "email = \"email\", name = \"firstName\" + \"lastName\" (or \"displayName\"), department = \"department\", title = \"title\", phone = \"primaryPhone\", employee-id = \"employeeNumber\"",
        &["ada@example.com present held.email"],
    );
}

#[test]
fn scim_attributes_and_the_genesys_tutorial_are_read_too() {
    read(
        "userName,name.givenName,name.familyName,displayName,title,emails.value,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department\n\
         bob@example.com,Ada,Lovelace,Ada L.,Agent,ada@example.com,Care\n",
        "email = \"emails.value\", name = \"name.givenName\" + \"name.familyName\" (or \"displayName\"), department = \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department\", title = \"title\"",
        &["ada@example.com present held.email"],
    );
    read(
        "NAME,EMAIL,PASSWORD,GROUP,ROLE,SITENAME,PHONEBASE\nAda,ada@example.com,x,,,,\n",
        "email = \"EMAIL\", name = \"NAME\"",
        &["ada@example.com present held.email"],
    );
}

#[test]
fn an_address_that_may_be_private_or_somebody_elses_is_a_question_that_names_it() {
    for column in [
        "Best Email",
        "Home Email",
        "Manager Email",
        "Recovery Email",
        "New Primary Email [UPLOAD ONLY]",
        "Emergency Contact Email",
    ] {
        let dir = place("hr.csv", format!("Name,{column}\nAda,ada@example.com\n").as_bytes());
        let hint = format!("--map email=\"{column}\"");
        for line in ["diff hr.csv --snapshot org.csv", "plan hr.csv --snapshot org.csv -o hr.plan"] {
            refused(dir.path(), line, 3, &["hr.csv", column], &hint);
        }
        let mut answered = command(dir.path(), NOWHERE, "diff hr.csv --snapshot org.csv --verdict all");
        let ran = Ran::of(answered.arg("--map").arg(format!("email={column}")).output().unwrap());
        assert_eq!(tools(&ran, &["_verdict"]), ["present"], "{ran:?}");
    }
}

const TEMPLATE: &str = "Ada Lovelace,ada@example.com,+49 30 1234567,7,Agent,Care,boss@example.com,Berlin,,,Home,\n\
                        Cyd Day,cyd@example.com,030 1234567,8,Agent,Care,ada@example.com,Berlin,,,Home,Skill1:5\n";

#[test]
fn the_genesys_template_without_a_header_maps_by_itself_and_can_be_fed_back_with_one() {
    for (roster, division) in [
        (TEMPLATE.to_owned(), ", division = \"division\""),
        (
            "Ada,ada@example.com,,Agent,Care,boss@example.com,Berlin,,,\nCyd,cyd@example.com,,Agent,Care,,,,,\n"
                .to_owned(),
            "",
        ),
    ] {
        let dir = place("hr.csv", roster.as_bytes());
        let first = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all --no-header");
        let expected = format!(
            "email = \"email\", name = \"name\", department = \"department\", title = \"title\"{division}, phone = \"phone_work\""
        );
        assert_eq!(mapping(&first), expected);
        assert_eq!(
            tools(&first, &["_row", "_line", "_key", "_verdict"]),
            ["1 1 ada@example.com present", "2 2 cyd@example.com new"]
        );
        assert!(first.out.starts_with("name,email,phone_work,"), "{first:?}");
        std::fs::write(dir.path().join("again.csv"), &first.out).unwrap();
        let again = done(dir.path(), "diff again.csv --snapshot org.csv --verdict all");
        assert_eq!(mapping(&again), expected);
        assert_eq!(tools(&again, &["_key", "_verdict"]), tools(&first, &["_key", "_verdict"]));
    }
}

#[test]
fn columns_by_number_get_the_names_of_their_fields_so_that_new_rows_can_be_fed_back() {
    let roster = "7;ada@example.com;Ada;Lovelace;Care\n8;cyd@example.com;\"Cyd; Ann\";Day;Care\n";
    let dir = place("hr.csv", roster.as_bytes());
    let flags = "--no-header --map email=2 --map name=3+4 --map department=5";
    done(dir.path(), &format!("diff hr.csv --snapshot org.csv -o new.csv {flags}"));
    let written = std::fs::read_to_string(dir.path().join("new.csv")).unwrap();
    assert!(written.starts_with("column_1;email;first name;last name;department;_row;"), "{written}");
    assert!(written.contains("\n8;cyd@example.com;\"Cyd; Ann\";Day;Care;2;2;"), "{written}");
    let again = done(dir.path(), "diff new.csv --snapshot org.csv -o again.csv --verdict all");
    assert_eq!(
        mapping(&again),
        "email = \"email\", name = \"first name\" + \"last name\", department = \"department\""
    );
    assert!(std::fs::read_to_string(dir.path().join("again.csv")).unwrap().contains(";Care;1;2;cyd@example.com;new;"));
}

#[test]
fn a_plan_without_a_header_can_be_applied_and_leaves_files_with_one() {
    let world = World::new(fast());
    world.write("hr.csv", TEMPLATE);
    world.done("snapshot -o org.parquet");
    world.done("plan hr.csv --snapshot org.parquet -o hr.plan --no-header");
    world.done("apply hr.plan --yes");
    let created = table(&world.read("hr.plan/created.csv"), b',');
    let found: Vec<(&str, &str)> = created.iter().map(|row| (row["email"].as_str(), row["name"].as_str())).collect();
    assert_eq!(found, [("ada@example.com", "Ada Lovelace"), ("cyd@example.com", "Cyd Day")]);
    let manifest: Value = serde_json::from_slice(&world.read("hr.plan/manifest.json")).unwrap();
    assert_eq!(
        (&manifest["mapping"]["phone"], &manifest["mapping"]["division"]),
        (&"phone_work".into(), &"division".into())
    );
}

#[test]
fn a_file_without_a_header_that_nothing_is_known_of_is_a_question_and_a_wrong_number_wrong_usage() {
    let dir = place("hr.csv", b"7,Ada,ada@example.com\n8,Cyd,cyd@example.com\n");
    for base in ["diff hr.csv --snapshot org.csv", "plan hr.csv --snapshot org.csv -o hr.plan"] {
        refused(dir.path(), &format!("{base} --no-header"), 3, &["hr.csv", "3 columns"], "--map email=3");
        refused(dir.path(), &format!("{base} --no-header --map name=2"), 3, &["hr.csv"], "--map email=3");
        for wrong in ["email=4", "email=0", "email=Email", "email=2+3", "colour=1"] {
            let field = wrong.split('=').next().unwrap();
            refused(dir.path(), &format!("{base} --no-header --map {wrong}"), 2, &[field], "");
        }
        // With a header that is no header: the way out is named.
        refused(dir.path(), base, 3, &["hr.csv"], "--no-header");
        refused(dir.path(), &format!("{base} --map email=3"), 2, &["hr.csv"], "--no-header");
        let told = run(dir.path(), &format!("{base} --map email=Mail")).err + &run(dir.path(), base).err;
        assert!(!told.contains("ada@example.com"), "a person is named: {told}");
    }
}

#[test]
fn a_roster_from_a_pipe_is_read_like_the_file() {
    let roster = std::fs::read(data("roster.csv")).unwrap();
    let dir = place("hr.csv", &roster);
    std::fs::copy(data("org.csv"), dir.path().join("org.csv")).unwrap();
    let from_file = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    let from_pipe = with_input(dir.path(), "diff - --snapshot org.csv --verdict all", &roster);
    assert_eq!((from_pipe.code, &from_pipe.err), (Some(0), &from_file.err));
    assert!(from_pipe.out == from_file.out);
    done(dir.path(), "diff hr.csv --snapshot org.csv -o new.parquet");
    let parquet = std::fs::read(dir.path().join("new.parquet")).unwrap();
    let from_parquet = with_input(dir.path(), "diff - --snapshot org.csv --verdict all", &parquet);
    let new = done(dir.path(), "diff hr.csv --snapshot org.csv");
    let columns = ["_key", "_verdict", "Work Email", "Office"];
    assert!(tools(&from_parquet, &columns) == tools(&new, &columns), "{:?}", from_parquet.err);
}

#[test]
fn a_plan_from_a_pipe_needs_a_place_and_keeps_the_digest_of_what_it_read() {
    let dir = place("hr.csv", b"Email,Name\ncyd@example.com,Cyd\n");
    let roster = std::fs::read(dir.path().join("hr.csv")).unwrap();
    let nowhere = with_input(dir.path(), "plan - --snapshot org.csv", &roster);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(nowhere.err.contains("hint: ") && nowhere.err.contains("-o DIR"), "{nowhere:?}");
    let export = done(dir.path(), "diff hr.csv --snapshot org.csv -o hr.parquet");
    assert_eq!(export.out, "");
    let parquet = std::fs::read(dir.path().join("hr.parquet")).unwrap();
    for (name, bytes) in [("text", &roster), ("parquet", &parquet)] {
        let ran = with_input(dir.path(), &format!("plan - --snapshot org.csv -o {name}.plan"), bytes);
        assert_eq!(ran.code, Some(9), "an export proves nothing: {ran:?}");
        let manifest = std::fs::read(dir.path().join(format!("{name}.plan/manifest.json"))).unwrap();
        let input = serde_json::from_slice::<Value>(&manifest).unwrap()["roster"].clone();
        assert_eq!(input["path"], "-");
        assert_eq!(input["bytes"], bytes.len());
        assert_eq!(input["blake3"], blake3::hash(bytes).to_hex().as_str(), "{name}");
    }
}

/// Writes a CSV as a parquet of strings, an empty cell as null.
fn as_parquet(csv: &[u8], path: &Path) {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_reader(csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv));
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
    let column = |at: usize| texts(rows.iter().map(|row| row.get(at).filter(|cell| !cell.is_empty())));
    write_parquet(header.iter().enumerate().map(|(at, name)| (name, column(at))).collect(), path);
}

/// Texts in views, compressed: as polars writes them.
fn texts<'a>(cells: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(cells.into_iter().collect::<StringViewArray>())
}

fn write_parquet(columns: Vec<(&str, ArrayRef)>, path: &Path) {
    let rows = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, cells)| (name, cells, true)));
    let rows = rows.unwrap();
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_parquet_roster_gives_the_verdicts_of_the_csv_with_the_same_cells() {
    // Records that are ragged or misquoted have no counterpart: a parquet has as many cells as columns.
    let sample = std::fs::read(data("roster.csv")).unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&sample[..]);
    let mut sound = csv::Writer::from_writer(Vec::new());
    let header = reader.headers().unwrap().clone();
    sound.write_record(&header).unwrap();
    for row in reader.records().map(|row| row.unwrap()).filter(|row| row.len() == header.len()) {
        sound.write_record(&row).unwrap();
    }
    let sound = sound.into_inner().unwrap();
    let dir = place("hr.csv", &sound);
    std::fs::copy(data("org.csv"), dir.path().join("org.csv")).unwrap();
    as_parquet(&sound, &dir.path().join("hr.parquet"));
    let names = ["_row", "_key", "_verdict", "_reason", "_rules", "_user_id", "_first_row", "_differs", "Office"];
    let csv = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    let parquet = done(dir.path(), "diff hr.parquet --snapshot org.csv --verdict all");
    assert_eq!(parquet.err, csv.err, "mapping and counts");
    let (csv_rows, parquet_rows) = (tools(&csv, &names), tools(&parquet, &names));
    assert!(csv_rows.len() > 1_900 && csv_rows.len() == parquet_rows.len());
    let unlike: Vec<_> = csv_rows.iter().zip(&parquet_rows).filter(|(csv, parquet)| csv != parquet).collect();
    assert!(unlike.is_empty(), "{unlike:?}");
    let lines = tools(&parquet, &["_row", "_line"]);
    assert!(lines.iter().zip(1..).all(|(line, row)| *line == format!("{row} {row}")), "a parquet has no lines");
    assert!(parquet.out.starts_with("Employee ID,First Name,") && !parquet.out.contains("\r\n"));
}

#[test]
fn a_parquet_export_gives_the_verdicts_of_the_csv_export() {
    let dir = place("hr.csv", &std::fs::read(data("roster.csv")).unwrap());
    let org = std::fs::read(data("org.csv")).unwrap();
    std::fs::write(dir.path().join("org.csv"), &org).unwrap();
    as_parquet(&org, &dir.path().join("org.parquet"));
    let csv = done(dir.path(), "diff hr.csv --snapshot org.csv --verdict all");
    let parquet = done(dir.path(), "diff hr.csv --snapshot org.parquet --verdict all");
    assert!(csv.out == parquet.out);
    assert!(parquet.err.contains("Not proven"), "{}", parquet.err);
}

#[test]
fn what_diff_writes_as_parquet_can_be_fed_back_as_a_roster() {
    let dir = place("hr.csv", b"Email,Name,code,Row\nada@example.com,Ada,7,x\ncyd@example.com,Cyd,8,y\n");
    for verdict in ["new", "all"] {
        done(dir.path(), &format!("diff hr.csv --snapshot org.csv --verdict {verdict} -o {verdict}.parquet"));
        let again = done(dir.path(), &format!("diff {verdict}.parquet --snapshot org.csv --verdict {verdict}"));
        let shown = done(dir.path(), &format!("diff hr.csv --snapshot org.csv --verdict {verdict}"));
        assert_eq!(again.out.lines().next(), shown.out.lines().next(), "tool columns once, source columns all");
        assert_eq!(tools(&again, &["Email", "code", "_verdict"]), tools(&shown, &["Email", "code", "_verdict"]));
    }
}

#[test]
fn values_of_other_types_are_text_and_an_empty_row_is_a_row() {
    let dir = place("hr.csv", b"");
    let emails = texts([Some("ada@example.com"), None, Some("a\"b,\n@example.com")]);
    write_parquet(vec![("email", Arc::clone(&emails))], &dir.path().join("one.parquet"));
    let ran = done(dir.path(), "diff one.parquet --snapshot org.csv --verdict all");
    assert_eq!(tools(&ran, &["_row", "_verdict"]), ["1 present", "2 invalid", "3 invalid"]);
    assert_eq!(tools(&ran, &["email"]), ["ada@example.com", "", "a\"b,\n@example.com"]);
    let others = vec![
        ("email", emails),
        ("id", Arc::new(Int64Array::from(vec![7, -8, 9])) as ArrayRef),
        ("active", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("share", Arc::new(Float64Array::from(vec![0.5, 1.25, -3.0]))),
    ];
    write_parquet(others, &dir.path().join("many.parquet"));
    let ran = done(dir.path(), "diff many.parquet --snapshot org.csv --verdict all");
    assert_eq!(tools(&ran, &["id", "active", "share"]), ["7 true 0.5", "-8  1.25", "9 false -3.0"]);
}

#[test]
fn a_damaged_parquet_is_named_and_nothing_is_written() {
    let dir = place("hr.csv", b"Email,Name\ncyd@example.com,Cyd\n");
    as_parquet(&std::fs::read(data("roster.csv")).unwrap(), &dir.path().join("whole.parquet"));
    let whole = std::fs::read(dir.path().join("whole.parquet")).unwrap();
    let mut pages = whole.clone();
    pages[40..2_000].fill(0xff);
    for (what, bytes) in [("cut", &whole[..whole.len() / 2]), ("pages", &pages), ("text", b"Email\nx\n"), ("none", b"")]
    {
        std::fs::write(dir.path().join("hr.parquet"), bytes).unwrap();
        for line in ["diff hr.parquet --snapshot org.csv", "plan hr.parquet --snapshot org.csv -o hr.plan"] {
            refused(dir.path(), line, 3, &["hr.parquet"], "as CSV");
        }
        // In a pipe the first bytes say what it is: the text would be a good roster.
        let piped = with_input(dir.path(), "diff - --snapshot org.csv", bytes);
        assert_eq!(piped.code, Some(if what == "text" { 0 } else { 3 }), "{what}: {piped:?}");
    }
    std::fs::write(dir.path().join("org.parquet"), &pages).unwrap();
    refused(dir.path(), "diff hr.csv --snapshot org.parquet", 3, &["org.parquet"], "as CSV");
    std::fs::write(dir.path().join("hr.parquet"), &whole).unwrap();
    refused(dir.path(), "diff hr.parquet --snapshot org.csv --no-header", 2, &["hr.parquet"], "--no-header");
}

#[test]
fn a_parquet_of_too_many_columns_or_without_an_email_column_is_refused() {
    let dir = place("hr.csv", b"");
    let names: Vec<String> = (0..4_097).map(|n| format!("c{n}")).collect();
    write_parquet(
        names.iter().map(|name| (name.as_str(), texts([Some("x")]))).collect(),
        &dir.path().join("wide.parquet"),
    );
    refused(dir.path(), "diff wide.parquet --snapshot org.csv", 3, &["wide.parquet", "4097 columns"], "people");
    write_parquet(vec![("Team", texts([Some("x")]))], &dir.path().join("team.parquet"));
    refused(dir.path(), "diff team.parquet --snapshot org.csv", 3, &["team.parquet", "\"Team\""], "--map email=");
    write_parquet(vec![("Team", texts([Some("x")]))], &dir.path().join("org.parquet"));
    std::fs::write(dir.path().join("hr.csv"), "Email\na@example.com\n").unwrap();
    refused(dir.path(), "diff hr.csv --snapshot org.parquet", 3, &["org.parquet", "\"Team\""], "");
}
