//! `report`: one HTML page about a plan and its runs, from the directory alone.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args;
use super::render::Render;
use crate::apply::Outcome;
use crate::error::{Error, Kind, Result};
use crate::files::{self, plan_dir};
use crate::report::{self, Report};

/// A page that is written, and where.
pub(super) struct Made {
    report: Report,
    path: PathBuf,
}

/// Makes the page and writes it.
///
/// # Errors
/// As [`report::make`]; `File` if it would replace a file of the plan.
pub(super) fn make(args: &args::Report) -> Result<Made> {
    let name = if args.mask { report::FILE_MASKED } else { report::FILE };
    let path = args.output.clone().unwrap_or_else(|| args.dir.join(name));
    let parent = path.parent().unwrap_or(Path::new(""));
    // Nothing of a plan is ever replaced by a page about it.
    if same(parent, &args.dir) && plan_dir::is_evidence(&files::name(&path)) {
        let what = format!("{} is a file of the plan", path.display());
        return Err(Error::new(Kind::File, what).hint("choose another -o"));
    }
    let report = report::make(&args.dir, super::now(), args.mask)?;
    report.write(&path)?;
    Ok(Made { report, path })
}

/// Says where it is, and the answer.
///
/// # Errors
/// `File` if stdout is gone.
pub(super) fn tell(made: &Made, args: &args::Report, render: &Render) -> Result<u8> {
    let Made { report, path } = made;
    render.say(format!("{}: {}.", report.stand, report.answer));
    if args.mask {
        render.say("Masked: addresses are numbered and names hidden; domains, user ids and file names are in it.");
    }
    render.say(format!("Report: {}", path.display()));
    let counts = &report.counts;
    let mut object = json!({
        "path": path.display().to_string(), "masked": args.mask, "stand": report.stand, "rows": counts.rows,
        "new": counts.new, "present": counts.present, "deleted": counts.deleted, "duplicate": counts.duplicate,
        "invalid": counts.invalid, "bytes": report.html.len(),
    });
    for outcome in Outcome::ALL {
        object[outcome.as_str()] = report.outcomes.of(outcome).into();
    }
    render.object(&object)?;
    Ok(0)
}

/// Whether two paths are one directory.
fn same(one: &Path, other: &Path) -> bool {
    let one = if one.as_os_str().is_empty() { Path::new(".") } else { one };
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
