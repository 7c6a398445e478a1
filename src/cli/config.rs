//! `rosterdiff.toml`: what would otherwise be typed every time.
//!
//! A flag wins over the environment, that over the file, and the file over what is built in; each value by itself, and of
//! `map`, `defaults` and `domain_alias` each field or domain by itself. A setting is a flag that was not typed: the flag's
//! own parser checks it (`args/settings.rs`), and an error that it causes later says where it stands.
//!
//! The file lies beside rosters that come from elsewhere, so it is not trusted. It is looked for in the current directory
//! and nowhere above. It cannot accept a danger and holds no secret; and a file that was merely found cannot say to which
//! host, beyond loopback and the service's own, secrets are sent, nor whose certificates are trusted. Where somebody has said
//! of which organisation it is to be, such a file cannot send the credentials elsewhere at all.

mod cause;
mod keys;
mod near;
mod values;

use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use keys::KEYS;
pub(super) use keys::{Key, SECTIONS, Shape};

use super::args::{self, Settings};
use super::render::Render;
use crate::error::{Error, Kind, Result};
use crate::plan::gates::Limit;

/// The file that is looked for in the current directory.
pub const NAME: &str = "rosterdiff.toml";
/// Longest file that is read: one with every setting is a few KiB.
const BYTES_MAX: u64 = 1 << 20;

/// A setting as its flag would be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Section and key, such as `roster.delimiter`, or `roster.map.email`.
    pub key: String,
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// What would stand behind the flag.
    pub value: String,
    /// The line it stands in, from 1.
    pub line: usize,
    /// The one command that it means something to, if it is one.
    pub only: Option<&'static str>,
}

impl Entry {
    /// The value as it stands in the file.
    fn said(&self) -> &str {
        let is_pair = ["map", "default", "domain-alias"].contains(&self.flag);
        self.value.split_once('=').filter(|_| is_pair).map_or(&self.value, |(_, value)| value)
    }

    /// The key without its section.
    fn name(&self) -> &str {
        self.key.split_once('.').map_or(&self.key, |(_, name)| name)
    }

    /// What is built in, where this lets more pass.
    fn loosens(&self) -> Option<String> {
        let number = || self.value.parse::<u32>().unwrap_or(u32::MAX);
        match self.flag {
            "age-max" => (number() > args::AGE_MAX_H).then(|| args::AGE_MAX_H.to_string()),
            "settle" => (number() < args::SETTLE_S).then(|| args::SETTLE_S.to_string()),
            "max-failures" => {
                // A number may be more or less than a share: nobody knows before the run.
                let built_in = crate::apply::Options::default().max_failures;
                (Limit::parse(&self.value) != Ok(built_in)).then(|| built_in.typed())
            }
            _ => None,
        }
    }

    /// Whether it is the default of its flag in `command`.
    #[must_use]
    pub fn is_default_of(&self, command: &str) -> bool {
        self.only.is_none_or(|only| only == command)
    }
}

/// A host that a file says which was merely found.
#[derive(Clone, Debug)]
pub struct FoundHost {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// The setting, and where it stands.
    pub said: String,
}

/// What came of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It counts.
    Taken,
    /// A flag or the environment says otherwise.
    Passed,
    /// The command has no use for it.
    Idle,
}

/// A file of settings that was read and checked.
#[derive(Debug)]
pub struct Config {
    path: PathBuf,
    /// Whether somebody named it: else it was merely found.
    is_named: bool,
    /// Its settings, as they stand.
    pub entries: Vec<Entry>,
    /// What came of each.
    pub uses: Vec<Use>,
}

impl Config {
    /// The file that is meant, if there is one.
    ///
    /// # Errors
    /// `File` if it cannot be read or is no TOML, `Usage` for a setting that cannot be meant: unknown, of another type,
    /// refused by its flag, a secret, or what accepts a danger.
    pub fn find(settings: &Settings) -> Result<Option<Self>> {
        if settings.no_config {
            return Ok(None);
        }
        let (path, is_named) = settings.config.as_deref().map_or((Path::new(NAME), false), |path| (path, true));
        let Some(bytes) = read(path, is_named)? else { return Ok(None) };
        let entries = entries(&path.display().to_string(), &bytes, is_named)?;
        Ok(Some(Self { path: path.to_owned(), is_named, entries, uses: Vec::new() }))
    }

    /// Says that it is used, and of what if more is asked for.
    pub(super) fn tell(&self, render: &Render) {
        if !self.uses.contains(&Use::Taken) {
            return;
        }
        let hosts: Vec<String> =
            self.hosts().map(|entry| format!("{}: {}", entry.name(), bare(&entry.value))).collect();
        let hosts = if hosts.is_empty() { String::new() } else { format!(" ({})", hosts.join(", ")) };
        render.say(format!("Settings: {}{hosts}", self.path.display()));
        for (entry, used) in self.entries.iter().zip(&self.uses) {
            let Entry { key, line, flag, .. } = entry;
            match used {
                Use::Taken => {
                    let text = format!("  line {line}: {key} = {}", shown(entry.said()));
                    match entry.loosens() {
                        Some(built_in) => render.say(format!("{text} instead of the built-in {built_in}")),
                        None => render.detail(text),
                    }
                }
                Use::Passed => {
                    render.detail(format!("  line {line}: {key} does not count: --{flag} was said elsewhere"))
                }
                Use::Idle => {}
            }
        }
    }

    fn taken(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().zip(&self.uses).filter(|(_, used)| **used == Use::Taken).map(|(entry, _)| entry)
    }

    /// The hosts that count.
    fn hosts(&self) -> impl Iterator<Item = &Entry> {
        self.taken().filter(|entry| ["api-url", "login-url"].contains(&entry.flag))
    }

    /// The hosts that count although nobody named the file that says them.
    pub(super) fn found_hosts(&self) -> Vec<FoundHost> {
        let hosts = self.hosts().filter(|_| !self.is_named);
        let said = |Entry { key, line, value, .. }: &Entry| {
            format!("{}, line {line}: {key} = {}", self.path.display(), shown(value))
        };
        hosts.map(|entry| FoundHost { flag: entry.flag, said: said(entry) }).collect()
    }

    /// An error, with the place of the setting that it is about.
    #[must_use]
    pub fn place(&self, error: Error) -> Error {
        let text = error.to_string();
        match self.taken().find(|entry| cause::is_about(&text, entry)) {
            Some(entry) => error.said_in(&format!("{}, line {}", self.path.display(), entry.line)),
            None => error,
        }
    }
}

/// A value without what stands in front of an @ of a URL: that may be a password.
fn bare(value: &str) -> &str {
    let behind = value.contains("://").then(|| value.rsplit_once('@')).flatten();
    behind.map_or(value, |(_, behind)| behind)
}

/// A value as it is told.
fn shown(value: &str) -> String {
    let value = bare(value);
    if value.starts_with('"') { value.to_owned() } else { format!("\"{value}\"") }
}

/// The bytes of the file; none if it is only looked for and not there.
fn read(path: &Path, is_named: bool) -> Result<Option<Vec<u8>>> {
    let hint = "--config FILE names another file, --no-config takes none";
    let failed = |e: std::io::Error| Error::file("read", path, e).hint(hint);
    let refused = |why: &str| Error::new(Kind::File, format!("{} {why}", path.display())).hint(hint);
    match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !is_named => return Ok(None),
        Err(e) => return Err(failed(e)),
        Ok(found) if found.is_dir() => return Err(refused("is a directory, not a file of settings")),
        // A pipe that lies about would be waited for.
        Ok(found) if !found.is_file() && !is_named => return Err(refused("is not a plain file")),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(refused("is too long for a file of settings: it has more than a MiB"));
    }
    Ok(Some(bytes))
}

/// The settings in a file.
pub(super) fn entries(name: &str, bytes: &[u8], is_named: bool) -> Result<Vec<Entry>> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = 1 + bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        Error::new(Kind::File, format!("{name}, line {line}: not UTF-8")).hint("save it as UTF-8")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let line_of = |at: usize| 1 + text.bytes().take(at).filter(|b| *b == b'\n').count();
    let table = DeTable::parse(text).map_err(|e| {
        // What the parser says may quote the line.
        let line = e.span().map_or(1, |span| line_of(span.start));
        let what = format!("{name}, line {line}: cannot be read as TOML");
        Error::new(Kind::File, what)
            .hint("a setting is written key = value, once; text stands in quotes, as in delimiter = \";\"")
    })?;
    let at = values::Place { name, line_of: &line_of };
    let entries = values::entries(table.get_ref(), &at)?;
    for entry in &entries {
        check(entry, is_named).map_err(|error| {
            let Entry { key, line, .. } = entry;
            let said = shown(entry.said());
            Error::new(Kind::Usage, format!("{name}, line {line}: {key} = {said}: {}", error.why)).hint(error.hint)
        })?;
    }
    aliases_agree(&entries, name)?;
    Ok(entries)
}

/// Domain aliases are taken one by one, and can contradict each other.
fn aliases_agree(entries: &[Entry], name: &str) -> Result<()> {
    let mut folds = crate::email::Folds::default();
    for entry in entries.iter().filter(|entry| entry.flag == "domain-alias") {
        let Some((old, new)) = entry.value.split_once('=') else { continue };
        folds.add_alias(old, new).map_err(|why| {
            Error::new(Kind::Usage, format!("{name}, line {}: {} = \"{new}\": {why}", entry.line, entry.key))
                .hint("name each domain that was renamed once, with the one that it has now")
        })?;
    }
    Ok(())
}

/// Why a value cannot be meant.
struct Refused {
    why: String,
    hint: String,
}

/// What only a file that somebody named may say.
fn untrusted(entry: &Entry, what: &str) -> Refused {
    Refused {
        why: format!("a file that was merely found cannot say {what}"),
        hint: format!("name the file with --config {NAME}, or say it with --{} or in the environment", entry.flag),
    }
}

fn check(entry: &Entry, is_named: bool) -> Result<(), Refused> {
    let of = |error: &Error| Refused {
        why: error.to_string(),
        hint: error.hint_text().unwrap_or("correct it, or leave it out").to_owned(),
    };
    match entry.flag {
        "region" => {
            crate::api::region::host(&entry.value).map_err(|error| of(&error))?;
        }
        "api-url" | "login-url" => {
            let url = crate::api::http::base(&entry.value).map_err(|error| of(&error))?;
            let is_known = crate::api::proxy::is_loopback(&url) || crate::api::region::host(url.as_str()).is_ok();
            if !is_known && !is_named {
                return Err(untrusted(entry, "to which host people and secrets are sent"));
            }
        }
        "ca-file" if !is_named => {
            return Err(untrusted(entry, "whose certificates are trusted with people and secrets"));
        }
        flag => args::check(flag, &entry.value)
            .map_err(|why| Refused { why, hint: "correct it, or leave it out".to_owned() })?,
    }
    Ok(())
}

#[cfg(test)]
mod tests;
