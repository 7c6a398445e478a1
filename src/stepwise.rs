//! Users who are there, changed one at a time: what `rollback` and `--restore-deleted` have in common.
//!
//! A user is read right before it is changed, and few are at work at once, so that hardly any time passes between. The
//! intent is durable before the call leaves. Whatever may have been carried out is settled by reading the user again: a
//! change is bound to a version or to a deed that cannot be done twice, so sending it again changes nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::api::pace::Haste;
use crate::api::wire::Wire;
use crate::api::{Changed, Client, Fate, Permit, RETRY_AFTER_MAX, Words};
use crate::apply::changes::{Change, Step};
use crate::apply::journal::Journal;
use crate::apply::ledger::{Event, Said};
use crate::error::{Error, Kind, Result};
use crate::person::{State, User};

/// Users at work at once for each token, and in all: enough for the quota at the latencies that were measured, and few, so
/// that what was read is fresh when the call leaves.
const AT_ONCE_PER_TOKEN: usize = 4;
const AT_ONCE_MAX: usize = 16;
/// Longest outage, or throttling, that is waited out.
const OUTAGE_MAX: Duration = Duration::from_secs(15 * 60);
/// Longest wait between two calls for one user, in seconds as a power of two.
const WAIT_LOG_MAX: u32 = 6;
/// Calls for one user whose replies may be lost while other users get theirs.
const LOST_MAX: u32 = 8;
/// Times that a fresh token may be refused.
const AUTH_MAX: u32 = 3;

/// What came of one call.
#[derive(Debug)]
pub(crate) enum Came {
    /// It was carried out; whoever called records what it says.
    Done(Changed),
    /// Provably not carried out; it may be tried again after another look.
    Again,
    /// It may have been carried out: look.
    Unsure,
    /// The service said no.
    Refused(Words),
    /// The run is to stop: nothing was sent.
    Stopped,
}

/// What a look at one user showed.
#[derive(Debug)]
pub(crate) enum Look {
    /// The user.
    There(Box<User>),
    /// Nobody has that id.
    Gone,
    /// The run is to stop.
    Stopped,
}

/// How one user's turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As far as it gets in this run.
    Through,
    /// The run was to stop.
    Stopped,
}

/// One user's way through a run.
#[derive(Debug)]
pub(crate) struct Turn {
    pub row: u32,
    pub id: String,
    /// Whether a call of the step at hand may have been carried out without our knowing.
    pub unsure: bool,
    attempts: u32,
    n_lost: u32,
    n_auth: u32,
    n_failed: u32,
    /// Since when every call for it fails, and how many users were done then.
    failing: Option<(Instant, u64)>,
}

impl Turn {
    /// A turn that goes on where the journal ends.
    pub(crate) fn of(row: u32, id: &str, before: Option<&Change>) -> Self {
        Self {
            row,
            id: id.to_owned(),
            unsure: before.is_some_and(Change::is_unsure),
            attempts: before.map_or(0, |change| change.attempts),
            n_lost: 0,
            n_auth: 0,
            n_failed: 0,
            failing: None,
        }
    }
}

/// Whoever changes users.
pub(crate) struct Hand<W: Wire> {
    client: Arc<Client<W>>,
    pub journal: Arc<Journal>,
    /// Turns true when no new intent may be written.
    stop: watch::Receiver<bool>,
    n_done: AtomicU64,
    /// Permission that the calls need, for a hint.
    needs: &'static str,
}

impl<W: Wire> Hand<W> {
    pub(crate) fn new(
        client: &Arc<Client<W>>,
        journal: &Arc<Journal>,
        stop: watch::Receiver<bool>,
        needs: &'static str,
    ) -> Self {
        let (client, journal) = (Arc::clone(client), Arc::clone(journal));
        Self { client, journal, stop, n_done: AtomicU64::new(0), needs }
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // Whoever cannot be told any more does not have to stop.
        if stop.wait_for(|stopping| *stopping).await.is_err() {
            std::future::pending().await
        }
    }

    async fn sleep(&self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.stopped() => {}
        }
    }

    /// Reads a user; an outage is waited out, since a look changes nothing.
    pub(crate) async fn look(&self, turn: &mut Turn, likely: State) -> Result<Look> {
        loop {
            if self.is_stopping() {
                return Ok(Look::Stopped);
            }
            let read = tokio::select! {
                read = self.client.user(&turn.id, likely) => read,
                () = self.stopped() => return Ok(Look::Stopped),
            };
            match read {
                Ok(Some(user)) => return Ok(Look::There(Box::new(user))),
                Ok(None) => return Ok(Look::Gone),
                Err(error) if error.kind() == Kind::Unreachable => {
                    let wait = self.failed(turn).ok_or(error)?;
                    self.sleep(wait).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends one call once. The permit comes first, so that no intent waits for the pace.
    pub(crate) async fn call<F, R>(&self, turn: &mut Turn, step: Step, version: Option<u64>, send: F) -> Result<Came>
    where
        F: FnOnce(Permit<W>) -> R,
        R: Future<Output = Result<Changed, Fate>>,
    {
        let permit = tokio::select! {
            permit = self.client.permit(Haste::Even) => permit?,
            () = self.stopped() => return Ok(Came::Stopped),
        };
        let (row, id) = (turn.row, turn.id.clone());
        self.journal.record(Event::Change { row, step, id, version, att: turn.attempts + 1 }, true)?;
        turn.attempts += 1;
        let fate = match send(permit).await {
            Ok(changed) => {
                self.n_done.fetch_add(1, Ordering::Relaxed);
                return Ok(Came::Done(changed));
            }
            Err(fate) => fate,
        };
        let call = if step == Step::Remove { "DELETE users/{id}" } else { "PATCH users/{id}" };
        match fate {
            Fate::Throttled(after) if after > RETRY_AFTER_MAX => {
                self.unchanged(turn, "throttled")?;
                Err(fate.into_error(call))
            }
            Fate::Throttled(_) => {
                self.unchanged(turn, "throttled")?;
                // The pace knows how long to wait.
                self.failed(turn).map(|_| Came::Again).ok_or_else(|| fate.into_error(call))
            }
            Fate::NotSent(ref why) => {
                self.unchanged(turn, why)?;
                let wait = self.failed(turn).ok_or_else(|| fate.into_error(call))?;
                self.sleep(wait).await;
                Ok(Came::Again)
            }
            Fate::Auth(_) => {
                self.unchanged(turn, "token not accepted")?;
                turn.n_auth += 1;
                if turn.n_auth < AUTH_MAX { Ok(Came::Again) } else { Err(fate.into_error(call)) }
            }
            Fate::Untrusted(ref why) | Fate::Barred(ref why) => {
                self.unchanged(turn, why)?;
                Err(fate.into_error(call))
            }
            Fate::Forbidden(_) => {
                self.unchanged(turn, "forbidden")?;
                Err(fate.into_error(call).hint(format!("the OAuth client's role needs {} for this", self.needs)))
            }
            Fate::Unknown(ref why) | Fate::Malformed(ref why) => {
                self.unsure(turn, why.clone())?;
                turn.n_lost += 1;
                let wait = self.failed(turn).ok_or_else(|| fate.into_error(call))?;
                self.sleep(wait).await;
                Ok(Came::Unsure)
            }
            Fate::Refused(words) => self.refused(turn, words, call),
        }
    }

    fn refused(&self, turn: &mut Turn, words: Words, call: &str) -> Result<Came> {
        self.unchanged(turn, &format!("HTTP {}", words.status))?;
        match words.status {
            // Not about this user: the address of the service is wrong, or something in front of it answers.
            status @ (300..=399 | 405) => {
                Err(Error::new(Kind::Unsafe, format!("{call}: HTTP {status}: this is not the users API"))
                    .hint("check the region or --api-url; no redirect is followed"))
            }
            _ => Ok(Came::Refused(words)),
        }
    }

    fn unchanged(&self, turn: &mut Turn, why: &str) -> Result<()> {
        turn.attempts -= 1;
        self.journal.record(Event::Unchanged { row: turn.row, why: why.to_owned() }, false)
    }

    /// Notes that nobody knows what a call did.
    pub(crate) fn unsure(&self, turn: &mut Turn, why: String) -> Result<()> {
        turn.unsure = true;
        self.journal.record(Event::Unsure { row: turn.row, why }, false)
    }

    /// Notes that a step was carried out: the service said so, or it was found so.
    pub(crate) fn changed(&self, turn: &mut Turn, version: Option<u64>, said: Option<Changed>) -> Result<()> {
        (turn.unsure, turn.failing, turn.n_failed, turn.n_lost) = (false, None, 0, 0);
        let reply = said.map(|said| Said {
            http: Some(said.status),
            cid: said.correlation_id.map(Into::into),
            ..Said::default()
        });
        self.journal.record(Event::Changed { row: turn.row, version, reply: reply.unwrap_or_default() }, false)
    }

    /// Whether it is this user alone whose replies are lost: it stays unknown, and the others go on.
    pub(crate) fn is_lost(&self, turn: &Turn) -> bool {
        let others = |(_, n_done)| self.n_done.load(Ordering::Relaxed) > n_done;
        turn.n_lost >= LOST_MAX && turn.failing.is_some_and(others)
    }

    /// Counts a failure; how long to wait, or nothing after a long outage.
    fn failed(&self, turn: &mut Turn) -> Option<Duration> {
        let now = Instant::now();
        let (since, _) = *turn.failing.get_or_insert_with(|| (now, self.n_done.load(Ordering::Relaxed)));
        let wait = Duration::from_secs(1 << turn.n_failed.min(WAIT_LOG_MAX));
        turn.n_failed += 1;
        (now - since <= OUTAGE_MAX).then_some(wait)
    }
}

/// What the service said, without its words: they may repeat the person.
pub(crate) fn said(words: &Words) -> Said {
    Said {
        http: Some(words.status),
        code: words.code.as_deref().map(Into::into),
        words: None,
        cid: words.correlation_id.as_deref().map(Into::into),
    }
}

/// Lets `work` change one user after the other, a few at once.
///
/// Returns when all are through, or when `stop` turns true or one fails, and the calls in flight have come back; `halt` is
/// set then.
pub(crate) async fn each<T, F, R>(
    todo: Vec<T>,
    n_tokens: usize,
    mut stop: watch::Receiver<bool>,
    halt: &watch::Sender<bool>,
    work: F,
    mut passed: impl FnMut(),
) -> Result<()>
where
    F: Fn(T) -> R,
    R: Future<Output = Result<Ended>> + Send + 'static,
{
    let at_once = (AT_ONCE_PER_TOKEN * n_tokens).min(AT_ONCE_MAX);
    let (mut queue, mut flying, mut failed) = (todo.into_iter(), JoinSet::new(), None::<Error>);
    let mut is_cut = false;
    loop {
        let stopping = failed.is_some() || *stop.borrow();
        if stopping {
            halt.send_replace(true);
        }
        while !stopping
            && flying.len() < at_once
            && let Some(one) = queue.next()
        {
            flying.spawn(work(one));
        }
        let landed = tokio::select! {
            landed = flying.join_next() => landed,
            Ok(()) = stop.changed(), if !stopping => continue,
        };
        match landed {
            None => break,
            Some(Ok(Ok(Ended::Through))) => passed(),
            Some(Ok(Ok(Ended::Stopped))) => is_cut = true,
            // What cannot be written any more outweighs the rest.
            Some(Ok(Err(worse))) if worse.kind() == Kind::File => failed = Some(worse),
            Some(Ok(Err(error))) => failed = failed.or(Some(error)),
            Some(Err(_)) => failed = failed.or(Some(Error::bug("a worker died"))),
        }
    }
    match failed {
        Some(error) => Err(error),
        None if is_cut || queue.len() > 0 => {
            Err(Error::new(Kind::Interrupted, "interrupted; calls in flight were settled")
                .hint("run the same command again to go on"))
        }
        None => Ok(()),
    }
}
