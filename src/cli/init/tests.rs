//! What `init` writes is what is found without it, asleep and awake.

#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::roster::encoding::Encoding;
use crate::roster::{ABROAD, Opening, SAMPLES, open_bytes};

/// A sheet of these columns, and nobody in it.
fn sheet(header: &[String]) -> Option<Sheet> {
    let quoted: Vec<String> = header.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    open_bytes("hr.csv", format!("{}\n", quoted.join(",")).into_bytes(), Opening::default()).ok()
}

fn page(sheet: &Sheet, reading: &Reading) -> Result<(String, Look)> {
    let look = look(sheet, &Found::Text(Encoding::Utf8), reading)?;
    Ok((page::text(Path::new("hr.csv"), &look, reading), look))
}

/// What the commands take from a text; it has to be valid, as a file that is named with --config.
fn reading(text: &str) -> Reading {
    let mut reading = Reading::default();
    for entry in config::entries(config::NAME, text.as_bytes(), true).unwrap_or_else(|e| panic!("{e}\n{text}")) {
        if let Some(taken) = reading.take(entry.flag, &entry.value) {
            assert_eq!(taken, Ok(true), "{text}");
        }
    }
    reading
}

/// The text with each of its sleeping settings awake, one at a time; and that line.
fn awake(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let sleeping = (0..lines.len()).filter(|at| lines[*at].starts_with('#') && !lines[*at].starts_with("# "));
    sleeping
        .map(|at| {
            let mut woken = lines.clone();
            woken[at] = &lines[at][1..];
            (woken.join("\n"), woken[at].to_owned())
        })
        .collect()
}

/// What is written for a header says what is found without it, asleep and awake.
fn check(header: &[String]) {
    let Some(sheet) = sheet(header) else { return };
    let found = roster::map(&sheet, &[]);
    let Ok((text, look)) = page(&sheet, &Reading::default()) else {
        assert!(found.is_err(), "{header:?}");
        return;
    };
    let taken = roster::map(&sheet, &reading(&text).maps);
    assert_eq!(taken.as_ref().ok(), found.as_ref().ok(), "{text}");
    assert_eq!(found.is_err(), look.question.is_some(), "{text}");
    for (text, line) in awake(&text) {
        let woken = roster::map(&sheet, &reading(&text).maps);
        let is_key = line.starts_with("email = ");
        assert!(woken.is_ok() || (found.is_err() && !is_key), "{line}: {woken:?}");
    }
}

#[test]
fn what_is_written_for_every_family_and_language_is_what_is_found() {
    for header in headers() {
        check(&header.split(',').map(str::to_owned).collect::<Vec<_>>());
    }
}

fn headers() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().map(|(header, ..)| *header).chain(ABROAD.iter().map(|(_, header, _)| *header))
}

/// What any of them calls a column.
fn names() -> Vec<String> {
    headers().flat_map(|header| header.split(',')).map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn what_is_written_for_any_columns_of_families_and_languages_is_what_is_found(
        picked in prop::collection::vec(prop_oneof![
            8 => prop::sample::select(names()),
            1 => prop::sample::select(vec!["E-Mail", "Mail", "Org Unit", "Cost Centre", "Name", "Nom", "Nome", "UPN", ""]).prop_map(str::to_owned),
            1 => r#"["+=\\#'\n\té ]{0,5}(mail|Name|Team)["+=\n]{0,2}"#,
        ], 1..14)
    ) {
        check(&picked);
    }
}

#[test]
fn a_question_is_written_with_its_candidates_and_either_answers_it() {
    let header = ["Email", "Work Email", "Name", "Team"].map(str::to_owned);
    let sheet = sheet(&header).unwrap();
    let (text, look) = page(&sheet, &Reading::default()).unwrap();
    let (candidates, error) = look.question.unwrap();
    assert_eq!((candidates, error.kind()), (vec![0, 1], Kind::File));
    assert!(!text.contains("\nemail = ") && text.contains("which of \"Email\", \"Work Email\" is the key?"), "{text}");
    assert!(text.contains("# department: none of \"Team\" was taken.\n#department = \"Team\"\n"), "{text}");
    for (at, name) in [(0, "Email"), (1, "Work Email")] {
        let woken = text.replace(&format!("#email = \"{name}\""), &format!("email = \"{name}\""));
        assert_eq!(roster::map(&sheet, &reading(&woken).maps).unwrap().email, at);
    }
}

#[test]
fn a_name_that_nothing_tells_of_is_written_with_what_it_may_be() {
    let header = ["Prénom", "Name", "E-Mail"].map(str::to_owned);
    let sheet = sheet(&header).unwrap();
    let (text, _) = page(&sheet, &Reading::default()).unwrap();
    assert!(
        text.contains("Take the # away from one line.\n#name = \"Name\"\n#name = [\"Prénom\", \"Name\"]\n"),
        "{text}"
    );
    let woken = text.replace("#name = [", "name = [");
    assert_eq!(roster::map(&sheet, &reading(&woken).maps).unwrap().name, [0, 1]);
}

#[test]
fn a_private_address_alone_is_a_candidate_and_no_address_at_all_is_an_error() {
    let found = |text: &str| {
        page(&sheet(&text.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap(), &Reading::default())
    };
    let (text, look) = found("Name,Personal Email").unwrap();
    assert!(text.contains("#email = \"Personal Email\"\n") && look.question.is_some(), "{text}");
    for text in ["Name,Team", "Ada,ada@example.com"] {
        let error = found(text).err().unwrap();
        assert!(error.kind() == Kind::File && !format!("{error:?}").contains("ada@"), "{error:?}");
    }
}

#[test]
fn what_flags_said_is_written_awake_and_taken_as_they_said_it() {
    let header = ["Email", "Name", "Job Title"].map(str::to_owned);
    let mut said = Reading { no_header: false, fold_plus: true, threads: Some(3), ..Reading::default() };
    for (flag, value) in [
        ("map", "title="),
        ("map", "name=name"),
        ("default", "department=New \"hires\""),
        ("domain-alias", "old.example=new.example"),
    ] {
        assert_eq!(said.take(flag, value), Some(Ok(true)));
    }
    let (text, _) = page(&sheet(&header).unwrap(), &said).unwrap();
    for line in [
        "fold_plus = true",
        "threads = 3",
        "title = \"\"",
        "name = \"Name\"",
        "domain_alias = { \"old.example\" = \"new.example\" }",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let again = reading(&text);
    assert_eq!((again.defaults, again.aliases), (said.defaults, said.aliases));
}
