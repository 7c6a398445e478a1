//! What proves a plan grows old. Too old, and `apply` refuses it; older than minutes, and the rows that were not sent yet
//! are looked up again first. A plan that proves nothing has every row looked up, however young it is.

use std::collections::HashSet;
use std::fmt;

use super::connect::Session;
use super::look::{ask, look};
use super::render::{Render, count};
use crate::apply::ledger::Ledger;
use crate::apply::{self, Outcome};
use crate::error::{Error, Kind, Result};
use crate::files::manifest::{self, Manifest};
use crate::person::{Person, State, User};
use crate::plan::Sought;
use crate::snapshot::Probe;

/// Age up to which a proof stands for itself, in seconds: somebody who is created meanwhile is met all the same.
const FRESH_S_MAX: i64 = 5 * 60;
/// How far the clocks of two machines may be apart, in seconds.
const CLOCKS_S_MAX: i64 = 5 * 60;
const HOUR_S: i64 = 60 * 60;
/// Rows that are named; all are counted.
const ROWS_MAX: usize = 10;

/// How long ago the plan's verdicts were proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age {
    proof: Proof,
    seconds: i64,
}

/// What they stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// The listing of everybody.
    Snapshot,
    /// The rows were looked up.
    Search,
    /// Nothing but the plan itself.
    Plan,
}

impl Age {
    /// The age of what proves the plan of a manifest, now.
    ///
    /// # Errors
    /// `Damaged` if the manifest does not say when.
    pub(super) fn of(manifest: &Manifest) -> Result<Self> {
        let (proof, at) = match (&manifest.probe, &manifest.certificate) {
            (Some(probe), _) => (Proof::Search, &probe.ended_at),
            (None, Some(certificate)) => (Proof::Snapshot, &certificate.ended_at),
            (None, None) => (Proof::Plan, &manifest.made_at),
        };
        let seconds = super::seconds_since(at).ok_or_else(|| {
            Error::new(Kind::Damaged, format!("{} says a time that is none", manifest::FILE))
                .hint("plan again; nothing was sent")
        })?;
        Ok(Self { proof, seconds })
    }

    /// Refuses what is older than so many hours, and what is not yet.
    ///
    /// # Errors
    /// `Unsafe`, with the age, the bound and the flag.
    pub(super) fn check(self, hours_max: u32) -> Result<()> {
        if self.seconds < -CLOCKS_S_MAX {
            let what = match self.proof {
                Proof::Snapshot => "the snapshot of this plan was taken",
                Proof::Search => "the rows of this plan were looked up",
                Proof::Plan => "this plan was made",
            };
            let what = format!("{what} in the future, {} from now: a clock is wrong", Short(-self.seconds));
            return Err(Error::new(Kind::Unsafe, what)
                .hint("set the clock of this machine right, or plan again; nothing was sent"));
        }
        let hours_max = i64::from(hours_max);
        if self.seconds <= hours_max * HOUR_S {
            return Ok(());
        }
        let age = long(self.seconds, hours_max);
        let what = match self.proof {
            Proof::Snapshot => format!("plan was made from a snapshot {age} old"),
            Proof::Search => format!("the rows of this plan were looked up {age} ago"),
            Proof::Plan => format!("plan was made {age} ago"),
        };
        Err(Error::new(Kind::Unsafe, what).because(format!("the policy of this plan allows {hours_max}")).hint(
            format!("plan again, or allow it with `--age-max {}`; nothing was sent", days_for(self.seconds) * 24),
        ))
    }

    const fn is_fresh(self) -> bool {
        self.seconds <= FRESH_S_MAX
    }

    /// Why rows are looked up again.
    fn why(self) -> String {
        let age = Short(self.seconds);
        match self.proof {
            Proof::Snapshot => format!("the snapshot is {age} old"),
            Proof::Search => format!("they were looked up {age} ago"),
            Proof::Plan => format!("the plan is {age} old"),
        }
    }
}

/// `31 hours`; with minutes where the hours alone would be the bound itself.
fn long(seconds: i64, hours_max: i64) -> String {
    let plural = |n: i64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let (hours, minutes) = (seconds / HOUR_S, (seconds % HOUR_S + 59) / 60);
    match hours == hours_max {
        true => format!("{} and {}", plural(hours, "hour"), plural(minutes, "minute")),
        false => plural(hours, "hour"),
    }
}

/// Whole days that allow this age for an hour more at least.
const fn days_for(seconds: i64) -> i64 {
    let with_an_hour = seconds + HOUR_S;
    (with_an_hour + 24 * HOUR_S - 1) / (24 * HOUR_S)
}

/// Seconds, as `3 h` or `7 min`.
pub(super) struct Short(pub i64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds >= HOUR_S => write!(f, "{} h", seconds / HOUR_S),
            seconds => write!(f, "{} min", seconds / 60),
        }
    }
}

/// What looking up before the first create came to.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Whoever holds a key of a row that was not sent yet.
    pub users: Vec<User>,
    /// Keys that are proven by nothing: their rows are not sent.
    pub held_back: HashSet<String>,
    again: Option<Again>,
}

/// Rows of a proven plan, looked up again.
#[derive(Debug)]
struct Again {
    rows: Vec<u32>,
    /// Those of them that could not be looked up.
    refused: HashSet<u32>,
    why: String,
}

/// Looks up what has to be: every row that was not sent yet if the plan proves nothing, or if its proof is old.
///
/// # Errors
/// `Unreachable`; `Credentials` and `Unsafe` for a plan that proves nothing.
pub(super) async fn look_first(
    manifest: &Manifest,
    so_far: &Ledger,
    people: &[Person],
    session: &Session,
    render: &Render,
) -> Result<Looked> {
    let sought: Vec<Sought> = apply::unsent(so_far, people)
        .map(|p| Sought { row: p.row, key: p.key.clone(), address: p.email.clone() })
        .collect();
    if sought.is_empty() {
        return Ok(Looked::default());
    }
    if !manifest.complete {
        return look_all(&sought, session, render).await;
    }
    match Age::of(manifest)? {
        age if age.is_fresh() => Ok(Looked::default()),
        age => look_again(&sought, age, session, render).await,
    }
}

/// A plan that proves nothing: who cannot be looked up is not sent.
async fn look_all(sought: &[Sought], session: &Session, render: &Render) -> Result<Looked> {
    let looked = look(sought, session, render).await?;
    if looked.proof.values_max == 0 {
        return Err(Error::new(Kind::Unsafe, "the service refuses every search: no row can be looked up").hint(
            "plan against a complete snapshot (`rosterdiff snapshot`, then `plan --snapshot`); nothing was sent",
        ));
    }
    for gap in looked.proof.gaps() {
        render.say(format!("Accepted unproven: {gap}."));
    }
    if !looked.refused.is_empty() {
        let n = count(looked.refused.len() as u64);
        render.say(format!("{n} rows could not be looked up: they are held back and stay unprocessed."));
    }
    Ok(Looked { users: looked.users, held_back: looked.refused, again: None })
}

/// A proven plan: what cannot be looked up again was proven once, and is sent.
async fn look_again(sought: &[Sought], age: Age, session: &Session, render: &Render) -> Result<Looked> {
    let n_rows = count(sought.len() as u64);
    let looked = match ask(sought, session, render).await {
        Ok(looked) if looked.proof.values_max > 0 => looked,
        // Who is at the other end has been told, so it is the search that the client may not do.
        Err(error) if error.kind() != Kind::Credentials => return Err(error),
        Ok(_) | Err(_) => {
            let why = age.why();
            render.say(format!(
                "The service refuses to look {n_rows} rows up again, though {why}: they are sent as they were planned."
            ));
            return Ok(Looked::default());
        }
    };
    render.detail(format!(
        "{} searches, up to {} addresses each.",
        count(looked.proof.calls),
        count(looked.proof.values_max)
    ));
    // Of those that were refused it is told in numbers.
    for gap in (Probe { refused: 0, ..looked.proof.clone() }).gaps() {
        render.say(format!("Looking rows up again proves less than it could: {gap}."));
    }
    let refused = sought.iter().filter(|one| looked.refused.contains(&one.key)).map(|one| one.row).collect();
    let again = Again { rows: sought.iter().map(|one| one.row).collect(), refused, why: age.why() };
    Ok(Looked { users: looked.users, held_back: HashSet::new(), again: Some(again) })
}

impl Looked {
    /// Tells what became of the rows that were looked up again, once `ledger` knows who is held.
    pub(super) fn tell(&self, ledger: &Ledger, render: &Render) {
        self.again.iter().flat_map(|again| again.lines(ledger)).for_each(|line| render.say(line));
    }
}

impl Again {
    fn lines(&self, ledger: &Ledger) -> Vec<String> {
        let holder = |row: &u32| {
            let found = ledger.row(*row).filter(|found| found.outcome() == Outcome::Taken)?;
            Some((*row, found.user_state))
        };
        let held: Vec<(u32, Option<State>)> = self.rows.iter().filter_map(holder).collect();
        let n_deleted = held.iter().filter(|(_, state)| *state == Some(State::Deleted)).count();
        let n_live = held.len() - n_deleted;
        let n_refused = self.rows.iter().filter(|row| self.refused.contains(row) && holder(row).is_none()).count();
        let n_still = self.rows.len() - held.len() - n_refused;
        let count = |n: usize| count(n as u64);
        let mut line = format!(
            "Looked {} rows up again, since {}: {} still new, {} exist now, {} held by deleted users",
            count(self.rows.len()),
            self.why,
            count(n_still),
            count(n_live),
            count(n_deleted)
        );
        if n_refused > 0 {
            line += &format!(", {} could not be looked up and are sent as they were planned", count(n_refused));
        }
        let mut lines = vec![line + "."];
        if !held.is_empty() {
            let named: Vec<String> = held.iter().take(ROWS_MAX).map(|(row, _)| row.to_string()).collect();
            let more = match held.len().saturating_sub(ROWS_MAX) {
                0 => String::new(),
                n => format!(" and {} more", count(n)),
            };
            lines.push(format!("Held by now, and in taken.csv: rows {}{more}.", named.join(", ")));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn snapshot(seconds: i64) -> Age {
        Age { proof: Proof::Snapshot, seconds }
    }

    fn said(age: Age, hours_max: u32) -> [String; 3] {
        let error = age.check(hours_max).unwrap_err();
        assert_eq!(error.kind(), Kind::Unsafe);
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        [error.to_string(), cause, error.hint_text().unwrap_or_default().to_owned()]
    }

    #[test]
    fn an_age_is_allowed_up_to_the_second_and_then_told_with_its_numbers() {
        assert!(snapshot(24 * HOUR_S).check(24).is_ok());
        assert!(snapshot(0).check(1).is_ok());
        let [what, cause, hint] = said(snapshot(31 * HOUR_S + 5), 24);
        assert_eq!(what, "plan was made from a snapshot 31 hours old");
        assert_eq!(cause, "the policy of this plan allows 24");
        assert_eq!(hint, "plan again, or allow it with `--age-max 48`; nothing was sent");
        assert_eq!(said(snapshot(24 * HOUR_S + 1), 24)[0], "plan was made from a snapshot 24 hours and 1 minute old");
        assert_eq!(said(snapshot(HOUR_S + 600), 1)[0], "plan was made from a snapshot 1 hour and 10 minutes old");
        let searched = Age { proof: Proof::Search, seconds: 100 * HOUR_S };
        assert_eq!(said(searched, 24)[0], "the rows of this plan were looked up 100 hours ago");
        assert!(said(Age { proof: Proof::Plan, ..searched }, 24)[0].starts_with("plan was made 100 hours ago"));
    }

    #[test]
    fn what_is_offered_is_enough_for_an_hour_more() {
        for (hours, offered) in [(25, 48), (31, 48), (47, 48), (48, 72), (71, 72), (400, 408)] {
            assert_eq!(days_for(hours * HOUR_S) * 24, offered, "{hours}");
        }
    }

    #[test]
    fn a_time_to_come_is_told_apart_beyond_what_clocks_differ() {
        assert!(snapshot(-CLOCKS_S_MAX).check(24).is_ok());
        let [what, _, hint] = said(snapshot(-3 * HOUR_S), 1_000_000);
        assert_eq!(what, "the snapshot of this plan was taken in the future, 3 h from now: a clock is wrong");
        assert!(!hint.contains("--age-max"), "{hint}");
    }
}
