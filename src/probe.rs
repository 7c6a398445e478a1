//! Keys that nobody seems to hold are looked up, where the snapshot does not prove that nobody does.
//!
//! One exact search takes many addresses and all states. How many it takes is not documented, so a refusal halves the
//! batch and the largest size that passes is kept. Whether it tells upper from lower case is not documented either: a
//! user who is known is sought in the other case first. A search is an index of its own and no more than the service's
//! word: what comes back counts only if it holds a key that was asked for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::api::wire::Wire;
use crate::api::{Client, Words};
use crate::email;
use crate::error::{Error, Result};
use crate::person::User;
use crate::plan::Sought;
use crate::snapshot::{Keys, Probe};

/// Values in one search at first: what examples use.
const VALUES_MAX: usize = 100;
/// Searches side by side, once the service has shown how many values it takes.
const CALLS_IN_FLIGHT: usize = 8;
/// Values that are refused alone before the service counts as one that does not search at all.
const REFUSED_ALONE_MAX: u64 = 3;
/// Where a key may be held.
const FIELDS: [&str; 2] = ["email", "username"];

/// What looking up came to.
#[derive(Clone, Debug, Default)]
pub struct Probed {
    /// Users who hold one of the keys, each once.
    pub users: Vec<User>,
    /// What that proves.
    pub proof: Probe,
}

/// Told while answers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Spellings looked up.
    pub done: u64,
    /// Spellings to look up.
    pub values: u64,
}

/// Looks `sought` up over users of all states. `known` are a few addresses that the organisation is believed to hold, to
/// learn from them how the search compares.
///
/// `organisation_id` and `ended_at` of the proof are left to the caller.
///
/// # Errors
/// `Credentials`, `Unreachable`. A search that is refused is no error: the proof says so.
pub async fn probe<W: Wire>(
    client: &Arc<Client<W>>,
    sought: &[Sought],
    known: &[String],
    mut progress: impl FnMut(Progress),
) -> Result<Probed> {
    let mut search = Search::new(sought);
    if sought.is_empty() {
        return Ok(search.probed());
    }
    search.learn(client, known).await?;
    search.fill(sought);
    let mut flying = JoinSet::new();
    loop {
        // Until the size is known, one call at a time: a refusal would meet them all.
        let most = if search.batch.is_settled() { CALLS_IN_FLIGHT } else { 1 };
        while flying.len() < most
            && let Some(values) = search.next()
        {
            flying.spawn(ask(Arc::clone(client), search.fields(), values));
        }
        let Some(done) = flying.join_next().await else { break };
        let (values, answer) = done.map_err(|_| Error::bug("a search task died"))??;
        search.answered(values, answer);
        progress(search.progress());
    }
    Ok(search.probed())
}

type Answer = Result<Vec<User>, Words>;

async fn ask<W: Wire>(
    client: Arc<Client<W>>,
    fields: &'static [&'static str],
    values: Vec<String>,
) -> Result<(Vec<String>, Answer)> {
    let asked: Vec<&str> = values.iter().map(String::as_str).collect();
    let answer = client.search(fields, &asked).await?;
    Ok((values, answer))
}

/// How many values a search takes: the largest number that passed and the smallest that was refused.
#[derive(Clone, Copy, Debug)]
struct Batch {
    passed: usize,
    refused: usize,
}

impl Batch {
    const NEW: Self = Self { passed: 0, refused: VALUES_MAX + 1 };

    /// Values to ask for next: halved after a refusal, and then as far up again as it goes.
    const fn size(self) -> usize {
        match (self.passed, self.refused) {
            (0, refused) if refused > VALUES_MAX => VALUES_MAX,
            (0, 1 | 2) => 1,
            (passed, refused) => usize::midpoint(passed, refused),
        }
    }

    const fn is_settled(self) -> bool {
        self.passed + 1 >= self.refused
    }
}

struct Search {
    wanted: HashSet<String>,
    /// Values to ask for.
    queue: VecDeque<String>,
    /// Values that were refused together, though so many have passed before: one of them is the reason.
    suspects: VecDeque<Vec<String>>,
    batch: Batch,
    n_values: u64,
    n_done: u64,
    users: HashMap<String, User>,
    held: HashSet<String>,
    proof: Probe,
}

impl Search {
    fn new(sought: &[Sought]) -> Self {
        let wanted: HashSet<String> = sought.iter().map(|s| s.key.clone()).collect();
        let proof = Probe { keys: wanted.len() as u64, usernames: true, ..Probe::default() };
        Self {
            wanted,
            queue: VecDeque::new(),
            suspects: VecDeque::new(),
            batch: Batch::NEW,
            n_values: 0,
            n_done: 0,
            users: HashMap::new(),
            held: HashSet::new(),
            proof,
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        if self.proof.usernames { &FIELDS } else { &FIELDS[..1] }
    }

    async fn ask<W: Wire>(&mut self, client: &Arc<Client<W>>, values: &[&str]) -> Result<Answer> {
        self.proof.calls += 1;
        client.search(self.fields(), values).await
    }

    /// Learns from known users whether usernames can be searched and whether case matters.
    async fn learn<W: Wire>(&mut self, client: &Arc<Client<W>>, known: &[String]) -> Result<()> {
        let as_spelt: Vec<&str> = known.iter().map(String::as_str).collect();
        let swapped: Vec<String> = known.iter().map(|address| swap_case(address)).collect();
        let stranger = self.wanted.iter().min().cloned().unwrap_or_default();
        let mut asked: Vec<&str> = swapped.iter().map(String::as_str).collect();
        if asked.is_empty() {
            asked.push(&stranger);
        }
        let mut found = self.ask(client, &asked).await?;
        if found.is_err() {
            self.proof.usernames = false;
            found = self.ask(client, &asked).await?;
        }
        if !known.is_empty()
            && let Ok(found) = found
            && !any_is_held(&found, known)
        {
            // Perhaps nobody of them is there any more: only if they are found as they are spelt does case matter.
            let found = self.ask(client, &as_spelt).await?.unwrap_or_default();
            self.proof.case_matters = any_is_held(&found, known);
        }
        Ok(())
    }

    fn fill(&mut self, sought: &[Sought]) {
        let mut left = self.wanted.clone();
        for one in sought.iter().filter(|s| left.remove(&s.key)) {
            let mut values = email::spellings(&one.address, &one.key);
            if !self.proof.case_matters {
                values.retain(|v| *v == one.key || v.to_lowercase() != one.key);
            }
            self.queue.extend(values);
        }
        self.n_values = self.queue.len() as u64;
    }

    fn next(&mut self) -> Option<Vec<String>> {
        let n = self.batch.size().min(self.queue.len());
        let values = self.suspects.pop_front().or_else(|| (n > 0).then(|| self.queue.drain(..n).collect()))?;
        self.proof.calls += 1;
        Some(values)
    }

    fn answered(&mut self, values: Vec<String>, answer: Answer) {
        let n = values.len();
        match answer {
            Ok(found) => {
                self.batch.passed = self.batch.passed.max(n);
                self.proof.values_max = self.proof.values_max.max(n as u64);
                self.n_done += n as u64;
                found.into_iter().for_each(|user| self.take_in(user));
            }
            Err(_) if n == 1 => self.refused_alone(),
            Err(_) if n > self.batch.passed => {
                self.batch.refused = self.batch.refused.min(n);
                values.into_iter().rev().for_each(|value| self.queue.push_front(value));
            }
            Err(_) => {
                let (a, b) = values.split_at(n / 2);
                self.suspects.extend([a.to_vec(), b.to_vec()]);
            }
        }
    }

    /// It is about this value, not about how many there are: the others had no part in it.
    fn refused_alone(&mut self) {
        self.n_done += 1;
        self.proof.refused += 1;
        self.batch = Batch { passed: self.batch.passed, ..Batch::NEW };
        let nothing_passes = self.proof.values_max == 0 && self.proof.refused >= REFUSED_ALONE_MAX;
        if nothing_passes {
            self.proof.refused = self.n_values;
            self.queue.clear();
            self.suspects.clear();
        }
    }

    fn take_in(&mut self, user: User) {
        let keys = Keys::of_user(&user).into_iter().filter(|key| self.wanted.contains(key)).collect::<Vec<_>>();
        if !keys.is_empty() {
            self.held.extend(keys);
            self.users.insert(user.id.clone(), user);
        }
    }

    const fn progress(&self) -> Progress {
        Progress { done: self.n_done, values: self.n_values }
    }

    fn probed(mut self) -> Probed {
        self.proof.held = self.held.len() as u64;
        let mut users: Vec<User> = self.users.into_values().collect();
        users.sort_by(|a, b| a.id.cmp(&b.id));
        Probed { users, proof: self.proof }
    }
}

/// Whether one of `users` holds one of `known`.
fn any_is_held(users: &[User], known: &[String]) -> bool {
    let known: HashSet<String> = known.iter().filter_map(|k| email::normalise(k).ok()).map(|a| a.key).collect();
    users.iter().flat_map(Keys::of_user).any(|key| known.contains(&key))
}

/// The same address in the other case.
fn swap_case(address: &str) -> String {
    let swap = |c: char| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
    address.chars().map(swap).collect()
}
