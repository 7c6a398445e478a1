//! A person is a row that is wanted; a user is an account that was observed.

use std::fmt;

/// Somebody the roster wants to exist: all that a create sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Row of the roster, 1-based.
    pub row: u32,
    /// Normalised e-mail.
    pub key: String,
    /// Address to send: cleaned, its case kept.
    pub email: String,
    /// Full name.
    pub name: String,
    /// Department, if mapped and not empty.
    pub department: Option<String>,
    /// Job title, if mapped and not empty.
    pub title: Option<String>,
}

/// State of a user as the service spells it.
///
/// Ordered by how much it matters to a verdict: active before inactive before deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Can log in.
    Active,
    /// Exists, cannot log in, keeps its address. An export's unknown word counts as this: a live holder.
    Inactive,
    /// Deleted; keeps its address all the same.
    Deleted,
}

impl State {
    /// All states, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Deleted];

    /// The service's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the word of a listing or an export: no word is active, an unknown word a live holder.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "" | "active" => Self::Active,
            "deleted" => Self::Deleted,
            _ => Self::Inactive,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An account of the organisation, as one page or one reply showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The service's id.
    pub id: String,
    /// Full name.
    pub name: Option<String>,
    /// E-mail as the organisation spells it.
    pub email: Option<String>,
    /// Login name, usually the e-mail at creation.
    pub username: Option<String>,
    /// State.
    pub state: State,
    /// Version: 1 on a new user, raised by every change.
    pub version: Option<u64>,
    /// Department.
    pub department: Option<String>,
    /// Job title.
    pub title: Option<String>,
}
