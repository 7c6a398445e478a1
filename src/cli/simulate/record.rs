//! `simulate --record`: every exchange to a file that can be read meanwhile.
//!
//! The file is made, or replaced if it is a record already; whatever else is there stays as it is.

use std::path::Path;

use tokio::sync::oneshot;

use crate::cli::lines::Lines;
use crate::error::{Error, Result};
use crate::sim::{Org, record};

/// What is recorded: people are in it, so it is a file and nothing else.
const LINES: Lines = Lines {
    verb: "record to",
    what: "a record of exchanges",
    busy: "another simulator records to it",
    is_header: record::is_header,
    takes_pipes: false,
};

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
    let mut sink = LINES.create(path)?;
    let head = record::header(concat!("rosterdiff ", env!("CARGO_PKG_VERSION")));
    sink.write(head).map_err(|e| Error::file("write", path, e))?;
    let (send, failure) = oneshot::channel();
    let (mut open, mut n) = (Some((sink, send)), 0);
    let path = path.to_owned();
    org.observe(move |exchange| {
        let Some((mut sink, send)) = open.take() else { return };
        n += 1;
        match sink.write(record::line(n, exchange)) {
            Ok(()) => open = Some((sink, send)),
            // Nobody hears it only if the simulator is ending anyway.
            Err(e) => drop(send.send(Error::file("write", &path, e))),
        }
    });
    Ok(Failure(Some(failure)))
}
