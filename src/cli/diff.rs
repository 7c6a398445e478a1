//! `diff`: the offline comparison. Nothing is written but the rows asked for.

use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::args::{self, Reading};
use super::render::{Render, count};
use crate::error::{Error, Kind, Result};
use crate::files::export::Checked;
use crate::files::table::Source;
use crate::files::{atomic, export, plan_dir, wide};
use crate::lanes::Effort;
use crate::number::counted;
use crate::person::Division;
use crate::plan::{Counts, Disagreeing, Policy, Teller, Verdict, Verdicts};
use crate::roster::Named;
use crate::snapshot::{Certificate, Probe, Snapshot};

pub(super) async fn run(args: &args::Diff, render: &Render) -> Result<u8> {
    check_object(render, args.output.as_deref())?;
    let inputs = [args.roster.as_path(), &args.snapshot];
    let format = args.output.as_deref().map(|path| format_of(path, &inputs)).transpose()?;
    let wanted = args.verdict.verdicts();
    let effort = args.reading.effort();
    let (_, Checked { roster, named, notes }) = read_roster(&args.roster, &args.reading).await?;
    tell_notes(&notes, render);
    // Of users that hold nobody's key nothing is told.
    let keeps_cells = wanted.iter().any(|verdict| !matches!(verdict, Verdict::New | Verdict::Invalid));
    let (snapshot, notes) = read_snapshot(&args.snapshot, keeps_cells, effort).await?;
    tell_notes(&notes, render);
    let policy = args.reading.policy()?;
    check_defaults(&policy, &snapshot)?;
    let verdicts = Verdicts::decide(&roster, &snapshot, &policy, effort)?;
    let teller = Teller { roster: &roster, snapshot: &snapshot, verdicts: &verdicts, policy: &policy };
    tell_mapping(&named, render);
    let disagreeing = match (&args.output, format) {
        (Some(path), Some(Format::Parquet)) => wide::write(path, &teller, &wanted, effort)?,
        (Some(path), _) => to_file(path, &teller, &wanted, effort)?,
        (None, _) => to_stdout(|out| plan_dir::write_verdicts(out, &teller, &wanted, effort))?.unwrap_or_default(),
    };
    tell_counts(verdicts.counts(), render);
    tell_disagreeing(disagreeing, render);
    tell_warnings(&verdicts, &snapshot, render);
    if !snapshot.is_complete() {
        render.say(unproven(&snapshot));
    }
    render.object(&object(verdicts.counts(), snapshot.is_complete()))?;
    Ok(0)
}

/// What `-o` asks for by its extension.
pub(super) enum Format {
    Csv,
    Parquet,
}

/// Refuses the object of `--json` where stdout carries rows.
pub(super) fn check_object(render: &Render, output: Option<&Path>) -> Result<()> {
    if render.is_json() && output.is_none() {
        let what = "--json needs -o: stdout cannot carry the rows and the object";
        return Err(Error::new(Kind::Usage, what).hint("add -o FILE"));
    }
    Ok(())
}

pub(super) fn format_of(output: &Path, inputs: &[&Path]) -> Result<Format> {
    let same = |input: &&Path| input.canonicalize().ok().is_some_and(|i| output.canonicalize().is_ok_and(|o| o == i));
    if inputs.iter().any(same) {
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

/// Whether a roster comes from standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads and checks a roster.
pub(super) async fn read_roster(path: &Path, reading: &Reading) -> Result<(Source, Checked)> {
    let (path, reading) = (path.to_owned(), reading.clone());
    super::aside(move || {
        let source = if is_stdin(&path) { Source::stdin()? } else { Source::open(&path)? };
        let checked = export::read_roster(&source, reading.opening(), &reading.picks(), &reading.maps)?;
        Ok((source, checked))
    })
    .await
}

/// Reads a snapshot or an export.
pub(super) async fn read_snapshot(path: &Path, keeps_cells: bool, effort: Effort) -> Result<(Snapshot, Vec<String>)> {
    let path = path.to_owned();
    super::aside(move || export::read_snapshot(&path, keeps_cells, effort)).await
}

/// How a file was read, where that is no matter of course.
pub(super) fn tell_notes(notes: &[String], render: &Render) {
    notes.iter().for_each(|note| render.say(note));
}

pub(super) fn tell_mapping(named: &Named, render: &Render) {
    render.say(format!("Columns: {}", mapping(named)));
}

/// Which column was taken for what, in words.
pub(super) fn mapping(named: &Named) -> String {
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
        ("employee-id", &named.employee_id),
    ] {
        parts.extend(column.iter().map(|column| format!("{field} = \"{column}\"")));
    }
    parts.join(", ")
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
pub(super) fn tell_warnings(verdicts: &Verdicts, snapshot: &Snapshot, render: &Render) {
    let (phones, divisions) = (verdicts.count(Verdict::New, "phone."), verdicts.count(Verdict::Invalid, "division."));
    if phones > 0 {
        render.say(format!(
            "{} without a phone: it is not surely a number in E.164, such as +49301234567 (`_reason` says so).",
            counted(phones, "new row goes", "new rows go")
        ));
    }
    if divisions > 0 {
        let known = snapshot.divisions.as_deref().map(Division::names).unwrap_or_default();
        let rows = counted(divisions, "row is", "rows are");
        render.say(format!("{rows} invalid for the division. Divisions are: {known}."));
    }
}

pub(super) fn tell_counts(counts: &Counts, render: &Render) {
    let n = |verdict| count(counts.of(verdict));
    render.say(format!(
        "{} = {} new + {} present + {} deleted + {} duplicate + {} invalid",
        counted(counts.rows, "row", "rows"),
        n(Verdict::New),
        n(Verdict::Present),
        n(Verdict::Deleted),
        n(Verdict::Duplicate),
        n(Verdict::Invalid)
    ));
}

/// In what rows that are there disagree with the organisation, as far as that was looked at.
pub(super) fn tell_disagreeing(found: Disagreeing, render: &Render) {
    if found.rows > 0 {
        let Disagreeing { rows, name, department, title } = found;
        let fields = [("name", name), ("department", department), ("title", title)];
        let parts: Vec<String> =
            fields.into_iter().filter(|(_, n)| *n > 0).map(|(field, n)| format!("{field} {}", count(n))).collect();
        let rows = counted(rows, "present row disagrees", "present rows disagree");
        render.say(format!("{rows} with the organisation ({}): see `_differs`.", parts.join(", ")));
    }
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

fn to_file(path: &Path, teller: &Teller<'_>, verdicts: &[Verdict], effort: Effort) -> Result<Disagreeing> {
    let mut disagreeing = Disagreeing::default();
    atomic::write(path, |out| {
        disagreeing = plan_dir::write_verdicts(out, teller, verdicts, effort)?;
        Ok(())
    })?;
    Ok(disagreeing)
}

/// A reader that goes away early (`| head`) has got what it wanted: then nothing is told of the rest.
pub(super) fn to_stdout<T>(write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<Option<T>> {
    let mut out = BufWriter::with_capacity(1 << 17, std::io::stdout().lock());
    let written = write(&mut out).and_then(|found| {
        out.flush().map_err(|e| Error::new(Kind::File, "cannot write to stdout").because(e))?;
        Ok(Some(found))
    });
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(None),
        other => other,
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|s| s.downcast_ref::<std::io::Error>());
    cause.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
