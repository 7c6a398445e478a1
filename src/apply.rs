//! Rooms 4 and 5: new rows become users, and everything that was meant and done is on disk.
//!
//! `apply` takes people by value and cannot see the other rows: the types do not let it. It never joins again and never
//! reads the roster. An intent is durable before its create leaves; an outcome follows. What may have happened is
//! looked up before anything is sent again (`worker`), while other rows go on.

pub mod changes;
pub mod journal;
pub mod ledger;
mod worker;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::api::Client;
use crate::api::wire::Wire;
use crate::error::{Error, Kind, Result};
use crate::person::{Division, Person, User};
use crate::snapshot::Keys;
use journal::Journal;
use ledger::{Event, Ledger, Stage};
use worker::{Cause, Sought, Step, Worker};

/// Creates in flight at once for each token, and in all. Little's law: 300 a minute at 2 s latency needs 10; few, because
/// a crash leaves as many rows to look up.
const IN_FLIGHT_PER_TOKEN: usize = 16;
const IN_FLIGHT_MAX: usize = 64;
/// Failures in a row before waiting, even if each call may have arrived.
const FAILURES_BEFORE_WAIT: u32 = 10;
/// Longest outage, or throttling without a success between, that is waited out.
const OUTAGE_MAX: Duration = Duration::from_secs(15 * 60);

/// What became of a `new` row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The service created the user and said so.
    Created,
    /// Ours after all: found when an unknown create was looked up.
    Adopted,
    /// Somebody holds the key by now.
    Taken,
    /// The service said no; its words are kept.
    Refused,
    /// It could not be settled in this run; the next one looks again.
    Unknown,
    /// Not tried yet.
    Unprocessed,
}

impl Outcome {
    /// All outcomes, in the order in which they are told.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Adopted, Self::Taken, Self::Refused, Self::Unknown, Self::Unprocessed];

    /// The word in columns and file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Adopted => "adopted",
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Unprocessed => "unprocessed",
        }
    }
}

/// New rows by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes([u64; 6]);

impl Outcomes {
    /// Rows of one outcome.
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// Counts one row.
    pub const fn add(&mut self, outcome: Outcome) {
        self.0[outcome as usize] += 1;
    }

    /// All rows: the law says these are the `new` rows of the plan.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// How a run is to behave.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long an unknown create is looked for before it may be sent again.
    pub settle: Duration,
}

impl Default for Options {
    /// 180 s: the official Terraform provider waits up to three minutes for the search index.
    fn default() -> Self {
        Self { settle: Duration::from_secs(180) }
    }
}

/// Told while a run goes on.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Rows with a final outcome, earlier runs included.
    pub done: u64,
    /// New rows of the plan.
    pub rows: u64,
    /// Rows that are being looked up.
    pub settling: u64,
}

/// Creates `people`, going on where `ledger` (the replayed journal) ends.
///
/// Returns when every row has a final outcome or could not be settled, or when `stop` turns true and the calls in
/// flight have come back.
///
/// # Errors
/// `Interrupted` after a stop; `Credentials`, `Unreachable`, `Unsafe` or `File` where going on makes no sense. What was
/// done is in the journal in every case.
pub async fn apply<W: Wire>(
    client: &Arc<Client<W>>,
    journal: &Arc<Journal>,
    ledger: &Ledger,
    people: Vec<Person>,
    options: Options,
    stop: watch::Receiver<bool>,
    progress: impl FnMut(Progress),
) -> Result<()> {
    let (halt, halted) = watch::channel(*stop.borrow());
    let (client, journal) = (Arc::clone(client), Arc::clone(journal));
    let worker = Worker { client, journal, settle: options.settle, stop: halted };
    let mut run = Run::new(worker, halt, ledger, people, progress);
    run.go(stop).await
}

/// People for whom provably nothing was sent yet.
pub fn unsent<'p>(ledger: &'p Ledger, people: &'p [Person]) -> impl Iterator<Item = &'p Person> {
    people.iter().filter(|person| ledger.row(person.row).is_none_or(ledger::Row::is_unsent))
}

/// Notes in the journal which of the people not sent yet are held by one of `users`: they are taken, and no create is
/// spent on them. How many.
///
/// # Errors
/// `File`.
pub fn note_held(journal: &Journal, ledger: &Ledger, people: &[Person], users: &[User]) -> Result<u64> {
    let mut holders: HashMap<String, &User> = HashMap::new();
    for user in users {
        for key in Keys::of_user(user) {
            let best = holders.entry(key).or_insert(user);
            if (user.state, &user.id) < (best.state, &best.id) {
                *best = user;
            }
        }
    }
    let mut n_held = 0;
    for person in unsent(ledger, people) {
        if let Some(user) = holders.get(&person.key) {
            let (id, state) = (user.id.clone(), user.state.as_str().to_owned());
            journal.record(Event::Found { row: person.row, id, state }, false)?;
            n_held += 1;
        }
    }
    Ok(n_held)
}

/// Puts ids where people name their divisions.
///
/// # Errors
/// `Unsafe` if a division does not exist, naming rows: better before row 1 than in the middle of the night. What the
/// rows say is not repeated, since the column may be another than was meant.
pub fn resolve_divisions(people: &mut [&mut Person], divisions: &[Division]) -> Result<()> {
    let mut unknown = Vec::new();
    for person in people {
        let Some(text) = &person.division else { continue };
        match Division::find(divisions, text) {
            Ok(division) => person.division = Some(division.id.clone()),
            Err(_) => unknown.push(person.row),
        }
    }
    let Some(first) = unknown.first() else { return Ok(()) };
    let what = format!(
        "{} rows name a division that does not exist, or that several are called; first row {first}",
        unknown.len()
    );
    Err(Error::new(Kind::Unsafe, what).hint(format!(
        "divisions are: {}; correct the column and plan again; nothing was sent",
        Division::names(divisions)
    )))
}

/// A row that is to be sent.
#[derive(Clone, Debug)]
struct Todo {
    person: Arc<Person>,
    attempt: u32,
    /// Attempts before this run.
    n_before: u32,
    /// An earlier attempt may have created somebody.
    ambiguous: bool,
}

struct Run<W: Wire, P> {
    worker: Arc<Worker<W>>,
    /// Turns true when no new intent may be written: workers that wait for the pace then go home.
    halt: watch::Sender<bool>,
    in_flight_max: usize,
    queue: VecDeque<Todo>,
    flying: JoinSet<(Todo, Result<Step>)>,
    settling: JoinSet<(Todo, Result<Step>)>,
    done: u64,
    rows: u64,
    outage: Outage,
    throttled_since: Option<Instant>,
    auth_failures: usize,
    progress: P,
}

/// Failures without a success between.
#[derive(Clone, Copy, Debug, Default)]
struct Outage {
    /// Creates without a reply in a row.
    n_lost: u32,
    /// Times waited so far: each wait is longer.
    n_waits: u32,
    since: Option<Instant>,
    until: Option<Instant>,
}

impl<W: Wire, P: FnMut(Progress)> Run<W, P> {
    fn new(worker: Worker<W>, halt: watch::Sender<bool>, ledger: &Ledger, people: Vec<Person>, progress: P) -> Self {
        let mut run = Self {
            in_flight_max: (IN_FLIGHT_PER_TOKEN * worker.client.n_tokens()).min(IN_FLIGHT_MAX),
            worker: Arc::new(worker),
            halt,
            queue: VecDeque::new(),
            flying: JoinSet::new(),
            settling: JoinSet::new(),
            done: 0,
            rows: people.len() as u64,
            outage: Outage::default(),
            throttled_since: None,
            auth_failures: 0,
            progress,
        };
        for person in people {
            let row = ledger.row(person.row);
            let n_before = row.map_or(0, |r| r.attempts);
            let todo = |attempt, ambiguous| Todo { person: Arc::new(person), attempt, n_before, ambiguous };
            match row.map(|r| (&r.stage, r.attempts, r.ambiguous)) {
                None => run.queue.push_back(todo(1, false)),
                Some((Stage::Unsent, attempts, ambiguous)) => run.queue.push_back(todo(attempts + 1, ambiguous)),
                // The process died, or gave up, with this create in the air: look before anything is sent.
                Some((Stage::Intent | Stage::Unknown, attempts, _)) => run.look(todo(attempts, true), Cause::Unknown),
                Some((Stage::Conflict, attempts, ambiguous)) => run.look(todo(attempts, ambiguous), Cause::Conflict),
                Some((Stage::Done(_), ..)) => run.done += 1,
            }
        }
        run
    }

    async fn go(&mut self, mut stop: watch::Receiver<bool>) -> Result<()> {
        loop {
            let stopping = *stop.borrow();
            if stopping {
                self.halt.send_replace(true);
                self.settling.abort_all();
                while self.settling.join_next().await.is_some() {}
            } else {
                self.launch();
            }
            if self.flying.is_empty() && (stopping || self.queue.is_empty() && self.settling.is_empty()) {
                break;
            }
            let pause = self.outage.until.filter(|_| !self.queue.is_empty() && !stopping);
            let landed = tokio::select! {
                Some(landed) = self.flying.join_next() => landed,
                Some(landed) = self.settling.join_next() => landed,
                () = sleep_until(pause) => { self.outage.until = None; continue }
                Ok(()) = stop.changed(), if !stopping => continue,
            };
            let (todo, step) = landed.map_err(|_| Error::bug("a worker died"))?;
            if let Err(error) = step.and_then(|step| self.landed(todo, step)) {
                // No new intent; what is in the air comes back and is recorded.
                self.halt.send_replace(true);
                while let Some(last) = self.flying.join_next().await {
                    if let Ok((_, Err(worse))) = last
                        && worse.kind() == Kind::File
                    {
                        return Err(worse);
                    }
                }
                return Err(error);
            }
        }
        if *stop.borrow() && self.done < self.rows {
            return Err(Error::new(Kind::Interrupted, "interrupted; calls in flight were settled")
                .hint("run the same command again to go on"));
        }
        Ok(())
    }

    fn launch(&mut self) {
        if self.outage.until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        // After an outage one create goes ahead and looks whether it is over.
        let limit = if self.outage.n_waits > 0 { 1 } else { self.in_flight_max };
        while self.flying.len() < limit
            && let Some(todo) = self.queue.pop_front()
        {
            let worker = Arc::clone(&self.worker);
            self.flying.spawn(async move {
                let step = worker.create(&todo.person, todo.attempt, todo.ambiguous).await;
                (todo, step)
            });
        }
    }

    fn look(&mut self, todo: Todo, cause: Cause) {
        let worker = Arc::clone(&self.worker);
        self.settling.spawn(async move {
            let n_tries = todo.attempt - todo.n_before.min(todo.attempt);
            let sought = Sought { attempt: todo.attempt, n_tries, ambiguous: todo.ambiguous, cause };
            let step = worker.settle(&todo.person, sought).await;
            (todo, step)
        });
    }

    /// Decides what follows from where a row has got to.
    fn landed(&mut self, todo: Todo, step: Step) -> Result<()> {
        match step {
            Step::Done => {
                (self.outage, self.throttled_since, self.auth_failures) = (Outage::default(), None, 0);
                self.done += 1;
            }
            // It was looked for in vain, but the service answered: no outage.
            Step::Unresolved => self.outage = Outage::default(),
            Step::Again { attempt } => {
                self.outage = Outage::default();
                self.queue.push_front(Todo { attempt, ..todo });
            }
            Step::Throttled => {
                self.throttled()?;
                self.queue.push_front(todo);
            }
            Step::Held => self.queue.push_front(todo),
            Step::NotSent => {
                self.failed(true)?;
                self.queue.push_front(todo);
            }
            Step::Unauthorised(error) => {
                self.auth_failures += 1;
                if self.auth_failures > IN_FLIGHT_MAX {
                    return Err(error);
                }
                self.queue.push_front(todo);
            }
            Step::Settle(cause) => {
                if cause == Cause::Unknown {
                    self.failed(false)?;
                } else {
                    self.outage = Outage::default();
                }
                let ambiguous = todo.ambiguous || cause == Cause::Unknown;
                self.look(Todo { ambiguous, ..todo }, cause);
            }
        }
        (self.progress)(Progress { done: self.done, rows: self.rows, settling: self.settling.len() as u64 });
        Ok(())
    }

    /// Counts a failure; waits once they come in a row, and gives up after a long outage.
    fn failed(&mut self, not_sent: bool) -> Result<()> {
        let now = Instant::now();
        let since = *self.outage.since.get_or_insert(now);
        if now - since > OUTAGE_MAX {
            return Err(Error::new(Kind::Unreachable, "the service has not answered a create for 15 minutes")
                .hint("run the same command again later: what was done is recorded"));
        }
        self.outage.n_lost += u32::from(!not_sent);
        let is_waiting = self.outage.until.is_some_and(|until| until > now);
        if !is_waiting && (not_sent || self.outage.n_lost >= FAILURES_BEFORE_WAIT) {
            let wait = Duration::from_secs(1 << self.outage.n_waits.min(6)).min(Duration::from_secs(60));
            self.outage.n_waits += 1;
            self.outage.until = Some(now + wait);
        }
        Ok(())
    }

    /// The pace waits as told; a service that throttles for ever is as good as away.
    fn throttled(&mut self) -> Result<()> {
        let now = Instant::now();
        if now - *self.throttled_since.get_or_insert(now) > OUTAGE_MAX {
            return Err(Error::new(Kind::Unreachable, "the service has throttled every create for 15 minutes")
                .hint("run the same command again later: what was done is recorded"));
        }
        Ok(())
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
