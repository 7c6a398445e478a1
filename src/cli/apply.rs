//! `apply`: the new rows become users.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::args;
use super::connect::Session;
use super::look::{look, open_proven};
use super::render::{Render, count, failure};
use super::{gates, restore, stop};
use crate::api::Organisation;
use crate::apply::journal::{self, Journal};
use crate::apply::ledger::{Binding, Ledger, Row};
use crate::apply::{self, Options, Outcome, Outcomes};
use crate::error::{Error, Kind, Result};
use crate::files::manifest::{self, Digest, Manifest};
use crate::files::plan_dir::{self, NewRows, RESULT};
use crate::lanes::Stop;
use crate::person::Person;
use crate::plan::{Plan, Sought};
use crate::probe::Probed;

/// A plan that can be applied, as it was read.
struct Ready {
    manifest: Manifest,
    /// BLAKE3 of the manifest's bytes.
    manifest_digest: String,
    plan: Plan,
    new: NewRows,
}

pub(super) async fn run(args: &args::Apply, session: impl FnOnce() -> Result<Session>, render: &Render) -> Result<u8> {
    let started = Instant::now();
    let stop = stop::watched(Stop::default());
    let ready = prepare(args)?;
    let session = session()?;
    let ended = match begin(args, &ready, &session, stop.clone(), render).await {
        Ok(begun) => create(args, &ready, &session, begun, stop, render).await,
        Err(error) => Err(error),
    };
    // Whatever ended the run: what the journal says is told, and then the error.
    let so_far = plan_dir::ledger(&args.dir, &ready.manifest);
    let outcomes = so_far.and_then(|ledger| plan_dir::outcomes(&ready.plan, &ledger));
    let told = outcomes.as_ref().map_or(Ok(()), |outcomes| {
        let mut object = object(outcomes, &session, started.elapsed());
        restore::count_in(&mut object, &args.dir, &ready.manifest, &ready.plan)?;
        if let Err(error) = &ended
            && let (Some(all), Some(failure)) = (object.as_object_mut(), failure(error).as_object())
        {
            all.extend(failure.clone());
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
    begun: Begun,
    stop: watch::Receiver<bool>,
    render: &Render,
) -> Result<()> {
    let options = Options { settle: Duration::from_secs(u64::from(args.settle)) };
    let Begun { journal, ledger, people, n_held_back } = begun;
    let also = stop.clone();
    let bar = render.bar("Users done:");
    let ended = apply::apply(&session.client, &journal, &ledger, people, options, stop, |progress| {
        bar.set_length(progress.rows);
        bar.set_position(progress.done);
        bar.set_message(match progress.settling {
            0 => String::new(),
            n => format!("{n} being looked up"),
        });
    })
    .await;
    bar.finish_and_clear();
    let ended = match ended {
        Ok(()) => restore::run(&ready.manifest, &ready.plan, &session.client, &journal, &ledger, also, render).await,
        Err(error) => Err(error),
    };
    let noted = journal.end(ended.as_ref().err().map_or("done", |e| reason(e.kind())));
    let written = show(&args.dir, ready, &journal, render);
    ended.and(noted).and(written)?;
    if n_held_back > 0 {
        let what = format!("{n_held_back} rows could not be looked up and were held back");
        return Err(Error::new(Kind::Incomplete, what).hint("plan them again against a complete snapshot"));
    }
    Ok(())
}

/// Writes the results, and only then the line that says that they are what they should be.
fn show(dir: &Path, ready: &Ready, journal: &Journal, render: &Render) -> Result<()> {
    let ledger = plan_dir::ledger(dir, &ready.manifest)?;
    plan_dir::write_results(dir, &ready.plan, &ready.new, &ledger)?;
    plan_dir::close(dir, journal)?;
    let outcomes = plan_dir::outcomes(&ready.plan, &ledger)?;
    tell(&outcomes, ready.plan.n_held()?, dir, !ready.manifest.complete, render);
    restore::tell(&ready.manifest, &ready.plan, &ledger, render)
}

fn prepare(args: &args::Apply) -> Result<Ready> {
    let dir = &args.dir;
    let (manifest, plan) = open_proven(dir, args.accept_unproven)?;
    plan.people()?;
    let new = NewRows::read(dir, &manifest, &plan)?;
    if dir.join(RESULT).exists() && !dir.join(journal::FILE).exists() {
        let what = format!("the journal of {} is gone, and its run had begun", dir.display());
        return Err(Error::new(Kind::Damaged, what)
            .hint("bring journal.jsonl back, or plan again from a fresh snapshot in another directory"));
    }
    // Before anybody is asked anything: a journal of another plan, or begun with another manifest, is not gone on with.
    gates::check(args, &manifest, plan_dir::ledger(dir, &manifest)?.bound_to.is_some())?;
    let manifest_digest = Digest::of_file(&dir.join(manifest::FILE))?.blake3;
    Ok(Ready { manifest, manifest_digest, plan, new })
}

/// A run that may create.
struct Begun {
    journal: Arc<Journal>,
    ledger: Ledger,
    people: Vec<Person>,
    /// Rows that could not be looked up, and are not created.
    n_held_back: u64,
}

/// Everything that can refuse, before the first create.
async fn begin(
    args: &args::Apply,
    ready: &Ready,
    session: &Session,
    mut stop: watch::Receiver<bool>,
    render: &Render,
) -> Result<Begun> {
    let Ready { manifest, manifest_digest, plan, new } = ready;
    let mut people = plan.people()?;
    let so_far = plan_dir::ledger(&args.dir, manifest)?;
    let organisation = tokio::select! {
        met = meet(session, &so_far, &mut people) => met?,
        _ = stop.wait_for(|stopping| *stopping) => return Err(interrupted()),
    };
    // An unproven plan may be of no organisation yet: its journal binds it to the one it meets.
    if manifest.organisation_id.as_ref().is_some_and(|id| *id != organisation.id) {
        let what = format!("the plan is for another organisation than {} ({})", organisation.shown(), organisation.id);
        return Err(Error::new(Kind::Unsafe, what).hint("check the region and the OAuth client; nothing was sent"));
    }
    let outcomes = plan_dir::outcomes(plan, &so_far)?;
    let left = outcomes.of(Outcome::Unprocessed) + outcomes.of(Outcome::Unknown) - plan.n_held()?;
    let n_restores = restore::n_open(manifest, plan, &so_far)?;
    let task = format!("{} users to create in {}{}", count(left), organisation.shown(), restore::also(n_restores));
    if args.yes {
        // Nobody is asked: whoever looks on sees at least where it goes.
        render.say(format!("{task}."));
    }
    if left + n_restores > 0 && !args.yes && !render.confirm(&format!("{task}."))? {
        return Err(Error::new(Kind::Unsafe, format!("not confirmed: {task}")).hint("add --yes; nothing was sent"));
    }
    // Before the journal is begun: whoever stops meanwhile has bound the plan to nothing.
    let looked = match manifest.complete {
        true => Probed::default(),
        false => tokio::select! {
            looked = look_up(&so_far, &people, session, render) => looked?,
            _ = stop.wait_for(|stopping| *stopping) => return Err(interrupted()),
        },
    };
    let to = Binding {
        plan: manifest.plan_digest().to_owned(),
        manifest: manifest_digest.clone(),
        org: organisation.id.clone(),
    };
    let (journal, mut ledger) =
        Journal::open(&args.dir, &to, super::now, || manifest.check_still(&args.dir, manifest_digest))?;
    if apply::note_held(&journal, &ledger, &people, &looked.users)? > 0 {
        ledger = plan_dir::ledger(&args.dir, manifest)?;
    }
    // Written before the first create: afterwards a missing journal can be told from a run that never began.
    plan_dir::write_results(&args.dir, plan, new, &ledger)?;
    people.retain(|person| !looked.refused.contains(&person.key));
    Ok(Begun { journal: Arc::new(journal), ledger, people, n_held_back: looked.refused.len() as u64 })
}

/// Who is at the other end, and whether it has the divisions that people name who are not settled yet.
async fn meet(session: &Session, so_far: &Ledger, people: &mut [Person]) -> Result<Organisation> {
    let organisation = session.client.organisation().await?;
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

/// Looks every row up that was not sent yet.
async fn look_up(so_far: &Ledger, people: &[Person], session: &Session, render: &Render) -> Result<Probed> {
    let sought: Vec<Sought> = apply::unsent(so_far, people)
        .map(|p| Sought { row: p.row, key: p.key.clone(), address: p.email.clone() })
        .collect();
    let looked = look(&sought, session, render).await?;
    if !sought.is_empty() && looked.proof.values_max == 0 {
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
    Ok(looked)
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

fn tell(outcomes: &Outcomes, n_held: u64, dir: &Path, is_unproven: bool, render: &Render) {
    render.say(sum(outcomes));
    render.say(format!("Results: {}", dir.display()));
    if outcomes.of(Outcome::Refused) > 0 {
        render.say("Refused rows are in refused.csv with the service's words: correct it and plan it again.");
    }
    tell_held(n_held, render);
    if outcomes.of(Outcome::Unknown) + outcomes.of(Outcome::Unprocessed) > n_held {
        let accept = if is_unproven { " --accept-unproven" } else { "" };
        render.say(format!("To go on: rosterdiff apply {} --yes{accept}", dir.display()));
    }
}

/// Why some rows stay unprocessed.
pub(super) fn tell_held(n_held: u64, render: &Render) {
    if n_held > 0 {
        let what = "rows are held back, since they resemble somebody: look at suspects.csv";
        render.say(format!("{} {what}, and plan again without --hold-suspects.", count(n_held)));
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
