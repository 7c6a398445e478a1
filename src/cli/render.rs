//! The only place that prints: data to stdout, talk to stderr.
use std::error::Error as _;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::args::Talk;
use crate::error::{Error, Kind, Result};
use crate::number::Number;

/// How to talk.
#[derive(Debug)]
pub struct Render {
    talk: Talk,
    /// Whether the object of `--json` is out: there is exactly one.
    is_told: AtomicBool,
    /// What was told and is not to be told again.
    warned: Mutex<Vec<String>>,
}

impl Render {
    pub(super) const fn new(talk: Talk) -> Self {
        Self { talk, is_told: AtomicBool::new(false), warned: Mutex::new(Vec::new()) }
    }

    /// The same voice without `--json`: for a command that runs others.
    pub(super) const fn without_object(&self) -> Self {
        Self::new(Talk { json: false, ..self.talk })
    }

    /// Whether `--json` was given: then stdout carries one object and nothing else.
    pub(super) const fn is_json(&self) -> bool {
        self.talk.json
    }

    /// Tells something on stderr.
    pub(super) fn say(&self, text: impl AsRef<str>) {
        if !self.talk.quiet {
            tell(text.as_ref());
        }
    }

    /// Tells something on stderr, once however often it comes up.
    pub(super) fn warn_once(&self, text: String) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !warned.contains(&text) {
            self.say(&text);
            warned.push(text);
        }
    }

    /// Tells something that only `--verbose` asks for.
    pub(super) fn detail(&self, text: impl AsRef<str>) {
        if self.talk.verbose {
            tell(text.as_ref());
        }
    }

    /// The object of `--json`.
    pub(super) fn object(&self, value: &Value) -> Result<()> {
        if self.talk.json && !self.is_told.swap(true, Ordering::Relaxed) {
            return Self::line(&value.to_string());
        }
        Ok(())
    }

    /// A line on stdout that somebody waits for.
    pub(super) fn line(text: &str) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        written.map_err(|e| Error::new(Kind::File, "cannot write to stdout").because(e))
    }

    /// A text on stdout that somebody asked for.
    pub(super) fn text(bytes: &[u8]) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(bytes).and_then(|()| out.flush());
        written.map_err(|e| Error::new(Kind::File, "cannot write to stdout").because(e).hint("name a file with > FILE"))
    }

    /// An error with its cause and the way out; an object too if `--json` asked for one.
    pub(super) fn error(&self, error: &Error) {
        lines(error).iter().for_each(|line| tell(line));
        // Whether stdout takes it or not, the error is what the exit code tells.
        let _told = self.object(&failure(error));
    }

    /// A progress bar on stderr; hidden unless a person watches.
    pub(super) fn bar(&self, label: &'static str) -> ProgressBar {
        if self.talk.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
        let style = ProgressStyle::with_template("{prefix} {pos}/{len} ({per_sec}, {eta} left) {msg}");
        bar.with_prefix(label).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    /// Asks for a word. Without a terminal nobody can answer.
    pub(super) fn confirm(&self, question: &str) -> Result<bool> {
        if !std::io::stdin().is_terminal() {
            return Ok(false);
        }
        tell(&format!("{question} Type yes to go on:"));
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(|e| Error::new(Kind::File, "cannot read the answer").because(e))?;
        Ok(answer.trim() == "yes")
    }
}

/// What an object says of an error.
pub(super) fn failure(error: &Error) -> Value {
    json!({ "error": error.to_string(), "hint": error.hint_text(), "exit": error.kind().exit_code() })
}

/// An error, its causes and the way out. The cause of a fault of our own is not told: a panicked task quotes what it
/// panicked with, a frame its cells, and either may be people's data.
fn lines(error: &Error) -> Vec<String> {
    let mut lines = vec![format!("error: {error}")];
    let mut cause = error.source().filter(|_| error.kind() != Kind::Bug);
    while let Some(inner) = cause {
        // The number is for whoever reads the source of the system.
        let text = inner.to_string();
        lines.push(format!("  {}", text.split(" (os error ").next().unwrap_or_default()));
        cause = inner.source();
    }
    lines.extend(error.hint_text().map(|hint| format!("hint: {hint}")));
    lines
}

/// A panic: where it happened, never what it said.
pub(super) fn fault(place: &str) {
    tell(&format!("error: rosterdiff has a fault{place}"));
    tell("hint: please report this line; what was done is recorded, and the same command goes on from there");
}

/// A line on stderr. Nobody may be listening there any more: that stops no work.
fn tell(text: &str) {
    let _heard = writeln!(std::io::stderr(), "{}", plain(text));
}

/// Text from files and replies may hold escape sequences: a terminal must not obey them.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// `1234567` as `1,234,567`.
pub(super) fn count(n: u64) -> String {
    Number(n).to_string()
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::error::{Error, Kind};

    #[test]
    fn the_cause_of_an_own_fault_is_not_told() {
        let told = lines(&Error::bug("a page task died").because("panicked with \"ada@example.com\""));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(!told.concat().contains("ada@"), "{told:?}");
        let told = lines(&Error::new(Kind::File, "cannot read hr.csv").because("no such file"));
        assert_eq!(told, ["error: cannot read hr.csv", "  no such file"]);
    }
}
