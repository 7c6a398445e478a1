//! The profiles of the official command line tool, `~/.gc/config.toml`: one table each, holding secrets.
//!
//! That tool writes tables and keys in any case, so they are matched without it. Nothing of the file is ever shown: an
//! error names its path and a line, no more.

use std::io::Read;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::{Error, Kind, Result};

/// The profile that is used when nobody asks for another.
pub(super) const DEFAULT: &str = "DEFAULT";
/// Longest file that is read: one with a hundred profiles is a few dozen KiB.
const BYTES_MAX: u64 = 1 << 20;

/// The profiles of one file.
#[derive(Debug)]
pub(super) struct Profiles {
    path: PathBuf,
    /// Whether others on this machine may read it.
    pub is_open: bool,
    tables: Table,
}

impl Profiles {
    /// Reads a file of profiles; nothing if there is no such file.
    ///
    /// # Errors
    /// `File` if it is there and cannot be read or parsed.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::file("read", path, e)),
        };
        let is_open = is_open(&file);
        let mut bytes = Vec::new();
        file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|e| Error::file("read", path, e))?;
        if bytes.len() as u64 > BYTES_MAX {
            return Err(damaged(path, "is too long for a file of profiles"));
        }
        Ok(Some(Self { path: path.to_owned(), is_open, tables: parse(path, &bytes)? }))
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all profiles.
    pub(super) fn names(&self) -> Vec<&str> {
        self.tables.iter().filter(|(_, value)| value.is_table()).map(|(name, _)| name.as_str()).collect()
    }

    /// The profile of that name: spelt exactly so, else without regard to case.
    pub(super) fn find(&self, name: &str) -> Option<Profile<'_>> {
        matching(&self.tables, name).into_iter().find_map(Value::as_table).map(Profile)
    }
}

/// One profile.
#[derive(Clone, Copy)]
pub(super) struct Profile<'a>(&'a Table);

impl Profile<'_> {
    /// A text of the profile, blanks trimmed; an empty one counts as none.
    pub(super) fn get(self, key: &str) -> Option<String> {
        let text = matching(self.0, key).into_iter().find_map(Value::as_str)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// The values of a key, the one that is spelt exactly so first.
fn matching<'t>(table: &'t Table, key: &str) -> Vec<&'t Value> {
    let others = table.iter().filter(|(name, _)| *name != key && name.eq_ignore_ascii_case(key));
    table.get(key).into_iter().chain(others.map(|(_, value)| value)).collect()
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Table> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = line_at(bytes, e.valid_up_to());
        damaged(path, &format!("cannot be read as TOML: line {line} is not UTF-8"))
    })?;
    // What the parser says quotes the line, and with it perhaps a secret: only where it stopped is told.
    text.trim_start_matches('\u{feff}').parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |span| line_at(text.trim_start_matches('\u{feff}').as_bytes(), span.start));
        damaged(path, &format!("cannot be read as TOML: something is wrong in line {line}"))
    })
}

fn line_at(bytes: &[u8], offset: usize) -> usize {
    1 + bytes.iter().take(offset).filter(|byte| **byte == b'\n').count()
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::new(Kind::File, format!("{} {what}", path.display()))
        .hint("correct it, or set the GENESYSCLOUD_* environment variables, which are used instead of it")
}

fn is_open(file: &std::fs::File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|found| found.permissions().mode() & 0o044 != 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn profiles(text: &str) -> Profiles {
        let path = PathBuf::from("config.toml");
        Profiles { tables: parse(&path, text.as_bytes()).unwrap(), path, is_open: false }
    }

    #[test]
    fn tables_and_keys_are_found_in_any_case_and_the_exact_spelling_first() {
        let found = profiles("version = 1\n[default]\nEnvironment = ' mypurecloud.de '\n[Two]\nx = 'a'\nX = 'b'\n");
        assert_eq!(found.names(), ["Two", "default"]);
        assert_eq!(found.find(DEFAULT).unwrap().get("environment").as_deref(), Some("mypurecloud.de"));
        assert_eq!(found.find("TWO").unwrap().get("X").as_deref(), Some("b"));
        assert!(found.find("version").is_none() && found.find("three").is_none());
    }

    #[test]
    fn an_empty_value_or_one_that_is_no_text_counts_as_none() {
        let found = profiles("[a]\nclient_secret = ''\naccess_token = 7\n");
        assert_eq!(found.find("a").unwrap().get("client_secret"), None);
        assert_eq!(found.find("a").unwrap().get("access_token"), None);
    }

    #[test]
    fn a_file_that_cannot_be_parsed_is_named_by_line_and_not_shown() {
        for (text, line) in [
            (&b"[a]\nclient_secret = canary\n"[..], "line 2"),
            (b"\xef\xbb\xbf[a]\n\nclient_secret = 'canary\n", "line 3"),
            (b"[a]\nx = 'canary'\nx = 'canary'\n", "line 3"),
            (b"[a]\nx = 'canary\xff'\n", "line 2"),
        ] {
            let error = parse(Path::new("config.toml"), text).unwrap_err();
            let shown = format!("{error:?}");
            assert_eq!(error.kind(), Kind::File);
            assert!(shown.contains("config.toml") && shown.contains(line) && !shown.contains("canary"), "{shown}");
        }
    }
}
