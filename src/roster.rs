//! Rooms 1 and 2: bytes become records, records become a checked roster.
//!
//! [`Records`] keeps the source bytes: an output row is a copied slice plus tool columns, never a re-serialised cell.
//! [`Roster`] is the frame that the plan joins: one row per record, in file order, each with a key or with the reason
//! why it has none. The row number is set here, once.

mod check;
mod mapping;
mod records;
mod scan;

use polars::prelude::DataFrame;

pub use check::{RowFault, check};
pub use mapping::{Family, Mapping, Named, Wanted, columns_called, map, map_headerless};
pub use records::{Dialect, Record, RecordFault, Records, read, read_headerless, read_made};

use crate::error::Result;

/// A checked roster.
///
/// The frame has one row per record: `row` u32, `line` u32, `key` str (null if invalid), `reason` str (null if usable),
/// `rules` str, `email` str (what a create sends), `name`, `department`, `title`, `division` str (null if empty or not
/// mapped), `phone` str (E.164, or null), `warning` str (why a cell of a usable row is left out, or null).
#[derive(Clone, Debug)]
pub struct Roster {
    /// The rows, in file order.
    pub frame: DataFrame,
    /// Whether a name column is mapped: then a new row without a name is invalid.
    pub has_names: bool,
}

impl Roster {
    /// A roster from a frame with a string column `email` and, optionally, `name`, `department`,
    /// `title`, `division`, `phone`.
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
    pub fn n_rows(&self) -> usize {
        self.frame.height()
    }
}
