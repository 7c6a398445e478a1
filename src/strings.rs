//! A column of strings in pieces, each found at once.
//!
//! Columns are read chunk by chunk, and polars keeps each piece as it came. To put them together would cost time and the
//! same memory once more; to look for a piece among thousands, one after the other, would cost more.

use polars::prelude::{ChunkFullNull, PolarsDataType, StringChunked, StringChunkedBuilder, StringType};

use crate::error::Result;

/// polars' array of strings.
type Piece = <StringType as PolarsDataType>::Array;

/// Where each piece of a column ends.
#[derive(Clone, Debug, Default)]
pub struct Ends(Vec<usize>);

impl Ends {
    /// How many cells there are in all pieces.
    #[must_use]
    pub fn n(&self) -> usize {
        self.0.last().copied().unwrap_or_default()
    }

    /// Adds a piece; `n` is how many cells there are with it.
    pub fn push(&mut self, n: usize) {
        self.0.push(n);
    }

    /// The piece that a cell is in, and its place there; beyond the end it is a place beyond the last piece. Pieces are
    /// about equally long: the first guess is nearly always right.
    #[must_use]
    #[inline]
    pub fn find(&self, at: usize) -> (usize, usize) {
        let n = self.0.len();
        let mut piece = (at * n / self.n().max(1)).min(n.saturating_sub(1));
        while piece > 0 && self.0[piece - 1] > at {
            piece -= 1;
        }
        while piece + 1 < n && self.0[piece] <= at {
            piece += 1;
        }
        (piece, at - piece.checked_sub(1).map_or(0, |before| self.0[before]))
    }
}

/// A column of strings.
#[derive(Clone, Debug)]
pub struct Strings {
    column: StringChunked,
    ends: Ends,
}

impl Strings {
    /// The same column.
    #[must_use]
    pub fn of(column: StringChunked) -> Self {
        let mut end = 0;
        let ends = column.downcast_iter().map(|piece| {
            end += piece.len();
            end
        });
        Self { ends: Ends(ends.collect()), column }
    }

    /// A column of `n` nulls.
    #[must_use]
    pub fn nulls(name: &str, n: usize) -> Self {
        Self::of(StringChunked::full_null(name.into(), n))
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// Only for more rows than polars counts.
    pub fn append(&mut self, piece: StringChunked) -> Result<()> {
        self.column.append_owned(piece)?;
        let n = self.column.len();
        // polars drops an empty piece, or replaces one.
        self.ends.0.truncate(self.column.chunks().len() - 1);
        self.ends.push(n);
        Ok(())
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.column.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.column.is_empty()
    }

    /// The string at `at`; none for a null, or beyond the end.
    #[must_use]
    #[inline]
    pub fn get(&self, at: usize) -> Option<&str> {
        let (piece, at) = self.ends.find(at);
        let piece: &Piece = self.column.downcast_get(piece)?;
        if at < piece.len() { piece.get(at) } else { None }
    }

    /// What becomes of each of them, by its place; a null stays one.
    ///
    /// # Errors
    /// Only for more rows than polars counts.
    pub fn map(&self, of: impl Fn(usize, &str) -> Option<String>) -> Result<Self> {
        let (mut all, mut at) = (Self::of(StringChunked::full_null(self.column.name().clone(), 0)), 0);
        for piece in self.column.downcast_iter() {
            let mut column = StringChunkedBuilder::new(self.column.name().clone(), piece.len());
            for cell in piece {
                column.append_option(cell.and_then(|cell| of(at, cell)));
                at += 1;
            }
            all.append(column.finish())?;
        }
        Ok(all)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> + '_ {
        self.column.downcast_iter().flatten()
    }

    /// As polars knows it.
    #[must_use]
    pub const fn column(&self) -> &StringChunked {
        &self.column
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_string_is_found_in_whatever_pieces_they_came() {
        for pieces in [vec![3], vec![0, 2, 0, 0, 5, 1], vec![1, 1, 1], vec![0, 0], vec![]] {
            let mut all = Strings::nulls("x", 0);
            let mut expected: Vec<Option<String>> = Vec::new();
            for n in pieces {
                let cells: Vec<Option<String>> = (0..n)
                    .map(|at| (at != 1).then(|| format!("{} of {n}, quite a long one", expected.len() + at)))
                    .collect();
                all.append(cells.iter().map(Option::as_deref).collect()).unwrap();
                expected.extend(cells);
            }
            let found: Vec<Option<&str>> = (0..all.len()).map(|at| all.get(at)).collect();
            assert_eq!(found, expected.iter().map(Option::as_deref).collect::<Vec<_>>());
            assert_eq!(all.iter().collect::<Vec<_>>(), found);
            assert_eq!(all.get(all.len()), None);
        }
    }
}
