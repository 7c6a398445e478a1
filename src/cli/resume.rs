//! Going on with a run: by which command, from what time on, and whether there is anything to go on with.
//!
//! A service that wants to be left alone says for how long, and a person wants to know until what time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::args;
use super::fresh::Short;
use crate::apply::journal;
use crate::apply::ledger::Ledger;
use crate::error::{Error, Result};
use crate::files::manifest::Digest;
use crate::files::quoted;
use crate::plan::gates::Limit;

/// Where the service says how long it wants to be left alone, the error says until when. Beside it that moment in UTC.
pub(super) fn told(ended: Result<()>) -> (Result<()>, Option<String>) {
    let now = Timestamp::now();
    let Err(error) = ended else { return (ended, None) };
    match Resume::of(&error, now) {
        Some(resume) => (Err(error.hint(resume.hint(now, &TimeZone::system()))), Some(resume.utc())),
        None => (Err(error), None),
    }
}

/// What goes on with a run: with every flag that this one had, since without one it would be refused, or be another's.
pub(super) fn command(args: &args::Apply) -> String {
    let mut command = format!("rosterdiff apply {} --yes", quoted(&args.dir.display().to_string()));
    let connection = &args.connection;
    let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let differs = |n: u32, usual: u32| (n != usual).then(|| n.to_string());
    let asked = &connection.filed.asked;
    let flags = [
        ("--accept-unproven", args.accept_unproven.then(String::new)),
        ("--max-creates", args.accept.max_creates.map(Limit::typed)),
        ("--age-max", differs(args.age_max, args::AGE_MAX_H)),
        ("--canary", args.canary.map(|n| n.to_string())),
        ("--max-failures", args.max_failures.map(Limit::typed)),
        ("--settle", differs(args.settle, args::SETTLE_S)),
        ("--tokens", differs(u32::from(connection.tokens), 1)),
        ("--per-min", connection.per_min.map(|n| n.to_string())),
        ("--profile", connection.profile.clone()),
        ("--api-url", connection.api_url.clone()),
        ("--login-url", connection.login_url.clone()),
        ("--ca-file", text(&connection.ca_file)),
        ("--config", text(&asked.config)),
        ("--no-config", asked.no_config.then(String::new)),
    ];
    for (flag, value) in flags {
        match value.as_deref() {
            None => {}
            Some("") => command += &format!(" {flag}"),
            Some(value) => command += &format!(" {flag} {}", quoted(value)),
        }
    }
    command
}

/// Whether a run in that organisation was closed, and every file that it closed is as it was.
pub(super) fn is_closed(dir: &Path, so_far: &Ledger, organisation_id: &str) -> bool {
    let is_there = so_far.bound_to.as_ref().is_some_and(|bound| bound.org == organisation_id);
    let Some(files) = so_far.closed.as_ref().filter(|_| is_there && ends_whole(&dir.join(journal::FILE))) else {
        return false;
    };
    files.iter().all(|(name, digest)| Digest::of_file(&dir.join(name)).is_ok_and(|found| found == *digest))
}

/// Whether the last line of a journal has its end: a torn one is cut off by a run.
fn ends_whole(path: &Path) -> bool {
    let mut last = [0];
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)
    });
    read.is_ok() && last == *b"\n"
}

/// The moment from which a command may be run again.
#[derive(Debug)]
struct Resume {
    at: Timestamp,
    wait: Duration,
}

impl Resume {
    /// Of an error that says how long to wait, counted from `now`.
    fn of(error: &Error, now: Timestamp) -> Option<Self> {
        let wait = error.wait()?;
        // To the second, and not a moment too early.
        let seconds = i64::try_from(wait.as_secs()).ok()? + i64::from(wait.subsec_nanos() > 0);
        let started = now.as_second() + i64::from(now.subsec_nanosecond() > 0);
        Some(Self { at: Timestamp::from_second(started.checked_add(seconds)?).ok()?, wait })
    }

    /// RFC 3339, UTC.
    fn utc(&self) -> String {
        self.at.to_string()
    }

    /// By the clock on the wall of that zone, with its day if that is not the day of `now`.
    fn hint(&self, now: Timestamp, zone: &TimeZone) -> String {
        let (at, now) = (zone.to_datetime(self.at), zone.to_datetime(now));
        let day = if at.date() == now.date() { String::new() } else { format!("{} ", at.date()) };
        let wait = Short(i64::try_from(self.wait.as_secs()).unwrap_or(i64::MAX));
        format!("safe to run again after {day}{} ({}), in {wait}; what was done is recorded", at.time(), self.utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn hint(now: &str, wait: Duration, hours_east: i8) -> (String, String) {
        let now: Timestamp = now.parse().unwrap();
        let error = Error::new(Kind::Unreachable, "throttled beyond patience").after(wait);
        let resume = Resume::of(&error, now).unwrap();
        (resume.hint(now, &TimeZone::fixed(jiff::tz::offset(hours_east))), resume.utc())
    }

    #[test]
    fn the_time_to_go_on_is_told_by_the_wall_clock_and_in_utc() {
        let (hint, utc) = super::tests::hint("2026-11-24T20:55:12Z", Duration::from_secs(600), 0);
        assert_eq!(utc, "2026-11-24T21:05:12Z");
        assert!(hint.starts_with("safe to run again after 21:05:12 (2026-11-24T21:05:12Z), in 10 min"), "{hint}");
        let (hint, _) = super::tests::hint("2026-11-24T20:55:12Z", Duration::from_secs(6 * 3600), 2);
        assert!(hint.contains("after 2026-11-25 04:55:12 (2026-11-25T02:55:12Z), in 6 h"), "{hint}");
    }

    #[test]
    fn a_part_of_a_second_is_waited_for_and_no_wait_is_no_time() {
        let (_, utc) = hint("2026-11-24T20:55:12.4Z", Duration::from_millis(200_500), 0);
        assert_eq!(utc, "2026-11-24T20:58:34Z");
        assert!(Resume::of(&Error::new(Kind::Unreachable, "away"), Timestamp::UNIX_EPOCH).is_none());
    }
}
