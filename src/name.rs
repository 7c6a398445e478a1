//! Names of people, as they are compared.

use unicode_normalization::UnicodeNormalization;

use crate::email;

/// A name as it is compared: without what cannot be seen, NFKC, lower case, one blank between its parts.
#[must_use]
pub fn folded(name: &str) -> String {
    let plain = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        email::lower(&name.chars().filter(|c| !email::is_invisible(*c)).nfkc().collect::<String>())
    };
    let mut folded = String::with_capacity(plain.len());
    for part in plain.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(part);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_whatever_its_case_its_blanks_and_the_form_of_its_letters() {
        for name in [
            "Rémi  de Brûlé",
            " RÉMI\u{a0}DE\tBRÛLÉ ",
            "Re\u{301}mi de Bru\u{302}le\u{301}",
            "\u{ff32}émi\u{200b} de Brûlé",
        ] {
            assert_eq!(folded(name), "rémi de brûlé", "{name:?}");
            assert_eq!(folded(&folded(name)), folded(name));
        }
        assert_eq!(folded("Ada  LOVELACE"), "ada lovelace");
        assert_eq!(folded(" \u{200b}\u{a0} "), "");
        // Accents tell people apart.
        assert_ne!(folded("Remi"), folded("Rémi"));
    }
}
