//! How many may be created.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Gate, Which};
use crate::number::Number;
use crate::plan::Counts;

/// Most users that may be created: so many, or a share of the roster's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// So many.
    Users(u64),
    /// So many of a hundred rows.
    Percent(u8),
}

impl Limit {
    /// Reads `500` or `5%`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse().ok().filter(|percent| *percent <= 100).map(Self::Percent),
            None => text.parse().ok().map(Self::Users),
        };
        found.ok_or_else(|| format!("\"{text}\" is neither a number nor a percentage: write 500 or 5%"))
    }

    /// As it is typed.
    #[must_use]
    pub fn typed(self) -> String {
        match self {
            Self::Users(n) => n.to_string(),
            Self::Percent(percent) => format!("{percent}%"),
        }
    }

    /// Whether a plan with these counts keeps within it.
    #[must_use]
    pub const fn allows(self, counts: &Counts) -> bool {
        match self {
            Self::Users(n) => counts.new <= n,
            Self::Percent(percent) => counts.new.saturating_mul(100) <= counts.rows.saturating_mul(percent as u64),
        }
    }

    /// The gate of this limit.
    #[must_use]
    pub fn gate(self, counts: &Counts) -> Gate {
        let (new, rows) = (Number(counts.new), Number(counts.rows));
        let tripped = !self.allows(counts);
        let what = format!("{new} of {rows} rows would be created; --max-creates allows {self}");
        Gate { gate: Which::MaxCreates, tripped, what }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Users(n) => Number(*n).fmt(f),
            Self::Percent(percent) => write!(f, "{percent}% of them"),
        }
    }
}
