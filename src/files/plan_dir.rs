//! The directory of a plan: written whole or not at all, opened against its digests, closed when its results are written.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use crate::apply::changes::{Change, Step};
use crate::apply::journal::{Journal, Replayed};
use crate::apply::ledger::{Ledger, Line, Row};
use crate::apply::{Outcome, Outcomes, journal};
use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::after::Wave;
use crate::files::manifest::{self, Digest, Digested, Input, Manifest};
use crate::files::parquet::{self, GroupWriter};
use crate::files::pour::{self, Wanted};
use crate::files::results::{self, RESTORED_CSV};
pub use crate::files::results::{NewRows, RESULT, check_begun, results, write_results};
use crate::files::{again, atomic, csv, suspects};
use crate::lanes::Effort;
use crate::plan::after::{self, Again};
use crate::plan::gates::Gate;
use crate::plan::suspects::{Likeness, Suspect};
use crate::plan::{COLUMNS, Disagreeing, Plan, Policy, Teller, Verdict};
use crate::roster::Named;

/// The frame of a plan.
pub const PLAN: &str = "plan.parquet";
/// The snapshot, when `plan` took it itself.
pub const SNAPSHOT: &str = "snapshot.parquet";
/// The page that `report` makes of all the others: it can be made again, and nothing relies on it.
pub const REPORT: &str = "report.html";
/// The same without the people: a name of its own, so that nobody shares the other one by mistake.
pub const REPORT_MASKED: &str = "report-masked.html";

/// Everything a manifest says beyond the plan itself.
#[derive(Clone, Debug)]
pub struct Made {
    /// When, RFC 3339, UTC.
    pub at: String,
    /// From which roster.
    pub roster: Input,
    /// Against which snapshot.
    pub snapshot: Input,
    /// With which columns.
    pub mapping: Named,
    /// By which rules beside.
    pub policy: Policy,
    /// What nobody should create people over without a second look.
    pub gates: Vec<Gate>,
    /// An earlier snapshot that this one was held against.
    pub earlier: Option<Input>,
    /// New rows that resemble somebody, in the order of rows.
    pub suspects: Vec<Suspect>,
    /// Whether `apply` also restores the users of `deleted` rows.
    pub restore_deleted: bool,
    /// The earlier plans that were asked, if any were.
    pub after: Option<MadeAfter>,
}

/// What came of asking earlier plans.
#[derive(Clone, Debug)]
pub struct MadeAfter {
    /// Which.
    pub waves: Vec<Wave>,
    /// Rows by what they say.
    pub counts: after::Counts,
    /// Rows to point out, in the order of rows.
    pub again: Vec<Again>,
}

/// Refuses a directory that may not be written: one with a plan unless `overwrite`, one with a begun run always.
///
/// # Errors
/// `File`.
pub fn check_free(dir: &Path, overwrite: bool) -> Result<()> {
    let refuse = |what: String, hint: &str| Err(Error::new(Kind::File, what).hint(hint));
    if !dir.exists() {
        return Ok(());
    }
    if !dir.is_dir() {
        return refuse(format!("{} is a file, not a directory", dir.display()), "choose another -o DIR");
    }
    if dir.join(journal::FILE).exists() || dir.join(RESULT).exists() {
        let what =
            format!("{} holds a run that has begun: its journal is the only proof of who was created", dir.display());
        return refuse(what, "choose another -o DIR");
    }
    let mut strange = Vec::new();
    let mut is_empty = true;
    for entry in std::fs::read_dir(dir).map_err(|e| Error::file("read", dir, e))? {
        let name = entry.map_err(|e| Error::file("read", dir, e))?.file_name().to_string_lossy().into_owned();
        is_empty = false;
        if !is_of_a_plan(&name) {
            strange.push(name);
        }
    }
    if is_empty {
        return Ok(());
    }
    if let Some(name) = strange.first() {
        let what = format!("{} holds something else than a plan: {name}", dir.display());
        return refuse(what, "choose another -o DIR");
    }
    Manifest::read(dir)?;
    if overwrite {
        return Ok(());
    }
    refuse(format!("{} holds a plan already", dir.display()), "add --overwrite, or choose another -o DIR")
}

/// Whether `plan`, or `report` of a plan, writes a file of that name: only such a directory is ever replaced.
pub(super) fn is_of_a_plan(name: &str) -> bool {
    [PLAN, SNAPSHOT, REPORT, REPORT_MASKED, suspects::FILE, again::FILE, manifest::FILE].contains(&name)
        || name.strip_suffix(".csv").is_some_and(|stem| Verdict::from_word(stem).is_some())
}

/// Whether a directory's proof rests on a file of that name.
#[must_use]
pub fn is_evidence(name: &str) -> bool {
    let is_journal = [journal::FILE, journal::TORN].contains(&name);
    ![REPORT, REPORT_MASKED].contains(&name)
        && (is_of_a_plan(name) || is_journal || results().any(|result| result == name))
}

/// Writes `plan.parquet`, the five CSVs and the manifest into `dir`, which is a stage that nobody sees yet.
///
/// # Errors
/// `File`.
pub fn fill(dir: &Path, teller: &Teller<'_>, effort: Effort, made: Made) -> Result<Manifest> {
    let (mut outputs, disagreeing) = fill_rows(dir, teller, effort)?;
    outputs.insert(suspects::FILE.to_owned(), fill_suspects(dir, teller, &made.suspects)?);
    if let Some(after) = &made.after {
        outputs.insert(again::FILE.to_owned(), again::write(dir, teller, &after.again)?);
    }
    if dir.join(SNAPSHOT).exists() {
        outputs.insert(SNAPSHOT.to_owned(), made.snapshot.digest.clone());
    }
    let (snapshot, counts) = (teller.snapshot, teller.verdicts.counts());
    let manifest = Manifest {
        format: Manifest::FORMAT,
        tool: concat!("rosterdiff ", env!("CARGO_PKG_VERSION")).to_owned(),
        made_at: made.at,
        organisation_id: snapshot
            .organisation_id()
            .or_else(|| made.after.as_ref()?.organisation_id())
            .map(str::to_owned),
        roster: made.roster,
        snapshot: made.snapshot,
        delimiter: char::from(teller.roster.records.sheet.dialect.delimiter),
        mapping: made.mapping,
        keep: made.policy.keep,
        defaults: made.policy.defaults,
        folds: made.policy.folds,
        restore_deleted: made.restore_deleted,
        gates: made.gates,
        earlier: made.earlier,
        after_rows: made.after.as_ref().map(|after| after.counts),
        after: made.after.map(|after| after.waves).unwrap_or_default(),
        disagreeing,
        suspect_rows: made.suspects.chunk_by(|one, other| one.row == other.row).count() as u64,
        held: teller.verdicts.n_held(),
        suspects: Likeness::ALL.map(|of| (of.code().to_owned(), n_of(&made.suspects, of))).into(),
        counts: *counts,
        complete: snapshot.is_proven(),
        certificate: snapshot.certificate.clone(),
        probe: snapshot.probe.clone(),
        outputs,
    };
    manifest.write(dir)?;
    Ok(manifest)
}

impl MadeAfter {
    /// The organisation that the earlier plans are of: what they know is of nobody else.
    fn organisation_id(&self) -> Option<&str> {
        self.waves.iter().find_map(|wave| wave.organisation_id.as_deref())
    }
}

fn n_of(suspects: &[Suspect], likeness: Likeness) -> u64 {
    suspects.iter().filter(|suspect| suspect.likeness == likeness).count() as u64
}

fn fill_suspects(dir: &Path, teller: &Teller<'_>, found: &[Suspect]) -> Result<Digest> {
    let mut out = Digested::new(&dir.join(suspects::FILE))?;
    suspects::write(&mut out, teller, found)?;
    out.commit()
}

/// Writes the frame and the CSVs in one pass over the roster.
fn fill_rows(dir: &Path, teller: &Teller<'_>, effort: Effort) -> Result<(BTreeMap<String, Digest>, Disagreeing)> {
    let name = |verdict: Verdict| format!("{}.csv", verdict.as_str());
    let header = csv::header(&teller.roster.records.sheet, &columns::PLAN_TOOL);
    let mut csvs = Vec::with_capacity(Verdict::ALL.len());
    for verdict in Verdict::ALL {
        let mut csv = Digested::new(&dir.join(name(verdict)))?;
        csv.write_all(&header).map_err(|e| csv.failed(e))?;
        csvs.push(csv);
    }
    let mut frame = Digested::new(&dir.join(PLAN))?;
    let mut files = csvs.iter_mut().map(Digested::share).collect::<Result<Vec<_>>>()?;
    files.push(frame.share()?);
    let (mut writer, encoder) = GroupWriter::new(&mut frame, COLUMNS)?;
    let wanted = Wanted { csv: std::array::from_fn(Some), frame: Some(&encoder) };
    let mut disagreeing = Disagreeing::default();
    atomic::while_flushing(files, || {
        pour::pour(teller, wanted, effort, |poured| {
            disagreeing = disagreeing.plus(poured.disagreeing);
            for (csv, lines) in csvs.iter_mut().zip(&poured.csv) {
                csv.write_all(lines).map_err(|e| csv.failed(e))?;
            }
            poured.frame.map_or(Ok(()), |rows| writer.append(rows))
        })?;
        writer.finish()
    })?;
    let mut outputs = BTreeMap::from([(PLAN.to_owned(), frame.commit()?)]);
    for (verdict, csv) in Verdict::ALL.into_iter().zip(csvs) {
        outputs.insert(name(verdict), csv.commit()?);
    }
    Ok((outputs, disagreeing))
}

/// Writes the rows of some verdicts as CSV, in file order; how many present rows among them disagree.
///
/// # Errors
/// `File`.
pub fn write_verdicts(
    out: &mut dyn std::io::Write,
    teller: &Teller<'_>,
    verdicts: &[Verdict],
    effort: Effort,
) -> Result<Disagreeing> {
    let failed = |e: std::io::Error| Error::new(Kind::File, "cannot write rows").because(e);
    out.write_all(&csv::header(&teller.roster.records.sheet, &columns::PLAN_TOOL)).map_err(failed)?;
    let wanted = Wanted { csv: Verdict::ALL.map(|v| verdicts.contains(&v).then_some(0)), frame: None };
    let mut disagreeing = Disagreeing::default();
    pour::pour(teller, wanted, effort, |poured| {
        disagreeing = disagreeing.plus(poured.disagreeing);
        out.write_all(&poured.csv[0]).map_err(failed)
    })?;
    Ok(disagreeing)
}

/// Opens a plan: reads the manifest, holds every file against its digest, reads the frame.
///
/// # Errors
/// `File`, `Unsafe` if a file was altered, `Damaged`.
pub fn open(dir: &Path) -> Result<(Manifest, Plan)> {
    let manifest = Manifest::read(dir)?;
    manifest.check_outputs(dir)?;
    let plan = Plan::from_frame(parquet::read_frame(&dir.join(PLAN))?)?;
    if *plan.counts() != manifest.counts {
        return Err(Error::new(Kind::Unsafe, format!("{} does not say what its plan says", manifest::FILE))
            .hint("plan again; nothing was sent"));
    }
    Ok((manifest, plan))
}

/// What the journal of a plan says; nothing before a run has begun.
///
/// # Errors
/// `Unsafe` if it is another plan's, or if the manifest is not the one that the run was begun with; `Damaged`, `File`.
pub fn ledger(dir: &Path, manifest: &Manifest) -> Result<Ledger> {
    Ok(replayed(dir, manifest, |_| {})?.ledger)
}

/// The same with the end of the journal's chain, and `each` is shown every line of it in order.
///
/// # Errors
/// As [`ledger`].
pub fn replayed(dir: &Path, manifest: &Manifest, each: impl FnMut(&Line)) -> Result<Replayed> {
    let path = dir.join(journal::FILE);
    let replayed = if path.exists() { journal::replay_with(&path, each)? } else { Replayed::default() };
    check_bound(dir, manifest, &replayed.ledger)?;
    Ok(replayed)
}

/// Whether what was read of a journal is of this plan and manifest, and whether one that has to be there is.
///
/// # Errors
/// As [`ledger`].
pub fn check_bound(dir: &Path, manifest: &Manifest, ledger: &Ledger) -> Result<()> {
    if let Some(bound) = &ledger.bound_to {
        let found = Digest::of_file(&dir.join(manifest::FILE))?.blake3;
        return bound.check(&dir.join(journal::FILE), manifest.plan_digest(), &found);
    }
    if dir.join(RESULT).exists() {
        let what = format!("the journal of {} is gone, and its run had begun", dir.display());
        return Err(Error::new(Kind::Damaged, what).hint(results::BRING_BACK));
    }
    Ok(())
}

/// Rows of a plan by outcome.
///
/// # Errors
/// `Damaged` if the journal speaks of a row that is no new row of the plan.
pub fn outcomes(plan: &Plan, ledger: &Ledger) -> Result<Outcomes> {
    let new = plan.new_users()?;
    let mut outcomes = Outcomes::default();
    let mut n_tried = 0;
    for row in new.column(columns::ROW)?.u32()?.iter().flatten() {
        let tried = ledger.row(row);
        n_tried += usize::from(tried.is_some());
        outcomes.add(tried.map_or(Outcome::Unprocessed, Row::outcome));
    }
    // The second law, in release builds too: whoever is planned is accounted for, and nobody else was touched.
    if outcomes.sum() != plan.counts().new || ledger.n_rows() != n_tried {
        return Err(Error::new(Kind::Damaged, "the journal speaks of rows that are no new rows of the plan")
            .hint("the journal was changed by something else than rosterdiff; nothing was sent"));
    }
    check_restored(plan, ledger)?;
    Ok(outcomes)
}

/// Whether the journal restores nobody but the users of `deleted` rows. (Whom it removes was created, says the ledger.)
fn check_restored(plan: &Plan, ledger: &Ledger) -> Result<()> {
    let words = plan.frame().column(columns::VERDICT)?.str()?;
    let ids = plan.frame().column(columns::USER_ID)?.str()?;
    let is_planned = |(row, change): (u32, &Change)| {
        let at = (row as usize).wrapping_sub(1);
        change.step == Step::Remove
            || words.get(at) == Some(Verdict::Deleted.as_str())
                && ids.get(at).filter(|id| !id.is_empty()) == change.id.as_deref()
    };
    if ledger.changes.all().all(is_planned) {
        return Ok(());
    }
    Err(Error::new(Kind::Damaged, "the journal restores users whom the plan does not call deleted")
        .hint("the journal was changed by something else than rosterdiff; nothing was sent"))
}

/// Closes a run whose results are written: the journal's last line says what every file of them holds.
///
/// # Errors
/// `File`.
pub fn close(dir: &Path, journal: &Journal) -> Result<()> {
    // Not every run tears a line, and not every plan restores.
    let is_there = |name: &&str| ![journal::TORN, RESTORED_CSV].contains(name) || dir.join(name).exists();
    let names = [manifest::FILE].into_iter().chain(results()).chain([journal::TORN]).filter(is_there);
    let files = names.map(|name| Ok((name.to_owned(), Digest::of_file(&dir.join(name))?)));
    journal.close(files.collect::<Result<_>>()?)
}
