//! `rollback`: users that a run created, and that nobody has changed since, are deleted again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::args;
use super::connect::Session;
use super::gauge::Stage;
use super::render::{Render, add_failure, count};
use super::{rows, stop};
use crate::api::Organisation;
use crate::apply::Outcome;
use crate::apply::journal::Journal;
use crate::apply::ledger::{Binding, Ledger};
use crate::error::{Error, Kind, Result};
use crate::files::manifest::{self, Digest, Manifest};
use crate::files::plan_dir::{self, NewRows};
use crate::files::quoted;
use crate::lanes::Stop;
use crate::number::counted;
use crate::person::Person;
use crate::plan::Plan;
use crate::rollback::{self, Sorted, Tally};

/// Rows that are named at the beginning and at the end of a list.
const NAMED_MAX: usize = 3;

/// A run that may be undone, as it was read.
struct Ready {
    manifest: Manifest,
    /// BLAKE3 of the manifest's bytes.
    digest: String,
    plan: Plan,
    people: Vec<Person>,
    rows: NewRows,
}

pub(super) async fn run(
    args: &args::Rollback,
    session: impl FnOnce() -> Result<Session>,
    render: &Render,
) -> Result<u8> {
    let started = Instant::now();
    let stop = stop::watched(Stop::default(), render);
    let ready = prepare(args)?;
    let session = session()?;
    let ended = undo(args, &ready, &session, stop, render).await;
    // Whatever ended the run: what the journal says is told, and then the error.
    let tally = tally(args, &ready)?;
    let mut object = object(&tally, &session, started.elapsed());
    ended.as_ref().err().into_iter().for_each(|error| add_failure(&mut object, error));
    let told = render.object(&object);
    ended?;
    told?;
    Ok(if tally.unknown > 0 { super::EXIT_ROWS_LEFT } else { 0 })
}

fn prepare(args: &args::Rollback) -> Result<Ready> {
    let dir = &args.dir;
    let (manifest, plan) = plan_dir::open(dir)?;
    let ledger = plan_dir::ledger(dir, &manifest)?;
    if ledger.bound_to.is_none() {
        return Err(Error::new(Kind::File, format!("{} has no journal: nobody was created", dir.display()))
            .hint("name the directory of a plan that was applied"));
    }
    plan_dir::outcomes(&plan, &ledger)?;
    let digest = Digest::of_file(&dir.join(manifest::FILE))?.blake3;
    let (people, rows) = (plan.people()?, NewRows::read(dir, &manifest, &plan)?);
    Ok(Ready { manifest, digest, plan, people, rows })
}

fn tally(args: &args::Rollback, ready: &Ready) -> Result<Tally> {
    let ledger = plan_dir::ledger(&args.dir, &ready.manifest)?;
    Ok(rollback::tally(&ready.people, &ledger, args.adopted))
}

/// Looks, asks, deletes, and writes the results whatever came of it.
async fn undo(
    args: &args::Rollback,
    ready: &Ready,
    session: &Session,
    mut stop: watch::Receiver<bool>,
    render: &Render,
) -> Result<()> {
    let ledger = plan_dir::ledger(&args.dir, &ready.manifest)?;
    let (organisation, sorted) = tokio::select! {
        looked = look(args, ready, session, &ledger, render) => looked?,
        _ = stop.wait_for(|stopping| *stopping) => {
            return Err(Error::new(Kind::Interrupted, "interrupted; nothing was deleted").hint("safe to run again"));
        }
    };
    tell_sorted(&sorted, &organisation, render);
    tell_others(args, ready, &ledger, render);
    let n = sorted.remove.len() as u64;
    if sorted.is_settled() && ledger.closed.is_some() {
        return Ok(());
    }
    let task = format!("{} to delete in {}", counted(n, "user", "users"), organisation.shown());
    if n > 0 && !args.yes && !render.confirm(&format!("{task}."))? {
        return Err(Error::new(Kind::Unsafe, format!("not confirmed: {task}")).hint("add --yes; nothing was deleted"));
    }
    let to = Binding {
        plan: ready.manifest.plan_digest().to_owned(),
        manifest: ready.digest.clone(),
        org: organisation.id.clone(),
    };
    let still = || ready.manifest.check_still(&args.dir, &ready.digest);
    let (mut journal, now) = Journal::open(&args.dir, &to, super::now, still)?;
    rows::watch(&mut journal, &now, ready.people.iter().map(|person| person.row), render);
    let journal = Arc::new(journal);
    let ended = match has_gone_on(&ledger, &now) {
        true => Err(Error::new(Kind::Unsafe, format!("a run of {} went on meanwhile", args.dir.display()))
            .hint("look again with the same command; nothing was deleted")),
        false => delete(&journal, sorted, session, stop, render).await,
    };
    let noted = journal.end(ended.as_ref().err().map_or("done", |e| super::apply::reason(e.kind())));
    let written = show(args, ready, &journal, render);
    ended.and(noted).and(written)
}

/// Whether another process has worked on the plan since it was looked at.
const fn has_gone_on(before: &Ledger, now: &Ledger) -> bool {
    before.n_lines != now.n_lines
}

/// Who is at the other end, and which of its users may be deleted.
async fn look(
    args: &args::Rollback,
    ready: &Ready,
    session: &Session,
    ledger: &Ledger,
    render: &Render,
) -> Result<(Organisation, Sorted)> {
    let organisation = session.client.organisation().await?;
    if ledger.bound_to.as_ref().is_some_and(|bound| bound.org != organisation.id) {
        let what = format!("the run was in another organisation than {} ({})", organisation.shown(), organisation.id);
        return Err(Error::new(Kind::Unsafe, what).hint("check the region and the OAuth client; nothing was deleted"));
    }
    let targets = rollback::targets(ready.people.clone(), ledger, args.adopted);
    let (task, n) = (render.stage(Stage::Check, &session.client), targets.len() as u64);
    task.at(0, n);
    Ok((organisation, rollback::sort(&session.client, targets, |done| task.at(done, n)).await?))
}

async fn delete(
    journal: &Arc<Journal>,
    sorted: Sorted,
    session: &Session,
    stop: watch::Receiver<bool>,
    render: &Render,
) -> Result<()> {
    let task = render.stage(Stage::Delete, &session.client);
    task.at(0, sorted.remove.len() as u64);
    rollback::rollback(&session.client, journal, sorted, stop, |progress| task.at(progress.done, progress.users)).await
}

/// Writes the results, and only then the line that says that they are what they should be.
fn show(args: &args::Rollback, ready: &Ready, journal: &Journal, render: &Render) -> Result<()> {
    let ledger = plan_dir::ledger(&args.dir, &ready.manifest)?;
    plan_dir::write_results(&args.dir, &ready.plan, &ready.rows, &ledger)?;
    plan_dir::close(&args.dir, journal)?;
    let tally = rollback::tally(&ready.people, &ledger, args.adopted);
    render.say(sum(&tally));
    render.say(format!("Results: {}", args.dir.display()));
    if tally.unknown + tally.left > 0 {
        render.say(format!("To go on: rosterdiff rollback {} --yes", quoted(&args.dir.display().to_string())));
    }
    Ok(())
}

fn sum(tally: &Tally) -> String {
    let Tally { removed, kept, unknown, left } = *tally;
    let [all, removed, kept, unknown, left] = [tally.sum(), removed, kept, unknown, left].map(count);
    format!("{all} created = {removed} removed + {kept} kept + {unknown} unknown + {left} left")
}

/// Users that a rollback has deleted again.
pub(super) fn n_removed(ledger: &Ledger) -> u64 {
    ledger.changes.all().filter(|(_, change)| change.is_removed()).count() as u64
}

/// Tells that some of whom a run created are gone again.
pub(super) fn tell_removed(ledger: &Ledger, render: &Render) {
    let n = n_removed(ledger);
    if n > 0 {
        render.say(format!("Deleted again by rollback: {}", count(n)));
    }
}

/// Tells who would be deleted and who is kept, by row: addresses stay in the files.
fn tell_sorted(sorted: &Sorted, organisation: &Organisation, render: &Render) {
    let rows: Vec<u32> = sorted.remove.iter().map(|target| target.person.row).collect();
    let users = counted(rows.len() as u64, "user", "users");
    render.say(format!("{users} to delete in {}{}.", organisation.shown(), named(&rows)));
    let mut kept: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (target, why) in &sorted.keep {
        kept.entry(why).or_default().push(target.person.row);
    }
    for (why, rows) in kept {
        let kept = counted(rows.len() as u64, "is kept", "are kept");
        render.say(format!("{kept} ({why}){}.", named(&rows)));
    }
}

/// The first and the last of some rows.
fn named(rows: &[u32]) -> String {
    let text = |rows: &[u32]| rows.iter().map(|row| count(u64::from(*row))).collect::<Vec<_>>().join(", ");
    match rows.len() {
        0 => String::new(),
        1 => format!(": row {}", text(rows)),
        n if n <= 2 * NAMED_MAX => format!(": rows {}", text(rows)),
        n => format!(": rows {}, …, {}", text(&rows[..NAMED_MAX]), text(&rows[n - NAMED_MAX..])),
    }
}

/// Tells of users that may be ours and are not touched.
fn tell_others(args: &args::Rollback, ready: &Ready, ledger: &Ledger, render: &Render) {
    let [all, created] = [true, false].map(|adopted| rollback::tally(&ready.people, ledger, adopted).sum());
    if !args.adopted && all > created {
        let n = count(all - created);
        render.say(format!("{n} more are inferred to be created by this run: --adopted deletes them too."));
    }
    let is_unknown = |person: &&Person| ledger.row(person.row).is_some_and(|row| row.outcome() == Outcome::Unknown);
    let n_unknown = ready.people.iter().filter(is_unknown).count() as u64;
    if n_unknown > 0 {
        let n = count(n_unknown);
        render.say(format!(
            "{n} rows are unknown and stay as they are: another `apply` settles whether they were created."
        ));
    }
}

fn object(tally: &Tally, session: &Session, took: Duration) -> Value {
    let calls = session.client.tally();
    json!({
        "removed": tally.removed, "kept": tally.kept, "unknown": tally.unknown, "left": tally.left,
        "requests": calls.requests, "throttled": calls.throttled,
        "seconds": (took.as_secs_f64() * 1000.0).round() / 1000.0,
    })
}
