//! From what stands in a cell to a number the service takes: E.164, or nothing.
//!
//! A country is never guessed: `0171 …` is somebody in Germany and somebody else in Italy, and `00` is an international
//! prefix in some countries only. A number without `+`, with an extension, or of an impossible length is left out and
//! said so, never repaired.

/// Digits of an E.164 number: no country has shorter subscribers, the standard has no longer ones.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// The number in E.164, or `None` if the cell does not surely say it.
#[must_use]
pub fn e164(cell: &str) -> Option<String> {
    let text = cell.trim();
    let text = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &text[4..],
        _ => text,
    };
    if text.contains('(') {
        let blankless: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        return digits(&without_trunk_zero(&blankless));
    }
    digits(text.trim_start())
}

/// `+` and the digits, whatever stands between them to help the eye.
fn digits(text: &str) -> Option<String> {
    let mut number = String::with_capacity(DIGITS.end() + 1);
    number.push('+');
    for c in text.strip_prefix('+')?.chars() {
        match c {
            '0' if number.len() == 1 => return None,
            '0'..='9' => number.push(c),
            _ if c.is_whitespace() || is_punctuation(c) => {}
            _ => return None,
        }
    }
    DIGITS.contains(&(number.len() - 1)).then_some(number)
}

/// `+49(0)30…` is dialled `+4930…` from abroad: the zero is for callers inside the country.
fn without_trunk_zero(text: &str) -> String {
    let Some((country, rest)) = text.split_once("(0)") else { return text.to_owned() };
    let digits = country.strip_prefix('+').unwrap_or_default().trim_end_matches(is_punctuation);
    let is_country = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_country { format!("+{digits}{rest}") } else { text.to_owned() }
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
            ("+12345678", "+12345678"),
            ("+123456789012345", "+123456789012345"),
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
            "+1234567",
            "+1234567890123456",
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
