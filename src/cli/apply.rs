//! `apply`: the new rows become users.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::args;
use super::connect::Session;
use super::fresh::{Age, Looked, look_first};
use super::gauge::{Stage, Why};
use super::look::open_proven;
use super::render::{Render, add_failure, count};
use super::since::Left;
use super::{canary, forecast, gates, restore, resume, rollback, rows, since, stop};
use crate::api::Organisation;
use crate::apply::journal::Journal;
use crate::apply::ledger::{Binding, Ledger, Row};
use crate::apply::{self, Options, Outcome, Outcomes};
use crate::error::{Error, Kind, Result};
use crate::files::manifest::{Digest, Manifest};
use crate::files::plan_dir::{self, NewRows, RESULT};
use crate::files::{self, manifest};
use crate::lanes::Stop;
use crate::number::counted;
use crate::person::Person;
use crate::plan::{Held, Plan};

/// A plan that can be applied, as it was read.
struct Ready {
    manifest: Manifest,
    /// BLAKE3 of the manifest's bytes.
    manifest_digest: String,
    plan: Plan,
    new: NewRows,
    left: Left,
    /// Whether an earlier plan has gone on: only what may have happened is looked for.
    is_barred: bool,
}

pub(super) async fn run(args: &args::Apply, session: impl FnOnce() -> Result<Session>, render: &Render) -> Result<u8> {
    let started = Instant::now();
    let stop = stop::watched(Stop::default(), render);
    let (ready, so_far) = prepare(args)?;
    since::tell_gone(&args.dir, &ready.manifest, render);
    if ready.is_barred {
        render.say("An earlier plan has gone on since: only rows that may have been created are looked for.");
    }
    let session = session()?;
    let mut shown = None;
    let ended = match begin(args, &ready, so_far, &session, stop.clone(), render).await {
        Ok(Door::Open(begun)) => create(args, &ready, &session, *begun, stop, &mut shown, render).await,
        Ok(Door::Done(ledger)) => told(args, &ready, &ledger, true, render).map(|outcomes| shown = Some(outcomes)),
        Err(error) => Err(error),
    };
    let (ended, resume_at) = resume::told(ended);
    // Whatever ended the run: what the journal says is told, and then the error.
    let outcomes =
        shown.map_or_else(|| plan_dir::outcomes(&ready.plan, &plan_dir::ledger(&args.dir, &ready.manifest)?), Ok);
    let told = outcomes.as_ref().map_or(Ok(()), |outcomes| {
        let mut object = object(outcomes, &session, started.elapsed());
        restore::count_in(&mut object, &args.dir, &ready.manifest, &ready.plan)?;
        if let Err(error) = &ended {
            add_failure(&mut object, error);
            resume_at.into_iter().for_each(|at| object["resume_at"] = at.into());
        }
        render.object(&object)
    });
    ended?;
    told?;
    let outcomes = outcomes?;
    let left = outcomes.of(Outcome::Refused) + outcomes.of(Outcome::Unknown);
    let left = left + restore::n_failed(&args.dir, &ready.manifest, &ready.plan)?;
    Ok(if left > 0 { super::EXIT_ROWS_LEFT } else { 0 })
}

/// Creates what is left, and writes the results whatever came of it.
async fn create(
    args: &args::Apply,
    ready: &Ready,
    session: &Session,
    mut begun: Begun,
    stop: watch::Receiver<bool>,
    shown: &mut Option<Outcomes>,
    render: &Render,
) -> Result<()> {
    let (journal, n_held_back, also) = (Arc::clone(&begun.journal), begun.n_held_back, stop.clone());
    let barred = begun.barred.take();
    let restores = since::restores(&ready.manifest, &ready.plan, &begun.ledger, barred.is_some())?;
    let ended = match send(args, ready, session, begun, stop, render).await {
        Ok(ledger) => restore::run(restores, &session.client, &journal, &ledger, also, render).await,
        Err(error) => Err(error),
    };
    let can_go_on = barred.is_none();
    let ended = ended.and(barred.map_or(Ok(()), Err));
    let noted = journal.end(ended.as_ref().err().map_or("done", |e| reason(e.kind())));
    let written = show(args, ready, &journal, can_go_on, render).map(|outcomes| *shown = Some(outcomes));
    ended.and(noted).and(written)?;
    if n_held_back > 0 {
        let what = format!("{n_held_back} rows could not be looked up and were held back");
        return Err(Error::new(Kind::Incomplete, what).hint("plan them again against a complete snapshot"));
    }
    Ok(())
}

/// Told once an outage is waited out, with or without a terminal.
const AWAY: &str = "The service does not answer creates: waiting for it, for up to 15 minutes. Ctrl-C is safe.";

/// What is told of rows that are looked for.
pub(super) fn settling(n: u64, settle_s: u32) -> String {
    match n {
        0 => String::new(),
        n => format!("{} being looked up, for up to {settle_s} s", counted(n, "row", "rows")),
    }
}

const fn away(progress: apply::Progress) -> Option<Why> {
    match (progress.is_away, progress.is_blind) {
        (true, _) => Some(Why::Creates),
        (false, true) => Some(Why::Searches),
        (false, false) if progress.only_settles => Some(Why::Settling),
        (false, false) => None,
    }
}

/// Sends what is left; canaries first, if there are to be any. The journal as it was before the last of them.
async fn send(
    args: &args::Apply,
    ready: &Ready,
    session: &Session,
    begun: Begun,
    mut stop: watch::Receiver<bool>,
    render: &Render,
) -> Result<Ledger> {
    let Begun { journal, mut ledger, people, .. } = begun;
    let settle = Duration::from_secs(u64::from(args.settle));
    let max_failures = args.max_failures.unwrap_or(Options::default().max_failures);
    let options = Options { settle, max_failures, ..Options::default() };
    let n_unknown = people.iter().filter(|p| ledger.row(p.row).is_some_and(Row::is_open)).count() as u64;
    if n_unknown > 0 {
        let settle_s = args.settle;
        render.say(format!(
            "{} unknown from an earlier run and looked for, for up to {settle_s} s, while others go on.",
            counted(n_unknown, "row is", "rows are")
        ));
    }
    let was_away = Cell::new(false);
    let send = async |ledger: &Ledger, people: Vec<Person>, stop: watch::Receiver<bool>| {
        let task = render.stage(Stage::Create, &session.client);
        apply::apply(&session.client, &journal, ledger, people, options, stop, |progress| {
            if was_away.replace(progress.is_away) != progress.is_away {
                render.say(if progress.is_away { AWAY } else { "The service answers again." });
            }
            task.note(|| settling(progress.settling, args.settle), away(progress));
            task.at(progress.done, progress.rows);
        })
        .await
    };
    if let Some(n) = args.canary.filter(|n| *n > 0) {
        let canaries = canary::first(&people, &ledger, n);
        send(&ledger, canaries.clone(), stop.clone()).await?;
        ledger = plan_dir::ledger(&args.dir, &ready.manifest)?;
        canary::check(&args.dir, &canaries, &ledger, session, options.settle, &mut stop, render).await?;
        let n_left = apply::unsent(&ledger, &people).count() as u64;
        let left = counted(n_left, "user is", "users are");
        let task = format!("The canaries are there; {left} left to create.");
        if n_left > 0 && !args.yes && !render.confirm(&task)? {
            return Err(Error::new(Kind::Unsafe, "not confirmed: the canaries were sent, and nobody else")
                .hint("run the same command again to go on"));
        }
    }
    send(&ledger, people, stop).await?;
    Ok(ledger)
}

/// Writes the results, and only then the line that says that they are what they should be.
fn show(args: &args::Apply, ready: &Ready, journal: &Journal, can_go_on: bool, render: &Render) -> Result<Outcomes> {
    let ledger = plan_dir::ledger(&args.dir, &ready.manifest)?;
    plan_dir::write_results(&args.dir, &ready.plan, &ready.new, &ledger)?;
    plan_dir::close(&args.dir, journal)?;
    told(args, ready, &ledger, can_go_on, render)
}

/// Tells what became of the plan, by its journal.
fn told(args: &args::Apply, ready: &Ready, ledger: &Ledger, can_go_on: bool, render: &Render) -> Result<Outcomes> {
    let outcomes = plan_dir::outcomes(&ready.plan, ledger)?;
    tell(&outcomes, ready.plan.held()?, args, can_go_on, render);
    rollback::tell_removed(ledger, render);
    restore::tell(&ready.manifest, &ready.plan, ledger, render)?;
    Ok(outcomes)
}

fn prepare(args: &args::Apply) -> Result<(Ready, Ledger)> {
    let dir = &args.dir;
    let (manifest, plan) = open_proven(dir, args.accept_unproven)?;
    let people = plan.people()?;
    let new = NewRows::read(dir, &manifest, &plan)?;
    Journal::check_free(dir)?;
    // Before anybody is asked anything: a journal of another plan, or begun with another manifest, is not gone on with.
    let so_far = plan_dir::ledger(dir, &manifest)?;
    plan_dir::check_begun(dir, &so_far)?;
    let left = n_left(&plan, &so_far)?;
    if left > 0 && so_far.changes.has_removals() {
        let what = format!("a rollback of {} has begun: nobody more is created from it", dir.display());
        return Err(Error::new(Kind::Unsafe, what).hint(format!(
            "`rosterdiff rollback {}` goes on with it; to create the rest, plan again into another directory",
            files::quoted(&dir.display().to_string())
        )));
    }
    let still = Left::of(&manifest, &plan, &so_far, &people)?;
    let is_barred = since::check(dir, &manifest, still)?.is_some();
    gates::check(args, &manifest, so_far.bound_to.is_some())?;
    // However old it is: where nothing is left to send nothing can go wrong.
    if left + restore::n_open(&manifest, &plan, &so_far)? > 0 {
        Age::of(&manifest)?.check(args.age_max)?;
    }
    let manifest_digest = Digest::of_file(&dir.join(manifest::FILE))?.blake3;
    Ok((Ready { manifest, manifest_digest, plan, new, left: still, is_barred }, so_far))
}

/// Rows that may still be sent.
fn n_left(plan: &Plan, so_far: &Ledger) -> Result<u64> {
    let outcomes = plan_dir::outcomes(plan, so_far)?;
    Ok(outcomes.of(Outcome::Unprocessed) + outcomes.of(Outcome::Unknown) - plan.n_held()?)
}

/// What stands behind the door.
enum Door {
    /// A run.
    Open(Box<Begun>),
    /// Nothing is left to do: an earlier run was closed, and its results are what they were.
    Done(Box<Ledger>),
}

/// A run that may create.
struct Begun {
    journal: Arc<Journal>,
    ledger: Ledger,
    people: Vec<Person>,
    /// Rows that could not be looked up, and are not created.
    n_held_back: u64,
    /// Why only what may have happened is looked for.
    barred: Option<Error>,
}

/// Everything that can refuse, before the first create.
async fn begin(
    args: &args::Apply,
    ready: &Ready,
    so_far: Ledger,
    session: &Session,
    mut stop: watch::Receiver<bool>,
    render: &Render,
) -> Result<Door> {
    let Ready { manifest, plan, .. } = ready;
    let mut people = plan.people()?;
    if ready.is_barred {
        people.retain(|person| since::may_have_happened(so_far.row(person.row)));
    }
    let organisation = tokio::select! {
        met = meet(session, &so_far, &mut people) => met?,
        _ = stop.wait_for(|stopping| *stopping) => return Err(interrupted()),
    };
    // An unproven plan may be of no organisation yet: its journal binds it to the one it meets.
    if manifest.organisation_id.as_ref().is_some_and(|id| *id != organisation.id) {
        let what = format!("the plan is for another organisation than {} ({})", organisation.shown(), organisation.id);
        return Err(Error::new(Kind::Unsafe, what).hint("check the region and the OAuth client; nothing was sent"));
    }
    let left = if ready.is_barred { people.len() as u64 } else { n_left(plan, &so_far)? };
    let n_restores = crate::restore::tally(&since::restores(manifest, plan, &so_far, ready.is_barred)?, &so_far).open();
    let users = counted(left, "user", "users");
    let task = format!("{users} to create in {}{}", organisation.shown(), restore::also(n_restores));
    render.say(format!("{task}."));
    forecast::of_run(left, n_restores == 0, session, render);
    let is_done = left + n_restores == 0;
    if is_done && resume::is_closed(&args.dir, &so_far, &organisation.id) {
        return Ok(Door::Done(Box::new(so_far)));
    }
    // What was said is not repeated, where it was said.
    let question = if render.is_quiet() { format!("{task}.") } else { "Go on?".to_owned() };
    if !is_done && !args.yes && !render.confirm(&question)? {
        return Err(Error::new(Kind::Unsafe, format!("not confirmed: {task}")).hint("add --yes; nothing was sent"));
    }
    // Before the journal is begun: whoever stops meanwhile has bound the plan to nothing.
    let looked = tokio::select! {
        looked = look_first(manifest, &so_far, &people, session, render) => looked?,
        _ = stop.wait_for(|stopping| *stopping) => return Err(interrupted()),
    };
    // What is read under the lock takes its place.
    drop(so_far);
    Ok(Door::Open(Box::new(enter(args, ready, organisation.id, people, looked, render)?)))
}

/// Takes the lock, and writes before the first create what a crash would want to know.
fn enter(
    args: &args::Apply,
    ready: &Ready,
    org: String,
    mut people: Vec<Person>,
    looked: Looked,
    render: &Render,
) -> Result<Begun> {
    let Ready { manifest, manifest_digest, plan, new, left, .. } = ready;
    let to = Binding { plan: manifest.plan_digest().to_owned(), manifest: manifest_digest.clone(), org };
    let mut barred = None;
    let (mut journal, mut ledger) = Journal::open(&args.dir, &to, super::now, || {
        manifest.check_still(&args.dir, manifest_digest)?;
        barred = since::check(&args.dir, manifest, *left)?;
        Ok(())
    })?;
    if barred.is_some() {
        people.retain(|person| since::may_have_happened(ledger.row(person.row)));
    }
    rows::watch(&mut journal, &ledger, people.iter().map(|person| person.row), render);
    if apply::note_held(&journal, &ledger, &people, &looked.users)? > 0 {
        ledger = plan_dir::ledger(&args.dir, manifest)?;
    }
    looked.tell(&ledger, render);
    // Before the first create: afterwards a missing journal can be told from a run that never began.
    if !args.dir.join(RESULT).exists() {
        plan_dir::write_results(&args.dir, plan, new, &ledger)?;
    }
    people.retain(|person| !looked.held_back.contains(&person.key));
    let (journal, n_held_back) = (Arc::new(journal), looked.held_back.len() as u64);
    Ok(Begun { journal, ledger, people, n_held_back, barred })
}

/// Who is at the other end, and whether it has the divisions that people name who are not settled yet.
async fn meet(session: &Session, so_far: &Ledger, people: &mut [Person]) -> Result<Organisation> {
    let organisation = session.client.organisation().await?;
    // That was a reply: if it had no rate headers, the organisation's limits are asked instead.
    session.client.learn_limits().await;
    let is_open =
        |person: &&mut Person| !so_far.row(person.row).is_some_and(Row::is_final) && person.division.is_some();
    let mut naming: Vec<&mut Person> = people.iter_mut().filter(is_open).collect();
    if !naming.is_empty() {
        let divisions = session.client.divisions().await?.map_err(|words| {
            let what = format!("rows name divisions, and the client may not list them (HTTP {})", words.status);
            Error::new(Kind::Credentials, what)
                .hint("give its role authorization:division:view, or plan again with --map division= (nothing); nothing was sent")
        })?;
        apply::resolve_divisions(&mut naming, &divisions)?;
    }
    Ok(organisation)
}

fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "interrupted; nothing was sent").hint("safe to run again")
}

pub(super) const fn reason(kind: Kind) -> &'static str {
    match kind {
        Kind::Interrupted => "interrupted",
        Kind::Credentials => "credentials",
        Kind::Unreachable => "unreachable",
        Kind::Unsafe => "unsafe",
        Kind::File => "file",
        Kind::Usage | Kind::Damaged | Kind::Incomplete | Kind::Differs | Kind::Bug => "error",
    }
}

fn tell(outcomes: &Outcomes, held: Held, args: &args::Apply, can_go_on: bool, render: &Render) {
    render.say(sum(outcomes));
    render.say(format!("Results: {}", args.dir.display()));
    if outcomes.of(Outcome::Refused) > 0 {
        let dir = files::quoted(&args.dir.display().to_string());
        render.say(format!(
            "Refused rows are in refused.csv with the service's words: correct it and plan it again, with --after {dir}."
        ));
    }
    if outcomes.of(Outcome::Taken) > 0 {
        let rows = counted(outcomes.of(Outcome::Taken), "row is taken", "rows are taken");
        render.say(format!(
            "{rows}: somebody holds the address by now. taken.csv says who; a deleted user's is free again only for that user \
             (`plan --restore-deleted`)."
        ));
    }
    tell_held(held, render);
    if can_go_on && outcomes.of(Outcome::Unknown) + outcomes.of(Outcome::Unprocessed) > held.rows {
        render.say(format!("To go on: {}", resume::command(args)));
    }
}

/// Why some rows stay unprocessed.
pub(super) fn tell_held(held: Held, render: &Render) {
    if held.suspects > 0 {
        let rows =
            counted(held.suspects, "row is held back, since it resembles", "rows are held back, since they resemble");
        render.say(format!("{rows} somebody: look at suspects.csv, and plan again without --hold-suspects."));
    }
    if held.after > 0 {
        let rows = counted(
            held.after,
            "row is held back, since an earlier plan had not settled it",
            "rows are held back, since an earlier plan had not settled them",
        );
        render.say(format!("{rows}: finish that one, and plan again with the same --after."));
    }
}

/// The second sum that is law.
pub(super) fn sum(outcomes: &Outcomes) -> String {
    let parts: Vec<String> =
        Outcome::ALL.iter().map(|o| format!("{} {}", count(outcomes.of(*o)), o.as_str())).collect();
    format!("{} new = {}", count(outcomes.sum()), parts.join(" + "))
}

fn object(outcomes: &Outcomes, session: &Session, took: Duration) -> Value {
    let tally = session.client.tally();
    let mut object = json!({
        "restored": 0, "requests": tally.requests, "throttled": tally.throttled,
        "seconds": (took.as_secs_f64() * 1000.0).round() / 1000.0,
    });
    for outcome in Outcome::ALL {
        object[outcome.as_str()] = outcomes.of(outcome).into();
    }
    object
}
