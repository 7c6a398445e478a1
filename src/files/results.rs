//! Room 6: what became of the rows, from plan and journal alone.
//!
//! Source cells come from the CSVs of the plan, whose digests are in the manifest: the roster itself is not needed any
//! more.

use std::ops::Range;
use std::path::Path;

use polars::prelude::{Column, DataFrame, StringChunked};

use crate::apply::Outcome;
use crate::apply::changes::{Change, Restoration};
use crate::apply::ledger::{Ledger, Row, Said, Stage};
use crate::columns;
use crate::error::{self, Error, Kind, Result};
use crate::files::manifest::Manifest;
use crate::files::{atomic, csv, parquet, source};
use crate::person::State;
use crate::plan::{Plan, Verdict};
use crate::roster::{self, Delimiter, Opening, Records};

/// The frame of a result.
pub const RESULT: &str = "result.parquet";
/// The CSVs of a result, and whose rows each holds.
const RESULT_CSVS: [(&str, &[Outcome]); 5] = [
    ("created.csv", &[Outcome::Created, Outcome::Adopted]),
    ("taken.csv", &[Outcome::Taken]),
    ("refused.csv", &[Outcome::Refused]),
    ("unknown.csv", &[Outcome::Unknown]),
    ("unprocessed.csv", &[Outcome::Unprocessed]),
];

/// The CSV of a result that exists where `deleted` rows are to be restored, and holds those that were dealt with.
pub(super) const RESTORED_CSV: &str = "restored.csv";

/// The files that a result can have.
pub fn results() -> impl Iterator<Item = &'static str> {
    std::iter::once(RESULT).chain(RESULT_CSVS.iter().map(|(name, _)| *name)).chain([RESTORED_CSV])
}

/// The source cells of the rows that results speak of, and where each stands in the plan.
#[derive(Clone, Debug)]
pub struct NewRows {
    new: Sources,
    /// Those of the `deleted` rows, if they are to be restored.
    deleted: Option<Sources>,
}

#[derive(Clone, Debug)]
struct Sources {
    records: Records,
    at: Vec<usize>,
}

impl NewRows {
    /// Reads `new.csv`, and `deleted.csv` if its users are to be restored.
    ///
    /// # Errors
    /// `Damaged` if they do not hold the rows of `plan`.
    pub fn read(dir: &Path, manifest: &Manifest, plan: &Plan) -> Result<Self> {
        let of = |verdict| Sources::read(dir, manifest, plan, verdict);
        let deleted = manifest.restore_deleted.then(|| of(Verdict::Deleted)).transpose()?;
        Ok(Self { new: of(Verdict::New)?, deleted })
    }
}

impl Sources {
    /// Reads the CSV of a verdict. Rows are found by their number, never by their order.
    fn read(dir: &Path, manifest: &Manifest, plan: &Plan, verdict: Verdict) -> Result<Self> {
        let delimiter = u8::try_from(manifest.delimiter).map_or(Delimiter::Detect, Delimiter::Said);
        let name = format!("{}.csv", verdict.as_str());
        let text = source::open(&dir.join(&name))?;
        let sheet = roster::open(&name, text, Opening { delimiter, ..Opening::default() })?;
        // Behind the source columns stand the tool columns, and of these the row number first.
        let numbers = sheet.columns(&[sheet.header.len()])?;
        let words = plan.frame().column(columns::VERDICT)?.str()?;
        let is_of_it = |at: &usize| words.get(*at) == Some(verdict.as_str());
        let at = |number: &String| number.parse::<usize>().ok()?.checked_sub(1).filter(is_of_it);
        let found: Option<Vec<usize>> = numbers.iter().flatten().map(at).collect();
        let found = found.filter(|found| found.len() as u64 == plan.counts().of(verdict) && found.is_sorted());
        let at = found.ok_or_else(|| {
            let what = format!("{name} does not hold the {} rows of the plan", verdict.as_str());
            Error::new(Kind::Damaged, what).hint("plan again; nothing was sent")
        })?;
        Ok(Self { records: Records::find(sheet)?, at })
    }
}

/// The way out where a journal is not what it was.
pub(super) const BRING_BACK: &str =
    "bring journal.jsonl back, or plan again from a fresh snapshot in another directory; nothing was sent";

/// Holds the journal against the results of an earlier run: whether it is the one that they were made from, and whole.
///
/// # Errors
/// `Damaged` if it does not know what became of a row any more: whoever was created would be sent again.
pub fn check_begun(dir: &Path, ledger: &Ledger) -> Result<()> {
    let path = dir.join(RESULT);
    if !path.exists() {
        return Ok(());
    }
    let finals = [Outcome::Created, Outcome::Adopted, Outcome::Taken, Outcome::Refused].map(Outcome::as_str);
    let mut n_lost = 0_u64;
    // Results that cannot be read prove nothing, and are written again.
    let _read = error::guarded(|| {
        parquet::read_texts(&path, columns::OUTCOME, |at, word| {
            let is_known = u32::try_from(at + 1).ok().and_then(|row| ledger.row(row)).is_some_and(Row::is_final);
            n_lost += u64::from(!is_known && word.is_some_and(|word| finals.contains(&word)));
        })
    });
    if n_lost == 0 {
        return Ok(());
    }
    let what = format!(
        "the journal of {} has lost its end: {RESULT} shows what became of {n_lost} rows of which it knows nothing",
        dir.display()
    );
    Err(Error::new(Kind::Damaged, what).hint(BRING_BACK))
}

/// Rows of a result that are made at a time: memory does not grow with the plan.
const SLICE_ROWS: usize = 1 << 11;

/// Writes `result.parquet` and one CSV per outcome, from plan and journal alone.
///
/// # Errors
/// `File`, `Damaged`.
pub fn write_results(dir: &Path, plan: &Plan, new: &NewRows, ledger: &Ledger) -> Result<()> {
    let told = Told { plan, ledger };
    let frames = told.slices().map(|rows| told.frame(rows));
    parquet::write_frames(&dir.join(RESULT), frames)?;
    for (name, wanted) in RESULT_CSVS {
        let outcome = |row| ledger.row(row).map_or(Outcome::Unprocessed, Row::outcome);
        told.write_csv(&dir.join(name), &new.new, &|row| wanted.contains(&outcome(row)))?;
    }
    let is_dealt_with = |row| ledger.changes.of(row).is_some_and(|change| change.restoration().is_some());
    new.deleted.iter().try_for_each(|deleted| told.write_csv(&dir.join(RESTORED_CSV), deleted, &is_dealt_with))
}

/// What plan and journal say together.
struct Told<'a> {
    plan: &'a Plan,
    ledger: &'a Ledger,
}

impl Told<'_> {
    /// The rows of the plan, slice by slice; one slice of none for a plan without rows.
    fn slices(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let n = self.plan.frame().height();
        (0..n.max(1)).step_by(SLICE_ROWS).map(move |begin| begin..(begin + SLICE_ROWS).min(n))
    }

    fn frame(&self, rows: Range<usize>) -> Result<DataFrame> {
        #[expect(clippy::cast_possible_wrap, reason = "rows are counted in 32 bits")]
        let frame = self.plan.frame().slice(rows.start as i64, rows.len());
        result_frame(frame, rows.start, self.ledger)
    }

    /// Writes the wanted rows of `of`, in the order of the file.
    fn write_csv(&self, path: &Path, of: &Sources, is_wanted: &dyn Fn(u32) -> bool) -> Result<()> {
        let tools: Vec<&str> = columns::PLAN_TOOL.iter().chain(&columns::RESULT_TOOL).copied().collect();
        let is_wanted = |at: usize| u32::try_from(at + 1).is_ok_and(is_wanted);
        atomic::write(path, |out| {
            csv::write_header(out, &of.records, &tools)?;
            for rows in self.slices() {
                let begin = of.at.partition_point(|at| *at < rows.start);
                let these = (begin..).zip(&of.at[begin..]).take_while(|(_, at)| **at < rows.end);
                let wanted = these.filter(|(_, at)| is_wanted(**at)).map(|(record, at)| (record, at - rows.start));
                let wanted: Vec<(usize, usize)> = wanted.collect();
                if !wanted.is_empty() {
                    csv::write_rows(out, &of.records, &self.frame(rows)?, &tools, &wanted)?;
                }
            }
            Ok(())
        })
    }
}

const fn is_ours(row: &Row) -> bool {
    matches!(row.outcome(), Outcome::Created | Outcome::Adopted)
}

/// The address that was sent; of a stranger the key under which it was found, since the journal holds no addresses.
const fn user_email<'a>(row: &Row, sent: Option<&'a str>, key: Option<&'a str>) -> Option<&'a str> {
    match row.outcome() {
        Outcome::Created | Outcome::Adopted => sent,
        Outcome::Taken => key,
        Outcome::Refused | Outcome::Unknown | Outcome::Unprocessed => None,
    }
}

/// Stable code of an outcome that needs one.
const fn reason(row: &Row) -> Option<&'static str> {
    match (row.outcome(), &row.stage) {
        (Outcome::Created | Outcome::Unprocessed, _) => None,
        (Outcome::Adopted, _) => Some("found.as_sent"),
        (Outcome::Taken, _) => Some("held.meanwhile"),
        (Outcome::Refused, _) => Some("service.refused"),
        (Outcome::Unknown, Stage::Conflict) => Some("unknown.holder_not_found"),
        (Outcome::Unknown, _) => Some("unknown.no_reply"),
    }
}

/// What a result says of one row, where it says other things than the plan.
struct Shown<'a> {
    outcome: &'static str,
    user_id: Option<&'a str>,
    user_state: Option<State>,
    user_email: Option<&'a str>,
    reason: Option<&'a str>,
    reply: &'a Said,
    message: Option<&'a str>,
    attempts: u32,
    at: &'a str,
}

/// What a row of the plan held: the address that was sent, the key, and the planned cells of holder and reason.
#[derive(Clone, Copy)]
struct Planned<'a> {
    sent: Option<&'a str>,
    key: Option<&'a str>,
    user_email: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> Shown<'a> {
    /// A new row that was tried, and what was done about its user since.
    fn of_new(row: &'a Row, change: Option<&'a Change>, planned: Planned<'a>) -> Self {
        let (user_state, undone) = match change {
            Some(change) if change.is_removed() => (Some(State::Deleted), Some("rolled_back")),
            Some(change) if change.is_unsure() => (None, Some("rollback.unknown")),
            _ if is_ours(row) => (Some(State::Active), None),
            _ => (row.user_state, None),
        };
        Self {
            outcome: row.outcome().as_str(),
            user_id: row.user_id.as_deref(),
            user_state,
            user_email: user_email(row, planned.sent, planned.key),
            // A created row keeps what the plan warned of.
            reason: undone.or_else(|| reason(row)).or(planned.reason),
            reply: &row.reply,
            message: row.reply.words.as_deref().or(row.why.as_deref()),
            attempts: row.attempts,
            at: change.filter(|change| change.is_removed()).map_or(&row.at, |change| &change.at),
        }
    }

    /// A deleted row whose user was to be restored; none before that was tried.
    fn of_restored(change: &'a Change, planned: Planned<'a>) -> Option<Self> {
        let restoration = change.restoration()?;
        let is_back = restoration == Restoration::Restored;
        // What is not settled is told in words, and what is settled by a code.
        let is_open = restoration == Restoration::Unknown;
        let why = change.why.as_deref();
        Some(Self {
            outcome: restoration.as_str(),
            user_id: change.id.as_deref(),
            user_state: match restoration {
                Restoration::Restored => Some(State::Active),
                Restoration::Refused => Some(State::Deleted),
                Restoration::Unknown => None,
            },
            user_email: planned.user_email,
            reason: why.filter(|_| !is_open).or(if is_open {
                Some("restore.unknown")
            } else {
                planned.reason.filter(|_| !is_back)
            }),
            reply: &change.reply,
            message: why.filter(|_| is_open),
            attempts: change.attempts,
            at: &change.at,
        })
    }
}

/// Rows of the plan, the first of them at `begin`, with the outcome of each new one and the user it met; of each row that
/// was restored the same.
fn result_frame(mut frame: DataFrame, begin: usize, ledger: &Ledger) -> Result<DataFrame> {
    let text = |name: &str| frame.column(name).and_then(|column| column.str().cloned());
    let (verdicts, keys, sent) = (text(columns::VERDICT)?, text(columns::KEY)?, text(columns::EMAIL)?);
    let (ids, states) = (text(columns::USER_ID)?, text(columns::USER_STATE)?);
    let (emails, reasons) = (text(columns::USER_EMAIL)?, text(columns::REASON)?);
    let is_new = |at: usize| verdicts.get(at) == Some(Verdict::New.as_str());
    let shown = |at: usize| {
        let row = u32::try_from(begin + at + 1).ok()?;
        let change = ledger.changes.of(row);
        let (sent, key) = (sent.get(at), keys.get(at));
        let planned = Planned { sent, key, user_email: emails.get(at), reason: reasons.get(at) };
        match ledger.row(row).filter(|_| is_new(at)) {
            Some(row) => Some(Shown::of_new(row, change, planned)),
            None => Shown::of_restored(change?, planned),
        }
    };
    let rows: Vec<Option<Shown<'_>>> = (0..frame.height()).map(shown).collect();
    let planned = |name: &str, old: &StringChunked, found: &dyn for<'s> Fn(&'s Shown<'_>) -> Option<&'s str>| {
        let cells = rows.iter().enumerate().map(|(at, row)| match row {
            Some(row) => found(row),
            None => old.get(at),
        });
        Column::new(name.into(), cells.collect::<Vec<_>>())
    };
    let told = |name: &str, of: &dyn for<'s> Fn(&'s Shown<'_>) -> Option<&'s str>| {
        Column::new(name.into(), rows.iter().map(|row| row.as_ref().and_then(of)).collect::<Vec<_>>())
    };
    let outcome = |(at, row): (usize, &Option<Shown<'_>>)| {
        row.as_ref().map(|row| row.outcome).or_else(|| is_new(at).then_some(Outcome::Unprocessed.as_str()))
    };
    let http = |row: &Option<Shown<'_>>| row.as_ref().and_then(|row| row.reply.http).map(u32::from);
    let attempts = |row: &Option<Shown<'_>>| row.as_ref().map(|row| row.attempts);
    let columns = [
        planned(columns::USER_ID, &ids, &|row| row.user_id),
        planned(columns::USER_STATE, &states, &|row| row.user_state.map(State::as_str)),
        planned(columns::USER_EMAIL, &emails, &|row| row.user_email),
        planned(columns::REASON, &reasons, &|row| row.reason),
        Column::new(columns::OUTCOME.into(), rows.iter().enumerate().map(outcome).collect::<Vec<_>>()),
        Column::new(columns::HTTP_STATUS.into(), rows.iter().map(http).collect::<Vec<_>>()),
        told(columns::CODE, &|row| row.reply.code.as_deref()),
        told(columns::MESSAGE, &|row| row.message),
        told(columns::CORRELATION_ID, &|row| row.reply.cid.as_deref()),
        Column::new(columns::ATTEMPTS.into(), rows.iter().map(attempts).collect::<Vec<_>>()),
        told(columns::AT, &|row| Some(row.at)),
    ];
    for column in columns {
        frame.with_column(column)?;
    }
    Ok(frame)
}
