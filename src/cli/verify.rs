//! `verify`: what was created is there as it was sent, and the sums hold; offline, that the files were not altered.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::args;
use super::connect::Session;
use super::gauge::Stage;
use super::render::{Render, add_failure, count};
use crate::apply::{Outcome, Outcomes, ledger::Ledger};
use crate::error::{Error, Kind, Result};
use crate::files::manifest::Manifest;
use crate::files::{plan_dir, quoted};
use crate::number::counted;
use crate::plan::Plan;
use crate::restore;
use crate::verify::{Expected, Verified, What, verify};

/// A user younger than this may be missing from a listing: official tools wait up to five minutes for one.
const YOUNG: SignedDuration = SignedDuration::from_mins(10);
/// Differences that are told by row; all are counted.
const TOLD_MAX: usize = 20;

pub(super) async fn run(args: &args::Verify, session: impl FnOnce() -> Result<Session>, render: &Render) -> Result<u8> {
    if args.offline {
        return super::offline::run(&args.dir, render).await;
    }
    check(args, session, render).await.map(|()| 0)
}

async fn check(args: &args::Verify, session: impl FnOnce() -> Result<Session>, render: &Render) -> Result<()> {
    let (manifest, plan) = plan_dir::open(&args.dir)?;
    let ledger = plan_dir::ledger(&args.dir, &manifest)?;
    if ledger.bound_to.is_none() {
        return Err(Error::new(Kind::File, format!("{} has no journal: nothing was applied", args.dir.display()))
            .hint("apply the plan first"));
    }
    let outcomes = plan_dir::outcomes(&plan, &ledger)?;
    let session = session()?;
    let organisation = session.client.organisation().await?;
    if ledger.bound_to.as_ref().is_some_and(|bound| bound.org != organisation.id) {
        let what = format!("the run was in another organisation than {}", organisation.id);
        return Err(Error::new(Kind::Unsafe, what).hint("check the region and the OAuth client"));
    }
    let expected = expected(&manifest, &plan, &ledger)?;
    let (task, n) = (render.stage(Stage::Verify, &session.client), expected.len() as u64);
    task.at(0, n);
    let verified = verify(&session.client, &expected, |done| task.at(done, n)).await?;
    drop(task);
    super::diff::tell_counts(&manifest.counts, render);
    render.say(super::apply::sum(&outcomes));
    tell(&verified, render);
    let left = tell_left(args, &plan, &outcomes, render)?;
    let mut object = json!({
        "checked": verified.n_checked(),
        "as_sent": verified.n_as_sent,
        "removed": verified.n_removed,
        "restored": verified.n_restored,
        "not_visible": verified.n_not_visible,
        "differences": verified.differences.len(),
        "left": left,
        "requests": session.client.tally().requests,
    });
    let error = differing(&verified);
    error.iter().for_each(|error| add_failure(&mut object, error));
    render.object(&object)?;
    error.map_or(Ok(()), Err)
}

/// Tells of rows that are not settled: what is proven says nothing about them. How many.
fn tell_left(args: &args::Verify, plan: &Plan, outcomes: &Outcomes, render: &Render) -> Result<u64> {
    let left = outcomes.of(Outcome::Unprocessed) + outcomes.of(Outcome::Unknown) - plan.n_held()?;
    if left > 0 {
        let (rows, dir) = (counted(left, "new row is", "new rows are"), quoted(&args.dir.display().to_string()));
        render.say(format!("{rows} not settled yet: `rosterdiff apply {dir}` goes on."));
    }
    Ok(left)
}

/// The error of users who are not what they should be; who they are was told.
fn differing(verified: &Verified) -> Option<Error> {
    let n = verified.differences.len() as u64;
    let are = if n == 1 { "is not as it should be" } else { "are not as they should be" };
    let what = format!("{} of {} users {are}", count(n), count(verified.n_checked()));
    let hint = "the rows and fields are named above: somebody has changed these users since, or they are gone";
    (n > 0).then(|| Error::new(Kind::Differs, what).hint(hint))
}

fn expected(manifest: &Manifest, plan: &Plan, ledger: &Ledger) -> Result<Vec<Expected>> {
    let now = Timestamp::now();
    let is_young = |at: &str| at.parse::<Timestamp>().is_ok_and(|at| now.duration_since(at) < YOUNG);
    let mut expected = Vec::new();
    for person in plan.people()? {
        let Some(row) = ledger.row(person.row) else { continue };
        let number = person.row;
        if let (Outcome::Created | Outcome::Adopted, Some(user_id)) = (row.outcome(), row.user_id.as_deref()) {
            let (what, at) = match ledger.changes.of(number) {
                Some(change) if change.is_removed() => (What::Removed, change.at.as_str()),
                // Whether a rollback that was cut off deleted it is not known.
                Some(change) if change.is_unsure() => continue,
                _ => (What::Created(person), &*row.at),
            };
            let user_id = user_id.to_owned();
            expected.push(Expected { row: number, user_id, is_young: is_young(at), what });
        }
    }
    let wanted = if manifest.restore_deleted { restore::wanted(plan)? } else { Vec::new() };
    for (wanted, (what, at)) in wanted.iter().filter_map(|wanted| Some((wanted, wanted.expected(ledger)?))) {
        let user_id = wanted.user_id.clone().unwrap_or_default();
        expected.push(Expected { row: wanted.row, user_id, is_young: is_young(at), what });
    }
    Ok(expected)
}

/// What reading back found.
pub(super) fn tell(verified: &Verified, render: &Render) {
    let there = counted(verified.n_as_sent, "user is there as it was sent", "users are there as they were sent");
    let mut text = format!("Verified: {there}");
    if verified.n_not_visible > 0 {
        text += &format!(", {} are not visible yet (created or changed minutes ago)", count(verified.n_not_visible));
    }
    if verified.n_removed > 0 {
        text += &format!(", {} are deleted again", count(verified.n_removed));
    }
    if verified.n_restored > 0 {
        text += &format!(", {} are restored", count(verified.n_restored));
    }
    let n_differing = verified.differences.len() as u64;
    render.say(format!("{text}; {}.", counted(n_differing, "difference", "differences")));
    for difference in verified.differences.iter().take(TOLD_MAX) {
        render.say(format!("  row {}, user {}: {}", difference.row, difference.user_id, difference.what));
    }
    if verified.differences.len() > TOLD_MAX {
        render.say(format!("  and {} more", verified.differences.len() - TOLD_MAX));
    }
}
