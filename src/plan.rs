//! Room 3: every row gets exactly one verdict.
//!
//! Pure: no clock, no network, no randomness, and no disk but the roster's own text. [`Verdicts`] joins the roster with
//! whoever holds its keys; a [`Teller`] says of each row what people and `apply` want to know, block by block; a [`Plan`] is
//! all of that as a frame. It is a value, and a plan that is not applied is the dry run.
//!
//! ```
//! use polars::prelude::*;
//! use rosterdiff::{plan::{Keep, Plan}, roster::Roster, snapshot::Snapshot};
//!
//! let roster = df!("email" => ["Ada@Example.com", " bob@example.com"], "name" => ["Ada Lovelace", "Bob"])?;
//! let organisation = df!("email" => ["ada@example.com"], "state" => ["inactive"])?;
//! let plan = Plan::build(&Roster::from_frame(&roster)?, &Snapshot::from_frame(&organisation)?, Keep::First)?;
//!
//! let new: DataFrame = plan.new_users()?;
//! assert_eq!(new.column("email")?.str()?.get(0), Some("bob@example.com"));
//! assert_eq!((plan.counts().new, plan.counts().present), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod after;
mod fitting;
pub mod gates;
mod matching;
mod packed;
pub mod suspects;
mod table;
#[cfg(test)]
mod tests;
mod told;
mod verdicts;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

pub(crate) use fitting::Fitting;
pub use packed::hash;
pub(crate) use table::Table;
pub(crate) use told::rules_name;
pub use told::{COLUMNS, Differs, Disagreeing, Room, Teller, Told};
pub use verdicts::{Holder, Verdicts};

use crate::columns;
use crate::email::Folds;
use crate::error::{Error, Kind, Result};
use crate::lanes::Effort;
use crate::person::Person;
use crate::roster::Roster;
use crate::snapshot::Snapshot;

/// What the plan decided about a row; each row has exactly one.
///
/// Precedence: invalid, duplicate, present, deleted, new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nobody holds the key: to be created.
    New,
    /// An active or inactive user holds the key, by e-mail or username.
    Present,
    /// A deleted user holds the key: a create would be refused.
    Deleted,
    /// Another row of the roster stands for the key.
    Duplicate,
    /// No usable address, a ragged record, a NUL byte, a stray quote; or new without what a create needs.
    Invalid,
}

impl Verdict {
    /// All verdicts, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::New, Self::Present, Self::Deleted, Self::Duplicate, Self::Invalid];

    /// The word in columns and file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Present => "present",
            Self::Deleted => "deleted",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == word)
    }
}

/// Reason of a new row that is held back until somebody has looked at it.
pub const HELD: &str = "suspect.held";

/// Whether a reason, or one of those that it joins, holds a new row back.
#[must_use]
pub fn is_held(reason: &str) -> bool {
    reason.split('+').any(|one| one == HELD || after::HELD.contains(&one))
}

/// New rows that are held back, by why: until somebody has looked at them, or until an earlier plan is finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Rows.
    pub rows: u64,
    /// Of them those that resemble somebody.
    pub suspects: u64,
    /// Of them those that an earlier plan may have created, or is about to.
    pub after: u64,
}

/// Which of several rows with one key stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
    /// None of them.
    None,
}

impl Keep {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::None => "none",
        }
    }
}

/// What a create sends where the roster says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Division, by id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
}

/// What decides beside roster and snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Which of several rows with one key stands.
    pub keep: Keep,
    /// What fills the gaps of new rows.
    pub defaults: Defaults,
    /// What makes keys alike beyond the address itself.
    pub folds: Folds,
}

impl From<Keep> for Policy {
    fn from(keep: Keep) -> Self {
        Self { keep, ..Self::default() }
    }
}

/// Rows by verdict. They add up to the rows: that is checked when a plan is built and when it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All rows of the roster.
    pub rows: u64,
    /// To be created.
    pub new: u64,
    /// Held by a live user.
    pub present: u64,
    /// Held by a deleted user.
    pub deleted: u64,
    /// Another row stands for them.
    pub duplicate: u64,
    /// Not usable.
    pub invalid: u64,
}

impl Counts {
    /// Rows of one verdict.
    #[must_use]
    pub const fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::New => self.new,
            Verdict::Present => self.present,
            Verdict::Deleted => self.deleted,
            Verdict::Duplicate => self.duplicate,
            Verdict::Invalid => self.invalid,
        }
    }

    /// Counts a row of that verdict, but not among all rows.
    pub const fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::New => self.new += 1,
            Verdict::Present => self.present += 1,
            Verdict::Deleted => self.deleted += 1,
            Verdict::Duplicate => self.duplicate += 1,
            Verdict::Invalid => self.invalid += 1,
        }
    }

    /// Whether the verdicts add up to the rows.
    #[must_use]
    pub const fn add_up(&self) -> bool {
        self.rows == self.new + self.present + self.deleted + self.duplicate + self.invalid
    }
}

/// A key to look up, because nothing proves yet that nobody holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Row of the roster, 1-based.
    pub row: u32,
    /// Normalised e-mail.
    pub key: String,
    /// Address as a create would send it: cleaned, its case kept.
    pub address: String,
}

/// What a create sends, in the order of the frame.
pub const SENT: [&str; 6] =
    [columns::EMAIL, columns::NAME, columns::DEPARTMENT, columns::TITLE, columns::DIVISION, columns::PHONE];

/// A verdict for every row, and everything that creating the new ones needs.
///
/// The frame has one row per roster row, in file order: the tool columns of [`columns::PLAN_TOOL`] without `extra`
/// (`row`, `line`, `holders`, `first_row` u32, the others str) and what a create sends: [`SENT`], str, null in rows of
/// which nothing would ever be sent (present, duplicate, invalid).
#[derive(Clone, Debug)]
pub struct Plan {
    frame: DataFrame,
    counts: Counts,
}

impl Plan {
    /// Joins a roster with a snapshot.
    ///
    /// # Errors
    /// Only a fault of this program: verdicts that do not add up are an error in release builds too.
    pub fn build(roster: &Roster, snapshot: &Snapshot, policy: impl Into<Policy>) -> Result<Self> {
        let policy = policy.into();
        let verdicts = Verdicts::decide(roster, snapshot, &policy, Effort::default())?;
        let teller = Teller { roster, snapshot, verdicts: &verdicts, policy: &policy };
        Ok(Self { frame: teller.frame()?, counts: *verdicts.counts() })
    }

    /// A plan from its frame, as `plan.parquet` keeps it.
    ///
    /// # Errors
    /// `Damaged` if a column is missing, a verdict unknown or a row number out of order.
    pub fn from_frame(frame: DataFrame) -> Result<Self> {
        let counts = count(&frame).map_err(|cause| {
            Error::new(Kind::Damaged, "the plan does not have the columns of a plan").because(cause)
        })?;
        let counts = counts.ok_or_else(|| Error::new(Kind::Damaged, "the plan has a row without a proper verdict"))?;
        Ok(Self { frame, counts })
    }

    /// The frame.
    #[must_use]
    pub const fn frame(&self) -> &DataFrame {
        &self.frame
    }

    /// Rows by verdict.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The new rows: `row` u32, `key` and [`SENT`] str.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn new_users(&self) -> Result<DataFrame> {
        let wanted = [columns::ROW, columns::KEY].into_iter().chain(SENT);
        let is_new: BooleanChunked =
            self.frame.column(columns::VERDICT)?.str()?.iter().map(|v| v == Some(Verdict::New.as_str())).collect();
        Ok(self.frame.select(wanted)?.filter(&is_new)?)
    }

    /// How many new rows are held back.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn n_held(&self) -> Result<u64> {
        Ok(self.held()?.rows)
    }

    /// The new rows that are held back, by why.
    ///
    /// # Errors
    /// Only a fault of this program.
    pub fn held(&self) -> Result<Held> {
        let mut held = Held::default();
        for reason in self.frame.column(columns::REASON)?.str()?.iter().flatten().filter(|reason| is_held(reason)) {
            let says = |codes: &[&str]| u64::from(reason.split('+').any(|one| codes.contains(&one)));
            held.rows += 1;
            held.suspects += says(&[HELD]);
            held.after += says(&after::HELD);
        }
        Ok(held)
    }

    /// The new rows as people to create, without those that are held back: all that `apply` gets to see.
    ///
    /// # Errors
    /// `Unsafe` if a new row has no name: the service refuses a user without one.
    pub fn people(&self) -> Result<Vec<Person>> {
        let (new, reasons) = (self.new_users()?, self.frame.column(columns::REASON)?.str()?.clone());
        let is_held = |row: u32| reasons.get(row as usize - 1).is_some_and(is_held);
        let text = |name: &str| new.column(name).and_then(|c| c.str().cloned());
        let (keys, rows) = (text(columns::KEY)?, new.column(columns::ROW)?.u32()?);
        let [emails, names, departments, titles, divisions, phones] = SENT.map(text);
        let (emails, names, departments, titles) = (emails?, names?, departments?, titles?);
        let (divisions, phones) = (divisions?, phones?);
        let person = |at: usize| {
            Some(Person {
                row: rows.get(at)?,
                key: keys.get(at)?.to_owned(),
                email: emails.get(at)?.to_owned(),
                name: names.get(at)?.to_owned(),
                department: departments.get(at).map(str::to_owned),
                title: titles.get(at).map(str::to_owned),
                division: divisions.get(at).map(str::to_owned),
                phone: phones.get(at).map(str::to_owned),
            })
        };
        let is_free = |at: &usize| rows.get(*at).is_some_and(|row| !is_held(row));
        let people: Option<Vec<Person>> = (0..new.height()).filter(is_free).map(person).collect();
        people.ok_or_else(|| {
            Error::new(
                Kind::Unsafe,
                "the new rows of this plan have no names, and a user cannot be created without one",
            )
            .hint("plan again with --map name=\"COLUMN\" (or name=\"First\"+\"Last\"); nothing was sent")
        })
    }
}

/// Counts verdicts; none if one is unknown or rows are not numbered 1, 2, 3…
fn count(frame: &DataFrame) -> PolarsResult<Option<Counts>> {
    frame.select([columns::LINE, columns::KEY].into_iter().chain(SENT))?;
    let rows = frame.column(columns::ROW)?.u32()?;
    let in_order = rows.iter().zip(1_u32..).all(|(row, expected)| row == Some(expected));
    let mut counts = Counts { rows: frame.height() as u64, ..Counts::default() };
    for word in frame.column(columns::VERDICT)?.str()?.iter() {
        let Some(verdict) = word.and_then(Verdict::from_word) else { return Ok(None) };
        counts.add(verdict);
    }
    Ok(Some(counts).filter(|c| in_order && c.add_up()))
}
