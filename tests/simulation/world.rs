//! What line, disk and story share: chance, the course of events, where the process dies, and which laws were broken.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use xxhash_rust::xxh3::Xxh3;

use super::chance::Chance;
use super::fault::{Fault, Tally};

/// How often something goes wrong, in this world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ill {
    /// Calls of a thousand that meet a fault.
    pub calls: u64,
    /// Creates of a thousand that are refused with 400.
    pub refusals: u64,
    /// Calls of a thousand during which a stranger acts.
    pub strangers: u64,
    /// Calls of a thousand with which an outage begins.
    pub outages: u64,
    /// Writes and waits of a thousand at which the disk fails.
    pub disk: u64,
}

/// Which calls an outage is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    Everything,
    Creates,
    Searches,
    Logins,
}

/// What a crash at some event is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The process dies; what was written stays.
    Kill,
    /// The power fails.
    Power,
    /// The disk is full from here on, until the next run.
    NoSpace,
    /// It fails from here on, until the next run.
    IoError,
    /// Somebody presses Ctrl-C.
    Stop,
}

pub struct Inner {
    pub chance: Chance,
    pub ill: Ill,
    pub tally: Tally,
    /// Longest a request may be on its way.
    pub late_max: Duration,
    /// Events at which something ends, the next one first.
    pub ends: Vec<(u64, End)>,
    pub n_events: u64,
    /// The process is dead: nothing it does has an effect any more.
    pub is_dead: bool,
    /// It died of a power failure.
    pub lost_power: bool,
    /// What the disk does from now on.
    pub disk_is: Option<End>,
    pub stop: Option<watch::Sender<bool>>,
    /// When somebody pressed Ctrl-C.
    pub stopped_at: Option<Instant>,
    /// What is out, how it fails, and until when.
    pub outage: Option<(Out, Fault, Instant)>,
    /// Durable intents and creates sent, by row.
    pub n_intents: HashMap<u32, u64>,
    pub n_posts: HashMap<u32, u64>,
    /// Row of an address.
    pub rows: HashMap<String, u32>,
    /// From when until when a token has to wait.
    pub pauses: HashMap<String, (Instant, Instant)>,
    pub broken: Vec<String>,
    trace: Xxh3,
    text: Option<String>,
    begun: Instant,
}

/// Shared by all.
#[derive(Clone)]
pub struct World {
    inner: Arc<Mutex<Inner>>,
    pub died: Arc<Notify>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl World {
    pub fn new(chance: Chance, tells: bool) -> Self {
        let inner = Inner {
            chance,
            ill: Ill::default(),
            tally: Tally::default(),
            late_max: Duration::ZERO,
            ends: Vec::new(),
            n_events: 0,
            is_dead: false,
            lost_power: false,
            disk_is: None,
            stop: None,
            stopped_at: None,
            outage: None,
            n_intents: HashMap::new(),
            n_posts: HashMap::new(),
            rows: HashMap::new(),
            pauses: HashMap::new(),
            broken: Vec::new(),
            trace: Xxh3::new(),
            text: tells.then(String::new),
            begun: Instant::now(),
        };
        Self { inner: Arc::new(Mutex::new(inner)), died: Arc::new(Notify::new()) }
    }

    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is about to happen at `place`: what ends here, if anything does. A stop is passed on at once.
    pub fn event(&self, place: &str) -> Option<End> {
        let mut inner = self.inner();
        inner.n_events += 1;
        inner.note(place);
        let at = inner.n_events;
        let (_, end) = inner.ends.pop_if(|(when, _)| *when <= at)?;
        inner.note(&format!("{end:?}"));
        match end {
            End::Kill | End::Power => {
                (inner.is_dead, inner.lost_power) = (true, end == End::Power);
                inner.tally.fire(if end == End::Kill { Fault::Killed } else { Fault::PowerLost });
                self.died.notify_one();
            }
            End::NoSpace | End::IoError => inner.disk_is = Some(end),
            End::Stop => {
                inner.tally.fire(Fault::Stopped);
                inner.stopped_at = Some(Instant::now());
                if let Some(stop) = &inner.stop {
                    stop.send_replace(true);
                }
            }
        }
        Some(end)
    }

    pub fn note(&self, text: &str) {
        self.inner().note(text);
    }

    /// A law was broken.
    pub fn accuse(&self, law: String) {
        let mut inner = self.inner();
        inner.note(&law);
        inner.broken.push(law);
    }

    pub fn is_dead(&self) -> bool {
        self.inner().is_dead
    }

    /// What happened, as a number; and in words, if they were wanted.
    pub fn trace(&self) -> (u64, Option<String>) {
        let inner = self.inner();
        (inner.trace.digest(), inner.text.clone())
    }
}

impl Inner {
    pub fn note(&mut self, text: &str) {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.trace.update(&ms.to_le_bytes());
        self.trace.update(text.as_bytes());
        if let Some(all) = &mut self.text {
            let _always = writeln!(all, "{:>9}.{:03} {text}", ms / 1_000, ms % 1_000);
        }
    }

    /// Whether a chance of so many in a thousand comes true.
    pub fn happens(&mut self, permille: u64) -> bool {
        permille > 0 && self.chance.below(1_000) < permille
    }

    pub fn sleep(&mut self, first_ms: u64, last_ms: u64) -> Duration {
        Duration::from_millis(self.chance.between(first_ms, last_ms))
    }
}
