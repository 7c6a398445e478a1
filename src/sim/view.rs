//! What an index shows: the users as of some time ago.
//!
//! The listing and the search of the service follow its writes with a delay, each with its own. A view gets every new
//! version of a user together with the time from which it is shown, and until then keeps showing the one before, or
//! nothing for a new user.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::user::{State, User};

/// The `state` of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Only(State),
    Any,
}

impl Filter {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("any") { Some(Self::Any) } else { State::parse(text).map(Self::Only) }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Only(state) => state.as_str(),
            Self::Any => "any",
        }
    }

    pub(super) fn admits(self, state: State) -> bool {
        self == Self::Any || self == Self::Only(state)
    }
}

/// Number of a user in the order of creation.
pub(super) type At = u32;

#[derive(Default)]
pub(super) struct View {
    shown: Vec<Option<Arc<User>>>,
    by_state: [Vec<At>; 3],
    any: Vec<At>,
    /// By the time they fall due, then by the order of the writes.
    pending: BTreeMap<(Duration, u64), (At, Arc<User>)>,
    n_posted: u64,
}

impl View {
    /// Takes a new version of a user, shown from `due` on.
    pub(super) fn post(&mut self, due: Duration, at: At, user: Arc<User>) {
        self.n_posted += 1;
        self.pending.insert((due, self.n_posted), (at, user));
    }

    /// Shows everything that is due.
    pub(super) fn settle(&mut self, now: Duration) {
        while let Some(first) = self.pending.first_entry()
            && first.key().0 <= now
        {
            let (at, user) = first.remove();
            self.show(at, user);
        }
    }

    /// Shows that version from now on, unless a newer one is shown already (the lag may shrink between two writes).
    pub(super) fn show(&mut self, at: At, user: Arc<User>) {
        let place = at as usize;
        if place >= self.shown.len() {
            self.shown.resize(place + 1, None);
        }
        let state = user.state;
        match self.shown[place].replace(Arc::clone(&user)) {
            Some(old) if old.version > user.version => self.shown[place] = Some(old),
            Some(old) if old.state == state => {}
            Some(old) => {
                remove(&mut self.by_state[old.state.at()], at);
                insert(&mut self.by_state[state.at()], at);
            }
            None => {
                insert(&mut self.any, at);
                insert(&mut self.by_state[state.at()], at);
            }
        }
    }

    /// Shows a user no more, nor any version of it that is still to come.
    pub(super) fn hide(&mut self, at: At) {
        self.pending.retain(|_, (other, _)| *other != at);
        if let Some(user) = self.shown.get_mut(at as usize).and_then(Option::take) {
            remove(&mut self.any, at);
            remove(&mut self.by_state[user.state.at()], at);
        }
    }

    /// The users shown with that filter, in the order of creation.
    pub(super) fn index(&self, filter: Filter) -> &[At] {
        match filter {
            Filter::Only(state) => &self.by_state[state.at()],
            Filter::Any => &self.any,
        }
    }

    /// The version shown of one user.
    pub(super) fn get(&self, at: At) -> Option<&User> {
        self.shown.get(at as usize)?.as_deref()
    }
}

/// Almost always a push: users become visible in the order in which they were created.
fn insert(index: &mut Vec<At>, at: At) {
    if let Err(place) = index.binary_search(&at) {
        index.insert(place, at);
    }
}

fn remove(index: &mut Vec<At>, at: At) {
    if let Ok(place) = index.binary_search(&at) {
        index.remove(place);
    }
}
