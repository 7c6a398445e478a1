//! When so many rows fail that the fault is hardly theirs: better stopped after two hundred than after forty thousand.

use std::collections::VecDeque;

use crate::error::{Error, Kind, Result};
use crate::number::Number;
use crate::plan::gates::Limit;

/// Rows over which a share is taken: with fewer, a handful would be a large one.
const LAST: usize = 200;

/// Counts how the rows of one run end.
#[derive(Debug)]
pub(super) struct Breaker {
    limit: Limit,
    /// Rows of this run that were refused or stay unknown.
    n_failed: u64,
    last: VecDeque<bool>,
    is_tripped: bool,
}

impl Breaker {
    pub(super) const fn new(limit: Limit) -> Self {
        Self { limit, n_failed: 0, last: VecDeque::new(), is_tripped: false }
    }

    /// A row has ended.
    ///
    /// # Errors
    /// `Unsafe` if that was one failure too many.
    pub(super) fn ended(&mut self, has_failed: bool) -> Result<()> {
        self.n_failed += u64::from(has_failed);
        self.last.push_back(has_failed);
        if self.last.len() > LAST {
            self.last.pop_front();
        }
        self.is_tripped |= has_failed && self.is_over();
        self.tripped().map_or(Ok(()), Err)
    }

    fn n_last(&self) -> usize {
        self.last.iter().filter(|failed| **failed).count()
    }

    fn is_over(&self) -> bool {
        match self.limit {
            Limit::Users(n) => self.n_failed > n,
            Limit::Percent(percent) => self.last.len() == LAST && self.n_last() * 100 > LAST * usize::from(percent),
        }
    }

    /// What is to be said once it has tripped. Creates that were in the air then come back and count, too.
    pub(super) fn tripped(&self) -> Option<Error> {
        let n_failed = Number(self.n_failed);
        let what = match self.limit {
            _ if !self.is_tripped => return None,
            Limit::Users(_) => format!("{n_failed} rows"),
            Limit::Percent(_) => format!("{} of the last {LAST} rows, {n_failed} in all,", self.n_last()),
        };
        let what = format!("{what} were refused or stay unknown; --max-failures allows {}", self.limit);
        let hint = "refused.csv has the service's words; to go on all the same, allow more with --max-failures";
        Some(Error::new(Kind::Unsafe, what).hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, LAST};
    use crate::error::Kind;
    use crate::plan::gates::Limit;

    /// Rows that pass before it trips, of a run whose every `every`-th row fails.
    fn passes(limit: Limit, every: usize) -> Option<usize> {
        let mut breaker = Breaker::new(limit);
        (1..=1_000).find(|n| breaker.ended(n % every == 0).is_err_and(|e| e.kind() == Kind::Unsafe)).map(|n| n - 1)
    }

    #[test]
    fn a_number_counts_all_rows_and_a_share_the_last_two_hundred() {
        assert_eq!(passes(Limit::Users(3), 10), Some(39));
        assert_eq!(passes(Limit::Users(0), 7), Some(6));
        assert_eq!(passes(Limit::Percent(10), 10), None);
        assert_eq!(passes(Limit::Percent(9), 10), Some(LAST - 1));
        assert_eq!(passes(Limit::Percent(100), 1), None);
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        let mut breaker = Breaker::new(Limit::Percent(50));
        assert!((0..100).all(|_| breaker.ended(true).is_ok()));
        assert!((0..200).all(|_| breaker.ended(false).is_ok()));
        assert!((0..100).all(|_| breaker.ended(true).is_ok()));
        assert!(breaker.ended(true).is_err());
    }
}
