//! A file is there whole, or not at all; and nobody else on the machine can read it.
//!
//! Bytes go to a temporary file beside the target (mode 0600), reach the disk, and only then get the name. The
//! directory is synced too: without that a crash may forget the rename.

use std::fs::{File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};

use tempfile::{NamedTempFile, TempDir};

use crate::error::{Error, Kind, Result};

/// Writes `path` by `fill`, atomically, mode 0600.
///
/// # Errors
/// `File`, naming the path; the target is then as it was.
pub fn write(path: &Path, fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>) -> Result<()> {
    let mut draft = Draft::new(path)?;
    {
        let mut out = BufWriter::with_capacity(1 << 17, draft.file());
        fill(&mut out)?;
        out.flush().map_err(|e| Error::file("write", path, e))?;
    }
    draft.commit()
}

/// Brings files to the disk, again and again, while `fill` writes them: at the end little is left to wait for.
///
/// # Errors
/// Those of `fill`; `File` for what the disk refuses.
pub fn while_flushing<T>(files: Vec<File>, fill: impl FnOnce() -> Result<T>) -> Result<T> {
    std::thread::scope(|scope| {
        let (begun, is_over) = channel::<()>();
        let flush = move || {
            while is_over.recv_timeout(FLUSH_EVERY) == Err(RecvTimeoutError::Timeout) {
                files.iter().try_for_each(File::sync_data)?;
            }
            Ok(())
        };
        // Without a thread there is only more to wait for at the end.
        let flusher = std::thread::Builder::new().spawn_scoped(scope, flush).ok();
        let filled = fill();
        drop(begun);
        // The disk says once what it refuses, to whoever asks first.
        let flushed = flusher.map(|f| f.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        let filled = filled?;
        let flushed = flushed.unwrap_or(Ok(()));
        flushed.map_err(|e: std::io::Error| {
            Error::new(Kind::File, "the disk refuses what is written").because(e).hint("check that it has room")
        })?;
        Ok(filled)
    })
}

/// How often files are brought to the disk while they are written.
const FLUSH_EVERY: std::time::Duration = std::time::Duration::from_millis(50);

/// A file on its way to `path`: gone if dropped before [`Draft::commit`].
#[derive(Debug)]
pub struct Draft {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// Starts a draft beside `path`.
    ///
    /// # Errors
    /// `File` if nothing can be written there.
    pub fn new(path: &Path) -> Result<Self> {
        // A rename would replace a device, a pipe or a link, not write to it.
        let is_special = std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_file());
        if is_special {
            return Err(Error::new(Kind::File, format!("cannot write {}: it is not a plain file", path.display()))
                .hint("choose another -o"));
        }
        let temporary = NamedTempFile::new_in(parent(path)).map_err(|e| no_room_for(path, &e))?;
        Ok(Self { temporary, path: path.to_owned() })
    }

    /// The open file.
    pub fn file(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// Gives the file its name, once its bytes are on the disk.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn commit(self) -> Result<()> {
        let failed = |e: std::io::Error| Error::file("write", &self.path, e);
        self.temporary.as_file().sync_all().map_err(failed)?;
        self.temporary.persist(&self.path).map_err(|e| Error::file("write", &self.path, e.error))?;
        sync_dir(parent(&self.path))
    }
}

/// A directory on its way to `path` (mode 0700): gone if dropped before [`Stage::commit`].
#[derive(Debug)]
pub struct Stage {
    temporary: TempDir,
    path: PathBuf,
}

impl Stage {
    /// Starts a directory beside `path`.
    ///
    /// # Errors
    /// `File` if nothing can be written there.
    pub fn new(path: &Path) -> Result<Self> {
        let temporary = private().prefix(".rosterdiff-").tempdir_in(parent(path));
        Ok(Self { temporary: temporary.map_err(|e| no_room_for(path, &e))?, path: path.to_owned() })
    }

    /// Where to write meanwhile.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Puts the directory in place, instead of one that stands there and that `may_go` lets go.
    ///
    /// The one that goes is looked at once more when it has lost its name, so that nothing can begin in it meanwhile.
    ///
    /// # Errors
    /// `File`, naming the path; what stood there is then there again.
    pub fn commit(self, may_go: impl Fn(&Path) -> Result<()>) -> Result<()> {
        let failed = |e: std::io::Error| Error::file("write", &self.path, e);
        sync_dir(self.temporary.path())?;
        may_go(&self.path)?;
        let aside = self.temporary.path().with_extension("old");
        let replaces = self.path.exists();
        if replaces {
            std::fs::rename(&self.path, &aside).map_err(failed)?;
            if let Err(begun) = may_go(&aside) {
                std::fs::rename(&aside, &self.path).map_err(failed)?;
                return Err(begun);
            }
        }
        if let Err(e) = std::fs::rename(self.temporary.path(), &self.path) {
            if replaces {
                std::fs::rename(&aside, &self.path).map_err(failed)?;
            }
            return Err(failed(e));
        }
        if replaces {
            std::fs::remove_dir_all(&aside).map_err(failed)?;
        }
        // The directory has its own name now: there is nothing left for the guard to remove.
        let _moved = self.temporary.keep();
        sync_dir(parent(&self.path))
    }
}

/// A temporary file without a name: nobody else can open it, and it is gone with the process.
///
/// # Errors
/// Whatever the temporary directory fails with.
pub fn nameless() -> std::io::Result<File> {
    tempfile::tempfile()
}

/// A fresh temporary directory, mode 0700, that stays.
///
/// # Errors
/// `File`.
pub fn fresh_dir(prefix: &str) -> Result<PathBuf> {
    let fresh = private().prefix(prefix).tempdir();
    fresh.map(TempDir::keep).map_err(|e| Error::new(Kind::File, "cannot make a temporary directory").because(e))
}

/// A draft that cannot be begun. The cause of a temporary file names that file, which means nothing to anybody.
fn no_room_for(path: &Path, cause: &std::io::Error) -> Error {
    if cause.kind() == std::io::ErrorKind::NotFound {
        return Error::file("write", path, "there is no such directory");
    }
    Error::file("write", path, std::io::Error::from(cause.kind()))
}

fn private<'a>() -> tempfile::Builder<'a, 'a> {
    let mut builder = tempfile::Builder::new();
    builder.permissions(Permissions::from_mode(0o700));
    builder
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Makes names in a directory durable.
///
/// # Errors
/// `File`, naming the directory.
pub fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(|e| Error::file("sync", path, e))
}
