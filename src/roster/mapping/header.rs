//! A header as it is compared: the words that it may be called by, and what else it says.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::languages::{without_work, words_of};
use crate::name;

/// A header, normalised.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// The spellings of its text.
    bare: Vec<String>,
    /// What is left of these without a word that says that it is the one at work.
    at_work: Vec<String>,
    /// A property that it names in brackets (`[userPrincipalName]`).
    property: Option<String>,
    /// What it holds of the words that say: this is not the person's own at work.
    strange: Vec<&'static str>,
}

impl Header {
    pub(super) fn of(raw: &str) -> Self {
        let text = without_remarks(raw.trim_start_matches('\u{feff}'));
        let strange = strange_words(&text);
        let (bare, property) = without_brackets(&text);
        let bare = bare.trim().trim_matches('*').trim();
        // A SCIM extension: `urn:…:User:department`.
        let is_urn = bare.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        let bare = if is_urn { bare.rsplit(':').next().unwrap_or_default() } else { bare };
        let bare = spellings(without_required(squash(bare)));
        let at_work = bare.iter().flat_map(|form| without_work(form)).map(str::to_owned).collect();
        Self { bare, at_work, property: property.map(|text| squash(&text)), strange }
    }

    /// Whether it may be called `word`, which is squashed.
    pub(super) fn is(&self, word: &str) -> bool {
        self.says(word) || self.property.as_deref() == Some(word)
    }

    /// Whether its text is `word`.
    fn says(&self, word: &str) -> bool {
        self.bare.iter().any(|form| form == word)
    }

    /// Whether it may be called `word`, and does not say that it is somebody else's. A word may itself speak of a home
    /// department, a supervisory organisation, or the staff (`Matricule du personnel`, `Personalnummer`).
    pub(super) fn is_own(&self, word: &str) -> bool {
        self.is(word) && self.strange.iter().all(|strange| word.contains(strange))
    }

    /// Whether it may be called `word`, a word for the key. A property in brackets says of what kind a value is, not
    /// whose: `Sponsor [mail]`. So it counts only behind a text that is a word for the key itself.
    pub(super) fn is_key(&self, word: &str) -> bool {
        let is_called = |word: &str| self.says(word) || self.is_at_work(word);
        let is_about_key = || words_of(|l| l.email).chain(words_of(|l| l.login)).any(is_called);
        !self.is_strange() && (is_called(word) || self.is(word) && is_about_key())
    }

    /// Whether its text is `word` and a word that says that it is the one at work: `E-Mail (dienstlich)`.
    pub(super) fn is_at_work(&self, word: &str) -> bool {
        !self.is_strange() && self.at_work.iter().any(|rest| rest == word)
    }

    /// Whether its text is `word`, and does not say that it is somebody else's. A property in brackets does not count: of
    /// `Sponsor [employeeId]` it is the sponsor's.
    pub(super) fn is_plainly(&self, word: &str) -> bool {
        self.says(word) && self.is_own(word)
    }

    /// Whether it says that what it holds is private, somebody else's, or out of date.
    pub(super) const fn is_strange(&self) -> bool {
        !self.strange.is_empty()
    }

    /// Whether it speaks of e-mail at all.
    pub(super) fn is_about_mail(&self) -> bool {
        let forms = || self.bare.iter().chain(&self.property);
        words_of(|language| language.email).any(|word| forms().any(|form| form.contains(word)))
    }
}

/// Lower case, letters and digits only, and of letters what is below an accent: all that is compared is compared so.
pub(super) fn squash(text: &str) -> String {
    folded(text).filter(|c| c.is_alphanumeric()).collect()
}

/// Lower case without accents, set apart from their letter or not; `ß` is `ss`, `ø` is `o`.
fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    let bare = text.nfkd().filter(|c| !is_combining_mark(*c));
    bare.flat_map(char::to_lowercase).flat_map(name::plain).filter(|c| !is_combining_mark(*c))
}

/// A squashed text as it stands, and with `ae`, `oe` and `ue` as the letters with two dots that they may be written for.
pub(super) fn spellings(squashed: String) -> Vec<String> {
    let dotted = squashed.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    if dotted == squashed { vec![squashed] } else { vec![squashed, dotted] }
}

/// The words of a text, squashed: what stands between signs and blanks, and `secondEmail` is two.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut was_small) = (vec![String::new()], false);
    for c in text.nfc() {
        if !c.is_alphanumeric() && !is_combining_mark(c) || c.is_uppercase() && was_small {
            words.push(String::new());
        }
        was_small = c.is_lowercase();
        words.last_mut().into_iter().for_each(|word| word.push(c));
    }
    words.iter().map(|word| squash(word)).filter(|word| !word.is_empty()).collect()
}

/// What a header holds of the words that no column of the person's own at work has.
fn strange_words(text: &str) -> Vec<&'static str> {
    let small: String = folded(text).collect();
    let words: Vec<String> = words(text).into_iter().flat_map(spellings).collect();
    let found = |never: &'static str| {
        if let Some(part) = never.strip_prefix('*').and_then(|never| never.strip_suffix('*')) {
            return small.contains(part).then_some(part);
        }
        let stem = never.strip_suffix('*');
        let is_hit = |word: &String| stem.map_or_else(|| word == never, |stem| word.starts_with(stem));
        words.iter().any(is_hit).then(|| stem.unwrap_or(never))
    };
    words_of(|language| language.never).filter_map(found).collect()
}

/// A squashed text without the word of a template that says that it has to be filled in.
fn without_required(text: String) -> String {
    let rest = words_of(|language| language.required).find_map(|word| text.strip_suffix(word));
    rest.map(str::to_owned).unwrap_or(text)
}

/// The text without `(example: …)` and `(Personal Profile)`: the one is an instruction, the other names the page of the
/// HR system that a work address stands on.
fn without_remarks(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some((before, behind)) = rest.split_once('(') {
        let (inside, after) = behind.split_once(')').unwrap_or((behind, ""));
        kept += before;
        let remark = inside.trim().to_lowercase();
        let is_remark = remark.starts_with("example")
            || ["personal profile", "optional"].contains(&&*remark)
            || words_of(|language| language.required).any(|word| word == squash(&remark));
        if !is_remark {
            kept += &rest[before.len()..rest.len() - after.len()];
        }
        rest = after;
    }
    kept + rest
}

/// The text without `[…]`, and the property that brackets name: one word that begins with a small letter.
fn without_brackets(text: &str) -> (String, Option<String>) {
    let mut rest = text;
    let (mut kept, mut property) = (String::with_capacity(text.len()), None);
    while let Some((before, behind)) = rest.split_once('[') {
        let (inside, after) = behind.split_once(']').unwrap_or((behind, ""));
        kept += before;
        let is_property = inside.starts_with(|c: char| c.is_ascii_lowercase())
            && inside.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        property = property.or_else(|| is_property.then(|| inside.to_owned()));
        rest = after;
    }
    (kept + rest, property)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_known_by_its_text_and_by_the_property_in_its_brackets() {
        for (raw, words) in [
            ("User name [userPrincipalName] Required", &["username", "userprincipalname"][..]),
            ("\u{feff}Email Address [Required]", &["emailaddress"]),
            ("E-Mail *", &["email"]),
            ("First name [givenName]", &["firstname", "givenname"]),
            ("Work Contact: Work Email (Personal Profile)", &["workcontactworkemail"]),
            ("Department (example: Sales)", &["department"]),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", &["department"]),
            ("Te\u{301}le\u{301}phone", &["telephone"]),
            ("Name [displayName] Erforderlich", &["name", "displayname"]),
            ("Prénom (obligatoire)", &["prenom"]),
            ("Recovery Phone [MUST BE IN THE E.164 FORMAT]", &["recoveryphone"]),
        ] {
            let header = Header::of(raw);
            let forms: Vec<&String> = header.bare.iter().take(1).chain(&header.property).collect();
            assert_eq!(forms, words, "{raw}");
        }
    }

    #[test]
    fn the_page_of_an_hr_system_bans_no_work_address_and_everything_private_is_banned() {
        assert!(!Header::of("Work Contact: Work Email (Personal Profile)").is_strange());
        assert!(!Header::of("Email (example: chris.home@example.com)").is_strange());
        for raw in [
            "Personal Contact: Personal Email",
            "Email (Personal)",
            "Email [Personal]",
            "New Primary Email [UPLOAD ONLY]",
            "Best Email",
            "Reporting To Email",
            "Emergency Contact E-mail",
            "Email [otherMails]",
        ] {
            assert!(Header::of(raw).is_strange(), "{raw}");
        }
    }
}
