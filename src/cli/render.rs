//! The only place that prints: data to stdout, talk to stderr.
use std::error::Error as _;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};

use super::args::Talk;
use super::voice::{Level, Voice};
use crate::error::{Error, Kind, Result};
use crate::number::Number;

/// Between two lines of progress on a terminal that cannot take one back.
const DUMB_EVERY: Duration = Duration::from_secs(10);
/// Columns of a terminal that does not say.
const COLUMNS_DEFAULT: u16 = 80;

/// How to talk.
#[derive(Debug)]
pub struct Render {
    voice: Arc<Voice>,
    /// Whether the object of `--json` is out, or another command is to print it: there is exactly one.
    is_told: AtomicBool,
    /// Members that the object is given beside its own.
    beside: Mutex<Map<String, Value>>,
    /// What was told and is not to be told again.
    warned: Mutex<Vec<String>>,
}

impl Render {
    /// Talks as `talk` says, about `command`.
    ///
    /// # Errors
    /// `File` if the events that are asked for cannot be written.
    pub(super) fn new(talk: Talk, command: &str) -> Result<Self> {
        Ok(Self::of(Arc::new(Voice::new(talk, command)?), false))
    }

    /// Talks, but tells of no events.
    pub(super) fn eventless(talk: Talk) -> Self {
        Self::of(Arc::new(Voice::eventless(talk)), false)
    }

    fn of(voice: Arc<Voice>, is_told: bool) -> Self {
        Self { voice, is_told: AtomicBool::new(is_told), beside: Mutex::default(), warned: Mutex::default() }
    }

    /// The same voice without `--json`: for a command that runs others.
    pub(super) fn without_object(&self) -> Self {
        Self::of(Arc::clone(&self.voice), true)
    }

    /// Whoever talks: for what goes on beside.
    pub(super) const fn voice(&self) -> &Arc<Voice> {
        &self.voice
    }

    /// Whether `--json` was given: then stdout carries one object and nothing else.
    pub(super) fn is_json(&self) -> bool {
        self.voice.talk.json
    }

    /// Whether only errors are told.
    pub(super) fn is_quiet(&self) -> bool {
        self.voice.talk.quiet
    }

    /// Tells something on stderr.
    pub(super) fn say(&self, text: impl AsRef<str>) {
        self.voice.tell(Level::Info, text.as_ref(), !self.voice.talk.quiet);
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
        if self.voice.talk.verbose {
            self.say(text);
        }
    }

    /// A member of the object that is still to come.
    pub(super) fn beside(&self, name: &str, value: Value) {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
    }

    /// The object of `--json`, which events end with.
    pub(super) fn object(&self, value: &Value) -> Result<()> {
        if self.is_told.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let mut value = value.clone();
        if let Some(all) = value.as_object_mut() {
            all.append(&mut self.beside.lock().unwrap_or_else(PoisonError::into_inner));
        }
        self.voice.keep(&value);
        if self.voice.talk.json { Self::line(&value.to_string()) } else { Ok(()) }
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
        lines(error).iter().for_each(|line| self.voice.tell(Level::Error, line, true));
        // Whether stdout takes it or not, the error is what the exit code tells.
        let _told = self.object(&failure(error));
    }

    /// A panic: the hook has told where, and there is an object of that, too.
    pub(super) fn fault(&self) {
        let _told = self.object(&failure(&Error::bug("rosterdiff has a fault")));
    }

    /// Tells how it ended, last of all.
    pub(super) fn end(&self, exit: u8) {
        self.voice.end(exit);
    }

    /// Asks for a word. Without a terminal nobody can answer.
    pub(super) fn confirm(&self, question: &str) -> Result<bool> {
        if !std::io::stdin().is_terminal() {
            return Ok(false);
        }
        self.voice.tell(Level::Info, &format!("{question} Type yes to go on:"), true);
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

/// Adds to an object what it says of an error.
pub(super) fn add_failure(object: &mut Value, error: &Error) {
    if let (Some(all), Value::Object(mut failure)) = (object.as_object_mut(), failure(error)) {
        all.append(&mut failure);
    }
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

/// Where people look: a terminal takes a line of progress that is drawn again and again, anything else none.
#[derive(Debug)]
pub(super) enum Screen {
    /// No terminal, or nobody wants to be told.
    Blank,
    /// A terminal that cannot take a line back; when the last one was drawn.
    Dumb(Mutex<Option<Instant>>),
    /// A terminal, and the line on it.
    Live(Mutex<Option<ProgressBar>>),
}

impl Screen {
    pub(super) fn new(is_wanted: bool) -> Self {
        if !is_wanted || !std::io::stderr().is_terminal() {
            Self::Blank
        } else if ProgressDrawTarget::stderr().is_hidden() {
            Self::Dumb(Mutex::default())
        } else {
            Self::Live(Mutex::default())
        }
    }

    /// Whether anybody sees a line of progress.
    pub(super) const fn is_watched(&self) -> bool {
        !matches!(self, Self::Blank)
    }

    /// Whether lines are drawn in place of those before.
    pub(super) const fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// Columns that a line may have.
    pub(super) fn width() -> usize {
        let size = terminal_size::terminal_size_of(std::io::stderr());
        let columns = size.map_or(0, |(terminal_size::Width(columns), _)| columns);
        usize::from(if columns == 0 { COLUMNS_DEFAULT } else { columns }) - 1
    }

    /// Draws lines of progress in place of those before, or takes them away.
    pub(super) fn show(&self, line: Option<&str>) {
        match (self, line) {
            (Self::Blank, _) | (Self::Dumb(_), None) => {}
            (Self::Dumb(last), Some(line)) => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                if last.is_none_or(|last| last.elapsed() >= DUMB_EVERY) {
                    *last = Some(Instant::now());
                    tell(line);
                }
            }
            (Self::Live(bar), Some(line)) => {
                let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
                bar.get_or_insert_with(new_bar).set_message(plain(line));
            }
            (Self::Live(bar), None) => {
                if let Some(bar) = bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    bar.finish_and_clear();
                }
            }
        }
    }

    /// A line that stays, above any line of progress.
    pub(super) fn tell(&self, text: &str) {
        if let Self::Live(bar) = self
            && let Some(bar) = &*bar.lock().unwrap_or_else(PoisonError::into_inner)
        {
            return bar.suspend(|| tell(text));
        }
        tell(text);
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
    bar.with_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// Text from files and replies may hold escape sequences: a terminal must not obey them.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// `1234567` as `1,234,567`.
pub(super) fn count(n: u64) -> String {
    Number(n).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Render, lines};
    use crate::cli::args::Talk;
    use crate::error::{Error, Kind};

    #[test]
    fn a_fault_ends_the_record_with_its_code_and_its_object() {
        let dir = crate::files::atomic::fresh_dir("rosterdiff-test-").unwrap();
        let path = dir.join("run.jsonl");
        let talk = Talk { json: false, quiet: true, verbose: false, events: Some(path.clone()) };
        let render = Render::new(talk, "apply").unwrap();
        render.fault();
        render.end(70);
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::remove_dir_all(dir).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!((&last["type"], &last["exit"], &last["result"]["exit"]), (&"end".into(), &70.into(), &70.into()));
    }

    #[test]
    fn the_cause_of_an_own_fault_is_not_told() {
        let told = lines(&Error::bug("a page task died").because("panicked with \"ada@example.com\""));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(!told.concat().contains("ada@"), "{told:?}");
        let told = lines(&Error::new(Kind::File, "cannot read hr.csv").because("no such file"));
        assert_eq!(told, ["error: cannot read hr.csv", "  no such file"]);
    }
}
