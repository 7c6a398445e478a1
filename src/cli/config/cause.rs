//! Which setting an error is about: the one whose flag it names, or whose value it quotes whole.

use super::Entry;

/// Whether a text is about that setting. It counts, so a flag that is named was not typed: it is this setting.
pub(super) fn is_about(text: &str, entry: &Entry) -> bool {
    let Entry { flag, value, .. } = entry;
    let field = value.split_once('=').map(|(field, _)| field);
    match (*flag, field) {
        ("map" | "default", Some(field)) => stands(text, &format!("--{flag} {field}="), true),
        ("domain-alias", _) => stands(text, &format!("--{flag} {value}"), false),
        ("sheet" | "profile", _) => stands(text, &format!("{flag} \"{value}\""), true),
        ("ca-file", _) => stands(text, value, false) || stands(text, "--ca-file", false),
        _ => stands(text, &format!("--{flag}"), false),
    }
}

/// Whether `word` stands in a text, and is no part of a longer word; if it `is_open`, whatever follows.
fn stands(text: &str, word: &str, is_open: bool) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "-_./\\~@".contains(c);
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + word.len()..].chars().next().filter(|_| !is_open);
        !word.is_empty() && !before.is_some_and(is_part) && !behind.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_about(text: &str, flag: &'static str, value: &str) -> bool {
        let (key, value) = (String::new(), value.to_owned());
        super::is_about(text, &Entry { key, flag, value, line: 1, only: None })
    }

    #[test]
    fn an_error_is_about_the_setting_that_it_names_or_quotes_whole() {
        for (text, flag, value) in [
            ("hr.xlsx has no sheet \"1\": it has \"People\"", "sheet", "1"),
            ("there is no profile \"prod\" in x: it holds test", "profile", "prod"),
            ("cannot read company.pem", "ca-file", "company.pem"),
            ("company.pem holds no usable certificate", "ca-file", "company.pem"),
            ("--api-url without a login host", "api-url", "https://api.example.com"),
            ("--tokens 4 with an access token", "tokens", "4"),
            ("--map title= takes one column", "map", "title=\"A\"+\"B\""),
            ("--map email=\"Mail\": hr.csv has no such column", "map", "email=Mail"),
            ("--domain-alias a.example=b.example: meets", "domain-alias", "a.example=b.example"),
        ] {
            assert!(is_about(text, flag, value), "{text}");
        }
    }

    #[test]
    fn an_error_that_only_holds_the_letters_of_a_value_is_about_something_else() {
        for (text, flag, value) in [
            ("hr.csv, line 13: a quote is open", "sheet", "1"),
            ("column \"1\" is twice there", "sheet", "1"),
            ("hr.csv: column \"prod\" is empty", "profile", "prod"),
            ("there is no profile \"production\" in x", "profile", "prod"),
            ("cannot read other/company.pem", "ca-file", "company.pem"),
            ("cannot read company.pem.csv", "ca-file", "company.pem"),
            ("cannot log in: http://127.0.0.1:8080: refused", "api-url", "http://127.0.0.1:8080"),
            ("--map email=\"Mail\": hr.csv has no such column", "map", "name=Mail"),
            ("--domain-alias a.example=b.example.org: meets", "domain-alias", "a.example=b.example"),
            ("--max-failures-x 3", "max-failures", "3"),
        ] {
            assert!(!is_about(text, flag, value), "{text}");
        }
    }
}
