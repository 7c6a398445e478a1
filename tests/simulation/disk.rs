//! A disk that loses what was not waited for, tears lines, runs full and fails.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rosterdiff::apply::disk::Disk;
use rosterdiff::error::Result;

use super::fault::Fault;
use super::world::{End, World};

/// What a disk writes as a whole.
const SECTOR: usize = 512;

#[derive(Debug, Default)]
struct Bytes {
    all: Vec<u8>,
    n_durable: usize,
}

/// The disk of one machine; clones are the same one.
#[derive(Clone, Debug)]
pub struct Platter {
    bytes: Arc<Mutex<Bytes>>,
    world: World,
}

impl Platter {
    pub fn new(world: World) -> Self {
        Self { bytes: Arc::default(), world }
    }

    fn bytes(&self) -> MutexGuard<'_, Bytes> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn text(&self) -> Vec<u8> {
        self.bytes().all.clone()
    }

    /// Lines that nothing may ever take away again.
    pub fn n_durable_lines(&self) -> u64 {
        let bytes = self.bytes();
        bytes.all[..bytes.n_durable].iter().filter(|b| **b == b'\n').count() as u64
    }

    /// The power fails: of what was not waited for a part is there, and of that perhaps a sector not.
    pub fn lose_power(&self) {
        let mut bytes = self.bytes();
        let (n_durable, n_all) = (bytes.n_durable, bytes.all.len());
        let mut inner = self.world.inner();
        let n_kept = n_durable + inner.chance.below((n_all - n_durable) as u64 + 1) as usize;
        let n_kept = if inner.chance.one_in(4) { n_all } else { n_kept };
        bytes.all.truncate(n_kept);
        if inner.chance.one_in(3) && n_kept > n_durable {
            let at = n_durable + inner.chance.below((n_kept - n_durable) as u64) as usize;
            let end = (at / SECTOR * SECTOR + SECTOR).min(n_kept);
            bytes.all[at..end].fill(0);
        }
        if bytes.all.last().is_some_and(|b| *b != b'\n') {
            inner.tally.fire(Fault::Torn);
        }
        inner.note(&format!("{} bytes of {n_all} are left", bytes.all.len()));
    }

    /// What stops a write or a wait here, if anything does.
    fn failure(&self, place: &str) -> Option<io::Error> {
        let end = self.world.event(place);
        let mut inner = self.world.inner();
        if inner.is_dead {
            return Some(io::Error::other("the process is dead"));
        }
        if end.is_none() && inner.disk_is.is_none() {
            let permille = inner.ill.disk;
            if inner.happens(permille) {
                inner.disk_is = Some(inner.chance.pick(&[End::NoSpace, End::IoError]));
            }
        }
        let (fault, kind) = match inner.disk_is? {
            End::NoSpace => (Fault::NoSpace, io::ErrorKind::StorageFull),
            _ => (Fault::IoError, io::ErrorKind::Other),
        };
        inner.tally.fire(fault);
        inner.note(&format!("{fault:?}"));
        Some(kind.into())
    }

    /// Counts the intents that are on the disk for good.
    fn count_intents(&self, lines: &[u8]) {
        let mut inner = self.world.inner();
        for line in String::from_utf8_lossy(lines).lines().filter(|line| line.contains("\"ev\":\"intent\"")) {
            let row = line.split("\"row\":").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
            *inner.n_intents.entry(row.unwrap()).or_default() += 1;
        }
    }
}

impl Disk for Platter {
    fn read(&self) -> io::Result<Box<dyn io::BufRead>> {
        Ok(Box::new(io::Cursor::new(self.text())))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let failure = self.failure("append");
        let mut all = self.bytes();
        let Some(failure) = failure else {
            all.all.extend_from_slice(bytes);
            return Ok(());
        };
        // Some of it is there all the same.
        let n = self.world.inner().chance.below(bytes.len() as u64 + 1) as usize;
        all.all.extend_from_slice(&bytes[..n]);
        Err(failure)
    }

    fn persist(&mut self) -> io::Result<()> {
        if let Some(failure) = self.failure("persist") {
            return Err(failure);
        }
        let mut bytes = self.bytes();
        self.count_intents(&bytes.all[bytes.n_durable..]);
        bytes.n_durable = bytes.all.len();
        Ok(())
    }

    fn cut(&mut self, n_bytes: u64, _tail: &[u8]) -> Result<()> {
        let mut bytes = self.bytes();
        let n_bytes = usize::try_from(n_bytes).unwrap();
        bytes.all.truncate(n_bytes);
        bytes.n_durable = bytes.n_durable.min(n_bytes);
        Ok(())
    }
}
