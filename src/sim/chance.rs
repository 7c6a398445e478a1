//! Chance that a seed decides.

use super::codec::digest;

/// A series of draws: the same for the same seed.
#[derive(Clone, Debug)]
pub(super) struct Chance {
    seed: u64,
    kind: &'static str,
    n: u64,
}

impl Chance {
    pub(super) const fn new(seed: u64, kind: &'static str) -> Self {
        Self { seed, kind, n: 0 }
    }

    fn next(&mut self) -> u64 {
        self.n += 1;
        // The first 16 of 64 hexadecimal digits.
        u64::from_str_radix(&digest(self.seed, self.kind, self.n)[..16], 16).unwrap_or_default()
    }

    /// A number from 0 to below 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `n`; 0 if there is none.
    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n as u64).max(1)).unwrap_or_default()
    }
}
