//! What holds for every cell: the short way is the careful way, a key is its own key, and case tells nobody apart.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

type Outcome = Result<(String, String, Rules), Refusal>;

fn carefully(cell: &str) -> Outcome {
    let mut key = String::new();
    let normal = normalise_carefully(cell, &mut key)?;
    Ok((key, normal.address.into_owned(), normal.rules))
}

/// As [`normalise_into`] says it, into a buffer that another key was in.
fn said(cell: &str) -> Outcome {
    let mut key = "somebody@else.example".to_owned();
    let normal = normalise_into(cell, &mut key)?;
    Ok((key, normal.address.into_owned(), normal.rules))
}

fn keeps_the_laws(cell: &str) -> Result<(), TestCaseError> {
    let outcome = said(cell);
    prop_assert_eq!(&outcome, &carefully(cell), "{:?}", cell);
    let Ok((key, address, rules)) = outcome else { return Ok(()) };
    prop_assert_eq!(said(&key), Ok((key.clone(), key.clone(), Rules::default())), "{:?}", cell);
    prop_assert_eq!(said(&address).map(|again| again.0), Ok(key.clone()), "{:?}", cell);
    prop_assert_eq!(rules == Rules::default(), key == cell, "{:?}: a change is told, nothing else is", cell);
    Ok(())
}

#[test]
fn a_plain_address_costs_no_allocation() {
    let mut key = String::with_capacity(64);
    let room = key.as_ptr();
    for cell in [
        "ada@example.com",
        " \tAda.Lovelace+x@Mail.Example-Works.COM.\r\n",
        "ada@ex--ample.com",
        "o'brien@123.example.",
        "\0ada@example.com\0",
    ] {
        let normal = normalise_into(cell, &mut key).unwrap();
        assert!(matches!(normal.address, Cow::Borrowed(_)), "{cell:?}");
        assert_eq!(key.as_ptr(), room, "{cell:?}");
    }
}

#[test]
fn every_well_formed_ascii_address_takes_the_short_way() {
    let atext = "!#$%&'*+-/=?^_`{|}~azAZ09";
    let locals = ["a".repeat(64), format!("{atext}.{atext}"), "-".to_owned()];
    let domains = ["a.b".to_owned(), format!("{0}.{0}.{0}", "x".repeat(61)), "1.2.3--c.4-5".to_owned()];
    for (local, domain) in locals.iter().flat_map(|l| domains.iter().map(move |d| (l, d))) {
        let cell = format!(" {local}@{domain}. ");
        assert_eq!(plain::read(&cell).map(|plain| plain.address), Some(cell.trim().trim_end_matches('.')), "{cell:?}");
    }
}

#[test]
fn both_ways_agree_on_every_byte_at_every_place() {
    let plain = "\tAd.a-1@ex-a.C0.xn-.n--x.com. ";
    for at in 0..=plain.len() {
        for byte in 0..=u8::MAX {
            let (head, tail) = plain.split_at(at);
            for cell in [
                format!("{head}{}{tail}", byte as char),
                format!("{head}{}{}", byte as char, tail.get(1..).unwrap_or("")),
            ] {
                assert_eq!(said(&cell), carefully(&cell), "{cell:?}");
            }
        }
    }
}

#[test]
fn both_ways_agree_around_every_limit() {
    for (local, label, rest) in (62..67).flat_map(|l| (61..66).flat_map(move |d| (54..64).map(move |r| (l, d, r)))) {
        for end in ["com", "com.", "COM..", "12", "1a. "] {
            let (local, label, rest) = ("a".repeat(local), "b".repeat(label), "c".repeat(rest));
            for cell in [format!("{local}@{label}.{end}"), format!("{local}@{label}.{label}.{rest}.{end}")] {
                assert_eq!(said(&cell), carefully(&cell), "{cell:?}");
            }
        }
    }
}

#[test]
fn a_set_of_rules_survives_as_a_number_and_as_a_word() {
    for bits in 0..Rules::N_SETS {
        let rules = Rules::from_bits(bits);
        assert_eq!(rules.bits(), bits);
        assert_eq!(Rules::parse(&rules.to_string()), rules);
    }
}

proptest! {
    #[test]
    fn cells_like_addresses_keep_the_laws(
        local in "[ \t\0\u{a0}]{0,2}[a-zA-Z0-9.+'_-]{1,12}",
        domain in "([a-zA-Z0-9-]{1,6}\\.){0,3}[a-zA-Z0-9-]{1,4}\\.{0,2}[ \t\n]{0,2}",
    ) {
        keeps_the_laws(&format!("{local}@{domain}"))?;
    }

    #[test]
    fn long_parts_keep_the_laws(cell in "[a-zA-Z0-9.é]{60,66}@([a-zA-Z0-9-ü]{55,65}\\.){1,3}(COM|com|12|a1)\\.?") {
        keeps_the_laws(&cell)?;
    }

    #[test]
    fn a_labels_keep_the_laws(
        cell in "[a-z]{1,3}@([a-z]\\.)?(XN--|xn--|Xn--|xn-|x--)[a-zA-Z0-9-]{0,9}(-kva)?\\.[a-zA-Z]{1,3}\\.?",
    ) {
        keeps_the_laws(&cell)?;
    }

    #[test]
    fn mutations_keep_the_laws(
        at in 0_usize..24,
        cut in 0_usize..3,
        new in "\\PC|[ \t\0@.<>\"',;:?/-]|[İΣσςſß。．｡\u{ad}\u{200d}\u{301}]",
    ) {
        let base = "mailto:Ada.Σl@Ex-ample.COM.";
        let head: String = base.chars().take(at).collect();
        let mutated: String = head.chars().chain(new.chars()).chain(base.chars().skip(at + cut)).collect();
        keeps_the_laws(&mutated)?;
        keeps_the_laws(mutated.trim_start_matches("mailto:"))?;
    }

    #[test]
    fn whatever_is_in_a_cell_keeps_the_laws(cell in "\\PC{0,12}@?\\PC{0,12}(\\.com)?|.{0,20}@.{1,8}\\.com") {
        keeps_the_laws(&cell)?;
    }

    #[test]
    fn capitals_tell_nobody_apart(local in "[a-zà-öø-þα-ωάέήίόύώϊϋΐΰа-я0-9'+]{1,8}(\\.[a-zα-ω]{1,4})?") {
        let cell = format!("{local}@example.com");
        prop_assert_eq!(normalise(&cell.to_uppercase()).unwrap().key, normalise(&cell).unwrap().key);
    }
}
