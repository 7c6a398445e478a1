//! Restores the users of `deleted` rows, where the plan was made with `--restore-deleted`.
//!
//! The service takes a state alone, so there are two steps: the user is made active, then it gets the fields in which it
//! differs from the roster. Each step is for the version that was read right before: whoever changes the user in between
//! wins, and is not overruled. A lost reply is settled by reading: active and one version on, the step was ours.
//!
//! What the service does not give back is in [`NOT_GIVEN_BACK`].

use std::sync::Arc;

use tokio::sync::watch;

use crate::api::wire::Wire;
use crate::api::{Changed, Client, Fields, Restorer};
use crate::apply::changes::{Change, Restoration, Stage, Step};
use crate::apply::journal::Journal;
use crate::apply::ledger::{Event, Ledger, Said};
use crate::columns;
use crate::error::Result;
use crate::person::{State, User};
use crate::plan::{Plan, Verdict};
use crate::snapshot::Keys;
use crate::stepwise::{Came, Ended, Hand, Look, Turn, each, said};
use crate::verify::What;

/// What a restored user has lost, for people.
pub const NOT_GIVEN_BACK: &str =
    "roles, permissions, extensions and default stations do not come back, and they are in the home division";
/// The permission that restoring takes.
const NEEDS: &str = "directory:user:view and directory:user:edit";
/// Versions that are tried for one user while others keep changing it.
const STALE_MAX: u32 = 3;

/// Reason of a row whose user has no id in the plan.
const NO_ID: &str = "restore.no_id";
/// Of one whose user is erased, is not deleted any more, or does not hold the address any more.
const GONE: &str = "restore.gone";
const NOT_DELETED: &str = "restore.not_deleted";
const OTHER_ADDRESS: &str = "restore.other_address";
/// Of one that the service does not restore.
const REFUSED: &str = "restore.refused";
/// Of one that somebody else changed while a reply was missing.
const CHANGED_MEANWHILE: &str = "restore.changed_meanwhile";
/// Of a restored user that keeps the fields it had: somebody else changed it, or the service refused them.
const FIELDS_LEFT: &str = "restore.fields_left";
const FIELDS_REFUSED: &str = "restore.fields_refused";

/// A `deleted` row: whom the plan wants back, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Row of the roster.
    pub row: u32,
    /// Normalised e-mail.
    pub key: String,
    /// The user that the plan names; none if the snapshot had no id.
    pub user_id: Option<String>,
    /// Its e-mail as the organisation spells it.
    pub user_email: Option<String>,
    /// What the roster says of it.
    pub fields: Fields,
}

/// Rows to restore by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Active again.
    pub restored: u64,
    /// Not restored.
    pub refused: u64,
    /// Not settled.
    pub unknown: u64,
    /// Not tried yet.
    pub left: u64,
    /// Of the restored those that keep fields which the roster has otherwise.
    pub fields_left: u64,
}

impl Tally {
    /// Rows that another run would do something for.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.unknown + self.left
    }
}

/// The `deleted` rows of a plan.
///
/// # Errors
/// Only a fault of this program.
pub fn wanted(plan: &Plan) -> Result<Vec<Wanted>> {
    let frame = plan.frame();
    let text = |name: &str| frame.column(name).and_then(|column| column.str().cloned());
    let (verdicts, keys) = (text(columns::VERDICT)?, text(columns::KEY)?);
    let (ids, emails) = (text(columns::USER_ID)?, text(columns::USER_EMAIL)?);
    let (names, departments, titles) = (text(columns::NAME)?, text(columns::DEPARTMENT)?, text(columns::TITLE)?);
    let owned = |cell: Option<&str>| cell.map(str::to_owned);
    let of = |at: usize| Wanted {
        row: u32::try_from(at + 1).unwrap_or(u32::MAX),
        key: keys.get(at).unwrap_or_default().to_owned(),
        user_id: owned(ids.get(at)).filter(|id| !id.is_empty()),
        user_email: owned(emails.get(at)),
        fields: Fields {
            name: owned(names.get(at)),
            department: owned(departments.get(at)),
            title: owned(titles.get(at)),
        },
    };
    let is_deleted = |at: &usize| verdicts.get(*at) == Some(Verdict::Deleted.as_str());
    Ok((0..frame.height()).filter(is_deleted).map(of).collect())
}

impl Wanted {
    /// What its user should be now, and since when, if it was restored.
    #[must_use]
    pub fn expected<'l>(&self, ledger: &'l Ledger) -> Option<(What, &'l str)> {
        let change = ledger.changes.of(self.row)?;
        let keeps = change.why.as_deref().is_some_and(keeps_fields);
        let fields = if keeps { Fields::default() } else { self.fields.clone() };
        let is_restored = change.stage == Stage::Final(Restoration::Restored);
        is_restored.then_some((What::Restored(fields), change.at.as_str()))
    }
}

/// What became of the rows so far.
#[must_use]
pub fn tally(wanted: &[Wanted], ledger: &Ledger) -> Tally {
    let mut tally = Tally::default();
    for change in wanted.iter().map(|wanted| ledger.changes.of(wanted.row)) {
        let keeps = change.is_some_and(|change| change.why.as_deref().is_some_and(keeps_fields));
        match change.and_then(Change::restoration) {
            // Between its two steps it is not done yet.
            Some(Restoration::Restored) if !change.is_some_and(is_final) => tally.left += 1,
            Some(Restoration::Restored) => {
                tally.restored += 1;
                tally.fields_left += u64::from(keeps);
            }
            Some(Restoration::Refused) => tally.refused += 1,
            Some(Restoration::Unknown) => tally.unknown += 1,
            None => tally.left += 1,
        }
    }
    tally
}

fn keeps_fields(why: &str) -> bool {
    [FIELDS_LEFT, FIELDS_REFUSED].contains(&why)
}

const fn is_final(change: &Change) -> bool {
    matches!(change.stage, Stage::Final(_))
}

/// Restores the users of `wanted`, going on where `ledger` ends.
///
/// Returns when all are dealt with, or when `stop` turns true and the calls in flight have come back.
///
/// # Errors
/// `Interrupted` after a stop; `Credentials`, `Unreachable`, `Unsafe` or `File` where going on makes no sense. What was
/// done is in the journal in every case.
pub async fn restore<W: Wire>(
    client: &Arc<Client<W>>,
    journal: &Arc<Journal>,
    ledger: &Ledger,
    wanted: Vec<Wanted>,
    stop: watch::Receiver<bool>,
    mut progress: impl FnMut(u64),
) -> Result<()> {
    let mut todo = Vec::new();
    for wanted in wanted {
        let before = ledger.changes.of(wanted.row);
        match &wanted.user_id {
            _ if before.is_some_and(is_final) => {}
            Some(id) => todo.push((Turn::of(wanted.row, id, before), before.cloned(), wanted)),
            None => journal.record(refusal(wanted.row, None, NO_ID, Said::default()), false)?,
        }
    }
    let (halt, halted) = watch::channel(*stop.borrow());
    let restorer = Restorer::new(Arc::clone(client));
    let worker = Arc::new(Worker { hand: Hand::new(client, journal, halted, NEEDS), restorer });
    let mut done = 0;
    let work = |(turn, before, wanted)| {
        let worker = Arc::clone(&worker);
        async move { worker.both(turn, before, wanted).await }
    };
    each(todo, client.n_tokens(), stop, &halt, work, || {
        done += 1;
        progress(done);
    })
    .await
}

fn refusal(row: u32, id: Option<String>, why: &str, reply: Said) -> Event {
    Event::Restored { row, id, outcome: Restoration::Refused, why: Some(why.to_owned()), reply }
}

struct Worker<W: Wire> {
    hand: Hand<W>,
    restorer: Restorer<W>,
}

/// What came of the first step.
enum Revived {
    /// The user is active, and has that version.
    Active(u64),
    /// That was refused, is unknown, or was stopped.
    Not(Ended),
}

/// Whether the user is the one that the plan speaks of: ids and addresses of somebody's export may not belong together.
fn is_meant(wanted: &Wanted, user: &User) -> bool {
    let is_spelt_so = wanted.user_email.is_some() && wanted.user_email == user.email;
    is_spelt_so || Keys::of_user(user).contains(&wanted.key)
}

impl<W: Wire> Worker<W> {
    /// Both steps, or what is left of them.
    async fn both(&self, mut turn: Turn, before: Option<Change>, wanted: Wanted) -> Result<Ended> {
        let (step, stage) = before.as_ref().map_or((Step::Restore, Stage::Unsent), |c| (c.step, c.stage));
        if (step, stage) == (Step::Fill, Stage::Changed) {
            // Only the last line of it is missing.
            return self.done(&mut turn, None, before.map(|change| change.reply).unwrap_or_default());
        }
        let version = before.and_then(|change| change.version);
        let is_restored = step == Step::Fill || stage == Stage::Changed;
        let version = match version {
            Some(version) if is_restored => Revived::Active(version),
            version => self.revive(&mut turn, version, &wanted).await?,
        };
        match version {
            Revived::Active(version) => self.fill(&mut turn, version, &wanted).await,
            Revived::Not(ended) => Ok(ended),
        }
    }

    /// Makes a deleted user active. `sent_for` is the version that an earlier call was for.
    async fn revive(&self, turn: &mut Turn, mut sent_for: Option<u64>, wanted: &Wanted) -> Result<Revived> {
        let (mut refused, mut n_stale) = (None::<(u64, Said)>, 0);
        loop {
            let user = match self.hand.look(turn, State::Deleted).await? {
                Look::Stopped => return Ok(Revived::Not(Ended::Stopped)),
                Look::Gone => return self.refuse(turn, GONE, Said::default()),
                Look::There(user) if !is_meant(wanted, &user) => {
                    return self.refuse(turn, OTHER_ADDRESS, Said::default());
                }
                Look::There(user) => user,
            };
            let is_same = user.version.is_some() && user.version == sent_for;
            let version = match (user.state, user.version) {
                (State::Deleted, Some(version)) if !turn.unsure || is_same => version,
                (State::Active, Some(version)) if turn.unsure && sent_for.map(|v| v + 1) == Some(version) => {
                    self.hand.changed(turn, Some(version), None)?;
                    return Ok(Revived::Active(version));
                }
                (State::Active | State::Inactive, _) => return self.refuse(turn, NOT_DELETED, Said::default()),
                (State::Deleted, _) => return self.refuse(turn, CHANGED_MEANWHILE, Said::default()),
            };
            match refused.take() {
                Some((tried, said)) if tried == version || n_stale >= STALE_MAX => {
                    return self.refuse(turn, REFUSED, said);
                }
                _ if self.hand.is_lost(turn) => return Ok(Revived::Not(Ended::Through)),
                _ => sent_for = Some(version),
            }
            let (restorer, id) = (&self.restorer, wanted.user_id.as_deref().unwrap_or_default());
            let send = |permit| restorer.restore(permit, id, version);
            match self.hand.call(turn, Step::Restore, Some(version), send).await? {
                Came::Done(said) => {
                    let version = said.version.unwrap_or(version + 1);
                    self.hand.changed(turn, Some(version), Some(said))?;
                    return Ok(Revived::Active(version));
                }
                Came::Stopped => return Ok(Revived::Not(Ended::Stopped)),
                Came::Again | Came::Unsure => {}
                Came::Refused(words) => (refused, n_stale) = (Some((version, said(&words))), n_stale + 1),
            }
        }
    }

    /// Gives a restored user the fields in which it differs. `version` is the one that the restoring left it with.
    async fn fill(&self, turn: &mut Turn, version: u64, wanted: &Wanted) -> Result<Ended> {
        let mut refused: Option<Said> = None;
        loop {
            let user = match self.hand.look(turn, State::Active).await? {
                Look::Stopped => return Ok(Ended::Stopped),
                Look::Gone => return self.done(turn, Some(FIELDS_LEFT), Said::default()),
                Look::There(user) => user,
            };
            let missing = wanted.fields.missing_in(&user);
            if missing.names().is_empty() {
                if turn.unsure {
                    self.hand.changed(turn, user.version, None)?;
                }
                return self.done(turn, None, Said::default());
            }
            if user.version != Some(version) || user.state != State::Active {
                return self.done(turn, Some(FIELDS_LEFT), Said::default());
            }
            if let Some(said) = refused {
                return self.done(turn, Some(FIELDS_REFUSED), said);
            }
            if self.hand.is_lost(turn) {
                return Ok(Ended::Through);
            }
            let (restorer, id) = (&self.restorer, wanted.user_id.as_deref().unwrap_or_default());
            let send = |permit| restorer.fill(permit, id, version, &missing);
            match self.hand.call(turn, Step::Fill, Some(version), send).await? {
                Came::Done(said) => {
                    let reply = reply(&said);
                    self.hand.changed(turn, said.version, Some(said))?;
                    return self.done(turn, None, reply);
                }
                Came::Stopped => return Ok(Ended::Stopped),
                Came::Again | Came::Unsure => {}
                Came::Refused(words) => refused = Some(said(&words)),
            }
        }
    }

    /// It is not restored; where an earlier call may have done it, nobody knows who did what.
    fn refuse(&self, turn: &mut Turn, why: &'static str, reply: Said) -> Result<Revived> {
        if turn.unsure {
            self.hand.unsure(turn, CHANGED_MEANWHILE.to_owned())?;
        } else {
            self.hand.journal.record(refusal(turn.row, Some(turn.id.clone()), why, reply), false)?;
        }
        Ok(Revived::Not(Ended::Through))
    }

    /// It is restored; where a call of the second step may have been carried out, nobody knows who did what.
    fn done(&self, turn: &mut Turn, why: Option<&'static str>, reply: Said) -> Result<Ended> {
        if turn.unsure {
            self.hand.unsure(turn, CHANGED_MEANWHILE.to_owned())?;
        } else {
            let (row, id, why) = (turn.row, Some(turn.id.clone()), why.map(str::to_owned));
            let outcome = Restoration::Restored;
            self.hand.journal.record(Event::Restored { row, id, outcome, why, reply }, false)?;
        }
        Ok(Ended::Through)
    }
}

fn reply(said: &Changed) -> Said {
    Said { http: Some(said.status), cid: said.correlation_id.as_deref().map(Into::into), ..Said::default() }
}
