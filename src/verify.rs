//! Reads back what was created, field by field, 100 ids a call.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::wire::Wire;
use crate::api::{Client, IDS_PER_CALL};
use crate::error::Result;
use crate::person::{Person, State, User};

/// A created user as the plan and the journal know it.
#[derive(Clone, Debug)]
pub struct Expected {
    /// What was sent.
    pub person: Person,
    /// The id that the service gave.
    pub user_id: String,
    /// Whether it was created, or deleted again, so recently that a listing may not show it yet.
    pub is_young: bool,
    /// Whether it was deleted again.
    pub is_removed: bool,
}

impl Expected {
    /// In what a user is not what it should be, joined by `+`; empty if in nothing.
    fn differing(&self, user: &User) -> String {
        match (self.is_removed, user.state) {
            (true, State::Deleted) => String::new(),
            (true, State::Active | State::Inactive) => "not deleted".to_owned(),
            (false, _) => self.person.differing(user).join("+"),
        }
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
    /// Users created minutes ago and not visible yet: no difference.
    pub n_not_visible: u64,
    /// Everything else.
    pub differences: Vec<Difference>,
}

/// Reads `expected` back.
///
/// # Errors
/// `Credentials`, `Unreachable`. A difference is a finding, not an error.
pub async fn verify<W: Wire>(client: &Arc<Client<W>>, expected: &[Expected]) -> Result<Verified> {
    let mut verified = Verified::default();
    for some in expected.chunks(IDS_PER_CALL) {
        let ids: Vec<&str> = some.iter().map(|e| e.user_id.as_str()).collect();
        let found = client.users_by_id(&ids).await?;
        let by_id: HashMap<&str, &User> = found.iter().map(|u| (u.id.as_str(), u)).collect();
        for one in some {
            let what = by_id.get(one.user_id.as_str()).map(|user| one.differing(user));
            match what {
                Some(what) if what.is_empty() && one.is_removed => verified.n_removed += 1,
                Some(what) if what.is_empty() => verified.n_as_sent += 1,
                // Whoever is erased for good is not there either.
                None if one.is_removed && !one.is_young => verified.n_removed += 1,
                // A listing lags behind what was done minutes ago.
                None if one.is_young => verified.n_not_visible += 1,
                Some(_) if one.is_removed && one.is_young => verified.n_not_visible += 1,
                what => {
                    let (row, user_id) = (one.person.row, one.user_id.clone());
                    let what = what.unwrap_or_else(|| "missing".to_owned());
                    verified.differences.push(Difference { row, user_id, what });
                }
            }
        }
    }
    Ok(verified)
}
