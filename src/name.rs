//! Names of people, as they are compared.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};

use crate::email;

/// Marks inside a word.
const APOSTROPHES: [char; 4] = ['\'', '’', '‘', '`'];
/// Scripts that put no blanks between words, or need not.
const UNSPACED: [Script; 9] = [
    Script::Han,
    Script::Hiragana,
    Script::Katakana,
    Script::Bopomofo,
    Script::Hangul,
    Script::Thai,
    Script::Lao,
    Script::Khmer,
    Script::Myanmar,
];

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

/// Whether two names have a word in common; none where the lack of one says nothing, since one has no letters at all, or
/// most of its letters are of another script than most of the other's.
///
/// Case, accents, order and punctuation do not matter: `Müller, Jörg` and `JOERG MUELLER` have two words in common. In
/// scripts that put no blanks between words, such as Chinese, Japanese, Korean and Thai, each letter is a word.
#[must_use]
pub fn shares_a_word(one: &str, other: &str) -> Option<bool> {
    let [one, other] = [one, other].map(Words::of);
    if one.words.iter().any(|word| other.words.contains(word)) {
        return Some(true);
    }
    (one.script.is_some() && one.script == other.script).then_some(false)
}

/// Whether a name is one word, or none: it may be a login (`ajones`, `Agent 101`), and nobody's name at all.
#[must_use]
pub fn is_one_word(name: &str) -> bool {
    Words::of(name).words.len() < 2
}

/// The words of a name.
#[derive(Default)]
struct Words {
    /// Without case and accents, as they would be transcribed.
    words: Vec<String>,
    /// The script of most letters.
    script: Option<Script>,
}

impl Words {
    fn of(name: &str) -> Self {
        let (mut words, mut word, mut has_letter) = (Vec::new(), String::new(), false);
        let mut letters: Vec<(Script, u32)> = Vec::new();
        let mut end = |word: &mut String, has_letter: &mut bool| {
            if std::mem::take(has_letter) {
                words.push(std::mem::take(word));
            }
            word.clear();
        };
        let bare = folded(name).nfkd().filter(|c| !is_combining_mark(*c)).nfc().collect::<String>();
        for c in bare.chars().filter(|c| !APOSTROPHES.contains(c)) {
            let script = Some(c.script()).filter(|script| !matches!(script, Script::Common | Script::Inherited));
            match script.filter(|_| c.is_alphabetic()) {
                Some(script) => {
                    match letters.iter_mut().find(|(known, _)| *known == script) {
                        Some((_, n)) => *n += 1,
                        None => letters.push((script, 1)),
                    }
                    let stands_alone = UNSPACED.contains(&script);
                    if stands_alone {
                        end(&mut word, &mut has_letter);
                    }
                    transcribe(c, &mut word);
                    has_letter = true;
                    if stands_alone {
                        end(&mut word, &mut has_letter);
                    }
                }
                None if c.is_numeric() => word.push(c),
                // A letter of no script is a mark among letters.
                None if c.is_alphabetic() => {}
                None => end(&mut word, &mut has_letter),
            }
        }
        end(&mut word, &mut has_letter);
        let most = letters.iter().map(|(_, n)| *n).max();
        let script = letters.iter().find(|(_, n)| Some(*n) == most).map(|(script, _)| *script);
        Self { words, script }
    }
}

/// Adds a letter as it is spelt where it is not to be had: `ß` is `ss`, and `ü` is `u`, as is the `ue` that stands for it.
fn transcribe(letter: char, word: &mut String) {
    for plain in plain(letter) {
        match plain {
            'e' if word.ends_with(['a', 'o', 'u']) => {}
            'a' if word.ends_with('a') => {}
            other => word.push(other),
        }
    }
}

/// A small letter that no accent can be taken from, as it is spelt where it is not to be had.
pub fn plain(letter: char) -> impl Iterator<Item = char> {
    let (one, two) = match letter {
        'ß' => ('s', Some('s')),
        'þ' => ('t', Some('h')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' => ('d', None),
        'ı' => ('i', None),
        other => (other, None),
    };
    [Some(one), two].into_iter().flatten()
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

    #[test]
    fn names_are_compared_by_words_whatever_their_order_accents_and_punctuation() {
        for (one, other) in [
            ("Müller, Hans", "Hans Muller"),
            ("MÜLLER", "Mueller"),
            ("Jörg Weiß", "JOERG WEISS"),
            ("Weiß", "WEISS"),
            ("Søren Kierkegaard", "Kirkegaard, Soren"),
            ("Aase Berg", "Åse Lund"),
            ("Łukasz Wałęsa", "Lukasz X."),
            ("O'Brien", "o’brien, Pat"),
            ("Anna-Maria Rossi", "Maria Bianchi"),
            ("hans.mueller@acme.example", "Hans Müller"),
            ("İlkay", "ilkay"),
            ("Dvo\u{159}ák", "Dvora\u{301}k"),
            ("ΠΑΠΑΔΟΠΟΥΛΟΣ", "Παπαδόπουλος, Γιώργος"),
            ("Пётр", "ПЕТР"),
            ("Иван Петров (Ivan Petrov)", "Ivan Petrov"),
            ("山田太郎", "山田 太郎"),
            ("ヤマダ", "ﾔﾏﾀﾞ タロウ"),
            ("김철수", "철수 김"),
        ] {
            assert_eq!(
                (shares_a_word(one, other), shares_a_word(other, one)),
                (Some(true), Some(true)),
                "{one} {other}"
            );
        }
        for (one, other) in [
            ("Hans Müller", "Ada Lovelace"),
            ("Annamaria", "Anna"),
            ("Иван Петров", "Анна Смирнова"),
            ("山田太郎", "佐藤花子"),
            ("agent1", "agent2"),
            ("Dr. 5", "Mr. 5"),
        ] {
            assert_eq!(
                (shares_a_word(one, other), shares_a_word(other, one)),
                (Some(false), Some(false)),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn what_may_be_a_login_is_one_word() {
        for (name, expected) in [
            ("ajones", true),
            ("Agent 101", true),
            ("u-1234", true),
            ("", true),
            ("Ada Jones", false),
            ("Jones, A.", false),
            ("山田", false),
        ] {
            assert_eq!(is_one_word(name), expected, "{name}");
        }
    }

    #[test]
    fn names_of_other_scripts_and_names_without_letters_cannot_be_compared() {
        for (one, other) in [
            ("Иван Петров", "Ivan Petrov"),
            ("Иван Петров (IT)", "Ivan Petrov"),
            ("山田 太郎", "ヤマダ タロウ"),
            ("Γιώργος", "George"),
            ("12345", "Ada"),
            ("12345", "12345"),
            ("", "Ada"),
            ("–", "·"),
        ] {
            assert_eq!((shares_a_word(one, other), shares_a_word(other, one)), (None, None), "{one} {other}");
        }
    }
}
