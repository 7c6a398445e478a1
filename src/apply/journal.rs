//! The journal: what apply meant to do, and what came of it.
//!
//! An intent is on disk *before* its request leaves; an outcome follows. After a crash a row has no intent (never
//! sent), an outcome (done), or an intent alone: *unknown*. Unknown rows are looked up by key before anything is sent,
//! since creating is not idempotent and a second try could make a second user.
//!
//! One JSON object a line, appended, never rewritten; readable with `jq`. Only intents wait for the disk: an outcome
//! that is lost with the power is found again by looking.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::apply::ledger::{Event, Ledger, Line};
use crate::error::{Error, Kind, Result};
use crate::files::atomic::sync_dir;

/// File name in a plan directory.
pub const FILE: &str = "journal.jsonl";
const VERSION: u32 = 1;

/// Gives RFC 3339 time stamps.
pub type Clock = fn() -> String;

/// The open journal of a plan: one writer at a time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    clock: Clock,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    seq: u64,
    /// Set when a write or sync failed: what is on disk is then uncertain, and nothing may follow it.
    failed: bool,
}

/// What a journal was replayed to, and how much of its end is torn.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// The state.
    pub ledger: Ledger,
    /// Bytes of whole lines; what follows was torn by a crash.
    pub n_bytes_whole: u64,
    /// Bytes of the torn tail.
    pub n_bytes_torn: u64,
}

/// Replays a journal without touching it. A last line that does not end is the torn tail of a crash.
///
/// # Errors
/// `File` if it cannot be read; `Damaged` if a whole line cannot be parsed or cannot follow.
pub fn replay(path: &Path) -> Result<Replayed> {
    let bytes = std::fs::read(path).map_err(|e| Error::file("read", path, e))?;
    let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
    let mut ledger = Ledger::default();
    for (n, text) in bytes[..whole].split(|b| *b == b'\n').enumerate().filter(|(_, text)| !text.is_empty()) {
        let line: Line = serde_json::from_slice(text).map_err(|e| damaged(path, n + 1, &format!("no event ({e})")))?;
        ledger.replay(&line).map_err(|why| damaged(path, n + 1, &why))?;
    }
    Ok(Replayed { ledger, n_bytes_whole: whole as u64, n_bytes_torn: (bytes.len() - whole) as u64 })
}

fn damaged(path: &Path, line: usize, why: &str) -> Error {
    Error::new(Kind::Damaged, format!("{}, line {line}: {why}", path.display()))
        .hint("the journal was changed by something else than rosterdiff; nothing was sent")
}

impl Journal {
    /// Opens or creates the journal of a plan, takes its lock, cuts a torn tail (kept beside it) and notes the run.
    ///
    /// `still` is asked under the lock, before anything is written: whether the directory is what the caller has read.
    /// From then on nobody replaces it.
    ///
    /// # Errors
    /// `Unsafe` if another process holds it, or if it belongs to another plan or organisation; `Damaged`, `File`; what
    /// `still` fails with. A journal that this call created is then gone again.
    pub fn open(
        dir: &Path,
        plan: &str,
        org: &str,
        clock: Clock,
        still: impl FnOnce() -> Result<()>,
    ) -> Result<(Self, Ledger)> {
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        let options = options.create(true).append(true).read(true).mode(0o600);
        let file = options.open(&path).map_err(|e| Error::file("open", &path, e))?;
        lock(&file, &path)?;
        still().inspect_err(|_| {
            if file.metadata().is_ok_and(|found| found.len() == 0) {
                let _gone = std::fs::remove_file(&path);
            }
        })?;
        sync_dir(dir)?;
        let replayed = replay(&path)?;
        cut_torn_tail(&file, &path, &replayed)?;
        let ledger = replayed.ledger;
        let journal = Self { path, clock, inner: Mutex::new(Inner { file, seq: ledger.n_lines, failed: false }) };
        match &ledger.bound_to {
            Some((p, o)) if p == plan && o == org => {}
            Some((p, o)) => {
                let whose = if p == plan { format!("organisation {o}, not {org}") } else { "another plan".to_owned() };
                let what = format!("{} belongs to {whose}", journal.path.display());
                return Err(Error::new(Kind::Unsafe, what).hint(
                    "use that organisation's OAuth client, or plan again into another directory; nothing was sent",
                ));
            }
            None => {
                let tool = concat!("rosterdiff ", env!("CARGO_PKG_VERSION")).to_owned();
                journal
                    .record(Event::Header { v: VERSION, plan: plan.to_owned(), org: org.to_owned(), tool }, false)?;
            }
        }
        journal.record(Event::Run { pid: std::process::id() }, true)?;
        Ok((journal, ledger))
    }

    /// Appends an event; a `durable` one is on disk when this returns.
    ///
    /// # Errors
    /// `File`: then nothing may be sent any more, and every later call fails too. A failed sync is never tried again,
    /// since the kernel may have dropped the pages and called them clean.
    pub fn record(&self, event: Event, durable: bool) -> Result<()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.failed {
            return Err(Error::new(Kind::File, format!("{} could not be written before", self.path.display())));
        }
        let line = Line { seq: inner.seq + 1, at: (self.clock)(), event };
        let mut text = serde_json::to_vec(&line).map_err(|e| Error::bug("an event is no JSON").because(e))?;
        text.push(b'\n');
        let written = inner.file.write_all(&text).and_then(|()| if durable { inner.file.sync_data() } else { Ok(()) });
        inner.seq += 1;
        inner.failed = written.is_err();
        written.map_err(|e| {
            Error::file("write", &self.path, e).hint("nothing more was sent; make room and run the same command again")
        })
    }

    /// Notes the end of a run and waits until everything is on disk.
    ///
    /// # Errors
    /// `File`.
    pub fn end(&self, why: &str) -> Result<()> {
        self.record(Event::End { why: why.to_owned() }, true)
    }
}

fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let pid = replay(path).ok().and_then(|r| r.ledger.pid);
            let holder = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
            Err(Error::new(Kind::Unsafe, format!("{holder} is applying this plan"))
                .hint("wait for it, or look with `rosterdiff status`; nothing was sent"))
        }
        Err(TryLockError::Error(e)) => Err(Error::file("lock", path, e)),
    }
}

/// What a crash left half-written was never acknowledged: it is kept beside the journal and cut off.
fn cut_torn_tail(file: &File, path: &Path, replayed: &Replayed) -> Result<()> {
    if replayed.n_bytes_torn == 0 {
        return Ok(());
    }
    let bytes = std::fs::read(path).map_err(|e| Error::file("read", path, e))?;
    let whole = usize::try_from(replayed.n_bytes_whole).unwrap_or(bytes.len());
    let aside = path.with_extension("torn");
    crate::files::atomic::write(&aside, |out| {
        out.write_all(&bytes[whole..]).map_err(|e| Error::file("write", &aside, e))
    })?;
    let cut = file.set_len(replayed.n_bytes_whole).and_then(|()| file.sync_data());
    cut.map_err(|e| Error::file("write", path, e))
}
