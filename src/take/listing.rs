//! One state's listing while it is read: which page to ask for next, and what has come.

use std::collections::HashSet;

use crate::api::{CursorPage, PAGE_SIZES, Page, Words};
use crate::person::State;
use crate::snapshot::StateProof;

/// Pages of one listing that are believed: half a billion users.
const PAGES_MAX: u32 = 1_000_000;
/// Empty pages in a row after which a cursor that goes on is not believed any more: so do official clients.
const EMPTY_PAGES_MAX: u32 = 3;

/// One thing to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub state: State,
    pub ask: Ask,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// Page 1: how many there are, and the page size that the service really uses.
    Open { size: u32 },
    /// Another page of the same size.
    Page { number: u32, size: u32 },
    /// Page 1 once more, when all pages of all states are in: for the total.
    Close { size: u32 },
    /// A page of the cursor listing; none is the first.
    Walk { cursor: Option<String>, size: u32 },
}

/// What came.
#[derive(Clone, Debug)]
pub(super) enum Came {
    Page(Page),
    Walk(CursorPage),
    /// The service's refusal.
    Refused(Words),
}

/// The listing of one state in one pass.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub proof: StateProof,
    state: State,
    size: u32,
    /// Pages that the total promises.
    promised: u32,
    /// Highest page asked for.
    last: u32,
    /// Pages that are still out.
    missing: u32,
    /// Whether the walk has begun, and which cursors it has met.
    walking: bool,
    cursors: HashSet<String>,
    empty_in_a_row: u32,
    stale_in_a_row: u32,
}

impl Listing {
    pub(super) fn new(state: State) -> Self {
        let proof = StateProof {
            state: state.as_str().to_owned(),
            pages: 0,
            total_start: None,
            total_end: None,
            unique: 0,
            users: 0,
            capped: false,
            walked: false,
        };
        Self {
            proof,
            state,
            size: PAGE_SIZES[0],
            promised: 1,
            last: 1,
            missing: 0,
            walking: false,
            cursors: HashSet::new(),
            empty_in_a_row: 0,
            stale_in_a_row: 0,
        }
    }

    /// Forgets the pass before, but not whom it found nor which page size it learnt.
    pub(super) fn begin_pass(&mut self) {
        let (pages, users) = (self.proof.pages, self.proof.users);
        *self = Self { size: self.size, ..Self::new(self.state) };
        (self.proof.pages, self.proof.users) = (pages, users);
    }

    fn job(&self, ask: Ask) -> Job {
        Job { state: self.state, ask }
    }

    pub(super) fn opening(&self) -> Job {
        self.job(Ask::Open { size: self.size })
    }

    pub(super) fn closing(&self) -> Job {
        self.job(Ask::Close { size: self.size })
    }

    /// Everything behind page 1.
    pub(super) fn rest(&mut self, cursor_works: bool) -> Vec<Job> {
        let total = self.proof.total_start.unwrap_or(0);
        self.promised = u32::try_from(total.div_ceil(u64::from(self.size))).unwrap_or(u32::MAX).clamp(1, PAGES_MAX);
        (self.last, self.missing) = (self.promised, self.promised - 1);
        let size = self.size;
        let jobs: Vec<Job> = (2..=self.last).map(|number| self.job(Ask::Page { number, size })).collect();
        if jobs.is_empty() { self.beyond(true, cursor_works) } else { jobs }
    }

    /// Page 1 was refused: a smaller page, if there is one to try.
    pub(super) fn reopened(&mut self, size: u32) -> Option<Job> {
        let smaller = PAGE_SIZES.into_iter().find(|s| *s < size)?;
        self.size = smaller;
        Some(self.opening())
    }

    pub(super) fn opened(&mut self, page: &Page) {
        self.proof.total_start = page.total;
        self.size = page.page_size;
    }

    pub(super) fn closed(&mut self, page: &Page) {
        self.proof.total_end = page.total;
    }

    /// Page `number` came and brought `n_fresh` users nobody had seen in this pass.
    pub(super) fn paged(&mut self, number: u32, n_fresh: usize, cursor_works: bool) -> Vec<Job> {
        self.missing = self.missing.saturating_sub(1);
        if self.missing > 0 || self.proof.capped {
            return Vec::new();
        }
        // A page behind the promised ones that brings nobody is the end.
        self.beyond(number <= self.promised || n_fresh > 0, cursor_works)
    }

    /// Whether a page stands behind those that were promised.
    pub(super) const fn is_behind(&self, number: u32) -> bool {
        number > self.promised
    }

    /// All pages that were promised are in. Pages may have been short, more users may have come, or the total may end where
    /// the service stops counting, and with it the last page: then the page behind the last one tells. Where that is
    /// beyond what it pages to, too, only a walk does.
    fn beyond(&mut self, goes_on: bool, cursor_works: bool) -> Vec<Job> {
        if self.proof.is_doubted() {
            return self.walk(cursor_works);
        }
        let total = self.proof.total_start;
        let all_came = total.is_some_and(|total| self.proof.unique >= total);
        let is_full = total == Some(u64::from(self.last) * u64::from(self.size));
        let is_empty = self.proof.unique == 0 && total.is_none();
        if !goes_on || all_came && !is_full && !self.proof.is_miscounted() || is_empty || self.last >= PAGES_MAX {
            return Vec::new();
        }
        self.last += 1;
        self.missing = 1;
        vec![self.job(Ask::Page { number: self.last, size: self.size })]
    }

    /// Pages tell no more: the cursor may, unless it is known not to work.
    pub(super) fn walk(&mut self, cursor_works: bool) -> Vec<Job> {
        if self.walking || !cursor_works {
            return Vec::new();
        }
        self.walking = true;
        vec![self.job(Ask::Walk { cursor: None, size: self.size })]
    }

    /// A page of the walk came, with `n_users` of whom `n_fresh` are news. Only where no cursor follows has it come to its
    /// end: one that leads in a circle, or on and on to nobody, is left.
    pub(super) fn walked(&mut self, n_users: usize, n_fresh: usize, next: Option<String>) -> Vec<Job> {
        self.empty_in_a_row = if n_users == 0 { self.empty_in_a_row + 1 } else { 0 };
        // The pages before the cap are walked once more: that many may bring nobody.
        self.stale_in_a_row = if n_fresh == 0 { self.stale_in_a_row + 1 } else { 0 };
        let Some(next) = next else {
            self.proof.walked = true;
            return Vec::new();
        };
        let goes_on = self.empty_in_a_row < EMPTY_PAGES_MAX
            && self.stale_in_a_row <= self.promised.saturating_add(EMPTY_PAGES_MAX)
            && self.cursors.insert(next.clone());
        if goes_on { vec![self.job(Ask::Walk { cursor: Some(next), size: self.size })] } else { Vec::new() }
    }
}
