//! Reads back what was created, field by field, 100 ids a call.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::wire::Wire;
use crate::api::{Client, IDS_PER_CALL};
use crate::email;
use crate::error::Result;
use crate::person::{Person, State, User};

/// A created user as the plan and the journal know it.
#[derive(Clone, Debug)]
pub struct Expected {
    /// What was sent.
    pub person: Person,
    /// The id that the service gave.
    pub user_id: String,
    /// Whether it was created so recently that a listing may not show it yet.
    pub is_young: bool,
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
            let what = match by_id.get(one.user_id.as_str()) {
                Some(user) => differing(&one.person, user).join("+"),
                None if one.is_young => {
                    verified.n_not_visible += 1;
                    continue;
                }
                None => "missing".to_owned(),
            };
            if what.is_empty() {
                verified.n_as_sent += 1;
            } else {
                let (row, user_id) = (one.person.row, one.user_id.clone());
                verified.differences.push(Difference { row, user_id, what });
            }
        }
    }
    Ok(verified)
}

fn differing(person: &Person, user: &User) -> Vec<&'static str> {
    let key = user.email.as_deref().and_then(|e| email::normalise(e).ok()).map(|a| a.key);
    let same =
        |sent: &Option<String>, there: &Option<String>| sent.as_deref().unwrap_or("") == there.as_deref().unwrap_or("");
    [
        ("email", key.as_deref() == Some(person.key.as_str())),
        ("name", user.name.as_deref() == Some(person.name.as_str())),
        ("department", same(&person.department, &user.department)),
        ("title", same(&person.title, &user.title)),
        ("division", person.division.as_ref().is_none_or(|d| user.division.as_ref().is_some_and(|u| u.is_meant(d)))),
        ("phone", person.phone.as_ref().is_none_or(|sent| user.phone.as_ref() == Some(sent))),
        ("state", user.state == State::Active),
    ]
    .into_iter()
    .filter_map(|(field, is_same)| (!is_same).then_some(field))
    .collect()
}
