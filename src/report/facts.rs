//! Everything that a page says of a plan directory, as values: no path is read and nothing is written from here on.

use super::story::Story;
use crate::apply::Outcomes;
use crate::apply::ledger::Said;
use crate::files::manifest::Manifest;
use crate::restore;

/// Rows of a table that are shown.
pub const TABLE_ROWS_MAX: usize = 1_000;
/// Domains that are named.
pub const DOMAINS_MAX: usize = 20;

/// Where a plan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Never applied: the dry run.
    Planned,
    /// A process is at work on it.
    AtWork,
    /// The last run was cut off.
    CutOff,
    /// Every run has ended and was closed.
    Ended,
}

/// What is told of a plan and its runs.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The directory, as it is typed in a command.
    pub dir: String,
    /// The plan.
    pub manifest: Manifest,
    /// BLAKE3 of its file, which the journal's first line holds.
    pub manifest_digest: String,
    /// Where it stands.
    pub stand: Stand,
    /// New rows by outcome.
    pub outcomes: Outcomes,
    /// New rows that are held back.
    pub held: u64,
    /// What was changed beside.
    pub changed: Changed,
    /// Rows to restore, by what became of them.
    pub restored: restore::Tally,
    /// How the runs went.
    pub story: Story,
    /// The journal; none before a run has begun.
    pub journal: Option<Journaled>,
    /// Rows by domain and verdict: those of most rows.
    pub domains: Domains,
    /// Invalid rows by reason, most first.
    pub reasons: Vec<(String, u64)>,
    /// Refused rows by what the service said, most first.
    pub refusals: Vec<(Said, u64)>,
    /// Refused rows of which the service said something else again.
    pub refused_otherwise: u64,
    /// The tables, in the order in which they are shown.
    pub tables: Vec<Table>,
    /// Whether addresses and names are hidden.
    pub is_masked: bool,
    /// When this is told, RFC 3339.
    pub told_at: String,
}

/// Created users that were deleted again, or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Whether a rollback has begun.
    pub has_begun: bool,
    /// Deleted again.
    pub removed: u64,
    /// Of them those that were adopted.
    pub removed_adopted: u64,
    /// Kept by a rollback.
    pub kept: u64,
    /// Perhaps deleted.
    pub unsure: u64,
}

/// What is told of the journal itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journaled {
    /// Its lines.
    pub n_lines: u64,
    /// The end of its chain.
    pub chain: String,
    /// When the last line was written.
    pub last_at: Option<String>,
    /// Bytes of a line that a crash, or a writer at work, has left unfinished.
    pub n_bytes_torn: u64,
    /// The organisation that it is bound to.
    pub organisation_id: Option<String>,
}

/// Rows by the domain of their key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// Those of most rows: rows by verdict, in the order of `Verdict::ALL`.
    pub most: Vec<(String, [u64; 5])>,
    /// How many others there are.
    pub n_others: u64,
    /// Their rows.
    pub others: [u64; 5],
    /// Rows without a usable address.
    pub without: u64,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name in links.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What is in it.
    pub about: &'static str,
    /// What is said where it is empty.
    pub none: &'static str,
    /// The file that holds all of it, if there is one by now.
    pub file: Option<&'static str>,
    /// Its columns.
    pub columns: &'static [Column],
    /// The first rows.
    pub rows: Vec<Vec<Cell>>,
    /// How many there are.
    pub total: u64,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its head.
    pub head: &'static str,
    /// Whether it holds numbers.
    pub is_number: bool,
}

/// A cell of a table, by whose words it holds: what is of people can be hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    None,
    /// A number.
    Number(u64),
    /// An id, a code, a time stamp or words of ours.
    Code(String),
    /// An address, however it is spelt.
    Address(String),
    /// A name.
    Name(String),
    /// What the service said.
    Words(String),
}

impl Cell {
    /// A text of that kind; nothing for none.
    pub fn of(kind: fn(String) -> Self, text: Option<&str>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::None, |text| kind(text.to_owned()))
    }

    /// A number; nothing for none.
    #[must_use]
    pub fn number(number: Option<u32>) -> Self {
        number.map_or(Self::None, |number| Self::Number(number.into()))
    }
}
