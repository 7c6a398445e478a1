//! Where a roster or an export comes from: a file, standard input, or a text made of another format.
//!
//! A file is not loaded: it is read chunk by chunk, and block by block once more when rows are written, and every time it
//! is held against what it was when it was opened. What can be read only once (a pipe, another encoding) is kept in
//! memory as long as it is small, and in a nameless temporary file, which nobody else can open, when it is not.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, Kind, Result};
use crate::files::atomic;
use crate::roster::{InMemory, Text, changed};

/// Bytes of what can be read only once that stay in memory.
const MEMORY_BYTES_MAX: usize = 64 << 20;

/// A file that is read where it lies.
struct OnDisk {
    file: File,
    name: String,
    n_bytes: u64,
    changed_at: Option<SystemTime>,
}

impl OnDisk {
    fn of(file: File, name: &str) -> std::io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self { file, name: name.to_owned(), n_bytes: found.len(), changed_at: found.modified().ok() })
    }

    fn is_changed(&self) -> bool {
        let is_same =
            |found: std::fs::Metadata| found.len() == self.n_bytes && found.modified().ok() == self.changed_at;
        !self.file.metadata().is_ok_and(is_same)
    }
}

impl Text for OnDisk {
    fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    fn read<'a>(&'a self, range: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let n = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        if buffer.len() < n {
            buffer.resize(n, 0);
        }
        let read = self.file.read_exact_at(&mut buffer[..n], range.start);
        if self.is_changed() {
            return Err(changed(&self.name));
        }
        read.map_err(|e| Error::new(Kind::File, format!("cannot read {}", self.name)).because(e))?;
        Ok(&buffer[..n])
    }
}

impl fmt::Debug for OnDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnDisk({}, {} bytes)", self.name, self.n_bytes)
    }
}

/// Opens a file. What is no plain file is read to its end, since it cannot be read twice.
///
/// # Errors
/// `File`, naming the path.
pub fn open(path: &Path) -> Result<Arc<dyn Text>> {
    let failed = |e: std::io::Error| Error::file("read", path, e);
    if path.is_dir() {
        return Err(
            Error::new(Kind::File, format!("{} is a directory, not a file", path.display())).hint("name a file in it")
        );
    }
    let mut file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return spooled(&mut file).map_err(failed);
    }
    Ok(Arc::new(OnDisk::of(file, &super::name(path)).map_err(failed)?))
}

/// Reads standard input to its end.
///
/// # Errors
/// `File`.
pub fn stdin() -> Result<Arc<dyn Text>> {
    spooled(&mut std::io::stdin().lock()).map_err(|e| {
        Error::new(Kind::File, "cannot read standard input").because(e).hint("pipe a roster into it, or name a file")
    })
}

fn spooled(from: &mut dyn Read) -> std::io::Result<Arc<dyn Text>> {
    let mut spool = Spool::default();
    std::io::copy(from, &mut spool)?;
    spool.into_text()
}

/// Bytes that come once.
#[derive(Debug, Default)]
pub struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(file) = &mut self.file {
            return file.write(bytes);
        }
        if self.memory.len() + bytes.len() > MEMORY_BYTES_MAX {
            let mut file = atomic::nameless()?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            let n = file.write(bytes)?;
            self.file = Some(file);
            return Ok(n);
        }
        self.memory.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Spool {
    /// The bytes, to be read.
    ///
    /// # Errors
    /// Whatever the temporary file fails with; a full temporary directory above all.
    pub fn into_text(self) -> std::io::Result<Arc<dyn Text>> {
        Ok(match self.file {
            None => Arc::new(InMemory(self.memory)),
            Some(file) => Arc::new(OnDisk::of(file, "a temporary file")?),
        })
    }
}

/// The error of a text made of `origin` that cannot be kept.
pub(super) fn no_room(origin: &str, cause: std::io::Error) -> Error {
    Error::new(Kind::File, format!("the text of {origin} cannot be kept"))
        .because(cause)
        .hint("check that there is room in the temporary directory")
}

/// A text from its first byte to its last.
pub struct Reader<'a> {
    text: &'a dyn Text,
    at: u64,
    buffer: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// From its first byte.
    #[must_use]
    pub const fn new(text: &'a dyn Text) -> Self {
        Self { text, at: 0, buffer: Vec::new() }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let end = (self.at + into.len() as u64).min(self.text.n_bytes());
        let bytes = self.text.read(self.at..end, &mut self.buffer).map_err(std::io::Error::other)?;
        into[..bytes.len()].copy_from_slice(bytes);
        self.at = end;
        Ok(bytes.len())
    }
}

/// All bytes of a text.
///
/// # Errors
/// As reading it.
pub fn whole(text: &dyn Text) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    let bytes = text.read(0..text.n_bytes(), &mut buffer)?;
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::files::manifest::Digest;

    fn read(text: &dyn Text, range: Range<u64>) -> Result<Vec<u8>> {
        let mut buffer = Vec::new();
        Ok(text.read(range, &mut buffer)?.to_vec())
    }

    /// A file that was opened and then changed.
    fn changed(change: impl Fn(&Path)) -> Result<Vec<u8>> {
        let dir = atomic::fresh_dir("rosterdiff-test-").unwrap();
        let path = dir.join("hr.csv");
        std::fs::write(&path, "email\na@example.com\n").unwrap();
        let text = open(&path).unwrap();
        assert_eq!(read(&*text, 0..5).unwrap(), b"email");
        change(&path);
        std::fs::remove_dir_all(dir).unwrap();
        read(&*text, 0..5)
    }

    fn reopened(path: &Path) -> File {
        std::fs::OpenOptions::new().append(true).open(path).unwrap()
    }

    #[test]
    fn a_file_that_grew_shrank_or_was_written_again_is_not_read_on() {
        let grow = |path: &Path| reopened(path).write_all(b"b@example.com\n").unwrap();
        let cut = |path: &Path| reopened(path).set_len(7).unwrap();
        // As long as before, a moment later.
        let again = |path: &Path| {
            std::fs::write(path, "email\nb@example.com\n").unwrap();
            let file = reopened(path);
            let later = file.metadata().unwrap().modified().unwrap() + Duration::from_nanos(1);
            file.set_modified(later).unwrap();
        };
        for change in [&grow as &dyn Fn(&Path), &cut, &again] {
            let error = changed(change).unwrap_err();
            assert_eq!(error.kind(), Kind::File);
            assert_eq!(error.to_string(), "hr.csv was changed while it was read");
            assert!(error.hint_text().is_some());
        }
    }

    #[test]
    fn a_file_that_another_took_the_name_of_is_read_as_it_was() {
        let replace = |path: &Path| {
            std::fs::write(path.with_extension("new"), "name\nx\n").unwrap();
            std::fs::rename(path.with_extension("new"), path).unwrap();
        };
        assert_eq!(changed(replace).unwrap(), b"email");
    }

    #[test]
    fn what_comes_once_is_kept_whole_in_memory_or_beyond_it() {
        let block: Vec<u8> = (0..1_000_003_u32).map(|n| (n % 251) as u8).collect();
        for n_blocks in [3, MEMORY_BYTES_MAX / block.len() + 2] {
            let mut spool = Spool::default();
            (0..n_blocks).for_each(|_| spool.write_all(&block).unwrap());
            assert_eq!(spool.file.is_some(), n_blocks > 3);
            let text = spool.into_text().unwrap();
            let n = (n_blocks * block.len()) as u64;
            assert_eq!(text.n_bytes(), n);
            let limit = (MEMORY_BYTES_MAX as u64).min(n - 70_000);
            for begin in [0, 999_990, limit - 50_000, limit, n - 65_536] {
                let found = read(&*text, begin..begin + 65_536).unwrap();
                let first = usize::try_from(begin).unwrap() % block.len();
                let expected: Vec<u8> = block.iter().cycle().skip(first).take(65_536).copied().collect();
                assert!(found == expected, "{begin} of {n}");
            }
            let mut hasher = blake3::Hasher::new();
            for _ in 0..n_blocks {
                hasher.update(&block);
            }
            let expected = Digest { bytes: n, blake3: hasher.finalize().to_hex().to_string() };
            assert_eq!(Digest::of_text(&*text).unwrap(), expected);
        }
    }
}
