//! Why a row got its verdict: a stable code for people and scripts, one byte for millions of rows.

use std::sync::LazyLock;

use crate::email::Refusal;

/// Codes beside those of an address that cannot be used.
const OTHERS: [&str; 18] = [
    "csv.ragged",
    "csv.nul",
    "csv.stray_quote",
    "row.example",
    "name.missing",
    "division.unknown",
    "division.several",
    "request.too_large",
    "duplicate.first_kept",
    "duplicate.last_kept",
    "duplicate.none_kept",
    "held.email",
    "held.username",
    "after.created",
    "after.restored",
    "after.rolled_back",
    "after.taken",
    "after.renamed",
];

/// What is to be said of a new row. Of these several can hold at once: they are told together, joined by `+`.
const NOTES: [&str; 6] =
    ["suspect.held", "after.unknown", "after.at_work", "after.gone", "after.refused", "phone.not_e164"];
/// Marks a byte whose other bits are [`NOTES`].
const NOTED: u8 = 1 << 7;

/// The code of every byte; bytes that mean nothing have none.
static CODES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let none = [""];
    let single: Vec<&str> = none.into_iter().chain(OTHERS).chain(Refusal::ALL.map(Refusal::code)).collect();
    let notes = |bits: u8| {
        let noted = NOTES.iter().enumerate().filter(|(at, _)| bits & 1 << at != 0);
        noted.map(|(_, note)| *note).collect::<Vec<_>>().join("+")
    };
    let code = |bits: u8| match bits.checked_sub(NOTED) {
        Some(bits) if bits < 1 << NOTES.len() => notes(bits),
        Some(_) => String::new(),
        None => single.get(usize::from(bits)).copied().unwrap_or_default().to_owned(),
    };
    (0..=u8::MAX).map(code).collect()
});

/// A code, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reason(u8);

impl Reason {
    /// No reason is needed.
    pub const NONE: Self = Self(0);

    /// The reason of a code; none for a text that is no code.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let at = CODES.iter().position(|known| *known == code).unwrap_or(0);
        u8::try_from(at).map_or(Self::NONE, Self)
    }

    /// Its code.
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        CODES.get(usize::from(self.0)).map(String::as_str).filter(|code| !code.is_empty())
    }

    /// Both, where both are notes of a new row; else the other one.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self.0 & other.0 & NOTED, other.0) {
            (0, 0) => self,
            (0, _) => other,
            _ => Self(self.0 | other.0),
        }
    }

    /// As one byte, for columns; not for files.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// What [`Self::bits`] gave.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back_from_its_byte() {
        let all = OTHERS.into_iter().chain(NOTES).chain(Refusal::ALL.map(Refusal::code));
        for code in all.filter(|code| !code.is_empty()) {
            let reason = Reason::of(code);
            assert_eq!(Reason::from_bits(reason.bits()).code(), Some(code));
        }
        assert_eq!((Reason::of(""), Reason::of("nonsense").code()), (Reason::NONE, None));
        assert!(1 + OTHERS.len() + Refusal::ALL.len() < usize::from(NOTED) && NOTES.len() < 8);
    }

    #[test]
    fn notes_are_told_together_in_one_order_and_any_other_reason_alone() {
        let [held, phone, email] = ["suspect.held", "phone.not_e164", "held.email"].map(Reason::of);
        assert_eq!(phone.and(held).code(), Some("suspect.held+phone.not_e164"));
        assert_eq!(held.and(phone), phone.and(held));
        assert_eq!((held.and(held), Reason::NONE.and(phone), phone.and(Reason::NONE)), (held, phone, phone));
        assert_eq!((email.and(phone), phone.and(email)), (phone, email));
        let all = NOTES.map(Reason::of).into_iter().fold(Reason::NONE, Reason::and);
        assert_eq!(all.code(), Some(NOTES.join("+").as_str()));
        assert_eq!(Reason::of(&NOTES.join("+")), all);
    }
}
