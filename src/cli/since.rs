//! `apply` of a plan that was made after others: where one of them has gone on since, nothing more is sent.
//!
//! What that one has created since is not known here, and the search index may not show it yet either.

use std::path::Path;

use super::render::Render;
use crate::apply::changes::{Change, Stage};
use crate::apply::ledger::{Ledger, Row};
use crate::error::{Error, Kind, Result};
use crate::files::after::{Since, Wave};
use crate::files::manifest::Manifest;
use crate::files::quoted;
use crate::person::Person;
use crate::plan::Plan;
use crate::restore::Wanted;

/// What a run still has to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    /// Rows for which provably nothing was carried out.
    unsent: u64,
    /// Rows of which something may have happened.
    open: u64,
    /// Whether a run of this plan has begun.
    has_begun: bool,
}

impl Left {
    pub(super) fn of(manifest: &Manifest, plan: &Plan, so_far: &Ledger, people: &[Person]) -> Result<Self> {
        let mut left = Self { unsent: 0, open: 0, has_begun: so_far.bound_to.is_some() };
        for person in people {
            match so_far.row(person.row) {
                Some(row) if row.is_final() => {}
                row if may_have_happened(row) => left.open += 1,
                _ => left.unsent += 1,
            }
        }
        for wanted in super::restore::wanted(manifest, plan)? {
            match so_far.changes.of(wanted.row) {
                Some(change) if matches!(change.stage, Stage::Final(_)) => {}
                Some(change) if change.restoration().is_some() => left.open += 1,
                _ => left.unsent += 1,
            }
        }
        Ok(left)
    }
}

/// The rows to restore; only those of which something may have happened, if an earlier plan has gone on.
pub(super) fn restores(manifest: &Manifest, plan: &Plan, so_far: &Ledger, is_barred: bool) -> Result<Vec<Wanted>> {
    let mut wanted = super::restore::wanted(manifest, plan)?;
    wanted.retain(|wanted| !is_barred || so_far.changes.of(wanted.row).and_then(Change::restoration).is_some());
    Ok(wanted)
}

/// Whether a create of a row may have been carried out, and nobody knows yet.
pub(super) fn may_have_happened(row: Option<&Row>) -> bool {
    row.is_some_and(|row| !row.is_final() && !row.is_unsent())
}

/// Why nothing more may be sent, though what may have happened is still looked for; none if all may go on.
///
/// # Errors
/// The same, where nothing may have happened; `File` if an earlier plan cannot be read.
pub(super) fn check(dir: &Path, manifest: &Manifest, left: Left) -> Result<Option<Error>> {
    if left.unsent == 0 {
        return Ok(None);
    }
    for wave in &manifest.after {
        let what = match wave.since(dir)? {
            Since::WentOn => format!("{} has gone on since this plan was made", wave.path),
            Since::Another => format!("{} is not the plan any more that this one was made after", wave.path),
            Since::Same | Since::Gone => continue,
        };
        let error = Error::new(Kind::Unsafe, what).hint(hint(dir, manifest, left));
        return if left.open == 0 { Err(error) } else { Ok(Some(error)) };
    }
    Ok(None)
}

/// How to plan again; a plan that has begun has to be asked itself, and asks those before it.
fn hint(dir: &Path, manifest: &Manifest, left: Left) -> String {
    let own = dir.display().to_string();
    let waves = manifest.after.iter().map(|wave: &Wave| wave.path.as_str());
    let after: Vec<String> = if left.has_begun { vec![quoted(&own)] } else { waves.map(quoted).collect() };
    let sent = if left.open == 0 { "nothing was sent" } else { "no other row was sent" };
    format!("plan again with --after {}, into another directory; {sent}", after.join(" "))
}

/// Tells which earlier plans cannot be asked any more.
pub(super) fn tell_gone(dir: &Path, manifest: &Manifest, render: &Render) {
    for wave in manifest.after.iter().filter(|wave| wave.is_gone(dir)) {
        let path = &wave.path;
        render.say(format!("{path} is not there any more: whether it has gone on since this plan is not known."));
    }
}
