//! One row: its intent, its create, and what came of it.
//!
//! What a create came to is one of: done, provably not carried out (again, as the same attempt), or unknown, and then it
//! is looked for (`settle`) and never sent again before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::api::RETRY_AFTER_MAX;
use crate::api::pace::Haste;
use crate::api::wire::Wire;
use crate::api::{Client, Fate, Words};
use crate::apply::journal::Journal;
use crate::apply::ledger::{Event, Said};
use crate::apply::run::Todo;
use crate::apply::settle::Cause;
use crate::apply::words::said;
use crate::apply::{Broken, Options, Outcome};
use crate::error::{Error, Kind, Result};
use crate::person::Person;

/// Statuses that say no to what a row holds; 409 has a meaning of its own.
const REFUSALS: [u16; 5] = [400, 410, 413, 415, 422];

/// Whether somebody holds the address: 409, or, as some expect of a deleted holder, a 400 with the code of a conflict.
fn is_conflict(words: &Words) -> bool {
    let says_so = || words.code.as_deref().is_some_and(|code| code == "conflict" || code.ends_with(".conflict"));
    words.status == 409 || words.status == 400 && says_so()
}

/// Where a row has got to.
#[derive(Debug)]
pub(super) enum Step {
    /// It has a final outcome.
    Done(Outcome),
    /// It stays unknown in this run.
    Unresolved,
    /// It is looked for again.
    Looking,
    /// Provably nobody there: send it once more.
    Again(Todo),
    /// Not carried out: too many calls. The pace knows how long to wait.
    Throttled,
    /// Not carried out: the run is to stop.
    Held,
    /// Not carried out: it never left.
    NotSent,
    /// Not carried out: the token was not accepted.
    Unauthorised,
    /// Look for it.
    Settle(Cause),
}

pub(super) struct Worker<W: Wire> {
    pub client: Arc<Client<W>>,
    pub journal: Arc<Journal>,
    pub options: Options,
    pub stop: watch::Receiver<bool>,
    /// How long a create took of late, in microseconds.
    latency_us: AtomicU64,
}

impl<W: Wire> Worker<W> {
    pub(super) const fn new(
        client: Arc<Client<W>>,
        journal: Arc<Journal>,
        options: Options,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self { client, journal, options, stop, latency_us: AtomicU64::new(0) }
    }

    pub(super) fn broken(&self, law: Broken) -> bool {
        self.options.broken == Some(law)
    }

    /// How long a create takes until its reply, of late; none before the first.
    pub(super) fn latency(&self) -> Option<Duration> {
        Some(self.latency_us.load(Ordering::Relaxed)).filter(|us| *us > 0).map(Duration::from_micros)
    }

    /// Replies only: what is lost in an outage says nothing about how long a reply takes.
    fn replied_after(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let before = self.latency_us.load(Ordering::Relaxed);
        let smooth = if before == 0 { took } else { before - before / 8 + took / 8 };
        self.latency_us.store(smooth.max(1), Ordering::Relaxed);
    }

    /// Sends one create. The permit comes first, so that no intent waits for the pace.
    pub(super) async fn create(&self, todo: &Todo) -> Result<Step> {
        let (person, row) = (&*todo.person, todo.person.row);
        let mut stop = self.stop.clone();
        let permit = tokio::select! {
            biased;
            _ = stop.wait_for(|stopping| *stopping) => return Ok(Step::Held),
            // What the login host refuses was waited out there, and is given up.
            permit = self.client.permit(Haste::Even) => permit?,
        };
        let waits_for_disk = !self.broken(Broken::SendsBeforeIntent);
        self.journal.record(Event::Intent { row, att: todo.attempt }, waits_for_disk)?;
        let sent = Instant::now();
        let fate = match self.client.create(permit, person).await {
            Ok(created) => {
                self.replied_after(sent.elapsed());
                let reply =
                    Said { http: Some(created.status), cid: created.correlation_id.map(Into::into), ..Said::default() };
                return self.done(row, Outcome::Created, Some((created.id, None)), reply);
            }
            Err(fate) => fate,
        };
        match fate {
            Fate::Throttled(after) if after > RETRY_AFTER_MAX => {
                self.unsent(row, "throttled")?;
                Err(fate.into_error("POST users"))
            }
            Fate::Throttled(_) => self.unsent(row, "throttled").map(|()| Step::Throttled),
            Fate::NotSent(why) => self.unsent(row, &why).map(|()| Step::NotSent),
            Fate::Auth(_) => {
                self.unsent(row, "token not accepted")?;
                Ok(Step::Unauthorised)
            }
            Fate::Untrusted(ref why) | Fate::Barred(ref why) => {
                self.unsent(row, why)?;
                Err(fate.into_error("POST users"))
            }
            Fate::Forbidden(_) => {
                self.unsent(row, "forbidden")?;
                Err(fate.into_error("POST users"))
            }
            Fate::Unknown(why) | Fate::Malformed(why) => {
                self.journal.record(Event::Unknown { row, why }, false)?;
                if self.broken(Broken::ResendsUnknown) {
                    return Ok(Step::Again(Todo { attempt: todo.attempt + 1, ambiguous: true, ..todo.clone() }));
                }
                Ok(Step::Settle(Cause::Unknown))
            }
            Fate::Refused(words) => {
                self.replied_after(sent.elapsed());
                self.refused(person, words, todo.ambiguous)
            }
        }
    }

    fn refused(&self, person: &Person, words: Words, ambiguous: bool) -> Result<Step> {
        let row = person.row;
        let status = words.status;
        let is_conflict = is_conflict(&words);
        let reply = said(words, person);
        match status {
            _ if is_conflict => {
                self.journal.record(Event::Conflict { row, reply: reply.clone() }, false)?;
                Ok(Step::Settle(Cause::Conflict(reply)))
            }
            // Not about this row: the address of the service is wrong, or something in front of it answers.
            300..=399 | 404 | 405 | 407 => {
                self.unsent(row, &format!("HTTP {status}"))?;
                Err(Error::new(Kind::Unsafe, format!("POST users: HTTP {status}: this is not the users API"))
                    .hint("check the region or --api-url; no redirect is followed"))
            }
            // What nobody has told of says nothing about what was done.
            _ if !REFUSALS.contains(&status) => {
                self.journal.record(Event::Unknown { row, why: format!("HTTP {status}") }, false)?;
                Ok(Step::Settle(Cause::Unknown))
            }
            // The attempt before may have created somebody: a refusal of this one says nothing about it.
            _ if ambiguous => {
                self.journal
                    .record(Event::Unknown { row, why: format!("HTTP {status} after an unknown attempt") }, false)?;
                Ok(Step::Settle(Cause::RefusedLater(reply)))
            }
            _ => self.done(row, Outcome::Refused, None, reply),
        }
    }

    fn unsent(&self, row: u32, why: &str) -> Result<()> {
        self.journal.record(Event::Unsent { row, why: why.to_owned() }, false)
    }
}
