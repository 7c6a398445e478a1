//! `--events FILE`: a run as lines of JSON, for whoever watches it by machine.
//!
//! ```json
//! {"type":"version","at":"2026-11-24T20:55:12.004Z","v":1,"tool":"rosterdiff 0.1.0","command":"apply"}
//! {"type":"stage","at":"…","stage":"create","what":"begin"}
//! {"type":"row","at":"…","row":17,"outcome":"created","attempts":1}
//! {"type":"progress","at":"…","stage":"create","done":120,"total":693,"per_min":287,"allowed_per_min":300,"left_s":119}
//! {"type":"wait","at":"…","stage":"create","why":"throttled","words":"the service throttles: 429","until":"…"}
//! {"type":"resumed","at":"…","stage":"create","why":"throttled"}
//! {"type":"said","at":"…","level":"info","text":"Results: hr.plan"}
//! {"type":"end","at":"…","exit":0,"result":{}}
//! ```
//!
//! `at` is RFC 3339 in UTC with milliseconds. `end` is always the last line, and `result` the object of `--json`. People
//! are in none of them. A thread of its own writes, so that a reader who is slow, or gone, stops no run.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::lines::Lines;
use crate::error::{Error, Result};

/// Layout of the lines.
const VERSION: u32 = 1;
/// Lines that wait for a reader; those behind them are left out.
const QUEUE_MAX: usize = 1 << 16;
/// How long a reader is waited for when all is done.
const PATIENCE: Duration = Duration::from_secs(5);

const LINES: Lines = Lines {
    verb: "write events to",
    what: "a record of events",
    busy: "another rosterdiff writes to it",
    is_header,
    takes_pipes: true,
};

/// Whether a line is the first one of a record of events.
fn is_header(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Header {
        r#type: String,
        tool: String,
    }
    let header = serde_json::from_slice::<Header>(line);
    header.is_ok_and(|header| header.r#type == "version" && header.tool.starts_with("rosterdiff "))
}

enum Message {
    Line(String),
    /// Whoever waits for everything before it to be written.
    Flush(SyncSender<()>),
}

/// Where events go.
#[derive(Debug)]
pub(super) struct Events {
    name: String,
    /// None once the last line was sent.
    out: Mutex<Option<SyncSender<Message>>>,
    failed: Arc<Mutex<Option<String>>>,
}

impl Events {
    /// Makes `path`, or replaces it if it is a record of events, and writes the first line.
    ///
    /// # Errors
    /// `File`.
    pub(super) fn create(path: &Path, command: &str) -> Result<Self> {
        let mut sink = LINES.create(path)?;
        let tool = concat!("rosterdiff ", env!("CARGO_PKG_VERSION"));
        let head = line("version", &json!({ "v": VERSION, "tool": tool, "command": command }));
        sink.write(head).map_err(|e| Error::file("write", path, e))?;
        Ok(Self::over(path.display().to_string(), move |line| sink.write(line)))
    }

    fn over(name: String, write: impl FnMut(String) -> io::Result<()> + Send + 'static) -> Self {
        let (send, receive) = sync_channel(QUEUE_MAX);
        let failed = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&failed);
        std::thread::spawn(move || drain(&receive, write, &shared));
        Self { name, out: Mutex::new(Some(send)), failed }
    }

    /// Tells of something.
    pub(super) fn tell(&self, kind: &str, members: &Value) {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(out) = &*out
            && let Err(TrySendError::Full(_)) = out.try_send(Message::Line(line(kind, members)))
        {
            fail(&self.failed, "the reader is too slow");
        }
    }

    /// Tells how it ended, and waits until everything is written or nobody reads it.
    pub(super) fn end(&self, exit: u8, result: &Value) {
        self.tell("end", &json!({ "exit": exit, "result": result }));
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (send, written) = sync_channel(1);
        let Some(out) = out else { return };
        let is_written = out.try_send(Message::Flush(send)).is_ok() && written.recv_timeout(PATIENCE).is_ok();
        if !is_written {
            fail(&self.failed, "the reader is too slow, and the end is missing");
        }
    }

    /// Why lines are missing, in words to be said: once.
    pub(super) fn failure(&self) -> Option<String> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let why = failed.as_mut().filter(|why| !why.is_empty()).map(std::mem::take)?;
        Some(format!("warning: no more events are written to {}: {why}; the work goes on", self.name))
    }
}

/// Notes why lines are missing. An empty reason is one that was told.
fn fail(failed: &Mutex<Option<String>>, why: &str) {
    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.to_owned());
}

fn drain(lines: &Receiver<Message>, mut write: impl FnMut(String) -> io::Result<()>, failed: &Mutex<Option<String>>) {
    let has_failed = || failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    for message in lines {
        match message {
            Message::Flush(done) => drop(done.try_send(())),
            // What is incomplete is not gone on with: a reader would take it for whole.
            Message::Line(_) if has_failed() => {}
            Message::Line(line) => {
                if let Err(error) = write(line) {
                    fail(failed, &error.to_string());
                }
            }
        }
    }
}

/// One line, its kind and time first.
fn line(kind: &str, members: &Value) -> String {
    let members = members.to_string();
    let rest = members.strip_prefix('{').filter(|rest| *rest != "}").map_or("}".to_owned(), |rest| format!(",{rest}"));
    format!("{{\"type\":\"{kind}\",\"at\":\"{}\"{rest}", super::now_ms())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(kept: &Arc<Mutex<Vec<String>>>) -> Vec<Value> {
        kept.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_disk_that_is_full_is_told_of_once_and_stops_nothing() {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&kept);
        let events = Events::over("run.jsonl".to_owned(), move |line| {
            let mut lines = lines.lock().unwrap();
            if lines.len() == 2 {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            lines.push(line);
            Ok(())
        });
        for n in 0..9 {
            events.tell("row", &json!({ "row": n }));
        }
        events.end(0, &json!({}));
        let told = written(&kept);
        assert_eq!((told.len(), &told[1]["row"]), (2, &json!(1)));
        let failure = events.failure().unwrap();
        assert!(failure.starts_with("warning: no more events are written to run.jsonl: "), "{failure}");
        assert_eq!(events.failure(), None);
    }

    #[test]
    fn nothing_follows_the_end_and_an_empty_object_is_one() {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&kept);
        let events = Events::over(String::new(), move |line| {
            lines.lock().unwrap().push(line);
            Ok(())
        });
        events.tell("stage", &json!({}));
        events.end(7, &Value::Null);
        events.tell("row", &json!({ "row": 1 }));
        events.end(0, &Value::Null);
        let told = written(&kept);
        let kinds: Vec<&str> = told.iter().map(|line| line["type"].as_str().unwrap()).collect();
        assert_eq!((kinds, &told[1]["exit"]), (vec!["stage", "end"], &json!(7)));
        assert!(is_header(line("version", &json!({ "v": 1, "tool": "rosterdiff 0.1.0" })).as_bytes()));
        assert!(!is_header(b"{\"type\":\"version\"}\n") && !is_header(b"email\n"));
    }
}
