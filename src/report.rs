//! A plan and its runs as one HTML page with pictures: for whoever has to look, understand and trust.
//!
//! It is made of plan and journal alone, as every other result. The page asks nobody for anything: no network, no fonts,
//! its style and script are in it. What people wrote is text in it and nothing else (`html`); with `--mask` it is hidden
//! before the page is written (`mask`).

mod bars;
mod facts;
mod flow;
mod gather;
mod head;
mod html;
mod mask;
mod page;
mod proof;
mod runs;
mod sources;
mod story;
mod tables;
mod timeline;
mod times;
mod words;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::apply::Outcomes;
use crate::error::{Error, Kind, Result};
use crate::files::atomic;
use crate::plan::Counts;

pub use crate::files::plan_dir::{REPORT as FILE, REPORT_MASKED as FILE_MASKED};

/// How a page begins: what begins otherwise is something else, and is never replaced by one.
const BEGIN: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"generator\" content=\"rosterdiff report\">\n";

/// A page, and what it says in short.
#[derive(Clone, Debug)]
pub struct Report {
    /// The page.
    pub html: String,
    /// Rows by verdict.
    pub counts: Counts,
    /// New rows by outcome.
    pub outcomes: Outcomes,
    /// Where the plan stands, in one word.
    pub stand: &'static str,
    /// The answer, in one sentence.
    pub answer: String,
}

/// Makes the page of a plan directory; `told_at` is when, RFC 3339. With `is_masked` nobody can be told from it.
///
/// # Errors
/// Those of `status`: `File` if there is no plan, `Unsafe` for what was altered, `Damaged` for what cannot be read.
pub fn make(dir: &Path, told_at: String, is_masked: bool) -> Result<Report> {
    let facts = gather::gather(dir, told_at)?;
    let facts = if is_masked { mask::masked(facts) } else { facts };
    Ok(Report {
        html: page::write(&facts),
        counts: facts.manifest.counts,
        outcomes: facts.outcomes,
        stand: head::badge(&facts).0,
        answer: head::answer(&facts),
    })
}

impl Report {
    /// Writes the page, whole or not at all, in place of nothing but another page.
    ///
    /// # Errors
    /// `File`, naming the path.
    pub fn write(&self, path: &Path) -> Result<()> {
        if path.is_file() && !is_page(path) {
            let what = format!("{} is there and is no report", path.display());
            return Err(Error::new(Kind::File, what).hint("choose another -o; nothing was written"));
        }
        atomic::write(path, |out| out.write_all(self.html.as_bytes()).map_err(|e| Error::file("write", path, e)))
    }
}

/// Whether a file begins as a page does; one that cannot be read does not.
fn is_page(path: &Path) -> bool {
    let mut begin = vec![0; BEGIN.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == BEGIN.as_bytes()
}
