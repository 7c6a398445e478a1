//! All users at one time, with what that proves.
//!
//! A listing shows active users only by default, a capped one ends early, a moving one skips people. So a snapshot
//! carries a [`Certificate`]: per state the totals that the service promised and the unique users that came. Without
//! one (somebody's export), nothing is proven until the keys that nobody seems to hold are looked up ([`Probe`]).

mod cards;
mod observed;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use cards::Cells;
pub(crate) use cards::{Cards, Piece};
pub use observed::{Cell, Observed, Snapshot};

use crate::columns;
use crate::email::{self, Rules};
use crate::number::counted;
use crate::person::{Division, State, User};

/// Where a total stops being believed: an index that pages no further than this may also count no further.
pub const TOTAL_DOUBTED: u64 = 10_000;

/// What the listing of one state proved, in the last pass over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateProof {
    /// `active`, `inactive` or `deleted`.
    pub state: String,
    /// Pages that were read in all passes, the closing ones included.
    pub pages: u64,
    /// Users promised by page 1 before any other page of any state was read; none if the service did not say.
    pub total_start: Option<u64>,
    /// Users promised by page 1, read again when all pages of all states had come.
    pub total_end: Option<u64>,
    /// Users that came in the last pass, each id counted once over all states.
    pub unique: u64,
    /// Users of this state in the snapshot: whoever came in any pass, by the state that was seen first.
    pub users: u64,
    /// Whether the service refused to page further.
    pub capped: bool,
    /// Whether the cursor listing was walked to its end.
    pub walked: bool,
}

impl StateProof {
    /// Whether everybody of this state was seen: none held back, as many as promised, before and after.
    #[must_use]
    pub fn holds(&self) -> bool {
        let is_read_out = !self.is_doubted() && (self.walked || !self.capped);
        is_read_out && self.total_end == Some(self.unique) && self.total_start == self.total_end
    }

    /// Whether the total may be no more than what the service counts to. A cursor that ends there as well confirms nothing:
    /// it may be a window over the same index. So nobody can prove that there are just so many.
    #[must_use]
    pub fn is_doubted(&self) -> bool {
        self.total_end.or(self.total_start) == Some(TOTAL_DOUBTED)
    }

    /// Whether more came than the total promises, and goes on promising: the service counts no further, or somebody has
    /// come to this state from another one.
    #[must_use]
    pub fn is_miscounted(&self) -> bool {
        self.total_end.is_none_or(|end| Some(end) == self.total_start)
            && self.total_start.is_some_and(|total| total < self.unique)
    }

    /// Whether no further pass could prove it: where the service holds back or stops counting, it would again.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.capped && !self.walked || self.is_doubted()
    }
}

/// What a snapshot proves; kept in the footer of its parquet and in the manifest of a plan.
///
/// Why it is a proof: an id stays in the organisation, deleted users included, unless somebody is erased for good. If the
/// totals of all states are the same before the first and after the last page, nobody was added or erased; and if as many
/// different ids came as there are, everybody came, however pages shifted in between. (Only as many erased as added, in
/// the same minute, would go unnoticed.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whether everybody was seen.
    pub complete: bool,
    /// Id of the organisation that was listed.
    pub organisation_id: String,
    /// Its name, for people.
    pub organisation_name: Option<String>,
    /// When the first page was asked for, RFC 3339, UTC.
    pub started_at: String,
    /// When the last page had come.
    pub ended_at: String,
    /// Passes over all states: more than one if users came or went meanwhile.
    pub passes: u32,
    /// One proof for each state.
    pub states: Vec<StateProof>,
    /// Users that came without an id in the last pass: they cannot be told apart.
    pub n_without_id: u64,
    /// Why the cursor listing could not be used where it was needed.
    pub no_cursor: Option<String>,
    /// The organisation's divisions; none if the client may not see them.
    pub divisions: Option<Vec<Division>>,
}

impl Certificate {
    /// Users of a state in the snapshot.
    #[must_use]
    pub fn users_of(&self, state: State) -> u64 {
        self.states.iter().filter(|s| s.state == state.as_str()).map(|s| s.users).sum()
    }

    /// Users in the snapshot.
    #[must_use]
    pub fn users(&self) -> u64 {
        self.states.iter().map(|s| s.users).sum()
    }

    /// Why the snapshot is incomplete, in one phrase per state; empty if it is complete.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps: Vec<String> = self.states.iter().filter(|s| !s.holds()).map(|s| self.gap(s)).collect();
        if self.n_without_id > 0 {
            gaps.push(format!("{} without an id", counted(self.n_without_id, "user came", "users came")));
        }
        gaps
    }

    fn gap(&self, proof: &StateProof) -> String {
        let StateProof { state, unique, total_start, total_end, .. } = proof;
        let said = |total: &Option<u64>| total.map_or_else(|| "an unknown number".to_owned(), |n| n.to_string());
        let (start, end) = (said(total_start), said(total_end));
        let cursor = self.no_cursor.as_deref().unwrap_or("broke off");
        if proof.capped && !proof.walked && Some(*unique) == *total_start {
            return format!(
                "{state}: {unique} came of {start} and fill the last page, and the service refuses to say whether others \
                 follow; the cursor listing {cursor}"
            );
        }
        if proof.capped && !proof.walked {
            return format!(
                "{state}: the service lists {unique} of {start} and refuses the rest; the cursor listing {cursor}"
            );
        }
        if proof.is_doubted() {
            let cursor = match proof.walked {
                true if *unique == TOTAL_DOUBTED => "ends there, too",
                true => "shows another number",
                false => cursor,
            };
            return format!(
                "{state}: {unique} came of {start}, where the service may stop counting; the cursor listing {cursor}"
            );
        }
        let passes = if self.passes > 1 { format!(", in {} passes", self.passes) } else { String::new() };
        format!("{state}: {unique} came of {start} promised at the start and {end} at the end{passes}")
    }
}

/// What looking up the would-be-new keys proved, where the snapshot proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Id of the organisation that was asked.
    pub organisation_id: String,
    /// When the last answer had come, RFC 3339, UTC.
    pub ended_at: String,
    /// Keys that were looked up, over users of all states.
    pub keys: u64,
    /// Questions asked; one takes another call for every further page of hits.
    pub calls: u64,
    /// Keys that somebody holds.
    pub held: u64,
    /// Keys that the service refused to search for.
    pub refused: u64,
    /// Most values that the service took in one search.
    pub values_max: u64,
    /// Whether usernames were searched too: not every service may do so.
    pub usernames: bool,
    /// Whether the search tells upper from lower case: then it may miss an address in another spelling. None if that
    /// could not be learnt, since it found nobody who is listed.
    pub case_matters: Option<bool>,
}

impl Probe {
    /// Whether every key was looked up in a way that finds whoever holds it.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.refused == 0 && matches!(self.case_matters, Some(false))
    }

    /// Why it does not hold, in words; empty if it does.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let refused = (self.refused > 0).then(|| format!("the service refused to search for {} keys", self.refused));
        let case = match self.case_matters {
            Some(false) => None,
            Some(true) => {
                Some("the search tells upper from lower case and may miss an address that is spelt in another way")
            }
            None => Some("the search finds nobody of those who are listed, so that nobody knows how it compares"),
        };
        refused.into_iter().chain(case.map(str::to_owned)).collect()
    }
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

    /// The one or two keys of a user.
    #[must_use]
    pub fn of_user(user: &User) -> Vec<String> {
        let keys = Self::of(user.email.as_deref(), user.username.as_deref());
        keys.email.into_iter().chain(keys.username).collect()
    }
}

/// The string columns of a snapshot, in the order of [`cells`]; `version` u64 stands behind them.
pub const STRINGS: [&str; 12] = [
    columns::ID,
    columns::NAME,
    columns::EMAIL,
    columns::USERNAME,
    columns::STATE,
    columns::DEPARTMENT,
    columns::TITLE,
    columns::EMPLOYEE_ID,
    columns::CONTACTS,
    columns::KEY,
    columns::USERNAME_KEY,
    columns::RULES,
];

/// A user's cells for [`STRINGS`].
#[must_use]
pub fn cells(user: &User) -> [Option<Cow<'_, str>>; STRINGS.len()] {
    let keys = Keys::of(user.email.as_deref(), user.username.as_deref());
    [
        Some(Cow::Borrowed(user.id.as_str())),
        user.name.as_deref().map(Cow::Borrowed),
        user.email.as_deref().map(Cow::Borrowed),
        user.username.as_deref().map(Cow::Borrowed),
        Some(Cow::Borrowed(user.state.as_str())),
        user.department.as_deref().map(Cow::Borrowed),
        user.title.as_deref().map(Cow::Borrowed),
        user.employee_id.as_deref().map(Cow::Borrowed),
        user.contacts_text().map(Cow::Owned),
        keys.email.map(Cow::Owned),
        keys.username.map(Cow::Owned),
        Some(Cow::Owned(keys.rules.to_string())),
    ]
}
