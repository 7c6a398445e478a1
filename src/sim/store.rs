//! The users and the ways to find them.
//!
//! The newest version of a user is found by id and by address at once; the listing and the search see it later, each
//! through its own [`View`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::settings::Settings;
use super::user::{State, User};
use super::view::{At, Filter, View};

/// From when on the two views show a write.
#[derive(Clone, Copy)]
pub(super) struct Due {
    list: Duration,
    search: Duration,
}

impl Due {
    pub(super) fn after(now: Duration, settings: &Settings) -> Self {
        Self { list: now + settings.list_lag, search: now + settings.search_lag }
    }
}

#[derive(Default)]
pub(super) struct Store {
    users: Vec<Arc<User>>,
    by_id: HashMap<String, At>,
    /// Those who are erased: their numbers stay taken.
    erased: HashSet<At>,
    /// By address and by username, both in lower case: a stricter comparison looks at what is found.
    by_key: HashMap<String, Vec<At>>,
    list: View,
    search: View,
}

impl Store {
    /// Adds a user whom the views show from `due` on (`None`: at once).
    pub(super) fn add(&mut self, user: User, due: Option<Due>) -> Arc<User> {
        let at = At::try_from(self.users.len()).unwrap_or(At::MAX);
        let user = Arc::new(user);
        self.by_id.insert(user.id.clone(), at);
        let (email, username) = (fold(&user.email), fold(&user.username));
        if username != email {
            self.by_key.entry(username).or_default().push(at);
        }
        if !email.is_empty() {
            self.by_key.entry(email).or_default().push(at);
        }
        self.users.push(Arc::clone(&user));
        match due {
            Some(due) => self.post(due, at, &user),
            None => {
                self.list.show(at, Arc::clone(&user));
                self.search.show(at, Arc::clone(&user));
            }
        }
        user
    }

    /// Changes the newest version of a user and counts its version up. Id, address and username never change.
    pub(super) fn change(&mut self, at: At, due: Due, edit: impl FnOnce(&mut User)) -> Option<Arc<User>> {
        let slot = self.users.get_mut(at as usize)?;
        let mut user = User::clone(slot);
        edit(&mut user);
        user.version += 1;
        let user = Arc::new(user);
        *slot = Arc::clone(&user);
        self.post(due, at, &user);
        Some(user)
    }

    /// Forgets a user, at once and everywhere.
    pub(super) fn erase(&mut self, at: At) {
        let Some(user) = self.users.get(at as usize) else { return };
        self.by_id.remove(&user.id);
        for key in [fold(&user.email), fold(&user.username)] {
            self.by_key.entry(key).or_default().retain(|other| *other != at);
        }
        self.erased.insert(at);
        self.list.hide(at);
        self.search.hide(at);
    }

    fn post(&mut self, due: Due, at: At, user: &Arc<User>) {
        self.list.post(due.list, at, Arc::clone(user));
        self.search.post(due.search, at, Arc::clone(user));
    }

    pub(super) fn find(&self, id: &str) -> Option<(At, &Arc<User>)> {
        let at = *self.by_id.get(id)?;
        Some((at, self.users.get(at as usize)?))
    }

    /// Those who have `text` as address or username, whatever the case.
    pub(super) fn with_key<'a>(&'a self, text: &str) -> impl Iterator<Item = (At, &'a Arc<User>)> + use<'a> {
        let found = self.by_key.get(&fold(text)).map_or(&[][..], Vec::as_slice);
        found.iter().filter_map(|at| Some((*at, self.users.get(*at as usize)?)))
    }

    /// Who keeps `address` from being given to somebody else.
    pub(super) fn holder(&self, address: &str, settings: &Settings) -> Option<(At, &Arc<User>)> {
        let holds = |user: &User| {
            let is_same = |text: &str| text == address || settings.case_insensitive && fold(text) == fold(address);
            let is_held = match user.state {
                State::Active => true,
                State::Inactive => settings.inactive_holds,
                State::Deleted => settings.deleted_holds,
            };
            is_held && (is_same(&user.email) || settings.usernames_hold && is_same(&user.username))
        };
        let is_known = |at: At| !settings.uniqueness_lags || self.searched(at).is_some();
        self.with_key(address).find(|(at, user)| holds(user) && is_known(*at))
    }

    /// Everybody there ever was, erased or not.
    pub(super) fn all(&self) -> &[Arc<User>] {
        &self.users
    }

    /// Everybody who is not erased.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.iter().zip(0..).filter(|(_, at)| !self.erased.contains(at)).map(|(user, _)| user)
    }

    /// What the listing and the cursor see now.
    pub(super) fn listing(&mut self, now: Duration) -> &View {
        self.list.settle(now);
        &self.list
    }

    /// Lets the search catch up; [`Store::searched`] then shows it beside the keys.
    pub(super) fn settle_search(&mut self, now: Duration) {
        self.search.settle(now);
    }

    /// What the search sees of one user.
    pub(super) fn searched(&self, at: At) -> Option<&User> {
        self.search.get(at)
    }

    /// Everybody the search sees, in the order of creation.
    pub(super) fn searchable(&self) -> &[At] {
        self.search.index(Filter::Any)
    }

    /// Numbers of the users with those ids, in the order of creation.
    pub(super) fn numbers<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Vec<At> {
        let mut found: Vec<At> = ids.filter_map(|id| self.by_id.get(id).copied()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The service's way of comparing addresses, as far as anybody guesses: lower case and no more.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase()
}
