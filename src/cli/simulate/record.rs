//! `simulate --record`: every exchange to a file that can be read meanwhile.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::sim::{Org, record};

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

/// Empties or makes `path` and writes the exchanges of `org` to it from now on, each line in one piece.
///
/// # Errors
/// `File` if it cannot be opened, or takes no first line.
pub(super) fn start(org: &mut Org, path: &Path) -> Result<Failure> {
    let mut file = open(path).map_err(|e| Error::file("open", path, e))?;
    let head = record::header(concat!("rosterdiff ", env!("CARGO_PKG_VERSION")));
    write(&mut file, head).map_err(|e| Error::file("write", path, e))?;
    let (send, failure) = oneshot::channel();
    let (mut open, mut n) = (Some((file, send)), 0);
    let path = path.to_owned();
    org.observe(move |exchange| {
        let Some((mut file, send)) = open.take() else { return };
        n += 1;
        match write(&mut file, record::line(n, exchange)) {
            Ok(()) => open = Some((file, send)),
            // Nobody hears it only if the simulator is ending anyway.
            Err(e) => drop(send.send(Error::file("write", &path, e))),
        }
    });
    Ok(Failure(Some(failure)))
}

/// For its owner alone, if it is a file at all and not a device or a pipe.
fn open(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

fn write(file: &mut File, mut line: String) -> std::io::Result<()> {
    line.push('\n');
    file.write_all(line.as_bytes())
}
