//! What a checked row is remembered by, in four bytes.

use crate::email::Rules;
use crate::reason::Reason;

/// Whether a row is usable or why not, which rules its address needed, and what a create would lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts(u32);

impl Facts {
    /// The row has no name.
    pub const NAMELESS: u32 = 1 << 16;
    /// The row is so long that its create may be longer than the service reads.
    pub const LARGE: u32 = 1 << 17;
    /// The row has a phone that is left out, since it is not surely one of a country.
    pub const NO_PHONE: u32 = 1 << 18;
    /// The record itself is not sound: ragged, or with a byte where none can be.
    pub const UNSOUND: u32 = 1 << 19;

    pub(super) fn usable(rules: Rules) -> Self {
        Self(u32::from(rules.byte()) << 8)
    }

    pub(super) fn unusable(reason: Reason) -> Self {
        Self(u32::from(reason.bits()))
    }

    #[inline]
    pub(super) const fn with(self, flag: u32, is_set: bool) -> Self {
        if is_set { Self(self.0 | flag) } else { self }
    }

    /// As a number, for a column.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// What [`Self::bits`] gave.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Why the row is not usable; none if it is.
    #[must_use]
    pub fn reason(self) -> Reason {
        Reason::from_bits(self.0.to_le_bytes()[0])
    }

    /// Whether it is usable.
    #[must_use]
    pub fn is_usable(self) -> bool {
        self.reason() == Reason::NONE
    }

    /// The rules that its address needed.
    #[must_use]
    pub fn rules(self) -> Rules {
        Rules::from_bits(self.0.to_le_bytes()[1].into())
    }

    /// Whether a flag is set.
    #[must_use]
    pub const fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
}
