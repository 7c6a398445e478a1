//! Work that takes long, while it goes on: a line for people on a terminal, events for programs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;

use super::gauge::{Gauge, Stage, Wait, Why};
use super::render::{Render, Screen};
use super::voice::Voice;
use crate::api::wire::Wire;
use crate::api::{Client, Waiting};
use crate::lanes::{Meter, Part};

/// How often somebody looks.
const TICK: Duration = Duration::from_millis(200);
/// Between two events of progress.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// What takes less than this is told of to programs alone.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why nothing leaves just now, and how many calls may in a minute.
type Ask = Box<dyn Fn() -> (Option<Waiting>, Option<u32>) + Send + Sync>;

/// A piece of work: begun when it is made, ended when it is dropped.
pub(super) struct Task {
    shared: Option<Arc<Shared>>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    voice: Arc<Voice>,
    begun: Instant,
    ask: Ask,
    inner: Mutex<Inner>,
}

struct Inner {
    gauge: Gauge,
    told_at: Option<Duration>,
    /// What programs were told that is waited for.
    waiting: Option<Why>,
    is_over: bool,
}

impl Render {
    /// Begins work of one kind, with calls of `client`.
    pub(super) fn stage<W: Wire>(&self, stage: Stage, client: &Arc<Client<W>>) -> Task {
        let client = Arc::clone(client);
        let ask = move || {
            let allowed = client.has_heard().then(|| client.standing().allowed_per_min());
            (client.waiting(), allowed)
        };
        Task::begin(self.voice(), stage, Box::new(ask))
    }

    /// Watches a meter until the result is dropped.
    pub(super) fn watch(&self, meter: Meter, shows_writing: bool) -> Watch {
        Watch::begin(self.voice(), meter, shows_writing)
    }
}

impl Task {
    fn begin(voice: &Arc<Voice>, stage: Stage, ask: Ask) -> Self {
        if !voice.screen.is_watched() && !voice.has_events() {
            return Self { shared: None, ticker: None };
        }
        voice.event("stage", &json!({ "stage": stage.word(), "what": "begin" }));
        let inner = Inner { gauge: Gauge::new(stage), told_at: None, waiting: None, is_over: false };
        let shared =
            Arc::new(Shared { voice: Arc::clone(voice), begun: Instant::now(), ask, inner: Mutex::new(inner) });
        let ticking = Arc::clone(&shared);
        let ticker = tokio::spawn(async move {
            loop {
                tokio::time::sleep(TICK).await;
                ticking.tick();
            }
        });
        Self { shared: Some(shared), ticker: Some(ticker) }
    }

    /// So much is done of so much.
    pub(super) fn at(&self, done: u64, total: u64) {
        if let Some(shared) = &self.shared {
            let now = shared.begun.elapsed();
            shared.inner().gauge.at(now, done, total);
            shared.tick();
        }
    }

    /// What else there is to say, and what is known to wait for an answer.
    pub(super) fn note(&self, note: impl FnOnce() -> String, away: Option<Why>) {
        if let Some(shared) = &self.shared {
            let gauge = &mut shared.inner().gauge;
            (gauge.note, gauge.away) = (note(), away);
        }
    }
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        let now = self.begun.elapsed();
        let (waiting, allowed) = (self.ask)();
        let mut inner = self.inner();
        if inner.is_over {
            return;
        }
        inner.gauge.allowed_per_min = allowed;
        inner.gauge.held(now, waiting);
        inner.tell(&self.voice, now);
        if inner.gauge.is_begun() {
            self.voice.screen.show(Some(&inner.gauge.line(now, Screen::width())));
        }
    }
}

impl Inner {
    /// Tells programs what is new.
    fn tell(&mut self, voice: &Voice, now: Duration) {
        let wait = self.gauge.wait();
        if wait.map(|wait| wait.why) != self.waiting {
            self.resume(voice);
            wait.iter().for_each(|wait| tell_wait(voice, self.gauge.stage, *wait, now));
            self.waiting = wait.map(|wait| wait.why);
        }
        if self.gauge.is_begun() && self.told_at.is_none_or(|at| now >= at + TOLD_EVERY) {
            self.told_at = Some(now);
            voice.event("progress", &self.gauge.members(now));
        }
    }

    fn resume(&mut self, voice: &Voice) {
        if let Some(why) = self.waiting.take() {
            voice.event("resumed", &json!({ "stage": self.gauge.stage.word(), "why": why.word() }));
        }
    }
}

fn tell_wait(voice: &Voice, stage: Stage, wait: Wait, now: Duration) {
    let until = wait.until.map(|until| super::stamp(until.saturating_sub(now)));
    let (why, words) = (wait.why.word(), wait.why.words());
    voice.event("wait", &json!({ "stage": stage.word(), "why": why, "words": words, "until": until }));
}

impl Drop for Task {
    fn drop(&mut self) {
        self.ticker.iter().for_each(JoinHandle::abort);
        let Some(shared) = &self.shared else { return };
        let (now, mut inner) = (shared.begun.elapsed(), shared.inner());
        inner.is_over = true;
        inner.resume(&shared.voice);
        end(&shared.voice, &inner.gauge, now);
        shared.voice.screen.show(None);
    }
}

/// What a stage ends with.
fn end(voice: &Voice, gauge: &Gauge, now: Duration) {
    if gauge.is_begun() {
        voice.event("progress", &gauge.members(now));
    }
    voice.event("stage", &json!({ "stage": gauge.stage.word(), "what": "end" }));
}

/// Work on big files: its parts are told of as they begin and end, and shown when they take long.
pub(super) struct Watch {
    watched: Option<Arc<Mutex<Watched>>>,
    ticker: Option<JoinHandle<()>>,
}

struct Watched {
    voice: Arc<Voice>,
    begun: Instant,
    meter: Meter,
    shows_writing: bool,
    /// The part at work, and since when.
    current: Option<(Gauge, Duration, Option<Duration>)>,
    n_begun: usize,
    is_shown: bool,
}

impl Watch {
    fn begin(voice: &Arc<Voice>, meter: Meter, shows_writing: bool) -> Self {
        if !voice.screen.is_watched() && !voice.has_events() {
            return Self { watched: None, ticker: None };
        }
        let watched = Arc::new(Mutex::new(Watched {
            voice: Arc::clone(voice),
            begun: Instant::now(),
            meter,
            shows_writing,
            current: None,
            n_begun: 0,
            is_shown: false,
        }));
        let ticking = Arc::clone(&watched);
        let ticker = tokio::spawn(async move {
            loop {
                tokio::time::sleep(TICK).await;
                ticking.lock().unwrap_or_else(PoisonError::into_inner).tick();
            }
        });
        Self { watched: Some(watched), ticker: Some(ticker) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ticker.iter().for_each(JoinHandle::abort);
        let Some(watched) = &self.watched else { return };
        let mut watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.tick();
        watched.end_current();
        watched.hide();
    }
}

impl Watched {
    fn tick(&mut self) {
        let now = self.begun.elapsed();
        while let Some(part) = Part::ALL.get(self.n_begun).filter(|part| self.meter.of(**part).is_some()) {
            self.end_current();
            let gauge = Gauge::new(stage_of(*part));
            self.voice.event("stage", &json!({ "stage": gauge.stage.word(), "what": "begin" }));
            self.current = Some((gauge, now, None));
            self.n_begun += 1;
        }
        self.measure(now);
        let Some((gauge, since, told_at)) = &mut self.current else { return };
        let takes_long = now >= *since + PATIENCE && !gauge.is_done();
        if takes_long && told_at.is_none_or(|at| now >= at + TOLD_EVERY) {
            *told_at = Some(now);
            self.voice.event("progress", &gauge.members(now));
        }
        if takes_long && (gauge.stage != Stage::Write || self.shows_writing) {
            self.is_shown = true;
            self.voice.screen.show(Some(&gauge.line(now, Screen::width())));
        } else {
            self.hide();
        }
    }

    fn measure(&mut self, now: Duration) {
        let part = self.n_begun.checked_sub(1).map(|at| Part::ALL[at]);
        if let Some((gauge, ..)) = &mut self.current
            && let Some((done, total)) = part.and_then(|part| self.meter.of(part))
        {
            gauge.at(now, done, total);
        }
    }

    fn end_current(&mut self) {
        let now = self.begun.elapsed();
        self.measure(now);
        if let Some((gauge, ..)) = self.current.take() {
            end(&self.voice, &gauge, now);
        }
    }

    /// Only a line of one's own is taken away: calls may be told of meanwhile.
    fn hide(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            self.voice.screen.show(None);
        }
    }
}

const fn stage_of(part: Part) -> Stage {
    match part {
        Part::Read => Stage::Read,
        Part::Compare => Stage::Compare,
        Part::Write => Stage::Write,
    }
}
