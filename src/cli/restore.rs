//! `--restore-deleted` at the door: what is said of it when a plan is made, asked before it is applied, and told after.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::gauge::Stage;
use super::render::{Render, count};
use crate::api::Client;
use crate::api::wire::Wire;
use crate::apply::journal::Journal;
use crate::apply::ledger::Ledger;
use crate::error::Result;
use crate::files::manifest::Manifest;
use crate::files::plan_dir;
use crate::plan::Plan;
use crate::restore::{self, NOT_GIVEN_BACK, Tally, Wanted};

/// Tells that a plan restores, and what does not come back.
pub(super) fn tell_planned(manifest: &Manifest, render: &Render) {
    if manifest.restore_deleted {
        let n = count(manifest.to_restore());
        render.say(format!("`apply` restores {n} deleted users, too: {NOT_GIVEN_BACK}."));
    }
}

/// The rows to restore, if any are to be.
pub(super) fn wanted(manifest: &Manifest, plan: &Plan) -> Result<Vec<Wanted>> {
    if manifest.restore_deleted { restore::wanted(plan) } else { Ok(Vec::new()) }
}

/// What became of the rows to restore; nothing of all where none are.
fn tally(manifest: &Manifest, plan: &Plan, ledger: &Ledger) -> Result<Tally> {
    Ok(restore::tally(&wanted(manifest, plan)?, ledger))
}

/// How many users are still to be restored.
pub(super) fn n_open(manifest: &Manifest, plan: &Plan, ledger: &Ledger) -> Result<u64> {
    Ok(tally(manifest, plan, ledger)?.open())
}

/// What a confirmation says beside.
pub(super) fn also(n_restores: u64) -> String {
    match n_restores {
        0 => String::new(),
        n => format!(", and {} deleted users to restore ({NOT_GIVEN_BACK})", count(n)),
    }
}

/// Restores whoever is to be restored.
pub(super) async fn run<W: Wire>(
    wanted: Vec<Wanted>,
    client: &Arc<Client<W>>,
    journal: &Arc<Journal>,
    ledger: &Ledger,
    stop: watch::Receiver<bool>,
    render: &Render,
) -> Result<()> {
    let n_open = restore::tally(&wanted, ledger).open();
    if n_open == 0 {
        return Ok(());
    }
    let task = render.stage(Stage::Restore, client);
    task.at(0, n_open);
    restore::restore(client, journal, ledger, wanted, stop, |done| task.at(done, n_open)).await
}

/// Rows that were refused or stay unknown: the run's exit code tells of them.
pub(super) fn n_failed(dir: &Path, manifest: &Manifest, plan: &Plan) -> Result<u64> {
    if !manifest.restore_deleted {
        return Ok(0);
    }
    let tally = tally(manifest, plan, &plan_dir::ledger(dir, manifest)?)?;
    Ok(tally.refused + tally.unknown)
}

/// Counts them in the object of `apply`.
pub(super) fn count_in(object: &mut Value, dir: &Path, manifest: &Manifest, plan: &Plan) -> Result<()> {
    if manifest.restore_deleted {
        let tally = tally(manifest, plan, &plan_dir::ledger(dir, manifest)?)?;
        object["restored"] = tally.restored.into();
        object["restore_refused"] = tally.refused.into();
        object["restore_unknown"] = tally.unknown.into();
    }
    Ok(())
}

/// Tells what became of them.
pub(super) fn tell(manifest: &Manifest, plan: &Plan, ledger: &Ledger, render: &Render) -> Result<()> {
    if !manifest.restore_deleted {
        return Ok(());
    }
    let tally = tally(manifest, plan, ledger)?;
    let parts = [
        (tally.restored, "restored"),
        (tally.refused, "restore_refused"),
        (tally.unknown, "restore_unknown"),
        (tally.left, "not tried"),
    ];
    let parts: Vec<String> = parts.iter().map(|(n, word)| format!("{} {word}", count(*n))).collect();
    render.say(format!("{} deleted = {}", count(manifest.to_restore()), parts.join(" + ")));
    if tally.restored > 0 {
        render.say(format!("Of restored users {NOT_GIVEN_BACK}."));
    }
    if tally.open() > 0 {
        render.say("Another `apply` looks at those that are not tried or unknown.");
    }
    if tally.fields_left > 0 {
        let n = count(tally.fields_left);
        render.say(format!("{n} of them keep the name, department or title that they had: restored.csv says why."));
    }
    Ok(())
}
