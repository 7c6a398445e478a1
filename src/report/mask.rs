//! Facts for sharing: local parts of addresses become numbers, names are hidden, domains and ids stay.
//!
//! The numbers are those of the appearance in one page: nothing leads back from them, and two pages have nothing in common.

use std::collections::HashMap;

use super::facts::{Cell, Facts};
use crate::email;
use crate::files::manifest::Input;

/// What stands for a name.
const HIDDEN: &str = "(hidden)";

/// Hides everybody.
#[must_use]
pub fn masked(mut facts: Facts) -> Facts {
    let mut mask = Mask::default();
    facts.is_masked = true;
    for cell in facts.tables.iter_mut().flat_map(|table| &mut table.rows).flatten() {
        mask.cell(cell);
    }
    for (said, _) in &mut facts.refusals {
        said.words = said.words.take().map(|words| mask.words(&words).into());
        said.code = said.code.take().map(|code| mask.words(&code).into());
    }
    facts.dir = last_part(&facts.dir);
    let manifest = &mut facts.manifest;
    [&mut manifest.roster, &mut manifest.snapshot].into_iter().chain(manifest.earlier.as_mut()).for_each(shorten);
    manifest.after.iter_mut().for_each(|wave| wave.path = last_part(&wave.path));
    if let Some(certificate) = &mut manifest.certificate {
        certificate.organisation_name = None;
        certificate.no_cursor = certificate.no_cursor.take().map(|words| mask.words(&words));
    }
    let mapping = &mut manifest.mapping;
    let headers = [&mut mapping.email].into_iter().chain(&mut mapping.name).chain(mapping.name_else.as_mut());
    let others = [&mut mapping.department, &mut mapping.title, &mut mapping.division, &mut mapping.phone];
    let headers = headers.chain(others.into_iter().flatten()).chain(mapping.employee_id.as_mut());
    // A roster without a header may have its first person there.
    headers.for_each(|header| *header = mask.words(header));
    facts
}

/// Who was seen so far.
#[derive(Debug, Default)]
struct Mask {
    numbers: HashMap<String, usize>,
}

impl Mask {
    fn cell(&mut self, cell: &mut Cell) {
        *cell = match std::mem::replace(cell, Cell::None) {
            Cell::Address(address) => Cell::Code(self.address(&address)),
            Cell::Name(_) => Cell::Code(HIDDEN.to_owned()),
            Cell::Words(words) => Cell::Words(self.words(&words)),
            // An id of somebody's export may be an address.
            Cell::Code(text) => Cell::Code(self.words(&text)),
            other @ (Cell::None | Cell::Number(_)) => other,
        };
    }

    /// `p0042@example.com`: the same for every spelling of one address.
    fn address(&mut self, text: &str) -> String {
        let key = email::normalise(text).map_or_else(|_| text.trim().to_lowercase(), |address| address.key);
        let domain = domain(&key).map(str::to_owned);
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(key).or_insert(next);
        match domain {
            Some(domain) => format!("p{number:04}@{domain}"),
            // What is no address may be anything, a name too.
            None => format!("p{number:04} ({} characters)", text.chars().count()),
        }
    }

    /// Whatever holds an `@`, or stands for one, is no word of the service's own.
    fn words(&mut self, text: &str) -> String {
        // What can be part of an address parts no words: half of one would be left behind.
        let is_edge = |c: char| c.is_whitespace() || "[]()<>\",;:".contains(c);
        let mut said = String::with_capacity(text.len());
        for piece in text.split_inclusive(is_edge) {
            let word = piece.trim_end_matches(is_edge);
            let bare = word.trim_end_matches('.');
            match ["@", "%40", "&#64", "\u{ff20}"].iter().any(|at| bare.contains(at)) {
                true => said += &(self.address(bare) + &word[bare.len()..]),
                false => said += word,
            }
            said += &piece[word.len()..];
        }
        said
    }
}

/// The domain of what looks like one address and nothing else.
fn domain(text: &str) -> Option<&str> {
    let (local, domain) = text.split_once('@')?;
    let is_plain = domain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let is_one = !local.is_empty() && !local.contains(char::is_whitespace);
    Some(domain).filter(|domain| is_one && is_plain && domain.trim_matches('.').contains('.'))
}

fn shorten(input: &mut Input) {
    input.path = last_part(&input.path);
}

fn last_part(path: &str) -> String {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_one_word_however_it_is_spelt_and_its_domain_stays() {
        let mut mask = Mask::default();
        assert_eq!(mask.address("Ada@Example.com"), "p0001@example.com");
        assert_eq!(mask.address("bob@example.com"), "p0002@example.com");
        assert_eq!(mask.address(" ada@example.com"), "p0001@example.com");
        assert_eq!(mask.address("mailto:ada@example.com"), "p0001@example.com");
    }

    #[test]
    fn what_is_no_address_is_hidden_whole() {
        let mut mask = Mask::default();
        for (text, told) in [
            ("Ada Lovelace", "p0001 (12 characters)"),
            ("ada@lovelace", "p0002 (12 characters)"),
            ("a@b.example; ada.l@c.example", "p0003 (28 characters)"),
            ("Ada L a@b..example", "p0004 (18 characters)"),
            ("a..b@example.com", "p0005@example.com"),
        ] {
            assert_eq!(mask.address(text), told);
        }
    }

    #[test]
    fn words_lose_every_address_in_them_and_nothing_else() {
        let mut mask = Mask::default();
        assert_eq!(mask.words("Value [Ada@x.example] is bad."), "Value [p0001@x.example] is bad.");
        assert_eq!(
            mask.words("see ada%40x.example, or ada@x.example."),
            "see p0002 (15 characters), or p0001@x.example."
        );
        assert_eq!(mask.words("[séan.o'brien={x}@x.example]"), "[p0003@x.example]");
        assert_eq!(mask.words("Nothing here: 400."), "Nothing here: 400.");
    }

    #[test]
    fn an_id_stays_unless_it_is_an_address() {
        let mut mask = Mask::default();
        for (id, told) in [("00c0a690-a849", "00c0a690-a849"), ("ada@x.example (active)", "p0001@x.example (active)")] {
            let mut cell = Cell::Code(id.to_owned());
            mask.cell(&mut cell);
            assert_eq!(cell, Cell::Code(told.to_owned()));
        }
    }

    #[test]
    fn of_a_path_the_file_stays() {
        assert_eq!((last_part("/home/ada/hr.csv"), last_part("hr.plan/")), ("hr.csv".into(), "hr.plan".into()));
    }
}
