//! Everything that is told, and to whom: people on stderr, programs in a record of events.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::args::Talk;
use super::events::Events;
use super::render::{Screen, plain};
use crate::error::Result;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Info,
    Warning,
    Error,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Whoever talks.
#[derive(Debug)]
pub(super) struct Voice {
    pub talk: Talk,
    pub screen: Screen,
    events: Option<Events>,
    result: Mutex<Value>,
}

impl Voice {
    /// A voice that tells of the events of `command` as it is asked to.
    ///
    /// # Errors
    /// `File` if events cannot be written.
    pub(super) fn new(talk: Talk, command: &str) -> Result<Self> {
        let events = talk.events.as_deref().map(|path| Events::create(path, command)).transpose()?;
        Ok(Self::over(talk, events))
    }

    /// One that tells of no events.
    pub(super) fn eventless(talk: Talk) -> Self {
        Self::over(talk, None)
    }

    fn over(talk: Talk, events: Option<Events>) -> Self {
        let screen = Screen::new(!talk.quiet);
        Self { talk, screen, events, result: Mutex::new(Value::Null) }
    }

    /// Whether programs are told of events.
    pub(super) const fn has_events(&self) -> bool {
        self.events.is_some()
    }

    /// Tells programs of something.
    pub(super) fn event(&self, kind: &str, members: &Value) {
        if let Some(events) = &self.events {
            events.tell(kind, members);
            self.mourn(events);
        }
    }

    /// Tells that events are missing, once.
    fn mourn(&self, events: &Events) {
        if let Some(why) = events.failure() {
            self.screen.tell(&why);
        }
    }

    /// Tells a line; `is_shown`: people want it, too.
    pub(super) fn tell(&self, level: Level, text: &str, is_shown: bool) {
        if is_shown {
            self.screen.tell(text);
        }
        let level = if text.starts_with("warning: ") { Level::Warning } else { level };
        self.event("said", &json!({ "level": level.word(), "text": plain(text.trim_start()) }));
    }

    /// Keeps the object that the end is told with.
    pub(super) fn keep(&self, object: &Value) {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).clone_from(object);
    }

    /// Tells how it ended: nothing is told afterwards.
    pub(super) fn end(&self, exit: u8) {
        self.screen.show(None);
        if let Some(events) = &self.events {
            events.end(exit, &self.result.lock().unwrap_or_else(PoisonError::into_inner));
            self.mourn(events);
        }
    }
}
