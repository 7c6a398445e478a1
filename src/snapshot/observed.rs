//! Everybody who was seen, in columns.
//!
//! The keys decide; what else is known of a user is there to be told. A comparison that tells of new rows only needs none
//! of it, and then it is not kept.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};

use polars::prelude::*;

use super::cards::{self, Cards, Cells};
use super::{Certificate, Keys, Probe};
use crate::columns;
use crate::email::{self, Rules};
use crate::error::{Error, Kind, Result};
use crate::person::{Division, State, User};
use crate::reason::Reason;
use crate::strings::Strings;

/// What is told of a user beside its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The service's id.
    Id,
    /// Full name.
    Name,
    /// E-mail as the organisation spells it.
    Email,
    /// Department.
    Department,
    /// Job title.
    Title,
    /// Employee id.
    EmployeeId,
    /// Further e-mail addresses, joined by a blank.
    Contacts,
}

impl Cell {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Id, Self::Name, Self::Email, Self::Department, Self::Title, Self::EmployeeId, Self::Contacts];

    /// Its column.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::Id => columns::ID,
            Self::Name => columns::NAME,
            Self::Email => columns::EMAIL,
            Self::Department => columns::DEPARTMENT,
            Self::Title => columns::TITLE,
            Self::EmployeeId => columns::EMPLOYEE_ID,
            Self::Contacts => columns::CONTACTS,
        }
    }

    /// Whether a snapshot of an earlier version may be without its column.
    #[must_use]
    pub const fn is_recent(self) -> bool {
        matches!(self, Self::EmployeeId | Self::Contacts)
    }
}

/// Everybody who was seen, in the order in which they came.
#[derive(Clone, Debug)]
pub struct Snapshot {
    keys: Strings,
    /// Normalised usernames where they are another key; none if no user has such a one.
    username_keys: Option<Strings>,
    /// [`Cell`]s; none if nothing of them is to be told.
    cards: Option<Cards>,
    /// State of each user.
    pub states: Vec<State>,
    /// Rules that fired for the keys of each user.
    pub rules: Vec<Rules>,
    /// What the listing proved; none for an export made elsewhere.
    pub certificate: Option<Certificate>,
    /// What looking keys up proved, where that was done.
    pub probe: Option<Probe>,
    /// The organisation's divisions, if they are known.
    pub divisions: Option<Vec<Division>>,
    /// What an export has no column for: of most of its users nothing is known of it. A listing lacks nothing.
    pub lacks: Vec<Cell>,
    /// What was learnt of users beyond the listing.
    learnt: Learnt,
}

/// What earlier plans know that the listing does not show.
#[derive(Clone, Debug, Default)]
struct Learnt {
    /// Users that are not in the listing: the last ones.
    n_users: usize,
    /// How that is known, by the place of the user.
    reasons: HashMap<usize, Reason>,
}

impl Snapshot {
    /// A snapshot from users, in the order in which they come; each is read and let go. Nothing is proven without the
    /// certificate of [`take`](crate::take::take).
    ///
    /// ```
    /// use rosterdiff::person::{State, User};
    /// use rosterdiff::snapshot::Snapshot;
    ///
    /// let rows = [("7", "Ada@Example.com", "active"), ("8", "bob@example.com", "deleted")];
    /// let users = rows.iter().map(|(id, email, state)| User::new(*id, *email, State::from_word(state)));
    /// let snapshot = Snapshot::from_users(users, None)?;
    ///
    /// assert_eq!(snapshot.states, [State::Active, State::Deleted]);
    /// assert!(!snapshot.is_proven());
    /// # Ok::<(), rosterdiff::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn from_users(
        users: impl IntoIterator<Item = impl Borrow<User>>,
        certificate: Option<Certificate>,
    ) -> Result<Self> {
        let mut observed = Observed::new(true, 0);
        for user in users {
            let user = user.borrow();
            let contacts = user.contacts_text();
            let cells = [
                Some(user.id.as_str()),
                user.name.as_deref(),
                user.email.as_deref(),
                user.department.as_deref(),
                user.title.as_deref(),
                user.employee_id.as_deref(),
                contacts.as_deref(),
            ];
            observed.push(user.email.as_deref(), user.username.as_deref(), user.state, cells);
        }
        let mut snapshot = Self::from_observed([observed], 0)?;
        snapshot.divisions = certificate.as_ref().and_then(|c| c.divisions.clone());
        snapshot.certificate = certificate;
        Ok(snapshot)
    }

    /// A snapshot from an export: a string column `email`, optionally `id`, `name`, `username`, `state`, `department`,
    /// `title`, `employee_id` and `contacts` (further addresses, parted by blanks). Without a state a user counts as
    /// active; an unknown state is a live holder. Nothing is proven.
    ///
    /// # Errors
    /// `File` if there is no string column `email`.
    pub fn from_frame(frame: &DataFrame) -> Result<Self> {
        let column = |name: &str| frame.column(name).ok().and_then(|c| c.str().ok());
        if column(columns::EMAIL).is_none() {
            return Err(Error::new(Kind::File, "the snapshot frame has no string column \"email\"")
                .hint("rename it before building"));
        }
        let cells = Cell::ALL.map(|cell| column(cell.column()));
        let [usernames, states] = [columns::USERNAME, columns::STATE].map(column);
        let mut observed = Observed::new(true, 0);
        for at in 0..frame.height() {
            let [id, name, email, others @ ..] = cells.map(|cells| cells.and_then(|c| c.get(at)));
            let [department, title, employee_id, contacts] = others;
            let state = State::from_word(states.and_then(|c| c.get(at)).unwrap_or_default());
            let cells = [id.or(Some("")), name, email, department, title, employee_id, contacts];
            observed.push(email, usernames.and_then(|c| c.get(at)), state, cells);
        }
        let mut snapshot = Self::from_observed([observed], 0)?;
        snapshot.lacks = Cell::ALL.into_iter().zip(cells).filter(|(_, c)| c.is_none()).map(|(cell, _)| cell).collect();
        Ok(snapshot)
    }

    /// A snapshot from what was observed, piece by piece. Nothing is proven.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn from_observed(parts: impl IntoIterator<Item = Observed>, n_expected: usize) -> Result<Self> {
        let (states, rules) = (Vec::with_capacity(n_expected), Vec::with_capacity(n_expected));
        let mut all = Pieces { states, rules, ..Pieces::default() };
        for part in parts {
            all.append(part)?;
        }
        Ok(all.whole())
    }

    /// Adds whom looking keys up has found, and what it proved.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn add_probed(&mut self, found: &[User], probe: Probe) -> Result<()> {
        if !found.is_empty() {
            let others = self.others_than(found);
            self.retain(&others)?;
            let more = Self::from_users(found, None)?;
            self.append(more)?;
        }
        self.probe = Some(probe);
        Ok(())
    }

    /// Adds users who are known to be there though the listing does not show them, and how that is known of each.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub(crate) fn learn(&mut self, users: Self, reasons: impl IntoIterator<Item = Reason>) -> Result<()> {
        let n = self.len();
        self.learnt.n_users += users.len();
        self.learnt.reasons.extend((n..).zip(reasons));
        self.append(users)
    }

    /// Corrects the state of a user whom the listing shows, or says how it is known.
    pub(crate) fn correct(&mut self, at: usize, state: State, reason: Reason) {
        self.states[at] = state;
        self.learnt.reasons.insert(at, reason);
    }

    /// How a user, or its state, is known where it is not by the listing.
    #[must_use]
    pub fn reason(&self, at: usize) -> Option<Reason> {
        self.learnt.reasons.get(&at).copied()
    }

    /// How many users were listed or looked up.
    #[must_use]
    pub const fn n_listed(&self) -> usize {
        self.states.len() - self.learnt.n_users
    }

    /// Whoever was known before is replaced: the search is newer, and nobody counts twice.
    fn others_than(&self, found: &[User]) -> BooleanChunked {
        let ids: HashSet<&str> = found.iter().map(|user| user.id.as_str()).collect();
        let held: HashSet<String> = found.iter().flat_map(Keys::of_user).collect();
        let is_other = |at: usize| match self.cell(Cell::Id, at).filter(|id| !id.is_empty()) {
            Some(id) => !ids.contains(id),
            None => self.keys.get(at).is_none_or(|key| !held.contains(key)),
        };
        (0..self.len()).map(is_other).collect()
    }

    pub(crate) fn retain(&mut self, kept: &BooleanChunked) -> Result<()> {
        let whole = |column: &Strings| -> Result<Strings> { Ok(Strings::of(column.column().filter(kept)?)) };
        self.keys = whole(&self.keys)?;
        self.username_keys = self.username_keys.as_ref().map(whole).transpose()?;
        if let Some(cards) = self.cards.take() {
            let mut others = cards::Piece::with_capacity(self.len());
            let at_kept = kept.iter().enumerate().filter(|(_, is_kept)| *is_kept == Some(true));
            at_kept.for_each(|(at, _)| others.push(cards.cells(at)));
            self.cards.get_or_insert_default().append(others);
        }
        let mut is_kept = kept.iter();
        self.states.retain(|_| is_kept.next().flatten() == Some(true));
        let mut is_kept = kept.iter();
        self.rules.retain(|_| is_kept.next().flatten() == Some(true));
        Ok(())
    }

    fn append(&mut self, more: Self) -> Result<()> {
        let (n, n_more) = (self.len(), more.len());
        let join = |one: Option<Strings>, other: Option<Strings>| -> Result<Option<Strings>> {
            if one.is_none() && other.is_none() {
                return Ok(None);
            }
            let mut one = one.unwrap_or_else(|| Strings::nulls("", n));
            one.append(other.map_or_else(|| nulls(n_more), |other| other.column().clone()))?;
            Ok(Some(one))
        };
        self.keys.append(more.keys.column().clone())?;
        self.username_keys = join(self.username_keys.take(), more.username_keys)?;
        match (&mut self.cards, more.cards) {
            (Some(cards), Some(more)) => cards.extend(more),
            // Where nobody is, nothing says whether cells are kept.
            (None, Some(more)) if n == 0 => self.cards = Some(more),
            _ => {}
        }
        self.states.extend(more.states);
        self.rules.extend(more.rules);
        Ok(())
    }

    /// As a frame: what is told of users, `state`, `key`, `username_key` and `rules`, all str.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn frame(&self) -> Result<DataFrame> {
        let column =
            |name: &str, cells: &Strings| cells.column().clone().into_series().with_name(name.into()).into_column();
        let told = |cell: Cell| {
            let cells: StringChunked = (0..self.len()).map(|at| self.cell(cell, at)).collect();
            cells.with_name(cell.column().into()).into_column()
        };
        let mut all: Vec<Column> = self.cards.iter().flat_map(|_| Cell::ALL.map(told)).collect();
        all.push(Column::new(columns::STATE.into(), self.states.iter().map(|s| s.as_str()).collect::<Vec<_>>()));
        all.push(column(columns::KEY, &self.keys));
        all.push(column(columns::USERNAME_KEY, self.username_keys.as_ref().unwrap_or(&Strings::nulls("", self.len()))));
        all.push(Column::new(columns::RULES.into(), self.rules.iter().map(Rules::to_string).collect::<Vec<_>>()));
        Ok(DataFrame::new(self.len(), all)?)
    }

    /// How many users.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether nobody was seen.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Normalised e-mails, one a user; null for none or an unusable one.
    #[must_use]
    pub const fn keys(&self) -> &Strings {
        &self.keys
    }

    /// Normalised usernames where they are another key than the e-mail; none if no user has such a one.
    #[must_use]
    pub const fn username_keys(&self) -> Option<&Strings> {
        self.username_keys.as_ref()
    }

    /// What is known of the user at `at`.
    #[must_use]
    #[inline]
    pub fn cell(&self, cell: Cell, at: usize) -> Option<&str> {
        self.cells(at)[cell as usize]
    }

    /// Goes to what is known of the user at `at`. To look for many at once takes about as long as to look for one.
    #[inline]
    pub fn approach(&self, at: usize) {
        self.cards.iter().for_each(|cards| cards.approach(at));
    }

    /// All that is known of the user at `at`, in the order of [`Cell::ALL`].
    #[must_use]
    #[inline]
    pub fn cells(&self, at: usize) -> Cells<'_> {
        self.cards.as_ref().map_or([None; Cell::ALL.len()], |cards| cards.cells(at))
    }

    /// Which of several users is named: the least. Active before inactive before deleted, then the smallest id; whoever has
    /// an id can be named by it.
    #[must_use]
    pub fn rank(&self, at: usize) -> (State, bool, &str) {
        let id = self.cell(Cell::Id, at).unwrap_or_default();
        (self.states[at], id.is_empty(), id)
    }

    /// Whether everybody is proven to be in it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.certificate.as_ref().is_some_and(|c| c.complete)
    }

    /// Whether every verdict against it is proven: everybody is in it, or the rest was looked up.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.is_complete() || self.probe.as_ref().is_some_and(Probe::holds)
    }

    /// The organisation that it is of, as far as anything proves it.
    #[must_use]
    pub fn organisation_id(&self) -> Option<&str> {
        let listed = self.certificate.as_ref().map(|c| c.organisation_id.as_str());
        listed.or_else(|| self.probe.as_ref().map(|p| p.organisation_id.as_str()))
    }
}

fn nulls(n: usize) -> StringChunked {
    StringChunked::full_null(PlSmallStr::EMPTY, n)
}

/// Users on their way into a snapshot.
pub struct Observed {
    keys: StringChunkedBuilder,
    /// Begun with the first username that is a key of its own.
    username_keys: Option<StringChunkedBuilder>,
    cards: Option<cards::Piece>,
    states: Vec<State>,
    rules: Vec<Rules>,
    key: String,
    username_key: String,
}

impl Observed {
    /// Nobody yet, with room for some; whether what can be told of users is kept.
    #[must_use]
    pub fn new(keeps_cells: bool, n_expected: usize) -> Self {
        Self {
            keys: StringChunkedBuilder::new(columns::KEY.into(), n_expected),
            username_keys: None,
            cards: keeps_cells.then(|| cards::Piece::with_capacity(n_expected)),
            states: Vec::new(),
            rules: Vec::new(),
            key: String::new(),
            username_key: String::new(),
        }
    }

    /// Adds a user; `cells` are those of [`Cell::ALL`].
    ///
    /// An address that no roster row can have (`admin@localhost`) is no key: nothing could match it.
    pub fn push(&mut self, email: Option<&str>, username: Option<&str>, state: State, cells: Cells<'_>) {
        let by_email = email.and_then(|email| email::normalise_into(email, &mut self.key).ok()).map(|a| a.rules);
        let own = username.filter(|username| Some(*username) != email);
        let by_name = own.and_then(|own| email::normalise_into(own, &mut self.username_key).ok()).map(|a| a.rules);
        let by_name = by_name.filter(|_| by_email.is_none() || self.key != self.username_key);
        let rules = by_email.unwrap_or_default().union(by_name.unwrap_or_default());
        // Both texts are room to work in: they are lent out for the moment.
        let (key, username_key) = (std::mem::take(&mut self.key), std::mem::take(&mut self.username_key));
        let keys = [by_email.map(|_| key.as_str()), by_name.map(|_| username_key.as_str())];
        self.push_known(keys, state, rules, cells);
        (self.key, self.username_key) = (key, username_key);
    }

    /// Adds a user whose keys are known: of the e-mail, and of the username if it is another one.
    pub fn push_known(&mut self, keys: [Option<&str>; 2], state: State, rules: Rules, cells: Cells<'_>) {
        self.keys.append_option(keys[0]);
        self.push_username_key(keys[1]);
        self.states.push(state);
        self.rules.push(rules);
        if let Some(cards) = &mut self.cards {
            cards.push(cells);
        }
    }

    fn push_username_key(&mut self, key: Option<&str>) {
        if key.is_some() && self.username_keys.is_none() {
            let mut column = StringChunkedBuilder::new(columns::USERNAME_KEY.into(), 0);
            self.states.iter().for_each(|_| column.append_null());
            self.username_keys = Some(column);
        }
        if let Some(column) = &mut self.username_keys {
            column.append_option(key);
        }
    }
}

/// Columns that grow piece by piece.
#[derive(Default)]
struct Pieces {
    keys: Option<Strings>,
    username_keys: Option<Strings>,
    cards: Option<Cards>,
    states: Vec<State>,
    rules: Vec<Rules>,
}

impl Pieces {
    fn append(&mut self, part: Observed) -> Result<()> {
        let (n, n_more) = (self.states.len(), part.states.len());
        let grow = |all: &mut Option<Strings>, more: Option<StringChunkedBuilder>| -> Result<()> {
            if all.is_none() && more.is_none() {
                return Ok(());
            }
            let more = more.map_or_else(|| nulls(n_more), StringChunkedBuilder::finish);
            all.get_or_insert_with(|| Strings::nulls("", n)).append(more)
        };
        grow(&mut self.keys, Some(part.keys))?;
        grow(&mut self.username_keys, part.username_keys)?;
        if let Some(cards) = part.cards {
            self.cards.get_or_insert_default().append(cards);
        }
        self.states.extend(part.states);
        self.rules.extend(part.rules);
        Ok(())
    }

    fn whole(self) -> Snapshot {
        Snapshot {
            keys: self.keys.unwrap_or_else(|| Strings::nulls(columns::KEY, 0)),
            username_keys: self.username_keys,
            cards: self.cards,
            states: self.states,
            rules: self.rules,
            certificate: None,
            probe: None,
            divisions: None,
            lacks: Vec::new(),
            learnt: Learnt::default(),
        }
    }
}
