//! Who holds these addresses: many a search, or as many as the service takes.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api::Client;
use crate::api::wire::Wire;
use crate::error::Result;
use crate::person::User;

/// Values in one search at first: what examples use.
const VALUES_MAX: usize = 100;

/// Looks addresses up, and remembers how many one search takes.
#[derive(Debug)]
pub struct Finder<W> {
    client: Arc<Client<W>>,
    /// The largest number that has passed, and the smallest above it that is worth asking for.
    passed: AtomicUsize,
    most: AtomicUsize,
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
    /// One that knows nothing yet.
    #[must_use]
    pub const fn new(client: Arc<Client<W>>) -> Self {
        Self { client, passed: AtomicUsize::new(1), most: AtomicUsize::new(VALUES_MAX) }
    }

    /// Users of any state with one of `values` in `field` (`email`, `username`).
    ///
    /// # Errors
    /// `Credentials`, `Unreachable`. A refusal is none.
    pub async fn find(&self, field: &str, values: &[String]) -> Result<Found> {
        let mut found = Found::default();
        let mut open = vec![values];
        while let Some(part) = open.pop() {
            let most = self.most.load(Ordering::Relaxed);
            if part.len() > most {
                open.extend(part.chunks(most).rev());
                continue;
            }
            let asked: Vec<&str> = part.iter().map(String::as_str).collect();
            match (self.client.search(&[field], &asked).await?, part) {
                (_, []) => {}
                (Ok(users), _) => {
                    self.passed.fetch_max(part.len(), Ordering::Relaxed);
                    found.users.extend(users);
                }
                (Err(_), [alone]) => {
                    found.refused.insert(alone.clone());
                }
                (Err(_), _) => {
                    // Too many, unless so many have passed before: then one of them is the reason.
                    if part.len() > self.passed.load(Ordering::Relaxed) {
                        self.most.store(part.len() / 2, Ordering::Relaxed);
                    }
                    let (one, other) = part.split_at(part.len() / 2);
                    open.extend([other, one]);
                }
            }
        }
        Ok(found)
    }
}
