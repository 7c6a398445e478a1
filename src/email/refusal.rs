//! Why an address cannot be used, with the code that people and scripts filter by.

/// Why an address is not usable. The codes are stable: scripts and people filter by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
