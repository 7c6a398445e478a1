//! A file of JSON lines that is made, or replaced if it is one of its kind already; whatever else is there stays as it is.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// Most octets looked at for the first line of a file.
const HEADER_OCTETS_MAX: u64 = 4_096;

/// What kind of lines a file holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    /// What is done with them: `record to`.
    pub verb: &'static str,
    /// What such a file is: `a record of exchanges`.
    pub what: &'static str,
    /// What is said where somebody else does so already.
    pub busy: &'static str,
    /// Whether a first line is that of such a file.
    pub is_header: fn(&[u8]) -> bool,
    /// Whether they may go to a pipe or a device instead, where nothing is replaced.
    pub takes_pipes: bool,
}

/// A file that lines are written to.
#[derive(Debug)]
pub(super) struct Sink {
    file: File,
    /// Octets of whole lines; none where nothing can be taken back.
    n_octets: Option<u64>,
}

impl Sink {
    /// Writes one line. One that does not fit into a file leaves nothing behind.
    pub(super) fn write(&mut self, mut line: String) -> io::Result<()> {
        line.push('\n');
        let written = self.file.write_all(line.as_bytes());
        match (&written, &mut self.n_octets) {
            (Ok(()), Some(n)) => *n += line.len() as u64,
            (Err(_), Some(n)) => self.file.set_len(*n)?,
            (_, None) => {}
        }
        written
    }
}

impl Lines {
    /// Makes `path`, or empties it if it holds such lines; from then on it is for its owner alone.
    ///
    /// # Errors
    /// `File` if something else is there, somebody else writes to it, or it cannot be opened.
    pub(super) fn create(self, path: &Path) -> Result<Sink> {
        let cannot = |e: io::Error| Error::file("write", path, e);
        if self.takes_pipes && is_pipe(path) {
            let file = OpenOptions::new().write(true).open(path).map_err(|e| Error::file("open", path, e))?;
            return Ok(Sink { file, n_octets: None });
        }
        let file = self.open(path)?;
        // For its owner alone before a line of this run is in it.
        file.set_permissions(Permissions::from_mode(0o600)).and_then(|()| file.set_len(0)).map_err(cannot)?;
        Ok(Sink { file, n_octets: Some(0) })
    }

    /// Opens `path` without a change to what is there, and keeps others from it.
    fn open(self, path: &Path) -> Result<File> {
        let cannot = |e: io::Error| Error::file("open", path, e);
        // Not opened at all if it is anything else: a link leads to who knows what. But what the shell has opened for us
        // is always a link.
        let look = if is_descriptor(path) { fs::metadata } else { fs::symlink_metadata };
        let there = match look(path) {
            Ok(there) if there.is_file() => Some(there),
            Ok(_) => {
                return Err(self.refused(path, "it is a link, a directory, a pipe or a device, and no file of its own"));
            }
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(cannot(e)),
        };
        let mut options = OpenOptions::new();
        let file =
            options.read(true).append(true).create_new(there.is_none()).mode(0o600).open(path).map_err(cannot)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(self.refused(path, self.busy));
        }
        let opened = file.metadata().map_err(cannot)?;
        let is_same = |there: Metadata| (there.dev(), there.ino()) == (opened.dev(), opened.ino());
        if !there.is_none_or(is_same) {
            return Err(self.refused(path, "it was replaced just now"));
        }
        if opened.len() > 0 && !self.is_ours(&file).map_err(cannot)? {
            return Err(self.refused(path, &format!("something other than {} is in it", self.what)));
        }
        Ok(file)
    }

    fn refused(self, path: &Path, why: &str) -> Error {
        let what = format!("cannot {} {}", self.verb, path.display());
        Error::new(Kind::File, what).because(why).hint("name a file that does not exist yet")
    }

    fn is_ours(self, file: &File) -> io::Result<bool> {
        let mut line = Vec::new();
        BufReader::new(file.take(HEADER_OCTETS_MAX)).read_until(b'\n', &mut line)?;
        Ok((self.is_header)(&line))
    }
}

/// A descriptor that the shell has opened, by the names that it has.
fn is_descriptor(path: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd"].iter().any(|dir| path.starts_with(dir))
        || [Path::new("/dev/stdout"), Path::new("/dev/stderr")].contains(&path)
}

/// Whether a path leads to a pipe or a device: by itself, or as what the shell has opened.
fn is_pipe(path: &Path) -> bool {
    let look = if is_descriptor(path) { fs::metadata(path) } else { fs::symlink_metadata(path) };
    look.is_ok_and(|there| there.file_type().is_fifo() || there.file_type().is_char_device())
}
