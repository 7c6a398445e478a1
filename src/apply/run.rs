//! The run: which row is sent when, which is looked for when, and when it is enough.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::api::wire::Wire;
use crate::apply::breaker::Breaker;
use crate::apply::ledger::{Ledger, Stage};
use crate::apply::outage::Outage;
use crate::apply::pulse::Pulse;
use crate::apply::settle::{Cause, Finders, Settling, Sought, left_in_the_air, look};
use crate::apply::worker::{Step, Worker};
use crate::apply::{Outcome, Progress};
use crate::error::{Error, Kind, Result};
use crate::person::{Person, User};

/// Creates in flight before anything is known of the latency, and at least.
const IN_FLIGHT_MIN: usize = 8;
/// Creates in flight at most for each token: a crash leaves as many rows to look up.
const IN_FLIGHT_PER_TOKEN: usize = 32;

/// Wait before a look that was given up is tried again, while others are created.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// A row that is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Todo {
    pub person: Arc<Person>,
    /// The next attempt, over the journal's life.
    pub attempt: u32,
    /// Attempts before this run.
    pub n_before: u32,
    /// An earlier attempt may have created somebody.
    pub ambiguous: bool,
}

/// Until when nothing is created, and until when nothing is looked for.
type Pauses = (Option<Instant>, Option<Instant>);

/// What a look came to.
type Looked = (Vec<Sought>, Result<Vec<Option<Vec<User>>>>);

pub(super) struct Run<W: Wire, P> {
    worker: Arc<Worker<W>>,
    finders: Arc<Finders<W>>,
    /// Turns true when no new intent may be written: workers that wait for the pace then go home.
    halt: watch::Sender<bool>,
    /// Nothing was ever sent for them.
    fresh: std::vec::IntoIter<Person>,
    queue: VecDeque<Todo>,
    flying: JoinSet<(Todo, Result<Step>)>,
    settling: Settling,
    looking: JoinSet<Looked>,
    done: u64,
    rows: u64,
    /// Creates that fail. That searches work says nothing about creates, nor the other way round.
    outage: Outage,
    /// Looks that fail.
    blindness: Outage,
    breaker: Breaker,
    pulse: Pulse,
    progress: P,
}

/// What the run waits for.
enum Met {
    Landed(Todo, Result<Step>),
    Looked(Looked),
    /// Time has come for something, or somebody wants it to stop.
    Woken,
}

impl<W: Wire, P: FnMut(Progress)> Run<W, P> {
    pub(super) fn new(
        worker: Worker<W>,
        halt: watch::Sender<bool>,
        ledger: &Ledger,
        mut people: Vec<Person>,
        progress: P,
    ) -> Self {
        let mut run = Self {
            finders: Arc::new(Finders::new(&worker.client)),
            settling: Settling::new(worker.options.settle),
            breaker: Breaker::new(worker.options.max_failures),
            pulse: Pulse::new(&worker.client),
            worker: Arc::new(worker),
            halt,
            fresh: Vec::new().into_iter(),
            queue: VecDeque::new(),
            flying: JoinSet::new(),
            looking: JoinSet::new(),
            done: 0,
            rows: people.len() as u64,
            outage: Outage::default(),
            blindness: Outage::default(),
            progress,
        };
        let known = people.extract_if(.., |person| ledger.row(person.row).is_some());
        known.for_each(|person| run.admit(person, ledger));
        run.fresh = people.into_iter();
        run
    }

    /// Puts a row where the journal left it.
    fn admit(&mut self, person: Person, ledger: &Ledger) {
        let person = Arc::new(person);
        let Some(row) = ledger.row(person.row) else { return };
        let todo = |attempt, ambiguous| Todo { person, attempt, n_before: row.attempts, ambiguous };
        match (&row.stage, left_in_the_air(row)) {
            (Stage::Done(_), _) => self.done += 1,
            (_, Some(cause @ Cause::Conflict(_))) => {
                self.seek(Sought::left(todo(row.attempts, row.ambiguous), cause));
            }
            (_, Some(cause)) => self.seek(Sought::left(todo(row.attempts, true), cause)),
            (_, None) => self.queue.push_back(todo(row.attempts + 1, row.ambiguous)),
        }
    }

    /// Who is to be sent next: those who were tried before go first.
    fn next(&mut self) -> Option<Todo> {
        let fresh = |person| Todo { person: Arc::new(person), attempt: 1, n_before: 0, ambiguous: false };
        self.queue.pop_front().or_else(|| self.fresh.next().map(fresh))
    }

    fn has_next(&self) -> bool {
        !self.queue.is_empty() || self.fresh.len() > 0
    }

    fn seek(&mut self, sought: Sought) {
        // A row that comes here has all of its looks before it.
        let _none_is_left = self.settling.add(sought);
    }

    pub(super) async fn go(&mut self, mut stop: watch::Receiver<bool>) -> Result<()> {
        self.note()?;
        self.tell();
        loop {
            let stopping = *stop.borrow();
            if stopping {
                self.halt.send_replace(true);
                self.settling.clear();
                self.looking.shutdown().await;
                self.settling.looked();
            }
            // Read once a turn: a pause that ends between two readings would be waited for by nobody.
            let pauses = (self.outage.until(), self.blindness.until());
            if !stopping {
                self.launch(pauses);
            }
            let is_waiting = self.has_next() || self.settling.len() > 0;
            if self.flying.is_empty() && (stopping || !is_waiting) {
                break;
            }
            let met = match self.wait(&mut stop, stopping, pauses).await {
                Ok(met) => met,
                Err(error) => return Err(self.wind_up(error).await),
            };
            let step = match met {
                Met::Landed(todo, step) => {
                    if matches!(step, Ok(Step::Done(_))) {
                        self.outage.done();
                    }
                    step.and_then(|step| self.landed(todo, step))
                }
                Met::Looked(looked) => self.looked(looked),
                Met::Woken => Ok(()),
            };
            if let Err(error) = step {
                return Err(self.wind_up(error).await);
            }
            self.tell();
            if let Err(error) = self.note() {
                return Err(self.wind_up(error).await);
            }
        }
        self.note_last()?;
        if *stop.borrow() && self.done < self.rows {
            return Err(Error::new(Kind::Interrupted, "interrupted; calls in flight were settled")
                .hint("run the same command again to go on"));
        }
        Ok(())
    }

    async fn wait(&mut self, stop: &mut watch::Receiver<bool>, stopping: bool, pauses: Pauses) -> Result<Met> {
        let (no_create, no_look) = pauses;
        let look_at = self.settling.next_at().map(|at| no_look.map_or(at, |until| until.max(at)));
        let send_at = no_create.filter(|_| self.has_next());
        let wake_at = [look_at, send_at].into_iter().flatten().min().filter(|_| !stopping);
        let died = |_| Error::bug("a worker died");
        Ok(tokio::select! {
            biased;
            Ok(()) = stop.changed(), if !stopping => Met::Woken,
            Some(landed) = self.flying.join_next() => {
                let (todo, step) = landed.map_err(died)?;
                Met::Landed(todo, step)
            }
            Some(looked) = self.looking.join_next() => Met::Looked(looked.map_err(died)?),
            () = sleep_until(wake_at) => Met::Woken,
        })
    }

    /// No new intent; what is in the air comes back and is recorded. The error, or a worse one that came meanwhile.
    async fn wind_up(&mut self, mut error: Error) -> Error {
        self.halt.send_replace(true);
        let is_tripped = self.breaker.tripped().is_some();
        self.looking.shutdown().await;
        while let Some(last) = self.flying.join_next().await {
            if let Ok((_, Ok(Step::Done(outcome)))) = &last {
                self.done += 1;
                // Whether that is one too many was known before.
                let _tripped = self.breaker.ended(*outcome == Outcome::Refused);
            }
            // The first failure of the disk says why; those after it only that there was one.
            if let Ok((_, Err(worse))) = last
                && worse.kind() == Kind::File
                && error.kind() != Kind::File
            {
                error = worse;
            }
        }
        // What could not be written is told by the first line that was missed.
        let _noted = self.note_last();
        self.tell();
        match self.breaker.tripped() {
            Some(tripped) if is_tripped && error.kind() == Kind::Unsafe => tripped,
            _ => error,
        }
    }

    /// As many creates in flight as keep the allowed rate at the latency of late (Little's law), and half as many again.
    fn in_flight_max(&self) -> usize {
        let most = IN_FLIGHT_PER_TOKEN * self.worker.client.n_tokens();
        let Some(latency) = self.worker.latency() else { return IN_FLIGHT_MIN.min(most) };
        let needed = self.worker.client.rate_per_s() * latency.as_secs_f64() * 1.5;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float becomes the nearest number"
        )]
        let needed = needed.ceil() as usize;
        needed.saturating_add(2).clamp(IN_FLIGHT_MIN, most)
    }

    fn launch(&mut self, (no_create, no_look): Pauses) {
        // After an outage one create goes ahead and looks whether it is over.
        let limit = match no_create {
            Some(_) => 0,
            None if self.outage.is_tried() => 1,
            None => self.in_flight_max(),
        };
        while self.flying.len() < limit
            && let Some(todo) = self.next()
        {
            let worker = Arc::clone(&self.worker);
            self.flying.spawn(async move {
                let step = worker.create(&todo).await;
                (todo, step)
            });
        }
        let now = Instant::now();
        if no_look.is_none() && self.settling.next_at().is_some_and(|at| at <= now) {
            let rows = self.settling.take_due(now);
            let finders = Arc::clone(&self.finders);
            self.looking.spawn(async move {
                let found = look(&finders, &rows).await;
                (rows, found)
            });
        }
    }

    /// Decides what follows from where a row has got to.
    fn landed(&mut self, todo: Todo, step: Step) -> Result<()> {
        match step {
            Step::Done(outcome) => {
                self.done += 1;
                self.breaker.ended(outcome == Outcome::Refused)?;
            }
            // While the service is down that is no row's fault.
            Step::Unresolved if self.outage.is_tried() => {}
            Step::Unresolved => self.breaker.ended(true)?,
            Step::Looking => {}
            Step::Again(todo) => self.queue.push_front(todo),
            Step::Throttled => {
                self.outage.throttled()?;
                self.queue.push_front(todo);
            }
            // Whether any token is accepted is the next permit's to say.
            Step::Held | Step::Unauthorised => self.queue.push_front(todo),
            Step::NotSent => {
                self.outage.failed(true)?;
                self.queue.push_front(todo);
            }
            Step::Settle(cause) => {
                let is_lost = cause == Cause::Unknown;
                if is_lost {
                    self.outage.failed(false)?;
                } else {
                    self.outage.over();
                }
                self.seek(Sought::after(Todo { ambiguous: todo.ambiguous || is_lost, ..todo }, cause));
            }
        }
        Ok(())
    }

    /// Decides what follows from a look, row by row.
    fn looked(&mut self, (rows, found): Looked) -> Result<()> {
        self.settling.looked();
        let found = match found {
            // A look changes nothing: it is made again when the outage is over.
            Err(e) if e.kind() == Kind::Unreachable && e.wait().is_none() => {
                let given_up = self.blindness.failed(true);
                // As long as there is somebody to create there is time to look.
                if !self.has_next() && self.flying.is_empty() {
                    given_up?;
                }
                let again = self.blindness.until().unwrap_or_else(|| Instant::now() + LOOK_AGAIN);
                self.settling.postpone(rows, again);
                return Ok(());
            }
            found => found?,
        };
        self.blindness.done();
        let worker = Arc::clone(&self.worker);
        let mut failed = None;
        for (sought, users) in rows.into_iter().zip(found) {
            let todo = sought.todo.clone();
            let step = worker.looked(sought, users, &mut self.settling);
            // What was found of the others counts, whatever is found of one.
            if let Err(error) = step.and_then(|step| self.landed(todo, step)) {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Notes in the journal how the run goes; no disk is waited for.
    fn note(&mut self) -> Result<()> {
        let only_settles = self.only_settles();
        self.pulse.note(&self.worker, self.outage.is_tried(), self.blindness.is_tried(), only_settles)
    }

    /// The same at the end, whatever was noted just now.
    fn note_last(&mut self) -> Result<()> {
        self.pulse.last(&self.worker)
    }

    /// Whether nothing is left to send, and somebody may be to be sent again.
    fn only_settles(&self) -> bool {
        self.settling.len() > 0 && self.flying.is_empty() && !self.has_next()
    }

    fn tell(&mut self) {
        let (settling, only_settles) = (self.settling.len() as u64, self.only_settles());
        let (is_away, is_blind) = (self.outage.is_tried(), self.blindness.is_tried());
        (self.progress)(Progress { done: self.done, rows: self.rows, settling, is_away, is_blind, only_settles });
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
