//! `plan --after`: earlier plans are asked, and what they know is told.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::args;
use super::render::{Render, count};
use crate::apply::Outcome;
use crate::error::{Error, Kind, Result};
use crate::files::after::{self, Read, Wave};
use crate::files::manifest::Manifest;
use crate::files::plan_dir::MadeAfter;
use crate::files::quoted;
use crate::lanes::Effort;
use crate::number::counted;
use crate::plan::after::{After, Counts, Earlier, Listing, Noted, Unsettled, find_again};
use crate::plan::{Policy, Teller, Verdicts};
use crate::roster::Roster;
use crate::snapshot::{Probe, Snapshot};

/// Earlier plans, as they were read.
pub(super) struct Asked {
    earlier: Earlier,
    waves: Vec<Wave>,
}

/// What earlier plans know of the rows at hand.
pub(super) struct Known {
    pub made: MadeAfter,
    /// By earlier plan, what it has not settled.
    pub unsettled: Vec<Unsettled>,
}

/// What a plan is decided from.
pub(super) struct Deciding<'a> {
    pub roster: &'a Roster,
    pub policy: &'a Policy,
    pub effort: Effort,
}

/// Reads the earlier plans, if there are to be any.
pub(super) async fn ask(args: &args::Plan, target: &Path, render: &Render) -> Result<Option<Asked>> {
    if args.after.is_empty() {
        return Ok(None);
    }
    check_places(target, &args.after)?;
    let dirs = args.after.clone();
    let Read { earlier, waves, also, lost } = super::aside(move || after::read(&dirs, super::second_of)).await?;
    check_places(target, &waves.iter().map(|wave| PathBuf::from(&wave.path)).collect::<Vec<_>>())?;
    for (after, path) in also {
        render.say(format!("Asked as well, since {after} was planned after it: {path}."));
    }
    for (after, path) in lost {
        render
            .say(format!("{path}, which {after} was planned after, is not there any more: what it knew is not known."));
    }
    Ok(Some(Asked { earlier, waves }))
}

/// Refuses an earlier plan that is named twice, or that is where the plan is to be, or the other way round.
fn check_places(target: &Path, dirs: &[PathBuf]) -> Result<()> {
    let mut seen: Vec<PathBuf> = Vec::new();
    let target = &real(target);
    for dir in dirs {
        let real = real(dir);
        if seen.contains(&real) {
            return Err(Error::new(Kind::Usage, format!("--after {} is named twice", dir.display()))
                .hint("name each earlier plan once"));
        }
        if real.starts_with(target) || target.starts_with(&real) {
            let what = format!("{} would be written where the earlier plan {} is", target.display(), dir.display());
            return Err(Error::new(Kind::File, what).hint("choose another -o DIR"));
        }
        seen.push(real);
    }
    Ok(())
}

/// A path by its real name; of one that is not there yet, beside what is.
fn real(path: &Path) -> PathBuf {
    let beside = || {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(parent.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}

impl Deciding<'_> {
    /// A verdict for every row, with what earlier plans know.
    pub(super) fn decide(&self, snapshot: &mut Snapshot, asked: Option<Asked>) -> Result<(Verdicts, Option<Known>)> {
        let Self { roster, policy, effort } = *self;
        let Some(Asked { earlier, waves }) = asked else {
            return Ok((Verdicts::decide(roster, snapshot, policy, effort)?, None));
        };
        after::check_organisation(&waves, snapshot.organisation_id())?;
        let began = snapshot.certificate.as_ref().and_then(|listed| super::second_of(&listed.started_at));
        let is_probed = snapshot.probe.as_ref().is_some_and(Probe::holds);
        let listing = Listing { began, is_complete: snapshot.is_complete(), is_probed };
        let mut after = After::of(earlier, &policy.folds)?;
        after.look(snapshot, listing)?;
        let mut verdicts = Verdicts::decide(roster, snapshot, policy, effort)?;
        let mut noted = after.note(roster, snapshot, &mut verdicts);
        let again = find_again(&after, &mut noted, &Teller { roster, snapshot, verdicts: &verdicts, policy })?;
        let Noted { counts, by_plan, .. } = noted;
        Ok((verdicts, Some(Known { made: MadeAfter { waves, counts, again }, unsettled: by_plan })))
    }
}

/// Adds what earlier plans know to the object of `--json`.
pub(super) fn count_in(object: &mut Value, manifest: &Manifest) {
    let Some(counts) = &manifest.after_rows else { return };
    for (key, n) in [
        ("after_created", counts.created),
        ("after_unseen", counts.unseen),
        ("after_renamed", counts.renamed),
        ("after_gone", counts.gone),
        ("after_rolled_back", counts.rolled_back),
        ("after_taken", counts.taken),
        ("after_unknown", counts.unknown),
        ("after_at_work", counts.at_work),
        ("after_unsent", counts.unsent),
        ("after_absent", counts.absent),
        ("refused_before", counts.refused),
        ("refused_again", counts.again),
    ] {
        object[key] = n.into();
    }
}

/// Tells what earlier plans know, and what to do about it.
pub(super) fn tell(manifest: &Manifest, unsettled: &[Unsettled], render: &Render) {
    let Some(counts) = &manifest.after_rows else { return };
    manifest.after.iter().for_each(|wave| render.say(known(wave)));
    lines(counts).into_iter().for_each(|line| render.say(line));
    for (wave, left) in manifest.after.iter().zip(unsettled) {
        held(wave, *left).into_iter().for_each(|line| render.say(line));
    }
}

fn known(wave: &Wave) -> String {
    let path = &wave.path;
    if wave.chain.is_none() {
        return format!("After {path}: it was never applied, so nothing is known from it.");
    }
    let outcomes = Outcome::ALL.map(Outcome::as_str);
    let parts: Vec<String> = outcomes.iter().map(|what| format!("{} {what}", count(wave.n(what)))).collect();
    let sum = outcomes.iter().map(|what| wave.n(what)).sum();
    let mut line = format!("After {path}: {} new = {}", count(sum), parts.join(" + "));
    for (what, words) in [("restored", "restored"), ("rolled_back", "rolled back since")] {
        if wave.n(what) > 0 {
            line += &format!("; {} {words}", count(wave.n(what)));
        }
    }
    if wave.at_work {
        line += "; a run is at work on it, so that is how far it was";
    }
    line + "."
}

fn lines(counts: &Counts) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |n: u64, one: &str, several: &str, words: &str| {
        if n > 0 {
            lines.push(format!("{}{words}", counted(n, one, several)));
        }
    };
    let unseen = match counts.unseen {
        0 => String::new(),
        n if n == counts.created => {
            ", and the snapshot shows none of them yet (after.created, after.restored)".to_owned()
        }
        n => format!(", and the snapshot does not show {} of them yet (after.created, after.restored)", count(n)),
    };
    let [row, rows] = ["present row was", "present rows were"];
    say(counts.created, row, rows, &format!(" created or restored by earlier plans{unseen}."));
    let [row, rows] = ["present row has a user with", "present rows have users with"];
    say(counts.renamed, row, rows, " another address by now than in this roster (after.renamed).");
    say(
        counts.taken,
        "row was",
        "rows were",
        " taken when an earlier plan looked, by users whom the snapshot does not show (after.taken).",
    );
    let [row, rows] = ["deleted row was", "deleted rows were"];
    say(counts.rolled_back, row, rows, " created by earlier plans and rolled back (after.rolled_back).");
    say(
        counts.gone,
        "new row was created by an earlier plan and is not there any more: it",
        "new rows were created by earlier plans and are not there any more: they",
        " would be created again (after.gone).",
    );
    let [one, several] = ["person", "people"];
    let [is, are] = ["is", "are"]
        .map(|verb| format!(" created by earlier plans {verb} not in this roster; nothing is done about that."));
    say(counts.absent, one, several, if counts.absent == 1 { &is } else { &are });
    let changed = match counts.refused - counts.again {
        0 => String::new(),
        n if n == counts.refused => ", once, and corrected since".to_owned(),
        n => format!(", {} of them once and corrected since", count(n)),
    };
    let [row, rows] = ["new row was", "new rows were"];
    say(counts.refused, row, rows, &format!(" refused before (after.refused){changed}."));
    say(
        counts.again,
        "of them was refused twice, or is just as it was then",
        "of them were refused twice, or are just as they were then",
        ": look at again.csv, which has the service's words. What is in it is sent once more.",
    );
    lines
}

/// Rows that one earlier plan has not settled, and the way out.
fn held(wave: &Wave, left: Unsettled) -> Vec<String> {
    let (path, mut lines) = (&wave.path, Vec::new());
    let mut say = |n: u64, [one, several]: [&str; 2], words: String| {
        if n > 0 {
            lines.push(format!("{}{words}", counted(n, one, several)));
        }
    };
    let held = ["row is held back: ", "rows are held back: "];
    let apply = format!("rosterdiff apply {}", quoted(path));
    let wait = if wave.at_work { "Let its run end" } else { "Finish it first" };
    say(
        left.unknown,
        held,
        format!(
            "{path} may have created these people and does not know yet (after.unknown). {wait}: {apply}; then plan \
             again."
        ),
    );
    say(
        left.stranded,
        held,
        format!(
            "{path} may have created these people before it was rolled back (after.unknown). Run `rosterdiff rollback \
             {}` to its end and plan again; whoever is still held then needs a snapshot that is complete and an hour \
             younger than that run.",
            quoted(path)
        ),
    );
    say(
        left.at_work,
        held,
        format!("a run is about to create them from {path} (after.at_work). Let it end, then plan again."),
    );
    say(
        left.unsent,
        ["new row is not sent yet", "new rows are not sent yet"],
        format!(
            " in {path}, either. Do not apply both plans: {apply}, to its end, and plan again; or leave {path} for good."
        ),
    );
    lines
}
