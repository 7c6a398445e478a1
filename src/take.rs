//! The only paging loop: ALL users of every state, with what the listing proved.
//!
//! Each state is listed by itself, since a cap strikes per listing. Page 1 says how many there are; the other pages are
//! asked for side by side, as many as the pace lets out; page 1 is read once more when all others are in, since the
//! total has to be the one promised at the start. (Not the page past the end: a capped listing refuses it even when
//! everybody came.) Pages go to the sink as they come, in any order, so memory stays flat but for one fingerprint per
//! user.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::api::wire::Wire;
use crate::api::{Client, Page, Words};
use crate::error::{Error, Kind, Result};
use crate::person::{State, User};
use crate::snapshot::{Certificate, StateProof};

/// Pages asked for side by side: at 1.6 s a page all that the default quota lets out; each costs half a megabyte.
const PAGES_IN_FLIGHT: usize = 8;
/// Pages of one listing that are believed: half a billion users.
const PAGES_MAX: u32 = 1_000_000;
/// Users that room is made for at once, whatever a reply promises.
const RESERVE_MAX: usize = 1_000_000;

/// Told while pages come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Unique users so far.
    pub users: u64,
    /// Users promised by the listings so far.
    pub promised: u64,
}

/// Pages through all users and hands each page's new ones to `sink`. `now` gives RFC 3339 time stamps.
///
/// # Errors
/// `Credentials`, `Unreachable`, or whatever the sink fails with. A cap or a drift is no error: the certificate says so.
pub async fn take<W: Wire>(
    client: &Arc<Client<W>>,
    now: &(dyn Fn() -> String + Send + Sync),
    mut sink: impl FnMut(&[User]) -> Result<()>,
    mut progress: impl FnMut(Progress),
) -> Result<Certificate> {
    let started_at = now();
    let organisation_id = client.organisation().await?.id;
    let mut taken = Taken::default();
    let first = |state: &State| Job { state: *state, number: 1, size: None, is_closing: false };
    let mut jobs: VecDeque<Job> = State::ALL.iter().map(first).collect();
    let mut flying = JoinSet::new();
    loop {
        while flying.len() < PAGES_IN_FLIGHT
            && let Some(job) = jobs.pop_front()
        {
            flying.spawn(fetch(Arc::clone(client), job));
        }
        let Some(done) = flying.join_next().await else { break };
        let (job, page) = done.map_err(|e| Error::bug("a page task died").because(e))??;
        jobs.extend(taken.page(job, page)?);
        sink(&taken.fresh)?;
        progress(taken.progress());
    }
    let proofs = taken.listings.iter().map(|l| l.proof.clone()).collect::<Vec<_>>();
    let complete = taken.n_without_id == 0 && proofs.iter().all(StateProof::holds);
    Ok(Certificate {
        complete,
        organisation_id,
        started_at,
        ended_at: now(),
        states: proofs,
        n_without_id: taken.n_without_id,
    })
}

/// One page to ask for.
#[derive(Clone, Copy, Debug)]
struct Job {
    state: State,
    number: u32,
    /// Page size that the service really used on page 1: another one would shift the pages.
    size: Option<u32>,
    /// Whether it only asks for the total, when all others are in.
    is_closing: bool,
}

async fn fetch<W: Wire>(client: Arc<Client<W>>, job: Job) -> Result<(Job, Result<Page, Words>)> {
    Ok((job, client.page(job.state, job.number, job.size).await?))
}

/// One state's listing while it is read.
#[derive(Clone, Debug)]
struct Listing {
    proof: StateProof,
    /// Page size that the service really uses.
    size: u32,
    /// Pages that are still out.
    missing: u32,
}

#[derive(Debug)]
struct Taken {
    listings: [Listing; 3],
    seen: HashSet<u64>,
    n_without_id: u64,
    /// New users of the page just read.
    fresh: Vec<User>,
}

impl Default for Taken {
    fn default() -> Self {
        let listing = |state: State| Listing {
            proof: StateProof {
                state: state.as_str().to_owned(),
                pages: 0,
                total_start: 0,
                total_end: 0,
                unique: 0,
                capped: false,
            },
            size: 0,
            missing: 0,
        };
        Self { listings: State::ALL.map(listing), seen: HashSet::new(), n_without_id: 0, fresh: Vec::new() }
    }
}

impl Taken {
    fn progress(&self) -> Progress {
        let sum = |of: fn(&Listing) -> u64| self.listings.iter().map(of).sum();
        Progress { users: sum(|l| l.proof.unique), promised: sum(|l| l.proof.total_start) }
    }

    /// Takes a page in and says which pages to ask for next.
    fn page(&mut self, job: Job, page: Result<Page, Words>) -> Result<Vec<Job>> {
        self.fresh.clear();
        let at = job.state as usize;
        self.listings[at].proof.pages += 1;
        match page {
            Ok(page) => {
                if job.number == 1 && !job.is_closing {
                    // Growing step by step would hold the old table and the new one together.
                    self.seen.reserve(usize::try_from(page.total).unwrap_or(RESERVE_MAX).min(RESERVE_MAX));
                }
                self.take_in(at, &page);
                Ok(self.listings[at].next(job, &page))
            }
            // What a capped listing answers; on page 1 it is a refusal like any other.
            Err(words) if words.status == 400 && job.number > 1 => {
                self.listings[at].proof.capped = true;
                Ok(self.listings[at].landed(job.state))
            }
            Err(words) => Err(refused(job, &words)),
        }
    }

    fn take_in(&mut self, at: usize, page: &Page) {
        self.n_without_id += page.n_without_id;
        for user in &page.users {
            if self.seen.insert(fingerprint(&user.id)) {
                self.listings[at].proof.unique += 1;
                self.fresh.push(user.clone());
            }
        }
    }
}

impl Listing {
    /// What to ask for after a page.
    fn next(&mut self, job: Job, page: &Page) -> Vec<Job> {
        if job.is_closing {
            self.proof.total_end = page.total;
            return Vec::new();
        }
        if job.number > 1 {
            return self.landed(job.state);
        }
        self.proof.total_start = page.total;
        self.size = page.page_size;
        let last =
            u32::try_from(page.total.div_ceil(u64::from(page.page_size))).unwrap_or(u32::MAX).clamp(1, PAGES_MAX);
        self.missing = last;
        let rest = (2..=last).map(|number| Job { number, size: Some(page.page_size), ..job });
        rest.chain(self.landed(job.state)).collect()
    }

    /// One page less is out; after the last one the total is asked for again.
    fn landed(&mut self, state: State) -> Vec<Job> {
        self.missing -= 1;
        let closing = Job { state, number: 1, size: Some(self.size), is_closing: true };
        if self.missing == 0 { vec![closing] } else { Vec::new() }
    }
}

/// 64 bits of an id. Should two ids ever share them, a user is missing and the snapshot says that it is incomplete.
fn fingerprint(id: &str) -> u64 {
    let hash = blake3::hash(id.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

fn refused(job: Job, words: &Words) -> Error {
    let code = words.code.as_deref().unwrap_or("no code");
    let what = format!("GET users, {}, page {}: HTTP {} ({code})", job.state, job.number, words.status);
    Error::new(Kind::Unreachable, what).hint("the service refuses to list these users; nothing was written")
}
