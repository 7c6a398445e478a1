//! Who holds which key.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::columns;
use crate::error::Result;
use crate::person::State;
use crate::snapshot::Snapshot;

/// Column: position of the best holder in the snapshot frame.
pub(super) const USER: &str = "user";
/// Column: whether the key is held by the username.
pub(super) const BY_USERNAME: &str = "by_username";

/// One row per key that somebody holds: `key`, `user` u32, `by_username` bool, `holders` u32.
///
/// Of several holders the best is named, active before inactive before deleted, then the smallest id. A deleted user's
/// username counts like its e-mail: a POST would be refused for either.
pub(super) fn holders(snapshot: &Snapshot) -> Result<DataFrame> {
    let mut entries = entries(&snapshot.frame, columns::KEY, false)?;
    entries.vstack_mut(&self::entries(&snapshot.frame, columns::USERNAME_KEY, true)?)?;
    entries.rechunk_mut();
    let several = entries.select([columns::KEY])?.is_duplicated()?;
    let mut single = entries.filter(&!&several)?;
    single.with_column(Column::new(columns::HOLDERS.into(), vec![1_u32; single.height()]))?;
    if several.any() {
        single.vstack_mut(&best_of(&entries.filter(&several)?, &snapshot.frame)?)?;
        single.rechunk_mut();
    }
    Ok(single)
}

fn entries(frame: &DataFrame, key: &str, by_username: bool) -> Result<DataFrame> {
    let user: Vec<u32> = (0..u32::try_from(frame.height()).unwrap_or(u32::MAX)).collect();
    let keys = frame.column(key)?.clone().with_name(columns::KEY.into());
    let by_username = vec![by_username; frame.height()];
    let user = Column::new(USER.into(), user);
    let all = DataFrame::new(frame.height(), vec![keys, user, Column::new(BY_USERNAME.into(), by_username)])?;
    let held = all.column(columns::KEY)?.is_not_null();
    Ok(all.filter(&held)?)
}

/// The best of several holders of one key, so far.
struct Best<'a> {
    rank: (State, &'a str, u32),
    by_username: bool,
    n: u32,
}

/// Collapses keys with several holders: few, so a plain map does.
fn best_of(entries: &DataFrame, frame: &DataFrame) -> Result<DataFrame> {
    let (keys, users) = (entries.column(columns::KEY)?.str()?, entries.column(USER)?.u32()?);
    let by_username = entries.column(BY_USERNAME)?.bool()?;
    let (states, ids) = (frame.column(columns::STATE)?.str()?, frame.column(columns::ID)?.str()?);
    let mut best: BTreeMap<&str, Best<'_>> = BTreeMap::new();
    for at in 0..entries.height() {
        let (Some(key), Some(user)) = (keys.get(at), users.get(at)) else { continue };
        let state = State::from_word(states.get(user as usize).unwrap_or_default());
        let rank = (state, ids.get(user as usize).unwrap_or_default(), user);
        let by_username = by_username.get(at).unwrap_or(false);
        let known = best.entry(key).or_insert(Best { rank, by_username, n: 0 });
        known.n += 1;
        if rank < known.rank {
            (known.rank, known.by_username) = (rank, by_username);
        }
    }
    let keys: Vec<&str> = best.keys().copied().collect();
    let all: Vec<Best<'_>> = best.into_values().collect();
    let users: Vec<u32> = all.iter().map(|b| b.rank.2).collect();
    let by_username: Vec<bool> = all.iter().map(|b| b.by_username).collect();
    let n_holders: Vec<u32> = all.iter().map(|b| b.n).collect();
    let columns = vec![
        Column::new(columns::KEY.into(), &keys),
        Column::new(USER.into(), users),
        Column::new(BY_USERNAME.into(), by_username),
        Column::new(columns::HOLDERS.into(), n_holders),
    ];
    Ok(DataFrame::new(keys.len(), columns)?)
}
