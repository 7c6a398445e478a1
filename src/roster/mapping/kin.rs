//! Columns that may hold a field and are not taken by themselves: for people to look at.

use super::header::squash;

/// Parts of a header, squashed, that say that it may hold a field.
const KIN: [(&str, &[&str]); 7] = [
    ("email", &["mail", "upn", "principalname", "login", "username"]),
    ("name", &["name", "person", "worker"]),
    ("department", &["depart", "dept", "team", "unit", "cost", "organi", "group"]),
    ("title", &["title", "position", "role", "job", "function"]),
    ("division", &["division", "businessunit", "region", "site", "location"]),
    ("phone", &["phone", "tel", "mobile", "extension"]),
    ("employee-id", &["employee", "empl", "personnel", "staff", "worker", "payroll", "number"]),
];

/// Which of `header` may hold `field`, by a word in their names; `taken` are not looked at.
#[must_use]
pub fn kin(header: &[String], field: &str, taken: &[usize]) -> Vec<usize> {
    let words = KIN.iter().find(|(name, _)| *name == field).map_or(&[][..], |(_, words)| *words);
    let is_kin = |at: &usize| {
        let text = squash(&header[*at]);
        !taken.contains(at) && words.iter().any(|word| text.contains(word))
    };
    (0..header.len()).filter(is_kin).collect()
}
