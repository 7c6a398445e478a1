//! One roster in every encoding that people have: the same verdicts, names with their umlauts, and a word about how it was
//! read wherever that is no matter of course. What cannot be read is refused by name; nothing is ever replaced.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

use super::world::{NOWHERE, command, contents, table};
use crate::support::{Ran, run, scratch};

const ROSTER: &str = "Email;Name;Stadt\r\njörg@example.com;Jörg Groß;Köln\r\nkäthe@example.com;\"Käthe; Müller\";Düsseldorf\r\n\
                      änne@example.com;Änne Bäcker;Groß-Gerau\r\nada@example.com;Ada;Zürich\r\nnobody;Ömer;Zürich\r\n";
const ORG: &str = "email,name,state\njörg@example.com,Jörg Groß,active\nANNE@example.com,Anne,active\n\
                   änne@example.com,Änne Bäcker,deleted\n";

fn utf16(text: &str, of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(of).collect()
}

/// Letters below U+0100 only.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn with_mark(text: &str) -> String {
    format!("\u{feff}{text}")
}

fn place(roster: &[u8], org: &[u8]) -> tempfile::TempDir {
    let dir = scratch();
    std::fs::write(dir.path().join("hr.csv"), roster).unwrap();
    std::fs::write(dir.path().join("org.csv"), org).unwrap();
    dir
}

fn done(dir: &tempfile::TempDir, line: &str) -> Ran {
    let ran = run(dir.path(), line);
    assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    ran
}

/// Neither `diff` nor `plan` takes it: the error names all of `names`, a hint says `hint`, and nothing is written.
fn refused(roster: &[u8], org: &[u8], flags: &str, names: &[&str], hint: &str) {
    let dir = place(roster, org);
    let before = contents(dir.path());
    for line in ["diff hr.csv --snapshot org.csv", "plan hr.csv --snapshot org.csv -o hr.plan"] {
        let ran = run(dir.path(), &format!("{line} {flags}"));
        assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{line}: {ran:?}");
        assert!(names.iter().all(|name| ran.err.contains(name)), "{line}: {ran:?}");
        assert!(ran.err.lines().any(|l| l.starts_with("hint: ") && l.contains(hint)), "{line}: {ran:?}");
        assert!(contents(dir.path()) == before, "{line}: something was written");
    }
}

/// What the program says of how a file was read.
fn note<'r>(ran: &'r Ran, file: &str) -> Option<&'r str> {
    ran.err.lines().find(|line| line.starts_with(file))
}

fn rows(bytes: &[u8], delimiter: u8) -> Vec<BTreeMap<String, String>> {
    table(bytes, delimiter)
}

#[test]
fn the_same_people_have_the_same_verdicts_in_every_encoding() {
    let marked = with_mark(ROSTER);
    let le = "hr.csv is read as utf-16le: ";
    let be = "hr.csv is read as utf-16be: ";
    let western = "hr.csv: not UTF-8 (byte 0xF6 on line 2); read as Windows-1252: 15 bytes above 0x7F, among them ";
    let plain = done(&place(ROSTER.as_bytes(), ORG.as_bytes()), "diff hr.csv --snapshot org.csv --verdict all");
    assert_eq!(note(&plain, "hr.csv"), None);
    for (bytes, flags, told) in [
        (marked.clone().into_bytes(), "", None),
        (ROSTER.as_bytes().to_vec(), "--encoding utf-8", None),
        (utf16(&marked, u16::to_le_bytes), "", Some((le, "FF FE"))),
        (utf16(&marked, u16::to_be_bytes), "", Some((be, "FE FF"))),
        (utf16(ROSTER, u16::to_le_bytes), "", Some((le, "is 0"))),
        (utf16(ROSTER, u16::to_be_bytes), "", Some((be, "is 0"))),
        (utf16(ROSTER, u16::to_be_bytes), "--encoding utf-16be", Some(("hr.csv is read as utf-16be", "."))),
        (utf16(&marked, u16::to_be_bytes), "--encoding utf-16", Some(("hr.csv is read as utf-16be", "."))),
        (windows_1252(ROSTER), "", Some((western, "(--encoding says otherwise)."))),
        (windows_1252(ROSTER), "--encoding windows-1252", Some((western, "ä 4, ü 4, ö 3."))),
        (windows_1252(ROSTER), "--encoding latin1", Some((western, "."))),
    ] {
        let dir = place(&bytes, ORG.as_bytes());
        let ran = done(&dir, &format!("diff hr.csv --snapshot org.csv --verdict all {flags}"));
        // What wrote another encoding would not read UTF-8 without a mark.
        let is_marked = told.is_some() || bytes.starts_with(b"\xEF\xBB\xBF");
        let expected = if is_marked { with_mark(&plain.out) } else { plain.out.clone() };
        assert_eq!(ran.out, expected, "{flags} {told:?}");
        let said = note(&ran, "hr.csv");
        match told {
            None => assert_eq!(said, None, "{flags}"),
            Some((start, part)) => {
                assert!(said.is_some_and(|said| said.starts_with(start) && said.contains(part)), "{flags}: {ran:?}");
            }
        }
    }
    let verdicts: Vec<String> =
        rows(plain.out.as_bytes(), b';').into_iter().map(|row| row["_verdict"].clone()).collect();
    assert_eq!(verdicts, ["present", "new", "deleted", "new", "invalid"]);
}

#[test]
fn what_was_decoded_is_written_as_utf8_and_feeds_back_into_the_same_verdicts() {
    for bytes in [utf16(&with_mark(ROSTER), u16::to_le_bytes), windows_1252(ROSTER)] {
        let dir = place(&bytes, ORG.as_bytes());
        done(&dir, "diff hr.csv --snapshot org.csv --verdict all -o all.csv");
        let first = std::fs::read(dir.path().join("all.csv")).unwrap();
        let text = std::str::from_utf8(&first).unwrap();
        assert!(
            text.starts_with("\u{feff}Email;Name;Stadt;_row;")
                && text.contains("\r\nkäthe@example.com;\"Käthe; Müller\";Düsseldorf;2;3;")
        );
        let again = done(&dir, "diff all.csv --snapshot org.csv --verdict all");
        assert_eq!(note(&again, "all.csv"), None);
        assert!(rows(again.out.as_bytes(), b';') == rows(&first, b';'));
        let mut plan = command(dir.path(), NOWHERE, "plan hr.csv --snapshot org.csv -o hr.plan");
        let planned = Ran::of(plan.env_remove("GENESYSCLOUD_OAUTHCLIENT_ID").output().unwrap());
        assert!(planned.code == Some(9) && note(&planned, "hr.csv").is_some(), "{planned:?}");
        for verdict in ["new", "present", "invalid"] {
            let shown = done(&dir, &format!("diff hr.csv --snapshot org.csv --verdict {verdict}"));
            let written = std::fs::read(dir.path().join(format!("hr.plan/{verdict}.csv"))).unwrap();
            assert!(written == shown.out.as_bytes(), "{verdict}");
        }
    }
}

#[test]
fn an_export_in_another_encoding_gives_the_verdicts_of_the_utf8_one() {
    let expected = done(&place(ROSTER.as_bytes(), ORG.as_bytes()), "diff hr.csv --snapshot org.csv --verdict all");
    for (org, told) in [
        (utf16(&with_mark(ORG), u16::to_le_bytes), "org.csv is read as utf-16le: "),
        (utf16(ORG, u16::to_be_bytes), "org.csv is read as utf-16be: "),
        (windows_1252(ORG), "org.csv: not UTF-8 (byte 0xF6 on line 2); read as Windows-1252: "),
    ] {
        let ran = done(&place(ROSTER.as_bytes(), &org), "diff hr.csv --snapshot org.csv --verdict all");
        assert!(ran.out == expected.out && note(&ran, "org.csv").is_some_and(|said| said.starts_with(told)), "{ran:?}");
    }
}

#[test]
fn a_pipe_is_decoded_like_a_file() {
    let expected = done(&place(ROSTER.as_bytes(), ORG.as_bytes()), "diff hr.csv --snapshot org.csv");
    for bytes in [utf16(ROSTER, u16::to_le_bytes), windows_1252(ROSTER)] {
        let dir = place(b"", ORG.as_bytes());
        let mut command = command(dir.path(), NOWHERE, "diff - --snapshot org.csv");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert!(ran.code == Some(0) && note(&ran, "standard input").is_some(), "{ran:?}");
        assert_eq!(ran.out, with_mark(&expected.out));
    }
}

#[test]
fn an_encoding_that_was_said_and_is_not_that_of_the_bytes_is_refused() {
    let org = ORG.as_bytes();
    let place = ["hr.csv, line 2: byte 0xF6 at offset 19 is not UTF-8"];
    refused(&windows_1252(ROSTER), org, "--encoding utf-8", &place, "CSV UTF-8");
    let marked = with_mark(ROSTER);
    let names = ["hr.csv is not Windows-1252", "EF BB BF"];
    refused(marked.as_bytes(), org, "--encoding windows-1252", &names, "--encoding utf-8");
    let names = ["hr.csv is not UTF-16LE", "EF BB BF"];
    refused(marked.as_bytes(), org, "--encoding utf-16le", &names, "--encoding utf-8");
}

#[test]
fn utf8_that_is_said_to_be_windows_1252_is_read_so_with_a_word_about_it() {
    let dir = place("Email,Name\nx@example.com,Jörg\n".as_bytes(), ORG.as_bytes());
    let ran = done(&dir, "diff hr.csv --snapshot org.csv --encoding windows-1252");
    assert!(ran.out.contains("x@example.com,JÃ¶rg,1,2,"), "{ran:?}");
    assert!(note(&ran, "hr.csv: all of it is valid UTF-8, and yet read as Windows-1252: ").is_some(), "{ran:?}");
}

#[test]
fn damage_is_refused_with_its_place_and_is_no_reason_to_guess() {
    let org = ORG.as_bytes();
    let damaged = [ROSTER.as_bytes(), b"x@example.com;M\xFCller;x\r\n"].concat();
    let told = format!("hr.csv, line 7: byte 0xFC at offset {} is not UTF-8", ROSTER.len() + 15);
    refused(&damaged, org, "", &[&told, "damaged"], "CSV UTF-8");
    refused(
        ROSTER.as_bytes(),
        &[ORG.as_bytes(), b"x@example.com,M\xFCller,\n"].concat(),
        "",
        &["org.csv, line 5", "damaged"],
        "",
    );
    let mut half = utf16(&with_mark(ROSTER), u16::to_le_bytes);
    half.push(b'x');
    refused(&half, org, "", &["hr.csv, line 7: byte 0x78", "half of a unit in UTF-16LE"], "export it again");
    let mac = b"Email,Name\na@example.com,M\x9Fller\nb@example.com,J\x9Arg\nc@example.com,K\x8Athe\n";
    refused(mac, org, "", &["hr.csv, line 2: byte 0x9F at offset 26", "does not look like Windows-1252"], "CSV UTF-8");
}

#[test]
fn utf32_is_refused_by_name() {
    for of in [u32::to_le_bytes, u32::to_be_bytes] {
        let bytes: Vec<u8> = with_mark(ROSTER).chars().flat_map(|c| of(c.into())).collect();
        refused(&bytes, ORG.as_bytes(), "", &["hr.csv is UTF-32, which is not read here"], "CSV UTF-8");
    }
}

#[test]
fn a_delimiter_that_was_said_parts_the_cells_whatever_the_header_shows() {
    for (word, delimiter) in [(";", ";"), ("tab", "\t"), ("\\t", "\t"), ("#", "#"), ("|", "|"), (",", ",")] {
        // Every other delimiter stands in the header more often.
        let header = ["Email", "Name,a;b|c,d;e|f,g;h|i"].map(|cell| cell.replace(delimiter, "_")).join(delimiter);
        let roster = format!("{header}\nada@example.com{delimiter}Ada\n");
        let dir = place(roster.as_bytes(), ORG.as_bytes());
        let mut command = command(dir.path(), NOWHERE, "diff hr.csv --snapshot org.csv --delimiter");
        let ran = Ran::of(command.arg(word).output().unwrap());
        let expected =
            format!("ada@example.com{delimiter}Ada{delimiter}1{delimiter}2{delimiter}ada@example.com{delimiter}new");
        assert!(
            ran.code == Some(0) && ran.out.lines().nth(1).is_some_and(|row| row.starts_with(&expected)),
            "{word}: {ran:?}"
        );
    }
}

#[test]
fn what_cannot_part_cells_and_what_is_no_encoding_is_wrong_usage() {
    let dir = place(ROSTER.as_bytes(), ORG.as_bytes());
    for wrong in ["", ";;", "ü", "\"", "\n", "\r", "comma"] {
        for line in ["diff hr.csv --snapshot org.csv --delimiter", "plan hr.csv --snapshot org.csv --delimiter"] {
            let ran = Ran::of(command(dir.path(), NOWHERE, line).arg(wrong).output().unwrap());
            assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{wrong:?}: {ran:?}");
        }
    }
    let ran = run(dir.path(), "diff hr.csv --snapshot org.csv --encoding utf-7");
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains("\"utf-7\" is not read here; utf-8, utf-16le, utf-16be, windows-1252 are"), "{ran:?}");
}
