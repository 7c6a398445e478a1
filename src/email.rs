//! From what stands in a cell to the key: the only place where two addresses become one person.
//!
//! The service compares addresses in its own way and calls a repeat `409 Conflict`. The key has to be at least as
//! strict about sameness, or a create collides; and never stricter than a directory could be, or somebody is left out.
//! So: Unicode blanks trimmed, invisible characters removed, `mailto:` and `Name <addr>` unwrapped, NFKC, lower case
//! (no full case folding), the domain in A-labels without a trailing dot. No rule about dots or plus signs, but for whoever
//! asks for one ([`Folds`]).
//! Every rule that changed something is reported, since a match that needed more than trim and lower case deserves a
//! second look.

mod folds;
pub mod likeness;
mod plain;
mod refusal;
mod rules;

use std::borrow::Cow;
use std::collections::HashSet;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfkc};

pub use folds::Folds;
pub use refusal::Refusal;
pub use rules::Rules;

/// Longest local part, in octets (RFC 5321 §4.5.3.1.1).
const LOCAL_OCTETS_MAX: usize = 64;
/// Longest address, in octets (RFC 5321 §4.5.3.1.3, less the angle brackets).
const ADDRESS_OCTETS_MAX: usize = 254;
/// Longest cell that is looked at: no address with a name around it comes near.
const CELL_OCTETS_MAX: usize = 4_096;
/// Longest label of a domain, in octets (RFC 1035 §2.3.4).
const LABEL_OCTETS_MAX: usize = 63;

/// A usable address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// What decides sameness.
    pub key: String,
    /// What is sent on create: cleaned, its case kept.
    pub address: String,
    /// Rules that changed something on the way from the cell to the key.
    pub rules: Rules,
}

/// A usable address whose key went into a buffer of the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normal<'c> {
    /// What is sent on create: cleaned, its case kept. It borrows from the cell where cleaning only cut at the edges of
    /// plain ASCII.
    pub address: Cow<'c, str>,
    /// Rules that changed something on the way from the cell to the key.
    pub rules: Rules,
}

/// Turns what stands in a cell into a usable address.
///
/// Normalising a key again changes nothing.
///
/// # Errors
/// A [`Refusal`] for what a directory cannot hold. That is data, not a failure.
///
/// ```
/// let ada = rosterdiff::email::normalise(" Ada Lovelace <Ada@Example.COM> ").unwrap();
/// assert_eq!((ada.key.as_str(), ada.address.as_str()), ("ada@example.com", "Ada@Example.COM"));
/// assert_eq!(ada.rules.to_string(), "trim+angle+lower");
/// ```
pub fn normalise(cell: &str) -> Result<Address, Refusal> {
    let mut key = String::new();
    let Normal { address, rules } = normalise_into(cell, &mut key)?;
    Ok(Address { address: address.into_owned(), key, rules })
}

/// [`normalise`] with the key written into `key` (cleared first): for callers with many cells and one buffer.
///
/// Nothing is allocated for a plain ASCII address once `key` has room, not even if blanks are trimmed, letters
/// lower-cased or a trailing dot dropped.
///
/// # Errors
/// As [`normalise`]; what `key` holds then is unspecified.
///
/// ```
/// let mut key = String::new();
/// let ada = rosterdiff::email::normalise_into(" Ada@Example.COM ", &mut key).unwrap();
/// assert_eq!((key.as_str(), &*ada.address), ("ada@example.com", "Ada@Example.COM"));
/// ```
pub fn normalise_into<'c>(cell: &'c str, key: &mut String) -> Result<Normal<'c>, Refusal> {
    key.clear();
    let Some(plain::Plain { address, rules }) = plain::read(cell) else { return normalise_carefully(cell, key) };
    key.push_str(address);
    if rules.contains(Rules::LOWER) {
        key.make_ascii_lowercase();
    }
    Ok(Normal { address: Cow::Borrowed(address), rules })
}

/// The whole way, for whatever is not plain. It alone refuses.
fn normalise_carefully<'c>(cell: &str, key: &mut String) -> Result<Normal<'c>, Refusal> {
    if cell.len() > CELL_OCTETS_MAX {
        return Err(Refusal::Long);
    }
    let mut rules = Rules::default();
    let cleaned = clean(cell, &mut rules)?;
    let (local, domain) = split(&cleaned)?;
    let ascii = to_ascii(domain)?;
    // After UTS 46, which turns the ideographic full stop into a dot: one at the end is a trailing dot like any other.
    let bare = ascii.strip_suffix('.').unwrap_or(&ascii);
    rules.add(Rules::DOT, bare.len() != ascii.len());
    rules.add(Rules::IDNA, !domain.is_ascii());
    check_domain(bare)?;
    check_local(local)?;

    let address = format!("{local}@{bare}");
    key.push_str(&lower(local));
    let local_octets = local.len().max(key.len());
    key.push('@');
    key.push_str(bare);
    key.make_ascii_lowercase();
    // UTS 46 leaves no capital in a domain with an A-label, so the address has none left to compare.
    rules.add(Rules::LOWER, *key != address || (domain.is_ascii() && *ascii != *domain));
    if local_octets > LOCAL_OCTETS_MAX {
        return Err(Refusal::LocalLong);
    }
    if address.len().max(key.len()) > ADDRESS_OCTETS_MAX {
        return Err(Refusal::Long);
    }
    Ok(Normal { address: Cow::Owned(address), rules })
}

/// The spellings of one address under which a directory may hold it: as key, as sent, with the domain in letters where
/// the key has A-labels, with accents apart from their letters, and without final sigmas. An exact search is asked for
/// all of them.
#[must_use]
pub fn spellings(address: &str, key: &str) -> Vec<String> {
    let mut all = vec![key.to_owned()];
    if let Some((local, domain)) = key.rsplit_once('@')
        && domain.split('.').any(|label| label.starts_with("xn--"))
    {
        all.push(format!("{local}@{}", idna::domain_to_unicode(domain).0));
    }
    all.push(address.to_owned());
    if !key.is_ascii() {
        // Somebody may have typed the accent apart from its letter.
        all.push(key.nfd().collect());
    }
    // A directory that lower-cases letter by letter has no final sigma.
    all.push(key.replace('ς', "σ"));
    let mut seen = HashSet::new();
    all.retain(|spelling| seen.insert(spelling.clone()));
    all
}

/// Blanks, invisible characters, wrappers and compatibility forms: gone, in whatever order they were nested.
fn clean<'a>(cell: &'a str, rules: &mut Rules) -> Result<Cow<'a, str>, Refusal> {
    let mut text = Cow::Borrowed(cell);
    loop {
        let before = text.len();
        let mut changed = false;
        if !text.is_ascii() {
            changed |= strip_invisible(&mut text, rules);
            changed |= to_nfkc(&mut text, rules);
        }
        trim(&mut text, rules);
        unwrap_mailto(&mut text, rules);
        unwrap_angle(&mut text, rules)?;
        // Every step but NFKC only shortens, and NFKC of NFKC is itself: this ends.
        if !changed && text.len() == before {
            return Ok(text);
        }
    }
}

fn trim(text: &mut Cow<'_, str>, rules: &mut Rules) {
    let is_edge = |c: char| c.is_whitespace() || c == '\0';
    let trimmed = text.trim_matches(is_edge);
    if trimmed.len() != text.len() {
        rules.add(Rules::TRIM, true);
        *text = Cow::Owned(trimmed.to_owned());
    }
}

fn strip_invisible(text: &mut Cow<'_, str>, rules: &mut Rules) -> bool {
    let found = text.contains(is_invisible);
    if found {
        rules.add(Rules::INVISIBLE, true);
        *text = Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).collect());
    }
    found
}

fn to_nfkc(text: &mut Cow<'_, str>, rules: &mut Rules) -> bool {
    let changes = !is_nfkc(text);
    if changes {
        let folded: String = text.nfkc().collect();
        // A no-break space becomes a blank and is trimmed anyway: that is no news about the letters.
        rules.add(Rules::NFKC, folded.trim() != text.trim());
        *text = Cow::Owned(folded);
    }
    changes
}

fn unwrap_mailto(text: &mut Cow<'_, str>, rules: &mut Rules) {
    const PREFIX: &str = "mailto:";
    if !text.get(..PREFIX.len()).is_some_and(|head| head.eq_ignore_ascii_case(PREFIX)) {
        return;
    }
    rules.add(Rules::MAILTO, true);
    let rest = &text[PREFIX.len()..];
    // `mailto:ada@example.com?subject=…`: what follows the question mark is not the address.
    let end = rest.find('@').and_then(|at| rest[at..].find('?').map(|q| at + q)).unwrap_or(rest.len());
    *text = Cow::Owned(rest[..end].to_owned());
}

/// `Ada Lovelace <ada@example.com>`, as mail programs copy it.
fn unwrap_angle(text: &mut Cow<'_, str>, rules: &mut Rules) -> Result<(), Refusal> {
    let Some(inner) = text.strip_suffix('>') else { return Ok(()) };
    let Some(open) = inner.rfind('<') else { return Ok(()) };
    let (name, address) = (inner[..open].trim(), inner[open + 1..].trim());
    // The name part may repeat the address; another address there means two people.
    if name.contains('@') && !name.trim_matches(['"', '\'']).eq_ignore_ascii_case(address) {
        return Err(Refusal::Several);
    }
    rules.add(Rules::ANGLE, true);
    *text = Cow::Owned(address.to_owned());
    Ok(())
}

fn split(text: &str) -> Result<(&str, &str), Refusal> {
    if text.is_empty() {
        return Err(Refusal::Missing);
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return Err(Refusal::NoAt) };
    if local.starts_with('"') {
        return Err(Refusal::Quoted);
    }
    if local.contains('@') {
        let apart = |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '|' | '/');
        return Err(if text.contains(apart) { Refusal::Several } else { Refusal::SeveralAt });
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Refusal::Blank);
    }
    if local.is_empty() {
        return Err(Refusal::LocalEmpty);
    }
    if domain.is_empty() {
        return Err(Refusal::DomainEmpty);
    }
    Ok((local, domain))
}

fn check_local(local: &str) -> Result<(), Refusal> {
    if local.split('.').any(str::is_empty) {
        return Err(Refusal::LocalDots);
    }
    // RFC 5322 atext, and for the rest letters, digits and the marks that letters need (RFC 6531).
    let allowed = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' => true,
        _ if c.is_ascii() => "!#$%&'*+-/=?^_`{|}~".contains(c),
        _ => c.is_alphanumeric() || is_combining_mark(c),
    };
    if local.chars().all(allowed) { Ok(()) } else { Err(Refusal::LocalCharacter) }
}

/// A-labels (UTS 46); a plain ASCII domain passes as it is, its case kept.
fn to_ascii(domain: &str) -> Result<Cow<'_, str>, Refusal> {
    if domain.is_ascii() && !domain.split('.').any(is_a_label) {
        return Ok(Cow::Borrowed(domain));
    }
    idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::EMPTY).map_err(|_| Refusal::DomainIdna)
}

fn is_a_label(label: &str) -> bool {
    label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--"))
}

fn check_domain(domain: &str) -> Result<(), Refusal> {
    if domain.is_empty() {
        return Err(Refusal::DomainEmpty);
    }
    for label in domain.split('.') {
        check_label(label)?;
    }
    let Some((_, last)) = domain.rsplit_once('.') else { return Err(Refusal::DomainSingle) };
    if last.bytes().all(|b| b.is_ascii_digit()) { Err(Refusal::DomainNumeric) } else { Ok(()) }
}

fn check_label(label: &str) -> Result<(), Refusal> {
    if label.is_empty() {
        Err(Refusal::DomainDots)
    } else if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        Err(Refusal::DomainCharacter)
    } else if label.len() > LABEL_OCTETS_MAX {
        Err(Refusal::DomainLabelLong)
    } else if label.starts_with('-') || label.ends_with('-') {
        Err(Refusal::DomainHyphen)
    } else {
        Ok(())
    }
}

/// Lower case, then NFKC again where lower-casing undid it, until both agree.
pub(crate) fn lower(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    let mut text = lower_once(local);
    loop {
        let next = lower_once(&text.nfkc().collect::<String>());
        if next == text {
            return text;
        }
        text = next;
    }
}

/// A small sigma is written σ or ς by its place in the word, and both have the capital Σ: whichever was typed, the
/// place decides. Otherwise `ασ` and its own capitals `ΑΣ` would be two people here and one in the directory.
fn lower_once(text: &str) -> String {
    if text.contains(['σ', 'ς']) {
        return text.replace(['σ', 'ς'], "Σ").to_lowercase();
    }
    text.to_lowercase()
}

/// Characters that leave no mark on paper: format characters, joiners, fillers, variation selectors.
///
/// They come with text copied from web pages and chat programs, and no directory means them.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod exotic;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn key(cell: &str) -> String {
        normalise(cell).unwrap().key
    }

    #[test]
    fn each_rule_fires_alone_and_says_so() {
        for (cell, expected, rules) in [
            ("ada@example.com", "ada@example.com", ""),
            ("\u{a0} ada@example.com\t", "ada@example.com", "trim"),
            ("a\u{200b}da@example.com", "ada@example.com", "invisible"),
            ("mailto:ada@example.com?subject=x", "ada@example.com", "mailto"),
            ("Ada <ada@example.com>", "ada@example.com", "angle"),
            ("ａda@example.com", "ada@example.com", "nfkc"),
            ("re\u{301}mi@example.com", "rémi@example.com", "nfkc"),
            ("ADA@example.COM", "ada@example.com", "lower"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example", "idna"),
            ("ada@example.com.", "ada@example.com", "dot"),
            ("\"Lovelace, Ada\" <mailto:Ada@Example.com>", "ada@example.com", "mailto+angle+lower"),
        ] {
            let address = normalise(cell).unwrap();
            assert_eq!((address.key.as_str(), address.rules.to_string().as_str()), (expected, rules), "{cell:?}");
            assert_eq!(Rules::parse(rules), address.rules, "{cell:?}");
        }
    }

    #[test]
    fn the_address_sent_keeps_its_case() {
        assert_eq!(normalise(" Ada.L@Example.Com. ").unwrap().address, "Ada.L@Example.Com");
        assert_eq!(normalise("Ada@BÜCHER.example").unwrap().address, "Ada@xn--bcher-kva.example");
    }

    #[test]
    fn an_address_is_sought_in_every_spelling_that_means_it() {
        assert_eq!(spellings("ada@example.com", "ada@example.com"), ["ada@example.com"]);
        assert_eq!(spellings("Ada@example.com", "ada@example.com"), ["ada@example.com", "Ada@example.com"]);
        let key = "ada@xn--bcher-kva.example";
        assert_eq!(spellings(key, key), [key, "ada@bücher.example"]);
        assert_eq!(spellings("Ada@xn--bcher-kva.example", key).len(), 3);
        assert_eq!(spellings("rémi@example.com", "rémi@example.com"), ["rémi@example.com", "re\u{301}mi@example.com"]);
        assert!(spellings("ΑΣ@example.com", "ας@example.com").contains(&"ασ@example.com".to_owned()));
    }

    #[test]
    fn plus_signs_and_dots_tell_people_apart() {
        assert_ne!(key("ada+x@example.com"), key("ada@example.com"));
        assert_ne!(key("a.da@example.com"), key("ada@example.com"));
    }

    #[test]
    fn lower_case_is_not_case_folding() {
        assert_ne!(key("straße@example.com"), key("strasse@example.com"));
    }

    #[test]
    fn each_refusal_has_its_own_code() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "b".repeat(64));
        let long_all = format!("a@{}.com", vec!["c".repeat(63); 4].join("."));
        for (cell, code) in [
            ("", "email.missing"),
            (" \u{200b}\u{a0}", "email.missing"),
            ("ada.example.com", "email.no_at"),
            ("ada@x@example.com", "email.several_at"),
            ("ada@example.com; bob@example.com", "email.several"),
            ("bob@example.com <ada@example.com>", "email.several"),
            ("ada l@example.com", "email.blank_inside"),
            ("ada@exam\nple.com", "email.blank_inside"),
            ("\"ada l\"@example.com", "email.quoted_local"),
            ("@example.com", "email.local_empty"),
            (long_local.as_str(), "email.local_too_long"),
            (".ada@example.com", "email.local_dots"),
            ("a..da@example.com", "email.local_dots"),
            ("ada,l@example.com", "email.local_character"),
            ("ada(hr)@example.com", "email.local_character"),
            ("ada@", "email.domain_empty"),
            ("ada@.", "email.domain_empty"),
            ("ada@localhost", "email.domain_single_label"),
            ("ada@example..com", "email.domain_dots"),
            ("ada@.example.com", "email.domain_dots"),
            (long_label.as_str(), "email.domain_label_too_long"),
            ("ada@-example.com", "email.domain_hyphen"),
            ("ada@exam_ple.com", "email.domain_character"),
            ("ada@[192.0.2.1]", "email.domain_character"),
            ("ada@192.0.2.1", "email.domain_numeric"),
            ("ada@xn--0.example", "email.domain_idna"),
            (long_all.as_str(), "email.too_long"),
        ] {
            assert_eq!(normalise(cell).map_err(Refusal::code), Err(code), "{cell:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing_more(cell in "\\PC{0,12}@?\\PC{0,12}(\\.com)?") {
            if let Ok(address) = normalise(&cell) {
                let again = normalise(&address.key).unwrap();
                prop_assert_eq!(&again.key, &address.key);
                prop_assert_eq!(again.rules, Rules::default());
                prop_assert_eq!(normalise(&address.address).unwrap().key, address.key);
            }
        }

        #[test]
        fn letters_of_many_scripts_survive_twice(local in "[a-zA-ZÀ-žΑ-ωА-яİıſKÅﬀ-ﬆ０-９Ａ-Ｚ.\u{300}-\u{345}]{1,10}") {
            if let Ok(address) = normalise(&format!("{local}@EXAMPLE.com")) {
                prop_assert_eq!(&normalise(&address.key).unwrap().key, &address.key);
            }
        }
    }
}
