//! Deletes users that a run created and nobody has changed since.
//!
//! Whoever is deleted was created by this journal, is active, has version 1, and has every field as it was sent: read
//! right before the call leaves. Everybody else is kept and told. A lost reply is settled by reading: deleted now, it was
//! ours; still there and unchanged, it is deleted again.

use std::sync::Arc;

use tokio::sync::watch;

use crate::api::wire::Wire;
use crate::api::{Client, IDS_PER_CALL, Remover};
use crate::apply::Outcome;
use crate::apply::changes::{Change, Stage, Step};
use crate::apply::journal::Journal;
use crate::apply::ledger::{Event, Ledger, Said};
use crate::error::Result;
use crate::person::{Person, State, User};
use crate::stepwise::{Came, Ended, Hand, Look, Turn, each, said};

/// The permission that deleting takes.
const NEEDS: &str = "directory:user:view and directory:user:delete";
/// Reason of a created user that is gone, or that somebody else deleted.
const GONE: &str = "gone";
const DELETED: &str = "deleted";
/// Reason of one that the service does not delete.
const REFUSED: &str = "refused";

/// A user that this journal created.
#[derive(Clone, Debug)]
pub struct Target {
    /// What was sent.
    pub person: Person,
    /// The user's id.
    pub user_id: String,
    before: Option<Change>,
}

/// Created users by what became of them: they add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deleted again, earlier runs included.
    pub removed: u64,
    /// Kept, since they are not as they were created or the service said no.
    pub kept: u64,
    /// Perhaps deleted.
    pub unknown: u64,
    /// Not tried yet.
    pub left: u64,
}

impl Tally {
    /// All of them.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.removed + self.kept + self.unknown + self.left
    }
}

/// Told while a run goes on.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Users that were dealt with in this run.
    pub done: u64,
    /// Users to deal with.
    pub users: u64,
}

/// The users that may be deleted: created by this journal, with `adopted` those too that are inferred to be ours, and not
/// deleted yet.
#[must_use]
pub fn targets(people: Vec<Person>, ledger: &Ledger, adopted: bool) -> Vec<Target> {
    let mut targets = Vec::new();
    for person in people {
        let before = ledger.changes.of(person.row).cloned();
        if let Some(user_id) = ours(ledger, person.row, adopted)
            && !before.as_ref().is_some_and(Change::is_removed)
        {
            targets.push(Target { person, user_id, before });
        }
    }
    targets
}

/// The user that this journal made for a row.
fn ours(ledger: &Ledger, row: u32, adopted: bool) -> Option<String> {
    let found = ledger.row(row)?;
    let counts = match found.outcome() {
        Outcome::Created => true,
        // Whatever was begun is gone on with.
        Outcome::Adopted => adopted || ledger.changes.of(row).is_some(),
        Outcome::Taken | Outcome::Refused | Outcome::Unknown | Outcome::Unprocessed => false,
    };
    found.user_id.as_deref().filter(|_| counts).map(str::to_owned)
}

/// What became of the created users so far.
#[must_use]
pub fn tally(people: &[Person], ledger: &Ledger, adopted: bool) -> Tally {
    let mut tally = Tally::default();
    for person in people.iter().filter(|person| ours(ledger, person.row, adopted).is_some()) {
        let count = match ledger.changes.of(person.row) {
            None => &mut tally.left,
            Some(change) if change.is_removed() => &mut tally.removed,
            Some(change) if change.is_unsure() => &mut tally.unknown,
            Some(change) if change.stage == Stage::Kept => &mut tally.kept,
            Some(_) => &mut tally.left,
        };
        *count += 1;
    }
    tally
}

/// Why a user is kept; nothing if it is as it was created.
#[must_use]
pub fn kept_for(person: &Person, user: &User) -> Option<String> {
    let fields = person.differing(user);
    match user.version {
        _ if user.state == State::Deleted => Some(DELETED.to_owned()),
        _ if !fields.is_empty() => Some(format!("changed.{}", fields.join("+"))),
        Some(1) => None,
        // Something was changed that a listing does not show, or nobody says that nothing was.
        _ => Some("changed.version".to_owned()),
    }
}

/// What a first look shows, 100 users a call.
#[derive(Clone, Debug, Default)]
pub struct Sorted {
    /// To be deleted, as far as a listing tells: each is read again before.
    pub remove: Vec<Target>,
    /// To be kept, and why.
    pub keep: Vec<(Target, String)>,
}

impl Sorted {
    /// Whether nobody is to be deleted, and the journal says of everybody that he is kept.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_noted = |target: &Target| target.before.as_ref().is_some_and(|change| change.stage == Stage::Kept);
        self.remove.is_empty() && self.keep.iter().all(|(target, _)| is_noted(target))
    }
}

/// Looks at all targets. A listing lags behind: who is missing there, or may have been deleted already, is looked at
/// again.
///
/// # Errors
/// `Credentials`, `Unreachable`.
pub async fn sort<W: Wire>(
    client: &Arc<Client<W>>,
    targets: Vec<Target>,
    mut progress: impl FnMut(u64),
) -> Result<Sorted> {
    let mut sorted = Sorted::default();
    for some in targets.chunks(IDS_PER_CALL) {
        let ids: Vec<&str> = some.iter().map(|target| target.user_id.as_str()).collect();
        let found = client.users_by_id(&ids).await?;
        for target in some {
            let user = found.iter().find(|user| user.id == target.user_id);
            let is_open = target.before.as_ref().is_some_and(Change::is_unsure);
            match user.and_then(|user| kept_for(&target.person, user)).filter(|_| !is_open) {
                Some(why) => sorted.keep.push((target.clone(), why)),
                None => sorted.remove.push(target.clone()),
            }
        }
        progress((sorted.keep.len() + sorted.remove.len()) as u64);
    }
    Ok(sorted)
}

/// Deletes whoever is to be deleted, and notes whoever is kept.
///
/// Returns when all are dealt with, or when `stop` turns true and the calls in flight have come back.
///
/// # Errors
/// `Interrupted` after a stop; `Credentials`, `Unreachable`, `Unsafe` or `File` where going on makes no sense. What was
/// done is in the journal in every case.
pub async fn rollback<W: Wire>(
    client: &Arc<Client<W>>,
    journal: &Arc<Journal>,
    sorted: Sorted,
    stop: watch::Receiver<bool>,
    mut progress: impl FnMut(Progress),
) -> Result<()> {
    for (target, why) in sorted.keep {
        let (row, id) = (target.person.row, target.user_id);
        journal.record(Event::Kept { row, id, why, reply: Said::default() }, false)?;
    }
    let (halt, halted) = watch::channel(*stop.borrow());
    let remover = Remover::new(Arc::clone(client));
    let worker = Arc::new(Worker { hand: Hand::new(client, journal, halted, NEEDS), remover });
    let (mut done, users) = (0, sorted.remove.len() as u64);
    let work = |target| {
        let worker = Arc::clone(&worker);
        async move { worker.remove(target).await }
    };
    each(sorted.remove, client.n_tokens(), stop, &halt, work, || {
        done += 1;
        progress(Progress { done, users });
    })
    .await
}

struct Worker<W: Wire> {
    hand: Hand<W>,
    remover: Remover<W>,
}

impl<W: Wire> Worker<W> {
    /// One user, until it is deleted or kept, or stays unknown.
    async fn remove(&self, target: Target) -> Result<Ended> {
        let mut turn = Turn::of(target.person.row, &target.user_id, target.before.as_ref());
        // A refusal counts only if another look shows nothing that explains it.
        let mut refused: Option<Said> = None;
        loop {
            let likely = if turn.unsure { State::Deleted } else { State::Active };
            let why = match self.hand.look(&mut turn, likely).await? {
                Look::Stopped => return Ok(Ended::Stopped),
                Look::There(user) if user.state == State::Deleted && turn.unsure => {
                    self.hand.changed(&mut turn, user.version, None)?;
                    return Ok(Ended::Through);
                }
                Look::There(user) => kept_for(&target.person, &user),
                Look::Gone => Some(GONE.to_owned()),
            };
            let why = why.or_else(|| refused.as_ref().map(|_| REFUSED.to_owned()));
            if let Some(why) = why {
                self.keep(&turn, why, refused.unwrap_or_default())?;
                return Ok(Ended::Through);
            }
            if self.hand.is_lost(&turn) {
                return Ok(Ended::Through);
            }
            let (remover, id) = (&self.remover, target.user_id.as_str());
            match self.hand.call(&mut turn, Step::Remove, None, |permit| remover.delete(permit, id)).await? {
                Came::Done(said) => {
                    self.hand.changed(&mut turn, None, Some(said))?;
                    return Ok(Ended::Through);
                }
                Came::Stopped => return Ok(Ended::Stopped),
                Came::Again | Came::Unsure => {}
                Came::Refused(words) => refused = Some(said(&words)),
            }
        }
    }

    fn keep(&self, turn: &Turn, why: String, reply: Said) -> Result<()> {
        self.hand.journal.record(Event::Kept { row: turn.row, id: turn.id.clone(), why, reply }, false)
    }
}
