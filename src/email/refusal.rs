//! Why an address cannot be used, with the code that people and scripts filter by.

/// Why an address is not usable. The codes are stable: scripts and people filter by them.
///
/// One byte each, so that a row can keep its reason as one: `Refusal::ALL[byte]` is the way back. The bytes are for one
/// run only, files hold the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// The cell is empty.
    Missing,
    /// No `@`.
    NoAt,
    /// More than one `@` in one address.
    SeveralAt,
    /// More than one address in the cell.
    Several,
    /// A blank or control character inside.
    Blank,
    /// A quoted local part.
    Quoted,
    /// Nothing before the `@`.
    LocalEmpty,
    /// A local part above 64 octets.
    LocalLong,
    /// A dot at an edge of the local part, or two in a row.
    LocalDots,
    /// A character that an unquoted local part cannot have.
    LocalCharacter,
    /// Nothing after the `@`.
    DomainEmpty,
    /// A domain of one label.
    DomainSingle,
    /// An empty label: two dots in a row, or one at the start.
    DomainDots,
    /// A label above 63 octets.
    DomainLabelLong,
    /// A hyphen at an edge of a label.
    DomainHyphen,
    /// A character that is neither letter, digit nor hyphen.
    DomainCharacter,
    /// A last label of digits only.
    DomainNumeric,
    /// Unicode or `xn--` labels that are not valid.
    DomainIdna,
    /// More than 254 octets in all.
    Long,
}

impl Refusal {
    /// Every refusal, each at the place that its byte says.
    pub const ALL: [Self; 19] = [
        Self::Missing,
        Self::NoAt,
        Self::SeveralAt,
        Self::Several,
        Self::Blank,
        Self::Quoted,
        Self::LocalEmpty,
        Self::LocalLong,
        Self::LocalDots,
        Self::LocalCharacter,
        Self::DomainEmpty,
        Self::DomainSingle,
        Self::DomainDots,
        Self::DomainLabelLong,
        Self::DomainHyphen,
        Self::DomainCharacter,
        Self::DomainNumeric,
        Self::DomainIdna,
        Self::Long,
    ];

    /// The reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "email.missing",
            Self::NoAt => "email.no_at",
            Self::SeveralAt => "email.several_at",
            Self::Several => "email.several",
            Self::Blank => "email.blank_inside",
            Self::Quoted => "email.quoted_local",
            Self::LocalEmpty => "email.local_empty",
            Self::LocalLong => "email.local_too_long",
            Self::LocalDots => "email.local_dots",
            Self::LocalCharacter => "email.local_character",
            Self::DomainEmpty => "email.domain_empty",
            Self::DomainSingle => "email.domain_single_label",
            Self::DomainDots => "email.domain_dots",
            Self::DomainLabelLong => "email.domain_label_too_long",
            Self::DomainHyphen => "email.domain_hyphen",
            Self::DomainCharacter => "email.domain_character",
            Self::DomainNumeric => "email.domain_numeric",
            Self::DomainIdna => "email.domain_idna",
            Self::Long => "email.too_long",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_byte_leads_back_to_its_refusal() {
        for (at, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(refusal as u8), at, "{refusal:?}");
        }
    }

    #[test]
    fn no_refusal_is_missing_from_the_list_and_no_code_is_used_twice() {
        let codes: HashSet<&str> = Refusal::ALL.into_iter().map(Refusal::code).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        assert_eq!(Refusal::ALL.last(), Some(&Refusal::Long), "the last one declared");
        assert!(codes.iter().all(|code| code.starts_with("email.")));
    }
}
