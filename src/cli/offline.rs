//! `verify --offline`: plan, journal and results belong together and nothing was altered. No network, no credentials.

use std::path::Path;

use serde_json::{Value, json};

use super::render::{Render, add_failure, count};
use crate::apply::journal::Journal;
use crate::error::{Error, Kind, Result};
use crate::files::evidence::{self, Evidence, Found};

pub(super) async fn run(dir: &Path, render: &Render) -> Result<u8> {
    // What a run at work has not written yet is no damage.
    if let Some(busy) = Journal::check_free(dir).err().filter(|error| error.kind() == Kind::Unsafe) {
        return Err(busy.hint(
            "its files are not what they will be: prove them when it has ended; `rosterdiff status --follow` says when",
        ));
    }
    let dir = dir.to_owned();
    let evidence = super::aside(move || evidence::examine(&dir)).await?;
    tell(&evidence, render);
    let mut object = object(&evidence);
    let altered = altered(&evidence);
    let Some(error) = evidence.damage.or(altered) else { return render.object(&object).map(|()| 0) };
    add_failure(&mut object, &error);
    render.object(&object)?;
    Err(error)
}

fn tell(evidence: &Evidence, render: &Render) {
    for checked in &evidence.checked {
        render.say(format!("{}: {}", checked.name, checked.what));
    }
    if let Some(counts) = &evidence.counts {
        super::diff::tell_counts(counts, render);
    }
    if let Some(outcomes) = &evidence.outcomes {
        render.say(super::apply::sum(outcomes));
    }
    if let Some(chain) = &evidence.chain {
        render.say(format!("The chain ends with {chain}: kept elsewhere, it proves later that this is the same run."));
    }
    let altered = evidence.altered();
    if !altered.is_empty() {
        render.say(format!(
            "Not proven: {} of the files are not what they were: {}.",
            altered.len(),
            altered.join(", ")
        ));
    } else if evidence.damage.is_none() {
        let n = count(n_files(evidence));
        let run = if evidence.begun { "" } else { " No run has begun." };
        render.say(format!("Proven: {n} files belong together and none was altered.{run}"));
    }
}

/// The error of files that were altered; what they are was told.
fn altered(evidence: &Evidence) -> Option<Error> {
    let n = evidence.altered().len() as u64;
    let are = if n == 1 { "file is not what it was" } else { "files are not what they were" };
    let what = format!("{} {are} when the plan or its run was written", count(n));
    let hint = "bring back what was kept elsewhere; `rosterdiff verify` without --offline asks the organisation itself";
    (n > 0).then(|| Error::new(Kind::Differs, what).hint(hint))
}

fn n_files(evidence: &Evidence) -> u64 {
    evidence.names_of(&[Found::Whole, Found::Altered, Found::Damaged]).len() as u64
}

fn object(evidence: &Evidence) -> Value {
    let object = json!({
        "files_checked": n_files(evidence),
        "altered": evidence.altered(),
        "damaged": evidence.names_of(&[Found::Damaged]),
        "not_checked": evidence.names_of(&[Found::Aside]),
        "begun": evidence.begun,
        "closed": evidence.closed,
        "chain": evidence.chain,
    });
    object
}
