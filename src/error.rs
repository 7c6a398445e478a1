//! What can go wrong in the world around us, and which exit code says so.
//!
//! Bad *data* is a value (a verdict with a reason), a broken *world* is an [`Error`]. An error names the thing (path,
//! row, page, call) in a lower-case fragment, keeps its cause and says what to do next. It never holds a secret or a
//! person's address.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// The kind of an error; each has one exit code, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Wrong usage, unknown region, forbidden URL.
    Usage,
    /// A file cannot be read, used or written.
    File,
    /// Refused for safety: unproven, tampered with, of another organisation, locked, not confirmed.
    Unsafe,
    /// Credentials or permission.
    Credentials,
    /// Organisation unreachable or throttled beyond patience; safe to run again.
    Unreachable,
    /// Interrupted; calls in flight were settled, safe to run again.
    Interrupted,
    /// A file of ours is damaged.
    Damaged,
    /// Snapshot incomplete or plan unproven.
    Incomplete,
    /// Verification found a difference.
    Differs,
    /// A law of the program itself is broken; nothing was written after it was found.
    Bug,
}

impl Kind {
    /// The process exit code (`README.md`, "Exit codes").
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::File => 3,
            Self::Unsafe => 4,
            Self::Credentials => 5,
            Self::Unreachable => 6,
            Self::Interrupted => 7,
            Self::Damaged => 8,
            Self::Incomplete => 9,
            Self::Differs => 10,
            Self::Bug => 70,
        }
    }
}

/// An error of this crate.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    what: String,
    hint: Option<String>,
    wait: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` that says `what` went wrong with which thing.
    #[must_use]
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), hint: None, wait: None, source: None }
    }

    /// A file that cannot be read, used or written: `path` is named, the cause kept.
    #[must_use]
    pub fn file(verb: &str, path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let hint = match verb {
            "read" | "open" | "use" => "check that the path is right and the file readable",
            _ => "check that its directory exists, may be written to and has room",
        };
        Self::new(Kind::File, format!("cannot {verb} {}", path.display())).because(cause).hint(hint)
    }

    /// Something that cannot happen unless this program is wrong.
    #[must_use]
    pub fn bug(what: impl Into<String>) -> Self {
        Self::new(Kind::Bug, what).hint("this is a fault of rosterdiff: please report it; no call was made after it")
    }

    /// Somebody wanted the work to end. Whoever says so has dropped what was half-written.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "interrupted; no half-written file is left").hint("safe to run again")
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds where the setting stands that it is about.
    #[must_use]
    pub fn said_in(mut self, place: &str) -> Self {
        self.what = format!("{} (said in {place})", self.what);
        self
    }

    /// Adds how long to wait before the same is tried again.
    #[must_use]
    pub const fn after(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How long to wait before the same is tried again, if the service says so: from that the door knows the time.
    #[must_use]
    pub const fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// What to do next, if something can be done.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a reader that nobody here wrote over a file that nobody here wrote. None if it panics: the file is damaged in a
/// way that it did not think of.
pub fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    IS_GUARDED.set(true);
    let read = catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(false);
    read.ok()
}

/// Whether a panic of this thread is somebody's to catch, and nobody's to be told of.
#[must_use]
pub fn is_guarded() -> bool {
    IS_GUARDED.get()
}

/// polars fails only where a column is missing or of another type than this crate gave it.
impl From<polars::error::PolarsError> for Error {
    fn from(cause: polars::error::PolarsError) -> Self {
        Self::bug("a frame does not have the columns it was built with").because(cause)
    }
}
