//! When two keys are suspiciously alike without being the same: for people to look at, never to decide.

use std::sync::LazyLock;

use unicode_security::confusable_detection::skeleton;

/// Labels that stand between a name and a country: `acme.co.uk`.
const SECOND_LEVEL: [&str; 9] = ["co", "com", "org", "net", "ac", "gov", "edu", "gob", "or"];

/// What each ASCII character looks like.
static ASCII: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..0x80_u8).map(|byte| of_text(&char::from(byte).to_string())).collect());

fn of_text(text: &str) -> String {
    skeleton(text).flat_map(char::to_lowercase).collect()
}

/// What a key looks like: UTS #39's skeleton of its local part and of its domain as it is shown, in lower case.
/// Two keys with one look are told apart by nobody.
pub fn look(key: &str, into: &mut String) {
    into.clear();
    if key.is_ascii() && !key.contains("xn--") {
        key.bytes().for_each(|byte| into.push_str(&ASCII[usize::from(byte)]));
        return;
    }
    let (local, domain) = key.split_once('@').unwrap_or((key, ""));
    let (shown, _) = idna::domain_to_unicode(domain);
    into.push_str(&of_text(local));
    into.push('@');
    into.push_str(&of_text(&shown));
}

/// A key without what people put into local parts as they like: what follows a plus sign, and dots.
pub fn bare(key: &str, into: &mut String) {
    into.clear();
    let (local, domain) = key.split_once('@').unwrap_or((key, ""));
    let name = local.split_once('+').map_or(local, |(name, _)| name);
    let name = if name.is_empty() { local } else { name };
    into.extend(name.chars().filter(|c| *c != '.'));
    into.push('@');
    into.push_str(domain);
}

/// A key with the name of its domain alone: `ada@mail.acme.co.uk` and `ada@acme.de` are both `ada@acme`.
pub fn sister(key: &str, into: &mut String) {
    into.clear();
    let (local, domain) = key.split_once('@').unwrap_or((key, ""));
    into.push_str(local);
    into.push('@');
    into.push_str(house(domain));
}

/// The label of a domain that a house is known by.
fn house(domain: &str) -> &str {
    let mut labels = domain.rsplit('.');
    let (top, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    match labels.next() {
        Some(third) if top.len() == 2 && SECOND_LEVEL.contains(&second) => third,
        _ => second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::normalise;

    fn made(make: fn(&str, &mut String), address: &str) -> String {
        let mut text = "before".to_owned();
        make(&normalise(address).map_or_else(|_| address.to_owned(), |found| found.key), &mut text);
        text
    }

    #[test]
    fn what_looks_alike_has_one_look_and_what_does_not_has_not() {
        for (one, other) in [
            ("paypal@example.com", "paypa1@example.com"),
            ("mode1@example.com", "rnodel@example.com"),
            ("bob@example.com", "b0b@example.com"),
            // Cyrillic and Greek letters.
            ("anna@example.com", "\u{430}nn\u{430}@example.com"),
            ("roman@example.com", "r\u{3bf}man@example.com"),
            ("ada@example.com", "ada@ex\u{430}mple.com"),
            ("ada@example.com", "ada@examp1e.com"),
        ] {
            assert_eq!(made(look, one), made(look, other), "{one} {other}");
            assert_ne!(normalise(one).map(|found| found.key), normalise(other).map(|found| found.key));
        }
        for (one, other) in [
            ("ada@example.com", "ana@example.com"),
            ("a.b@example.com", "ab@example.com"),
            ("é@example.com", "e@example.com"),
        ] {
            assert_ne!(made(look, one), made(look, other), "{one} {other}");
        }
    }

    #[test]
    fn the_short_way_of_ascii_gives_the_look_of_the_long_one() {
        let all: String = (0x21..0x7f_u8).map(char::from).filter(|c| *c != '@').collect();
        for key in [format!("{all}@example.com"), "m0l1i.rn@w.example".to_owned(), "x@y".to_owned()] {
            let (local, domain) = key.split_once('@').unwrap_or_default();
            assert_eq!(made(look, &key), format!("{}@{}", of_text(local), of_text(domain)));
        }
    }

    #[test]
    fn notes_dots_and_sister_domains_are_left_out() {
        for (address, expected) in [
            ("a.d.a+news+x@example.com", "ada@example.com"),
            ("ada@example.com", "ada@example.com"),
            ("+49.1@example.com", "+491@example.com"),
        ] {
            assert_eq!(made(bare, address), expected);
        }
        for (address, expected) in [
            ("ada@acme.com", "ada@acme"),
            ("ada@mail.acme.de", "ada@acme"),
            ("ada@acme.co.uk", "ada@acme"),
            ("ada@eu.acme.com.au", "ada@acme"),
            ("ada@co.uk", "ada@co"),
            ("ada@old.example", "ada@old"),
        ] {
            assert_eq!(made(sister, address), expected, "{address}");
        }
    }
}
