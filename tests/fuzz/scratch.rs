//! Where inputs become files, and how much memory reading them took.

use std::io::ErrorKind;
use std::path::PathBuf;

thread_local! {
    /// A directory for all files of this thread, gone at its end; in memory where `TMPDIR` is.
    static DIRECTORY: tempfile::TempDir =
        tempfile::Builder::new().prefix("rosterdiff-fuzz-").tempdir().expect("a directory");
}

/// Writes a file, one place for each name.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = path(name);
    // A file that is emptied and filled again goes to the disk at once on some file systems; a new one may wait.
    std::fs::remove_file(&path)
        .or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
        .expect("a file");
    std::fs::write(&path, bytes).expect("a file");
    path
}

/// Where a file of that name is to be.
pub fn path(name: &str) -> PathBuf {
    DIRECTORY.with(|directory| directory.path().join(name))
}

/// Bytes that a small file may make a reader take.
const MEMORY_MAX: u64 = 512 << 20;

/// Runs a reader, and complains if the process grew beyond reason: an input is a few kilobytes long.
pub fn measured<T>(read: impl FnOnce() -> T) -> T {
    // The high-water mark begins anew. Elsewhere than on Linux nothing is measured.
    let begun = std::fs::write("/proc/self/clear_refs", "5").ok().and_then(|()| peak());
    let found = read();
    if let (Some(begun), Some(ended)) = (begun, peak()) {
        assert!(ended < begun + MEMORY_MAX, "{} MiB for a file of kilobytes", (ended - begun) >> 20);
    }
    found
}

fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}
