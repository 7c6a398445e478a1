//! Keys that nobody seems to hold are looked up, where the snapshot does not prove that nobody does.
//!
//! One exact search takes many addresses and all states. How many it takes is not documented, so a refusal halves the
//! batch and the largest size that passes is kept. Whether it tells upper from lower case is not documented either: a
//! user who is listed is sought in the other case first. Whether it passes over what it does not take is not documented
//! either: that user is the last value of every search that is larger than those before, and has to be found (if he is
//! sought himself, behind everybody else). A search is an index of its own and no more than the service's word: what comes back counts only if it holds a key that was asked
//! for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::api::wire::Wire;
use crate::api::{Client, Words};
use crate::email;
use crate::error::{Error, Result};
use crate::find::Batch;
use crate::person::{State, User};
use crate::plan::Sought;
use crate::snapshot::{Keys, Probe};

/// Searches side by side, once the service has shown how many values it takes.
const CALLS_IN_FLIGHT: usize = 8;
/// Values that are refused alone before the service counts as one that does not search at all.
const REFUSED_ALONE_MAX: usize = 3;
/// Listed users whose addresses are used to learn how the search compares.
const KNOWN: usize = 5;
/// Users of a page to take them from: the default size, which every service takes.
const KNOWN_PAGE_SIZE: u32 = 25;
/// Where a key may be held.
const FIELDS: [&str; 2] = ["email", "username"];

/// What looking up came to.
#[derive(Clone, Debug, Default)]
pub struct Probed {
    /// Users who hold one of the keys, each once.
    pub users: Vec<User>,
    /// Keys that the service refused to search for.
    pub refused: HashSet<String>,
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

/// Looks `sought` up over users of all states.
///
/// `organisation_id` and `ended_at` of the proof are left to the caller.
///
/// # Errors
/// `Credentials`, `Unreachable`. A search that is refused is no error: the proof says so.
pub async fn probe<W: Wire>(
    client: &Arc<Client<W>>,
    sought: &[Sought],
    mut progress: impl FnMut(Progress),
) -> Result<Probed> {
    let mut search = Search::new(sought);
    if sought.is_empty() {
        search.proof.case_matters = Some(false);
        return Ok(search.probed());
    }
    search.learn(client).await?;
    search.fill(sought);
    let mut flying = JoinSet::new();
    loop {
        // Until the size is known, one call at a time: a refusal would meet them all.
        let most = if search.batch.is_settled() { CALLS_IN_FLIGHT } else { 1 };
        while flying.len() < most
            && let Some(asked) = search.next()
        {
            flying.spawn(ask(Arc::clone(client), search.fields(), asked));
        }
        let Some(done) = flying.join_next().await else { break };
        let (asked, answer) = done.map_err(|_| Error::bug("a search task died"))??;
        search.answered(asked, answer);
        progress(search.progress());
    }
    Ok(search.probed())
}

type Answer = Result<Vec<User>, Words>;

async fn ask<W: Wire>(
    client: Arc<Client<W>>,
    fields: &'static [&'static str],
    asked: Asked,
) -> Result<(Asked, Answer)> {
    let known = asked.known.as_ref().map(|known| &known.address);
    let values: Vec<&str> = asked.values.iter().chain(known).map(String::as_str).collect();
    let answer = client.search(fields, &values).await?;
    Ok((asked, answer))
}

/// The values of one search.
#[derive(Debug)]
struct Asked {
    values: Vec<String>,
    /// Whose address is the last value: somebody who is there.
    known: Option<Known>,
}

impl Asked {
    const fn of(values: Vec<String>) -> Self {
        Self { values, known: None }
    }

    fn len(&self) -> usize {
        self.values.len() + usize::from(self.known.is_some())
    }

    /// Whether the answer lacks whom it has to have.
    fn lacks_known(&self, answer: &Answer) -> bool {
        self.known.as_ref().is_some_and(|known| answer.is_ok() && !known.is_in(answer))
    }
}

/// A user who is listed.
#[derive(Clone, Debug)]
struct Known {
    id: String,
    /// His e-mail, as the organisation spells it.
    address: String,
    keys: Vec<String>,
}

impl Known {
    fn of(user: User) -> Option<Self> {
        let keys = Keys::of_user(&user).into_iter().collect();
        let address = email::normalise(&user.email?).ok()?.address;
        Some(Self { id: user.id, address, keys })
    }

    fn is_in(&self, answer: &Answer) -> bool {
        answer.as_ref().is_ok_and(|users| users.iter().any(|user| user.id == self.id))
    }
}

struct Search {
    wanted: HashSet<String>,
    /// Values to ask for.
    queue: VecDeque<String>,
    /// Values that were refused together, though so many have passed before: one of them is the reason.
    suspects: VecDeque<Vec<String>>,
    batch: Batch,
    /// Somebody whom a search finds, as far as is known; and the size of a search that did not find him among others.
    known: Option<Known>,
    missed_at: Option<usize>,
    n_values: u64,
    n_done: u64,
    users: HashMap<String, User>,
    held: HashSet<String>,
    refused: HashSet<String>,
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
            known: None,
            missed_at: None,
            n_values: 0,
            n_done: 0,
            users: HashMap::new(),
            held: HashSet::new(),
            refused: HashSet::new(),
            proof,
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        if self.proof.usernames { &FIELDS } else { &FIELDS[..1] }
    }

    /// Asks for one value: a refusal is then not about their number.
    async fn ask<W: Wire>(&mut self, client: &Arc<Client<W>>, value: &str) -> Result<Answer> {
        self.proof.calls += 1;
        let answer = client.search(self.fields(), &[value]).await?;
        if answer.is_ok() {
            self.batch.passed(1);
            self.proof.values_max = 1;
        }
        Ok(answer)
    }

    /// Learns from users who are listed whether usernames can be searched and whether case matters.
    async fn learn<W: Wire>(&mut self, client: &Arc<Client<W>>) -> Result<()> {
        let known = listed_users(client).await?;
        let stranger = self.wanted.iter().min().cloned().unwrap_or_default();
        if self.ask(client, &stranger).await?.is_err() {
            self.proof.usernames = false;
            if self.ask(client, &stranger).await?.is_err() {
                return Ok(());
            }
        }
        // An organisation without anybody has nobody to miss.
        self.proof.case_matters = known.is_empty().then_some(false);
        for known in known {
            let folds = known.is_in(&self.ask(client, &swap_case(&known.address)).await?);
            // Perhaps it is not in the index yet: only if it is found as it is spelt does case matter.
            if folds || known.is_in(&self.ask(client, &known.address).await?) {
                self.proof.case_matters = Some(!folds);
                self.known = Some(known);
                break;
            }
        }
        Ok(())
    }

    fn fill(&mut self, sought: &[Sought]) {
        let mut left = self.wanted.clone();
        // He who shows whether a search reads to its end must not be found by a value before that: he comes last.
        let is_known = |one: &&Sought| self.known.as_ref().is_some_and(|known| known.keys.contains(&one.key));
        let (last, first): (Vec<_>, Vec<_>) = sought.iter().filter(|s| left.remove(&s.key)).partition(is_known);
        for one in first.into_iter().chain(last) {
            let mut values = email::spellings(&one.address, &one.key);
            if self.proof.case_matters == Some(false) {
                values.retain(|v| *v == one.key || v.to_lowercase() != one.key);
            }
            self.queue.extend(values);
        }
        self.n_values = self.queue.len() as u64;
    }

    fn next(&mut self) -> Option<Asked> {
        let asked = if self.missed_at.is_some() {
            Asked { values: Vec::new(), known: self.known.clone() }
        } else if let Some(suspects) = self.suspects.pop_front() {
            Asked::of(suspects)
        } else {
            self.next_batch()?
        };
        self.proof.calls += 1;
        Some(asked)
    }

    /// As many values as one search takes; larger than any before, it has to show that it reads to the end.
    fn next_batch(&mut self) -> Option<Asked> {
        let most = self.batch.size();
        let n = most.min(self.queue.len());
        let known = self.known.clone().filter(|_| n > 1 && !self.batch.has_passed(n));
        let n = if known.is_some() { n.min(most - 1) } else { n };
        (n > 0).then(|| Asked { values: self.queue.drain(..n).collect(), known })
    }

    fn answered(&mut self, asked: Asked, answer: Answer) {
        let n = asked.len();
        if let Some(missed_at) = self.missed_at.take() {
            // Alone he is found: so it was for their number. Or he is gone, and proves nothing.
            if asked.lacks_known(&answer) || answer.is_err() {
                self.known = None;
            } else {
                self.batch.refused(missed_at);
            }
            return;
        }
        let (is_cut, values) = (asked.lacks_known(&answer), asked.values);
        match answer {
            Ok(_) if is_cut => {
                self.missed_at = Some(n);
                values.into_iter().rev().for_each(|value| self.queue.push_front(value));
            }
            Ok(found) => {
                self.batch.passed(n);
                self.proof.values_max = self.proof.values_max.max(n as u64);
                self.n_done += values.len() as u64;
                found.into_iter().for_each(|user| self.take_in(user));
            }
            Err(_) if n == 1 => self.refused_alone(&values[0]),
            Err(_) if self.batch.refused(n) => {
                values.into_iter().rev().for_each(|value| self.queue.push_front(value));
            }
            Err(_) => {
                let (a, b) = values.split_at(values.len() / 2);
                self.suspects.extend([a.to_vec(), b.to_vec()]);
            }
        }
    }

    /// It is about this value, not about how many there are: the others had no part in it.
    fn refused_alone(&mut self, value: &str) {
        self.n_done += 1;
        self.refused.extend(email::normalise(value).map(|address| address.key));
        self.batch.refused_alone();
        let nothing_passes = self.proof.values_max == 0 && self.refused.len() >= REFUSED_ALONE_MAX;
        if nothing_passes {
            self.refused.clone_from(&self.wanted);
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
        self.proof.refused = self.refused.len() as u64;
        let mut users: Vec<User> = self.users.into_values().collect();
        users.sort_by(|a, b| a.id.cmp(&b.id));
        Probed { users, refused: self.refused, proof: self.proof }
    }
}

/// A few users with an e-mail: active ones, or whoever there is.
async fn listed_users<W: Wire>(client: &Arc<Client<W>>) -> Result<Vec<Known>> {
    for state in State::ALL {
        if let Ok(page) = client.page(state, 1, KNOWN_PAGE_SIZE).await? {
            let known: Vec<Known> = page.users.into_iter().filter_map(Known::of).take(KNOWN).collect();
            if !known.is_empty() {
                return Ok(known);
            }
        }
    }
    Ok(Vec::new())
}

/// The same address in the other case.
fn swap_case(address: &str) -> String {
    let swap = |c: char| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
    address.chars().map(swap).collect()
}
