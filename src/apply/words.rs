//! The service's words, without the people and secrets that they may repeat.

use crate::api::Words;
use crate::apply::ledger::Said;
use crate::person::Person;

/// Shortest word that may be a token or a secret: the service's own have more characters, and words of people fewer.
const SECRET_BYTES_MIN: usize = 20;

/// The service's words, with the person taken out, however it spells them.
pub(super) fn said(words: Words, person: &Person) -> Said {
    let words_only = words.message.map(|message| without(&message, person).into());
    Said {
        http: Some(words.status),
        code: words.code.map(Into::into),
        words: words_only,
        cid: words.correlation_id.map(Into::into),
    }
}

/// `message` without any address, without the parts of the person's name in whatever case, and without what may be a
/// token or a secret. A correlation id has a field of its own.
fn without(message: &str, person: &Person) -> String {
    let is_edge = |c: char| c.is_whitespace() || "[](){}<>\"',;:=".contains(c);
    let parts = person.name.split(is_edge).map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    let mask = |word: &str| {
        let lower = word.trim_end_matches('.').to_lowercase();
        match word {
            _ if word.contains('@') => "<email>".to_owned(),
            _ if parts.contains(&lower) => "<name>".to_owned(),
            _ if may_be_secret(word) => "<…>".to_owned(),
            _ => word.to_owned(),
        }
    };
    let mut text = String::with_capacity(message.len());
    // What can be part of an address parts no words where there is one: O'Brien would leave half of himself behind.
    let is_wide_edge = |c: char| is_edge(c) && !"'={}".contains(c);
    for wide in message.split_inclusive(is_wide_edge) {
        let word = wide.trim_end_matches(is_wide_edge);
        if word.contains('@') {
            text += &mask(word);
        } else {
            word.split_inclusive(is_edge).for_each(|piece| {
                let part = piece.trim_end_matches(is_edge);
                text += &mask(part);
                text += &piece[part.len()..];
            });
        }
        text += &wide[word.len()..];
    }
    while text.contains("<name> <name>") {
        text = text.replace("<name> <name>", "<name>");
    }
    text
}

/// Whether a word looks like what a machine made: tokens and secrets do, sentences do not.
fn may_be_secret(word: &str) -> bool {
    word.len() >= SECRET_BYTES_MIN
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+/=".contains(&b))
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_words_are_kept_without_the_person() {
        let person = Person {
            row: 1,
            key: "ada@example.com".to_owned(),
            email: "Ada@example.com".to_owned(),
            name: "Ada von Lovelace".to_owned(),
            department: None,
            title: None,
            division: None,
            phone: None,
        };
        for (message, kept) in [
            ("Value [ADA@EXAMPLE.COM] is not valid.", "Value [<email>] is not valid."),
            ("name=\"Ada VON Lovelace\" is taken", "name=\"<name>\" is taken"),
            ("ada@example.com, bob@example.com.", "<email>, <email>"),
            (
                "Value [séan.o'brien@x.example] or 'p={q}@x.example' is not valid.",
                "Value [<email>] or <email> is not valid.",
            ),
            ("no person here: adage", "no person here: adage"),
            ("\"Bearer Zx81kQ0v-7LmN_3pRt5W\" is no token", "\"Bearer <…>\" is no token"),
            ("internationalization_of_names: HTTP 400", "internationalization_of_names: HTTP 400"),
        ] {
            assert_eq!(without(message, &person), kept);
        }
        let turned = Person { name: "Lovelace, Ada (Countess)".to_owned(), ..person };
        assert_eq!(without("LOVELACE and ada, countess.", &turned), "<name> and <name>, <name>");
    }
}
