//! The bytes that mean something to a reader of CSV: the delimiter, quotes, line ends and NUL.
//!
//! Sixty-four bytes are looked at at a time and become sixty-four bits. The loops are written so that the compiler turns
//! them into vector instructions of whatever machine there is: no `unsafe`, no dependency.

/// Bytes that are looked at at a time.
const BLOCK: usize = 64;

/// Whether a byte means something, as 0 or 1.
const fn is_mark(byte: u8, delimiter: u8) -> u8 {
    ((byte == delimiter) | (byte == b'"') | (byte == b'\n') | (byte == b'\r') | (byte == 0)) as u8
}

/// One bit for each byte, that of the first byte lowest.
fn bits_of(block: &[u8; BLOCK], delimiter: u8) -> u64 {
    let mut hits = [0_u8; BLOCK];
    for (hit, byte) in hits.iter_mut().zip(block) {
        *hit = is_mark(*byte, delimiter);
    }
    let mut bits = 0;
    for (at, eight) in hits.chunks_exact(8).enumerate() {
        // Eight bytes of 0 or 1; the product gathers them in its top byte, the first lowest.
        let eight =
            u64::from_le_bytes([eight[0], eight[1], eight[2], eight[3], eight[4], eight[5], eight[6], eight[7]]);
        bits |= (eight.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
    }
    bits
}

/// The places of those bytes, in order.
#[derive(Clone, Debug)]
pub(super) struct Marks<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    /// Of the block that is looked at.
    bits: u64,
    base: usize,
    /// Where the next block begins.
    ahead: usize,
}

impl<'a> Marks<'a> {
    pub(super) const fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        Self { bytes, delimiter, bits: 0, base: 0, ahead: 0 }
    }

    /// The place of the next one, or the number of bytes.
    #[inline]
    pub(super) fn peek(&mut self) -> usize {
        while self.bits == 0 {
            if self.ahead >= self.bytes.len() {
                return self.bytes.len();
            }
            self.look();
        }
        self.base + self.bits.trailing_zeros() as usize
    }

    /// As [`Self::peek`], and moves on.
    #[inline]
    pub(super) fn next(&mut self) -> usize {
        let place = self.peek();
        self.bits &= self.bits.wrapping_sub(1);
        place
    }

    #[inline]
    fn look(&mut self) {
        let rest = &self.bytes[self.ahead..];
        self.bits = match rest.first_chunk::<BLOCK>() {
            Some(block) => bits_of(block, self.delimiter),
            None => {
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                // What fills the last block up is nothing of ours.
                bits_of(&block, self.delimiter) & !(u64::MAX << rest.len())
            }
        };
        self.base = self.ahead;
        self.ahead += BLOCK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn marks_are_where_a_plain_loop_finds_them(
            bytes in proptest::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(0), any::<u8>()], 0..300),
            delimiter in proptest::sample::select(&b",;|\t\x01\xff"[..]),
        ) {
            let plain = |b: u8| b == delimiter || matches!(b, b'"' | b'\n' | b'\r' | 0);
            let expected: Vec<usize> = (0..bytes.len()).filter(|at| plain(bytes[*at])).collect();
            let mut marks = Marks::new(&bytes, delimiter);
            let found: Vec<usize> = std::iter::from_fn(|| Some(marks.next()).filter(|at| *at < bytes.len())).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
