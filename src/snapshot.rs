//! All users at one time, with what that proves.
//!
//! A listing shows active users only by default, a capped one ends early, a moving one skips people. So a snapshot
//! carries a [`Certificate`]: per state the totals that the service promised and the unique users that came. Without
//! one (somebody's export), nothing is proven.

use std::borrow::Cow;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::columns;
use crate::email::{self, Rules};
use crate::error::{Error, Kind, Result};
use crate::person::{State, User};

/// What the listing of one state proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateProof {
    /// `active`, `inactive` or `deleted`.
    pub state: String,
    /// Pages that were read, the closing one included.
    pub pages: u64,
    /// Users promised by the first page.
    pub total_start: u64,
    /// Users promised by page 1, read again when all others had come.
    pub total_end: u64,
    /// Users that came, each id counted once.
    pub unique: u64,
    /// Whether the service refused to list further.
    pub capped: bool,
}

impl StateProof {
    /// Whether everybody of this state was seen: no cap, no drift, as many as promised.
    #[must_use]
    pub const fn holds(&self) -> bool {
        !self.capped && self.total_start == self.total_end && self.unique == self.total_end
    }
}

/// What a snapshot proves; kept in the footer of its parquet and in the manifest of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whether everybody was seen.
    pub complete: bool,
    /// Id of the organisation that was listed.
    pub organisation_id: String,
    /// When the first page was asked for, RFC 3339, UTC.
    pub started_at: String,
    /// When the last page had come.
    pub ended_at: String,
    /// One proof for each state.
    pub states: Vec<StateProof>,
    /// Users that came without an id: they cannot be told apart.
    pub n_without_id: u64,
}

impl Certificate {
    /// Unique users of a state.
    #[must_use]
    pub fn unique(&self, state: State) -> u64 {
        self.states.iter().filter(|s| s.state == state.as_str()).map(|s| s.unique).sum()
    }

    /// Unique users in all.
    #[must_use]
    pub fn users(&self) -> u64 {
        self.states.iter().map(|s| s.unique).sum()
    }

    /// Why the snapshot is incomplete, in one phrase per state; empty if it is complete.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps: Vec<String> = self.states.iter().filter(|s| !s.holds()).map(gap).collect();
        if self.n_without_id > 0 {
            gaps.push(format!("{} users came without an id", self.n_without_id));
        }
        gaps
    }
}

fn gap(proof: &StateProof) -> String {
    let StateProof { state, unique, total_start, total_end, capped, .. } = proof;
    if *capped {
        format!("{state}: the service lists {unique} of {total_start} and refuses the rest")
    } else {
        format!("{state}: {unique} came of {total_start} promised at the start and {total_end} at the end")
    }
}

/// Everybody who was seen.
///
/// The frame has the columns `id`, `name`, `email`, `username`, `state`, `department`, `title`, `key`, `username_key`
/// (null where it equals `key`), `rules` str and `version` u64; all but `state` may be null.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// One row per user.
    pub frame: DataFrame,
    /// What the listing proved; none for an export made elsewhere.
    pub certificate: Option<Certificate>,
}

/// The keys that a user holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Normalised e-mail; none if it has none or an unusable one.
    pub email: Option<String>,
    /// Normalised username where it is another one.
    pub username: Option<String>,
    /// Rules that fired for either.
    pub rules: Rules,
}

impl Keys {
    /// The keys of a user with that e-mail and username.
    ///
    /// An address that no roster row can have (`admin@localhost`) is no key: nothing could match it.
    #[must_use]
    pub fn of(email: Option<&str>, username: Option<&str>) -> Self {
        let by_email = email.and_then(|e| email::normalise(e).ok());
        let by_name = username.filter(|u| Some(*u) != email).and_then(|u| email::normalise(u).ok());
        let by_name = by_name.filter(|n| by_email.as_ref().is_none_or(|e| e.key != n.key));
        let rules = [&by_email, &by_name].into_iter().flatten().fold(Rules::default(), |r, a| r.union(a.rules));
        Self { email: by_email.map(|a| a.key), username: by_name.map(|a| a.key), rules }
    }
}

impl Snapshot {
    /// A snapshot from users, in the order in which they come.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn from_users<'a>(users: impl IntoIterator<Item = &'a User>, certificate: Option<Certificate>) -> Result<Self> {
        let mut strings: [Vec<Option<String>>; STRINGS.len()] = Default::default();
        let mut version = Vec::new();
        for user in users {
            for (column, cell) in strings.iter_mut().zip(cells(user)) {
                column.push(cell.map(Cow::into_owned));
            }
            version.push(user.version);
        }
        let height = version.len();
        let strings = STRINGS.iter().zip(strings).map(|(name, cells)| Column::new((*name).into(), cells));
        let version = Column::new(columns::VERSION.into(), version);
        Ok(Self { frame: DataFrame::new(height, strings.chain([version]).collect())?, certificate })
    }

    /// A snapshot from an export: a string column `email`, optionally `id`, `name`, `username`, `state`, `department`
    /// and `title`. Without a state a user counts as active; an unknown state is a live holder. Nothing is proven.
    ///
    /// # Errors
    /// `File` if there is no string column `email`.
    pub fn from_frame(frame: &DataFrame) -> Result<Self> {
        let column = |name: &str| frame.column(name).ok().and_then(|c| c.str().ok());
        let emails = column(columns::EMAIL).ok_or_else(|| {
            Error::new(Kind::File, "the snapshot frame has no string column \"email\"")
                .hint("rename it before building")
        })?;
        let cell = |name: &str, at: usize| column(name).and_then(|c| c.get(at)).map(str::to_owned);
        let users: Vec<User> = (0..frame.height())
            .map(|at| User {
                id: cell(columns::ID, at).unwrap_or_default(),
                name: cell(columns::NAME, at),
                email: emails.get(at).map(str::to_owned),
                username: cell(columns::USERNAME, at),
                state: State::from_word(&cell(columns::STATE, at).unwrap_or_default()),
                version: None,
                department: cell(columns::DEPARTMENT, at),
                title: cell(columns::TITLE, at),
            })
            .collect();
        Self::from_users(&users, None)
    }

    /// Whether everybody is proven to be in it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.certificate.as_ref().is_some_and(|c| c.complete)
    }
}

/// The string columns of a snapshot, in the order of [`cells`]; `version` u64 stands behind them.
pub const STRINGS: [&str; 10] = [
    columns::ID,
    columns::NAME,
    columns::EMAIL,
    columns::USERNAME,
    columns::STATE,
    columns::DEPARTMENT,
    columns::TITLE,
    columns::KEY,
    columns::USERNAME_KEY,
    columns::RULES,
];

/// A user's cells for [`STRINGS`].
#[must_use]
pub fn cells(user: &User) -> [Option<Cow<'_, str>>; 10] {
    let keys = Keys::of(user.email.as_deref(), user.username.as_deref());
    [
        Some(Cow::Borrowed(user.id.as_str())),
        user.name.as_deref().map(Cow::Borrowed),
        user.email.as_deref().map(Cow::Borrowed),
        user.username.as_deref().map(Cow::Borrowed),
        Some(Cow::Borrowed(user.state.as_str())),
        user.department.as_deref().map(Cow::Borrowed),
        user.title.as_deref().map(Cow::Borrowed),
        keys.email.map(Cow::Owned),
        keys.username.map(Cow::Owned),
        Some(Cow::Owned(keys.rules.to_string())),
    ]
}
