//! `diff`: the offline comparison. Nothing is written but the rows asked for.

use std::collections::HashSet;
use std::io::{BufWriter, Write};
use std::path::Path;

use polars::prelude::{Column, DataFrame};
use serde_json::{Value, json};

use super::args::{self, Reading};
use super::render::{Render, count};
use crate::columns;
use crate::error::{Error, Kind, Result};
use crate::files::export::{Head, Source};
use crate::files::{atomic, export, parquet, plan_dir};
use crate::person::Division;
use crate::plan::{Counts, Plan, Policy, Verdict};
use crate::roster::{self, Named, Records};
use crate::snapshot::{Certificate, Probe, Snapshot};

pub(super) fn run(args: &args::Diff, render: &Render) -> Result<u8> {
    if render.is_json() && args.output.is_none() {
        let what = "--json needs -o: stdout cannot carry the rows and the object";
        return Err(Error::new(Kind::Usage, what).hint("add -o FILE"));
    }
    let format = args.output.as_deref().map(|path| format_of(path, args)).transpose()?;
    let (records, named, plan, snapshot) = compare(&args.roster, &args.snapshot, &args.reading)?;
    tell_mapping(&named, render);
    let verdicts = args.verdict.verdicts();
    match (&args.output, format) {
        (Some(path), Some(Format::Parquet)) => parquet::write_frame(path, &as_frame(&records, &plan, &verdicts)?)?,
        (Some(path), _) => atomic::write(path, |out| plan_dir::write_verdicts(out, &records, &plan, &verdicts))?,
        (None, _) => to_stdout(&records, &plan, &verdicts)?,
    }
    tell_counts(plan.counts(), render);
    tell_warnings(&plan, &snapshot, render)?;
    if !snapshot.is_complete() {
        render.say(unproven(&snapshot));
    }
    render.object(&object(plan.counts(), snapshot.is_complete()))?;
    Ok(0)
}

/// What `-o` asks for by its extension.
enum Format {
    Csv,
    Parquet,
}

fn format_of(output: &Path, args: &args::Diff) -> Result<Format> {
    let same = |input: &Path| input.canonicalize().ok().is_some_and(|i| output.canonicalize().is_ok_and(|o| o == i));
    if same(&args.roster) || same(&args.snapshot) {
        return Err(Error::new(Kind::File, format!("{} is an input: it would be overwritten", output.display()))
            .hint("choose another -o"));
    }
    match output.extension().map(|e| e.to_string_lossy().to_lowercase()).as_deref() {
        Some("csv" | "tsv" | "txt") => Ok(Format::Csv),
        Some("parquet") => Ok(Format::Parquet),
        _ => Err(Error::new(Kind::Usage, format!("-o {}: the extension says the format", output.display()))
            .hint("end it in .csv or .parquet")),
    }
}

/// Reads both files and gives every row its verdict.
pub(super) fn compare(roster: &Path, snapshot: &Path, reading: &Reading) -> Result<(Records, Named, Plan, Snapshot)> {
    let (source, named, checked) = read_roster(roster, reading)?;
    let snapshot = export::read_snapshot(snapshot)?;
    check_defaults(&reading.policy(), &snapshot)?;
    let plan = Plan::build(&checked, &snapshot, reading.policy())?;
    Ok((source.records, named, plan, snapshot))
}

/// Whether a roster comes from standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads and checks a roster; the digest is that of the bytes it came in.
pub(super) fn read_roster(path: &Path, reading: &Reading) -> Result<(Source, Named, roster::Roster)> {
    let head = if reading.no_header { Head::Missing } else { Head::Named };
    let mut source = if is_stdin(path) { Source::read_stdin(head)? } else { Source::read(path, head)? };
    let records = &mut source.records;
    let mapping = match head {
        Head::Named => roster::map(records, &reading.maps)?,
        Head::Missing => roster::map_headerless(records, &reading.maps)?,
    };
    let checked = roster::check(records, &mapping)?;
    let named = mapping.named(&records.header);
    Ok((source, named, checked))
}

pub(super) fn tell_mapping(named: &Named, render: &Render) {
    let mut parts = vec![format!("email = \"{}\"", named.email)];
    if !named.name.is_empty() {
        let columns = named.name.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(" + ");
        let spare = named.name_else.as_ref().map(|column| format!(" (or \"{column}\")")).unwrap_or_default();
        parts.push(format!("name = {columns}{spare}"));
    }
    for (field, column) in [
        ("department", &named.department),
        ("title", &named.title),
        ("division", &named.division),
        ("phone", &named.phone),
    ] {
        parts.extend(column.iter().map(|column| format!("{field} = \"{column}\"")));
    }
    render.say(format!("Columns: {}", parts.join(", ")));
}

/// A default that would make every new row invalid is a typing error, not data.
pub(super) fn check_defaults(policy: &Policy, snapshot: &Snapshot) -> Result<()> {
    match (&policy.defaults.division, &snapshot.divisions) {
        (Some(text), Some(all)) if Division::find(all, text).is_err() => Err(Error::new(
            Kind::Usage,
            format!("--default division=\"{text}\": there is no such division, or several"),
        )
        .hint(format!("divisions are: {}", Division::names(all)))),
        _ => Ok(()),
    }
}

/// What of the new rows is left out, and which rows are invalid for a reason that a list can mend.
pub(super) fn tell_warnings(plan: &Plan, snapshot: &Snapshot, render: &Render) -> Result<()> {
    let (verdicts, reasons) =
        (plan.frame().column(columns::VERDICT)?.str()?, plan.frame().column(columns::REASON)?.str()?);
    let n = |verdict: Verdict, reason: &str| {
        let rows = verdicts.iter().zip(reasons.iter());
        rows.filter(|(v, r)| *v == Some(verdict.as_str()) && r.is_some_and(|r| r.starts_with(reason))).count() as u64
    };
    let (phones, divisions) = (n(Verdict::New, "phone."), n(Verdict::Invalid, "division."));
    if phones > 0 {
        render.say(format!(
            "{} new rows go without their phone: it is not surely a number in E.164, such as +49301234567 (`_reason` says so).",
            count(phones)
        ));
    }
    if divisions > 0 {
        let known = snapshot.divisions.as_deref().map(Division::names).unwrap_or_default();
        render.say(format!("{} rows are invalid for their division. Divisions are: {known}.", count(divisions)));
    }
    Ok(())
}

pub(super) fn tell_counts(counts: &Counts, render: &Render) {
    let n = |verdict| count(counts.of(verdict));
    render.say(format!(
        "{} rows = {} new + {} present + {} deleted + {} duplicate + {} invalid",
        count(counts.rows),
        n(Verdict::New),
        n(Verdict::Present),
        n(Verdict::Deleted),
        n(Verdict::Duplicate),
        n(Verdict::Invalid)
    ));
}

/// Why nobody should trust a `new` yet.
pub(super) fn unproven(snapshot: &Snapshot) -> String {
    let listed = snapshot.certificate.as_ref().map_or_else(
        || vec!["the snapshot is somebody's export, which may lack inactive and deleted users".to_owned()],
        Certificate::gaps,
    );
    // Once the keys were looked up, only what that could not settle matters.
    let why = snapshot.probe.as_ref().map_or(listed, Probe::gaps).join("; ");
    format!("Not proven: {why}. A row called new may exist all the same.")
}

pub(super) fn object(counts: &Counts, complete: bool) -> Value {
    json!({
        "rows": counts.rows, "new": counts.new, "present": counts.present, "deleted": counts.deleted,
        "duplicate": counts.duplicate, "invalid": counts.invalid, "complete": complete,
    })
}

/// A reader that goes away early (`| head`) has got what it wanted.
fn to_stdout(records: &Records, plan: &Plan, verdicts: &[Verdict]) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 17, std::io::stdout().lock());
    let written = plan_dir::write_verdicts(&mut out, records, plan, verdicts)
        .and_then(|()| out.flush().map_err(|e| Error::new(Kind::File, "cannot write to stdout").because(e)));
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        other => other,
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|s| s.downcast_ref::<std::io::Error>());
    cause.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

/// A name for each source column that no other has: blank headers are numbered, tool columns keep theirs.
fn column_names(header: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    let mut taken: HashSet<String> = columns::PLAN_TOOL.iter().map(|tool| (*tool).to_owned()).collect();
    for (at, text) in header.iter().enumerate() {
        let mut name = if text.is_empty() { format!("column_{}", at + 1) } else { text.clone() };
        while !taken.insert(name.clone()) {
            name += "_source";
        }
        names.push(name);
    }
    names
}

/// Source columns as text, then the tool columns; a source column that has a tool column's name gets `_source`.
fn as_frame(records: &Records, plan: &Plan, verdicts: &[Verdict]) -> Result<DataFrame> {
    let all: Vec<usize> = (0..records.header.len()).collect();
    let cells = records.columns(&all);
    let names = column_names(&records.header);
    let mut columns: Vec<Column> =
        names.into_iter().zip(cells).map(|(name, cells)| Column::new(name.into(), cells)).collect();
    let extra: Vec<Option<String>> = records
        .records
        .iter()
        .map(|r| (!r.extra.is_empty()).then(|| records.decode(r.extra.clone()).into_owned()))
        .collect();
    for tool in columns::PLAN_TOOL {
        columns.push(match plan.frame().column(tool) {
            Ok(column) => column.clone(),
            Err(_) => Column::new(tool.into(), &extra),
        });
    }
    let words = plan.frame().column(columns::VERDICT)?.str()?;
    let wanted = words.iter().map(|w| w.and_then(Verdict::from_word).is_some_and(|v| verdicts.contains(&v)));
    Ok(DataFrame::new(records.records.len(), columns)?.filter(&wanted.collect())?)
}
