//! From a cell to a key: whatever stands in it, the key is one.

use rosterdiff::email::{self, Rules};
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::is_nfkc;

use super::engine::{Target, about, signature};

pub const TARGET: Target =
    Target { name: "normaliser", seeds, run, mend: |_, _| {}, bytes_max: 600, is_foreign: false };

fn seeds() -> Vec<Vec<u8>> {
    let long = format!("{}@{}.example.com", "a".repeat(64), "b".repeat(63));
    let full = format!("ada@{}.com", ["c".repeat(62), "d".repeat(62), "e".repeat(62), "f".repeat(50)].join("."));
    let known = [
        "ada@example.com",
        " Ada.Lovelace+x@Mail.Example-Works.COM.\r\n",
        "\"Lovelace, Ada\" <mailto:Ada@Example.com?subject=x>",
        "ada@bücher.example",
        "ada@xn--bcher-kva.example",
        "ＡＤＡ＠example。com",
        "re\u{301}mi@example.com",
        "ΑΣ.ας@ΕΛΛΑΔΑ.example",
        "İıſKÅﬀß@straße.de",
        "a\u{200b}d\u{ad}a@exam\u{2060}ple.com",
        "a;b@example.com; c@example.com",
        "o'brien!#$%&'*+-/=?^_`{|}~@123.example",
        "ada@faß.de",
        "ada@\u{645}\u{62b}\u{627}\u{644}.example",
        "\u{feff}ada@example.com\0",
        "@",
        "a@b",
        "a@b.1",
        "a@-b.com",
        "a@b..com",
        "<a@b.c>",
        "mailto:",
        "a@[192.0.2.1]",
        "\"a b\"@example.com",
        "<<<a@b.c>>>",
        &long,
        &full,
    ];
    known.into_iter().map(|cell| cell.as_bytes().to_vec()).collect()
}

fn run(input: &[u8]) -> u64 {
    let cell = String::from_utf8_lossy(input);
    let mut buffer = "somebody@else.example".to_owned();
    let into = email::normalise_into(&cell, &mut buffer).map(|normal| (normal.address.into_owned(), normal.rules));
    let found = email::normalise(&cell);
    let shape = (cell.is_ascii(), cell.matches('@').count().min(3), about(cell.len()) / 2);
    let found = match found {
        Ok(found) => found,
        Err(refusal) => {
            assert_eq!(into, Err(refusal), "a key comes into a buffer or by itself");
            return signature((refusal.code(), shape));
        }
    };
    assert_eq!(into, Ok((found.address.clone(), found.rules)), "a key comes into a buffer or by itself");
    assert_eq!(buffer, found.key, "a key comes into a buffer or by itself");
    let key = found.key.as_str();
    assert_eq!(found.rules == Rules::default(), key == cell, "a change is told, and nothing else is");
    check_form(key);
    check_form_sent(&found.address);
    let again = email::normalise(key).map(|again| (again.key, again.address, again.rules));
    assert_eq!(again, Ok((key.to_owned(), key.to_owned(), Rules::default())), "a key is its own key");
    let address = &found.address;
    let spellings = email::spellings(address, key);
    assert_eq!(spellings[0], key, "the key is sought first");
    let dressed =
        [format!(" {address}\u{a0}"), format!("mailto:{address}"), format!("Ada <{address}>"), format!("{address}.")];
    // A mark at the beginning belongs to whatever stands before it: dressed, it is another text.
    let dressed = if address.starts_with(is_combining_mark) { &dressed[3..] } else { &dressed[..] };
    for spelling in spellings.iter().chain(dressed).chain([address]) {
        // An A-label may stand for a character that nobody sees; spelt out, it is cleaned away.
        if email::normalise(spelling).is_ok_and(|other| other.rules.contains(Rules::INVISIBLE)) {
            continue;
        }
        assert_eq!(
            email::normalise(spelling).map(|other| other.key).as_deref(),
            Ok(key),
            "{spelling:?} is the same address"
        );
    }
    let (local, domain) = key.rsplit_once('@').expect("an address");
    let parts = (domain.contains("xn--"), domain.matches('.').count().min(3), about(local.len()) / 2);
    // Latin, Latin with marks, Greek and Cyrillic, the rest.
    let scripts = local.chars().fold(0_u32, |set, c| set | 1 << about(u32::from(c) as usize).saturating_sub(7).min(5));
    signature((found.rules.bits(), shape, parts, scripts, spellings.len()))
}

/// What every key is like.
fn check_form(key: &str) {
    assert_eq!(key.to_lowercase(), key, "a key is lower case");
    assert!(is_nfkc(key), "a key is in its compatibility form");
    check_form_sent(key);
}

/// What every address is like that is sent.
fn check_form_sent(address: &str) {
    assert!(!address.chars().any(|c| c.is_whitespace() || c.is_control()), "an address has no blank");
    assert!(address.len() <= 254, "an address is at most 254 octets long");
    let (local, domain) = address.split_once('@').expect("an address has an @");
    assert!((1..=64).contains(&local.len()) && local.split('.').all(|atom| !atom.is_empty()), "a local part has atoms");
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    assert!(domain.split('.').count() > 1 && domain.split('.').all(is_label), "a domain has labels");
}
