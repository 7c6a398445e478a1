//! `--canary N`: the first new rows go ahead. Everybody else follows once all of them are users, and as they were sent.

use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use super::connect::Session;
use super::gauge::Stage;
use super::render::{Render, count};
use super::verify;
use crate::apply::ledger::{Ledger, Row};
use crate::apply::{Outcome, Outcomes};
use crate::error::{Error, Kind, Result};
use crate::person::Person;
use crate::verify::{Expected, Verified, What, verify as read_back};

/// Waits before each reading, in parts of the settling time: a third of it in all, which by default is a minute.
const WAITS: [f64; 6] = [0.0, 1.0 / 36.0, 1.0 / 36.0, 2.0 / 36.0, 4.0 / 36.0, 4.0 / 36.0];

/// The first `n` of the people. Who was held before anything was sent is nobody's canary; whoever was sent by an earlier
/// run still is.
pub(super) fn first(people: &[Person], ledger: &Ledger, n: u32) -> Vec<Person> {
    let is_unsendable = |row: &Row| row.outcome() == Outcome::Taken && row.attempts == 0;
    let sendable = people.iter().filter(|person| !ledger.row(person.row).is_some_and(is_unsendable));
    sendable.take(n as usize).cloned().collect()
}

/// Whether everybody else may follow: reads the canaries back, and waits a while for those that are not visible yet.
///
/// # Errors
/// `Unsafe` if one of them is no user of ours, or not as it was sent; `Interrupted`; `Credentials`, `Unreachable`.
pub(super) async fn check(
    dir: &Path,
    canaries: &[Person],
    ledger: &Ledger,
    session: &Session,
    settle: Duration,
    stop: &mut watch::Receiver<bool>,
    render: &Render,
) -> Result<()> {
    let expected = expected(dir, canaries, ledger)?;
    let mut verified = Verified::default();
    for wait in WAITS {
        let read = async {
            tokio::time::sleep(settle.mul_f64(wait)).await;
            let task = render.stage(Stage::Verify, &session.client);
            let n = expected.len() as u64;
            read_back(&session.client, &expected, |done| task.at(done, n)).await
        };
        verified = tokio::select! {
            verified = read => verified?,
            _ = stop.wait_for(|stopping| *stopping) => {
                return Err(Error::new(Kind::Interrupted, "interrupted; the canaries were sent, and nobody else")
                    .hint("run the same command again to go on"));
            }
        };
        if verified.n_not_visible == 0 || !verified.differences.is_empty() {
            break;
        }
    }
    verify::tell(&verified, render);
    judge(&verified, expected.len(), settle)
}

/// The canaries as users; all of them have to be some.
fn expected(dir: &Path, canaries: &[Person], ledger: &Ledger) -> Result<Vec<Expected>> {
    let mut outcomes = Outcomes::default();
    let mut expected = Vec::new();
    for person in canaries {
        let row = ledger.row(person.row);
        let outcome = row.map_or(Outcome::Unprocessed, Row::outcome);
        outcomes.add(outcome);
        if let (Outcome::Created | Outcome::Adopted, Some(user_id)) = (outcome, row.and_then(|r| r.user_id.as_deref()))
        {
            let what = What::Created(person.clone());
            expected.push(Expected { row: person.row, user_id: user_id.to_owned(), is_young: true, what });
        }
    }
    if expected.len() == canaries.len() {
        return Ok(expected);
    }
    let parts = Outcome::ALL.into_iter().filter(|of| outcomes.of(*of) > 0);
    let parts: Vec<String> = parts.map(|of| format!("{} {}", count(outcomes.of(of)), of.as_str())).collect();
    let what = format!("of {} canaries came {}; nobody else was sent", count(outcomes.sum()), parts.join(", "));
    Err(Error::new(Kind::Unsafe, what).hint(format!(
        "look at refused.csv, taken.csv and unknown.csv in {}; to go on all the same, run again without --canary; to take them back, `rosterdiff rollback`",
        dir.display()
    )))
}

fn judge(verified: &Verified, n: usize, settle: Duration) -> Result<()> {
    let n = count(n as u64);
    if !verified.differences.is_empty() {
        let what = format!(
            "{} of {n} canaries are not as they were sent; nobody else was sent",
            count(verified.differences.len() as u64)
        );
        return Err(Error::new(Kind::Unsafe, what)
            .hint("to go on all the same, run again without --canary; to take them back, `rosterdiff rollback`"));
    }
    if verified.n_not_visible > 0 {
        let what = format!(
            "{} of {n} canaries cannot be read back {} s after they were created; nobody else was sent",
            count(verified.n_not_visible),
            settle.mul_f64(WAITS.iter().sum()).as_secs_f64().round()
        );
        return Err(Error::new(Kind::Unsafe, what)
            .hint("run the same command again in some minutes; to go on all the same, run again without --canary; to take them back, `rosterdiff rollback`"));
    }
    Ok(())
}
