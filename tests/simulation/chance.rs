//! Chance that a seed decides.

use crate::splitmix::SplitMix64;

#[derive(Clone, Debug)]
pub struct Chance(SplitMix64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        let mut chance = SplitMix64(seed);
        chance.next();
        Self(chance)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.0.next() % n }
    }

    /// A number from `first` to `last`.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}
