//! `init`: a file of settings from the roster at hand. It holds what columns are called and never a cell of a person.

mod page;

use std::path::Path;

use serde_json::json;

use super::args::{self, Reading};
use super::config;
use super::diff;
use super::render::Render;
use crate::error::{Error, Kind, Result};
use crate::files::atomic;
use crate::files::table::{Found, Source};
use crate::roster::{self, Headline, Mapping, Sheet, Wanted};

/// What a roster turned out to be.
struct Look {
    header: Vec<String>,
    delimiter: u8,
    found: Found,
    mapping: Mapping,
    /// Columns that may be the key, equally well, and what is to be said of that.
    question: Option<(Vec<usize>, Error)>,
}

pub(super) async fn run(args: &args::Init, render: &Render) -> Result<u8> {
    check_free(args)?;
    let (path, reading) = (args.roster.clone(), args.reading.clone());
    let (look, notes) = super::aside(move || {
        let source = if diff::is_stdin(&path) { Source::stdin()? } else { Source::open(&path)? };
        source.read_found(reading.opening(), &reading.picks(), |sheet, found| look(sheet, found, &reading))
    })
    .await?;
    diff::tell_notes(&notes, render);
    let text = page::text(&args.roster, &look, &args.reading);
    atomic::write(&args.output, |out| {
        out.write_all(text.as_bytes()).map_err(|e| Error::file("write", &args.output, e))
    })?;
    let written = args.output.display();
    if let Some((_, question)) = look.question {
        return Err(question.hint(format!(
            "{written} is written: take the # away from one of its lines `email = …` below [roster.map]"
        )));
    }
    diff::tell_mapping(&look.mapping.named(&look.header), render);
    let used = if args.output == Path::new(config::NAME) {
        "the other commands take it from here".to_owned()
    } else {
        format!("use it with --config {written}")
    };
    render.say(format!("Written: {written} ({used})"));
    render.object(&json!({ "written": args.output, "columns": look.header }))?;
    Ok(0)
}

/// Nothing is lost to a file of settings.
fn check_free(args: &args::Init) -> Result<()> {
    let output = args.output.display();
    if args.output.canonicalize().is_ok_and(|real| args.roster.canonicalize().is_ok_and(|roster| roster == real)) {
        let what = format!("{output} is the roster: it would be overwritten");
        return Err(Error::new(Kind::File, what).hint("choose another -o FILE"));
    }
    if args.output.symlink_metadata().is_ok() && !args.overwrite {
        let what = format!("{output} exists already");
        return Err(Error::new(Kind::File, what).hint("say --overwrite to replace it, or choose another -o FILE"));
    }
    Ok(())
}

fn look(sheet: &Sheet, found: &Found, reading: &Reading) -> Result<Look> {
    let (mut sheet, mut question, wanted) = (sheet.clone(), None, &reading.maps[..]);
    let mapping = if reading.opening().headline == Headline::Missing {
        roster::map_headerless(&mut sheet, wanted)?
    } else {
        match roster::map(&sheet, wanted) {
            Ok(mapping) => mapping,
            Err(error) => {
                let candidates = candidates(&sheet, &error)?;
                let Some(first) = candidates.first() else { return Err(error) };
                let first = roster::joined(&sheet.header[*first..=*first]);
                let first = Wanted { field: "email".to_owned(), column: first };
                question = Some((candidates, error));
                roster::map(&sheet, &[wanted, &[first][..]].concat())?
            }
        }
    };
    let look = Look {
        header: sheet.header.clone(),
        delimiter: sheet.dialect.delimiter,
        found: found.clone(),
        mapping: mapping.clone(),
        question,
    };
    // Every record is read, as the other commands will: what it is encoded in shows at the last letter.
    roster::check(sheet, mapping)?;
    Ok(look)
}

/// The columns that may be the key, if that is what `error` is about. A first line that holds an address is no header.
fn candidates(sheet: &Sheet, error: &Error) -> Result<Vec<usize>> {
    // One column alone is another delimiter's.
    if error.kind() != Kind::File || sheet.header.len() < 2 || sheet.header.iter().any(|cell| cell.contains('@')) {
        return Ok(Vec::new());
    }
    let best = roster::key_candidates(sheet)?;
    Ok(if best.is_empty() { roster::kin(&sheet.header, "email", &[]) } else { best })
}

#[cfg(test)]
mod tests;
