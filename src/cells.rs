//! Cells of a frame, and its columns while they grow.

use polars::prelude::{
    ChunkedBuilder, Column, IntoColumn, IntoSeries, PrimitiveChunkedBuilder, StringChunkedBuilder, UInt32Type,
};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Numbers, u32.
    Numbers,
    /// Text of which there is little: the words of this program.
    Words,
    /// Text of any kind.
    Texts,
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number.
    Number(Option<u32>),
    /// A text.
    Text(Option<&'a str>),
}

/// A column of a polars frame on its way.
pub enum Growing {
    /// Of numbers.
    Numbers(PrimitiveChunkedBuilder<UInt32Type>),
    /// Of words or texts.
    Texts(StringChunkedBuilder),
}

impl Growing {
    /// A column with room for `n` cells.
    #[must_use]
    pub fn new(name: &str, holds: Holds, n: usize) -> Self {
        match holds {
            Holds::Numbers => Self::Numbers(PrimitiveChunkedBuilder::new(name.into(), n)),
            Holds::Words | Holds::Texts => Self::Texts(StringChunkedBuilder::new(name.into(), n)),
        }
    }

    /// Adds a cell; one of another kind is none.
    pub fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Numbers(cells), Value::Number(cell)) => cells.append_option(cell),
            (Self::Texts(cells), Value::Text(cell)) => cells.append_option(cell),
            (Self::Numbers(cells), Value::Text(_)) => cells.append_null(),
            (Self::Texts(cells), Value::Number(_)) => cells.append_null(),
        }
    }

    /// The column.
    #[must_use]
    pub fn finish(self) -> Column {
        match self {
            Self::Numbers(cells) => cells.finish().into_series().into_column(),
            Self::Texts(cells) => cells.finish().into_series().into_column(),
        }
    }
}
