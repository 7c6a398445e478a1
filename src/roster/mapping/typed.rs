//! Several columns in one text, as they are typed: `First Name+Last Name`, or `"First Name"+"Last Name"`.

/// A text without blanks and quotes around it.
pub(super) fn bare(text: &str) -> &str {
    text.trim().trim_matches('"')
}

/// The columns of a text. Between quotes a plus sign is part of a name, and two quotes are one.
pub(super) fn parts(text: &str) -> Vec<String> {
    quoted(text).unwrap_or_else(|| text.split('+').map(|part| bare(part).to_owned()).collect())
}

/// The columns of a text in which every one stands in quotes.
fn quoted(text: &str) -> Option<Vec<String>> {
    let (mut parts, mut rest) = (Vec::new(), text.trim());
    loop {
        rest = rest.strip_prefix('"')?;
        let mut part = String::new();
        loop {
            let (before, behind) = rest.split_once('"')?;
            part += before;
            rest = behind;
            match rest.strip_prefix('"') {
                Some(behind) => (part, rest) = (part + "\"", behind),
                None => break,
            }
        }
        parts.push(part);
        match rest.trim_start() {
            "" => return Some(parts),
            more => rest = more.strip_prefix('+')?.trim_start(),
        }
    }
}

/// Several columns as one text, from which `parts` makes the same ones again, whatever they are called.
#[must_use]
pub fn joined(columns: &[String]) -> String {
    columns.iter().map(|column| format!("\"{}\"", column.replace('"', "\"\""))).collect::<Vec<_>>().join("+")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_are_parted_by_plus_signs_outside_of_quotes() {
        for (text, expected) in [
            ("First Name+Last Name", &["First Name", "Last Name"][..]),
            (" \"First Name\" + \"Last Name\" ", &["First Name", "Last Name"]),
            ("\"A+B\"+\"C\"", &["A+B", "C"]),
            ("\"A\"+B", &["A", "B"]),
            ("\"A", &["A"]),
            ("\"say \"\"hi\"\"\"", &["say \"hi\""]),
            ("", &[""]),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_columns_are_called_they_are_told_apart_again(columns in prop::collection::vec(r#"["+ a=é]{0,6}"#, 1..4)) {
            prop_assert_eq!(parts(&joined(&columns)), columns);
        }
    }
}
