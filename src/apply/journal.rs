//! The journal: what apply meant to do, and what came of it.
//!
//! An intent is on disk *before* its request leaves; an outcome follows. After a crash a row has no intent (never
//! sent), an outcome (done), or an intent alone: *unknown*. Unknown rows are looked up by key before anything is sent,
//! since creating is not idempotent and a second try could make a second user.
//!
//! One JSON object a line, appended, never rewritten; readable with `jq`. Only intents wait for the disk: an outcome
//! that is lost with the power is found again by looking.
//!
//! # The chain
//!
//! Every line ends with `,"chain":"…"}` and a line feed. The 32 hexadecimal digits in there, in lower case, are the first
//! 16 bytes of the BLAKE3 of two texts, one behind the other:
//!
//! 1. the digits of the line before; for the first line the 64 digits of its own member `manifest`, which are the BLAKE3
//!    of `manifest.json`;
//! 2. the bytes of this line that stand before `,"chain":"`.
//!
//! So a line that was changed, swapped, dropped or put in breaks the chain there, and the last digits stand for everything
//! before them. A run that ends writes its results first and then a last line, `close`, with their digests.
//!
//! # What a crash leaves
//!
//! With the power everything goes that the disk was not waited for: the end of the file may be cut, torn or full of
//! holes. Every line says in `dur` up to which line the disk had been waited for when it was written. A line that cannot
//! be read, with no later one that says it had been waited for, was never acted upon: from there on the end is kept aside
//! and cut off. Any other such line is damage, and damage is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::apply::disk::{Disk, Locked};
use crate::apply::ledger::{Binding, Event, Ledger, Line};
use crate::error::{Error, Kind, Result};
use crate::files::atomic::sync_dir;
use crate::files::manifest::Digest;

/// File name in a plan directory.
pub const FILE: &str = "journal.jsonl";
/// Where a torn tail is kept.
pub const TORN: &str = "journal.torn";
/// Layout of the lines; 1 had no chain, 2 did not say what was on the disk, 3 did not tell pace and waits.
const VERSION: u32 = 4;
/// The oldest layout whose lines mean here what they meant there.
const VERSION_MIN: u32 = 3;
/// Times that a lock is tried, and the wait between.
const LOCK_TRIES: u32 = 5;
const LOCK_WAIT: Duration = Duration::from_millis(20);
/// What stands before and behind the digits of the chain, to the end of the line.
const CHAIN: [&str; 2] = [",\"chain\":\"", "\"}"];
/// Digits of the chain.
const N_DIGITS: usize = 32;

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
    disk: Box<dyn Disk>,
    /// Layout that the header promises: the program that wrote it must be able to read on.
    version: u32,
    seq: u64,
    /// Number of the last line that is on the disk for certain.
    durable: u64,
    /// The digits that the next line follows.
    chain: String,
    /// Set when a write or sync failed: what is on disk is then uncertain, and nothing may follow it.
    failed: bool,
    /// Set when the run has ended: the results are made of what was recorded until then.
    is_over: bool,
    watcher: Watcher,
}

/// Who is told of every event that was written.
#[derive(Default)]
struct Watcher(Option<Box<Watch>>);

type Watch = dyn FnMut(&Event) + Send;

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "somebody" } else { "nobody" })
    }
}

/// What a journal was replayed to, and how much of its end is torn.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// The state.
    pub ledger: Ledger,
    /// The chain's last digits, which stand for every line; none without a line.
    pub chain: String,
    /// Bytes of whole lines; what follows was torn by a crash.
    pub n_bytes_whole: u64,
    /// Bytes of the torn tail.
    pub n_bytes_torn: u64,
}

/// Replays a journal without touching it. What follows the last whole line is the torn tail of a crash.
///
/// # Errors
/// `File` if it cannot be read; `Damaged` if a line that was on the disk cannot be parsed, breaks the chain or cannot
/// follow.
pub fn replay(path: &Path) -> Result<Replayed> {
    replay_with(path, |_| {})
}

/// The same, and `each` is shown every whole line in order: how a run went, where the state alone is not enough.
///
/// # Errors
/// As [`replay`].
pub fn replay_with(path: &Path, mut each: impl FnMut(&Line)) -> Result<Replayed> {
    let file = File::open(path).map_err(|e| Error::file("read", path, e))?;
    Ok(replay_from(path, &mut BufReader::new(file), |line, _| each(line))?.0)
}

/// The chain's last digits, and `each` is shown those of every line in order: whether a journal goes on from an earlier
/// state of it.
///
/// # Errors
/// As [`replay`].
pub fn chain_of(path: &Path, mut each: impl FnMut(&str)) -> Result<String> {
    let file = File::open(path).map_err(|e| Error::file("read", path, e))?;
    Ok(replay_from(path, &mut BufReader::new(file), |_, chain| each(chain))?.0.chain)
}

/// A journal that somebody else writes: what was read of it is not read again.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    replayed: Replayed,
    n_bytes_read: u64,
}

impl Tail {
    /// One of which nothing was read yet; it need not exist.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, replayed: Replayed::default(), n_bytes_read: 0 }
    }

    /// What the lines say that were read.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.replayed.ledger
    }

    /// Bytes that were read so far, those of a line that was not whole yet each time.
    #[must_use]
    pub const fn n_bytes_read(&self) -> u64 {
        self.n_bytes_read
    }

    /// Reads the lines that were written since, and shows each; how many. Of a line that is being written nothing is said.
    ///
    /// # Errors
    /// As [`replay`].
    pub fn catch_up(&mut self, mut each: impl FnMut(&Line)) -> Result<u64> {
        let failed = |e| Error::file("read", &self.path, e);
        let mut file = match File::open(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound && self.replayed.ledger.n_lines == 0 => return Ok(0),
            opened => opened.map_err(failed)?,
        };
        let (before, whole) = (self.replayed.ledger.n_lines, self.replayed.n_bytes_whole);
        if file.metadata().map_err(failed)?.len() < whole {
            return Err(damaged(&self.path, before, "it is shorter than it was"));
        }
        file.seek(SeekFrom::Start(whole)).map_err(failed)?;
        let torn = replay_on(&mut self.replayed, &self.path, &mut BufReader::new(file), |line, _| each(line))?;
        self.n_bytes_read += self.replayed.n_bytes_whole - whole + torn.len() as u64;
        Ok(self.replayed.ledger.n_lines - before)
    }
}

/// Line by line: a journal of a hundred thousand rows does not fit beside its state where memory is short. The torn tail
/// comes too.
fn replay_from(
    path: &Path,
    reader: &mut dyn BufRead,
    mut each: impl FnMut(&Line, &str),
) -> Result<(Replayed, Vec<u8>)> {
    let mut replayed = Replayed::default();
    let torn = replay_on(&mut replayed, path, reader, &mut each)?;
    Ok((replayed, torn))
}

/// The same, going on where `replayed` ends; the torn tail.
fn replay_on(
    replayed: &mut Replayed,
    path: &Path,
    reader: &mut dyn BufRead,
    mut each: impl FnMut(&Line, &str),
) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| Error::file("read", path, e);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        let n = replayed.ledger.n_lines + 1;
        let text = line.strip_suffix(b"\n");
        if n == 1 {
            check_version(path, text.unwrap_or(&line))?;
        }
        let read = text.map_or_else(|| Err("it does not end".to_owned()), |text| read_line(replayed, text));
        let (event, chain) = match read {
            Ok(read) => read,
            Err(why) => {
                let n_line = line.len();
                reader.read_to_end(&mut line).map_err(failed)?;
                if was_on_disk(n, &line[n_line..]) {
                    return Err(damaged(path, n, &why));
                }
                break;
            }
        };
        replayed.ledger.replay(&event).map_err(|why| damaged(path, n, &why))?;
        each(&event, &chain);
        replayed.chain = chain;
        replayed.n_bytes_whole += line.len() as u64;
        line.clear();
    }
    replayed.n_bytes_torn = line.len() as u64;
    Ok(line)
}

/// The event of a line and the digits of its chain; else why it is none.
fn read_line(before: &Replayed, text: &[u8]) -> Result<(Line, String), String> {
    let line: Line = serde_json::from_slice(text).map_err(|e| format!("no event ({e})"))?;
    let chain = match &line.event {
        Event::Header { manifest, .. } if before.ledger.n_lines == 0 => manifest,
        _ => &before.chain,
    };
    let broken = "it does not follow from the lines before: its chain is broken by it, or by one of them";
    let chain = follow(chain, text).ok_or(broken)?;
    Ok((line, chain))
}

/// Whether a line of `after` says that line `n` was on the disk when it was written.
fn was_on_disk(n: u64, after: &[u8]) -> bool {
    let lines = after.split(|byte| *byte == b'\n');
    lines.filter_map(|text| serde_json::from_slice::<Line>(text).ok()).any(|line| line.dur >= n)
}

/// A journal of another layout is whole, but not to be read with this one's rules.
fn check_version(path: &Path, first: &[u8]) -> Result<()> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    match serde_json::from_slice::<Version>(first) {
        Ok(Version { v }) if !(VERSION_MIN..=VERSION).contains(&v) => {
            let what = format!("{} has layout {v}, this program reads {VERSION_MIN} to {VERSION}", path.display());
            Err(Error::new(Kind::Damaged, what).hint(
                "go on with the version of rosterdiff that began it, which its first line names; nothing was sent",
            ))
        }
        // What is no header at all is said of the line as of any other.
        _ => Ok(()),
    }
}

/// The digits of a line whose bytes before its chain are `body`.
fn digits(before: &str, body: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before.as_bytes()).update(body);
    let mut digits = hasher.finalize().to_hex().to_string();
    digits.truncate(N_DIGITS);
    digits
}

/// A line as it is written, without its end, from the JSON object that it is to be; none if that is no object.
fn chained(before: &str, object: &[u8]) -> Option<(Vec<u8>, String)> {
    let body = object.strip_suffix(b"}")?;
    let digits = digits(before, body);
    Some(([body, CHAIN[0].as_bytes(), digits.as_bytes(), CHAIN[1].as_bytes()].concat(), digits))
}

/// The digits of a line, if it follows `before`: all of its bytes are held against it, not what they mean.
fn follow(before: &str, line: &[u8]) -> Option<String> {
    let n_ending = CHAIN[0].len() + N_DIGITS + CHAIN[1].len();
    let (body, ending) = line.split_at(line.len().checked_sub(n_ending)?);
    let digits = digits(before, body);
    (ending == [CHAIN[0], &digits, CHAIN[1]].concat().as_bytes()).then_some(digits)
}

fn damaged(path: &Path, line: u64, why: &str) -> Error {
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
    pub fn open(dir: &Path, to: &Binding, clock: Clock, still: impl FnOnce() -> Result<()>) -> Result<(Self, Ledger)> {
        let path = dir.join(FILE);
        let Some(disk) = lock(&path)? else { return Err(held(&path)) };
        still().inspect_err(|_| {
            if disk.is_empty() {
                let _gone = std::fs::remove_file(&path);
            }
        })?;
        sync_dir(dir)?;
        Self::on(Box::new(disk), path, to, clock, std::process::id())
    }

    /// The same on any disk, whose lock the process `pid` holds; `path` is what errors name.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn on(mut disk: Box<dyn Disk>, path: PathBuf, to: &Binding, clock: Clock, pid: u32) -> Result<(Self, Ledger)> {
        let failed = |e| Error::file("read", &path, e);
        let (replayed, tail) = replay_from(&path, &mut disk.read().map_err(failed)?, |_, _| {})?;
        let Replayed { ledger, chain, n_bytes_whole, .. } = replayed;
        if !tail.is_empty() {
            // It was never acted upon: kept beside the journal, and cut off.
            disk.cut(n_bytes_whole, &tail)?;
        }
        let is_new = ledger.bound_to.is_none();
        if let Some(bound) = &ledger.bound_to {
            check_bound(&path, bound, to)?;
        }
        let chain = if is_new { to.manifest.clone() } else { chain };
        // What was read may be in memory only, and is acted upon from here on.
        disk.persist().map_err(|e| Error::file("write", &path, e))?;
        let (seq, durable) = (ledger.n_lines, ledger.n_lines);
        let watcher = Watcher::default();
        let version = if is_new { VERSION } else { ledger.version };
        let inner = Inner { disk, version, seq, durable, chain, failed: false, is_over: false, watcher };
        let journal = Self { path, clock, inner: Mutex::new(inner) };
        if is_new {
            let Binding { plan, manifest, org } = to.clone();
            let tool = concat!("rosterdiff ", env!("CARGO_PKG_VERSION")).to_owned();
            journal.record(Event::Header { v: VERSION, plan, manifest, org, tool }, false)?;
        }
        journal.record(Event::Run { pid }, true)?;
        Ok((journal, ledger))
    }

    /// Whether nobody is at work on the plan, without taking or leaving anything: before much is asked for nothing.
    ///
    /// # Errors
    /// `Unsafe`, naming the process; `File`.
    pub fn check_free(dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        match path.exists() && Locked::open(&path)?.is_none() {
            true => Err(held(&path)),
            false => Ok(()),
        }
    }

    /// Tells `watcher` from now on of every event that was written, in order. It must not be slow: nobody writes meanwhile.
    pub fn watch(&mut self, watcher: impl FnMut(&Event) + Send + 'static) {
        self.inner().watcher.0 = Some(Box::new(watcher));
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an event; a `durable` one is on disk when this returns.
    ///
    /// # Errors
    /// `File`: then nothing may be sent any more, and every later call fails too. A failed sync is never tried again,
    /// since the kernel may have dropped the pages and called them clean.
    pub fn record(&self, event: Event, durable: bool) -> Result<()> {
        let mut inner = self.inner();
        if inner.is_over {
            // Whoever comes too late is looked up by the next run.
            return Err(Error::new(Kind::File, format!("the run that {} records has ended", self.path.display())));
        }
        self.append(&mut inner, event, durable)
    }

    fn append(&self, inner: &mut Inner, event: Event, durable: bool) -> Result<()> {
        if inner.failed {
            return Err(Error::new(Kind::File, format!("{} could not be written before", self.path.display())));
        }
        if inner.version < VERSION && event.is_of_the_run() {
            return Ok(());
        }
        let line = Line { seq: inner.seq + 1, at: (self.clock)(), dur: inner.durable, event };
        let object = serde_json::to_vec(&line).map_err(|e| Error::bug("an event is no JSON").because(e))?;
        let chained = chained(&inner.chain, &object).ok_or_else(|| Error::bug("an event is no JSON object"))?;
        let (mut text, chain) = chained;
        text.push(b'\n');
        let disk = &mut inner.disk;
        let written = disk.append(&text).and_then(|()| if durable { disk.persist() } else { Ok(()) });
        inner.seq += 1;
        if durable && written.is_ok() {
            inner.durable = inner.seq;
        }
        inner.chain = chain;
        inner.failed = written.is_err();
        if let (Ok(()), Some(watcher)) = (&written, &mut inner.watcher.0) {
            watcher(&line.event);
        }
        written.map_err(|e| {
            Error::file("write", &self.path, e).hint("nothing more was sent; make room and run the same command again")
        })
    }

    /// Notes the end of a run and waits until everything is on disk. Nothing but [`Journal::close`] can follow.
    ///
    /// # Errors
    /// `File`.
    pub fn end(&self, why: &str) -> Result<()> {
        let mut inner = self.inner();
        inner.is_over = true;
        self.append(&mut inner, Event::End { why: why.to_owned() }, true)
    }

    /// Closes the directory of a run that has ended: `files` are on disk and what they will be.
    ///
    /// # Errors
    /// `File`.
    pub fn close(&self, files: BTreeMap<String, Digest>) -> Result<()> {
        let mut inner = self.inner();
        inner.is_over = true;
        self.append(&mut inner, Event::Close { files }, true)
    }
}

/// Whether a journal that is bound already belongs to what is at hand.
fn check_bound(path: &Path, bound: &Binding, to: &Binding) -> Result<()> {
    if bound.org == to.org {
        return bound.check(path, &to.plan, &to.manifest);
    }
    let what = format!("{} belongs to organisation {}, not {}", path.display(), bound.org, to.org);
    Err(Error::new(Kind::Unsafe, what)
        .hint("use that organisation's OAuth client, or plan again into another directory; nothing was sent"))
}

/// The locked file. Whoever only looks whether it is free holds it for a moment, and that keeps nobody from it.
fn lock(path: &Path) -> Result<Option<Locked>> {
    for _ in 1..LOCK_TRIES {
        if let Some(locked) = Locked::open(path)? {
            return Ok(Some(locked));
        }
        std::thread::sleep(LOCK_WAIT);
    }
    Locked::open(path)
}

/// Who holds the journal's lock.
fn held(path: &Path) -> Error {
    let pid = replay(path).ok().and_then(|r| r.ledger.pid);
    let holder = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
    Error::new(Kind::Unsafe, format!("{holder} is at work on this plan"))
        .hint("wait for it, or look with `rosterdiff status`; nothing was done")
}

impl Binding {
    /// Whether the journal at `path`, which is bound so, is of this plan and this manifest.
    ///
    /// # Errors
    /// `Unsafe`.
    pub fn check(&self, path: &Path, plan: &str, manifest: &str) -> Result<()> {
        let (whose, hint) = match self {
            _ if self.plan != plan => ("another plan", "plan again into another directory; nothing was sent"),
            _ if self.manifest != manifest => (
                "another manifest.json of this plan: it was changed since the run began",
                "bring it back as it was, or plan again into another directory; nothing was sent",
            ),
            _ => return Ok(()),
        };
        Err(Error::new(Kind::Unsafe, format!("{} belongs to {whose}", path.display())).hint(hint))
    }
}
