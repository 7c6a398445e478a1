//! `plan`: a verdict for every row, in a directory that a person can look through before anything happens.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::after::{self, Deciding};
use super::args;
use super::connect::Session;
use super::look::look_up;
use super::render::{Render, count};
use super::{diff, snapshot};
use crate::error::{Error, Kind, Result};
use crate::files::atomic::Stage;
use crate::files::export::Checked;
use crate::files::manifest::{Digest, Input, Manifest};
use crate::files::plan_dir::{self, Made};
use crate::files::quoted;
use crate::number::counted;
use crate::plan::after::Unsettled;
use crate::plan::gates::{self, Asked, Which};
use crate::plan::{Policy, Teller, Verdicts, suspects};
use crate::roster::{Roster, joined, name_candidates};
use crate::snapshot::Snapshot;

pub(super) async fn run(
    args: &args::Plan,
    session: impl FnOnce() -> Result<Option<Session>>,
    render: &Render,
) -> Result<u8> {
    let made = plan(args, session, render).await?;
    let mut object = diff::object(&made.counts, made.complete);
    let tripped: Vec<Which> = made.gates.iter().filter(|gate| gate.tripped).map(|gate| gate.gate).collect();
    object["gates"] = json!(tripped);
    object["suspects"] = json!(made.suspect_rows);
    object["differing"] = json!(made.disagreeing.rows);
    after::count_in(&mut object, &made);
    render.object(&object)?;
    Ok(if made.complete { 0 } else { Kind::Incomplete.exit_code() })
}

async fn plan(
    args: &args::Plan,
    session: impl FnOnce() -> Result<Option<Session>>,
    render: &Render,
) -> Result<Manifest> {
    let policy = args.reading.policy()?;
    let dir = args.output.clone().map_or_else(|| default_dir(&args.roster), Ok)?;
    // By its real name: a link stays a link, and "." has a parent to stage in.
    let target = dir.canonicalize().unwrap_or_else(|_| dir.clone());
    plan_dir::check_free(&dir, args.overwrite)?;
    check_inputs(&target, args)?;
    let asked = after::ask(args, &target, render).await?;
    let (input, Checked { roster, named: mapping, notes }) = diff::read_roster(&args.roster, &args.reading).await?;
    diff::tell_notes(&notes, render);
    diff::tell_mapping(&mapping, render);
    // Everything is written into a stage beside the directory: it appears whole or not at all.
    let stage = Stage::new(&target)?;
    let mut session = Found { args, render, find: Some(session), found: None };
    let source = session.source(&stage).await?;
    let digests = tokio::task::spawn_blocking({
        let source = source.clone();
        move || (input.digest(), Digest::of_file(&source))
    });
    let effort = args.reading.effort();
    let (mut snapshot, notes) = diff::read_snapshot(&source, true, effort).await?;
    diff::tell_notes(&notes, render);
    check_folds(&policy, &snapshot)?;
    if !snapshot.is_complete()
        && let Some(session) = session.at_hand()?
    {
        let verdicts = Verdicts::decide(&roster, &snapshot, &policy, effort)?;
        let names_divisions = mapping.division.is_some() || policy.defaults.division.is_some();
        if snapshot.divisions.is_none() && names_divisions {
            snapshot.divisions = session.client.divisions().await?.ok();
        }
        let sought = teller(&roster, &snapshot, &verdicts, &policy).sought()?;
        // Whoever is found is in the snapshot then, and the same rules decide.
        look_up(&sought, &mut snapshot, session, render).await?;
    }
    let deciding = Deciding { roster: &roster, policy: &policy, effort };
    let (mut verdicts, known) = deciding.decide(&mut snapshot, asked)?;
    let (made_after, unsettled) = known.map(|known| (known.made, known.unsettled)).unzip();
    diff::check_defaults(&policy, &snapshot)?;
    let suspects = suspects::find(&roster, &snapshot, &verdicts, effort)?;
    if args.hold_suspects {
        verdicts.hold(suspects.iter().map(|suspect| suspect.row));
    }
    let (n_earlier, earlier) = earlier(args, &snapshot).await?;
    let asked = Asked { max_creates: args.max_creates, n_earlier };
    let gates = gates::check(&teller(&roster, &snapshot, &verdicts, &policy), &asked)?;
    let (roster_digest, snapshot_digest) = digests.await.map_err(|e| Error::bug("a digest was lost").because(e))?;
    let made = Made {
        at: super::now(),
        roster: Input { path: args.roster.display().to_string(), digest: roster_digest? },
        snapshot: Input { path: snapshot_name(args), digest: snapshot_digest? },
        mapping,
        policy: policy.clone(),
        gates,
        suspects,
        restore_deleted: args.restore_deleted,
        earlier,
        after: made_after,
    };
    let manifest = plan_dir::fill(stage.path(), &teller(&roster, &snapshot, &verdicts, &policy), effort, made)?;
    stage.commit(|dir| plan_dir::check_free(dir, args.overwrite))?;
    tell(&manifest, &verdicts, &snapshot, &unsettled.unwrap_or_default(), args, render);
    tell_nameless(&manifest, &roster.records.sheet.header, render);
    render.say(format!("Plan: {}", dir.display()));
    tell_unproven(&snapshot, render);
    super::forecast::of_plan(&manifest, &args.connection, session.found.as_ref(), render);
    Ok(manifest)
}

/// What the plan says, and what it needs.
fn tell(
    manifest: &Manifest,
    verdicts: &Verdicts,
    snapshot: &Snapshot,
    unsettled: &[Unsettled],
    args: &args::Plan,
    render: &Render,
) {
    diff::tell_counts(&manifest.counts, render);
    diff::tell_disagreeing(manifest.disagreeing, render);
    diff::tell_warnings(verdicts, snapshot, render);
    tell_left_out(manifest, render);
    after::tell(manifest, unsettled, render);
    tell_suspects(manifest, args.hold_suspects, render);
    super::restore::tell_planned(manifest, render);
    super::gates::tell(manifest, render);
}

/// Who is not created, and would be missed.
fn tell_left_out(manifest: &Manifest, render: &Render) {
    if manifest.counts.deleted > 0 && !manifest.restore_deleted {
        let rows = counted(manifest.counts.deleted, "row belongs to a deleted user", "rows belong to deleted users");
        render.say(format!(
            "{rows}: nobody is created for them (deleted.csv). With --restore-deleted `apply` brings such users back."
        ));
    }
}

/// Where no column was taken for the name: which it may be.
fn tell_nameless(manifest: &Manifest, header: &[String], render: &Render) {
    let mapping = &manifest.mapping;
    if !mapping.name.is_empty() || mapping.name_else.is_some() || manifest.counts.new == 0 {
        return;
    }
    let flag = |columns: Vec<usize>| {
        let names: Vec<String> = columns.into_iter().map(|at| header[at].clone()).collect();
        let is_plain = names.iter().all(|name| !name.contains(['+', '"']));
        let typed = if is_plain { names.join("+") } else { joined(&names) };
        format!("--map {}", quoted(&format!("name={typed}")))
    };
    let mut flags: Vec<String> = name_candidates(header).into_iter().map(flag).collect();
    if flags.is_empty() {
        flags.push("--map name=COLUMN".to_owned());
    }
    render.say(format!(
        "No column was taken for the name, and nobody can be created without one: plan again with {}.",
        flags.join(" or ")
    ));
}

/// What a plan that is not proven is good for.
fn tell_unproven(snapshot: &Snapshot, render: &Render) {
    if snapshot.is_proven() {
        return;
    }
    render.say(diff::unproven(snapshot));
    render.say(
        "The plan can be looked at. `apply` refuses it without --accept-unproven, which looks every row up first.",
    );
    if snapshot.probe.is_none() {
        render.say("Planned again with credentials, its rows are looked up at once.");
    }
}

const fn teller<'a>(
    roster: &'a Roster,
    snapshot: &'a Snapshot,
    verdicts: &'a Verdicts,
    policy: &'a Policy,
) -> Teller<'a> {
    Teller { roster, snapshot, verdicts, policy }
}

/// Which new rows resemble somebody, and what becomes of them.
fn tell_suspects(manifest: &Manifest, are_held: bool, render: &Render) {
    let found = manifest.suspects.iter().filter(|(_, n)| **n > 0);
    let parts: Vec<String> = found.map(|(likeness, n)| format!("{likeness} {}", count(*n))).collect();
    if parts.is_empty() {
        return;
    }
    let what = if are_held {
        "They are held back: plan again without --hold-suspects to create them"
    } else {
        "They are created all the same: --hold-suspects holds them back"
    };
    let rows = counted(manifest.suspect_rows, "new row resembles", "new rows resemble");
    render.say(format!("{rows} somebody: {} (suspects.csv). {what}.", parts.join(", ")));
}

/// How many users an earlier snapshot of the same organisation had, and its digest.
async fn earlier(args: &args::Plan, snapshot: &Snapshot) -> Result<(Option<u64>, Option<Input>)> {
    let Some(path) = args.earlier.clone() else { return Ok((None, None)) };
    let digest = tokio::task::spawn_blocking({
        let path = path.clone();
        move || Input::of(&path)
    });
    let (earlier, _) = diff::read_snapshot(&path, false, args.reading.effort()).await?;
    if let (Some(then), Some(now)) = (earlier.organisation_id(), snapshot.organisation_id())
        && then != now
    {
        let what = format!("{} is of organisation {then}, the snapshot of {now}", path.display());
        return Err(Error::new(Kind::Unsafe, what)
            .hint("--earlier takes a snapshot of the organisation that is planned for; leave it out"));
    }
    let input = digest.await.map_err(|e| Error::bug("a digest was lost").because(e))??;
    Ok((Some(earlier.len() as u64), Some(input)))
}

/// The way to the organisation, found once and only if it is needed.
struct Found<'a, F> {
    args: &'a args::Plan,
    render: &'a Render,
    find: Option<F>,
    found: Option<Session>,
}

impl<F: FnOnce() -> Result<Option<Session>>> Found<'_, F> {
    /// A session if there are credentials.
    fn at_hand(&mut self) -> Result<Option<&Session>> {
        if let Some(find) = self.find.take() {
            self.found = find()?;
        }
        Ok(self.found.as_ref())
    }

    /// Where the organisation's users are: in the snapshot that was named, or in one that is taken now.
    async fn source(&mut self, stage: &Stage) -> Result<PathBuf> {
        if let Some(path) = &self.args.snapshot {
            return Ok(path.clone());
        }
        let (path, render) = (stage.path().join(plan_dir::SNAPSHOT), self.render);
        snapshot::take_to(&path, self.needed()?, render).await?;
        Ok(path)
    }

    /// A session, or the error that says what is missing.
    fn needed(&mut self) -> Result<&Session> {
        if self.at_hand()?.is_none() {
            self.found = Some(Session::new(&self.args.connection, self.render)?);
        }
        self.found.as_ref().ok_or_else(|| Error::bug("a session was lost"))
    }
}

/// A fold compares with everybody who is there. Whom nobody listed could only be looked up by the address as it is spelt,
/// so a plan with folds would call people new who are not.
fn check_folds(policy: &Policy, snapshot: &Snapshot) -> Result<()> {
    if policy.folds.is_empty() || snapshot.is_complete() {
        return Ok(());
    }
    let what =
        "--fold-plus, --fold-gmail-dots and --domain-alias need a complete snapshot: nobody can be looked up by them";
    Err(Error::new(Kind::Unsafe, what)
        .hint("take one with `rosterdiff snapshot`, leave them out, or compare with `diff`"))
}

/// An input inside the directory that is replaced would be gone with it.
fn check_inputs(target: &Path, args: &args::Plan) -> Result<()> {
    for input in [Some(&args.roster), args.snapshot.as_ref(), args.earlier.as_ref()].into_iter().flatten() {
        if input.canonicalize().is_ok_and(|real| real.starts_with(target)) {
            let what = format!("{} is inside the directory that would be replaced", input.display());
            return Err(Error::new(Kind::File, what).hint("copy it elsewhere first, or choose another -o DIR"));
        }
    }
    // Its digest is taken beside: what can be read only once is no proof of anything later.
    let is_pipe = |path: &&PathBuf| path.exists() && !path.is_file() && !path.is_dir();
    if let Some(pipe) = [&args.snapshot, &args.earlier].into_iter().flatten().find(is_pipe) {
        let what = format!("{} is no plain file: a plan keeps the digest of its snapshot", pipe.display());
        return Err(Error::new(Kind::File, what).hint("save it to a file first"));
    }
    Ok(())
}

fn snapshot_name(args: &args::Plan) -> String {
    args.snapshot.as_ref().map_or_else(|| plan_dir::SNAPSHOT.to_owned(), |path| path.display().to_string())
}

fn default_dir(roster: &Path) -> Result<PathBuf> {
    if diff::is_stdin(roster) {
        let what = "a roster from standard input has no name to call its plan by";
        return Err(Error::new(Kind::Usage, what).hint("say where the plan goes with -o DIR"));
    }
    let stem = roster.file_stem().map_or_else(|| "roster".into(), |s| s.to_string_lossy().into_owned());
    Ok(PathBuf::from(format!("{stem}.plan")))
}
