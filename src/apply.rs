//! Rooms 4 and 5: new rows become users, and everything that was meant and done is on disk.
//!
//! `apply` takes people by value and cannot see the other rows: the types do not let it. It never joins again and never
//! reads the roster. An intent is durable before its create leaves; an outcome follows. What may have happened is
//! looked up before anything is sent again (`worker`), while other rows go on.
//!
//! ```
//! use std::sync::Arc;
//!
//! use rosterdiff::api::{Client, Credentials, Options as Calls};
//! use rosterdiff::apply::journal::{self, Journal};
//! use rosterdiff::apply::ledger::Binding;
//! use rosterdiff::apply::{self, Options, Outcome};
//! use rosterdiff::person::Person;
//! use rosterdiff::sim::{Direct, Org, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let wire = Direct::new(Org::new(Settings::default()));
//! let client = Client::new(wire, Credentials::client("demo-client", "demo-secret"), Calls::default());
//!
//! // Whoever has a plan takes `Plan::people` instead.
//! let (key, email) = ("ada@example.com".to_owned(), "Ada@example.com".to_owned());
//! let ada = Person { row: 1, key, email, name: "Ada Lovelace".into(), department: None, title: None, division: None, phone: None };
//!
//! let dir = tempfile::tempdir()?;
//! let to = Binding { plan: "a digest".into(), manifest: "another".into(), org: client.organisation().await?.id };
//! let now = || "2026-01-01T00:00:00Z".to_owned();
//! let (journal, ledger) = Journal::open(dir.path(), &to, now, || Ok(()))?;
//! let (_stops_when_true, stop) = tokio::sync::watch::channel(false);
//! apply::apply(&client, &Arc::new(journal), &ledger, vec![ada], Options::default(), stop, |_progress| {}).await?;
//!
//! let ledger = journal::replay(&dir.path().join(journal::FILE))?.ledger;
//! assert_eq!(ledger.row(1).map(|row| row.outcome()), Some(Outcome::Created));
//! # Ok(())
//! # }
//! ```

mod breaker;
pub mod changes;
pub mod disk;
pub mod journal;
pub mod ledger;
mod outage;
mod pulse;
mod run;
mod settle;
mod words;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::api::Client;
use crate::api::wire::Wire;
use crate::error::{Error, Kind, Result};
use crate::number::counted;
use crate::person::{Division, Person, User};
use crate::plan::gates::Limit;
use crate::snapshot::Keys;
use journal::Journal;
use ledger::{Event, Ledger};
use run::Run;
use worker::Worker;

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
    /// How many rows of a run may be refused or stay unknown before it stops; a share is one of its last 200 rows.
    pub max_failures: Limit,
    /// A law to break, for the tests that show that they notice.
    #[doc(hidden)]
    pub broken: Option<Broken>,
}

/// A law of this room, broken on purpose.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// What may have happened is sent again at once.
    ResendsUnknown,
    /// A create leaves before its intent is on the disk.
    SendsBeforeIntent,
    /// What may have happened is waited for, and never looked for.
    NeverLooks,
    /// One look is enough.
    NeverSettles,
    /// A deleted holder is believed although an earlier attempt may have created somebody.
    BelievesDeleted,
}

impl Default for Options {
    /// 180 s: the official Terraform provider waits up to three minutes for the search index. Half of the last rows: what
    /// refuses so many is no fault of theirs.
    fn default() -> Self {
        Self { settle: Duration::from_secs(180), max_failures: Limit::Percent(50), broken: None }
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
    /// Creates fail one after the other, and are waited with.
    pub is_away: bool,
    /// Searches fail one after the other, and are waited with.
    pub is_blind: bool,
    /// Nothing is left to send: only rows that are being looked up.
    pub only_settles: bool,
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
    let worker = Worker::new(Arc::clone(client), Arc::clone(journal), options, halted);
    Run::new(worker, halt, ledger, people, progress).go(stop).await
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
    let rows = counted(unknown.len() as u64, "row names", "rows name");
    let what = format!("{rows} a division that does not exist, or that several are called; first row {first}");
    Err(Error::new(Kind::Unsafe, what).hint(format!(
        "divisions are: {}; correct the column and plan again; nothing was sent",
        Division::names(divisions)
    )))
}
