//! Why a row got its verdict: a stable code for people and scripts, one byte for millions of rows.

use std::sync::LazyLock;

use crate::email::Refusal;

/// Codes beside those of an address that cannot be used.
const OTHERS: [&str; 15] = [
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
    "phone.not_e164",
    "suspect.held",
];

static CODES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let none = [""];
    none.into_iter().chain(OTHERS).chain(Refusal::ALL.map(Refusal::code)).collect()
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
        CODES.get(usize::from(self.0)).copied().filter(|code| !code.is_empty())
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
        for code in OTHERS.into_iter().chain(Refusal::ALL.map(Refusal::code)).filter(|code| !code.is_empty()) {
            let reason = Reason::of(code);
            assert_eq!(Reason::from_bits(reason.bits()).code(), Some(code));
        }
        assert_eq!((Reason::of(""), Reason::of("nonsense").code()), (Reason::NONE, None));
        assert!(CODES.len() < 256);
    }
}
