//! Who holds these addresses: many a search, or as many as the service takes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::Client;
use crate::api::wire::Wire;
use crate::error::Result;
use crate::person::User;

/// Values in one search at first: what examples use.
const VALUES_MAX: usize = 100;

/// Different values that are refused alone before a field that never passed counts as one that cannot be searched.
const REFUSED_ALONE_MAX: usize = 2;

/// Looks addresses up in one field, and remembers how many one search takes.
#[derive(Debug)]
pub struct Finder<W> {
    client: Arc<Client<W>>,
    field: &'static str,
    learnt: Mutex<Learnt>,
}

/// What searches so far have shown.
#[derive(Clone, Debug)]
struct Learnt {
    batch: Batch,
    /// Values that were refused alone, as long as nothing has passed.
    refused: HashSet<String>,
}

/// How many values a search takes: the largest number that passed and the smallest that was refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    passed: usize,
    refused: usize,
}

impl Batch {
    pub(crate) const NEW: Self = Self { passed: 0, refused: VALUES_MAX + 1 };

    /// Values to ask for next: halved after a refusal, and then as far up again as it goes.
    pub(crate) const fn size(self) -> usize {
        match (self.passed, self.refused) {
            (_, refused) if refused > VALUES_MAX => VALUES_MAX,
            (0, 1 | 2) => 1,
            (passed, refused) => usize::midpoint(passed, refused),
        }
    }

    pub(crate) const fn is_settled(self) -> bool {
        self.passed + 1 >= self.refused
    }

    pub(crate) const fn has_passed(self, n: usize) -> bool {
        n <= self.passed
    }

    pub(crate) fn passed(&mut self, n: usize) {
        self.passed = self.passed.max(n);
    }

    /// Whether it is about their number; if so many have passed before, it is about one of them.
    pub(crate) fn refused(&mut self, n: usize) -> bool {
        let is_about_number = n > self.passed;
        if is_about_number {
            self.refused = self.refused.min(n);
        }
        is_about_number
    }

    /// It was about one value, not about how many there are: the others had no part in it.
    pub(crate) const fn refused_alone(&mut self) {
        *self = Self { passed: self.passed, ..Self::NEW };
    }
}

/// Who was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Users whom the service named; whether one holds an address that was asked for is for the caller to see.
    pub users: Vec<User>,
    /// Values that it refused to search for, each asked for alone.
    pub refused: HashSet<String>,
}

impl<W: Wire> Finder<W> {
    /// One that knows nothing yet, for `field` (`email`, `username`).
    #[must_use]
    pub fn new(client: Arc<Client<W>>, field: &'static str) -> Self {
        let learnt = Learnt::default();
        Self { client, field, learnt: Mutex::new(learnt) }
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Users of any state with one of `values`.
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`. A refusal is none.
    pub async fn find(&self, values: &[String]) -> Result<Found> {
        let mut found = Found::default();
        let mut open = vec![values];
        while let Some(part) = open.pop() {
            let (most, is_deaf) = self.learnt().prospects();
            if is_deaf || part.is_empty() {
                found.refused.extend(part.iter().cloned());
                continue;
            }
            if part.len() > most {
                open.extend(part.chunks(most).rev());
                continue;
            }
            let asked: Vec<&str> = part.iter().map(String::as_str).collect();
            match (self.client.search(&[self.field], &asked).await?, part) {
                (Ok(users), _) => {
                    self.learnt().passed(part.len());
                    found.users.extend(users);
                }
                (Err(_), [alone]) => {
                    self.learnt().refused_alone(alone);
                    found.refused.insert(alone.clone());
                }
                (Err(_), _) => {
                    self.learnt().batch.refused(part.len());
                    let (one, other) = part.split_at(part.len() / 2);
                    open.extend([other, one]);
                }
            }
        }
        Ok(found)
    }
}

impl Default for Learnt {
    fn default() -> Self {
        Self { batch: Batch::NEW, refused: HashSet::new() }
    }
}

impl Learnt {
    /// How many values are worth asking for, and whether none is.
    fn prospects(&self) -> (usize, bool) {
        (self.batch.size(), self.batch.passed == 0 && self.refused.len() >= REFUSED_ALONE_MAX)
    }

    fn passed(&mut self, n: usize) {
        self.batch.passed(n);
        self.refused.clear();
    }

    fn refused_alone(&mut self, value: &str) {
        self.batch.refused_alone();
        if self.batch.passed == 0 {
            self.refused.insert(value.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Learnt, VALUES_MAX};

    #[test]
    fn a_value_that_is_refused_alone_costs_the_others_nothing() {
        let mut learnt = Learnt::default();
        for n in [100, 50, 25, 12, 6, 3] {
            assert!(learnt.batch.refused(n));
        }
        learnt.refused_alone("x@example.com");
        assert_eq!(learnt.prospects(), (VALUES_MAX, false));
        // As many as have passed are refused together only for one of them.
        learnt.passed(40);
        assert!(!learnt.batch.refused(40));
        assert_eq!(learnt.prospects(), (VALUES_MAX, false));
    }

    #[test]
    fn the_largest_number_that_passes_is_found() {
        let mut learnt = Learnt::default();
        for _ in 0..20 {
            let (n, _) = learnt.prospects();
            if n <= 9 { learnt.passed(n) } else { assert!(learnt.batch.refused(n)) }
        }
        assert_eq!(learnt.prospects(), (9, false));
        assert!(learnt.batch.is_settled());
    }

    #[test]
    fn a_field_of_which_nothing_ever_passes_is_not_asked_for_any_more() {
        let mut learnt = Learnt::default();
        learnt.refused_alone("x@example.com");
        learnt.refused_alone("x@example.com");
        assert!(!learnt.prospects().1);
        learnt.refused_alone("y@example.com");
        assert!(learnt.prospects().1);
        let mut other = Learnt::default();
        other.passed(1);
        other.refused_alone("x@example.com");
        other.refused_alone("y@example.com");
        assert!(!other.prospects().1);
    }
}
