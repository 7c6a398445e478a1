//! Reads back what was created, deleted again and restored, field by field, 100 ids a call.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::wire::Wire;
use crate::api::{Client, Fields, IDS_PER_CALL};
use crate::columns;
use crate::error::Result;
use crate::person::{Person, State, User};

/// A user as the plan and the journal know it.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Row of the roster.
    pub row: u32,
    /// The user's id.
    pub user_id: String,
    /// Whether that was done so recently that a listing may not show it yet.
    pub is_young: bool,
    /// What it should be.
    pub what: What,
}

/// What a user should be.
#[derive(Clone, Debug)]
pub enum What {
    /// There as it was created.
    Created(Person),
    /// Deleted again.
    Removed,
    /// Active again, with these fields.
    Restored(Fields),
}

impl Expected {
    /// In what a user is not what it should be, joined by `+`; empty if in nothing.
    fn differing(&self, user: &User) -> String {
        let state = [columns::STATE];
        let fields = match (&self.what, user.state) {
            (What::Created(person), _) => person.differing(user),
            (What::Removed, State::Deleted) => Vec::new(),
            (What::Removed, State::Active | State::Inactive) => state.into(),
            (What::Restored(fields), State::Active) => fields.missing_in(user).names(),
            (What::Restored(_), State::Inactive | State::Deleted) => state.into(),
        };
        fields.join("+")
    }

    /// Whether a listing that shows another user, or none, proves nothing yet.
    const fn may_lag(&self, is_there: bool) -> bool {
        self.is_young && (!is_there || !matches!(self.what, What::Created(_)))
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Row of the roster.
    pub row: u32,
    /// The user.
    pub user_id: String,
    /// `missing`, or the fields that differ.
    pub what: String,
}

/// What reading back found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Users there as sent.
    pub n_as_sent: u64,
    /// Users deleted again, as they should be.
    pub n_removed: u64,
    /// Users active again, as they should be.
    pub n_restored: u64,
    /// Users created or changed minutes ago, and not visible so yet: no difference.
    pub n_not_visible: u64,
    /// Everything else.
    pub differences: Vec<Difference>,
}

impl Verified {
    const fn count(&mut self, what: &What) {
        match what {
            What::Created(_) => self.n_as_sent += 1,
            What::Removed => self.n_removed += 1,
            What::Restored(_) => self.n_restored += 1,
        }
    }

    /// Users that were read back.
    #[must_use]
    pub const fn n_checked(&self) -> u64 {
        self.n_as_sent + self.n_removed + self.n_restored + self.n_not_visible + self.differences.len() as u64
    }
}

/// Reads `expected` back; `progress` is told how many were.
///
/// # Errors
/// `Credentials`, `Unreachable`. A difference is a finding, not an error.
pub async fn verify<W: Wire>(
    client: &Arc<Client<W>>,
    expected: &[Expected],
    mut progress: impl FnMut(u64),
) -> Result<Verified> {
    let mut verified = Verified::default();
    for some in expected.chunks(IDS_PER_CALL) {
        let ids: Vec<&str> = some.iter().map(|e| e.user_id.as_str()).collect();
        let found = client.users_by_id(&ids).await?;
        let by_id: HashMap<&str, &User> = found.iter().map(|u| (u.id.as_str(), u)).collect();
        for one in some {
            let what = by_id.get(one.user_id.as_str()).map(|user| one.differing(user));
            match (what, &one.what) {
                (Some(what), of) if what.is_empty() => verified.count(of),
                (what, _) if one.may_lag(what.is_some()) => verified.n_not_visible += 1,
                // Whoever is erased for good is not there either.
                (None, What::Removed) => verified.count(&one.what),
                (what, _) => {
                    let (row, user_id) = (one.row, one.user_id.clone());
                    let what = what.unwrap_or_else(|| "missing".to_owned());
                    verified.differences.push(Difference { row, user_id, what });
                }
            }
        }
        progress(verified.n_checked());
    }
    Ok(verified)
}
