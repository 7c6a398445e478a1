//! From what stands in a cell to a number the service takes: E.164, or nothing.
//!
//! A country is never guessed: `0171 …` is somebody in Germany and somebody else in Italy, and `00` is an international
//! prefix in some countries only. A number without `+`, with an extension, or of an impossible length is left out and
//! said so, never repaired.

/// Digits of an E.164 number: no country has shorter subscribers, the standard has no longer ones.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// Digits of a number of country 1: its plan knows no other length, so more are an extension.
const NORTH_AMERICAN: usize = 11;
/// Digits behind which a slash or a bracket no longer sets off the area.
const NATIONAL: usize = 7;

/// Countries (ITU E.164, list of assigned codes) whose national zero is never dialled from abroad: a number that has it
/// behind the country is a national one with a country stuck in front.
const WITHOUT_ZERO: [&str; 24] = [
    "27", "31", "32", "33", "40", "41", "43", "44", "46", "49", "61", "64", "81", "82", "90", "91", "353", "358",
    "359", "380", "381", "385", "386", "972",
];

/// The number in E.164, or `None` if the cell does not surely say it.
#[must_use]
pub fn e164(cell: &str) -> Option<String> {
    let text = cell.trim();
    let text = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &text[4..],
        _ => text,
    };
    digits(text.trim_start())
}

/// `+` and the digits, whatever stands between them to help the eye.
fn digits(text: &str) -> Option<String> {
    let mut number = String::with_capacity(DIGITS.end() + 1);
    number.push('+');
    let mut chars = text.strip_prefix('+')?.chars();
    let mut had_trunk_zero = false;
    while let Some(c) = chars.next() {
        match c {
            '0' if number.len() == 1 => return None,
            '0'..='9' => number.push(c),
            // What comes now is an extension or a second number.
            '/' | '(' if number.len() > NATIONAL => return None,
            '(' => {
                if let Some(rest) = behind_trunk_zero(chars.as_str()) {
                    if had_trunk_zero || !drops_trunk_zero(&number[1..]) {
                        return None;
                    }
                    (had_trunk_zero, chars) = (true, rest.chars());
                }
            }
            _ if c.is_whitespace() || is_punctuation(c) => {}
            _ => return None,
        }
    }
    let n_digits = number.len() - 1;
    let is_possible = if number.starts_with("+1") { n_digits == NORTH_AMERICAN } else { DIGITS.contains(&n_digits) };
    (is_possible && !has_national_zero(&number[1..])).then_some(number)
}

fn has_national_zero(digits: &str) -> bool {
    WITHOUT_ZERO.iter().any(|country| digits.strip_prefix(country).is_some_and(|rest| rest.starts_with('0')))
}

/// What follows the `0)` of `(0)`.
fn behind_trunk_zero(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('0')?.trim_start().strip_prefix(')')
}

/// Whether the zero of `+49 (0)30 …` is for callers inside the country and dropped from abroad. It stands behind the
/// country; Italy and San Marino dial theirs always, so a bracketed one there is a riddle.
fn drops_trunk_zero(country: &str) -> bool {
    (1..=3).contains(&country.len()) && !["39", "378"].contains(&country)
}

/// What people put between digits: hyphens and dashes of every length, dots, slashes, parentheses.
const fn is_punctuation(c: char) -> bool {
    matches!(c, '-' | '.' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_a_country_is_taken_however_it_is_punctuated() {
        for (cell, number) in [
            ("+493012345678", "+493012345678"),
            (" +49 (0)30 / 123-456.78 ", "+493012345678"),
            ("+49 (0) 30 12345678", "+493012345678"),
            ("tel:+1-317-555-0100", "+13175550100"),
            ("TEL:+1 (317) 555\u{2011}0100", "+13175550100"),
            ("+44\u{a0}20\u{a0}7946\u{202f}0018", "+442079460018"),
            ("+29012345", "+29012345"),
            ("+491234567890123", "+491234567890123"),
            ("+39 06 6982 1234", "+390669821234"),
        ] {
            assert_eq!(e164(cell).as_deref(), Some(number), "{cell}");
        }
    }

    #[test]
    fn a_number_that_would_need_a_guess_is_left_out() {
        for cell in [
            "",
            "+",
            "030 12345678",
            "0049 30 12345678",
            "317-555-0100",
            "+1 317 555 0100 x123",
            "+1 317 555 0100 ext. 5",
            "+1 317 555 0100;ext=5",
            "+1 800 FLOWERS",
            "+2901234",
            "+4912345678901234",
            "+1 317 555 010",
            "+1 317 555 0100 / 0101",
            "+1 317-555-0100 (200)",
            "+1 317 555 0100-12",
            "+44 20 7946 0018 / 19",
            "+49 (0)30 1234567 (0)",
            "+49 (030) 1234567",
            "+44 020 7946 0018",
            "+49 (0)(0)30 1234567",
            "+4930 (0) 1234567",
            "+39 (0)6 6982 1234",
            "+378 (0)549 88 2914",
            "+049 30 12345678",
            "+49 30 12345678 / +49 30 12345679",
            "++49 30 12345678",
            "\u{ff0b}49 30 12345678",
            "+49 \u{663}\u{660} 12345678",
            "see intranet",
        ] {
            assert_eq!(e164(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_number_in_e164_stays_as_it_is() {
        let once = e164("+49 (0)30 123456").unwrap_or_default();
        assert_eq!(e164(&once), Some(once.clone()));
    }
}
