//! An organisation on loopback, a directory of its own, and the program between them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rosterdiff::files::manifest::Manifest;
use rosterdiff::sim::{Org, Server, Settings};
use serde_json::Value;

use crate::support::{Ran, data, program, scratch};

/// Where nobody listens: what is offline must not notice.
pub const NOWHERE: &str = "http://127.0.0.1:9";

/// How long something that has to happen is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service whose quota does not slow a test down.
pub fn fast() -> Settings {
    Settings { rate_allowed: 1_000_000, ..Settings::default() }
}

pub struct World {
    pub dir: tempfile::TempDir,
    pub server: Server,
    // Below the server, so that it is dropped after it.
    runtime: tokio::runtime::Runtime,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        Self::of(Org::new(settings))
    }

    pub fn of(org: Org) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let _inside = runtime.enter();
        let server = Server::start(org, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        Self { dir: scratch(), server, runtime }
    }

    /// The organisation of `data/org.csv`, its roster as `hr.csv`.
    pub fn sample(settings: Settings) -> Self {
        let mut org = Org::new(settings);
        org.seed_csv(&std::fs::read_to_string(data("org.csv")).unwrap()).unwrap();
        let world = Self::of(org);
        std::fs::copy(data("roster.csv"), world.path("hr.csv")).unwrap();
        world
    }

    /// A world with `roster` as `hr.csv`, planned into `hr.plan` from a fresh snapshot.
    pub fn planned(settings: Settings, roster: &str) -> Self {
        let world = Self::new(settings);
        world.write("hr.csv", roster);
        world.plan();
        world
    }

    /// Snapshot, then plan of `hr.csv` into `hr.plan`.
    pub fn plan(&self) {
        self.done("snapshot -o org.parquet -q");
        self.done("plan hr.csv --snapshot org.parquet -o hr.plan -q");
    }

    /// Makes `hr.plan` a plan whose proof is so many seconds old, or of the future if negative: its manifest says so and is
    /// sealed again, as if the clock had been another when it was made.
    pub fn age_plan(&self, seconds: i64) {
        let dir = self.path("hr.plan");
        let mut manifest = Manifest::read(&dir).unwrap();
        let at = Timestamp::now().as_second() - seconds;
        let at = Timestamp::from_second(at).unwrap().to_string();
        let certificate = manifest.certificate.iter_mut().flat_map(|c| [&mut c.started_at, &mut c.ended_at]);
        let probe = manifest.probe.iter_mut().map(|probe| &mut probe.ended_at);
        certificate.chain(probe).chain([&mut manifest.made_at]).for_each(|said| said.clone_from(&at));
        manifest.write(&dir).unwrap();
    }

    /// The runtime of the server, for another one beside it.
    pub fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// A command line, split at blanks. Most of these organisations begin empty, as no real one does: that is accepted.
    pub fn command(&self, line: &str) -> Command {
        let mut command = command(self.dir.path(), &self.server.base_url(), line);
        if line.starts_with("apply ") {
            command.arg("--accept-empty-snapshot");
        }
        command
    }

    pub fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).output().unwrap())
    }

    /// Runs what has to end with 0.
    pub fn done(&self, line: &str) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        ran
    }

    pub fn start(&self, line: &str) -> Child {
        self.command(line).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Requests of any kind that reached the organisation.
    pub fn n_requests(&self) -> u64 {
        self.server.with_org(|org| org.counts().by_status.values().sum())
    }

    /// Creates that reached the organisation.
    pub fn n_posts(&self) -> u64 {
        self.server.with_org(|org| org.counts().n("POST", "/api/v2/users"))
    }

    /// Whole lines of the journal of `hr.plan`; none before there is one.
    pub fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("hr.plan/journal.jsonl")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub fn command(dir: &Path, url: &str, line: &str) -> Command {
    let mut command = program(dir, url);
    command.args(line.split_whitespace());
    command
}

/// Every file below `dir` with what it holds; directories hold nothing.
pub fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(path) = todo.pop() {
        let is_dir = path.is_dir();
        if is_dir {
            todo.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let bytes = if is_dir { Vec::new() } else { std::fs::read(&path).unwrap() };
        found.insert(path, bytes);
    }
    found
}

/// The rows of a CSV, each by column.
pub fn table(bytes: &[u8], delimiter: u8) -> Vec<BTreeMap<String, String>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// `n` people, numbered from 1.
pub fn people(n: usize) -> String {
    let row = |n: usize| format!("Person {n},person{n}@hr.example,Support\n");
    format!("Name,Email,Department\n{}", (1..=n).map(row).collect::<String>())
}

/// Waits until `look` finds something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The keys of an object, in order of the alphabet.
pub fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
