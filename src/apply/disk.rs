//! Where a journal lies: bytes that are appended, and made to last when it matters.
//!
//! The one seam below the journal. The real one is a locked file of the plan directory; simulations put a disk there
//! that loses what was not made to last, tears lines and runs full.

use std::fmt::Debug;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::files::atomic;

/// A journal's bytes.
pub trait Disk: Debug + Send {
    /// All of them, from the start.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read(&self) -> io::Result<Box<dyn BufRead>>;

    /// Adds `bytes` at the end. They may be lost with the power until [`Disk::persist`] has returned.
    ///
    /// # Errors
    /// Whatever the system says; some of the bytes may be there all the same.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits until everything is on the disk. After a failure nothing is known of what was not on it before.
    ///
    /// # Errors
    /// Whatever the system says.
    fn persist(&mut self) -> io::Result<()>;

    /// Keeps `tail` beside the journal, which ends at `n_bytes` from then on; both are on the disk.
    ///
    /// # Errors
    /// `File`.
    fn cut(&mut self, n_bytes: u64, tail: &[u8]) -> Result<()>;
}

/// A file, and the lock on it that keeps others from writing.
#[derive(Debug)]
pub(super) struct Locked {
    file: File,
    path: PathBuf,
}

impl Locked {
    /// Opens or creates the file; nothing if somebody else holds its lock.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let options = options.create(true).append(true).read(true).mode(0o600);
        let file = options.open(path).map_err(|e| Error::file("open", path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file, path: path.to_owned() })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Error::file("lock", path, e)),
        }
    }

    /// Whether nothing was ever written to it.
    pub(super) fn is_empty(&self) -> bool {
        self.file.metadata().is_ok_and(|found| found.len() == 0)
    }
}

impl Disk for Locked {
    fn read(&self) -> io::Result<Box<dyn BufRead>> {
        Ok(Box::new(BufReader::new(File::open(&self.path)?)))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn persist(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn cut(&mut self, n_bytes: u64, tail: &[u8]) -> Result<()> {
        let aside = self.path.with_file_name(super::journal::TORN);
        atomic::write(&aside, |out| out.write_all(tail).map_err(|e| Error::file("write", &aside, e)))?;
        let cut = self.file.set_len(n_bytes).and_then(|()| self.file.sync_data());
        cut.map_err(|e| Error::file("write", &self.path, e))
    }
}
