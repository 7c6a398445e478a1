//! Rosters whose columns are called in other languages than English, from the file to the user who is created.

use super::world::{World, fast};
use crate::support::Ran;

/// As an HR system in German writes it for a spreadsheet: the family name is `Name`.
const GERMAN: &str = "Name;Vorname;E-Mail (dienstlich);E-Mail (privat);Abteilung;Personalnummer;E-Mail Vorgesetzter\r\n\
                      Müller;Jürgen;juergen@example.com;jm@home.example;Qualität;0042;boss@example.com\r\n\
                      Weiß;Änne;aenne@example.com;;Förderung;0043;boss@example.com\r\n\
                      van der Straße;Zoë;zoe@example.com;;Büro;0044;boss@example.com\r\n";

/// Letters below U+0100 only.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn world(roster: impl AsRef<[u8]>) -> World {
    let world = World::new(fast());
    world.write("hr.csv", roster);
    world.done("snapshot -o org.parquet -q");
    world
}

/// The columns told on stderr.
fn columns(ran: &Ran) -> &str {
    ran.err.lines().find_map(|line| line.strip_prefix("Columns: ")).unwrap_or_else(|| panic!("{ran:?}"))
}

#[test]
fn people_of_a_german_roster_are_created_by_both_halves_of_their_names() {
    let world = world(windows_1252(GERMAN));
    let expected = "email = \"E-Mail (dienstlich)\", name = \"Vorname\" + \"Name\", department = \"Abteilung\", \
        employee-id = \"Personalnummer\"";
    assert_eq!(columns(&world.done("diff hr.csv --snapshot org.parquet")), expected);
    assert_eq!(columns(&world.done("plan hr.csv --snapshot org.parquet -o hr.plan")), expected);
    // What was written is read as what it was made of.
    assert_eq!(columns(&world.done("diff hr.plan/new.csv --snapshot org.parquet")), expected);
    assert_eq!(world.done("apply hr.plan --yes --json").json()["created"], 3);
    let mut users: Vec<String> = world.server.with_org(|org| {
        org.users().iter().map(|u| format!("{} {} {}", u.email, u.name, u.department.clone().unwrap())).collect()
    });
    users.sort();
    assert_eq!(
        users,
        [
            "aenne@example.com Änne Weiß Förderung",
            "juergen@example.com Jürgen Müller Qualität",
            "zoe@example.com Zoë van der Straße Büro",
        ]
    );
}

#[test]
fn a_settings_file_of_a_roster_in_another_language_says_what_is_found_without_it() {
    let world = world(windows_1252(GERMAN));
    assert!(columns(&world.done("init hr.csv")).contains("name = \"Vorname\" + \"Name\""));
    let text = String::from_utf8(world.read("rosterdiff.toml")).unwrap();
    for line in
        ["email = \"E-Mail (dienstlich)\"", "name = [\"Vorname\", \"Name\"]", "employee_id = \"Personalnummer\""]
    {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
}

#[test]
fn where_nothing_tells_the_whole_name_from_a_half_nobody_is_created_until_somebody_says_it() {
    let rows: String = (0..30).map(|n| format!("Ana Maria Lima {n},Aninha,ana{n}@example.com\n")).collect();
    let world = world(format!("Nome,Apelido,E-mail\n{rows}"));
    let ran = world.done("plan hr.csv --snapshot org.parquet -o hr.plan");
    assert_eq!(columns(&ran), "email = \"E-mail\"");
    assert!(ran.err.contains("No column was taken for the name"), "{ran:?}");
    assert!(ran.err.contains("plan again with --map name=Nome or --map name=Nome+Apelido."), "{ran:?}");
    let ran = world.run("apply hr.plan --yes");
    assert_eq!((ran.code, world.n_posts()), (Some(4), 0), "{ran:?}");
    let ran = world.done("plan hr.csv --snapshot org.parquet -o said.plan --map name=Nome");
    assert_eq!(columns(&ran), "email = \"E-mail\", name = \"Nome\"");
}

#[test]
fn an_address_that_is_private_or_the_managers_is_asked_about() {
    let world = world("Nom;Prénom;E-mail personnel;E-mail du responsable\nDay;Bob;bob@home.example;boss@example.com\n");
    let ran = world.run("diff hr.csv --snapshot org.parquet");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("say --map email=\"E-mail personnel\""), "{ran:?}");
    assert!(!ran.err.contains("example"), "{ran:?}");
}
