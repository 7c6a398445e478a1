//! Rooms 1 and 2: bytes become records, records become a checked roster.
//!
//! A [`Sheet`] is a file whose header is known. [`check`] reads its records, chunk by chunk on several threads, and keeps
//! of each its place, its key and a few facts: what its cells hold is read again when a row is told of. Source bytes are
//! copied then, never re-serialised. The row number is set here, once.

mod check;
mod chunks;
pub mod encoding;
mod facts;
mod head;
mod made;
mod mapping;
mod marks;
mod records;
mod scan;
mod sheet;
#[cfg(test)]
mod tests;
mod text;

use polars::prelude::{DataFrame, UInt32Chunked};

pub use check::{RowFault, Said, check};
pub(crate) use chunks::{Gather, Raw};
pub use facts::Facts;
pub use made::Made;
#[cfg(test)]
pub(crate) use mapping::samples::{ABROAD, SAMPLES};
pub use mapping::{
    FIELDS, Family, Mapping, Named, Wanted, columns_called, columns_plainly_called, joined, key_candidates, kin, map,
    map_headerless, name_candidates,
};
pub use records::{Block, RecordFault, Records, Reread};
pub use sheet::{Delimiter, Dialect, Headline, Lines, Opening, Sheet, is_not_utf8, open, open_bytes, open_made};
pub(crate) use text::changed;
pub use text::{InMemory, Text};

use crate::error::Result;
use crate::strings::Strings;

/// A checked roster: for each row, in file order, its key and what else decides.
#[derive(Clone, Debug)]
pub struct Roster {
    /// Where the rows stand.
    pub records: Records,
    /// Which column is what.
    pub mapping: Mapping,
    /// The key of each row; null if it is not usable.
    keys: Strings,
    /// [`Facts`] of each row.
    facts: UInt32Chunked,
    /// What each row says of a division, if that is mapped.
    divisions: Option<Strings>,
}

impl Roster {
    /// A roster from a frame with a string column `email` and, optionally, `name`, `department`,
    /// `title`, `division`, `phone`, `employee_id`.
    ///
    /// Rows are numbered from 1 in frame order, and so are lines.
    ///
    /// # Errors
    /// `File` if the frame has no string column `email`.
    pub fn from_frame(frame: &DataFrame) -> Result<Self> {
        check::from_frame(frame)
    }

    /// Number of rows.
    #[must_use]
    pub const fn n_rows(&self) -> usize {
        self.records.len()
    }

    /// Whether a name column is mapped: then a new row without a name is invalid.
    #[must_use]
    pub const fn has_names(&self) -> bool {
        !self.mapping.name.is_empty()
    }

    /// Whether there is a column of employee ids at all.
    #[must_use]
    pub const fn has_employee_ids(&self) -> bool {
        self.mapping.employee_id.is_some()
    }

    /// The keys, one a row; null where a row is not usable.
    #[must_use]
    pub const fn keys(&self) -> &Strings {
        &self.keys
    }

    /// The key of the row at `at`.
    #[must_use]
    #[inline]
    pub fn key(&self, at: usize) -> Option<&str> {
        self.keys.get(at)
    }

    /// What is known of each row.
    pub fn facts(&self) -> impl Iterator<Item = Facts> + '_ {
        (0..self.n_rows()).map(|at| self.facts_at(at))
    }

    /// What is known of the row at `at`.
    #[must_use]
    #[inline]
    pub fn facts_at(&self, at: usize) -> Facts {
        // The column is in one piece and has no nulls: it was made of a vector.
        Facts::from_bits(self.facts.cont_slice().map_or(0, |facts| facts[at]))
    }

    /// What the row at `at` says of a division, if that is mapped.
    #[must_use]
    pub fn division(&self, at: usize) -> Option<&str> {
        self.divisions.as_ref().and_then(|divisions| divisions.get(at))
    }

    /// What the row at `at` says of a person. Without `key`, which is room to work in, only what rows are compared by.
    #[must_use]
    pub fn said<'t>(&self, record: &Reread<'t, '_>, at: usize, key: Option<&mut String>) -> Said<'t> {
        self.mapping.said(record, key.filter(|_| self.facts_at(at).is_usable()))
    }
}
