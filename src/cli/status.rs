//! `status`: how far a run is, from its journal alone; another process may be at work meanwhile.

use serde_json::json;

use super::args;
use super::render::{Render, count};
use crate::apply::Outcome;
use crate::apply::journal::Journal;
use crate::error::{Kind, Result};
use crate::files::plan_dir;

pub(super) fn run(args: &args::Status, render: &Render) -> Result<u8> {
    let (manifest, plan) = plan_dir::open(&args.dir)?;
    let ledger = plan_dir::ledger(&args.dir, &manifest)?;
    let outcomes = plan_dir::outcomes(&plan, &ledger)?;
    super::diff::tell_counts(&manifest.counts, render);
    render.say(super::apply::sum(&outcomes));
    super::apply::tell_held(plan.held()?, render);
    let n_removed = ledger.changes.all().filter(|(_, change)| change.is_removed()).count() as u64;
    if n_removed > 0 {
        render.say(format!("Deleted again by rollback: {}", count(n_removed)));
    }
    super::restore::tell(&manifest, &plan, &ledger, render)?;
    match &ledger.last_at {
        Some(at) => render.say(format!("Last entry of the journal: {at} ({} lines)", count(ledger.n_lines))),
        None => render.say("No run has begun."),
    }
    let at_work = Journal::check_free(&args.dir).err().filter(|error| error.kind() == Kind::Unsafe);
    let is_open = ledger.bound_to.is_some() && ledger.closed.is_none();
    match &at_work {
        Some(error) => render.say(format!("{error}.")),
        None if is_open => {
            let verb = if ledger.changes.has_removals() { "rollback" } else { "apply" };
            render.say(format!("The last run was cut off: rosterdiff {verb} {} goes on.", args.dir.display()));
        }
        None => {}
    }
    let mut object =
        json!({ "new": manifest.counts.new, "complete": manifest.complete, "last_at": ledger.last_at.as_deref() });
    for outcome in Outcome::ALL {
        object[outcome.as_str()] = outcomes.of(outcome).into();
    }
    object["removed"] = n_removed.into();
    object["at_work"] = at_work.is_some().into();
    object["closed"] = ledger.closed.is_some().into();
    super::restore::count_in(&mut object, &args.dir, &manifest, &plan)?;
    render.object(&object)?;
    Ok(0)
}
