//! `verify --offline`: plan, journal and results belong together and nothing was altered. No network, no credentials.

use std::path::Path;

use serde_json::{Value, json};

use super::render::{Render, count, failure};
use crate::error::{Kind, Result};
use crate::files::evidence::{self, Evidence, Found};

pub(super) async fn run(dir: &Path, render: &Render) -> Result<u8> {
    let dir = dir.to_owned();
    let evidence = super::aside(move || evidence::examine(&dir)).await?;
    tell(&evidence, render);
    render.object(&object(&evidence))?;
    let is_altered = !evidence.altered().is_empty();
    match evidence.damage {
        Some(damage) => Err(damage),
        None if is_altered => Ok(Kind::Differs.exit_code()),
        None => Ok(0),
    }
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

fn n_files(evidence: &Evidence) -> u64 {
    evidence.names_of(&[Found::Whole, Found::Altered, Found::Damaged]).len() as u64
}

fn object(evidence: &Evidence) -> Value {
    let mut object = json!({
        "files_checked": n_files(evidence),
        "altered": evidence.altered(),
        "damaged": evidence.names_of(&[Found::Damaged]),
        "not_checked": evidence.names_of(&[Found::Aside]),
        "begun": evidence.begun,
        "closed": evidence.closed,
        "chain": evidence.chain,
    });
    if let Some(damage) = &evidence.damage
        && let (Some(all), Some(failure)) = (object.as_object_mut(), failure(damage).as_object())
    {
        all.extend(failure.clone());
    }
    object
}
