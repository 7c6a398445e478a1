//! `apply`: the new rows become users.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::args;
use super::connect::Session;
use super::plan::open_proven;
use super::render::{Render, count, failure};
use super::stop;
use crate::api::Organisation;
use crate::apply::journal::{self, Journal};
use crate::apply::ledger::Ledger;
use crate::apply::{self, Options, Outcome, Outcomes};
use crate::error::{Error, Kind, Result};
use crate::files::manifest::Manifest;
use crate::files::plan_dir::{self, PLAN, RESULT};
use crate::plan::Plan;

pub(super) async fn run(args: &args::Apply, session: impl FnOnce() -> Result<Session>, render: &Render) -> Result<u8> {
    let started = Instant::now();
    let (manifest, plan) = prepare(&args.dir)?;
    let session = session()?;
    let ended = match begin(args, &manifest, &plan, &session, render).await {
        Ok((journal, ledger)) => create(args, &plan, &session, &journal, &ledger, render).await,
        Err(error) => Err(error),
    };
    // Whatever ended the run: what the journal says is told, and then the error.
    let outcomes = plan_dir::outcomes(&plan, &journal_so_far(&args.dir)?)?;
    let mut object = object(&outcomes, &session, started.elapsed());
    if let Err(error) = &ended
        && let (Some(all), Some(failure)) = (object.as_object_mut(), failure(error).as_object())
    {
        all.extend(failure.clone());
    }
    render.object(&object)?;
    ended?;
    let left = outcomes.of(Outcome::Refused) + outcomes.of(Outcome::Unknown);
    Ok(if left > 0 { super::EXIT_ROWS_LEFT } else { 0 })
}

/// Creates what is left, and writes the results whatever came of it.
async fn create(
    args: &args::Apply,
    plan: &Plan,
    session: &Session,
    journal: &Arc<Journal>,
    ledger: &Ledger,
    render: &Render,
) -> Result<()> {
    let options = Options { settle: Duration::from_secs(u64::from(args.settle)) };
    let bar = render.bar("Users done:");
    let people = plan.people()?;
    let ended = apply::apply(&session.client, journal, ledger, people, options, stop::watched(), |progress| {
        bar.set_length(progress.rows);
        bar.set_position(progress.done);
        bar.set_message(if progress.settling > 0 {
            format!("{} being looked up", progress.settling)
        } else {
            String::new()
        });
    })
    .await;
    bar.finish_and_clear();
    let noted = journal.end(ended.as_ref().err().map_or("done", |e| reason(e.kind())));
    let ledger = journal_so_far(&args.dir)?;
    plan_dir::write_results(&args.dir, plan, &ledger)?;
    tell(&plan_dir::outcomes(plan, &ledger)?, &args.dir, render);
    ended.and(noted)
}

fn journal_so_far(dir: &Path) -> Result<Ledger> {
    let path = dir.join(journal::FILE);
    if path.exists() { Ok(journal::replay(&path)?.ledger) } else { Ok(Ledger::default()) }
}

fn prepare(dir: &Path) -> Result<(Manifest, Plan)> {
    let (manifest, plan) = open_proven(dir)?;
    plan.people()?;
    if dir.join(RESULT).exists() && !dir.join(journal::FILE).exists() {
        let what = format!("the journal of {} is gone, and its run had begun", dir.display());
        return Err(Error::new(Kind::Damaged, what)
            .hint("bring journal.jsonl back, or plan again from a fresh snapshot in another directory"));
    }
    Ok((manifest, plan))
}

/// Everything that can refuse, before the first create.
async fn begin(
    args: &args::Apply,
    manifest: &Manifest,
    plan: &Plan,
    session: &Session,
    render: &Render,
) -> Result<(Arc<Journal>, Ledger)> {
    let organisation = session.client.organisation().await?;
    if manifest.organisation_id.as_deref() != Some(organisation.id.as_str()) {
        let what = format!("the plan is for another organisation than {} ({})", shown(&organisation), organisation.id);
        return Err(Error::new(Kind::Unsafe, what).hint("check the region and the OAuth client; nothing was sent"));
    }
    let so_far = plan_dir::outcomes(plan, &journal_so_far(&args.dir)?)?;
    let left = so_far.of(Outcome::Unprocessed) + so_far.of(Outcome::Unknown);
    let question = format!("Create {} users in {}?", count(left), shown(&organisation));
    if left > 0 && !args.yes && !render.confirm(&question)? {
        return Err(Error::new(
            Kind::Unsafe,
            format!("not confirmed: {} users to create in {}", count(left), shown(&organisation)),
        )
        .hint("add --yes; nothing was sent"));
    }
    let digest = manifest.outputs.get(PLAN).map_or("", |d| d.blake3.as_str());
    let (journal, ledger) = Journal::open(&args.dir, digest, &organisation.id, super::now)?;
    // Written before the first create: afterwards a missing journal can be told from a run that never began.
    plan_dir::write_results(&args.dir, plan, &ledger)?;
    Ok((Arc::new(journal), ledger))
}

fn shown(organisation: &Organisation) -> String {
    organisation.name.as_deref().map_or_else(|| organisation.id.clone(), |name| format!("\"{name}\""))
}

const fn reason(kind: Kind) -> &'static str {
    match kind {
        Kind::Interrupted => "interrupted",
        Kind::Credentials => "credentials",
        Kind::Unreachable => "unreachable",
        Kind::Unsafe => "unsafe",
        Kind::File => "file",
        Kind::Usage | Kind::Damaged | Kind::Incomplete | Kind::Differs | Kind::Bug => "error",
    }
}

fn tell(outcomes: &Outcomes, dir: &Path, render: &Render) {
    render.say(sum(outcomes));
    render.say(format!("Results: {}", dir.display()));
    if outcomes.of(Outcome::Refused) > 0 {
        render.say("Refused rows are in refused.csv with the service's words: correct it and plan it again.");
    }
    if outcomes.of(Outcome::Unknown) + outcomes.of(Outcome::Unprocessed) > 0 {
        render.say(format!("To go on: rosterdiff apply {} --yes", dir.display()));
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
