//! The disk: what is read and written, and how a file comes to be whole or not at all.

pub mod after;
pub mod again;
pub mod atomic;
pub mod audited;
pub mod clusters;
pub mod csv;
pub mod evidence;
pub mod export;
pub mod foreign;
pub mod manifest;
pub mod parquet;
pub mod plan_dir;
pub mod pour;
pub mod results;
pub mod seal;
pub mod source;
pub mod suspects;
pub mod table;
pub mod wide;
pub mod xlsx;

use std::path::Path;

use crate::error::{Error, Kind, Result};

/// Reads a whole file.
///
/// # Errors
/// `File`, naming the path.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(
            Error::new(Kind::File, format!("{} is a directory, not a file", path.display())).hint("name a file in it")
        );
    }
    std::fs::read(path).map_err(|e| Error::file("read", path, e))
}

/// The last part of a path, for messages: full paths tell more about a machine than a log should.
#[must_use]
pub fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// A path, or any other word, as a shell takes it for one.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:%+=@,~".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn has_extension(path: &Path, wanted: &[&str]) -> bool {
    path.extension().is_some_and(|e| wanted.iter().any(|w| e.eq_ignore_ascii_case(w)))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_is_told_as_a_shell_takes_it() {
        assert_eq!(["hr.plan", "my plan", "it's", ""].map(quoted), ["hr.plan", "'my plan'", "'it'\\''s'", "''"]);
    }
}
