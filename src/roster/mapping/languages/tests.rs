//! The words of all languages, each held against what is made of it, and headers as systems write them.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::*;
use crate::error::Result;
use crate::roster::mapping::families::{DIVISION, DIVISION_OURS};
use crate::roster::mapping::header::{Header, spellings, squash};
use crate::roster::mapping::samples::ABROAD;
use crate::roster::{Mapping, Opening, Sheet, map, open_bytes};

type Field = (&'static str, fn(&Language) -> &'static str);

/// What a word may mean. Two lists of one meaning have one name.
const FIELDS: [Field; 18] = [
    ("email", |l| l.email),
    ("login", |l| l.login),
    ("name", |l| l.name),
    ("whole", |l| l.whole),
    ("shown", |l| l.shown),
    ("shown else", |l| l.shown_else),
    ("given", |l| l.given),
    ("given", |l| l.also[0]),
    ("between", |l| l.between),
    ("family", |l| l.family),
    ("family", |l| l.also[1]),
    ("behind", |l| l.behind),
    ("beside", |l| l.beside),
    ("department", |l| l.department),
    ("cost centre", |l| l.cost_centre),
    ("title", |l| l.title),
    ("phone", |l| l.phone),
    ("employee id", |l| l.employee_id),
];

fn sheet(header: &[&str]) -> Sheet {
    let quoted: Vec<String> = header.iter().map(|name| format!("\"{name}\"")).collect();
    open_bytes("hr.csv", format!("{}\n", quoted.join(";")).into_bytes(), Opening::default()).unwrap()
}

fn mapped(header: &[&str]) -> Result<Mapping> {
    map(&sheet(header), &[])
}

#[test]
fn every_word_is_written_as_it_is_compared_and_once() {
    let others: [Field; 4] = [
        ("phone at work", |l| l.phone_work),
        ("work", |l| l.work),
        ("never", |l| l.never),
        ("required", |l| l.required),
    ];
    for language in &LANGUAGES {
        let mut seen = BTreeSet::new();
        for (field, words) in FIELDS.iter().chain(&others) {
            for word in words(language).split_ascii_whitespace() {
                let bare = if *field == "never" { word.trim_matches('*') } else { word };
                assert_eq!(squash(bare), bare, "{} {field}", language.code);
                let n_letters_min = if *field == "email" { 4 } else { 1 };
                assert!(bare.is_ascii() && bare.len() >= n_letters_min, "{} {field}: {bare}", language.code);
                assert!(seen.insert((*field, word)), "{} {field}: {word} stands there twice", language.code);
            }
        }
    }
    let codes: BTreeSet<&str> = LANGUAGES.iter().map(|language| language.code).collect();
    assert_eq!(codes.len(), LANGUAGES.len());
}

#[test]
fn no_word_of_one_field_is_a_word_of_another_in_any_language() {
    let mut meanings: BTreeMap<String, &str> = BTreeMap::from([(squash(DIVISION_OURS), "division")]);
    let phones: Field = ("phone", |l| l.phone_work);
    for (field, words) in FIELDS.iter().chain([&phones]) {
        for word in words_of(words).flat_map(|word| spellings(word.to_owned())).chain(at_work(field, *words)) {
            let word = squash(&word);
            let known = meanings.insert(word.clone(), field);
            assert!(known.is_none_or(|known| known == *field), "{word} is {known:?} and {field}");
        }
    }
    assert!(!meanings.contains_key(DIVISION));
}

/// The words of a field with each word before and behind that says that it is the one at work.
fn at_work(field: &str, words: fn(&Language) -> &'static str) -> Vec<String> {
    if !["email", "phone"].contains(&field) {
        return Vec::new();
    }
    let both =
        |work: &'static str| words_of(words).flat_map(move |word| [format!("{work} {word}"), format!("{word} {work}")]);
    words_of(|language| language.work).flat_map(both).collect()
}

#[test]
fn every_word_is_taken_for_its_field() {
    let found = |field: &'static str| -> fn(&Mapping) -> Option<usize> {
        match field {
            "department" | "cost centre" => |map| map.department,
            "title" => |map| map.title,
            "phone" => |map| map.phone,
            "employee id" => |map| map.employee_id,
            "name" | "whole" | "shown" | "shown else" => |map| map.name.first().copied(),
            _ => |_| None,
        }
    };
    for (field, words) in FIELDS {
        let column = found(field);
        for word in words_of(words).map(str::to_owned).chain(at_work(field, words)) {
            match field {
                "email" => assert_eq!(mapped(&["x", &word]).map(|map| map.email).ok(), Some(1), "{word}"),
                "login" | "given" | "family" | "between" | "behind" | "beside" => {}
                _ if FALSE_FRIENDS.contains(&&*word) => {}
                _ => assert_eq!(column(&mapped(&["Email", &word]).unwrap()), Some(1), "{field}: {word}"),
            }
        }
    }
    for word in words_of(|language| language.phone_work) {
        assert_eq!(mapped(&["Email", word, "Phone"]).unwrap().phone, Some(1), "{word}");
    }
    for language in &LANGUAGES {
        for given in language.given.split_ascii_whitespace() {
            for family in language.family.split_ascii_whitespace() {
                assert_eq!(mapped(&["Email", family, given]).unwrap().name, [2, 1], "{given} {family}");
            }
        }
        for name in language.name.split_ascii_whitespace() {
            let halves = language.given.split_ascii_whitespace().map(|given| (given, [2, 1]));
            for (half, expected) in halves.chain(language.family.split_ascii_whitespace().map(|word| (word, [1, 2]))) {
                assert_eq!(mapped(&["Email", name, half]).unwrap().name, expected, "{name} {half}");
            }
        }
    }
}

#[test]
fn what_is_english_for_something_else_counts_beside_another_word_of_its_language() {
    for (header, expected) in [
        (&["Name", "Email", "Service", "Cargo"][..], [None, None]),
        (&["First Name", "Last Name", "Email", "Position", "Tel", "Service", "Cargo"], [None, Some(3)]),
        (&["Email", "Name", "Service", "Cost Center"], [Some(3), None]),
        (&["E-mail", "Nom", "Service", "Centre de coût", "Cargo"], [Some(2), None]),
        (&["Email", "Fonction", "Service"], [Some(2), Some(1)]),
        (&["Email", "Nombre", "Cargo", "Service"], [None, Some(2)]),
        (&["Email", "Nome", "Cargo"], [None, Some(2)]),
    ] {
        let found = mapped(header).unwrap();
        assert_eq!([found.department, found.title], expected, "{header:?}");
    }
    for word in FALSE_FRIENDS {
        assert!(LANGUAGES.iter().any(|l| [l.department, l.title].iter().any(|words| words.contains(word))), "{word}");
    }
}

#[test]
fn the_login_is_not_the_key_where_a_mailbox_says_its_address() {
    let mailbox = mapped(&["UserPrincipalName", "DisplayName", "PrimarySmtpAddress", "Alias"]).unwrap();
    assert_eq!(mailbox.email, 2);
}

#[test]
fn a_header_of_every_language_maps_however_its_accents_are_written() {
    let apart = |text: &str| text.nfd().collect::<String>();
    let without = |text: &str| text.nfd().filter(|c| !is_combining_mark(*c)).collect::<String>();
    let in_two = |text: &str| text.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss");
    for (code, header, expected) in ABROAD {
        assert!(LANGUAGES.iter().any(|language| language.code == code), "{code}");
        let source: Vec<&str> = header.split(',').collect();
        for write in [&str::to_owned as &dyn Fn(&str) -> String, &apart, &without, &in_two, &str::to_uppercase] {
            let written: Vec<String> = source.iter().map(|name| write_around_brackets(name, write)).collect();
            let mapping = mapped(&written.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
            let one = |column: Option<usize>| column.map_or("", |at| source[at]).to_owned();
            let name: Vec<&str> = mapping.name.iter().map(|at| source[*at]).collect();
            let found = [
                source[mapping.email].to_owned(),
                name.join("+"),
                one(mapping.department),
                one(mapping.title),
                one(mapping.phone),
                one(mapping.employee_id),
            ];
            assert_eq!(found.join("|"), expected, "{written:?}");
        }
    }
    for language in &LANGUAGES[1..] {
        assert!(ABROAD.iter().any(|(code, ..)| *code == language.code), "no sample in {}", language.code);
    }
}

/// A property in brackets is an identifier: it is always written the same.
fn write_around_brackets(name: &str, write: &dyn Fn(&str) -> String) -> String {
    match name.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?))) {
        Some((before, (property, behind))) => format!("{}[{property}]{}", write(before), write(behind)),
        None => write(name),
    }
}

#[test]
fn an_address_that_is_private_old_or_somebody_elses_is_never_taken_in_any_language() {
    for language in &LANGUAGES {
        for never in language.never.split_ascii_whitespace() {
            let never = never.trim_matches('*');
            let mails = language.email.split_ascii_whitespace();
            for column in mails
                .flat_map(|mail| [format!("{never} {mail}"), format!("{mail} ({never})"), format!("{mail} [{never}]")])
            {
                let error = mapped(&["Name", &column]).unwrap_err();
                assert_eq!(error.hint_text().unwrap().rsplit_once("--map ").unwrap().1, format!("email=\"{column}\""));
                assert_eq!(mapped(&["Name", &column, "E-Mail"]).unwrap().email, 2, "{column}");
            }
        }
    }
}

#[test]
fn headers_as_they_are_written_of_private_and_other_addresses_are_never_taken() {
    for column in [
        "Private E-Mail",
        "Persönliche E-Mail-Adresse",
        "PERSOENLICHE E-MAIL",
        "E-Mail Vorgesetzter",
        "E-Mail-Adresse der Führungskraft",
        "EmailPrivat",
        "E-Mail [Privat]",
        "Vorgesetzten-E-Mail",
        "E-mail personnel",
        "Adresse e-mail personnelle",
        "E-mail du responsable",
        "Courriel du supe\u{301}rieur",
        "Correo personal",
        "Correo del jefe inmediato",
        "Correo electrónico particular",
        "E-mail personale",
        "Email responsabile",
        "E-mail pessoal",
        "E-mail do gestor",
        "E-mail privé",
        "E-mail leidinggevende",
        "Privat e-mail",
        "E-post til nærmeste leder",
        "Chefens e-post",
        "Esimiehen sähköposti",
        "Prywatny adres e-mail",
        "E-mail przełożonego",
    ] {
        let error = mapped(&["Name", column]).unwrap_err();
        assert!(error.hint_text().unwrap().ends_with(&format!("email=\"{column}\"")), "{error:?}");
        assert_eq!(mapped(&["Name", column, "E-Mail (dienstlich)"]).unwrap().email, 2);
    }
}

#[test]
fn words_that_only_hold_such_a_word_are_innocent() {
    for remark in ["Anstalt", "Gehalt", "Altenpflege", "Neustadt", "Enterprise", "Holding", "Otter", "Startdatum"] {
        let is_english = ["Holding"].contains(&remark);
        assert_eq!(Header::of(&format!("E-Mail [{remark}]")).is_strange(), is_english, "{remark}");
    }
    for id in [
        "Personalnummer",
        "Personal-Nr.",
        "Matricule du personnel",
        "Número de personal",
        "Personeelsnummer",
        "Personnel No.",
    ] {
        assert_eq!(mapped(&["Email", id]).unwrap().employee_id, Some(1), "{id}");
    }
    for id in ["Personalnummer [Vorgesetzter]", "Matricule du personnel [ancien]", "Personnummer", "Henkilötunnus"] {
        assert_eq!(mapped(&["Email", id]).unwrap().employee_id, None, "{id}");
    }
    let own = mapped(&["Email", "Telefon [privat]", "Abteilung [Vorgesetzter]", "Chef [displayName]"]).unwrap();
    assert_eq!((own.phone, own.department, own.name.len()), (None, None, 0));
}

#[test]
fn two_addresses_at_work_are_a_question_and_a_login_is_the_key_only_if_it_is_an_address() {
    assert!(mapped(&["E-Mail", "E-Mail (dienstlich)"]).unwrap_err().to_string().contains("which of"));
    let key = |text: &str| {
        let sheet = open_bytes("hr.csv", text.as_bytes().to_vec(), Opening::default()).unwrap();
        map(&sheet, &[]).map(|map| map.email).ok()
    };
    assert_eq!(key("Name;Benutzername\nAda;ada@example.com\n"), Some(1));
    assert_eq!(key("Name;Benutzername\nAda;ada\n"), None);
}

#[test]
fn a_phone_at_work_comes_before_one_that_does_not_say_so() {
    for (header, expected) in [
        (["Email", "Telefon", "Telefon (dienstlich)"], Some(2)),
        (["Email", "Phone", "Téléphone professionnel"], Some(2)),
        (["Email", "Telefon (privat)", "Telefon"], Some(2)),
        (["Email", "Telefono cellulare", "Teléfono particular"], None),
    ] {
        assert_eq!(mapped(&header).unwrap().phone, expected, "{header:?}");
    }
}
