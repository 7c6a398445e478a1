//! `simulate --record`: every exchange to a file that can be read meanwhile.
//!
//! The file is made, or replaced if it is a record already; whatever else is there stays as it is.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use tokio::sync::oneshot;

use crate::error::{Error, Kind, Result};
use crate::sim::{Org, record};

/// Most octets looked at for the first line of a record.
const HEADER_OCTETS_MAX: u64 = 4_096;

/// Tells of a line that could not be written: nothing more is recorded then.
pub(super) struct Failure(Option<oneshot::Receiver<Error>>);

impl Failure {
    /// Of nothing that is recorded: it never comes.
    pub(super) const NONE: Self = Self(None);

    /// Waits for it, for ever if need be.
    pub(super) async fn wait(&mut self) -> Error {
        match &mut self.0 {
            Some(failure) => match failure.await {
                Ok(error) => error,
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Whether it has come since.
    pub(super) fn late(&mut self) -> Option<Error> {
        self.0.as_mut().and_then(|failure| failure.try_recv().ok())
    }
}

/// Makes `path`, or empties it if it is a record, and writes the exchanges of `org` to it from now on, each line in one
/// piece.
///
/// # Errors
/// `File` if something else is there, another simulator records to it, it cannot be opened, or takes no first line.
pub(super) fn start(org: &mut Org, path: &Path) -> Result<Failure> {
    let mut file = open(path)?;
    let cannot = |e: io::Error| Error::file("write", path, e);
    // For its owner alone before a line of this run is in it.
    file.set_permissions(Permissions::from_mode(0o600)).and_then(|()| file.set_len(0)).map_err(cannot)?;
    let mut n_octets = 0;
    let head = record::header(concat!("rosterdiff ", env!("CARGO_PKG_VERSION")));
    write(&mut file, head, &mut n_octets).map_err(cannot)?;
    let (send, failure) = oneshot::channel();
    let (mut open, mut n) = (Some((file, send)), 0);
    let path = path.to_owned();
    org.observe(move |exchange| {
        let Some((mut file, send)) = open.take() else { return };
        n += 1;
        match write(&mut file, record::line(n, exchange), &mut n_octets) {
            Ok(()) => open = Some((file, send)),
            // Nobody hears it only if the simulator is ending anyway.
            Err(e) => drop(send.send(Error::file("write", &path, e))),
        }
    });
    Ok(Failure(Some(failure)))
}

/// Opens `path` without a change to what is there, and keeps other simulators from it.
fn open(path: &Path) -> Result<File> {
    let cannot = |e: io::Error| Error::file("open", path, e);
    // Not opened at all if it is anything else: opening a pipe waits for a reader, and a link leads to who knows what.
    let there = match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => Some(there),
        Ok(_) => return Err(refused(path, "it is a link, a directory, a pipe or a device, and no file of its own")),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(cannot(e)),
    };
    let mut options = OpenOptions::new();
    let file = options.read(true).append(true).create_new(there.is_none()).mode(0o600).open(path).map_err(cannot)?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(refused(path, "another simulator records to it"));
    }
    let opened = file.metadata().map_err(cannot)?;
    let is_same = |there: Metadata| (there.dev(), there.ino()) == (opened.dev(), opened.ino());
    if !there.is_none_or(is_same) {
        return Err(refused(path, "it was replaced just now"));
    }
    if opened.len() > 0 && !is_record(&file).map_err(cannot)? {
        return Err(refused(path, "something other than a record of exchanges is in it"));
    }
    Ok(file)
}

fn refused(path: &Path, why: &str) -> Error {
    let what = format!("cannot record to {}", path.display());
    Error::new(Kind::File, what).because(why).hint("name a file that does not exist yet")
}

fn is_record(file: &File) -> io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(file.take(HEADER_OCTETS_MAX)).read_until(b'\n', &mut line)?;
    Ok(record::is_header(&line))
}

/// A line that does not fit leaves nothing behind.
fn write(file: &mut File, mut line: String, n_octets: &mut u64) -> io::Result<()> {
    line.push('\n');
    let written = file.write_all(line.as_bytes());
    match written {
        Ok(()) => *n_octets += line.len() as u64,
        Err(_) => file.set_len(*n_octets)?,
    }
    written
}
