//! The only loop over pages of users: ALL of every state, with what the listing proved.
//!
//! A pass has three parts with a line between them: page 1 of every state says how many there are; then come all other
//! pages, as many side by side as the pace lets out; then page 1 of every state again. Only if the totals of *all* states
//! are the same before and after, and as many different ids came as they promise, has everybody been seen: see
//! [`Certificate`]. If users came or went meanwhile, another pass is made, three at the most; whoever came in any of
//! them is in the snapshot.
//!
//! Where the service refuses to page further (10,000 inactive users), the cursor listing is walked, if there is one. Pages
//! go to the sink as they come, in any order, so memory stays flat but for one fingerprint per user, and another in a
//! second pass.

mod listing;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::api::wire::Wire;
use crate::api::{Client, Organisation, Words};
use crate::error::{Error, Kind, Result};
use crate::person::{Division, State, User};
use crate::snapshot::{Certificate, StateProof};
use listing::{Ask, Came, Job, Listing};

/// Pages asked for side by side: at 1.6 s a page all that the default quota lets out; each costs half a megabyte.
const PAGES_IN_FLIGHT: usize = 8;
/// Passes before the listing counts as incomplete: an organisation that never rests.
const PASSES_MAX: u32 = 3;
/// Users that room is made for at once, whatever a reply promises.
const RESERVE_MAX: usize = 1_000_000;

/// Told while pages come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pass over all states, from 1.
    pub pass: u32,
    /// Unique users of this pass so far.
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
    let organisation = client.organisation().await?;
    // Rosters may name divisions; a client that may not see them can take a snapshot all the same.
    let divisions = client.divisions().await?.ok();
    let mut taken = Taken::new();
    loop {
        taken.begin_pass();
        let mut told = |taken: &Taken| {
            progress(taken.progress());
            sink(&taken.fresh)
        };
        taken.pass(client, &mut told).await?;
        let proofs = || taken.listings.iter().map(|l| &l.proof);
        let is_hopeless = proofs().any(StateProof::is_hopeless) || counts_no_further(proofs());
        if taken.pass == PASSES_MAX || proofs().all(StateProof::holds) || is_hopeless {
            break;
        }
    }
    Ok(taken.certificate(organisation, started_at, now(), divisions))
}

async fn fetch<W: Wire>(client: Arc<Client<W>>, job: Job) -> Result<(Job, Came)> {
    let came = match &job.ask {
        Ask::Open { size } | Ask::Close { size } => client.page(job.state, 1, *size).await?.map(Came::Page),
        Ask::Page { number, size } => client.page(job.state, *number, *size).await?.map(Came::Page),
        Ask::Walk { cursor, size } => client.cursor_page(job.state, cursor.as_deref(), *size).await?.map(Came::Walk),
    };
    Ok((job, came.unwrap_or_else(Came::Refused)))
}

#[derive(Debug)]
struct Taken {
    pass: u32,
    listings: [Listing; 3],
    /// Whoever came in any pass: each is handed on once.
    seen: HashSet<u64>,
    /// Whoever came in this pass, once there is a second one.
    seen_again: HashSet<u64>,
    n_without_id: u64,
    no_cursor: Option<String>,
    /// Users of the page just read that no page had before.
    fresh: Vec<User>,
}

impl Taken {
    fn new() -> Self {
        Self {
            pass: 0,
            listings: State::ALL.map(Listing::new),
            seen: HashSet::new(),
            seen_again: HashSet::new(),
            n_without_id: 0,
            no_cursor: None,
            fresh: Vec::new(),
        }
    }

    fn begin_pass(&mut self) {
        self.pass += 1;
        self.listings.iter_mut().for_each(Listing::begin_pass);
        self.seen_again.clear();
        self.n_without_id = 0;
    }

    async fn pass<W: Wire>(
        &mut self,
        client: &Arc<Client<W>>,
        told: &mut impl FnMut(&Self) -> Result<()>,
    ) -> Result<()> {
        let openings = self.listings.iter().map(Listing::opening).collect();
        self.run(client, openings, told).await?;
        let promised: u64 = self.listings.iter().filter_map(|l| l.proof.total_start).sum();
        if self.pass == 1 {
            // Growing step by step would hold the old table and the new one together.
            let more = usize::try_from(promised).unwrap_or(RESERVE_MAX).saturating_sub(self.seen.len());
            self.seen.reserve(more.min(RESERVE_MAX));
        }
        let cursor_works = self.no_cursor.is_none();
        let rest = self.listings.iter_mut().flat_map(|listing| listing.rest(cursor_works)).collect();
        self.run(client, rest, told).await?;
        let closings = self.listings.iter().map(Listing::closing).collect();
        self.run(client, closings, told).await
    }

    /// Asks for everything in `queue` and for what follows from it, several calls at a time, until all is in.
    async fn run<W: Wire>(
        &mut self,
        client: &Arc<Client<W>>,
        mut queue: VecDeque<Job>,
        told: &mut impl FnMut(&Self) -> Result<()>,
    ) -> Result<()> {
        let mut flying = JoinSet::new();
        loop {
            while flying.len() < PAGES_IN_FLIGHT
                && let Some(job) = queue.pop_front()
            {
                flying.spawn(fetch(Arc::clone(client), job));
            }
            let Some(done) = flying.join_next().await else { return Ok(()) };
            let (job, came) = done.map_err(|_| Error::bug("a page task died"))??;
            let state = job.state;
            queue.extend(self.landed(job, came)?);
            if self.listings[state as usize].proof.capped {
                // The pages behind the cap would be refused one by one.
                queue.retain(|job| job.state != state || !matches!(job.ask, Ask::Page { .. }));
            }
            told(self)?;
        }
    }

    /// Takes in what came and says what to ask for next.
    fn landed(&mut self, job: Job, came: Came) -> Result<Vec<Job>> {
        self.fresh.clear();
        let at = job.state as usize;
        self.listings[at].proof.pages += 1;
        let next = match (&job.ask, came) {
            (Ask::Open { .. }, Came::Page(page)) => {
                self.listings[at].opened(&page);
                self.take_in(at, page.users, page.n_without_id);
                Vec::new()
            }
            (Ask::Close { .. }, Came::Page(page)) => {
                self.listings[at].closed(&page);
                self.take_in(at, page.users, 0);
                Vec::new()
            }
            (Ask::Page { number, .. }, Came::Page(mut page)) => {
                let users = std::mem::take(&mut page.users);
                let n_fresh = self.take_in(at, users, page.n_without_id);
                self.listings[at].paged(*number, n_fresh, self.no_cursor.is_none())
            }
            (Ask::Walk { .. }, Came::Walk(mut page)) => {
                let users = std::mem::take(&mut page.users);
                let n_users = users.len();
                let n_fresh = self.take_in(at, users, page.n_without_id);
                self.listings[at].walked(n_users, n_fresh, page.next)
            }
            (_, Came::Refused(words)) => self.refused(&job, &words)?,
            (_, Came::Page(_) | Came::Walk(_)) => return Err(Error::bug("a page of another listing came")),
        };
        Ok(next)
    }

    fn refused(&mut self, job: &Job, words: &Words) -> Result<Vec<Job>> {
        let listing = &mut self.listings[job.state as usize];
        match &job.ask {
            // What a capped listing answers; on page 1 the page may be too large.
            // Behind the promised pages there may be no page at all.
            Ask::Page { number, .. } if words.status == 404 && listing.is_behind(*number) => {
                Ok(listing.paged(*number, 0, self.no_cursor.is_none()))
            }
            Ask::Page { .. } if words.status == 400 => {
                listing.proof.capped = true;
                Ok(listing.walk(self.no_cursor.is_none()))
            }
            Ask::Open { size } if words.status == 400 => {
                let smaller = listing.reopened(*size);
                smaller.map(|job| vec![job]).ok_or_else(|| refusal(job, words))
            }
            Ask::Walk { .. } => {
                self.no_cursor = Some(no_cursor(words));
                Ok(Vec::new())
            }
            Ask::Open { .. } | Ask::Page { .. } | Ask::Close { .. } => Err(refusal(job, words)),
        }
    }

    /// Notes who came; keeps in `fresh` whom nobody has seen before. How many came that this pass had not seen.
    fn take_in(&mut self, at: usize, users: Vec<User>, n_without_id: u64) -> usize {
        self.n_without_id += n_without_id;
        let mut n_fresh = 0;
        for user in users {
            let print = fingerprint(&user.id);
            let is_new = self.seen.insert(print);
            if if self.pass == 1 { is_new } else { self.seen_again.insert(print) } {
                self.listings[at].proof.unique += 1;
                n_fresh += 1;
            }
            if is_new {
                self.listings[user.state as usize].proof.users += 1;
                self.fresh.push(user);
            }
        }
        n_fresh
    }

    fn progress(&self) -> Progress {
        let users = self.listings.iter().map(|l| l.proof.unique).sum();
        let promised = self.listings.iter().filter_map(|l| l.proof.total_start).sum();
        Progress { pass: self.pass, users, promised }
    }

    fn certificate(
        self,
        organisation: Organisation,
        started_at: String,
        ended_at: String,
        divisions: Option<Vec<Division>>,
    ) -> Certificate {
        let states: Vec<StateProof> = self.listings.map(|l| l.proof).into();
        Certificate {
            complete: self.n_without_id == 0 && states.iter().all(StateProof::holds),
            organisation_id: organisation.id,
            organisation_name: organisation.name,
            started_at,
            ended_at,
            passes: self.pass,
            states,
            n_without_id: self.n_without_id,
            no_cursor: self.no_cursor,
            divisions,
        }
    }
}

/// Whether more came than all totals together promise, before and after: whoever only moves between states changes no
/// sum, and no further pass would change what the service counts to.
fn counts_no_further<'p>(mut proofs: impl Iterator<Item = &'p StateProof>) -> bool {
    let sums = proofs.try_fold((0, 0), |(came, promised), proof| {
        let total = proof.total_start.filter(|total| proof.total_end == Some(*total))?;
        Some((came + proof.unique, promised + total))
    });
    sums.is_some_and(|(came, promised)| came > promised)
}

/// 64 bits of an id. Should two ids ever share them, a user is missing and the snapshot says that it is incomplete.
fn fingerprint(id: &str) -> u64 {
    let hash = blake3::hash(id.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

fn no_cursor(words: &Words) -> String {
    let what = match words.status {
        403 => "needs directory:user:view for all divisions",
        404 | 405 | 501 => "does not exist here",
        _ => "was refused",
    };
    format!("{what} (HTTP {})", words.status)
}

fn refusal(job: &Job, words: &Words) -> Error {
    let code = words.code.as_deref().unwrap_or("no code");
    let what = format!("GET users, {}: HTTP {} ({code})", job.state, words.status);
    Error::new(Kind::Unreachable, what).hint("the service refuses to list these users; nothing was written")
}
