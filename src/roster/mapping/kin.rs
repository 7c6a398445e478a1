//! Columns that may hold a field and are not taken by themselves: for people to look at.

use super::header;
use super::languages::{Language, words_of};

/// Parts of a header, squashed, that say that it may hold a field, beside the words that it is known by.
const KIN: [(&str, &[&str]); 7] = [
    ("email", &["mail", "upn", "principalname", "login", "username"]),
    ("name", &["name", "person", "worker"]),
    ("department", &["depart", "dept", "team", "unit", "cost", "organi", "group"]),
    ("title", &["title", "position", "role", "job", "function"]),
    ("division", &["division", "businessunit", "region", "site", "location"]),
    ("phone", &["phone", "tel", "mobile", "extension"]),
    ("employee-id", &["employee", "empl", "personnel", "staff", "worker", "payroll", "number"]),
];

/// A word as long as this is one in the middle of another, too: `Hauptabteilung`, `Voornaam partner`.
const LETTERS_MIN: usize = 4;

/// Which of `header` may hold `field`, by a word in their names; `taken` are not looked at.
#[must_use]
pub fn kin(header: &[String], field: &str, taken: &[usize]) -> Vec<usize> {
    let parts = KIN.iter().find(|(name, _)| *name == field).map_or(&[][..], |(_, parts)| *parts);
    let known: Vec<&str> = fields(field).iter().flat_map(|words| words_of(words)).collect();
    let is_kin = |at: &usize| {
        let (forms, words) = (header::spellings(header::squash(&header[*at])), header::words(&header[*at]));
        let is_in = |part: &&str| forms.iter().any(|form| form.contains(*part));
        let is_word = |word: &&str| words.iter().any(|own| own == word) || word.len() >= LETTERS_MIN && is_in(word);
        !taken.contains(at) && (parts.iter().any(is_in) || known.iter().any(is_word))
    };
    (0..header.len()).filter(is_kin).collect()
}

/// The words of every language that speak of a field.
fn fields(field: &str) -> &'static [fn(&Language) -> &'static str] {
    match field {
        "email" => &[|l| l.email, |l| l.login],
        "name" => &[|l| l.name, |l| l.whole, |l| l.shown, |l| l.given, |l| l.between, |l| l.family, |l| l.behind],
        "department" => &[|l| l.department, |l| l.cost_centre],
        "title" => &[|l| l.title],
        "phone" => &[|l| l.phone_work, |l| l.phone],
        "employee-id" => &[|l| l.employee_id],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_a_field_is_told_in_every_language() {
        let header = [
            "E-Mail privat",
            "Correo personal",
            "Nom de naissance",
            "Hauptabteilung",
            "Diensttelefon 2",
            "Personalnummer alt",
            "Ort",
        ];
        let header = header.map(str::to_owned);
        for (field, expected) in
            [("email", &[0, 1][..]), ("name", &[1, 2, 5]), ("department", &[3]), ("phone", &[4]), ("employee-id", &[5])]
        {
            assert_eq!(kin(&header, field, &[]), expected, "{field}");
        }
    }
}
