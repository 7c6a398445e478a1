//! A header as it is compared: the words that it may be called by, and what else it says.

use unicode_normalization::UnicodeNormalization;

use super::families::{EMAIL, LOGIN};

/// Words of a header that say: this is not the person's own at work.
const NEVER: [&str; 24] = [
    "personal",
    "home",
    "private",
    "alternate",
    "alternative",
    "secondary",
    "second",
    "recovery",
    "backup",
    "other",
    "manager",
    "supervisor",
    "reports",
    "reporting",
    "assistant",
    "emergency",
    "previous",
    "former",
    "old",
    "new",
    "best",
    "mobile",
    "cell",
    "fax",
];

/// A header, normalised.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// What it may be called by: its text, and a property named in brackets (`[userPrincipalName]`).
    forms: Vec<String>,
    is_strange: bool,
}

impl Header {
    pub(super) fn of(raw: &str) -> Self {
        let text: String = raw.trim_start_matches('\u{feff}').nfc().collect();
        let text = without_remarks(&text);
        let is_strange = NEVER.iter().any(|word| text.to_lowercase().contains(word));
        let (bare, property) = without_brackets(&text);
        let bare = bare.trim().trim_matches('*').trim().to_lowercase();
        let bare = bare.strip_suffix("required").unwrap_or(&bare);
        // A SCIM extension: `urn:…:User:department`.
        let bare = if bare.starts_with("urn:") { bare.rsplit(':').next().unwrap_or_default() } else { bare };
        let mut forms = vec![squash(bare)];
        forms.extend(property.map(|property| squash(&property)));
        Self { forms, is_strange }
    }

    /// Whether it may be called `word`, which is squashed.
    pub(super) fn is(&self, word: &str) -> bool {
        self.forms.iter().any(|form| form == word)
    }

    /// Whether it may be called `word`, and does not say that it is somebody else's. A word may itself speak of a home
    /// department or a supervisory organisation.
    pub(super) fn is_own(&self, word: &str) -> bool {
        self.is(word) && (!self.is_strange || NEVER.iter().any(|never| word.contains(never)))
    }

    /// Whether it may be called `word`, a word for the key. A property in brackets says of what kind a value is, not
    /// whose: `Sponsor [mail]`. So it counts only behind a text that is a word for the key itself.
    pub(super) fn is_key(&self, word: &str) -> bool {
        let bare = self.forms[0].as_str();
        let is_about_key = EMAIL.contains(&bare) || LOGIN.contains(&bare);
        !self.is_strange && (bare == word || is_about_key && self.is(word))
    }

    /// Whether its text is `word`, and does not say that it is somebody else's. A property in brackets does not count: of
    /// `Sponsor [employeeId]` it is the sponsor's.
    pub(super) fn is_plainly(&self, word: &str) -> bool {
        self.forms[0] == word && self.is_own(word)
    }

    /// Whether it says that what it holds is private, somebody else's, or out of date.
    pub(super) const fn is_strange(&self) -> bool {
        self.is_strange
    }

    /// Whether it speaks of e-mail at all.
    pub(super) fn is_about_mail(&self) -> bool {
        self.forms.iter().any(|form| form.contains("mail"))
    }
}

/// Lower case, letters and digits only.
pub(super) fn squash(text: &str) -> String {
    text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
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
        let is_remark =
            remark.starts_with("example") || ["personal profile", "required", "optional"].contains(&&*remark);
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
            ("Te\u{301}le\u{301}phone", &["téléphone"]),
            ("Recovery Phone [MUST BE IN THE E.164 FORMAT]", &["recoveryphone"]),
        ] {
            let header = Header::of(raw);
            assert_eq!(header.forms, words, "{raw}");
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
