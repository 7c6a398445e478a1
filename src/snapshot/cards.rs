//! What is told of users, a card each: whoever tells of somebody looks at one place in memory, not at one a column.
//!
//! A card is a length for each cell and the cells behind them, in one run of text.

use super::Cell;
use crate::strings::Ends;

/// Cells of a card.
const N: usize = Cell::ALL.len();

/// The cells of a user, in the order of [`Cell::ALL`].
pub type Cells<'a> = [Option<&'a str>; N];

/// A length that needs more than one character: five follow, of seven bits each.
const LONG: u8 = 0x7f;
const LONG_CHARS: usize = 5;

/// Cards, in the order of their users.
#[derive(Clone, Debug, Default)]
pub struct Cards {
    pieces: Vec<Piece>,
    ends: Ends,
}

/// Some cards in a row.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    starts: Vec<usize>,
    text: String,
}

impl Cards {
    /// Adds cards.
    pub fn append(&mut self, piece: Piece) {
        if !piece.starts.is_empty() {
            self.ends.push(self.ends.n() + piece.starts.len());
            self.pieces.push(piece);
        }
    }

    /// Adds the cards of others.
    pub fn extend(&mut self, more: Self) {
        more.pieces.into_iter().for_each(|piece| self.append(piece));
    }

    /// Goes to the card of the user at `at`, so that it is at hand when its cells are wanted.
    #[inline]
    pub fn approach(&self, at: usize) {
        let (piece, at) = self.ends.find(at);
        let card = self.pieces.get(piece).and_then(|piece| piece.text.as_bytes().get(*piece.starts.get(at)?));
        std::hint::black_box(card.copied());
    }

    /// The cells of the user at `at`; beyond the end there are none.
    #[must_use]
    #[inline]
    pub fn cells(&self, at: usize) -> Cells<'_> {
        let (piece, at) = self.ends.find(at);
        self.pieces.get(piece).map_or([None; N], |piece| piece.cells(at))
    }
}

impl Piece {
    /// Room for some cards.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { starts: Vec::with_capacity(n), text: String::new() }
    }

    /// Adds a card.
    pub fn push(&mut self, cells: Cells<'_>) {
        self.starts.push(self.text.len());
        cells.iter().for_each(|cell| self.push_length(cell.map_or(0, |cell| cell.len() + 1)));
        cells.into_iter().flatten().for_each(|cell| self.text.push_str(cell));
    }

    /// Zero is no cell, and everything else one more than its length.
    fn push_length(&mut self, length: usize) {
        match u8::try_from(length) {
            Ok(short) if short < LONG => self.text.push(char::from(short)),
            _ => {
                self.text.push(char::from(LONG));
                let bits = |at: usize| char::from((length >> (7 * at)).to_le_bytes()[0] & 0x7f);
                (0..LONG_CHARS).for_each(|at| self.text.push(bits(at)));
            }
        }
    }

    #[inline]
    fn cells(&self, at: usize) -> Cells<'_> {
        let Some(card) = self.starts.get(at).and_then(|start| self.text.get(*start..)) else { return [None; N] };
        let (mut lengths, mut begin) = ([0; N], 0);
        for length in &mut lengths {
            (*length, begin) = read_length(card.as_bytes(), begin);
        }
        let mut cells = [None; N];
        for (cell, length) in cells.iter_mut().zip(lengths) {
            let end = begin + length.saturating_sub(1);
            *cell = card.get(begin..end).filter(|_| length > 0);
            begin = end;
        }
        cells
    }
}

/// The length that begins at `at`, and where the next one does.
#[inline]
fn read_length(card: &[u8], at: usize) -> (usize, usize) {
    let byte = |at: usize| card.get(at).copied().map_or(0, usize::from);
    match byte(at) {
        short if short < usize::from(LONG) => (short, at + 1),
        _ => ((0..LONG_CHARS).fold(0, |length, part| length | byte(at + 1 + part) << (7 * part)), at + 1 + LONG_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_any_length_come_back_as_they_went_in() {
        let lengths = [None, Some(0), Some(1), Some(124), Some(125), Some(126), Some(127), Some(16_383), Some(70_000)];
        let cell =
            |at: usize| lengths[at % lengths.len()].map(|n: usize| "ä€x😀"[..2].repeat(n / 2) + &"y".repeat(n % 2));
        let users: Vec<[Option<String>; N]> =
            (0..300).map(|user| std::array::from_fn(|at| cell(user * 7 + at * (1 + user / lengths.len())))).collect();
        for n_piece in [1, 2, 299, 300, 1_000] {
            let mut cards = Cards::default();
            for some in users.chunks(n_piece) {
                let mut piece = Piece::with_capacity(0);
                some.iter().for_each(|cells| piece.push(cells.each_ref().map(Option::as_deref)));
                cards.append(piece);
                cards.append(Piece::default());
            }
            for (at, cells) in users.iter().enumerate() {
                assert_eq!(cards.cells(at), cells.each_ref().map(Option::as_deref), "{at} in pieces of {n_piece}");
            }
            assert_eq!(cards.cells(users.len()), [None; N]);
        }
        assert_eq!(Cards::default().cells(0), [None; N]);
    }
}
