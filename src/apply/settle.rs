//! Rows that are looked for: what may have happened, or who holds an address.
//!
//! A row that may have been created is searched for over the settling time, counted from the end of its last attempt,
//! many rows a search. Found live, new and with every field as sent, it is ours: *adopted*. Found otherwise it is *taken*.
//! Not found by at least two looks a third of the time apart, over the whole time, and the last time in a search of its
//! own, it may be sent again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::Client;
use crate::api::wire::Wire;
use crate::apply::Broken;
use crate::apply::ledger::{Event, Said};
use crate::apply::run::Todo;
use crate::apply::worker::{Step, Worker};
use crate::apply::{Outcome, ledger};
use crate::email;
use crate::error::{Error, Kind, Result};
use crate::find::{Finder, Found};
use crate::person::{Person, State, User};
use crate::snapshot::Keys;

/// Creates per row and run that may have been carried out; more would be guessing.
const ATTEMPTS_MAX: u32 = 3;
/// Rows in one look, so that the addresses of most fit into one search.
const ROWS_MAX: usize = 100;
/// Waits before the looks for a create of this run, of an earlier one, and for a holder, in parts of the settling time.
/// The index lags behind, and a create may still be on its way; one of an earlier run, and a holder, is usually there.
const AFTER_UNKNOWN: [f64; 5] = [1.0 / 36.0, 1.0 / 12.0, 2.0 / 9.0, 1.0 / 3.0, 1.0 / 3.0];
const AFTER_CRASH: [f64; 5] = [0.0, 1.0 / 9.0, 2.0 / 9.0, 1.0 / 3.0, 1.0 / 3.0];
const AFTER_CONFLICT: [f64; 5] = [0.0, 1.0 / 36.0, 1.0 / 12.0, 2.0 / 9.0, 2.0 / 3.0];
/// Code of a row whose address two live users hold.
const TWO_HOLDERS: &str = "email.two_holders";
/// Looks become due on a grid of this part of the settling time, so that rows are looked for together.
const GRID: u32 = 36;

/// Why a row is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// No whole reply came.
    Unknown,
    /// The service says, with these words, that somebody holds the address.
    Conflict(Said),
    /// It refused this attempt with these words, but an earlier one may have been carried out.
    RefusedLater(Said),
}

/// A row that is looked for.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    pub todo: Todo,
    pub cause: Cause,
    waits: &'static [f64],
}

impl Sought {
    /// A row of which this run has sent something.
    pub(super) const fn after(todo: Todo, cause: Cause) -> Self {
        let waits = if todo.ambiguous { &AFTER_UNKNOWN } else { &AFTER_CONFLICT };
        Self { todo, cause, waits }
    }

    /// Whether no look follows this one.
    const fn is_last(&self) -> bool {
        self.waits.is_empty()
    }

    /// A row that an earlier run left in the air.
    pub(super) const fn left(todo: Todo, cause: Cause) -> Self {
        let waits = if todo.ambiguous { &AFTER_CRASH } else { &AFTER_CONFLICT };
        Self { todo, cause, waits }
    }
}

/// Rows that are looked for, by when the next look is due.
#[derive(Debug)]
pub(super) struct Settling {
    settle: Duration,
    begun: Instant,
    due: BTreeMap<(Instant, u32), Sought>,
    n_looking: usize,
}

impl Settling {
    pub(super) fn new(settle: Duration) -> Self {
        Self { settle, begun: Instant::now(), due: BTreeMap::new(), n_looking: 0 }
    }

    /// Rows that are looked for, those of the look in flight included.
    pub(super) fn len(&self) -> usize {
        self.due.len() + self.n_looking
    }

    pub(super) fn clear(&mut self) {
        self.due.clear();
    }

    /// Takes a row whose last attempt or look ends now; gives it back when there is no look left.
    pub(super) fn add(&mut self, mut sought: Sought) -> Option<Sought> {
        let Some((first, rest)) = sought.waits.split_first() else { return Some(sought) };
        sought.waits = rest;
        let wait = self.settle.mul_f64(*first);
        let at = if wait.is_zero() { Instant::now() } else { self.on_grid(Instant::now() + wait) };
        self.due.insert((at, sought.todo.person.row), sought);
        None
    }

    /// Takes rows back whose look met an outage: it did not count.
    pub(super) fn postpone(&mut self, rows: Vec<Sought>, at: Instant) {
        self.due.extend(rows.into_iter().map(|sought| ((at, sought.todo.person.row), sought)));
    }

    fn on_grid(&self, at: Instant) -> Instant {
        let step = (self.settle / GRID).max(Duration::from_millis(1)).as_millis();
        let n_steps = (at - self.begun).as_millis().div_ceil(step);
        self.begun + Duration::from_millis(u64::try_from(n_steps * step).unwrap_or(u64::MAX))
    }

    /// When the next look is due, none while one is in flight.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.due.keys().next().map(|(at, _)| *at).filter(|_| self.n_looking == 0)
    }

    /// The rows of a look that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Sought> {
        let mut rows = Vec::new();
        while rows.len() < ROWS_MAX
            && let Some(first) = self.due.first_entry().filter(|first| first.key().0 <= now)
        {
            rows.push(first.remove());
        }
        self.n_looking = rows.len();
        rows
    }

    /// The look has come back.
    pub(super) const fn looked(&mut self) {
        self.n_looking = 0;
    }
}

/// Searches by either field: each takes as many values as it takes.
#[derive(Debug)]
pub(super) struct Finders<W> {
    email: Finder<W>,
    username: Finder<W>,
}

impl<W: Wire> Finders<W> {
    pub(super) fn new(client: &Arc<Client<W>>) -> Self {
        let of = |field| Finder::new(Arc::clone(client), field);
        Self { email: of("email"), username: of("username") }
    }
}

/// Who holds each of the keys, the best first; none where the service refuses to search.
type Holders = Vec<Option<Vec<User>>>;

/// Looks for rows, all of them at once. An outage is the caller's to wait out.
pub(super) async fn look<W: Wire>(finders: &Finders<W>, rows: &[Sought]) -> Result<Holders> {
    let all: Vec<usize> = (0..rows.len()).collect();
    let by_email = holders(&finders.email, rows, &all).await?;
    let is_nobody = |at: &usize| by_email[*at].as_ref().is_some_and(Vec::is_empty);
    let more: Vec<usize> =
        all.into_iter().filter(|at| matches!(rows[*at].cause, Cause::Conflict(_)) && is_nobody(at)).collect();
    let mut found = by_email;
    if !more.is_empty() {
        // Somebody holds it, and not by e-mail. A service that cannot search usernames has not said no to anything.
        let by_username = holders(&finders.username, rows, &more).await?;
        for (at, users) in more.into_iter().zip(by_username) {
            found[at] = Some(users.unwrap_or_default());
        }
    }
    Ok(found)
}

async fn holders<W: Wire>(finder: &Finder<W>, rows: &[Sought], which: &[usize]) -> Result<Holders> {
    let people = || which.iter().map(|at| &*rows[*at].todo.person);
    let spellings: Vec<Vec<String>> = people().map(|p| email::spellings(&p.email, &p.key)).collect();
    let Found { users, refused } = found(finder, rows, which, &spellings).await?;
    let mut by_key: HashMap<String, BTreeMap<(State, String), User>> = HashMap::new();
    for user in users {
        // A service may understand a search in its own way: what does not hold the key is not meant.
        for key in Keys::of_user(&user) {
            by_key.entry(key).or_default().insert((user.state, user.id.clone()), user.clone());
        }
    }
    let held = people().zip(&spellings).map(|(person, spellings)| match by_key.remove(&person.key) {
        None if spellings.iter().any(|spelling| refused.contains(spelling)) => None,
        users => Some(users.unwrap_or_default().into_values().collect()),
    });
    Ok(held.collect())
}

/// Looks for many at once, but for those who are looked for the last time before they may be sent again: a service may pass
/// over values in silence.
async fn found<W: Wire>(
    finder: &Finder<W>,
    rows: &[Sought],
    which: &[usize],
    spellings: &[Vec<String>],
) -> Result<Found> {
    let (last, others): (Vec<_>, Vec<_>) = which.iter().zip(spellings).partition(|(at, _)| {
        let row = &rows[**at];
        row.is_last() && row.todo.ambiguous
    });
    let together: Vec<String> = others.into_iter().flat_map(|(_, values)| values.iter().cloned()).collect();
    let mut found = finder.find(&together).await?;
    for value in last.into_iter().flat_map(|(_, values)| values) {
        let more = finder.find(std::slice::from_ref(value)).await?;
        found.users.extend(more.users);
        found.refused.extend(more.refused);
    }
    Ok(found)
}

impl<W: Wire> Worker<W> {
    /// What follows from a look: an outcome, another look, or another try.
    ///
    /// # Errors
    /// `File`; `Unsafe` if two live users hold the address.
    pub(super) fn looked(&self, sought: Sought, found: Option<Vec<User>>, settling: &mut Settling) -> Result<Step> {
        let Some(found) = found else {
            // The service refuses to search for this one: the others go on.
            return Ok(Step::Unresolved);
        };
        let found = if self.broken(Broken::NeverLooks) { Vec::new() } else { found };
        if let Some((outcome, user)) = self.judge(&sought, &found)? {
            return self.met(&sought, outcome, user);
        }
        let again = if self.broken(Broken::NeverSettles) { Some(sought) } else { settling.add(sought) };
        again.map_or(Ok(Step::Looking), |sought| self.gone(sought, found.first()))
    }

    /// The settling time is over, and nobody live was found.
    fn gone(&self, sought: Sought, deleted: Option<&User>) -> Result<Step> {
        let Todo { attempt, n_before, ambiguous, .. } = sought.todo;
        match (&sought.cause, deleted) {
            // It was refused, and the attempt before it left nobody either.
            (Cause::RefusedLater(reply), _) => self.done(sought.todo.person.row, Outcome::Refused, None, reply.clone()),
            // Over the whole settling time nobody but the deleted holder: that is whom the service means.
            (Cause::Conflict(_), Some(deleted)) => self.met(&sought, Outcome::Taken, deleted),
            // Nobody holds it, so the 400 meant something else about the row: that is its answer.
            (Cause::Conflict(reply), None) if !ambiguous && reply.http == Some(400) => {
                self.done(sought.todo.person.row, Outcome::Refused, None, reply.clone())
            }
            // A holder that cannot be found stays unknown; a create that was lost may go again.
            (Cause::Conflict(_), None) if !ambiguous => Ok(Step::Unresolved),
            _ if attempt - n_before.min(attempt) >= ATTEMPTS_MAX => Ok(Step::Unresolved),
            _ => Ok(Step::Again(Todo { attempt: attempt + 1, ..sought.todo })),
        }
    }

    fn met(&self, sought: &Sought, outcome: Outcome, user: &User) -> Result<Step> {
        let reply = match &sought.cause {
            Cause::Conflict(said) => Said { http: said.http, code: said.code.clone(), ..Said::default() },
            Cause::Unknown | Cause::RefusedLater(_) => Said::default(),
        };
        self.done(sought.todo.person.row, outcome, Some((user.id.clone(), Some(user.state))), reply)
    }

    pub(super) fn done(
        &self,
        row: u32,
        outcome: Outcome,
        user: Option<(String, Option<State>)>,
        reply: Said,
    ) -> Result<Step> {
        let (id, state) = user.map_or((None, None), |(id, state)| (Some(id), state));
        let state = state.map(|s| s.as_str().to_owned());
        self.journal.record(Event::Done { row, outcome, id, state, reply }, false)?;
        Ok(Step::Done(outcome))
    }

    /// What the users found mean for a row; nothing if they prove nothing yet.
    fn judge<'u>(&self, sought: &Sought, found: &'u [User]) -> Result<Option<(Outcome, &'u User)>> {
        let (person, ambiguous) = (&sought.todo.person, sought.todo.ambiguous);
        let mut live = found.iter().filter(|u| u.state != State::Deleted);
        match (live.next(), live.next()) {
            (Some(_), Some(_)) => {
                // Somebody else's, whoever made the other: so the next run goes on without this row.
                let reply = Said { code: Some(TWO_HOLDERS.into()), ..Said::default() };
                let id = found.first().map(|user| (user.id.clone(), Some(user.state)));
                self.done(person.row, Outcome::Taken, id, reply)?;
                let what = format!("row {}: two live users hold one address", person.row);
                Err(Error::new(Kind::Unsafe, what)
                    .hint("the service does not keep addresses unique: look at that row in taken.csv before you go on"))
            }
            (Some(user), None) if ambiguous && is_as_sent(person, user) => Ok(Some((Outcome::Adopted, user))),
            (Some(user), None) => Ok(Some((Outcome::Taken, user))),
            // After an unknown attempt a deleted holder proves nothing: our own user may just not be indexed yet.
            (None, _) if ambiguous && !self.broken(Broken::BelievesDeleted) => Ok(None),
            (None, _) => Ok(found.first().map(|user| (Outcome::Taken, user))),
        }
    }
}

/// Whether a user is what our create would have made, and nobody has changed it since. Nobody who was in the snapshot can
/// be: a `new` row's key was nobody's there, and who has come to it since has another version.
fn is_as_sent(person: &Person, user: &User) -> bool {
    user.version == Some(1) && person.differing(user).is_empty()
}

/// What a row of an earlier run is to be looked for, if it is.
pub(super) fn left_in_the_air(row: &ledger::Row) -> Option<Cause> {
    match row.stage {
        // The process died, or gave up, with this create in the air: look before anything is sent.
        ledger::Stage::Intent | ledger::Stage::Unknown => Some(Cause::Unknown),
        ledger::Stage::Conflict => Some(Cause::Conflict(row.reply.clone())),
        ledger::Stage::Unsent | ledger::Stage::Done(_) => None,
    }
}
