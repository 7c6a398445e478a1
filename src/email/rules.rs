//! Which rules changed something on the way from a cell to its key: one bit each.

use std::fmt;

/// A set of normalisation rules; prints as `trim+nfkc+lower`, empty as nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules(u16);

impl Rules {
    const NAMES: [&'static str; 11] =
        ["trim", "invisible", "mailto", "angle", "nfkc", "lower", "idna", "dot", "plus", "gmail-dots", "alias"];
    /// How many sets there are.
    pub const N_SETS: u16 = 1 << Self::NAMES.len();
    /// Blanks at the edges.
    pub const TRIM: Self = Self(1);
    /// Characters that cannot be seen.
    pub const INVISIBLE: Self = Self(1 << 1);
    /// A `mailto:` in front.
    pub const MAILTO: Self = Self(1 << 2);
    /// `Name <addr>`.
    pub const ANGLE: Self = Self(1 << 3);
    /// Unicode compatibility forms (full-width letters, ligatures, decomposed accents).
    pub const NFKC: Self = Self(1 << 4);
    /// Upper-case letters, or a sigma in another form than its place has.
    pub const LOWER: Self = Self(1 << 5);
    /// A domain in Unicode letters.
    pub const IDNA: Self = Self(1 << 6);
    /// A dot at the end of the domain.
    pub const DOT: Self = Self(1 << 7);
    /// What follows a plus sign, where that was asked for.
    pub const PLUS: Self = Self(1 << 8);
    /// Dots in local parts of Gmail, where that was asked for.
    pub const GMAIL_DOTS: Self = Self(1 << 9);
    /// A domain that became another, where that was said.
    pub const ALIAS: Self = Self(1 << 10);

    /// Both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every rule of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set as a number, below [`Self::N_SETS`].
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set that [`Self::bits`] gave.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits % Self::N_SETS)
    }

    /// The rules of an address alone, as one byte: for rows that are kept by the million.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// Reads what [`fmt::Display`] wrote; unknown names are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let bit = |name: &str| Self::NAMES.iter().position(|n| *n == name).map_or(0, |at| 1 << at);
        Self(text.split('+').fold(0, |set, name| set | bit(name)))
    }

    pub(super) const fn add(&mut self, rule: Self, fired: bool) {
        if fired {
            self.0 |= rule.0;
        }
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fired = Self::NAMES.iter().enumerate().filter(|(at, _)| self.0 & (1 << at) != 0);
        for (n, (_, name)) in fired.enumerate() {
            write!(f, "{}{name}", if n == 0 { "" } else { "+" })?;
        }
        Ok(())
    }
}
