//! Where the bytes of a file are: in memory, or wherever somebody can read them from.

use std::fmt;
use std::ops::Range;

use crate::error::{Error, Kind, Result};

/// Bytes that are read piece by piece, and piece by piece once more when rows are written.
///
/// They do not change: whoever reads them from a place where they could has to notice.
pub trait Text: Send + Sync + fmt::Debug {
    /// How many there are.
    fn n_bytes(&self) -> u64;

    /// Those of a range, borrowed or read into `buffer`.
    ///
    /// # Errors
    /// `File` if they cannot be read, or are not what they were.
    fn read<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8]>;
}

/// The error of a text that is another one than it was a moment ago.
pub(crate) fn changed(origin: &str) -> Error {
    Error::new(Kind::File, format!("{origin} was changed while it was read"))
        .hint("run again when nobody writes to it; nothing was written")
}

/// Bytes in memory.
pub struct InMemory(pub Vec<u8>);

impl Text for InMemory {
    fn n_bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn read<'a>(&'a self, range: Range<u64>, _buffer: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(self.0.len());
        Ok(&self.0[at(range.start)..at(range.end)])
    }
}

impl fmt::Debug for InMemory {
    /// People's data is nobody's to print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InMemory({} bytes)", self.0.len())
    }
}
